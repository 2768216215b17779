"""The tables of a store.

Nodes, edges and sources are kept as versions. A version holds in the snapshots from number ``first`` up to, and
without, number ``last``; one that still holds has ``OPEN`` in its place. A snapshot that changes little adds little.

An origin is written as in the canonical form of a snapshot, with the number that the store gave to its source in the
place of the source's index: the number of a source stays while sources come and go around it.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Column, Connection, Index, Integer, MetaData, Table, Text

FORMAT: Final = "urn:ai-policy-engine:store:v1"

OPEN: Final = 2**31 - 1
"""The end of a version that has none."""

# Text is compared by code point, as the canonical form sorts it: SQLite does so by itself, PostgreSQL in collation C.
_TEXT: Final = Text().with_variant(Text(collation="C"), "postgresql")


def _text(name: str, *, key: bool = False) -> Column[str]:
    return Column(name, _TEXT, primary_key=key, nullable=False)


def _number(name: str, *, key: bool = False) -> Column[int]:
    return Column(name, Integer, primary_key=key, nullable=False, autoincrement=False)


METADATA: Final = MetaData()

ABOUT: Final = Table("policy_store", METADATA, _text("key", key=True), _text("value"))

SNAPSHOTS: Final = Table(
    "policy_snapshots",
    METADATA,
    _number("number", key=True),
    Column("digest", _TEXT, nullable=False, unique=True),
    _text("facts_digest"),
    _number("nodes"),
    _number("edges"),
    _number("sources"),
)

MOMENTS: Final = Table(
    "policy_moments",
    METADATA,
    _number("number", key=True),
    _number("snapshot"),
    _text("valid_at"),
    _text("taken_at"),
    _text("comment"),
    Index("policy_moments_valid_at", "valid_at"),
)
"""From when on the estate was as a snapshot says, and when that was written down."""

SOURCE_NAMES: Final = Table("policy_source_names", METADATA, _text("name", key=True), _number("number"))

# Every version of a thing lies beside the others, in the order in which a snapshot is written.
NODES: Final = Table(
    "policy_nodes",
    METADATA,
    _text("id", key=True),
    _number("first", key=True),
    _number("last"),
    _text("kind"),
    _text("document"),
    sqlite_with_rowid=False,
)
EDGES: Final = Table(
    "policy_edges",
    METADATA,
    _text("type", key=True),
    _text("source", key=True),
    _text("target", key=True),
    _number("first", key=True),
    _number("last"),
    _text("document"),
    sqlite_with_rowid=False,
)
SOURCES: Final = Table(
    "policy_sources",
    METADATA,
    _text("name", key=True),
    _number("first", key=True),
    _number("last"),
    _text("document"),
    sqlite_with_rowid=False,
)

STAGING: Final = MetaData()
"""Temporary tables of one connection: whatever becomes of an import, nothing of them is left."""


def _staging(name: str, *columns: Column[str] | Column[int]) -> Table:
    return Table(name, STAGING, *columns, prefixes=["TEMPORARY"])


STAGED_NODES: Final = _staging(
    "staged_nodes", _text("id"), _text("kind"), _text("document"), _text("facts"), _number("line")
)
STAGED_EDGES: Final = _staging("staged_edges", _text("type"), _text("source"), _text("target"), _text("document"))
STAGED_SOURCES: Final = _staging("staged_sources", _text("name"), _text("document"))
INCOMING_EDGES: Final = _staging(
    "incoming_edges", _text("type"), _text("source"), _text("target"), _text("pointer"), _number("line")
)
INCOMING_ALIASES: Final = _staging("incoming_aliases", _text("alias"), _text("id"), _number("line"))


@dataclass(frozen=True, slots=True)
class Relation:
    """What is kept as versions, and where a new snapshot's part of it is staged."""

    kept: Table
    staged: Table
    key: tuple[str, ...]


RELATIONS: Final = (
    Relation(NODES, STAGED_NODES, ("id",)),
    Relation(EDGES, STAGED_EDGES, ("type", "source", "target")),
    Relation(SOURCES, STAGED_SOURCES, ("name",)),
)


def make_staging(connection: Connection) -> None:
    """Make the temporary tables of an import."""
    STAGING.create_all(connection, checkfirst=False)


def index_staged(connection: Connection, table: Table, *columns: str) -> None:
    """Index a temporary table once it is full, which is quicker than keeping an index while it fills."""
    names = ", ".join(f'"{column}"' for column in columns)
    connection.exec_driver_sql(f'CREATE INDEX "{table.name}_{columns[0]}" ON "{table.name}" ({names})')
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f'ANALYZE "{table.name}"')
