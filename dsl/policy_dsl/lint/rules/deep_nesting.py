"""## What it does

Finds conditions in which more than three quantifiers, or more than four levels of `and` and `or`, stand in each
other.

## Why

Such a condition cannot be read aloud. A definition gives a part of it a name.

## Example

```policy
rule guarded
    "Every system has a guardrail"
    severity high
    for each System
    must
        every Agent in system.has_agent
            satisfies every Tool in agent.calls
                satisfies every Vendor in tool.supplied_by
                    satisfies some Contract in vendor.bound_by
    otherwise "{system.name} has no guardrail"
    remedy "Ask {system.owner} to add one to {system.name}"
```

## Use instead

```policy
define contracted(tool: Tool)
    "Every supplier is bound by a contract."
    as every Vendor in tool.supplied_by satisfies some Contract in vendor.bound_by

rule guarded
    "Every system has a guardrail"
    severity high
    for each System
    must
        every Agent in system.has_agent satisfies every Tool in agent.calls satisfies contracted(tool)
    otherwise "{system.name} has no guardrail"
    remedy "Ask {system.owner} to add one to {system.name}"
```

## Fix

There is none: only its author knows what is meant.
"""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from policy_dsl.lint.interface import Finding, LintRule, Subject
from policy_dsl.lint.walk import conditions
from policy_dsl.syntax import ast

_MOST_QUANTIFIERS = 3
_MOST_JUNCTIONS = 4


def check(subject: Subject) -> Iterator[Finding]:
    """Yield conditions that are too deep to follow."""
    for declaration in subject.logic():
        for condition in conditions(declaration):
            quantifiers, junctions = _depth(condition, ast.Quantified), _depth(condition, ast.Junction)
            if quantifiers > _MOST_QUANTIFIERS or junctions > _MOST_JUNCTIONS:
                message = f"{max(quantifiers, junctions)} levels of conditions stand in each other"
                yield Finding(condition.span, message, "give a part of it a name with `define`")


def _depth(node: Any, form: type[Any]) -> int:
    """Return how many nodes of a form stand in each other."""
    if isinstance(node, tuple):
        return max((_depth(item, form) for item in node), default=0)
    if not is_dataclass(node) or isinstance(node, type):
        return 0
    return int(isinstance(node, form)) + max((_depth(getattr(node, f.name), form) for f in fields(node)), default=0)


RULE = LintRule("deep-nesting", "PE8035", check, __doc__)
