"""Python without any library: lists of neighbours and sets, backwards from what breaks a rule."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from benchmarks.contenders.conditions import Conditions, conditions
from benchmarks.files import read_tables
from benchmarks.findings import Findings
from benchmarks.generator import EDGE_TYPES, KINDS, REGIONS, Array, Generated
from benchmarks.rules import EXPOSED, HOPS, LEARNT, MOST_MODELS, SUPPLIED

Neighbours = list[list[int]]


def load(folder: Path) -> Callable[[], Findings]:
    """Make lists of what depends on each thing, and return the work."""
    estate = read_tables(folder)
    dependents = [_dependents(estate, types) for types in (LEARNT, SUPPLIED, EXPOSED)]
    return lambda: _findings(estate, conditions(estate), *dependents)


def reached(neighbours: Neighbours, seeds: Iterable[int], hops: int | None = None) -> set[int]:
    """Return everything beyond some things, within a number of steps."""
    found: set[int] = set()
    level = set(seeds)
    while level and hops != 0:
        level = {beyond for one in level for beyond in neighbours[one]} - found
        found |= level
        hops = None if hops is None else hops - 1
    return found


def _findings(
    estate: Generated, found: Conditions, learnt: Neighbours, supplied: Neighbours, exposed: Neighbours
) -> Findings:
    running, region = set(_where(found.running)), estate.texts["region"].tolist()
    # Nothing goes on from what anonymises.
    stopping = [[] if stops else ends for ends, stops in zip(exposed, found.anonymises.tolist(), strict=True)]
    foreign: set[int] = set()
    for origin in range(len(REGIONS)):
        seeds = _where(found.no_agreement & (estate.texts["region"] == origin))
        foreign |= {one for one in reached(learnt, seeds) & running if region[one] != origin}
    vendors = _where(estate.kind == KINDS.index("vendor"))
    return {
        **found.plain,
        "r3": reached(learnt, _where(found.no_dpia)) & running,
        "r4": reached(supplied, _where(found.expired), HOPS) & set(_where(estate.kind == KINDS.index("deployment"))),
        "r5": foreign,
        "r6a": [one for one in vendors if len(reached(supplied, [one]) & running) > MOST_MODELS],
        "r6b": reached(stopping, _where(found.personal)) & set(_where(estate.kind == KINDS.index("endpoint"))),
    }


def _dependents(estate: Generated, types: tuple[str, ...]) -> Neighbours:
    wanted = np.isin(estate.edge_type, [EDGE_TYPES.index(name) for name in types])
    found: Neighbours = [[] for _ in range(estate.size)]
    for source, target in zip(estate.source[wanted].tolist(), estate.target[wanted].tolist(), strict=True):
        found[target].append(source)
    return found


def _where(marks: Array) -> list[int]:
    return np.flatnonzero(marks).tolist()
