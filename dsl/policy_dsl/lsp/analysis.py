"""The files that belong together, compiled: diagnostics, schema and the meaning of every name.

The stages are those of ``policy_dsl.compiler``; only the trees of files that did not change are kept from the last
time, so that an edit costs the parsing of one file and one check.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from policy_dsl.diagnostics import Diagnostic, Diagnostics, Severity
from policy_dsl.lint import lint_sources
from policy_dsl.lint.run import Found
from policy_dsl.lsp.documents import Documents, Parsed
from policy_dsl.lsp.index import Index
from policy_dsl.resolved.symbols import Pack, Symbols, resolve
from policy_dsl.source import SourceFile
from policy_dsl.typed.program_from_resolved import program_from_resolved
from policy_dsl.typed.tree import Program

LARGEST_LINTED = 100_000
"""Characters of a file up to which it is linted while it is written."""


class Analysis:
    """What the compiler knows of one group of files."""

    def __init__(self, files: Sequence[Parsed]) -> None:
        self.files = tuple(files)
        self.sources: dict[str, SourceFile] = {f.source.name: f.source for f in files}
        checked = Diagnostics()
        self.symbols: Symbols = resolve((f.file for f in files), checked)
        self.program: Program = program_from_resolved(self.symbols, self.sources, checked, {})
        self._linted: dict[str, tuple[Found, ...]] = {}
        found = dict.fromkeys([*(d for f in files for d in f.diagnostics), *checked.sorted()])
        self.diagnostics: tuple[Diagnostic, ...] = tuple(sorted(found, key=lambda d: (d.span, d.code, d.message)))

    @cached_property
    def index(self) -> Index:
        """What every name means."""
        return Index([f.file for f in self.files], self.sources, self.program.schema, self.symbols.references)

    def of(self, uri: str) -> tuple[Diagnostic, ...]:
        """Return the diagnostics of one file."""
        return tuple(d for d in self.diagnostics if d.span.file == uri)

    def linted(self, uri: str) -> tuple[Found, ...]:
        """Return what the linter objects to in one file; nothing while any file of the group has an error.

        A file so large that linting it would hold up typing is left to the command line.
        """
        if len(self.sources[uri].text) > LARGEST_LINTED or any(d.severity is Severity.ERROR for d in self.diagnostics):
            return ()
        if uri not in self._linted:
            self._linted[uri] = lint_sources(self.sources.values(), {uri}).found
        return self._linted[uri]

    def parsed(self, uri: str) -> Parsed:
        """Return a file of the group."""
        return next(f for f in self.files if f.source.name == uri)

    def pack(self, uri: str) -> Pack | None:
        """Return the pack of a file, unless another file of the group has taken its name."""
        return next((p for p in self.symbols.packs.values() if p.file.file == uri), None)


@dataclass(slots=True)
class Analyses:
    """The analyses of all groups, each made when it is asked for and kept until a file of it changes."""

    documents: Documents
    _made: dict[frozenset[str], Analysis] = field(default_factory=dict)

    def of(self, uri: str) -> Analysis | None:
        """Return the analysis of the group that a file belongs to."""
        files = self.documents.parsed_group(uri)
        if not files:
            return None
        key = frozenset(f.source.name for f in files)
        made = self._made.get(key)
        if made is None or any(a is not b for a, b in zip(made.files, files, strict=True)):
            names = {f.source.name for f in files if self.documents.is_own(f.source.name)}
            self._made = {k: a for k, a in self._made.items() if not k & names}
            made = Analysis(files)
            self._made[key] = made
        return made

    def all(self) -> tuple[Analysis, ...]:
        """Return the analyses of all groups of the workspace."""
        found: dict[int, Analysis] = {}
        seen: set[str] = set()
        for uri in self.documents.own():
            if uri not in seen:
                made = self.of(uri)
                if made is not None:
                    seen |= set(made.sources)
                    found[id(made)] = made
        return tuple(found.values())
