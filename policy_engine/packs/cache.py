"""Compiled policies, kept by the digest of everything that went into them.

A later run with the same files, parameters and engine loads the checked program and needs no parser. A stored program
that is damaged or of another version is compiled again. Verification of a bundle never uses this.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from policy_dsl.diagnostics import Diagnostic, Severity
from policy_dsl.storage import FORMAT, StoredProgramError, program_from_bytes, program_to_bytes
from policy_dsl.typed.tree import Program
from policy_engine import __version__

KEPT = 64
"""How many programs are kept; the ones not used for longest go first."""


def compile_cached(
    files: Mapping[str, bytes], parameters: Mapping[str, str], folder: Path | None
) -> tuple[Program, tuple[Diagnostic, ...]]:
    """Compile policy files, or load what an earlier run compiled from the same; ``folder`` is where that is kept.

    What has errors is not kept. A folder that cannot be used is the same as none.
    """
    if folder is None:
        return _compile(files, parameters)
    path = folder / f"{key_of(files, parameters)}.json"
    try:
        found = program_from_bytes(path.read_bytes())
        os.utime(path)
    except (OSError, StoredProgramError):
        program, diagnostics = _compile(files, parameters)
        if not any(d.severity is Severity.ERROR for d in diagnostics):
            _keep(path, program_to_bytes(program, diagnostics))
        return program, diagnostics
    return found


def _compile(files: Mapping[str, bytes], parameters: Mapping[str, str]) -> tuple[Program, tuple[Diagnostic, ...]]:
    from policy_dsl import compile_bytes  # the parser is slow to load, and a kept program does without it

    return compile_bytes(files, parameters)


def key_of(files: Mapping[str, bytes], parameters: Mapping[str, str]) -> str:
    """Return the digest of everything that a compiled program depends on."""
    named = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    text = json.dumps([FORMAT, __version__, named, dict(parameters)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _keep(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{os.getpid()}.part")
        beside.write_bytes(data)
        beside.replace(path)
        kept = sorted(path.parent.glob("*.json"), key=lambda p: p.stat().st_mtime, reverse=True)
        for old in kept[KEPT:]:
            old.unlink(missing_ok=True)
    except OSError:
        return  # a cache that cannot be written costs time, nothing else
