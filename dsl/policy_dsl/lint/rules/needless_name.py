"""## What it does

Finds `as` with the name that the variable has anyway.

## Why

`for each System` binds `system`; saying so again makes readers look for a reason.

## Example

```policy
rule owned
    "Every model has an owner"
    severity high
    for each Model as model
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
    for each Model
    must
        model.owner is known
    otherwise "{model.name} has no owner"
    remedy "Name the owner of {model.name}"
```

## Fix

`as` and the name are taken out, unless a comment stands between them.
"""

from collections.abc import Iterator

from policy_dsl.lint.interface import Edit, Finding, LintRule, Subject
from policy_dsl.lint.walk import BINDING, walk
from policy_dsl.typed.quantifiers import variable_name


def check(subject: Subject) -> Iterator[Finding]:
    """Yield names that repeat the usual one."""
    for declaration in subject.logic():
        for node in walk(declaration):
            if not isinstance(node, BINDING) or node.binder is None:
                continue
            if node.binder.text == variable_name(node.kind.text):
                # A comment between the kind and the name stays.
                between = subject.source.text[node.kind.span.end : node.binder.span.start]
                edits = (Edit(node.kind.span.end, node.binder.span.end),) if between.split() == ["as"] else ()
                message = f"a {node.kind.text} is named `{node.binder.text}` anyway"
                yield Finding(node.binder.span, message, "take `as` and the name out", edits)


RULE = LintRule("needless-name", "PE8044", check, __doc__)
