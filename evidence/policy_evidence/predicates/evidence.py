"""Evidence about one thing in the inventory: a datasheet, an impact assessment, a training record.

The type of evidence is in the predicate type; which fields it has is declared by the policy's schema, so here they are
scalars or lists of scalars under identifiers.

>>> EvidencePredicate(issued="2027-12-20T00:00:00Z", fields={"rows": 120_000}).fields
{'rows': 120000}
"""

from typing import Annotated, Final, TypeAlias

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema

from policy_evidence.canonical import JsonValue
from policy_evidence.shapes import Document, Identifier, Instant, Text, plainly

Scalar: TypeAlias = bool | int | float | str
FieldValue: TypeAlias = Scalar | tuple[Scalar, ...]

_SCALAR_SCHEMA: Final[dict[str, JsonValue]] = {"type": ["boolean", "number", "string"]}


def _field_value(value: object) -> FieldValue:
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple) and all(isinstance(item, bool | int | float | str) for item in value):
        return tuple(value)
    raise plainly("must be a text, a number, true, false, or a list of these")


def _field_json(value: FieldValue) -> Scalar | list[Scalar]:
    return list(value) if isinstance(value, tuple) else value


class EvidencePredicate(Document):
    """What was seen, when, by whom it is asserted, and until when it may be relied on."""

    issued: Instant
    expires: Instant | None = None
    issuer: Text | None = None
    fields: dict[
        Identifier,
        Annotated[
            FieldValue,
            PlainValidator(_field_value),
            PlainSerializer(_field_json),
            WithJsonSchema({"anyOf": [_SCALAR_SCHEMA, {"type": "array", "items": _SCALAR_SCHEMA}]}),
        ],
    ] = Field(max_length=1000, json_schema_extra={"additionalProperties": False})
