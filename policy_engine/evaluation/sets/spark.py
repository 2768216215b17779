r"""The set evaluator beyond one machine: the same plan over tables, through Spark.

Rules:

- statuses are those of the other evaluators, for every rule and everything that it is about;
- a rule of which a part is not decided on Spark is decided by the point evaluator on the driver if the estate is
  small, and said to be; otherwise the run is refused: no rule is ever left out;
- the session is the caller's, and so are its settings; executors need no Python.

```python
tables = EstateTables.open(session, "s3a://estate/2026-06")
results = SparkEvaluator(program, tables).evaluate(at)
results.frame.where("status in ('fail', 'unknown')").write.parquet("s3a://findings/2026-06")
```
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 - its name everywhere

from policy_dsl.typed.tree import Program
from policy_engine.evaluation.point.evaluate import PointEvaluator
from policy_engine.evaluation.sets import plan
from policy_engine.evaluation.sets.planning import plan_of
from policy_engine.evaluation.sets.results import Left
from policy_engine.evaluation.sets.rows import FALSE, MAYBE, TRUE
from policy_engine.evaluation.sets.spark_codes import NotOnSparkError, SparkEvaluationError
from policy_engine.evaluation.sets.spark_evaluation import SparkEvaluation
from policy_engine.evaluation.sets.spark_points import SparkPoints
from policy_engine.evaluation.sets.spark_tables import EstateTables
from policy_engine.evaluation.world import World
from policy_engine.model.results import Status

DRIVER_LIMIT = 50_000
"""Nodes of an estate that the driver may hold for the point evaluator."""


@dataclass(frozen=True, slots=True)
class SparkResults:
    """All results of one instant: a frame of ``rule``, ``subject`` (an id) and ``status``, and what was left."""

    at: datetime
    frame: DataFrame
    left: tuple[Left, ...]


class SparkEvaluator:
    """Evaluates a program over the tables of an estate, at any instants.

    ``reliable`` keeps what rounds come to in the checkpoint directory of the session, which outlives an executor;
    otherwise it is kept on the executors, which is faster, and a run fails with one of them.
    """

    def __init__(
        self, program: Program, tables: EstateTables, *, driver_limit: int = DRIVER_LIMIT, reliable: bool = False
    ) -> None:
        self.program = program
        self.tables = tables
        self.plan = plan_of(program)
        self._driver_limit = driver_limit
        self._reliable = reliable

    def evaluate(self, at: datetime) -> SparkResults:
        """Return the status of every rule for everything it is about, at an instant.

        Raises:
            SparkEvaluationError: PE3551, a rule is not decided on Spark and the estate is too large for the driver;
                PE3554, a value in the tables is none.
        """
        plans = [one for one in self.plan.rules.values() if _is_in_force(one, at)]
        evaluation = SparkEvaluation(self.tables, SparkPoints(self.program, at), plans, self._settle)
        columns: list[tuple[plan.RulePlan, Column]] = []
        left: dict[str, str] = {}
        for one in self.plan.rules.values():
            try:
                status = _status(one, evaluation) if one in plans else F.lit(Status.NOT_APPLICABLE.value)
                columns.append((one, status))
            except NotOnSparkError as why:
                left[one.rule.name] = str(why)
        frame = self._results(columns, evaluation)
        rows = self._on_driver(left, at)
        if rows:
            frame = frame.union(evaluation.frame_of(_table(rows)))
        asked = {name: sum(rule == name for rule, _, _ in rows) for name in left}
        return SparkResults(at, frame, tuple(Left(name, reason, asked[name]) for name, reason in left.items()))

    def _results(self, columns: Sequence[tuple[plan.RulePlan, Column]], evaluation: SparkEvaluation) -> DataFrame:
        entries = [
            F.when(
                evaluation.of_kinds(one.subject.kinds),
                F.struct(F.lit(one.rule.name).alias("rule"), status.alias("status")),
            )
            for one, status in columns
        ]
        nodes = evaluation.nodes
        if not entries:
            return evaluation.frame_of(_table([]))
        found = nodes.select("number", F.explode(F.array(*entries)).alias("one")).where("one is not null")
        ids = self.tables.nodes.select("number", F.col("id").alias("subject"))
        results = found.join(ids, "number").select("one.rule", "subject", "one.status")
        # The caller looks at results as often as he likes; what they came from is not looked at again.
        settled = self._settle(results)
        settled.count()
        evaluation.release()
        return settled

    def _on_driver(self, left: dict[str, str], at: datetime) -> list[tuple[str, str, str]]:
        if not left:
            return []
        if self.tables.size > self._driver_limit:
            name, reason = next(iter(left.items()))
            others = "" if len(left) == 1 else f", and so do {len(left) - 1} more"
            raise SparkEvaluationError(
                "PE3551",
                f"the rule `{name}` asks for what is not decided on Spark ({reason}){others}, and the estate has"
                f" {self.tables.size} nodes, more than {self._driver_limit}",
                "evaluate it from an estate file on one machine, or leave the rule out of the program",
            )
        world = World(self.program, self.tables.snapshot(), self.tables.evidence_set())
        point = PointEvaluator(world)
        rules = [self.program.rules[name] for name in left]
        return [(r.name, s, point.evaluate(r, s, at).status.value) for r in rules for s in world.subjects(r)]

    def _settle(self, frame: DataFrame) -> DataFrame:
        return frame.checkpoint(eager=False) if self._reliable else frame.localCheckpoint(eager=False)


def _status(one: plan.RulePlan, evaluation: SparkEvaluation) -> Column:
    """Return the status of each subject, in the order in which a rule asks: see ``verdicts``."""
    scope = None if one.where is None else evaluation.ask(one.where)
    excused = [evaluation.ask(exemption) for exemption in one.exemptions]
    required = evaluation.ask(one.requirement)
    # (3) What is required decides; a failure that an exception may excuse is unknown.
    failed = F.lit(Status.FAIL.value)
    for exemption in excused:
        failed = F.when(exemption == MAYBE, F.lit(Status.UNKNOWN.value)).otherwise(failed)
    found = F.when(required == TRUE, F.lit(Status.PASS.value)).when(required == MAYBE, F.lit(Status.UNKNOWN.value))
    status = found.otherwise(failed)
    # (2) An exception that surely holds ends the matter.
    for exemption in excused:
        status = F.when(exemption == TRUE, F.lit(Status.NOT_APPLICABLE.value)).otherwise(status)
    # (1) What is not in the scope is not asked; where the scope is not known, nothing is.
    if scope is not None:
        outside = F.when(scope == FALSE, F.lit(Status.NOT_APPLICABLE.value))
        status = outside.when(scope == MAYBE, F.lit(Status.UNKNOWN.value)).otherwise(status)
    return status


def _is_in_force(one: plan.RulePlan, at: datetime) -> bool:
    start, end = one.rule.start, one.rule.end
    return (start is None or start <= at) and (end is None or at < end)


def _table(rows: Sequence[tuple[str, str, str]]) -> dict[str, pa.Array]:
    names = ("rule", "subject", "status")
    return {name: pa.array([row[place] for row in rows], pa.string()) for place, name in enumerate(names)}
