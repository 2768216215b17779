"""## What it does

Finds names with letters outside ASCII.

## Why

A Cyrillic `а` looks like a Latin `a`: two names that look alike may be two, and a misspelt one cannot be seen.

## Example

```policy
rule оwned
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

There is none: only its author knows what is meant.
"""

from collections.abc import Iterator

from policy_dsl.lint.interface import Finding, LintRule, Subject
from policy_dsl.lint.walk import walk
from policy_dsl.syntax import ast


def check(subject: Subject) -> Iterator[Finding]:
    """Yield names that may not be what they look like, each once."""
    seen: set[str] = set()
    for node in walk(subject.pack.file.declarations):
        if isinstance(node, ast.Identifier) and not node.text.isascii() and node.text not in seen:
            seen.add(node.text)
            letters = ", ".join(f"`{c}` U+{ord(c):04X}" for c in dict.fromkeys(node.text) if not c.isascii())
            yield Finding(
                node.span, f"`{node.text}` holds letters outside ASCII: {letters}", "write it in plain letters"
            )


RULE = LintRule("look-alike-name", "PE8040", check, __doc__)
