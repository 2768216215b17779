"""A small estate and a way to ask it things."""

from datetime import UTC, datetime

import pytest

from policy_dsl import compile_packs
from policy_dsl.diagnostics import Severity
from policy_dsl.source import SourceFile
from policy_dsl.typed.tree import Program
from policy_engine.evaluation.point.evaluate import PointEvaluator
from policy_engine.evaluation.sets.evaluator import SetEvaluator
from policy_engine.evaluation.sets.native_kernel import LIBRARY
from policy_engine.evaluation.sets.results import SetResults
from policy_engine.evaluation.world import World
from policy_engine.lineage.columns.reader import EstateFile
from policy_engine.lineage.columns.writer import estate_bytes, table_of
from policy_engine.lineage.graph import Edge, Fact, Node, Snapshot
from policy_engine.model.evidence import Evidence, EvidenceSet
from tests.property.strategies import SCHEMA

NATIVE = LIBRARY.exists()
"""Whether there was a compiler when the package was installed."""

NEEDS_NATIVE = pytest.mark.skipif(not NATIVE, reason="the kernel was not compiled: there was no C compiler")
KERNELS = [pytest.param("native", marks=NEEDS_NATIVE), "numpy"]

AT = datetime(2026, 6, 15, 12, tzinfo=UTC)


def program_of(rules: str) -> Program:
    text = f"policy pack\nuse schema\n{rules}"
    program, found = compile_packs([SourceFile("schema.policy", SCHEMA), SourceFile("pack.policy", text)])
    assert [d.message for d in found if d.severity is Severity.ERROR] == []
    return program


def snapshot() -> Snapshot:
    def thing(node_id: str, kind: str, **values: object) -> Node:
        return Node(node_id, kind, {key: Fact(value) for key, value in values.items()})  # type: ignore[arg-type]

    nodes = [
        thing("m1", "Model", flag=True, number=1, colour="red", name="ab"),
        thing("m2", "Model", flag=False, number=2, colour="green"),
        thing("d1", "Data", flag=True, number=3, colour="red"),
        thing("d2", "Data", number=0, colour="blue", tags=frozenset({"red"})),
        thing("t1", "Thing", flag=False, usual=True, colour="green"),
        thing("t2", "Thing", flag=True),
    ]
    edges = [
        Edge("trained", "m1", "d1"),
        Edge("trained", "m2", "d2"),
        Edge("made_of", "d1", "t1"),
        Edge("made_of", "t1", "t2"),
        Edge("made_of", "t2", "d1"),
        Edge("made_of", "d2", "t2"),
        Edge("has_part", "t1", "m2"),
        Edge("owned", "m1", "t1"),
    ]
    return Snapshot.build(nodes, edges)


def evidence() -> EvidenceSet:
    def audit(number: int, subject: str, issued: datetime, **fields: object) -> Evidence:
        signers = (frozenset({"auditor"}), frozenset({"steward"}))
        digest = f"sha256:{number:064x}"
        return Evidence(digest, "audit", subject, issued, issued, None, fields, signers)  # type: ignore[arg-type]

    return EvidenceSet.of(
        [
            audit(1, "d1", datetime(2026, 1, 1, tzinfo=UTC), score=2, passed=True),
            audit(2, "d1", datetime(2026, 5, 1, tzinfo=UTC), score=0),
            audit(3, "t2", datetime(2026, 5, 15, 13, tzinfo=UTC), passed=True),
        ]
    )


def decided(rules: str, kernel: str = "auto", at: datetime = AT) -> SetResults:
    """Decide an estate as a whole, and check every status against the point evaluator."""
    program = program_of(rules)
    file = EstateFile(estate_bytes(table_of(snapshot(), evidence(), {}, {})))
    results = SetEvaluator(program, file, kernel).evaluate(at)  # type: ignore[arg-type]
    world = World(program, snapshot(), evidence())
    point = PointEvaluator(world)
    for rule in program.rules.values():
        for subject in world.subjects(rule):
            assert results.status(rule.name, subject) is point.evaluate(rule, subject, at).status, (rule.name, subject)
    return results
