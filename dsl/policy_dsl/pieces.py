"""A checked program in pieces: an index and one text for each rule and definition, read as they are needed.

Rules:

- the index names every rule with the kind of thing it is about, and what evaluation asks of the schema: kinds with
  their parents, edges with their reverse names and flow;
- a piece is a rule or a definition without its syntax and its place in the text, which evaluation never looks at;
- a part that stands in several places is written once, in the index, and read once; it is one object wherever it
  stands, which changes no meaning, for parts of programs never change;
- what is read is a ``Program`` like any other, with the rules asked for; a definition is read when a rule uses it.

A part is written as ``[number of its form, its fields…]``; form 0 is a tuple, form 1 refers to a shared part.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final, TypeVar, cast

from policy_dsl.records import replace
from policy_dsl.storage import StoredProgramError, class_of, name_of
from policy_dsl.typed import tree
from policy_dsl.typed.schema import Attribute, EdgeType, Flow, Kind, Schema
from policy_dsl.typed.types import NodeType

FORMAT: Final = "policy-pieces/2"

_T = TypeVar("_T")

_DAMAGE = (ValueError, TypeError, KeyError, AttributeError, RecursionError, ArithmeticError, IndexError)
_TUPLE, _SHARED = 0, 1
_PLAIN: dict[str, Callable[..., Any]] = {
    "Decimal": Decimal,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "set": lambda *items: frozenset(items),
    "map": lambda *items: dict(zip(items[::2], items[1::2], strict=True)),
}


def to_pieces(program: tree.Program) -> tuple[bytes, list[str]]:
    """Return the index of a program, and its pieces."""
    writer = _Writer()
    parts: list[tree.Rule | tree.Definition] = [*program.rules.values(), *program.definitions.values()]
    written = [writer.form(_bare(part)) for part in parts]
    parameters = writer.form(dict(program.parameters))
    writer.share([*written, parameters])
    schema = program.schema
    index = {
        "format": FORMAT,
        "forms": list(writer.forms),
        "kinds": {kind.name: kind.parent for kind in schema.kinds.values()},
        "edges": {edge.name: [edge.reverse, edge.flow] for edge in schema.edges.values()},
        "parameters": writer.brief(parameters),
        "rules": {rule.name: [_kind(rule), piece] for piece, rule in enumerate(program.rules.values())},
        "definitions": {name: piece for piece, name in enumerate(program.definitions, len(program.rules))},
    }
    pieces = [_text(writer.brief(part)) for part in written]
    index["shared"] = writer.shared
    return _text(index).encode(), pieces


class StoredPieces:
    """A program in pieces: what the index says, and programs of some of its rules.

    ``piece`` gives the text of a piece by its number.
    """

    def __init__(self, index: bytes, piece: Callable[[int], str]) -> None:
        self._piece = piece
        try:
            read = json.loads(index)
            if read["format"] != FORMAT:
                raise StoredProgramError(f"the format is `{read['format']}`")
            self.schema = Schema(
                {name: Kind(name, parent, {}) for name, parent in read["kinds"].items()},
                {name: EdgeType(name, (), (), reverse, Flow(flow)) for name, (reverse, flow) in read["edges"].items()},
            )
            self.rules: Mapping[str, tuple[str, int]] = {n: (str(k), int(p)) for n, (k, p) in read["rules"].items()}
            self._definitions = {name: int(piece) for name, piece in read["definitions"].items()}
            self._forms: list[str] = [str(name) for name in read["forms"]]
            self._made: dict[int, Callable[..., Any]] = {}
            self._shared: list[Any] = read["shared"]
            self._known: dict[int, Any] = {}
            self._parameters = self._part(read["parameters"])
        except _DAMAGE as error:
            raise StoredProgramError("the bytes are no index of a program") from error

    def about(self, kinds: Iterable[str]) -> tree.Program:
        """Return the program with the rules that are about things of some kinds.

        Raises:
            StoredProgramError: a piece is damaged.
        """
        given = tuple(kinds)
        wanted = {kind for kind in self.schema.kinds for one in given if self.schema.is_a(one, kind)}
        rules = {name: self._rule(name, piece) for name, (kind, piece) in self.rules.items() if kind in wanted}
        return tree.Program(self.schema, (), rules, _Definitions(self), self._parameters, (), {})

    def definition(self, name: str) -> tree.Definition:
        """Return a definition by its name."""
        if name not in self._definitions:
            raise StoredProgramError(f"there is no definition `{name}`")
        return self._read(self._definitions[name], tree.Definition)

    def _rule(self, name: str, piece: int) -> tree.Rule:
        rule = self._read(piece, tree.Rule)
        if rule.name != name or not isinstance(rule.subject.type, NodeType):
            raise StoredProgramError(f"the rule `{name}` is not where the index says")
        return rule

    def _read(self, piece: int, form: type[_T]) -> _T:
        try:
            found = self._part(json.loads(self._piece(piece)))
        except _DAMAGE as error:
            raise StoredProgramError(f"piece {piece} of the program is damaged") from error
        if not isinstance(found, form):
            raise StoredProgramError(f"piece {piece} of the program is something else")
        return found

    def _part(self, written: Any) -> Any:
        if written.__class__ is not list:
            return written
        number = written[0]
        if number == _SHARED:
            return self._shared_part(written[1])
        # INVARIANT: what is no list is itself; asking first spares a call for each.
        fields = [self._part(item) if item.__class__ is list else item for item in written[1:]]
        if number == _TUPLE:
            return tuple(fields)
        make = self._made.get(number) or self._form(number)
        return make(*fields)

    def _shared_part(self, number: int) -> Any:
        known = self._known
        if number not in known:
            # A shared part is made of earlier ones alone, so that nothing can be made of itself.
            if not 0 <= number < len(self._shared) or not _rests_on_earlier(self._shared[number], number):
                raise StoredProgramError(f"there is no shared part {number}")
            known[number] = self._part(self._shared[number])
        return known[number]

    def _form(self, number: int) -> Callable[..., Any]:
        if number < 2:
            raise StoredProgramError(f"there is no form {number}")
        name = self._forms[number - 2]
        make = _PLAIN.get(name)
        if make is None:
            found: Any = class_of(name)
            make = _exactly(found) if not issubclass(found, Enum) else found
        self._made[number] = make
        return make


class _Definitions(dict[str, tree.Definition]):
    """Definitions by name, each read when it is first asked for."""

    def __init__(self, pieces: StoredPieces) -> None:
        super().__init__()
        self._pieces = pieces

    def __missing__(self, name: str) -> tree.Definition:
        found = self[name] = self._pieces.definition(name)
        return found


class _Writer:
    """Writes parts; then those that stand in several places as references to one."""

    def __init__(self) -> None:
        self.forms: dict[str, int] = {}
        self.shared: list[Any] = []
        self._places: dict[str, int] = {}
        self._count: Counter[str] = Counter()

    def form(self, value: Any) -> Any:
        """Return a value in full."""
        match value:
            case Enum():
                return [self._number(name_of(type(value))), value.value]
            case None | bool() | int() | str():
                return value
            case tuple() | list():
                return [_TUPLE, *map(self.form, value)]
            case Decimal():
                return [self._number("Decimal"), str(value)]
            case datetime() | date():
                return [self._number(type(value).__name__), value.isoformat()]
            case frozenset():
                return [self._number("set"), *sorted(map(self.form, value), key=_text)]
            case Mapping():
                return [self._number("map"), *(self.form(part) for pair in value.items() for part in pair)]
            case Attribute():
                value = replace(value, description="")
        form: Any = type(value)
        return [self._number(name_of(form)), *(self.form(getattr(value, name)) for name in form.__match_args__)]

    def share(self, written: list[Any]) -> None:
        """Note what stands in several places."""
        for part in written:
            self._count_parts(part)

    def brief(self, written: Any) -> Any:
        """Return a written part with references to what is shared."""
        if not isinstance(written, list):
            return written
        text = _text(written)
        if self._count[text] < 2:
            return [written[0], *map(self.brief, written[1:])]
        if text not in self._places:
            made = [written[0], *map(self.brief, written[1:])]
            self._places[text] = len(self.shared)
            self.shared.append(made)
        return [_SHARED, self._places[text]]

    def _count_parts(self, written: Any) -> None:
        if isinstance(written, list):
            text = _text(written)
            self._count[text] += 1
            # What is counted twice is written once, and so are its parts.
            if self._count[text] == 1:
                for part in written[1:]:
                    self._count_parts(part)

    def _number(self, name: str) -> int:
        return self.forms.setdefault(name, len(self.forms) + 2)


def _exactly(form: Any) -> Callable[..., Any]:
    """Return a class as a maker that wants all the fields, also those that have a default."""
    wanted = len(form.__match_args__)

    def make(*fields: Any) -> Any:
        if len(fields) != wanted:
            raise ValueError(form)
        return form(*fields)

    return make


def _rests_on_earlier(written: Any, number: int) -> bool:
    if written.__class__ is not list:
        return True
    if written[0] == _SHARED:
        return bool(written[1] < number)
    return all(_rests_on_earlier(part, number) for part in written[1:] if part.__class__ is list)


def _bare(part: tree.Rule | tree.Definition) -> Any:
    if isinstance(part, tree.Rule):
        return replace(part, syntax=cast(Any, None), span=cast(Any, None))
    return replace(part, syntax=cast(Any, None))


def _kind(rule: tree.Rule) -> str:
    assert isinstance(rule.subject.type, NodeType)  # noqa: S101 - the checker binds subjects to kinds
    return rule.subject.type.kind


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
