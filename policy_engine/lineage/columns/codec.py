"""Values as JSON that says its own type, so that an estate file is read without a schema.

Rules:

- a text, also a word of an enumeration, is a JSON string; a truth value is ``true`` or ``false``; an integer is a JSON
  number as far as a double holds it exactly, and a text beyond;
- everything else is an object with one key that names its type, with its digits kept as they are;
- there is one way to write a value; reading refuses every other.

>>> from decimal import Decimal
>>> encode(frozenset({Decimal("0.80"), Decimal(3)})), decode('{"duration":[1,0]}')
('{"set":[{"number":"0.80"},{"number":"3"}]}', Duration(months=1, seconds=0))
"""

import json
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from policy_dsl.values import Duration, Money, Scalar, Value, format_instant
from policy_engine.lineage.columns.errors import damaged, estate_error

_EXACT = 2**53
_ESCAPED = frozenset('"\\')
_LONGEST_NUMBER = 10_000


def encode(value: Value) -> str:
    """Write a value.

    Raises:
        LineageError: PE3405, it is a number that is none.
    """
    if isinstance(value, frozenset):
        return f'{{"set":[{",".join(sorted(_dumps(_form(item)) for item in value))}]}}'
    return _dumps(_form(value))


def decode(text: str) -> Value:
    """Read what ``encode`` wrote.

    Raises:
        LineageError: PE3403, it is anything else.
    """
    inner = text[1:-1]
    if text[:1] == text[-1:] == '"' and len(text) > 1 and inner.isprintable() and not _ESCAPED & set(inner):
        # Most values are plain texts, and a gate has no time for more than it needs.
        return inner
    try:
        raw = json.loads(text)
        match raw:
            case {"set": list(items)} if len(raw) == 1:
                value: Value = frozenset(_value(item) for item in items)
            case _:
                value = _value(raw)
        if encode(value) == text:
            return value
    except (ValueError, TypeError, OverflowError, RecursionError, InvalidOperation) as error:
        raise damaged("a value in it is none") from error
    raise damaged("a value in it is not written in the one way that there is")


def _form(value: Scalar) -> Any:
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if -_EXACT < value < _EXACT else {"integer": str(value)}
    if isinstance(value, Decimal):
        return {"number": _digits(value)}
    if isinstance(value, datetime):
        return {"instant": format_instant(value)}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    if isinstance(value, Duration):
        return {"duration": [value.months, value.seconds]}
    return {"money": [_digits(value.amount), value.currency]}


def _digits(number: Decimal) -> str:
    if not number.is_finite():
        raise estate_error("PE3405", "a number that is not finite cannot be kept", None)
    return str(number)


def _value(raw: Any) -> Scalar:
    if isinstance(raw, bool | str | int):
        return raw
    match raw:
        case {"integer": str(digits)} if len(digits) <= _LONGEST_NUMBER:
            return int(digits)
        case {"number": str(digits)}:
            return _number(digits)
        case {"instant": str(text)}:
            return datetime.fromisoformat(text).astimezone(UTC)
        case {"date": str(text)}:
            return date.fromisoformat(text)
        case {"duration": [int(months), int(seconds)]}:
            return Duration(months, seconds)
        case {"money": [str(digits), str(currency)]}:
            return Money(_number(digits), currency)
        case _:
            raise ValueError(raw)


def _number(digits: str) -> Decimal:
    number = Decimal(digits)
    if not number.is_finite():
        raise ValueError(digits)
    return number


def _dumps(form: Any) -> str:
    return json.dumps(form, ensure_ascii=False, separators=(",", ":"))
