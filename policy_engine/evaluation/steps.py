"""The steps that a remedy may take, what each costs, and how it is said.

| step | cost | what it is |
|---|---|---|
| state | 1 | a fact that is missing or contradicted is stated, if it is true |
| obtain | 5 | evidence is obtained, from those who may sign it |
| alter | 20 | an attribute of a thing becomes another, in the world first and then in the inventory |
| rewire | 50 | a thing is connected, brought in, or no longer used |

The costs order remedies and mean nothing else: five missing facts are as dear as one piece of evidence. A step changes
the world, never the words about it: what is not so cannot be stated.

>>> cost([Step(StepKind.STATE, (), "state it"), Step(StepKind.OBTAIN, (), "obtain it")])
6
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from policy_dsl.values import Value
from policy_engine.evaluation.supposition import Change, SetFact


class StepKind(StrEnum):
    """The kinds of steps, the cheapest first."""

    STATE = "state"
    OBTAIN = "obtain"
    ALTER = "alter"
    REWIRE = "rewire"


COSTS = {StepKind.STATE: 1, StepKind.OBTAIN: 5, StepKind.ALTER: 20, StepKind.REWIRE: 50}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: the changes that it stands for, and what is said about it.

    ``rank`` puts equally dear steps in order: the lower is the more natural. ``example`` marks a value that stands for
    many others.
    """

    kind: StepKind
    changes: tuple[Change, ...]
    text: str
    node: str = ""
    roles: tuple[str, ...] = field(default=(), compare=False)
    rank: int = field(default=0, compare=False)
    example: bool = field(default=False, compare=False)

    def __hash__(self) -> int:
        return hash(self.text)


Fix = frozenset[Step]
NOTHING: Fix = frozenset()


class Allowance:
    """How much may still be done."""

    def __init__(self, left: int) -> None:
        self.left = left

    def spend(self, much: int = 1) -> bool:
        """Take some; tell whether there was as much."""
        self.left -= much
        return self.left >= 0

    @property
    def exceeded(self) -> bool:
        """Tell whether more was wanted than there was."""
        return self.left < 0


def cost(steps: Iterable[Step]) -> int:
    """Return what steps cost together."""
    return sum(COSTS[step.kind] for step in steps)


def order(fix: Fix) -> tuple[int, int, int, tuple[str, ...]]:
    """Return what fixes are sorted by: cost, number of steps, how natural they are, and then their words."""
    return (cost(fix), len(fix), sum(step.rank for step in fix), tuple(sorted(step.text for step in fix)))


def listed(fix: Fix) -> tuple[Step, ...]:
    """Return the steps of a fix in the order in which they are shown: the cheapest first."""
    return tuple(sorted(fix, key=lambda step: (COSTS[step.kind], step.node, step.text)))


def contradictory(fix: Fix) -> bool:
    """Tell whether two steps give one attribute different values."""
    values: dict[tuple[str, str], Value | None] = {}
    for change in (c for step in fix for c in step.changes):
        if isinstance(change, SetFact):
            key = (change.node, change.attribute)
            if values.setdefault(key, change.value) != change.value:
                return True
    return False
