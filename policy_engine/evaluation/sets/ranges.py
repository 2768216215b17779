"""How many things a range has, over columns: of a kind, along a path, and in lineage.

Rules:

- numbers come in pairs: how many things surely are members, and how many possibly;
- numbers are counted up to ``most`` where only that is asked, and in full where it is 0;
- a number that only has to tell none from some is swept, together with all others of its level and direction; larger
  numbers need the sets of things themselves.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING
from weakref import proxy

import numpy as np

from policy_dsl.typed.tree import PathStep
from policy_engine.evaluation.sets import plan
from policy_engine.evaluation.sets.estate import Array, spans
from policy_engine.evaluation.sets.groups import Groups
from policy_engine.evaluation.sets.kernel import Flow, Sweep
from policy_engine.evaluation.sets.plan import Members
from policy_engine.evaluation.sets.rows import FALSE, MAYBE, TRUE, NotInColumnsError, Rows
from policy_engine.evaluation.sets.sweeps import Sweeps

if TYPE_CHECKING:
    from policy_engine.evaluation.sets.evaluation import Evaluation

Numbers = tuple[Array, Array]

# Rows that are looked at together: each costs some tens of bytes.
_MOST_ROWS = 1 << 25
# Groups for which a range is followed again.
_MOST_GROUPS = 48
# Groups for which sets of things are made again: they cost more.
_MOST_SETS = 8
# Up to this number, sets that are cut off at it are always small.
_FEW = 8


def bounded(rows: int) -> None:
    """Refuse to look at too many rows together.

    Raises:
        NotInColumnsError: there are too many.
    """
    if rows > _MOST_ROWS:
        raise NotInColumnsError("too many combinations of things")


def greatest(near: Array, truth: Array, size: int) -> Array:
    """Return for each of some places the greatest truth that it is given."""
    found = np.zeros(size, np.int8)
    # Most often there is nothing unknown.
    maybe = truth == MAYBE
    if maybe.any():
        found[near[maybe]] = MAYBE
    found[near[truth == TRUE]] = TRUE
    return found


class Ranges:
    """Counts the members of ranges for one evaluation."""

    def __init__(self, evaluation: "Evaluation", wanted: Iterable[Members], *, keeps_words: bool) -> None:
        # An evaluation owns its ranges and not the other way round: so its arrays go as soon as it does.
        self._evaluation: Evaluation = proxy(evaluation)
        self._estate = evaluation.estate
        self.sweeps = Sweeps(self._evaluation, wanted, keeps_words=keeps_words)
        self._sets: dict[tuple[int, int], tuple[Members, tuple[Numbers, ...] | NotInColumnsError]] = {}

    def numbers(self, members: Members, most: int, rows: Rows) -> Numbers:
        """Return how many members the range of each row has.

        Raises:
            NotInColumnsError: that is for the point evaluator.
        """
        match members.range:
            case plan.Whole():
                return self._of_kind(members, rows)
            case plan.Along(anchor, steps):
                outside = plan.things(members.condition) - {members.thing}
                if not outside:
                    return self._along(members, anchor, steps, most, rows)
                if not any(step.repeated for step in steps):
                    return self._by_row(members, anchor, steps, rows)
                return self._along_by_group(members, anchor, steps, most, rows)
            case plan.Flowing(hops=hops):
                if most == 1:
                    return self.sweeps.numbers(members, rows)
                if hops is not None:
                    raise NotInColumnsError("a number of things within hops")
                return self._by_sets(members, most, rows)

    # --- of a kind -----------------------------------------------------------------------------------------

    def _of_kind(self, members: Members, rows: Rows) -> Numbers:
        groups = self._evaluation.groups(members)
        size = len(self._estate.domain(members.thing.kinds))
        bounded(groups.count * size // 16)
        truths = [self.condition(members.condition, members.thing, groups, g) for g in range(groups.count)]
        sure = np.array([np.count_nonzero(truth == TRUE) for truth in truths], np.int64)
        possible = np.array([np.count_nonzero(truth) for truth in truths], np.int64)
        number = groups.number(rows)
        if number is None:
            return np.full(rows.size, sure[0]), np.full(rows.size, possible[0])
        return sure[number], possible[number]

    def condition(self, condition: plan.Condition, thing: plan.Thing, groups: Groups, group: int) -> Array:
        """Return the truth of a condition on all things of a variable's kinds, for one group of what is outside."""
        rows = Rows.whole(self._estate, thing)
        used = plan.things(condition) - {thing}
        if used:
            standing = groups.nodes(group)
            outside = {t.slot: np.broadcast_to(np.intp(standing.get(t.slot, 0)), (rows.size,)) for t in used}
            rows = Rows(rows.size, {**outside, **rows.things})
        return self._evaluation.truth(condition, rows)

    # --- along a path --------------------------------------------------------------------------------------

    def _along(
        self, members: Members, anchor: plan.Thing, steps: tuple[PathStep, ...], most: int, rows: Rows
    ) -> Numbers:
        nodes = rows.things[anchor.slot]
        column = self._evaluation.column(members.condition, members.thing)
        if most == 1:
            found = self._reached(column, steps)[nodes]
            return found == TRUE, found != FALSE
        if len(steps) == 1 and not steps[0].repeated:
            near, far = self._estate.edges(steps[0].edge, upstream=not steps[0].reverse)
            truth = column[far]
            sure = np.bincount(near[truth == TRUE], minlength=self._estate.size)
            possible = np.bincount(near[truth != FALSE], minlength=self._estate.size)
            return sure[nodes], possible[nodes]
        if any(step.repeated for step in steps):
            raise NotInColumnsError("a number of things along a repeated step")
        return self._by_row(members, anchor, steps, rows)

    def _along_by_group(
        self, members: Members, anchor: plan.Thing, steps: tuple[PathStep, ...], most: int, rows: Rows
    ) -> Numbers:
        if most != 1:
            raise NotInColumnsError("a number of things along a repeated step")
        groups = self._evaluation.groups(members)
        if groups.count > _MOST_GROUPS:
            raise NotInColumnsError("a condition along a repeated step tells too many things apart")
        number = groups.number(rows)
        found = np.zeros(rows.size, np.int8)
        for group in range(groups.count):
            column = np.zeros(self._estate.size, np.int8)
            truth = self.condition(members.condition, members.thing, groups, group)
            column[self._estate.domain(members.thing.kinds)] = truth
            chosen = np.arange(rows.size) if number is None else np.flatnonzero(number == group)
            found[chosen] = self._reached(column, steps)[rows.things[anchor.slot][chosen]]
        return found == TRUE, found != FALSE

    def _reached(self, column: Array, steps: tuple[PathStep, ...]) -> Array:
        """Return the greatest truth of a column among what a path from each node leads to."""
        for step in reversed(steps):
            if step.repeated:
                column = self._closed(column, step)
            else:
                near, far = self._estate.edges(step.edge, upstream=not step.reverse)
                column = greatest(near, column[far], self._estate.size)
        return column

    def _closed(self, column: Array, step: PathStep) -> Array:
        """Return the greatest truth of a column at each node and everything beyond it along one type of edge."""
        estate = self._estate
        allowed = np.zeros((max(1, len(estate.types)), 1), np.uint16)
        if step.edge in estate.types:
            allowed[estate.types[step.edge]] = 3
        own = np.where(column == TRUE, 3, np.where(column == MAYBE, 1, 0)).astype(np.uint16)[:, None]
        none = np.zeros(1, np.uint16)
        _, out = self._evaluation.kernel.sweep(estate, Sweep(not step.reverse, allowed, None, none, none, own))
        return np.where(out[:, 0] & 2, TRUE, out[:, 0] & 1).astype(np.int8)

    def _by_row(self, members: Members, anchor: plan.Thing, steps: tuple[PathStep, ...], rows: Rows) -> Numbers:
        """Follow a path without repeated steps from every row, and look at each end with the row that it is for."""
        near, nodes = np.arange(rows.size), rows.things[anchor.slot]
        for step in steps:
            starts, far = self._estate.edges(step.edge, upstream=not step.reverse)
            row = np.searchsorted(starts, np.arange(self._estate.size + 1))
            place, count = spans(row, nodes)
            bounded(len(place))
            near, nodes = np.repeat(near, count), far[place].astype(np.intp)
            if len(steps) > 1:
                distinct = np.unique(near * self._estate.size + nodes)
                near, nodes = np.divmod(distinct, max(1, self._estate.size))
        fitting = np.flatnonzero(self._estate.of_kinds(members.thing.kinds)[nodes])
        near, nodes = near[fitting], nodes[fitting]
        inner = {slot: outer[near] for slot, outer in rows.things.items()}
        inner[members.thing.slot] = nodes
        truth = self._evaluation.truth(members.condition, Rows(len(nodes), inner))
        sure = np.bincount(near[truth == TRUE], minlength=rows.size)
        possible = np.bincount(near[truth != FALSE], minlength=rows.size)
        return sure, possible

    # --- numbers of things in lineage ----------------------------------------------------------------------

    def _by_sets(self, members: Members, most: int, rows: Rows) -> Numbers:
        anchor = plan.anchor_of(members)
        groups = self._evaluation.groups(members)
        key = (id(members), most)
        if key not in self._sets:
            self._sets[key] = members, self._all_sets(members, most, groups)
        found = self._sets[key][1]
        if isinstance(found, NotInColumnsError):
            raise found
        nodes, number = rows.things[anchor.slot], groups.number(rows)
        if number is None:
            return found[0][0][nodes], found[0][1][nodes]
        sure, possible = np.zeros(rows.size, np.int64), np.zeros(rows.size, np.int64)
        for group, numbers in enumerate(found):
            chosen = number == group
            sure[chosen], possible[chosen] = numbers[0][nodes[chosen]], numbers[1][nodes[chosen]]
        return sure, possible

    def _all_sets(self, members: Members, most: int, groups: Groups) -> tuple[Numbers, ...] | NotInColumnsError:
        if groups.count > _MOST_SETS:
            return NotInColumnsError("a number of things that a condition tells apart for too many others")
        try:
            return tuple(self._sets_of(members, most, groups, group) for group in range(groups.count))
        except NotInColumnsError as why:
            return why

    def _sets_of(self, members: Members, most: int, groups: Groups, group: int) -> Numbers:
        flowing = members.range
        assert isinstance(flowing, plan.Flowing)  # noqa: S101 - callers ask for lineage only
        truth = self._spread(members.condition, members.thing, groups, group)
        bars = None
        if flowing.barrier is not None:
            bars = self._spread(flowing.barrier.condition, flowing.barrier.thing, groups, group)
        sure = self._set_sizes(flowing, truth == TRUE, None if bars is None else bars == FALSE, most)
        if not (truth == MAYBE).any() and (bars is None or not (bars == MAYBE).any()):
            return sure, sure
        return sure, self._set_sizes(flowing, truth != FALSE, None if bars is None else bars != TRUE, most)

    def _set_sizes(self, flowing: plan.Flowing, counted: Array, passing: Array | None, most: int) -> Array:
        """Return for each anchor how many of the counted nodes it reaches, by carrying the fewer of both."""
        estate, kernel = self._estate, self._evaluation.kernel
        anchors, ends = estate.domain(flowing.anchor.kinds), np.flatnonzero(counted)
        allowed = np.array([name in flowing.edges for name in estate.types] or [False])
        carries_anchors = len(anchors) < len(ends) and not (0 < most <= _FEW and kernel.name == "native")
        carried = anchors if carries_anchors else ends
        carrier = np.full(estate.size, -1, np.int32)
        carrier[carried] = np.arange(len(carried))
        flow = Flow(flowing.upstream, allowed, passing, carrier, len(carried))
        found = kernel.tallies(estate, flow, counted) if carries_anchors else kernel.sizes(estate, flow, most)
        if found is None:
            raise NotInColumnsError("the sets of things to be counted are too large")
        if not carries_anchors:
            return found
        sizes = np.zeros(estate.size, np.int64)
        sizes[anchors] = found
        return sizes

    def _spread(self, condition: plan.Condition, thing: plan.Thing, groups: Groups, group: int) -> Array:
        column = np.zeros(self._estate.size, np.int8)
        column[self._estate.domain(thing.kinds)] = self.condition(condition, thing, groups, group)
        return column
