"""rustworkx: a graph library in Rust; one search for each set of things that break a rule."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.contenders.conditions import Conditions, conditions
from benchmarks.files import read_tables
from benchmarks.findings import Findings
from benchmarks.generator import EDGE_TYPES, KINDS, REGIONS, Array, Generated
from benchmarks.rules import EXPOSED, HOPS, LEARNT, MOST_MODELS, SUPPLIED


def load(folder: Path) -> Callable[[], Findings]:
    """Make a graph for each kind of lineage, from dependencies to dependents, and return the work."""
    estate = read_tables(folder)
    found = conditions(estate)
    learnt, supplied = _graph(estate, LEARNT), _graph(estate, SUPPLIED)
    # Nothing goes on from what anonymises.
    stopping = _graph(estate, EXPOSED, ~found.anonymises[estate.target])
    return lambda: _findings(estate, conditions(estate), learnt, supplied, stopping)


def _findings(estate: Generated, found: Conditions, learnt: Any, supplied: Any, stopping: Any) -> Findings:
    import rustworkx

    running, region = set(_where(found.running)), estate.texts["region"].tolist()

    def beyond(graph: Any, marks: Array) -> set[int]:
        """Return what depends on any of some things: a thing of its own before them all saves one search for each."""
        start = graph.add_node(None)
        graph.add_edges_from_no_data([(start, one) for one in _where(marks)])
        reached: set[int] = rustworkx.descendants(graph, start)
        graph.remove_node(start)
        return reached

    foreign: set[int] = set()
    for origin in range(len(REGIONS)):
        tainted = beyond(learnt, found.no_agreement & (estate.texts["region"] == origin)) & running
        foreign |= {one for one in tainted if region[one] != origin}
    near: set[int] = set()
    level = set(_where(found.expired))
    for _ in range(HOPS):
        level = {end for one in level for end in supplied.successor_indices(one)} - near
        near |= level
    return {
        **found.plain,
        "r3": beyond(learnt, found.no_dpia) & running,
        "r4": near & set(_where(estate.kind == KINDS.index("deployment"))),
        "r5": foreign,
        "r6a": [
            one
            for one in _where(estate.kind == KINDS.index("vendor"))
            if len(rustworkx.descendants(supplied, one) & running) > MOST_MODELS
        ],
        "r6b": beyond(stopping, found.personal) & set(_where(estate.kind == KINDS.index("endpoint"))),
    }


def _graph(estate: Generated, types: tuple[str, ...], also: Array | None = None) -> Any:
    import rustworkx

    wanted = np.isin(estate.edge_type, [EDGE_TYPES.index(name) for name in types])
    if also is not None:
        wanted &= also
    graph = rustworkx.PyDiGraph(multigraph=False)
    graph.add_nodes_from([None] * estate.size)
    graph.add_edges_from_no_data(list(zip(estate.target[wanted].tolist(), estate.source[wanted].tolist(), strict=True)))
    return graph


def _where(marks: Array) -> list[int]:
    return np.flatnonzero(marks).tolist()
