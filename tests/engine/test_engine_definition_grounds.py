"""A definition that is given a value rests on the fact behind the value, in both evaluators."""

from datetime import UTC, date, datetime

import pytest

from policy_dsl import compile_bytes
from policy_engine.evaluation.point.evaluate import PointEvaluator
from policy_engine.evaluation.reference import ReferenceEvaluator
from policy_engine.evaluation.world import World
from policy_engine.lineage.graph import Fact, Node, Snapshot
from policy_engine.model.evidence import EvidenceSet
from policy_engine.model.results import FactRead, Status
from policy_engine.packs.library import select

PACK = b"""
policy p
use std.ai
define early(day: Date) as day < 2027-12-02
rule old
    "Systems are from before the rules"
    for each System
    must early(system.placed_on_market)
"""
PROGRAM, _ = compile_bytes({**select(["std.ai"], {}).files, "p.policy": PACK})
AT = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    "decide", [lambda world: PointEvaluator(world).decide, lambda world: ReferenceEvaluator(world).evaluate]
)
@pytest.mark.parametrize(("day", "status"), [(date(2025, 1, 1), Status.PASS), (date(2028, 1, 1), Status.FAIL)])
def test_the_fact_behind_a_value_is_among_the_grounds(decide, day, status) -> None:
    node = Node("chat", "System", {"placed_on_market": Fact(day)})
    world = World(PROGRAM, Snapshot.build([node], []), EvidenceSet.of([]))
    found = decide(world)(PROGRAM.rules["p.old"], "chat", AT)
    assert found.status is status
    assert found.grounds.facts == {FactRead("chat", "placed_on_market", day.isoformat())}
    assert found.reason == ""
