"""The store: snapshots put by content, found by digest or by instant, read back byte for byte.

Rules:

- putting the same snapshot again keeps it once; each time that the estate was found to be so is a moment;
- a moment says from when on the estate was so, and when that was written down; of two moments from one instant the
  one written down later is believed;
- what is read is checked against its digest, row by row as it was stored: a store that somebody else has changed is
  never believed.

>>> import tempfile
>>> from datetime import UTC, datetime
>>> from policy_engine.lineage.graph import Node, Snapshot
>>> with tempfile.TemporaryDirectory() as folder:
...     store = Store(f"{folder}/estate.db", create=True)
...     kept = store.put(Snapshot.build([Node("a", "System")]), datetime(2026, 3, 1, tzinfo=UTC))
...     found = store.find(datetime(2026, 3, 3, tzinfo=UTC))
...     kept.digest == found.digest, found.nodes
(True, 1)
"""

import json
import re
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, func, select

from policy_dsl.typed.schema import Schema
from policy_dsl.values import format_instant
from policy_engine.lineage.binding import describe
from policy_engine.lineage.errors import LineageError, lineage_error
from policy_engine.lineage.graph import Snapshot, Source
from policy_engine.lineage.snapshot import from_bytes
from policy_engine.lineage.store import versions
from policy_engine.lineage.store.database import WAIT_SECONDS, Database
from policy_engine.lineage.store.differences import Change, differences
from policy_engine.lineage.store.tables import EDGES, MOMENTS, NODES, SNAPSHOTS, SOURCES, make_staging
from policy_engine.lineage.store.writing import Digest, canonical, holds_in, numbered_sources

SHORTEST: Final = 4
"""How many digits of a digest name a snapshot at least."""

LATEST: Final = "latest"

Which = str | datetime
"""A digest or its beginning, with or without ``sha256:``; ``latest``; or an instant: as the estate was then."""

_DIGEST: Final = re.compile(rf"(?:sha256:)?([0-9a-f]{{{SHORTEST},64}})")


@dataclass(frozen=True, slots=True)
class Kept:
    """A snapshot in a store, and one moment from which on the estate was as it says."""

    digest: str
    facts_digest: str
    valid_at: datetime
    taken_at: datetime
    comment: str
    nodes: int
    edges: int
    sources: int


@dataclass(frozen=True, slots=True)
class Contents:
    """What a snapshot holds: its moments, and how many nodes of each kind, edges of each type, and which sources."""

    moments: tuple[Kept, ...]
    kinds: dict[str, int]
    edge_types: dict[str, int]
    sources: tuple[Source, ...]


class Store:
    """Snapshots in one SQLite file, named by its path, or in PostgreSQL, named by its URL."""

    def __init__(self, place: str, *, create: bool = False, wait: float = WAIT_SECONDS) -> None:
        """Open a store; ``create`` makes one where there is none, ``wait`` is how long to wait for another writer.

        Raises:
            LineageError: it cannot be opened, or is something else.
        """
        self.database = Database(place, create=create, wait=wait)

    @property
    def name(self) -> str:
        """What messages call the store; it holds no password."""
        return self.database.name

    def put(
        self, snapshot: Snapshot, taken_at: datetime, *, valid_at: datetime | None = None, comment: str = ""
    ) -> Kept:
        """Keep a snapshot, as the estate was from ``valid_at`` on (without one, from ``taken_at`` on).

        Raises:
            LineageError: the snapshot holds what cannot be kept, or the store cannot be written.
        """
        digest, facts_digest = snapshot.digest, snapshot.facts_digest
        kinds = {node.kind for node in snapshot.nodes.values()} | {edge.type for edge in snapshot.edges}
        self.check_texts((*kinds, *snapshot.nodes, *(source.name for source in snapshot.sources)))
        with self.database.writing() as connection:
            number = connection.execute(select(SNAPSHOTS.c.number).where(SNAPSHOTS.c.digest == digest)).scalar()
            if number is None:
                make_staging(connection)
                index = numbered_sources(connection, [source.name for source in snapshot.sources])
                versions.stage(connection, snapshot, index)
                number = versions.add_staged(connection, digest, facts_digest)
            return self.record(connection, number, taken_at, valid_at, comment)

    def record(
        self, connection: Connection, number: int, taken_at: datetime, valid_at: datetime | None, comment: str
    ) -> Kept:
        """Write down from when on the estate was as a snapshot says, unless exactly that is the last word already."""
        self.check_texts([comment])
        since = format_instant(valid_at or taken_at)
        there = select(MOMENTS.c.snapshot).where(MOMENTS.c.valid_at == since).order_by(MOMENTS.c.number.desc()).limit(1)
        if connection.execute(there).scalar() != number:
            last = connection.execute(select(func.max(MOMENTS.c.number))).scalar()
            connection.execute(
                MOMENTS.insert().values(
                    number=1 if last is None else last + 1,
                    snapshot=number,
                    valid_at=since,
                    taken_at=format_instant(taken_at),
                    comment=comment,
                )
            )
        found = connection.execute(_moments().where(MOMENTS.c.valid_at == since, SNAPSHOTS.c.number == number).limit(1))
        return self._kept(found.one())

    def history(self) -> tuple[Kept, ...]:
        """Return every moment, the earliest first."""
        with self.database.reading() as connection:
            rows = connection.execute(_moments(ascending=True)).all()
        return tuple(self._kept(row) for row in rows)

    def find(self, which: Which = LATEST) -> Kept:
        """Return the snapshot that is meant.

        Raises:
            LineageError: there is none, or there are several.
        """
        with self.database.reading() as connection:
            return self._kept(self._row(connection, which))

    def contents(self, which: Which = LATEST) -> Contents:
        """Say what a snapshot holds.

        Raises:
            LineageError: there is none, or there are several.
        """
        with self.database.reading() as connection:
            number = self._row(connection, which).snapshot
            moments = connection.execute(_moments(ascending=True).where(SNAPSHOTS.c.number == number)).all()
            counts = []
            for table, column in ((NODES, NODES.c.kind), (EDGES, EDGES.c.type)):
                counted = select(column, func.count()).where(holds_in(table, number)).group_by(column).order_by(column)
                counts.append({row[0]: row[1] for row in connection.execute(counted)})
            documents = select(SOURCES.c.document).where(holds_in(SOURCES, number)).order_by(SOURCES.c.name)
            written = connection.execute(documents).scalars().all()
        try:
            sources = tuple(self._source(json.loads(document)) for document in written)
        except (ValueError, KeyError, TypeError) as error:
            raise self.database.damaged("a row is not what was put in") from error
        return Contents(tuple(self._kept(row) for row in moments), counts[0], counts[1], sources)

    def get(self, which: Which, schema: Schema) -> Snapshot:
        """Read a snapshot, checked against its digest.

        Raises:
            LineageError: there is none, the store was changed, or the schema is not the one it was made with.
        """
        return from_bytes(b"".join(self.document(which)), schema)

    def document(self, which: Which) -> Generator[bytes, None, None]:
        """Yield the canonical bytes of a snapshot.

        Raises:
            LineageError: at the end, if they do not have its digest; until then nobody should believe them.
        """
        with self.database.reading() as connection:
            row = self._row(connection, which)
            digest = Digest()
            try:
                with closing(canonical(connection, row.snapshot)) as found:
                    for piece in found:
                        digest.take([piece])
                        yield piece
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise self.database.damaged(f"a row of `{row.digest}` is not what was put in") from error
            if digest.text != row.digest:
                raise self.database.damaged(f"`{row.digest}` is no longer what was put in")

    def verify(self) -> Iterator[tuple[str, LineageError | None]]:
        """Yield the digest of every snapshot, each read and checked, with what is wrong with it."""
        for digest in dict.fromkeys(kept.digest for kept in self.history()):
            try:
                for _ in self.document(digest):
                    pass
            except LineageError as error:
                yield digest, error
            else:
                yield digest, None

    def diff(self, before: Which, after: Which) -> Iterator[Change]:
        """Yield what differs between two snapshots: nodes with their facts, then edges, each in order.

        Where facts come from is not compared.

        Raises:
            LineageError: one is not there, or a row is not what was put in.
        """
        with self.database.reading() as connection:
            numbers = self._row(connection, before).snapshot, self._row(connection, after).snapshot
            try:
                with closing(differences(connection, *numbers)) as found:
                    yield from found
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise self.database.damaged("a row is not what was put in") from error

    def forget(self, which: str) -> Kept:
        """Delete a snapshot and its moments; all others stay as they are. Return what is gone.

        Raises:
            LineageError: there is none, or the store cannot be written.
        """
        with self.database.writing() as connection:
            row = self._row(connection, which)
            versions.forget(connection, row.snapshot)
        return self._kept(row)

    def _row(self, connection: Connection, which: Which) -> Row[Any]:
        row = self._chosen(connection, which)
        self._kept(row)  # a moment that is none is found here, whatever is asked of it
        return row

    def _chosen(self, connection: Connection, which: Which) -> Row[Any]:
        if isinstance(which, datetime):
            return self._as_of(connection, which)
        if which == LATEST:
            return self._as_of(connection, None)
        match = _DIGEST.fullmatch(which)
        if match is None:
            advice = f"write `{LATEST}`, or at least {SHORTEST} digits of a digest, such as `sha256:1a2b`"
            raise self._error("PE3306", f"`{which}` is no digest of a snapshot", advice)
        begins = SNAPSHOTS.c.digest.startswith(f"sha256:{match[1]}", autoescape=True)
        found = connection.execute(select(SNAPSHOTS.c.digest).where(begins).order_by(SNAPSHOTS.c.digest).limit(2)).all()
        if not found:
            raise self._error("PE3306", f"there is no snapshot `{which}`", "`snapshot list` shows what there is")
        if len(found) > 1:
            raise self._error("PE3307", f"`{which}` is the beginning of several digests", "write more digits of it")
        row = connection.execute(_moments().where(SNAPSHOTS.c.digest == found[0].digest).limit(1)).first()
        if row is None:
            raise self.database.damaged(f"`{found[0].digest}` has no moment")
        return row

    def _as_of(self, connection: Connection, at: datetime | None) -> Row[Any]:
        wanted = _moments() if at is None else _moments().where(MOMENTS.c.valid_at <= format_instant(at))
        row = connection.execute(wanted.limit(1)).first()
        if row is not None:
            return row
        first = connection.execute(select(func.min(MOMENTS.c.valid_at))).scalar()
        if first is None or at is None:
            raise self._error("PE3306", "there is no snapshot yet", "`snapshot import` puts one in")
        raise self._error("PE3308", f"the first snapshot is from {first}, after {format_instant(at)}", None)

    def check_texts(self, texts: Iterable[str]) -> None:
        """Refuse texts with what no database holds; values stand in JSON, which escapes it.

        Raises:
            LineageError: PE3309.
        """
        for text in texts:
            if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
                raise self._error("PE3309", f"{describe(text)} holds a character that cannot be kept", None)

    def _kept(self, row: Row[Any]) -> Kept:
        valid_at, taken_at = self._instant(row.valid_at), self._instant(row.taken_at)
        return Kept(row.digest, row.facts_digest, valid_at, taken_at, row.comment, row.nodes, row.edges, row.sources)

    def _source(self, document: dict[str, Any]) -> Source:
        at = document["asserted_at"]
        when = None if at is None else self._instant(at)
        return Source(document["name"], document["sha256"], document["format"], document["asserted_by"], when)

    def _instant(self, written: str) -> datetime:
        try:
            return datetime.strptime(written, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except (ValueError, TypeError):
            raise self.database.damaged(f"`{written}` is no instant") from None

    def _error(self, code: str, message: str, advice: str | None) -> LineageError:
        return lineage_error(code, message, file=self.name, advice=advice)


def _moments(*, ascending: bool = False) -> Select[Any]:
    """Return the question for moments with their snapshots, the one that is believed first."""
    order = (MOMENTS.c.valid_at, MOMENTS.c.number)
    chosen = select(MOMENTS, SNAPSHOTS).join_from(MOMENTS, SNAPSHOTS, MOMENTS.c.snapshot == SNAPSHOTS.c.number)
    return chosen.order_by(*order) if ascending else chosen.order_by(*(column.desc() for column in order))
