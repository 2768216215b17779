"""## What it does

Finds exceptions that can never hold, and exceptions on the same condition as one before them.

## Why

Somebody relies on the exception, and will not get it.

## Example

```policy
rule owned
    "Every model has an owner"
    severity high
    for each Model
    must
        model.owner is known
    except archived when model.stage is retired and model.stage is production
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
    except archived when model.stage is retired
    otherwise "{model.name} has no owner"
    remedy "Name the owner of {model.name}"
```

## Fix

There is none: only its author knows what is meant.
"""

from collections.abc import Iterator

from policy_dsl.lint.interface import Finding, LintRule, Subject
from policy_dsl.lint.truth import never_true, settled
from policy_dsl.lint.walk import shape


def check(subject: Subject) -> Iterator[Finding]:
    """Yield exceptions that nothing can claim."""
    for rule in subject.rules():
        before = []
        for exception in rule.exceptions:
            condition = shape(exception.condition)
            if never_true(settled(exception.condition, subject, rule)) or condition in before:
                message = f"exception `{exception.label.text}` can never hold"
                if condition in before:
                    message = f"exception `{exception.label.text}` is on the same condition as one before it"
                yield Finding(exception.span, message, "take it out, or say what was meant")
            before.append(condition)


RULE = LintRule("idle-exception", "PE8037", check, __doc__)
