"""Which clauses were seen true, false and unknown by the tests, rule by rule.

The expectations are evaluated once more, by closures that look at every operand and note the value of each clause;
evaluation proper knows nothing of it. An exception counts only where the rule is in force and in scope, and the
requirement only where no exception holds: elsewhere nobody looks at them.

A clause is asked only for states that it can have: ``is known`` is never unknown, nor is ``has evidence`` without
conditions, nor an attribute with a default.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from policy_dsl.source import Span
from policy_dsl.typed import tree
from policy_dsl.typed.types import Simple
from policy_dsl.values import Money
from policy_engine.app.testing.clauses import Clause, definition_clauses, rule_clauses
from policy_engine.app.testing.probe import Stage
from policy_engine.app.testing.scenes import Case
from policy_engine.evaluation.point.compile import Compiler
from policy_engine.evaluation.point.run import Run, Tracer, Value
from policy_engine.evaluation.trace import UNKNOWN, Trace

STATES = ("true", "false", "unknown")


@dataclass(frozen=True, slots=True)
class ClauseCoverage:
    """A clause, the states that it can have, and those that it was seen in."""

    part: str
    span: Span
    possible: tuple[str, ...]
    seen: tuple[str, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """The states that no test shows."""
        return tuple(s for s in self.possible if s not in self.seen)


@dataclass(frozen=True, slots=True)
class Coverage:
    """The clauses of a rule or definition."""

    name: str
    clauses: tuple[ClauseCoverage, ...]

    @property
    def possible(self) -> int:
        """How many states there are to be seen."""
        return sum(len(c.possible) for c in self.clauses)

    @property
    def seen(self) -> int:
        """How many of them were seen."""
        return self.possible - sum(len(c.missing) for c in self.clauses)


def coverage_of(program: tree.Program, packs: frozenset[str], cases: Iterable[Case]) -> tuple[Coverage, ...]:
    """Return what the expectations of tests have seen of the rules and definitions of packs, by name."""
    named = _clauses_by_name(program, packs)
    recorder = _Recorder(program, [c for clauses in named.values() for c in clauses])
    stages: dict[int, Stage] = {}
    for case in cases:
        stage = stages.setdefault(id(case.scene), Stage.of(case.scene, program))
        if case.expected.subject in stage.world.subjects(program.rules[case.expected.rule]):
            recorder.look(case, stage)
    states = _States(program)
    return tuple(
        Coverage(name, tuple(_covered(c, states.of(c.checked), recorder.seen[id(c.checked)]) for c in clauses))
        for name, clauses in sorted(named.items())
    )


def _clauses_by_name(program: tree.Program, packs: frozenset[str]) -> dict[str, list[Clause]]:
    named = {rule.name: list(rule_clauses(rule)) for rule in program.rules.values() if rule.pack in packs}
    for definition in program.definitions.values():
        if definition.type is Simple.BOOLEAN and definition.name.rpartition(".")[0] in packs:
            named[definition.name] = list(definition_clauses(definition))
    return named


def _covered(clause: Clause, possible: frozenset[str], seen: set[str]) -> ClauseCoverage:
    both = (tuple(s for s in STATES if s in states) for states in (possible, seen))
    return ClauseCoverage(clause.part.value, clause.span, *both)


class _Recorder(Compiler):
    """Compiles with closures that note the values of clauses and skip no operand."""

    def __init__(self, program: tree.Program, clauses: list[Clause]) -> None:
        super().__init__(program)
        self.seen: dict[int, set[str]] = {id(c.checked): set() for c in clauses}
        self._clauses = clauses  # keeps the expressions, and so their identities

    def look(self, case: Case, stage: Stage) -> None:
        """Evaluate the conditions of a rule as far as they count."""
        rule, at = self.program.rules[case.expected.rule], case.scene.at
        if (rule.start is not None and at < rule.start) or (rule.end is not None and at >= rule.end):
            return

        def value(condition: tree.Expression) -> Any:
            run = Run(stage.world, stage.lineage, rule.slots, at, tracking=False)
            run.slots[rule.subject.slot] = case.expected.subject
            return self.trace(condition)(run).value

        if rule.where is not None and value(rule.where) is not True:
            return
        excepted = [value(e.condition) for e in rule.exemptions]
        if True not in excepted:
            value(rule.requirement)

    def compiled_trace(self, expression: tree.Expression) -> Tracer:
        """Compile a tracing closure; that of a clause notes what it finds."""
        found = super().compiled_trace(expression)
        seen = self.seen.get(id(expression))
        if seen is None:
            return found

        def noted(run: Run) -> Trace:
            trace = found(run)
            seen.add(_state(trace.value))
            return trace

        return noted

    def compiled_value(self, expression: tree.Expression) -> Value:
        """Compile the closure of a value; a junction gives that of its trace, which looks at every operand."""
        if isinstance(expression, tree.And | tree.Or):
            traced = self.trace(expression)
            return lambda run: traced(run).value
        found = super().compiled_value(expression)
        seen = self.seen.get(id(expression))
        if seen is None:
            return found

        def noted(run: Run) -> Any:
            value = found(run)
            seen.add(_state(value))
            return value

        return noted


def _state(value: Any) -> str:
    return "unknown" if value is UNKNOWN else "true" if value else "false"


class _States:
    """Which states a condition can have in some world, as far as its form tells."""

    def __init__(self, program: tree.Program) -> None:
        self.program = program
        self._definitions: dict[str, bool] = {}

    def of(self, condition: tree.Expression) -> frozenset[str]:
        """Return the states that a condition can have."""
        if isinstance(condition, tree.Constant):
            return frozenset({_state(condition.value)})
        return frozenset(STATES if self.may_be_unknown(condition, frozenset()) else STATES[:2])

    def may_be_unknown(self, node: Any, known: frozenset[Any]) -> bool:
        """Tell whether a value may be unknown; ``known`` holds what an ``is known`` beside it has asked for."""
        match node:
            case tree.Known() | tree.Moment() | tree.Variable() | tree.ParameterValue():
                return False
            case tree.Read(_, attribute) | tree.Field(attribute):
                return attribute.default is None and node not in known
            case tree.And(operands):
                guards = known | {o.operand for o in operands if isinstance(o, tree.Known)}
                return any(self.may_be_unknown(o, guards) for o in operands)
            case tree.Or(operands):
                asked = [o.operand for o in operands if isinstance(o, tree.Not)]
                guards = known | {a.operand for a in asked if isinstance(a, tree.Known)}
                return any(self.may_be_unknown(o, guards) for o in operands)
            case tree.IfUnknown(operand, otherwise):
                return self.may_be_unknown(operand, known) and self.may_be_unknown(otherwise, known)
            case tree.LatestField() | tree.Constant(Money()):
                return True  # no evidence at all, an amount in another currency
            case tree.Aggregate(word) if word not in {tree.AggregateWord.COUNT, tree.AggregateWord.SUM}:
                return True  # nothing has no least, largest or average
            case tree.Invoke(name, arguments):
                return any(self.may_be_unknown(a, known) for a in arguments) or self._definition(name)
            case _:
                return any(self.may_be_unknown(p, known) for p in _operands(node))

    def _definition(self, name: str) -> bool:
        if name not in self._definitions:
            self._definitions[name] = self.may_be_unknown(self.program.definitions[name].body, frozenset())
        return self._definitions[name]


def _operands(node: Any) -> Iterator[Any]:
    match node:
        case tree.Operation(_, left, right):
            yield from (left, right)
        case tree.SetOf(items):
            yield from items
        case tree.Not(operand):
            yield operand
        case tree.HasEvidence():
            yield from (part for part in (node.max_age, node.where) if part is not None)
        case tree.Count() | tree.Aggregate():
            yield node.condition
            if isinstance(node, tree.Aggregate) and node.operand is not None:
                yield node.operand
            if isinstance(node.range, tree.LineageRange) and node.range.barrier is not None:
                yield node.range.barrier.condition
        case _:
            return
