"""A finished run as a world that can be looked into the future of, or changed."""

from policy_engine.app.evaluate import Evaluation
from policy_engine.evaluation.waivers import WaiverState
from policy_engine.evaluation.world import World
from policy_engine.model.evidence import Waiver


def world_of(run: Evaluation) -> World:
    """Return what a run looked at."""
    return World(run.program, run.snapshot, run.evidence.usable)


def waivers_of(run: Evaluation) -> tuple[Waiver, ...]:
    """Return the waivers that the organisation accepts, whether they count at the instant of the run or not."""
    return tuple(use.waiver for use in run.waivers if use.state is not WaiverState.REJECTED)
