"""## What it does

Finds rules without a `severity`.

## Why

Without one a rule counts as medium, which nobody has decided.

## Example

```policy
rule owned
    "Every model has an owner"
    for each Model
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


def check(subject: Subject) -> Iterator[Finding]:
    """Yield rules that leave their severity open."""
    for rule in subject.rules():
        if rule.severity is None:
            message = f"rule `{rule.name.text}` has no severity"
            yield Finding(rule.name.span, message, "add `severity` with critical, high, medium or low")


RULE = LintRule("no-severity", "PE8028", check, __doc__)
