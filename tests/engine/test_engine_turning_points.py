"""The first second at which something that turns once has turned."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_dsl.typed import tree
from policy_dsl.values import LAST_INSTANT, Duration
from policy_engine.evaluation.instants import earlier, turn_of, turning_point

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
INSTANTS = st.integers(0, int((LAST_INSTANT - NOON).total_seconds())).map(lambda s: NOON + timedelta(seconds=s))


@given(turn=INSTANTS)
def test_the_first_second_after(turn):
    expected = turn if turn > NOON else None
    assert turning_point(lambda t: t >= turn, NOON) == expected
    assert turning_point(lambda t: t < turn, NOON) == expected


def test_what_never_turns_has_no_turning_point():
    assert turning_point(lambda _: True, NOON) is None
    assert turning_point(lambda _: False, NOON) is None
    assert turning_point(lambda t: t > LAST_INSTANT, NOON) is None


def test_at_the_ends_of_the_calendar():
    assert turning_point(lambda t: t >= LAST_INSTANT, NOON) == LAST_INSTANT
    assert turning_point(lambda t: t >= LAST_INSTANT, LAST_INSTANT) is None
    assert turning_point(lambda t: t > NOON, NOON) == NOON + SECOND


def test_it_looks_a_few_times_only():
    looked: list[datetime] = []

    def holds(when: datetime) -> bool:
        looked.append(when)
        return when > NOON + timedelta(days=12_345)

    turning_point(holds, NOON)
    assert len(looked) < 60


def test_only_the_instant_moves_in_a_comparison():
    moved = tree.Operation(tree.Operator.MINUS, tree.Moment(False), tree.Constant(Duration(seconds=3600)))
    ordering = tree.Operation(tree.Operator.GREATER, moved, tree.Constant(NOON), timed=True)
    asked: list[tree.Expression] = []

    def value_of(part: tree.Expression) -> object:
        asked.append(part)
        assert isinstance(part, tree.Constant)
        return part.value

    assert turn_of(ordering, value_of, NOON) == NOON + timedelta(hours=1, seconds=1)
    assert len(asked) == 2  # each part once, not once for each instant that is tried


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        (None, None, None),
        (NOON, None, NOON),
        (None, NOON, NOON),
        (NOON, NOON + SECOND, NOON),
        (NOON + SECOND, NOON, NOON),
    ],
)
def test_the_earlier_of_two_that_may_never_come(first, second, found):
    assert earlier(first, second) == found
