"""## What it does

Finds `if unknown then true` in a requirement, and `if unknown then false` in a `must not`.

## Why

A fact that nobody has looked up would count as compliant. Nothing may pass silently.

## Example

```policy
rule marked
    "Every system marks its output"
    severity high
    for each System
    must
        system.marks_output if unknown then true
    otherwise "{system.name} does not mark its output"
    remedy "Ask {system.owner} to mark the output of {system.name}"
```

## Use instead

```policy
rule marked
    "Every system marks its output"
    severity high
    for each System
    must
        system.marks_output if unknown then false
    otherwise "{system.name} does not mark its output"
    remedy "Ask {system.owner} to mark the output of {system.name}"
```

## Fix

There is none: only its author knows what is meant.
"""

from collections.abc import Iterator

from policy_dsl.lint.interface import Finding, LintRule, Subject
from policy_dsl.lint.walk import walk
from policy_dsl.syntax import ast


def check(subject: Subject) -> Iterator[Finding]:
    """Yield defaults that turn what is unknown into what is asked for."""
    for rule in subject.rules():
        negated = isinstance(rule.requirement, ast.Not)
        for node in walk(rule.requirement):
            match node:
                case ast.Binary(ast.BinaryOperator.IF_UNKNOWN, _, ast.Literal(value)) if value is not negated:
                    if isinstance(value, bool):
                        message = "what is not known counts as compliant here"
                        yield Finding(node.span, message, "leave it unknown, or let it count as not met")


RULE = LintRule("unknown-passes", "PE8024", check, __doc__)
