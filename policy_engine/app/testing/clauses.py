"""The clauses of a rule or definition: which part of the checked tree each condition of its text became.

The checked tree knows no places, so the two trees are walked side by side. Where they do not go together, as with sugar
that the checker has taken apart, the walk stops and the condition counts as one clause.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from policy_dsl.source import Span
from policy_dsl.syntax import ast
from policy_dsl.typed import tree


class Part(StrEnum):
    """What a clause is to the rule."""

    SCOPE = "where"
    EXCEPTION = "exception"
    REQUIREMENT = "requirement"
    BODY = "definition"
    OPERAND = "operand"
    CONDITION = "condition"
    EVIDENCE = "evidence"


@dataclass(frozen=True, slots=True)
class Clause:
    """A condition of the text and what it became."""

    part: Part
    span: Span
    checked: tree.Expression


def rule_clauses(rule: tree.Rule) -> Iterator[Clause]:
    """Yield the clauses of a rule in the order of its text."""
    syntax = rule.syntax
    if syntax.for_each.where is not None and rule.where is not None:
        yield from _clauses(Part.SCOPE, syntax.for_each.where, rule.where)
    yield from _clauses(Part.REQUIREMENT, syntax.requirement, rule.requirement)
    for written, exemption in zip(syntax.exceptions, rule.exemptions, strict=True):
        yield from _clauses(Part.EXCEPTION, written.condition, exemption.condition)


def definition_clauses(definition: tree.Definition) -> Iterator[Clause]:
    """Yield the clauses of a definition that is true or false."""
    yield from _clauses(Part.BODY, definition.syntax.body, definition.body)


def _clauses(part: Part, syntax: ast.Expression, checked: tree.Expression) -> Iterator[Clause]:
    yield Clause(part, syntax.span, checked)
    yield from _inside(syntax, checked)


def _inside(syntax: ast.Expression, checked: tree.Expression) -> Iterator[Clause]:
    match syntax, checked:
        case ast.Junction(_, written, _), tree.And(parts) | tree.Or(parts) if len(written) == len(parts):
            for one, other in zip(written, parts, strict=True):
                yield from _clauses(Part.OPERAND, one, other)
        case ast.Not(inner, _), tree.Not(operand):
            yield from _inside(inner, operand)
        case ast.Binary(ast.BinaryOperator.IF_THEN, left, right), tree.Or((tree.Not(premise), conclusion)):
            yield from _clauses(Part.OPERAND, left, premise)
            yield from _clauses(Part.OPERAND, right, conclusion)
        case ast.HasEvidence(_, pattern, _), tree.HasEvidence():
            yield from _fields(pattern, checked)
        case ast.Quantified(), tree.Count():
            yield from _quantified(syntax, checked)
        case ast.Binary(_, left, right), tree.Operation(_, one, other) | tree.Not(tree.Operation(_, one, other)):
            yield from _aggregated(left, one)
            yield from _aggregated(right, other)
        case _:
            return


def _aggregated(syntax: ast.Expression, checked: tree.Expression) -> Iterator[Clause]:
    if isinstance(syntax, ast.Aggregate) and isinstance(checked, tree.Aggregate) and syntax.where is not None:
        yield from _clauses(Part.CONDITION, syntax.where, checked.condition)


def _quantified(syntax: ast.Quantified, count: tree.Count) -> Iterator[Clause]:
    if isinstance(syntax.range, ast.LineageRange) and isinstance(count.range, tree.LineageRange):
        through, barrier = syntax.range.through, count.range.barrier
        if through is not None and through.where is not None and barrier is not None:
            yield from _clauses(Part.CONDITION, through.where, barrier.condition)
    where, body = _parts(syntax, count.condition)
    if syntax.where is not None and where is not None:
        yield from _clauses(Part.CONDITION, syntax.where, where)
    if isinstance(syntax.body, ast.EvidencePattern) and isinstance(body, tree.HasEvidence):
        yield Clause(Part.EVIDENCE, syntax.body.span, body)
        yield from _fields(syntax.body, body)
    elif syntax.body is not None and not isinstance(syntax.body, ast.EvidencePattern) and body is not None:
        yield from _clauses(Part.CONDITION, syntax.body, body)


def _parts(syntax: ast.Quantified, condition: tree.Expression) -> tuple[tree.Expression | None, tree.Expression | None]:
    """Take apart what a quantifier counts: its ``where`` and its body, which ``every`` counts the breaches of."""
    where: tree.Expression | None = None
    body: tree.Expression | None = condition
    if syntax.where is not None and syntax.body is not None:
        if not isinstance(condition, tree.And) or len(condition.operands) != 2:
            return None, None
        where, body = condition.operands
    elif syntax.where is not None:
        where, body = condition, None
    if syntax.word is ast.QuantifierWord.EVERY:
        body = body.operand if isinstance(body, tree.Not) else None
    return where, body


def _fields(pattern: ast.EvidencePattern, checked: tree.HasEvidence) -> Iterator[Clause]:
    if pattern.where is not None and checked.where is not None:
        yield from _clauses(Part.CONDITION, pattern.where, checked.where)
