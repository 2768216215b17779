"""Ranges of quantifiers → closures that list the things in them."""

from collections.abc import Callable

from policy_dsl.typed import tree
from policy_dsl.typed.schema import Schema
from policy_dsl.typed.types import NodeType, Type
from policy_engine.evaluation.point.run import Run, Tracer, Value
from policy_engine.evaluation.trace import UNKNOWN, Item
from policy_engine.model.results import Hop, MissingFact

Items = Callable[[Run], list[Item]]


class Ranges:
    """Compiles ranges; conditions of barriers are compiled by the expression compiler."""

    def __init__(
        self, schema: Schema, value: Callable[[tree.Expression], Value], trace: Callable[[tree.Expression], Tracer]
    ) -> None:
        self.schema = schema
        self.value = value
        self.trace = trace

    def items(self, count: tree.Count | tree.Aggregate) -> Items:
        """Return the closure that lists the things of a quantifier's range and kind, nearest first, then by id."""
        kinds = self.kinds_of(count.variable.type)
        match count.range:
            case tree.KindRange():
                return lambda run: [Item(node, ()) for node in run.world.snapshot.ids_of(kinds)]
            case tree.PathRange(anchor, steps):
                slot = anchor.slot
                found: Items = lambda run: run.lineage.along(run.slots[slot], steps)  # noqa: E731 - a branch
            case tree.LineageRange() as lineage:
                found = self.lineage(lineage)

        def of_kind(run: Run) -> list[Item]:
            kind = run.world.snapshot.kind
            return [item for item in found(run) if kind(item.node) in kinds]

        return of_kind

    def kinds_of(self, bound: Type) -> frozenset[str]:
        """Return the kinds that a variable may stand for."""
        assert isinstance(bound, NodeType)  # noqa: S101 - the checker binds quantifiers to kinds
        return self.schema.kinds_below(bound.kind)

    def lineage(self, lineage: tree.LineageRange) -> Items:
        """Return the closure that walks upstream or downstream."""
        if lineage.barrier is not None:
            return self.barred_lineage(lineage, lineage.barrier)
        slot, edges, hops, upstream = lineage.anchor.slot, lineage.edges, lineage.hops, lineage.upstream
        return lambda run: run.lineage.open_walk(run.slots[slot], edges, hops, upstream=upstream)

    def barred_lineage(self, lineage: tree.LineageRange, barrier: tree.Barrier) -> Items:
        """Return the closure that walks twice: past what surely is no barrier, and past what may be none."""
        kinds = self.kinds_of(barrier.variable.type)
        slot = barrier.variable.slot
        condition, traced = self.value(barrier.condition), self.trace(barrier.condition)

        def walk(run: Run) -> list[Item]:
            anchor = run.slots[lineage.anchor.slot]
            barred: dict[str, object] = {}

            def bars(node: str) -> object:
                if node not in barred:
                    run.slots[slot] = node
                    barred[node] = run.world.snapshot.kind(node) in kinds and condition(run)
                return barred[node]

            def reach(passable: Callable[[str], bool]) -> dict[str, tuple[Hop, ...]]:
                return run.lineage.reach(anchor, lineage.edges, lineage.hops, passable, upstream=lineage.upstream)

            surely = reach(lambda node: bars(node) is False)
            maybe = reach(lambda node: bars(node) is not True)
            doubts = frozenset[MissingFact]()
            for node in maybe:
                if node != anchor and bars(node) is UNKNOWN:
                    run.slots[slot] = node
                    doubts |= traced(run).missing
            items = [Item(node, path) for node, path in surely.items()]
            items += [Item(node, path, False, doubts) for node, path in maybe.items() if node not in surely]
            return sorted(items, key=lambda item: (len(item.path), item.node))

        return walk
