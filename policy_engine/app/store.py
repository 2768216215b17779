"""Snapshots kept, asked for and compared: what `policy-engine snapshot` and `check --store` do.

Nothing of a database is loaded before a store is opened.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from policy_dsl.typed.schema import Schema
from policy_dsl.values import format_instant
from policy_engine.app.evaluate import Evaluation, compile_policies, evaluate_snapshot
from policy_engine.app.inputs import Inputs
from policy_engine.lineage.graph import Snapshot
from policy_engine.lineage.load import load_estate
from policy_engine.model.errors import fault
from policy_engine.model.progress import Progress, silent

if TYPE_CHECKING:
    from policy_engine.lineage.store.differences import Change, NodeChange
    from policy_engine.lineage.store.importing import Imported, Moment
    from policy_engine.lineage.store.store import Contents, Kept, Store, Which

HISTORY_FORMAT = "urn:ai-policy-engine:snapshot-history:v1"
IMPORT_FORMAT = "urn:ai-policy-engine:snapshot-import:v1"
CONTENTS_FORMAT = "urn:ai-policy-engine:snapshot-contents:v1"
DIFFERENCES_FORMAT = "urn:ai-policy-engine:snapshot-differences:v1"
LINES = (".ndjson", ".jsonl")
"""How the names of inventories in lines end."""
_LONGEST_HEAD = 65_536
TABLES = (".parquet", ".csv")
"""How the names of tables end; a table may also be in lines, without the head of an inventory."""


def is_streamed(file: Path, edges: Path | None) -> bool:
    """Tell whether a file is read as it streams by: a table, or an inventory in lines."""
    suffix = file.suffix.casefold()
    if edges is not None or suffix in TABLES:
        return True
    if suffix not in LINES or not file.is_file():
        return False
    # Other documents, such as events of OpenLineage, come in lines too.
    try:
        with file.open("rb") as stream:
            return b'"inventory"' in stream.readline(_LONGEST_HEAD)
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise fault("PE0002", f"`{file}` cannot be read: {reason}") from error


@dataclass(frozen=True, slots=True)
class Stored:
    """A snapshot read from a store, checked against its digest; its sources are in it."""

    kept: "Kept"
    snapshot: Snapshot
    store: str
    """What messages call the store; it holds no password."""

    @property
    def spoken(self) -> str:
        """What people are told that the facts come from."""
        return f"snapshot {self.kept.digest[:19]} of {self.store}"


@contextmanager
def installed(what: str, extra: str) -> Iterator[None]:
    """Say which extra to install where what is needed is not there.

    Raises:
        InputError: PE0010.
    """
    try:
        yield
    except ImportError as error:
        hint = f"install `ai-policy-engine[{extra}]`"
        raise fault("PE0010", f"{what} needs `{error.name}`, which is not installed", help=hint) from error


def open_store(place: str, *, create: bool = False) -> "Store":
    """Open the store at a path or a PostgreSQL URL; ``create`` makes it if there is none.

    Raises:
        LineageError: it cannot be opened, or is something else.
        InputError: PE0010, the library that it needs is not installed.
    """
    with installed("a store", "store"):
        from policy_engine.lineage.store.store import Store

        return Store(place, create=create)


def read_stored(place: str, which: "Which", schema: Schema) -> Stored:
    """Read a snapshot: by a digest or its beginning, the ``latest``, or as of an instant.

    Raises:
        LineageError: there is none, the store was changed, or the schema is not the one it was made with.
    """
    store = open_store(place)
    kept = store.find(which)
    return Stored(kept, store.get(kept.digest, schema), store.name)


def evaluate_stored(
    inputs: Inputs, place: str, which: "Which", at: datetime, *, progress: Progress = silent
) -> Evaluation:
    """Run the policies and evidence of a profile over a stored snapshot.

    Raises:
        InputError: policies or the trust file have errors.
        LineageError: the snapshot cannot be read.
    """
    progress.stage("compiling")
    program, diagnostics = compile_policies(inputs.packs.files, inputs.profile.parameters, inputs.cache)
    progress.stage("loading")
    stored = read_stored(place, which, program.schema)
    named = replace(inputs, sources={stored.spoken: b""})
    return evaluate_snapshot(named, at, program, stored.snapshot, (), diagnostics, progress=progress)


def import_estate(
    store: "Store", inputs: Inputs, moment: "Moment", *, strict: bool = False, progress: Progress = silent
) -> "Imported":
    """Put what a profile's sources, or a single document, assert into a store; nothing, if any of it is an error."""
    from policy_engine.lineage.store.importing import Imported

    program, _ = compile_policies(inputs.packs.files, inputs.profile.parameters, inputs.cache)
    progress.stage("reading")
    estate = load_estate(inputs.sources, program.schema, strict=strict)
    errors = sum(problem.is_error for problem in estate.problems)
    kept = None
    if not errors:
        progress.stage("putting")
        kept = store.put(estate.snapshot, moment.taken_at, valid_at=moment.valid_at, comment=moment.comment)
    return Imported(kept, estate.problems, errors, len(estate.problems) - errors)


def import_stream(
    store: "Store",
    file: Path,
    edges: Path | None,
    inputs: Inputs,
    moment: "Moment",
    *,
    strict: bool = False,
    progress: Progress = silent,
) -> "Imported":
    """Put an inventory in lines or tables into a store, without holding them in memory; ``inputs`` has the packs.

    Raises:
        LineageError: a file is no such table, or the store cannot be written.
        InputError: a file is not there, or a library that is needed is not installed.
    """
    from policy_engine.lineage.store.importing import import_lines, import_tables

    for path in (file, edges):
        if path is not None and not path.is_file():
            raise fault("PE0001", f"`{path}` {'is not a file' if path.exists() else 'does not exist'}")
    program, _ = compile_policies(inputs.packs.files, inputs.profile.parameters, inputs.cache)
    schema = program.schema
    try:
        if edges is not None or file.suffix.casefold() in TABLES:
            with installed("reading a table", "scale"):
                return import_tables(store, file, edges, file.name, schema, moment, strict=strict, progress=progress)
        with file.open("rb") as stream:
            size = file.stat().st_size
            return import_lines(store, stream, file.name, schema, moment, size=size, strict=strict, progress=progress)
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise fault("PE0002", f"`{error.filename or file}` cannot be read: {reason}") from error


def kept_to_json(kept: "Kept") -> dict[str, Any]:
    """Return a moment as JSON."""
    return {
        "digest": kept.digest,
        "facts_digest": kept.facts_digest,
        "valid_at": format_instant(kept.valid_at),
        "taken_at": format_instant(kept.taken_at),
        "comment": kept.comment,
        "nodes": kept.nodes,
        "edges": kept.edges,
        "sources": kept.sources,
    }


def imported_to_json(done: "Imported") -> dict[str, Any]:
    """Return what became of an import as JSON."""
    return {
        "format": IMPORT_FORMAT,
        "kept": kept_to_json(done.kept) if done.kept else None,
        "errors": done.errors,
        "warnings": done.warnings,
        "problems": [
            {
                "code": problem.code,
                "severity": problem.severity.value,
                "message": problem.message,
                "file": problem.file,
                "line": problem.line,
                "pointer": problem.pointer,
                "help": problem.help,
            }
            for problem in done.problems
        ],
    }


def contents_to_json(contents: "Contents") -> dict[str, Any]:
    """Return what a snapshot holds as JSON."""
    return {
        "format": CONTENTS_FORMAT,
        "moments": [kept_to_json(kept) for kept in contents.moments],
        "kinds": contents.kinds,
        "edges": contents.edge_types,
        "sources": [
            {
                "name": source.name,
                "sha256": source.sha256,
                "format": source.format,
                "asserted_by": source.asserted_by,
                "asserted_at": format_instant(source.asserted_at) if source.asserted_at else None,
            }
            for source in contents.sources
        ],
    }


def change_to_json(change: "Change") -> dict[str, Any]:
    """Return a difference as JSON."""
    from policy_engine.lineage.store.differences import EdgeChange

    if isinstance(change, EdgeChange):
        return {"how": change.how, "edge": change.type, "source": change.source, "target": change.target}
    return {"how": change.how, "node": change.id, "kind": change.kind, "facts": _facts_to_json(change)}


def _facts_to_json(change: "NodeChange") -> list[dict[str, Any]]:
    return [
        {
            "name": fact.name,
            "how": fact.how,
            "before": fact.before,
            "after": fact.after,
            "contradicted": fact.contradicted,
        }
        for fact in change.facts
    ]
