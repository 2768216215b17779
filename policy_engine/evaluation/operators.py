"""Operators on known values. Every evaluator uses these, so that a value means the same everywhere."""

from datetime import date
from decimal import Context, Decimal
from functools import cmp_to_key, reduce
from typing import Any

from policy_dsl.typed.tree import AggregateWord, Operator
from policy_dsl.values import Duration, Money, Value, add, instant

_CONTEXT = Context(prec=34, traps=[])


def apply(operator: Operator, left: Any, right: Any) -> Value | None:
    """Return the value of an operator for two known operands whose types the checker has accepted.

    There is none for amounts of money in different currencies.
    """
    if isinstance(left, Money) and isinstance(right, Money):
        return _apply_to_money(operator, left, right)
    match operator:
        case Operator.EQUAL:
            return equal(left, right)
        case Operator.LESS:
            return bool(_order(left, right) < 0)
        case Operator.LESS_OR_EQUAL:
            return bool(_order(left, right) <= 0)
        case Operator.GREATER:
            return bool(_order(left, right) > 0)
        case Operator.GREATER_OR_EQUAL:
            return bool(_order(left, right) >= 0)
        case Operator.IN:
            return _among(right, left)
        case Operator.CONTAINS:
            return right in left if isinstance(left, str) else _among(left, right)
        case Operator.STARTS_WITH:
            return bool(left.startswith(right))
        case Operator.LIKE:
            return matches(right, left)
        case Operator.PLUS | Operator.MINUS:
            return _sum(left, right if operator is Operator.PLUS else _negated(right))


def _among(items: frozenset[Any], value: Any) -> bool | None:
    """Tell whether a value is among others; an amount of money is not comparable with those of other currencies."""
    if any(equal(item, value) for item in items):
        return True
    foreign = isinstance(value, Money) and any(item.currency != value.currency for item in items)
    return None if foreign else False


def _apply_to_money(operator: Operator, left: Money, right: Money) -> Value | None:
    if left.currency != right.currency:
        return None
    found = apply(operator, left.amount, right.amount)
    return Money(found, left.currency) if isinstance(found, Decimal) else found


def equal(left: Any, right: Any) -> bool:
    """Tell whether two values are the same; a date equals the instant of its first second."""
    if isinstance(left, date) and isinstance(right, date):
        return instant(left) == instant(right)
    return bool(left == right)


def matches(pattern: str, text: str) -> bool:
    """Tell whether a glob with ``*`` and ``?`` matches a whole text, in time linear in text times stars.

    >>> matches("gpt-*", "gpt-5"), matches("*a*b", "xaxc")
    (True, False)
    """
    p = t = 0
    star = resume = -1
    while t < len(text):
        if p < len(pattern) and pattern[p] == "*":
            star, resume = p, t
            p += 1
        elif p < len(pattern) and pattern[p] in {"?", text[t]}:
            p += 1
            t += 1
        elif star >= 0:
            # Let the last star swallow one more character; earlier stars never need to be tried again.
            resume += 1
            p, t = star + 1, resume
        else:
            return False
    return not pattern[p:].strip("*")


def aggregate(word: AggregateWord, values: list[Any]) -> Value | None:
    """Return what is made of one or more values; there is none for amounts of money in several currencies."""
    if word is AggregateWord.COUNT:
        return len(values)
    if isinstance(values[0], Money):
        if len({v.currency for v in values}) > 1:
            return None
        found = aggregate(word, [v.amount for v in values])
        return Money(found, values[0].currency) if isinstance(found, Decimal) else None
    match word:
        case AggregateWord.SUM:
            return _total(values)
        case AggregateWord.AVERAGE:
            return _CONTEXT.divide(Decimal(str(_total(values))), Decimal(len(values)))
        case AggregateWord.MIN:
            return min(values, key=cmp_to_key(_order))  # type: ignore[no-any-return]  # one of the values
        case AggregateWord.MAX:
            return max(values, key=cmp_to_key(_order))  # type: ignore[no-any-return]  # one of the values


def _total(values: list[Any]) -> Value:
    total: Value = reduce(_sum, values)
    return total


def _order(left: Any, right: Any) -> int:
    if isinstance(left, date) and not type(left) is type(right) is date:
        left, right = instant(left), instant(right)
    return int(left > right) - int(left < right)


def _negated(value: Any) -> Any:
    return _CONTEXT.minus(value) if isinstance(value, Decimal) else -value


def _sum(left: Any, right: Any) -> Value:
    if isinstance(left, date):
        return add(left, right)
    if isinstance(left, Duration):
        return left + Duration(right.months, right.seconds)
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        return _CONTEXT.add(Decimal(left), Decimal(right))
    return int(left + right)
