"""A forecast is what evaluating at every instant would say, and names what turned."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy_dsl import compile_packs
from policy_dsl.source import SourceFile
from policy_engine.evaluation.causes import CauseKind
from policy_engine.evaluation.forecast import forecast
from policy_engine.evaluation.point.evaluate import PointEvaluator
from policy_engine.evaluation.waivers import apply_waivers
from policy_engine.evaluation.world import World
from policy_engine.lineage.graph import Fact, Node, Snapshot
from policy_engine.model.evidence import Evidence, EvidenceSet, Waiver
from policy_engine.model.results import Status, Verdict
from tests.property.strategies import INSTANTS, worlds

SLOW = settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
DAYS = 90


@st.composite
def waived_worlds(draw):
    """A world and waivers of its rules, some of which overlap, follow each other or are over."""
    world = draw(worlds())
    waivers = []
    for number in range(draw(st.integers(0, 4))):
        begins = draw(INSTANTS)
        waivers.append(
            Waiver(
                digest=f"sha256:{number:064d}",
                rule=draw(st.sampled_from(sorted(world.program.rules))),
                subject=draw(st.sampled_from(sorted(world.snapshot.nodes))),
                reason="because",
                approver="Somebody",
                ticket=None,
                issued=begins,
                counts_from=begins,
                counts_until=begins + timedelta(hours=draw(st.integers(1, 2000))),
            )
        )
    return world, waivers


@SLOW
@given(given_world=waived_worlds(), at=INSTANTS)
def test_a_forecast_equals_evaluating_every_day(given_world, at):
    world, waivers = given_world
    until = at + timedelta(days=DAYS)
    found = forecast(world, waivers, at, until)
    evaluator = PointEvaluator(world)
    for day in range(DAYS + 1):
        then = at + timedelta(days=day)
        foretold = {(r.rule, r.subject): r.status for r in found.results}
        foretold |= {(t.after.rule, t.after.subject): t.after.status for t in found.turns if t.at <= then}
        real, _ = apply_waivers(evaluator.evaluate_all(then), waivers, then)
        assert foretold == {(r.rule, r.subject): r.status for r in real}


@SLOW
@given(given_world=waived_worlds(), at=INSTANTS)
def test_every_turn_is_at_its_very_second_and_has_a_cause(given_world, at):
    world, waivers = given_world
    evaluator = PointEvaluator(world)
    found = forecast(world, waivers, at, at + timedelta(days=DAYS))
    for turn in found.turns:
        rule = world.program.rules[turn.after.rule]
        for when, told in ((turn.at - timedelta(seconds=1), turn.before), (turn.at, turn.after)):
            result = evaluator.evaluate(rule, turn.after.subject, when)
            assert apply_waivers([result], waivers, when)[0][0].status is told.status
        assert turn.causes
        assert turn.before.status is not turn.after.status
    standings = list(found.standings())
    assert [s.since for s in standings] == sorted({at, *(t.at for t in found.turns)})
    assert all(sum(n for _, n in s.counts) == len(found.results) for s in standings)


PACK = """
policy pack
role auditor
node Thing { day: Date  flag: Boolean }
evidence audit on Thing { valid_to: Date }

rule aged
    for each Thing
    must thing has evidence audit signed by auditor not older than 30 days
rule dated
    for each Thing
    must thing.day > today
rule begins
    applies from 2026-02-01 until 2026-03-01
    for each Thing
    must thing.flag
rule named
    for each Thing
    must today < 2026-01-20
"""
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _world(*records: Evidence) -> World:
    program, found = compile_packs([SourceFile("pack.policy", PACK)])
    assert [d.message for d in found] == []
    node = Node("a", "Thing", {"day": Fact(date(2026, 1, 10)), "flag": Fact(False)})
    return World(program, Snapshot.build([node]), EvidenceSet.of(records))


def _audit(digest: str, issued: datetime, until: datetime | None = None) -> Evidence:
    return Evidence(digest, "audit", "a", issued, issued, until, {}, (frozenset({"auditor"}),))


def _told(world: World, *waivers: Waiver) -> dict[str, list[tuple[date, Status, list[CauseKind]]]]:
    found = forecast(world, waivers, NOW, datetime(2026, 6, 1, tzinfo=UTC))
    told: dict[str, list[tuple[date, Status, list[CauseKind]]]] = {}
    for turn in found.turns:
        rule = turn.after.rule.rpartition(".")[2]
        told.setdefault(rule, []).append((turn.at.date(), turn.after.status, [c.kind for c in turn.causes]))
    return told


def test_what_turned_is_named():
    told = _told(_world(_audit("one", NOW - timedelta(days=10)), _audit("two", NOW, NOW + timedelta(days=5))))
    assert told["aged"] == [(date(2026, 1, 21), Status.FAIL, [CauseKind.EVIDENCE_AGES])]
    assert told["dated"] == [(date(2026, 1, 10), Status.FAIL, [CauseKind.DATE_REACHED])]
    assert told["begins"] == [
        (date(2026, 2, 1), Status.FAIL, [CauseKind.RULE_BEGINS]),
        (date(2026, 3, 1), Status.NOT_APPLICABLE, [CauseKind.RULE_ENDS]),
    ]
    assert told["named"] == [(date(2026, 1, 20), Status.FAIL, [CauseKind.RULE_DATE])]


def test_evidence_that_ends_and_begins_is_named():
    told = _told(_world(_audit("one", NOW, NOW + timedelta(days=5)), _audit("two", NOW + timedelta(days=8))))
    assert told["aged"] == [
        (date(2026, 1, 6), Status.FAIL, [CauseKind.EVIDENCE_ENDS]),
        (date(2026, 1, 9), Status.PASS, [CauseKind.EVIDENCE_BEGINS]),
        (date(2026, 2, 8), Status.FAIL, [CauseKind.EVIDENCE_AGES]),
    ]


def test_a_waiver_that_begins_and_ends_is_named_and_the_roles_are():
    waiver = Waiver("w", "pack.aged", "a", "r", "Ana", "T-1", NOW, NOW + timedelta(days=2), NOW + timedelta(days=4))
    found = forecast(_world(), [waiver], NOW, datetime(2026, 1, 6, tzinfo=UTC))
    turns = [t for t in found.turns if t.after.rule == "pack.aged"]
    assert [(t.after.status, [c.kind for c in t.causes], t.roles) for t in turns] == [
        (Status.WAIVED, [CauseKind.WAIVER_BEGINS], ()),
        (Status.FAIL, [CauseKind.WAIVER_ENDS], ("auditor",)),
    ]
    assert "Ana (T-1)" in turns[0].causes[0].text


def test_the_first_day_not_compliant():
    records = [_audit("one", NOW)]
    found = forecast(_world(*records), [], NOW, datetime(2026, 6, 1, tzinfo=UTC))
    assert found.first_not_compliant == datetime(2026, 1, 10, tzinfo=UTC)
    assert next(iter(found.standings())).verdict is Verdict.COMPLIANT
    assert forecast(_world(), [], NOW, NOW + timedelta(days=1)).first_not_compliant == NOW
