"""Closures of forms that need nothing but the closures of their parts."""

from typing import Any

from policy_engine.evaluation.point.run import Run, Tracer, Value
from policy_engine.evaluation.trace import UNKNOWN, Trace, together
from policy_engine.model.evidence import Evidence
from policy_engine.model.results import FactRead, MissingFact, value_in_words


def unknown_if_none(value: Any) -> Any:
    """Return a value that may be absent as one that may be unknown."""
    return UNKNOWN if value is None else value


def record_in_view(run: Run) -> Evidence:
    """Return the evidence whose fields a condition reads."""
    assert run.record is not None  # noqa: S101 - the checker allows fields in evidence conditions only
    return run.record


def in_view(run: Run, record: Evidence, where: Value) -> Any:
    """Return what a condition says of one piece of evidence."""
    outer, run.record = run.record, record
    found = where(run)
    run.record = outer
    return found


def both(left: Any, right: Any) -> Any:
    """Combine two truth values with `and`."""
    if left is False or right is False:
        return False
    return UNKNOWN if left is UNKNOWN or right is UNKNOWN else True


def reading(slot: int, attribute: Any) -> Value:
    """Read an attribute."""
    name, default = attribute.name, attribute.default
    fallback = unknown_if_none(default)

    def read(run: Run) -> Any:
        node, snapshot = run.slots[slot], run.world.snapshot
        value = snapshot.value(node, name)
        if value is not None:
            return value
        return UNKNOWN if snapshot.is_contradicted(node, name) else fallback

    return read


def set_of(items: list[Value]) -> Value:
    """Make a set; unknown if any item is."""

    def found(run: Run) -> Any:
        values = [i(run) for i in items]
        return UNKNOWN if any(v is UNKNOWN for v in values) else frozenset(values)

    return found


def negation(operand: Value) -> Value:
    """Negate; unknown stays unknown."""

    def negated(run: Run) -> Any:
        found = operand(run)
        return UNKNOWN if found is UNKNOWN else not found

    return negated


def joining(operands: list[Value], *, stops: bool) -> Value:
    """Combine conditions, stopping at the first that decides."""

    def joined(run: Run) -> Any:
        result: Any = not stops
        for operand in operands:
            found = operand(run)
            if found is stops:
                return stops
            if found is UNKNOWN:
                result = UNKNOWN
        return result

    return joined


def if_unknown(operand: Value, otherwise: Value) -> Value:
    """Put one value in the place of an unknown one."""

    def found(run: Run) -> Any:
        first = operand(run)
        return otherwise(run) if first is UNKNOWN else first

    return found


def traced_reading(slot: int, attribute: Any) -> Tracer:
    """Read an attribute, and say which."""

    def read(run: Run) -> Trace:
        node = run.slots[slot]
        value = run.world.read(node, attribute)
        if value is None:
            missing = MissingFact(node, attribute.name, run.world.why_missing(node, attribute.name))
            return Trace(UNKNOWN, missing=frozenset({missing}))
        return Trace(value, facts=frozenset({FactRead(node, attribute.name, value_in_words(value))}))

    return read


def traced_field(attribute: Any) -> Tracer:
    """Read a field of evidence, and say which."""

    def read(run: Run) -> Trace:
        record = record_in_view(run)
        name = f"evidence {record.type}.{attribute.name}"
        value = record.fields.get(attribute.name, attribute.default)
        if value is None:
            return Trace(UNKNOWN, missing=frozenset({MissingFact(record.subject, name, "not stated")}))
        return Trace(value, facts=frozenset({FactRead(record.subject, name, value_in_words(value))}))

    return read


def traced_set(items: list[Tracer]) -> Tracer:
    """Make a set, with what its items rest on."""

    def found(run: Run) -> Trace:
        parts = [i(run) for i in items]
        unknown = [p for p in parts if p.value is UNKNOWN]
        return together(UNKNOWN, unknown) if unknown else together(frozenset(p.value for p in parts), parts)

    return found


def traced_negation(operand: Tracer) -> Tracer:
    """Negate, on the same grounds."""

    def negated(run: Run) -> Trace:
        found = operand(run)
        return found if found.value is UNKNOWN else found.valued(not found.value)

    return negated


def traced_joining(operands: list[tuple[Value, Tracer]], *, all_of: bool) -> Tracer:
    """Combine conditions with what they rest on, as `junction` does; what a result does not rest on is not traced."""

    def joined(run: Run) -> Trace:
        values = [value(run) for value, _ in operands]
        result = next((v for v in (not all_of, UNKNOWN) if any(found is v for found in values)), all_of)
        decisive = [trace for (_, trace), found in zip(operands, values, strict=True) if found is result]
        return together(result, [trace(run) for trace in decisive])

    return joined


def traced_known(operand: Tracer) -> Tracer:
    """Say whether a value is known, and by which fact."""

    def known(run: Run) -> Trace:
        found = operand(run)
        if found.value is not UNKNOWN:
            return found.valued(True)
        return Trace(False, facts=frozenset(FactRead(m.node, m.attribute, m.reason) for m in found.missing))

    return known


def traced_if_unknown(operand: Tracer, otherwise: Tracer) -> Tracer:
    """Put one value in the place of an unknown one, with what it rests on."""

    def found(run: Run) -> Trace:
        first = operand(run)
        return otherwise(run) if first.value is UNKNOWN else first

    return found
