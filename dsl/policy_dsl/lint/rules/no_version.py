"""## What it does

Finds packs whose header has no `version`.

## Why

A report says which version of a pack it rests on, and `use … version` needs one.

## Example

```policy
policy demo.unversioned
    title "A pack"
```

## Use instead

```policy
policy demo.versioned
    title   "A pack"
    version "1.0.0"
```

## Fix

There is none: only its author knows what is meant.
"""

from collections.abc import Iterator

from policy_dsl.lint.interface import Finding, LintRule, Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Yield the header of a pack without a version."""
    header = subject.header
    if header.version is None:
        message = f"pack `{header.name.text}` has no version"
        yield Finding(header.name.span, message, 'add `version "1.0.0"` to the header')


RULE = LintRule("no-version", "PE8029", check, __doc__)
