"""The point evaluator and the reference evaluator mean the same, down to paths and missing facts."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy_engine.evaluation.point.evaluate import PointEvaluator
from policy_engine.evaluation.reference import ReferenceEvaluator
from policy_engine.evaluation.world import World
from policy_engine.model.results import Hop
from tests.property.strategies import INSTANTS, worlds

SLOW = settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@SLOW
@given(world=worlds(), at=INSTANTS)
def test_point_and_reference_agree_on_everything(world, at):
    point, reference = PointEvaluator(world), ReferenceEvaluator(world)
    for rule in world.program.rules.values():
        for subject in world.subjects(rule):
            decision = point.decide(rule, subject, at)
            assert decision == reference.evaluate(rule, subject, at)
            if decision.valid_until is not None:
                # The instants at which something turns are where evaluators disagree first.
                then = decision.valid_until
                assert point.decide(rule, subject, then) == reference.evaluate(rule, subject, then)


@SLOW
@given(world=worlds(), at=INSTANTS)
def test_valid_until_is_the_first_instant_with_another_status(world, at):
    point = PointEvaluator(world)
    for rule in world.program.rules.values():
        for subject in world.subjects(rule):
            result = point.evaluate(rule, subject, at)
            if result.valid_until is None:
                continue
            assert result.valid_until > at
            before = point.evaluate(rule, subject, result.valid_until - timedelta(seconds=1))
            assert before.status is result.status
            assert point.evaluate(rule, subject, result.valid_until).status is not result.status


@SLOW
@given(world=worlds(), at=INSTANTS, days=st.integers(0, 500))
def test_nothing_changes_before_valid_until(world, at, days):
    point = PointEvaluator(world)
    later = at + timedelta(days=days)
    for rule in world.program.rules.values():
        for subject in world.subjects(rule):
            result = point.evaluate(rule, subject, at)
            if result.valid_until is None or later < result.valid_until:
                assert point.evaluate(rule, subject, later).status is result.status


@SLOW
@given(world=worlds(), at=INSTANTS)
def test_witnesses_are_real_paths(world, at):
    point = PointEvaluator(world)
    for result in point.evaluate_all(at):
        for witness in result.witnesses:
            assert witness.hops[0].edge is None
            for one, other in zip(witness.hops, witness.hops[1:], strict=False):
                assert _is_edge(world, one, other)


def _is_edge(world: World, one: Hop, other: Hop) -> bool:
    edge, reverse = world.program.schema.edge_named(other.edge)
    ends = world.snapshot.sources_of(one.node, edge.name) if reverse else world.snapshot.targets(one.node, edge.name)
    return other.node in ends
