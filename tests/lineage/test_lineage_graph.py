"""The snapshot: order, lookups, digests."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_engine.lineage.errors import LineageError
from policy_engine.lineage.graph import Edge, Fact, Node, Origin, Snapshot, Source, subject_digests
from policy_evidence.canonical import digest

SNAPSHOT = Snapshot.build(
    [
        Node("loans", "Dataset"),
        Node("scorer", "Model", {"version": Fact("3")}, {"task": (Fact("a"), Fact("b"))}),
        Node("base", "Model"),
        Node("credit", "System"),
    ],
    [
        Edge("trained_on", "scorer", "loans"),
        Edge("finetuned_from", "scorer", "base"),
        Edge("finetuned_from", "base", "scorer"),  # a cycle is data
        Edge("depends_on", "credit", "credit"),  # and so is an edge to itself
        Edge("uses_model", "credit", "scorer"),
        Edge("uses_model", "credit", "base"),
    ],
)


def test_everything_is_in_order() -> None:
    assert list(SNAPSHOT.nodes) == ["base", "credit", "loans", "scorer"]
    assert [edge.key for edge in SNAPSHOT.edges] == sorted(edge.key for edge in SNAPSHOT.edges)


def test_edges_are_followed_both_ways() -> None:
    assert SNAPSHOT.targets("credit", "uses_model") == ("base", "scorer")
    assert SNAPSHOT.sources_of("scorer", "uses_model") == ("credit",)
    assert SNAPSHOT.targets("loans", "trained_on") == ()
    assert SNAPSHOT.sources_of("loans", "trained_on") == ("scorer",)
    assert SNAPSHOT.targets("credit", "depends_on") == SNAPSHOT.sources_of("credit", "depends_on") == ("credit",)
    assert SNAPSHOT.targets("base", "finetuned_from") == ("scorer",)
    assert SNAPSHOT.targets("credit", "no_such_type") == ()


def test_what_is_not_known_has_no_value() -> None:
    assert SNAPSHOT.value("scorer", "version") == "3"
    assert SNAPSHOT.value("scorer", "task") is None  # contradicted
    assert SNAPSHOT.value("base", "version") is None  # absent


def test_ids_are_found_by_their_kinds() -> None:
    assert SNAPSHOT.ids_of(["Model"]) == ("base", "scorer")
    assert SNAPSHOT.ids_of({"System", "Model", "Nothing"}) == ("base", "credit", "scorer")
    assert SNAPSHOT.ids_of([]) == ()
    assert Snapshot().ids_of(["Model"]) == ()


@pytest.mark.parametrize("method", ["targets", "sources_of", "value"])
def test_a_node_that_is_not_there_is_an_error_and_never_an_empty_answer(method: str) -> None:
    with pytest.raises(LineageError) as caught:
        getattr(SNAPSHOT, method)("scorr", "uses_model")
    assert caught.value.problem.code == "PE3152"
    assert caught.value.problem.help == "did you mean `scorer`?"


def test_what_does_not_hang_together_is_refused() -> None:
    source = Source("a", digest(b""), "inventory", "us")
    for build, code in (
        (lambda: Snapshot.build([Node("a", "System"), Node("a", "Model")]), "PE3150"),
        (lambda: Snapshot.build([], [], [source, Source("a", digest(b"1"), "inventory", "us")]), "PE3150"),
        (lambda: Snapshot.build([Node("a", "System")], [Edge("uses_model", "a", "b")]), "PE3151"),
        (lambda: Snapshot.build([Node("a", "System", origins=(Origin("b", ""),))], [], [source]).digest, "PE3153"),
        (lambda: Snapshot.build([Node("\ud800", "System")]).digest, "PE3153"),
    ):
        with pytest.raises(LineageError) as caught:
            build()
        assert caught.value.problem.code == code


def test_one_edge_asserted_twice_is_one_edge_with_both_origins() -> None:
    nodes = [Node("a", "Model"), Node("b", "Dataset")]
    first, second = Origin("x", "/1"), Origin("y", "/2", 7)
    snapshot = Snapshot.build(nodes, [Edge("trained_on", "a", "b", (o,)) for o in (second, first, second)])
    assert snapshot.edges == (Edge("trained_on", "a", "b", (first, second)),)


@given(st.permutations(list(SNAPSHOT.nodes.values())), st.permutations(SNAPSHOT.edges))
def test_the_digest_does_not_depend_on_order(nodes: list[Node], edges: list[Edge]) -> None:
    assert Snapshot.build(nodes, edges).digest == SNAPSHOT.digest


def test_the_digest_depends_on_every_fact_and_on_who_asserts_it() -> None:
    source = Source("a", digest(b""), "inventory", "us", datetime(2026, 11, 1, tzinfo=UTC))
    other = Source("a", digest(b""), "inventory", "them", datetime(2026, 11, 1, tzinfo=UTC))
    here, there = Origin("a", "/nodes/0"), Origin("a", "/nodes/1")
    snapshots = [
        Snapshot.build([Node("a", "System", {"users": Fact(users, (origin,))}, aliases=aliases)], [], [by])
        for users in (1, 2)
        for origin in (here, there)
        for aliases in ((), ("b",))
        for by in (source, other)
    ]
    assert len({snapshot.digest for snapshot in snapshots}) == len(snapshots)
    # Without provenance only the value and the alias remain.
    assert len({snapshot.facts_digest for snapshot in snapshots}) == 4


def test_evidence_names_the_content_where_it_is_known() -> None:
    content = "ab" * 32
    assert subject_digests(Node("a", "Model", {"digest": Fact(f"sha256:{content}")})) == {"sha256": content}


def test_evidence_names_the_identity_where_the_content_is_not_known() -> None:
    plain = subject_digests(Node("a", "Model"))
    assert plain == {"sha256": digest(b'{"id":"a","kind":"Model"}').removeprefix("sha256:")}
    versioned = subject_digests(Node("a", "Model", {"version": Fact("2")}))
    assert versioned == {"sha256": digest(b'{"id":"a","kind":"Model","version":"2"}').removeprefix("sha256:")}
    # Neither a digest of another form nor a contradicted one is the content.
    for node in (
        Node("a", "Model", {"digest": Fact("sha256:" + "AB" * 32)}),
        Node("a", "Model", {"digest": Fact("sha512:" + "ab" * 64)}),
        Node("a", "Model", {"digest": Fact(Decimal(1))}),
        Node("a", "Model", conflicts={"digest": (Fact("sha256:" + "a" * 64), Fact("sha256:" + "b" * 64))}),
    ):
        assert subject_digests(node) == plain
