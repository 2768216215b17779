"""What a rule is made of: its expressions, those of the definitions that it uses, and the evidence that it asks for."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from policy_dsl.typed import tree
from policy_dsl.values import Duration
from policy_engine.evaluation.world import World


def patterns_of(program: tree.Program, rule: tree.Rule) -> tuple[tree.HasEvidence, ...]:
    """Return everything that a rule, with the definitions it uses, asks of evidence, in the order of the text."""
    return tuple(p for p in parts_of(program, rule) if isinstance(p, tree.HasEvidence))


def fields_asked(program: tree.Program, rule: tree.Rule) -> dict[tree.HasEvidence, tuple[str, ...]]:
    """Return everything that a rule asks of evidence, in the order of the text, each with the fields looked at."""
    found: dict[tree.HasEvidence, dict[str, None]] = {}
    for part in parts_of(program, rule):
        match part:
            case tree.HasEvidence():
                within = parts_within(part.where) if part.where is not None else ()
                read = [inner.attribute.name for inner in within if isinstance(inner, tree.Field)]
                found.setdefault(part, {}).update(dict.fromkeys(read))
            case tree.LatestField():
                found.setdefault(part.pattern, {})[part.attribute.name] = None
    return {pattern: tuple(fields) for pattern, fields in found.items()}


def parts_of(program: tree.Program, rule: tree.Rule) -> Iterator[Any]:
    """Yield every expression of a rule, and those of each definition that it uses, once."""
    waiting: list[Any] = [rule.where, rule.requirement, *rule.exemptions]
    seen: set[str] = set()
    while waiting:
        part = waiting.pop(0)
        if part is None:
            continue
        yield part
        if isinstance(part, tree.Invoke) and part.definition not in seen:
            seen.add(part.definition)
            waiting.append(program.definitions[part.definition].body)
        waiting[:0] = _within(part)


def parts_within(expression: object) -> Iterator[Any]:
    """Yield an expression and every part of it, without what definitions hold."""
    yield expression
    for part in _within(expression):
        yield from parts_within(part)


def _within(part: object) -> list[Any]:
    """Return the parts directly within a part of a checked tree."""
    values = [getattr(part, f.name) for f in fields(part)] if is_dataclass(part) else []
    members = [m for value in values for m in (value if isinstance(value, tuple) else (value,))]
    return [m for m in members if is_dataclass(m)]


def age_allowed(world: World, pattern: tree.HasEvidence) -> Duration | None:
    """Return the age that a pattern allows where it is written down or a parameter."""
    match pattern.max_age:
        case tree.Constant(Duration() as age):
            return age
        case tree.ParameterValue(name):
            value = world.program.parameters[name]
            return value if isinstance(value, Duration) else None
        case _:
            return None
