"""Snapshots as versions of their parts: a new one beside the last, and one forgotten from among others.

Rules:

- snapshots are numbered in the order in which they were put; a new one is compared with the one of highest number;
- what the new one lacks or has otherwise ends there, and what is new or otherwise begins there;
- a version that holds in no snapshot any more is deleted.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

from sqlalchemy import Connection, Table, delete, exists, func, insert, literal, select, update

from policy_engine.lineage.graph import Snapshot
from policy_engine.lineage.snapshot import JSON, node_document, origins_document, source_document
from policy_engine.lineage.store.database import insert_rows
from policy_engine.lineage.store.tables import (
    EDGES,
    MOMENTS,
    NODES,
    OPEN,
    RELATIONS,
    SNAPSHOTS,
    SOURCE_NAMES,
    SOURCES,
    STAGED_EDGES,
    STAGED_NODES,
    STAGED_SOURCES,
    Relation,
    index_staged,
)

NODE_COLUMNS: Final = ("id", "kind", "document", "facts", "line")
EDGE_COLUMNS: Final = ("type", "source", "target", "document")
SOURCE_COLUMNS: Final = ("name", "document")
_BATCH: Final = 10_000


def stage(connection: Connection, snapshot: Snapshot, index: Mapping[str, int]) -> None:
    """Put the parts of a snapshot that is in memory where `add_staged` finds them."""
    nodes = ((node.id, node.kind, JSON.encode(node_document(node, index)), "", 0) for node in snapshot.nodes.values())
    edges = ((*edge.key, JSON.encode(origins_document(edge.origins, index))) for edge in snapshot.edges)
    sources = ((source.name, JSON.encode(source_document(source))) for source in snapshot.sources)
    parts: tuple[tuple[Table, tuple[str, ...], Iterator[tuple[str | int, ...]]], ...] = (
        (STAGED_NODES, NODE_COLUMNS, nodes),
        (STAGED_EDGES, EDGE_COLUMNS, edges),
        (STAGED_SOURCES, SOURCE_COLUMNS, sources),
    )
    for table, columns, rows in parts:
        while batch := list(islice(rows, _BATCH)):
            insert_rows(connection, table, columns, batch)
    index_staged(connection, STAGED_NODES, "id")


def add_staged(connection: Connection, digest: str, facts_digest: str) -> int:
    """Add what is staged as a new snapshot, and return its number."""
    last = connection.execute(select(func.max(SNAPSHOTS.c.number))).scalar()
    number = 1 if last is None else int(last) + 1
    index_staged(connection, STAGED_EDGES, "type", "source", "target")
    for relation in RELATIONS:
        _end_what_differs(connection, relation, number)
        _begin_what_is_new(connection, relation, number)
    counts = {
        name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for name, table in (("nodes", STAGED_NODES), ("edges", STAGED_EDGES), ("sources", STAGED_SOURCES))
    }
    row = SNAPSHOTS.insert().values(number=number, digest=digest, facts_digest=facts_digest, **counts)
    connection.execute(row)
    return number


def forget(connection: Connection, number: int) -> None:
    """Delete a snapshot, and every version that holds in no other."""
    connection.execute(delete(MOMENTS).where(MOMENTS.c.snapshot == number))
    connection.execute(delete(SNAPSHOTS).where(SNAPSHOTS.c.number == number))
    highest = connection.execute(select(func.max(SNAPSHOTS.c.number))).scalar()
    for table in (NODES, EDGES, SOURCES):
        still = select(1).where(SNAPSHOTS.c.number >= table.c.first, SNAPSHOTS.c.number < table.c.last)
        connection.execute(delete(table).where(table.c.first <= number, table.c.last > number, ~exists(still)))
        if highest is not None:
            # INVARIANT: what holds in the snapshot of highest number has no end, whichever that is.
            holding = update(table).where(table.c.first <= highest, table.c.last > highest, table.c.last != OPEN)
            connection.execute(holding.values(last=OPEN))
    connection.execute(delete(SOURCE_NAMES).where(~exists(select(1).where(SOURCES.c.name == SOURCE_NAMES.c.name))))


def _end_what_differs(connection: Connection, relation: Relation, number: int) -> None:
    kept, staged = relation.kept, relation.staged
    same = select(1).where(*(staged.c[k] == kept.c[k] for k in relation.key), staged.c.document == kept.c.document)
    connection.execute(update(kept).where(kept.c.last == OPEN, ~exists(same)).values(last=number))


def _begin_what_is_new(connection: Connection, relation: Relation, number: int) -> None:
    kept, staged = relation.kept, relation.staged
    # What still holds after `_end_what_differs` is the same in both.
    holds = select(1).where(*(staged.c[k] == kept.c[k] for k in relation.key), kept.c.last == OPEN)
    own = [column.name for column in kept.c if column.name not in ("first", "last")]
    chosen = (
        select(*(staged.c[name] for name in own), literal(number), literal(OPEN))
        .where(~exists(holds))
        .order_by(*(staged.c[k] for k in relation.key))
    )
    connection.execute(insert(kept).from_select([*own, "first", "last"], chosen))
