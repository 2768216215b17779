"""## What it does

Finds conditions that are always true or can never be true, whatever the facts are: comparisons of values written out,
a value compared with itself, and conditions in one `and` or `or` that contradict or complete each other.

## Why

A requirement that always holds checks nothing, and one that never holds cannot be met.

## Example

```policy
rule owned
    "Every model has an owner"
    severity high
    for each Model
    must
        model.owner is known or model.owner is unknown
    otherwise "{model.name} has no owner"
    remedy "Name the owner of {model.name}"
```

## Use instead

```policy
rule owned
    "Every model has an owner"
    severity high
    for each Model
    must
        model.owner is known
    otherwise "{model.name} has no owner"
    remedy "Name the owner of {model.name}"
```

## Fix

There is none: only its author knows what is meant.
"""

from collections.abc import Iterator

from policy_dsl.lint.interface import Finding, LintRule, Subject
from policy_dsl.lint.truth import never_false, never_true, settled
from policy_dsl.lint.walk import conditions, walk
from policy_dsl.source import Span
from policy_dsl.syntax import ast


def check(subject: Subject) -> Iterator[Finding]:
    """Yield the largest constant conditions, but those that other rules speak of."""
    for declaration in subject.logic():
        special: list[Span] = []
        if isinstance(declaration, ast.Rule):
            special = [e.condition.span for e in declaration.exceptions]
            special += [declaration.for_each.where.span] if declaration.for_each.where is not None else []
        for written in conditions(declaration):
            condition = settled(written, subject, declaration)
            if not (condition.span in special and never_true(condition)):
                yield from _constant(condition)


def _constant(condition: ast.Expression) -> Iterator[Finding]:
    if never_true(condition):
        yield Finding(condition.span, "this can never be true", "look for the part that contradicts another")
    elif never_false(condition):
        yield Finding(condition.span, "this is never false", "take it out, or ask what was meant")
    else:
        for part in _parts(condition):
            yield from _constant(part)


def _parts(condition: ast.Expression) -> Iterator[ast.Expression]:
    """Yield the conditions directly below one; values are no conditions."""
    match condition:
        case ast.Junction(_, operands, _):
            yield from operands
        case ast.Not(operand, _):
            yield operand
        case ast.Binary(ast.BinaryOperator.IF_THEN, left, right, _):
            yield from (left, right)
        case ast.Literal() | ast.Name() | ast.Path():
            return
        case _:
            inner = (w for n in walk(condition) if isinstance(n, _WITH_CONDITIONS) for w in (n.where,) if w is not None)
            yield from inner
            if isinstance(condition, ast.Quantified) and isinstance(condition.body, ast.Expression):
                yield condition.body


_WITH_CONDITIONS = (ast.Quantified, ast.Aggregate, ast.Through, ast.EvidencePattern)


RULE = LintRule("constant-condition", "PE8020", check, __doc__)
