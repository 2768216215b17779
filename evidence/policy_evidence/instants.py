"""Instants as documents write them: RFC 3339, UTC as `Z`, whole seconds, one spelling for each instant.

>>> format_instant(parse_instant("2027-12-02T00:00:00Z"))
'2027-12-02T00:00:00Z'
"""

import re
from datetime import UTC, datetime
from typing import Final

from policy_evidence.errors import FormatError, quoted

INSTANT_PATTERN: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"
_INSTANT = re.compile(INSTANT_PATTERN)


def parse_instant(text: str) -> datetime:
    """Return the aware UTC instant, or refuse any other spelling."""
    try:
        # `$` also matches before a final line break; fullmatch does not.
        if not _INSTANT.fullmatch(text):
            raise ValueError
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError as cause:
        raise FormatError(
            "PE4009", f"{quoted(text)} is not an instant", "write UTC with whole seconds, such as 2027-12-02T00:00:00Z"
        ) from cause


def format_instant(instant: datetime) -> str:
    """Return the one spelling of an aware instant that has no fraction of a second."""
    if instant.tzinfo is None or instant.microsecond:
        raise FormatError(
            "PE4009", f"{quoted(instant.isoformat())} is not an instant in UTC with whole seconds", "drop the fraction"
        )
    # strftime does not pad years before 1000; isoformat does.
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
