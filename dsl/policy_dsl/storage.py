"""A checked program as JSON and back, so that it can be loaded again without parsing and without lark.

Only the classes named here can come out of a stored program: reading one runs nothing but their constructors.

>>> from policy_dsl.values import Duration
>>> decode(encode(Duration(months=1)))
Duration(months=1, seconds=0)
"""

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from policy_dsl.collector import without_search_for_cycles
from policy_dsl.typed import tree

if TYPE_CHECKING:
    from policy_dsl import diagnostics

FORMAT = "policy-program/1"
# Imported when something of them is met: a program without its syntax needs few of them.
_MODULES = {
    "d": "policy_dsl.diagnostics",
    "s": "policy_dsl.source",
    "v": "policy_dsl.values",
    "a": "policy_dsl.syntax.ast",
    "e": "policy_dsl.syntax.expression_ast",
    "S": "policy_dsl.typed.schema",
    "t": "policy_dsl.typed.tree",
    "T": "policy_dsl.typed.types",
}


class StoredProgramError(Exception):
    """Raised when bytes are not a stored program of this version."""


def program_to_bytes(program: tree.Program, found: "tuple[diagnostics.Diagnostic, ...]") -> bytes:
    """Store a program and the warnings found with it."""
    return json.dumps([FORMAT, encode(program), encode(found)], separators=(",", ":")).encode()


@without_search_for_cycles()
def program_from_bytes(data: bytes) -> "tuple[tree.Program, tuple[diagnostics.Diagnostic, ...]]":
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
            return {"#": name_of(type(value)), "=": value.value}
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
        case _:
            form: Any = type(value)
            return {"#": name_of(form), "=": [encode(getattr(value, name)) for name in form.__match_args__]}


def decode(stored: Any) -> Any:
    """Return the value of its JSON form; lists become tuples."""
    if isinstance(stored, list):
        return tuple(_decoded(stored))
    if not isinstance(stored, dict):
        return stored
    kind, inner = stored["#"], stored["="]
    plain = _PLAIN.get(kind)
    if plain is not None:
        return plain(inner)
    form: Any = class_of(kind)
    if issubclass(form, Enum):
        return form(inner)
    if len(inner) != len(form.__match_args__):
        raise ValueError(kind)
    return form(*_decoded(inner))


def _decoded(items: list[Any]) -> list[Any]:
    # Most are plain: a call for each of them would take longer than all the rest.
    return [decode(item) if item.__class__ in _NESTED else item for item in items]


_NESTED = frozenset({list, dict})
_PLAIN: dict[str, Callable[[Any], Any]] = {
    "Decimal": Decimal,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "set": lambda items: frozenset(decode(item) for item in items),
    "map": lambda items: {decode(k): decode(v) for k, v in items},
}


@cache
def name_of(form: Any) -> str:
    """Return the short name of a class that stored programs may hold."""
    for letter, module in _MODULES.items():
        if module == form.__module__:
            return f"{letter}:{form.__name__}"
    raise TypeError(form)


@cache
def class_of(name: str) -> type:
    """Return the class of a short name."""
    letter, _, written = name.partition(":")
    found = getattr(import_module(_MODULES[letter]), written)
    if not isinstance(found, type) or found.__module__ != _MODULES[letter]:
        raise KeyError(name)
    return found
