"""## What it does

Finds definitions that nothing uses. In a pack without rules, which is a vocabulary for others, they are left alone.

## Why

What nobody uses is not tested either, and its readers think that it matters.

## Example

```policy
define in_use(system: System)
    "In use or about to be."
    as system.stage in {staging, production}

rule owned
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
define in_use(model: Model)
    "In use or about to be."
    as model.stage in {staging, production}

rule owned
    "Every model has an owner"
    severity high
    for each Model where in_use(model)
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
from policy_dsl.lint.walk import words


def check(subject: Subject) -> Iterator[Finding]:
    """Yield definitions whose names stand nowhere else."""
    if not any(subject.rules()):
        return
    readers = [(d, words(d)) for d in subject.readers()]
    for definition in subject.definitions():
        name = definition.name.text
        if not any(name in named for d, named in readers if d is not definition):
            yield Finding(definition.name.span, f"definition `{name}` is never used", "use it, or take it out")


RULE = LintRule("unused-definition", "PE8014", check, __doc__)
