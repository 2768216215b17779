"""Instants on the command line. The one place that reads a clock."""

import re
from datetime import UTC, date, datetime

_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?(\.\d+)?(Z|[+-]\d{2}:\d{2})")


def clock() -> datetime:
    """Return now, to the second. The only place that reads a clock."""
    return datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 - the command line is where instants come from


def instant_option(text: str | None) -> datetime:
    """Return the instant of ``--at``, or now.

    Raises:
        InputError: PE0005.
    """
    if text is None:
        return clock()
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            found = date.fromisoformat(text)
            return datetime(found.year, found.month, found.day, tzinfo=UTC)
        if _INSTANT.fullmatch(text):
            return datetime.fromisoformat(text).astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        pass  # a day or an hour that does not exist
    from policy_engine.model.errors import fault

    hint = "write 2027-12-02 or 2027-12-02T09:00:00Z"
    raise fault("PE0005", f"`{text}` is not an instant with a time zone", help=hint)
