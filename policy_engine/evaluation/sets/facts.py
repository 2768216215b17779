"""What is remembered of a plan: what its conditions depend on."""

from collections.abc import Callable

from policy_engine.evaluation.sets import plan
from policy_engine.evaluation.sets.plan import Condition, Thing


class Facts:
    """What is remembered of a plan: what its conditions depend on."""

    def __init__(self) -> None:
        self._things: dict[int, tuple[Condition, frozenset[Thing]]] = {}
        self._flags: dict[tuple[str, int], tuple[Condition, bool]] = {}

    def things(self, condition: Condition) -> frozenset[Thing]:
        """Return the things that a condition depends on."""
        found = self._things.get(id(condition))
        if found is None:
            found = self._things[id(condition)] = condition, plan.things(condition)
        return found[1]

    def is_costly(self, condition: Condition) -> bool:
        """Tell whether a condition asks the point evaluator by thing."""
        return self._flag("costly", condition, lambda c: any(True for _ in plan.pointwise_in(c)))

    def reads_record(self, condition: Condition) -> bool:
        """Tell whether a condition reads the evidence in view."""
        return self._flag("record", condition, plan.reads_record)

    def _flag(self, name: str, condition: Condition, find: Callable[[Condition], bool]) -> bool:
        found = self._flags.get((name, id(condition)))
        if found is None:
            found = self._flags[name, id(condition)] = condition, find(condition)
        return found[1]
