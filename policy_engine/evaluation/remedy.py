"""The cheapest set of steps after which a rule passes for a subject, each set proved by evaluating again.

Rules:

- a remedy ends in ``pass``; in ``not_applicable`` only when it states nothing but what was missing;
- every remedy was evaluated, in a world in which its steps are done, and passed;
- none can be shortened: up to ``ALL_SUBSETS`` steps every smaller set of them was evaluated and does not pass, above
  that no single one can be left out;
- they are found in order of cost among all that was looked at, and what is looked at has a limit;
- what one missing fact would do, were it stated, is tried for every fact that the proof says is missing;
- the instant does not move: a remedy says what would have to be so now.
"""

from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import heappop, heappush
from itertools import combinations

from policy_dsl.typed import tree
from policy_engine.evaluation.point.evaluate import PointEvaluator
from policy_engine.evaluation.proposals import Proposer
from policy_engine.evaluation.statements import statements
from policy_engine.evaluation.steps import NOTHING, Allowance, Fix, Step, StepKind, contradictory, cost, order
from policy_engine.evaluation.supposition import (
    AddEdge,
    AddEvidence,
    AddNode,
    Change,
    RemoveEdge,
    RemoveNode,
    SetFact,
    changed_world,
)
from policy_engine.evaluation.world import World
from policy_engine.model.results import Status

MOST_WORLDS = 100
"""How many hypothetical worlds are looked at before the search ends."""

MOST_PROPOSING = 20_000
"""How much may be done to find proposals: parts of expressions that are looked at, and guesses, see ``GUESS``."""

MOST_STATEMENTS = 1_000
"""How many single statements of missing facts are tried."""

MOST_REMEDIES = 3
"""How many remedies are enough for somebody to choose from."""

MOST_VALUES = 5
"""How many other values of one remedy are named."""

ALL_SUBSETS = 6
"""Up to how many steps every smaller set of them is evaluated too."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """Steps after which the rule has another status for the subject; ``likewise`` are the same with other values."""

    steps: Fix
    status: Status
    likewise: tuple[Fix, ...] = ()

    @property
    def cost(self) -> int:
        """What the steps cost together."""
        return cost(self.steps)


@dataclass(frozen=True, slots=True)
class Remedies:
    """What was found, the cheapest first, and whether the search ended at its limit."""

    found: tuple[Remedy, ...]
    worlds: int
    limited: bool


def remedies(world: World, rule: tree.Rule, subject: str, at: datetime) -> Remedies:
    """Return the cheapest ways in which a rule would pass for a subject."""
    search = _Search(world, rule, subject, at)
    found: dict[object, Remedy] = {}
    for remedy in search.run():
        first = found.setdefault(_skeleton(remedy.steps), remedy)
        if first is not remedy and not any(step.example for step in remedy.steps):
            found[_skeleton(remedy.steps)] = replace(first, likewise=(*first.likewise, remedy.steps)[:MOST_VALUES])
        if len(found) > MOST_REMEDIES:
            break
    ordered = sorted(found.values(), key=lambda remedy: order(remedy.steps))
    return Remedies(tuple(ordered[:MOST_REMEDIES]), search.worlds, search.limited)


def _skeleton(fix: Fix) -> frozenset[object]:
    """Return what steps are without the values that they name."""
    return frozenset(
        (change.node, change.attribute) if isinstance(change, SetFact) else change
        for step in fix
        for change in step.changes
    )


class _Search:
    def __init__(self, world: World, rule: tree.Rule, subject: str, at: datetime) -> None:
        self.world = world
        self.rule = rule
        self.subject = subject
        self.at = at
        self.evaluator = PointEvaluator(world)
        self.statuses: dict[Fix, Status | None] = {}
        self.worlds = 0
        self.cut_short = False
        self.proposing = Allowance(MOST_PROPOSING)
        self.statements = Allowance(MOST_STATEMENTS)

    @property
    def limited(self) -> bool:
        """Tell whether more would have been looked at, were there no limits."""
        return self.cut_short or self.proposing.exceeded or self.statements.exceeded

    def run(self) -> Iterator[Remedy]:
        """Yield remedies, the cheapest first."""
        seen = {NOTHING, *self.statable()}
        waiting = [(order(fix), number, fix) for number, fix in enumerate(sorted(seen, key=order))]
        found: list[Fix] = []
        while waiting:
            if self.worlds >= MOST_WORLDS:
                self.cut_short = True
                return
            _, _, fix = heappop(waiting)
            self.worlds += 1
            if any(known <= fix for known in found):
                continue
            if self.passes(fix):
                shortest = self.shortened(fix)
                if shortest not in found:
                    found.append(shortest)
                    yield Remedy(shortest, self.statuses[shortest] or Status.PASS)
                continue
            for way in Proposer(self.changed(fix), self.rule, self.subject, self.at, self.proposing).proposals():
                larger = fix | way
                if larger not in seen and not contradictory(larger):
                    seen.add(larger)
                    heappush(waiting, (order(larger), len(seen), larger))

    def statable(self) -> list[Fix]:
        """Return the missing facts that would suffice, each for itself."""
        missing = self.evaluator.evaluate(self.rule, self.subject, self.at).missing

        def works(step: Step) -> bool:
            return self.statements.spend() and self.passes(frozenset({step}))

        return [frozenset({step}) for step in statements(self.world, self.rule, missing, self.at, works)]

    def passes(self, fix: Fix) -> bool:
        """Tell whether the rule passes after the steps, or is known not to apply by what they state."""
        if fix not in self.statuses:
            status = self.evaluator.elsewhere(self.changed(fix)).status(self.rule, self.subject, self.at)
            stated = all(step.kind is StepKind.STATE for step in fix)
            good = status is Status.PASS or (stated and status is Status.NOT_APPLICABLE)
            self.statuses[fix] = status if good else None
        return self.statuses[fix] is not None

    def shortened(self, fix: Fix) -> Fix:
        """Return a part of a passing set of steps, of which no part passes."""
        steps = sorted(fix, key=lambda step: step.text)
        if len(steps) <= ALL_SUBSETS:
            parts = (frozenset(part) for size in range(len(steps)) for part in combinations(steps, size))
            passing = [part for part in parts if whole(part, self.world.snapshot.nodes) and self.passes(part)]
            smallest = min((len(part) for part in passing), default=len(steps))
            return min((part for part in passing if len(part) == smallest), key=order, default=fix)
        for step in steps:
            shorter = fix - {step}
            if whole(shorter, self.world.snapshot.nodes) and self.passes(shorter):
                return self.shortened(shorter)
        return fix

    def changed(self, fix: Fix) -> World:
        """Return the world in which the steps are done."""
        return changed_world(self.world, done(fix))


def done(fix: Fix) -> list[Change]:
    """Return the changes that steps stand for, in an order in which they can be made."""
    changes = {change for step in fix for change in step.changes}
    return sorted(changes, key=lambda change: (_TURN[type(change)], repr(change)))


_TURN = {AddNode: 0, AddEdge: 1, RemoveEdge: 2, SetFact: 3, AddEvidence: 4}


def whole(part: Fix, things: Container[str]) -> bool:
    """Tell whether steps speak only of things that exist or that they bring in themselves."""
    changes = [change for step in part for change in step.changes]
    brought = {change.node for change in changes if isinstance(change, AddNode)}
    return all(node in brought or node in things for change in changes for node in _named(change))


def _named(change: Change) -> tuple[str, ...]:
    match change:
        case AddEdge(_, source, target) | RemoveEdge(_, source, target):
            return (source, target)
        case AddEvidence(record):
            return (record.subject,)
        case AddNode(node) | RemoveNode(node) | SetFact(node):
            return (node,)
