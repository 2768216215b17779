"""Values worth trying for an attribute, so that a comparison comes out as wanted: few, and natural ones first."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from policy_dsl.typed.schema import Attribute
from policy_dsl.typed.types import AttributeType, EnumType, SetType, Simple
from policy_dsl.values import LAST_INSTANT, Duration, Money, Value, add, instant

DAY = timedelta(days=1)
YEAR = timedelta(days=365)
_MOST = 16
_TIMES = (2, 3, 4)


def candidates(
    attribute: Attribute, beside: Iterable[Any], at: datetime, now: Value | None = None, most: int = _MOST
) -> list[Value]:
    """Return values of an attribute's type to try, but ``now``; ``beside`` are those that it is compared with."""
    known = [*beside]
    found: list[Value] = []
    for value in _of_type(attribute.type, known, at, now):
        if value != now and value not in found:
            found.append(value)
    return found[:most]


def sample(attribute: Attribute, at: datetime) -> Value:
    """Return some value of an attribute's type."""
    return next(iter(_of_type(attribute.type, [], at, None)))


def _of_type(kind: AttributeType, beside: list[Any], at: datetime, now: Value | None) -> Iterator[Value]:
    match kind:
        case SetType(item):
            yield from _sets(item, beside, at, now)
        case EnumType(_, members):
            yield from (m for m in members if m in beside)
            yield from members
        case Simple.BOOLEAN:
            yield from (True, False)
        case Simple.TEXT:
            yield from (_plain(value) for value in _flat(beside) if isinstance(value, str))
            yield "stated"
        case Simple.INTEGER | Simple.NUMBER:
            yield from _numbers(kind, beside)
        case Simple.MONEY:
            amounts = [value for value in _flat(beside) if isinstance(value, Money)]
            for value in amounts or [Money(Decimal(1), "EUR")]:
                yield from (replace(value, amount=value.amount + step) for step in (0, 1, -1))
        case Simple.DURATION:
            yield from (value for value in _flat(beside) if isinstance(value, Duration))
            yield from (Duration(months=12), Duration(seconds=86_400), Duration())
        case Simple.DATE | Simple.INSTANT:
            yield from _dates(kind, beside, at)


def _numbers(kind: Simple, beside: list[Any]) -> Iterator[Value]:
    found = [v for v in _flat(beside) if isinstance(v, int | Decimal) and not isinstance(v, bool)] or [1]
    near = [value + step for value in found for step in (0, 1, -1)]
    # What sums and averages lack is nothing, or several times what they are compared with.
    for value in (*near, 0, *(value * times for times in _TIMES for value in found)):
        yield int(value) if kind is Simple.INTEGER else Decimal(value)


def _dates(kind: Simple, beside: list[Any], at: datetime) -> Iterator[Value]:
    marks = [at, *(instant(value) for value in _flat(beside) if isinstance(value, date))]
    lengths = [value for value in _flat(beside) if isinstance(value, Duration)]
    # Of dates that would do, today and those near it are the ones that people can act on.
    for mark in marks:
        yield from _moved(kind, mark, (timedelta(), DAY, YEAR, -DAY, -YEAR))
    for length in (*(-length for length in lengths), *lengths):
        for mark in marks:
            yield from _moved(kind, instant(add(mark, length)), (timedelta(), DAY, -DAY))


def _moved(kind: Simple, mark: datetime, moves: Iterable[timedelta]) -> Iterator[Value]:
    for move in moves:
        try:
            moved = min(mark + move, LAST_INSTANT)
        except OverflowError:
            continue
        yield moved.date() if kind is Simple.DATE else moved


def _sets(item: Simple | EnumType, beside: list[Any], at: datetime, now: Value | None) -> Iterator[Value]:
    present = now if isinstance(now, frozenset) else frozenset()
    for value in beside:
        if isinstance(value, frozenset):
            yield present | value
            yield value
    for member in _of_type(item, beside, at, None):
        if not isinstance(member, frozenset):
            yield present | {member}
            yield present - {member}
    yield frozenset()


def _flat(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, frozenset):
            yield from sorted(value, key=repr)
        else:
            yield value


def _plain(pattern: str) -> str:
    """Return a text that a glob matches, which is the text itself when it is none."""
    return pattern.replace("*", "").replace("?", "x")
