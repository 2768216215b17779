"""From conditions to a status: in force, in scope, excepted, required; and until when it stays so."""

from collections.abc import Callable
from datetime import datetime

from policy_dsl.records import dataclass, replace
from policy_dsl.typed import tree
from policy_dsl.values import format_instant
from policy_engine.evaluation.instants import earlier
from policy_engine.evaluation.trace import UNKNOWN, Trace, junction, together
from policy_engine.model.results import Status

Tracer = Callable[[tree.Expression, datetime], tuple[Trace, datetime | None]]
"""Traces an expression at an instant; the second value is when something it saw may change at the earliest."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A status, why it is so, what it rests on, and the first instant at which it is another."""

    status: Status
    reason: str
    grounds: Trace
    valid_until: datetime | None = None


def decide(rule: tree.Rule, at: datetime, trace: Tracer) -> Decision:
    """Return the decision at an instant with its exact ``valid_until``.

    Between the turning points that a tracer reports nothing can change, so the statuses at these points, one after
    the other, show the first that differs.
    """
    decision, horizon = decide_at(rule, at, trace)
    while horizon is not None:
        later, next_horizon = decide_at(rule, horizon, trace)
        if later.status is not decision.status:
            return replace(decision, valid_until=horizon)
        horizon = next_horizon
    return decision


def decide_at(rule: tree.Rule, at: datetime, trace: Tracer) -> tuple[Decision, datetime | None]:
    """Return the decision at an instant and when it may change at the earliest."""
    if rule.start is not None and at < rule.start:
        return Decision(Status.NOT_APPLICABLE, f"not in force until {_day(rule.start)}", Trace(True)), rule.start
    if rule.end is not None and at >= rule.end:
        return Decision(Status.NOT_APPLICABLE, f"no longer in force since {_day(rule.end)}", Trace(True)), None
    decision, horizon = _in_force(rule, at, trace)
    return decision, earlier(horizon, rule.end)


def _in_force(rule: tree.Rule, at: datetime, trace: Tracer) -> tuple[Decision, datetime | None]:
    horizon: datetime | None = None
    scope = Trace(True)
    if rule.where is not None:
        scope, horizon = trace(rule.where, at)
        if scope.value is False:
            return Decision(Status.NOT_APPLICABLE, "not in the scope of the rule", scope), horizon
        if scope.value is UNKNOWN:
            return Decision(Status.UNKNOWN, "not known whether the rule applies", scope), horizon
    doubtful: list[Trace] = []
    for exemption in rule.exemptions:
        found, changes = trace(exemption.condition, at)
        horizon = earlier(horizon, changes)
        if found.value is True:
            return Decision(
                Status.NOT_APPLICABLE, f"exception: {exemption.label}", together(True, (scope, found))
            ), horizon
        if found.value is UNKNOWN:
            doubtful.append(found)
    required, changes = trace(rule.requirement, at)
    horizon = earlier(horizon, changes)
    if required.value is True:
        return Decision(Status.PASS, _emptiness(required), together(True, (scope, required))), horizon
    if required.value is UNKNOWN:
        return Decision(Status.UNKNOWN, "", together(UNKNOWN, (required, *doubtful))), horizon
    if doubtful:
        # What is required is not met; whether an exception excuses that is not known.
        reason = "not known whether an exception applies"
        return Decision(Status.UNKNOWN, reason, junction(tuple(doubtful), all_of=True)), horizon
    return Decision(Status.FAIL, "", replace(required, facts=required.facts | scope.facts)), horizon


OUT_OF_FORCE = ("not in force until", "no longer in force since")
"""How the reasons begin for which a rule is not in force."""


def _emptiness(required: Trace) -> str:
    """Say so when a rule passes because there was nothing to look at: a reader should not take it for care."""
    looked = required.facts or required.evidence or required.witnesses
    return "" if looked else "nothing to check was found"


def _day(instant: datetime) -> str:
    text = format_instant(instant)
    return text.removesuffix("T00:00:00Z")
