"""## What it does

Finds remedies without a placeholder, which name neither a person nor a thing.

## Why

"Fix the documentation" leaves open whose and which.

## Example

```policy
rule owned
    "Every model has an owner"
    severity high
    for each Model
    must
        model.owner is known
    otherwise "{model.name} has no owner"
    remedy "Name an owner"
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
from policy_dsl.lint.walk import placeholders


def check(subject: Subject) -> Iterator[Finding]:
    """Yield remedies that name nothing of the case at hand."""
    for rule in subject.rules():
        if rule.remedy is not None and not placeholders(rule.remedy):
            message = f"the remedy of rule `{rule.name.text}` names neither a person nor a thing"
            yield Finding(rule.remedy.span, message, "say who or what is meant, such as `{system.owner}`")


RULE = LintRule("vague-remedy", "PE8018", check, __doc__)
