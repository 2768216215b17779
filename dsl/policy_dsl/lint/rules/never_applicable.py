"""## What it does

Finds rules whose `where` can never be true.

## Why

Such a rule is never applicable to anything, and its silence looks like compliance.

## Example

```policy
rule owned
    "Every model has an owner"
    severity high
    for each Model where model.stage is retired and model.stage in {staging, production}
    must
        model.owner is known
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
from policy_dsl.lint.truth import never_true, settled


def check(subject: Subject) -> Iterator[Finding]:
    """Yield rules that are about nothing."""
    for rule in subject.rules():
        where = rule.for_each.where
        if where is not None and never_true(settled(where, subject, rule)):
            message = f"rule `{rule.name.text}` can never be applicable"
            yield Finding(where.span, message, "look for the part that contradicts another")


RULE = LintRule("never-applicable", "PE8021", check, __doc__)
