"""Forecasts, comparisons and remedies as text for a terminal: what gets worse first, and why."""

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby

import click

from policy_dsl.values import format_instant
from policy_engine.app.evaluate import Evaluation
from policy_engine.app.forecast import Notice, Outlook
from policy_engine.app.impact import Comparison, Difference
from policy_engine.app.remedy import Advice
from policy_engine.app.simulation import Simulation
from policy_engine.evaluation.forecast import Standing, Turn
from policy_engine.evaluation.remedy import Remedy
from policy_engine.evaluation.steps import listed
from policy_engine.model.plain import counted, one_line
from policy_engine.model.results import Result, Status, Verdict

_VERDICTS = {Verdict.COMPLIANT: "green", Verdict.NOT_COMPLIANT: "red", Verdict.UNDECIDED: "yellow"}
_COLOURS = {Status.FAIL: "red", Status.UNKNOWN: "yellow", Status.WAIVED: "cyan", Status.PASS: "green"}
_SHOWN_REASONS = 6
NOTHING_CHECKED = "nothing was checked, so nothing was shown: no rule is about anything that was read"


# --- forecast ------------------------------------------------------------------------------------------------


def forecast_lines(outlook: Outlook) -> Iterator[str]:
    """Yield a forecast, day by day."""
    found = outlook.forecast
    standings = {standing.since: standing for standing in found.standings()}
    yield f"if no fact changes from {_day(found.at)} until {_day(found.until)}:"
    yield _standing(standings[found.at])
    events: list[Turn | Notice] = [*found.turns, *outlook.notices]
    for at, group in groupby(sorted(events, key=lambda event: event.at), key=lambda event: event.at):
        yield ""
        yield click.style(_day(at), bold=True)
        together = list(group)
        for notice in (event for event in together if isinstance(event, Notice)):
            yield f"  {one_line(notice.text)}"
        turns = [event for event in together if isinstance(event, Turn)]
        for turn in sorted(turns, key=lambda turn: not turn.is_worse):
            yield from _turn(turn) if turn.is_worse else [f"  {_change(turn.before, turn.after)}: {_causes(turn)}"]
        if at in standings and turns:
            yield _standing(standings[at])
    yield ""
    yield _ending(outlook)


def _turn(turn: Turn) -> Iterator[str]:
    yield f"  {_change(turn.before, turn.after)}"
    yield from (f"    because {one_line(cause.text)}" for cause in turn.causes)
    yield from (f"    do:     {turn.after.remedy}" for _ in (1,) if turn.after.remedy)
    yield from (f"    who:    {' or '.join(turn.roles)} must sign" for _ in (1,) if turn.roles)


def _causes(turn: Turn) -> str:
    return "; ".join(one_line(cause.text) for cause in turn.causes)


def _standing(standing: Standing) -> str:
    counts = ", ".join(f"{number} {_word(status)}" for status, number in standing.counts)
    return f"  {_verdict(standing.verdict)}: {counts}"


def _ending(outlook: Outlook) -> str:
    found = outlook.forecast
    worse = sum(turn.is_worse for turn in found.turns)
    changes = f"{counted(len(found.turns), 'change')}, {worse} for the worse"
    first = found.first_not_compliant
    if not found.results:
        return NOTHING_CHECKED
    if first is None:
        return f"{changes}; at no time not compliant"
    return f"{changes}; " + ("not compliant today" if first == found.at else f"first not compliant on {_day(first)}")


# --- comparisons ---------------------------------------------------------------------------------------------


def comparison_lines(found: Comparison) -> Iterator[str]:
    """Yield a comparison: the two sides, what is worse, what is better, what came and went."""
    yield f"before: {_side(found.before)}"
    yield f"after:  {_side(found.after)}"
    for title, differences in (
        ("worse", [d for d in found.changed if d.is_worse]),
        ("better, or no longer asked", [d for d in found.changed if not d.is_worse]),
        ("new", list(found.added)),
        ("no longer there", list(found.removed)),
    ):
        if differences:
            yield ""
            yield click.style(f"{title} ({len(differences)})", bold=True)
        for difference in differences:
            yield from _difference(difference)
    yield ""
    if not found.before.results and not found.after.results:
        yield NOTHING_CHECKED
        return
    other = f", {found.other_grounds} of them on other grounds" if found.other_grounds else ""
    yield f"{counted(found.same, 'result')} unchanged{other}"


def _side(run: Evaluation) -> str:
    counts = ", ".join(f"{run.count(status)} {_word(status)}" for status in Status)
    return f"{_verdict(run.verdict)} at {_day(run.at)}: {counts}"


def _difference(found: Difference) -> Iterator[str]:
    if found.before is not None and found.after is not None:
        yield f"  {_change(found.before, found.after)}"
    else:
        result = found.after or found.before
        assert result is not None  # noqa: S101 - a difference has a side
        yield f"  {_status(result.status)} {found.rule} on {found.subject}"
    yield from (f"    because {one_line(reason.text)}" for reason in found.reasons[:_SHOWN_REASONS])
    if len(found.reasons) > _SHOWN_REASONS:
        yield f"    and {len(found.reasons) - _SHOWN_REASONS} more reasons (see the JSON output)"
    if found.is_worse and found.after is not None and found.after.remedy:
        yield f"    do:     {found.after.remedy}"


def simulation_lines(found: Simulation) -> Iterator[str]:
    """Yield what was tried, what that takes along, and what follows."""
    yield "what if one were to"
    yield from (f"  {one_line(change)}" for change in found.changes)
    if found.effects:
        yield "which takes along"
        yield from (f"  {one_line(effect)}" for effect in found.effects)
    yield ""
    yield from comparison_lines(found.comparison)


# --- remedies ------------------------------------------------------------------------------------------------


def advice_lines(advice: Advice) -> Iterator[str]:
    """Yield the remedies, the cheapest first, and last the waiver that is none."""
    yield ""
    if advice.result.status in {Status.PASS, Status.NOT_APPLICABLE}:
        yield "nothing needs to be put right"
        return
    for number, remedy in enumerate(advice.remedies.found):
        yield click.style("the cheapest remedy" if number == 0 else "or", bold=True) + _outcome(remedy)
        yield from (f"  - {one_line(step.text)}" for step in listed(remedy.steps))
        for other in remedy.likewise:
            steps = (one_line(step.text) for step in listed(other) if step not in remedy.steps)
            yield f"    or likewise: {'; '.join(steps)}"
    if not advice.remedies.found:
        yield "no remedy was found among those that are looked for: see the path and the facts above"
    if advice.remedies.limited:
        yield f"the search ended at its limit of {advice.remedies.worlds} worlds: there may be a cheaper one"
    if advice.remedies.found:
        yield "each was tried on a copy of the facts; state only what is so"
    if advice.waiver:
        yield f"instead of a remedy: {advice.waiver}"


def _outcome(remedy: Remedy) -> str:
    if remedy.status is Status.NOT_APPLICABLE:
        return f" (cost {remedy.cost}), after which the rule does not apply"
    return f" (cost {remedy.cost})"


# --- words ---------------------------------------------------------------------------------------------------


def _change(before: Result, after: Result) -> str:
    return f"{after.rule} on {after.subject}: {_word(before.status)} → {_status(after.status)}"


def _status(status: Status) -> str:
    return click.style(_word(status), fg=_COLOURS.get(status), bold=status is Status.FAIL)


def _verdict(verdict: Verdict) -> str:
    return click.style(verdict.value.replace("_", " ").upper(), fg=_VERDICTS[verdict], bold=True)


def _word(status: Status) -> str:
    return status.value.replace("_", " ")


def _day(at: datetime) -> str:
    return format_instant(at).removesuffix("T00:00:00Z")
