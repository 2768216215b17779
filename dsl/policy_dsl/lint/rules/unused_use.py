"""## What it does

Finds `use` lines of packs from which nothing is needed.

## Why

A reader looks in the other pack for what is not there.

## Example

```policy
policy demo.colours
    version "1.0.0"

use std.ai

enum Colour "Of a thing"
    { red, green }
```

## Use instead

```policy
policy demo.colours
    version "1.0.0"

use std.ai

node Lamp is Thing "Gives light"
```

## Fix

The line is taken out.
"""

from collections.abc import Iterator

from policy_dsl.lint.interface import Edit, Finding, LintRule, Subject
from policy_dsl.lint.walk import line_of, words
from policy_dsl.resolved.symbols import Pack
from policy_dsl.syntax import ast


def check(subject: Subject) -> Iterator[Finding]:
    """Yield `use` declarations whose packs declare no name that stands in this one."""
    own = [d for d in subject.pack.file.declarations if not isinstance(d, (ast.Use, ast.Header))]
    needed = words(tuple(own))
    for use in subject.pack.uses:
        used = subject.symbols.packs[use.pack.text]
        names = {use.alias.text} if use.alias is not None else _names(subject, used)
        if not names & needed:
            message = f"nothing of `{use.pack.text}` is used here"
            yield Finding(use.span, message, "take the line out", (Edit(*line_of(subject, use.span)),))


def _names(subject: Subject, pack: Pack) -> set[str]:
    """Return every name that a pack declares, itself or by the packs it uses."""
    packs = [subject.symbols.packs[name] for name in subject.symbols.visible(pack)]
    return {w for p in packs for d in p.file.declarations if not isinstance(d, (ast.Use, ast.Header)) for w in words(d)}


RULE = LintRule("unused-use", "PE8015", check, __doc__)
