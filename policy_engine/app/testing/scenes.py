"""What a test of a pack puts before its rules: the facts and the instant of each of its expectations.

A scene is written in the same parts as a test, so that one can be changed a little and written down again.

>>> scene = Scene(datetime(2028, 1, 1, tzinfo=UTC), nodes=(tree.NodeGiven("credit", "System", {}),))
>>> list(scene.snapshot().nodes)
['credit']
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from policy_dsl.source import Span
from policy_dsl.typed import tree
from policy_engine.evaluation.world import World
from policy_engine.lineage.graph import Edge, Fact, Node, Snapshot
from policy_engine.model.evidence import Evidence, EvidenceSet


@dataclass(frozen=True, slots=True)
class Scene:
    """Facts and an instant. Every piece of evidence says when it was issued."""

    at: datetime
    nodes: tuple[tree.NodeGiven, ...] = ()
    edges: tuple[tree.EdgeGiven, ...] = ()
    evidence: tuple[tree.EvidenceGiven, ...] = ()

    def snapshot(self) -> Snapshot:
        """Return the facts as a graph."""
        nodes = (Node(n.id, n.kind, {name: Fact(value) for name, value in n.values.items()}) for n in self.nodes)
        return Snapshot.build(nodes, (Edge(e.type, e.source, e.target) for e in self.edges))

    def world(self, program: tree.Program) -> World:
        """Return what rules see of the scene; its evidence counts as verified."""
        records = (_record(given, number) for number, given in enumerate(self.evidence))
        return World(program, self.snapshot(), EvidenceSet.of(records))


@dataclass(frozen=True, slots=True)
class Case:
    """An expectation with the scene that it is about; cases of one moment share the scene."""

    test: int
    scene: Scene
    expected: tree.Expectation


@dataclass(frozen=True, slots=True)
class Misplaced:
    """A fact or an expectation of a test that stands before its first ``at``."""

    test: int
    span: Span


def cases_of(number: int, test: tree.PackTest) -> Iterator[Case | Misplaced]:
    """Yield the expectations of a test, the ``number``-th of its program, in order."""
    at: datetime | None = None
    scene = Scene(datetime.max.replace(tzinfo=UTC))
    for step in test.steps:
        match step:
            case tree.AtStep(instant):
                at = instant
                scene = replace(scene, at=instant)
            case tree.NodeGiven():
                scene = replace(scene, nodes=(*scene.nodes, step))
            case tree.EdgeGiven():
                scene = replace(scene, edges=(*scene.edges, step))
            case tree.EvidenceGiven() if at is not None:
                # Evidence without a date keeps the instant at which the test first speaks of it.
                dated = step if step.issued is not None else replace(step, issued=at)
                scene = replace(scene, evidence=(*scene.evidence, dated))
            case tree.Expectation() if at is not None:
                yield Case(number, scene, step)
            case _:
                yield Misplaced(number, test.span)


def _record(given: tree.EvidenceGiven, number: int) -> Evidence:
    assert given.issued is not None  # noqa: S101 - scenes hold dated evidence only
    return Evidence(
        digest=f"sha256:{hashlib.sha256(f'{number} {given.type} {given.subject}'.encode()).hexdigest()}",
        type=given.type,
        subject=given.subject,
        issued=given.issued,
        counts_from=given.issued,
        counts_until=given.expires,
        fields=given.fields,
        signers=tuple(frozenset({role}) for role in given.roles) or (frozenset(),),
    )
