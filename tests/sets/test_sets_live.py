"""Words kept up to date say what a new evaluation of the changed estate says, after any changes."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy_engine.evaluation.sets.codes import SetEvaluationError
from policy_engine.evaluation.sets.evaluator import SetEvaluator, chosen_kernel
from policy_engine.evaluation.sets.live import LiveWords
from policy_engine.lineage.columns.reader import EstateFile
from policy_engine.lineage.columns.writer import estate_bytes, table_of
from policy_engine.lineage.errors import LineageError
from policy_engine.lineage.graph import Fact, Snapshot
from policy_engine.model.results import Status
from tests.property.strategies import INSTANTS, worlds
from tests.sets.estates import AT, KERNELS, evidence, program_of, snapshot

CHANGES = st.one_of(
    st.tuples(st.just("flag"), st.sampled_from([True, False, None])),
    st.tuples(st.just("usual"), st.sampled_from([True, False, None])),
    st.tuples(st.just("number"), st.sampled_from([0, 1, 2, 3, 7, None])),
    st.tuples(st.just("colour"), st.sampled_from(["red", "green", "blue", None])),
    st.tuples(st.just("name"), st.sampled_from(["aabb", "new", None])),
)


def changed(before: Snapshot, node_id: str, attribute: str, value: object) -> Snapshot:
    node = before.nodes[node_id]
    facts = {name: fact for name, fact in node.attributes.items() if name != attribute}
    if value is not None:
        facts[attribute] = Fact(value)  # type: ignore[arg-type]
    conflicts = {name: found for name, found in node.conflicts.items() if name != attribute}
    nodes = {**before.nodes, node_id: replace(node, attributes=facts, conflicts=conflicts)}
    return Snapshot.build(nodes.values(), before.edges, before.sources)


def file_of(estate: Snapshot, found) -> EstateFile:
    return EstateFile(estate_bytes(table_of(estate, found, {}, {})))


@pytest.mark.parametrize("kernel", KERNELS)
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(world=worlds(), at=INSTANTS, data=st.data())
def test_as_if_everything_were_evaluated_again(kernel, world, at, data):
    live = LiveWords(world.program, file_of(world.snapshot, world.evidence), at, chosen_kernel(kernel))
    estate = world.snapshot
    known = {(rule, s): live.status(rule, s) for rule in live.rules for s in world.subjects(world.program.rules[rule])}
    for _ in range(4):
        node = data.draw(st.sampled_from(sorted(estate.nodes)))
        attribute, value = data.draw(CHANGES)
        estate = changed(estate, node, attribute, value)
        found = live.change(node, attribute, value)
        results = SetEvaluator(world.program, file_of(estate, world.evidence)).evaluate(at)
        followed = {key: status for key, status in known.items() if key[0] in live.rules}
        after = {key: results.status(*key) for key in followed}
        assert {key: live.status(*key) for key in followed} == after
        expected = sorted((*key, followed[key], after[key]) for key in followed if followed[key] is not after[key])
        assert [(c.rule, c.subject, c.before, c.after) for c in found if c.rule in live.rules] == expected
        known = after


RULES = """
rule lineage
    for each Model
    must every Thing as x upstream of model satisfies x.flag
rule regions
    for each Model where model.flag
    must no Thing as x upstream of model where x.colour is not model.colour has evidence audit
rule sums
    for each Model
    must (sum of x.number over Thing as x upstream of model) > 2
"""


def test_a_change_far_away_changes_what_depends_on_it():
    live = LiveWords(program_of(RULES), file_of(snapshot(), evidence()), AT, chosen_kernel("auto"))
    assert live.rules == ("pack.lineage", "pack.regions")
    assert live.others == {"pack.sums": "the sum of many values"}
    assert live.status("pack.lineage", "m1") is Status.FAIL
    assert live.change("t1", "flag", True) == ()  # m2, a part of t1, still fails
    found = live.change("m2", "flag", True)
    assert [(c.rule, c.subject, c.before, c.after) for c in found] == [
        ("pack.lineage", "m1", Status.FAIL, Status.UNKNOWN),  # nobody says anything of d2
        ("pack.lineage", "m2", Status.FAIL, Status.UNKNOWN),
        ("pack.regions", "m2", Status.NOT_APPLICABLE, live.status("pack.regions", "m2")),
    ]


def test_what_cannot_be_changed_is_said():
    live = LiveWords(program_of(RULES), file_of(snapshot(), evidence()), AT, chosen_kernel("auto"))
    with pytest.raises(SetEvaluationError, match="PE3504"):
        live.change("m1", "nothing", True)
    with pytest.raises(LineageError, match="PE3152"):
        live.change("nobody", "flag", True)
    with pytest.raises(SetEvaluationError, match="PE3503"):
        live.status("pack.sums", "m1")
