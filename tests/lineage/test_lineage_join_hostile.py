"""Input that is wrong, vast or meant to harm, where documents are joined: told in place, and in a bounded time."""

import json
import time
from collections.abc import Callable

import pytest

from policy_engine.lineage.claims import AttributeClaim, Claims, EdgeClaim, NodeClaim
from policy_engine.lineage.graph import Origin, Snapshot, Source
from policy_engine.lineage.join import join
from policy_engine.lineage.load import load_estate
from policy_engine.model.problems import Problem, Severity
from tests.lineage.estate_schema import SCHEMA

_AT = (Origin("tool.json", "/0"),)


def foreign(
    nodes: list[tuple[str, str, tuple[str, ...]]],
    edges: list[tuple[str, str, str]] | None = None,
    facts: list[tuple[str, str, object]] | None = None,
    *,
    own: bool = False,
) -> tuple[Snapshot, tuple[Problem, ...]]:
    claims = Claims(
        (Source("tool.json", "sha256:" + "ab" * 32, "tool", "tool"),),
        own,
        tuple(NodeClaim(*node, _AT) for node in nodes),
        tuple(AttributeClaim(*fact, _AT) for fact in facts or ()),
        tuple(EdgeClaim(*edge, _AT) for edge in edges or ()),
    )
    return join([claims], SCHEMA)


def within(seconds: float, work: Callable[[], tuple[Snapshot, tuple[Problem, ...]]]) -> tuple[Snapshot, list[str]]:
    start = time.process_time()
    snapshot, problems = work()
    assert time.process_time() - start < seconds
    assert all(str(problem).isprintable() and len(str(problem)) < 3_000 for problem in problems)
    return snapshot, [problem.code for problem in problems]


@pytest.mark.parametrize(
    "name",
    [
        "",
        " a",
        "a ",
        "a\u00a0b",  # a space that does not break
        "a\u200bb",  # a space without width
        "a\u2028b",
        "a\nb",
        "a\x1b[2Jb",
        "a\x00b",
        "a\u202eb",
        "\ufeffa",
        "\udfff",
        "a" * 1_025,
        "a" * 1_000_000,
    ],
    ids=lambda name: ascii(name[:12]),
)
def test_a_name_that_nobody_could_read_is_refused(name: str) -> None:
    def work() -> tuple[Snapshot, tuple[Problem, ...]]:
        return foreign(
            [(name, "Model", ()), ("good", "Model", (name,))],
            [("finetuned_from", "good", name), ("finetuned_from", name, "good")],
            [(name, "licence", "mit")],
        )

    snapshot, codes = within(2, work)
    assert list(snapshot.nodes) == ["good"]
    assert snapshot.nodes["good"].aliases == ()
    assert snapshot.edges == ()
    assert set(codes) == {"PE3124", "PE3145"}


@pytest.mark.parametrize(
    "written",
    ["0000-01-01", "2027-02-30", "10000-01-01", "-0001-01-01", "2027-13-01", "9" * 5_000],
)
def test_a_date_out_of_range_is_told_with_its_place(written: str) -> None:
    text = json.dumps({"inventory": 1, "nodes": [{"id": "s", "kind": "System", "placed_on_market": written}]})
    (problem,) = load_estate({"a.json": text.encode()}, SCHEMA).problems
    assert (problem.code, problem.severity, problem.pointer) == (
        "PE3142",
        Severity.ERROR,
        "/nodes/0/placed_on_market",
    )


@pytest.mark.parametrize("written", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2027-01-01T25:00:00Z"])
def test_an_instant_out_of_range_is_told_with_its_place(written: str) -> None:
    text = json.dumps({"inventory": 1, "nodes": [{"id": "s", "kind": "System", "reviewed_at": written}]})
    (problem,) = load_estate({"a.json": text.encode()}, SCHEMA).problems
    assert (problem.code, problem.pointer) == ("PE3142", "/nodes/0/reviewed_at")


def test_a_ring_of_aliases_is_one_thing() -> None:
    ring = [("a", "Model", ("b",)), ("b", "Model", ("c",)), ("c", "Model", ("a",))]
    snapshot, problems = foreign(ring)
    assert problems == ()
    assert list(snapshot.nodes) == ["a"]
    assert snapshot.nodes["a"].aliases == ("b", "c")


def test_a_long_chain_of_aliases_takes_linear_time() -> None:
    size = 50_000
    chain = [(f"n{n:06}", "Model", (f"n{n + 1:06}",)) for n in range(size)]
    snapshot, codes = within(15, lambda: foreign(list(reversed(chain))))
    assert codes == []
    assert len(snapshot.nodes) == 1
    assert len(snapshot.nodes["n000000"].aliases) == size


def test_many_versions_behind_one_alias_are_refused_one_by_one() -> None:
    size = 20_000
    snapshot, codes = within(15, lambda: foreign([(f"pkg:x/m@{n}", "Model", ("m",)) for n in range(size)]))
    assert len(snapshot.nodes) == size
    assert set(codes) <= {"PE3180"}


def test_many_things_with_one_digest_take_linear_time() -> None:
    size = 20_000
    facts = [(f"n{n}", "digest", "sha256:" + "ab" * 32) for n in range(size)]
    versions = [(f"n{n}", "version", str(n)) for n in range(size)]
    nodes = [(f"n{n}", "Model", ()) for n in range(size)]
    assert len(within(15, lambda: foreign(nodes, facts=facts))[0].nodes) == 1
    assert len(within(15, lambda: foreign(nodes, facts=[*facts, *versions]))[0].nodes) == size


def test_a_node_with_very_many_edges() -> None:
    size = 100_000
    nodes = [("hub", "Dataset", ()), *((f"m{n}", "Model", ()) for n in range(size))]
    edges = [("trained_on", f"m{n}", "hub") for n in range(size)]
    snapshot, codes = within(30, lambda: foreign(nodes, edges))
    assert codes == []
    assert len(snapshot.sources_of("hub", "trained_on")) == size


def test_one_edge_asserted_very_often_is_one_edge() -> None:
    nodes = [("d", "Dataset", ()), ("m", "Model", ())]
    snapshot, _ = within(10, lambda: foreign(nodes, [("trained_on", "m", "d")] * 200_000))
    assert len(snapshot.edges) == 1
    assert snapshot.edges[0].origins == _AT


def test_cycles_and_edges_to_oneself_are_data() -> None:
    nodes = [(name, "Model", ()) for name in "abc"]
    edges = [("finetuned_from", a, b) for a, b in ("ab", "bc", "ca", "aa")]
    snapshot, problems = foreign(nodes, edges)
    assert problems == ()
    assert len(snapshot.edges) == 4


def test_foreign_edges_to_nowhere_are_told_and_the_rest_is_kept() -> None:
    edges = [("owned_by", "m", "nowhere"), ("part_of", "nothing", "m"), ("likes", "m", "m")]
    snapshot, problems = foreign([("m", "Model", ())], edges)
    assert sorted(problem.code for problem in problems) == ["PE3145", "PE3145", "PE3148"]
    assert {problem.severity for problem in problems} == {Severity.WARNING}
    assert list(snapshot.nodes) == ["m"]


def test_one_id_of_very_many_kinds_names_two_of_them() -> None:
    kinds = [kind for kind in SCHEMA.kinds if kind != "Thing"]
    snapshot, problems = foreign([("x", kind, ()) for kind in kinds] * 50, own=True)
    assert [(problem.code, problem.severity) for problem in problems] == [("PE3144", Severity.ERROR)]
    assert len(snapshot.nodes) == 1


def test_very_many_values_of_one_attribute_are_told_in_one_line() -> None:
    facts: list[tuple[str, str, object]] = [("m", "licence", f"licence {n}") for n in range(10_000)]
    (problem,) = foreign([("m", "Model", ())], facts=facts)[1]
    assert problem.code == "PE3143"
    assert "and 9995 values more" in problem.message
    assert len(problem.message) < 600


def test_forty_thousand_claims_under_every_kind_of_name() -> None:
    size = 10_000
    nodes = [
        entry
        for n in range(size)
        for entry in (
            (f"pkg:huggingface/org/m{n}@{n:040x}", "Model", (f"https://huggingface.co/org/m{n}/tree/{n:040x}",)),
            (f"s3a://lake/d{n}/", "Dataset", (f"sha256:{n + 1:064x}",)),
            (f"d{n}", "Dataset", (f"https://lake.s3.amazonaws.com/d{n}",)),
            (f"s{n}", "System", ()),
        )
    ]
    edges = [("trained_on", f"hf://org/m{n}@{n:040x}", f"s3://lake/d{n}") for n in range(size)]
    snapshot, codes = within(40, lambda: foreign(nodes, edges))
    assert codes == []
    assert len(snapshot.nodes) == 3 * size
    assert len(snapshot.edges) == size
