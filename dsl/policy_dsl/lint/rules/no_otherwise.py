"""## What it does

Finds rules without an `otherwise`.

## Why

The person who reads a failure needs a sentence about the thing that failed, not the name of a rule.

## Example

```policy
rule owned
    "Every model has an owner"
    severity high
    for each Model
    must
        model.owner is known
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
    """Yield rules that have nothing to say when they fail."""
    for rule in subject.rules():
        if rule.otherwise is None:
            message = f"rule `{rule.name.text}` does not say what is wrong when it fails"
            yield Finding(rule.name.span, message, 'add `otherwise "…"` with what failed in it')


RULE = LintRule("no-otherwise", "PE8016", check, __doc__)
