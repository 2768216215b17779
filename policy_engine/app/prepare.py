"""Inputs in, one estate file out, from which a gate answers at once: policies compiled, evidence verified.

The file holds, besides the estate and its evidence: ``program``, the index of the compiled policies, and their pieces;
``gate``, what the profile and the trust file say about results; and ``inputs``, what the file was made of.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from policy_dsl.diagnostics import Diagnostic
from policy_dsl.pieces import to_pieces
from policy_dsl.typed.schema import Schema
from policy_dsl.values import format_instant
from policy_engine import __version__
from policy_engine.app.evaluate import Verified, compile_policies, refused_waiver, verify_inputs
from policy_engine.app.gate import GATE_FORMAT
from policy_engine.app.inputs import PROFILE_NAME, Inputs
from policy_engine.app.staleness import has_magic, matches
from policy_engine.app.store import installed
from policy_engine.lineage.columns.arrays import Numpy
from policy_engine.lineage.columns.numbering import Numbering, number_nodes
from policy_engine.lineage.columns.subjects import Ranks, Subjects
from policy_engine.lineage.columns.table import EstateTable, Texts
from policy_engine.lineage.columns.writer import evidence_rows, write_columns, write_estate
from policy_engine.lineage.graph import subject_digests
from policy_engine.lineage.load import load_estate
from policy_engine.lineage.store.findings import Findings
from policy_engine.lineage.store.table_files import SUFFIXES
from policy_engine.model.errors import InputError, fault
from policy_engine.model.evidence import Waiver
from policy_engine.model.problems import Problem
from policy_engine.model.progress import Progress, silent
from policy_engine.packs.library import is_policy_file, requirement
from policy_evidence.canonical import digest

if TYPE_CHECKING:
    from policy_engine.lineage.store.store import Store, Which


@dataclass(frozen=True, slots=True)
class Prepared:
    """What an estate file was made of."""

    verified: Verified
    things: int
    relations: int
    problems: tuple[Problem, ...]
    diagnostics: tuple[Diagnostic, ...]
    source: str = ""
    """Where the facts come from, if not from the profile's sources."""


@dataclass(frozen=True, slots=True)
class _Facts:
    """An estate in columns, and what was wrong with it."""

    table: EstateTable
    source: str
    problems: tuple[Problem, ...] = ()
    files: tuple[Path, ...] = ()


def prepare(
    inputs: Inputs, target: Path, out: Path, at: datetime, *, strict: bool = False, progress: Progress = silent
) -> Prepared:
    """Compile, load and verify as a check at an instant does, and write the estate file instead of evaluating.

    Raises:
        InputError: policies, inventory or trust file have errors, or the file cannot be written.
    """
    progress.stage("compiling")
    program, diagnostics = compile_policies(inputs.packs.files, inputs.profile.parameters, inputs.cache)
    progress.stage("loading")
    estate = load_estate(inputs.sources, program.schema, strict=strict)
    if estate.has_errors:
        raise InputError([str(p) + (f"\n  help: {p.help}" if p.help else "") for p in estate.problems])
    snapshot = estate.snapshot
    subjects = {node.id: subject_digests(node) for node in snapshot.nodes.values()}
    verified = verify_inputs(inputs, at, program, subjects, progress=progress)
    progress.stage("writing")
    write_estate(out, snapshot, verified.evidence.usable, *_documents(inputs, verified, target, out))
    problems = (*estate.problems, *verified.evidence.problems)
    return Prepared(verified, len(snapshot.nodes), len(snapshot.edges), problems, diagnostics)


def prepare_tables(
    inputs: Inputs,
    target: Path,
    out: Path,
    at: datetime,
    folder: Path,
    *,
    strict: bool = False,
    progress: Progress = silent,
) -> Prepared:
    """Make an estate file of the tables in a folder, with the policies, evidence and waivers of a profile.

    Raises:
        InputError: PE0001, there are no tables; PE0010; the tables, policies or trust file have errors.
        LineageError: a file is no such table.
    """
    nodes, edges = _table(folder, "nodes"), _table(folder, "edges")
    if nodes is None:
        names = ", ".join(f"nodes{suffix}" for suffix in SUFFIXES)
        raise fault("PE0001", f"there is no table of things in `{folder}`", help=f"it is one of {names}")

    def read(schema: Schema) -> _Facts:
        with installed("reading a table", "scale"):
            from policy_engine.lineage.columns.tables import read_tables
        found = Findings(str(nodes), strict=strict), Findings(str(edges), strict=strict)
        table = read_tables(nodes, edges, schema, found, progress=progress)
        problems = tuple(problem for one in found for problem in one.problems)
        errors = sum(one.errors for one in found)
        if errors:
            told = [str(p) + (f"\n  help: {p.help}" if p.help else "") for p in problems if p.is_error]
            shown = f"{errors:,} error{'' if errors == 1 else 's'} in the tables, so nothing was written"
            raise InputError([*told, shown])
        return _Facts(table, str(folder), problems, tuple(path for path in (nodes, edges) if path is not None))

    return _prepare_columns(inputs, target, out, at, read, progress)


def prepare_stored(
    inputs: Inputs,
    target: Path,
    out: Path,
    at: datetime,
    store: "Store",
    which: "Which",
    *,
    progress: Progress = silent,
) -> Prepared:
    """Make an estate file of a stored snapshot, with the policies, evidence and waivers of a profile.

    Raises:
        LineageError: there is no such snapshot, the store was changed, or the schema is not the one it was made with.
        InputError: PE0010; policies or the trust file have errors.
    """

    def read(schema: Schema) -> _Facts:
        from policy_engine.lineage.columns.stored import read_snapshot

        kept = store.find(which)
        progress.stage("reading", kept.nodes + kept.edges)
        with closing(store.document(kept.digest)) as pieces:
            table = read_snapshot(pieces, schema, progress=progress)
        table = replace(table, digest=kept.digest, facts_digest=kept.facts_digest)
        return _Facts(table, f"snapshot {kept.digest[:19]} of {store.name}")

    return _prepare_columns(inputs, target, out, at, read, progress)


def _prepare_columns(
    inputs: Inputs, target: Path, out: Path, at: datetime, read: Callable[[Schema], _Facts], progress: Progress
) -> Prepared:
    with installed("preparing tables or a stored snapshot", "scale"):
        arrays = Numpy()
    progress.stage("compiling")
    program, diagnostics = compile_policies(inputs.packs.files, inputs.profile.parameters, inputs.cache)
    # (1) The facts are read as columns.
    facts = read(program.schema)
    # (2) Evidence is verified against the things that it claims to be about, and no others are looked at.
    verified = verify_inputs(inputs, at, program, Subjects(facts.table), progress=progress)
    # (3) Everything is written into one file.
    progress.stage("writing")
    documents, texts = _documents(inputs, verified, target, out, facts.files)
    table = replace(
        facts.table,
        evidence=evidence_rows(verified.evidence.usable, Ranks(facts.table.ids)),
        documents=documents,
        texts=texts,
    )
    write_columns(out, table, arrays, _numbering())
    problems = (*facts.problems, *verified.evidence.problems)
    return Prepared(verified, len(table.kind), len(table.edges.type), problems, diagnostics, facts.source)


def _numbering() -> Numbering:
    """Return what numbers the nodes: compiled, if there is a compiler where this is installed."""
    from policy_engine.evaluation.sets.native_kernel import NativeKernel

    try:
        compiled: Any = NativeKernel().number_nodes
        return compiled  # type: ignore[no-any-return]
    except OSError:
        return number_nodes


def _table(folder: Path, name: str) -> Path | None:
    """Return the one table of a name in a folder, if there is one.

    Raises:
        InputError: PE0001, there is no such folder; PE0007, there are several.
    """
    if not folder.is_dir():
        raise fault("PE0001", f"`{folder}` is not a folder" if folder.exists() else f"`{folder}` does not exist")
    found = [path for suffix in SUFFIXES if (path := folder / f"{name}{suffix}").is_file()]
    if len(found) > 1:
        raise fault("PE0007", f"`{found[0]}` and `{found[1]}` are both there", help="leave one table of each name")
    return found[0] if found else None


def _documents(
    inputs: Inputs, verified: Verified, target: Path, out: Path, tables: Iterable[Path] = ()
) -> tuple[dict[str, bytes], dict[str, Texts]]:
    """Return what travels with an estate: the policies, what a gate must know, and what the file was made of."""
    index, pieces = to_pieces(verified.program)
    documents = {
        "program": index,
        "gate": _bytes(_gate(inputs, verified)),
        "inputs": _bytes(_inputs(inputs, target, out, tables)),
    }
    return documents, {"program.piece": Texts.of(pieces)}


def _gate(inputs: Inputs, verified: Verified) -> dict[str, Any]:
    """Return what a gate must know that is neither policy nor fact."""
    program = verified.program
    levels = {r.name: inputs.profile.enforcement_of(r.name, r.severity).value for r in program.rules.values()}
    return {
        "format": GATE_FORMAT,
        "engine": __version__,
        "relied_until": format_instant(verified.trust.expires) if verified.trust is not None else None,
        "enforcement": levels,
        "waivers": [_waiver(w, refused_waiver(w, inputs.profile, program)) for w in verified.waivers],
        "rejected": [
            {
                "file": file,
                "code": rejected.code,
                "step": rejected.step,
                "message": rejected.message,
                "help": rejected.help,
                "type": rejected.claimed_type,
                "subjects": list(rejected.claimed_subjects),
            }
            for file, rejected in verified.evidence.unverifiable
        ],
        "unjudged": verified.evidence.unjudged,
    }


def _waiver(waiver: Waiver, refusal: str | None) -> dict[str, Any]:
    return {
        "digest": waiver.digest,
        "rule": waiver.rule,
        "subject": waiver.subject,
        "reason": waiver.reason,
        "approver": waiver.approver,
        "ticket": waiver.ticket,
        "issued": format_instant(waiver.issued),
        "from": format_instant(waiver.counts_from),
        "until": format_instant(waiver.counts_until),
        "roles": sorted(waiver.roles),
        "refusal": refusal,
    }


def _inputs(inputs: Inputs, target: Path, out: Path, tables: Iterable[Path]) -> dict[str, Any]:
    """Return what a gate needs to see that an input has changed since."""
    folder, profile = inputs.folder.resolve(), inputs.profile
    read: dict[str, bytes] = {**inputs.sources, **inputs.evidence}
    read |= {name: data for name, data in inputs.packs.files.items() if name in inputs.packs.own}
    patterns: tuple[str, ...] = ()
    if inputs.profile_bytes:
        read[target.name if target.suffix == ".toml" else PROFILE_NAME] = inputs.profile_bytes
        own = tuple(name for name, _ in map(requirement, profile.packs) if is_policy_file(name))
        patterns = (*profile.sources, *profile.evidence, *own)
    if inputs.trust is not None:
        read[profile.trust] = inputs.trust
    files = {name: _state(folder / name, digest(data)) for name, data in sorted(read.items())}
    for table in tables:
        with table.open("rb") as stream:
            files[_relative(table.resolve(), folder)] = _state(
                table, f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
            )
    return {
        "folder": _relative(folder, out.resolve().parent),
        "files": files,
        "patterns": {pattern: matches(pattern, folder) for pattern in sorted(set(patterns)) if has_magic(pattern)},
    }


def _state(path: Path, sha256: str) -> list[int | str]:
    """Return the size, the time of the last change and the digest of a file."""
    try:
        now = path.stat()
        return [now.st_size, now.st_mtime_ns, sha256]
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise fault("PE0002", f"`{path}` cannot be read any more: {reason}") from error


def _relative(path: Path, start: Path) -> str:
    try:
        return Path(os.path.relpath(path, start)).as_posix()
    except ValueError:
        return str(path)  # on another drive


def _bytes(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
