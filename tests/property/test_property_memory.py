"""What a run over everything remembers from rule to rule changes no result, however little or much it may remember."""

import pytest
from hypothesis import HealthCheck, given, settings

from policy_engine.evaluation.point import evaluate
from policy_engine.evaluation.point.evaluate import PointEvaluator
from policy_engine.evaluation.point.run import Memory
from policy_engine.evaluation.trace import Trace
from policy_engine.model.results import FactRead, Hop, Witness
from tests.property.strategies import AT, worlds

SLOW = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)


@pytest.mark.parametrize("most", [0, 5, 100_000])
@SLOW
@given(world=worlds())
def test_all_at_once_is_one_by_one(world, most, monkeypatch):
    monkeypatch.setattr(evaluate, "MOST_REMEMBERED", most)
    together = list(PointEvaluator(world).evaluate_all(AT))
    alone = [
        PointEvaluator(world).evaluate(rule, subject, AT)
        for rule in world.program.rules.values()
        for subject in world.subjects(rule)
    ]
    assert together == alone


def test_what_grounds_hold_is_weighed():
    """A few results may rest on very many facts: it is these that take the memory."""
    memory = Memory()
    facts = frozenset(FactRead(f"thing-{number}", "owner", "somebody") for number in range(500))
    for number in range(3):
        memory.traced["a definition", number] = Trace(True, facts, witnesses=(Witness((Hop(None, "thing-1"),) * 7),))
        assert memory.size == memory.size == (number + 1) * (1 + 500 + 7)


@SLOW
@given(world=worlds())
def test_a_run_that_was_left_early_leaves_nothing_behind(world):
    evaluator = PointEvaluator(world)
    run = evaluator.evaluate_all(AT)
    next(run, None)
    run.close()
    assert list(evaluator.evaluate_all(AT)) == list(PointEvaluator(world).evaluate_all(AT))
