"""A checked program in pieces: an index and one text for each rule and definition, read as they are needed.

Rules:

- the index names every rule with the kind of thing it is about, and what evaluation asks of the schema: kinds with
  their parents, edges with their reverse names and flow;
- a piece is a rule or a definition without its syntax and its place in the text, which evaluation never looks at;
- what is read is a ``Program`` like any other, with the rules asked for; a definition is read when a rule uses it.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar, cast

from policy_dsl.records import replace
from policy_dsl.storage import StoredProgramError, decode, encode
from policy_dsl.typed import tree
from policy_dsl.typed.schema import EdgeType, Flow, Kind, Schema
from policy_dsl.typed.types import NodeType

FORMAT = "policy-pieces/1"

_T = TypeVar("_T")

_DAMAGE = (ValueError, TypeError, KeyError, AttributeError, RecursionError, ArithmeticError, IndexError)


def to_pieces(program: tree.Program) -> tuple[bytes, list[str]]:
    """Return the index of a program, and its pieces."""
    pieces: list[str] = []

    def kept(part: tree.Rule | tree.Definition) -> int:
        bare: Any = replace(part, syntax=cast(Any, None))
        if isinstance(bare, tree.Rule):
            bare = replace(bare, span=cast(Any, None))
        pieces.append(_text(_without_descriptions(encode(bare))))
        return len(pieces) - 1

    schema = program.schema
    index = {
        "format": FORMAT,
        "kinds": {kind.name: kind.parent for kind in schema.kinds.values()},
        "edges": {edge.name: [edge.reverse, edge.flow] for edge in schema.edges.values()},
        "parameters": encode(program.parameters),
        "rules": {rule.name: [_kind(rule), kept(rule)] for rule in program.rules.values()},
        "definitions": {name: kept(definition) for name, definition in program.definitions.items()},
    }
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
            self._parameters = decode(read["parameters"])
            self._definitions = {name: int(piece) for name, piece in read["definitions"].items()}
        except _DAMAGE as error:
            raise StoredProgramError("the bytes are no index of a program") from error

    def about(self, kinds: Iterable[str]) -> tree.Program:
        """Return the program with the rules that are about things of some kinds.

        Raises:
            StoredProgramError: a piece is damaged.
        """
        wanted = {kind for kind in self.schema.kinds for given in kinds if self.schema.is_a(given, kind)}
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
            found = decode(json.loads(self._piece(piece)))
        except _DAMAGE as error:
            raise StoredProgramError(f"piece {piece} of the program is damaged") from error
        if not isinstance(found, form):
            raise StoredProgramError(f"piece {piece} of the program is something else")
        return found


class _Definitions(dict[str, tree.Definition]):
    """Definitions by name, each read when it is first asked for."""

    def __init__(self, pieces: StoredPieces) -> None:
        super().__init__()
        self._pieces = pieces

    def __missing__(self, name: str) -> tree.Definition:
        found = self[name] = self._pieces.definition(name)
        return found


def _kind(rule: tree.Rule) -> str:
    assert isinstance(rule.subject.type, NodeType)  # noqa: S101 - the checker binds subjects to kinds
    return rule.subject.type.kind


def _without_descriptions(stored: Any) -> Any:
    """Return a stored value with nothing said about its attributes but what they are."""
    if isinstance(stored, list):
        return [_without_descriptions(item) for item in stored]
    if not isinstance(stored, dict):
        return stored
    inner = _without_descriptions(stored["="])
    if stored["#"] == "S:Attribute":
        inner[3] = ""
    return {"#": stored["#"], "=": inner}


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
