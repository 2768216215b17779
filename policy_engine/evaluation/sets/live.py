"""Words that stay swept while facts change: which results does a changed attribute change?

Rules:

- a changed attribute of one thing changes that thing's own bits; they flow on only as far as words change;
- a rule is followed if its conditions are about its subject's own attributes and evidence, and about lineage whose
  conditions are about the own attributes and evidence of what is reached; other rules are listed with the reason;
- what follows from words kept up to date is what a new evaluation of the changed estate would find;
- where the change makes a difference between things that no two had before, everything is swept again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from policy_dsl.typed.tree import Program
from policy_dsl.typed.types import Simple
from policy_dsl.values import Value
from policy_engine.evaluation.sets import plan
from policy_engine.evaluation.sets.codes import SetEvaluationError
from policy_engine.evaluation.sets.decided import Points, Table
from policy_engine.evaluation.sets.estate import Array, Estate
from policy_engine.evaluation.sets.evaluation import Evaluation
from policy_engine.evaluation.sets.evaluator import is_in_force, statuses
from policy_engine.evaluation.sets.facts import Facts
from policy_engine.evaluation.sets.groups import Aspect, Grouped
from policy_engine.evaluation.sets.kernel import Kernel
from policy_engine.evaluation.sets.native_kernel import NativeKernel
from policy_engine.evaluation.sets.plan import Condition, Thing
from policy_engine.evaluation.sets.planning import plan_of
from policy_engine.evaluation.sets.results import STATUSES
from policy_engine.evaluation.sets.rows import FALSE, MAYBE, TRUE, Rows
from policy_engine.evaluation.sets.sweeps import Asked, Bits, Words
from policy_engine.evaluation.world import View
from policy_engine.lineage.columns.codec import encode
from policy_engine.lineage.columns.reader import EstateFile, MappedEvidence, MappedSnapshot
from policy_engine.model.results import Status


@dataclass(frozen=True, slots=True, order=True)
class Changed:
    """A result that is another than before."""

    rule: str
    subject: str
    before: Status
    after: Status


class ChangedSnapshot(MappedSnapshot):
    """The lineage of an estate file with some attributes changed."""

    def __init__(self, file: EstateFile) -> None:
        super().__init__(file)
        self.changes: dict[tuple[str, str], Value | None] = {}

    def value(self, node_id: str, attribute: str) -> Value | None:
        """Return what is known of an attribute, or nothing when it is absent or contradicted."""
        key = (node_id, attribute)
        return self.changes[key] if key in self.changes else super().value(node_id, attribute)

    def is_contradicted(self, node_id: str, attribute: str) -> bool:
        """Tell whether sources contradict each other about an attribute; they do not about a changed one."""
        return (node_id, attribute) not in self.changes and super().is_contradicted(node_id, attribute)


class ChangedEstate(Estate):
    """The columns of an estate with some attributes changed."""

    def __init__(self, file: EstateFile) -> None:
        super().__init__(file)
        self._changed: dict[str, tuple[Array, dict[str, int]]] = {}

    def codes(self, attribute: str) -> tuple[Array | None, int]:
        """Return the codes of an attribute and how many there may be."""
        changed = self._changed.get(attribute)
        return super().codes(attribute) if changed is None else (changed[0], len(changed[1]) + 2)

    def order(self, attribute: str, of: Simple) -> Array | None:
        """Return by code where a value is in the order of all; nothing if values were added, which have no place."""
        return None if attribute in self._changed else super().order(attribute, of)

    def assign(self, node: int, attribute: str, value: Value | None) -> None:
        """Give an attribute of a node another value, or none."""
        if attribute not in self._changed:
            codes, _ = super().codes(attribute)
            column = np.zeros(self.size, np.uint32) if codes is None else codes.astype(np.uint32)
            self._changed[attribute] = column, self._dictionary(attribute)
        column, known = self._changed[attribute]
        column[node] = 0 if value is None else known.setdefault(encode(value), len(known) + 2)
        self.forget(attribute)

    def _dictionary(self, attribute: str) -> dict[str, int]:
        name = f"attribute.{attribute}"
        if f"{name}.code" not in self.file:
            return {}
        values = self.file.dictionary(name)
        return {encode(values[entry]): entry + 2 for entry in range(len(values))}


class LiveWords:
    """The results of the rules that are followed, at one instant, kept up to date."""

    def __init__(self, program: Program, file: EstateFile, at: datetime, kernel: Kernel) -> None:
        self.file = file
        self.snapshot = ChangedSnapshot(file)
        self.estate = ChangedEstate(file)
        self._program = program
        self._at = at
        self._kernel = kernel
        self._points = Points(View(program, self.snapshot, MappedEvidence(file)), self.estate)
        in_force = {name: one for name, one in plan_of(program).rules.items() if is_in_force(one, at)}
        self.others = {name: reason for name, one in in_force.items() if (reason := _reason(one))}
        """Rules that are not followed, with the reason."""
        self._plans = {name: one for name, one in in_force.items() if name not in self.others}
        self._facts, self._tables = Facts(), dict[int, tuple[Condition, Table]]()
        self._mark = np.zeros(self.estate.size, np.uint8)
        self._reached = np.zeros(self.estate.size, np.uint32)
        # By identity: the plan keeps what is counted alive.
        self._reads: dict[int, frozenset[str]] = {}
        self._statuses: dict[str, Array] = {}
        self._sweep()

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that are followed."""
        return tuple(self._plans)

    def status(self, rule: str, subject: str) -> Status:
        """Return the status of a rule that is followed for one thing.

        Raises:
            SetEvaluationError: PE3503, the rule is not followed, or is not about this thing.
        """
        number = self.file.find(subject)
        if number is None or rule not in self._plans or self.file.kind(number) not in self._plans[rule].subject.kinds:
            raise SetEvaluationError("PE3503", f"no rule `{rule}` that is followed is about `{subject}`")
        return STATUSES[self._statuses[rule][number]]

    def change(self, node_id: str, attribute: str, value: Value | None) -> tuple[Changed, ...]:
        """Change an attribute of a thing, and return the results that are others than before, in order.

        Raises:
            LineageError: PE3152, there is no such thing.
            SetEvaluationError: PE3504, it has no such attribute.
        """
        node = self.file.number(node_id)
        if attribute not in self._program.schema.kinds[self.file.kind(node)].attributes:
            raise SetEvaluationError("PE3504", f"`{node_id}` has no attribute `{attribute}`")
        self.snapshot.changes[node_id, attribute] = value
        self.estate.assign(node, attribute, value)
        # (1) Things outside quantifiers may now belong to other groups.
        for (thing, aspects), grouped in self._evaluation.grouped.items():
            concerned = self.file.kind(node) in thing.kinds and any(_may_read(one, attribute) for one in aspects)
            if concerned and not self._regroup(thing, aspects, grouped, node):
                return self._sweep_again()
        # (2) The thing's own bits may be others, and flow on.
        reached = [np.array([node], np.intp)]
        for words, asked in self._passes:
            flowed = self._flow(words, asked.values(), node, attribute)
            if flowed is None:
                return self._sweep_again()
            reached.append(flowed)
        # (3) Results can only have changed where words or the thing itself did.
        return tuple(sorted(self._decide(np.unique(np.concatenate(reached)))))

    # --- everything ----------------------------------------------------------------------------------------

    def _sweep(self) -> None:
        wanted = [m for one in self._plans.values() for c in plan.conditions_of(one) for m in plan.swept_in(c)]
        self._evaluation = Evaluation(
            self.estate, self._points, self._kernel, self._at, self._facts, self._tables, wanted, keeps_words=True
        )
        for name, one in self._plans.items():
            rows = Rows.whole(self.estate, one.subject)
            column = np.zeros(self.estate.size, np.uint8)
            column[rows.things[one.subject.slot]] = statuses(self._evaluation, one, rows)
            self._statuses[name] = column
            for reason, _ in self._evaluation.left:
                self.others[name] = reason
            self._evaluation.left.clear()
        self._plans = {name: one for name, one in self._plans.items() if name not in self.others}
        swept = self._evaluation.ranges.sweeps.passes
        self._passes = [(one.words, one.asked) for one in swept if one.words is not None]

    def _sweep_again(self) -> tuple[Changed, ...]:
        before = dict(self._statuses)
        self._sweep()
        found = [self._differences(name, np.arange(self.estate.size), before[name]) for name in self._plans]
        return tuple(sorted(change for changes in found for change in changes))

    # --- one thing -----------------------------------------------------------------------------------------

    def _regroup(self, thing: Thing, aspects: frozenset[Aspect], grouped: Grouped, node: int) -> bool:
        """Put a thing into the group that it now belongs to; tell whether there is one."""
        if node in grouped.standing:
            # The others of its group may no longer be like it.
            return False
        rows = Rows(len(grouped.standing) + 1, {thing.slot: np.append(grouped.standing, node)}, fresh=True)
        same = np.ones(len(grouped.standing), bool)
        for aspect in aspects:
            codes, _ = self._evaluation.seen(aspect, rows)
            if codes is not None:
                same &= codes[:-1] == codes[-1]
        place = np.flatnonzero(same)
        if len(place):
            grouped.number[node] = place[0]
        return bool(len(place))

    def _flow(self, one: Words, all_asked: Iterable[Asked], node: int, attribute: str) -> Array | None:
        """Bring the words of a pass up to date; return where other bits flow in, or nothing if that is everywhere."""
        own, passing = one.sweep.own[node].copy(), None
        if one.sweep.passing is not None:
            passing = one.sweep.passing[node].copy()
        if not all(self._set_bits(one, asked, node) for asked in all_asked if attribute in self._read(asked)):
            return None
        same_pass = passing is None or one.sweep.passing is None or (one.sweep.passing[node] == passing).all()
        if (one.sweep.own[node] == own).all() and same_pass:
            return np.zeros(0, np.intp)
        if isinstance(self._kernel, NativeKernel):
            words, start = (one.found, one.out), np.array([node], np.uint32)
            found = self._kernel.change(self.estate, one.sweep, words, start, self._mark, self._reached)
            return None if found is None else found.astype(np.intp)
        found, out = self._kernel.sweep(self.estate, one.sweep)
        reached = np.flatnonzero((found != one.found).any(axis=1))
        one.found[:], one.out[:] = found, out
        return reached

    def _set_bits(self, one: Words, asked: Asked, node: int) -> bool:
        """Set a thing's own bits; tell whether there are bits for what became unknown."""
        members, kind = asked.members, self.file.kind(node)
        flowing = members.range
        assert isinstance(flowing, plan.Flowing)  # noqa: S101 - only these are asked
        for group, (sure, possible) in enumerate(zip(asked.sure, asked.possible, strict=True)):
            outside = {slot: np.array([n]) for slot, n in asked.groups.nodes(group).items()}
            truths = []
            if kind in members.thing.kinds:
                truths.append(truth := self._truth(members.condition, members.thing, outside, node))
                _put(one.sweep.own, node, possible, 1 << possible.first, truth != FALSE)
                _put(one.sweep.own, node, sure, 1 << sure.first, truth == TRUE)
            barrier = flowing.barrier
            if barrier is not None and one.sweep.passing is not None and kind in barrier.thing.kinds:
                truths.append(truth := self._truth(barrier.condition, barrier.thing, outside, node))
                _put(one.sweep.passing, node, possible, possible.mask, truth != TRUE)
                _put(one.sweep.passing, node, sure, sure.mask, truth == FALSE)
            if MAYBE in truths and sure == possible:
                return False
        return True

    def _read(self, asked: Asked) -> frozenset[str]:
        members = asked.members
        if id(members) not in self._reads:
            barrier = members.range.barrier if isinstance(members.range, plan.Flowing) else None
            beyond = frozenset[str]() if barrier is None else plan.attributes_in(barrier.condition)
            self._reads[id(members)] = plan.attributes_in(members.condition) | beyond
        return self._reads[id(members)]

    def _truth(self, condition: Condition, thing: Thing, outside: dict[int, Array], node: int) -> int:
        rows = Rows(1, {**outside, thing.slot: np.array([node])}, fresh=True)
        return int(self._evaluation.truth(condition, rows)[0])

    def _decide(self, nodes: Array) -> Iterator[Changed]:
        for name, one in self._plans.items():
            subjects = nodes[self.estate.of_kinds(one.subject.kinds)[nodes]]
            if len(subjects):
                before = self._statuses[name][subjects]
                rows = Rows(len(subjects), {one.subject.slot: subjects}, fresh=True)
                self._statuses[name][subjects] = statuses(self._evaluation, one, rows)
                yield from self._differences(name, subjects, before)

    def _differences(self, name: str, nodes: Array, before: Array) -> Iterator[Changed]:
        after = self._statuses[name][nodes]
        for at in np.flatnonzero(after != before).tolist():
            yield Changed(name, self.file.id(int(nodes[at])), STATUSES[before[at]], STATUSES[after[at]])


def _put(words: Array, node: int, bits: Bits, mask: int, set_them: bool) -> None:
    word = int(words[node, bits.word])
    words[node, bits.word] = word | mask if set_them else word & ~mask


def _reason(one: plan.RulePlan) -> str:
    """Say why a rule is not followed, or nothing if it is."""
    return _first_reason(plan.conditions_of(one), one.subject, in_lineage=False)


def _first_reason(conditions: Iterable[Condition], subject: Thing, *, in_lineage: bool) -> str:
    return next((why for c in conditions if (why := _why(c, subject, in_lineage=in_lineage))), "")


def _why(condition: Condition, subject: Thing, *, in_lineage: bool) -> str:
    match condition:
        case plan.Always() | plan.Stated() | plan.SameThing():
            return ""
        case plan.Decided(keys=keys):
            plain = all(isinstance(key, plan.AttributeKey) for key in keys)
            return "" if plain else "it reads more than attributes"
        case plan.Held(thing, _, where):
            own = where is None or not plan.things(where)
            return "" if own and (in_lineage or thing == subject) else "evidence depends on attributes of things"
        case plan.Counted(members=members) if not in_lineage and condition.most == 1:
            return _why_range(members, subject)
        case plan.Counted():
            return "it counts more than lineage from its subject"
        case plan.Pointwise(reason=reason):
            return reason
        case plan.Called(formals=formals, arguments=arguments, body=body):
            of = next((f for f, a in zip(formals, arguments, strict=True) if a == subject), subject)
            return _why(body, of, in_lineage=in_lineage)
        case _:
            return _first_reason(plan.parts_of(condition), subject, in_lineage=in_lineage)


def _why_range(members: plan.Members, subject: Thing) -> str:
    if not isinstance(members.range, plan.Flowing) or members.range.anchor != subject:
        return "it counts more than lineage from its subject"
    barrier = members.range.barrier
    inside = (members.condition,) if barrier is None else (members.condition, barrier.condition)
    return _first_reason(inside, subject, in_lineage=True)


def _may_read(aspect: Aspect, attribute: str) -> bool:
    match aspect.by:
        case None:
            return False
        case plan.AttributeKey(attribute=name):
            return name == attribute
        case _:
            return True
