"""Records mean what frozen dataclasses of the standard library mean."""

import copy
import dataclasses
import pickle
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_dsl import records
from policy_dsl.typed import tree
from policy_dsl.values import Duration, Money


def both(make):
    """The same class, made by both."""
    return make(records), make(dataclasses)


def point(module):
    @module.dataclass(frozen=True, slots=True, order=True)
    class Point:
        """A point."""

        x: int
        y: int = 0
        tags: Mapping[str, int] = module.field(default_factory=dict, repr=False, compare=False)
        seen: list[int] = module.field(default_factory=list, init=False, repr=False, compare=False)

        def double(self):
            return module.replace(self, x=2 * self.x)

    return Point


OURS, THEIRS = both(point)


@given(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3), st.integers(0, 3))
def test_equality_order_and_hash(a, b, c, d):
    for compare in ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"):
        assert getattr(OURS(a, b), compare)(OURS(c, d)) == getattr(THEIRS(a, b), compare)(THEIRS(c, d))
    assert (hash(OURS(a, b)) == hash(OURS(c, d))) == (hash(THEIRS(a, b)) == hash(THEIRS(c, d)))
    assert OURS(a, b) != THEIRS(a, b)


@pytest.mark.parametrize("times", [1, 200])
@pytest.mark.parametrize(
    ("arguments", "named"),
    [((1,), {}), ((1, 2), {}), ((), {"x": 1}), ((1,), {"y": 3}), ((), {"y": 3, "x": 1}), ((1, 2, {"a": 1}), {})],
)
def test_calls(times, arguments, named):
    ours, theirs = both(point)
    for _ in range(times):
        mine, other = ours(*arguments, **named), theirs(*arguments, **named)
        assert (mine.x, mine.y, mine.tags, mine.seen) == (other.x, other.y, other.tags, other.seen)
        assert repr(mine) == repr(other)
        assert mine.double().x == other.double().x
    assert ours(1).tags is not ours(1).tags


@pytest.mark.parametrize("times", [1, 200])
@pytest.mark.parametrize(
    ("arguments", "named"), [((), {}), ((1, 2, {}, 4), {}), ((1,), {"x": 1}), ((1,), {"z": 1}), ((1,), {"seen": []})]
)
def test_wrong_calls(times, arguments, named):
    ours, theirs = both(point)
    for _ in range(times):
        ours(1)
        theirs(1)
    for form in (ours, theirs):
        with pytest.raises(TypeError):
            form(*arguments, **named)


def test_nothing_can_be_changed_or_added():
    for name in ("x", "new"):
        with pytest.raises(AttributeError):
            setattr(OURS(1), name, 2)
        with pytest.raises(AttributeError):
            delattr(OURS(1), name)
    with pytest.raises(dataclasses.FrozenInstanceError):
        OURS(1).x = 2
    assert not hasattr(OURS(1), "__dict__")
    with pytest.raises(TypeError):
        records.dataclass(frozen=False, slots=True)


def test_the_standard_library_takes_them_for_dataclasses():
    assert dataclasses.is_dataclass(OURS)
    assert [(f.name, f.init, f.repr, f.compare) for f in dataclasses.fields(OURS)] == [
        (f.name, f.init, f.repr, f.compare) for f in dataclasses.fields(THEIRS)
    ]
    assert dataclasses.replace(OURS(1), y=5) == OURS(1, 5)
    assert dataclasses.asdict(Money(1, "EUR")) == {"amount": 1, "currency": "EUR"}
    assert OURS.__match_args__ == THEIRS.__match_args__
    match OURS(3, 4):
        case OURS(x, y=y):
            assert (x, y) == (3, 4)


@records.dataclass(frozen=True, slots=True)
class Below(tree.Known):
    """A record below another."""

    more: int


def test_records_below_records_and_copies():
    one = Below(tree.Constant(1), 2)
    assert (one.operand, one.more, repr(one)) == (tree.Constant(1), 2, "Below(operand=Constant(value=1), more=2)")
    for again in (copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        assert again == one
    assert Duration(1) in {Duration(months=1)}
