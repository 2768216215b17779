"""## What it does

Finds rules without a `remedy`.

## Why

A failure that nobody knows how to end is only bad news.

## Example

```policy
rule owned
    "Every model has an owner"
    severity high
    for each Model
    must
        model.owner is known
    otherwise "{model.name} has no owner"
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
    """Yield rules that do not say what to do."""
    for rule in subject.rules():
        if rule.remedy is None:
            message = f"rule `{rule.name.text}` does not say how to put things right"
            yield Finding(rule.name.span, message, 'add `remedy "…"` with who should do what')


RULE = LintRule("no-remedy", "PE8017", check, __doc__)
