"""Our own inventory: what an organisation says of its estate, written by hand or by its own tools.

A document is a mapping with ``inventory: 1`` and ``nodes``; it may say ``organisation``, ``asserted_by`` and
``asserted_at``. Each key of a node is ``id``, ``kind``, ``aliases``, an attribute of its kind, or the name or reverse
name of an edge with one id or a list of ids. ``null`` means that a value is not known. The manual is
`docs/inventory.md`.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from policy_dsl.typed.schema import Schema
from policy_dsl.typed.types import Simple
from policy_engine.lineage.binding import Misfit, describe, read_value
from policy_engine.lineage.claims import AttributeClaim, Claims, EdgeClaim, NodeClaim
from policy_engine.lineage.documents import Document
from policy_engine.lineage.graph import Origin, Source
from policy_engine.lineage.importers.shapes import Shapes
from policy_engine.lineage.located import step
from policy_engine.lineage.names import nearest

VERSION = 1
_DOCUMENT_KEYS = ("inventory", "organisation", "asserted_by", "asserted_at", "nodes")
_NODE_KEYS = frozenset({"id", "kind", "aliases"})


@dataclass(frozen=True, slots=True)
class InventoryImporter:
    """Reads our own inventory format."""

    name: str = "inventory"
    sign: str = "an inventory, which begins with `inventory: 1`"

    def detects(self, document: Document) -> bool:
        """Tell whether a document is an inventory."""
        return isinstance(document.content, dict) and "inventory" in document.content

    def claims(self, document: Document, source: Source, schema: Schema) -> Claims:
        """Return what an inventory asserts."""
        return _Reading(document, source, schema).claims()


class _Reading:
    def __init__(self, document: Document, source: Source, schema: Schema) -> None:
        self._document = document
        self._source = source
        self._schema = schema
        self._shapes = Shapes(source.name, own=True)
        self._edge_names = set(schema.edges) | {edge.reverse for edge in schema.edges.values() if edge.reverse}
        self._nodes: list[NodeClaim] = []
        self._attributes: list[AttributeClaim] = []
        self._edges: list[EdgeClaim] = []

    def claims(self) -> Claims:
        content = self._document.content
        head: dict[str, object] = content if isinstance(content, dict) else {}
        source = self._with_head(head)
        if self._version_is_known(head):
            for raw, pointer in self._shapes.items(head, "nodes", ""):
                entry = self._shapes.mapping(raw, pointer)
                if entry is not None:
                    self._node(entry, pointer)
        return Claims(
            (source,),
            True,
            tuple(self._nodes),
            tuple(self._attributes),
            tuple(self._edges),
            tuple(self._shapes.problems),
        )

    def _version_is_known(self, head: dict[str, object]) -> bool:
        version = head.get("inventory")
        if version == VERSION and not isinstance(version, bool):
            if head.get("nodes") is None:
                self._shapes.report(
                    "PE3120", "the inventory has no `nodes`", "", advice="write `nodes: []` if it is empty"
                )
            return True
        message = f"the version of the inventory is {describe(version)}, and only {VERSION} is known"
        self._shapes.report("PE3123", message, "/inventory")
        return False

    def _with_head(self, head: dict[str, object]) -> Source:
        """Return the source with who asserts it and when."""
        for key in head:
            if key not in _DOCUMENT_KEYS:
                advice = nearest(key, _DOCUMENT_KEYS)
                self._shapes.report("PE3122", f"an inventory has no key `{key}`", step(key), advice=advice)
        organisation = self._shapes.text(head, "organisation", "")
        by = self._shapes.text(head, "asserted_by", "")
        source = replace(self._source, asserted_by=by or organisation or self._source.asserted_by)
        if head.get("asserted_at") is None:
            return source
        when = read_value(head["asserted_at"], Simple.INSTANT)
        if isinstance(when, datetime):
            return replace(source, asserted_at=when)
        advice = when.help if isinstance(when, Misfit) else None
        message = f"`asserted_at` is {describe(head['asserted_at'])}, and a date or an instant is expected"
        self._shapes.report("PE3121", message, "/asserted_at", advice=advice)
        return source

    def _node(self, entry: dict[str, object], pointer: str) -> None:
        node_id, kind = self._required(entry, "id", pointer), self._required(entry, "kind", pointer)
        if node_id is None or kind is None:
            return
        name, line = self._source.name, self._document.line
        origin = Origin(name, pointer, line(entry, "id"))
        self._nodes.append(NodeClaim(node_id, kind, self._ids(entry, "aliases", pointer), (origin,)))
        declared = self._schema.kinds.get(kind)
        attributes = declared.attributes if declared else {}
        for key, raw in entry.items():
            if key in _NODE_KEYS:
                continue
            here = pointer + step(key)
            if key in self._edge_names and key not in attributes:
                origins = (Origin(name, here, line(entry, key)),)
                self._edges.extend(EdgeClaim(key, node_id, to, origins) for to in self._ids(entry, key, pointer))
            else:
                self._attributes.append(AttributeClaim(node_id, key, raw, (Origin(name, here, line(entry, key)),)))

    def _required(self, entry: dict[str, object], key: str, pointer: str) -> str | None:
        raw = entry.get(key)
        if isinstance(raw, str):
            return raw
        if raw is None:
            self._shapes.report("PE3120", f"a node needs `{key}`", pointer)
        else:
            message = f"`{key}` is a text, not {describe(raw)}"
            self._shapes.report("PE3121", message, pointer + step(key), advice="put it in quotes")
        return None

    def _ids(self, entry: dict[str, object], key: str, pointer: str) -> tuple[str, ...]:
        raw = entry.get(key)
        if isinstance(raw, str):
            return (raw,)
        if raw is None:
            return ()
        if isinstance(raw, list):
            return tuple(text for text, _ in self._shapes.texts(entry, key, pointer))
        self._shapes.wrong(raw, "a name or a list of names", pointer + step(key))
        return ()
