"""Where every name is declared and used, over the packs of one program.

Declarations come from the syntax tree, uses from the checker's own notes; a use is joined to its declaration by
meaning. An attribute may be declared by a kind above, and an edge has two names, each with its own place. The columns
of a test's table are filled in before the test is checked, so that they are found in the syntax tree alone.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from policy_dsl.source import SourceFile, Span
from policy_dsl.syntax import ast
from policy_dsl.typed.references import Local, Meaning, References, Sort, Use
from policy_dsl.typed.schema import Schema

Syntax = ast.Declaration | ast.AttributeDeclaration | ast.Formal | ast.Identifier | ast.Cases | Local


@dataclass(frozen=True, slots=True)
class Declaration:
    """A declared name: its place, all that it is declared with, and the pack that declares it."""

    meaning: Meaning
    name: Span
    syntax: Syntax
    pack: str


_AFTER_DOT = frozenset({Sort.ATTRIBUTE, Sort.PARAMETER, Sort.DEFINITION, Sort.RULE})


class Index:
    """Looks up what stands at a place, and everything that means the same."""

    def __init__(
        self, files: Sequence[ast.PolicyFile], sources: Mapping[str, SourceFile], schema: Schema, references: References
    ) -> None:
        self.sources = sources
        self.schema = schema
        self.declarations: dict[Meaning, Declaration] = {}
        for file in files:
            for found in _declarations(file):
                self.declarations.setdefault(found.meaning, found)
        columns = [use for file in files for use in self._columns(file)]
        for local in references.locals():
            self.declarations[local.meaning] = Declaration(local.meaning, _declared(local), local, "")
        self._by_file: dict[str, list[Use]] = {}
        self._uses: dict[Meaning, list[Span]] = {}
        for use in (*references.uses(), *columns):
            self._add(use)
        for declaration in self.declarations.values():
            if not self._is_implied(declaration):
                self._add(Use(declaration.name, declaration.meaning))
        for uses in self._by_file.values():
            uses.sort(key=lambda u: (u.span.start, u.span.end))

    def at(self, file: str, offset: int) -> tuple[Use, ...]:
        """Return what the name at a place means; a placeholder may mean one of several variables."""
        uses = self._by_file.get(file, [])
        last = bisect_right(uses, offset, key=lambda u: u.span.start)
        found = [u for u in uses[max(0, last - 8) : last] if u.span.start <= offset <= u.span.end]
        # Where two names meet, as in `a.b`, the one that begins here is meant.
        inner = max((u.span.start for u in found), default=0)
        return tuple(u for u in found if u.span.start == inner)

    def declaration(self, meaning: Meaning) -> Declaration | None:
        """Return where a meaning is declared."""
        return self.declarations.get(meaning)

    def places(self, meaning: Meaning) -> tuple[Span, ...]:
        """Return every place that names a meaning, its declaration included."""
        return tuple(sorted(dict.fromkeys(self._uses.get(meaning, ()))))

    def implied_by(self, kind: Meaning) -> Iterator[Declaration]:
        """Yield the variables that have no name of their own but take that of a kind."""
        named = set(self._uses.get(kind, ()))
        for declaration in self.declarations.values():
            if declaration.meaning.sort is Sort.VARIABLE and declaration.name in named:
                yield declaration

    def is_implied(self, meaning: Meaning) -> bool:
        """Tell whether a meaning is a variable that takes its name from a kind."""
        found = self.declarations.get(meaning)
        return found is not None and self._is_implied(found)

    def _is_implied(self, declaration: Declaration) -> bool:
        return self.text(declaration.name) != declaration.meaning.name.rpartition(".")[2] and isinstance(
            declaration.syntax, Local
        )

    def text(self, span: Span) -> str:
        """Return what is written at a place."""
        source = self.sources.get(span.file)
        return source.text[span.start : span.end] if source is not None else ""

    def _columns(self, file: ast.PolicyFile) -> Iterator[Use]:
        """Declare the columns of a file's tables, and yield the places that they fill."""
        for test in file.declarations:
            if isinstance(test, ast.Test) and test.cases is not None:
                columns: dict[str, Meaning] = {}
                for name in test.cases.columns:
                    meaning = columns.setdefault(name.text, Meaning(Sort.VARIABLE, name.text, declared=name.span))
                    self.declarations[meaning] = Declaration(meaning, name.span, test.cases, "")
                for blank in _blanks(test):
                    if isinstance(blank, ast.Placeholder) and blank.name.text in columns:
                        yield Use(blank.span, columns[blank.name.text])

    def _add(self, use: Use) -> None:
        meaning = self.declaring(use.meaning)
        span = self._exact(use.span, meaning)
        if span is not None:
            self._by_file.setdefault(span.file, []).append(Use(span, meaning))
            self._uses.setdefault(meaning, []).append(span)

    def declaring(self, meaning: Meaning) -> Meaning:
        """Return an attribute as the kind above that declares it has it."""
        owner: str | None = meaning.owner
        while meaning.sort is Sort.ATTRIBUTE and owner is not None:
            found = replace(meaning, owner=owner)
            if found in self.declarations:
                return found
            kind = self.schema.kinds.get(owner)
            owner = kind.parent if kind is not None else None
        return meaning

    def _exact(self, span: Span, meaning: Meaning) -> Span | None:
        """Return the part of a place that is the name alone: a placeholder's place has braces and more around it."""
        written = self.text(span)
        last = meaning.name.rpartition(".")[2]
        if written == meaning.name or not written or span.file not in self.sources:
            return span
        at = _word_at(written, last, after_dot=meaning.sort in _AFTER_DOT)
        if at is None:  # escapes before a placeholder move it to the right
            text = self.sources[span.file].text
            end = text.find("\n", span.start)
            beyond = _word_at(text[span.start : end if end >= 0 else len(text)], last, after_dot=False)
            at = beyond
        return Span(span.file, span.start + at, span.start + at + len(last)) if at is not None else None


def _word_at(text: str, word: str, *, after_dot: bool) -> int | None:
    """Return where a word stands in a text: the last place for what follows a dot, else the first."""
    places = []
    at = text.find(word)
    while at >= 0:
        before, after = text[:at][-1:], text[at + len(word) :][:1]
        if not (before.isalnum() or before == "_" or after.isalnum() or after == "_"):
            places.append(at)
        at = text.find(word, at + 1)
    return None if not places else places[-1] if after_dot else places[0]


def _blanks(test: ast.Test) -> Iterator[object]:
    """Yield whatever stands where a table can fill in a value."""
    for step in test.steps:
        match step:
            case ast.At(instant, _):
                yield instant
            case ast.Expect():
                yield step.result
            case ast.Given(facts, _):
                for fact in facts:
                    if not isinstance(fact, ast.EdgeFact):
                        yield from (field.value for field in fact.fields)
                    if isinstance(fact, ast.EvidenceFact):
                        yield from (fact.issued, fact.expires)


def _declared(local: Local) -> Span:
    assert local.meaning.declared is not None  # noqa: S101 - a local is known by its place
    return local.meaning.declared


def _declarations(file: ast.PolicyFile) -> Iterator[Declaration]:
    pack = next((d.name.text for d in file.declarations if isinstance(d, ast.Header)), file.file)
    for declaration in file.declarations:
        for sort, owner, name, syntax in _named(declaration, pack):
            yield Declaration(Meaning(sort, name.text, owner), name.span, syntax, pack)


def _named(declaration: ast.Declaration, pack: str) -> Iterator[tuple[Sort, str, ast.Identifier, Syntax]]:
    """Yield the names that a declaration declares."""
    match declaration:
        case ast.Header():
            yield Sort.PACK, "", declaration.name, declaration
        case ast.Parameter():
            yield Sort.PARAMETER, pack, declaration.name, declaration
        case ast.Define():
            yield Sort.DEFINITION, pack, declaration.name, declaration
        case ast.Rule():
            yield Sort.RULE, pack, declaration.name, declaration
        case ast.NodeDeclaration(name=name, attributes=attributes):
            yield Sort.KIND, "", name, declaration
            yield from ((Sort.ATTRIBUTE, name.text, a.name, a) for a in attributes)
        case ast.ExtendNode(name=name, attributes=attributes):
            yield from ((Sort.ATTRIBUTE, name.text, a.name, a) for a in attributes)
        case ast.EdgeDeclaration(name=name, reverse=reverse):
            yield Sort.EDGE, "", name, declaration
            if reverse is not None:
                yield Sort.EDGE, "", reverse, declaration
        case ast.EvidenceDeclaration(name=name, fields=fields):
            yield Sort.EVIDENCE, "", name, declaration
            yield from ((Sort.FIELD, name.text, f.name, f) for f in fields)
        case ast.EnumDeclaration(name=name, members=members):
            yield Sort.ENUM, "", name, declaration
            yield from ((Sort.MEMBER, name.text, m, declaration) for m in members)
        case ast.ExtendEnum(name=name, members=members):
            yield from ((Sort.MEMBER, name.text, m, m) for m in members)
        case ast.RoleDeclaration():
            yield Sort.ROLE, "", declaration.name, declaration
        case ast.Use() | ast.Test():
            return
