"""Sets that flow along edges, in numpy: the sets of a level are made together, by sorting.

Rules:

- a set is a run of ascending items in one pool; its owner has a place and a length;
- the items that flow into a level are numbers made of node and item, so that one sort puts sets in order and finds
  what is there twice;
- the nodes of a circle are done one by one, for as long as their sets grow.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from policy_engine.evaluation.sets.estate import Array, Estate, Way
from policy_engine.evaluation.sets.kernel import Flow

# So many items are kept at most, of four bytes each.
_MOST_ITEMS = 48 * 1024 * 1024
# About so many items are sorted together.
_BLOCK = 1 << 16

Visit = Callable[[Array, Array, Array], None]
"""Told of nodes, and of pairs in order: the index of a node among them, and a carrier that reaches it."""


@dataclass(frozen=True, slots=True)
class Level:
    """Nodes whose edges lead to lower levels only."""

    nodes: Array
    """Nodes with edges and in no circle."""
    starts: Array
    """Where the edges of each begin in the lists of this level."""
    far: Array
    type: Array
    circles: tuple[tuple[int, int], ...]


class TooManyItemsError(Exception):
    """The sets are too large to be carried."""


def carry(estate: Estate, way: Way, levels: list[Level], flow: Flow, visit: Visit) -> None:
    """Tell which carriers reach each node.

    Raises:
        TooManyItemsError: the sets are too large.
    """
    sets = _Sets(estate.size, flow)
    for level in levels:
        if len(level.nodes):
            keys = sets.into(level)
            local, items = sets.pairs(keys)
            visit(level.nodes, local, items)
            sets.put(level.nodes, keys, local)
        for start, end in level.circles:
            _settle(way, sets, start, end)
            for node in range(start, end):
                items = sets.into_one(way, node)
                visit(np.array([node]), np.zeros(len(items), np.intp), items)


class _Sets:
    def __init__(self, size: int, flow: Flow) -> None:
        self._flow = flow
        self._base = max(1, flow.carriers)
        carriers = np.flatnonzero(flow.carrier >= 0)
        # What depends on nothing is all that comes out of it.
        self._pool = np.arange(flow.carriers, dtype=np.uint32)
        self._top = flow.carriers
        self._start, self._length = np.zeros(size, np.int64), np.zeros(size, np.int64)
        self._start[carriers], self._length[carriers] = flow.carrier[carriers], 1

    def into(self, level: Level) -> Array:
        """Return what flows into the nodes of a level, as numbers made of a node's index and an item."""
        counts = np.diff(level.starts, append=len(level.far))
        open_edges = np.flatnonzero(self._flow.allowed[level.type] & (self._length[level.far] > 0))
        word = np.uint32 if len(level.nodes) * self._base < 2**32 else np.uint64
        local = np.repeat(np.arange(len(level.nodes), dtype=word), counts)[open_edges]
        far = level.far[open_edges]
        start, length = self._start[far], self._length[far]
        ends = np.cumsum(length)
        # Some nodes at a time: what is made for them stays near the processor. Most of the time goes here.
        cuts = np.searchsorted(ends, np.arange(_BLOCK, int(ends[-1]) if len(ends) else 0, _BLOCK))
        cuts = np.unique(np.searchsorted(local, local[cuts]))
        found, kept = [np.zeros(0, word)], 0
        for first, last in pairwise([0, *cuts.tolist(), len(local)]):
            counts = length[first:last]
            after = np.cumsum(counts)
            _bounded(kept + (int(after[-1]) if len(after) else 0))
            place = np.repeat(start[first:last] - (after - counts), counts)
            place += np.arange(len(place))
            base = local[first:last] * self._base
            keys: Array = np.repeat(base, counts)
            keys += self._pool[place]
            found.append(_distinct(keys))
            kept += len(found[-1])
        return np.concatenate(found)

    def pairs(self, keys: Array) -> tuple[Array, Array]:
        """Return the index of the node and the item that numbers are made of."""
        local = keys // keys.dtype.type(self._base)
        return local, keys - local * keys.dtype.type(self._base)

    def put(self, nodes: Array, keys: Array, local: Array) -> None:
        """Keep what comes out of nodes: what flows into those that let it pass, and carriers themselves."""
        own = self._flow.carrier[nodes]
        carriers = np.flatnonzero(own >= 0)
        if self._flow.passing is not None:
            passes = self._flow.passing[nodes][local] != 0
            keys, local = keys[passes], local[passes]
        if len(carriers):
            added = carriers.astype(keys.dtype) * keys.dtype.type(self._base) + own[carriers].astype(keys.dtype)
            # In no circle nothing comes back to where it is from: these are new.
            keys = np.sort(np.concatenate([keys, added]))
            local, _ = self.pairs(keys)
        length = np.bincount(local, minlength=len(nodes))
        self._start[nodes], self._length[nodes] = self._top + np.cumsum(length) - length, length
        self._keep(self.pairs(keys)[1])

    def out(self, node: int) -> Array:
        """Return what comes out of a node."""
        start = int(self._start[node])
        return self._pool[start : start + int(self._length[node])]

    def into_one(self, way: Way, node: int) -> Array:
        """Return what flows into a node."""
        edges = range(int(way.row[node]), int(way.row[node + 1]))
        found = [self.out(int(way.far[edge])) for edge in edges if self._flow.allowed[way.type[edge]]]
        return _distinct(np.concatenate([np.zeros(0, np.uint32), *found]))

    def put_one(self, node: int, items: Array) -> bool:
        """Keep what comes out of a node; tell whether it is more than before."""
        if self._flow.passing is not None and not self._flow.passing[node]:
            items = items[:0]
        if self._flow.carrier[node] >= 0:
            items = _distinct(np.append(items, np.uint32(self._flow.carrier[node])))
        if len(items) == self._length[node]:
            return False
        self._start[node], self._length[node] = self._top, len(items)
        self._keep(items)
        return True

    def empty(self, start: int, end: int) -> None:
        """Forget what comes out of some nodes."""
        self._length[start:end] = 0

    def _keep(self, items: Array) -> None:
        top = self._top + len(items)
        _bounded(top)
        if top > len(self._pool):
            room = np.empty(max(top, 2 * len(self._pool)), np.uint32)
            room[: self._top] = self._pool[: self._top]
            self._pool = room
        self._pool[self._top : top] = items
        self._top = top


def _settle(way: Way, sets: _Sets, start: int, end: int) -> None:
    """Do the nodes of a circle, each again for as long as something that it depends on grows."""
    sets.empty(start, end)
    order = range(end - 1, start - 1, -1) if way.descending else range(start, end)
    waiting, queued = deque(order), set(order)
    while waiting:
        node = waiting.popleft()
        queued.discard(node)
        if not sets.put_one(node, sets.into_one(way, node)):
            continue
        for reader in way.back_far[int(way.back_row[node]) : int(way.back_row[node + 1])].tolist():
            if start <= reader < end and reader not in queued:
                queued.add(reader)
                waiting.append(reader)


def _distinct(keys: Array) -> Array:
    """Return numbers in order, each once."""
    keys.sort()
    if len(keys) < 2:
        return keys
    fresh = np.ones(len(keys), bool)
    np.not_equal(keys[1:], keys[:-1], out=fresh[1:])
    return keys[fresh]


def _bounded(items: int) -> None:
    if items > _MOST_ITEMS:
        raise TooManyItemsError
