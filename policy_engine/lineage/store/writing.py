"""A stored snapshot as canonical bytes, piece by piece, and the digests of them.

Rules: the bytes are those of `policy_engine.lineage.snapshot`, and are never held together here; a row gives its
document as it was stored, with the numbers of its sources turned into their indexes in this snapshot.
"""

import hashlib
import json
from collections.abc import Generator, Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any, Final

from sqlalchemy import Connection, Table, and_, select
from sqlalchemy.sql.elements import ColumnElement

from policy_engine.lineage.snapshot import FORMAT, JSON
from policy_engine.lineage.store.tables import EDGES, NODES, SOURCE_NAMES, SOURCES

BATCH: Final = 2_000
"""How many rows are fetched, and joined to one piece, at a time."""

STREAMED: Final = {"yield_per": BATCH}
"""How a question is put whose answer may be long. Its result is closed where it is read, or a cursor stays open."""


class Turn:
    """Turns the numbers of sources into other ones; where all stay the same, text is not even read."""

    def __init__(self, numbers: Mapping[int, int]) -> None:
        self._numbers = numbers
        self._same = all(number == other for number, other in numbers.items())

    def node(self, document: str) -> str:
        """Return the document of a node with its origins turned."""
        if self._same:
            return document
        read = json.loads(document)
        conflicting = chain.from_iterable(read.get("conflicts", {}).values())
        for asserted in (read, *read["attributes"].values(), *conflicting):
            asserted["origins"] = self._turned(asserted["origins"])
        return JSON.encode(read)

    def origins(self, document: str) -> str:
        """Return the origins of an edge, turned."""
        return document if self._same else JSON.encode(self._turned(json.loads(document)))

    def _turned(self, origins: list[list[Any]]) -> list[list[Any]]:
        # Origins are in order of their sources' names, which is that of their indexes too.
        return [[self._numbers[source], pointer, line] for source, pointer, line in origins]


class Digest:
    """The digest of pieces."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def take(self, pieces: Iterable[bytes]) -> None:
        """Take pieces into the digest."""
        for piece in pieces:
            self._hash.update(piece)

    @property
    def text(self) -> str:
        """The digest in the form that documents use."""
        return f"sha256:{self._hash.hexdigest()}"


def edges_begin() -> bytes:
    """Return what stands before the edges."""
    return b'{"edges":['


def nodes_begin() -> bytes:
    """Return what stands between edges and nodes."""
    return f'],"format":"{FORMAT}","nodes":['.encode()


def sources_begin() -> bytes:
    """Return what stands between nodes and sources."""
    return b'],"sources":['


def end() -> bytes:
    """Return what stands at the end."""
    return b"]}"


def edge_text(kind: str, source: str, target: str, origins: str | None) -> str:
    """Write an edge; without its origins, only what is asserted."""
    named = f'"source":{JSON.encode(source)},"target":{JSON.encode(target)},"type":{JSON.encode(kind)}}}'
    return "{" + named if origins is None else f'{{"origins":{origins},{named}'


def pieces(texts: Iterable[str]) -> Iterator[bytes]:
    """Join texts with commas between, some at a time."""
    remaining = iter(texts)
    first = True
    while batch := list(islice(remaining, BATCH)):
        yield (("" if first else ",") + ",".join(batch)).encode("utf-8")
        first = False


def holds_in(table: Table, number: int) -> ColumnElement[bool]:
    """Return the condition that a version holds in the snapshot of a number."""
    return and_(table.c.first <= number, table.c.last > number)


def numbered_sources(connection: Connection, names: Iterable[str]) -> dict[str, int]:
    """Return the numbers of sources by name; those seen for the first time get the next ones, by name."""
    known = _numbers(connection)
    following = max(known.values(), default=-1) + 1
    new = {name: following + n for n, name in enumerate(sorted(set(names) - known.keys()))}
    if new:
        connection.execute(SOURCE_NAMES.insert(), [{"name": name, "number": new[name]} for name in new])
    return known | new


def _numbers(connection: Connection) -> dict[str, int]:
    return {row.name: row.number for row in connection.execute(select(SOURCE_NAMES))}


def turn_of(connection: Connection, names: Iterable[str]) -> Turn:
    """Return what turns the numbers of the store into the indexes of a snapshot with sources of these names."""
    known = _numbers(connection)
    return Turn({known[name]: index for index, name in enumerate(sorted(names))})


def canonical(connection: Connection, number: int) -> Generator[bytes, None, None]:
    """Yield the canonical bytes of the snapshot of a number."""
    listed = select(SOURCES.c.name, SOURCES.c.document).where(holds_in(SOURCES, number)).order_by(SOURCES.c.name)
    sources = connection.execute(listed).all()
    turn = turn_of(connection, [name for name, _ in sources])
    yield edges_begin()
    edges = (
        select(EDGES.c.type, EDGES.c.source, EDGES.c.target, EDGES.c.document)
        .where(holds_in(EDGES, number))
        .order_by(EDGES.c.type, EDGES.c.source, EDGES.c.target)
    )
    with connection.execute(edges, execution_options=STREAMED) as links:
        yield from pieces(edge_text(kind, start, to, turn.origins(document)) for kind, start, to, document in links)
    yield nodes_begin()
    nodes = select(NODES.c.document).where(holds_in(NODES, number)).order_by(NODES.c.id)
    with connection.execute(nodes, execution_options=STREAMED) as rows:
        yield from pieces(turn.node(row.document) for row in rows)
    yield sources_begin()
    yield from pieces(document for _, document in sources)
    yield end()
