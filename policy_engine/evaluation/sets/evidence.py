"""Evidence over columns: which rows count at an instant, and which is the youngest.

Rules: evidence counts from its begin until, and not including, its end and the end of the age that it may have;
ages are added by the language's own arithmetic.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from policy_dsl.values import FIRST_INSTANT, LAST_INSTANT, Duration, add
from policy_engine.evaluation.sets.estate import Array, Estate
from policy_engine.evaluation.sets.plan import Pattern
from policy_engine.evaluation.sets.rows import MAYBE, TRUE, all_same
from policy_engine.evaluation.trace import UNKNOWN

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Months put up to four days on one, so the end of an age is in order for days this far from each other.
_ORDERED = 5 * 86_400


@dataclass(frozen=True, slots=True)
class Counting:
    """The rows of evidence that counts and is rightly signed, whom each is about, when issued, and whether in time."""

    rows: Array
    subjects: Array
    issued: Array
    in_time: Array


def counting(pattern: Pattern, estate: Estate, at: datetime) -> Counting:
    """Return the evidence that counts at an instant and is rightly signed, of any age."""
    rows, subjects = estate.evidence_of(pattern.type)
    now = seconds(at)
    counts = (estate.evidence("from")[rows] <= now) & (estate.evidence("until")[rows] > now)
    if pattern.role is not None:
        counts &= _signed(pattern.role, pattern.signers, estate)[estate.signer_codes()[rows]]
    chosen = np.flatnonzero(counts)
    rows, subjects = rows[chosen], subjects[chosen]
    return Counting(rows, subjects, estate.evidence("issued")[rows], all_same(TRUE, len(rows)))


def not_older(found: Counting, age: Any, at: datetime) -> Counting:
    """Tell of evidence whether it is younger than an age, which may be unknown."""
    if age is UNKNOWN:
        return replace(found, in_time=all_same(MAYBE, len(found.rows)))
    young = young_enough(found.issued, age, at)
    return replace(found, in_time=np.multiply(young, TRUE, dtype=np.int8))


def latest(counts: Counting, size: int) -> Array:
    """Return for each node the row of its youngest evidence, or -1; -2 where it is not known which counts."""
    found = np.full(size, -1, np.int64)
    # Rows are in order of subject and issue: the last of each subject is the youngest.
    rows, subjects = counts.rows, counts.subjects
    chosen = np.flatnonzero(counts.in_time == TRUE)
    last = np.flatnonzero(np.diff(subjects[chosen], append=-1))
    found[subjects[chosen[last]]] = rows[chosen[last]]
    found[subjects[counts.in_time == MAYBE]] = -2
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
