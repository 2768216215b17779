"""## What it does

Finds `not` before an attribute that has no default, unless the same `and` or `or` asks whether it is known.

## Why

Where the attribute is not stated, `not` of it is unknown too. Readers take `not x` for "x is not stated".

## Example

```policy
rule owned
    "Every model has an owner"
    severity high
    for each Model where not model.general_purpose
    must
        model.owner is known
    otherwise "{model.name} has no owner"
    remedy "Name the owner of {model.name}"
```

## Use instead

```policy
rule owned
    "Every model has an owner"
    severity high
    for each Model where model.general_purpose is known and not model.general_purpose
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
from policy_dsl.lint.walk import may_be_unknown, shape, variables, walk
from policy_dsl.syntax import ast


def check(subject: Subject) -> Iterator[Finding]:
    """Yield negations of attributes that may be missing and are not asked for."""
    for declaration in subject.logic():
        kinds = variables(declaration)
        asked = {shape(n.operand) for n in walk(declaration) if isinstance(n, ast.Known)}
        # A `must not` is a negated requirement: what it negates is the whole point of the rule.
        whole = declaration.requirement if isinstance(declaration, ast.Rule) else None
        for node in walk(declaration):
            if not isinstance(node, ast.Not) or node is whole or shape(node.operand) in asked:
                continue
            if may_be_unknown(node.operand, kinds, subject):
                message = "`not` of a fact that may be unknown is unknown"
                yield Finding(
                    node.span, message, "say `… is known and not …`, `if unknown then …`, or give it a default"
                )


RULE = LintRule("negated-unknown", "PE8022", check, __doc__)
