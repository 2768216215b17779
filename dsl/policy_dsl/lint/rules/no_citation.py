"""## What it does

Finds rules whose basis is `law` and that cite no provision.

## Why

A rule that claims to be law must say which law, or nobody can check it against the text.

## Example

```policy
rule owned
    "Every model has an owner"
    basis law
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
    cites "Art. 16(a)"
    basis law
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


def check(subject: Subject) -> Iterator[Finding]:
    """Yield rules of law without a citation."""
    for rule in subject.rules():
        basis = rule.basis or subject.header.basis
        if basis is not None and basis.text == "law" and not rule.cites:
            message = f"rule `{rule.name.text}` is law by its basis and cites nothing"
            yield Finding(rule.name.span, message, "add `cites`, or give it the basis `inference` or `firm_policy`")


RULE = LintRule("no-citation", "PE8010", check, __doc__)
