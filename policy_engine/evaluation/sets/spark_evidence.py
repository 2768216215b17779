"""Evidence over tables: who has what counts at an instant, and what the youngest says.

Rules: evidence counts from its begin until, and not including, its end and the end of the age that it may have; ages
are added by the language's own arithmetic.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import reduce
from typing import TYPE_CHECKING, Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 - its name everywhere

from policy_dsl.values import FIRST_INSTANT, LAST_INSTANT, Duration, add
from policy_engine.evaluation.sets import plan
from policy_engine.evaluation.sets.evidence import seconds
from policy_engine.evaluation.sets.rows import FALSE, TRUE
from policy_engine.evaluation.sets.spark_codes import NotOnSparkError
from policy_engine.evaluation.sets.spark_points import NOT_STATED, THERE
from policy_engine.evaluation.sets.spark_scope import Leaf, Scope, leaves, truth
from policy_engine.evaluation.sets.spark_tables import FIELD, instant, quoted

if TYPE_CHECKING:
    from policy_engine.evaluation.sets.spark_evaluation import Asked, SparkEvaluation

_DAY = 86_400
# Months put up to four days on one, so ends of ages are in order for days this far from each other.
_DISORDER = 6


class SparkEvidence:
    """Looks at the evidence about nodes, for one evaluation."""

    def __init__(self, evaluation: "SparkEvaluation") -> None:
        self._evaluation = evaluation
        self._held: dict[int, Column] = {}
        self._latest: dict[tuple[plan.Pattern, str], Column] = {}

    # --- what is held --------------------------------------------------------------------------------------

    def held(self, condition: plan.Held) -> Column:
        """Return whether nodes have evidence, and with it all other conditions that need no more than this one.

        Raises:
            NotOnSparkError: a part of it is not decided on Spark.
        """
        if id(condition) not in self._held:
            together = [condition]
            if _is_plain(condition):
                asked = (part for part in self._evaluation.everything if isinstance(part, plan.Held))
                together += [part for part in asked if _is_plain(part) and part is not condition]
            self._find([part for part in together if part is condition or self._is_possible(part)])
        return self._held[id(condition)]

    def _is_possible(self, condition: plan.Held) -> bool:
        try:
            self.counting(condition.pattern)
        except NotOnSparkError:
            return False
        return id(condition) not in self._held

    def _find(self, conditions: Sequence[plan.Held]) -> None:
        evaluation = self._evaluation
        # (1) What conditions on evidence ask of the things that it is about is found for the things.
        for condition in conditions:
            self.counting(condition.pattern)
            on_things, _ = _split(condition)
            evaluation.find(on_things)
        asked = [one for condition in conditions for one in self._asked(condition, _split(condition)[1])]
        # (2) What they ask of the evidence is found for each piece.
        frame = evaluation.decide(self._records(), asked) if asked else self._records()
        # (3) The best piece about a thing counts.
        columns: dict[str, Column] = {}
        for condition in conditions:
            met = F.lit(TRUE) if condition.where is None else truth(condition.where, Scope(), evaluation.found)
            right = self.counting(condition.pattern)
            name = evaluation.name()
            columns[name] = F.when(right, met).otherwise(F.lit(FALSE))
            self._held[id(condition)] = F.coalesce(F.col(name), F.lit(FALSE))
        best = frame.groupBy("number").agg(*(F.max(column).alias(name) for name, column in columns.items()))
        evaluation.join(best, "number")

    def _asked(self, condition: plan.Held, wanted: Sequence[tuple[Leaf, Scope]]) -> "list[Asked]":
        from policy_engine.evaluation.sets.spark_evaluation import Asked

        found = []
        about = self._evaluation.of_kinds(condition.thing.kinds) & (F.col("e:type") == condition.pattern.type)
        for leaf, scope in wanted:
            assert isinstance(leaf, plan.Decided)  # noqa: S101 - nothing else reads evidence
            self._evaluation.prepare(leaf, scope)
            found.append(Asked(leaf, scope, about, (condition.thing.kinds, condition.pattern.type)))
        return found

    def _records(self) -> DataFrame:
        evaluation = self._evaluation
        evaluation.nodes = evaluation.settled(evaluation.nodes)
        return self._all_records().join(evaluation.nodes, F.col("e:subject") == F.col("number"))

    def _all_records(self) -> DataFrame:
        tables = self._evaluation.tables
        columns = [F.col(name).alias(f"e:{name}") for name in ("subject", "type", "digest", "issued", "from", "until")]
        for name in sorted({key.name for part in self._evaluation.everything for key in _fields(part)}):
            match name:
                case "issued":
                    text = F.col("issued").cast("string")
                case "expires":
                    text = F.coalesce(F.col("until").cast("string"), F.lit(NOT_STATED))
                case _ if name in tables.fields:
                    text = F.coalesce(quoted(f"{FIELD}{name}"), F.lit(NOT_STATED))
                case _:
                    text = F.lit(NOT_STATED)
            columns.append(text.alias(f"f:{name}"))
        return tables.evidence.select(*columns, "signers")

    # --- the youngest --------------------------------------------------------------------------------------

    def latest(self, key: plan.LatestKey) -> Column:
        """Return what the youngest evidence says that counts: see ``THERE``.

        Raises:
            NotOnSparkError: it is not known which counts.
        """
        if (key.pattern, key.field) not in self._latest:
            counts = self.counting(key.pattern)
            frame = self._all_records()
            said = F.concat(F.lit(THERE), F.col(f"`f:{key.field}`"))
            order = [F.col(f"e:{name}") for name in ("issued", "digest", "from")]
            name = self._evaluation.name()
            youngest = F.max(F.struct(*order, said.alias("said"))).alias("youngest")
            found = frame.where(counts).groupBy("e:subject").agg(youngest)
            self._evaluation.join(found.select("e:subject", F.col("youngest.said").alias(name)), "e:subject")
            self._latest[key.pattern, key.field] = F.coalesce(F.col(name), F.lit(NOT_STATED))
        return self._latest[key.pattern, key.field]

    # --- what counts ---------------------------------------------------------------------------------------

    def counting(self, pattern: plan.Pattern) -> Column:
        """Return whether a piece of evidence counts, is rightly signed and young enough.

        Raises:
            NotOnSparkError: how old it may be is not known.
        """
        at = self._evaluation.points.at
        now = seconds(at)
        until = F.col("e:until")
        counts = (F.col("e:type") == pattern.type) & (F.col("e:from") <= now) & (until.isNull() | (until > now))
        if pattern.role is not None:
            role = pattern.role
            holders = F.filter("signers", lambda roles: F.array_contains(roles, role))
            counts &= F.size(holders) >= pattern.signers
        age = self._evaluation.points.age(pattern)
        if age is None:
            return counts
        issued = F.col("e:issued")
        young = [(issued >= begin) & (issued < end) for begin, end in young_enough(age, at)]
        return counts & reduce(lambda one, other: one | other, young, F.lit(False))


def young_enough(age: Duration, at: datetime) -> list[tuple[int, int]]:
    """Return the spans of seconds, half-open, in which evidence was issued that is younger than an age at an instant.

    The end of an age is in order for the seconds of one day; for days it is but for those near each other.
    """

    def young(second: int) -> bool:
        return bool(at < add(instant(second), age))

    first, last = seconds(FIRST_INSTANT), seconds(LAST_INSTANT)
    middle = _first(first, last, young) // _DAY
    spans = []
    for day in range(middle - _DISORDER, middle + _DISORDER):
        begin, end = max(first, day * _DAY), min(last + 1, (day + 1) * _DAY)
        if begin < end:
            spans.append((_first(begin, end - 1, young), end))
    # From the end of the disorder all are young.
    spans.append(((middle + _DISORDER) * _DAY, last + 1))
    return [(begin, end) for begin, end in spans if begin < end]


def _first(low: int, high: int, holds: Any) -> int:
    """Return the first number from which on something holds, or one more than the last where it never does."""
    high += 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def _is_plain(condition: plan.Held) -> bool:
    """Tell whether a condition asks nothing of things that is not found already."""
    if condition.where is None:
        return True
    try:
        on_things, _ = _split(condition)
    except NotOnSparkError:
        return False
    return all(
        isinstance(leaf, plan.Decided) and all(isinstance(key, plan.AttributeKey) for key in leaf.keys)
        for leaf, _ in on_things
    )


def _split(condition: plan.Held) -> tuple[list[tuple[Leaf, Scope]], list[tuple[Leaf, Scope]]]:
    """Return what a condition asks of the thing that evidence is about, and what it asks of the evidence.

    Raises:
        NotOnSparkError: it asks more.
    """
    if condition.where is None:
        return [], []
    if plan.things(condition.where) - {condition.thing}:
        raise NotOnSparkError("a condition on evidence is about other things too")
    found = list(leaves(condition.where, Scope()))
    reading = [plan.reads_record(leaf) for leaf, _ in found]
    on_things = [one for one, reads in zip(found, reading, strict=True) if not reads]
    return on_things, [one for one, reads in zip(found, reading, strict=True) if reads]


def _fields(part: plan.Condition) -> list[plan.FieldKey]:
    match part:
        case plan.Decided(keys=keys):
            latest = [plan.FieldKey(key.field) for key in keys if isinstance(key, plan.LatestKey)]
            return [*latest, *(key for key in keys if isinstance(key, plan.FieldKey))]
        case _:
            return []
