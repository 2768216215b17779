"""## What it does

Finds comparisons in a requirement in which the value that stands in for an unknown one meets the comparison.

## Why

A thing about which nothing is known would pass.

## Example

```policy
rule accurate
    "Every model declares an accuracy of 80 percent"
    severity high
    for each Model
    must
        (model.declared_accuracy if unknown then 1) >= 80%
    otherwise "{model.name} declares less"
    remedy "Ask {model.owner} to improve {model.name}"
```

## Use instead

```policy
rule accurate
    "Every model declares an accuracy of 80 percent"
    severity high
    for each Model
    must
        (model.declared_accuracy if unknown then 0) >= 80%
    otherwise "{model.name} declares less"
    remedy "Ask {model.owner} to improve {model.name}"
```

## Fix

There is none: only its author knows what is meant.
"""

from collections.abc import Iterator
from dataclasses import replace

from policy_dsl.lint.interface import Finding, LintRule, Subject
from policy_dsl.lint.truth import never_false, never_true
from policy_dsl.lint.walk import walk
from policy_dsl.syntax import ast


def check(subject: Subject) -> Iterator[Finding]:
    """Yield comparisons that a stand-in decides in favour."""
    for rule in subject.rules():
        decides = never_true if isinstance(rule.requirement, ast.Not) else never_false
        for node in walk(rule.requirement):
            match node:
                case ast.Binary(_, ast.Binary(ast.BinaryOperator.IF_UNKNOWN, _, default)):
                    if decides(replace(node, left=default)):
                        message = "the value that stands in for an unknown one meets the requirement"
                        yield Finding(node.span, message, "leave it unknown, or let a value stand in that does not")


RULE = LintRule("default-meets-requirement", "PE8025", check, __doc__)
