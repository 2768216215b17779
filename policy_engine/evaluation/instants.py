"""When a result changes: the search for turning points in time."""

from collections.abc import Callable
from datetime import datetime, timedelta

from policy_dsl.values import LAST_INSTANT


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
