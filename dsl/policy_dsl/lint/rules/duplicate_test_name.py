"""## What it does

Finds tests of a pack that have one name.

## Why

When one of them fails, the report does not say which.

## Example

```policy
rule owned
    "Every model has an owner"
    severity high
    for each Model
    must
        model.owner is known
    otherwise "{model.name} has no owner"
    remedy "Name the owner of {model.name}"

test "a model without an owner"
    at 2027-01-01
    given
        Model scorer
    expect fail of owned on scorer

test "a model without an owner"
    at 2027-01-01
    given
        Model scorer
    expect fail of owned on scorer
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

test "a model without an owner"
    at 2027-01-01
    given
        Model scorer
    expect fail of owned on scorer

test "a model that nobody owns"
    at 2027-01-01
    given
        Model scorer
    expect fail of owned on scorer
```

## Fix

There is none: only its author knows what is meant.
"""

from collections.abc import Iterator

from policy_dsl.lint.interface import Finding, LintRule, Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Yield tests named like one before them."""
    seen: set[str] = set()
    for test in subject.pack.tests:
        if test.name.text in seen:
            yield Finding(test.name.span, f"another test is named `{test.name.text}`", "say what sets them apart")
        seen.add(test.name.text)


RULE = LintRule("duplicate-test-name", "PE8043", check, __doc__)
