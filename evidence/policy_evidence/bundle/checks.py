"""What was checked, in the order in which it was, and what could not be.

>>> sound([Check("manifest", CheckStatus.OK, "signed by `release`")])
True
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class CheckStatus(StrEnum):
    """How one check came out; only `ok` is good."""

    OK = "ok"
    FAILED = "failed"
    MISSING = "missing"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Check:
    """One check: what was looked at, how it came out, a sentence about it, and the code when it is not good."""

    name: str
    status: CheckStatus
    detail: str
    code: str | None = None


def sound(checks: Iterable[Check]) -> bool:
    """Tell whether there were checks and every one came out well."""
    statuses = [check.status for check in checks]
    return bool(statuses) and all(status is CheckStatus.OK for status in statuses)
