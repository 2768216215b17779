"""Single questions to an estate that is open already: decisions, decisions with proof, and changed facts."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.generator import ESTATE
from benchmarks.rules import AT, seven
from policy_engine.evaluation.point.evaluate import PointEvaluator
from policy_engine.evaluation.sets.evaluator import SetEvaluator, chosen_kernel
from policy_engine.evaluation.sets.live import LiveWords
from policy_engine.evaluation.world import View
from policy_engine.lineage.columns.reader import EstateFile, MappedEvidence, MappedSnapshot


def statuses(folder: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield questions for the status of a rule for a thing, from words that are there."""
    with EstateFile.open(folder / ESTATE) as file:
        results = SetEvaluator(seven(), file).evaluate(AT)
        for rule in results.rules:
            results.status(rule, file.id(int(results.rules[rule].subjects[0])))
        for rule, subject in _pairs(file):
            yield rule.rpartition(".")[2], partial(results.status, rule, subject)


def proofs(folder: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield questions for a result with its proof, each about another thing."""
    with EstateFile.open(folder / ESTATE) as file:
        program = seven()
        point = PointEvaluator(View(program, MappedSnapshot(file), MappedEvidence(file)))
        for rule, subject in _pairs(file):
            yield rule.rpartition(".")[2], partial(point.evaluate, program.rules[rule], subject, AT)


def changes(folder: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield changes of one fact: a dataset that turns out to contain personal data, or not to."""
    with EstateFile.open(folder / ESTATE) as file:
        live = LiveWords(seven(), file, AT, chosen_kernel("auto"))
        random = np.random.default_rng(2)
        datasets = live.estate.domain(frozenset(["dataset"]))
        for number in random.permutation(datasets).tolist():
            personal = file.value("attribute.contains_pii", number) is True
            yield "contains_pii", partial(live.change, file.id(number), "contains_pii", not personal)


def _pairs(file: EstateFile) -> Iterator[tuple[str, str]]:
    """Yield rules by turns, each with one of the things that it is about."""
    random = np.random.default_rng(3)
    subjects = [
        (name, np.array([n for n in range(file.nodes) if file.kind(n) == rule.subject.type.kind]))  # type: ignore[union-attr]
        for name, rule in seven().rules.items()
    ]
    while True:
        for name, numbers in subjects:
            yield name, file.id(int(random.choice(numbers)))
