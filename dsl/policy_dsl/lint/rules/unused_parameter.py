"""## What it does

Finds parameters that no rule and no definition uses, in this pack or one that uses it.

## Why

An organisation would set the parameter and believe that it had changed something.

## Example

```policy
parameter longest_age: Duration = 12 months
    "How old an assessment may be."
```

## Use instead

```policy
parameter longest_age: Duration = 12 months
    "How old an assessment may be."

rule assessed
    "Every model was assessed lately"
    severity high
    for each Model
    must
        model has evidence approval signed by risk_owner not older than longest_age
    otherwise "{model.name} was not assessed in {longest_age}"
    remedy "Ask {model.owner} to have {model.name} assessed"
```

## Fix

There is none: only its author knows what is meant.
"""

from collections.abc import Iterator

from policy_dsl.lint.interface import Finding, LintRule, Subject
from policy_dsl.lint.walk import words


def check(subject: Subject) -> Iterator[Finding]:
    """Yield parameters whose names stand nowhere else."""
    readers = [(d, words(d)) for d in subject.readers()]
    for parameter in subject.parameters():
        name = parameter.name.text
        if not any(name in named for d, named in readers if d is not parameter):
            yield Finding(parameter.name.span, f"parameter `{name}` is never used", "use it, or take it out")


RULE = LintRule("unused-parameter", "PE8013", check, __doc__)
