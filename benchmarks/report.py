"""The tables that are printed, and the verdict against the targets."""

from collections.abc import Iterable
from statistics import median, quantiles
from typing import Any, Final

LARGEST: Final = 1_000_000

Row = dict[str, Any]
"""One engine at one size: its table, its name, `wall`, `cpu`, `peak_mb` and so on."""


def middle(row: Row, what: str = "wall") -> float:
    """Return the median of a row."""
    return float(median(row[what]))


def late(row: Row) -> float:
    """Return the 99th percentile of a row."""
    walls = row["wall"]
    return float(quantiles(walls, n=100, method="inclusive")[98]) if len(walls) > 1 else float(walls[0])


def shown(seconds: float) -> str:
    """Return a time in the unit that suits it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}" if seconds / size < 1000 else f"{seconds / size:.0f} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def tables(rows: Iterable[Row]) -> str:
    """Return a table for each kind of work: engines below each other, sizes beside each other."""
    listed = list(rows)
    out: list[str] = []
    for table in dict.fromkeys(row["table"] for row in listed):
        found = [row for row in listed if row["table"] == table]
        sizes = sorted({row["size"] for row in found})
        out += ["", table, "".join(["engine".ljust(40), *(f"{size:,} things".rjust(34) for size in sizes)])]
        for engine in dict.fromkeys(row["engine"] for row in found):
            cells = {row["size"]: row for row in found if row["engine"] == engine}
            out.append(engine.ljust(40) + "".join(_cell(cells.get(size), found).rjust(34) for size in sizes))
    return "\n".join(out)


def _cell(row: Row | None, found: list[Row]) -> str:
    if row is None:
        return "–"
    if "refused" in row:
        return str(row["refused"])[:32]
    if row["kind"] == "sampled":
        return f"p50 {shown(middle(row))}  p99 {shown(late(row))}"
    first = next(r for r in found if r["size"] == row["size"])
    # What is a process of its own is told by its processor time, which others on the machine disturb least.
    what = "cpu" if row["kind"] == "process" else "wall"
    ratio = f"{middle(row, what) / middle(first, what):.2f}×" if "refused" not in first else ""
    cost = f"cpu {shown(middle(row, 'cpu'))}"
    extra = f"{max(row['peak_mb']):.0f} MB" if row["kind"] == "process" else shown(middle(row))
    return f"{extra}  {cost}  {ratio:>7}"


def targets(rows: Iterable[Row]) -> str:
    """Return each target with what was measured at the largest size, and whether it is met."""
    listed = [row for row in rows if "refused" not in row]
    if not listed:
        return ""
    size = max(row["size"] for row in listed)
    at = {row["job"]: row for row in listed if row["size"] == size}
    smaller = {row["job"]: row for row in listed if row["size"] == size // 10}
    lines: list[str] = []

    def judge(what: str, measured: float, target: float, text: str) -> None:
        lines.append(f"{'met    ' if measured <= target else 'NOT MET'}  {what}: {text}")

    def time(job: str, what: str, target: float, of: str = "cpu") -> None:
        if job in at:
            found = middle(at[job], of)
            wall = f" (wall {shown(middle(at[job]))})" if of == "cpu" else ""
            judge(what, found, target, f"{of} {shown(found)}{wall}, target {shown(target)}")

    time("native", "whole estate, native kernel, first evaluation", 0.20)
    time("native-again", "whole estate, native kernel, further evaluation", 0.20)
    time("numpy", "whole estate, numpy kernel", 0.5)
    if "native" in at and "duckdb" in at:
        ratio = middle(at["duckdb"]) / middle(at["native"])
        judge("DuckDB's time over ours", 13 / ratio, 1, f"{ratio:.1f}×, target 13×")
    for job, what in (("native-many", "28 of them counts"), ("native-many-plain", "one of them a count")):
        if "native" in at and job in at:
            ratio = middle(at[job], "cpu") / middle(at["native"], "cpu")
            judge(f"200 rules, {what}, over seven", ratio, 3, f"{ratio:.1f}×, target 3×")
    for job, what in (("file", "estate file to findings"), ("tables", "tables to findings")):
        time(job, f"{what}, whole process", 1.0)
        if job in at:
            peak = max(at[job]["peak_mb"])
            judge(f"{what}, peak memory", peak, 500, f"{peak:.0f} MB, target 500 MB")
    time("gate", "cold gate, whole process", 0.05)
    for job, what, middle_target, late_target in (
        ("decision", "decision from words", 5e-6, float("inf")),
        ("proof", "decision with proof", float("inf"), 1e-3),
        ("change", "one changed fact", 200e-6, 2e-3),
    ):
        if job in at:
            p50, p99 = middle(at[job]), late(at[job])
            bounds = [f"{n} {shown(t)}" for n, t in (("p50", middle_target), ("p99", late_target)) if t != float("inf")]
            text = f"p50 {shown(p50)}, p99 {shown(p99)}; target {', '.join(bounds)}"
            judge(what, max(p50 / middle_target, p99 / late_target), 1, text)
    if "native" in at and "native" in smaller:
        ratio = middle(at["native"], "cpu") / middle(smaller["native"], "cpu")
        judge("ten times the estate", ratio, 12, f"{ratio:.1f}× the time, linear is 10×")
    for job, what in (("native", "kernel in C"), ("numpy", "kernel in numpy"), ("proof", "with proof, median")):
        if at.get(job, {}).get("parts"):
            lines.append(f"by rule, {what}: {_parts(at[job]['parts'])}")
    return "\n".join(["", f"against the targets for {LARGEST:,} things, at {size:,}", *lines])


def _parts(parts: dict[str, float]) -> str:
    """Return what took longest first; the first rule over lineage pays for the pass that all share."""
    slowest = sorted(parts.items(), key=lambda part: -part[1])
    return ", ".join(f"{rule} {shown(seconds)}" for rule, seconds in slowest)
