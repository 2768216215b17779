"""Which forms are decided in columns: a silent fall back to the point evaluator would only be slow, so it is shown."""

import gc
from datetime import UTC, datetime, timedelta
from weakref import ref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_dsl.values import Duration, add
from policy_engine.evaluation.point.evaluate import PointEvaluator
from policy_engine.evaluation.sets import plan
from policy_engine.evaluation.sets.codes import SetEvaluationError
from policy_engine.evaluation.sets.evaluator import SetEvaluator
from policy_engine.evaluation.sets.evidence import young_enough
from policy_engine.evaluation.sets.planning import plan_of
from policy_engine.evaluation.sets.rows import Rows
from policy_engine.evaluation.world import World
from policy_engine.lineage.columns.reader import EstateFile
from policy_engine.lineage.columns.writer import estate_bytes, table_of
from policy_engine.lineage.graph import Edge, Fact, Node, Snapshot
from policy_engine.model.evidence import EvidenceSet
from policy_engine.model.results import Status
from tests.sets.estates import AT, KERNELS, decided, evidence, program_of, snapshot

IN_COLUMNS = [
    "thing.flag and not (thing.number > 1)",
    "(thing.number if unknown then 1) > 1",
    "(thing.flag if unknown then true)",
    "thing.usual is known and thing.flag is unknown",
    'thing.name like "a*"',
    "today < thing.day + 12 months",
    "helper(thing)",
    "near(thing, 2)",
    "thing has evidence audit",
    "(thing has evidence audit) is known",
    "((thing has evidence audit where passed) if unknown then false)",
    "thing has evidence audit signed by auditor not older than 6 months where score >= 1 and passed",
    "thing has evidence audit where score > thing.number",
    "(score of latest evidence audit on thing) >= 1",
    "now < (issued of latest evidence audit on thing) + 100 days",
    "some Thing as x satisfies x.flag",
    "at most 3 Thing as x where x.flag satisfies x.colour is red",
    "every Thing as x satisfies x.colour is thing.colour",
    "some Thing as x in thing.made_of satisfies x.flag",
    "at least 2 Thing as x in thing.made_of satisfies x.flag",
    "exactly 1 Thing as x in thing.made_of/made_of satisfies x.flag",
    "some Thing as x in thing.made_of*/owns satisfies x.flag",
    "some Thing as x in thing.made_of* satisfies x.colour is thing.colour",
    "at least 2 Thing as x in thing.made_of satisfies x.number > thing.number",
    "every Thing as x upstream of thing has evidence audit",
    "no Thing as x upstream of thing within 2 hops satisfies x.flag",
    "some Thing as x downstream of thing via made_of satisfies x.flag",
    "every Thing as x upstream of thing not through (Data as b where b.flag) satisfies x.flag",
    "every Thing as x upstream of thing not through (Data as b where b.colour is thing.colour) satisfies x.flag",
    "no Thing as x upstream of thing where x.colour is not thing.colour has evidence audit",
    "at most 1 Thing as x upstream of thing satisfies x.flag",
    "exactly 2 Thing as x downstream of thing satisfies x.flag",
    "(count of Thing as x upstream of thing where x.flag) >= 2",
    "every Thing as x upstream of thing satisfies some Thing as y downstream of x satisfies y.flag",
    "every Thing as x upstream of thing satisfies (x is thing or x.flag)",
]
LEFT = {
    "(sum of x.number over Thing as x upstream of thing) > 2": "the sum of many values",
    "at least 2 Thing as x upstream of thing within 2 hops satisfies x.flag": "a number of things within hops",
    "at least 2 Thing as x in thing.made_of* satisfies x.flag": "a number of things along a repeated step",
    "thing has evidence audit not older than thing.keep": "how old evidence may be depends on the thing",
    "some Thing as x upstream of thing within 33 hops satisfies x.flag": "lineage within more than 32 hops",
}
RULE = """
define helper(thing: Thing) as thing.flag or thing.colour is red
define near(thing: Thing, number: Integer) as some Thing as x in thing.made_of satisfies x.number < number
rule r
    for each Thing
    must ({})
"""


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("form", IN_COLUMNS)
def test_decided_in_columns(form, kernel):
    assert decided(RULE.format(form), kernel).left == ()


@pytest.mark.parametrize("form", LEFT)
def test_left_to_the_point_evaluator_with_the_reason(form):
    (left,) = decided(RULE.format(form)).left
    assert (left.rule, left.reason) == ("pack.r", LEFT[form])
    assert left.asked == 6


def test_only_what_is_open_is_left_to_the_point_evaluator():
    rules = """
rule r
    for each Thing where thing.colour is red
    must thing.flag and (sum of x.number over Thing as x upstream of thing) > 2
"""
    (left,) = decided(rules).left
    assert left.asked == 2


def test_a_range_shared_by_two_quantifiers_mixes_up_neither():
    rules = """
rule one
    for each Thing
    must (no Thing as x upstream of thing within 2 hops satisfies x.flag)
rule two
    for each Thing
    must (at least 2 Thing as x upstream of thing within 2 hops satisfies x.flag)
"""
    assert [left.rule for left in decided(rules).left] == ["pack.two"]


def test_equal_quantifiers_of_many_rules_share_bits():
    form = "every Thing as x upstream of thing satisfies x.flag"
    rules = "\n".join(f"rule r{i}\n    for each Thing where thing.number is {i}\n    must {form}" for i in range(5))
    found = plan_of(program_of(rules)).rules.values()
    assert len({id(m) for one in found for c in plan.conditions_of(one) for m in plan.swept_in(c)}) == 1


@pytest.mark.parametrize("kernel", KERNELS)
def test_bits_of_many_quantifiers_are_swept_in_several_passes(kernel):
    form = "no Thing as x upstream of thing within {} hops where x.colour is not thing.colour satisfies x.number > {}"
    rules = "\n".join(
        f"rule r{i}\n    for each Thing\n    must {form.format(i % 7 + 2, i % 4)} or thing.number is {i}"
        for i in range(28)
    )
    assert decided(rules, kernel).left == ()
    evaluator = SetEvaluator(program_of(rules), EstateFile(estate_bytes(table_of(snapshot(), evidence(), {}, {}))))
    evaluation = evaluator.evaluation(AT)
    for one in evaluator.plan.rules.values():
        evaluation.truth(one.requirement, Rows.whole(evaluator.estate, one.subject))
    passes = evaluation.ranges.sweeps.passes
    assert len(passes) > 1
    assert sum(len(one.asked) for one in passes) == 28


def test_the_arrays_of_an_evaluation_go_with_it():
    evaluator = SetEvaluator(
        program_of("rule r\n    for each Thing\n    must every Thing as x upstream of thing satisfies x.flag"),
        EstateFile(estate_bytes(table_of(snapshot(), evidence(), {}, {}))),
    )
    evaluation = evaluator.evaluation(AT)
    (one,) = evaluator.plan.rules.values()
    evaluation.truth(one.requirement, Rows.whole(evaluator.estate, one.subject))
    gone = ref(evaluation)
    gc.disable()
    try:
        del evaluation
        assert gone() is None
    finally:
        gc.enable()


def test_definitions_that_call_each_other_twice_are_planned_once():
    lines = ["define d0(thing: Thing) as thing.flag"]
    lines += [f"define d{i}(thing: Thing) as d{i - 1}(thing) and not d{i - 1}(thing)" for i in range(1, 30)]
    decided("\n".join([*lines, "rule r\n    for each Thing\n    must d29(thing)"]))


def test_the_last_day_of_a_month_is_what_the_language_says():
    # A month after 30 May and after 31 May is 30 June: an age does not order the ends of two days by their begins.
    rules = "rule r\n    for each Thing\n    must thing has evidence audit not older than 1 month"
    for hour in range(24):
        decided(rules, at=datetime(2026, 6, 15, hour, tzinfo=UTC))


def test_rules_that_are_not_in_force_apply_to_nothing():
    rules = "rule r\n    applies from 2027-01-01 until 2027-06-01\n    for each Thing\n    must thing.flag"
    for at in (AT, datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 6, 1, tzinfo=UTC)):
        decided(rules, at=at)
    assert decided(rules).counts == {
        Status.PASS: 0,
        Status.FAIL: 0,
        Status.UNKNOWN: 0,
        Status.NOT_APPLICABLE: 6,
    }


def test_findings_are_explained_in_order():
    program = program_of("rule r\n    for each Thing\n    must thing.flag")
    evaluator = SetEvaluator(program, EstateFile(estate_bytes(table_of(snapshot(), evidence(), {}, {}))))
    results = evaluator.evaluate(AT)
    explained = list(evaluator.explain(results))
    assert [(r.subject, r.status.value) for r in explained] == [("d2", "unknown"), ("m2", "fail"), ("t1", "fail")]
    assert explained[0].missing[0].attribute == "flag"


def test_a_disagreement_stops_the_run():
    program = program_of("rule r\n    for each Thing\n    must thing.flag")
    evaluator = SetEvaluator(program, EstateFile(estate_bytes(table_of(snapshot(), evidence(), {}, {}))))
    results = evaluator.evaluate(AT)
    results.rules["pack.r"].statuses[:] = 1
    with pytest.raises(SetEvaluationError, match="PE3502") as caught:
        list(evaluator.explain(results))
    assert "fault of the engine" in (caught.value.help or "")


def test_who_asks_for_what_is_not_there_is_told():
    results = decided("rule r\n    for each Model\n    must model.flag")
    for rule, subject in (("pack.nothing", "m1"), ("pack.r", "d1"), ("pack.r", "nobody")):
        with pytest.raises(SetEvaluationError, match="PE3503"):
            results.status(rule, subject)


@settings(max_examples=300, deadline=None)
@given(
    issued=st.lists(st.integers(-800 * 86_400, 800 * 86_400), min_size=1, max_size=40),
    months=st.integers(-30, 30),
    seconds=st.sampled_from([0, 0, 3_600, -86_400, 10**12]),
    later=st.integers(0, 800 * 86_400),
)
def test_the_cut_off_of_an_age_is_that_of_the_language(issued, months, seconds, later):
    # The end of a month makes an age of months out of order: 30 January at noon and 31 January at one both end in
    # February, the later issue first.
    age, epoch = Duration(months, seconds), datetime(1970, 1, 1, tzinfo=UTC)
    at = epoch + timedelta(seconds=later)
    near = [second + later - months * 2_629_746 for second in (0, 3_600, 86_399, -43_200, 200_000, -200_000)]
    instants = [second for second in (*issued, *near) if -62_135_596_800 <= second <= 253_402_300_799]
    expected = [at < add(epoch + timedelta(seconds=second), age) for second in instants]
    assert young_enough(np.array(instants, np.int64), age, at).tolist() == expected


@pytest.mark.parametrize("kernel", KERNELS)
def test_only_what_lies_on_a_circle_is_asked_whether_it_comes_from_itself(kernel):
    nodes = [Node(f"n{number:03}", "Thing", {"flag": Fact(number % 3 == 0)}) for number in range(200)]
    chain = [Edge("made_of", f"n{number:03}", f"n{number + 1:03}") for number in range(199)]
    back = [Edge("made_of", "n013", "n010"), Edge("has_part", "n101", "n100"), Edge("made_of", "n150", "n150")]
    program = program_of(
        "rule r\n    for each Thing\n"
        "    must (no Thing as x upstream of thing via made_of satisfies (x is thing and x.flag))"
    )
    estate = Snapshot.build(nodes, [*chain, *back])
    file = EstateFile(estate_bytes(table_of(estate, EvidenceSet(), {}, {})))
    results = SetEvaluator(program, file, kernel).evaluate(AT)
    point = PointEvaluator(World(program, estate, EvidenceSet()))
    rule = program.rules["pack.r"]
    for node in nodes:
        assert results.status("pack.r", node.id) is point.evaluate(rule, node.id, AT).status
    # Of the four of one circle, the two of another (which no `made_of` closes) and the one with an edge to itself.
    assert [left.asked for left in results.left] == [7]
    assert [found.subject for found in results.findings()] == ["n012", "n150"]
