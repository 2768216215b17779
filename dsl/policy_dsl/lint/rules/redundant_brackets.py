"""## What it does

Finds brackets around brackets, around a single value or name, and around the whole condition of a clause.

## Why

Brackets tell a reader to look out; where they change nothing they mislead.

## Example

```policy
rule owned
    "Every model has an owner"
    severity high
    for each Model
    must
        (model.owner is known)
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

The brackets are taken out.
"""

from collections.abc import Iterator

from policy_dsl.diagnostics import Diagnostics
from policy_dsl.format.trees import chunks_of, tree_of, words_of
from policy_dsl.lint.interface import Edit, Finding, LintRule, Subject
from policy_dsl.source import Span
from policy_dsl.syntax.lark_parser import Cst

_CLAUSES = frozenset({"must", "must_not", "for_each", "exception", "define", "where"})
_SINGLE = frozenset({"name", "dotted_path", "call", "text", "integer", "decimal", "percent", "true", "false", "group"})


def check(subject: Subject) -> Iterator[Finding]:
    """Yield brackets that could be left out, read from the concrete tree: the syntax tree has none."""
    source = subject.source
    for chunk in chunks_of(words_of(source, Diagnostics())):
        tree = tree_of(chunk, source)
        if tree is not None:
            yield from _redundant(subject, tree)


def _redundant(subject: Subject, tree: Cst) -> Iterator[Finding]:
    for child in tree.children:
        if not isinstance(child, Cst):
            continue
        if child.data == "group":
            (inner,) = child.children
            if inner.data in _SINGLE or tree.data in _CLAUSES:
                start, end = child.meta.start_pos, child.meta.end_pos
                edits = _edits(subject.source.text, start, end)
                span = Span(subject.source.name, start, end)
                yield Finding(span, "these brackets change nothing", "take them out", edits)
        yield from _redundant(subject, child)


def _edits(text: str, start: int, end: int) -> tuple[Edit, ...]:
    """Return edits that take both brackets out and keep words apart that they kept apart."""
    before = " " if start and (text[start - 1].isalnum() or text[start - 1] == "_") else ""
    after = " " if end < len(text) and (text[end].isalnum() or text[end] == "_") else ""
    return Edit(start, start + 1, before), Edit(end - 1, end, after)


RULE = LintRule("redundant-brackets", "PE8034", check, __doc__)
