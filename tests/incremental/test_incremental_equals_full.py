"""After any changes and at any instant, the results that are kept up to date are those of a full run."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from policy_engine.evaluation.incremental.evaluation import LiveEvaluation
from policy_engine.model.errors import InputError
from policy_engine.model.results import Status
from tests.incremental.estate_model import EstateModel, changes
from tests.property.strategies import INSTANTS, worlds

SLOW = settings(
    max_examples=40,
    phases=[Phase.generate, Phase.shrink],
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@SLOW
@given(world=worlds(), at=INSTANTS, data=st.data())
def test_any_sequence_of_changes_and_instants(world, at, data):
    program = world.program
    model = EstateModel.of(world)
    live = LiveEvaluation(model.world(program), at)
    before = model.results(program, at)
    assert live.results() == before
    for _ in range(data.draw(st.integers(1, 8))):
        match data.draw(st.sampled_from(["change", "change", "change", "batch", "later", "turn"])):
            case "later":
                at += timedelta(hours=data.draw(st.integers(0, 2000)))
                changed = live.advance(at)
            case "turn":
                at = live.next_turn or at
                changed = live.advance(at)
            case what:
                wanted = [data.draw(changes(model, [*program.rules])) for _ in range(4 if what == "batch" else 1)]
                changed = _applied(live, model, wanted)
        after = model.results(program, at)
        assert live.results() == after
        assert [live.count(s) for s in Status] == [sum(r.status is s for r in after) for s in Status]
        _assert_reported(changed, before, after)
        assert live.world() == model.world(program)
        before = after


def _applied(live, model, wanted):
    kept = {name: value.copy() for name, value in vars(model).items() if name != "schema"}
    if all(model.make(change) for change in wanted):
        return live.apply(wanted)
    # One change of the batch cannot be made, so none is.
    vars(model).update(kept)
    with pytest.raises(InputError, match=r"error\[PE380[1-7]\]"):
        live.apply(wanted)
    return ()


def _assert_reported(changed, before, after):
    """Exactly the results that differ are reported, with both sides, in the order of a full run."""
    old, new = ({(r.rule, r.subject): r for r in results} for results in (before, after))
    differing = {pair for pair in {*old, *new} if old.get(pair) != new.get(pair)}
    assert {(c.rule, c.subject) for c in changed} == differing
    for change in changed:
        pair = (change.rule, change.subject)
        assert (change.before, change.after) == (old.get(pair), new.get(pair))
    assert [c.rule for c in changed] == sorted(
        (c.rule for c in changed), key=[*dict.fromkeys(c.rule for c in changed)].index
    )


@SLOW
@given(world=worlds(), at=INSTANTS, data=st.data())
def test_between_two_turns_nothing_changes(world, at, data):
    model = EstateModel.of(world)
    live = LiveEvaluation(model.world(world.program), at)
    turn = live.next_turn
    if turn is not None:
        assert turn > at
        assert model.results(world.program, turn - timedelta(seconds=1)) == live.results()
        live.advance(turn - timedelta(seconds=1))
        assert live.decisions == len(live.results())
        assert live.next_turn == turn
