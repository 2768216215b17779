"""What the set evaluator finds: a status for every rule and everything that it is about."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import numpy as np

from policy_engine.evaluation.sets.codes import SetEvaluationError
from policy_engine.evaluation.sets.estate import Array
from policy_engine.lineage.columns.reader import EstateFile
from policy_engine.model.results import Status

STATUSES: Final = (Status.PASS, Status.FAIL, Status.UNKNOWN, Status.NOT_APPLICABLE)
"""Statuses by the number that stands for them in columns; waivers act after evaluation."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that a thing does not surely meet."""

    rule: str
    subject: str
    status: Status


@dataclass(frozen=True, slots=True)
class RuleResults:
    """What one rule says: numbers of nodes, ascending, and the status of each as a number."""

    rule: str
    subjects: Array
    statuses: Array

    @property
    def counts(self) -> Mapping[Status, int]:
        """How many subjects have each status."""
        numbers = np.bincount(self.statuses, minlength=len(STATUSES)).tolist()
        return dict(zip(STATUSES, numbers, strict=True))

    def open(self) -> Array:
        """Return where failures and unknown results are."""
        return np.flatnonzero((self.statuses == 1) | (self.statuses == 2))


@dataclass(frozen=True, slots=True)
class Left:
    """Something that a rule left to the point evaluator: why, and for how many combinations of things."""

    rule: str
    reason: str
    asked: int


@dataclass(frozen=True, slots=True)
class SetResults:
    """All results of one instant, by rule in the order of the program."""

    at: datetime
    rules: Mapping[str, RuleResults]
    left: tuple[Left, ...]
    seconds: Mapping[str, float]
    """How long each rule took; the first that asks for a pass over the edges pays for all that share it."""
    _file: EstateFile = field(repr=False)
    _views: dict[str, tuple[memoryview, memoryview]] = field(default_factory=dict, init=False, repr=False)

    def status(self, rule: str, subject: str) -> Status:
        """Return the status of a rule for one thing.

        Raises:
            SetEvaluationError: PE3503, there is no such rule, or it is not about this thing.
        """
        views = self._views.get(rule)
        if views is None:
            views = self._view(rule)
        number = self._file.find(subject)
        if number is not None:
            subjects, statuses = views
            place = bisect_left(subjects, number)
            if place < len(subjects) and subjects[place] == number:
                return STATUSES[statuses[place]]
        raise SetEvaluationError("PE3503", f"the rule `{rule}` is not about `{subject}`")

    def find(self, rule: str, subject: str) -> Status | None:
        """Return the status of a rule for one thing, if there is such a rule and it is about this thing."""
        try:
            return self.status(rule, subject)
        except SetEvaluationError:
            return None

    def subjects(self, rule: str, status: Status) -> Iterator[str]:
        """Yield what a rule has a status for, by id, each read when it is asked for."""
        found = self.rules[rule]
        numbers = found.subjects[found.statuses == STATUSES.index(status)]
        ranks = np.asarray(self._file.section("ids.rank"))[numbers]
        for number in numbers[np.argsort(ranks)]:
            yield self._file.id(int(number))

    def findings(self) -> Iterator[Finding]:
        """Yield failures and unknown results, by rule, then by id."""
        for name, found in self.rules.items():
            places = found.open()
            pairs = [(self._file.id(int(found.subjects[at])), STATUSES[found.statuses[at]]) for at in places.tolist()]
            yield from (Finding(name, subject, status) for subject, status in sorted(pairs))

    @property
    def counts(self) -> Mapping[Status, int]:
        """How many results have each status."""
        total: Counter[Status] = Counter()
        for found in self.rules.values():
            total.update(found.counts)
        return {status: total[status] for status in STATUSES}

    def _view(self, rule: str) -> tuple[memoryview, memoryview]:
        found = self.rules.get(rule)
        if found is None:
            raise SetEvaluationError("PE3503", f"there is no rule `{rule}`")
        # Items of a view are found several times as fast as items of an array.
        self._views[rule] = found.subjects.data, found.statuses.data
        return self._views[rule]


Clock = Callable[[], float]
"""Tells seconds, from any start."""
