"""What an expression comes to for given values of its keys, decided by the point evaluator on the driver.

Rules:

- a combination is the texts of all keys; a little world is made in which things have just these values, and the
  closures of the point evaluator look at it: executors need no Python;
- a text is empty where nothing is stated and ``!`` where sources contradict each other; no value is written so;
- the youngest evidence that counts is one whose age is its own only where it is asked for.
"""

import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import reduce
from typing import Any, Final

from policy_dsl.typed import tree
from policy_dsl.typed.schema import Attribute
from policy_dsl.typed.types import Simple
from policy_dsl.values import Duration, Value, add
from policy_engine.evaluation.point.compile import Compiler
from policy_engine.evaluation.point.lineage import Lineage
from policy_engine.evaluation.point.run import Run
from policy_engine.evaluation.sets import plan
from policy_engine.evaluation.sets.rows import truth_of
from policy_engine.evaluation.sets.spark_codes import NotOnSparkError
from policy_engine.evaluation.sets.spark_tables import instant, value_of
from policy_engine.evaluation.world import View
from policy_engine.model.evidence import Evidence

NOT_STATED: Final = ""
CONTRADICTED: Final = "!"
THERE: Final = "+"
"""How the text of a field of the youngest evidence begins, if there is any."""
_UNKNOWN: Final = Attribute("a number that is not known", Simple.INTEGER)


@dataclass(slots=True)
class _Given:
    """The facts of a combination: things are named by their slots."""

    values: dict[tuple[str, str], Value] = field(default_factory=dict)
    contradicted: set[tuple[str, str]] = field(default_factory=set)
    evidence: dict[tuple[str, str], Evidence] = field(default_factory=dict)

    def __contains__(self, node_id: str) -> bool:
        return True

    def kind(self, _node_id: str) -> str:
        return ""

    def value(self, node_id: str, attribute: str) -> Value | None:
        return self.values.get((node_id, attribute))

    def is_contradicted(self, node_id: str, attribute: str) -> bool:
        return (node_id, attribute) in self.contradicted

    def targets(self, _node_id: str, _edge_type: str) -> tuple[str, ...]:
        return ()

    def sources_of(self, _node_id: str, _edge_type: str) -> tuple[str, ...]:
        return ()

    def onward(
        self,
        _node_id: str,
        _edge_types: tuple[str, ...],
        *,
        upstream: bool,  # noqa: ARG002 - as asked
    ) -> list[tuple[str, tuple[str, ...]]]:
        return []

    def ids_of(self, _kinds: Iterable[str]) -> tuple[str, ...]:
        return ()

    def about(self, subject: str, evidence_type: str) -> tuple[Evidence, ...]:
        found = self.evidence.get((subject, evidence_type))
        return () if found is None else (found,)


class SparkPoints:
    """Decides expressions for combinations of texts at one instant."""

    def __init__(self, program: tree.Program, at: datetime) -> None:
        self._program = program
        self.at = at
        self._compiler = Compiler(program)

    def constant(self, expression: tree.Expression, slots: int) -> Any:
        """Return the value of an expression that reads nothing of the estate."""
        return self._compiler.value(expression)(self._run(_Given(), slots))

    def age(self, pattern: plan.Pattern) -> Duration | None:
        """Return how old evidence may be.

        Raises:
            NotOnSparkError: that is not known.
        """
        if pattern.max_age is None:
            return None
        found = self.constant(pattern.max_age, pattern.slots)
        if not isinstance(found, Duration):
            raise NotOnSparkError("how old evidence may be is not known")
        return found

    def check(self, condition: plan.Decided) -> None:
        """Refuse a condition whose keys cannot be given.

        Raises:
            NotOnSparkError: the reason.
        """
        latest = [key for key in condition.keys if isinstance(key, plan.LatestKey)]
        patterns = {(key.thing, key.pattern.type): key.pattern for key in latest}
        for key in latest:
            if patterns[key.thing, key.pattern.type] != key.pattern:
                raise NotOnSparkError("a condition looks at the youngest of one type of evidence in two ways")
            age = self.age(key.pattern)
            if age is not None and not self.at < _moved(self.at, age):
                raise NotOnSparkError("evidence may be of no age")
        if any(isinstance(key, plan.NumberKey) for key in condition.keys):
            self._numbers(condition)

    def truths(
        self, condition: plan.Decided, keys: Sequence[plan.Key], combinations: Iterable[Sequence[str]]
    ) -> list[int]:
        """Return the truth of a condition for each combination of texts of some keys."""
        numbers = [key for key in keys if isinstance(key, plan.NumberKey)]
        replaced = self._numbers(condition) if numbers else None
        closure = self._compiler.value(condition.expression)
        found = []
        for texts in combinations:
            given = dict(zip(keys, texts, strict=True))
            if replaced is not None:
                closure = self._compiler.value(_with_number(condition.expression, replaced, given[numbers[0]]))
            found.append(self._truth(closure, condition.slots, given))
        return found

    def _truth(self, closure: Any, slots: int, given: Mapping[plan.Key, str]) -> int:
        facts = _Given()
        run = self._run(facts, slots)
        record: dict[str, str] = {}
        for key, text in given.items():
            match key:
                case plan.AttributeKey(thing, attribute):
                    place = str(thing.slot), attribute
                    if text == CONTRADICTED:
                        facts.contradicted.add(place)
                    elif text != NOT_STATED:
                        facts.values[place] = value_of(text)
                case plan.FieldKey(name):
                    record[name] = text
                case plan.LatestKey(thing, name, pattern) if text.startswith(THERE):
                    about = str(thing.slot), pattern.type
                    known = facts.evidence.get(about, self._evidence(pattern))
                    facts.evidence[about] = _with_field(known, name, text.removeprefix(THERE))
                case _:
                    pass
        run.record = reduce(lambda one, item: _with_field(one, *item), record.items(), self._evidence(None))
        return truth_of(closure(run))

    def _evidence(self, pattern: plan.Pattern | None) -> Evidence:
        if pattern is None:
            return Evidence("", "", "", self.at, self.at)
        roles = frozenset[str]() if pattern.role is None else frozenset({pattern.role})
        return Evidence("", pattern.type, "", self.at, self.at, signers=(roles,) * pattern.signers)

    def _numbers(self, condition: plan.Decided) -> frozenset[tree.Aggregate]:
        """Return what stands for the number that a condition reads."""
        found = frozenset(_aggregates(condition.expression))
        if len({key for key in condition.keys if isinstance(key, plan.NumberKey)}) != 1 or not found:
            raise NotOnSparkError("a condition compares several numbers of things")
        return found

    def _run(self, facts: _Given, slots: int) -> Run:
        view = View(self._program, facts, facts)
        run = Run(view, Lineage(facts, self._program.schema), slots, self.at, tracking=False)
        run.slots = [str(slot) for slot in range(slots)]
        return run


def _moved(at: datetime, age: Duration) -> datetime:
    moved = add(at, age)
    assert isinstance(moved, datetime)  # noqa: S101 - an instant moved by a duration is an instant
    return moved


def _with_field(record: Evidence, name: str, text: str) -> Evidence:
    match name:
        case "issued":
            issued = instant(int(text))
            return replace(record, issued=issued, counts_from=min(issued, record.counts_from))
        case "expires":
            return record if text == NOT_STATED else replace(record, counts_until=instant(int(text)))
        case _ if text == NOT_STATED:
            return record
        case _:
            return replace(record, fields={**record.fields, name: value_of(text)})


def _aggregates(expression: Any) -> list[tree.Aggregate]:
    """Return the aggregates in an expression, none inside another."""
    if isinstance(expression, tree.Aggregate):
        return [expression]
    return reduce(operator.iadd, map(_aggregates, _parts(expression)), [])


def _with_number(expression: Any, replaced: frozenset[tree.Aggregate], text: str) -> Any:
    """Put a number, or what is not known, in the place of aggregates."""
    if isinstance(expression, tree.Aggregate) and expression in replaced:
        if text != NOT_STATED:
            return tree.Constant(int(text))
        return tree.Read(tree.Variable(0, "it", Simple.BOOLEAN), _UNKNOWN)
    if isinstance(expression, tuple):
        return tuple(_with_number(part, replaced, text) for part in expression)
    if not isinstance(expression, tree.Expression) or not _parts(expression):
        return expression
    names = [name for name in expression.__slots__ if isinstance(getattr(expression, name), (tuple, *_FORMS))]
    return replace(expression, **{name: _with_number(getattr(expression, name), replaced, text) for name in names})


def _parts(expression: Any) -> list[Any]:
    """Return the expressions directly inside an expression."""
    if isinstance(expression, tree.HasEvidence | tree.Count | tree.Aggregate | tree.LatestField):
        return []
    values = [getattr(expression, name) for name in getattr(expression, "__slots__", ())]
    flat = [part for value in values for part in (value if isinstance(value, tuple) else (value,))]
    return [part for part in flat if isinstance(part, tree.Expression)]


_FORMS = tree.Expression.__args__
