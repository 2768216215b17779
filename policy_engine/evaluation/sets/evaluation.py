"""Conditions over columns at one instant.

Rules:

- a condition on a single thing is decided for all things of its kinds at once and remembered;
- a condition on several things is decided for rows of them;
- what cannot be decided in columns is asked of the point evaluator, once for each distinct combination of things,
  and noted with the reason.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import assert_never

import numpy as np

from policy_dsl.typed import tree
from policy_engine.evaluation.sets import evidence, plan
from policy_engine.evaluation.sets.decided import Coded, Points, Table, numbered
from policy_engine.evaluation.sets.estate import Array, Estate, Kinds, spans
from policy_engine.evaluation.sets.evidence import Counting
from policy_engine.evaluation.sets.facts import Facts
from policy_engine.evaluation.sets.groups import Aspect, Grouped, Groups, aspects_of
from policy_engine.evaluation.sets.kernel import Kernel
from policy_engine.evaluation.sets.plan import Condition, Members, Thing
from policy_engine.evaluation.sets.ranges import Ranges, bounded, greatest
from policy_engine.evaluation.sets.rows import FALSE, MAYBE, TRUE, NotInColumnsError, Rows, all_same, truth_of

_CHEAP = (plan.Decided, plan.Stated, plan.Negated, plan.Joined, plan.IsKnown, plan.Otherwise, plan.Called)
"""Conditions that cost no more than their rows."""


class Evaluation:
    """Decides conditions at one instant."""

    def __init__(
        self,
        estate: Estate,
        points: Points,
        kernel: Kernel,
        at: datetime,
        facts: Facts,
        tables: dict[int, tuple[Condition, Table]],
        wanted: Iterable[Members],
        *,
        keeps_words: bool = False,
    ) -> None:
        self.estate = estate
        self.points = points
        self.kernel = kernel
        self.at = at
        self.facts = facts
        self.left: list[tuple[str, int]] = []
        """Why something was left to the point evaluator, and for how many combinations of things."""
        self._tables = tables
        self._own_tables: dict[int, tuple[Condition, Table]] = {}
        self._known: dict[tuple[int, Kinds], Array] = {}
        self._columns: dict[tuple[int, Kinds], Array] = {}
        self._evidence: dict[plan.Pattern, Counting] = {}
        self.grouped: dict[tuple[Thing, frozenset[Aspect]], Grouped] = {}
        self.ranges = Ranges(self, wanted, keeps_words=keeps_words)

    def truth(self, condition: Condition, rows: Rows) -> Array:
        """Return the truth of a condition for each row."""
        free = self.facts.things(condition)
        reads_record = self.facts.reads_record(condition)
        if not free and not reads_record and rows.size != 1:
            alone = Rows(1, {})
            return all_same(int(self.truth(condition, alone)[0]), rows.size)
        if len(free) == 1 and not reads_record:
            (thing,) = free
            if rows.kinds is not None:
                return self._for_kinds(condition, rows, rows.kinds)
            # Evidence does not change with attributes and words.
            direct = rows.fresh and not isinstance(condition, plan.Held)
            direct = direct or (rows.few and isinstance(condition, _CHEAP)) or self.facts.is_costly(condition)
            if not direct and rows.size:
                return self.column(condition, thing)[rows.things[thing.slot]]
        return self._truth(condition, rows)

    def column(self, condition: Condition, thing: Thing) -> Array:
        """Return the truth of a condition on a single thing by node; false for other kinds of nodes."""
        key = (id(condition), thing.kinds)
        if key not in self._columns:
            column = np.zeros(self.estate.size, np.int8)
            rows = Rows.whole(self.estate, thing)
            column[rows.things[thing.slot]] = self.truth(condition, rows)
            self._columns[key] = column
        return self._columns[key]

    def _for_kinds(self, condition: Condition, rows: Rows, kinds: Kinds) -> Array:
        key = (id(condition), kinds)
        if key not in self._known:
            self._known[key] = self._truth(condition, rows)
        return self._known[key]

    def _truth(self, condition: Condition, rows: Rows) -> Array:
        match condition:
            case plan.Always(expression, slots):
                return all_same(truth_of(self.points.constant(expression, slots, self.at)), rows.size)
            case plan.Decided():
                return self._decided(condition, rows)
            case plan.Stated(key, has_default):
                codes, _ = self._attribute(key, rows)
                known = np.zeros(rows.size, bool) if codes is None else codes >= 2
                if has_default:
                    known = np.ones(rows.size, bool) if codes is None else codes != 1
                return _two_valued(known)
            case plan.SameThing(one, other):
                return _two_valued(rows.things[one.slot] == rows.things[other.slot])
            case plan.Held():
                return self._held(condition, rows)
            case plan.Negated(part):
                return np.subtract(TRUE, self.truth(part, rows), dtype=np.int8)
            case plan.Joined(all_of, parts):
                return self._joined(parts, rows, all_of=all_of)
            case plan.IsKnown(part):
                return _two_valued(self.truth(part, rows) != MAYBE)
            case plan.Otherwise(part, otherwise):
                first = self.truth(part, rows)
                return np.where(first == MAYBE, self.truth(otherwise, rows), first)
            case plan.Called(formals=formals, arguments=arguments, body=body):
                return self.truth(body, rows.renamed(arguments, formals))
            case plan.Counted():
                return self._counted(condition, rows)
            case plan.Pointwise(expression, things, slots, reason):
                return self._pointwise(expression, frozenset(things), slots, reason, rows)
            case _:
                assert_never(condition)

    def _joined(self, parts: tuple[Condition, ...], rows: Rows, *, all_of: bool) -> Array:
        decisive, combine = (FALSE, np.minimum) if all_of else (TRUE, np.maximum)
        found = all_same(TRUE if all_of else FALSE, rows.size)
        costly = [part for part in parts if self.facts.is_costly(part)]
        for part in parts:
            if not self.facts.is_costly(part):
                found = combine(found, self.truth(part, rows))
        for part in costly:
            # The point evaluator is asked only where the rest has not decided.
            left = np.flatnonzero(found != decisive)
            if len(left) == rows.size:
                found = combine(found, self.truth(part, rows))
            elif len(left):
                found[left] = combine(found[left], self.truth(part, rows.only(left)))
        return found

    # --- leaves --------------------------------------------------------------------------------------------

    def _decided(self, condition: plan.Decided, rows: Rows) -> Array:
        lasting = not condition.timed and all(
            isinstance(key, plan.AttributeKey | plan.FieldKey) for key in condition.keys
        )
        tables = self._tables if lasting else self._own_tables
        _, table = tables.setdefault(id(condition), (condition, Table()))
        coded = [self.coded(key, rows) for key in condition.keys]

        def order() -> Array | None:
            match condition.keys:
                case (plan.AttributeKey(attribute=attribute),) if condition.ordered is not None:
                    return self.estate.order(attribute, condition.ordered)
                case _:
                    return None

        return table.decide(condition.expression, condition.slots, coded, rows, self.points, self.at, order)

    def coded(self, key: plan.Key, rows: Rows) -> Coded:
        """Return the codes of a key by row."""
        match key:
            case plan.AttributeKey():
                return self._attribute(key, rows)
            case plan.FieldKey(name):
                return self._field(name, rows)
            case plan.LatestKey(thing, field, pattern):
                return self._latest(field, pattern, rows.things[thing.slot])
            case plan.NumberKey(thing, members):
                return self._number(thing, members, rows)
            case _:
                assert_never(key)

    def _attribute(self, key: plan.AttributeKey, rows: Rows) -> Coded:
        codes, count = self.estate.codes(key.attribute)
        if codes is None:
            return None, count
        if rows.kinds is not None:
            return self.estate.codes_of(key.attribute, rows.kinds), count
        return codes[rows.things[key.thing.slot]], count

    def _field(self, name: str, rows: Rows) -> Coded:
        assert rows.records is not None  # noqa: S101 - fields are read in conditions on evidence only
        return self._of_records(name, rows.records)

    def _of_records(self, name: str, records: Array) -> Coded:
        if name in ("issued", "expires"):
            column = self.estate.evidence("issued" if name == "issued" else "until")[records]
            known, codes = np.unique(column, return_inverse=True)
            return codes, max(1, len(known))
        codes_of_all, count = self.estate.field_codes(name)
        return (None if codes_of_all is None else codes_of_all[records]), count

    def _latest(self, name: str, pattern: plan.Pattern, nodes: Array) -> Coded:
        youngest = evidence.latest(self._counting(pattern), self.estate.size)[nodes]
        there = np.flatnonzero(youngest >= 0)
        codes, count = self._of_records(name, youngest[there])
        # 0: there is none; from 1: the field's codes.
        all_codes = np.zeros(len(nodes), np.int64)
        all_codes[there] = 1 if codes is None else codes.astype(np.int64) + 1
        return all_codes, count + 1

    def _number(self, thing: Thing, members: Members, rows: Rows) -> Coded:
        anchor = plan.anchor_of(members)
        nodes = rows.things[thing.slot]
        try:
            sure, possible = self.ranges.numbers(members, 0, Rows(rows.size, {anchor.slot: nodes}, rows.kinds))
        except NotInColumnsError as why:
            self.left.append((str(why), len(np.unique(nodes))))
            return nodes, self.estate.size
        # 0: it is not known how many; from 1: the number.
        codes = np.where(sure == possible, sure + 1, 0)
        return codes, int(codes.max(initial=0)) + 1

    def _held(self, condition: plan.Held, rows: Rows) -> Array:
        thing, where = condition.thing, condition.where
        counting = self._counting(condition.pattern)
        if where is not None and self.facts.things(where) - {thing}:
            return self._held_by_row(condition, where, rows, counting)
        truth = counting.in_time
        if where is not None:
            inner = Rows(len(counting.rows), {thing.slot: counting.subjects}, None, counting.rows)
            truth = np.minimum(truth, self.truth(where, inner))
        return greatest(counting.subjects, truth, self.estate.size)[rows.things[thing.slot]]

    def _counting(self, pattern: plan.Pattern) -> Counting:
        if pattern not in self._evidence:
            if pattern.max_age is None:
                found = evidence.counting(pattern, self.estate, self.at)
            else:
                # Rules differ in the age that they allow more than in anything else.
                of_any_age = self._counting(replace(pattern, max_age=None, slots=0))
                age = self.points.constant(pattern.max_age, pattern.slots, self.at)
                found = evidence.not_older(of_any_age, age, self.at)
            self._evidence[pattern] = found
        return self._evidence[pattern]

    def _held_by_row(self, condition: plan.Held, where: Condition, rows: Rows, counting: Counting) -> Array:
        """Look at the evidence of each row: its condition depends on more than whom it is about."""
        found, truth = counting.rows, counting.in_time
        of_row = np.searchsorted(found, self.estate.evidence_rows())
        place, count = spans(of_row, rows.things[condition.thing.slot])
        bounded(len(place))
        near = np.repeat(np.arange(rows.size), count)
        inner = {slot: nodes[near] for slot, nodes in rows.things.items()}
        met = np.minimum(truth[place], self.truth(where, Rows(len(place), inner, None, found[place])))
        return greatest(near, met, rows.size)

    # --- quantifiers ---------------------------------------------------------------------------------------

    def _counted(self, condition: plan.Counted, rows: Rows) -> Array:
        word, number, members = condition.word, condition.number, condition.members
        if not condition.most:
            return all_same(TRUE, rows.size)
        try:
            sure, possible = self.ranges.numbers(members, condition.most, rows)
        except NotInColumnsError as why:
            asked = np.arange(rows.size)
            if condition.itself and isinstance(members.range, plan.Flowing):
                # Only what lies on a circle is among what it comes from.
                asked = np.flatnonzero(self.estate.on_circle[rows.things[members.range.anchor.slot]])
            none = np.zeros(rows.size, np.int64)
            found = compared(word, number, none, none)
            few = rows.only(asked)
            found[asked] = self._pointwise(condition.written, plan.things_of(members), members.slots, str(why), few)
            return found
        return compared(word, number, sure, possible)

    def groups(self, members: Members) -> Groups:
        """Return what the condition of a range can tell apart of the things outside it."""
        by_thing: dict[Thing, set[Aspect]] = {}
        for aspect in aspects_of(members):
            by_thing.setdefault(aspect.thing, set()).add(aspect)
        ordered = sorted(by_thing, key=lambda thing: thing.slot)
        return Groups(tuple(self._group(thing, frozenset(by_thing[thing])) for thing in ordered))

    def _group(self, thing: Thing, aspects: frozenset[Aspect]) -> Grouped:
        if (thing, aspects) not in self.grouped:
            rows = Rows.whole(self.estate, thing)
            nodes = rows.things[thing.slot]
            codes, standing = numbered([self.seen(aspect, rows) for aspect in aspects], rows.size)
            number = np.zeros(self.estate.size, np.int64)
            number[nodes] = codes
            self.grouped[thing, aspects] = Grouped(thing, number, nodes[standing])
        return self.grouped[thing, aspects]

    def seen(self, aspect: Aspect, rows: Rows) -> Coded:
        """Return what tells things apart, by row, in codes."""
        match aspect.by:
            case None:
                return rows.things[aspect.thing.slot], self.estate.size
            case plan.AttributeKey() | plan.LatestKey() | plan.NumberKey() as key:
                return self.coded(key, rows)
            case condition:
                return self.truth(condition, rows), TRUE + 1

    def _pointwise(
        self,
        expression: tree.Expression,
        things: frozenset[Thing],
        slots: int,
        reason: str,
        rows: Rows,
    ) -> Array:
        used = sorted(things, key=lambda thing: thing.slot)
        coded: list[Coded] = [(rows.things[thing.slot], self.estate.size) for thing in used]
        if rows.records is not None:
            coded.append((rows.records, len(self.estate.evidence("type"))))
        codes, standing = numbered(coded, rows.size)
        self.left.append((reason, len(standing)))
        values = [self.points.value(expression, slots, self.at, rows, int(row)) for row in standing]
        found: Array = np.array([truth_of(value) for value in values], np.int8)[codes]
        return found


def compared(word: tree.CountWord, number: int, sure: Array, possible: Array) -> Array:
    """Return whether counts hold; numbers counted up to one more than is asked for do.

    Where it was only told none from some, both are truth values.
    """
    if sure.dtype == bool and possible.dtype == bool:
        # Surely there: 2; only possibly there: 1; and at most 0 is what is missing to 2.
        some = np.add(sure, possible, dtype=np.int8)
        return some if word is tree.CountWord.AT_LEAST else np.subtract(TRUE, some, dtype=np.int8)
    match word:
        case tree.CountWord.AT_LEAST:
            holds, fails = sure >= number, possible < number
        case tree.CountWord.AT_MOST:
            holds, fails = possible <= number, sure > number
        case tree.CountWord.EXACTLY:
            fails = (sure > number) | (possible < number)
            holds = ~fails & (sure == possible)
        case _:
            assert_never(word)
    return np.where(holds, TRUE, np.where(fails, FALSE, MAYBE)).astype(np.int8)


def _two_valued(found: Array) -> Array:
    return np.where(found, TRUE, FALSE).astype(np.int8)
