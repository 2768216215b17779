"""An estate as plain dictionaries, changed the plain way: what live facts are compared with."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from policy_dsl.typed.schema import Schema
from policy_engine.evaluation.incremental.changes import (
    AddWaiver,
    Contradict,
    LiveChange,
    SetKind,
    WithdrawEvidence,
    WithdrawWaiver,
)
from policy_engine.evaluation.point.evaluate import PointEvaluator
from policy_engine.evaluation.supposition import AddEdge, AddEvidence, AddNode, RemoveEdge, RemoveNode, SetFact
from policy_engine.evaluation.waivers import apply_waivers
from policy_engine.evaluation.world import World
from policy_engine.lineage.graph import Edge, Fact, Node, Snapshot
from policy_engine.model.evidence import Evidence, EvidenceSet, Waiver
from policy_engine.model.results import Result
from tests.property import strategies as made

CONTRADICTED = "(contradicted)"
IDS = [f"n{i}" for i in range(9)]


@dataclass
class EstateModel:
    """Everything that is so, in the simplest form."""

    schema: Schema
    kinds: dict[str, str] = field(default_factory=dict)
    stated: dict[tuple[str, str], Any] = field(default_factory=dict)
    edges: set[tuple[str, str, str]] = field(default_factory=set)
    evidence: list[Evidence] = field(default_factory=list)
    waivers: list[Waiver] = field(default_factory=list)

    @classmethod
    def of(cls, world: World) -> EstateModel:
        """Take a world apart, without the edges that its schema does not allow."""
        model = cls(world.program.schema)
        for node in world.snapshot.nodes.values():
            model.kinds[node.id] = node.kind
            model.stated |= {(node.id, name): fact.value for name, fact in node.attributes.items()}
            model.stated |= {(node.id, name): CONTRADICTED for name in node.conflicts}
        model.edges = {edge.key for edge in world.snapshot.edges if model.connects(*edge.key)}
        model.evidence = list(world.evidence.records())
        return model

    def connects(self, edge: str, source: str, target: str) -> bool:
        return self.schema.connects(self.schema.edges[edge], self.kinds[source], self.kinds[target])

    def world(self, program: Any) -> World:
        nodes = [
            Node(
                name,
                kind,
                {a: Fact(v) for (n, a), v in self.stated.items() if n == name and v != CONTRADICTED},
                {a: () for (n, a), v in self.stated.items() if n == name and v == CONTRADICTED},
            )
            for name, kind in self.kinds.items()
        ]
        return World(program, Snapshot.build(nodes, [Edge(*e) for e in self.edges]), EvidenceSet.of(self.evidence))

    def results(self, program: Any, at: datetime) -> tuple[Result, ...]:
        """Return what a full run says."""
        return tuple(apply_waivers(PointEvaluator(self.world(program)).evaluate_all(at), self.waivers, at)[0])

    def make(self, change: LiveChange) -> bool:
        """Make a change, or leave everything as it is and say that it cannot be made."""
        kept = copy.deepcopy(self.__dict__)
        if self._make(change):
            return True
        self.__dict__.update(kept)
        return False

    def _make(self, change: LiveChange) -> bool:
        match change:
            case AddNode(node, kind):
                found = node not in self.kinds
                self.kinds[node] = kind
            case RemoveNode(node):
                found = self.kinds.pop(node, None) is not None
                self.stated = {key: value for key, value in self.stated.items() if key[0] != node}
                self.edges = {edge for edge in self.edges if node not in edge[1:]}
                self.evidence = [record for record in self.evidence if record.subject != node]
            case SetKind(node, kind):
                found = node in self.kinds
                self.kinds[node] = kind
                found = found and all(self.connects(*edge) for edge in self.edges if node in edge[1:])
            case SetFact(node, attribute, value):
                found = node in self.kinds
                self.stated.pop((node, attribute), None)
                if value is not None:
                    self.stated[node, attribute] = value
            case Contradict(node, attribute):
                found = node in self.kinds
                self.stated[node, attribute] = CONTRADICTED
            case AddEdge(edge, source, target):
                ends = source in self.kinds and target in self.kinds
                found = ends and self.connects(edge, source, target) and (edge, source, target) not in self.edges
                self.edges.add((edge, source, target))
            case RemoveEdge(edge, source, target):
                found = (edge, source, target) in self.edges
                self.edges.discard((edge, source, target))
            case AddEvidence(record):
                found = record.subject in self.kinds and record not in self.evidence
                self.evidence.append(record)
            case WithdrawEvidence(record):
                found = record in self.evidence
                self.evidence = [other for other in self.evidence if other != record]
            case AddWaiver(waiver):
                found = waiver not in self.waivers
                self.waivers.append(waiver)
            case WithdrawWaiver(waiver):
                found = waiver in self.waivers
                self.waivers = [other for other in self.waivers if other != waiver]
        return found


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "flag": st.booleans(),
    "number": st.integers(0, 3),
    "day": made.DAYS,
    "colour": st.sampled_from(["red", "green", "blue"]),
    "tags": st.frozensets(st.sampled_from(["red", "green"])),
    "name": st.sampled_from(["aabb", "ab", "b", ""]),
    "usual": st.booleans(),
}
EDGES = st.sampled_from(["made_of", "has_part", "owned", "trained"])
NODES = st.sampled_from(IDS)


@st.composite
def facts(draw: st.DrawFn) -> SetFact:
    name = draw(st.sampled_from(sorted(VALUES)))
    return SetFact(draw(NODES), name, draw(st.one_of(st.none(), VALUES[name], VALUES[name])))


@st.composite
def records(draw: st.DrawFn) -> Evidence:
    issued = draw(made.INSTANTS)
    return Evidence(
        digest=f"sha256:{draw(st.integers(100, 140)):064x}",
        type="audit",
        subject=draw(NODES),
        issued=issued,
        counts_from=issued,
        counts_until=draw(st.one_of(st.none(), st.integers(1, 3000).map(lambda h: issued + timedelta(hours=h)))),
        fields=draw(st.sampled_from([{}, {"score": 1}, {"score": 0, "passed": True}])),
        signers=tuple(draw(st.lists(st.frozensets(st.sampled_from(["auditor", "steward"])), max_size=3))),
    )


@st.composite
def waivers(draw: st.DrawFn, rules: list[str]) -> Waiver:
    begin = draw(made.INSTANTS)
    end = begin + timedelta(hours=draw(st.integers(1, 4000)))
    digest = f"sha256:{draw(st.integers(200, 240)):064x}"
    return Waiver(digest, draw(st.sampled_from(rules)), draw(NODES), "known", "Ann", None, begin, begin, end)


@st.composite
def changes(draw: st.DrawFn, model: EstateModel, rules: list[str]) -> LiveChange:
    """One change, that can be made or not; things, edges and evidence that are there are drawn more often."""
    known = [
        facts(),
        facts(),
        st.builds(Contradict, NODES, st.sampled_from(sorted(VALUES))),
        st.builds(AddNode, NODES, st.sampled_from(made.KINDS)),
        st.builds(RemoveNode, NODES),
        st.builds(SetKind, NODES, st.sampled_from(made.KINDS)),
        st.builds(AddEdge, EDGES, NODES, NODES),
        st.builds(AddEdge, EDGES, NODES, NODES),
        st.builds(AddEvidence, records()),
        st.builds(AddWaiver, waivers(rules)),
        NODES.map(lambda node: AddEdge("made_of", node, node)),
    ]
    if model.edges:
        known += [st.sampled_from(sorted(model.edges)).map(lambda edge: RemoveEdge(*edge))] * 2
    if model.evidence:
        known.append(st.sampled_from(model.evidence).map(WithdrawEvidence))
    if model.waivers:
        known.append(st.sampled_from(model.waivers).map(WithdrawWaiver))
    return draw(st.one_of(known))
