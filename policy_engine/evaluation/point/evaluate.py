"""The point evaluator: one rule, one subject, visiting only what the answer needs."""

from collections.abc import Iterator
from datetime import datetime

from policy_dsl.records import dataclass
from policy_dsl.typed import tree
from policy_engine.evaluation.messages import is_complete, render
from policy_engine.evaluation.point.compile import Compiler
from policy_engine.evaluation.point.lineage import Lineage
from policy_engine.evaluation.point.run import Memory, Run, Tracer, Value
from policy_engine.evaluation.trace import Trace
from policy_engine.evaluation.verdicts import Decision, decide, decide_at
from policy_engine.evaluation.world import View
from policy_engine.model.results import Result, Status


@dataclass(frozen=True, slots=True)
class _Compiled:
    value: Value
    trace: Tracer


MOST_REMEMBERED = 50_000
"""How much is remembered from rule to rule: steps of walks, or of one instant results with all that grounds hold."""

MOST_INSTANTS = 16
"""Of how many instants results of definitions are remembered: rules and evidence turn on few days."""


class PointEvaluator:
    """Evaluates the rules of a program over one snapshot and one set of evidence."""

    def __init__(self, world: View) -> None:
        self.world = world
        self._compiler = Compiler(world.program)
        self._lineage = Lineage(world.snapshot, world.program.schema)
        self._expressions: dict[int, _Compiled] = {}
        # Nothing while rules are evaluated one by one.
        self._memories: dict[datetime, Memory] | None = None

    def elsewhere(self, world: View) -> "PointEvaluator":
        """Return an evaluator of the same program in another world, for which nothing is compiled again."""
        other = PointEvaluator(world)
        other._compiler, other._expressions = self._compiler, self._expressions
        return other

    def evaluate_all(self, at: datetime) -> Iterator[Result]:
        """Yield the result of every rule for every thing it is about, by rule, then by subject."""
        self._memories = {}
        try:
            for rule in self.world.program.rules.values():
                for subject in self.world.subjects(rule):
                    yield self.evaluate(rule, subject, at)
        finally:
            self._memories = None

    def evaluate(self, rule: tree.Rule, subject: str, at: datetime) -> Result:
        """Return what a rule says about a subject at an instant, with its proof."""
        return self._result(rule, subject, self.decide(rule, subject, at))

    def decide(self, rule: tree.Rule, subject: str, at: datetime) -> Decision:
        """Return the decision with its grounds; later instants are looked at for their status alone."""

        def trace(expression: tree.Expression, when: datetime) -> tuple[Trace, datetime | None]:
            compiled = self._compile(expression)
            run = self._run(rule, subject, when)
            value = compiled.value(run)
            if when is not at:
                return Trace(value), run.horizon
            traced = self._run(rule, subject, when, tracking=False)
            return compiled.trace(traced), run.horizon

        self._forget()
        return decide(rule, at, trace)

    def status(self, rule: tree.Rule, subject: str, at: datetime) -> Status:
        """Return the status alone, with neither its grounds nor how long it holds."""

        def found(expression: tree.Expression, when: datetime) -> tuple[Trace, None]:
            run = self._run(rule, subject, when, tracking=False)
            return Trace(self._compile(expression).value(run)), None

        self._forget()
        return decide_at(rule, at, found)[0].status

    def _forget(self) -> None:
        """Drop walks from other subjects: at once, or in a run over everything when there are too many."""
        if self._memories is None or self._lineage.size > MOST_REMEMBERED:
            self._lineage.forget()

    def _memory(self, at: datetime) -> Memory | None:
        """Return what is remembered of an instant, where anything is; too much of it is dropped first."""
        if self._memories is None:
            return None
        found = self._memories.get(at)
        if found is None or found.size > MOST_REMEMBERED:
            if len(self._memories) >= MOST_INSTANTS:
                self._memories.clear()
            found = self._memories[at] = Memory()
        return found

    def _run(self, rule: tree.Rule, subject: str, at: datetime, *, tracking: bool = True) -> Run:
        run = Run(self.world, self._lineage, rule.slots, at, tracking=tracking, memory=self._memory(at))
        run.slots[rule.subject.slot] = subject
        return run

    def _compile(self, expression: tree.Expression) -> _Compiled:
        # Keyed by identity: the program keeps every expression alive.
        found = self._expressions.get(id(expression))
        if found is None:
            found = _Compiled(self._compiler.value(expression), self._compiler.trace(expression))
            self._expressions[id(expression)] = found
        return found

    def _result(self, rule: tree.Rule, subject: str, decision: Decision) -> Result:
        grounds = decision.grounds
        bindings = {**dict(grounds.bindings), rule.subject.slot: subject}
        open_result = decision.status in {Status.FAIL, Status.UNKNOWN}
        # What is unknown may rest on something else than what the remedy speaks of; then it is no help.
        helps = decision.status is Status.FAIL or (open_result and is_complete(rule.remedy, bindings))
        return Result(
            rule=rule.name,
            subject=subject,
            status=decision.status,
            reason=decision.reason,
            message=render(rule.otherwise, bindings, self.world) if decision.status is Status.FAIL else "",
            remedy=render(rule.remedy, bindings, self.world) if helps else "",
            witnesses=grounds.witnesses if open_result else (),
            facts=tuple(sorted(grounds.facts)),
            missing=tuple(sorted(grounds.missing)) if decision.status is Status.UNKNOWN else (),
            evidence=tuple(sorted(grounds.evidence)),
            valid_until=decision.valid_until,
        )
