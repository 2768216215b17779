"""Evidence over columns: which rows count at an instant, and which is the youngest.

Rules: evidence counts from its begin until, and not including, its end and the end of the age that it may have;
ages are added by the language's own arithmetic.
"""

from datetime import UTC, datetime, timedelta

import numpy as np

from policy_dsl.values import FIRST_INSTANT, LAST_INSTANT, Duration, add
from policy_engine.evaluation.sets.decided import Points
from policy_engine.evaluation.sets.estate import Array, Estate
from policy_engine.evaluation.sets.plan import Pattern
from policy_engine.evaluation.sets.rows import FALSE, MAYBE, TRUE, all_same
from policy_engine.evaluation.trace import UNKNOWN

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Months put up to four days on one, so the end of an age is in order for days this far from each other.
_ORDERED = 5 * 86_400


def counting(pattern: Pattern, estate: Estate, points: Points, at: datetime) -> tuple[Array, Array, Array]:
    """Return the rows of the evidence that counts and is rightly signed, whom each is about, and whether in time."""
    rows, subjects = estate.evidence_of(pattern.type)
    now = seconds(at)
    counts = (estate.evidence("from")[rows] <= now) & (estate.evidence("until")[rows] > now)
    if pattern.role is not None:
        counts &= _signed(pattern.role, pattern.signers, estate)[estate.signer_codes()[rows]]
    chosen = np.flatnonzero(counts)
    rows, subjects = rows[chosen], subjects[chosen]
    if pattern.max_age is None:
        return rows, subjects, all_same(TRUE, len(rows))
    age = points.constant(pattern.max_age, pattern.slots, at)
    if age is UNKNOWN:
        return rows, subjects, all_same(MAYBE, len(rows))
    young = young_enough(estate.evidence("issued")[rows], age, at)
    return rows, subjects, np.where(young, TRUE, FALSE).astype(np.int8)


def latest(rows: Array, subjects: Array, in_time: Array, size: int) -> Array:
    """Return for each node the row of its youngest evidence, or -1; -2 where it is not known which counts."""
    found = np.full(size, -1, np.int64)
    # Rows are in order of subject and issue: the last of each subject is the youngest.
    chosen = np.flatnonzero(in_time == TRUE)
    last = np.flatnonzero(np.diff(subjects[chosen], append=-1))
    found[subjects[chosen[last]]] = rows[chosen[last]]
    found[subjects[in_time == MAYBE]] = -2
    return found


def young_enough(issued: Array, age: Duration, at: datetime) -> Array:
    """Return for each second of issue whether evidence is younger than an age at an instant."""

    def young(second: int) -> bool:
        return bool(at < add(_instant(second), age))

    first, last = seconds(FIRST_INSTANT), seconds(LAST_INSTANT)
    if young(first):
        low = high = first
    elif not young(last):
        low = high = last
    else:
        low, high = first, last
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if young(middle) else (middle, high)
    found: Array = issued >= high
    near = (issued > low - _ORDERED) & (issued < high + _ORDERED)
    if near.any():
        known, place = np.unique(issued[near], return_inverse=True)
        found[near] = np.array([young(int(second)) for second in known], bool)[place]
    return found


def seconds(instant: datetime) -> int:
    """Return the whole seconds since 1970."""
    return (instant - EPOCH) // timedelta(seconds=1)


def _instant(second: int) -> datetime:
    return EPOCH + timedelta(seconds=second)


def _signed(role: str, signers: int, estate: Estate) -> Array:
    """Return for each code of signers whether enough distinct keys hold a role."""
    if "evidence.signers.code" not in estate.file:
        return np.zeros(2, bool)
    known = estate.file.signers()
    held = [sum(role in roles for roles in known[entry]) for entry in range(len(known))]
    return np.array([False, False, *(count >= signers for count in held)], bool)
