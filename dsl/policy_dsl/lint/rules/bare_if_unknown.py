"""## What it does

Finds an `if unknown then` without brackets on either side of a comparison.

## Why

`if unknown then` binds more tightly than a comparison: `x if unknown then y is not true` compares `x`, or `y` in its
place, with `true`. It does not say that an unknown `x` counts as `y is not true`. Both readings are conditions, and the
reader cannot see which one is meant.

## Example

```policy
rule owned
    "Every system that people deal with has an owner"
    severity high
    for each System where system.interacts_with_persons if unknown then system.used_at_work is not true
    must
        system.owner is known
    otherwise "{system.name} has no owner"
    remedy "Name the owner of {system.name}"
```

## Use instead

```policy
rule owned
    "Every system that people deal with has an owner"
    severity high
    for each System where system.interacts_with_persons if unknown then (system.used_at_work is not true)
    must
        system.owner is known
    otherwise "{system.name} has no owner"
    remedy "Name the owner of {system.name}"
```

## Fix

There is none: only its author knows what is meant.
"""

from collections.abc import Iterator

from policy_dsl.lint.interface import Finding, LintRule, Subject
from policy_dsl.lint.walk import in_brackets, walk
from policy_dsl.syntax import ast

_B = ast.BinaryOperator
_NOT_COMPARING = frozenset({_B.PLUS, _B.MINUS, _B.IF_UNKNOWN, _B.IF_THEN})


def check(subject: Subject) -> Iterator[Finding]:
    """Yield values with a stand-in that are compared without brackets."""
    for declaration in subject.logic():
        for node in walk(declaration):
            for operand in _compared(node):
                is_stand_in = isinstance(operand, ast.Binary) and operand.operator is _B.IF_UNKNOWN
                if is_stand_in and not in_brackets(subject, operand.span):
                    message = "`if unknown then` belongs to one side of this comparison, not to the whole of it"
                    yield Finding(operand.span, message, "put brackets around what belongs together")


def _compared(node: object) -> tuple[ast.Expression, ...]:
    match node:
        case ast.Binary(operator, left, right) if operator not in _NOT_COMPARING:
            return left, right
        case ast.Between(operand, low, high):
            return operand, low, high
        case ast.Known(operand):
            return (operand,)
        case _:
            return ()


RULE = LintRule("bare-if-unknown", "PE8045", check, __doc__)
