"""## What it does

Finds durations that stand more than once in the rules and definitions of a pack.

## Why

An interval that is a choice should be named, described and set in one place, as a parameter.

## Example

```policy
rule models_approved
    "Every model was approved lately"
    severity high
    for each Model
    must
        model has evidence approval signed by risk_owner not older than 12 months
    otherwise "{model.name} was not approved in a year"
    remedy "Ask {model.owner} to have it approved"

rule systems_approved
    "Every system was approved lately"
    severity high
    for each System
    must
        system has evidence approval signed by risk_owner not older than 12 months
    otherwise "{system.name} was not approved in a year"
    remedy "Ask {system.owner} to have it approved"
```

## Use instead

```policy
parameter approval_age: Duration = 12 months
    "How old an approval may be."

rule models_approved
    "Every model was approved lately"
    severity high
    for each Model
    must
        model has evidence approval signed by risk_owner not older than approval_age
    otherwise "{model.name} was not approved in {approval_age}"
    remedy "Ask {model.owner} to have it approved"

rule systems_approved
    "Every system was approved lately"
    severity high
    for each System
    must
        system has evidence approval signed by risk_owner not older than approval_age
    otherwise "{system.name} was not approved in {approval_age}"
    remedy "Ask {system.owner} to have it approved"
```

## Fix

There is none: only its author knows what is meant.
"""

from collections.abc import Iterator

from policy_dsl.lint.interface import Finding, LintRule, Subject
from policy_dsl.lint.walk import walk
from policy_dsl.syntax import ast
from policy_dsl.values import Duration


def check(subject: Subject) -> Iterator[Finding]:
    """Yield durations that were written out before."""
    seen: set[Duration] = set()
    for declaration in subject.logic():
        for node in walk(declaration):
            if isinstance(node, ast.Literal) and isinstance(node.value, Duration):
                if node.value in seen:
                    message = f"`{node.value}` is written out more than once"
                    yield Finding(node.span, message, "declare a parameter of type Duration and use it in each place")
                seen.add(node.value)


RULE = LintRule("repeated-duration", "PE8026", check, __doc__)
