"""All results of a world, kept up to date while its facts and the instant change.

Rules:

- after any sequence of changes the results are those of a full run over the same facts at the same instant: status,
  message, proof and ``valid_until``;
- a result is decided again when a fact changes that it read, or when an instant is reached at which its status or its
  proof may change; no other is looked at;
- several changes are made together or not at all.

>>> from datetime import UTC
>>> from policy_dsl import compile_bytes
>>> from policy_engine.evaluation.supposition import SetFact
>>> from policy_engine.lineage.graph import Node, Snapshot
>>> from policy_engine.model.evidence import EvidenceSet
>>> pack = b'''policy pack
... node Model { owner: Text }
... rule owned
...     for each Model
...     must model.owner is known
...     otherwise "{model} has no owner"
... '''
>>> program, _ = compile_bytes({"pack.policy": pack})
>>> estate = Snapshot.build([Node("scorer", "Model"), Node("ranker", "Model")])
>>> live = LiveEvaluation(World(program, estate, EvidenceSet()), datetime(2027, 1, 1, tzinfo=UTC))
>>> [(c.subject, c.before.status.value, c.after.status.value) for c in live.apply([SetFact("scorer", "owner", "Ann")])]
[('scorer', 'fail', 'pass')]
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from heapq import heapify, heappop, heappush
from typing import Any

from policy_dsl.typed import tree
from policy_dsl.typed.types import NodeType
from policy_dsl.values import format_instant
from policy_engine.evaluation.incremental.changes import ChangeMaker, LiveChange
from policy_engine.evaluation.incremental.dependencies import KIND, Dependencies, Key, Pair
from policy_engine.evaluation.incremental.facts import LiveFacts
from policy_engine.evaluation.incremental.turns import TurnEvaluator
from policy_engine.evaluation.instants import earlier
from policy_engine.evaluation.waivers import apply_waivers
from policy_engine.evaluation.world import View, World
from policy_engine.model.errors import fault
from policy_engine.model.evidence import Waiver
from policy_engine.model.progress import Progress, silent
from policy_engine.model.results import Result, Status


@dataclass(frozen=True, slots=True)
class ChangedFact:
    """A fact that is another: its key, its state before and its state now."""

    key: Key
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class ChangedResult:
    """A result before and after, nothing where there is none, and the changed facts that either of them read.

    Where no fact changed, time did.
    """

    rule: str
    subject: str
    before: Result | None
    after: Result | None
    because: tuple[ChangedFact, ...]

    @property
    def is_of_status(self) -> bool:
        """Whether the status is another, and not the proof alone."""
        return (self.before and self.before.status) is not (self.after and self.after.status)


@dataclass(frozen=True, slots=True)
class _Held:
    decided: Result
    """The result before waivers."""
    result: Result
    turn: datetime | None
    """When it may change with time alone."""


class LiveEvaluation:
    """Every result of a world at an instant, while facts change and time goes on."""

    def __init__(
        self, world: World, at: datetime, waivers: Iterable[Waiver] = (), *, progress: Progress = silent
    ) -> None:
        self.program = world.program
        self.decisions = 0
        """How many results were decided since the beginning."""
        self._at = at
        self._facts = LiveFacts(world.snapshot, world.evidence, waivers)
        view = View(self.program, self._facts, self._facts)
        self._evaluator = TurnEvaluator(view)
        self._maker = ChangeMaker(self._facts, self.program.schema)
        self._order = {name: number for number, name in enumerate(self.program.rules)}
        self._rules_about: dict[str, list[str]] = {}
        self._held: dict[Pair, _Held] = {}
        self._dependencies = Dependencies()
        self._turns: list[tuple[datetime, Pair]] = []
        self._counts = Counter[Status]()
        for rule in self.program.rules.values():
            for kind in self._kinds_of(rule):
                self._rules_about.setdefault(kind, []).append(rule.name)
        pairs = [(rule.name, subject) for rule in self.program.rules.values() for subject in view.subjects(rule)]
        progress.stage("evaluating", len(pairs))
        for pair in pairs:
            self._decide(pair)
            progress.step(pair[0])

    # --- what is so ------------------------------------------------------------------------------------

    @property
    def at(self) -> datetime:
        """The instant that the results are of."""
        return self._at

    def results(self) -> tuple[Result, ...]:
        """Return all results with waivers applied, in the order of a full run."""
        return tuple(self._held[pair].result for pair in sorted(self._held, key=self._place))

    def decided(self) -> tuple[Result, ...]:
        """Return all results before waivers, in the order of a full run."""
        return tuple(self._held[pair].decided for pair in sorted(self._held, key=self._place))

    def result(self, rule: str, subject: str) -> Result | None:
        """Return one result, or nothing when the rule is not about such a thing."""
        held = self._held.get((rule, subject))
        return held.result if held else None

    def count(self, status: Status) -> int:
        """Return how many results have a status."""
        return self._counts[status]

    def reads(self, rule: str, subject: str) -> frozenset[Key]:
        """Return the facts that a result rests on, looked at in vain or not."""
        return self._dependencies.reads((rule, subject))

    def world(self) -> World:
        """Return the facts as they are now, as a world of their own."""
        return World(self.program, self._facts.snapshot(), self._facts.evidence())

    def waivers(self) -> tuple[Waiver, ...]:
        """Return the accepted waivers as they are now."""
        return self._facts.all_waivers()

    @property
    def next_turn(self) -> datetime | None:
        """The first instant at which a result or its proof may change with time alone."""
        while self._turns and not self._stands(*self._turns[0]):
            heappop(self._turns)
        return self._turns[0][0] if self._turns else None

    # --- what changes ----------------------------------------------------------------------------------

    def apply(
        self,
        changes: Iterable[LiveChange],
        following: Callable[[LiveFacts], Iterable[LiveChange]] | None = None,
    ) -> tuple[ChangedResult, ...]:
        """Make changes, all or none, and return the results that are different, in the order of a full run.

        ``following`` says, of the facts as they are after these changes, what else changes with them.

        Raises:
            InputError: a change cannot be made, and none was.
        """
        try:
            self._maker.make_all(changes)
            if following is not None:
                self._maker.make_all(following(self._facts))
        except BaseException:
            self._facts.undo()
            raise
        changed = self._facts.keep()
        affected = self._dependencies.readers(key for fact in changed for key in self._facts.read_as(fact))
        for (what, node, _), (before, after) in changed.items():
            if what == KIND:
                affected.update((rule, node) for kind in (before, after) for rule in self._rules_about.get(kind, ()))
        return self._decide_again(affected, changed)

    def advance(self, at: datetime) -> tuple[ChangedResult, ...]:
        """Go to a later instant, and return the results that are different there, in the order of a full run.

        Raises:
            InputError: PE3808, the instant is not a later one.
        """
        if at < self._at:
            said = f"{format_instant(at)} lies before {format_instant(self._at)}"
            raise fault("PE3808", said, help="time goes forward only; begin anew to look at an earlier instant")
        self._at = at
        due: set[Pair] = set()
        while self._turns and self._turns[0][0] <= at:
            when, pair = heappop(self._turns)
            if self._stands(when, pair):
                due.add(pair)
        return self._decide_again(due, {})

    def _decide_again(self, pairs: Iterable[Pair], changed: dict[Key, tuple[Any, Any]]) -> tuple[ChangedResult, ...]:
        found: list[ChangedResult] = []
        for pair in sorted(pairs, key=self._place):
            held, read = self._held.get(pair), self._dependencies.reads(pair)
            before = held.result if held else None
            after = self._decide(pair) if self._is_about(pair) else None
            if after is None:
                self._hold(pair, None)
                self._dependencies.forget(pair)
            if before != after:
                read |= self._dependencies.reads(pair)
                because = tuple(
                    ChangedFact(key, *changed[key]) for key in changed if not read.isdisjoint(self._facts.read_as(key))
                )
                found.append(ChangedResult(*pair, before, after, because))
        return tuple(found)

    def _decide(self, pair: Pair) -> Result:
        rule, subject = self.program.rules[pair[0]], pair[1]
        facts = self._facts
        facts.reads = {(KIND, subject, "")}
        decided = self._evaluator.evaluate(rule, subject, self._at)
        waivers = facts.waivers(*pair)
        result = apply_waivers([decided], waivers, self._at)[0][0] if waivers else decided
        turn = self._evaluator.turn
        for edge in (edge for waiver in waivers for edge in (waiver.counts_from, waiver.counts_until)):
            turn = earlier(turn, edge if edge > self._at else None)
        self._dependencies.record(pair, facts.reads)
        self._hold(pair, _Held(decided, result, turn))
        self.decisions += 1
        if turn is not None:
            heappush(self._turns, (turn, pair))
            self._shorten_turns()
        return result

    def _hold(self, pair: Pair, held: _Held | None) -> None:
        before = self._held.pop(pair, None)
        if before is not None:
            self._counts[before.result.status] -= 1
        if held is not None:
            self._held[pair] = held
            self._counts[held.result.status] += 1

    def _is_about(self, pair: Pair) -> bool:
        return pair[0] in self._rules_about.get(self._facts.state((KIND, pair[1], "")), ())

    def _stands(self, when: datetime, pair: Pair) -> bool:
        """Tell whether a turn is still that of its result; a result decided since has another."""
        held = self._held.get(pair)
        return held is not None and held.turn == when

    def _shorten_turns(self) -> None:
        if len(self._turns) > 2 * len(self._held) + 1_000:
            self._turns = [(held.turn, pair) for pair, held in self._held.items() if held.turn is not None]
            heapify(self._turns)

    def _place(self, pair: Pair) -> tuple[int, str]:
        return self._order[pair[0]], pair[1]

    def _kinds_of(self, rule: tree.Rule) -> frozenset[str]:
        assert isinstance(rule.subject.type, NodeType)  # noqa: S101 - the checker binds subjects to kinds
        return self.program.schema.kinds_below(rule.subject.type.kind)
