"""Conditions over the tables of an estate at one instant.

Rules:

- one frame has a row for every node, and grows by a column for each thing that is found out about nodes;
- what several conditions need is found out together: a look at a table costs more than what it is looked at for;
- combinations of values are collected, decided on the driver, and joined back.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 - its name everywhere

from policy_engine.evaluation.sets import plan
from policy_engine.evaluation.sets.plan import Condition
from policy_engine.evaluation.sets.rows import FALSE, truth_of
from policy_engine.evaluation.sets.spark_codes import NotOnSparkError, SparkEvaluationError
from policy_engine.evaluation.sets.spark_evidence import SparkEvidence
from policy_engine.evaluation.sets.spark_points import CONTRADICTED, NOT_STATED, SparkPoints
from policy_engine.evaluation.sets.spark_ranges import SparkRanges
from policy_engine.evaluation.sets.spark_scope import Leaf, Scope, anyones, attribute, leaves, truth
from policy_engine.evaluation.sets.spark_sweeps import Settle
from policy_engine.evaluation.sets.spark_tables import ATTRIBUTE, EstateTables, quoted

MOST_COMBINATIONS = 500_000
"""Combinations of values that are decided on the driver for one look at a table."""

Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A condition to be decided, where its variables are, and the rows that it is about."""

    condition: plan.Decided
    scope: Scope
    within: Column
    about: object
    """Equal where the rows are the same."""


class SparkEvaluation:
    """Finds out about nodes at one instant."""

    def __init__(self, tables: EstateTables, points: SparkPoints, plans: Iterable[plan.RulePlan], settle: Settle):
        self.tables = tables
        self.points = points
        self._cut = settle
        conditions = [c for one in plans for c in plan.conditions_of(one)]
        self.everything = list({id(p): p for c in conditions for p in plan.everything_in(c)}.values())
        self._settled: DataFrame | None = None
        self.nodes = self.settled(self._begin())
        self.found: dict[Key, Column] = {}
        """The truth of leaves, as columns of the frame of nodes or of a frame of evidence."""
        self._refused: dict[Key, str] = {}
        self._texts: dict[plan.Key, Column] = {}
        self._columns = 0
        self._edges: dict[bool, DataFrame] = {}
        wanted = [m for c in conditions for m in plan.swept_in(c)]
        self.ranges = SparkRanges(self, list({id(m): m for m in wanted}.values()))
        self.evidence = SparkEvidence(self)
        self._decide_attributes()

    def _begin(self) -> DataFrame:
        names = {key.attribute for part in self.everything for key in _attribute_keys(part)}
        columns = [F.col("number"), F.col("kind")]
        for name in sorted(names):
            stated = quoted(f"{ATTRIBUTE}{name}") if name in self.tables.attributes else F.lit(NOT_STATED)
            contradicted = F.array_contains("contradicted", name)
            text = F.when(contradicted, F.lit(CONTRADICTED)).otherwise(F.coalesce(stated, F.lit(NOT_STATED)))
            columns.append(text.alias(f"a:{name}"))
        return self.tables.nodes.select(*columns)

    # --- what everything needs -----------------------------------------------------------------------------

    def settled(self, frame: DataFrame) -> DataFrame:
        """Cut off how a frame came about, unless that was done already."""
        if frame is not self._settled:
            self._settled = self._cut(frame)
        return self._settled

    def name(self) -> str:
        """Return the name of a new column."""
        self._columns += 1
        return f"c{self._columns}"

    def of_kinds(self, kinds: frozenset[str]) -> Column:
        """Return whether a row is of one of some kinds."""
        return F.col("kind").isin(sorted(kinds))

    def edges(self, *, upstream: bool) -> DataFrame:
        """Return the edges as lineage follows them: ``near``, ``far`` and ``type``."""
        if upstream not in self._edges:
            near, far = ("source", "target") if upstream else ("target", "source")
            found = self.tables.edges.select("type", F.col(near).alias("near"), F.col(far).alias("far"))
            self._edges[upstream] = found.persist()
        return self._edges[upstream]

    def release(self) -> None:
        """Let go of what is kept between looks at the edges."""
        for frame in self._edges.values():
            frame.unpersist()

    def frame_of(self, columns: dict[str, Any]) -> DataFrame:
        """Return a small table of the driver."""
        return self.tables.nodes.sparkSession.createDataFrame(pa.table(columns))

    # --- conditions ----------------------------------------------------------------------------------------

    def ask(self, condition: Condition, scope: Scope | None = None) -> Column:
        """Return the truth of a condition as a column of the frame of nodes.

        Raises:
            NotOnSparkError: a part of it is not decided on Spark.
        """
        (column,) = self.ask_all([(condition, scope or Scope())])
        return column

    def ask_all(self, asked: Sequence[tuple[Condition, Scope]]) -> list[Column]:
        """Return the truths of conditions, found together."""
        self.find([leaf for condition, scope in asked for leaf in leaves(condition, scope)])
        return [truth(condition, scope, self.found) for condition, scope in asked]

    def find(self, wanted: Iterable[tuple[Leaf, Scope]]) -> None:
        """Find the truth of leaves for all nodes.

        Raises:
            NotOnSparkError: one of them is not decided on Spark.
        """
        fresh = {scope.key(leaf): (leaf, scope) for leaf, scope in wanted}
        fresh = {key: one for key, one in fresh.items() if key not in self.found}
        for key in fresh:
            if key in self._refused:
                raise NotOnSparkError(self._refused[key])
        decided = []
        for key, (leaf, scope) in fresh.items():
            try:
                match leaf:
                    case plan.Decided():
                        self.prepare(leaf, scope)
                        kinds = frozenset().union(*(k.thing.kinds for k in leaf.keys if not isinstance(k, _FIELD)))
                        decided.append(Asked(leaf, scope, self.of_kinds(kinds), kinds))
                    case plan.Always(expression, slots):
                        self.found[key] = F.lit(truth_of(self.points.constant(expression, slots)))
                    case plan.Called(body=body):
                        column = self.ask(body, scope.renamed(leaf))
                        self.found[key] = self.add(column)
                    case plan.Held():
                        self.found[key] = self.evidence.held(leaf)
                    case plan.Counted():
                        self.found[key] = self.ranges.counted(leaf)
            except NotOnSparkError as why:
                self._refused[key] = str(why)
                raise
        if decided:
            self.nodes = self.decide(self.nodes, decided)

    def add(self, column: Column) -> Column:
        """Add a column to the frame of nodes."""
        name = self.name()
        self.nodes = self.nodes.withColumn(name, column)
        return F.col(name)

    def join(self, frame: DataFrame, number: str) -> None:
        """Add the columns of a frame to the frame of nodes, by their number."""
        joined = self.nodes.join(frame.withColumnRenamed(number, "joined"), F.col("number") == F.col("joined"), "left")
        self.nodes = self.settled(joined.drop("joined"))

    # --- deciding ------------------------------------------------------------------------------------------

    def prepare(self, condition: plan.Decided, scope: Scope) -> None:
        """Find the keys of a condition that are more than attributes and fields.

        Raises:
            NotOnSparkError: one of them is not found on Spark.
        """
        self.points.check(condition)
        for key in condition.keys:
            if not isinstance(key, plan.AttributeKey | plan.FieldKey) and scope.text(key) is None:
                self.text(key)

    def text(self, key: plan.Key) -> Column:
        """Return the text of a key as a column."""
        match key:
            case plan.AttributeKey(_, name):
                return attribute(name)
            case plan.FieldKey(name):
                return F.col(f"`f:{name}`")
            case plan.LatestKey() | plan.NumberKey():
                anyone = anyones(key)
                if anyone not in self._texts:
                    finding = self.evidence.latest if isinstance(key, plan.LatestKey) else self.ranges.number
                    self._texts[anyone] = finding(key)  # type: ignore[arg-type]
                return self._texts[anyone]

    def decide(self, frame: DataFrame, asked: Sequence[Asked]) -> DataFrame:
        """Return a frame with a column for the truth of each condition."""
        frame = self.settled(frame)
        grouped: dict[tuple[tuple[plan.Key, ...], object], list[Asked]] = defaultdict(list)
        for one in asked:
            rows = tuple(dict.fromkeys(anyones(k) for k in one.condition.keys if one.scope.text(k) is None))
            grouped[tuple(sorted(rows, key=repr)), one.about].append(one)
        groups = [(keys, found) for (keys, _), found in grouped.items()]
        looks = [(found[0].within, self._combination(keys)) for keys, found in groups]
        for (keys, found), (_, combination), texts in zip(groups, looks, self._collect(frame, looks), strict=True):
            columns: dict[str, Any] = {f"key{self._columns}": pa.array(texts, pa.string())}
            (key_name,) = columns
            for one in found:
                name = self.name()
                truths = self._truths(one, keys, texts)
                columns[name] = pa.array(truths, pa.int32())
                self.found[one.scope.key(one.condition)] = F.coalesce(F.col(name), F.lit(FALSE))
            table = F.broadcast(self.frame_of(columns))
            frame = frame.join(table, combination == F.col(key_name), "left").drop(key_name)
        return frame

    def _combination(self, keys: Sequence[plan.Key]) -> Column:
        return F.concat_ws("\n", *(self.text(key) for key in keys))

    def _collect(self, frame: DataFrame, looks: Sequence[tuple[Column, Column]]) -> list[list[str]]:
        """Return the distinct combinations of each look, in order."""
        entries = [
            F.when(within, F.struct(F.lit(place).alias("place"), combination.alias("text")))
            for place, (within, combination) in enumerate(looks)
        ]
        rows = frame.select(F.explode(F.array(*entries)).alias("one")).where("one is not null")
        distinct = rows.select("one.place", "one.text").distinct().limit(MOST_COMBINATIONS + 1)
        found: list[list[str]] = [[] for _ in looks]
        for place, text in distinct.toLocalIterator():
            found[place].append(text)
        if sum(map(len, found)) > MOST_COMBINATIONS:
            raise NotOnSparkError("conditions read too many different values together")
        return [sorted(texts) for texts in found]

    def _truths(self, one: Asked, rows: Sequence[plan.Key], texts: Sequence[str]) -> list[int]:
        keys = one.condition.keys
        places = {key: place for place, key in enumerate(rows)}
        given = [one.scope.text(key) for key in keys]
        combinations = []
        for text in texts:
            parts = text.split("\n") if rows else []
            if len(parts) != len(rows):
                raise SparkEvaluationError("PE3554", f"`{text[:80]}` is no value", "see `docs/scale.md`")
            row = [parts[places[anyones(k)]] if g is None else g for k, g in zip(keys, given, strict=True)]
            combinations.append(row)
        return self.points.truths(one.condition, keys, combinations)

    def _decide_attributes(self) -> None:
        """Decide what follows from attributes of single things, all together: there is much of it."""
        decided = [
            (part, Scope())
            for part in self.everything
            if isinstance(part, plan.Decided)
            and all(isinstance(key, plan.AttributeKey) for key in part.keys)
            and len(plan.things(part)) == 1
        ]
        try:
            self.find(decided)
        except NotOnSparkError:
            # Too many values together: each is found when it is asked for.
            return

    # --- groups --------------------------------------------------------------------------------------------

    def gathered(self, column: Column, within: Column, most: int) -> list[str]:
        """Return the distinct texts of a column in some rows.

        Raises:
            NotOnSparkError: there are more than ``most``.
        """
        self.nodes = self.settled(self.nodes)
        rows = self.nodes.where(within).select(column.alias("text")).distinct().limit(most + 1).collect()
        if len(rows) > most:
            raise NotOnSparkError("a condition in a range tells too many things apart")
        return sorted(row["text"] for row in rows)


def _attribute_keys(part: Condition) -> list[plan.AttributeKey]:
    match part:
        case plan.Stated(key):
            return [key]
        case plan.Decided(keys=keys):
            return [key for key in keys if isinstance(key, plan.AttributeKey)]
        case _:
            return []


_FIELD = plan.FieldKey
