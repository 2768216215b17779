"""How high each item of each column stands: few crossings, short edges, the lane straight through the middle.

Sweeps to the right and to the left put every item near the mean height of its neighbours in the column before (the
barycentre method), and settle each column so that nothing overlaps: of all heights that keep the order and the
distances, those nearest to the wished ones (isotonic regression by pooling adjacent violators). The order with the
fewest crossings is kept; then heights are evened out between both sides.

>>> settled([(0.0, 1.0), (0.0, 1.0), (9.0, 1.0)], [4.0, 4.0])
[-2.0, 2.0, 9.0]
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Mapping, Sequence
from itertools import pairwise

from policy_reports.pictures.layers import Item, Layers, WayPoint

GAP = 24.0
WAY_GAP = 9.0
_FIRM = 1e6
_SWEEPS = 24
_EVENINGS = 10


def heights(layered: Layers, size: Mapping[str, float], lane: frozenset[Item]) -> dict[Item, float]:
    """Return the middle of every item; the items of the lane are at nought."""
    columns = _first_order(layered, lane)
    neighbours = _neighbours(layered)
    middle: dict[Item, float] = {}
    for column in columns:
        _settle(column, dict.fromkeys(column, 0.0), middle, size, lane)
    best, fewest = [list(column) for column in columns], _crossings(columns, neighbours, middle)
    for sweep in range(_SWEEPS):
        rightwards = sweep % 2 == 0
        for column in columns if rightwards else reversed(columns):
            wished = {item: _mean(neighbours[item][not rightwards], middle, item) for item in column}
            for item in lane.intersection(column):
                wished[item] = 0.0
            column.sort(key=lambda item: wished[item])
            _settle(column, wished, middle, size, lane)
        crossings = _crossings(columns, neighbours, middle)
        if crossings <= fewest:
            best, fewest = [list(column) for column in columns], crossings
    for evening in range(_EVENINGS):
        for column in best if evening % 2 == 0 else reversed(best):
            wished = {item: _mean((*neighbours[item][0], *neighbours[item][1]), middle, item) for item in column}
            _settle(column, wished, middle, size, lane)
    return middle


def _first_order(layered: Layers, lane: frozenset[Item]) -> list[list[Item]]:
    """Return the items of each column, way points and the lane in the middle."""
    columns: list[list[Item]] = [[] for _ in range(max(layered.column.values()) + 1)]
    for item, at in layered.column.items():
        columns[at].append(item)
    for column in columns:
        firm = [item for item in column if item in lane]
        ways = [item for item in column if item not in lane and _passes(item)]
        others = [item for item in column if item not in lane and not _passes(item)]
        half, half_way = len(others) // 2, len(ways) // 2
        column[:] = [*others[:half], *ways[:half_way], *firm, *ways[half_way:], *others[half:]]
    return columns


def _neighbours(layered: Layers) -> dict[Item, tuple[list[Item], list[Item]]]:
    """Return for each item what it is joined with in the column to the right and to the left."""
    found: dict[Item, tuple[dict[Item, None], dict[Item, None]]] = {item: ({}, {}) for item in layered.column}
    for route in layered.routes:
        for left, right in pairwise(route.items):
            found[left][0][right] = None
            found[right][1][left] = None
    return {item: (list(right), list(left)) for item, (right, left) in found.items()}


def _mean(items: Sequence[Item], middle: Mapping[Item, float], own: Item) -> float:
    return sum(middle[item] for item in items) / len(items) if items else middle[own]


def _settle(
    column: Sequence[Item],
    wished: Mapping[Item, float],
    middle: dict[Item, float],
    size: Mapping[str, float],
    lane: frozenset[Item],
) -> None:
    wishes = [(0.0, _FIRM) if item in lane else (wished[item], 1.0) for item in column]
    distances = [
        (_size(one, size) + _size(other, size)) / 2 + (WAY_GAP if _passes(one) or _passes(other) else GAP)
        for one, other in pairwise(column)
    ]
    middle.update(zip(column, settled(wishes, distances), strict=True))


def _passes(item: Item) -> bool:
    return isinstance(item, WayPoint)


def _size(item: Item, size: Mapping[str, float]) -> float:
    return 0.0 if isinstance(item, WayPoint) else size[item]


def settled(wishes: Sequence[tuple[float, float]], distances: Sequence[float]) -> list[float]:
    """Return the values nearest to the wished ones (each with its weight) that keep at least these distances."""
    offsets = [0.0]
    for distance in distances:
        offsets.append(offsets[-1] + distance)
    pools: list[tuple[float, float, int]] = []  # mean, weight, how many
    for (wish, weight), offset in zip(wishes, offsets, strict=False):
        pool = (wish - offset, weight, 1)
        while pools and pools[-1][0] > pool[0]:
            mean, heavy, many = pools.pop()
            both = heavy + pool[1]
            pool = ((mean * heavy + pool[0] * pool[1]) / both, both, many + pool[2])
        pools.append(pool)
    means = [mean for mean, _, many in pools for _ in range(many)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=False)]


def _crossings(
    columns: Sequence[Sequence[Item]],
    neighbours: Mapping[Item, tuple[list[Item], list[Item]]],
    middle: Mapping[Item, float],
) -> int:
    """Count the pairs of edges that cross between neighbouring columns."""
    crossings = 0
    for column in columns:
        passed: list[float] = []
        for item in column:
            ends = sorted(middle[other] for other in neighbours[item][0])
            crossings += sum(len(passed) - bisect_right(passed, end) for end in ends)
            for end in ends:
                insort(passed, end)
    return crossings
