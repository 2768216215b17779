"""Values as documents write them, read by the type that the schema gives their attribute.

Rules:

- a type is never guessed: a text is not a number, a number is not a text, 0 and 1 are not yes and no;
- a date is ``2027-12-31``; an instant is RFC 3339 with its offset, or a date, which is its first second in UTC;
  fractions of a second are dropped;
- a duration is written as in the language: ``1 year 6 months``;
- a set is a list, or one value alone;
- values that are typed already, as a program hands them in, are taken as they are.

>>> read_value("2027-12-31", Simple.DATE)
datetime.date(2027, 12, 31)
>>> read_value(1, Simple.TEXT)
Misfit(expected='a text', help='put it in quotes')
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from policy_dsl.typed.types import AttributeType, EnumType, SetType, Simple
from policy_dsl.values import CURRENCIES, Duration, Money, Scalar, Value, duration_of, instant
from policy_engine.lineage.names import nearest
from policy_engine.model.plain import one_line

# RFC 7493 section 2.2: integers outside this range are not exact in every reader.
MAX_INTEGER: Final = 2**53 - 1

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[-+][0-9]{2}:[0-9]{2})"
)
_MONEY: Final = re.compile(r"(-?[0-9]{1,18}(?:\.[0-9]{1,6})?) ([A-Z]{3})")
_DURATION_PART: Final = re.compile(r"(-?[0-9]{1,9}) ([a-z]+)(?: |$)")


@dataclass(frozen=True, slots=True)
class Misfit:
    """A value that does not fit: what is expected in its place, and what to do about it."""

    expected: str
    help: str | None = None


def read_value(raw: object, of: AttributeType) -> Value | Misfit:
    """Return a value of a type, or why there is none."""
    if isinstance(of, SetType):
        return _read_set(raw, of)
    return _read_scalar(raw, of)


def describe(raw: object) -> str:
    """Say what a value in a document is, in plain words.

    >>> describe("no"), describe([1, 2]), describe(None)
    ('the text `no`', 'a list', 'nothing')
    """
    match raw:
        case None:
            return "nothing"
        case bool():
            return f"`{str(raw).lower()}`"
        case str():
            return f"the text `{one_line(raw[:60])}{'…' if len(raw) > 60 else ''}`"
        case int() | Decimal():
            return f"the number `{str(raw)[:40]}`" if not isinstance(raw, int) or abs(raw) < 10**40 else "a vast number"
        case dict():
            return "a mapping"
        case list() | tuple() | set() | frozenset():
            return "a list"
        case _:
            return f"`{str(raw)[:60]}`"


def _read_set(raw: object, of: SetType) -> frozenset[Scalar] | Misfit:
    items: Iterable[object] = raw if isinstance(raw, list | tuple | set | frozenset) else [raw]
    read = []
    for item in items:
        value = _read_scalar(item, of.item)
        if isinstance(value, Misfit):
            return Misfit(f"a list in which each value is {value.expected}", value.help)
        read.append(value)
    # Of equal numbers with different digits a set keeps the first: sorted, so that the order written does not decide.
    return frozenset(sorted(read, key=repr))


def _read_scalar(raw: object, of: Simple | EnumType) -> Scalar | Misfit:
    if isinstance(of, EnumType):
        if isinstance(raw, str) and raw in of.members:
            return raw
        words = ", ".join(f"`{member}`" for member in of.members)
        return Misfit(f"one of {words}", nearest(raw, of.members) if isinstance(raw, str) else None)
    return _READERS[of](raw)


def _text(raw: object) -> Scalar | Misfit:
    if isinstance(raw, str):
        return raw
    written = isinstance(raw, bool | int | Decimal)
    return Misfit("a text", "put it in quotes" if written else None)


def _boolean(raw: object) -> Scalar | Misfit:
    if isinstance(raw, bool):
        return raw
    return Misfit("`true` or `false`", "write it without quotes" if raw in ("true", "false") else None)


def _integer(raw: object) -> Scalar | Misfit:
    if not isinstance(raw, int) or isinstance(raw, bool):
        return Misfit("a whole number", "write it without quotes" if isinstance(raw, str) and raw.isdecimal() else None)
    return raw if abs(raw) <= MAX_INTEGER else Misfit("a whole number of at most 2^53 - 1")


def _number(raw: object) -> Scalar | Misfit:
    if isinstance(raw, Decimal):
        return raw if raw.is_finite() else Misfit("a finite number")
    if isinstance(raw, int) and not isinstance(raw, bool):
        return Decimal(raw) if abs(raw) <= MAX_INTEGER else Misfit("a number of at most 2^53 - 1")
    return Misfit("a number", "write it without quotes" if isinstance(raw, str) and raw[:1].isdecimal() else None)


def _date(raw: object) -> Scalar | Misfit:
    if isinstance(raw, date) and not isinstance(raw, datetime):
        return raw
    if isinstance(raw, str) and _DATE.fullmatch(raw):
        try:
            return date.fromisoformat(raw)
        except ValueError:
            return Misfit("a date that exists")
    return Misfit("a date", "write it like `2027-12-31`")


def _instant(raw: object) -> Scalar | Misfit:
    found: date | datetime | None = raw if isinstance(raw, date) else None
    if isinstance(raw, str) and (_INSTANT.fullmatch(raw) or _DATE.fullmatch(raw)):
        try:
            # Fractions of a second are dropped here: they may have more digits than the parser takes.
            found = (
                datetime.fromisoformat(re.sub(r"\.[0-9]+", "", raw.upper()))
                if len(raw) > 10
                else date.fromisoformat(raw)
            )
        except ValueError:
            return Misfit("an instant that exists")
    if found is None or (isinstance(found, datetime) and found.tzinfo is None):
        return Misfit("an instant with its offset from UTC", "write it like `2027-12-31T09:00:00Z`")
    try:
        return instant(found.astimezone(UTC) if isinstance(found, datetime) else found)
    except OverflowError:
        return Misfit("an instant of the years 1 to 9999 in UTC")


def _duration(raw: object) -> Scalar | Misfit:
    if isinstance(raw, Duration):
        return raw
    misfit = Misfit("a duration", "write it like `1 year 6 months` or `30 days`")
    if not isinstance(raw, str) or not raw:
        return misfit
    total, at = Duration(), 0
    while at < len(raw):
        part = _DURATION_PART.match(raw, at)
        amount = duration_of(int(part[1]), part[2]) if part else None
        if part is None or amount is None:
            return misfit
        total, at = total + amount, part.end()
    return total


def _money(raw: object) -> Scalar | Misfit:
    if isinstance(raw, Money):
        return raw
    match = _MONEY.fullmatch(raw) if isinstance(raw, str) else None
    if match is None or match[2] not in CURRENCIES:
        return Misfit("an amount of money", "write it like `1500.00 EUR`, with a currency of ISO 4217")
    return Money(Decimal(match[1]), match[2])


_READERS: Final[dict[Simple, Callable[[object], Scalar | Misfit]]] = {
    Simple.TEXT: _text,
    Simple.INTEGER: _integer,
    Simple.NUMBER: _number,
    Simple.BOOLEAN: _boolean,
    Simple.DATE: _date,
    Simple.INSTANT: _instant,
    Simple.DURATION: _duration,
    Simple.MONEY: _money,
}
