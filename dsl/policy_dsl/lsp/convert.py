"""What the language tools say, in the words of the protocol."""

from collections.abc import Callable, Iterable

from lsprotocol import types

from policy_dsl.diagnostics import Diagnostic, Severity
from policy_dsl.lsp.completion import Proposal
from policy_dsl.lsp.outline import Entry
from policy_dsl.lsp.positions import Lines
from policy_dsl.lsp.rename import Change
from policy_dsl.source import Span

LocationOf = Callable[[Span], types.Location | None]

_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
}


def range_of(lines: Lines, span: Span) -> types.Range:
    """Return a span as a range."""
    return types.Range(types.Position(*lines.place(span.start)), types.Position(*lines.place(span.end)))


def diagnostic(found: Diagnostic, lines: Lines, location: LocationOf) -> types.Diagnostic:
    """Return a diagnostic with its help below the message and its labels as related places."""
    related = [
        types.DiagnosticRelatedInformation(place, label.text)
        for label in found.labels
        if (place := location(label.span)) is not None
    ]
    return types.Diagnostic(
        range=range_of(lines, found.span),
        message=f"{found.message}\nhelp: {found.help}" if found.help else found.message,
        severity=_SEVERITIES[found.severity],
        code=found.code,
        source="policy",
        related_information=related or None,
    )


def completion(proposal: Proposal, typed: types.Range | None, order: int) -> types.CompletionItem:
    """Return a proposal that replaces the word being typed and keeps its place in the list."""
    explained = proposal.explanation
    return types.CompletionItem(
        label=proposal.label,
        kind=types.CompletionItemKind[_enum_name(proposal.look)],
        detail=proposal.remark or None,
        documentation=types.MarkupContent(types.MarkupKind.Markdown, explained) if explained else None,
        sort_text=f"{order:05}",
        text_edit=types.TextEdit(typed, proposal.label) if typed is not None else None,
    )


def symbol(entry: Entry, lines: Lines) -> types.DocumentSymbol:
    """Return an entry of the outline with those inside it."""
    return types.DocumentSymbol(
        name=entry.name,
        kind=types.SymbolKind[_enum_name(entry.look)],
        range=range_of(lines, entry.whole),
        selection_range=range_of(lines, entry.place),
        detail=entry.remark or None,
        children=[symbol(inner, lines) for inner in entry.inside] or None,
    )


def workspace_edit(changes: Iterable[Change], location: LocationOf) -> types.WorkspaceEdit:
    """Return changes file by file."""
    edits: dict[str, list[types.TextEdit]] = {}
    for change in changes:
        place = location(change.span)
        if place is not None:
            edits.setdefault(place.uri, []).append(types.TextEdit(place.range, change.text))
    return types.WorkspaceEdit(changes=edits)


def _enum_name(look: str) -> str:
    """Return the protocol's name for a look.

    >>> _enum_name("enum member")
    'EnumMember'
    """
    return "".join(word.capitalize() for word in look.split())
