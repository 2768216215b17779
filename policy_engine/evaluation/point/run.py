"""One evaluation of one subject: the state that compiled closures share."""

from collections.abc import Callable
from datetime import datetime
from itertools import islice
from typing import Any

from policy_engine.evaluation.instants import earlier
from policy_engine.evaluation.point.lineage import Lineage
from policy_engine.evaluation.trace import Trace
from policy_engine.evaluation.world import View
from policy_engine.model.evidence import Evidence


class Memory:
    """What definitions gave for things at one instant: the same for every rule, because a definition sees nothing else.

    Values that were found without tracking say nothing on when they change, so they are not kept here.
    """

    __slots__ = ("_held", "_weighed", "traced", "values")

    def __init__(self) -> None:
        self.values: dict[tuple[Any, ...], tuple[Any, datetime | None]] = {}
        self.traced: dict[tuple[Any, ...], Trace] = {}
        self._held = self._weighed = 0

    @property
    def size(self) -> int:
        """How much is remembered: results, and all that the grounds of those that were traced hold."""
        # Nothing is ever taken out, so what is not weighed yet stands at the end.
        for trace in islice(reversed(self.traced.values()), len(self.traced) - self._weighed):
            self._held += 1 + len(trace.facts) + len(trace.missing) + len(trace.evidence)
            self._held += sum(len(witness.hops) for witness in trace.witnesses)
        self._weighed = len(self.traced)
        return len(self.values) + self._held


class Run:
    """Bound things by slot, the evidence in view, and the first instant at which something seen may change."""

    __slots__ = ("at", "horizon", "known", "lineage", "record", "remembered", "slots", "traced", "tracking", "world")

    def __init__(
        self,
        world: View,
        lineage: Lineage,
        slots: int,
        at: datetime,
        *,
        tracking: bool = True,
        memory: Memory | None = None,
    ) -> None:
        self.world = world
        self.lineage = lineage
        self.at = at
        self.slots: list[Any] = [None] * slots
        self.record: Evidence | None = None
        self.horizon: datetime | None = None
        self.tracking = tracking
        # Results of definitions, so that definitions that call each other cost no more than one call for each thing.
        self.known = memory.values if memory is not None else {}
        self.remembered = self.known if tracking else {}
        self.traced = memory.traced if memory is not None else {}

    def changes(self, when: datetime | None) -> None:
        """Note that something seen changes at an instant."""
        if when is not None and when > self.at:
            self.horizon = earlier(self.horizon, when)


Value = Callable[[Run], Any]
Tracer = Callable[[Run], Trace]
