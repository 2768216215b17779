"""Worlds that are not: the same facts with some changes, so that one can ask what would follow.

Rules:

- nothing real is touched: a changed world is another value, and no file is written;
- what leaves takes along what hangs on it: a removed thing its edges and the evidence about it;
- evidence is about a thing of one digest: a thing whose digest or version changes loses the evidence that names
  the old one, so that nothing passes on papers of something else.

>>> from policy_engine.lineage.graph import Edge, Node
>>> nodes = [Node("scorer", "Model"), Node("loans", "Dataset")]
>>> estate = Snapshot.build(nodes, [Edge("trained_on", "scorer", "loans")])
>>> changed_snapshot(estate, [RemoveNode("loans")]).edges
()
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from policy_dsl.values import Value
from policy_engine.evaluation.world import World
from policy_engine.lineage.graph import Edge, Fact, Node, Snapshot, subject_digests
from policy_engine.model.evidence import Evidence, EvidenceSet


@dataclass(frozen=True, slots=True)
class RemoveNode:
    """A thing is gone, with every edge from and to it."""

    node: str


@dataclass(frozen=True, slots=True)
class AddNode:
    """There is one more thing, of which nothing is stated yet."""

    node: str
    kind: str


@dataclass(frozen=True, slots=True)
class SetFact:
    """An attribute has a value, whatever was said before; nothing as the value means that nobody states it."""

    node: str
    attribute: str
    value: Value | None


@dataclass(frozen=True, slots=True)
class AddEdge:
    """There is one more edge."""

    type: str
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class RemoveEdge:
    """An edge is gone."""

    type: str
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class AddEvidence:
    """There is one more piece of evidence that counts."""

    record: Evidence

    def __hash__(self) -> int:
        return hash(self.record.digest)


_IDENTITY = frozenset({"digest", "version"})
"""The attributes that the digests of a thing depend on, see ``subject_digests``."""

GraphChange = RemoveNode | AddNode | SetFact | AddEdge | RemoveEdge
Change = GraphChange | AddEvidence


def changed_snapshot(snapshot: Snapshot, changes: Iterable[GraphChange]) -> Snapshot:
    """Return the snapshot after changes, made in the order in which they are given.

    Things and edges that a change names must be there, or be new, as the change says: the caller has checked that.
    """
    nodes = dict(snapshot.nodes)
    edges: dict[tuple[str, str, str], Edge] | None = None
    order_kept = True
    for change in changes:
        match change:
            case SetFact(node, attribute, value):
                nodes[node] = _with_fact(nodes[node], attribute, value)
            case AddNode(node, kind):
                nodes[node] = Node(node, kind)
                order_kept = False
            case RemoveNode(node):
                del nodes[node]
                edges = edges if edges is not None else _by_key(snapshot)
                edges = {key: edge for key, edge in edges.items() if node not in (edge.source, edge.target)}
            case AddEdge(kind, source, target):
                edges = edges if edges is not None else _by_key(snapshot)
                edges.setdefault((kind, source, target), Edge(kind, source, target))
                order_kept = False
            case RemoveEdge(kind, source, target):
                edges = edges if edges is not None else _by_key(snapshot)
                edges.pop((kind, source, target), None)
    if edges is None and order_kept:
        return snapshot.with_nodes(nodes)
    kept = snapshot.edges if edges is None else tuple(edges.values())
    if order_kept:
        # What was in order, and only lost or altered members, is in order still.
        return Snapshot(nodes, kept, snapshot.sources)
    return Snapshot.build(nodes.values(), kept, snapshot.sources)


def changed_world(world: World, changes: Iterable[Change]) -> World:
    """Return the world after changes; evidence about what is no longer the same thing does not count in it."""
    listed = tuple(changes)
    added = [c.record for c in listed if isinstance(c, AddEvidence)]
    graph = [c for c in listed if not isinstance(c, AddEvidence)]
    snapshot = changed_snapshot(world.snapshot, graph) if graph else world.snapshot
    lost = {node for node in _touched(graph) if _identity(world.snapshot, node) != _identity(snapshot, node)}
    evidence = world.evidence
    if added or lost:
        kept = (record for record in evidence.records() if record.subject not in lost)
        evidence = EvidenceSet.of((*kept, *added))
    return World(world.program, snapshot, evidence)


def _touched(changes: Iterable[GraphChange]) -> set[str]:
    """Return the things that may no longer be the same."""
    return {
        c.node for c in changes if isinstance(c, RemoveNode) or (isinstance(c, SetFact) and c.attribute in _IDENTITY)
    }


def _identity(snapshot: Snapshot, node: str) -> dict[str, str] | None:
    found = snapshot.nodes.get(node)
    return subject_digests(found) if found is not None else None


def _by_key(snapshot: Snapshot) -> dict[tuple[str, str, str], Edge]:
    return {edge.key: edge for edge in snapshot.edges}


def _with_fact(node: Node, attribute: str, value: Value | None) -> Node:
    attributes = {name: fact for name, fact in node.attributes.items() if name != attribute}
    conflicts = {name: facts for name, facts in node.conflicts.items() if name != attribute}
    if value is not None:
        attributes[attribute] = Fact(value)
    return replace(node, attributes=attributes, conflicts=conflicts)
