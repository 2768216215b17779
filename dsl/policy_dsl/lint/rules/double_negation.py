"""## What it does

Finds negations of negations: `not not x`, `not (x is not y)`, `not (no X …)`, and `must not` before `not`.

## Why

Nobody hears a double negation right when a rule is read aloud.

## Example

```policy
rule owned
    "Every model has an owner"
    severity high
    for each Model
    must
        not (model.stage is not production)
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
    otherwise "{model.name} has no owner"
    remedy "Name the owner of {model.name}"
```

## Fix

`not not` is taken out where nothing stands between the two words. Other forms are left to the author.
"""

import re
from collections.abc import Iterator

from policy_dsl.lint.interface import Edit, Finding, LintRule, Subject
from policy_dsl.lint.walk import conditions, walk
from policy_dsl.syntax import ast

_TWICE = re.compile(r"(?:must\s+)?(?P<both>not\s+(?P<second>not)\s+)")


def check(subject: Subject) -> Iterator[Finding]:
    """Yield negations of what is negated already."""
    for declaration in subject.logic():
        for condition in conditions(declaration):
            for node in walk(condition):
                if isinstance(node, ast.Not) and _is_negative(node.operand):
                    yield Finding(node.span, "a negation of a negation", "say it without either", _edits(subject, node))


def _is_negative(operand: ast.Expression) -> bool:
    match operand:
        case ast.Not() | ast.Quantified(ast.QuantifierWord.NO):
            return True
        case ast.Binary(operator):
            return operator in {ast.BinaryOperator.IS_NOT, ast.BinaryOperator.NOT_IN}
        case _:
            return False


def _edits(subject: Subject, node: ast.Not) -> tuple[Edit, ...]:
    """Return the edit that takes two neighbouring words `not` out, also after `must`."""
    found = _TWICE.match(subject.source.text, node.span.start)
    if found is None or not isinstance(node.operand, ast.Not) or found.start("second") != node.operand.span.start:
        return ()
    return (Edit(found.start("both"), found.end()),)


RULE = LintRule("double-negation", "PE8023", check, __doc__)
