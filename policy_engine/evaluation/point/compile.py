"""Checked expressions → Python closures.

Every expression becomes two closures: ``value`` finds the value alone, stopping as soon as it is decided, and
``trace`` also finds what it rests on. A verdict needs only values; a proof is traced for the results that are shown.
"""

from datetime import datetime
from typing import Any

from policy_dsl.typed import tree
from policy_dsl.values import add
from policy_engine.evaluation import counting, operators
from policy_engine.evaluation.instants import turn_of
from policy_engine.evaluation.point import closures
from policy_engine.evaluation.point.ranges import Ranges
from policy_engine.evaluation.point.run import Run, Tracer, Value
from policy_engine.evaluation.trace import (
    UNKNOWN,
    Item,
    Trace,
    aggregated,
    called,
    found_at,
    junction,
    operated,
    together,
)
from policy_engine.model.evidence import Evidence
from policy_engine.model.results import FactRead, MissingFact, value_in_words


class Compiler:
    """Compiles the expressions of one program, each definition once."""

    def __init__(self, program: tree.Program) -> None:
        self.program = program
        self.ranges = Ranges(program.schema, self.value, self.trace)
        self._definitions: dict[str, tuple[Value, Tracer]] = {}
        # Keyed by identity; each expression is kept with its closure, so that its identity is never another's.
        self._values: dict[int, tuple[tree.Expression, Value]] = {}
        self._tracers: dict[int, tuple[tree.Expression, Tracer]] = {}

    # --- values ----------------------------------------------------------------------------------------

    def value(self, expression: tree.Expression) -> Value:
        """Return the closure that finds an expression's value, or ``UNKNOWN``."""
        found = self._values.get(id(expression))
        if found is None:
            found = self._values[id(expression)] = expression, self.compiled_value(expression)
        return found[1]

    def compiled_value(self, expression: tree.Expression) -> Value:
        """Compile what ``value`` keeps."""
        match expression:
            case tree.Constant(constant):
                return lambda _: constant
            case tree.Moment(date_only):
                return (lambda run: run.at.date()) if date_only else (lambda run: run.at)
            case tree.Variable(slot):
                return lambda run: run.slots[slot]
            case tree.ParameterValue(name):
                parameter = self.program.parameters[name]
                return lambda _: parameter
            case tree.Read(variable, attribute):
                return closures.reading(variable.slot, attribute)
            case tree.Field(attribute):
                return lambda run: closures.unknown_if_none(
                    closures.record_in_view(run).fields.get(attribute.name, attribute.default)
                )
            case tree.Invoke():
                return self.invoke(expression)
            case tree.Operation():
                return self.operation(expression)
            case tree.SetOf(items):
                return closures.set_of([self.value(i) for i in items])
            case tree.Not(operand):
                return closures.negation(self.value(operand))
            case tree.And(operands):
                return closures.joining([self.value(o) for o in operands], stops=False)
            case tree.Or(operands):
                return closures.joining([self.value(o) for o in operands], stops=True)
            case tree.Known(operand):
                inner = self.value(operand)
                return lambda run: inner(run) is not UNKNOWN
            case tree.IfUnknown(operand, otherwise):
                return closures.if_unknown(self.value(operand), self.value(otherwise))
            case tree.HasEvidence():
                return self.has_evidence(expression)
            case tree.Count():
                return self.count(expression)
            case tree.Aggregate():
                return self.aggregate(expression)
            case tree.LatestField():
                return self.latest_field(expression)

    def definition(self, name: str) -> tuple[Value, Tracer]:
        """Return the closures of a definition's body."""
        if name not in self._definitions:
            body = self.program.definitions[name].body
            self._definitions[name] = (self.value(body), self.trace(body))
        return self._definitions[name]

    def invoke(self, expression: tree.Invoke) -> Value:
        """Compile a definition's use; its result is remembered for the run."""
        arguments = [self.value(a) for a in expression.arguments]
        size = self.program.definitions[expression.definition].slots
        body, _ = self.definition(expression.definition)

        def invoked(run: Run) -> Any:
            values = [a(run) for a in arguments]
            if any(v is UNKNOWN for v in values):
                return UNKNOWN
            key = (expression.definition, *values)
            kept = run.remembered.get(key) or run.known.get(key)
            if kept is None:
                outer = run.slots, run.record, run.horizon
                run.slots, run.record, run.horizon = [*values, *[None] * (size - len(values))], None, None
                kept = run.remembered[key] = body(run), run.horizon
                run.slots, run.record, run.horizon = outer
            found, horizon = kept
            run.changes(horizon)
            return found

        return invoked

    def operation(self, expression: tree.Operation) -> Value:
        """Compile an operator."""
        left, right, operator = self.value(expression.left), self.value(expression.right), expression.operator

        def applied(run: Run) -> Any:
            one = left(run)
            other = right(run)
            if one is UNKNOWN or other is UNKNOWN:
                return UNKNOWN
            return closures.unknown_if_none(operators.apply(operator, one, other))

        if not expression.timed:
            return applied

        def timed(run: Run) -> Any:
            found = applied(run)
            if found is not UNKNOWN and run.tracking:
                run.changes(turn_of(expression, lambda part: self.value(part)(run), run.at))
            return found

        return timed

    def has_evidence(self, pattern: tree.HasEvidence) -> Value:
        """Compile an evidence condition."""
        matching = self.matching(pattern)
        where = self.value(pattern.where) if pattern.where is not None else None

        def has(run: Run) -> Any:
            found: Any = False
            for record, in_time in matching(run):
                if in_time is False:
                    continue
                value = in_time if where is None else closures.both(in_time, closures.in_view(run, record, where))
                if value is True:
                    return True
                if value is UNKNOWN:
                    found = UNKNOWN
            return found

        return has

    def matching(self, pattern: tree.HasEvidence) -> Any:
        """Return a closure that lists the evidence that counts now, rightly signed, and whether it is young enough."""
        slot = pattern.subject.slot
        max_age = self.value(pattern.max_age) if pattern.max_age is not None else None

        def records(run: Run) -> list[tuple[Evidence, Any]]:
            found: list[tuple[Evidence, Any]] = []
            at = run.at
            age = max_age(run) if max_age is not None else None
            for record in run.world.evidence.about(run.slots[slot], pattern.type):
                in_time: Any = True
                run.changes(record.counts_from)
                run.changes(record.counts_until)
                if age is UNKNOWN:
                    in_time = UNKNOWN
                elif age is not None:
                    limit = add(record.issued, age)
                    assert isinstance(limit, datetime)  # noqa: S101 - an instant moved by a duration is an instant
                    run.changes(limit)
                    in_time = at < limit
                counts = record.counts_from <= at and (record.counts_until is None or at < record.counts_until)
                if counts and (pattern.role is None or record.signed_by(pattern.role) >= pattern.signers):
                    found.append((record, in_time))
            return found

        return records

    def count(self, expression: tree.Count) -> Value:
        """Compile a quantifier."""
        items = self.ranges.items(expression)
        condition = self.value(expression.condition)
        slot, word, number = expression.variable.slot, expression.word, expression.number

        def counted(run: Run) -> Any:
            true = unknown = 0
            for item in items(run):
                run.slots[slot] = item.node
                found = condition(run)
                if found is UNKNOWN or (found is True and not item.sure):
                    unknown += 1
                elif found is True:
                    true += 1
                    if true > number or (word is tree.CountWord.AT_LEAST and true >= number):
                        break  # more things cannot change what the count says
            return counting.compare(word, number, true, unknown)

        return counted

    def aggregate(self, expression: tree.Aggregate) -> Value:
        """Compile an aggregate."""
        items = self.ranges.items(expression)
        condition = self.value(expression.condition)
        operand = self.value(expression.operand) if expression.operand is not None else None
        slot, word, nothing = expression.variable.slot, expression.word, expression.of_nothing

        def made(run: Run) -> Any:
            values = []
            for item in items(run):
                run.slots[slot] = item.node
                counts = condition(run)
                if counts is False:
                    continue
                value = operand(run) if operand is not None else None
                if counts is UNKNOWN or value is UNKNOWN or not item.sure:
                    return UNKNOWN
                values.append(value)
            return closures.unknown_if_none(operators.aggregate(word, values) if values else nothing)

        return made

    def latest_field(self, expression: tree.LatestField) -> Value:
        """Compile a field of the youngest evidence that counts."""
        youngest = self.youngest(expression.pattern)
        attribute = expression.attribute

        def read(run: Run) -> Any:
            record = youngest(run)
            if record is UNKNOWN or record is None:
                return UNKNOWN
            return closures.unknown_if_none(record.field(attribute.name, attribute.default))

        return read

    def youngest(self, pattern: tree.HasEvidence) -> Value:
        """Return a closure that finds the youngest evidence that counts, none, or ``UNKNOWN`` when its age limit is."""
        matching = self.matching(pattern)

        def found(run: Run) -> Any:
            latest = None
            for record, in_time in matching(run):
                if in_time is UNKNOWN:
                    return UNKNOWN
                latest = record if in_time else latest
            return latest

        return found

    # --- traces ----------------------------------------------------------------------------------------

    def trace(self, expression: tree.Expression) -> Tracer:
        """Return the closure that finds an expression's value and what it rests on."""
        found = self._tracers.get(id(expression))
        if found is None:
            found = self._tracers[id(expression)] = expression, self.compiled_trace(expression)
        return found[1]

    def compiled_trace(self, expression: tree.Expression) -> Tracer:
        """Compile what ``trace`` keeps."""
        match expression:
            case tree.Read(variable, attribute):
                return closures.traced_reading(variable.slot, attribute)
            case tree.Field(attribute):
                return closures.traced_field(attribute)
            case tree.Invoke():
                return self.traced_invoke(expression)
            case tree.Operation(_, left, right):
                return self.traced_operation(expression, self.trace(left), self.trace(right))
            case tree.SetOf(items):
                return closures.traced_set([self.trace(i) for i in items])
            case tree.Not(operand):
                return closures.traced_negation(self.trace(operand))
            case tree.And(operands):
                return closures.traced_joining(self.both(operands), all_of=True)
            case tree.Or(operands):
                return closures.traced_joining(self.both(operands), all_of=False)
            case tree.Known(operand):
                return closures.traced_known(self.trace(operand))
            case tree.IfUnknown(operand, otherwise):
                return closures.traced_if_unknown(self.trace(operand), self.trace(otherwise))
            case tree.HasEvidence():
                return self.traced_evidence(expression)
            case tree.Count():
                return self.traced_count(expression)
            case tree.Aggregate():
                return self.traced_aggregate(expression)
            case tree.LatestField():
                return self.traced_latest_field(expression)
            case _:
                value = self.value(expression)
                return lambda run: Trace(value(run))

    def both(self, operands: tuple[tree.Expression, ...]) -> list[tuple[Value, Tracer]]:
        """Return both closures of each operand."""
        return [(self.value(operand), self.trace(operand)) for operand in operands]

    def traced_invoke(self, expression: tree.Invoke) -> Tracer:
        """Compile a definition's use, with what it rests on."""
        arguments = [self.trace(a) for a in expression.arguments]
        size = self.program.definitions[expression.definition].slots
        _, body = self.definition(expression.definition)

        def invoked(run: Run) -> Trace:
            values = [a(run) for a in arguments]
            unknown = [v for v in values if v.value is UNKNOWN]
            if unknown:
                return together(UNKNOWN, unknown)
            key = (expression.definition, *(v.value for v in values))
            if key not in run.traced:
                outer = run.slots, run.record
                run.slots, run.record = [*key[1:], *[None] * (size - len(values))], None
                run.traced[key] = body(run)
                run.slots, run.record = outer
            return called(run.traced[key], values)

        return invoked

    def traced_operation(self, expression: tree.Operation, left: Tracer, right: Tracer) -> Tracer:
        """Compile an operator, with what it rests on."""

        def applied(run: Run) -> Trace:
            one, other = left(run), right(run)
            unknown = [t for t in (one, other) if t.value is UNKNOWN]
            if unknown:
                return together(UNKNOWN, unknown)
            return operated(operators.apply(expression.operator, one.value, other.value), (one, other))

        return applied

    def traced_evidence(self, pattern: tree.HasEvidence) -> Tracer:
        """Compile an evidence condition, with what it rests on."""
        matching = self.matching(pattern)
        age = self.trace(pattern.max_age) if pattern.max_age is not None else None
        where = self.trace(pattern.where) if pattern.where is not None else None

        def has(run: Run) -> Trace:
            subject = run.slots[pattern.subject.slot]
            traces = []
            for record, in_time in matching(run):
                conditions = [Trace(True, evidence=frozenset({record.digest}))]
                if age is not None:
                    conditions.append(age(run).valued(in_time))
                if where is not None:
                    outer, run.record = run.record, record
                    conditions.append(where(run))
                    run.record = outer
                traces.append(junction(tuple(conditions), all_of=True))
            none = Trace(False, facts=frozenset({FactRead(subject, f"evidence {pattern.type}", "none that counts")}))
            return junction((*traces, none), all_of=False)

        return has

    def traced_count(self, expression: tree.Count) -> Tracer:
        """Compile a quantifier, with what it rests on."""
        items = self.ranges.items(expression)
        condition = self.trace(expression.condition)
        slot = expression.variable.slot
        anchor = None if isinstance(expression.range, tree.KindRange) else expression.range.anchor.slot

        def counted(run: Run) -> Trace:
            start = run.slots[anchor] if anchor is not None else None
            return counting.count(expression.word, expression.number, tuple(one(run, i, start) for i in items(run)))

        def one(run: Run, item: Item, start: str | None) -> Trace:
            run.slots[slot] = item.node
            return found_at(item, start, slot, condition(run))

        return counted

    def traced_aggregate(self, expression: tree.Aggregate) -> Tracer:
        """Compile an aggregate, with what it rests on."""
        items = self.ranges.items(expression)
        condition = self.trace(expression.condition)
        operand = self.trace(expression.operand) if expression.operand is not None else None
        slot = expression.variable.slot
        anchor = None if isinstance(expression.range, tree.KindRange) else expression.range.anchor.slot

        def made(run: Run) -> Trace:
            start = run.slots[anchor] if anchor is not None else None
            conditions, operands = [], []
            for item in items(run):
                run.slots[slot] = item.node
                conditions.append(found_at(item, start, slot, condition(run)))
                operands.append(operand(run) if operand is not None else None)
            return aggregated(expression, start or "", tuple(conditions), tuple(operands))

        return made

    def traced_latest_field(self, expression: tree.LatestField) -> Tracer:
        """Compile a field of the youngest evidence that counts, with what it rests on."""
        pattern, attribute = expression.pattern, expression.attribute
        youngest = self.youngest(pattern)
        age = self.trace(pattern.max_age) if pattern.max_age is not None else None

        def read(run: Run) -> Trace:
            record = youngest(run)
            subject = run.slots[pattern.subject.slot]
            if record is UNKNOWN and age is not None:
                return age(run)
            if record is None:
                missing = MissingFact(subject, f"evidence {pattern.type}", "none that counts")
                return Trace(UNKNOWN, missing=frozenset({missing}))
            name = f"evidence {pattern.type}.{attribute.name}"
            value = record.field(attribute.name, attribute.default)
            evidence = frozenset({record.digest})
            if value is None:
                missing = MissingFact(subject, name, "not stated")
                return Trace(UNKNOWN, missing=frozenset({missing}), evidence=evidence)
            return Trace(value, facts=frozenset({FactRead(subject, name, value_in_words(value))}), evidence=evidence)

        return read
