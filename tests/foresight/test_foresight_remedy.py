"""Every remedy makes the rule pass, no part of one does, and a cheaper one of the simplest kind is not overlooked."""

from datetime import date
from itertools import combinations

from hypothesis import HealthCheck, Phase, given, settings

from policy_dsl.typed.types import Simple
from policy_engine.evaluation.candidate_values import candidates
from policy_engine.evaluation.point.evaluate import PointEvaluator
from policy_engine.evaluation.reference import ReferenceEvaluator
from policy_engine.evaluation.remedy import MOST_WORLDS, done, remedies, whole
from policy_engine.evaluation.steps import COSTS, StepKind
from policy_engine.evaluation.supposition import SetFact, changed_world
from policy_engine.model.results import Status
from tests.property.strategies import AT, worlds

# What is looked for has a limit, so that a rare world could hold a cheaper remedy; few worlds are tried.
SLOW = settings(
    max_examples=12,
    derandomize=True,
    deadline=None,
    phases=[Phase.generate],  # a world takes minutes to make smaller
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
OPEN = {Status.FAIL, Status.UNKNOWN}


def _open(world):
    found = [result for result in PointEvaluator(world).evaluate_all(AT) if result.status in OPEN]
    for result in found[:: max(1, len(found) // 4)]:
        yield world.program.rules[result.rule], result


def _good(status, steps):
    stated = all(step.kind is StepKind.STATE for step in steps)
    return status is Status.PASS or (stated and status is Status.NOT_APPLICABLE)


@SLOW
@given(world=worlds())
def test_a_remedy_works_and_no_part_of_it_does(world):
    for rule, result in _open(world):
        found = remedies(world, rule, result.subject, AT)
        assert found.worlds <= MOST_WORLDS
        assert [r.cost for r in found.found] == sorted(r.cost for r in found.found)
        for remedy in found.found:
            # The other evaluator is asked, so that the search does not prove itself right.
            after = ReferenceEvaluator(changed_world(world, done(remedy.steps)))
            assert after.evaluate(rule, result.subject, AT).status is remedy.status
            assert _good(remedy.status, remedy.steps)
            for size in range(len(remedy.steps)) if len(remedy.steps) <= 4 else ():
                for part in map(frozenset, combinations(remedy.steps, size)):
                    if whole(part, world.snapshot.nodes):
                        part_world = changed_world(world, done(part))
                        status = PointEvaluator(part_world).evaluate(rule, result.subject, AT).status
                        assert not _good(status, part)


@SLOW
@given(world=worlds())
def test_no_single_missing_fact_would_have_been_cheaper(world):
    for rule, result in _open(world):
        found = remedies(world, rule, result.subject, AT)
        if found.found and found.found[0].cost == COSTS[StepKind.STATE]:
            continue
        for change in _single_facts(world, result):
            status = PointEvaluator(changed_world(world, [change])).evaluate(rule, result.subject, AT).status
            assert status not in {Status.PASS, Status.NOT_APPLICABLE}, (change, rule.syntax)


def _single_facts(world, result):
    """Yield each fact that the proof says is missing, with the values of its type that are worth a try."""
    for missing in result.missing:
        if missing.node not in world.snapshot.nodes:
            continue  # of a whole kind
        kind = world.program.schema.kinds[world.snapshot.nodes[missing.node].kind]
        attribute = kind.attributes.get(missing.attribute)
        if attribute is not None and attribute.type not in {Simple.TEXT, Simple.MONEY, Simple.DURATION}:
            for value in candidates(attribute, [1, 2, 3, date(2026, 1, 1)], AT):
                yield SetFact(missing.node, missing.attribute, value)
