"""``policy-engine graph``: what decides a finding comes first, what is not shown is counted, bad usage has a code."""

from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from policy_engine.app.evaluate import Evaluation, evaluate
from policy_engine.app.graph import Direction, View, graph_of
from policy_engine.app.inputs import read_inputs
from policy_engine.model.errors import InputError
from policy_engine.model.results import Status

AT = datetime(2026, 11, 21, tzinfo=UTC)
RULE = "example_bank.model_risk.vendor_models_see_no_personal_data"
PATH = ("customer-assistant", "assistant-agent", "knowledge-index", "index-building", "chat-history")


@pytest.fixture(scope="module")
def assessed(bank: Path) -> Evaluation:
    return evaluate(read_inputs(bank), AT)


def test_the_path_of_a_finding_is_whole_however_small_the_limit(assessed: Evaluation) -> None:
    graph = graph_of(assessed, "customer-assistant", RULE, View(limit=1))
    assert graph.paths == (PATH,)
    assert {node.id for node in graph.nodes} == set(PATH)
    joined = {frozenset((edge.source, edge.target)) for edge in graph.edges}
    assert {frozenset(pair) for pair in pairwise(PATH)} <= joined
    assert [finding.rule for finding in graph.findings] == [RULE]


def test_without_a_rule_the_open_findings_are_shown_gravest_first(assessed: Evaluation) -> None:
    graph = graph_of(assessed, "customer-assistant")
    assert [finding.status.value for finding in graph.findings] == ["fail", "fail", "unknown"]
    assert graph.paths[0] == PATH
    contract = next(node for node in graph.nodes if node.id == "lumen-terms")
    assert contract.notes == ("ends: not stated",)


@pytest.mark.parametrize("limit", [1, 3, 7, 12, 500])
@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("subject", ["credit-scoring", "applicant-history", "cumulus-hosting"])
def test_what_is_shown_and_what_is_counted_is_everything(
    assessed: Evaluation, subject: str, direction: Direction, limit: int
) -> None:
    whole = graph_of(assessed, subject, None, View(direction, limit=10_000))
    part = graph_of(assessed, subject, None, View(direction, limit=limit))
    assert not whole.hidden
    assert Counter(n.kind for n in part.nodes) + Counter(part.hidden) == Counter(n.kind for n in whole.nodes)
    lineage = [e for e in assessed.snapshot.edges if e.type in assessed.program.schema.lineage_edges]
    shown = {node.id for node in part.nodes}
    for node in part.nodes:
        outward = {e.target for e in lineage if e.source == node.id}
        inward = {e.source for e in lineage if e.target == node.id}
        assert sum(node.hidden_dependencies.values()) >= len(outward - shown)
        assert sum(node.hidden_dependents.values()) >= len(inward - shown)


def test_near_things_come_before_far_ones(assessed: Evaluation) -> None:
    near = {e.source for e in assessed.snapshot.edges if e.target == "applicant-history"}
    graph = graph_of(assessed, "applicant-history", None, View(Direction.DOWNSTREAM, limit=1 + len(near)))
    assert {node.id for node in graph.nodes} == {"applicant-history", *near}
    assert {n.id for n in graph_of(assessed, "credit-scoring", None, View(depth=0)).nodes} >= {"credit-scoring"}


def test_status_marks_are_those_of_the_results(assessed: Evaluation) -> None:
    for node in graph_of(assessed, "credit-scoring", None, View(limit=500)).nodes:
        found = [r.status for r in assessed.results if r.subject == node.id]
        failed = found.count(Status.FAIL)
        assert (node.status is not None and node.status.value == "fail") == bool(failed)
        if failed:
            assert node.findings == failed


def test_who_is_asked_for_and_not_there_is_said(assessed: Evaluation) -> None:
    with pytest.raises(InputError, match=r"PE3701.*`credit-scorin`"):
        graph_of(assessed, "credit-scorin")
    with pytest.raises(InputError, match=r"PE3702.*is not about `credit-scoring`"):
        graph_of(assessed, "credit-scoring", "eu_ai_act.ai_literacy.operators_trained")


@pytest.mark.parametrize("suffix", ["svg", "png", "html", "SVG"])
def test_the_command_writes_each_format(run, bank: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / "new" / f"credit.{suffix}"
    ran = run("graph", "credit-scoring", bank, "--at", "2026-11-21", "--out", out, "--limit", 12)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"{out}: 14 things and 14 relations, 10 more not shown\n"
    first = out.read_bytes()
    assert first[:5] in {b"<?xml", b"\x89PNG\r", b"<!DOC"}
    run("graph", "credit-scoring", bank, "--at", "2026-11-21", "--out", out, "--limit", 12)
    assert out.read_bytes() == first


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["nobody", "--out", "a.svg"], "PE3701"),
        (["credit-scoring", "--out", "a.gif"], "PE3703"),
        (["credit-scoring", "--out", "svg"], "PE3703"),
        (["credit-scoring", "--out", "a.svg", "--rule", "no_such_rule"], "PE0009"),
        (["credit-scoring", "--out", "a.svg", "--rule", "operators_trained"], "PE3702"),
        (["credit-scoring", "--out", "a.svg", "--at", "tomorrow"], "PE0005"),
    ],
)
def test_bad_usage_has_a_code(run, bank: Path, tmp_path: Path, monkeypatch, arguments: list[str], code: str) -> None:
    monkeypatch.chdir(tmp_path)
    ran = run("graph", arguments[0], bank, *arguments[1:])
    assert ran.code == 2
    assert code in ran.err
    assert not [*tmp_path.iterdir()]


def test_an_input_is_not_drawn_over(run, tmp_path: Path) -> None:
    inventory = tmp_path / "inventory.svg"
    inventory.write_text('{"inventory": 1, "nodes": [{"id": "a", "kind": "System"}]}')
    ran = run("graph", "a", inventory, "--out", inventory)
    assert ran.code == 2
    assert "PE0007" in ran.err


def test_things_that_depend_on_themselves_and_each_other(run, tmp_path: Path) -> None:
    (tmp_path / "loop.yaml").write_text(
        "inventory: 1\nnodes:\n"
        "  - {id: a, kind: Dataset, derived_from: [a, b]}\n"
        "  - {id: b, kind: Dataset, derived_from: [a, '漢字']}\n"
        "  - {id: '漢字', kind: Dataset, name: 'نموذج'}\n"
    )
    ran = run("graph", "a", tmp_path / "loop.yaml", "--out", tmp_path / "loop.svg")
    assert ran.code == 0
    assert ran.out.endswith("3 things and 4 relations\n")
    assert "نموذج" in (tmp_path / "loop.svg").read_text(encoding="utf-8")
