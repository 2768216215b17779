"""## What it does

Finds variables that are named as another kind of thing would be, or with one letter.

## Why

In `every Dataset as model`, everything said of the model is about a dataset.

## Example

```policy
rule guarded
    "Every system has a guardrail"
    severity high
    for each System
    must
        some Guardrail as model in system.guarded_by where model.owner is known
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
        some Guardrail as filter in system.guarded_by where filter.owner is known
    otherwise "{system.name} has no guardrail"
    remedy "Ask {system.owner} to add one to {system.name}"
```

## Fix

There is none: only its author knows what is meant.
"""

from collections.abc import Iterator

from policy_dsl.lint.interface import Finding, LintRule, Subject
from policy_dsl.lint.walk import BINDING, walk
from policy_dsl.typed.quantifiers import variable_name


def check(subject: Subject) -> Iterator[Finding]:
    """Yield variables with the usual name of another kind."""
    usual = {variable_name(kind): kind for kind in subject.program.schema.kinds}
    for declaration in subject.logic():
        for node in walk(declaration):
            if not isinstance(node, BINDING) or node.binder is None:
                continue
            name = node.binder.text
            if usual.get(name, node.kind.text) != node.kind.text:
                message = f"`{name}` is a {node.kind.text} here, and reads like a {usual[name]}"
                yield Finding(node.binder.span, message, "choose a word for what the thing does")
            elif len(name) == 1:
                message = f"`{name}` says nothing of what it is"
                yield Finding(
                    node.binder.span, message, f"say `{variable_name(node.kind.text)}` or what the thing does"
                )


RULE = LintRule("confusing-variable", "PE8027", check, __doc__)
