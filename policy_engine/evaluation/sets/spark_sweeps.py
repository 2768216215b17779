"""The loops over all edges, as joins that are repeated until nothing changes.

Rules:

- bits only ever appear, so a loop ends, circles or not; each round carries on only what the round before changed;
- every round is settled (see ``Settle``): Spark would do all rounds again for each look at the last;
- a word has 62 bits, so that no integer of Spark's is ever negative.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 - its name everywhere

from policy_engine.evaluation.sets.spark_codes import NotOnSparkError

WORD_BITS = 62
ALL = (1 << WORD_BITS) - 1
MOST_PAIRS = 100_000_000
"""Pairs of things in the sets that are counted."""

Settle = Callable[[DataFrame], DataFrame]
"""Cuts off how a frame came about, and keeps its rows."""


@dataclass(frozen=True, slots=True)
class Bits:
    """A field of bits: which word, the first bit in it, and how many."""

    word: int
    first: int
    width: int

    @property
    def mask(self) -> int:
        """All bits of the field, in its word."""
        return ((1 << self.width) - 1) << self.first


class Layout:
    """Places fields of bits in words; none lies in two words."""

    def __init__(self) -> None:
        self._bits = 0

    @property
    def words(self) -> int:
        """How many words there are, at least one."""
        return max(1, -(-self._bits // WORD_BITS))

    def place(self, width: int) -> Bits:
        """Return the next field that is free."""
        if self._bits % WORD_BITS + width > WORD_BITS:
            self._bits += WORD_BITS - self._bits % WORD_BITS
        word, first = divmod(self._bits, WORD_BITS)
        self._bits += width
        return Bits(word, first, width)


def swept(edges: DataFrame, nodes: DataFrame, field: list[int], kept: list[int], settle: Settle) -> DataFrame:
    """Return the words that flow into each node, ``in0`` and on, and those that flow out, ``out0`` and on.

    ``edges`` has ``near``, ``far`` and a mask for each word, ``mask0`` and on; ``nodes`` has ``number``, ``own0`` and
    ``passing0`` and on. Bits of ``field`` move up by one at each node as long as they are ``kept`` in it.
    """
    words = range(len(field))
    begun = {f"in{w}": F.lit(0).cast("bigint") for w in words} | {f"out{w}": F.col(f"own{w}") for w in words}
    fresh = _any(F.col(f"own{w}") != 0 for w in words)
    state = settle(nodes.withColumns({**begun, "fresh": fresh}))
    while state.where("fresh").limit(1).count():
        # (1) What changed flows along the edges that let it.
        carried = state.where("fresh").select(F.col("number").alias("far"), *(f"out{w}" for w in words))
        sent = edges.join(carried, "far").groupBy("near")
        into = sent.agg(*(F.bit_or(F.col(f"out{w}").bitwiseAND(F.col(f"mask{w}"))).alias(f"sent{w}") for w in words))
        # (2) What arrives is added to what had arrived, and what passes goes out.
        met = state.join(into, F.col("number") == F.col("near"), "left")
        columns = [F.col("number")]
        changed = []
        for w in words:
            arrived = F.col(f"in{w}").bitwiseOR(F.coalesce(F.col(f"sent{w}"), F.lit(0)))
            passed = arrived.bitwiseAND(F.col(f"passing{w}"))
            out = F.col(f"own{w}").bitwiseOR(passed.bitwiseAND(F.lit(ALL & ~field[w])))
            if kept[w]:
                out = out.bitwiseOR(F.shiftleft(passed.bitwiseAND(F.lit(kept[w])), 1))
            columns += [F.col(f"own{w}"), F.col(f"passing{w}"), arrived.alias(f"in{w}"), out.alias(f"out{w}")]
            changed.append(out != F.col(f"out{w}"))
        state = settle(met.select(*columns, _any(changed).alias("fresh")))
    return state.select("number", *(f"in{w}" for w in words), *(f"out{w}" for w in words))


def reached(edges: DataFrame, carriers: DataFrame, passing: DataFrame | None, most: int, settle: Settle) -> DataFrame:
    """Return which carriers flow into which nodes, as pairs of ``number`` and ``carrier``.

    With ``most``, a node that has so many takes no more: it may have some more, and so may what it flows into.

    Raises:
        NotOnSparkError: there are too many.
    """
    frontier = carriers.select("number", F.col("number").alias("carrier"))
    found: DataFrame | None = None
    total = 0
    while True:
        moved = edges.join(frontier.withColumnRenamed("number", "far"), "far")
        into = moved.select(F.col("near").alias("number"), "carrier").distinct()
        if found is not None:
            into = into.join(found, ["number", "carrier"], "left_anti")
            if most:
                full = found.groupBy("number").count().where(F.col("count") >= most)
                into = into.join(full, "number", "left_anti")
        fresh = settle(into)
        count = fresh.count()
        total += count
        if total > MOST_PAIRS:
            raise NotOnSparkError("the sets of things to be counted are too large")
        found = fresh if found is None else found.union(fresh)
        if not count:
            return found
        frontier = fresh if passing is None else fresh.join(passing, "number", "left_semi")


def _any(conditions: Iterable[Column]) -> Column:
    return reduce(lambda one, other: one | other, conditions)
