"""Writes estate files: from columns, or from a snapshot and its verified evidence.

>>> import tempfile; from pathlib import Path
>>> from policy_engine.lineage.columns.reader import EstateFile, MappedSnapshot
>>> from policy_engine.lineage.graph import Edge, Node, Snapshot
>>> estate = Snapshot.build([Node("m", "Model"), Node("d", "Dataset")], [Edge("trained_on", "m", "d")])
>>> with tempfile.TemporaryDirectory() as folder:
...     write_estate(Path(folder) / "e.aipe", estate)
...     with EstateFile.open(Path(folder) / "e.aipe") as file:
...         MappedSnapshot(file).targets("m", "trained_on"), file.number("d"), file.number("m")
(('d',), 0, 1)
"""

import json
import os
from array import array
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from policy_engine.lineage.columns.arrays import Arrays, Plain
from policy_engine.lineage.columns.codec import encode
from policy_engine.lineage.columns.errors import estate_error
from policy_engine.lineage.columns.layout import CONTRADICTED, NEVER, write_file, written
from policy_engine.lineage.columns.numbering import Numbering, number_nodes
from policy_engine.lineage.columns.table import Column, Edges, EstateTable, EvidenceRows, Texts, arrange
from policy_engine.lineage.graph import Node, Snapshot
from policy_engine.model.evidence import Evidence, EvidenceSet

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


def write_estate(
    path: str | os.PathLike[str],
    snapshot: Snapshot,
    evidence: EvidenceSet | None = None,
    documents: Mapping[str, bytes] | None = None,
    texts: Mapping[str, Texts] | None = None,
) -> None:
    """Write a snapshot, verified evidence about it and what is to travel with them; whole or not at all.

    Raises:
        LineageError: PE3405, a value cannot be kept; PE3406, the file cannot be written.
    """
    write_columns(path, table_of(snapshot, evidence or EvidenceSet(), documents, texts))


def write_columns(
    path: str | os.PathLike[str],
    table: EstateTable,
    arrays: Arrays | None = None,
    numbering: Numbering = number_nodes,
) -> None:
    """Write an estate that is in columns already, such as one of millions of nodes; with numpy's arrays in bulk."""
    write_file(path, *arrange(table, arrays, numbering))


def estate_bytes(table: EstateTable, arrays: Arrays | None = None, numbering: Numbering = number_nodes) -> bytes:
    """Return the file as bytes."""
    return b"".join(written(*arrange(table, arrays or Plain(), numbering)))


def table_of(
    snapshot: Snapshot,
    evidence: EvidenceSet,
    documents: Mapping[str, bytes] | None = None,
    texts: Mapping[str, Texts] | None = None,
) -> EstateTable:
    """Return a snapshot and its evidence as columns."""
    nodes = list(snapshot.nodes.values())
    rank = {node.id: place for place, node in enumerate(nodes)}
    kinds = tuple(sorted({node.kind for node in nodes}))
    places = {kind: place for place, kind in enumerate(kinds)}
    return EstateTable(
        ids=Texts.of(rank),
        kinds=kinds,
        kind=array("H", [places[node.kind] for node in nodes]),
        attributes=_attributes(nodes),
        edges=_edges(snapshot, rank),
        evidence=evidence_rows(evidence, rank),
        documents=documents or {},
        texts=texts or {},
        facts_digest=snapshot.facts_digest,
        digest=snapshot.digest,
    )


class Codes:
    """A column in the making; rows that nothing is said about may be left out at its end."""

    def __init__(self, rows: int) -> None:
        self._code = array("I", bytes(4 * rows))
        self._found: dict[str, int] = {}

    def add(self, row: int, written: str) -> None:
        """Give a row a value, written as JSON."""
        self._put(row, self._found.setdefault(written, len(self._found) + 2))

    def contradict(self, row: int) -> None:
        """Say that sources contradict each other about a row, unless it has a value."""
        self._put(row, CONTRADICTED)

    def column(self, rows: int | None = None) -> Column:
        """Return the column, of that many rows."""
        self._fill(rows or 0)
        return Column(self._code, Texts.of(self._found))

    def _put(self, row: int, code: int) -> None:
        self._fill(row + 1)
        self._code[row] = code

    def _fill(self, rows: int) -> None:
        if rows > len(self._code):
            self._code.frombytes(bytes(4 * (rows - len(self._code))))


def _attributes(nodes: list[Node]) -> dict[str, Column]:
    made: dict[str, Codes] = {}

    def of(name: str) -> Codes:
        if name not in made:
            made[name] = Codes(len(nodes))
        return made[name]

    for place, node in enumerate(nodes):
        for name in node.conflicts:
            of(name).contradict(place)
        for name, fact in node.attributes.items():
            of(name).add(place, encode(fact.value))
    return {name: codes.column() for name, codes in made.items()}


def _edges(snapshot: Snapshot, rank: dict[str, int]) -> Edges:
    # Edges of a snapshot are in order of type, source and target already.
    types = tuple(dict.fromkeys(edge.type for edge in snapshot.edges))
    places = {name: place for place, name in enumerate(types)}
    return Edges(
        types,
        array("H", [places[edge.type] for edge in snapshot.edges]),
        array("I", [rank[edge.source] for edge in snapshot.edges]),
        array("I", [rank[edge.target] for edge in snapshot.edges]),
    )


def evidence_rows(evidence: EvidenceSet, rank: Mapping[str, int]) -> EvidenceRows:
    """Return evidence as columns; ``rank`` numbers the nodes by id.

    Raises:
        LineageError: PE3405, there is no node that evidence is about.
    """
    records = list(evidence.records())
    for record in records:
        if record.subject not in rank:
            message = f"there is evidence about `{record.subject}`, and the estate has no such node"
            raise estate_error("PE3405", message, None)
    types = tuple(sorted({record.type for record in records}))
    places = {name: place for place, name in enumerate(types)}
    records.sort(key=lambda r: (rank[r.subject], places[r.type], r.issued, r.digest, r.counts_from))
    signers = Codes(len(records))
    fields: dict[str, Codes] = {name: Codes(len(records)) for name in sorted({f for r in records for f in r.fields})}
    for place, record in enumerate(records):
        signers.add(place, _signers(record))
        for name, value in record.fields.items():
            fields[name].add(place, encode(value))
    return EvidenceRows(
        types,
        array("I", [rank[record.subject] for record in records]),
        array("H", [places[record.type] for record in records]),
        _seconds(record.issued for record in records),
        _seconds(record.counts_from for record in records),
        _seconds(record.counts_until for record in records),
        b"".join(_raw_digest(record) for record in records),
        signers.column() if records else None,
        {name: codes.column() for name, codes in fields.items()},
    )


def _signers(record: Evidence) -> str:
    return json.dumps([sorted(roles) for roles in record.signers], ensure_ascii=False, separators=(",", ":"))


def _raw_digest(record: Evidence) -> bytes:
    name, _, digits = record.digest.partition(":")
    try:
        raw = bytes.fromhex(digits)
    except ValueError:
        raw = b""
    if name != "sha256" or len(raw) != 32 or raw.hex() != digits:
        raise estate_error("PE3405", f"`{record.digest}` is no digest of evidence", None)
    return raw


def _seconds(instants: Iterable[datetime | None]) -> "array[int]":
    return array("q", [NEVER if when is None else (when - _EPOCH) // _SECOND for when in instants])
