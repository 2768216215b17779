"""The lineage graph of an estate: typed things, typed edges, and for every fact who asserted it.

Rules:

- a snapshot never changes; its nodes are sorted by id, its edges by type, source and target, each once;
- a fact keeps its origins: every place that asserts it;
- an attribute that sources contradict each other about has no value: its facts are kept in ``conflicts``;
- nothing is filled in: an attribute without a fact is absent, and defaults are the evaluator's business;
- cycles and edges from a node to itself are data.

>>> estate = Snapshot.build(
...     [Node("scorer", "Model", {"version": Fact("3")}), Node("loans", "Dataset")],
...     [Edge("trained_on", "scorer", "loans")],
... )
>>> estate.targets("scorer", "trained_on"), estate.sources_of("loans", "trained_on"), estate.value("scorer", "version")
(('loans',), ('scorer',), '3')
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Final

from policy_dsl.values import Value
from policy_engine.lineage.errors import lineage_error
from policy_engine.lineage.names import nearest
from policy_evidence.canonical import JsonValue, digest, document_digest

_SHA256: Final = re.compile(r"sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """A document that facts came from. ``name`` is unique in a snapshot; ``sha256`` is of its bytes, in text form."""

    name: str
    sha256: str
    format: str
    asserted_by: str
    asserted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """A place in a source: a JSON pointer, and the line where the reader knows it."""

    source: str
    pointer: str
    line: int | None = None

    @property
    def sort_key(self) -> tuple[str, str, int]:
        """The order that origins are kept in."""
        return (self.source, self.pointer, self.line or 0)


@dataclass(frozen=True, slots=True)
class Fact:
    """A value and every place that asserts it."""

    value: Value
    origins: tuple[Origin, ...] = ()


@dataclass(frozen=True, slots=True)
class Node:
    """A thing: its id, its kind in the schema, what is known of it and what sources contradict each other about."""

    id: str
    kind: str
    attributes: Mapping[str, Fact] = field(default_factory=dict)
    conflicts: Mapping[str, tuple[Fact, ...]] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    origins: tuple[Origin, ...] = ()


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge of a type of the schema, from the thing that depends to the thing it depends on."""

    type: str
    source: str
    target: str
    origins: tuple[Origin, ...] = ()

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes an edge the same edge, and the order that edges are kept in."""
        return (self.type, self.source, self.target)


_Adjacency = dict[str, dict[str, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The facts about an estate, as one immutable value.

    Made with ``Snapshot.build``, which puts everything in order; the constructor takes what is in order already.
    """

    nodes: Mapping[str, Node] = field(default_factory=dict)
    edges: tuple[Edge, ...] = ()
    sources: tuple[Source, ...] = ()
    # Indexes are made when first asked for, each once.
    _forward: _Adjacency = field(default_factory=dict, init=False, repr=False, compare=False)
    _backward: _Adjacency = field(default_factory=dict, init=False, repr=False, compare=False)
    _onward: dict[bool, dict[str, dict[str, tuple[str, ...]]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _by_kind: dict[str, tuple[str, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _digests: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def build(cls, nodes: Iterable[Node], edges: Iterable[Edge] = (), sources: Iterable[Source] = ()) -> "Snapshot":
        """Make a snapshot of nodes, edges and sources in any order; equal edges become one with all origins.

        Raises:
            LineageError: two nodes or sources share a name, or an edge leads to or from no node.
        """
        by_id: dict[str, Node] = {}
        for node in nodes:
            if by_id.setdefault(node.id, node) is not node:
                raise lineage_error("PE3150", f"two nodes have the id `{node.id}`")
        unique: dict[tuple[str, str, str], Edge] = {}
        for edge in edges:
            for end in (edge.source, edge.target):
                if end not in by_id:
                    raise lineage_error("PE3151", f"an edge `{edge.type}` names `{end}`, and there is no such node")
            same = unique.get(edge.key)
            unique[edge.key] = edge if same is None else Edge(*edge.key, merge_origins(same.origins, edge.origins))
        ordered_sources = tuple(sorted(sources, key=lambda source: source.name))
        for first, second in pairwise(ordered_sources):
            if first.name == second.name:
                raise lineage_error("PE3150", f"two sources have the name `{first.name}`")
        ordered = {node_id: by_id[node_id] for node_id in sorted(by_id)}
        return cls(ordered, tuple(unique[key] for key in sorted(unique)), ordered_sources)

    def with_nodes(self, nodes: Mapping[str, Node]) -> "Snapshot":
        """Return a snapshot with the same edges between nodes of the same ids and kinds, of which other facts hold."""
        made = Snapshot(nodes, self.edges, self.sources)
        if not self._forward:
            self._index_edges()
        # Indexes depend on ids, kinds and edges alone; they never change once made.
        for own, others in ((self._forward, made._forward), (self._backward, made._backward)):
            others.update(own)
        made._by_kind.update(self._by_kind)
        made._onward.update(self._onward)
        return made

    def targets(self, node_id: str, edge_type: str) -> tuple[str, ...]:
        """Return the ids that edges of a type lead to from a node, sorted."""
        if not self._forward:
            self._index_edges()
        found = self._forward.get(edge_type, {}).get(node_id)
        if found is None:
            self._node(node_id)
            return ()
        return found

    def sources_of(self, node_id: str, edge_type: str) -> tuple[str, ...]:
        """Return the ids that edges of a type come from to a node, sorted."""
        if not self._backward:
            self._index_edges()
        found = self._backward.get(edge_type, {}).get(node_id)
        if found is None:
            self._node(node_id)
            return ()
        return found

    def __contains__(self, node_id: str) -> bool:
        return node_id in self.nodes

    def kind(self, node_id: str) -> str:
        """Return the kind of a node."""
        return self._node(node_id).kind

    def is_contradicted(self, node_id: str, attribute: str) -> bool:
        """Tell whether sources contradict each other about an attribute."""
        node = self._node(node_id)
        return attribute in node.conflicts and attribute not in node.attributes

    def onward(self, node_id: str, edge_types: tuple[str, ...], *, upstream: bool) -> list[tuple[str, tuple[str, ...]]]:
        """Return, for each of some edge types that lead on from a node, where to; in the order that they are given."""
        here = self._onward.get(upstream)
        if here is None:
            here = self._onward[upstream] = self._index_onward(upstream=upstream)
        found = here.get(node_id, {})
        if len(found) < len(edge_types):
            # In order of the types, too: that is the order in which they were put in, and are given.
            return [(name, ends) for name, ends in found.items() if name in edge_types]
        return [(name, ends) for name in edge_types if (ends := found.get(name))]

    def value(self, node_id: str, attribute: str) -> Value | None:
        """Return what is known of an attribute, or nothing when it is absent or contradicted."""
        fact = self._node(node_id).attributes.get(attribute)
        return None if fact is None else fact.value

    def ids_of(self, kinds: Iterable[str]) -> tuple[str, ...]:
        """Return the ids of all nodes of exactly these kinds, sorted (``Schema.kinds_below`` finds subkinds)."""
        if not self._by_kind and self.nodes:
            grouped: dict[str, list[str]] = {}
            for node in self.nodes.values():
                grouped.setdefault(node.kind, []).append(node.id)
            self._by_kind.update({kind: tuple(ids) for kind, ids in grouped.items()})
        groups = [self._by_kind[kind] for kind in set(kinds) if kind in self._by_kind]
        return groups[0] if len(groups) == 1 else tuple(sorted(node_id for group in groups for node_id in group))

    @property
    def digest(self) -> str:
        """The content address: SHA-256 of the canonical bytes, provenance included."""
        return self._digest("all", provenance=True)

    @property
    def facts_digest(self) -> str:
        """SHA-256 of the canonical bytes without provenance: equal for equal facts, whoever wrote them down where."""
        return self._digest("facts", provenance=False)

    def _digest(self, name: str, *, provenance: bool) -> str:
        if name not in self._digests:
            # The canonical form is a module above this one.
            from policy_engine.lineage.snapshot import to_bytes

            self._digests[name] = digest(to_bytes(self, provenance=provenance))
        return self._digests[name]

    def _node(self, node_id: str) -> Node:
        node = self.nodes.get(node_id)
        if node is None:
            raise lineage_error("PE3152", f"there is no node `{node_id}`", advice=nearest(node_id, self.nodes))
        return node

    def _index_onward(self, *, upstream: bool) -> dict[str, dict[str, tuple[str, ...]]]:
        """Return, for each node, where each type of edge leads on from it, by type in order."""
        if not self._forward:
            self._index_edges()
        onward: dict[str, dict[str, tuple[str, ...]]] = {}
        index = self._forward if upstream else self._backward
        for name in sorted(index):
            for node_id, ends in index[name].items():
                onward.setdefault(node_id, {})[name] = ends
        return onward

    def _index_edges(self) -> None:
        # Edges are in order of type, source, target: whatever is appended in that order is sorted already.
        forward: dict[str, dict[str, list[str]]] = {}
        backward: dict[str, dict[str, list[str]]] = {}
        for edge in self.edges:
            forward.setdefault(edge.type, {}).setdefault(edge.source, []).append(edge.target)
            backward.setdefault(edge.type, {}).setdefault(edge.target, []).append(edge.source)
        for index, lists in ((self._forward, forward), (self._backward, backward)):
            index.update({name: {end: tuple(ends) for end, ends in of.items()} for name, of in lists.items()})


def merge_origins(*groups: tuple[Origin, ...]) -> tuple[Origin, ...]:
    """Return all origins of several groups, in order, each once."""
    if len(groups) == 1 and len(groups[0]) < 2:
        return groups[0]
    return tuple(sorted({origin for group in groups for origin in group}, key=lambda origin: origin.sort_key))


def spelling(value: Value) -> str:
    """Return a text that tells values apart, and equal numbers with different digits too; it gives them an order.

    >>> spelling(frozenset({"b", "a"})) == spelling(frozenset({"a", "b"})) != spelling(frozenset({"a, b"}))
    True
    """
    return repr(sorted(map(repr, value))) if isinstance(value, frozenset) else repr(value)


def subject_digests(node: Node) -> dict[str, str]:
    """Return the digests that signed evidence about a node must name.

    A node with a ``digest`` of the form ``sha256:<hex>`` is its content. Any other is its identity: the SHA-256 of
    the canonical JSON (RFC 8785) of its id, its kind and, where one is known, its version.

    >>> subject_digests(Node("m", "Model", {"digest": Fact("sha256:" + "0" * 64)}))["sha256"] == "0" * 64
    True
    """
    content = node.attributes.get("digest")
    if content is not None and isinstance(content.value, str) and (match := _SHA256.fullmatch(content.value)):
        return {"sha256": match[1]}
    identity: dict[str, JsonValue] = {"id": node.id, "kind": node.kind}
    version = node.attributes.get("version")
    if version is not None and isinstance(version.value, str):
        identity["version"] = version.value
    return {"sha256": document_digest(identity).removeprefix("sha256:")}
