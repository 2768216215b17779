"""## What it does

Finds rules that have tests, none of which expects `fail`.

## Why

A rule that nobody has seen fail may be one that cannot.

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
        Model ranker { owner: "Maria" }
    expect pass of owned on ranker
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
    """Yield rules whose tests never expect a failure."""
    for rule in subject.rules():
        results = subject.expected(rule)
        if results and "fail" not in results:
            message = f"no test expects rule `{rule.name.text}` to fail"
            yield Finding(rule.name.span, message, f"add `expect fail of {rule.name.text} on …`")


RULE = LintRule("no-fail-test", "PE8012", check, __doc__)
