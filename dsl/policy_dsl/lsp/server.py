"""The language server: the protocol on one side, the questions of the other modules on the other.

Diagnostics are published a moment after typing stops; every other answer is worked out from the text as it is at
that time. A request about a file that the server does not know, or a place that no file has, is answered with
nothing. Only ``rename`` refuses, and says why.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from policy_dsl.lsp import convert
from policy_dsl.lsp.actions import repairs
from policy_dsl.lsp.analysis import Analyses, Analysis
from policy_dsl.lsp.completion import complete
from policy_dsl.lsp.documents import SUFFIXES, Documents, LibraryFile, path_of, policy_files, text_on_disk, uri_of
from policy_dsl.lsp.formatting import formatted
from policy_dsl.lsp.hover import hover
from policy_dsl.lsp.index import Index
from policy_dsl.lsp.outline import outline
from policy_dsl.lsp.positions import Lines
from policy_dsl.lsp.rename import RenameError, renamable, rename
from policy_dsl.source import Span
from policy_dsl.typed.references import Meaning

PAUSE = 0.15
"""Seconds without typing after which diagnostics are worked out."""
LONG_PAUSE = 0.8
"""Seconds after which the linter has its say; it takes longer, and half a rule is no style."""
_REQUEST_FAILED = -32803  # LSPErrorCodes.RequestFailed, section 3.17 "Base Protocol"
_WATCHER = "policy-files"


class _Refusal(JsonRpcException):
    """An answer that says no, and why: nothing went wrong."""


def _is_news(record: logging.LogRecord) -> bool:
    """Tell whether a record belongs in the editor's log; a refusal is already on the author's screen."""
    return not (record.exc_info and isinstance(record.exc_info[1], _Refusal))


class PolicyServer(LanguageServer):
    """One client's session: its documents, what is compiled of them, and what waits to be published."""

    def __init__(self, library: Mapping[str, LibraryFile], version: str) -> None:
        super().__init__("policy-engine", version, text_document_sync_kind=types.TextDocumentSyncKind.Full)
        self.documents = Documents(library)
        self.analyses = Analyses(self.documents)
        self.open: dict[str, str] = {}
        self._lines: dict[str, Lines] = {}
        self._waiting: list[asyncio.TimerHandle] = []

    # --- texts ---------------------------------------------------------------------------------------

    def lines(self, name: str) -> Lines | None:
        """Return the lines of a file that is compiled, in the encoding agreed with the client."""
        text = self.documents.text(name)
        if text is None:
            return None
        made = self._lines.get(name)
        if made is None or made.text is not text:
            encoding = self.workspace.position_encoding or types.PositionEncodingKind.Utf16
            made = self._lines[name] = Lines(text, str(getattr(encoding, "value", encoding)))
        return made

    def range(self, span: Span) -> types.Range | None:
        """Return a span as the client counts."""
        lines = self.lines(span.file)
        return convert.range_of(lines, span) if lines is not None else None

    def at(self, uri: str, position: types.Position) -> tuple[Analysis, str, int] | None:
        """Return the analysis of a file and the character offset of a place in it."""
        name = uri_of(uri)
        analysis, lines = self.analyses.of(name), self.lines(name)
        if analysis is None or lines is None:
            return None
        return analysis, name, lines.offset(position.line, position.character)

    def location(self, span: Span) -> types.Location | None:
        """Return a place for the client; a library text without a file of its own has none."""
        place = self.range(span)
        if place is None or (path_of(span.file) is None and span.file not in self.open):
            return None
        return types.Location(self.open.get(span.file, span.file), place)

    # --- diagnostics ---------------------------------------------------------------------------------

    def publish_soon(self) -> None:
        """Publish when typing has paused: first what is wrong, later what is probably not meant as well."""
        for waiting in self._waiting:
            waiting.cancel()
        loop = asyncio.get_running_loop()
        self._waiting = [
            loop.call_later(PAUSE, self.publish, False),
            loop.call_later(LONG_PAUSE, self.publish, True),
        ]

    def publish(self, lint: bool) -> None:
        """Send the diagnostics of every open file."""
        for name, uri in self.open.items():
            analysis, lines = self.analyses.of(name), self.lines(name)
            if analysis is None or lines is None:
                continue
            linted = [f.diagnostic for f in analysis.linted(name)] if lint and self.documents.is_own(name) else []
            found = [convert.diagnostic(d, lines, self.location) for d in (*analysis.of(name), *linted)]
            version = self.workspace.get_text_document(uri).version
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, found, version))

    # --- files ---------------------------------------------------------------------------------------

    def add_folder(self, uri: str) -> None:
        """Read the policy files of a workspace folder."""
        folder = path_of(uri)
        if folder is not None and folder.is_dir():
            self.documents.folders.append(folder)
            for path in policy_files(folder):
                self.reread(path)

    def remove_folder(self, uri: str) -> None:
        """Forget the files of a folder that left the workspace."""
        folder = path_of(uri)
        if folder is not None and folder in self.documents.folders:
            self.documents.folders.remove(folder)
            for name in self.documents.own():
                path = path_of(name)
                if path is not None and path.is_relative_to(folder) and name not in self.open:
                    self.documents.remove(name)

    def reread(self, path: Path) -> None:
        """Take a file's text from the disk, unless the editor has it open."""
        name = path.as_uri()
        if name in self.open:
            return
        in_workspace = any(path.is_relative_to(f) for f in self.documents.folders)
        text = text_on_disk(path) if in_workspace else None
        if text is None:
            self.documents.remove(name)
        else:
            self.documents.put(name, text)


def serve(library: Mapping[str, LibraryFile], version: str) -> None:
    """Serve one client over standard input and output until it says goodbye."""
    logging.getLogger("pygls.protocol.json_rpc").addFilter(_is_news)
    server = PolicyServer(library, version)
    _add_documents(server)
    _add_questions(server)
    _add_changes(server)
    server.start_io()


# --- what the client tells -----------------------------------------------------------------------------


def _add_documents(server: PolicyServer) -> None:
    @server.feature(types.INITIALIZED)
    def initialized(ls: PolicyServer, _: types.InitializedParams) -> None:
        for folder in list(ls.workspace.folders.values()):
            ls.add_folder(folder.uri)
        if not ls.workspace.folders and ls.workspace.root_uri:
            ls.add_folder(ls.workspace.root_uri)
        _watch(ls)

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(ls: PolicyServer, told: types.DidOpenTextDocumentParams) -> None:
        name = uri_of(told.text_document.uri)
        ls.open[name] = told.text_document.uri
        ls.documents.put(name, told.text_document.text)
        ls.publish_soon()

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(ls: PolicyServer, told: types.DidChangeTextDocumentParams) -> None:
        text = ls.workspace.get_text_document(told.text_document.uri).source
        ls.documents.put(uri_of(told.text_document.uri), text)
        ls.publish_soon()

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(ls: PolicyServer, told: types.DidCloseTextDocumentParams) -> None:
        name, uri = uri_of(told.text_document.uri), told.text_document.uri
        ls.open.pop(name, None)
        path = path_of(name)
        if path is not None:
            ls.reread(path)
        else:
            ls.documents.remove(name)
        ls.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))
        ls.publish_soon()

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def watched(ls: PolicyServer, told: types.DidChangeWatchedFilesParams) -> None:
        for change in told.changes:
            path = path_of(change.uri)
            if path is not None and path.name.endswith(SUFFIXES):
                ls.reread(path)
        ls.publish_soon()

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def folders(ls: PolicyServer, told: types.DidChangeWorkspaceFoldersParams) -> None:
        for folder in told.event.removed:
            ls.remove_folder(folder.uri)
        for folder in told.event.added:
            ls.add_folder(folder.uri)
        ls.publish_soon()


def _watch(ls: PolicyServer) -> None:
    """Ask the client to tell of files that change outside the editor, if it can be asked."""
    workspace = ls.client_capabilities.workspace
    watching = workspace.did_change_watched_files if workspace is not None else None
    if watching is None or not watching.dynamic_registration:
        return
    watchers = [types.FileSystemWatcher(glob_pattern=f"**/*{suffix}") for suffix in SUFFIXES]
    options = types.DidChangeWatchedFilesRegistrationOptions(watchers=watchers)
    method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
    ls.client_register_capability(types.RegistrationParams([types.Registration(_WATCHER, method, options)]))


# --- what the client asks ------------------------------------------------------------------------------


def _add_questions(server: PolicyServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hovered(ls: PolicyServer, asked: types.HoverParams) -> types.Hover | None:
        place = ls.at(asked.text_document.uri, asked.position)
        found = hover(place[0].index, place[1], place[2]) if place is not None else None
        if found is None:
            return None
        text = types.MarkupContent(types.MarkupKind.Markdown, found[1])
        return types.Hover(text, ls.range(found[0]))

    options = types.CompletionOptions(trigger_characters=[".", "{", "/"])

    @server.feature(types.TEXT_DOCUMENT_COMPLETION, options)
    def completed(ls: PolicyServer, asked: types.CompletionParams) -> types.CompletionList:
        place = ls.at(asked.text_document.uri, asked.position)
        if place is None:
            return types.CompletionList(is_incomplete=False, items=[])
        analysis, name, offset = place
        packs = [p for p, _ in ls.documents.declaring()]
        start, found = complete(analysis, packs, name, offset)
        typed = ls.range(Span(name, start, offset))
        items = [convert.completion(p, typed, order) for order, p in enumerate(found)]
        return types.CompletionList(is_incomplete=False, items=items)

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def defined(ls: PolicyServer, asked: types.DefinitionParams) -> Sequence[types.Location]:
        place = ls.at(asked.text_document.uri, asked.position)
        if place is None:
            return []
        index = place[0].index
        declarations = [index.declaration(u.meaning) for u in index.at(place[1], place[2])]
        return _locations(ls, [d.name for d in declarations if d is not None])

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    def referred(ls: PolicyServer, asked: types.ReferenceParams) -> Sequence[types.Location]:
        place = ls.at(asked.text_document.uri, asked.position)
        if place is None:
            return []
        index = place[0].index
        spans: list[Span] = []
        for use in index.at(place[1], place[2]):
            spans += _everywhere(ls, index, use.meaning, declared=asked.context.include_declaration)
        return _locations(ls, spans)

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def outlined(ls: PolicyServer, asked: types.DocumentSymbolParams) -> Sequence[types.DocumentSymbol]:
        name = uri_of(asked.text_document.uri)
        analysis, lines = ls.analyses.of(name), ls.lines(name)
        if analysis is None or lines is None:
            return []
        return [convert.symbol(entry, lines) for entry in outline(analysis.parsed(name).file)]


def _everywhere(ls: PolicyServer, index: Index, meaning: Meaning, *, declared: bool) -> Iterable[Span]:
    """Yield the places that name what a name means here, in every group of files that sees the same declaration."""
    declaration = index.declaration(meaning)
    indices = [a.index for a in ls.analyses.all()]
    for other in indices if index in indices else [index, *indices]:
        found = other.declaration(meaning)
        if declaration is None or found is None or found.name != declaration.name:
            continue
        yield from (s for s in other.places(meaning) if declared or s != declaration.name)


def _locations(ls: PolicyServer, spans: Iterable[Span]) -> list[types.Location]:
    found = (ls.location(span) for span in sorted(set(spans)))
    return [location for location in found if location is not None]


# --- what the client has changed ------------------------------------------------------------------------


def _add_changes(server: PolicyServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    def prepared(ls: PolicyServer, asked: types.PrepareRenameParams) -> types.Range | None:
        place = ls.at(asked.text_document.uri, asked.position)
        found = renamable(place[0].index, ls.documents, place[1], place[2]) if place is not None else None
        return ls.range(found[0]) if found is not None else None

    @server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    def renamed(ls: PolicyServer, asked: types.RenameParams) -> types.WorkspaceEdit | None:
        place = ls.at(asked.text_document.uri, asked.position)
        if place is None:
            return None
        try:
            changes = rename(place[0], ls.documents, place[1], place[2], asked.new_name)
        except RenameError as error:
            raise _Refusal(str(error), _REQUEST_FAILED) from error
        return convert.workspace_edit(changes, ls.location)

    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    def tidied(ls: PolicyServer, asked: types.DocumentFormattingParams) -> Sequence[types.TextEdit]:
        name = uri_of(asked.text_document.uri)
        parsed, lines = ls.documents.parsed(name), ls.lines(name)
        text = formatted(parsed) if parsed is not None else None
        if text is None or lines is None or text == lines.text:
            return []
        return [types.TextEdit(convert.range_of(lines, Span(name, 0, len(lines.text))), text)]

    kinds = types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix])

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, kinds)
    def repaired(ls: PolicyServer, asked: types.CodeActionParams) -> Sequence[types.CodeAction]:
        name = uri_of(asked.text_document.uri)
        analysis, lines = ls.analyses.of(name), ls.lines(name)
        if analysis is None or lines is None:
            return []
        start, end = (lines.offset(p.line, p.character) for p in (asked.range.start, asked.range.end))
        return [
            types.CodeAction(
                title=repair.title,
                kind=types.CodeActionKind.QuickFix,
                diagnostics=[convert.diagnostic(repair.diagnostic, lines, ls.location)],
                edit=convert.workspace_edit(repair.changes, ls.location),
                is_preferred=repair.sure,
            )
            for repair in repairs(analysis, ls.documents, name, start, end)
        ]
