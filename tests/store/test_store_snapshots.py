"""Snapshots kept, found, compared and forgotten, in SQLite and in PostgreSQL alike."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from policy_engine.lineage.errors import LineageError
from policy_engine.lineage.graph import Edge, Node, Snapshot
from policy_engine.lineage.snapshot import to_bytes
from policy_engine.lineage.store.differences import Change, EdgeChange, FactChange, How, NodeChange
from policy_engine.lineage.store.store import Store
from policy_engine.lineage.store.tables import EDGES, NODES, SNAPSHOTS
from tests.lineage.estate_schema import SCHEMA
from tests.store.conftest import NewPlace
from tests.store.store_estates import day, estate, snapshots, source


@pytest.fixture
def store(place: str) -> Store:
    return Store(place, create=True)


def _code(caught: pytest.ExceptionInfo[LineageError]) -> str:
    return caught.value.problem.code


def test_what_was_put_comes_back_byte_for_byte(store: Store) -> None:
    kept = store.put(estate(), day(1), comment="first")
    assert b"".join(store.document("latest")) == to_bytes(estate())
    found = store.get(kept.digest, SCHEMA)
    assert (found, found.digest, found.facts_digest) == (estate(), kept.digest, kept.facts_digest)
    assert (kept.nodes, kept.edges, kept.sources, kept.comment) == (2, 1, 1, "first")


def test_another_process_sees_what_was_put(place: str) -> None:
    Store(place, create=True).put(estate(), day(1))
    assert Store(place).get("latest", SCHEMA) == estate()


def test_an_instant_finds_the_state_of_then(store: Store) -> None:
    store.put(estate("staging"), day(1))
    store.put(estate("production"), day(5))
    for number, stage in ((1, "staging"), (4, "staging"), (5, "production"), (30, "production")):
        assert store.get(day(number), SCHEMA).value("credit", "stage") == stage
    assert store.get(day(5) - timedelta(seconds=1), SCHEMA).value("credit", "stage") == "staging"
    with pytest.raises(LineageError) as caught:
        store.find(day(1) - timedelta(seconds=1))
    assert _code(caught) == "PE3308"


def test_putting_again_changes_nothing(store: Store) -> None:
    assert store.put(estate(), day(1)) == store.put(estate(), day(1))
    assert len(store.history()) == 1


def test_an_estate_that_returns_to_an_earlier_state_is_found_in_it(store: Store) -> None:
    for number, stage in ((1, "staging"), (5, "production"), (9, "staging")):
        store.put(estate(stage), day(number))
    assert store.find(day(3)).digest == store.find(day(10)).digest != store.find(day(6)).digest
    assert [kept.valid_at for kept in store.history()] == [day(1), day(5), day(9)]


def test_what_is_known_later_about_an_earlier_time_takes_its_place(store: Store) -> None:
    store.put(estate("production"), day(9))
    store.put(estate("staging"), day(10), valid_at=day(5))
    assert store.get(day(6), SCHEMA).value("credit", "stage") == "staging"
    assert store.get(day(9), SCHEMA).value("credit", "stage") == "production"
    store.put(estate("retired"), day(11), valid_at=day(5), comment="put right")
    assert store.get(day(6), SCHEMA).value("credit", "stage") == "retired"
    store.put(estate("staging"), day(12), valid_at=day(5), comment="and back")
    assert store.get(day(6), SCHEMA).value("credit", "stage") == "staging"


def test_a_digest_is_named_by_its_beginning(store: Store) -> None:
    kept = store.put(estate(), day(1))
    digits = kept.digest.removeprefix("sha256:")
    for written in (kept.digest, digits, digits[:4], f"sha256:{digits[:10]}", "latest"):
        assert store.find(written).digest == kept.digest
    for wrong in ("", "latest ", digits[:3], "sha256:", "%", "____", digits.upper(), digits + "0"):
        with pytest.raises(LineageError) as caught:
            store.find(wrong)
        assert _code(caught) == "PE3306"


def test_a_beginning_of_several_digests_is_refused(store: Store) -> None:
    store.put(estate(users=1), day(1))
    twin = store.find().digest[:-1]
    store.put(estate(users=2), day(2))
    with store.database.writing() as connection:
        connection.execute(SNAPSHOTS.update().where(SNAPSHOTS.c.number == 2).values(digest=f"{twin}x"))
    with pytest.raises(LineageError) as caught:
        store.find(twin[:20])
    assert _code(caught) == "PE3307"


def test_an_empty_store_says_so(store: Store) -> None:
    assert store.history() == ()
    for which in ("latest", day(1), "abcd"):
        with pytest.raises(LineageError) as caught:
            store.find(which)
        assert _code(caught) == "PE3306"


def test_an_empty_estate_is_an_estate(store: Store) -> None:
    store.put(Snapshot(), day(1))
    assert store.get("latest", SCHEMA) == Snapshot()


def test_differences_are_told_thing_by_thing(store: Store) -> None:
    old = store.put(estate("staging", extra="older"), day(1))
    new = store.put(estate("production", extra="newer"), day(2))
    expected = [
        NodeChange(How.CHANGED, "credit", "System", (FactChange("stage", "staging", "production"),)),
        NodeChange(How.ADDED, "newer", "Model"),
        NodeChange(How.REMOVED, "older", "Model"),
        EdgeChange(How.ADDED, "uses_model", "credit", "newer"),
        EdgeChange(How.REMOVED, "uses_model", "credit", "older"),
    ]
    assert list(store.diff(old.digest, new.digest)) == expected
    assert list(store.diff(day(1), day(2))) == expected
    assert list(store.diff("latest", new.digest)) == []


def test_a_fact_that_moved_within_its_file_is_no_difference(store: Store) -> None:
    store.put(estate(line=3), day(1))
    store.put(estate(line=4), day(2))
    assert store.find(day(1)).digest != store.find(day(2)).digest
    assert list(store.diff(day(1), day(2))) == []


def test_a_snapshot_that_changes_little_adds_little(store: Store) -> None:
    nodes = [Node(f"model-{number:03}", "Model") for number in range(100)]
    edges = [Edge("depends_on", nodes[n].id, nodes[n + 1].id) for n in range(99)]
    for number in range(1, 11):
        # Every day one thing and one source more: what was there keeps its rows.
        more = [Node(f"new-{n:03}", "Model") for n in range(number)]
        named = [source(f"{n:03}.yaml") for n in range(number, 11)]
        store.put(Snapshot.build([*nodes, *more], edges, named), day(number))
    with store.database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(NODES)).scalar() == 110
        assert connection.execute(select(func.count()).select_from(EDGES)).scalar() == 99
    assert all(error is None for _, error in store.verify())


def test_forgetting_leaves_the_others_as_they_are(store: Store) -> None:
    made = [estate(users=number, extra=f"m{number % 3}") for number in range(6)]
    kept = [store.put(each, day(number + 1)) for number, each in enumerate(made)]
    for gone in (5, 0, 3):
        store.forget(kept[gone].digest)
        with pytest.raises(LineageError) as caught:
            store.find(kept[gone].digest)
        assert _code(caught) == "PE3306"
    for number in (1, 2, 4):
        assert store.get(kept[number].digest, SCHEMA) == made[number]
    # The last is gone: the next is compared with what is the last now.
    again = store.put(made[5], day(20))
    assert (store.get("latest", SCHEMA), again.digest) == (made[5], kept[5].digest)
    for each in (1, 2, 4, 5):
        store.forget(kept[each].digest)
    assert store.history() == ()


def test_contents_are_counted(store: Store) -> None:
    store.put(estate(extra="m"), day(1), comment="x")
    contents = store.contents()
    assert (contents.kinds, contents.edge_types) == ({"Model": 2, "System": 1}, {"uses_model": 2})
    assert contents.sources == (source("b.json"),)
    assert [kept.comment for kept in contents.moments] == ["x"]


def test_a_name_that_no_database_holds_is_refused(store: Store) -> None:
    with pytest.raises(LineageError) as caught:
        store.put(Snapshot.build([Node("a\0b", "Model")]), day(1))
    assert _code(caught) == "PE3309"
    assert store.history() == ()


def test_a_remark_that_no_database_holds_is_refused(store: Store) -> None:
    for comment in ("a\0b", "\udcff"):
        with pytest.raises(LineageError) as caught:
            store.put(estate(), day(1), comment=comment)
        assert _code(caught) == "PE3309"
    assert store.history() == ()


def _applied(snapshot: Snapshot, changes: list[Change]) -> tuple[dict[str, object], set[tuple[str, str, str]]]:
    """Return what is asserted in a snapshot after changes: nodes by id with what is said of them, and edges."""
    nodes, edges = _asserted(snapshot)
    for change in changes:
        match change:
            case EdgeChange(How.ADDED, kind, start, end):
                assert (kind, start, end) not in edges
                edges.add((kind, start, end))
            case EdgeChange(_, kind, start, end):
                edges.remove((kind, start, end))
            case NodeChange(How.ADDED, node_id):
                assert node_id not in nodes
                nodes[node_id] = None
            case NodeChange(How.REMOVED, node_id):
                del nodes[node_id]
            case NodeChange(_, node_id, _, facts):
                said = nodes[node_id]
                assert isinstance(said, dict)
                for fact in facts:
                    assert said.get(fact.name) == fact.before
                    said[fact.name] = fact.after
                nodes[node_id] = {name: value for name, value in said.items() if value is not None}
    return nodes, edges


def _asserted(snapshot: Snapshot) -> tuple[dict[str, object], set[tuple[str, str, str]]]:
    nodes: dict[str, object] = {}
    for node in snapshot.nodes.values():
        said: dict[str, object] = {"kind": node.kind}
        said |= {name: fact.value for name, fact in node.attributes.items()}
        said |= {name: tuple(str(f.value) for f in facts) for name, facts in node.conflicts.items()}
        nodes[node.id] = said | ({"aliases": tuple(sorted(set(node.aliases)))} if node.aliases else {})
    return nodes, {edge.key for edge in snapshot.edges}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=st.lists(snapshots(), min_size=2, max_size=5), data=st.data())
def test_any_sequence_comes_back_and_its_differences_compose(
    new_place: NewPlace, made: list[Snapshot], data: st.DataObject
) -> None:
    store = Store(new_place(), create=True)
    digests = [store.put(each, day(number + 1)).digest for number, each in enumerate(made)]
    for digest, each in zip(digests, made, strict=True):
        assert b"".join(store.document(digest)) == to_bytes(each)
    first, second = (data.draw(st.integers(0, len(made) - 1)) for _ in range(2))
    nodes, edges = _applied(made[first], list(store.diff(digests[first], digests[second])))
    wanted, wanted_edges = _asserted(made[second])
    assert edges == wanted_edges
    assert {name: said for name, said in nodes.items() if said is not None} == {
        name: said for name, said in wanted.items() if nodes[name] is not None
    }
    assert nodes.keys() == wanted.keys()
    # Forgetting any of them leaves every other.
    gone = digests[data.draw(st.integers(0, len(made) - 1))]
    store.forget(gone)
    for digest, each in zip(digests, made, strict=True):
        if digest != gone:
            assert b"".join(store.document(digest)) == to_bytes(each)
