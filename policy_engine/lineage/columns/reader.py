"""An estate file as evaluation sees it: the same questions and answers as a snapshot and a set of evidence.

Rules:

- nothing is read before it is asked for, so that one subject costs the same in an estate of any size;
- every number of the file is checked before it is used: what does not fit is PE3403, whatever the file says.
"""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from policy_engine.lineage.columns.codec import decode
from policy_engine.lineage.columns.errors import damaged, estate_error
from policy_engine.lineage.columns.layout import CONTRADICTED, NEVER, NOT_STATED, Container

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from policy_dsl.values import Value
    from policy_engine.model.evidence import Evidence

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A row of so many edges is read whole, for evaluation asks for one type after the other.
_SHORT = 64
# Among more ids than this, only the neighbours of a misspelt one are looked at.
_FEW = 50_000

_T = TypeVar("_T")


class Dictionary(Sequence[_T]):
    """The values that codes of a column stand for, each read when first asked for: code k is entry k-2."""

    def __init__(self, file: Container, name: str, read: Callable[[str], _T]) -> None:
        self._name = name
        if file.typecode(f"{name}.offset") != "Q" or not file.length(f"{name}.offset"):
            raise damaged(f"`{name}.offset` is empty or of another type")
        self._offset = file.section(f"{name}.offset")
        self._text = file.section(f"{name}.text")
        self._read = read
        self._known: dict[int, _T] = {}

    def __len__(self) -> int:
        return len(self._offset) - 1

    def __getitem__(self, index: Any) -> Any:
        found = self._known.get(index)
        if found is None:
            if not 0 <= index < len(self):
                raise damaged(f"`{self._name}` has no entry {index}")
            found = self._known[index] = self._read(text_between(self._offset, self._text, index, self._name))
        return found


def text_between(offset: memoryview, text: memoryview, index: int, name: str) -> str:
    """Return a text of a list of texts.

    Raises:
        LineageError: PE3403, it lies outside the list, or is not UTF-8.
    """
    start, end = offset[index], offset[index + 1]
    if not start <= end <= len(text):
        raise damaged(f"a text of `{name}` lies outside it")
    try:
        return str(text[start:end], "utf-8")
    except UnicodeDecodeError as error:
        raise damaged(f"a text of `{name}` is not UTF-8") from error


class EstateFile(Container):
    """An estate file with its columns; nodes are known by number, dependencies first, and by id."""

    def __init__(self, buffer: "Buffer") -> None:
        super().__init__(buffer)
        self.nodes = self._count("nodes")
        self.edges = self._count("edges")
        self.kinds = self._names("kinds")
        self.edge_types = self._names("edge_types")
        self.evidence_types = self._names("evidence_types")
        self.evidence_fields = self._names("evidence_fields")
        self.attributes = self._names("attributes")
        self._check_lengths()
        self._promised = {f"attribute.{name}" for name in self.attributes} | {"evidence.signers"}
        self._promised |= {f"evidence.field.{name}" for name in self.evidence_fields}
        self._columns: dict[str, memoryview | None] = {}
        self._dictionaries: dict[str, Dictionary[Any]] = {}
        self._numbers: dict[str, int] = {}
        self._ids: dict[int, str] = {}

    def number(self, node_id: str) -> int:
        """Return the number of a node.

        Raises:
            LineageError: PE3152, there is none of this id; PE3403.
        """
        found = self.find(node_id)
        if found is None:
            raise estate_error("PE3152", f"there is no node `{node_id}`", self._nearest(node_id))
        return found

    def find(self, node_id: str) -> int | None:
        """Return the number of a node, if there is one of this id."""
        found = self._numbers.get(node_id)
        if found is None:
            rank = self._rank(node_id)
            if rank is None:
                return None
            found = self._node(self.section("ids.number")[rank])
            self._numbers[node_id] = found
            self._ids[found] = node_id
        return found

    def id(self, number: int) -> str:
        """Return the id of a node."""
        found = self._ids.get(number)
        if found is None:
            rank = self._node(self.section("ids.rank")[self._node(number)])
            found = text_between(self.section("ids.offset"), self.section("ids.text"), rank, "ids")
            # A damaged list of ids must not give two nodes one id.
            if self._numbers.setdefault(found, number) != number:
                raise damaged(f"two nodes have the id `{found}`")
            self._ids[number] = found
        return found

    def kind(self, number: int) -> str:
        """Return the kind of a node."""
        code = self.section("kind")[number]
        if code >= len(self.kinds):
            raise damaged("a node has a kind that is not in its list")
        return self.kinds[code]

    def dictionary(self, name: str) -> "Dictionary[Value]":
        """Return the dictionary of a column of values, such as ``attribute.stage``."""
        return self._dictionary(name, decode)

    def signers(self) -> "Dictionary[tuple[frozenset[str], ...]]":
        """Return the dictionary of who signed: the roles of each distinct key."""
        return self._dictionary("evidence.signers", _roles)

    def value(self, column: str, row: int) -> "Value | None":
        """Return the value of a column in a row, or nothing when it is not stated or contradicted."""
        code = self.code(column, row)
        if code <= CONTRADICTED:
            return None
        found: Value = self.dictionary(column)[code - 2]
        return found

    def code(self, column: str, row: int) -> int:
        """Return the code of a column in a row; a column that is left out states nothing."""
        codes = self._codes(column)
        return NOT_STATED if codes is None else codes[row]

    def row(self, name: str, near: int, limit: int) -> range:
        """Return where the items of a node, or of a kind, lie in the lists that ``name`` is the index of."""
        rows = self.section(name)
        start, end = rows[near], rows[near + 1]
        if not start <= end <= limit:
            raise damaged(f"a row of `{name}` lies outside it")
        return range(start, end)

    def document(self, name: str) -> bytes | None:
        """Return a document that travels with the estate, if there is one, checked whatever its size."""
        if name not in self:
            return None
        self.verify(name)
        return bytes(self.section(name))

    def text(self, name: str, index: int) -> str:
        """Return a text of a list that travels with the estate."""
        if self.typecode(f"{name}.offset") != "Q":
            raise damaged(f"`{name}.offset` is of another type")
        offset = self.section(f"{name}.offset")
        if not 0 <= index < len(offset) - 1:
            raise damaged(f"`{name}` has no entry {index}")
        return text_between(offset, self.section(f"{name}.text"), index, name)

    def _dictionary(self, name: str, read: Callable[[str], _T]) -> "Dictionary[_T]":
        found = self._dictionaries.get(name)
        if found is None:
            found = self._dictionaries[name] = Dictionary(self, name, read)
        return found

    def _rank(self, node_id: str) -> int | None:
        try:
            wanted = node_id.encode("utf-8")
        except UnicodeEncodeError:
            return None
        low, high = 0, self.nodes
        while low < high:
            middle = (low + high) // 2
            if self._raw_id(middle) < wanted:
                low = middle + 1
            else:
                high = middle
        return low if low < self.nodes and self._raw_id(low) == wanted else None

    def _raw_id(self, rank: int) -> bytes:
        offset, text = self.section("ids.offset"), self.section("ids.text")
        start, end = offset[rank], offset[rank + 1]
        if not start <= end <= len(text):
            raise damaged("a text of `ids` lies outside it")
        return bytes(text[start:end])

    def _node(self, number: int) -> int:
        if number >= self.nodes:
            raise damaged(f"it names the node {number}, and there are {self.nodes}")
        return number

    def _nearest(self, node_id: str) -> str | None:
        from policy_engine.lineage.names import nearest

        ranks = range(self.nodes)
        if self.nodes > _FEW:
            wanted, low, high = node_id.encode("utf-8", "replace"), 0, self.nodes
            while low < high:
                middle = (low + high) // 2
                low, high = (middle + 1, high) if self._raw_id(middle) < wanted else (low, middle)
            ranks = range(max(0, low - 100), min(self.nodes, low + 100))
        return nearest(node_id, (self._raw_id(rank).decode("utf-8", "replace") for rank in ranks))

    def _count(self, name: str) -> int:
        found = self.header.get(name)
        if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found < 2**32 - 1:
            raise damaged(f"its header does not say how many {name.replace('_', ' ')} there are")
        return found

    def _names(self, name: str) -> tuple[str, ...]:
        found = self.header.get(name)
        if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
            raise damaged(f"its header does not list the {name.replace('_', ' ')}")
        return tuple(found)

    def _check_lengths(self) -> None:
        """Check that every column has as many rows as the counts of the header ask for."""
        n, m, rows = self.nodes, self.edges, self._count("evidence")
        wanted = {"ids.offset": ("Q", n + 1), "ids.number": ("I", n), "ids.rank": ("I", n), "kind": ("H", n)}
        wanted |= {"kind.row": ("I", len(self.kinds) + 1), "kind.node": ("I", n)}
        for way in ("up", "down"):
            types = "B" if len(self.edge_types) <= 256 else "H"
            wanted |= {f"{way}.row": ("I", n + 1), f"{way}.far": ("I", m), f"{way}.type": (types, m)}
        wanted |= {f"cycle.{end}": ("I", self._count("cycles")) for end in ("start", "end")}
        wanted |= {f"evidence.{name}": ("q", rows) for name in ("issued", "from", "until")}
        wanted |= {"evidence.type": ("H", rows), "evidence.row": ("I", n + 1), "evidence.digest": ("B", 32 * rows)}
        for name, (typecode, length) in wanted.items():
            if self.typecode(name) != typecode or self.length(name) != length:
                raise damaged(f"`{name}` does not have {length} items of its type")

    def _codes(self, column: str) -> memoryview | None:
        """Return the codes of a column, checked when it is first used: there may be thousands of columns."""
        name = f"{column}.code"
        if column in self._columns:
            return self._columns[column]
        found: memoryview | None = None
        if name in self:
            length = self.nodes if column.startswith("attribute.") else self.length("evidence.type")
            if self.typecode(name) not in ("B", "H", "I") or self.length(name) != length:
                raise damaged(f"`{name}` does not have {length} items of its type")
            found = self.section(name)
        elif column in self._promised:
            raise damaged(f"it has no section `{name}`")
        self._columns[column] = found
        return found


class MappedSnapshot:
    """The lineage of an estate file, by id."""

    def __init__(self, file: EstateFile) -> None:
        self.file = file
        self._types = {name: code for code, name in enumerate(file.edge_types)}
        self._known: dict[str, dict[str, dict[str, tuple[str, ...]]]] = {"up": {}, "down": {}}

    def __contains__(self, node_id: str) -> bool:
        return self.file.find(node_id) is not None

    def kind(self, node_id: str) -> str:
        """Return the kind of a node."""
        return self.file.kind(self.file.number(node_id))

    def value(self, node_id: str, attribute: str) -> "Value | None":
        """Return what is known of an attribute, or nothing when it is absent or contradicted."""
        return self.file.value(f"attribute.{attribute}", self.file.number(node_id))

    def is_contradicted(self, node_id: str, attribute: str) -> bool:
        """Tell whether sources contradict each other about an attribute."""
        return self.file.code(f"attribute.{attribute}", self.file.number(node_id)) == CONTRADICTED

    def targets(self, node_id: str, edge_type: str) -> tuple[str, ...]:
        """Return the ids that edges of a type lead to from a node, sorted."""
        return self._ends("up", node_id, edge_type)

    def sources_of(self, node_id: str, edge_type: str) -> tuple[str, ...]:
        """Return the ids that edges of a type come from to a node, sorted."""
        return self._ends("down", node_id, edge_type)

    def ids_of(self, kinds: Iterable[str]) -> tuple[str, ...]:
        """Return the ids of all nodes of exactly these kinds, sorted."""
        file, found = self.file, list[str]()
        asked = set(kinds)
        nodes = file.section("kind.node")
        for code, kind in enumerate(file.kinds):
            if kind in asked:
                found += [file.id(nodes[at]) for at in file.row("kind.row", code, file.nodes)]
        return tuple(sorted(found))

    def onward(self, node_id: str, edge_types: tuple[str, ...], *, upstream: bool) -> list[tuple[str, tuple[str, ...]]]:
        """Return, for each of some edge types, sorted, that lead on from a node, where to, sorted."""
        way = "up" if upstream else "down"
        ends = self._ends_by_type(way, node_id)
        if ends is None:
            return [(name, found) for name in edge_types if (found := self._ends(way, node_id, name))]
        return [(name, found) for name, found in ends.items() if name in edge_types]

    def _ends(self, way: str, node_id: str, edge_type: str) -> tuple[str, ...]:
        ends = self._ends_by_type(way, node_id)
        if ends is not None:
            return ends.get(edge_type, ())
        return self._searched(way, self._row(way, node_id), edge_type)

    def _ends_by_type(self, way: str, node_id: str) -> dict[str, tuple[str, ...]] | None:
        """Return the ends of all edges of a node, by type in order; nothing when they are too many to read at once."""
        known = self._known[way].get(node_id)
        if known is None:
            row = self._row(way, node_id)
            if len(row) > _SHORT:
                return None
            known = self._known[way][node_id] = self._grouped(way, row)
        return known

    def _row(self, way: str, node_id: str) -> range:
        return self.file.row(f"{way}.row", self.file.number(node_id), self.file.edges)

    def _grouped(self, way: str, row: range) -> dict[str, tuple[str, ...]]:
        """Return the ends of all edges of a short row, by type."""
        types = self.file.section(f"{way}.type")
        found: dict[str, list[str]] = {}
        for at in row:
            if types[at] >= len(self.file.edge_types):
                raise damaged("an edge has a type that is not in its list")
            found.setdefault(self.file.edge_types[types[at]], []).append(self._end(way, at))
        return {name: tuple(ends) for name, ends in found.items()}

    def _searched(self, way: str, row: range, edge_type: str) -> tuple[str, ...]:
        """Return the ends of the edges of one type in a long row, without looking at the others."""
        code = self._types.get(edge_type)
        if code is None:
            return ()
        types = self.file.section(f"{way}.type")
        start = bisect_left(types, code, row.start, row.stop)
        end = bisect_right(types, code, start, row.stop)
        return tuple(self._end(way, at) for at in range(start, end))

    def _end(self, way: str, at: int) -> str:
        end = self.file.section(f"{way}.far")[at]
        if end >= self.file.nodes:
            raise damaged(f"an edge leads to the node {end}, and there are {self.file.nodes}")
        return self.file.id(end)


class MappedEvidence:
    """The verified evidence of an estate file."""

    def __init__(self, file: EstateFile) -> None:
        self.file = file
        self._types = {name: code for code, name in enumerate(file.evidence_types)}
        self._known: dict[tuple[str, str], tuple[Evidence, ...]] = {}

    def about(self, subject: str, evidence_type: str) -> "tuple[Evidence, ...]":
        """Return the evidence of a type about a subject, in the order of issue."""
        key = (subject, evidence_type)
        found = self._known.get(key)
        if found is None:
            code, number = self._types.get(evidence_type), self.file.find(subject)
            rows: list[int] = []
            if code is not None and number is not None:
                row = self.file.row("evidence.row", number, self.file.length("evidence.type"))
                types = self.file.section("evidence.type")
                rows = [at for at in row if types[at] == code]
            found = self._known[key] = tuple([self._record(subject, evidence_type, at) for at in rows])
        return found

    def _record(self, subject: str, evidence_type: str, at: int) -> "Evidence":
        from policy_engine.model.evidence import Evidence

        file = self.file
        until = file.section("evidence.until")[at]
        fields = {name: file.value(f"evidence.field.{name}", at) for name in file.evidence_fields}
        code = file.code("evidence.signers", at)
        if code <= CONTRADICTED:
            raise damaged("a piece of evidence does not say who signed it")
        return Evidence(
            f"sha256:{bytes(file.section('evidence.digest')[32 * at : 32 * at + 32]).hex()}",
            evidence_type,
            subject,
            _instant(file.section("evidence.issued")[at]),
            _instant(file.section("evidence.from")[at]),
            None if until == NEVER else _instant(until),
            {name: value for name, value in fields.items() if value is not None},
            file.signers()[code - 2],
        )


def _instant(seconds: int) -> datetime:
    try:
        return _EPOCH + timedelta(seconds=seconds)
    except OverflowError as error:
        raise damaged("an instant in it lies outside the calendar") from error


def _roles(text: str) -> tuple[frozenset[str], ...]:
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise damaged("a list of signers in it is none") from error
    if not isinstance(raw, list) or not all(
        isinstance(roles, list) and all(isinstance(role, str) for role in roles) for roles in raw
    ):
        raise damaged("a list of signers in it is none")
    return tuple(frozenset(roles) for roles in raw)
