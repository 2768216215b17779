"""A finished run as text for a terminal: verdict first, then what a developer or officer can act on."""

from collections.abc import Iterator

import click

from policy_dsl.typed.tree import Rule
from policy_dsl.values import format_instant
from policy_dsl.words import SEVERITIES
from policy_engine.app.evaluate import Evaluation
from policy_engine.cli.gating import path
from policy_engine.evaluation.verdicts import OUT_OF_FORCE
from policy_engine.evaluation.waivers import WaiverState
from policy_engine.model.plain import counted, one_line
from policy_engine.model.results import Result, Status, Verdict
from policy_engine.packs.profile import Enforcement

_VERDICTS = {
    Verdict.COMPLIANT: ("COMPLIANT", "green"),
    Verdict.NOT_COMPLIANT: ("NOT COMPLIANT", "red"),
    Verdict.UNDECIDED: ("UNDECIDED", "yellow"),
}
_COLOURS = {Status.FAIL: "red", Status.UNKNOWN: "yellow", Status.WAIVED: "cyan"}
_SHOWN_PATHS = 3


def lines(run: Evaluation) -> Iterator[str]:
    """Yield the lines of the text."""
    verdict, colour = _VERDICTS[run.verdict]
    counts = ", ".join(f"{run.count(s)} {s.value.replace('_', ' ')}" for s in Status)
    yield click.style(f"{verdict}", fg=colour, bold=True) + f" at {format_instant(run.at)}: {counts}"
    sources = ", ".join(map(one_line, run.inputs.sources))
    things, relations = counted(len(run.snapshot.nodes), "thing"), counted(len(run.snapshot.edges), "relation")
    yield f"  read {things} and {relations} from {sources}"
    if not run.results:
        yield "  nothing was checked, so nothing was shown: no rule is about anything that was read"
    yield from _emptiness(run)
    for result in _by_gravity(run, Status.FAIL):
        yield ""
        yield from _failure(run, result)
    for result in _by_gravity(run, Status.UNKNOWN):
        yield ""
        yield from _unknown(run, result)
    yield from _waivers(run)
    yield from _evidence(run)
    yield from _warnings(run)
    yield from _next_changes(run)


def _emptiness(run: Evaluation) -> Iterator[str]:
    """Say what passes or does not apply for want of anything to look at: a reader should not take it for care."""
    if run.results and all(r.reason.startswith(OUT_OF_FORCE) for r in run.results):
        yield "  no rule was in force at that instant, so nothing was shown"
    empty = [r for r in run.results if r.status is Status.PASS and r.reason]
    if empty:
        yield f"  of the passes, {counted(len(empty), 'result')} found nothing to look at:"
        yield from (f"    {r.rule} on {r.subject}" for r in empty)


def _failure(run: Evaluation, result: Result) -> Iterator[str]:
    rule = run.program.rules[result.rule]
    yield _headline("FAIL", "red", rule, result) + _enforced(run, rule)
    yield f"  {result.message or rule.title}"
    for witness in result.witnesses[:_SHOWN_PATHS]:
        if len(witness.hops) > 1:
            yield f"  path: {path(witness)}"
    if len(result.witnesses) > _SHOWN_PATHS:
        yield f"  and {len(result.witnesses) - _SHOWN_PATHS} more paths (see the JSON output)"
    yield from _law(rule)
    if result.remedy:
        yield f"  do:   {result.remedy}"


def _unknown(run: Evaluation, result: Result) -> Iterator[str]:
    rule = run.program.rules[result.rule]
    yield _headline("UNKNOWN", "yellow", rule, result) + _enforced(run, rule)
    yield f"  {rule.title}"
    for missing in result.missing:
        yield f"  {missing.reason}: {missing.attribute} of {missing.node}"
    yield from _law(rule)
    if result.remedy:
        yield f"  do:   {result.remedy}"


def _headline(word: str, colour: str, rule: Rule, result: Result) -> str:
    subject = click.style(result.subject, bold=True)
    return f"{click.style(word, fg=colour, bold=True)} [{rule.severity}] {rule.name} on {subject}"


def _enforced(run: Evaluation, rule: Rule) -> str:
    level = run.inputs.profile.enforcement_of(rule.name, rule.severity)
    return "" if level is Enforcement.OVERRIDABLE else f" ({level})"


def _law(rule: Rule) -> Iterator[str]:
    if rule.citations:
        yield f"  see:  {', '.join(rule.citations)} ({rule.basis.replace('_', ' ')})"


def _waivers(run: Evaluation) -> Iterator[str]:
    for use in run.waivers:
        waiver = use.waiver
        target = f"{waiver.rule} on {waiver.subject}"
        if use.state is WaiverState.APPLIED:
            word = click.style("WAIVED", fg="cyan", bold=True)
            ticket = f", {waiver.ticket}" if waiver.ticket else ""
            until = format_instant(waiver.counts_until)
            said = one_line(f"{waiver.reason} (approved by {waiver.approver}{ticket})")
            yield f"\n{word} {target} until {until}\n  {said}"
        else:
            yield f"\nwaiver {use.state.value}: {one_line(f'{target}: {use.detail}')}"


def _evidence(run: Evaluation) -> Iterator[str]:
    for file, rejected in run.evidence.rejected:
        about = f" about {', '.join(rejected.claimed_subjects)}" if rejected.claimed_subjects else ""
        what = rejected.claimed_type or "statement"
        said = f"{file}: does not count[{rejected.code}]: {what}{about}: {rejected.message} (step {rejected.step})"
        yield f"\n{one_line(said)}"
        if rejected.help:
            yield f"  help: {one_line(rejected.help)}"


def _warnings(run: Evaluation) -> Iterator[str]:
    if run.problems or run.diagnostics:
        yield ""
    for problem in run.problems:
        yield str(problem)
    for found in run.diagnostics:
        place = run.program.files[found.span.file].position(found.span.start)
        yield f"{found.span.file}:{place.line}:{place.column}: warning[{found.code}]: {found.message}"


def _next_changes(run: Evaluation) -> Iterator[str]:
    upcoming = [r for r in run.results if r.valid_until is not None]
    if upcoming:
        first = min(r.valid_until for r in upcoming if r.valid_until is not None)
        count = sum(r.valid_until == first for r in upcoming)
        yield f"\nNext change with no change of facts: {format_instant(first)} ({counted(count, 'result')})"


def _by_gravity(run: Evaluation, status: Status) -> list[Result]:
    found = [r for r in run.results if r.status is status]
    return sorted(found, key=lambda r: (SEVERITIES.index(run.program.rules[r.rule].severity), r.rule, r.subject))
