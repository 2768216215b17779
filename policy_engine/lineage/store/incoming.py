"""An estate on its way into the store: entries staged as they come, then checked and compared set by set.

Rules:

- everything happens in one transaction, in temporary tables: an import that is killed leaves nothing;
- an id stands once; an alias stands for one thing; an edge leads between things that are declared, of kinds that its
  type joins; every breach is named with its line, and one is enough for nothing to be put in;
- the digests are computed from the sorted rows as they pass by, never from the whole.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select

from policy_dsl.typed.schema import Schema
from policy_engine.lineage.graph import Source
from policy_engine.lineage.snapshot import JSON, source_document
from policy_engine.lineage.store.database import insert_rows
from policy_engine.lineage.store.entries import Entry, EntryReader
from policy_engine.lineage.store.findings import KEPT, Findings
from policy_engine.lineage.store.tables import (
    INCOMING_ALIASES,
    INCOMING_EDGES,
    STAGED_EDGES,
    STAGED_NODES,
    STAGED_SOURCES,
    index_staged,
    make_staging,
)
from policy_engine.lineage.store.versions import EDGE_COLUMNS, NODE_COLUMNS, SOURCE_COLUMNS
from policy_engine.lineage.store.writing import (
    BATCH,
    STREAMED,
    Digest,
    edge_text,
    edges_begin,
    end,
    nodes_begin,
    numbered_sources,
    pieces,
    sources_begin,
    turn_of,
)
from policy_engine.model.progress import Progress

_FULL: Final = 5_000
_LINK_COLUMNS: Final = ("type", "source", "target", "pointer", "line")
_ALIAS_COLUMNS: Final = ("alias", "id", "line")


class Incoming:
    """One import: takes entries and edges, and settles them."""

    def __init__(self, connection: Connection, schema: Schema, source: str, findings: Findings) -> None:
        self._connection = connection
        self._schema = schema
        self._findings = findings
        make_staging(connection)
        self._source = numbered_sources(connection, [source])[source]
        self._source_name = source
        self._nodes: list[tuple[Any, ...]] = []
        self._links: list[tuple[Any, ...]] = []
        self._aliases: list[tuple[Any, ...]] = []
        self.reader = EntryReader(schema, self._source, findings)

    def take(self, entry: Entry, line: int) -> None:
        """Stage an entry."""
        self._nodes.append((entry.id, entry.kind, entry.document, entry.facts, line))
        self._links += [(*link, line) for link in entry.edges]
        self._aliases += [(name, entry.id, line) for name in entry.names]
        if len(self._nodes) + len(self._links) >= _FULL:
            self._flush()

    def take_link(self, link: tuple[str, str, str, str], line: int) -> None:
        """Stage an edge that stands alone."""
        self._links.append((*link, line))
        if len(self._links) >= _FULL:
            self._flush()

    def settle(self, source: Source, progress: Progress) -> tuple[str, str]:
        """Check what can only be seen together, and return the digest and the digest of the facts.

        What they are worth is for the findings to say: after an error nothing may be put in.
        """
        self._flush()
        progress.stage("comparing names")
        # The index answers by itself what the ends of edges are asked for.
        index_staged(self._connection, STAGED_NODES, "id", "kind")
        index_staged(self._connection, INCOMING_ALIASES, "alias", "id")
        self._check_ids()
        self._check_aliases()
        whole, facts = Digest(), Digest()
        turn = turn_of(self._connection, [source.name])
        document = JSON.encode(source_document(source))
        insert_rows(self._connection, STAGED_SOURCES, SOURCE_COLUMNS, [(source.name, document)])
        # (1) Edges come first in the canonical form, by type, source and target.
        progress.stage("sorting edges")
        whole.take([edges_begin()])
        facts.take([edges_begin()])
        first = True
        for batch in self._edges():
            written = [(*key, turn.origins(origins)) for *key, origins in batch]
            comma = b"" if first else b","
            whole.take([comma, *pieces(edge_text(*edge) for edge in written)])
            facts.take([comma, *pieces(edge_text(kind, a, b, None) for kind, a, b, _ in written)])
            insert_rows(self._connection, STAGED_EDGES, EDGE_COLUMNS, batch)
            first = False
        # (2) Then nodes, by id.
        progress.stage("sorting nodes")
        whole.take([nodes_begin()])
        facts.take([nodes_begin()])
        ordered = select(STAGED_NODES.c.document, STAGED_NODES.c.facts).order_by(STAGED_NODES.c.id)
        with self._connection.execute(ordered, execution_options=STREAMED) as rows:
            for number, part in enumerate(rows.partitions(BATCH)):
                comma = b"," if number else b""
                whole.take([comma, *pieces(turn.node(row.document) for row in part)])
                facts.take([comma, *pieces(row.facts for row in part)])
        # (3) And the one source.
        whole.take([sources_begin(), document.encode(), end()])
        facts.take([end()])
        return whole.text, facts.text

    def _flush(self) -> None:
        for table, columns, rows in (
            (STAGED_NODES, NODE_COLUMNS, self._nodes),
            (INCOMING_EDGES, _LINK_COLUMNS, self._links),
            (INCOMING_ALIASES, _ALIAS_COLUMNS, self._aliases),
        ):
            if rows:
                insert_rows(self._connection, table, columns, rows)
                rows.clear()

    def _check_ids(self) -> None:
        ids = STAGED_NODES.c
        twice = (
            select(ids.id, func.min(ids.line).label("line"), func.max(ids.line).label("again"))
            .group_by(ids.id)
            .having(func.count() > 1)
            .order_by(func.max(ids.line))
        )
        for row in self._some(twice):
            message = f"`{row.id}` stands here, and on line {row.line} already"
            self._findings.error("PE3311", message, row.again, advice="say everything about one thing on one line")

    def _check_aliases(self) -> None:
        aliases = INCOMING_ALIASES.c
        shared = (
            select(aliases.alias, func.min(aliases.id).label("one"), func.max(aliases.id).label("other"))
            .add_columns(func.max(aliases.line).label("line"))
            .group_by(aliases.alias)
            .having(func.min(aliases.id) != func.max(aliases.id))
            .order_by(func.max(aliases.line))
        )
        for row in self._some(shared):
            message = f"`{row.alias}` is an alias of `{row.one}` and of `{row.other}`"
            self._findings.error("PE3312", message, row.line, advice="an alias is another name of one thing")
        taken = (
            select(aliases.alias, aliases.id, aliases.line)
            .join_from(INCOMING_ALIASES, STAGED_NODES, STAGED_NODES.c.id == aliases.alias)
            .order_by(aliases.line)
        )
        for row in self._some(taken):
            message = f"`{row.alias}` is an alias of `{row.id}`, and the id of another thing"
            self._findings.error("PE3312", message, row.line, advice="an alias is another name of one thing")

    def _some(self, question: Any) -> list[Row[Any]]:
        return list(self._connection.execute(question.limit(KEPT)))

    def _edges(self) -> Iterator[list[tuple[str, str, str, str]]]:
        """Yield edges in batches, sorted, each once with all its origins, and their ends called by their ids."""
        batch: list[tuple[str, str, str, str]] = []
        fits: dict[tuple[str, str, str], bool] = {}
        for key, rows in groupby(self._sorted_links(), key=lambda row: (row[0], row[1], row[2])):
            found = list(rows)
            if self._is_sound(found[0], fits):
                origins = [[self._source, pointer, None] for pointer in sorted({row[3] for row in found})]
                batch.append((*key, JSON.encode(origins)))
                if len(batch) >= BATCH:
                    yield batch
                    batch = []
        if batch:
            yield batch

    def _sorted_links(self) -> Iterator[tuple[Any, ...]]:
        links, named = INCOMING_EDGES.c, INCOMING_ALIASES
        by_alias = self._connection.execute(select(func.count()).select_from(named)).scalar_one() > 0
        one, other = STAGED_NODES.alias(), STAGED_NODES.alias()
        source: Any = links.source
        target: Any = links.target
        joined: Any = INCOMING_EDGES
        if by_alias:
            from_alias, to_alias = named.alias(), named.alias()
            joined = joined.outerjoin(from_alias, from_alias.c.alias == links.source)
            joined = joined.outerjoin(to_alias, to_alias.c.alias == links.target)
            source = func.coalesce(from_alias.c.id, links.source)
            target = func.coalesce(to_alias.c.id, links.target)
        joined = joined.outerjoin(one, one.c.id == source).outerjoin(other, other.c.id == target)
        chosen = select(links.type, source, target, links.pointer, one.c.kind, other.c.kind, links.line)
        ordered = chosen.select_from(joined).order_by(links.type, source, target)
        with self._connection.execute(ordered, execution_options=STREAMED) as rows:
            yield from map(tuple, rows)

    def _is_sound(self, row: tuple[Any, ...], fits: dict[tuple[str, str, str], bool]) -> bool:
        name, source, target, pointer, from_kind, to_kind, line = row
        for end_name, kind in ((source, from_kind), (target, to_kind)):
            if kind is None:
                message = f"`{name}` names `{end_name}`, which nothing declares"
                self._findings.error("PE3145", message, line, pointer=pointer)
                return False
        key = (name, from_kind, to_kind)
        if key not in fits:
            fits[key] = self._schema.connects(self._schema.edges[name], from_kind, to_kind)
        if not fits[key]:
            edge = self._schema.edges[name]
            message = (
                f"`{name}` leads from {' or '.join(edge.sources)} to {' or '.join(edge.targets)},"
                f" not from `{source}` ({from_kind}) to `{target}` ({to_kind})"
            )
            self._findings.error("PE3146", message, line, pointer=pointer)
        return fits[key]
