"""Operators on known values, which every evaluator shares."""

from datetime import UTC, date, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_dsl.typed.tree import AggregateWord, Operator
from policy_dsl.values import LAST_INSTANT, Duration, Money, add, text
from policy_engine.evaluation.operators import aggregate, apply, equal, matches

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
GLOBS = st.text(alphabet="ab*?", max_size=8)
WORDS = st.text(alphabet="ab", max_size=10)


@given(pattern=GLOBS, word=WORDS)
def test_globs_mean_what_the_standard_library_means(pattern, word):
    assert matches(pattern, word) == fnmatchcase(word, pattern)


@pytest.mark.parametrize(
    ("pattern", "word"),
    [
        ("*a" * 2_000 + "b", "a" * 20_000),
        ("a*" * 5_000, "a" * 4_999),
        ("*" * 100_000, "x"),
        ("?" * 50_000, "x" * 50_000),
    ],
)
def test_globs_cannot_blow_up(pattern, word):
    start = process_time()
    matches(pattern, word)
    assert process_time() - start < 15


@pytest.mark.parametrize("special", list("[]^$.+(){}|\\-!"))
def test_no_other_character_of_a_glob_is_special(special):
    assert matches(f"a{special}*", f"a{special}x")
    assert not matches(f"a{special}*", "abx")


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (1, Decimal("1.0"), True),
        (Decimal("0.10"), Decimal("0.1"), True),
        (date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC), True),
        (date(2026, 1, 1), NOON, False),
        (Duration(months=12), Duration(seconds=365 * 86_400), False),
        ("a", "A", False),
        (Money(Decimal("1.0"), "EUR"), Money(Decimal(1), "EUR"), True),
    ],
)
def test_equality(left, right, same):
    assert equal(left, right) is same
    assert equal(right, left) is same


def test_numbers_are_exact_to_34_digits_whatever_the_caller_set():
    tiny = Decimal("1e-33")
    assert apply(Operator.PLUS, 1, tiny) == Decimal("1." + "0" * 32 + "1")
    assert apply(Operator.MINUS, Decimal(1), tiny) == Decimal("0." + "9" * 33)


def test_money_in_two_currencies_is_never_put_together():
    one, other = Money(Decimal(1), "EUR"), Money(Decimal(1), "USD")
    for operator in (Operator.EQUAL, Operator.LESS, Operator.GREATER_OR_EQUAL, Operator.PLUS, Operator.MINUS):
        assert apply(operator, one, other) is None
    assert aggregate(AggregateWord.SUM, [one, other]) is None
    assert aggregate(AggregateWord.MAX, [one, other]) is None
    assert aggregate(AggregateWord.COUNT, [one, other]) == 2


@given(day=st.dates(), months=st.integers(-200_000, 200_000), seconds=st.integers(-(10**13), 10**13))
def test_no_duration_leaves_the_calendar(day, months, seconds):
    moved = add(day, Duration(months, seconds))
    assert date(1, 1, 1) <= moved <= date(9999, 12, 31)
    moment = add(datetime(day.year, day.month, day.day, tzinfo=UTC), Duration(months, seconds))
    assert datetime(1, 1, 1, tzinfo=UTC) <= moment <= LAST_INSTANT


@given(day=st.dates(), other=st.dates(), months=st.integers(-600, 600))
def test_dates_moved_by_months_keep_their_order(day, other, months):
    earlier, later = sorted((day, other))
    assert add(earlier, Duration(months)) <= add(later, Duration(months))


def test_instants_moved_by_months_do_not_keep_their_order():
    # This is why `now` takes exact time only: the comparison would turn at noon of 28 March and back at midnight.
    back = Duration(months=-1)
    assert add(datetime(2027, 3, 28, 13, tzinfo=UTC), back) > add(datetime(2027, 3, 29, tzinfo=UTC), back)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (True, "yes"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E-30"), "1E-30"),
        (date(987, 1, 2), "0987-01-02"),
        (datetime(987, 1, 2, 3, 4, 5, tzinfo=UTC), "0987-01-02T03:04:05Z"),
        (Duration(14, 90_061), "1 year 2 months 1 day 1 hour 1 minute 1 second"),
        (Duration(), "0 days"),
        (Duration(-1), "-1 month"),
        (frozenset({"b", "a"}), "a, b"),
        (Money(Decimal("2.50"), "CHF"), "2.50 CHF"),
    ],
)
def test_values_in_words(value, words):
    assert text(value) == words
