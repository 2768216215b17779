"""The set evaluator gives every result that the reference evaluator gives, with either kernel."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy_engine.evaluation.reference import ReferenceEvaluator
from policy_engine.evaluation.sets.evaluator import SetEvaluator
from policy_engine.evaluation.world import World
from policy_engine.lineage.columns.reader import EstateFile
from policy_engine.lineage.columns.writer import estate_bytes, table_of
from tests.property.strategies import INSTANTS, worlds
from tests.sets.estates import KERNELS

SLOW = settings(
    max_examples=70, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def file_of(world: World) -> EstateFile:
    return EstateFile(estate_bytes(table_of(world.snapshot, world.evidence, {}, {})))


@pytest.mark.parametrize("kernel", KERNELS)
@SLOW
@given(world=worlds(), at=INSTANTS, later=st.integers(0, 5000))
def test_every_status_is_that_of_the_reference(kernel, world, at, later):
    reference, sets = ReferenceEvaluator(world), SetEvaluator(world.program, file_of(world), kernel)
    # The second instant meets what the first left remembered.
    for when in (at, at + timedelta(hours=later)):
        results = sets.evaluate(when)
        assert list(results.rules) == list(world.program.rules)
        for rule in world.program.rules.values():
            subjects = world.subjects(rule)
            assert len(results.rules[rule.name].subjects) == len(subjects)
            for subject in subjects:
                expected = reference.evaluate(rule, subject, when).status
                assert results.status(rule.name, subject) is expected, (rule.name, subject)
