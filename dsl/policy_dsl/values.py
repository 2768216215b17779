"""The values of the language and their arithmetic, the same for every evaluator.

Rules that this module fixes:

- an instant is a whole second in UTC; today is the UTC calendar date of the instant;
- a duration keeps calendar months apart from exact time; adding months keeps the day of the month and
  falls back to the last day of a shorter month; the exact part is added after the months;
- dates end at 9999-12-31: arithmetic that would pass it stays there;
- a date compared with an instant is its first second.

>>> add(date(2027, 1, 31), Duration(months=1))
datetime.date(2027, 2, 28)
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from policy_dsl.records import dataclass

FIRST_INSTANT = datetime(1, 1, 1, tzinfo=UTC)
LAST_INSTANT = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)

_UNITS = {
    "year": (12, 0),
    "month": (1, 0),
    "week": (0, 604_800),
    "day": (0, 86_400),
    "hour": (0, 3_600),
    "minute": (0, 60),
}


@dataclass(frozen=True, slots=True)
class Duration:
    """A span of calendar months and of exact seconds; either part may be negative."""

    months: int = 0
    seconds: int = 0

    def __neg__(self) -> "Duration":
        return Duration(-self.months, -self.seconds)

    def __add__(self, other: "Duration") -> "Duration":
        return Duration(self.months + other.months, self.seconds + other.seconds)

    def __str__(self) -> str:
        parts = []
        for amount, unit in (
            ((self.months // 12, "year"), (self.months % 12, "month"))
            if self.months >= 0
            else ((self.months, "month"),)
        ):
            if amount:
                parts.append(f"{amount} {unit}{'' if abs(amount) == 1 else 's'}")
        rest = self.seconds
        for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
            amount = int(rest / size)
            rest -= amount * size
            if amount:
                parts.append(f"{amount} {unit}{'' if abs(amount) == 1 else 's'}")
        return " ".join(parts) or "0 days"


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in a currency of ISO 4217. Amounts in different currencies cannot be compared or added."""

    amount: Decimal
    currency: str

    def __neg__(self) -> "Money":
        return Money(-self.amount, self.currency)

    def __str__(self) -> str:
        return f"{text(self.amount)} {self.currency}"


_CODES = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD "
    "CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD "
    "GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD "
    "KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO "
    "NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE "
    "SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND "
    "VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG"
)
CURRENCIES = frozenset(_CODES.split())
"""The currencies of ISO 4217 in circulation."""

Scalar = str | int | Decimal | bool | date | datetime | Duration | Money
Value = Scalar | frozenset[Scalar]


def duration_of(amount: int, unit: str) -> Duration | None:
    """Return so many of a unit, in singular or plural, or nothing if there is no such unit."""
    size = _UNITS.get(unit.removesuffix("s"))
    return Duration(amount * size[0], amount * size[1]) if size else None


def instant(value: date | datetime) -> datetime:
    """Return an instant: a date's first second in UTC, an instant without its fraction of a second."""
    if isinstance(value, datetime):
        aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value
        try:
            return aware.astimezone(UTC).replace(microsecond=0)
        except OverflowError:
            return FIRST_INSTANT if aware.year == 1 else LAST_INSTANT
    return datetime(value.year, value.month, value.day, tzinfo=UTC)


def add(start: date | datetime, duration: Duration) -> date | datetime:
    """Return a date or instant moved by a duration; whole days only for a date, rounded toward zero."""
    moved = _add_months(start, duration.months)
    try:
        if isinstance(moved, datetime):
            return moved + timedelta(seconds=duration.seconds)
        return moved + timedelta(days=int(duration.seconds / 86_400))
    except OverflowError:
        return _limit(start, forward=duration.seconds > 0)


def _add_months(start: date | datetime, months: int) -> date | datetime:
    if not months:
        return start
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        return _limit(start, forward=months > 0)
    return start.replace(year=year, month=month + 1, day=min(start.day, _days(year, month + 1)))


def _days(year: int, month: int) -> int:
    """Return how many days a month has. The module that knows is slow to load."""
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 29 if leap and month == 2 else (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]


def _limit(like: date | datetime, *, forward: bool) -> date | datetime:
    end = LAST_INSTANT if forward else FIRST_INSTANT
    return end if isinstance(like, datetime) else end.date()


def text(value: Value) -> str:
    """Write a value as a person reads it, the same on every machine.

    >>> text(True), text(Decimal("0.80")), text(frozenset({"b", "a"}))
    ('yes', '0.80', 'a, b')
    """
    match value:
        case bool():
            return "yes" if value else "no"
        case datetime():
            return format_instant(value)
        case date():
            return value.isoformat()
        case Decimal():
            return format(value, "f") if -20 < value.adjusted() < 20 else str(value)
        case frozenset():
            return ", ".join(sorted(text(item) for item in value))
        case _:
            return str(value)


def format_instant(value: datetime) -> str:
    """Write an instant in RFC 3339 with a Z.

    >>> format_instant(datetime(2027, 12, 2, tzinfo=UTC))
    '2027-12-02T00:00:00Z'
    """
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")
