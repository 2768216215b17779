"""The dates that an axis of time names: as many as find room, at the start of days, months, quarters or years.

>>> from datetime import UTC, datetime
>>> [text for _, text in ticks(datetime(2026, 11, 21, tzinfo=UTC), datetime(2028, 3, 1, tzinfo=UTC), 4)]
['2027-01', '2027-07', '2028-01']
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 2400, 12000)
_DAYS = (1, 2, 7, 14)


def ticks(start: datetime, end: datetime, most: int) -> list[tuple[datetime, str]]:
    """Return at most so many instants within a time, with their names."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    for days in _DAYS:
        if (end - start) / timedelta(days=days) <= most:
            return [(at, f"{at:%Y-%m-%d}") for at in _each_days(start, end, days)]
    for months in _MONTHS:
        found = [
            (at, str(at.year) if months % 12 == 0 else f"{at.year}-{at.month:02}") for at in _each(start, end, months)
        ]
        if len(found) <= most:
            return found
    return []


def _each_days(start: datetime, end: datetime, days: int) -> Iterator[datetime]:
    at = datetime(start.year, start.month, start.day, tzinfo=UTC)
    while at < end:
        if at >= start:
            yield at
        if datetime.max.replace(tzinfo=UTC) - at <= timedelta(days=days):
            return
        at += timedelta(days=days)


def _each(start: datetime, end: datetime, months: int) -> Iterator[datetime]:
    number = -(-(start.year * 12 + start.month - 1) // months) * months
    while number < 9999 * 12:
        at = datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)
        if at >= end:
            return
        if at >= start:
            yield at
        number += months
