"""## What it does

Finds rules that no test expects anything of.

## Why

A rule without a test says what somebody thought it says.

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
        Model ranker { owner: "Maria" }
    expect fail of owned on scorer
    expect pass of owned on ranker
```

## Fix

There is none: only its author knows what is meant.
"""

from collections.abc import Iterator

from policy_dsl.lint.interface import Finding, LintRule, Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Yield rules that stand in no `expect`."""
    for rule in subject.rules():
        if not subject.expected(rule):
            message = f"rule `{rule.name.text}` has no test"
            yield Finding(rule.name.span, message, f"add a test with `expect fail of {rule.name.text} on …`")


RULE = LintRule("no-test", "PE8011", check, __doc__)
