"""## What it does

Finds a `where` or `satisfies` without brackets that takes in an operand of `and` or `or` that does not speak of the
things it is about. The same is found in the `where` of evidence: an operand that names no field of that evidence, such
as other evidence or an attribute of a thing.

## Why

`some X where a or b` means `some X where (a or b)`. Who meant `(some X where a) or b` gets another rule, and one that
passes more easily. `system has evidence t where a or system has evidence u` even asks for `u` in vain where there is no
`t` at all.

## Example

```policy
rule guarded
    "Every system has a guardrail"
    severity high
    for each System
    must
        some Guardrail in system.guarded_by where guardrail.owner is known or system.stage is retired
    otherwise "{system.name} has no guardrail"
    remedy "Ask {system.owner} to add one to {system.name}"
```

## Use instead

```policy
rule guarded
    "Every system has a guardrail"
    severity high
    for each System
    must
        (some Guardrail in system.guarded_by where guardrail.owner is known) or system.stage is retired
    otherwise "{system.name} has no guardrail"
    remedy "Ask {system.owner} to add one to {system.name}"
```

## Fix

There is none: only its author knows what is meant.
"""

from collections.abc import Callable, Container, Iterator
from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from functools import partial
from typing import Any

from policy_dsl.lint.interface import Finding, LintRule, Subject
from policy_dsl.lint.walk import binder_of, in_brackets, walk
from policy_dsl.syntax import ast


def check(subject: Subject) -> Iterator[Finding]:
    """Yield conditions that have swallowed a neighbour."""
    for declaration in subject.logic():
        for node in walk(declaration):
            match node:
                case ast.Quantified() | ast.Aggregate():
                    variable = binder_of(node)
                    last = node.body if isinstance(node, ast.Quantified) and node.body is not None else node.where
                    yield from _strangers(subject, last, partial(_speaks_of, variable), f"`{variable}`")
                case ast.EvidencePattern(type=name, where=where):
                    fields = subject.program.schema.evidence[name.text].fields
                    yield from _strangers(subject, where, partial(_speaks_of_field, fields), f"evidence `{name.text}`")


def _strangers(subject: Subject, condition: object, is_about: Callable[[Any], bool], about: str) -> Iterator[Finding]:
    """Yield the operands of a condition that are about something else, and those of a junction in it."""
    if isinstance(condition, ast.Junction) and not in_brackets(subject, condition.span):
        for operand in condition.operands:
            if isinstance(operand, ast.Junction) and not in_brackets(subject, operand.span):
                yield from _strangers(subject, operand, is_about, about)
            elif not is_about(operand):
                message = f"the condition before takes this in, though it is not about {about}"
                yield Finding(operand.span, message, "put brackets around what belongs together")


def _speaks_of(variable: str, operand: ast.Expression) -> bool:
    return any(isinstance(n, ast.Identifier) and n.text.split(".")[0] == variable for n in walk(operand))


def _speaks_of_field(fields: Container[str], node: Any) -> bool:
    """Tell whether a condition names a field; the names in the `where` of other evidence are fields of that."""
    match node:
        case ast.EvidencePattern():
            return False
        case ast.Name(name):
            return name.text in fields
        case tuple():
            return any(_speaks_of_field(fields, part) for part in node)
        case _ if is_dataclass(node) and not isinstance(node, type):
            return any(_speaks_of_field(fields, getattr(node, f.name)) for f in dataclass_fields(node))
        case _:
            return False


RULE = LintRule("greedy-where", "PE8030", check, __doc__)
