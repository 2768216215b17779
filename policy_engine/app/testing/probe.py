"""Asks the rules of one program about many scenes: each rule is compiled once, whatever the number of scenes.

A stage is a scene made ready, and serves every variant of a program: facts do not depend on rules. Most questions need
a status alone, which closures over values answer without proof.
"""

from dataclasses import dataclass
from datetime import datetime

from policy_dsl.typed import tree
from policy_engine.app.testing.scenes import Case, Scene
from policy_engine.evaluation.point.compile import Compiler
from policy_engine.evaluation.point.lineage import Lineage
from policy_engine.evaluation.point.run import Run
from policy_engine.evaluation.trace import Trace
from policy_engine.evaluation.verdicts import Decision, decide, decide_at
from policy_engine.evaluation.world import World
from policy_engine.model.results import Status


@dataclass(frozen=True, slots=True)
class Stage:
    """A scene as evaluators want it."""

    world: World
    lineage: Lineage

    @classmethod
    def of(cls, scene: Scene, program: tree.Program) -> "Stage":
        """Make a scene ready. Programs that differ in rules, definitions or parameters may share it."""
        world = scene.world(program)
        return cls(world, Lineage(world.snapshot, program.schema))


class Probe:
    """What the rules of a program say in scenes."""

    def __init__(self, program: tree.Program) -> None:
        self.program = program
        self._compiler = Compiler(program)

    def status(self, rule: tree.Rule, stage: Stage, subject: str, at: datetime) -> Status:
        """Return the status of a rule for a thing."""

        def value(expression: tree.Expression, when: datetime) -> tuple[Trace, datetime | None]:
            run = _run(rule, stage, subject, when, tracking=False)
            return Trace(self._compiler.value(expression)(run)), None

        decision, _ = decide_at(rule, at, value)
        return decision.status

    def next_change(self, rule: tree.Rule, stage: Stage, subject: str, at: datetime) -> datetime | None:
        """Return the first later instant at which the status is another."""

        def value(expression: tree.Expression, when: datetime) -> tuple[Trace, datetime | None]:
            run = _run(rule, stage, subject, when, tracking=True)
            return Trace(self._compiler.value(expression)(run)), run.horizon

        return decide(rule, at, value).valid_until

    def reasons(self, rule: tree.Rule, stage: Stage, subject: str, at: datetime) -> frozenset[str]:
        """Return the things that a result rests on: the ends of its paths, and those whose facts are missing."""

        def traced(expression: tree.Expression, when: datetime) -> tuple[Trace, datetime | None]:
            run = _run(rule, stage, subject, when, tracking=False)
            return self._compiler.trace(expression)(run), None

        decision, _ = decide_at(rule, at, traced)
        return named_in(decision)

    def meets(self, case: Case, stage: Stage) -> bool:
        """Tell whether an expectation is met."""
        expected = case.expected
        rule = self.program.rules[expected.rule]
        if expected.subject not in stage.world.subjects(rule):
            return False
        at = case.scene.at
        if self.status(rule, stage, expected.subject, at).value != expected.status:
            return False
        return not expected.because_of or self.reasons(rule, stage, expected.subject, at).issuperset(
            expected.because_of
        )


def named_in(decision: Decision) -> frozenset[str]:
    """Return the things that ``because of`` may name: only a failure and an open question have any."""
    named: set[str] = set()
    if decision.status in {Status.FAIL, Status.UNKNOWN}:
        named |= {w.hops[-1].node for w in decision.grounds.witnesses}
    if decision.status is Status.UNKNOWN:
        named |= {m.node for m in decision.grounds.missing}
    return frozenset(named)


def _run(rule: tree.Rule, stage: Stage, subject: str, at: datetime, *, tracking: bool) -> Run:
    run = Run(stage.world, stage.lineage, rule.slots, at, tracking=tracking)
    run.slots[rule.subject.slot] = subject
    return run
