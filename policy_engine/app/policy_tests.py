"""Runs the tests that packs declare: each step's facts, its instant, and the results it expects."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from policy_dsl.source import Span
from policy_dsl.typed import tree
from policy_engine.evaluation.point.evaluate import PointEvaluator
from policy_engine.evaluation.world import World
from policy_engine.lineage.graph import Edge, Fact, Node, Snapshot
from policy_engine.model.evidence import Evidence, EvidenceSet
from policy_engine.model.results import Result


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that was not met."""

    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """A test and what went wrong in it."""

    test: tree.PackTest
    failures: tuple[Failure, ...]

    @property
    def passed(self) -> bool:
        """Whether every expectation was met."""
        return not self.failures


def run_tests(program: tree.Program) -> list[Outcome]:
    """Run every test of a program that compiled without errors."""
    return [_run(program, test) for test in program.tests]


def _run(program: tree.Program, test: tree.PackTest) -> Outcome:
    nodes: list[Node] = []
    edges: list[Edge] = []
    evidence: list[Evidence] = []
    failures: list[Failure] = []
    at: datetime | None = None
    for step in test.steps:
        match step:
            case tree.AtStep(instant):
                at = instant
            case tree.NodeGiven(node_id, kind, values):
                nodes.append(Node(node_id, kind, {name: Fact(value) for name, value in values.items()}))
            case tree.EdgeGiven(edge_type, source, target):
                edges.append(Edge(edge_type, source, target))
            case tree.EvidenceGiven() if at is not None:
                evidence.append(_evidence(step, len(evidence), at))
            case tree.Expectation() if at is not None:
                world = World(program, Snapshot.build(nodes, edges), EvidenceSet.of(evidence))
                failures += _compare(step, PointEvaluator(world), at)
            case _:
                failures.append(Failure(test.span, "the first `at` stands after the first fact or expectation"))
    return Outcome(test, tuple(failures))


def _evidence(given: tree.EvidenceGiven, number: int, at: datetime) -> Evidence:
    issued = given.issued or at
    return Evidence(
        digest=f"sha256:{hashlib.sha256(f'{number} {given.type} {given.subject}'.encode()).hexdigest()}",
        type=given.type,
        subject=given.subject,
        issued=issued,
        counts_from=issued,
        counts_until=given.expires,
        fields=given.fields,
        signers=tuple(frozenset({role}) for role in given.roles) or (frozenset(),),
    )


def _compare(expected: tree.Expectation, evaluator: PointEvaluator, at: datetime) -> list[Failure]:
    rule = evaluator.world.program.rules[expected.rule]
    if expected.subject not in evaluator.world.subjects(rule):
        return [Failure(expected.span, f"`{expected.subject}` is not of a kind that `{rule.name}` is about")]
    result = evaluator.evaluate(rule, expected.subject, at)
    if result.status.value != expected.status:
        return [Failure(expected.span, f"expected {expected.status}, found {result.status.value}{_why(result)}")]
    reasons = _things_named(result)
    return [
        Failure(expected.span, f"`{name}` is not among the reasons: {', '.join(sorted(reasons)) or 'none'}")
        for name in expected.because_of
        if name not in reasons
    ]


def _things_named(result: Result) -> set[str]:
    """Return what a result rests on: the last thing of each path and the things whose facts are missing."""
    return {w.hops[-1].node for w in result.witnesses} | {m.node for m in result.missing}


def _why(result: Result) -> str:
    missing = ", ".join(f"{m.attribute} of {m.node} {m.reason}" for m in result.missing)
    return f" ({result.reason or result.message or missing})" if result.reason or result.message or missing else ""
