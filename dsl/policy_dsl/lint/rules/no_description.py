"""## What it does

Finds parameters and definitions without a description.

## Why

Who sets a parameter, or reads a definition, is seldom the person who wrote it.

## Example

```policy
define in_use(model: Model)
    as model.stage in {staging, production}
```

## Use instead

```policy
define in_use(model: Model)
    "In use or about to be."
    as model.stage in {staging, production}
```

## Fix

There is none: only its author knows what is meant.
"""

from collections.abc import Iterator

from policy_dsl.lint.interface import Finding, LintRule, Subject
from policy_dsl.syntax import ast


def check(subject: Subject) -> Iterator[Finding]:
    """Yield parameters and definitions that say nothing of themselves."""
    declarations: list[ast.Parameter | ast.Define] = [*subject.parameters(), *subject.definitions()]
    for declaration in declarations:
        if declaration.description is None:
            message = f"`{declaration.name.text}` has no description"
            yield Finding(declaration.name.span, message, "put a sentence in quotes below its name")


RULE = LintRule("no-description", "PE8042", check, __doc__)
