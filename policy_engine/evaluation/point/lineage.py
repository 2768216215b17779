"""Breadth-first lineage over the snapshot's adjacency, remembered for as long as an evaluator looks at one subject."""

from collections.abc import Callable

from policy_dsl.typed.schema import Schema
from policy_engine.evaluation.trace import Item
from policy_engine.lineage.graph import Snapshot
from policy_engine.model.results import Hop

Passable = Callable[[str], bool]


class Lineage:
    """Walks over one snapshot."""

    def __init__(self, snapshot: Snapshot, schema: Schema) -> None:
        self.snapshot = snapshot
        self.schema = schema
        self._labels = {e.name: e.reverse or e.name for e in schema.edges.values()}
        self._walks: dict[tuple[str, bool, frozenset[str], int | None], list[Item]] = {}

    def forget(self) -> None:
        """Drop remembered walks."""
        self._walks.clear()

    def along(self, node: str, edge: str, *, reverse: bool) -> list[Item]:
        """Return the things one edge away, by id."""
        ends = self.snapshot.sources_of(node, edge) if reverse else self.snapshot.targets(node, edge)
        label = self._labels[edge] if reverse else edge
        return [Item(end, (Hop(label, end),)) for end in ends]

    def open_walk(self, anchor: str, edges: frozenset[str], hops: int | None, *, upstream: bool) -> list[Item]:
        """Return everything reached with no barrier in the way, nearest first, then by id."""
        key = (anchor, upstream, edges, hops)
        if key not in self._walks:
            paths = self.reach(anchor, edges, hops, lambda _: True, upstream=upstream)
            self._walks[key] = [Item(node, path) for node, path in paths.items()]
        return self._walks[key]

    def reach(
        self, anchor: str, edges: frozenset[str], hops: int | None, passable: Passable, *, upstream: bool
    ) -> dict[str, tuple[Hop, ...]]:
        """Return the shortest path to each thing reached, nearest first, then by id."""
        step = self.snapshot.targets if upstream else self.snapshot.sources_of
        ordered = [(edge, edge if upstream else self._labels[edge]) for edge in sorted(edges)]
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
                for edge, label in ordered:
                    for end in step(node, edge):
                        if end not in paths and end not in found:
                            found[end] = (*path, Hop(label, end))
            level = sorted(found)
            paths.update((end, found[end]) for end in level)
        return paths
