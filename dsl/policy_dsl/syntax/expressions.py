"""lark tree → syntax tree for expressions and the small parts that declarations share."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from policy_dsl.diagnostics import Diagnostics
from policy_dsl.source import SourceFile, Span
from policy_dsl.syntax import ast
from policy_dsl.syntax.lark_parser import Cst, Token
from policy_dsl.values import Money, duration_of

_B = ast.BinaryOperator
_OPERATORS = {
    "equal": _B.IS,
    "not_equal": _B.IS_NOT,
    "in_set": _B.IN,
    "not_in_set": _B.NOT_IN,
    "contains": _B.CONTAINS,
    "starts_with": _B.STARTS_WITH,
    "plus": _B.PLUS,
    "minus": _B.MINUS,
    "if_unknown": _B.IF_UNKNOWN,
    "implication": _B.IF_THEN,
}
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}
LARGEST_COUNT = 1_000_000_000


class Expressions:
    """Builds expressions of one source file."""

    def __init__(self, source: SourceFile, diagnostics: Diagnostics) -> None:
        self.source = source
        self.diagnostics = diagnostics

    def expression(self, tree: Cst | Token) -> ast.Expression:
        """Build an expression."""
        if not isinstance(tree, Cst):
            raise TypeError(tree)
        span = self.span(tree)
        kind = str(tree.data)
        if kind in _OPERATORS:
            left, right = (self.expression(c) for c in tree.children)
            return ast.Binary(_OPERATORS[kind], left, right, span)
        return self._FORMS[kind](self, tree.children, span)

    # --- operators ---------------------------------------------------------------------------------

    def _junction(self, children: list[Any], span: Span, *, all_of: bool) -> ast.Expression:
        return ast.Junction(all_of, tuple(self.expression(c) for c in children), span)

    def _comparison(self, children: list[Any], span: Span) -> ast.Expression:
        left, operator, right = children
        return ast.Binary(ast.BinaryOperator(str(operator)), self.expression(left), self.expression(right), span)

    def _like(self, children: list[Any], span: Span) -> ast.Expression:
        pattern = self.text(children[1])
        return ast.Binary(_B.LIKE, self.expression(children[0]), ast.Literal(pattern.text, pattern.span), span)

    def _between(self, children: list[Any], span: Span) -> ast.Expression:
        operand, low, high = (self.expression(c) for c in children)
        return ast.Between(operand, low, high, span)

    # --- evidence and quantifiers --------------------------------------------------------------------

    def _has_evidence(self, children: list[Any], span: Span) -> ast.Expression:
        return ast.HasEvidence(self.name(children[0]), self.evidence(children[1]), span)

    def evidence(self, tree: Cst) -> ast.EvidencePattern:
        """Build the part after ``has evidence``."""
        name, *clauses, where = tree.children
        return self._pattern(name, clauses, where, self.span(tree))

    def _pattern(self, name: Token, clauses: list[Cst], where: Cst | None, span: Span) -> ast.EvidencePattern:
        signed_by, signers, max_age = None, 1, None
        for clause in clauses:
            match clause.data:
                case "signed_by":
                    signed_by = self.name(clause.children[0])
                case "signed_by_several":
                    signers, signed_by = self._signers(clause.children[0]), self.name(clause.children[1])
                case _:
                    max_age = self.expression(clause.children[0])
        for form in (("signed_by", "signed_by_several"), ("not_older_than",)):
            same = [c for c in clauses if c.data in form]
            if len(same) > 1:
                self.diagnostics.error(
                    "PE1006", f"the `{form[0].replace('_', ' ')}` clause stands twice", self.span(same[1])
                )
        return ast.EvidencePattern(self.name(name), signed_by, signers, max_age, self.optional_expression(where), span)

    def _signers(self, token: Token) -> int:
        found = self.count(token)
        if found < 1:
            self.diagnostics.error("PE1007", "evidence is signed by at least 1", self.token_span(token))
        return max(1, found)

    def _latest_field(self, children: list[Any], span: Span) -> ast.Expression:
        field, name, subject, *clauses = children
        return ast.LatestField(self.name(field), self.name(subject), self._pattern(name, clauses, None, span), span)

    def _quantified(self, children: list[Any], span: Span) -> ast.Expression:
        quantifier, members, body = children
        kind, binder, range_tree, where = members.children
        word = ast.QuantifierWord(str(quantifier.data).replace("_", " "))
        return ast.Quantified(
            word,
            self.count(quantifier.children[0]) if quantifier.children else None,
            self.name(kind),
            self.optional_name(binder),
            self._range(range_tree) if range_tree is not None else None,
            self.optional_expression(where),
            self._body(body) if body is not None else None,
            span,
        )

    def _count_of(self, children: list[Any], span: Span) -> ast.Expression:
        return self._aggregate(ast.AggregateWord.COUNT, None, children[0], span)

    def _aggregated(self, children: list[Any], span: Span) -> ast.Expression:
        word, operand, members = children
        named = ast.AggregateWord(str(word.data).removesuffix("_of"))
        return self._aggregate(named, self.expression(operand), members, span)

    def _aggregate(
        self, word: ast.AggregateWord, operand: ast.Expression | None, members: Cst, span: Span
    ) -> ast.Expression:
        kind, binder, range_tree, where = members.children
        return ast.Aggregate(
            word,
            operand,
            self.name(kind),
            self.optional_name(binder),
            self._range(range_tree) if range_tree is not None else None,
            self.optional_expression(where),
            span,
        )

    def _body(self, tree: Cst) -> "ast.Expression | ast.EvidencePattern":
        (inner,) = tree.children
        return self.evidence(inner) if tree.data == "evidence_body" else self.expression(inner)

    def _range(self, tree: Cst) -> ast.Range:
        span = self.span(tree)
        if tree.data == "path_range":
            anchor, *steps = tree.children
            path = tuple(ast.PathStep(self.name(s.children[0]), s.children[1] is not None) for s in steps)
            return ast.PathRange(self.name(anchor), path, span)
        direction, anchor, *clauses = tree.children
        found: dict[str, Cst] = {}
        for clause in clauses:
            if clause.data in found:
                self.diagnostics.error("PE1006", f"`{clause.data}` stands twice", self.span(clause))
            found[str(clause.data)] = clause
        return ast.LineageRange(
            direction.data == "upstream",
            self.name(anchor),
            self.names(found["via"].children[0]) if "via" in found else (),
            self.count(found["within"].children[0]) if "within" in found else None,
            self._through(found["through"]) if "through" in found else None,
            span,
        )

    def _through(self, tree: Cst) -> ast.Through:
        kind, binder, where = tree.children
        return ast.Through(
            self.name(kind), self.optional_name(binder), self.optional_expression(where), self.span(tree)
        )

    # --- atoms -------------------------------------------------------------------------------------

    def _path(self, children: list[Any], span: Span) -> ast.Expression:
        root, *steps = (self.name(c) for c in children)
        return ast.Path(root, tuple(steps), span)

    def _call(self, children: list[Any], span: Span) -> ast.Expression:
        name, *arguments = children
        called = self.dotted(name) if isinstance(name, Cst) else self.name(name)
        return ast.Call(called, tuple(self.expression(a) for a in arguments if a is not None), span)

    def _set(self, children: list[Any], span: Span) -> ast.Expression:
        return ast.SetLiteral(tuple(self.expression(c) for c in children if c is not None), span)

    def _text(self, children: list[Any], _: Span) -> ast.Expression:
        template = self.text(children[0])
        return ast.Literal(template.text, template.span)

    def _number(self, children: list[Any], span: Span) -> ast.Expression:
        return ast.Literal(self.count(children[0]), span)

    def _decimal(self, children: list[Any], span: Span) -> ast.Expression:
        return ast.Literal(Decimal(str(children[0])), span)

    def _percent(self, children: list[Any], span: Span) -> ast.Expression:
        return ast.Literal(Decimal(str(children[0])[:-1]).scaleb(-2), span)

    def _date_value(self, children: list[Any], span: Span) -> ast.Expression:
        return ast.Literal(self.date(children[0]), span)

    def _duration(self, children: list[Any], span: Span) -> ast.Expression:
        amount, unit = children
        found = duration_of(self.count(amount), str(unit))
        if found is None:
            raise ValueError(unit)  # the grammar lists the units
        return ast.Literal(found, span)

    _FORMS: dict[str, Callable[["Expressions", list[Any], Span], ast.Expression]] = {  # noqa: RUF012 - read only
        "disjunction": lambda self, c, s: self._junction(c, s, all_of=False),
        "conjunction": lambda self, c, s: self._junction(c, s, all_of=True),
        "negated": lambda self, c, s: ast.Not(self.expression(c[0]), s),
        "negative": lambda self, c, s: ast.Negative(self.expression(c[0]), s),
        "comparison": _comparison,
        "known": lambda self, c, s: ast.Known(self.expression(c[0]), False, s),
        "not_known": lambda self, c, s: ast.Known(self.expression(c[0]), True, s),
        "between": _between,
        "like": _like,
        "has_evidence": _has_evidence,
        "quantified": _quantified,
        "text": _text,
        "integer": _number,
        "decimal": _decimal,
        "percent": _percent,
        "true": lambda _, __, s: ast.Literal(True, s),
        "false": lambda _, __, s: ast.Literal(False, s),
        "date_value": _date_value,
        "duration": _duration,
        "money": lambda _, c, s: ast.Literal(Money(Decimal(str(c[0])), str(c[1])), s),
        "count_of": _count_of,
        "aggregated": _aggregated,
        "latest_field": _latest_field,
        "now": lambda _, __, s: ast.Now(False, s),
        "today": lambda _, __, s: ast.Now(True, s),
        "name": lambda self, c, s: ast.Name(self.name(c[0]), s),
        "dotted_path": _path,
        "call": _call,
        "set_literal": _set,
        "group": lambda self, c, _: self.expression(c[0]),
    }

    # --- parts ---------------------------------------------------------------------------------------

    def span(self, tree: Cst, default: Span | None = None) -> Span:
        """Return the place of a tree; an empty tree has none of its own."""
        meta = tree.meta
        if meta.empty:
            return default or Span(self.source.name, 0, 0)
        return Span(self.source.name, meta.start_pos, meta.end_pos)

    def token_span(self, token: Token) -> Span:
        """Return the place of a token."""
        return Span(self.source.name, token.start_pos or 0, token.end_pos or 0)

    def name(self, token: Token) -> ast.Identifier:
        """Build a name."""
        return ast.Identifier(str(token), self.token_span(token))

    def names(self, tree: Cst) -> tuple[ast.Identifier, ...]:
        """Build a list of names."""
        return tuple(self.name(c) for c in tree.children)

    def dotted(self, tree: Cst) -> ast.Identifier:
        """Build a name with dots."""
        return ast.Identifier(".".join(str(c) for c in tree.children), self.span(tree))

    def optional_name(self, token: Token | None) -> ast.Identifier | None:
        """Build a name that may be absent."""
        return self.name(token) if token is not None else None

    def optional_expression(self, tree: Cst | None) -> ast.Expression | None:
        """Build an expression that may be absent."""
        return self.expression(tree) if tree is not None else None

    def text(self, token: Token) -> ast.Template:
        """Build a text without its quotes and escapes."""
        inner = str(token)[1:-1]
        return ast.Template(re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[0]), inner), self.token_span(token))

    def count(self, token: Token) -> int:
        """Build a whole number; one too large to mean anything is reported."""
        digits = str(token).lstrip("0") or "0"
        if len(digits) > 10 or int(digits) > LARGEST_COUNT:
            self.diagnostics.error("PE1007", f"the number is larger than {LARGEST_COUNT}", self.token_span(token))
            return LARGEST_COUNT
        return int(digits)

    def date(self, tree: Cst) -> date | datetime:
        """Build a date or an instant; one that no calendar has is reported."""
        (token,) = tree.children
        written = str(token)
        try:
            if tree.data == "date":
                return date.fromisoformat(written)
            return datetime.fromisoformat(written.removesuffix("Z")).replace(tzinfo=UTC)
        except ValueError:
            self.diagnostics.error("PE1007", f"there is no date `{written}`", self.token_span(token))
            return date(1970, 1, 1)
