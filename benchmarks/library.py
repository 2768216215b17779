"""How long `check` takes with the whole library: `python -m benchmarks.library [--things 1000] [--rounds 5]`.

The estate is the examples over and over, with their evidence, until there are enough things. Each row is the median of
several whole processes; Python starting up, the least that any command costs, runs in the same rounds. The compiled
program is kept from an untimed first run, as it is on a machine that checks more than once.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from benchmarks.machine import ROOT
from policy_dsl.values import text
from policy_engine.app.evaluate import compile_policies
from policy_engine.app.start import signed_by_role
from policy_engine.lineage.graph import Snapshot, subject_digests
from policy_engine.lineage.load import load_estate
from policy_engine.packs.library import library, select
from policy_engine.packs.profile import parse_profile
from policy_evidence.attest import sign_statement
from policy_evidence.predicates import EvidencePredicate, predicate_type_of
from policy_evidence.signing.keys import Algorithm, PrivateKey

EXAMPLES = ("eu-bank", "us-health", "us-employer", "llm-team", "small-company")
PACKS = sorted({name.partition(".")[0] for name in library()} - {"std"})
PROGRAM = [sys.executable, "-c", "from policy_engine.cli.entry import main; main()"]
AT = "2026-11-21"


@dataclass(frozen=True, slots=True)
class Example:
    """The facts of an example, and what was signed about them."""

    snapshot: Snapshot
    evidence: tuple[dict[Any, Any], ...]


def read_example(name: str) -> Example:
    """Return an example as the engine reads it."""
    folder = ROOT / "examples" / name
    profile = parse_profile((folder / "profile.toml").read_bytes(), "profile.toml")
    schema = compile_policies(select(["std.ai"], {}).files, {})[0].schema
    paths = sorted({path for pattern in profile.sources for path in folder.glob(pattern)})
    estate = load_estate({path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}, schema)
    signed = yaml.safe_load((folder / "evidence.yaml").read_text("utf-8"))["evidence"]
    return Example(estate.snapshot, tuple(signed))


def write_estate(folder: Path, things: int) -> tuple[int, int]:
    """Write a profile, an inventory of at least so many things, and their evidence; return how many of each."""
    examples = [read_example(name) for name in EXAMPLES]
    nodes: list[dict[str, Any]] = []
    signed: list[tuple[str, dict[Any, Any]]] = []
    for number in count():
        example = examples[number % len(examples)]
        nodes += _copied(example.snapshot, f"~{number}")
        signed += [(f"~{number}", item) for item in example.evidence]
        if len(nodes) >= things:
            break
    (folder / "inventory.json").write_text(json.dumps({"inventory": 1, "nodes": nodes}))
    key = PrivateKey.generate(Algorithm.ED25519)
    program = compile_policies(select(library(), {}).files, {})[0]
    estate = load_estate({"inventory.json": (folder / "inventory.json").read_bytes()}, program.schema)
    (folder / "evidence").mkdir()
    number = 0
    for number, data in enumerate(_evidence(estate.snapshot, signed, key), 1):
        (folder / "evidence" / f"{number}.json").write_bytes(data)
    (folder / "trust.yaml").write_text(_trust(key, signed_by_role(program)))
    for name, more in (("facts.toml", ""), ("profile.toml", 'evidence = ["evidence/*.json"]\ntrust = "trust.yaml"\n')):
        (folder / name).write_text(f'profile = 1\npacks = {json.dumps(PACKS)}\nsources = ["inventory.json"]\n{more}')
    return len(nodes), number


def _copied(snapshot: Snapshot, suffix: str) -> Iterator[dict[str, Any]]:
    """Yield the things of a snapshot under other ids, as an inventory has them; digests and versions stay."""
    edges: dict[str, dict[str, list[str]]] = {}
    for edge in snapshot.edges:
        edges.setdefault(edge.source, {}).setdefault(edge.type, []).append(edge.target + suffix)
    for node in snapshot.nodes.values():
        facts = {name: _plain(fact.value) for name, fact in node.attributes.items()}
        yield {"id": node.id + suffix, "kind": node.kind, **facts, **edges.get(node.id, {})}


def _plain(value: object) -> Any:
    match value:
        case bool() | int() | str():
            return value
        case Decimal():
            return float(value)
        case date():
            return text(value)
        case frozenset():
            return sorted(_plain(item) for item in value)
        case _:
            return text(value)  # type: ignore[arg-type]


def _evidence(snapshot: Snapshot, signed: list[tuple[str, dict[Any, Any]]], key: PrivateKey) -> Iterator[bytes]:
    for suffix, item in signed:
        on = item[True]  # what YAML 1.1 makes of the key `on`
        names = [on] if isinstance(on, str) else on
        subjects = {
            name + suffix: subject_digests(snapshot.nodes[name + suffix])
            for name in names
            if name + suffix in snapshot.nodes
        }
        predicate = EvidencePredicate(
            issued=f"{item['issued']}T00:00:00Z",
            expires=f"{item['expires']}T00:00:00Z" if "expires" in item else None,
            fields={
                name: v.isoformat() if isinstance(v, date) else tuple(v) if isinstance(v, list) else v
                for name, v in item.get("fields", {}).items()
            },
        )
        if subjects:
            yield sign_statement(subjects, predicate_type_of(item["type"]), predicate, [key])


def _trust(key: PrivateKey, roles: dict[str, tuple[str, ...]]) -> str:
    """Return a trust file in which one key holds every role."""
    from base64 import b64encode

    types = sorted({name for names in roles.values() for name in names})
    return json.dumps(
        {
            "format": 1,
            "version": 1,
            "expires": "2035-01-01T00:00:00Z",
            "keys": {"all": {"public_key": b64encode(key.public_key.spki).decode(), "owner": "All"}},
            "roles": {role: {"keys": ["all"], "may_sign": types} for role in roles},
        }
    )


def measured(command: list[str], folder: Path) -> tuple[float, float]:
    """Return the wall and processor seconds of a process."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environment = os.environ | {"POLICY_ENGINE_CACHE": str(folder / "cache")}
    done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=False)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in {0, 1}:
        raise SystemExit(done.returncode)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--things", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        things, pieces = write_estate(folder, chosen.things)
        rules = len(compile_policies(select(library(), {}).files, {})[0].rules)
        print(f"{rules} rules, {things} things, {pieces} pieces of evidence; medians of {chosen.rounds}")
        check = [*PROGRAM, "check", "--at", AT, "--quiet"]
        commands = {
            "check, the facts alone": [*check, "facts.toml"],
            "check, with the evidence": [*check, "profile.toml"],
            "prepare, with the evidence": [*PROGRAM, "prepare", "profile.toml", "--out", "estate.aipe", "--at", AT],
            "check of what was prepared": [*check, "estate.aipe"],
            "Python starting up": [sys.executable, "-c", "pass"],
        }
        for command in commands.values():
            measured(command, folder)
        taken = {name: [measured(command, folder) for _ in range(chosen.rounds)] for name, command in commands.items()}
    print(f"{'':<28}{'wall':>10}{'processor':>12}")
    for name, times in taken.items():
        wall, cpu = (median(column) for column in zip(*times, strict=True))
        print(f"{name:<28}{wall:>8.2f} s{cpu:>10.2f} s")


if __name__ == "__main__":
    main()
