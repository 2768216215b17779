"""The set evaluator, on an estate file."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Literal

from benchmarks.findings import R2_UNKNOWN, Findings
from benchmarks.generator import ESTATE
from benchmarks.rules import AT, many, seven
from policy_dsl.typed.tree import Program
from policy_engine.evaluation.sets.evaluator import SetEvaluator
from policy_engine.evaluation.sets.results import SetResults
from policy_engine.lineage.columns.reader import EstateFile
from policy_engine.model.results import Status


def first(folder: Path, kernel: Literal["native", "numpy"]) -> Iterator[Callable[[], SetResults]]:
    """Yield the first evaluation on a file that has just been opened and checked, again and again."""
    for evaluator in _ready(folder, kernel, seven()):
        yield partial(evaluator.evaluate, AT, perf_counter)


def large_pack(folder: Path, kernel: Literal["native", "numpy"]) -> Iterator[Callable[[], SetResults]]:
    """Yield the first evaluation of two hundred rules."""
    for evaluator in _ready(folder, kernel, many()):
        yield partial(evaluator.evaluate, AT, perf_counter)


def large_pack_of_one_count(folder: Path, kernel: Literal["native", "numpy"]) -> Iterator[Callable[[], SetResults]]:
    """Yield the first evaluation of two hundred rules of which one counts distinct things."""
    for evaluator in _ready(folder, kernel, many(counts=False)):
        yield partial(evaluator.evaluate, AT, perf_counter)


def again(folder: Path, kernel: Literal["native", "numpy"]) -> Iterator[Callable[[], SetResults]]:
    """Yield a further evaluation by the same evaluator."""
    with EstateFile.open(folder / ESTATE) as file:
        evaluator = SetEvaluator(seven(), file, kernel)
        evaluator.evaluate(AT)
        while True:
            yield partial(evaluator.evaluate, AT, perf_counter)


def _ready(folder: Path, kernel: Literal["native", "numpy"], program: Program) -> Iterator[SetEvaluator]:
    while True:
        with EstateFile.open(folder / ESTATE) as file:
            yield SetEvaluator(program, file, kernel)


def findings(results: SetResults) -> Findings:
    """Return what was found by the numbers that the generator gave."""
    found: dict[str, list[int]] = {rule.rpartition(".")[2]: [] for rule in results.rules} | {R2_UNKNOWN: []}
    for one in results.findings():
        rule = one.rule.rpartition(".")[2]
        name = rule if one.status is Status.FAIL else f"{rule} {one.status.value}"
        found.setdefault(name, []).append(int(one.subject.rpartition("-")[2]))
    return dict(found)
