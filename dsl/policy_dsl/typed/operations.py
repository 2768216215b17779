"""Types of operators: what may be compared, ordered, contained, added; and what depends on the instant."""

from dataclasses import dataclass

from policy_dsl.diagnostics import Diagnostics
from policy_dsl.source import Span
from policy_dsl.syntax import ast
from policy_dsl.typed import tree
from policy_dsl.typed.types import ORDERED, EnumType, NodeType, SetType, Simple, Type, comparable
from policy_dsl.values import Duration, Money

_B = ast.BinaryOperator
_ORDERINGS = {
    _B.LESS: tree.Operator.LESS,
    _B.LESS_OR_EQUAL: tree.Operator.LESS_OR_EQUAL,
    _B.GREATER: tree.Operator.GREATER,
    _B.GREATER_OR_EQUAL: tree.Operator.GREATER_OR_EQUAL,
}
_TIMES = frozenset({Simple.DATE, Simple.INSTANT})


@dataclass(frozen=True, slots=True)
class Typed:
    """A checked expression, its type, and whether its value moves with the instant of evaluation."""

    tree: tree.Expression
    type: Type
    timed: bool = False


class Operations:
    """Checks operators whose operands are checked."""

    def __init__(self, diagnostics: Diagnostics) -> None:
        self.diagnostics = diagnostics

    def accepts_either(self, left: Type, right: Type) -> bool:
        """Tell whether two types can be compared."""
        return comparable(left, right)

    def operation(self, expression: ast.Binary, left: Typed, right: Typed) -> Typed | None:
        """Check an operator with two checked operands."""
        operator = expression.operator
        if operator in _ORDERINGS:
            return self.ordering(expression, left, right)
        if operator in {_B.PLUS, _B.MINUS}:
            return self.arithmetic(expression, left, right)
        if left.timed or right.timed:
            hint = "compare it with <, <=, >, >= or between"
            self.diagnostics.error(
                "PE2107", "the instant can only be ordered against something", expression.span, help=hint
            )
            return None
        match operator:
            case _B.IS | _B.IS_NOT:
                return self.equality(expression, left, right)
            case _B.IN | _B.NOT_IN:
                return self.membership(expression, left, right)
            case _B.CONTAINS:
                return self.contains(expression, left, right)
            case _B.STARTS_WITH | _B.LIKE:
                return self.text_match(expression, left, right)
            case _:
                return self.if_unknown(expression, left, right)

    def ordering(self, expression: ast.Binary, left: Typed, right: Typed) -> Typed | None:
        """Check ``<`` and its kin."""
        if left.type not in ORDERED or not comparable(left.type, right.type):
            self.mismatch(expression, left, right, "ordered")
            return None
        if left.timed and right.timed:
            self.diagnostics.error("PE2107", "both sides of the comparison move with the instant", expression.span)
            return None
        operation = tree.Operation(_ORDERINGS[expression.operator], left.tree, right.tree, left.timed or right.timed)
        return Typed(operation, Simple.BOOLEAN)

    def equality(self, expression: ast.Binary, left: Typed, right: Typed) -> Typed | None:
        """Check ``is`` and ``is not``."""
        things = isinstance(left.type, NodeType) and isinstance(right.type, NodeType)
        if not things and (isinstance(left.type, SetType) or not comparable(left.type, right.type)):
            self.mismatch(expression, left, right, "compared")
            return None
        test = tree.Operation(tree.Operator.EQUAL, left.tree, right.tree)
        return Typed(tree.Not(test) if expression.operator is _B.IS_NOT else test, Simple.BOOLEAN)

    def membership(self, expression: ast.Binary, left: Typed, right: Typed) -> Typed | None:
        """Check ``in`` and ``not in``."""
        if not isinstance(right.type, SetType) or not comparable(left.type, right.type.item):
            self.mismatch(expression, left, right, "looked up")
            return None
        test = tree.Operation(tree.Operator.IN, left.tree, right.tree)
        return Typed(tree.Not(test) if expression.operator is _B.NOT_IN else test, Simple.BOOLEAN)

    def contains(self, expression: ast.Binary, left: Typed, right: Typed) -> Typed | None:
        """Check ``contains``: a text in a text, or a value in a set."""
        in_text = left.type is Simple.TEXT and right.type is Simple.TEXT
        in_set = isinstance(left.type, SetType) and comparable(left.type.item, right.type)
        if not in_text and not in_set:
            self.mismatch(expression, left, right, "looked up")
            return None
        return Typed(tree.Operation(tree.Operator.CONTAINS, left.tree, right.tree), Simple.BOOLEAN)

    def text_match(self, expression: ast.Binary, left: Typed, right: Typed) -> Typed | None:
        """Check ``starts with`` and ``like``."""
        if left.type is not Simple.TEXT or right.type is not Simple.TEXT:
            self.mismatch(expression, left, right, "matched")
            return None
        return Typed(tree.Operation(tree.Operator(expression.operator.value), left.tree, right.tree), Simple.BOOLEAN)

    def if_unknown(self, expression: ast.Binary, left: Typed, right: Typed) -> Typed | None:
        """Check ``a if unknown then b``."""
        if not comparable(left.type, right.type) or isinstance(left.type, NodeType):
            self.mismatch(expression, left, right, "put in each other's place")
            return None
        wider = Simple.NUMBER if {left.type, right.type} == {Simple.INTEGER, Simple.NUMBER} else left.type
        wider = Simple.INSTANT if {left.type, right.type} == _TIMES else wider
        return Typed(tree.IfUnknown(left.tree, right.tree), wider)

    def arithmetic(self, expression: ast.Binary, left: Typed, right: Typed) -> Typed | None:
        """Check ``+`` and ``-``: numbers, durations, and a date or instant moved by a duration."""
        numbers = {Simple.INTEGER, Simple.NUMBER}
        both: set[Type] = {left.type, right.type}
        result: Type | None = None
        if both <= numbers:
            result = Simple.INTEGER if both == {Simple.INTEGER} else Simple.NUMBER
        elif both in ({Simple.DURATION}, {Simple.MONEY}) or (left.type in _TIMES and right.type is Simple.DURATION):
            result = left.type
        if result is None:
            hint = None
            if left.type in _TIMES and right.type in _TIMES:
                hint = "write `a > b + duration` instead of `a - b > duration`"
            message = f"`{expression.operator}` does not fit a {left.type} and a {right.type}"
            self.diagnostics.error("PE2103", message, expression.span, help=hint)
            return None
        if left.timed and left.type is Simple.INSTANT and not _is_exact(right.tree):
            # On the last days of a month an instant moved by months goes back at midnight.
            hint = (
                f"move it to the other side, such as `now {'<' if expression.operator is _B.PLUS else '>'} x + 1 month`"
            )
            message = "only weeks, days, hours and minutes, written out, can be added to `now` or taken from it"
            self.diagnostics.error("PE2107", message, expression.span, help=hint)
            return None
        operator = tree.Operator.PLUS if expression.operator is _B.PLUS else tree.Operator.MINUS
        return Typed(tree.Operation(operator, left.tree, right.tree), result, left.timed or right.timed)

    def negative(self, operand: Typed | None, span: Span) -> Typed | None:
        """Check ``-x`` as a subtraction from zero."""
        if operand is None:
            return None
        if isinstance(operand.tree, tree.Constant) and isinstance(operand.tree.value, Money):
            return Typed(tree.Constant(-operand.tree.value), Simple.MONEY)
        if operand.type not in {Simple.INTEGER, Simple.NUMBER}:
            self.diagnostics.error("PE2103", f"`-` does not fit a {operand.type}", span)
            return None
        return Typed(tree.Operation(tree.Operator.MINUS, tree.Constant(0), operand.tree), operand.type)

    def mismatch(self, expression: ast.Binary, left: Typed, right: Typed, verb: str) -> None:
        """Report two operands that do not go together."""
        hint = None
        if isinstance(left.type, EnumType) and right.type is Simple.TEXT:
            hint = f"write the word without quotes; {left.type} is one of {', '.join(left.type.members)}"
        self.diagnostics.error(
            "PE2102", f"a {left.type} and a {right.type} cannot be {verb}", expression.span, help=hint
        )


def _is_exact(duration: tree.Expression) -> bool:
    """Tell whether a duration surely holds no calendar months."""
    match duration:
        case tree.Constant(Duration(months=months)):
            return months == 0
        case tree.Operation(_, left, right):
            return _is_exact(left) and _is_exact(right)
        case _:
            return False
