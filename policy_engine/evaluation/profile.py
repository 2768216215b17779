"""Where the time of a run went, by stage and by rule: plain rows, whichever evaluator they come from.

>>> rows = [RuleTime("a.b", 0.5, 10, 2), RuleTime("a.c", 1.5, 4, 0, "set")]
>>> [row.rule for row in Profile((StageTime("evaluating", 2.0),), tuple(rows)).slowest()]
['a.c', 'a.b']
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StageTime:
    """How many seconds a stage took."""

    stage: str
    seconds: float


@dataclass(frozen=True, slots=True)
class RuleTime:
    """How long a rule took, for how many subjects, and how many of them fail or are unknown.

    ``evaluator`` says which one decided it, ``note`` why when another was meant to.
    """

    rule: str
    seconds: float
    subjects: int
    findings: int
    evaluator: str = "point"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """The time of a run."""

    stages: tuple[StageTime, ...] = ()
    rules: tuple[RuleTime, ...] = ()

    def slowest(self) -> tuple[RuleTime, ...]:
        """Return the rules, those that took longest first."""
        return tuple(sorted(self.rules, key=lambda row: (-row.seconds, row.rule)))
