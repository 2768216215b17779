"""## What it does

Finds rules with an interval of their own that does not meet the interval of their pack, and rules that repeat it.

## Why

An interval that lies before the pack begins is most often a slip of a year.

## Example

```policy
policy demo.times
    version "1.0.0"
    applies from 2027-01-01

use std.ai

rule owned
    "Every model has an owner"
    severity high
    applies from 2020-01-01 until 2021-01-01
    for each Model
    must
        model.owner is known
    otherwise "{model.name} has no owner"
    remedy "Name the owner of {model.name}"
```

## Use instead

```policy
policy demo.times
    version "1.0.0"
    applies from 2027-01-01

use std.ai

rule owned
    "Every model has an owner"
    severity high
    applies from 2027-06-01
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
from datetime import datetime

from policy_dsl.lint.interface import Finding, LintRule, Subject
from policy_dsl.lint.walk import shape
from policy_dsl.syntax import ast
from policy_dsl.values import LAST_INSTANT, instant


def check(subject: Subject) -> Iterator[Finding]:
    """Yield intervals apart from that of the pack, or equal to it."""
    pack = subject.header.applies
    if pack is None:
        return
    for rule in subject.rules():
        own = rule.applies
        if own is None:
            continue
        if shape(own) == shape(pack):
            yield Finding(own.span, "the pack says this already", "take the clause out")
        elif not _meet(own, pack):
            message = f"rule `{rule.name.text}` is in force only outside the time of its pack"
            yield Finding(own.span, message, "check the dates, or move the rule to a pack of its own")


def _meet(one: ast.Applies, other: ast.Applies) -> bool:
    return instant(one.start) < _end(other) and instant(other.start) < _end(one)


def _end(interval: ast.Applies) -> datetime:
    return instant(interval.end) if interval.end is not None else LAST_INSTANT


RULE = LintRule("applies-outside-pack", "PE8038", check, __doc__)
