"""Edges of tables become columns: the names of their ends are looked up in one join.

Rules:

- an end is named by an id or an alias, in any spelling that means the same (``lineage.locators``); names that mean
  themselves, which most do, are compared as they are;
- an edge leads between things that are declared, of kinds that its type joins; each is kept once.
"""

# ruff: noqa: S608 - what is put into a question are names made here; what a file says is always a parameter

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
from numpy.typing import NDArray

from policy_dsl.typed.schema import EdgeType, Kind, Schema
from policy_engine.lineage.binding import describe
from policy_engine.lineage.columns.errors import estate_error
from policy_engine.lineage.columns.table import Edges
from policy_engine.lineage.located import step
from policy_engine.lineage.locators import LONGEST_NAME, NAMES, canonical, is_name
from policy_engine.lineage.names import nearest
from policy_engine.lineage.store.findings import KEPT, Findings
from policy_engine.lineage.store.table_files import READERS, columns_of, plain, table_kind

_BATCH: Final = 10_000
# Every other name means itself: no scheme stands before it, and there is no accent to compose.
_SPELLED: Final = "(contains({0}, ':') OR strlen({0}) <> length({0}))"
_PLAIN: Final = "[!-~]([ -~]*[!-~])?"
_ALIAS_ADVICE: Final = "an alias is another name of one thing"

Array = NDArray[Any]


def link_name_problem(connection: duckdb.DuckDBPyConnection, question: str, findings: Findings) -> None:
    """Take down the names that no thing can have; the question gives ``name`` and ``line``."""
    found = connection.execute(
        f"SELECT name, min(line), count(*) FROM ({question}) WHERE name IS NOT NULL AND"
        f" NOT (regexp_full_match(name, '{_PLAIN}') AND length(name) <= {LONGEST_NAME})"
        " GROUP BY name ORDER BY min(line)"
    )
    while batch := found.fetchmany(_BATCH):
        for name, line, times in batch:
            if not is_name(name):
                message = f"{describe(name)} cannot be the name of a thing"
                findings.error("PE3124", message, line, advice=NAMES, times=times)


class Links:
    """Edges on their way into columns."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        schema: Schema,
        kinds: Sequence[Kind],
        in_things: Findings,
        in_edges: Findings,
    ) -> None:
        self._connection = connection
        self._schema = schema
        self._kinds = kinds
        self._findings = (in_things, in_edges)
        self._types = sorted(schema.edges)
        # Ends by name, as the cells of things give them; their own end is known.
        connection.execute(
            "CREATE TABLE cell_links (edge USMALLINT, turned BOOLEAN, own UINTEGER, name VARCHAR, line BIGINT)"
        )
        connection.execute("CREATE TABLE names (name VARCHAR, rank UINTEGER, line BIGINT)")
        # What becomes of every edge: a number of a thing, or nothing where its name is nobody's.
        connection.execute(
            "CREATE TABLE links (edge USMALLINT, source UINTEGER, target UINTEGER, line BIGINT, place UTINYINT)"
        )

    def take_cells(
        self, name: str, place: str, of: str, kinds: list[int], edge: EdgeType, is_turned: bool, *, is_untyped: bool
    ) -> None:
        """Take a column of things that names the other ends of an edge."""
        chosen = f"{place} IS NOT NULL AND kind IN ({', '.join(map(str, kinds))})"
        named = self._names(name, place, of, chosen, is_untyped)
        self._connection.execute(
            f"INSERT INTO cell_links SELECT ?, ?, rank, name, line FROM ({named})",
            [self._types.index(edge.name), is_turned],
        )

    def take_aliases(self, place: str, of: str, *, is_untyped: bool) -> None:
        """Take the column of aliases."""
        question = self._names("aliases", place, of, f"{place} IS NOT NULL", is_untyped)
        self._connection.execute(f"INSERT INTO names SELECT name, rank, line FROM ({question})")

    def settle_names(self) -> None:
        """Make the names by which things are found: ids and aliases, each in its canonical form too."""
        link_name_problem(self._connection, "SELECT name, line FROM names", self._findings[0])
        self._connection.execute("INSERT INTO names SELECT id, rank, line FROM things")
        said = f"SELECT DISTINCT name FROM names WHERE {_SPELLED.format('name')}"
        if self._spell(said):
            self._connection.execute(
                "INSERT INTO names SELECT canon, rank, line FROM names JOIN spelled USING (name) WHERE canon <> name"
            )
        self._refuse_shared()
        self._connection.execute("CREATE TABLE known AS SELECT DISTINCT name, rank FROM names")
        self._connection.execute("DROP TABLE names")
        self._know("SELECT name FROM cell_links")
        self._connection.execute(
            "INSERT INTO links SELECT edge, CASE WHEN turned THEN rank ELSE own END,"
            " CASE WHEN turned THEN own ELSE rank END, line, 0 FROM cell_links LEFT JOIN known USING (name)"
        )

    def take_table(self, path: Path) -> None:
        """Take the table of edges.

        Raises:
            LineageError: PE3315, it lacks a column.
        """
        findings, source = self._findings[1], READERS[table_kind(path)]
        columns = columns_of(self._connection, f"SELECT * FROM {source}", path, ("type", "source", "target"))
        wrong = [name for name in ("type", "source", "target") if columns[name] != "VARCHAR"]
        if wrong:
            message = "an edge needs `type`, `source` and `target`, which are texts"
            findings.error("PE3120", message, 1, pointer=step(wrong[0]), advice="make them columns of texts")
            return
        self._connection.execute(
            f"CREATE TABLE written_edges AS SELECT row_number() OVER () AS line, type, source, target FROM {source}",
            [str(path)],
        )
        self._refuse_empty(findings)
        self._connection.execute("CREATE TABLE edge_names (name VARCHAR, edge USMALLINT, turned BOOLEAN)")
        self._name_edges(findings)
        self._know("SELECT source AS name FROM written_edges UNION ALL SELECT target FROM written_edges")
        self._connection.execute(
            "INSERT INTO links SELECT edge, CASE WHEN turned THEN b.rank ELSE a.rank END,"
            " CASE WHEN turned THEN a.rank ELSE b.rank END, line, 1"
            " FROM written_edges JOIN edge_names ON type = edge_names.name"
            " LEFT JOIN known a ON a.name = source LEFT JOIN known b ON b.name = target"
            " WHERE source IS NOT NULL AND target IS NOT NULL"
        )

    def edges(self, kind: Any) -> Edges:
        """Return the edges, each once, in the order of type, source and target; what leads nowhere is taken down."""
        self._refuse_astray()
        found = self._connection.execute(
            "SELECT edge, source, target FROM links WHERE source IS NOT NULL AND target IS NOT NULL"
        ).fetchnumpy()
        edge, source, target = (np.asarray(found[name]) for name in ("edge", "source", "target"))
        things = max(1, len(kind))
        if max(1, len(self._types)) * things * things >= 2**64:
            raise estate_error("PE3405", "the estate has more things than edges between them can be numbered", None)
        self._refuse_unfit(np.asarray(kind), edge, source, target)
        # One number stands for an edge, so that sorting numbers sorts edges.
        key: Any = (edge.astype(np.uint64) * things + source) * things + target
        key.sort()
        key = key[np.flatnonzero(np.diff(key, prepend=key[:1] + np.uint64(1)))]
        rest, targets = np.divmod(key, np.uint64(things))
        types, sources = np.divmod(rest, np.uint64(things))
        present = np.flatnonzero(np.bincount(types.astype(np.intp))).astype(np.uint64)
        columns: tuple[Any, ...] = (
            np.searchsorted(present, types).astype(np.uint16),
            sources.astype(np.uint32),
            targets.astype(np.uint32),
        )
        return Edges(tuple(self._types[int(one)] for one in present), *columns)

    # --- names -----------------------------------------------------------------------------------------------

    def _names(self, column: str, place: str, of: str, where: str, is_untyped: bool) -> str:
        """Return the question for the names in the cells of a column; cells that hold none are taken down."""
        if of == "VARCHAR" and not is_untyped:
            return f"SELECT rank, {place} AS name, line FROM things WHERE {where}"
        if of == "VARCHAR":
            is_list = f"({place} LIKE '[%' AND json_valid({place}))"
            listed = f"CASE WHEN {is_list} THEN {place} END"
            kinds = f"list_distinct(json_type({listed}, '$[*]'))"
            odd = f"{is_list} AND (len({kinds}) > 1 OR {kinds}[1] <> 'VARCHAR')"
            self._refuse_cells(
                column, place, f"{where} AND {odd}", "a list of names is expected here, not the text `{}`"
            )
            one = f"SELECT rank, {place} AS name, line FROM things WHERE {where} AND NOT {is_list}"
            many = f"unnest(json_extract_string({listed}, '$[*]'))"
            return f"{one} UNION ALL SELECT rank, {many} AS name, line FROM things WHERE {where} AND {is_list}"
        if of == "VARCHAR[]":
            missing = f"{where} AND len({place}) <> list_count({place})"
            self._refuse_cells(column, place, missing, "a list of names is expected here, and nothing is among them")
            return f"SELECT rank, unnest({place}) AS name, line FROM things WHERE {where}"
        if not of.endswith("[]") or of.count("[]") > 1 or self._any(f"{where} AND len({place}) > 0"):
            self._refuse_cells(column, place, where, "a name or a list of names is expected here, not {}")
        return "SELECT 0::UINTEGER AS rank, '' AS name, 0 AS line WHERE false"

    def _any(self, where: str) -> bool:
        return bool(self._connection.execute(f"SELECT 1 FROM things WHERE {where} LIMIT 1").fetchall())

    def _refuse_cells(self, column: str, place: str, where: str, message: str) -> None:
        found = self._connection.execute(
            f"SELECT {place}, min(line), count(*) FROM things WHERE {where}"
            f" GROUP BY {place} ORDER BY min(line) LIMIT {KEPT}"
        ).fetchall()
        for cell, line, times in found:
            raw = plain(cell)
            shown = str(raw)[:60] if isinstance(raw, str) else describe(raw)
            self._findings[0].error("PE3121", message.format(shown), line, pointer=step(column), times=times)

    def _spell(self, question: str) -> bool:
        """Write down the canonical forms of names that may have another; tell whether any has."""
        self._connection.execute("CREATE OR REPLACE TABLE spelled (name VARCHAR, canon VARCHAR)")
        found = self._connection.cursor().execute(question)
        has_any = False
        while batch := [name for (name,) in found.fetchmany(_BATCH)]:
            pairs = [(name, canon) for name in batch if (canon := canonical(name)) != name]
            if pairs:
                has_any = True
                columns = [list(column) for column in zip(*pairs, strict=True)]
                self._connection.execute("INSERT INTO spelled SELECT unnest(?), unnest(?)", columns)
        return has_any

    def _know(self, question: str) -> None:
        """Let names be found that are spelled otherwise than the things that they mean."""
        unknown = f"SELECT DISTINCT name FROM ({question}) ANTI JOIN known USING (name) WHERE {_SPELLED.format('name')}"
        if self._spell(unknown):
            self._connection.execute(
                "INSERT INTO known SELECT spelled.name, rank FROM spelled JOIN known ON canon = known.name"
            )

    # --- problems --------------------------------------------------------------------------------------------

    def _refuse_shared(self) -> None:
        """Refuse names that stand for two things."""
        shared = self._connection.execute(
            "SELECT name, min(id), max(id), max(names.line), bool_or(name = id) FROM names"
            " JOIN things USING (rank) GROUP BY name HAVING min(names.rank) <> max(names.rank)"
            f" AND count(*) FILTER (name <> id) > 0 ORDER BY max(names.line) LIMIT {KEPT}"
        ).fetchall()
        for name, one, other, line, is_id in shared:
            holder = other if one == name else one
            message = f"`{name}` is an alias of `{one}` and of `{other}`"
            if is_id:
                message = f"`{name}` is an alias of `{holder}`, and the id of another thing"
            self._findings[0].error("PE3312", message, line, advice=_ALIAS_ADVICE)

    def _refuse_empty(self, findings: Findings) -> None:
        line, times = self._connection.execute(
            "SELECT min(line), count(*) FROM written_edges WHERE type IS NULL OR source IS NULL OR target IS NULL"
        ).fetchall()[0]
        if times:
            message = "an edge needs `type`, `source` and `target`, which are texts"
            findings.error("PE3120", message, line, times=times)

    def _name_edges(self, findings: Findings) -> None:
        """Read the types of edges, by their names or their reverse names."""
        found = self._connection.execute(
            "SELECT type, min(line), count(*) FROM written_edges WHERE type IS NOT NULL"
            " GROUP BY type ORDER BY min(line)"
        ).fetchall()
        for name, line, times in found:
            edge = self._schema.edge_named(name)
            if edge is None:
                known = [*self._schema.edges, *(e.reverse for e in self._schema.edges.values() if e.reverse)]
                advice = nearest(name, known)
                findings.error("PE3148", f"there is no edge `{name}`", line, advice=advice, times=times)
            else:
                row = [name, self._types.index(edge[0].name), edge[1]]
                self._connection.execute("INSERT INTO edge_names VALUES (?, ?, ?)", row)

    def _refuse_astray(self) -> None:
        """Refuse edges whose ends nobody declares, by the names of those ends."""
        if not self._connection.execute(
            "SELECT 1 FROM links WHERE source IS NULL OR target IS NULL LIMIT 1"
        ).fetchall():
            return
        questions = ["SELECT name, edge, line, 0 AS place FROM cell_links ANTI JOIN known USING (name)"]
        if self._connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'written_edges'").fetchall():
            questions += [
                f"SELECT {end} AS name, edge, line, 1 AS place FROM written_edges"
                f" JOIN edge_names ON type = edge_names.name ANTI JOIN known ON {end} = known.name"
                f" WHERE {end} IS NOT NULL"
                for end in ("source", "target")
            ]
        found = self._connection.execute(
            f"SELECT name, edge, place, min(line), count(*) FROM ({' UNION ALL '.join(questions)})"
            " GROUP BY name, edge, place ORDER BY place, min(line)"
        )
        while batch := found.fetchmany(_BATCH):
            for name, edge, place, line, times in batch:
                message = f"`{self._types[edge]}` names `{name}`, which nothing declares"
                self._findings[place].error("PE3145", message, line, times=times)

    def _refuse_unfit(self, kind: Array, edge: Array, source: Array, target: Array) -> None:
        """Refuse edges between kinds that their type does not join, by type and kinds."""
        if not len(edge):
            return
        many = len(self._kinds)
        shape = (edge.astype(np.int64) * many + kind[source]) * many + kind[target]
        for number in np.flatnonzero(np.bincount(shape)).tolist():
            rest, to = divmod(number, many)
            of, start = divmod(rest, many)
            type_, one, other = self._schema.edges[self._types[of]], self._kinds[start].name, self._kinds[to].name
            if not self._schema.connects(type_, one, other):
                self._unfit(type_, one, other, np.flatnonzero(shape == number), source, target)

    def _unfit(self, edge: EdgeType, one: str, other: str, places: Array, source: Array, target: Array) -> None:
        ends = int(source[places[0]]), int(target[places[0]])
        names = [self._id(end) for end in ends]
        line, place = self._connection.execute(
            "SELECT line, place FROM links WHERE edge = ? AND source = ? AND target = ? ORDER BY place, line LIMIT 1",
            [self._types.index(edge.name), *ends],
        ).fetchall()[0]
        message = (
            f"`{edge.name}` leads from {_either(edge.sources)} to {_either(edge.targets)},"
            f" not from `{names[0]}` ({one}) to `{names[1]}` ({other})"
        )
        self._findings[place].error("PE3146", message, line, times=len(places))

    def _id(self, rank: int) -> str:
        return str(self._connection.execute("SELECT id FROM things WHERE rank = ?", [rank]).fetchall()[0][0])


def _either(kinds: Iterable[str]) -> str:
    return " or ".join(kinds)
