"""## What it does

Finds a `where` or `satisfies` without brackets that takes in an operand of `and` or `or` that does not speak of the
things it is about. The same is found in the `where` of evidence.

## Why

`some X where a or b` means `some X where (a or b)`. Who meant `(some X where a) or b` gets another rule, and one that
passes more easily.

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

from collections.abc import Iterator

from policy_dsl.lint.interface import Finding, LintRule, Subject
from policy_dsl.lint.walk import binder_of, walk
from policy_dsl.syntax import ast


def check(subject: Subject) -> Iterator[Finding]:
    """Yield conditions that have swallowed a neighbour."""
    for declaration in subject.logic():
        for node in walk(declaration):
            if isinstance(node, (ast.Quantified, ast.Aggregate)):
                variable = binder_of(node)
                last = node.body if isinstance(node, ast.Quantified) and node.body is not None else node.where
                if isinstance(last, ast.Junction) and not _in_brackets(subject, last):
                    yield from (_finding(o, variable) for o in last.operands if not _speaks_of(o, variable))
            elif isinstance(node, ast.EvidencePattern) and isinstance(where := node.where, ast.Junction):
                strangers = (o for o in where.operands if not _speaks_of_field(o) and not _in_brackets(subject, where))
                yield from (_finding(o, "the evidence") for o in strangers)


def _finding(operand: ast.Expression, about: str) -> Finding:
    message = f"the condition before takes this in, though it is not about `{about}`"
    return Finding(operand.span, message, "put brackets around what belongs together")


def _speaks_of(operand: ast.Expression, variable: str) -> bool:
    return any(isinstance(n, ast.Identifier) and n.text.split(".")[0] == variable for n in walk(operand))


def _speaks_of_field(operand: ast.Expression) -> bool:
    return any(isinstance(n, ast.Name) for n in walk(operand))


def _in_brackets(subject: Subject, node: ast.Junction) -> bool:
    """Tell whether a condition stands in brackets of its own."""
    text = subject.source.text
    return text[: node.span.start].rstrip().endswith("(") and text[node.span.end :].lstrip().startswith(")")


RULE = LintRule("greedy-where", "PE8030", check, __doc__)
