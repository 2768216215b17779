"""Small repairs that an editor can offer: the word that was meant, and the pack that declares a name.

A repair is read off a diagnostic: ``did you mean `x`?`` replaces the word it speaks of, and a name that nothing here
declares may be declared by a pack that the file does not use yet. The linter brings its own edits.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from policy_dsl.diagnostics import Diagnostic
from policy_dsl.lsp.analysis import Analysis
from policy_dsl.lsp.documents import Documents
from policy_dsl.lsp.rename import Change
from policy_dsl.source import Span
from policy_dsl.syntax import ast

_MEANT = re.compile(r"did you mean `([^`]+)`\?")
_QUOTED = re.compile(r"`([^`]+)`")
_WORD = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_UNDECLARED = frozenset({"PE2004", "PE2005", "PE2008", "PE2009", "PE2012"})
_SHARED = (
    ast.NodeDeclaration,
    ast.EnumDeclaration,
    ast.EvidenceDeclaration,
    ast.RoleDeclaration,
    ast.Define,
    ast.Parameter,
)


@dataclass(frozen=True, slots=True)
class Repair:
    """A named change of one file that answers a diagnostic; ``sure`` when nothing else is likely to be meant."""

    title: str
    changes: tuple[Change, ...]
    diagnostic: Diagnostic
    sure: bool


def repairs(analysis: Analysis, documents: Documents, uri: str, start: int, end: int) -> tuple[Repair, ...]:
    """Return the repairs for the diagnostics that touch a range of a file."""
    touched = [d for d in analysis.of(uri) if d.span.start <= end and start <= d.span.end]
    found = [r for d in touched for r in (*_spelling(analysis, d), *_missing_use(analysis, documents, uri, d))]
    return (*found, *_lint_fixes(analysis, uri, start, end))


def _lint_fixes(analysis: Analysis, uri: str, start: int, end: int) -> Iterator[Repair]:
    for found in analysis.linted(uri):
        place = found.diagnostic.span
        if found.edits and place.start <= end and start <= place.end:
            changes = tuple(Change(Span(uri, e.start, e.end), e.text) for e in found.edits)
            yield Repair(f"{found.diagnostic.help} ({found.rule})", changes, found.diagnostic, sure=False)


def _spelling(analysis: Analysis, found: Diagnostic) -> Iterator[Repair]:
    meant = _MEANT.search(found.help or "")
    if meant is None:
        return
    source = analysis.sources[found.span.file].text
    written = source[found.span.start : found.span.end]
    wrong = _wrong_word(written, found.message, meant[1])
    if wrong is not None:
        place = Span(found.span.file, found.span.start + wrong[0], found.span.start + wrong[1])
        yield Repair(f"Change to `{meant[1]}`", (Change(place, meant[1]),), found, sure=True)


def _wrong_word(written: str, message: str, meant: str) -> tuple[int, int] | None:
    """Return where the misspelt word stands in the text that a diagnostic points at."""
    if _WORD.fullmatch(written):
        return 0, len(written)
    spoken_of = [w for quoted in _QUOTED.findall(message) for w in _WORD.findall(quoted)]
    candidates = {w for name in spoken_of for w in (name, *name.split("."))} - {meant}
    places = [m for m in re.finditer(r"[^\W\d]\w*", written) if m[0] in candidates]
    # A placeholder `{systm.name}` is spoken of whole: the word before the dot is the one nobody knows.
    return places[0].span() if places else None


def _missing_use(analysis: Analysis, documents: Documents, uri: str, found: Diagnostic) -> Iterator[Repair]:
    name = analysis.sources[uri].text[found.span.start : found.span.end]
    pack = analysis.pack(uri)
    if found.code not in _UNDECLARED or pack is None or not _WORD.fullmatch(name):
        return
    used = {pack.name, *(u.pack.text for u in pack.uses)}
    for other, file in documents.declaring():
        declares = any(isinstance(d, _SHARED) and d.name.text == name for d in file.declarations)
        if declares and other not in used:
            place, before = _place_for_use(pack.header, pack.uses)
            yield Repair(f"Add `use {other}`", (Change(place, f"{before}use {other}"),), found, sure=False)


def _place_for_use(header: ast.Header, uses: tuple[ast.Use, ...]) -> tuple[Span, str]:
    last = uses[-1].span if uses else header.span
    return Span(last.file, last.end, last.end), "\n" if uses else "\n\n"
