"""Every case of the conformance corpus, decided for its estate as a whole, with either kernel."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "conformance"))
from case_files import Case, cases, evidence_of, snapshot_of

from policy_dsl import compile_bytes
from policy_engine.evaluation.point.evaluate import PointEvaluator
from policy_engine.evaluation.sets.evaluator import SetEvaluator
from policy_engine.evaluation.world import World
from policy_engine.lineage.columns.reader import EstateFile
from policy_engine.lineage.columns.writer import estate_bytes, table_of
from tests.sets.estates import KERNELS

WITH_RESULTS = [pytest.param(case, id=case.id) for case in cases() if "results" in case.entry]


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("case", WITH_RESULTS)
def test_statuses(case: Case, kernel: str) -> None:
    program, _ = compile_bytes(case.packs, case.entry.get("overrides"))
    snapshot = snapshot_of(case.entry.get("graph", {}), program.schema)
    world = World(program, snapshot, evidence_of(case.entry.get("evidence", ()), program.schema))
    file = EstateFile(estate_bytes(table_of(world.snapshot, world.evidence, {}, {})))
    evaluator = SetEvaluator(program, file, kernel)
    results = evaluator.evaluate(case.at)
    point = PointEvaluator(world)
    for rule in program.rules.values():
        for subject in world.subjects(rule):
            assert results.status(rule.name, subject) is point.evaluate(rule, subject, case.at).status
    # Every finding can be explained, with the same status.
    assert len(list(evaluator.explain(results))) == len(list(results.findings()))
