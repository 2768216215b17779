"""A remedy that would speak of a thing which was not found is left out where a result is unknown."""

from datetime import UTC, datetime

from policy_dsl import compile_bytes
from policy_engine.evaluation.point.evaluate import PointEvaluator
from policy_engine.evaluation.world import World
from policy_engine.lineage.graph import Edge, Fact, Node, Snapshot
from policy_engine.model.evidence import EvidenceSet
from policy_engine.model.results import Status
from policy_engine.packs.library import select

PACK = b"""
policy p
use std.ai
rule documented
    "Data of systems in use are documented"
    for each System where system.stage is production
    must every Dataset in system.retrieves_from satisfies dataset.owner is known
    otherwise "{dataset.name} has no owner"
    remedy "Ask who owns {dataset.name} of {system.name}"
"""
PROGRAM, _ = compile_bytes({**select(["std.ai"], {}).files, "p.policy": PACK})
AT = datetime(2026, 11, 21, tzinfo=UTC)


def result(facts: dict):
    nodes = [Node("chat", "System", facts), Node("faq", "Dataset", {})]
    world = World(PROGRAM, Snapshot.build(nodes, [Edge("retrieves_from", "chat", "faq")]), EvidenceSet.of([]))
    return PointEvaluator(world).evaluate(PROGRAM.rules["p.documented"], "chat", AT)


def test_a_failure_names_the_thing() -> None:
    found = result({"stage": Fact("production")})
    assert (found.status, found.remedy) == (Status.FAIL, "Ask who owns faq of chat")


def test_what_is_unknown_before_the_thing_is_looked_at_has_no_such_remedy() -> None:
    found = result({})
    assert (found.status, found.remedy) == (Status.UNKNOWN, "")
