"""What will change with no one touching anything: every result is followed from one turning point to the next.

Rules:

- a result holds until its ``valid_until``, which is exact; so between two turning points nothing is looked at, and
  at one only the result that turns is decided again;
- waivers are applied at each turning point as in any run;
- what is forecast is the status: a failure that stays a failure for another reason is no change;
- two changes at one instant are in the order of rule and subject.

A forecast equals evaluating at every instant of its period; it says nothing of what people will do in it.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from policy_engine.evaluation.causes import Cause, Circumstances, causes_of, roles_asked
from policy_engine.evaluation.point.evaluate import PointEvaluator
from policy_engine.evaluation.waivers import apply_waivers
from policy_engine.evaluation.world import World
from policy_engine.model.evidence import Waiver
from policy_engine.model.results import Result, Status, Verdict, verdict_of

_GRAVITY = {Status.PASS: 0, Status.NOT_APPLICABLE: 0, Status.WAIVED: 1, Status.UNKNOWN: 2, Status.FAIL: 3}


def is_worse(before: Status, after: Status) -> bool:
    """Tell whether a status is worse than another: unknown is worse than waived, a failure is worst."""
    return _GRAVITY[after] > _GRAVITY[before]


@dataclass(frozen=True, slots=True)
class Turn:
    """A result that changes at an instant, why, and the roles that must sign what it lacks then."""

    at: datetime
    before: Result
    after: Result
    causes: tuple[Cause, ...]
    roles: tuple[str, ...]

    @property
    def is_worse(self) -> bool:
        """Whether the result is worse afterwards."""
        return is_worse(self.before.status, self.after.status)


@dataclass(frozen=True, slots=True)
class Standing:
    """What all results together say from an instant on."""

    since: datetime
    verdict: Verdict
    counts: tuple[tuple[Status, int], ...]


@dataclass(frozen=True, slots=True)
class Forecast:
    """The results at the beginning, and every change after it up to and including the end."""

    at: datetime
    until: datetime
    results: tuple[Result, ...]
    turns: tuple[Turn, ...]

    def standings(self) -> Iterator[Standing]:
        """Yield how all results together stand at the beginning, and after each instant at which something turns."""
        counts = Counter(result.status for result in self.results)
        yield _standing(self.at, counts)
        for at, turns in groupby(self.turns, key=lambda turn: turn.at):
            for turn in turns:
                counts[turn.before.status] -= 1
                counts[turn.after.status] += 1
            yield _standing(at, counts)

    @property
    def first_not_compliant(self) -> datetime | None:
        """The first instant in the period at which the verdict is not compliant, if there is one."""
        return next((s.since for s in self.standings() if s.verdict is Verdict.NOT_COMPLIANT), None)


def forecast(world: World, waivers: Sequence[Waiver], at: datetime, until: datetime) -> Forecast:
    """Return what changes after ``at``, up to and including ``until``, if no fact does."""
    evaluator = PointEvaluator(world)
    results, _ = apply_waivers(evaluator.evaluate_all(at), waivers, at)
    given = Circumstances.of(world, waivers)
    turns = (turn for result in results for turn in turns_of(given, evaluator, result, until))
    ordered = sorted(turns, key=lambda turn: (turn.at, turn.after.rule, turn.after.subject))
    return Forecast(at, until, tuple(results), tuple(ordered))


def turns_of(given: Circumstances, evaluator: PointEvaluator, result: Result, until: datetime) -> Iterator[Turn]:
    """Yield the changes of one result, in order of time; the evaluator is one over the same world."""
    rule = given.world.program.rules[result.rule]
    while result.valid_until is not None and result.valid_until <= until:
        at = result.valid_until
        after = given.waived(evaluator.evaluate(rule, result.subject, at), at)
        if after.status is not result.status:
            why = causes_of(given, result, after, at)
            yield Turn(at, result, after, why, roles_asked(given.world, after))
        result = after


def _standing(since: datetime, counts: Counter[Status]) -> Standing:
    present = {status for status in counts if counts[status]}
    return Standing(since, verdict_of(present), tuple((status, counts[status]) for status in Status))
