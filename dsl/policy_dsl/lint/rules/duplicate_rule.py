"""## What it does

Finds rules of a pack that are about the same things and ask the same of them, with the same exceptions.

## Why

One failure would be reported twice, and a change to one of the two forgets the other.

## Example

```policy
rule owned
    "Every model has an owner"
    severity high
    for each Model
    must
        model.owner is known
    otherwise "{model.name} has no owner"
    remedy "Name the owner of {model.name}"

rule has_owner
    "Every model has an owner"
    severity high
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
from typing import Any

from policy_dsl.lint.interface import Finding, LintRule, Subject
from policy_dsl.lint.walk import shape


def check(subject: Subject) -> Iterator[Finding]:
    """Yield rules equal to one before them."""
    seen: dict[Any, str] = {}
    for rule in subject.rules():
        asked = shape((rule.for_each, rule.requirement, rule.exceptions, rule.applies))
        if asked in seen:
            message = f"rule `{rule.name.text}` asks the same as `{seen[asked]}`"
            yield Finding(rule.name.span, message, "keep one of them")
        else:
            seen[asked] = rule.name.text


RULE = LintRule("duplicate-rule", "PE8039", check, __doc__)
