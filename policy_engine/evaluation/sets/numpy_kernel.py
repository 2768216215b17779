"""The kernel without a compiler: whole levels of the graph at a time, in numpy.

Rules:

- a node's level is one above the highest level that its edges lead to; a level needs only the levels below it, so one
  ``bitwise_or.reduceat`` does all its nodes. The nodes of a circle share a level and are done one by one;
- sets are carried as lists of items, which is fast where they are small, and else as bits, 64 carriers a word, which
  is slow; with too many carriers they are left to the point evaluator.
"""

from collections import deque
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from policy_engine.evaluation.sets.estate import Array, Estate, Way, spans
from policy_engine.evaluation.sets.kernel import Flow, Sweep
from policy_engine.evaluation.sets.numpy_sets import Level, TooManyItemsError, Visit, carry

# Words a pass: more at once would only cost memory.
_WIDTH = 4
# Carriers that are worth their passes.
_MOST_CARRIERS = 64 * 128


class NumpyKernel:
    """The loops by levels."""

    name = "numpy"

    def __init__(self) -> None:
        # Levels follow from the estate alone.
        self._levels: dict[tuple[int, bool], tuple[Estate, list[Level]]] = {}

    def sweep(self, estate: Estate, sweep: Sweep) -> tuple[Array, Array]:
        """Return the words that flow into each node, and those that flow out."""
        found, out = np.zeros_like(sweep.own), sweep.own.copy()
        way = estate.way(upstream=sweep.upstream)
        for level in self._levels_of(estate, upstream=sweep.upstream):
            if len(level.nodes):
                flowing = out[level.far] & sweep.allowed[level.type]
                into = np.bitwise_or.reduceat(flowing, level.starts, axis=0)
                found[level.nodes] = into
                out[level.nodes] = _out(sweep, into, level.nodes)
            for start, end in level.circles:
                _settle(way, sweep, found, out, start, end)
        return found, out

    def sizes(self, estate: Estate, flow: Flow, most: int) -> Array | None:
        """Return for each node how many carriers reach it, counted up to ``most`` (0: all)."""
        size = np.zeros(estate.size, np.int64)

        def visit(nodes: Array, local: Array, _: Array) -> None:
            size[nodes] = np.bincount(local, minlength=len(nodes))

        if self._carry(estate, flow, visit, upstream=flow.upstream):
            return np.minimum(size, most) if most else size
        if flow.carriers > _MOST_CARRIERS:
            return None
        size[:] = 0
        for words, _ in self._blocks(estate, flow, upstream=flow.upstream):
            size += np.bitwise_count(words).sum(axis=1, dtype=np.int64)
        return np.minimum(size, most) if most else size

    def tallies(self, estate: Estate, flow: Flow, counted: Array) -> Array | None:
        """Return for each carrier how many of the counted nodes it reaches."""
        tally = np.zeros(flow.carriers, np.int64)
        is_counted = counted != 0

        def visit(nodes: Array, local: Array, items: Array) -> None:
            tally[:] += np.bincount(items[is_counted[nodes][local]], minlength=flow.carriers)

        if self._carry(estate, flow, visit, upstream=not flow.upstream):
            return tally
        if flow.carriers > _MOST_CARRIERS:
            return None
        chosen = np.flatnonzero(counted)
        for words, first in self._blocks(estate, flow, upstream=not flow.upstream):
            for index in range(first, min(first + 64 * words.shape[1], flow.carriers)):
                word, bit = divmod(index - first, 64)
                tally[index] = np.count_nonzero(words[chosen, word] & np.uint64(1 << bit))
        return tally

    def _carry(self, estate: Estate, flow: Flow, visit: Visit, *, upstream: bool) -> bool:
        """Tell which carriers reach each node; tell whether the sets were small enough for that."""
        levels = self._levels_of(estate, upstream=upstream)
        try:
            carry(estate, estate.way(upstream=upstream), levels, flow, visit)
        except TooManyItemsError:
            return False
        return True

    def _blocks(self, estate: Estate, flow: Flow, *, upstream: bool) -> Iterator[tuple[Array, int]]:
        """Yield the words in which carriers reach each node, with the index of the first carrier of the words."""
        nodes = np.flatnonzero(flow.carrier >= 0)
        index = flow.carrier[nodes].astype(np.int64)
        every = ~np.uint64(0)
        for first in range(0, flow.carriers, 64 * _WIDTH):
            inside = (index >= first) & (index < first + 64 * _WIDTH)
            own = np.zeros((estate.size, _WIDTH), np.uint64)
            word, bit = np.divmod(index[inside] - first, 64)
            own[nodes[inside], word] = np.uint64(1) << bit.astype(np.uint64)
            allowed = np.where(flow.allowed[:, None] != 0, every, np.uint64(0)).repeat(_WIDTH, axis=1)
            passing = None
            if flow.passing is not None:
                passing = np.where(flow.passing[:, None] != 0, every, np.uint64(0)).repeat(_WIDTH, axis=1)
            none = np.zeros(_WIDTH, np.uint64)
            yield self.sweep(estate, Sweep(upstream, allowed, passing, none, none, own))[0], first

    def _levels_of(self, estate: Estate, *, upstream: bool) -> list[Level]:
        key = (id(estate), upstream)
        if key not in self._levels:
            self._levels[key] = estate, _levels(estate, estate.way(upstream=upstream))
        return self._levels[key][1]


def _out(sweep: Sweep, into: Array, nodes: Array | int) -> Array:
    """Return what flows out of nodes."""
    passed = into if sweep.passing is None else into & sweep.passing[nodes]
    found: Array = sweep.own[nodes] | (passed & ~sweep.field)
    if sweep.kept.any():
        found |= (passed & sweep.kept) << sweep.own.dtype.type(1)
    return found


def _settle(way: Way, sweep: Sweep, found: Array, out: Array, start: int, end: int) -> None:
    """Do the nodes of a circle, each again for as long as something that it depends on changes."""
    out[start:end] = 0
    order = range(end - 1, start - 1, -1) if way.descending else range(start, end)
    waiting, queued = deque(order), set(order)
    while waiting:
        node = waiting.popleft()
        queued.discard(node)
        row = slice(int(way.row[node]), int(way.row[node + 1]))
        into = np.bitwise_or.reduce(out[way.far[row]] & sweep.allowed[way.type[row]], axis=0)
        found[node] = into
        after = _out(sweep, into, node)
        if (after == out[node]).all():
            continue
        out[node] = after
        for reader in way.back_far[int(way.back_row[node]) : int(way.back_row[node + 1])].tolist():
            if start <= reader < end and reader not in queued:
                queued.add(reader)
                waiting.append(reader)


def _levels(estate: Estate, way: Way) -> list[Level]:
    """Return the levels of a graph, lowest first."""
    level = _level_of_each(estate, way)
    circles: dict[int, list[tuple[int, int]]] = {}
    circular = np.zeros(estate.size, bool)
    for start, end in zip(estate.cycle_start.tolist(), estate.cycle_end.tolist(), strict=True):
        circles.setdefault(int(level[start]), []).append((start, end))
        circular[start:end] = True
    with_edges = np.flatnonzero(~circular & (way.row[1:] > way.row[:-1]))
    with_edges = with_edges[np.argsort(level[with_edges], kind="stable")]
    bounds = np.searchsorted(level[with_edges], np.arange(int(level.max(initial=0)) + 2))
    found = []
    for number, (first, last) in enumerate(pairwise(bounds.tolist())):
        nodes = with_edges[first:last]
        edges, counts = spans(way.row, nodes)
        starts = np.cumsum(counts) - counts
        inside = tuple(circles.get(number, ()))
        if len(nodes) or inside:
            found.append(Level(nodes, starts, way.far[edges], way.type[edges], inside))
    return found


def _level_of_each(estate: Estate, way: Way) -> Array:
    """Return the level of each node: one more than the highest that its edges lead to; a circle counts as one node."""
    n = estate.size
    head = np.arange(n, dtype=np.int64)
    last = head + 1
    for start, end in zip(estate.cycle_start.tolist(), estate.cycle_end.tolist(), strict=True):
        head[start:end] = start
        last[start] = end
    near = head[np.repeat(np.arange(n), np.diff(way.row))]
    waits = np.bincount(near[near != head[way.far]], minlength=n)
    level = np.zeros(n, np.int32)
    front = np.flatnonzero((waits == 0) & (head == np.arange(n)))
    number = 0
    while len(front):
        members = _members(front, last)
        level[members] = number
        edges, counts = spans(way.back_row, members)
        readers, own = head[way.back_far[edges]], np.repeat(head[members], counts)
        readers = readers[readers != own]
        np.subtract.at(waits, readers, 1)
        ready = np.zeros(n, bool) if len(readers) * 8 > n else None
        if ready is None:
            front = np.unique(readers[waits[readers] == 0])
        else:
            ready[readers[waits[readers] == 0]] = True
            front = np.flatnonzero(ready)
        number += 1
    return level


def _members(heads: Array, last: Array) -> Array:
    """Return all nodes of circles and single nodes, given the first of each."""
    counts = last[heads] - heads
    ends = np.cumsum(counts)
    found: Array = np.arange(ends[-1]) + np.repeat(heads - (ends - counts), counts)
    return found
