"""What is decided again, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from policy_dsl import compile_bytes
from policy_engine.evaluation.incremental.changes import (
    AddWaiver,
    Contradict,
    SetKind,
    WithdrawEvidence,
    WithdrawWaiver,
)
from policy_engine.evaluation.incremental.evaluation import LiveEvaluation
from policy_engine.evaluation.point.evaluate import PointEvaluator
from policy_engine.evaluation.supposition import AddEdge, AddEvidence, AddNode, RemoveEdge, RemoveNode, SetFact
from policy_engine.evaluation.world import World
from policy_engine.lineage.graph import Edge, Fact, Node, Snapshot
from policy_engine.model.errors import InputError
from policy_engine.model.evidence import Evidence, EvidenceSet, Waiver
from policy_engine.model.results import Status

PACK = b"""
policy pack
node Thing { name: Text owner: Text size: Integer }
node Model is Thing
node Dataset is Thing { consent: Boolean }
edge trained_on from Model to Dataset reverse trains lineage
edge derived_from from Thing to Thing reverse feeds lineage
evidence datasheet on Dataset { }
define is_agreed(dataset: Dataset) as dataset.consent
rule agreed
    for each Model
    must every Dataset upstream of model satisfies is_agreed(dataset)
    otherwise "{model} learns from {dataset.name}"
rule documented
    for each Dataset
    must dataset has evidence datasheet not older than 365 days
    otherwise "{dataset} has no datasheet"
rule few
    for each Model
    must at most 3 Dataset satisfies dataset.consent is unknown
    otherwise "too many"
"""
AT = datetime(2026, 6, 1, tzinfo=UTC)
PROGRAM, _ = compile_bytes({"pack.policy": PACK})
SHEET = Evidence("sha256:" + "1" * 64, "datasheet", "loans", AT - timedelta(days=100), AT - timedelta(days=100))
LATER = Evidence("sha256:" + "2" * 64, "datasheet", "loans", AT - timedelta(days=50), AT - timedelta(days=50))


def _estate() -> World:
    nodes = [
        Node("scorer", "Model"),
        Node("ranker", "Model"),
        Node("loans", "Dataset", {"consent": Fact(True)}),
        Node("cards", "Dataset", {"consent": Fact(True), "size": Fact(3)}),
    ]
    edges = [Edge("trained_on", "scorer", "loans"), Edge("trained_on", "ranker", "cards")]
    return World(PROGRAM, Snapshot.build(nodes, edges), EvidenceSet.of([SHEET]))


@pytest.fixture
def live() -> LiveEvaluation:
    return LiveEvaluation(_estate(), AT)


def _told(changed):
    return [
        (c.rule.removeprefix("pack."), c.subject, c.before and c.before.status.value, c.after and c.after.status.value)
        for c in changed
        if c.is_of_status
    ]


def _decided(live, *changes):
    before = live.decisions
    changed = live.apply(changes)
    assert live.results() == tuple(PointEvaluator(live.world()).evaluate_all(live.at))
    return live.decisions - before, _told(changed)


def test_a_fact_that_nobody_read_costs_nothing(live):
    assert _decided(live, SetFact("cards", "size", 4)) == (0, [])
    assert _decided(live, SetFact("scorer", "owner", "Ann"), Contradict("ranker", "owner")) == (0, [])


def test_a_fact_that_is_set_to_what_it_is_costs_nothing(live):
    assert _decided(live, SetFact("loans", "consent", True)) == (0, [])
    edge = AddEdge("derived_from", "loans", "cards"), RemoveEdge("derived_from", "loans", "cards")
    assert _decided(live, *edge) == (0, [])


def test_only_readers_are_decided_also_through_definitions(live):
    decided, changed = _decided(live, SetFact("loans", "consent", False))
    # Of `agreed` the one whose lineage it is, and every count over all datasets.
    assert decided == 3
    assert changed == [("agreed", "scorer", "pass", "fail")]


def test_the_reason_is_the_fact_that_was_read(live):
    changed = next(c for c in live.apply([SetFact("loans", "consent", False), SetFact("cards", "size", 7)]))
    assert [(fact.key, fact.before, fact.after) for fact in changed.because] == [
        (("attribute", "loans", "consent"), True, False)
    ]


def test_what_was_absent_was_read_too(live):
    live.apply([SetFact("loans", "consent", None)])
    assert live.result("pack.agreed", "scorer").status is Status.UNKNOWN
    assert _decided(live, SetFact("loans", "consent", True))[1] == [("agreed", "scorer", "unknown", "pass")]


def test_edges_are_read_where_there_were_none(live):
    changes = SetFact("cards", "consent", False), AddEdge("derived_from", "loans", "cards")
    assert _decided(live, *changes)[1] == [
        ("agreed", "ranker", "pass", "fail"),
        ("agreed", "scorer", "pass", "fail"),
    ]


def test_an_edge_to_itself_and_a_circle(live):
    _decided(live, AddEdge("derived_from", "loans", "loans"))
    _decided(live, AddEdge("derived_from", "loans", "scorer"))
    _decided(live, SetFact("loans", "consent", False))
    _decided(live, RemoveNode("loans"))


def test_a_thing_leaves_with_all_that_hangs_on_it_and_comes_back_bare(live):
    assert _decided(live, RemoveNode("loans"))[1] == [
        ("documented", "loans", "pass", None),
    ]
    assert _decided(live, AddNode("loans", "Dataset"))[1] == [("documented", "loans", None, "fail")]
    assert live.world().snapshot.nodes["loans"] == Node("loans", "Dataset")
    _decided(live, AddEvidence(SHEET), AddEdge("trained_on", "scorer", "loans"))
    assert live.result("pack.documented", "loans").status is Status.PASS


def test_a_thing_of_another_kind_is_another_subject(live):
    live.apply([AddNode("mixed", "Dataset")])
    changed = _decided(live, SetKind("mixed", "Model"))[1]
    assert ("documented", "mixed", "fail", None) in changed
    assert ("agreed", "mixed", None, "pass") in changed


def test_results_expire_and_proofs_before_them():
    world = _estate()
    live = LiveEvaluation(World(PROGRAM, world.snapshot, EvidenceSet.of([SHEET, LATER])), AT)
    # The first datasheet ages and the proof loses it; the second ages, and the result fails.
    assert live.next_turn == AT + timedelta(days=265)
    before = live.decisions
    (changed,) = live.advance(live.next_turn)
    assert (live.decisions - before, changed.is_of_status) == (1, False)
    assert live.result("pack.documented", "loans").evidence == (LATER.digest,)
    assert _told(live.advance(AT + timedelta(days=315))) == [("documented", "loans", "pass", "fail")]
    assert live.next_turn is None


def test_time_does_not_go_back(live):
    with pytest.raises(InputError, match="PE3808"):
        live.advance(AT - timedelta(seconds=1))
    assert live.at == AT


def test_waivers_come_end_and_go(live):
    end = AT + timedelta(days=9)
    waiver = Waiver("sha256:" + "3" * 64, "pack.documented", "cards", "known", "Ann", None, AT, AT, end)
    assert _told(live.apply([AddWaiver(waiver)])) == [("documented", "cards", "fail", "waived")]
    assert live.next_turn == end
    assert _told(live.advance(end)) == [("documented", "cards", "waived", "fail")]
    assert live.waivers() == (waiver,)
    assert live.apply([WithdrawWaiver(waiver)]) == ()
    with pytest.raises(InputError, match="PE3803"):
        live.apply([WithdrawWaiver(waiver)])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (SetFact("nobody", "owner", "Ann"), "PE3801"),
        (RemoveNode("nobody"), "PE3801"),
        (SetKind("nobody", "Model"), "PE3801"),
        (AddEdge("trained_on", "scorer", "nobody"), "PE3801"),
        (AddEvidence(Evidence("sha256:" + "4" * 64, "datasheet", "nobody", AT, AT)), "PE3801"),
        (AddNode("scorer", "Model"), "PE3802"),
        (AddEdge("trained_on", "scorer", "loans"), "PE3802"),
        (AddEvidence(SHEET), "PE3802"),
        (RemoveEdge("trained_on", "scorer", "cards"), "PE3803"),
        (WithdrawEvidence(LATER), "PE3803"),
        (AddNode("new", "Modl"), "PE3804"),
        (AddEdge("trained", "scorer", "cards"), "PE3804"),
        (RemoveEdge("trained", "scorer", "cards"), "PE3804"),
        (SetFact("scorer", "consent", True), "PE3805"),
        (Contradict("scorer", "consent"), "PE3805"),
        (SetKind("loans", "Model"), "PE3805"),
        (SetFact("cards", "size", "many"), "PE3806"),
        (SetFact("cards", "consent", 1), "PE3806"),
        (AddEdge("trained_on", "loans", "cards"), "PE3807"),
        (SetKind("scorer", "Dataset"), "PE3807"),
    ],
)
def test_what_cannot_be_leaves_everything_as_it_was(live, change, code):
    before, world = live.results(), live.world()
    with pytest.raises(InputError, match=code):
        live.apply([change])
    with pytest.raises(InputError):
        live.apply([SetFact("loans", "consent", False), AddNode("other", "Model"), change])
    assert (live.results(), live.world()) == (before, world)
    assert live.decisions == len(before)
    # And what comes after is not disturbed by what was undone.
    assert _decided(live, SetFact("loans", "consent", False))[1] == [("agreed", "scorer", "pass", "fail")]


def test_a_thousand_changes_of_one_fact_leave_nothing_behind(live):
    keys = live.reads("pack.agreed", "scorer")
    for number in range(1_000):
        live.apply([SetFact("loans", "consent", bool(number % 2))])
    assert live.reads("pack.agreed", "scorer") == keys
    assert live.results() == tuple(PointEvaluator(live.world()).evaluate_all(AT))
