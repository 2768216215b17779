"""Inputs in, one estate file out, from which a gate answers at once: policies compiled, evidence verified.

The file holds, besides the estate and its evidence: ``program``, the index of the compiled policies, and their pieces;
``gate``, what the profile and the trust file say about results; and ``inputs``, what the file was made of.
"""

import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from policy_dsl.diagnostics import Diagnostic
from policy_dsl.pieces import to_pieces
from policy_dsl.values import format_instant
from policy_engine import __version__
from policy_engine.app.evaluate import Ready, compile_policies, make_ready, refused_waiver
from policy_engine.app.gate import GATE_FORMAT
from policy_engine.app.inputs import PROFILE_NAME, Inputs
from policy_engine.app.staleness import has_magic, matches
from policy_engine.lineage.columns.table import Texts
from policy_engine.lineage.columns.writer import write_estate
from policy_engine.lineage.graph import Snapshot
from policy_engine.lineage.load import load_estate
from policy_engine.model.errors import InputError, fault
from policy_engine.model.evidence import Waiver
from policy_engine.model.problems import Problem
from policy_engine.model.progress import Progress, silent
from policy_engine.packs.library import is_policy_file, requirement
from policy_evidence.canonical import digest


@dataclass(frozen=True, slots=True)
class Prepared:
    """What an estate file was made of."""

    ready: Ready
    snapshot: Snapshot
    problems: tuple[Problem, ...]
    diagnostics: tuple[Diagnostic, ...]


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
    ready = make_ready(inputs, at, program, estate.snapshot, progress=progress)
    progress.stage("writing")
    index, pieces = to_pieces(ready.world.program)
    documents = {
        "program": index,
        "gate": _bytes(_gate(inputs, ready)),
        "inputs": _bytes(_inputs(inputs, target, out)),
    }
    write_estate(out, estate.snapshot, ready.evidence.usable, documents, {"program.piece": Texts.of(pieces)})
    return Prepared(ready, estate.snapshot, (*estate.problems, *ready.evidence.problems), diagnostics)


def _gate(inputs: Inputs, ready: Ready) -> dict[str, Any]:
    """Return what a gate must know that is neither policy nor fact."""
    program = ready.world.program
    levels = {r.name: inputs.profile.enforcement_of(r.name, r.severity).value for r in program.rules.values()}
    return {
        "format": GATE_FORMAT,
        "engine": __version__,
        "relied_until": format_instant(ready.trust.expires) if ready.trust is not None else None,
        "enforcement": levels,
        "waivers": [_waiver(w, refused_waiver(w, inputs.profile, program)) for w in ready.waivers],
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
            for file, rejected in ready.evidence.unverifiable
        ],
        "unjudged": ready.evidence.unjudged,
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


def _inputs(inputs: Inputs, target: Path, out: Path) -> dict[str, Any]:
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
    return {
        "folder": _relative(folder, out.resolve().parent),
        "files": {name: _state(folder / name, data) for name, data in sorted(read.items())},
        "patterns": {pattern: matches(pattern, folder) for pattern in sorted(set(patterns)) if has_magic(pattern)},
    }


def _state(path: Path, data: bytes) -> list[int | str]:
    """Return the size, the time of the last change and the digest of a file."""
    try:
        return [len(data), path.stat().st_mtime_ns, digest(data)]
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
