"""Facts that change one by one over a snapshot that does not, and that note who looks at them.

Rules:

- the snapshot below is never touched nor copied: what changed lies over it, by the key of the fact;
- changes are kept together or undone together;
- a fact that is what it was before counts as unchanged, whatever happened to it in between.

>>> from policy_engine.lineage.graph import Fact, Node
>>> facts = LiveFacts(Snapshot.build([Node("scorer", "Model", {"version": Fact("3")})]), EvidenceSet())
>>> facts.put((ATTRIBUTE, "scorer", "version"), "4")
>>> facts.value("scorer", "version"), facts.keep()
('4', {('attribute', 'scorer', 'version'): ('3', '4')})
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from policy_dsl.values import Value
from policy_engine.evaluation.incremental.dependencies import (
    ATTRIBUTE,
    EVIDENCE,
    FROM,
    KIND,
    MEMBERS,
    TO,
    WAIVER,
    Key,
)
from policy_engine.lineage.errors import lineage_error
from policy_engine.lineage.graph import Edge, Fact, Node, Snapshot, spelling
from policy_engine.model.evidence import Evidence, EvidenceSet, Waiver

CONTRADICTED: Any = type("Contradicted", (), {"__repr__": lambda _: "CONTRADICTED", "__slots__": ()})()
"""The state of an attribute that sources contradict each other about."""

_BELOW = object()
_ORDER = {KIND: 0, ATTRIBUTE: 1, FROM: 2}


class LiveFacts:
    """Lineage and evidence as an evaluator asks for them, over a snapshot, with what has changed since.

    ``reads`` collects the key of every fact that is looked at through the questions of an evaluator.
    """

    def __init__(self, snapshot: Snapshot, evidence: EvidenceSet, waivers: Iterable[Waiver] = ()) -> None:
        self.reads: set[Key] = set()
        self._snapshot = snapshot
        self._evidence = evidence
        self._waivers: dict[Key, tuple[Waiver, ...]] = {}
        for waiver in waivers:
            key = (WAIVER, waiver.rule, waiver.subject)
            self._waivers[key] = (*self._waivers.get(key, ()), waiver)
        self._over: dict[Key, Any] = {}
        self._before: dict[Key, Any] = {}
        self._several: dict[frozenset[str], tuple[str, ...]] = {}
        self._together: dict[tuple[str, ...], str] = {}
        self._rewired: set[str] = set()

    # --- what an evaluator asks ------------------------------------------------------------------------

    def __contains__(self, node_id: str) -> bool:
        return self._read((KIND, node_id, "")) is not None

    def kind(self, node_id: str) -> str:
        """Return the kind of a node."""
        found: str | None = self._read((KIND, node_id, ""))
        if found is None:
            raise lineage_error("PE3152", f"there is no node `{node_id}`")
        return found

    def value(self, node_id: str, attribute: str) -> Value | None:
        """Return what is known of an attribute, or nothing when it is absent or contradicted."""
        found: Value | None = self._read((ATTRIBUTE, node_id, attribute))
        return None if found is CONTRADICTED else found

    def is_contradicted(self, node_id: str, attribute: str) -> bool:
        """Tell whether sources contradict each other about an attribute."""
        return self._read((ATTRIBUTE, node_id, attribute)) is CONTRADICTED

    def targets(self, node_id: str, edge_type: str) -> tuple[str, ...]:
        """Return the ids that edges of a type lead to from a node, sorted."""
        found: tuple[str, ...] = self._read((FROM, node_id, edge_type))
        return found

    def sources_of(self, node_id: str, edge_type: str) -> tuple[str, ...]:
        """Return the ids that edges of a type come from to a node, sorted."""
        found: tuple[str, ...] = self._read((TO, node_id, edge_type))
        return found

    def onward(self, node_id: str, edge_types: tuple[str, ...], *, upstream: bool) -> list[tuple[str, tuple[str, ...]]]:
        """Return, for each of some edge types that lead on from a node, where to; in the order that they are given."""
        what = FROM if upstream else TO
        together = self._together.get(edge_types)
        if together is None:
            together = self._together[edge_types] = ",".join(edge_types)
        # A walk asks for all its edge types at once, and is remembered by one key for all of them.
        self.reads.add((what, node_id, together))
        if node_id not in self._rewired and node_id in self._snapshot:
            return self._snapshot.onward(node_id, edge_types, upstream=upstream)
        return [(name, ends) for name in edge_types if (ends := self.state((what, node_id, name)))]

    def ids_of(self, kinds: Iterable[str]) -> tuple[str, ...]:
        """Return the ids of all nodes of exactly these kinds, sorted."""
        several = frozenset(kinds)
        self.reads.update((MEMBERS, kind, "") for kind in several)
        found = self._several.get(several)
        if found is None:
            groups = [self.state((MEMBERS, kind, "")) for kind in several]
            found = self._several[several] = tuple(sorted(node for group in groups for node in group))
        return found

    def about(self, subject: str, evidence_type: str) -> tuple[Evidence, ...]:
        """Return the evidence of a type about a subject, in the order of issue."""
        found: tuple[Evidence, ...] = self._read((EVIDENCE, subject, evidence_type))
        return found

    def waivers(self, rule: str, subject: str) -> tuple[Waiver, ...]:
        """Return the accepted waivers of a result."""
        found: tuple[Waiver, ...] = self._read((WAIVER, rule, subject))
        return found

    def _read(self, key: Key) -> Any:
        self.reads.add(key)
        return self.state(key)

    # --- states ----------------------------------------------------------------------------------------

    def state(self, key: Key) -> Any:
        """Return a fact, and tell nobody that it was looked at."""
        found = self._over.get(key, _BELOW)
        return self._below(key) if found is _BELOW else found

    def _below(self, key: Key) -> Any:
        what, name, part = key
        if what == EVIDENCE:
            return self._evidence.about(name, part)
        if what == WAIVER:
            return self._waivers.get(key, ())
        snapshot = self._snapshot
        if what == MEMBERS:
            return snapshot.ids_of((name,))
        if name not in snapshot:
            return None if what in {KIND, ATTRIBUTE} else ()
        if what == ATTRIBUTE:
            found = snapshot.value(name, part)
            return CONTRADICTED if found is None and snapshot.is_contradicted(name, part) else found
        if what == KIND:
            return snapshot.kind(name)
        return snapshot.targets(name, part) if what == FROM else snapshot.sources_of(name, part)

    def read_as(self, key: Key) -> tuple[Key, ...]:
        """Return the keys by which a fact may have been read: its own, and those of edge types asked for together."""
        what, name, part = key
        if what not in {FROM, TO}:
            return (key,)
        return (key, *((what, name, joined) for types, joined in self._together.items() if part in types))

    # --- changes ---------------------------------------------------------------------------------------

    def put(self, key: Key, state: Any) -> None:
        """Change a fact, until it is kept or undone."""
        if key not in self._before:
            self._before[key] = self.state(key)
        self._over[key] = state
        if key[0] == MEMBERS:
            self._several.clear()
        elif key[0] in {FROM, TO}:
            self._rewired.add(key[1])

    def keep(self) -> dict[Key, tuple[Any, Any]]:
        """Keep what was changed, and return what is different from before: the state before, and the state now."""
        before, self._before = self._before, {}
        return {key: (was, self._over[key]) for key, was in before.items() if not _same(key, was, self._over[key])}

    def undo(self) -> None:
        """Undo what was changed since it was last kept."""
        self._over |= self._before
        self._before = {}
        self._several.clear()

    # --- as one value ----------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """Return the lineage as it is as a snapshot of its own, made anew."""
        nodes = dict(self._snapshot.nodes)
        edges = {edge.key: edge for edge in self._snapshot.edges}
        # INVARIANT: the kind of a thing is settled before what is stated of it.
        for key in sorted((k for k in self._over if k[0] in _ORDER), key=lambda k: (_ORDER[k[0]], k)):
            what, name, part = key
            state = self._over[key]
            if what == KIND and state is None:
                nodes.pop(name, None)
            elif what == KIND:
                nodes[name] = replace(nodes[name], kind=state) if name in nodes else Node(name, state)
            elif what == ATTRIBUTE and name in nodes:
                nodes[name] = _stating(nodes[name], part, state)
            elif what == FROM:
                for end in {*self._below(key)} - {*state}:
                    edges.pop((part, name, end), None)
                for end in state:
                    edges.setdefault((part, name, end), Edge(part, name, end))
        return Snapshot.build(nodes.values(), edges.values(), self._snapshot.sources)

    def evidence(self) -> EvidenceSet:
        """Return the evidence as it is as a set of its own, made anew."""
        kept = [r for r in self._evidence.records() if (EVIDENCE, r.subject, r.type) not in self._over]
        return EvidenceSet.of(kept + [r for key, state in self._over.items() if key[0] == EVIDENCE for r in state])

    def all_waivers(self) -> tuple[Waiver, ...]:
        """Return all accepted waivers, by what they waive."""
        states = self._waivers | {key: state for key, state in self._over.items() if key[0] == WAIVER}
        return tuple(waiver for key in sorted(states) for waiver in states[key])


def _same(key: Key, one: Any, other: Any) -> bool:
    """Tell whether two states are the same; equal numbers with different digits read differently in a proof."""
    if key[0] != ATTRIBUTE or None in (one, other) or CONTRADICTED in (one, other):
        return bool(one == other)
    return spelling(one) == spelling(other)


def _stating(node: Node, attribute: str, state: Any) -> Node:
    attributes = {name: fact for name, fact in node.attributes.items() if name != attribute}
    conflicts = {name: facts for name, facts in node.conflicts.items() if name != attribute}
    if state is CONTRADICTED:
        conflicts[attribute] = node.conflicts.get(attribute, ())
    elif state is not None:
        attributes[attribute] = Fact(state)
    return replace(node, attributes=attributes, conflicts=conflicts)
