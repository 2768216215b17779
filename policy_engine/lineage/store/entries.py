"""One entry of an inventory, checked against the schema and turned into rows, with nothing but itself in memory.

Rules: an entry means what it means in an inventory (`docs/inventory.md`), and is checked as strictly; what can only be
seen among other entries is checked later, set by set (`incoming.py`). An entry is found again by its id: the origin of
what it asserts is ``/nodes/<id>/<key>`` without a line, which stays when other entries come and go around it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from policy_dsl.typed.schema import Attribute, EdgeType, Kind, Schema
from policy_engine.lineage.binding import Misfit, describe, read_value
from policy_engine.lineage.located import step
from policy_engine.lineage.locators import NAMES, canonical, is_name
from policy_engine.lineage.names import nearest
from policy_engine.lineage.snapshot import JSON, value_document
from policy_engine.lineage.store.findings import Findings

_OWN_KEYS: Final = frozenset({"id", "kind", "aliases"})


@dataclass(frozen=True, slots=True)
class Entry:
    """The rows of an entry: a node, the names it is looked up by, edges as ``(type, source, target, pointer)``.

    Names to look up, and those of the ends of edges, are in their canonical form.
    """

    id: str
    kind: str
    document: str
    facts: str
    names: tuple[str, ...]
    edges: tuple[tuple[str, str, str, str], ...]


class EntryReader:
    """Reads the entries of one source, known by its number in the store."""

    def __init__(self, schema: Schema, source: int, findings: Findings) -> None:
        self._schema = schema
        self._source = source
        self._findings = findings
        self._edges: dict[str, tuple[EdgeType, bool]] = {}
        for edge in schema.edges.values():
            self._edges[edge.name] = (edge, False)
        for edge in schema.edges.values():
            if edge.reverse is not None:
                self._edges.setdefault(edge.reverse, (edge, True))

    def read(self, entry: Mapping[str, object], line: int) -> Entry | None:
        """Return the rows of an entry, or nothing where it has no usable name or kind; problems are taken down."""
        node_id, written_kind = self._required(entry, "id", line), self._required(entry, "kind", line)
        if node_id is None or written_kind is None or not self.is_name(node_id, line):
            return None
        kind = self._schema.kinds.get(written_kind)
        if kind is None:
            message = f"`{node_id}` is of kind `{written_kind}`, which is not in the schema"
            self._findings.error("PE3140", message, line, advice=nearest(written_kind, self._schema.kinds))
            return None
        base = "/nodes" + step(node_id)
        documents: dict[str, Any] = {}
        facts: dict[str, Any] = {}
        edges: list[tuple[str, str, str, str]] = []
        for key, raw in entry.items():
            if key in _OWN_KEYS or raw is None:
                continue
            attribute = kind.attributes.get(key)
            if attribute is not None:
                value = self._value(attribute, raw, line)
                if value is not None:
                    facts[key] = value
                    documents[key] = {"origins": [[self._source, base + step(key), None]], "value": value}
            elif key in self._edges:
                edges += self._links(key, node_id, raw, line, base + step(key))
            else:
                self._unknown(key, kind, line)
        aliases = tuple(sorted(set(self._aliases(entry, line)) - {node_id}))
        named = {"aliases": list(aliases)} if aliases else {}
        origins = [[self._source, base, None]]
        document = {"attributes": documents, "id": node_id, "kind": kind.name, "origins": origins, **named}
        asserted = {"attributes": facts, "id": node_id, "kind": kind.name, **named}
        names = tuple(sorted({canonical(name) for name in (node_id, *aliases)} - {node_id}))
        return Entry(node_id, kind.name, JSON.encode(document), JSON.encode(asserted), names, tuple(edges))

    def edge(self, name: str, source: str, target: str, line: int) -> tuple[str, str, str, str] | None:
        """Return the row of an edge that stands alone, by its name or its reverse name."""
        found = self._edges.get(name)
        if found is None:
            advice = nearest(name, self._edges)
            self._findings.error("PE3148", f"there is no edge `{name}`", line, advice=advice)
            return None
        if not (self.is_name(source, line) and self.is_name(target, line)):
            return None
        pointer = f"/edges{step(name)}{step(source)}{step(target)}"
        start, end = canonical(source), canonical(target)
        return (name, start, end, pointer) if not found[1] else (found[0].name, end, start, pointer)

    def is_name(self, name: str, line: int) -> bool:
        """Tell whether a text can be the name of a thing, and take it down if not."""
        if is_name(name):
            return True
        self._findings.error("PE3124", f"{describe(name)} cannot be the name of a thing", line, advice=NAMES)
        return False

    def _required(self, entry: Mapping[str, object], key: str, line: int) -> str | None:
        raw = entry.get(key)
        if isinstance(raw, str):
            return raw
        if raw is None:
            self._findings.error("PE3120", f"a node needs `{key}`", line)
        else:
            message = f"`{key}` is a text, not {describe(raw)}"
            self._findings.error("PE3121", message, line, pointer=step(key), advice="put it in quotes")
        return None

    def _value(self, attribute: Attribute, raw: object, line: int) -> Any:
        value = read_value(raw, attribute.type)
        if isinstance(value, Misfit):
            message = f"`{attribute.name}` is {describe(raw)}, and {value.expected} is expected"
            self._findings.error("PE3142", message, line, pointer=step(attribute.name), advice=value.help)
            return None
        return value_document(value)

    def _links(self, key: str, node_id: str, raw: object, line: int, pointer: str) -> list[tuple[str, str, str, str]]:
        edge, turned = self._edges[key]
        own, ends = canonical(node_id), [canonical(name) for name in self._names(key, raw, line)]
        return [(edge.name, end, own, pointer) if turned else (edge.name, own, end, pointer) for end in ends]

    def _aliases(self, entry: Mapping[str, object], line: int) -> list[str]:
        raw = entry.get("aliases")
        if raw is None:
            return []
        return [name for name in self._names("aliases", raw, line) if self.is_name(name, line)]

    def _names(self, key: str, raw: object, line: int) -> list[str]:
        if isinstance(raw, str):
            return [raw]
        if isinstance(raw, list) and all(isinstance(name, str) for name in raw):
            return raw
        message = f"a name or a list of names is expected here, not {describe(raw)}"
        if isinstance(raw, list):
            odd = next(name for name in raw if not isinstance(name, str))
            message = f"a list of names is expected here, and {describe(odd)} is among them"
        self._findings.error("PE3121", message, line, pointer=step(key))
        return []

    def _unknown(self, key: str, kind: Kind, line: int) -> None:
        advice = nearest(key, [*kind.attributes, *self._edges])
        message = f"`{key}` is no attribute or edge of {kind.name}"
        self._findings.warning("PE3141", message, line, pointer=step(key), advice=advice)
