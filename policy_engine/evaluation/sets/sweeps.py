"""Quantifiers over lineage: each is a bit of a word that every node has, and one pass answers them all.

Rules:

- a quantifier that has to tell none from some has a bit for what surely is there, and where anything is unknown a
  second bit for what possibly is; within hops it has as many bits as hops;
- a condition that sees some aspects of the things outside has bits for each group of them;
- quantifiers of one level and direction share a pass; a level begins when something asks for it, and by asking for
  its own conditions begins the levels below.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from policy_engine.evaluation.sets import plan
from policy_engine.evaluation.sets.estate import Array, Kinds
from policy_engine.evaluation.sets.groups import Groups
from policy_engine.evaluation.sets.kernel import Sweep, words_for
from policy_engine.evaluation.sets.plan import Members
from policy_engine.evaluation.sets.profiles import Part, Profiles, profiles_of
from policy_engine.evaluation.sets.rows import FALSE, MAYBE, TRUE, NotInColumnsError, Rows

if TYPE_CHECKING:
    from policy_engine.evaluation.sets.evaluation import Evaluation

# Bits that the groups of one quantifier may take.
_MOST_GROUPS = 48


@dataclass(frozen=True, slots=True)
class Bits:
    """A field of bits: which word, the first bit in it, and how many."""

    word: int
    first: int
    width: int

    @property
    def mask(self) -> int:
        """All bits of the field, in its word."""
        return ((1 << self.width) - 1) << self.first


@dataclass(frozen=True, slots=True)
class Asked:
    """A quantifier in a pass: its groups, and for each the bits for what is surely and what is possibly there."""

    members: Members
    groups: Groups
    sure: tuple[Bits, ...]
    possible: tuple[Bits, ...]


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass over the edges: what is asked, and the words that came into and went out of each node."""

    asked: dict[int, Asked]
    sweep: Sweep
    found: Array
    out: Array


@dataclass(frozen=True, slots=True)
class _Column:
    """A field's own truth on the things of some kinds, and where lineage does not pass."""

    bits: Bits
    flowing: plan.Flowing
    own: tuple[Profiles, Array]
    blocked: tuple[Profiles, Array] | None


class Sweeps:
    """Answers quantifiers over lineage for one evaluation, a pass at a time."""

    def __init__(self, evaluation: "Evaluation", wanted: Iterable[Members]) -> None:
        self._evaluation = evaluation
        self._estate = evaluation.estate
        self._wanted: dict[tuple[int, bool], list[Members]] = {}
        for members in dict.fromkeys(wanted):
            if isinstance(members.range, plan.Flowing):
                self._wanted.setdefault((members.range.level, members.range.upstream), []).append(members)
        self.passes: dict[tuple[int, bool], Pass] = {}
        self._gathered: dict[tuple[int, bool, Kinds], Array] = {}

    def numbers(self, members: Members, rows: Rows) -> tuple[Array, Array]:
        """Return for each row whether anything surely, and possibly, is a member.

        Raises:
            NotInColumnsError: the condition tells too many things apart.
        """
        flowing = members.range
        assert isinstance(flowing, plan.Flowing)  # noqa: S101 - callers ask for lineage only
        key = (flowing.level, flowing.upstream)
        if key not in self.passes:
            self.passes[key] = self._pass(self._wanted[key])
        asked = self.passes[key].asked.get(id(members))
        if asked is None:
            raise NotInColumnsError("a condition on lineage tells too many things apart")
        words = self._words(key, flowing.anchor, rows)
        number = asked.groups.number(rows)
        sure = _any(words, asked.sure, number)
        return sure, sure if asked.possible == asked.sure else _any(words, asked.possible, number)

    def _words(self, key: tuple[int, bool], anchor: plan.Thing, rows: Rows) -> Array:
        found = self.passes[key].found
        if rows.kinds is None:
            return found[rows.things[anchor.slot]]
        place = (*key, rows.kinds)
        if place not in self._gathered:
            self._gathered[place] = found[rows.things[anchor.slot]]
        return self._gathered[place]

    def _pass(self, wanted: list[Members]) -> Pass:
        columns: list[_Column] = []
        profiles = self._all_profiles(wanted)
        layout = _Layout()
        asked = {}
        for members in wanted:
            groups = self._evaluation.groups(members)
            if groups.count <= _MOST_GROUPS:
                made = [self._columns(members, groups, group, layout, profiles) for group in range(groups.count)]
                columns += [column for one, other in made for column in ((one,) if one is other else (one, other))]
                sure, possible = tuple(one.bits for one, _ in made), tuple(other.bits for _, other in made)
                asked[id(members)] = Asked(members, groups, sure, possible)
        upstream = bool(wanted) and isinstance(wanted[0].range, plan.Flowing) and wanted[0].range.upstream
        sweep = self._sweep(columns, layout, profiles, upstream=upstream)
        found, out = self._evaluation.kernel.sweep(self._estate, sweep)
        return Pass(asked, sweep, found, out)

    def _columns(
        self, members: Members, groups: Groups, group: int, layout: "_Layout", profiles: dict[Kinds, Profiles]
    ) -> tuple[_Column, _Column]:
        """Return the field for what surely is there, and for what possibly is: the same where all is known."""
        flowing = members.range
        assert isinstance(flowing, plan.Flowing)  # noqa: S101 - only these are wanted
        width = flowing.hops or 1
        own = profiles[members.thing.kinds]
        truth = own.truth(self._evaluation, (members.condition, members.thing), groups, group)
        barred, bars = own, np.zeros(0, np.int8)
        if flowing.barrier is not None:
            thing = flowing.barrier.thing
            barred = profiles[thing.kinds]
            bars = barred.truth(self._evaluation, (flowing.barrier.condition, thing), groups, group)
        blocked = (barred, bars != FALSE) if len(bars) else None
        sure = _Column(layout.place(width), flowing, (own, truth == TRUE), blocked)
        if not (truth == MAYBE).any() and not (bars == MAYBE).any():
            return sure, sure
        blocked = (barred, bars == TRUE) if len(bars) else None
        return sure, _Column(layout.place(width), flowing, (own, truth != FALSE), blocked)

    def _all_profiles(self, wanted: list[Members]) -> dict[Kinds, Profiles]:
        parts: dict[Kinds, list[Part]] = {}
        for members in wanted:
            parts.setdefault(members.thing.kinds, []).append((members.condition, members.thing))
            if isinstance(members.range, plan.Flowing) and members.range.barrier is not None:
                barrier = members.range.barrier
                parts.setdefault(barrier.thing.kinds, []).append((barrier.condition, barrier.thing))
        return {kinds: profiles_of(self._evaluation, kinds, found) for kinds, found in parts.items()}

    def _sweep(
        self, columns: list[_Column], layout: "_Layout", profiles: dict[Kinds, Profiles], *, upstream: bool
    ) -> Sweep:
        word, width = words_for(layout.bits)
        shape = (self._estate.size, width)
        allowed = np.zeros((max(1, len(self._estate.types)), width), word)
        field, kept = np.zeros(width, word), np.zeros(width, word)
        own, passing = np.zeros(shape, word), np.zeros(shape, word)
        gathered: dict[tuple[Kinds, int, bool], Array] = {}
        for column in columns:
            bits = column.bits
            for edge in column.flowing.edges & self._estate.types.keys():
                allowed[self._estate.types[edge], bits.word] |= word(bits.mask)
            if column.flowing.hops is not None:
                field[bits.word] |= word(bits.mask)
                kept[bits.word] |= word(bits.mask & ~(1 << (bits.first + bits.width - 1)))
            _gather(gathered, column.own, bits.word, word(1 << bits.first), is_own=True)
            if column.blocked is not None:
                _gather(gathered, column.blocked, bits.word, word(bits.mask), is_own=False)
        for (kinds, place, is_own), values in gathered.items():
            target = own if is_own else passing
            target[self._estate.domain(kinds), place] |= values[profiles[kinds].number]
        has_barriers = any(column.blocked is not None for column in columns)
        return Sweep(upstream, allowed, ~passing if has_barriers else None, field, kept, own)


class _Layout:
    """Places fields of bits in words; none lies in two words."""

    def __init__(self) -> None:
        self.bits = 0

    def place(self, width: int) -> Bits:
        if self.bits % 64 + width > 64:
            self.bits += 64 - self.bits % 64
        word, first = divmod(self.bits, 64)
        self.bits += width
        return Bits(word, first, width)


def _gather(
    gathered: dict[tuple[Kinds, int, bool], Array],
    column: tuple[Profiles, Array],
    place: int,
    mask: Any,
    *,
    is_own: bool,
) -> None:
    profiles, chosen = column
    values = np.multiply(chosen, mask)
    key = (profiles.kinds, place, is_own)
    gathered[key] = gathered[key] | values if key in gathered else values


def _any(words: Array, bits: tuple[Bits, ...], number: Array | None) -> Array:
    """Return for each row whether any bit is set of the field of its group."""
    word = words.dtype.type
    if number is None:
        alone: Array = (words[:, bits[0].word] & word(bits[0].mask)) != 0
        return alone
    masks = np.array([field.mask for field in bits], words.dtype)
    if words.shape[1] == 1:
        of_group: Array = (words[:, 0] & masks[number]) != 0
        return of_group
    places = np.array([field.word for field in bits], np.intp)
    found: Array = (words[np.arange(len(words)), places[number]] & masks[number]) != 0
    return found
