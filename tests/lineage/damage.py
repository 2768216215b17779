"""Documents with one value put wrong, wherever it stands: what importers must live with."""

import copy
from collections.abc import Iterator
from itertools import islice
from typing import Any

from policy_engine.lineage.estate import Estate
from policy_engine.lineage.snapshot import from_bytes, to_bytes
from tests.lineage.imported import std_schema

_WRONG: list[object] = [
    None, True, 7, -1.5, "", "x\ny", [], [None], [7], {}, {"name": 7}, {"key": "a"}, [[]], [{}], "unknown", "NONE"
]  # fmt: skip


def damaged(document: Any, *kept: str, every: int = 1) -> Iterator[Any]:
    """Yield the document with each value replaced in turn, but for what stands under the top keys to keep."""
    damages = ((path, wrong) for path in _paths(document) if path[0] not in kept for wrong in _WRONG)
    for path, wrong in islice(damages, 0, None, every):
        yield _replaced(document, path, wrong)


def survives(estate: Estate) -> bool:
    """Tell whether nothing worse came of a document than located warnings, and a snapshot that can be kept."""
    assert not estate.has_errors, estate.problems
    assert all(problem.line is not None or not problem.pointer for problem in estate.problems), estate.problems
    return from_bytes(to_bytes(estate.snapshot), std_schema()) == estate.snapshot


def _paths(value: object, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [at] if at else []
    if isinstance(value, dict):
        found += [path for key, inner in value.items() for path in _paths(inner, (*at, key))]
    if isinstance(value, list):
        found += [path for number, inner in enumerate(value) for path in _paths(inner, (*at, number))]
    return found


def _replaced(document: Any, path: tuple[str | int, ...], wrong: object) -> Any:
    changed = copy.deepcopy(document)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = wrong
    return changed
