"""Writes a scene with its expectation as a test in the language.

>>> from policy_dsl.values import Duration
>>> literal(Duration(months=24)), literal(True), literal(Decimal("0.90"))
('24 months', 'true', '0.90')
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from policy_dsl.typed.schema import Attribute, Schema
from policy_dsl.typed.types import Simple
from policy_dsl.values import Duration, Value, format_instant
from policy_engine.app.testing.examples import Example


def written(example: Example, name: str, schema: Schema) -> str:
    """Return an example as a test."""
    scene = example.scene
    lines = [f"test {_quoted(name)}", f"    at {_moment(scene.at)}", "    given"]
    attributes = {name: kind.attributes for name, kind in schema.kinds.items()}
    lines += [f"        {node.kind} {node.id}{_fields(node.values, attributes[node.kind])}" for node in scene.nodes]
    lines += [f"        {edge.source} {edge.type} {edge.target}" for edge in scene.edges]
    for given in scene.evidence:
        issued = f" issued {_moment(given.issued)}" if given.issued is not None and given.issued != scene.at else ""
        expires = f" expires {_moment(given.expires)}" if given.expires is not None else ""
        signed = f" signed by {', '.join(given.roles)}" if given.roles else ""
        fields = _fields(given.fields, schema.evidence[given.type].fields)
        lines.append(f"        evidence {given.type} on {given.subject}{issued}{expires}{signed}{fields}")
    lines.append(f"    expect {example.status.value} of {example.rule.rpartition('.')[2]} on {example.subject}")
    return "\n".join(lines)


def literal(value: Value, attribute: Attribute | None = None) -> str:
    """Return a value as the language writes it; members of enumerations are bare words."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            plain = attribute is not None and not _is_text(attribute)
            return value if plain else _quoted(value)
        case datetime():
            return format_instant(value)
        case date():
            return value.isoformat()
        case Decimal():
            return format(value, "f")
        case Duration():
            return _duration(value)
        case frozenset():
            return f"{{{', '.join(sorted(literal(item, attribute) for item in value))}}}"
        case _:
            return str(value)


def _is_text(attribute: Attribute) -> bool:
    return Simple.TEXT in (attribute.type, getattr(attribute.type, "item", None))


def _fields(values: Mapping[str, Value], attributes: Mapping[str, Attribute]) -> str:
    listed = ", ".join(f"{name}: {literal(value, attributes[name])}" for name, value in values.items())
    return f" {{ {listed} }}" if listed else ""


def _moment(at: datetime) -> str:
    return format_instant(at).removesuffix("T00:00:00Z")


def _duration(value: Duration) -> str:
    if value.months:
        return f"{value.months} months"
    for unit, size in (("days", 86_400), ("hours", 3_600)):
        if value.seconds % size == 0:
            return f"{value.seconds // size} {unit}"
    return f"{value.seconds // 60} minutes"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'
