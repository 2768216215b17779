"""## What it does

Finds requirements of evidence that do not say in which role its signer must be.

## Why

Anybody whom the trust file knows could sign it, also the person whose work it is about.

## Example

```policy
rule documented
    "Every dataset has a current datasheet"
    severity high
    for each Dataset
    must
        dataset has evidence datasheet not older than 12 months
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
            if isinstance(node, ast.EvidencePattern) and node.signed_by is None:
                message = f"evidence `{node.type.text}` may be signed by anybody"
                yield Finding(node.span, message, "add `signed by` with a role")


RULE = LintRule("unsigned-evidence", "PE8031", check, __doc__)
