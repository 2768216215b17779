"""Putting an estate of any size into a store, from lines or from tables, without holding it in memory.

Rules: one transaction; whatever is wrong, nothing is put in and every problem found is named, the first hundred in
full; a snapshot that is there already is kept once.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import select

from policy_dsl.typed.schema import Schema
from policy_engine.lineage.graph import Source
from policy_engine.lineage.store import versions
from policy_engine.lineage.store.findings import Findings
from policy_engine.lineage.store.incoming import Incoming
from policy_engine.lineage.store.lines import Lines
from policy_engine.lineage.store.store import Kept, Store
from policy_engine.lineage.store.table_files import take_tables
from policy_engine.lineage.store.tables import SNAPSHOTS
from policy_engine.model.problems import Problem
from policy_engine.model.progress import Progress, silent


@dataclass(frozen=True, slots=True)
class Moment:
    """From when on the estate is as it is imported (from when it is written down, if nothing is said), and a remark."""

    taken_at: datetime
    valid_at: datetime | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of an import: the snapshot, or nothing when there are errors; and the first of the problems."""

    kept: Kept | None
    problems: tuple[Problem, ...]
    errors: int
    warnings: int


class _RefusedError(Exception):
    """Ends the transaction of an import with errors."""


def import_lines(
    store: Store,
    stream: BinaryIO,
    name: str,
    schema: Schema,
    moment: Moment,
    *,
    size: int | None = None,
    strict: bool = False,
    progress: Progress = silent,
) -> Imported:
    """Import an inventory in lines; ``name`` is what its source is called, ``size`` its bytes, if that is known.

    Raises:
        LineageError: the store cannot be written.
    """
    findings = Findings(name, strict=strict)

    def read(incoming: Incoming) -> Source:
        progress.stage("reading", size)
        lines = Lines(stream, name, findings, progress)
        source = lines.source(schema)
        for number, content in lines:
            entry = incoming.reader.read(content, number)
            if entry is not None:
                incoming.take(entry, number)
        return replace(source, sha256=lines.sha256)

    return _import(store, name, schema, moment, findings, read, progress)


def import_tables(
    store: Store,
    nodes: Path,
    edges: Path | None,
    name: str,
    schema: Schema,
    moment: Moment,
    *,
    strict: bool = False,
    progress: Progress = silent,
) -> Imported:
    """Import tables; ``name`` is what their source is called.

    Raises:
        LineageError: a file is no such table, or the store cannot be written.
    """
    findings = Findings(name, strict=strict)

    def read(incoming: Incoming) -> Source:
        sha256 = take_tables(incoming, nodes, edges, schema, findings, progress)
        return Source(name, sha256, "table", name)

    return _import(store, name, schema, moment, findings, read, progress)


def _import(
    store: Store,
    name: str,
    schema: Schema,
    moment: Moment,
    findings: Findings,
    read: Callable[[Incoming], Source],
    progress: Progress,
) -> Imported:
    store.check_texts([name, moment.comment])
    kept: Kept | None = None
    try:
        with store.database.writing() as connection:
            # (1) Every entry is read, checked by itself and staged.
            incoming = Incoming(connection, schema, name, findings)
            source = read(incoming)
            # (2) What only shows among all of them is checked, and the digests are computed.
            digest, facts_digest = incoming.settle(source, progress)
            if findings.errors:
                raise _RefusedError
            # (3) Only what differs from the last snapshot is added.
            progress.stage("comparing with the last snapshot")
            found = connection.execute(select(SNAPSHOTS.c.number).where(SNAPSHOTS.c.digest == digest)).scalar()
            number = versions.add_staged(connection, digest, facts_digest) if found is None else int(found)
            kept = store.record(connection, number, moment.taken_at, moment.valid_at, moment.comment)
    except _RefusedError:
        kept = None
    return Imported(kept, findings.problems, findings.errors, findings.warnings)
