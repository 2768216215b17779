import json
import subprocess
import sys
from pathlib import Path

import pytest

np = pytest.importorskip("numpy")
pytest.importorskip("pyarrow")

ROOT = Path(__file__).parents[2]


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)


@pytest.mark.slow
def test_every_engine_that_is_there_finds_the_same(tmp_path: Path) -> None:
    done = bench("--quick", "--sizes", "1k", "--rounds", "1", "--json", str(tmp_path / "found.json"))
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "found.json").read_text())["rows"]
    same = {
        row["job"]: row["digest"]
        for row in rows
        if row["job"] not in {"native-many", "native-many-plain", "duckdb-one"} and "digest" in row
    }
    assert len(set(same.values())) == 1
    assert {"numpy", "python", "tables"} <= same.keys()
    found = next(row["counts"] for row in rows if row["job"] == "numpy")
    assert found["r1"] > 0 and found["r4"] > 0 and found["r6b"] > 0
    refused = {row["job"]: row["refused"] for row in rows if "refused" in row}
    assert not refused.keys() - {
        "native",
        "native-again",
        "native-many",
        "native-many-plain",
        "c",
        "duckdb",
        "duckdb-one",
        "rustworkx",
    }
    for part in ("whole estate", "files to findings", "cold gate", "one question", "against the targets"):
        assert part in done.stdout


def test_an_engine_that_finds_something_else_fails_the_benchmark(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import __main__ as command
    from benchmarks.jobs import run

    folder = tmp_path / "1000"
    run("make", folder, 1)
    honest = run("python", folder, 1)
    # The tables lose an edge type that rules ask for; the estate file still has it.
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    edges = pq.read_table(folder / "edges.parquet")
    pq.write_table(edges.filter(pc.not_equal(edges["type"], "exposes")), folder / "edges.parquet")
    assert run("numpy", folder, 1)["digest"] == honest["digest"]
    assert run("python", folder, 1)["digest"] != honest["digest"]
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--sizes", "1k", "--data", str(tmp_path), "--rounds", "1"])
    monkeypatch.setattr(command, "JOBS", [job for job in command.JOBS if job.name in {"numpy", "python"}])
    assert command.main() == 1


@pytest.mark.parametrize("size", ["0", "7", "1k1", "-250"])
def test_a_size_that_is_none_is_refused(size: str) -> None:
    done = bench(f"--sizes={size}")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_the_same_size_gives_the_same_estate_without_circles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks.generator import KINDS, generate

    one, other = generate(2500), generate(2500)
    assert (one.source == other.source).all() and (one.kind == other.kind).all() and (one.until == other.until).all()
    assert 4 < len(one.source) / one.size < 5
    assert set(np.unique(one.kind)) == set(range(len(KINDS)))
    # What has no dependency left goes first; circles would be left over.
    waiting = np.bincount(one.source, minlength=one.size)
    ready, done = np.flatnonzero(waiting == 0), 0
    while len(ready):
        done += len(ready)
        freed = one.source[np.isin(one.target, ready)]
        waiting -= np.bincount(freed, minlength=one.size)
        ready = np.intersect1d(freed, np.flatnonzero(waiting == 0))
    assert done == one.size
