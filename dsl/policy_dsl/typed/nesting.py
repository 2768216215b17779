"""How deep expressions are nested, counting the definitions that they use.

Passes over expressions are recursive. The parser bounds what one declaration may nest; definitions that use each
other add up, and this module adds them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from policy_dsl.syntax import ast
from policy_dsl.typed import tree

MAX_HEIGHT = 100
"""A definition higher than this is refused: no evaluator then needs more stack than any machine gives it."""


MAX_BETWEENS = 4
"""More nested intervals than this are refused."""


def calls(expression: ast.Expression) -> Iterator[str]:
    """Yield the name of every definition that an expression uses."""
    waiting: list[Any] = [expression]
    while waiting:
        part = waiting.pop()
        if isinstance(part, ast.Call):
            yield part.name.text
        waiting.extend(_parts(part))


def definitions_used(checked: object) -> Iterator[str]:
    """Yield the full names of the definitions used anywhere in checked expressions, in the order of the text."""
    if isinstance(checked, tree.Invoke):
        yield checked.definition
    parts = checked if isinstance(checked, tuple) else _parts(checked)
    for part in parts:
        yield from definitions_used(part)


def nested_betweens(expression: ast.Expression) -> int:
    """Return how many `between`s are nested in an expression, one in the compared value of the other."""
    deepest = 0
    waiting: list[tuple[Any, int]] = [(expression, 0)]
    while waiting:
        part, depth = waiting.pop()
        depth += isinstance(part, ast.Between)
        deepest = max(deepest, depth)
        waiting.extend((p, depth) for p in _parts(part))
    return deepest


def height(expression: tree.Expression, heights: Mapping[str, int]) -> int:
    """Return the height of a checked expression; a definition's use counts with the definition's height."""
    found: dict[int, int] = {}
    waiting: list[tuple[Any, int]] = [(expression, 1)]
    while waiting:
        part, depth = waiting.pop()
        # Sugar may have put one part into two places; it is looked at again only where it stands deeper.
        if found.get(id(part), 0) >= depth:
            continue
        found[id(part)] = depth + (heights.get(part.definition, 0) if isinstance(part, tree.Invoke) else 0)
        waiting.extend((p, depth + 1) for p in _parts(part))
    return max(found.values())


def _parts(part: object) -> list[Any]:
    """Return the expressions directly within a node of either tree."""
    if not is_dataclass(part):
        return []
    values = [getattr(part, f.name) for f in fields(part)]
    lists = [v for v in values if isinstance(v, tuple)]
    return [p for p in [*values, *(i for items in lists for i in items)] if is_dataclass(p)]
