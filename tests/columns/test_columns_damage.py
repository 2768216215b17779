"""Damaged, cut off and crafted estate files: the same answer or a coded error, never a crash."""

import json
import random
import struct
from array import array
from zlib import crc32

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy_engine.lineage.columns.layout import Container, written
from policy_engine.lineage.columns.reader import EstateFile, MappedEvidence, MappedSnapshot
from policy_engine.lineage.columns.writer import estate_bytes, table_of
from policy_engine.lineage.errors import LineageError
from policy_engine.lineage.graph import Edge, Fact, Node, Snapshot
from policy_engine.model.evidence import EvidenceSet
from tests.columns.test_columns_round_trip import record

NODES = [
    Node("a", "Model", {"name": Fact("A"), "size": Fact(3)}),
    Node("b", "Dataset", {"name": Fact("B")}, {"size": ()}),
    Node("c", "Dataset"),
]
EDGES = [Edge("trained_on", "a", "b"), Edge("derived_from", "b", "c"), Edge("derived_from", "c", "b")]
PROOFS = [record(fields={"score": 2}, signers=(frozenset({"auditor"}),)), record(subject="b", type="z")]
GOOD = estate_bytes(table_of(Snapshot.build(NODES, EDGES), EvidenceSet.of(PROOFS), {"gate": b"{}"}))
SECTIONS = {name: bytes(Container(GOOD).section(name)) for name in Container(GOOD).names}


def everything(data):
    """Ask all there is to ask; return it in one value."""
    with EstateFile(data) as file:
        lineage, evidence = MappedSnapshot(file), MappedEvidence(file)
        ids = [file.id(number) for number in range(file.nodes)]
        found = [ids, lineage.ids_of(["Model", "Dataset"]), file.document("gate")]
        for node in ids:
            found += [node in lineage, file.number(node), lineage.kind(node)]
            found += [(lineage.value(node, n), lineage.is_contradicted(node, n)) for n in ("name", "size", "x")]
            found += [(lineage.targets(node, e.type), lineage.sources_of(node, e.type)) for e in EDGES]
            found += [evidence.about(node, name) for name in ("audit", "z")]
        return found


WANTED = everything(GOOD)


@pytest.mark.parametrize("length", [*range(0, len(GOOD), 97), len(GOOD) - 1])
def test_a_file_that_is_cut_off(length):
    data = GOOD[:length]
    try:
        assert everything(data) == WANTED
    except LineageError as error:
        assert error.problem.code in {"PE3401", "PE3402", "PE3403"}
    else:
        assert not any(GOOD[length:])


def test_a_flipped_bit_is_found_wherever_it_matters():
    chance = random.Random(7)
    for _ in range(1_500):
        data = bytearray(GOOD)
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        try:
            assert everything(bytes(data)) == WANTED
        except LineageError as error:
            assert error.problem.code in {"PE3401", "PE3402", "PE3403"}


def crafted(changes, **header):
    """A file with other sections, whose checksums are right."""
    file = Container(GOOD)
    kept = {k: v for k, v in file.header.items() if k not in {"sections", "format"}}
    sections = {n: (file.typecode(n), bytes(file.section(n))) for n in file.names}
    return b"".join(written({**kept, **header}, {**sections, **changes}))


@settings(max_examples=800, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_crafted_column_gives_an_answer_or_a_coded_error(data):
    file = Container(GOOD)
    name = data.draw(st.sampled_from(file.names))
    typecode = data.draw(st.sampled_from([file.typecode(name)] * 3 + ["B", "H", "I", "Q", "q"]))
    raw = bytearray(SECTIONS[name])
    if raw and data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + 8] = data.draw(st.binary(min_size=1, max_size=8)).ljust(min(8, len(raw) - at), b"\xff")
    else:
        raw = bytearray(data.draw(st.binary(max_size=64)))
    size = struct.calcsize(f"={typecode}")
    raw = raw[: len(raw) // size * size]
    try:
        everything(crafted({name: (typecode, bytes(raw))}))
    except LineageError as error:
        assert error.problem.code in {"PE3152", "PE3403"}


@pytest.mark.parametrize(
    "header",
    [
        {"nodes": 2**40}, {"nodes": -1}, {"nodes": True}, {"nodes": 2}, {"nodes": "3"}, {"edges": 99},
        {"kinds": "Model"}, {"kinds": [1]}, {"kinds": ["Model"]}, {"edge_types": None}, {"edge_types": []},
        {"edge_types": ["x"] * 300},
        {"cycles": 7}, {"evidence": 9}, {"attributes": ["x"]}, {"evidence_fields": ["y"]}, {"evidence_types": {}},
    ],
)  # fmt: skip
def test_a_header_that_promises_something_else(header):
    with pytest.raises(LineageError, match="PE3403"):
        everything(crafted({}, **header))


@pytest.mark.parametrize(
    "entry",
    [
        [0], [0, 4, "I"], [1, 4, "I", 0], [-64, 4, "I", 0], [0, 2**63, "I", 0], [2**63, 0, "I", 0], [0, 3, "I", 0],
        [0, 4, "x", 0], [0, 4, 1, 0], [0.0, 4, "I", 0], None, {}, [0, True, "I", 0, 0],
    ],
)  # fmt: skip
def test_a_section_that_lies_nowhere(entry):
    with pytest.raises(LineageError, match="PE3403"):
        Container(with_header({"format": "urn:ai-policy-engine:estate-file:v1", "sections": {"x": entry}}))


@pytest.mark.parametrize(
    "header", [[], 1, {"format": "x"}, {"format": "urn:ai-policy-engine:estate-file:v1"}, {"format": None}]
)
def test_a_header_that_is_none(header):
    with pytest.raises(LineageError, match=r"PE340[23]"):
        Container(with_header(header))


def test_a_header_that_is_not_json_or_longer_than_the_file():
    for text in (b"{", b"\xff", b"[" * 100_000, b"{" * 10):
        with pytest.raises(LineageError, match="PE3403"):
            Container(prelude(len(text), crc32(text)) + text + bytes(128))
    for length in (2**63, 2**40, 10**6):
        with pytest.raises(LineageError, match="PE3403"):
            Container(prelude(length, 0) + bytes(1000))


def prelude(length, checksum):
    return b"AIPEST01" + struct.pack("<QIxxxx", length, checksum)


def with_header(header):
    text = json.dumps(header).encode()
    return prelude(len(text), crc32(text)) + text + bytes(128)


def test_a_file_that_says_the_host_is_wrong(monkeypatch):
    monkeypatch.setattr("sys.byteorder", "big")
    with pytest.raises(LineageError, match="PE3404"):
        Container(GOOD)


def test_a_row_of_a_million_edges_is_searched(monkeypatch):
    n = 200_000
    nodes = [Node("hub", "M"), *(Node(f"n{i:06}", "M") for i in range(n))]
    edges = [Edge("big", "hub", f"n{i:06}") for i in range(n)] + [Edge("few", "hub", "n000007")]
    mapped = MappedSnapshot(EstateFile(estate_bytes(table_of(Snapshot.build(nodes, edges), EvidenceSet()))))
    assert mapped.targets("hub", "few") == ("n000007",)
    assert len(mapped.targets("hub", "big")) == n
    assert mapped.sources_of("n000007", "few") == ("hub",)
    assert mapped.onward("hub", ("few", "no"), upstream=True) == [("few", ("n000007",))]


def test_views_outlive_the_file_that_they_look_at(tmp_path):
    path = tmp_path / "e.aipe"
    path.write_bytes(GOOD)
    with EstateFile.open(path) as file:
        view = memoryview(file.section("ids.rank"))
    assert array("I", view).tolist() == sorted(view)[: len(view)] or len(view) == 3
