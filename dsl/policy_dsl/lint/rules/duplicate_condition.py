"""## What it does

Finds a condition that stands twice in one `and` or `or`.

## Why

The second one does nothing, and is often a slip: another attribute was meant.

## Example

```policy
rule owned
    "Every model has an owner"
    severity high
    for each Model
    must
        model.owner is known and model.owner is known
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
        model.owner is known and model.version is known
    otherwise "{model.name} has no owner"
    remedy "Name the owner of {model.name}"
```

## Fix

There is none: only its author knows what is meant.
"""

from collections.abc import Iterator

from policy_dsl.lint.interface import Finding, LintRule, Subject
from policy_dsl.lint.walk import shape, walk
from policy_dsl.syntax import ast


def check(subject: Subject) -> Iterator[Finding]:
    """Yield operands equal to one before them."""
    for declaration in subject.logic():
        for node in walk(declaration):
            if not isinstance(node, ast.Junction):
                continue
            shapes = [shape(o) for o in node.operands]
            for at, operand in enumerate(node.operands):
                if shapes[at] in shapes[:at]:
                    yield Finding(
                        operand.span, "this condition stands here already", "take it out, or say what was meant"
                    )


RULE = LintRule("duplicate-condition", "PE8033", check, __doc__)
