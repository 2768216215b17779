"""## What it does

Finds rules whose conditions hold more than twelve operands of `and` and `or` together.

## Why

A rule that asks twelve things fails for twelve reasons, and its title can name only one.

## Example

```policy
rule owned
    "Every model has an owner"
    severity high
    for each Model
    must
        model.owner is known
        and model.version is known
        and model.digest is known
        and model.licence is known
        and model.region is known
        and model.stage is known
        and model.task is known
        and model.approach is known
        and model.architecture is known
        and model.modality is known
        and model.description is known
        and model.name is known
        and model.aggregate is known
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
        and model.version is known
    otherwise "{model.name} has no owner"
    remedy "Name the owner of {model.name}"
```

## Fix

There is none: only its author knows what is meant.
"""

from collections.abc import Iterator

from policy_dsl.lint.interface import Finding, LintRule, Subject
from policy_dsl.lint.walk import conditions, walk
from policy_dsl.syntax import ast

_MOST = 12


def check(subject: Subject) -> Iterator[Finding]:
    """Yield rules that ask too much at once."""
    for rule in subject.rules():
        junctions = (n for c in conditions(rule) for n in walk(c) if isinstance(n, ast.Junction))
        count = sum(len(j.operands) for j in junctions)
        if count > _MOST:
            message = f"rule `{rule.name.text}` joins {count} conditions"
            yield Finding(rule.name.span, message, "divide it, or give parts of it names with `define`")


RULE = LintRule("long-rule", "PE8036", check, __doc__)
