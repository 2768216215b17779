"""What a condition can come to, whatever the facts are.

Only what follows from the words is found: values written out, one operand on both sides, and operands of one
``and`` or ``or`` that speak of the same value. A condition that can be unknown is no constant, but one that can
never be true is worth a finding even so.

>>> from policy_dsl.lint.sample import condition
>>> never_true(condition("x.level > 3 and x.level < 2")), never_false(condition("x is known or x is unknown"))
(True, True)
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from policy_dsl.lint.interface import Subject
from policy_dsl.lint.walk import shape, variables
from policy_dsl.source import Span
from policy_dsl.syntax import ast
from policy_dsl.values import instant

_B = ast.BinaryOperator
_OPPOSITES = {
    _B.IS: _B.IS_NOT,
    _B.IS_NOT: _B.IS,
    _B.IN: _B.NOT_IN,
    _B.NOT_IN: _B.IN,
    _B.LESS: _B.GREATER_OR_EQUAL,
    _B.GREATER_OR_EQUAL: _B.LESS,
    _B.GREATER: _B.LESS_OR_EQUAL,
    _B.LESS_OR_EQUAL: _B.GREATER,
}
_LOWER = frozenset({_B.GREATER, _B.GREATER_OR_EQUAL})
_ORDERED = frozenset({_B.LESS, _B.LESS_OR_EQUAL, _B.GREATER, _B.GREATER_OR_EQUAL})


def settled(node: Any, subject: Subject, declaration: ast.Rule | ast.Define) -> Any:
    """Return a condition in which the words that are no members of an enumeration are told apart from those that are.

    Two bare words are two values only if neither is a parameter or a variable, whose values may be equal; such words
    come back as paths without steps.
    """
    packs = subject.symbols.packs.values()
    parameters = {n for p in packs for n, d in p.names["value"].items() if isinstance(d, ast.Parameter)}
    return _rebuilt(node, parameters | set(variables(declaration)))


def _rebuilt(node: Any, opaque: set[str]) -> Any:
    if isinstance(node, tuple):
        return tuple(_rebuilt(item, opaque) for item in node)
    if isinstance(node, ast.Name) and node.name.text in opaque:
        return ast.Path(node.name, (), node.span)
    if not is_dataclass(node) or isinstance(node, (type, Span, ast.Identifier)):
        return node
    parts = {f.name: getattr(node, f.name) for f in fields(node)}
    return replace(node, **{name: _rebuilt(part, opaque) for name, part in parts.items() if _is_part(part)})


def _is_part(value: Any) -> bool:
    """Tell whether a field of a node holds nodes."""
    return isinstance(value, tuple) or (is_dataclass(value) and not isinstance(value, (type, Span)))


def never_true(expression: ast.Expression) -> bool:
    """Tell whether a condition can never be true."""
    match expression:
        case ast.Literal(value, _):
            return value is False
        case ast.Not(operand, _):
            return never_false(operand)
        case ast.Junction(True, operands, _):
            return any(never_true(o) for o in operands) or _contradict(operands, holds=True)
        case ast.Junction(False, operands, _):
            return all(never_true(o) for o in operands)
        case ast.Binary(_B.IF_THEN, condition, result, _):
            return never_false(condition) and never_true(result)
        case ast.Binary(operator, left, right, _):
            return _compared(operator, left, right) is False
        case ast.Between(_, low, high, _):
            return _ordered_values(low, high) and bool(_key(low) > _key(high))
        case _:
            return False


def never_false(expression: ast.Expression) -> bool:
    """Tell whether a condition can never be false."""
    match expression:
        case ast.Literal(value, _):
            return value is True
        case ast.Not(operand, _):
            return never_true(operand)
        case ast.Junction(True, operands, _):
            return all(never_false(o) for o in operands)
        case ast.Junction(False, operands, _):
            return any(never_false(o) for o in operands) or _contradict(operands, holds=False)
        case ast.Binary(_B.IF_THEN, condition, result, _):
            return never_true(condition) or never_false(result)
        case ast.Binary(operator, left, right, _):
            return _compared(operator, left, right) is True
        case ast.Quantified(ast.QuantifierWord.AT_LEAST, 0):
            return True
        case _:
            return False


def _compared(operator: ast.BinaryOperator, left: ast.Expression, right: ast.Expression) -> bool | None:
    """Return what a comparison of values written out, or of one operand with itself, comes to."""
    if operator in {_B.IN, _B.NOT_IN} and isinstance(right, ast.SetLiteral) and not right.items:
        return operator is _B.NOT_IN
    if operator not in _ORDERED | {_B.IS, _B.IS_NOT}:
        return None
    if shape(left) == shape(right):
        return operator in {_B.IS, _B.LESS_OR_EQUAL, _B.GREATER_OR_EQUAL}
    if not isinstance(left, ast.Literal) or not isinstance(right, ast.Literal):
        return None
    if operator in {_B.IS, _B.IS_NOT}:
        return bool(_key(left) == _key(right)) == (operator is _B.IS)
    if not _ordered_values(left, right):
        return None
    one, other = _key(left), _key(right)
    outcomes = {_B.LESS: one < other, _B.LESS_OR_EQUAL: one <= other, _B.GREATER: one > other}
    return bool(outcomes.get(operator, one >= other))


def _ordered_values(left: ast.Expression, right: ast.Expression) -> bool:
    if not isinstance(left, ast.Literal) or not isinstance(right, ast.Literal):
        return False
    return type(_key(left)) is type(_key(right)) and isinstance(_key(left), (Decimal, datetime))


def _key(expression: ast.Expression) -> Any:
    """Return a literal's value in a form that compares across the types of the language."""
    value: Any = expression.value if isinstance(expression, ast.Literal) else None
    if isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, Decimal)):
        return Decimal(value)
    return instant(value) if hasattr(value, "year") else value


@dataclass(frozen=True, slots=True)
class _Claim:
    """What an operand says of a value: an operator and what it is compared with."""

    about: Any
    operator: ast.BinaryOperator | str
    value: Any


def _contradict(operands: Sequence[ast.Expression], *, holds: bool) -> bool:
    """Tell whether operands cannot all hold together, or with ``holds`` false, cannot all fail together."""
    by_value: dict[Any, list[_Claim]] = {}
    for operand in operands:
        claim = _claim(operand, holds=holds)
        if claim is not None:
            by_value.setdefault(claim.about, []).append(claim)
    return any(_impossible(claims) for claims in by_value.values())


def _claim(expression: ast.Expression, *, holds: bool) -> _Claim | None:
    match expression:
        case ast.Not(operand, _):
            return _claim(operand, holds=not holds)
        case ast.Known(operand, negated, _):
            return _Claim(shape(operand), "known" if negated != holds else "unknown", None)
        case ast.Binary(operator, left, right, _) if operator in _OPPOSITES:
            value = _values(right)
            if value is None:
                return None
            return _Claim(shape(left), operator if holds else _OPPOSITES[operator], value)
        case ast.Path() | ast.Call() | ast.HasEvidence():
            return _Claim(shape(expression), _B.IS, frozenset({holds}))
        case _:
            return None


def _values(expression: ast.Expression) -> Any:
    """Return the values that an operand stands for: one written out, or those of a set."""
    items = expression.items if isinstance(expression, ast.SetLiteral) else (expression,)
    if not all(isinstance(i, ast.Literal) for i in items):
        words = all(isinstance(i, ast.Name) for i in items)
        return frozenset(map(shape, items)) if words else None
    return frozenset(_key(i) for i in items)


def _impossible(claims: Sequence[_Claim]) -> bool:
    operators = {c.operator for c in claims}
    if "unknown" in operators:
        return len(operators) > 1
    allowed: frozenset[Any] | None = None
    excluded: frozenset[Any] = frozenset()
    for claim in claims:
        if claim.operator in {_B.IS, _B.IN}:
            allowed = claim.value if allowed is None else allowed & claim.value
        elif claim.operator in {_B.IS_NOT, _B.NOT_IN}:
            excluded |= claim.value
    if allowed is not None and not allowed - excluded:
        return True
    return _empty_interval([c for c in claims if c.operator in _ORDERED])


def _empty_interval(claims: Sequence[_Claim]) -> bool:
    for low in (c for c in claims if c.operator in _LOWER):
        for high in (c for c in claims if c.operator not in _LOWER):
            (bottom,), (top,) = low.value, high.value
            if type(bottom) is not type(top) or not isinstance(bottom, (Decimal, datetime)):
                continue
            open_ended = low.operator is _B.GREATER or high.operator is _B.LESS
            if bottom > top or (bottom == top and open_ended):
                return True
    return False
