"""The point evaluator, told to say until when a whole proof stays as it is.

``valid_until`` is when the status changes; a proof may change before: a condition that passes for two reasons goes on
passing when one of them ends, and then rests on the other alone.
"""

from datetime import datetime

from policy_dsl.typed import tree
from policy_engine.evaluation.instants import earlier
from policy_engine.evaluation.point.compile import Compiler
from policy_engine.evaluation.point.evaluate import PointEvaluator
from policy_engine.evaluation.point.run import Run, Tracer
from policy_engine.evaluation.trace import Trace
from policy_engine.evaluation.verdicts import Decision, decide
from policy_engine.evaluation.world import View


class _TurnCompiler(Compiler):
    """Compiles tracers that note, as values do, when an ordering that moves with the instant turns."""

    def traced_operation(self, expression: tree.Operation, left: Tracer, right: Tracer) -> Tracer:
        traced = super().traced_operation(expression, left, right)
        if not expression.timed:
            return traced
        value = self.value(expression)

        def noted(run: Run) -> Trace:
            value(run)
            return traced(run)

        return noted


class TurnEvaluator(PointEvaluator):
    """Decides as the point evaluator does, and notes in ``turn`` when anything of the last result may change."""

    def __init__(self, world: View) -> None:
        super().__init__(world)
        self._compiler = _TurnCompiler(world.program)
        self.turn: datetime | None = None

    def decide(self, rule: tree.Rule, subject: str, at: datetime) -> Decision:
        """Return the decision with its grounds, and note when either may change with time alone."""
        self.turn = None
        for edge in (rule.start, rule.end):
            self.turn = earlier(self.turn, edge if edge is not None and edge > at else None)

        def trace(expression: tree.Expression, when: datetime) -> tuple[Trace, datetime | None]:
            compiled = self._compile(expression)
            run = self._run(rule, subject, when)
            value = compiled.value(run)
            if when is not at:
                return Trace(value), run.horizon
            traced = self._run(rule, subject, when)
            grounds = compiled.trace(traced)
            self.turn = earlier(self.turn, earlier(run.horizon, traced.horizon))
            return grounds, run.horizon

        self._lineage.forget()
        return decide(rule, at, trace)
