"""One measurement in a process of its own: `python -m benchmarks.jobs NAME FOLDER ROUNDS` prints what came out as JSON.

A process of its own, so that no engine is warm from another and its peak memory is its own.
"""

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.findings import Findings, counts, digest

Work = Callable[[], Any]
Round = tuple[Work, Callable[[Any], Findings]]
"""What is measured, and how its outcome is read afterwards."""


def run(name: str, folder: Path, rounds: int) -> dict[str, Any]:
    """Make a measurement."""
    if name in SAMPLED:
        return SAMPLED[name](folder, rounds)
    begun = time.perf_counter()
    walls, cpus, seen, parts = [], [], set(), {}
    found: Findings = {}
    made = ROUNDS[name](folder)
    loaded = None
    for _ in range(rounds):
        work, read = next(made)
        loaded = time.perf_counter() - begun if loaded is None else loaded
        wall, cpu = time.perf_counter(), time.process_time()
        outcome = work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
        found = {rule: [int(one) for one in subjects] for rule, subjects in read(outcome).items()}
        seen.add(digest(found))
        parts = {rule.rpartition(".")[2]: s for rule, s in getattr(outcome, "seconds", {}).items()}
    if len(seen) != 1:
        raise SystemExit(f"`{name}` does not find the same each time")
    made.close()
    counted = {} if len(found) > 20 else counts(found)
    return {
        "wall": walls, "cpu": cpus, "load": loaded, "digest": seen.pop(), "counts": counted,
        "parts": parts if len(parts) < 20 else {},
    }  # fmt: skip


def _ours(way: str, kernel: Any) -> Callable[[Path], Iterator[Round]]:
    def rounds(folder: Path) -> Iterator[Round]:
        from benchmarks.contenders import ours

        for work in getattr(ours, way)(folder, kernel):
            yield work, ours.findings

    return rounds


def _peer(module: str, function: str = "load") -> Callable[[Path], Iterator[Round]]:
    def rounds(folder: Path) -> Iterator[Round]:
        import importlib

        work = getattr(importlib.import_module(f"benchmarks.contenders.{module}"), function)(folder)
        while True:
            yield work, lambda found: found

    return rounds


def _from_tables(folder: Path) -> Iterator[Round]:
    """Yield tables to findings by way of an estate file, as an organisation without one would."""
    from benchmarks.contenders import ours
    from benchmarks.files import read_tables, write_estate_file
    from benchmarks.generator import ESTATE
    from benchmarks.rules import AT, seven
    from policy_engine.evaluation.sets.evaluator import SetEvaluator
    from policy_engine.lineage.columns.reader import EstateFile

    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / ESTATE
        while True:

            def work() -> Any:
                program = seven()
                write_estate_file(read_tables(folder), path, program)
                return SetEvaluator(program, EstateFile.open(path)).evaluate(AT)

            yield work, ours.findings


def _loading(module: str) -> Callable[[Path], Iterator[Round]]:
    """Return rounds that load the tables as well."""

    def rounds(folder: Path) -> Iterator[Round]:
        import importlib

        load = importlib.import_module(f"benchmarks.contenders.{module}").load
        while True:
            yield lambda: load(folder)(), lambda found: found

    return rounds


def _from_estate_file(folder: Path) -> Iterator[Round]:
    from benchmarks.contenders import ours
    from benchmarks.generator import ESTATE
    from benchmarks.rules import AT, seven
    from policy_engine.evaluation.sets.evaluator import SetEvaluator
    from policy_engine.lineage.columns.reader import EstateFile

    while True:

        def work() -> Any:
            results = SetEvaluator(seven(), EstateFile.open(folder / ESTATE)).evaluate(AT)
            list(results.findings())
            return results

        yield work, ours.findings


def _make(folder: Path, rounds: int) -> dict[str, Any]:
    """Make an estate of the size that its folder is named after, whole or not at all; tell how large it is."""
    from benchmarks import files, generator, rules

    path = folder / generator.ESTATE
    if not path.exists():
        shutil.rmtree(folder, ignore_errors=True)
        estate = generator.generate(int(folder.name))
        files.write_tables(estate, folder)
        files.write_estate_file(estate, path, rules.seven())
    from policy_engine.lineage.columns.reader import EstateFile

    with EstateFile.open(path) as file:
        # Models in production to ask the gate about, spread over the estate.
        stage = file.dictionary("attribute.stage")
        running = [
            number
            for number in range(file.nodes)
            if file.kind(number) == "model" and file.value("attribute.stage", number) == "production"
        ]
        assert len(stage)  # noqa: S101 - every thing has a stage
        step = max(1, len(running) // rounds)
        return {
            "things": file.nodes, "edges": file.edges, "evidence": file.header["evidence"],
            "bytes": path.stat().st_size, "targets": [file.id(n) for n in running[::step][:rounds]],
        }  # fmt: skip


def _timed(works: Iterator[tuple[str, Work]], enough: int, seconds: float) -> dict[str, Any]:
    """Measure different pieces of work, each once, until there are enough or the time is over; and by their names."""
    walls: list[float] = []
    parts: dict[str, list[float]] = {}
    end = time.perf_counter() + seconds
    for name, work in works:
        begun = time.perf_counter()
        work()
        done = time.perf_counter()
        walls.append(done - begun)
        parts.setdefault(name, []).append(done - begun)
        if len(walls) == enough or done > end:
            break
    return {"wall": walls, "parts": {name: median(times) for name, times in parts.items()}}


def _decisions(folder: Path, rounds: int) -> dict[str, Any]:
    from benchmarks.contenders import asked

    return _timed(asked.statuses(folder), 2000 * rounds, 20)


def _proofs(folder: Path, rounds: int) -> dict[str, Any]:
    from benchmarks.contenders import asked

    return _timed(asked.proofs(folder), 200 * rounds, 20)


def _changes(folder: Path, rounds: int) -> dict[str, Any]:
    from benchmarks.contenders import asked

    return _timed(asked.changes(folder), 100 * rounds, 20)


SAMPLED: dict[str, Callable[[Path, int], dict[str, Any]]] = {
    "make": _make,
    "decision": _decisions,
    "proof": _proofs,
    "change": _changes,
}
ROUNDS: dict[str, Callable[[Path], Iterator[Round]]] = {
    "native": _ours("first", "native"),
    "native-again": _ours("again", "native"),
    "native-many": _ours("large_pack", "native"),
    "native-many-plain": _ours("large_pack_of_one_count", "native"),
    "numpy": _ours("first", "numpy"),
    "c": _peer("c_sweep"),
    "duckdb": _peer("duckdb_sql"),
    "duckdb-one": _peer("duckdb_sql", "one_rule"),
    "rustworkx": _peer("rustworkx_graph"),
    "python": _peer("plain_python"),
    "pyshacl": _peer("shacl"),
    "file": _from_estate_file,
    "tables": _from_tables,
    "tables-c": _loading("c_sweep"),
    "tables-duckdb": _loading("duckdb_sql"),
}


if __name__ == "__main__":
    job, place, count = sys.argv[1:]
    print(json.dumps(run(job, Path(place), int(count))))
