"""The graph as networkx knows it: handed out for whatever people do with graphs, and taken in again.

A node has ``kind``, ``attributes`` (name to ``Fact``), ``conflicts`` (name to facts), ``aliases`` and ``origins``; an
edge's key is its type, and it has ``origins``; ``graph.graph["sources"]`` lists the sources. A graph that a program
made may leave all but ``kind`` out, and may give plain values in place of facts; these then have no origin. What comes
in is checked against the schema like any inventory.

>>> from policy_engine.lineage.graph import Node, Snapshot
>>> graph = to_networkx(Snapshot.build([Node("scorer", "Model", {"version": Fact("3")})]))
>>> graph.nodes["scorer"]["attributes"]["version"].value
'3'
"""

from collections.abc import Iterable
from typing import Any

import networkx as nx

from policy_dsl.typed.schema import Schema
from policy_engine.lineage.claims import AttributeClaim, Claims, EdgeClaim, NodeClaim
from policy_engine.lineage.estate import Estate
from policy_engine.lineage.graph import Fact, Origin, Snapshot, Source
from policy_engine.lineage.join import join
from policy_engine.lineage.reporting import Reporter
from policy_engine.model.problems import sort_problems


def to_networkx(snapshot: Snapshot) -> "nx.MultiDiGraph[str]":
    """Return the graph of a snapshot, without loss."""
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph(sources=snapshot.sources)
    for node in snapshot.nodes.values():
        graph.add_node(
            node.id,
            kind=node.kind,
            attributes=dict(node.attributes),
            conflicts=dict(node.conflicts),
            aliases=node.aliases,
            origins=node.origins,
        )
    for edge in snapshot.edges:
        graph.add_edge(edge.source, edge.target, key=edge.type, origins=edge.origins)
    return graph


def from_networkx(graph: "nx.MultiDiGraph[str]", schema: Schema) -> Estate:
    """Return the estate that a graph describes; what does not fit the schema is a problem, as in an inventory."""
    report = Reporter()
    sources = tuple(_only(graph.graph.get("sources", ()), Source, "the sources of the graph", report))
    names = {source.name for source in sources}
    nodes: list[NodeClaim] = []
    attributes: list[AttributeClaim] = []
    for node_id, data in graph.nodes(data=True):
        what = f"node `{node_id}`"
        kind = data.get("kind")
        if not isinstance(node_id, str) or not isinstance(kind, str):
            report.add("PE3160", f"{what} needs a text as its name and a text as its `kind`", (), own=True)
            continue
        aliases = tuple(_only(data.get("aliases", ()), str, f"the aliases of {what}", report))
        nodes.append(NodeClaim(node_id, kind, aliases, _origins(data, what, names, report)))
        for name, facts in _facts(data, what, report):
            attributes.extend(AttributeClaim(node_id, name, fact.value, fact.origins) for fact in facts)
    edges: list[EdgeClaim] = []
    for source, target, name, data in graph.edges(keys=True, data=True):
        what = f"the edge from `{source}` to `{target}`"
        if isinstance(name, str) and isinstance(source, str) and isinstance(target, str):
            edges.append(EdgeClaim(name, source, target, _origins(data, what, names, report)))
        else:
            report.add("PE3160", f"the key of {what} is not the name of an edge type", (), own=True)
    claims = Claims(sources, True, tuple(nodes), tuple(attributes), tuple(edges), tuple(report.problems))
    snapshot, problems = join([claims], schema)
    return Estate(snapshot, sort_problems(list(problems)))


def _facts(data: dict[str, Any], what: str, report: Reporter) -> list[tuple[str, tuple[Fact, ...]]]:
    found: list[tuple[str, tuple[Fact, ...]]] = []
    for key in ("attributes", "conflicts"):
        named = data.get(key, {})
        if not isinstance(named, dict) or not all(isinstance(name, str) for name in named):
            report.add("PE3160", f"the {key} of {what} are no mapping from names", (), own=True)
            continue
        for name, given in named.items():
            several = given if key == "conflicts" and isinstance(given, list | tuple) else (given,)
            found.append((name, tuple(fact if isinstance(fact, Fact) else Fact(fact) for fact in several)))
    return found


def _origins(data: dict[str, Any], what: str, names: set[str], report: Reporter) -> tuple[Origin, ...]:
    origins = tuple(_only(data.get("origins", ()), Origin, f"the origins of {what}", report))
    for origin in origins:
        if origin.source not in names:
            report.add(
                "PE3160", f"{what} names the source `{origin.source}`, which the graph does not list", (), own=True
            )
    return tuple(origin for origin in origins if origin.source in names)


def _only(given: object, of: type[Any], what: str, report: Reporter) -> list[Any]:
    items = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [given]
    fitting = [item for item in items if isinstance(item, of)]
    if len(fitting) < len(items):
        report.add("PE3160", f"{what} hold something else", (), own=True)
    return fitting
