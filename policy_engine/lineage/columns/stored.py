"""The canonical bytes of a snapshot become columns as they stream by: no snapshot is made of them.

Rules: what comes is checked as reading a snapshot checks it, against the schema; that the bytes are those of the digest
is for the one who sends them to check, before anything is done with the columns.
"""

import codecs
import json
from array import array
from collections.abc import Iterable, Iterator
from typing import Any

from policy_dsl.typed.schema import Schema
from policy_engine.lineage.columns.codec import encode
from policy_engine.lineage.columns.table import Edges, EstateTable, Texts
from policy_engine.lineage.columns.writer import Codes
from policy_engine.lineage.errors import LineageError, lineage_error
from policy_engine.lineage.snapshot import value_reader
from policy_engine.model.progress import Progress, silent

# Nothing in a snapshot is longer; what is damaged must not be looked through again and again.
_LONGEST = 64 * 1024 * 1024
_DAMAGE = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


def read_snapshot(pieces: Iterable[bytes], schema: Schema, *, progress: Progress = silent) -> EstateTable:
    """Return the columns of a snapshot.

    Raises:
        LineageError: PE3154, the bytes are no snapshot; PE3156, they name something that the schema does not have.
    """
    document = _Document(pieces)
    try:
        # (1) Edges come first; their ends have no ranks yet, so that each gets a number of its own.
        ends: dict[str, int] = {}
        types: dict[str, int] = {}
        columns = array("H"), array("I"), array("I")
        document.take('{"edges":[')
        for edge in document.items():
            if edge["type"] not in schema.edges:
                raise _unknown(f"there is no edge type `{edge['type']}`")
            columns[0].append(types.setdefault(edge["type"], len(types)))
            columns[1].append(ends.setdefault(edge["source"], len(ends)))
            columns[2].append(ends.setdefault(edge["target"], len(ends)))
            progress.step()
        # (2) Things come by id: their place is their rank.
        document.take(',"format":')
        document.item()
        document.take(',"nodes":[')
        nodes = _Nodes(schema)
        for node in document.items():
            nodes.take(node)
            progress.step()
        for _ in document.rest():
            pass
    except LineageError:
        raise
    except _DAMAGE as error:
        raise lineage_error("PE3154", "the bytes are not a snapshot") from error
    # (3) The numbers of ends become ranks.
    lost = next((name for name in ends if name not in nodes.ranks), None)
    if lost is not None:
        raise lineage_error("PE3151", f"there is no node `{lost}`")
    rank = array("I", [nodes.ranks[name] for name in ends])
    source, target = (array("I", [rank[end] for end in column]) for column in columns[1:])
    return nodes.table(Edges(tuple(types), columns[0], source, target))


class _Nodes:
    """The columns of things in the making."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._value = value_reader(schema)
        self.ranks: dict[str, int] = {}
        self._kind: list[str] = []
        self._codes: dict[str, Codes] = {}
        self._written: dict[tuple[str, str, str], str] = {}

    def take(self, node: dict[str, Any]) -> None:
        rank = len(self.ranks)
        kind = self._schema.kinds.get(node["kind"])
        if kind is None:
            raise _unknown(f"there is no kind `{node['kind']}`")
        self.ranks[node["id"]] = rank
        self._kind.append(kind.name)
        for name in (*node["attributes"], *node.get("conflicts", ())):
            if name not in kind.attributes:
                raise _unknown(f"`{kind.name}` has no attribute `{name}`")
        for name in node.get("conflicts", ()):
            self._of(name).contradict(rank)
        for name, fact in node["attributes"].items():
            value = self._value(fact["value"], f"/nodes/{rank}/attributes/{name}/value", kind.attributes[name])
            self._of(name).add(rank, encode(value))

    def table(self, edges: Edges) -> EstateTable:
        kinds = tuple(sorted(set(self._kind)))
        places = {kind: place for place, kind in enumerate(kinds)}
        attributes = {name: codes.column(len(self.ranks)) for name, codes in self._codes.items()}
        return EstateTable(
            Texts.of(self.ranks), kinds, array("H", [places[kind] for kind in self._kind]), attributes, edges
        )

    def _of(self, name: str) -> Codes:
        if name not in self._codes:
            self._codes[name] = Codes(0)
        return self._codes[name]


class _Document:
    """JSON in its canonical form, an item of a list at a time."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")()
        self._pieces: Iterator[str] = (decoder.decode(piece) for piece in pieces)
        self._read = json.JSONDecoder().raw_decode
        self._text, self._at = "", 0

    def take(self, expected: str) -> None:
        while len(self._text) - self._at < len(expected):
            self._more()
        if not self._text.startswith(expected, self._at):
            raise ValueError(expected)
        self._at += len(expected)

    def item(self) -> Any:
        while True:
            try:
                found, end = self._read(self._text, self._at)
            except json.JSONDecodeError:
                self._more()
                continue
            self._at = end
            return found

    def items(self) -> Iterator[Any]:
        """Yield the items of a list that has begun, to its end."""
        while True:
            while self._at >= len(self._text):
                self._more()
            sign = self._text[self._at]
            if sign == "]":
                self._at += 1
                return
            if sign == ",":
                self._at += 1
            yield self.item()

    def rest(self) -> Iterator[str]:
        yield from self._pieces

    def _more(self) -> None:
        if len(self._text) - self._at > _LONGEST:
            raise ValueError("too long")
        try:
            piece = next(self._pieces)
        except StopIteration:
            raise ValueError("the end") from None
        self._text, self._at = self._text[self._at :] + piece, 0


def _unknown(message: str) -> LineageError:
    return lineage_error("PE3156", message, advice="read the snapshot with the schema it was made with")
