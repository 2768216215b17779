"""Bindings in columns, and truth values in columns.

Rules: a truth value is 0 false, 1 unknown, 2 true, so that ``and`` is the least, ``or`` the greatest, and ``not`` is
what is missing to 2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from policy_engine.evaluation.sets.estate import Array, Estate, Kinds
from policy_engine.evaluation.sets.plan import Thing
from policy_engine.evaluation.trace import UNKNOWN

FALSE: Final = 0
MAYBE: Final = 1
TRUE: Final = 2


class NotInColumnsError(Exception):
    """A part of a plan is left to the point evaluator in this estate; the reason is one phrase."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of things by slot. ``kinds`` says that there is one slot and that it holds all things of some kinds."""

    size: int
    things: Mapping[int, Array]
    kinds: Kinds | None = None
    records: Array | None = None
    """The row of the evidence in view."""
    fresh: bool = False
    """Whether nothing may be used that was remembered of attributes and words: they may have changed."""
    few: bool = False
    """Whether the rows are so few that conditions are better decided for them than for all things."""

    @classmethod
    def whole(cls, estate: Estate, thing: Thing, kinds: Kinds | None = None) -> "Rows":
        """Return a row for every thing that a variable may stand for."""
        kinds = kinds if kinds is not None else thing.kinds
        nodes = estate.domain(kinds)
        return cls(len(nodes), {thing.slot: nodes}, kinds)

    def only(self, chosen: Array) -> "Rows":
        """Return some of the rows, by number."""
        records = None if self.records is None else self.records[chosen]
        things = {slot: nodes[chosen] for slot, nodes in self.things.items()}
        return Rows(len(chosen), things, None, records, self.fresh, self.few)

    def renamed(self, arguments: tuple[Thing, ...], formals: tuple[Thing, ...]) -> "Rows":
        """Return the rows with the things of some slots under others."""
        found = {f.slot: self.things[a.slot] for f, a in zip(formals, arguments, strict=True)}
        return Rows(self.size, found, self.kinds if len(found) == 1 else None, None, self.fresh, self.few)


def truth_of(value: Any) -> int:
    """Return the number of a truth value of the language."""
    if value is UNKNOWN:
        return MAYBE
    return TRUE if value is True else FALSE


def all_same(truth: int, size: int) -> Array:
    """Return one truth value for every row."""
    return np.full(size, truth, np.int8)
