"""Quantifiers over lineage: each is a bit of a word that every node has, and one pass answers them all.

Rules:

- a quantifier that has to tell none from some has a bit for what surely is there, and where anything is unknown a
  second bit for what possibly is; within hops it has as many bits as hops;
- a condition that sees some aspects of the things outside has bits for each group of them;
- quantifiers of one level and direction share a pass, or a few where their words would take too much memory; a level
  begins when something asks for it, and by asking for its own conditions begins the levels below;
- of the words only those of anchors are kept, word by word, unless they are to be brought up to date later.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from policy_engine.evaluation.sets import plan
from policy_engine.evaluation.sets.estate import Array, Kinds
from policy_engine.evaluation.sets.groups import Groups
from policy_engine.evaluation.sets.kernel import Sweep, Word, words_for
from policy_engine.evaluation.sets.plan import Members
from policy_engine.evaluation.sets.profiles import Part, Profiles, profiles_of
from policy_engine.evaluation.sets.rows import FALSE, MAYBE, TRUE, NotInColumnsError, Rows

if TYPE_CHECKING:
    from policy_engine.evaluation.sets.evaluation import Evaluation

# Groups of one quantifier that may have bits.
_MOST_GROUPS = 48
# Words that are full end a pass: every word takes four times its size for each node.
_MOST_WORDS = 4


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
class Words:
    """What was swept, and the words that came into and went out of each node."""

    sweep: Sweep
    found: Array
    out: Array


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass over the edges: what is asked, and the words that came into anchors, by their kinds, a row a word."""

    asked: dict[int, Asked]
    planes: dict[Kinds, Array]
    words: Words | None


@dataclass(frozen=True, slots=True)
class _Column:
    """A field's own truth on the things of some kinds, and where lineage does not pass."""

    bits: Bits
    flowing: plan.Flowing
    own: tuple[Profiles, Array]
    blocked: tuple[Profiles, Array] | None


class Sweeps:
    """Answers quantifiers over lineage for one evaluation, a pass at a time."""

    def __init__(self, evaluation: "Evaluation", wanted: Iterable[Members], *, keeps_words: bool) -> None:
        """Take what is to be answered, for an evaluation that lives as long as it is asked."""
        self._evaluation = evaluation
        self._keeps_words = keeps_words
        self._estate = evaluation.estate
        self._wanted: dict[tuple[int, bool], list[Members]] = {}
        for members in dict.fromkeys(wanted):
            if isinstance(members.range, plan.Flowing):
                self._wanted.setdefault((members.range.level, members.range.upstream), []).append(members)
        self.passes: list[Pass] = []
        self._begun: dict[tuple[int, bool], dict[int, Pass]] = {}

    def numbers(self, members: Members, rows: Rows) -> tuple[Array, Array]:
        """Return for each row whether anything surely, and possibly, is a member.

        Raises:
            NotInColumnsError: the condition tells too many things apart.
        """
        flowing = members.range
        assert isinstance(flowing, plan.Flowing)  # noqa: S101 - callers ask for lineage only
        key = (flowing.level, flowing.upstream)
        if key not in self._begun:
            made = list(self._passes(self._wanted[key], upstream=flowing.upstream))
            self._begun[key] = {place: one for one in made for place in one.asked}
            self.passes += made
        one = self._begun[key].get(id(members))
        if one is None:
            raise NotInColumnsError("a condition on lineage tells too many things apart")
        asked, planes = one.asked[id(members)], self._planes(one, flowing.anchor, rows)
        number = asked.groups.number(rows)
        sure = _any(planes, asked.sure, number)
        return sure, sure if asked.possible == asked.sure else _any(planes, asked.possible, number)

    def _planes(self, one: Pass, anchor: plan.Thing, rows: Rows) -> Array:
        nodes = rows.things[anchor.slot]
        if one.words is not None:
            return one.words.found[nodes].T
        if rows.kinds == anchor.kinds:
            return one.planes[anchor.kinds]
        return one.planes[anchor.kinds][:, np.searchsorted(self._estate.domain(anchor.kinds), nodes)]

    def _passes(self, wanted: list[Members], *, upstream: bool) -> Iterator[Pass]:
        profiles = self._all_profiles(wanted)
        layout, columns, asked = _Layout(), list[_Column](), dict[int, Asked]()
        for members in wanted:
            groups = self._evaluation.groups(members)
            if groups.count > _MOST_GROUPS:
                continue
            made = [self._columns(members, groups, group, layout, profiles) for group in range(groups.count)]
            columns += [column for one, other in made for column in ((one,) if one is other else (one, other))]
            sure, possible = tuple(one.bits for one, _ in made), tuple(other.bits for _, other in made)
            asked[id(members)] = Asked(members, groups, sure, possible)
            if layout.bits >= 64 * _MOST_WORDS:
                yield self._pass(asked, self._sweep(columns, layout, profiles, upstream=upstream))
                layout, columns, asked = _Layout(), [], {}
        if asked:
            yield self._pass(asked, self._sweep(columns, layout, profiles, upstream=upstream))

    def _pass(self, asked: dict[int, Asked], sweep: Sweep) -> Pass:
        found, out = self._evaluation.kernel.sweep(self._estate, sweep)
        if self._keeps_words:
            return Pass(asked, {}, Words(sweep, found, out))
        anchors = {plan.anchor_of(one.members).kinds for one in asked.values()}
        planes = {kinds: np.ascontiguousarray(found[self._estate.domain(kinds)].T) for kinds in anchors}
        return Pass(asked, planes, None)

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
        # Only wide words can be brought up to date.
        word, width = (np.uint64, -(-layout.bits // 64)) if self._keeps_words else words_for(layout.bits)
        shape = (self._estate.size, width)
        allowed = np.zeros((max(1, len(self._estate.types)), width), word)
        field, kept = np.zeros(width, word), np.zeros(width, word)
        own, stopped = dict[Kinds, Array](), dict[Kinds, Array]()
        for column in columns:
            bits = column.bits
            for edge in column.flowing.edges & self._estate.types.keys():
                allowed[self._estate.types[edge], bits.word] |= word(bits.mask)
            if column.flowing.hops is not None:
                field[bits.word] |= word(bits.mask)
                kept[bits.word] |= word(bits.mask & ~(1 << (bits.first + bits.width - 1)))
            _set(own, column.own, bits.word, 1 << bits.first, allowed)
            if column.blocked is not None:
                _set(stopped, column.blocked, bits.word, bits.mask, allowed)
        passing = None
        if stopped:
            passing = self._spread(stopped, profiles, shape, word)
            np.invert(passing, out=passing)
        return Sweep(upstream, allowed, passing, field, kept, self._spread(own, profiles, shape, word))

    def _spread(
        self, tables: dict[Kinds, Array], profiles: dict[Kinds, Profiles], shape: tuple[int, int], word: Word
    ) -> Array:
        """Give every node the words of its profile."""
        found, done = np.zeros(shape, word), set[str]()
        for kinds, table in tables.items():
            nodes, words = self._estate.domain(kinds), table[profiles[kinds].number]
            if done.isdisjoint(kinds):
                found[nodes] = words
            else:
                found[nodes] |= words
            done |= kinds
        return found


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


def _set(tables: dict[Kinds, Array], column: tuple[Profiles, Array], place: int, mask: int, like: Array) -> None:
    """Set bits of the profiles that are chosen, in words as wide as others are."""
    profiles, chosen = column
    if profiles.kinds not in tables:
        tables[profiles.kinds] = np.zeros((len(profiles.standing), like.shape[1]), like.dtype)
    tables[profiles.kinds][chosen, place] |= like.dtype.type(mask)


def _any(planes: Array, bits: tuple[Bits, ...], number: Array | None) -> Array:
    """Return for each row whether any bit is set of the field of its group; without groups there are no rows."""
    if not bits:
        return np.zeros(planes.shape[1], bool)
    masks = np.array([field.mask for field in bits], planes.dtype)
    places = [field.word for field in bits]
    found: Array
    if number is None:
        found = (planes[places[0]] & masks[0]) != 0
    elif len(set(places)) == 1:
        found = (planes[places[0]] & masks[number]) != 0
    else:
        found = (planes[np.array(places)[number], np.arange(planes.shape[1])] & masks[number]) != 0
    return found
