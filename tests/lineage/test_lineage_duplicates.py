"""Things that are probably one: what is shown to a person, and what is not."""

import random
import time

import pytest

from policy_engine.lineage.duplicates import likely_duplicates
from policy_engine.lineage.graph import Edge, Fact, Node, Snapshot

DIGEST = "sha256:" + "ab" * 32


def thing(node_id: str, *aliases: str, kind: str = "Model", **facts: str) -> Node:
    return Node(node_id, kind, {name: Fact(value) for name, value in facts.items()}, aliases=aliases)


ALIKE = {
    "name in another case and with other signs": (thing("a", name="Credit Scorer"), thing("b", name="credit-scorer")),
    "name of one is the id of the other": (thing("credit_scorer"), thing("b", name="Credit scorer")),
    "ids in another case": (thing("Scorer", name="x"), thing("scorer", name="y")),
    "letters of another width": (thing("a", name="\uff33corer"), thing("b", name="Scorer")),
    "one version, one not said": (thing("a", name="m", version="1"), thing("b", name="m")),
    "name and name within an organisation": (thing("a", name="org/m"), thing("b", name="m")),
    "one of the names that sources contradict each other about": (
        Node("a", "Model", conflicts={"name": (Fact("m"), Fact("n"))}),
        thing("b", name="N"),
    ),
    "hub and name": (thing("pkg:huggingface/org/m@1"), thing("b", name="org/m")),
    "package with and without version": (thing("pkg:x/m@1", name="p"), thing("q", "pkg:x/m", name="r")),
    "content": (thing("a", name="p", digest=DIGEST), thing("b", name="q", digest=DIGEST.upper())),
    "content of two kinds": (thing("a", digest=DIGEST), thing("b", kind="Dataset", digest=DIGEST)),
}
UNLIKE = {
    "kinds": (thing("a", name="m"), thing("b", name="m", kind="Dataset")),
    "versions": (thing("a", name="m", version="1"), thing("b", name="m", version="2")),
    "versions of a package": (thing("pkg:x/m@1", name="m"), thing("pkg:x/m@2", name="m")),
    "organisations": (thing("a", name="one/m"), thing("b", name="other/m")),
    "names without a letter": (thing("a", name="--"), thing("b", name="..")),
    "content that tells nothing": (thing("a", digest="md5:" + "ab" * 16), thing("b", digest="md5:" + "ab" * 16)),
}


@pytest.mark.parametrize("name", ALIKE)
def test_what_looks_alike(name: str) -> None:
    (found,) = likely_duplicates(Snapshot.build(ALIKE[name]))
    assert found.ids == tuple(sorted(node.id for node in ALIKE[name]))


@pytest.mark.parametrize("name", UNLIKE)
def test_what_does_not(name: str) -> None:
    assert likely_duplicates(Snapshot.build(UNLIKE[name])) == ()


def test_products_of_two_suppliers_are_two() -> None:
    vendors = [thing(name, kind="Vendor") for name in ("v1", "v2")]
    nodes = [thing("a", name="assistant"), thing("b", name="assistant")]

    def supplied(*by: str) -> Snapshot:
        return Snapshot.build(
            [*nodes, *vendors], [Edge("supplied_by", node.id, name) for node, name in zip(nodes, by, strict=False)]
        )

    assert likely_duplicates(supplied("v1", "v2")) == ()
    assert [found.reason for found in likely_duplicates(supplied("v1", "v1"))] == ["the name, kind and supplier"]
    assert [found.reason for found in likely_duplicates(supplied("v1"))] == ["the name and kind"]


def test_a_version_that_is_not_said_is_nobodys_where_there_is_a_choice() -> None:
    nodes = [thing("a", name="m", version="1"), thing("b", name="m", version="2"), thing("c", name="m")]
    assert likely_duplicates(Snapshot.build(nodes)) == ()
    nodes.append(thing("d", name="m", version="2"))
    assert [found.ids for found in likely_duplicates(Snapshot.build(nodes))] == [("b", "d")]


def test_a_group_within_a_group_is_told_once() -> None:
    nodes = [thing("a", name="m", digest=DIGEST), thing("b", name="m", digest=DIGEST), thing("c", name="m")]
    assert [found.ids for found in likely_duplicates(Snapshot.build(nodes))] == [("a", "b", "c")]


def test_the_order_of_things_changes_nothing_and_their_number_costs_no_more_than_it_should() -> None:
    nodes = [thing(f"n{n}", name=f"model {n % 7}", version=str(n % 3), digest=DIGEST) for n in range(20_000)]
    start = time.perf_counter()
    first = likely_duplicates(Snapshot.build(nodes))
    assert time.perf_counter() - start < 20
    random.Random(7).shuffle(nodes)
    assert likely_duplicates(Snapshot.build(nodes)) == first
