"""A snapshot's bytes: canonical, exact, and strict when read."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from policy_dsl.typed.schema import Schema
from policy_dsl.typed.types import EnumType, SetType, Simple
from policy_dsl.values import Duration
from policy_engine.lineage.errors import LineageError
from policy_engine.lineage.graph import Edge, Fact, Node, Origin, Snapshot, Source
from policy_engine.lineage.load import load_estate
from policy_engine.lineage.snapshot import from_bytes, to_bytes
from policy_evidence.canonical import digest
from tests.lineage.estate_schema import SCHEMA

_SOURCES = (
    Source("a.yaml", digest(b"a"), "inventory", "office", datetime(2026, 11, 1, tzinfo=UTC)),
    Source("b.json", digest(b"b"), "cyclonedx", "a tool"),
)
_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
_scalars: dict[Simple, st.SearchStrategy[Any]] = {
    Simple.TEXT: _texts,
    Simple.INTEGER: st.integers(-(2**53) + 1, 2**53 - 1),
    Simple.NUMBER: st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12),
    Simple.BOOLEAN: st.booleans(),
    Simple.DATE: st.dates(),
    Simple.INSTANT: st.datetimes(timezones=st.just(UTC)).map(lambda value: value.replace(microsecond=0)),
    Simple.DURATION: st.builds(Duration, st.integers(-600, 600), st.integers(-(10**9), 10**9)),
}
_origins = st.sets(
    st.builds(Origin, st.sampled_from(["a.yaml", "b.json"]), _texts, st.none() | st.integers(1, 99)), max_size=2
).map(lambda origins: tuple(sorted(origins, key=lambda origin: origin.sort_key)))


def _values(of: Any) -> st.SearchStrategy[Any]:
    if isinstance(of, SetType):
        return st.frozensets(_values(of.item), max_size=3)
    return st.sampled_from(of.members) if isinstance(of, EnumType) else _scalars[of]


def _nodes(node_id: str) -> st.SearchStrategy[Node]:
    kind = SCHEMA.kinds["HighRiskSystem"]
    facts = {name: st.builds(Fact, _values(attribute.type), _origins) for name, attribute in kind.attributes.items()}
    return st.builds(
        Node,
        st.just(node_id),
        st.just(kind.name),
        st.fixed_dictionaries({}, optional=facts),
        st.just({}),
        st.sets(_texts, max_size=2).map(lambda names: tuple(sorted(names))),
        _origins,
    )


@st.composite
def _snapshots(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Snapshot:
    nodes = [draw(_nodes(name)) for name in ("s", "ü\U0001f600", "\ufffd")]
    ends = st.sampled_from([node.id for node in nodes])
    edges = draw(st.lists(st.builds(Edge, st.just("depends_on"), ends, ends, _origins), max_size=4))
    return Snapshot.build(nodes, edges, _SOURCES)


@given(_snapshots())
def test_what_is_written_is_read_back_exactly(snapshot: Snapshot) -> None:
    data = to_bytes(snapshot)
    again = from_bytes(data, SCHEMA)
    assert again == snapshot
    assert to_bytes(again) == data
    assert again.digest == snapshot.digest == digest(data)
    # Equality of decimals hides their digits; their spelling must survive too.
    assert [
        str(f.value) for n in again.nodes.values() for f in n.attributes.values() if isinstance(f.value, Decimal)
    ] == [
        str(f.value)
        for n in snapshot.nodes.values()
        for k, f in sorted(n.attributes.items())
        if isinstance(f.value, Decimal)
    ]


@given(_snapshots())
def test_the_bytes_are_canonical_json(snapshot: Snapshot) -> None:
    for provenance in (True, False):
        data = to_bytes(snapshot, provenance=provenance)
        assert rfc8785.dumps(json.loads(data)) == data


def _example() -> Snapshot:
    estate = load_estate(
        {
            "a.yaml": b"inventory: 1\nnodes:\n"
            b"- {id: s, kind: System, error_rate: 0.80, users: 3, profiles_persons: true, stage: production,"
            b" retention: 6 months, placed_on_market: 2026-01-02, reviewed_at: 2026-01-02T03:04:05Z,"
            b" regions: [UK, EU], uses_model: m, aliases: [x]}\n- {id: m, kind: Model, name: a}\n",
            "b.yaml": b"inventory: 1\nnodes:\n- {id: m, kind: Model, name: b}\n",
        },
        SCHEMA,
    )
    assert [problem.code for problem in estate.problems] == ["PE3143"]
    return estate.snapshot


EXAMPLE = _example()


def test_provenance_and_contradictions_survive() -> None:
    again = from_bytes(to_bytes(EXAMPLE), SCHEMA)
    assert again == EXAMPLE
    assert [fact.value for fact in again.nodes["m"].conflicts["name"]] == ["a", "b"]
    assert again.nodes["s"].attributes["users"].origins == (Origin("a.yaml", "/nodes/0/users", 3),)


def _change(path: str, value: object) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        *steps, last = [int(part) if part.isdigit() else part for part in path.split("/")]
        for part in steps:
            document = document[part]
        if value is _GONE:
            del document[last]
        else:
            document[last] = value

    return change


_GONE = object()
S = "nodes/1/attributes"
BAD_SNAPSHOTS: dict[str, tuple[Callable[[Any], None], str]] = {
    "another format": (_change("format", "urn:ai-policy-engine:snapshot:v2"), "PE3154"),
    "no sources": (_change("sources", _GONE), "PE3154"),
    "a key too many": (_change("extra", 1), "PE3154"),
    "nodes are a mapping": (_change("nodes", {}), "PE3154"),
    "an unknown kind": (_change("nodes/1/kind", "Sistem"), "PE3156"),
    "an unknown attribute": (_change(f"{S}/colour", {"origins": [], "value": "x"}), "PE3156"),
    "an unknown member": (_change(f"{S}/stage/value", "x"), "PE3156"),
    "a number that is not text": (_change(f"{S}/users/value", 3), "PE3154"),
    "a whole number with a zero before it": (_change(f"{S}/users/value", "03"), "PE3154"),
    "a number that is none": (_change(f"{S}/error_rate/value", "NaN"), "PE3154"),
    "a number beyond range": (_change(f"{S}/error_rate/value", "1E+999999999"), "PE3154"),
    "a number in another spelling": (_change(f"{S}/error_rate/value", " 0.80"), "PE3155"),
    "yes for true": (_change(f"{S}/profiles_persons/value", "yes"), "PE3154"),
    "a date that does not exist": (_change(f"{S}/placed_on_market/value", "2026-02-30"), "PE3154"),
    "a date in another spelling": (_change(f"{S}/placed_on_market/value", "20260102"), "PE3155"),
    "an instant with an offset": (_change(f"{S}/reviewed_at/value", "2026-01-02T03:04:05+00:00"), "PE3154"),
    "a duration in words": (_change(f"{S}/retention/value", "6 months"), "PE3154"),
    "a set out of order": (_change(f"{S}/regions/value", ["UK", "EU"]), "PE3155"),
    "a set that holds a value twice": (_change(f"{S}/regions/value", ["EU", "EU", "UK"]), "PE3155"),
    "a source that is not listed": (_change(f"{S}/users/origins", [[7, "", None]]), "PE3154"),
    "a source by a negative index": (_change(f"{S}/users/origins", [[-1, "", None]]), "PE3154"),
    "origins out of order": (_change(f"{S}/users/origins", [[1, "", None], [0, "", None]]), "PE3155"),
    "empty aliases": (_change("nodes/0/aliases", []), "PE3155"),
    "a node twice": (lambda document: document["nodes"].append(document["nodes"][1]), "PE3155"),
    "nodes out of order": (lambda document: document["nodes"].reverse(), "PE3155"),
    "an edge twice": (lambda document: document["edges"].append(document["edges"][0]), "PE3155"),
    "an unknown edge": (_change("edges/0/type", "likes"), "PE3156"),
    "an edge by its reverse name": (_change("edges/0/type", "used_by"), "PE3156"),
    "an edge to nothing": (_change("edges/0/target", "z"), "PE3151"),
    "an edge between the wrong kinds": (_change("edges/0/target", "s"), "PE3156"),
    "a digest in upper case": (_change("sources/0/sha256", "sha256:" + "A" * 64), "PE3154"),
    "sources out of order": (lambda document: document["sources"].reverse(), "PE3155"),
    "an instant of a source": (_change("sources/0/asserted_at", "today"), "PE3154"),
}


@pytest.mark.parametrize("name", BAD_SNAPSHOTS)
def test_anything_else_is_refused(name: str) -> None:
    change, code = BAD_SNAPSHOTS[name]
    document = json.loads(to_bytes(EXAMPLE))
    change(document)
    with pytest.raises(LineageError) as caught:
        from_bytes(rfc8785.dumps(document), SCHEMA)
    assert caught.value.problem.code == code, str(caught.value)


def test_other_spellings_of_the_same_document_are_refused() -> None:
    document = json.loads(to_bytes(EXAMPLE))
    for data, code in (
        (json.dumps(document).encode(), "PE3155"),
        (b"\xef\xbb\xbf" + to_bytes(EXAMPLE), "PE3155"),
        (to_bytes(EXAMPLE) + b"\n", "PE3155"),
        (to_bytes(EXAMPLE)[:-1], "PE3104"),
        (b'{"edges":[],"edges":[]}', "PE3105"),
        (b"", "PE3104"),
        (b"\xff", "PE3102"),
    ):
        with pytest.raises(LineageError) as caught:
            from_bytes(data, SCHEMA)
        assert caught.value.problem.code == code


def test_no_changed_byte_goes_unnoticed() -> None:
    data = to_bytes(EXAMPLE)
    for position in range(len(data)):
        changed = data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]
        try:
            assert from_bytes(changed, SCHEMA).digest != EXAMPLE.digest
        except LineageError:
            continue


def test_a_snapshot_is_read_with_the_schema_it_was_made_with() -> None:
    with pytest.raises(LineageError) as caught:
        from_bytes(to_bytes(EXAMPLE), Schema())
    assert caught.value.problem.code == "PE3156"
    assert caught.value.problem.help is not None


def test_sizes_are_bounded() -> None:
    with pytest.raises(LineageError) as caught:
        from_bytes(to_bytes(EXAMPLE), SCHEMA, max_bytes=10)
    assert caught.value.problem.code == "PE3101"


def test_dates_and_instants_before_the_year_1000_are_exact() -> None:
    values = {
        "placed_on_market": Fact(date(1, 1, 1)),
        "reviewed_at": Fact(datetime(1, 1, 1, tzinfo=UTC) + timedelta(seconds=1)),
    }
    snapshot = Snapshot.build([Node("s", "System", values)])
    assert from_bytes(to_bytes(snapshot), SCHEMA) == snapshot
