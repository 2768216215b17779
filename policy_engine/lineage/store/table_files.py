"""Tables of things and of edges: Parquet, CSV or NDJSON, read through DuckDB a batch at a time.

Rules:

- each row of the first table is an entry: ``id``, ``kind``, and columns named as attributes and edges are;
- the second table, if there is one, has the columns ``type``, ``source`` and ``target``;
- an empty cell says nothing; a CSV has no types, so its cells are read by the type that the schema gives the column,
  and a cell that holds several values is a JSON list;
- everything else is as in an inventory.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from policy_dsl.typed.schema import Schema
from policy_dsl.typed.types import SetType, Simple
from policy_engine.lineage.errors import lineage_error
from policy_engine.lineage.store.findings import Findings
from policy_engine.model.progress import Progress

if TYPE_CHECKING:
    # Whoever reads tables into columns has no database.
    from policy_engine.lineage.store.incoming import Incoming

SUFFIXES: Final = {".parquet": "parquet", ".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}
"""How a table's file is told by its name."""

ZONED: Final = "TIMESTAMP WITH TIME ZONE"
"""The type of a column that is fetched as microseconds: with zones, DuckDB would need a library."""

_BATCH: Final = 5_000
_MEMORY: Final = "256MB"
READERS: Final = {
    "parquet": "read_parquet(?)",
    # Everything is text: DuckDB's guesses would turn the version `1.10` into a number.
    "csv": "read_csv(?, all_varchar = true, header = true, nullstr = '')",
    "ndjson": "read_json(?, format = 'newline_delimited', auto_detect = true, convert_strings_to_integers = false)",
}


def take_tables(
    incoming: "Incoming", nodes: Path, edges: Path | None, schema: Schema, findings: Findings, progress: Progress
) -> str:
    """Stage the rows of the tables, and return the digest of their files: of both, one after the other.

    Raises:
        LineageError: a file cannot be read as a table, or lacks a column.
    """
    progress.stage("reading things")
    for number, row in _rows(nodes, ("id", "kind"), schema):
        entry = incoming.reader.read(row, number)
        if entry is not None:
            incoming.take(entry, number)
        progress.step()
    if edges is not None:
        progress.stage("reading edges")
        for number, row in _rows(edges, ("type", "source", "target"), schema):
            match row:
                case {"type": str(kind), "source": str(source), "target": str(target)}:
                    link = incoming.reader.edge(kind, source, target, number)
                    if link is not None:
                        incoming.take_link(link, number)
                case _:
                    findings.error("PE3120", "an edge needs `type`, `source` and `target`, which are texts", number)
            progress.step()
    return _sha256(nodes, edges)


def _rows(path: Path, needed: tuple[str, ...], schema: Schema) -> Iterator[tuple[int, dict[str, object]]]:
    import duckdb

    kind = table_kind(path)
    reader = CellReader(schema) if kind == "csv" else None
    with duckdb.connect(config={"memory_limit": _MEMORY, "threads": 2}) as connection:
        try:
            table = f"SELECT * FROM {READERS[kind]}"  # noqa: S608 - one of three texts
            columns = columns_of(connection, table, path, needed)
            zoned = [name for name, of in columns.items() if of == ZONED]
            counted = ", ".join(f"epoch_us({quoted(name)}) AS {quoted(name)}" for name in zoned)
            table = table.replace("*", f"* REPLACE ({counted})") if zoned else table
            found = connection.execute(table, [str(path)])
            number = 0
            while batch := found.fetchmany(_BATCH):
                for cells in batch:
                    number += 1
                    said = {name: plain(cell) for name, cell in zip(columns, cells, strict=True) if cell is not None}
                    said |= {name: instant_of(said[name]) for name in zoned if name in said}
                    yield number, said if reader is None else reader.read(said)
        except duckdb.Error as error:
            raise unreadable(path, error) from error


def table_kind(path: Path) -> str:
    """Return what kind of table a file is.

    Raises:
        LineageError: PE3316, none that is known.
    """
    kind = SUFFIXES.get(path.suffix.casefold())
    if kind is None:
        advice = f"names of tables end in {', '.join(SUFFIXES)}"
        raise lineage_error("PE3316", "the file is no table that is known", file=str(path), advice=advice)
    return kind


def columns_of(connection: Any, table: str, path: Path, needed: tuple[str, ...]) -> dict[str, str]:
    """Return the columns of a table and their types.

    Raises:
        LineageError: PE3315, it lacks one that is needed.
    """
    columns = {str(name): str(of) for name, of, *_ in connection.execute(f"DESCRIBE {table}", [str(path)]).fetchall()}
    missing = [column for column in needed if column not in columns]
    if missing:
        advice = f"its columns are {', '.join(f'`{column}`' for column in list(columns)[:20])}"
        raise lineage_error("PE3315", f"the table has no column `{missing[0]}`", file=str(path), advice=advice)
    return columns


def unreadable(path: Path, error: Exception) -> Exception:
    """Return the error of a file that DuckDB cannot read."""
    reason = str(error).partition("\n")[0][:200]
    return lineage_error("PE3316", f"the file cannot be read as a table: {reason}", file=str(path))


def plain(cell: Any) -> object:
    """Return a cell as an inventory holds it."""
    if isinstance(cell, float):
        return Decimal(repr(cell))
    if isinstance(cell, list | tuple):
        return [plain(item) for item in cell]
    return cell if isinstance(cell, str | bool | int | Decimal | date | dict) else str(cell)


def instant_of(microseconds: object) -> object:
    """Return the instant that many microseconds after 1970, or a text if there is none."""
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(str(microseconds)))
    except OverflowError:
        return f"{microseconds} microseconds after 1970"  # which no type takes for an instant


def quoted(column: str) -> str:
    """Return the name of a column as SQL writes it."""
    return '"' + column.replace('"', '""') + '"'


class CellReader:
    """Reads the cells of a table without types."""

    def __init__(self, schema: Schema) -> None:
        self._types: dict[tuple[str, str], Any] = {
            (kind.name, attribute.name): attribute.type
            for kind in schema.kinds.values()
            for attribute in kind.attributes.values()
        }

    def read(self, row: dict[str, object]) -> dict[str, object]:
        """Return a row with every cell read."""
        kind = row.get("kind")
        return {name: read_cell(self._types.get((str(kind), name)), cell) for name, cell in row.items()}


def read_cell(of: Any, cell: object) -> object:
    """Return a cell of a table without types by the type that the schema gives it; without one it holds names."""
    text = str(cell)
    # Columns that are no attributes hold names: one, or a list of them.
    if (of is None or isinstance(of, SetType)) and text.startswith("["):
        try:
            return json.loads(text, parse_float=Decimal)
        except ValueError:
            return text
    of = of.item if isinstance(of, SetType) else of
    # What does not fit stays the text that it is, and the schema says what is expected.
    if of is Simple.BOOLEAN:
        return {"true": True, "false": False}.get(text.casefold(), text)
    try:
        if of is Simple.INTEGER:
            return int(text) if text.removeprefix("-").isdecimal() else text
        return Decimal(text) if of is Simple.NUMBER else text
    except (InvalidOperation, ValueError):
        return text


def _sha256(*paths: Path | None) -> str:
    made = hashlib.sha256()
    for path in paths:
        if path is not None:
            with path.open("rb") as stream:
                while data := stream.read(1024 * 1024):
                    made.update(data)
    return f"sha256:{made.hexdigest()}"
