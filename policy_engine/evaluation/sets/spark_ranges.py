"""How many things a range has, over tables: of a kind, along a path, and in lineage.

Rules:

- numbers come in pairs: how many things surely are members, and how many possibly;
- a condition in a range that reads things outside is looked at once for each group that it tells apart of them;
- a number in lineage that only has to tell none from some is swept, together with all others of its level and
  direction; larger numbers need the sets of things themselves.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 - its name everywhere

from policy_dsl.typed.tree import PathStep
from policy_engine.evaluation.sets import plan
from policy_engine.evaluation.sets.groups import Aspect, aspects_of
from policy_engine.evaluation.sets.plan import Condition, Members, Thing
from policy_engine.evaluation.sets.rows import FALSE, MAYBE, TRUE
from policy_engine.evaluation.sets.spark_codes import NotOnSparkError
from policy_engine.evaluation.sets.spark_points import NOT_STATED
from policy_engine.evaluation.sets.spark_scope import SEVERAL, Given, Scope, anyones, compared
from policy_engine.evaluation.sets.spark_sweeps import ALL, Bits, Layout, reached, swept

if TYPE_CHECKING:
    from policy_engine.evaluation.sets.spark_evaluation import SparkEvaluation

# Groups for which a range is looked at again; sets cost more.
_MOST_GROUPS = 48
_MOST_SETS = 8

Numbers = tuple[Column, Column]


@dataclass(frozen=True, slots=True)
class _Groups:
    """What a range tells apart of the thing outside: a scope for each group, and the number of each node's group."""

    scopes: tuple[Scope, ...]
    number: Column

    def chosen(self, of_groups: Sequence[Column | int]) -> Column:
        """Return of some columns the one of the group."""
        columns = [F.lit(one) if isinstance(one, int) else one for one in of_groups]
        if len(columns) == 1:
            return columns[0]
        return F.coalesce(*(F.when(self.number == place, column) for place, column in enumerate(columns)))


@dataclass(frozen=True, slots=True)
class _Swept:
    """A quantifier in a pass: its groups, and for each the bits for what is surely and what is possibly there."""

    groups: _Groups
    sure: tuple[Bits, ...]
    possible: tuple[Bits, ...]


@dataclass(slots=True)
class _Words:
    """The words of a pass, as they are put together."""

    own: list[Column]
    blocked: list[Column]
    field: list[int]
    kept: list[int]
    mask: dict[frozenset[str], list[int]]


class SparkRanges:
    """Counts the members of ranges for one evaluation."""

    def __init__(self, evaluation: "SparkEvaluation", wanted: Sequence[Members]) -> None:
        self._evaluation = evaluation
        self._wanted = wanted
        self._groups: dict[tuple[Thing, frozenset[Aspect]], _Groups] = {}
        self._passes: dict[tuple[int, bool], tuple[dict[int, _Swept], dict[int, str], list[str]]] = {}
        self._numbers: dict[tuple[int, int], Numbers] = {}

    def counted(self, condition: plan.Counted) -> Column:
        """Return the truth of a count.

        Raises:
            NotOnSparkError: it is not decided on Spark.
        """
        if not condition.most:
            return F.lit(TRUE)
        sure, possible = self.numbers(condition.members, condition.most)
        return self._evaluation.add(compared(condition.word, condition.number, sure, possible))

    def number(self, key: plan.NumberKey) -> Column:
        """Return how many members a range has as text, nothing where that is not known."""
        sure, possible = self.numbers(key.members, 0)
        return self._evaluation.add(F.when(sure == possible, sure.cast("string")).otherwise(F.lit(NOT_STATED)))

    def numbers(self, members: Members, most: int) -> Numbers:
        """Return how many members a range has."""
        if (id(members), most) not in self._numbers:
            self._numbers[id(members), most] = self._count(members, most)
        return self._numbers[id(members), most]

    def _count(self, members: Members, most: int) -> Numbers:
        match members.range:
            case plan.Whole():
                return self._of_kind(members)
            case plan.Along(_, steps):
                if not any(step.repeated for step in steps):
                    return self._along(members, steps)
                if most != 1:
                    raise NotOnSparkError("a number of things along a repeated step")
                return self._along_repeated(members, steps)
            case plan.Flowing() as flowing:
                if most == 1:
                    return self._swept(members, flowing)
                if flowing.hops is not None:
                    raise NotOnSparkError("a number of things within hops")
                return self._in_sets(members, flowing, most)

    # --- groups --------------------------------------------------------------------------------------------

    def groups(self, members: Members) -> _Groups:
        """Return what a range and its conditions tell apart of the thing outside.

        Raises:
            NotOnSparkError: there are several things outside, or too much that they are told apart by.
        """
        outside = plan.things_of(members)
        if len(outside) > 1:
            raise NotOnSparkError(SEVERAL)
        aspects = aspects_of(members)
        if not aspects:
            return _Groups((Scope(),), F.lit(0))
        (thing,) = outside
        if (thing, aspects) not in self._groups:
            self._groups[thing, aspects] = self._grouped(thing, sorted(aspects, key=_order))
        return self._groups[thing, aspects]

    def _grouped(self, thing: Thing, aspects: Sequence[Aspect]) -> _Groups:
        evaluation = self._evaluation
        texts = F.concat_ws("\n", *map(self._seen, aspects))
        found = evaluation.gathered(texts, evaluation.of_kinds(thing.kinds), _MOST_GROUPS)
        group = f"group{len(self._groups)}"
        scopes = []
        for place, text in enumerate(found):
            known: dict[plan.Key, str] = {}
            truths: dict[int, int] = {}
            for aspect, part in zip(aspects, text.split("\n"), strict=True):
                match aspect.by:
                    case plan.AttributeKey() | plan.LatestKey() | plan.NumberKey() as key:
                        known[anyones(key)] = part
                    case None:
                        pass
                    case condition:
                        truths[id(condition)] = int(part)
            scopes.append(Scope({thing.slot: Given(f"{group}.{place}", known, truths)}))
        table = {group: pa.array(found, pa.string()), "place": pa.array(range(len(found)), pa.int32())}
        joined = evaluation.nodes.join(F.broadcast(evaluation.frame_of(table)), texts == F.col(group), "left")
        name = evaluation.name()
        evaluation.nodes = joined.withColumnRenamed("place", name).drop(group)
        return _Groups(tuple(scopes) or (Scope(),), F.coalesce(F.col(name), F.lit(0)))

    def _seen(self, aspect: Aspect) -> Column:
        match aspect.by:
            case plan.AttributeKey() | plan.LatestKey() | plan.NumberKey() as key:
                return self._evaluation.text(key)
            case None:
                raise NotOnSparkError("which thing it is decides")
            case condition:
                return self._evaluation.ask(condition).cast("string")

    def _truths(self, condition: Condition, thing: Thing, groups: _Groups) -> list[Column]:
        """Return the truth of a condition on nodes for each group, false for nodes of other kinds."""
        found = self._evaluation.ask_all([(condition, scope) for scope in groups.scopes])
        fitting = self._evaluation.of_kinds(thing.kinds)
        return [F.when(fitting, column).otherwise(F.lit(FALSE)) for column in found]

    # --- of a kind -----------------------------------------------------------------------------------------

    def _of_kind(self, members: Members) -> Numbers:
        evaluation, groups = self._evaluation, self.groups(members)
        truths = self._truths(members.condition, members.thing, groups)
        evaluation.nodes = evaluation.settled(evaluation.nodes)
        sums = [F.count_if(one == TRUE) for one in truths] + [F.count_if(one != FALSE) for one in truths]
        row = evaluation.nodes.agg(*(one.alias(f"sum{place}") for place, one in enumerate(sums))).collect()[0]
        return groups.chosen(row[: len(truths)]), groups.chosen(row[len(truths) :])

    # --- along a path --------------------------------------------------------------------------------------

    def _along(self, members: Members, steps: Sequence[PathStep]) -> Numbers:
        """Follow a path to its ends, each once for each anchor, and count them."""
        evaluation, groups = self._evaluation, self.groups(members)
        anchor = plan.anchor_of(members)
        truths = self._truths(members.condition, members.thing, groups)
        evaluation.nodes = evaluation.settled(evaluation.nodes)
        starts = evaluation.nodes.where(evaluation.of_kinds(anchor.kinds))
        pairs = starts.select(
            F.col("number").alias("anchor"), groups.number.alias("group"), F.col("number").alias("at")
        )
        for step in steps:
            edges = self._edges_of(step)
            pairs = pairs.join(edges, F.col("at") == F.col("near")).select("anchor", "group", F.col("far").alias("at"))
            pairs = pairs.distinct()
        ends = evaluation.nodes.select("number", *(one.alias(f"truth{place}") for place, one in enumerate(truths)))
        met = _Groups(groups.scopes, F.col("group")).chosen([F.col(f"truth{place}") for place in range(len(truths))])
        numbers = pairs.join(ends, F.col("at") == F.col("number")).groupBy("anchor")
        return self._joined(numbers.agg(F.count_if(met == TRUE).alias("s"), F.count_if(met != FALSE).alias("p")))

    def _joined(self, numbers: DataFrame) -> Numbers:
        """Add numbers by anchor to the frame of nodes: ``s`` surely, ``p`` possibly."""
        evaluation = self._evaluation
        sure, possible = evaluation.name(), evaluation.name()
        evaluation.join(numbers.withColumnsRenamed({"s": sure, "p": possible}), "anchor")
        return F.coalesce(F.col(sure), F.lit(0)), F.coalesce(F.col(possible), F.lit(0))

    def _along_repeated(self, members: Members, steps: Sequence[PathStep]) -> Numbers:
        """Carry what surely and what possibly is at the end of a path back along it, a bit for each group."""
        evaluation, groups = self._evaluation, self.groups(members)
        truths = self._truths(members.condition, members.thing, groups)
        words = [_word(truths, lambda one: one == TRUE), _word(truths, lambda one: one != FALSE)]
        evaluation.nodes = evaluation.settled(evaluation.nodes)
        carried = evaluation.nodes.select("number", words[0].alias("own0"), words[1].alias("own1"))
        for step in reversed(steps):
            edges = self._edges_of(step)
            if step.repeated:
                edges = edges.withColumns({"mask0": F.lit(ALL), "mask1": F.lit(ALL)})
                begun = carried.withColumns({"passing0": F.lit(ALL), "passing1": F.lit(ALL)})
                found = swept(edges, begun, [0, 0], [0, 0], evaluation.settled)
                carried = found.select("number", F.col("out0").alias("own0"), F.col("out1").alias("own1"))
            else:
                moved = edges.join(carried, F.col("far") == F.col("number")).groupBy("near")
                back = moved.agg(F.bit_or("own0").alias("own0"), F.bit_or("own1").alias("own1"))
                everything = evaluation.nodes.select("number")
                carried = everything.join(back, F.col("number") == F.col("near"), "left").drop("near").fillna(0)
        sure, possible = evaluation.name(), evaluation.name()
        evaluation.join(carried.withColumnsRenamed({"own0": sure, "own1": possible}), "number")
        masks = groups.chosen([1 << place for place in range(len(truths))]).cast("bigint")
        return _is_set(F.col(sure), masks), _is_set(F.col(possible), masks)

    def _edges_of(self, step: PathStep) -> DataFrame:
        edges = self._evaluation.edges(upstream=not step.reverse)
        return edges.where(F.col("type") == step.edge).select("near", "far")

    # --- sweeps --------------------------------------------------------------------------------------------

    def _swept(self, members: Members, flowing: plan.Flowing) -> Numbers:
        key = (flowing.level, flowing.upstream)
        if key not in self._passes:
            self._passes[key] = self._pass(*key)
        asked, refused, words = self._passes[key]
        if id(members) in refused:
            raise NotOnSparkError(refused[id(members)])
        one = asked[id(members)]
        sure = _bits_of(one.groups, one.sure, words)
        return sure, sure if one.sure == one.possible else _bits_of(one.groups, one.possible, words)

    def _pass(self, level: int, upstream: bool) -> tuple[dict[int, _Swept], dict[int, str], list[str]]:
        """Answer all quantifiers of a level and direction."""
        evaluation = self._evaluation
        layout, asked, refused = Layout(), dict[int, _Swept](), dict[int, str]()
        columns: list[tuple[Bits, plan.Flowing, Column, Column | None]] = []
        for members in self._wanted:
            flowing = members.range
            if not isinstance(flowing, plan.Flowing) or (flowing.level, flowing.upstream) != (level, upstream):
                continue
            try:
                groups, own, barred = self._conditions(members, flowing)
            except NotOnSparkError as why:
                refused[id(members)] = str(why)
                continue
            sure, possible = [], []
            for truth, bars in zip(own, barred, strict=True):
                sure.append(layout.place(flowing.hops or 1))
                columns.append((sure[-1], flowing, truth == TRUE, None if bars is None else bars != FALSE))
                possible.append(layout.place(flowing.hops or 1))
                columns.append((possible[-1], flowing, truth != FALSE, None if bars is None else bars == TRUE))
            asked[id(members)] = _Swept(groups, tuple(sure), tuple(possible))
        if not columns:
            return asked, refused, []
        words = _words(columns, layout.words)
        names = [evaluation.name() for _ in words.own]
        evaluation.nodes = evaluation.settled(evaluation.nodes)
        found = swept(
            self._masked(words, upstream=upstream),
            evaluation.nodes.select(
                "number",
                *(own.alias(f"own{w}") for w, own in enumerate(words.own)),
                *(blocked.bitwiseXOR(F.lit(ALL)).alias(f"passing{w}") for w, blocked in enumerate(words.blocked)),
            ),
            words.field,
            words.kept,
            evaluation.settled,
        )
        evaluation.join(
            found.select("number", *(F.col(f"in{w}").alias(name) for w, name in enumerate(names))), "number"
        )
        return asked, refused, names

    def _conditions(
        self, members: Members, flowing: plan.Flowing
    ) -> tuple[_Groups, list[Column], Sequence[Column | None]]:
        groups = self.groups(members)
        own = self._truths(members.condition, members.thing, groups)
        if flowing.barrier is None:
            return groups, own, [None] * len(own)
        return groups, own, self._truths(flowing.barrier.condition, flowing.barrier.thing, groups)

    def _masked(self, words: _Words, *, upstream: bool) -> DataFrame:
        """Return the edges with a mask for each word, without those that carry nothing."""
        edges = self._evaluation.edges(upstream=upstream)
        by_type: dict[str, list[int]] = {}
        for types, masks in words.mask.items():
            for name in types:
                known = by_type.setdefault(name, [0] * len(masks))
                by_type[name] = [one | other for one, other in zip(known, masks, strict=True)]
        columns = {
            f"mask{w}": F.coalesce(*(F.when(F.col("type") == name, masks[w]) for name, masks in by_type.items()))
            for w in range(len(words.own))
        }
        return edges.where(F.col("type").isin(sorted(by_type))).withColumns(columns).drop("type")

    # --- numbers of things in lineage ----------------------------------------------------------------------

    def _in_sets(self, members: Members, flowing: plan.Flowing, most: int) -> Numbers:
        evaluation = self._evaluation
        groups, own, barred = self._conditions(members, flowing)
        if len(own) > _MOST_SETS:
            raise NotOnSparkError("a number of things that a condition tells apart for too many others")
        evaluation.nodes = evaluation.settled(evaluation.nodes)
        parts = []
        for place, (truth, bars) in enumerate(zip(own, barred, strict=True)):
            anchors = evaluation.nodes.where(evaluation.of_kinds(flowing.anchor.kinds) & (groups.number == place))
            sure = self._sets(flowing, most, anchors, truth == TRUE, None if bars is None else bars == FALSE)
            doubt = (truth == MAYBE) if bars is None else (truth == MAYBE) | (bars == MAYBE)
            possible = sure
            if evaluation.nodes.where(doubt).limit(1).count():
                possible = self._sets(flowing, most, anchors, truth != FALSE, None if bars is None else bars != TRUE)
            counted = [
                sure.select("anchor", F.lit(1).alias("s"), F.lit(0).alias("p")),
                possible.select("anchor", F.lit(0).alias("s"), F.lit(1).alias("p")),
            ]
            parts.append(counted[0].union(counted[1]))
        pairs = reduce(DataFrame.union, parts)
        return self._joined(pairs.groupBy("anchor").agg(F.sum("s").alias("s"), F.sum("p").alias("p")))

    def _sets(
        self, flowing: plan.Flowing, most: int, anchors: DataFrame, counted: Column, passing: Column | None
    ) -> DataFrame:
        """Return each anchor as often as it reaches something counted, by carrying the fewer of both."""
        evaluation = self._evaluation
        ends = evaluation.nodes.where(counted).select("number")
        anchors = anchors.select("number")
        open_nodes = None if passing is None else evaluation.nodes.where(passing).select("number")
        # What is counted can be cut off where there is enough of it.
        carries_anchors = not most and anchors.count() < ends.count()
        edges = evaluation.edges(upstream=flowing.upstream != carries_anchors)
        edges = edges.where(F.col("type").isin(sorted(flowing.edges))).select("near", "far")
        carriers, met = (anchors, ends) if carries_anchors else (ends, anchors)
        found = reached(edges, carriers, open_nodes, most, evaluation.settled)
        pairs = found.join(met, "number", "left_semi")
        return pairs.select(F.col("carrier" if carries_anchors else "number").alias("anchor"))


def _words(columns: Sequence[tuple[Bits, plan.Flowing, Column, Column | None]], count: int) -> _Words:
    own: list[list[Column]] = [[] for _ in range(count)]
    blocked: list[list[Column]] = [[] for _ in range(count)]
    field, kept = [0] * count, [0] * count
    mask: dict[frozenset[str], list[int]] = {}
    for bits, flowing, holds, bars in columns:
        own[bits.word].append(F.when(holds, F.lit(1 << bits.first)).otherwise(F.lit(0)))
        if bars is not None:
            blocked[bits.word].append(F.when(bars, F.lit(bits.mask)).otherwise(F.lit(0)))
        if flowing.hops is not None:
            field[bits.word] |= bits.mask
            kept[bits.word] |= bits.mask & ~(1 << (bits.first + bits.width - 1))
        mask.setdefault(flowing.edges, [0] * count)[bits.word] |= bits.mask
    return _Words([_union(one) for one in own], [_union(one) for one in blocked], field, kept, mask)


def _union(words: Sequence[Column]) -> Column:
    return reduce(lambda one, other: one.bitwiseOR(other), words, F.lit(0).cast("bigint"))


def _word(truths: Sequence[Column], holds: Callable[[Column], Column]) -> Column:
    return _union([F.when(holds(one), F.lit(1 << place)).otherwise(F.lit(0)) for place, one in enumerate(truths)])


def _bits_of(groups: _Groups, bits: Sequence[Bits], words: Sequence[str]) -> Column:
    return groups.chosen([_is_set(F.col(words[one.word]), F.lit(one.mask)) for one in bits])


def _is_set(word: Column, mask: Column) -> Column:
    """Return 1 where a word, of which there may be none, has a bit of a mask."""
    return F.when(F.coalesce(word, F.lit(0)).bitwiseAND(mask) != 0, F.lit(1)).otherwise(F.lit(0))


def _order(aspect: Aspect) -> str:
    return repr(aspect.by)
