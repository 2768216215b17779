"""Estates for the tests of the store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from policy_engine.lineage.graph import Edge, Fact, Node, Origin, Snapshot, Source
from policy_evidence.canonical import digest

NAMES = ("a.yaml", "b.json", "ü.yaml")


def day(number: int) -> datetime:
    """Return a day of March."""
    return datetime(2026, 3, number, tzinfo=UTC)


def source(name: str, content: bytes = b"") -> Source:
    """Return a source."""
    return Source(name, digest(content), "inventory", "office", day(1))


def estate(stage: str = "production", *, users: int = 5, extra: str | None = None, line: int = 3) -> Snapshot:
    """Return a small estate."""
    at = (Origin("b.json", "/nodes/0", line),)
    nodes = [
        Node("credit", "System", {"stage": Fact(stage, at), "users": Fact(users, at)}, origins=at),
        Node("scorer", "Model", {"name": Fact("Scorer", at)}, aliases=("the scorer",), origins=at),
    ]
    edges = [Edge("uses_model", "credit", "scorer", at)]
    if extra is not None:
        nodes.append(Node(extra, "Model", origins=at))
        edges.append(Edge("uses_model", "credit", extra, at))
    return Snapshot.build(nodes, edges, [source("b.json")])


_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
_names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=4)


@st.composite
def snapshots(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Snapshot:
    """Draw estates that share much with each other."""
    names = draw(st.sets(st.sampled_from(NAMES), min_size=1))
    origins = st.sets(
        st.builds(Origin, st.sampled_from(sorted(names)), st.sampled_from(["/n/0", "/n/1"]), st.none() | st.just(7)),
        max_size=2,
    ).map(lambda found: tuple(sorted(found, key=lambda origin: origin.sort_key)))
    facts = st.dictionaries(st.sampled_from(["name", "owner"]), st.builds(Fact, _texts, origins), max_size=2)
    conflicts = st.just({}) | st.tuples(origins, origins).map(
        lambda two: {"version": (Fact("1", two[0]), Fact("2", two[1]))}
    )
    ids = draw(st.sets(st.sampled_from(["a", "b", "c", "\ufffd", "\U0001f600"]) | _names, max_size=5))
    aliases = st.sets(_texts, max_size=1).map(tuple)
    kinds = st.sampled_from(["Model", "Dataset"])
    nodes = [draw(st.builds(Node, st.just(name), kinds, facts, conflicts, aliases, origins)) for name in sorted(ids)]
    ends = st.sampled_from(sorted(ids)) if ids else st.nothing()
    edges = draw(st.lists(st.builds(Edge, st.just("depends_on"), ends, ends, origins), max_size=4))
    return Snapshot.build(nodes, edges, [source(name, draw(st.sampled_from([b"", b"1"]))) for name in names])
