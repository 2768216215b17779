"""## What it does

Finds requirements of evidence that do not say how old it may be.

## Why

Evidence of ten years ago would show that all is well today.

## Example

```policy
rule documented
    "Every dataset has a current datasheet"
    severity high
    for each Dataset
    must
        dataset has evidence datasheet signed by data_steward
    otherwise "{dataset.name} has no current datasheet"
    remedy "Ask {dataset.owner} for a datasheet of {dataset.name}"
```

## Use instead

```policy
rule documented
    "Every dataset has a current datasheet"
    severity high
    for each Dataset
    must
        dataset has evidence datasheet signed by data_steward not older than 12 months
    otherwise "{dataset.name} has no current datasheet"
    remedy "Ask {dataset.owner} for a datasheet of {dataset.name}"
```

## Fix

There is none: only its author knows what is meant.
"""

from collections.abc import Iterator

from policy_dsl.lint.interface import Finding, LintRule, Subject
from policy_dsl.lint.walk import walk
from policy_dsl.syntax import ast


def check(subject: Subject) -> Iterator[Finding]:
    """Yield requirements of evidence that leave this open."""
    for declaration in subject.logic():
        for node in walk(declaration):
            if isinstance(node, ast.EvidencePattern) and node.max_age is None:
                message = f"evidence `{node.type.text}` may be of any age"
                yield Finding(node.span, message, "add `not older than` with a duration or a parameter")


RULE = LintRule("ageless-evidence", "PE8032", check, __doc__)
