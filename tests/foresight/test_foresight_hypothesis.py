"""A changed world is what one would have built from the changed facts; nothing of the old one is touched."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from policy_engine.evaluation.supposition import (
    AddEdge,
    AddEvidence,
    AddNode,
    RemoveEdge,
    RemoveNode,
    SetFact,
    changed_snapshot,
    changed_world,
)
from policy_engine.evaluation.world import World
from policy_engine.lineage.graph import Edge, Fact, Node, Snapshot
from policy_engine.model.evidence import Evidence, EvidenceSet
from tests.property.strategies import AT, programs, snapshots


@settings(max_examples=100, deadline=None)
@given(data=st.data(), before=snapshots())
def test_a_changed_snapshot_is_in_order_and_right(data, before):
    nodes, edges = dict(before.nodes), {edge.key for edge in before.edges}
    changes = []
    for number in range(data.draw(st.integers(0, 5))):
        kind = data.draw(st.sampled_from(["set", "unset", "add", "remove", "edge", "cut"]))
        there = data.draw(st.sampled_from(sorted(nodes))) if nodes else None
        if kind == "add":
            changes.append(AddNode(f"a{number}", "Data"))
            nodes[f"a{number}"] = Node(f"a{number}", "Data")
        elif there is None:
            continue
        elif kind in {"set", "unset"}:
            value = 7 if kind == "set" else None
            changes.append(SetFact(there, "number", value))
            facts = {n: f for n, f in nodes[there].attributes.items() if n != "number"}
            facts |= {"number": Fact(7)} if kind == "set" else {}
            conflicts = {n: f for n, f in nodes[there].conflicts.items() if n != "number"}
            nodes[there] = replace(nodes[there], attributes=facts, conflicts=conflicts)
        elif kind == "remove":
            changes.append(RemoveNode(there))
            del nodes[there]
            edges = {key for key in edges if there not in key[1:]}
        elif kind == "edge":
            key = ("owned", there, data.draw(st.sampled_from(sorted(nodes))))
            changes.append(AddEdge(*key))
            edges.add(key)
        elif edges:
            key = data.draw(st.sampled_from(sorted(edges)))
            changes.append(RemoveEdge(*key))
            edges.discard(key)
    digest = before.facts_digest
    after = changed_snapshot(before, changes)
    expected = Snapshot.build(nodes.values(), [Edge(*key) for key in edges])
    assert after.facts_digest == expected.facts_digest
    assert list(after.nodes) == sorted(after.nodes)
    assert changed_snapshot(before, []).facts_digest == digest
    assert Snapshot.build(before.nodes.values(), before.edges).facts_digest == digest


@settings(max_examples=5, deadline=None)
@given(program=programs())
def test_evidence_follows_the_thing_that_it_names(program):
    node = Node("a", "Thing", {"version": Fact("1"), "number": Fact(1)})
    record = Evidence("sha256:1", "audit", "a", AT, AT)
    world = World(program, Snapshot.build([node, Node("b", "Thing")]), EvidenceSet.of([record]))
    assert len(changed_world(world, [SetFact("a", "number", 2)]).evidence.about("a", "audit")) == 1
    assert changed_world(world, [SetFact("a", "version", "2")]).evidence.about("a", "audit") == ()
    assert changed_world(world, [SetFact("a", "digest", "sha256:" + "0" * 64)]).evidence.about("a", "audit") == ()
    assert changed_world(world, [RemoveNode("a")]).evidence.about("a", "audit") == ()
    new = replace(record, digest="sha256:2")
    assert len(changed_world(world, [AddEvidence(new)]).evidence.about("a", "audit")) == 2
    assert len(world.evidence.about("a", "audit")) == 1
