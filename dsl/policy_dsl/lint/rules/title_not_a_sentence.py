"""## What it does

Finds rules without a title, and titles that do not begin with a capital letter or a digit, end with a period, or have
fewer than three words.

## Why

Titles are read aloud and stand in reports, where they must make sense alone.

## Example

```policy
rule owned
    "owner."
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

_FEWEST_WORDS = 3


def check(subject: Subject) -> Iterator[Finding]:
    """Yield titles that are no sentences."""
    for rule in subject.rules():
        title = rule.title
        if title is None:
            message = f"rule `{rule.name.text}` has no title"
            yield Finding(rule.name.span, message, 'put a sentence such as "Every model has an owner" below its name')
        elif title.text[:1].islower() or title.text.endswith(".") or len(title.text.split()) < _FEWEST_WORDS:
            message = f"the title of rule `{rule.name.text}` is not a sentence"
            yield Finding(title.span, message, "begin with a capital letter, say what must hold, end without a period")


RULE = LintRule("title-not-a-sentence", "PE8019", check, __doc__)
