"""A checked program as JSON and back, so that it can be loaded again without parsing and without lark.

Only the classes named here can come out of a stored program: reading one runs nothing but their constructors.

>>> from policy_dsl.values import Duration
>>> decode(encode(Duration(months=1)))
Duration(months=1, seconds=0)
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any

from policy_dsl import diagnostics, source, values
from policy_dsl.collector import without_search_for_cycles
from policy_dsl.syntax import ast, expression_ast
from policy_dsl.typed import schema, tree, types

FORMAT = "policy-program/1"
_MODULES = {
    "d": diagnostics,
    "s": source,
    "v": values,
    "a": ast,
    "e": expression_ast,
    "S": schema,
    "t": tree,
    "T": types,
}


class StoredProgramError(Exception):
    """Raised when bytes are not a stored program of this version."""


def program_to_bytes(program: tree.Program, found: tuple[diagnostics.Diagnostic, ...]) -> bytes:
    """Store a program and the warnings found with it."""
    return json.dumps([FORMAT, encode(program), encode(found)], separators=(",", ":")).encode()


@without_search_for_cycles()
def program_from_bytes(data: bytes) -> tuple[tree.Program, tuple[diagnostics.Diagnostic, ...]]:
    """Load what was stored.

    Raises:
        StoredProgramError: the bytes are something else.
    """
    try:
        written, program, found = json.loads(data)
        if written != FORMAT:
            raise StoredProgramError(f"the format is `{written}`")
        loaded = decode(program), decode(found)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, ArithmeticError) as error:
        raise StoredProgramError("the bytes are no stored program") from error
    if not isinstance(loaded[0], tree.Program):
        raise StoredProgramError("the bytes hold no program")
    return loaded


def encode(value: Any) -> Any:
    """Return a value of the language or of its trees as JSON."""
    match value:
        case Enum():
            return {"#": _name_of(type(value)), "=": value.value}
        case None | bool() | int() | str():
            return value
        case Decimal():
            return {"#": "Decimal", "=": str(value)}
        case datetime():
            return {"#": "datetime", "=": value.isoformat()}
        case date():
            return {"#": "date", "=": value.isoformat()}
        case tuple() | list():
            return [encode(item) for item in value]
        case frozenset():
            return {"#": "set", "=": sorted((encode(item) for item in value), key=json.dumps)}
        case Mapping():
            return {"#": "map", "=": [[encode(k), encode(v)] for k, v in value.items()]}
        case _ if is_dataclass(value):
            form: Any = type(value)
            return {"#": _name_of(form), "=": [encode(getattr(value, f)) for f in _fields(form)]}
        case _:
            raise TypeError(type(value))


def decode(stored: Any) -> Any:
    """Return the value of its JSON form; lists become tuples."""
    if isinstance(stored, list):
        return tuple([decode(item) for item in stored])
    if not isinstance(stored, dict):
        return stored
    kind, inner = stored["#"], stored["="]
    plain = _PLAIN.get(kind)
    if plain is not None:
        return plain(inner)
    found = _class_of(kind)
    if issubclass(found, Enum):
        return found(inner)
    form: Any = found
    return form(**dict(zip(_fields(form), map(decode, inner), strict=True)))


_PLAIN: dict[str, Callable[[Any], Any]] = {
    "Decimal": Decimal,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "set": lambda items: frozenset(decode(item) for item in items),
    "map": lambda items: {decode(k): decode(v) for k, v in items},
}


@cache
def _fields(form: Any) -> tuple[str, ...]:
    return tuple(f.name for f in fields(form) if f.init)


@cache
def _name_of(form: Any) -> str:
    for letter, module in _MODULES.items():
        if module.__name__ == form.__module__:
            return f"{letter}:{form.__name__}"
    raise TypeError(form)


@cache
def _class_of(name: str) -> type:
    letter, _, written = name.partition(":")
    found = getattr(_MODULES[letter], written)
    if not isinstance(found, type) or found.__module__ != _MODULES[letter].__name__:
        raise KeyError(name)
    return found
