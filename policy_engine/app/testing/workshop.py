"""Compiles packs once, and then one changed declaration at a time.

A changed rule needs the schema, the definitions and the parameters it sees, and no other rule and no test. So the
workshop keeps the parsed packs, takes everything else out, and checks what is left together with the changed text.
Kinds and words are kept of every pack: a schema is one for the whole run.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from policy_dsl.diagnostics import Diagnostics
from policy_dsl.resolved.symbols import NamedDeclaration, Pack, Symbols, resolve
from policy_dsl.source import SourceFile
from policy_dsl.syntax import ast
from policy_dsl.syntax.parser import decode, parse
from policy_dsl.typed import tree
from policy_dsl.typed.program_from_resolved import program_from_resolved

Target = ast.Rule | ast.Define | ast.Parameter


@dataclass(frozen=True, slots=True)
class Place:
    """A rule, definition or parameter of a pack."""

    pack: str
    name: str
    declaration: Target

    @property
    def full_name(self) -> str:
        """The name with its pack, as programs know it."""
        return f"{self.pack}.{self.name}"


class Workshop:
    """Packs without errors, ready to have one declaration changed."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        diagnostics = Diagnostics()
        sources = [decode(name, data, diagnostics) for name, data in files.items()]
        self.sources: dict[str, SourceFile] = {source.name: source for source in sources}
        self.symbols = resolve([parse(source, diagnostics) for source in sources], diagnostics)
        self.program = program_from_resolved(self.symbols, self.sources, diagnostics, {})
        self._bare = {name: _without_rules(pack) for name, pack in self.symbols.packs.items()}
        words = {name: _without_values(pack) for name, pack in self._bare.items()}
        self._words = {name: pack for name, pack in words.items() if pack.extensions or any(pack.names.values())}

    def places(self, packs: frozenset[str]) -> Iterator[Place]:
        """Yield the rules, definitions and parameters of packs in the order of the text."""
        for name in sorted(packs & self.symbols.packs.keys()):
            pack = self.symbols.packs[name]
            found = [*pack.names["value"].values(), *pack.names["rule"].values()]
            targets = [d for d in found if isinstance(d, ast.Rule | ast.Define | ast.Parameter)]
            yield from (Place(name, d.name.text, d) for d in sorted(targets, key=lambda d: d.span.start))

    def text(self, place: Place) -> str:
        """Return the source text of a declaration."""
        span = place.declaration.span
        return self.sources[span.file].text[span.start : span.end]

    def changed(self, place: Place, text: str) -> tree.Program | None:
        """Return the program with another text for one declaration, or nothing if that text is not valid."""
        found = Diagnostics()
        declarations = parse(SourceFile("changed.policy", text), found).declarations
        if found.has_errors or len(declarations) != 1:
            return None
        used = {name: self._bare[name] for name in self._used_by(place.pack)}
        packs = {**self._words, **used, place.pack: _with(self._bare[place.pack], place.name, declarations[0])}
        checked = program_from_resolved(Symbols(packs), self.sources, found, {})
        return None if found.has_errors else self._merged(place, checked)

    def _used_by(self, pack: str) -> Iterator[str]:
        """Yield the packs that a pack uses, under whatever name, and those that these use."""
        waiting, seen = [pack], {pack}
        while waiting:
            found = [u.pack.text for u in self.symbols.packs[waiting.pop()].uses if u.pack.text not in seen]
            seen.update(found)
            waiting += found
            yield from found

    def _merged(self, place: Place, checked: tree.Program) -> tree.Program:
        name, old = place.full_name, self.program
        match place.declaration:
            case ast.Rule():
                return replace(old, rules={**old.rules, name: checked.rules[name]})
            case ast.Define():
                return replace(old, definitions={**old.definitions, name: checked.definitions[name]})
            case ast.Parameter():
                return replace(old, parameters={**old.parameters, name: checked.parameters[name]})


def _without_rules(pack: Pack) -> Pack:
    return replace(pack, names={**pack.names, "rule": {}}, tests=())


def _without_values(pack: Pack) -> Pack:
    return replace(pack, names={**pack.names, "value": {}})


def _with(pack: Pack, name: str, declaration: ast.Declaration) -> Pack:
    group = "rule" if isinstance(declaration, ast.Rule) else "value"
    assert isinstance(declaration, NamedDeclaration)  # noqa: S101 - a change keeps the kind of declaration
    return replace(pack, names={**pack.names, group: {**pack.names[group], name: declaration}})
