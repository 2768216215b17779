"""An estate file answers every question as the snapshot and the evidence that it was written from."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy_dsl.values import CURRENCIES, Duration, Money
from policy_engine.evaluation.point.evaluate import PointEvaluator
from policy_engine.evaluation.world import View
from policy_engine.lineage.columns.arrays import Numpy, Plain
from policy_engine.lineage.columns.codec import decode, encode
from policy_engine.lineage.columns.numbering import number_nodes
from policy_engine.lineage.columns.reader import EstateFile, MappedEvidence, MappedSnapshot
from policy_engine.lineage.columns.writer import estate_bytes, table_of, write_columns, write_estate
from policy_engine.lineage.errors import LineageError
from policy_engine.lineage.graph import Edge, Fact, Node, Snapshot
from policy_engine.model.evidence import Evidence, EvidenceSet
from tests.property.strategies import INSTANTS, evidence_sets, snapshots, worlds

OFTEN = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
EDGES = ("made_of", "has_part", "owned", "nothing")

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
scalars = st.one_of(
    texts,
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.dates(),
    st.datetimes(timezones=st.just(UTC)).map(lambda t: t.replace(microsecond=0, fold=0)),
    st.builds(Duration, st.integers(-9999, 9999), st.integers(-(10**9), 10**9)),
    st.builds(Money, st.decimals(allow_nan=False, allow_infinity=False), st.sampled_from(sorted(CURRENCIES))),
)
values = st.one_of(scalars, st.frozensets(scalars, max_size=4))


def exactly(value):
    """A value with its type and all its digits."""
    return sorted(map(repr, value)) if isinstance(value, frozenset) else repr(value)


@OFTEN
@given(values)
def test_values_keep_their_type_and_their_digits(value):
    assert exactly(decode(encode(value))) == exactly(value)


@given(st.sampled_from([Decimal("NaN"), Decimal("Infinity"), Money(Decimal("NaN"), "EUR")]))
def test_what_is_no_number_is_not_kept(value):
    with pytest.raises(LineageError, match="PE3405"):
        encode(value)


@pytest.mark.parametrize(
    "text",
    [
        "", "nul", "null", "[]", "{}", '{"number":1}', '{"number":"NaN"}', '{"number":"1_0"}', '{"date":"20270101"}',
        '{"instant":"2027-01-01"}', '{"instant":"2027-01-01T00:00:00+00:00"}', '{"duration":[1]}', '{"set":["b","a"]}',
        '{"set":["a","a"]}', '{"integer":"5"}', '{"money":["1"]}', ' "a"', '"\\u0061"',
        "9007199254740993", "1.0", "NaN", '{"number":"1","x":2}', '{"set":[{"set":[]}]}', '"\\ud800"', "[" * 5000,
        '{"instant":"9999-12-31T23:59:59-14:00"}',
    ],
)  # fmt: skip
def test_there_is_one_way_to_write_a_value(text):
    with pytest.raises(LineageError, match="PE3403"):
        decode(text)


@OFTEN
@given(st.data())
def test_lineage_and_evidence_answer_the_same(data):
    snapshot = data.draw(snapshots())
    evidence = data.draw(evidence_sets(snapshot))
    file = EstateFile(estate_bytes(table_of(snapshot, evidence)))
    mapped, proofs = MappedSnapshot(file), MappedEvidence(file)
    for node in snapshot.nodes.values():
        assert node.id in mapped
        assert mapped.kind(node.id) == node.kind
        assert file.id(file.number(node.id)) == node.id
        for name in [*node.attributes, *node.conflicts, "nothing"]:
            assert exactly(mapped.value(node.id, name)) == exactly(snapshot.value(node.id, name))
            assert mapped.is_contradicted(node.id, name) == snapshot.is_contradicted(node.id, name)
        for edge in EDGES:
            assert mapped.targets(node.id, edge) == snapshot.targets(node.id, edge)
            assert mapped.sources_of(node.id, edge) == snapshot.sources_of(node.id, edge)
        for upstream in (True, False):
            some = tuple(sorted(EDGES[:3]))
            assert mapped.onward(node.id, some, upstream=upstream) == snapshot.onward(node.id, some, upstream=upstream)
        for name in ("audit", "nothing"):
            assert proofs.about(node.id, name) == evidence.about(node.id, name)
    kinds = {node.kind for node in snapshot.nodes.values()}
    for kind in [*kinds, "Nothing"]:
        assert mapped.ids_of([kind]) == snapshot.ids_of([kind])
    assert mapped.ids_of(kinds) == snapshot.ids_of(kinds)
    assert "nothing" not in mapped
    file.verify()


@OFTEN
@given(worlds(), INSTANTS)
def test_the_point_evaluator_finds_the_same_on_both(world, at):
    file = EstateFile(estate_bytes(table_of(world.snapshot, world.evidence)))
    mapped = View(world.program, MappedSnapshot(file), MappedEvidence(file))
    assert list(PointEvaluator(mapped).evaluate_all(at)) == list(PointEvaluator(world).evaluate_all(at))


@OFTEN
@given(st.data())
def test_both_kinds_of_arrays_write_the_same_bytes(data):
    snapshot = data.draw(snapshots())
    table = table_of(snapshot, data.draw(evidence_sets(snapshot)))
    assert estate_bytes(table, Plain()) == estate_bytes(table, Numpy())


@OFTEN
@given(snapshots())
def test_dependencies_come_first_and_circles_lie_together(snapshot):
    file = EstateFile(estate_bytes(table_of(snapshot, EvidenceSet())))
    cycles = list(zip(file.section("cycle.start"), file.section("cycle.end"), strict=True))
    for edge in snapshot.edges:
        near, far = file.number(edge.source), file.number(edge.target)
        together = any(start <= near < end and start <= far < end for start, end in cycles)
        assert far < near or together
    for start, end in cycles:
        members = {file.id(number) for number in range(start, end)}
        assert all(members <= reached_from(snapshot, one) for one in members)


def reached_from(snapshot, start):
    found, upcoming = set(), [start]
    while upcoming:
        node = upcoming.pop()
        ends = {end for edge in EDGES for end in snapshot.targets(node, edge)} - found
        found |= ends
        upcoming += ends
    return found


def test_numbering_needs_no_recursion_for_a_chain_and_a_circle_of_many():
    n = 300_000
    number, cycles = number_nodes(n, range(n + 1), [*range(1, n), n - 1])
    assert list(number) == list(range(n - 1, -1, -1))
    assert cycles == [(0, 1)]
    number, cycles = number_nodes(n, range(n + 1), [*range(1, n), 0])
    assert list(number) == list(range(n))
    assert cycles == [(0, n)]


def test_a_star_of_many_edges_is_numbered_in_time():
    n = 300_000
    number, _ = number_nodes(n, [0, *[n - 1] * n], range(1, n))
    assert number[0] == n - 1


def test_an_estate_without_anything(tmp_path):
    write_estate(tmp_path / "e.aipe", Snapshot())
    with EstateFile.open(tmp_path / "e.aipe") as file:
        assert MappedSnapshot(file).ids_of(["Model"]) == ()
        assert "a" not in MappedSnapshot(file)
        file.verify()


def test_ids_of_any_script_are_found_and_stay_in_order():
    ids = ["", "a", "a/b", "ä", "z", "\ud7ff", "\ue000", "\U0001f600", "日本", "\x00"]
    snapshot = Snapshot.build([Node(i, "M") for i in ids], [Edge("e", "a", i) for i in ids])
    mapped = MappedSnapshot(EstateFile(estate_bytes(table_of(snapshot, EvidenceSet()))))
    assert mapped.targets("a", "e") == snapshot.targets("a", "e") == tuple(sorted(ids))
    assert mapped.ids_of(["M"]) == tuple(sorted(ids))
    assert "\ud800" not in mapped


def test_many_types_of_edges_and_values():
    ids = [f"n{i}" for i in range(400)]
    nodes = [Node(i, "M", {"size": Fact(number)}) for number, i in enumerate(ids)]
    snapshot = Snapshot.build(nodes, [Edge(f"e{number:03}", "n0", i) for number, i in enumerate(ids)])
    file = EstateFile(estate_bytes(table_of(snapshot, EvidenceSet())))
    mapped = MappedSnapshot(file)
    assert (file.typecode("up.type"), file.typecode("attribute.size.code")) == ("H", "H")
    assert all(mapped.targets("n0", f"e{n:03}") == (i,) and mapped.value(i, "size") == n for n, i in enumerate(ids))


def record(**changes):
    when = datetime(2027, 1, 1, tzinfo=UTC)
    given = {"digest": "sha256:" + "0" * 64, "type": "audit", "subject": "a", "issued": when, "counts_from": when}
    return Evidence(**{**given, **changes})


def test_evidence_keeps_its_periods_and_its_signers():
    later = datetime(2027, 1, 1, tzinfo=UTC) + timedelta(days=3)
    signers = (frozenset({"b", "a"}), frozenset())
    records = [
        record(),
        record(counts_from=later, counts_until=later, signers=signers),
        record(type="z", fields={"d": date(1, 1, 1)}),
    ]
    snapshot = Snapshot.build([Node("a", "M")])
    mapped = MappedEvidence(EstateFile(estate_bytes(table_of(snapshot, EvidenceSet.of(records)))))
    assert mapped.about("a", "audit") == tuple(records[:2])
    assert mapped.about("a", "z") == (records[2],)


@pytest.mark.parametrize(
    "wrong",
    [{"subject": "b"}, {"digest": "sha256:12"}, {"digest": "sha512:" + "0" * 64}, {"digest": "sha256:" + "A" * 64}],
)
def test_evidence_that_cannot_be_kept_is_refused(wrong):
    with pytest.raises(LineageError, match="PE3405"):
        table_of(Snapshot.build([Node("a", "M")]), EvidenceSet.of([record(**wrong)]))


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(LineageError, match="PE3406"):
        write_columns(tmp_path / "no" / "e.aipe", table_of(Snapshot(), EvidenceSet()))
    (tmp_path / "folder").mkdir()
    with pytest.raises(LineageError, match="PE3406"):
        write_columns(tmp_path / "folder", table_of(Snapshot(), EvidenceSet()))
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]
