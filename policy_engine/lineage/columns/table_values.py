"""Columns of a table become columns of values: each distinct value is read once."""

# ruff: noqa: S608 - what is put into a question are names made here; what a file says is always a parameter

from array import array
from collections.abc import Mapping
from typing import Any, Final

import duckdb
import numpy as np

from policy_dsl.typed.types import AttributeType
from policy_engine.lineage.binding import Misfit, describe, read_value
from policy_engine.lineage.columns.codec import encode
from policy_engine.lineage.columns.table import Column, Texts
from policy_engine.lineage.located import step
from policy_engine.lineage.store.findings import Findings
from policy_engine.lineage.store.table_files import instant_of, plain, read_cell

BATCH: Final = 10_000
# What JSON escapes in a text (RFC 8259 section 7).
_ESCAPED: Final = r'["\\\x00-\x1f]'


def texts(connection: duckdb.DuckDBPyConnection, question: str) -> tuple[Any, bytes]:
    """Return the offsets and bytes of texts, in order; the question gives ``text`` and ``place``."""
    whole = connection.execute(f"SELECT string_agg(text, '' ORDER BY place) FROM ({question})").fetchall()[0][0]
    sizes = connection.execute(f"SELECT strlen(text) AS size FROM ({question}) ORDER BY place").fetchnumpy()["size"]
    offset = np.zeros(len(sizes) + 1, np.uint64)
    np.cumsum(sizes, out=offset[1:])
    return offset, (whole or "").encode()


def text_column(connection: duckdb.DuckDBPyConnection, place: str, where: str, size: int) -> Column | None:
    """Return a column of texts, which pass through as they are; nothing where nothing is said."""
    # (1) Codes are given in the order in which values are met, things by id.
    connection.execute(
        "CREATE OR REPLACE TABLE said AS SELECT value, (row_number() OVER (ORDER BY first) + 1)::UINTEGER AS code"
        f" FROM (SELECT {place} AS value, min(rank) AS first FROM things WHERE {where} GROUP BY {place})"
    )
    found = connection.execute(f"SELECT rank, code FROM things JOIN said ON {place} = value WHERE {where}").fetchnumpy()
    if not len(found["rank"]):
        return None
    codes: Any = np.zeros(size, np.uint32)
    codes[found["rank"]] = found["code"]
    # (2) Texts become JSON; the few in which JSON escapes something are written by the one who reads them.
    connection.execute("CREATE OR REPLACE TABLE escaped (value VARCHAR, written VARCHAR)")
    odd = connection.cursor().execute(f"SELECT value FROM said WHERE regexp_matches(value, '{_ESCAPED}')")
    while batch := [value for (value,) in odd.fetchmany(BATCH)]:
        connection.execute("INSERT INTO escaped SELECT unnest(?), unnest(?)", [batch, [encode(v) for v in batch]])
    question = (
        """SELECT coalesce(written, '"' || said.value || '"') AS text, code AS place"""
        " FROM said LEFT JOIN escaped ON said.value = escaped.value"
    )
    return Column(codes, Texts(*texts(connection, question)))


def value_column(
    connection: duckdb.DuckDBPyConnection,
    column: tuple[str, str, str],
    types: Mapping[int, AttributeType],
    size: int,
    findings: Findings,
    *,
    is_untyped: bool,
    is_zoned: bool,
) -> Column | None:
    """Return a column of values of any type, which may differ by kind; what does not fit is taken down."""
    name, place, where = column
    # (1) Each distinct value of each kind is read once, in the order in which it is met, things by id.
    connection.execute(
        "CREATE OR REPLACE TABLE said AS SELECT *, (row_number() OVER (ORDER BY first) - 1)::UINTEGER AS number"
        f" FROM (SELECT kind, {place} AS value, min(rank) AS first, min(line) AS line, count(*) AS times"
        f" FROM things WHERE {where} GROUP BY kind, {place})"
    )
    codes: dict[str, int] = {}
    code_of = array("I")
    rows = connection.cursor().execute("SELECT kind, value, line, times FROM said ORDER BY number")
    while batch := rows.fetchmany(BATCH):
        for kind, cell, line, times in batch:
            of = types[kind]
            raw: object = instant_of(cell) if is_zoned else plain(cell)
            raw = read_cell(of, raw) if is_untyped else raw
            value = read_value(raw, of)
            if isinstance(value, Misfit):
                message = f"`{name}` is {describe(raw)}, and {value.expected} is expected"
                findings.error("PE3142", message, line, pointer=step(name), advice=value.help, times=times)
                code_of.append(0)
            else:
                code_of.append(codes.setdefault(encode(value), len(codes) + 2))
    if not codes:
        return None
    # (2) Every thing gets the code of its value.
    found = connection.execute(
        f"SELECT rank, number FROM (SELECT rank, kind, {place} AS value FROM things WHERE {where})"
        " JOIN said USING (kind, value)"
    ).fetchnumpy()
    made: Any = np.zeros(size, np.uint32)
    made[found["rank"]] = np.asarray(code_of)[found["number"]]
    return Column(made, Texts.of(codes))
