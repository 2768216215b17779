"""Our engine beside its peers: `python -m benchmarks [--quick] [--sizes 1k,10k,100k,1M] [--only NAME] [--json FILE]`.

Every engine evaluates the same seven rules on the same made-up estate, in a process of its own, and must find exactly
the same: if one does not, the benchmark fails. Figures are medians; what matters is the ratio in one run.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from benchmarks.machine import ROOT, Process, facts, measured
from benchmarks.report import Row, tables, targets

EVALUATION = "whole estate, seven rules: wall, cpu, wall over that of the first"
FILES = "files to findings, whole process: peak memory, cpu, cpu over that of the first"
GATE = "cold gate, one model, whole process: peak memory, cpu, cpu over that of the first"
SINGLE = "one question to an open estate"

ANY = 10**9


@dataclass(frozen=True, slots=True)
class Job:
    """A line of a table."""

    name: str
    table: str
    engine: str
    kind: str = "rounds"
    """`rounds` in one process, a `process` for each round, or `sampled` questions."""
    most: int = ANY
    """The largest estate that it is asked about."""
    needs: str = ""
    rounds: int = ANY
    is_quick: bool = True
    is_same: bool = True
    """Whether it finds what the others find: all seven rules and no others."""


JOBS = (
    Job("native", EVALUATION, "ours, kernel in C"),
    Job("native-again", EVALUATION, "ours, kernel in C, once more"),
    Job("native-many", EVALUATION, "ours, kernel in C, 200 rules", rounds=3, is_same=False),
    Job("native-many-plain", EVALUATION, "the same, one of them a count", rounds=3, is_same=False),
    Job("numpy", EVALUATION, "ours, kernel in numpy", rounds=2),
    Job("c", EVALUATION, "yardstick: these rules by hand in C"),
    Job("duckdb", EVALUATION, "DuckDB, SQL by hand", needs="duckdb", rounds=3),
    Job("duckdb-one", EVALUATION, "DuckDB, r3 alone", needs="duckdb", rounds=3, is_same=False),
    Job("rustworkx", EVALUATION, "rustworkx", needs="rustworkx", most=100_000, rounds=3),
    Job("python", EVALUATION, "plain Python", most=100_000, rounds=2),
    Job("pyshacl", EVALUATION, "pySHACL", needs="pyshacl", most=1000, rounds=1, is_quick=False),
    Job("file", FILES, "ours, from the estate file", "process"),
    Job("tables", FILES, "ours, from Parquet", "process", rounds=3),
    Job("tables-c", FILES, "yardstick in C, from Parquet", "process", rounds=3),
    Job("tables-duckdb", FILES, "DuckDB, from Parquet", "process", needs="duckdb", rounds=3),
    Job("gate", GATE, "ours", "gate", is_same=False),
    Job("bare", GATE, "Python starting up", "gate", is_same=False),
    Job("import-duckdb", GATE, "Python and DuckDB starting up", "gate", needs="duckdb", is_same=False),
    Job("decision", SINGLE, "ours, a decision from words", "sampled", is_same=False),
    Job("proof", SINGLE, "ours, a decision with proof", "sampled", is_same=False),
    Job("change", SINGLE, "ours, one changed fact", "sampled", is_same=False),
)


class DisagreementError(Exception):
    """Engines found different things."""


def main() -> int:
    """Measure, print the tables, and tell whether all engines agree."""
    chosen = _options()
    rows: list[Row] = []
    known = facts()
    print(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in known.items()), flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        try:
            for size in chosen.sizes:
                rows.extend(_size(size, chosen, Path(chosen.data or scratch)))
        except DisagreementError as error:
            print(f"the engines disagree: {error}", file=sys.stderr)
            return 1
    print(tables(rows))
    print(targets(rows))
    if chosen.json:
        Path(chosen.json).write_text(json.dumps({"machine": known, "rows": rows}, indent=1) + "\n")
    return 0


def _size(size: int, chosen: argparse.Namespace, data: Path) -> Iterator[Row]:
    folder = data / str(size)
    made = measured(_command("make", folder, chosen.rounds), 300)
    if made.code:
        raise SystemExit(made.errors)
    estate = json.loads(made.output)
    print(
        f"{estate['things']:,} things, {estate['edges']:,} edges, {estate['evidence']:,} records of evidence;"
        f" estate file of {estate['bytes'] / 1e6:.1f} MB",
        flush=True,
    )
    agreed: tuple[str, str] | None = None
    for job in JOBS:
        if (chosen.only and job.name not in chosen.only) or size > job.most or (chosen.quick and not job.is_quick):
            continue
        row: Row = {"job": job.name, "table": job.table, "engine": job.engine, "size": size, "kind": job.kind}
        row |= _measure(job, folder, min(chosen.rounds, job.rounds), estate["targets"], chosen.limit)
        said = row.get("refused") or f"{median(row['wall']):.6f} s"
        print(f"  {job.name}: {said}", file=sys.stderr, flush=True)
        if job.is_same and "digest" in row:
            if agreed is not None and agreed[1] != row["digest"]:
                raise DisagreementError(f"at {size:,} things, `{job.name}` finds something else than `{agreed[0]}`")
            agreed = agreed or (job.name, row["digest"])
        yield row


def _measure(job: Job, folder: Path, rounds: int, subjects: list[str], limit: float) -> Row:
    if job.needs and find_spec(job.needs) is None:
        return {"refused": f"{job.needs} is not installed"}
    if job.kind == "gate":
        found = [measured(_gate(job.name, folder, subject), limit) for subject in subjects]
        # The gate says 1 or 3 of what is not in order.
        refused = next((one for one in found if one.code not in (0, 1, 3)), None)
        return _refusal(refused, limit) if refused else {**_costs(found), "kind": "process"}
    if job.kind == "process":
        found = [measured(_command(job.name, folder, 1), limit) for _ in range(rounds)]
        refused = next((one for one in found if one.code), None)
        if refused:
            return _refusal(refused, limit)
        outcomes = [json.loads(one.output) for one in found]
        if len({one["digest"] for one in outcomes}) > 1:
            raise DisagreementError(f"`{job.name}` finds something else each time")
        return {**_costs(found), "digest": outcomes[0]["digest"], "inside": [one["wall"][0] for one in outcomes]}
    one = measured(_command(job.name, folder, rounds), limit)
    return _refusal(one, limit) if one.code else {**json.loads(one.output), "peak_mb": [one.peak_mb]}


def _costs(found: list[Process]) -> Row:
    return {
        "wall": [one.wall for one in found],
        "cpu": [one.cpu for one in found],
        "peak_mb": [one.peak_mb for one in found],
    }


def _refusal(process: Process, limit: float) -> Row:
    if process.code == -9:
        return {"refused": f"more than {limit:.0f} s"}
    said = process.errors.strip().splitlines() or ["failed"]
    return {"refused": said[-1]}


def _command(job: str, folder: Path, rounds: int) -> list[str]:
    return [sys.executable, "-m", "benchmarks.jobs", job, str(folder), str(rounds)]


def _gate(job: str, folder: Path, subject: str) -> list[str]:
    if job == "bare":
        return [sys.executable, "-c", "pass"]
    if job == "import-duckdb":
        return [sys.executable, "-c", "import duckdb; duckdb.connect()"]
    gate = [str(folder / "estate.aipe"), subject, "--at", "2025-11-08T00:00:00Z", "--quiet"]
    return [sys.executable, "-m", "policy_engine.cli.entry", "gate", *gate]


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    options.add_argument("--sizes", type=_sizes, help="of the estates, such as 1k,10k,100k,1M, which is the default")
    options.add_argument("--only", action="append", choices=[job.name for job in JOBS], help="measure this alone")
    options.add_argument("--quick", action="store_true", help="a small estate and few rounds, to see that all agree")
    options.add_argument("--rounds", type=int, help="how often each is measured")
    options.add_argument("--limit", type=float, default=180, help="seconds after which an engine is stopped")
    options.add_argument("--data", metavar="FOLDER", help="keep the estates here for the next run")
    options.add_argument("--json", metavar="FILE", help="write everything that was measured here")
    chosen = options.parse_args()
    chosen.sizes = chosen.sizes or ([1000] if chosen.quick else _sizes("1k,10k,100k,1M"))
    chosen.rounds = chosen.rounds or (2 if chosen.quick else 5)
    return chosen


def _sizes(text: str) -> list[int]:
    found = []
    for one in text.split(","):
        number, unit = one[:-1], {"k": 1000, "m": 1_000_000}.get(one[-1:].casefold())
        size = int(number) * unit if unit else int(one)
        if size <= 0 or size % 250:
            raise argparse.ArgumentTypeError(f"the size of an estate is a multiple of 250, and `{one}` is not")
        found.append(size)
    return found


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main())
