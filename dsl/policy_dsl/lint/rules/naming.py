"""## What it does

Finds rules, parameters, definitions, edges, evidence, roles and attributes that are not written in `snake_case`, and
kinds and enumerations that are not written in `CamelCase`.

## Why

Readers tell a kind from a variable by its first letter.

## Example

```policy
rule ModelsOwned
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
rule models_owned
    "Every model has an owner"
    severity high
    for each Model
    must
        model.owner is known
    otherwise "{model.name} has no owner"
    remedy "Name the owner of {model.name}"
```

## Fix

There is none: only its author knows what is meant.
"""

import re
from collections.abc import Iterator

from policy_dsl.lint.interface import Finding, LintRule, Subject
from policy_dsl.syntax import ast

_SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_CAMEL = re.compile(r"[A-Z][A-Za-z0-9]*")


def check(subject: Subject) -> Iterator[Finding]:
    """Yield declared names of the wrong form; letters outside ASCII are another rule's."""
    for declaration in subject.pack.file.declarations:
        for name, camel in _names(declaration):
            form = _CAMEL if camel else _SNAKE
            if name.text.isascii() and not form.fullmatch(name.text):
                wanted = "CamelCase" if camel else "snake_case"
                yield Finding(
                    name.span, f"`{name.text}` is not written in {wanted}", f"write names of this sort in {wanted}"
                )


def _names(declaration: ast.Declaration) -> Iterator[tuple[ast.Identifier, bool]]:
    match declaration:
        case ast.NodeDeclaration():
            yield declaration.name, True
            yield from ((a.name, False) for a in declaration.attributes)
        case ast.EnumDeclaration():
            yield declaration.name, True
        case ast.EvidenceDeclaration():
            yield declaration.name, False
            yield from ((f.name, False) for f in declaration.fields)
        case ast.EdgeDeclaration():
            yield declaration.name, False
            if declaration.reverse is not None:
                yield declaration.reverse, False
        case ast.Rule() | ast.Parameter() | ast.Define() | ast.RoleDeclaration():
            yield declaration.name, False
        case _:
            return


RULE = LintRule("naming", "PE8041", check, __doc__)
