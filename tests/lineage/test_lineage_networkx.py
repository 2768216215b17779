"""The graph goes out to networkx and comes back the same; a graph made by a program is checked."""

import networkx as nx
import pytest

from policy_engine.lineage.graph import Fact, Origin
from policy_engine.lineage.load import load_estate
from policy_engine.lineage.networkx_graph import from_networkx, to_networkx
from tests.lineage.estate_schema import SCHEMA

INVENTORY = b"""\
inventory: 1
asserted_by: office
nodes:
- {id: s, kind: System, aliases: [x, y], users: 3, error_rate: 0.80, regions: [EU], retention: 6 months,
   reviewed_at: 2026-01-02T03:04:05Z, placed_on_market: 2026-01-02, profiles_persons: true,
   uses_model: m, depends_on: s}
- {id: m, kind: Model, name: a, stage: production}
"""
OTHER = b"inventory: 1\nnodes:\n- {id: m, kind: Model, name: b, stage: production}\n"
SNAPSHOT = load_estate({"a.yaml": INVENTORY, "b.yaml": OTHER}, SCHEMA).snapshot


def test_a_snapshot_goes_out_and_comes_back_the_same() -> None:
    estate = from_networkx(to_networkx(SNAPSHOT), SCHEMA)
    assert estate.snapshot == SNAPSHOT
    assert estate.snapshot.digest == SNAPSHOT.digest
    assert [problem.code for problem in estate.problems] == ["PE3143"]  # the contradiction is still one


def test_what_goes_out_is_an_ordinary_graph() -> None:
    graph = to_networkx(SNAPSHOT)
    assert isinstance(graph, nx.MultiDiGraph)
    assert sorted(graph.edges(keys=True)) == [("s", "m", "uses_model"), ("s", "s", "depends_on")]
    assert nx.descendants(graph, "s") == {"m"}
    assert graph.nodes["s"]["attributes"]["users"].value == 3


def test_a_graph_made_by_a_program_needs_only_kinds() -> None:
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    graph.add_node("s", kind="System", attributes={"stage": "production", "users": Fact(3)})
    graph.add_node("m", kind="Model")
    graph.add_edge("m", "s", key="used_by")
    estate = from_networkx(graph, SCHEMA)
    assert estate.problems == ()
    assert estate.snapshot.value("s", "stage") == "production"
    assert estate.snapshot.targets("s", "uses_model") == ("m",)


def _graph(node: dict[str, object], key: object = "uses_model", name: object = "s") -> "nx.MultiDiGraph[str]":
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    graph.add_node(name, **node)
    graph.add_node("m", kind="Model")
    graph.add_edge(name, "m", key=key)
    return graph


@pytest.mark.parametrize(
    ("graph", "code"),
    [
        (_graph({}), "PE3160"),
        (_graph({"kind": 7}), "PE3160"),
        (_graph({"kind": "System"}, name=7), "PE3160"),
        (_graph({"kind": "System"}, key=0), "PE3160"),
        (_graph({"kind": "System", "attributes": [1]}), "PE3160"),
        (_graph({"kind": "System", "aliases": 7}), "PE3160"),
        (_graph({"kind": "System", "origins": "here"}), "PE3160"),
        (_graph({"kind": "System", "origins": [Origin("nowhere", "")]}), "PE3160"),
        (_graph({"kind": "System", "attributes": {"stage": "prod"}}), "PE3142"),
        (_graph({"kind": "System", "attributes": {"stage": object()}}), "PE3142"),
        (_graph({"kind": "System", "attributes": {"stag": "production"}}), "PE3141"),
        (_graph({"kind": "Sistem"}), "PE3140"),
        (_graph({"kind": "System"}, key="likes"), "PE3148"),
        (_graph({"kind": "Dataset"}), "PE3146"),
    ],
)
def test_a_graph_that_does_not_fit_is_told(graph: "nx.MultiDiGraph[str]", code: str) -> None:
    assert code in [problem.code for problem in from_networkx(graph, SCHEMA).problems]
