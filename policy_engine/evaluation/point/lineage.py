"""Breadth-first lineage over the snapshot's adjacency, remembered until the evaluator wants it forgotten."""

from collections.abc import Callable

from policy_dsl.typed.schema import Schema
from policy_dsl.typed.tree import PathStep
from policy_engine.evaluation import world
from policy_engine.evaluation.trace import Item
from policy_engine.model.results import Hop

Passable = Callable[[str], bool]


class Lineage:
    """Walks over one snapshot."""

    def __init__(self, snapshot: world.Lineage, schema: Schema) -> None:
        self.snapshot = snapshot
        self.schema = schema
        self._labels = {e.name: e.reverse or e.name for e in schema.edges.values()}
        self._walks: dict[tuple[str, bool, frozenset[str], int | None], list[Item]] = {}
        self._ways: dict[tuple[str, tuple[PathStep, ...]], list[Item]] = {}
        self.size = 0
        """How many things are remembered, with the steps of the ways to them."""

    def forget(self) -> None:
        """Drop remembered walks."""
        self._walks.clear()
        self._ways.clear()
        self.size = 0

    def along(self, anchor: str, steps: tuple[PathStep, ...]) -> list[Item]:
        """Return the things that a path of edges leads to, nearest first, then by id."""
        key = (anchor, steps)
        found = self._ways.get(key)
        if found is None:
            found = self._ways[key] = self._along(anchor, steps)
            self.size += 1 + len(found) + sum(len(item.path) for item in found)
        return found

    def _along(self, anchor: str, steps: tuple[PathStep, ...]) -> list[Item]:
        # A place is how many steps are done and where; a repeated step may be passed without moving.
        reached: dict[tuple[int, str], tuple[Hop, ...]] = {}
        level: dict[tuple[int, str], tuple[Hop, ...]] = {(0, anchor): ()}
        while level:
            # INVARIANT: places are settled in the order in which their ways read, so the first way to a place stands.
            for (at, node), way in sorted(level.items(), key=lambda item: (_reading(item[1]), item[0])):
                passing = at
                while (passing, node) not in reached:
                    reached[passing, node] = way
                    if passing == len(steps) or not steps[passing].repeated:
                        break
                    passing += 1
            level = self._following(level, reached, steps)
        ends = [(node, way) for (at, node), way in reached.items() if at == len(steps)]
        return [Item(node, way) for node, way in sorted(ends, key=lambda end: (len(end[1]), end[0]))]

    def _following(
        self,
        level: dict[tuple[int, str], tuple[Hop, ...]],
        reached: dict[tuple[int, str], tuple[Hop, ...]],
        steps: tuple[PathStep, ...],
    ) -> dict[tuple[int, str], tuple[Hop, ...]]:
        """Return the places one edge beyond a level, by the way that reads first."""
        length = len(next(iter(level.values())))
        found: dict[tuple[int, str], tuple[Hop, ...]] = {}
        for (at, node), way in reached.items():
            if len(way) != length or at == len(steps):
                continue
            step = steps[at]
            ends = self.snapshot.sources_of(node, step.edge) if step.reverse else self.snapshot.targets(node, step.edge)
            label = self._labels[step.edge] if step.reverse else step.edge
            for end in ends:
                place = (at if step.repeated else at + 1, end)
                candidate = (*way, Hop(label, end))
                if place not in reached and (place not in found or _reading(candidate) < _reading(found[place])):
                    found[place] = candidate
        return found

    def open_walk(self, anchor: str, edges: frozenset[str], hops: int | None, *, upstream: bool) -> list[Item]:
        """Return everything reached with no barrier in the way, nearest first, then by id."""
        key = (anchor, upstream, edges, hops)
        if key not in self._walks:
            paths = self.reach(anchor, edges, hops, lambda _: True, upstream=upstream)
            self._walks[key] = [Item(node, path) for node, path in paths.items()]
            self.size += 1 + len(paths) + sum(map(len, paths.values()))
        return self._walks[key]

    def reach(
        self, anchor: str, edges: frozenset[str], hops: int | None, passable: Passable, *, upstream: bool
    ) -> dict[str, tuple[Hop, ...]]:
        """Return the shortest path to each thing reached, nearest first, then by id."""
        onward, ordered = self.snapshot.onward, tuple(sorted(edges))
        labels = {edge: edge for edge in ordered} if upstream else self._labels
        paths: dict[str, tuple[Hop, ...]] = {}
        level = [anchor]
        distance = 0
        while level and (hops is None or distance < hops):
            distance += 1
            found: dict[str, tuple[Hop, ...]] = {}
            # INVARIANT: a level is sorted by id, so the first way to a thing leads over the smallest node before it.
            for node in level:
                if distance > 1 and (node == anchor or not passable(node)):
                    continue
                path = paths.get(node, ()) if distance > 1 else ()
                for edge, ends in onward(node, ordered, upstream=upstream):
                    for end in ends:
                        if end not in paths and end not in found:
                            found[end] = (*path, Hop(labels[edge], end))
            level = sorted(found)
            paths.update((end, found[end]) for end in level)
        return paths


def _reading(way: tuple[Hop, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((hop.node, hop.edge or "") for hop in way)
