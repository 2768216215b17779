"""Checking a parsed value against a model and saying in plain words what is wrong and where.

Rules: every problem is reported, not only the first; a path reads like `roles.data_steward.keys[1]`; the words of the
validation library never reach a reader.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, TypeAlias, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from policy_evidence.canonical import JsonValue
from policy_evidence.errors import EvidenceError, quoted
from policy_evidence.instants import INSTANT_PATTERN, format_instant, parse_instant

Path: TypeAlias = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)


class Document(BaseModel):
    """The base of every model that crosses the boundary: immutable, and nothing unknown slips through."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _instant(value: object) -> datetime:
    try:
        if isinstance(value, datetime):
            return parse_instant(format_instant(value))
        if isinstance(value, str):
            return parse_instant(value)
    except EvidenceError as cause:
        raise plainly(f"{cause.message}: {cause.help}") from cause
    raise plainly("must be an instant such as 2027-12-02T00:00:00Z")


def plainly(words: str) -> PydanticCustomError:
    """Return the error by which a validator of ours says what is wrong in its own words."""
    return PydanticCustomError("said_plainly", "{words}", {"words": words})


# `$` is the very end here: these patterns are read by a regular-expression engine without the line-break exception.
DIGEST_PATTERN: Final = r"^sha256:[0-9a-f]{64}$"
IDENTIFIER_PATTERN: Final = r"^[a-z][a-z0-9_]*$"
RULE_PATTERN: Final = r"^[A-Za-z_][A-Za-z0-9_]*([.][A-Za-z_][A-Za-z0-9_]*)*$"

Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    PlainSerializer(format_instant, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": INSTANT_PATTERN}),
]
Digest = Annotated[str, StringConstraints(strict=True, pattern=DIGEST_PATTERN)]
Identifier = Annotated[str, StringConstraints(strict=True, pattern=IDENTIFIER_PATTERN, max_length=100)]
# What a person wrote: never blank, and short enough to print.
Text = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=4000, pattern=r"\S")]


@dataclass(frozen=True, slots=True)
class Misfit:
    """One place where a value does not fit its model."""

    path: Path
    message: str


def fit(model: type[M], value: object) -> M | tuple[Misfit, ...]:
    """Return the document, or everything that keeps `value` from being one."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        return tuple(_misfit(detail) for detail in error.errors(include_url=False, include_input=False))


def published_schema(model: type[BaseModel], name: str) -> dict[str, JsonValue]:
    """Return the JSON Schema (2020-12) of a model, under the name by which it is published."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:ai-policy-engine:schema:{name}:v1",
        **model.model_json_schema(mode="validation"),
    }


def path_text(path: Path) -> str:
    """Return a path as a reader writes it.

    >>> path_text(("roles", "data_steward", "keys", 1))
    'roles.data_steward.keys[1]'
    """
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def _misfit(detail: ErrorDetails) -> Misfit:
    path, context = detail["loc"], detail.get("ctx", {})
    words = _WORDS.get(detail["type"], _unexpected)(context)
    if path and path[-1] == "[key]":
        # The library marks a mapping's key this way; the reader sees the name itself.
        return Misfit(path[:-1], "this name is not acceptable: use lower-case letters, digits and `_`")
    return Misfit(path, words)


_WORDS: Final[dict[str, Callable[[dict[str, Any]], str]]] = {
    "said_plainly": lambda context: str(context["words"]),
    "missing": lambda _: "is missing",
    "extra_forbidden": lambda _: "is not a known field",
    "string_type": lambda _: "must be text",
    "string_too_short": lambda _: "must not be empty",
    "string_too_long": lambda context: f"must not be longer than {context['max_length']} characters",
    "string_pattern_mismatch": lambda context: _pattern_words(context["pattern"]),
    "int_type": lambda _: "must be a whole number",
    "bool_type": lambda _: "must be true or false",
    "dict_type": lambda _: "must be a mapping",
    "model_type": lambda _: "must be a mapping",
    "tuple_type": lambda _: "must be a list",
    "too_short": lambda _: "must not be empty",
    "too_long": lambda context: f"must not have more than {context['max_length']} items",
    "literal_error": lambda context: f"must be {context['expected'].replace(chr(39), '`')}",
    "enum": lambda context: f"must be {context['expected'].replace(chr(39), '`')}",
    "greater_than_equal": lambda context: f"must be at least {context['ge']}",
}


def _unexpected(_: dict[str, Any]) -> str:
    return "is not acceptable"


def _pattern_words(pattern: str) -> str:
    match pattern:
        case _ if pattern == DIGEST_PATTERN:
            return "must be `sha256:` and 64 lower-case hexadecimal digits"
        case _ if pattern == IDENTIFIER_PATTERN:
            return "must be a name of lower-case letters, digits and `_`"
        case _ if pattern == RULE_PATTERN:
            return "must be the full name of one rule"
        case r"\S":
            return "must not be blank"
        case _:
            return f"must have the form {quoted(pattern)}"
