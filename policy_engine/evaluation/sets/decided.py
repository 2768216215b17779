"""Expressions over columns: each is decided by the point evaluator, once for each distinct combination of its keys.

Rules:

- rows with the same codes for everything that an expression reads have the same value, so one of them stands for all;
- where truth changes at most once in the order of the values, it is looked for where it changes;
- what does not follow from the instant is remembered from one instant to the next.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from policy_dsl.typed import tree
from policy_engine.evaluation.point.compile import Compiler
from policy_engine.evaluation.point.lineage import Lineage
from policy_engine.evaluation.point.run import Run, Value
from policy_engine.evaluation.sets.estate import Array, Estate
from policy_engine.evaluation.sets.rows import Rows, truth_of
from policy_engine.evaluation.world import View

Coded = tuple[Array | None, int]
"""The codes of a key by row, and how many codes there may be; no array where all rows have code 0."""

# A table of truth values by combination may be so large; beyond, the combinations that there are get numbers first.
_LARGEST_TABLE = 1 << 22
# Up to so many combinations are decided one by one, whatever their order.
_FEW = 16
_UNDECIDED = -1


class Points:
    """The point evaluator, asked for values in one estate."""

    def __init__(self, world: View, estate: Estate) -> None:
        self.world = world
        self.estate = estate
        self._compiler = Compiler(world.program)
        self._lineage = Lineage(world.snapshot, world.program.schema)
        self._compiled: dict[int, tuple[tree.Expression, Value]] = {}

    def value(self, expression: tree.Expression, slots: int, at: datetime, rows: Rows, row: int) -> Any:
        """Return the value of an expression for one row."""
        run = Run(self.world, self._lineage, slots, at, tracking=False)
        for slot, nodes in rows.things.items():
            if slot < slots:
                run.slots[slot] = self.estate.file.id(int(nodes[row]))
        if rows.records is not None:
            run.record = self.record(int(rows.records[row]))
        self._lineage.forget()
        return self._closure(expression)(run)

    def constant(self, expression: tree.Expression, slots: int, at: datetime) -> Any:
        """Return the value of an expression that reads nothing of the estate."""
        return self._closure(expression)(Run(self.world, self._lineage, slots, at, tracking=False))

    def record(self, row: int) -> Any:
        """Return the evidence of a row."""
        file = self.estate.file
        owner = int(np.searchsorted(np.frombuffer(file.section("evidence.row"), np.uint32), row, side="right")) - 1
        kinds = file.section("evidence.type")
        first = file.section("evidence.row")[owner]
        before = sum(kinds[at] == kinds[row] for at in range(first, row))
        return self.world.evidence.about(file.id(owner), file.evidence_types[kinds[row]])[before]

    def _closure(self, expression: tree.Expression) -> Value:
        # Keyed by identity: the entry keeps the expression alive.
        found = self._compiled.get(id(expression))
        if found is None:
            found = self._compiled[id(expression)] = expression, self._compiler.value(expression)
        return found[1]


class Table:
    """The truth of an expression by combination of codes, filled in as combinations are met."""

    def __init__(self) -> None:
        self._truth: Array = np.zeros(0, np.int8)
        self._counts: tuple[int, ...] = ()

    def decide(
        self,
        expression: tree.Expression,
        slots: int,
        coded: Sequence[Coded],
        rows: Rows,
        points: Points,
        at: datetime,
        order: Callable[[], Array | None],
    ) -> Array:
        """Return the truth of an expression for each row.

        Args:
            order: asked for many combinations; gives by the code of the only key the place of a value (-1: not known)
                in an order in which the truth of the expression changes at most once, or nothing if there is none.
        """
        counts = tuple(count for _, count in coded)
        size = _product(counts)
        if size > _LARGEST_TABLE:
            return self._by_number(expression, slots, coded, rows, points, at)
        if self._counts != counts:
            self._truth, self._counts = np.full(size, _UNDECIDED, np.int8), counts
        codes = combined(coded, rows.size)
        found: Array = self._truth[codes]
        if not rows.size or int(found.min()) != _UNDECIDED:
            return found
        # The last row with a combination stands for it.
        standing = np.full(size, -1, np.int64)
        fresh = np.flatnonzero(found == _UNDECIDED)
        standing[codes[fresh]] = fresh

        def truth(code: int) -> int:
            return truth_of(points.value(expression, slots, at, rows, int(standing[code])))

        met = np.flatnonzero(standing >= 0)
        places = order() if len(met) > _FEW else None
        if places is not None:
            known = met[places[met] >= 0]
            self._fill_in_order(known[np.argsort(places[known])], truth)
            met = met[places[met] < 0]
        for code in met.tolist():
            self._truth[code] = truth(code)
        decided: Array = self._truth[codes]
        return decided

    def _fill_in_order(self, codes: Array, truth: Callable[[int], int]) -> None:
        """Decide combinations among which truth changes at most once, by halves."""
        waiting = [(0, len(codes) - 1)] if len(codes) else []
        while waiting:
            first, last = waiting.pop()
            for end in (first, last):
                if self._truth[codes[end]] == _UNDECIDED:
                    self._truth[codes[end]] = truth(int(codes[end]))
            if self._truth[codes[first]] == self._truth[codes[last]]:
                self._truth[codes[first : last + 1]] = self._truth[codes[first]]
            elif last - first > 1:
                middle = (first + last) // 2
                waiting += [(first, middle), (middle, last)]

    def _by_number(
        self, expression: tree.Expression, slots: int, coded: Sequence[Coded], rows: Rows, points: Points, at: datetime
    ) -> Array:
        codes, first = numbered(coded, rows.size)
        truth = [truth_of(points.value(expression, slots, at, rows, int(row))) for row in first]
        decided: Array = np.array(truth, np.int8)[codes]
        return decided


def combined(coded: Sequence[Coded], size: int) -> Array:
    """Return one number for each combination of codes, below the product of their counts."""
    present = [(codes, count) for codes, count in coded if codes is not None]
    if len(present) == 1 and len(coded) == 1:
        return present[0][0]
    total = _product(tuple(count for _, count in coded))
    found: Array = np.zeros(size, np.int32 if total < 2**31 else np.int64)
    for codes, count in coded:
        found *= count
        if codes is not None:
            found += codes.astype(found.dtype)
    return found


def numbered(coded: Sequence[Coded], size: int) -> tuple[Array, Array]:
    """Number the distinct combinations of codes; return the number of each row and a row for each number."""
    total = _product(tuple(count for _, count in coded))
    if total <= _LARGEST_TABLE:
        place = combined(coded, size)
        standing = np.full(total, -1, np.int64)
        standing[place] = np.arange(size)
        present = np.flatnonzero(standing >= 0)
        number = np.zeros(total, np.int64)
        number[present] = np.arange(len(present))
        return number[place], standing[present]
    codes = np.zeros(size, np.int64)
    for column, _ in coded:
        if column is not None:
            _, ranked = np.unique(column, return_inverse=True)
            # Numbers stay below the square of the rows, however many columns there are.
            _, codes = np.unique(codes * (int(ranked.max(initial=0)) + 1) + ranked, return_inverse=True)
    _, first, codes = np.unique(codes, return_index=True, return_inverse=True)
    return codes, first


def _product(counts: tuple[int, ...]) -> int:
    total = 1
    for count in counts:
        total *= count
    return total
