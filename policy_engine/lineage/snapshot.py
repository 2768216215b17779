"""The canonical JSON form (RFC 8785) of a snapshot: the same facts give the same bytes, on every machine.

Rules:

- the document is ``{"edges": …, "format": …, "nodes": …, "sources": …}``, every list in the order of the graph;
- an origin is ``[index of its source, JSON pointer, line or null]``;
- numbers are written as text with all their digits, dates and instants in RFC 3339, a duration as
  ``P<months>MT<seconds>S``, a set as a sorted list: the schema says which type a text stands for;
- reading accepts exactly what writing produces, checked against the schema, and refuses everything else.

>>> from policy_engine.lineage.graph import Node, Snapshot
>>> to_bytes(Snapshot.build([Node("a", "System")]), provenance=False).decode()
'{"edges":[],"format":"urn:ai-policy-engine:snapshot:v1","nodes":[{"attributes":{},"id":"a","kind":"System"}]}'
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Set
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any, Final, TypeVar

from policy_dsl.collector import without_search_for_cycles
from policy_dsl.typed.schema import Attribute, Schema
from policy_dsl.typed.types import EnumType, SetType, Simple
from policy_dsl.values import Duration, Money, Scalar, Value, format_instant
from policy_engine.lineage.documents import Limits, read_documents
from policy_engine.lineage.errors import LineageError, lineage_error
from policy_engine.lineage.graph import Edge, Fact, Node, Origin, Snapshot, Source, merge_origins, spelling
from policy_engine.lineage.json_text import decimal
from policy_engine.lineage.located import step

FORMAT: Final = "urn:ai-policy-engine:snapshot:v1"

# A snapshot of a million nodes is some hundreds of megabytes.
MAX_BYTES: Final = 1024 * 1024 * 1024

_INTEGER: Final = re.compile(r"0|-?[1-9][0-9]*")
_DURATION: Final = re.compile(r"P(-?[0-9]{1,18})MT(-?[0-9]{1,18})S")
_SHA256: Final = re.compile(r"sha256:[0-9a-f]{64}")
_NAME: Final = "snapshot"

# RFC 8785 asks of numbers and of the order of keys what this encoder does not do in general. Here it does: every
# number is a small whole number, and keys are names of the schema, whose order by UTF-16 and by code point agree.
JSON: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, check_circular=False)

_T = TypeVar("_T")


def to_bytes(snapshot: Snapshot, *, provenance: bool = True) -> bytes:
    """Write a snapshot; without ``provenance`` only what is asserted, not by whom or where.

    Raises:
        LineageError: an origin names no source of the snapshot, or a text is no text.
    """
    index = {source.name: number for number, source in enumerate(snapshot.sources)}
    with without_search_for_cycles():
        edges = _joined(_edge(edge, index, provenance) for edge in snapshot.edges)
        nodes = _joined(node_document(node, index, provenance=provenance) for node in snapshot.nodes.values())
        sources = f',"sources":[{_joined(map(source_document, snapshot.sources))}]' if provenance else ""
    text = f'{{"edges":[{edges}],"format":"{FORMAT}","nodes":[{nodes}]{sources}}}'
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise lineage_error("PE3153", "a text holds half of a surrogate pair") from error


def from_bytes(data: bytes, schema: Schema, *, max_bytes: int = MAX_BYTES) -> Snapshot:
    """Read what ``to_bytes`` wrote with its provenance.

    Raises:
        LineageError: the bytes are anything else, or name what the schema does not have.
    """
    with without_search_for_cycles():
        # (1) The bytes are strict JSON, within bounds.
        documents = read_documents(_NAME + ".json", data, Limits(max_bytes=max_bytes))
        # (2) Every part has its shape, and every kind, attribute, value and edge is the schema's.
        snapshot = _Reader(schema).snapshot(documents[0].content)
        # (3) The bytes are the one way to write it: nothing is out of order, twice, or spelled differently.
        if to_bytes(snapshot) != data:
            raise lineage_error("PE3155", "the snapshot is not in its canonical form", advice="write it again")
    return snapshot


def _joined(parts: Iterable[Any]) -> str:
    """Write parts with commas between, some at a time: all at once would hold millions of small objects in memory."""
    remaining = iter(parts)
    batches = iter(lambda: list(islice(remaining, 1_000)), [])
    return ",".join(JSON.encode(batch)[1:-1] for batch in batches)


def source_document(source: Source) -> dict[str, Any]:
    """Return a source as a snapshot writes it."""
    at = source.asserted_at
    return {
        "asserted_at": None if at is None else format_instant(at),
        "asserted_by": source.asserted_by,
        "format": source.format,
        "name": source.name,
        "sha256": source.sha256,
    }


def node_document(node: Node, index: Mapping[str, int], *, provenance: bool = True) -> dict[str, Any]:
    """Return a node as a snapshot writes it; ``index`` numbers the sources by name."""
    written: dict[str, Any] = {
        "attributes": {name: _fact(fact, index, provenance) for name, fact in node.attributes.items()},
        "id": node.id,
        "kind": node.kind,
    }
    if node.conflicts:
        written["conflicts"] = {
            name: [_fact(fact, index, provenance) for fact in sorted(facts, key=lambda fact: spelling(fact.value))]
            for name, facts in node.conflicts.items()
        }
    if node.aliases:
        written["aliases"] = sorted(set(node.aliases))
    if provenance:
        written["origins"] = origins_document(node.origins, index)
    return written


def _edge(edge: Edge, index: Mapping[str, int], provenance: bool) -> dict[str, Any]:
    written: dict[str, Any] = {"source": edge.source, "target": edge.target, "type": edge.type}
    if provenance:
        written["origins"] = origins_document(edge.origins, index)
    return written


def _fact(fact: Fact, index: Mapping[str, int], provenance: bool) -> Any:
    value = value_document(fact.value)
    return {"origins": origins_document(fact.origins, index), "value": value} if provenance else value


def origins_document(origins: tuple[Origin, ...], index: Mapping[str, int]) -> list[list[int | str | None]]:
    """Return origins as a snapshot writes them; ``index`` numbers the sources by name."""
    # Hand-made graphs may hold origins in any order.
    ordered = origins if len(origins) < 2 else merge_origins(origins)
    try:
        return [[index[origin.source], origin.pointer, origin.line] for origin in ordered]
    except KeyError as error:
        message = f"a fact names the source `{error.args[0]}`, which the snapshot does not list"
        raise lineage_error("PE3153", message) from error


def value_document(value: Value) -> Any:
    """Return a value as a snapshot writes it."""
    if isinstance(value, frozenset):
        return sorted((value_document(item) for item in value), key=str)
    if isinstance(value, str | bool):
        return value
    if isinstance(value, datetime):
        return format_instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Duration):
        return f"P{value.months}MT{value.seconds}S"
    return str(value)


def value_reader(schema: Schema) -> Callable[[object, str, Attribute], Value]:
    """Return what reads a value as a snapshot writes it, at a JSON pointer, of an attribute.

    It raises LineageError: PE3154, the value is none; PE3156, it names something that the schema does not have.
    """
    return _Reader(schema).value


class _Reader:
    """Reads the parts of a snapshot's document, each with the JSON pointer that an error names."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._sources: tuple[Source, ...] = ()

    def snapshot(self, content: object) -> Snapshot:
        document = self._mapping(content, "", {"edges", "format", "nodes", "sources"})
        if document["format"] != FORMAT:
            raise self._wrong(f"the format is not `{FORMAT}`", "/format")
        self._sources = tuple(self._each(document["sources"], "/sources", self._source))
        nodes = {node.id: node for node in self._each(document["nodes"], "/nodes", self._node)}
        edges = tuple(
            self._edge(edge, f"/edges/{number}", nodes)
            for number, edge in enumerate(self._list(document["edges"], "/edges"))
        )
        # INVARIANT: order and uniqueness are proved by writing the result again, in `from_bytes`.
        return Snapshot.build(nodes.values(), edges, self._sources)

    def _source(self, raw: object, at: str) -> Source:
        made = self._mapping(raw, at, {"asserted_at", "asserted_by", "format", "name", "sha256"})
        when = made["asserted_at"]
        sha256 = self._text(made["sha256"], at + "/sha256")
        if not _SHA256.fullmatch(sha256):
            raise self._wrong("a digest is `sha256:` and 64 lower-case hexadecimal digits", at + "/sha256")
        return Source(
            self._text(made["name"], at + "/name"),
            sha256,
            self._text(made["format"], at + "/format"),
            self._text(made["asserted_by"], at + "/asserted_by"),
            None if when is None else self._instant(when, at + "/asserted_at"),
        )

    def _node(self, raw: object, at: str) -> Node:
        made = self._mapping(raw, at, {"attributes", "id", "kind", "origins"}, {"aliases", "conflicts"})
        kind = self._schema.kinds.get(self._text(made["kind"], at + "/kind"))
        if kind is None:
            raise self._unknown(f"there is no kind `{made['kind']}`", at + "/kind")
        attributes = self._names(made["attributes"], at + "/attributes", kind.attributes)
        conflicts = self._names(made.get("conflicts", {}), at + "/conflicts", kind.attributes)
        return Node(
            self._text(made["id"], at + "/id"),
            kind.name,
            {name: self._fact(fact, here, attribute) for name, (fact, here, attribute) in attributes.items()},
            {
                name: tuple(self._fact(f, f"{here}/{n}", attribute) for n, f in enumerate(self._list(facts, here)))
                for name, (facts, here, attribute) in conflicts.items()
            },
            tuple(self._each(made.get("aliases", []), at + "/aliases", self._text)),
            self._origins(made["origins"], at + "/origins"),
        )

    def _names(self, raw: object, at: str, known: Mapping[str, Attribute]) -> dict[str, tuple[object, str, Attribute]]:
        if not isinstance(raw, dict):
            raise self._wrong("a mapping is expected", at)
        for name in raw:
            if name not in known:
                raise self._unknown(f"the kind has no attribute `{name}`", at + step(name))
        return {name: (value, at + step(name), known[name]) for name, value in raw.items()}

    def _edge(self, raw: object, at: str, nodes: dict[str, Node]) -> Edge:
        made = self._mapping(raw, at, {"origins", "source", "target", "type"})
        edge = self._schema.edges.get(self._text(made["type"], at + "/type"))
        if edge is None:
            raise self._unknown(f"there is no edge type `{made['type']}`", at + "/type")
        for end in ("source", "target"):
            if self._text(made[end], f"{at}/{end}") not in nodes:
                raise lineage_error("PE3151", f"there is no node `{made[end]}`", pointer=f"{at}/{end}")
        source, target = nodes[made["source"]], nodes[made["target"]]
        if not self._schema.connects(edge, source.kind, target.kind):
            raise self._unknown(f"`{edge.name}` does not lead from {source.kind} to {target.kind}", at)
        return Edge(edge.name, source.id, target.id, self._origins(made["origins"], at + "/origins"))

    def _fact(self, raw: object, at: str, attribute: Attribute) -> Fact:
        made = self._mapping(raw, at, {"origins", "value"})
        return Fact(
            self.value(made["value"], at + "/value", attribute), self._origins(made["origins"], at + "/origins")
        )

    def _origins(self, raw: object, at: str) -> tuple[Origin, ...]:
        return tuple(self._each(raw, at, self._origin))

    def _origin(self, raw: object, at: str) -> Origin:
        match raw:
            case [int() as source, str() as pointer, (int() | None) as line] if (
                not isinstance(source, bool) and 0 <= source < len(self._sources) and not isinstance(line, bool)
            ):
                return Origin(self._sources[source].name, pointer, line)
        raise self._wrong("an origin is `[index of a source, pointer, line]`", at)

    def value(self, raw: object, at: str, attribute: Attribute) -> Value:
        if isinstance(attribute.type, SetType):
            of = attribute.type.item
            return frozenset(self._scalar(item, f"{at}/{n}", of) for n, item in enumerate(self._list(raw, at)))
        return self._scalar(raw, at, attribute.type)

    def _scalar(self, raw: object, at: str, of: Simple | EnumType) -> Scalar:
        if of is Simple.BOOLEAN and isinstance(raw, bool):
            return raw
        if of is Simple.BOOLEAN:
            raise self._wrong("`true` or `false` is expected", at)
        written = self._text(raw, at)
        if isinstance(of, EnumType):
            if written not in of.members:
                raise self._unknown(f"`{written}` is not one of {of.name}", at)
            return written
        return self._typed(written, at, of)

    def _typed(self, written: str, at: str, of: Simple) -> Scalar:
        try:
            if of is Simple.NUMBER:
                return decimal(written)
            if of is Simple.DATE:
                return date.fromisoformat(written)
            if of is Simple.MONEY:
                amount, currency = written.split(" ")
                return Money(decimal(amount), currency)
        except ValueError:
            raise self._wrong(f"{of} is expected, not `{written}`", at) from None
        if of is Simple.INSTANT:
            return self._instant(written, at)
        if of is Simple.INTEGER and _INTEGER.fullmatch(written) and len(written) < 20:
            return int(written)
        if of is Simple.DURATION and (match := _DURATION.fullmatch(written)):
            return Duration(int(match[1]), int(match[2]))
        if of is Simple.TEXT:
            return written
        raise self._wrong(f"{of} is expected, not `{written}`", at)

    def _instant(self, raw: object, at: str) -> datetime:
        written = self._text(raw, at)
        try:
            return datetime.strptime(written, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError:
            raise self._wrong("an instant is written like `2027-12-31T09:00:00Z`", at) from None

    def _mapping(self, raw: object, at: str, required: Set[str], optional: Set[str] = frozenset()) -> dict[str, Any]:
        if not isinstance(raw, dict):
            raise self._wrong("a mapping is expected", at)
        if missing := sorted(required - raw.keys()):
            raise self._wrong(f"the key `{missing[0]}` is missing", at)
        if unknown := sorted(raw.keys() - required - optional):
            raise self._wrong(f"there is no key `{unknown[0]}` in this place", at + step(unknown[0]))
        return raw

    def _each(self, raw: object, at: str, read: Callable[[object, str], _T]) -> list[_T]:
        return [read(item, f"{at}/{number}") for number, item in enumerate(self._list(raw, at))]

    def _list(self, raw: object, at: str) -> list[object]:
        if not isinstance(raw, list):
            raise self._wrong("a list is expected", at)
        return raw

    def _text(self, raw: object, at: str) -> str:
        if not isinstance(raw, str):
            raise self._wrong("a text is expected", at)
        return raw

    def _wrong(self, message: str, at: str) -> LineageError:
        return lineage_error("PE3154", message, pointer=at)

    def _unknown(self, message: str, at: str) -> LineageError:
        return lineage_error("PE3156", message, pointer=at, advice="read the snapshot with the schema it was made with")
