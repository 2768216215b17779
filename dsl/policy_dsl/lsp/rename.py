"""Renaming: every place of a name, checked by compiling the result before anything is offered.

A new name can collide, hide another, or be no name at all. Instead of guessing which, the changed texts are
compiled: a rename is offered only when the packs have the errors they had before and every other name still means
what it meant. A variable without a name of its own takes it from its kind, so it is renamed with its kind, and by
naming it: ``for each System`` becomes ``for each System as bank_system``.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from policy_dsl.lsp.analysis import Analysis
from policy_dsl.lsp.documents import Documents, parse_text
from policy_dsl.lsp.index import Index
from policy_dsl.source import Span
from policy_dsl.typed.quantifiers import variable_name
from policy_dsl.typed.references import Meaning, Sort

_NAME = re.compile(r"[^\W\d]\w*")
_DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


class RenameError(Exception):
    """Raised when a name cannot be changed as asked; the message says why, in one plain sentence."""


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """New text for a place."""

    span: Span
    text: str


def renamable(index: Index, documents: Documents, file: str, offset: int) -> tuple[Span, Meaning] | None:
    """Return the name at a place that may be changed, and what it means."""
    uses = index.at(file, offset)
    if len({u.meaning for u in uses}) != 1:
        return None
    declaration = index.declaration(uses[0].meaning)
    if declaration is None or not documents.is_own(declaration.name.file):
        return None
    return uses[0].span, uses[0].meaning


def rename(analysis: Analysis, documents: Documents, file: str, offset: int, new: str) -> tuple[Change, ...]:
    """Return the changes that give the name at a place another name, in every file of its group.

    Raises:
        RenameError: there is no name there, it belongs to the library, or the result would not mean the same.
    """
    found = renamable(analysis.index, documents, file, offset)
    if found is None:
        raise RenameError("there is no name here that can be changed; names of the library are fixed")
    _, meaning = found
    form = _DOTTED if meaning.sort is Sort.PACK else _NAME
    if not form.fullmatch(new):
        raise RenameError(f"`{new}` is not a name; a name has letters, digits and `_`, and begins with a letter")
    if new == meaning.name:
        return ()
    changes = tuple(sorted(set(_changes(analysis.index, meaning, new))))
    if any(not documents.is_own(c.span.file) for c in changes):
        raise RenameError(f"`{meaning.name}` is used in the library, which cannot be changed")
    _check(analysis, changes, new)
    return changes


def _changes(index: Index, meaning: Meaning, new: str) -> Iterable[Change]:
    for span in index.places(meaning):
        yield Change(span, new)
    if index.is_implied(meaning) and meaning.declared is not None:
        end = meaning.declared.end
        yield Change(Span(meaning.declared.file, end, end), f" as {new}")
    if meaning.sort is Sort.KIND:
        for variable in index.implied_by(meaning):
            for span in index.places(variable.meaning):
                yield Change(span, variable_name(new))


def _check(analysis: Analysis, changes: tuple[Change, ...], new: str) -> None:
    """Compile the changed texts and compare.

    Raises:
        RenameError: there is another error than before, or a name means something else.
    """
    texts = apply({name: s.text for name, s in analysis.sources.items()}, changes)
    changed = {c.span.file for c in changes}
    after = Analysis([parse_text(n, texts[n]) if (n := f.source.name) in changed else f for f in analysis.files])
    before, now = (Counter(d.code for d in a.diagnostics) for a in (analysis, after))
    worse = next((d for d in after.diagnostics if now[d.code] > before[d.code]), None)
    if worse is not None:
        raise RenameError(f"the name `{new}` does not fit: {worse.message}")
    if _shape(analysis.index) != _shape(after.index):
        raise RenameError(f"the name `{new}` would make another name mean something else")


def _shape(index: Index) -> Counter[tuple[Sort, int]]:
    """Return how often meanings of each sort are used: with names left out, all that renaming must keep."""
    return Counter((m.sort, len(set(index.places(m)) - {d.name})) for m, d in index.declarations.items())


def apply(texts: dict[str, str], changes: Iterable[Change]) -> dict[str, str]:
    """Return the texts with changes made, the last of a text first so that places stay true.

    >>> apply({"f": "a b"}, [Change(Span("f", 0, 1), "long"), Change(Span("f", 2, 3), "c")])
    {'f': 'long c'}
    """
    changed = dict(texts)
    for change in sorted(changes, reverse=True):
        text = changed[change.span.file]
        changed[change.span.file] = text[: change.span.start] + change.text + text[change.span.end :]
    return changed
