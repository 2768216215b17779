"""When a result changes: the search for turning points in time."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from policy_dsl.typed import tree
from policy_dsl.values import LAST_INSTANT, instant
from policy_engine.evaluation import operators

_SECOND, _DAY = timedelta(seconds=1), timedelta(days=1)


def turn_of(ordering: tree.Operation, value_of: Callable[[tree.Expression], Any], at: datetime) -> datetime | None:
    """Return when an ordering that moves with the instant turns, if nothing but the instant moves.

    ``value_of`` gives the value of any part at ``at``. Whatever else changes with time, such as which evidence is
    the latest, has turning points of its own; were it to move here too, the ordering could turn more than once.
    """
    left, right = _moving(ordering.left, value_of), _moving(ordering.right, value_of)

    def holds(when: datetime) -> bool:
        return bool(operators.apply(ordering.operator, left(when), right(when)))

    now = holds(at)
    if holds(LAST_INSTANT) == now:
        return None
    # Nearly always it turns where the sides meet; whether it does is looked at, and the search settles the rest.
    for guess in _meetings(left(at), right(at), at):
        if holds(guess) != now and holds(guess - _SECOND) == now:
            return guess
    return turning_point(holds, at)


def _meetings(left: Any, right: Any, at: datetime) -> Iterator[datetime]:
    """Yield instants after ``at`` at which two sides, one of which moves as the instant does, may meet or just have."""
    one, other = instant(left), instant(right)
    midnight = instant(at.date())
    try:
        places = (other, one, midnight + (other - one), midnight + (one - other))
        for place in dict.fromkeys(places):
            for guess in (place, place + _SECOND, place + _DAY):
                if at < guess <= LAST_INSTANT:
                    yield guess
    except OverflowError:
        return  # beyond the last instant that can be written


def _moving(side: tree.Expression, value_of: Callable[[tree.Expression], Any]) -> Callable[[datetime], Any]:
    match side:
        case tree.Moment(date_only):
            return (lambda when: when.date()) if date_only else (lambda when: when)
        case tree.Operation(tree.Operator.PLUS | tree.Operator.MINUS as operator, left, right):
            start, amount = _moving(left, value_of), value_of(right)
            return lambda when: operators.apply(operator, start(when), amount)
        case _:
            value = value_of(side)
            return lambda _: value


def turning_point(holds: Callable[[datetime], bool], at: datetime) -> datetime | None:
    """Return the first second after ``at`` at which a condition that turns at most once has turned.

    >>> from datetime import UTC
    >>> noon = datetime(2027, 1, 1, 12, tzinfo=UTC)
    >>> turning_point(lambda t: t > noon, datetime(2026, 1, 1, tzinfo=UTC)).isoformat()
    '2027-01-01T12:00:01+00:00'
    """
    now = holds(at)
    if holds(LAST_INSTANT) == now:
        return None
    same, turned = 0, int((LAST_INSTANT - at).total_seconds())
    while turned - same > 1:
        middle = (same + turned) // 2
        if holds(at + timedelta(seconds=middle)) == now:
            same = middle
        else:
            turned = middle
    return at + timedelta(seconds=turned)


def earlier(first: datetime | None, second: datetime | None) -> datetime | None:
    """Return the earlier of two instants, either of which may never come."""
    if first is None or second is None:
        return first or second
    return min(first, second)
