"""Tables of things and of edges become the columns of an estate, set by set, with no object for each row.

Rules:

- a table means what it means to ``snapshot import`` (``lineage.store.table_files``), and is checked as strictly;
- DuckDB reads, sorts and joins; each distinct value of a column is read once in Python, by the type that the schema
  gives it; texts pass through as they are;
- a problem that many lines share is told once, with the first of them and how many there are;
- the columns are those that a snapshot of the same facts has, byte for byte.
"""

# ruff: noqa: S608 - what is put into a question are names made here; what a file says is always a parameter

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import duckdb

from policy_dsl.typed.schema import EdgeType, Kind, Schema
from policy_dsl.typed.types import Simple
from policy_engine.lineage.columns.table import Column, EstateTable, Texts
from policy_engine.lineage.columns.table_links import Links, link_name_problem
from policy_engine.lineage.columns.table_values import text_column, texts, value_column
from policy_engine.lineage.located import step
from policy_engine.lineage.names import nearest
from policy_engine.lineage.store.findings import KEPT, Findings
from policy_engine.lineage.store.table_files import READERS, ZONED, columns_of, quoted, table_kind, unreadable
from policy_engine.model.progress import Progress, silent

_MEMORY: Final = "600MB"
_OWN: Final = frozenset({"id", "kind", "aliases"})


@dataclass(frozen=True, slots=True)
class _Cells:
    """A column of the table of things: its place in SQL, its type, and whether it comes from a table without types."""

    name: str
    place: str
    type: str
    is_untyped: bool


def read_tables(
    nodes: Path,
    edges: Path | None,
    schema: Schema,
    findings: tuple[Findings, Findings],
    *,
    progress: Progress = silent,
) -> EstateTable:
    """Return an estate in columns; what is wrong in the table of things, and in that of edges, is taken down.

    After an error the columns are worth nothing.

    Raises:
        LineageError: PE3315, PE3316, a file cannot be read as a table, or lacks a column.
    """
    with duckdb.connect(config={"memory_limit": _MEMORY, "threads": 2}) as connection:
        progress.stage("reading things")
        with _reading(nodes):
            reader = _Reader(connection, nodes, schema, findings[0])
        table = reader.table()
        progress.stage("reading edges")
        links = Links(connection, schema, reader.kinds, *findings)
        for cells, edge, is_turned, kinds in reader.links:
            links.take_cells(cells.name, cells.place, cells.type, kinds, edge, is_turned, is_untyped=cells.is_untyped)
        if reader.aliases is not None:
            links.take_aliases(reader.aliases.place, reader.aliases.type, is_untyped=reader.aliases.is_untyped)
        links.settle_names()
        if edges is not None:
            with _reading(edges):
                links.take_table(edges)
        return replace(table, edges=links.edges(table.kind))


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        raise unreadable(path, error) from error


class _Reader:
    """Reads the table of things."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path, schema: Schema, findings: Findings) -> None:
        self._connection = connection
        self._schema = schema
        self._findings = findings
        kind = table_kind(path)
        source = READERS[kind]
        columns = columns_of(connection, f"SELECT * FROM {source}", path, ("id", "kind"))
        self._cells = [
            _Cells(name, f"c{number}", of, kind == "csv")
            for number, (name, of) in enumerate(columns.items())
            if name not in ("id", "kind")
        ]
        self._required = {name: columns[name] for name in ("id", "kind")}
        chosen = [f"{_fetched(cells.name, cells.type)} AS {cells.place}" for cells in self._cells]
        kept = ", ".join(["row_number() OVER () AS line", "id", "kind AS written", *chosen])
        connection.execute(f"CREATE TABLE read_things AS SELECT {kept} FROM {source}", [str(path)])
        self.kinds = self._kinds()
        self._make_things()
        self.links: list[tuple[_Cells, EdgeType, bool, list[int]]] = []
        self.aliases: _Cells | None = None

    def table(self) -> EstateTable:
        """Return the things and their attributes."""
        size = self._count("SELECT count(*) FROM things")
        ids = texts(self._connection, "SELECT id AS text, rank AS place FROM things")
        kind: Any = self._connection.execute("SELECT kind FROM things ORDER BY rank").fetchnumpy()["kind"]
        attributes: dict[str, Column] = {}
        for cells in self._cells:
            column = self._column(cells, size)
            if column is not None:
                attributes[cells.name] = column
        return EstateTable(Texts(*ids), tuple(kind.name for kind in self.kinds), kind, attributes)

    def _kinds(self) -> list[Kind]:
        """Return the kinds that there are, sorted by name; what lacks an id or a kind is taken down."""
        for name, column in (("id", "id"), ("kind", "written")):
            if self._required[name] != "VARCHAR":
                message = f"`{name}` is a text, not {self._required[name].lower()}"
                self._findings.error("PE3121", message, 1, pointer=step(name), advice="make it a column of texts")
                self._connection.execute(f"ALTER TABLE read_things ALTER {column} TYPE VARCHAR")
            line, times = self._first(f"SELECT min(line), count(*) FROM read_things WHERE {column} IS NULL")
            if times:
                self._findings.error("PE3120", f"a node needs `{name}`", line, times=times)
        found = self._connection.execute(
            "SELECT written, arg_min(id, line), min(line), count(*) FROM read_things"
            " WHERE written IS NOT NULL AND id IS NOT NULL GROUP BY written ORDER BY written"
        ).fetchall()
        kinds = []
        for name, example, line, times in found:
            kind = self._schema.kinds.get(name)
            if kind is None:
                message = f"`{example}` is of kind `{name}`, which is not in the schema"
                advice = nearest(name, self._schema.kinds)
                self._findings.error("PE3140", message, line, advice=advice, times=times)
            else:
                kinds.append(kind)
        return kinds

    def _make_things(self) -> None:
        """Sort the things by id, and number them from zero: that is their rank."""
        # The order of texts in DuckDB is that of their bytes, which in UTF-8 is that of code points.
        self._connection.execute("CREATE TABLE kinds (name VARCHAR, kind USMALLINT)")
        for number, kind in enumerate(self.kinds):
            self._connection.execute("INSERT INTO kinds VALUES (?, ?)", [kind.name, number])
        cells = "".join(f", {cells.place}" for cells in self._cells)
        self._connection.execute(
            f"CREATE TABLE things AS SELECT (row_number() OVER (ORDER BY id, line) - 1)::UINTEGER AS rank, line, id,"
            f" kind{cells} FROM read_things JOIN kinds ON written = name WHERE id IS NOT NULL"
        )
        self._connection.execute("DROP TABLE read_things")
        twice = self._connection.execute(
            "SELECT id, min(line), max(line), count(*) OVER () FROM things GROUP BY id HAVING count(*) > 1"
            f" ORDER BY max(line) LIMIT {KEPT}"
        ).fetchall()
        for number, (name, line, again, times) in enumerate(twice, 1):
            message = f"`{name}` stands here, and on line {line} already"
            advice = "say everything about one thing on one line"
            # Of more than are told, the last stands for the rest.
            rest = times - number + 1 if number == KEPT else 1
            self._findings.error("PE3311", message, again, advice=advice, times=rest)
        link_name_problem(self._connection, "SELECT id AS name, line FROM things", self._findings)

    def _column(self, cells: _Cells, size: int) -> Column | None:
        """Return a column of values; edges and aliases among the columns are put aside."""
        if cells.name in _OWN:
            self.aliases = cells
            return None
        having = [n for n, kind in enumerate(self.kinds) if cells.name in kind.attributes]
        others = [n for n in range(len(self.kinds)) if n not in having]
        if others:
            self._others(cells, others)
        if not having:
            return None
        types = {n: self.kinds[n].attributes[cells.name].type for n in having}
        where = f"{cells.place} IS NOT NULL AND kind IN ({', '.join(map(str, having))})"
        if cells.type == "VARCHAR" and set(types.values()) == {Simple.TEXT}:
            return text_column(self._connection, cells.place, where, size)
        is_zoned = cells.type == ZONED
        return value_column(
            self._connection,
            (cells.name, cells.place, where),
            types,
            size,
            self._findings,
            is_untyped=cells.is_untyped,
            is_zoned=is_zoned,
        )

    def _others(self, cells: _Cells, kinds: list[int]) -> None:
        """Put a column aside that names an edge; what is no edge either, of things of some kinds, is taken down."""
        edge = self._schema.edge_named(cells.name)
        if edge is not None:
            self.links.append((cells, *edge, kinds))
            return
        chosen = ", ".join(map(str, kinds))
        found = self._connection.execute(
            f"SELECT kind, min(line), count(*) FROM things WHERE {cells.place} IS NOT NULL AND kind IN ({chosen})"
            " GROUP BY kind ORDER BY min(line)"
        ).fetchall()
        for kind, line, times in found:
            known = [*self.kinds[kind].attributes, *self._schema.edges]
            message = f"`{cells.name}` is no attribute or edge of {self.kinds[kind].name}"
            self._findings.warning(
                "PE3141", message, line, pointer=step(cells.name), advice=nearest(cells.name, known), times=times
            )

    def _first(self, question: str) -> tuple[int, int]:
        line, times = self._connection.execute(question).fetchall()[0]
        return line or 0, times

    def _count(self, question: str) -> int:
        return int(self._connection.execute(question).fetchall()[0][0])


def _fetched(name: str, of: str) -> str:
    return f"epoch_us({quoted(name)})" if of == ZONED else quoted(name)
