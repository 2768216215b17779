"""The command ``gate`` without the library of the other commands, which takes as long to load as a gate may.

``parse`` understands a call that is well formed and leaves every other, and every call for help, to that library.
"""

import io
import os
import sys
from collections.abc import Iterable, Iterator, Sequence

from policy_dsl.records import dataclass
from policy_dsl.values import format_instant
from policy_dsl.words import SEVERITIES
from policy_engine.app.gate import Answer, ask, inputs_of
from policy_engine.app.staleness import changes
from policy_engine.cli.instants import instant_option
from policy_engine.evaluation.waivers import WaiverState
from policy_engine.lineage.columns.errors import estate_error
from policy_engine.lineage.columns.reader import EstateFile
from policy_engine.model.plain import counted, one_line, shown_json
from policy_engine.model.results import Result, Status, Verdict, Witness

FORMATS = ("text", "json")
_VALUES = {"--at": "at", "--fail-on": "fail_on", "--format": "format"}
_FLAGS = {"--require-fresh": "require_fresh", "--verify": "verify", "--quiet": "quiet"}
VERDICTS = {
    Verdict.COMPLIANT: "COMPLIANT",
    Verdict.NOT_COMPLIANT: "NOT COMPLIANT",
    Verdict.UNDECIDED: "UNDECIDED",
}
_SHOWN_PATHS = 3
OVERRIDABLE = "overridable"


@dataclass(frozen=True, slots=True)
class Request:
    """A call of the command."""

    file: str
    subjects: tuple[str, ...]
    at: str | None = None
    fail_on: str = "low"
    format: str = "text"
    require_fresh: bool = False
    verify: bool = False
    quiet: bool = False


def parse(arguments: Sequence[str]) -> Request | None:
    """Return what a well-formed call asks for, or nothing when it is another."""
    places: list[str] = []
    options: dict[str, str] = {}
    flags: dict[str, bool] = {}
    waiting = iter(arguments)
    for argument in waiting:
        name, equals, value = argument.partition("=")
        if argument in _FLAGS:
            flags[_FLAGS[argument]] = True
        elif name in _VALUES:
            given = value if equals else next(waiting, None)
            if given is None:
                return None
            options[_VALUES[name]] = given
        elif argument.startswith("-"):
            return None
        else:
            places.append(argument)
    if len(places) < 2 or options.get("fail_on", "low") not in SEVERITIES:
        return None
    if options.get("format", "text") not in FORMATS:
        return None
    return Request(places[0], tuple(places[1:]), **options, **flags)  # type: ignore[arg-type]


def answer(request: Request) -> int:
    """Print the answer to a call, and return its exit code.

    Raises:
        LineageError: the file cannot be used, a subject does not exist, or PE3411, an input has changed.
        InputError: PE0005.
    """
    at = instant_option(request.at)
    with EstateFile.open(request.file) as file:
        if request.verify:
            file.verify()
        warnings = staleness(file, request.file, is_required=request.require_fresh)
        found = ask(file, request.subjects, at)
    if request.format == "json":
        import json

        written = {**found.to_json(request.fail_on), "warnings": warnings}
        printed([shown_json(json.dumps(written, ensure_ascii=False, indent=2))])
    else:
        shown = (
            [next(_text(found))] if request.quiet else [*_text(found), *(f"\nwarning[PE3411]: {w}" for w in warnings)]
        )
        printed(shown)
    return found.exit_code(request.fail_on)


def staleness(file: EstateFile, path: str, *, is_required: bool) -> list[str]:
    """Return what makes an estate file stale, in sentences.

    Raises:
        LineageError: PE3411, it must be fresh, and is not or cannot be shown to be.
    """
    place = os.path.dirname(os.path.abspath(path))  # noqa: PTH100, PTH120 - pathlib is slow to load
    found, comparable = changes(inputs_of(file), place)
    advice = "make the estate file again with `policy-engine prepare`"
    if is_required and not comparable:
        message = "the inputs of the estate file are not here, so it cannot be shown to be fresh"
        raise estate_error("PE3411", message, "keep it beside its inputs, or leave `--require-fresh` out")
    if is_required and found:
        raise estate_error("PE3411", f"the estate file is stale: {'; '.join(found)}", advice)
    return [f"{change} since the estate file was made; {advice}" for change in found]


def _text(found: Answer) -> Iterator[str]:
    """Yield the lines of the text: the verdict, then what a developer can act on."""
    counts = ", ".join(f"{sum(r.status is s for r in found.results)} {s.value.replace('_', ' ')}" for s in Status)
    yield f"{VERDICTS[found.verdict]} at {format_instant(found.at)}: {counts}"
    parts = len(found.looked_at) - len(found.subjects)
    more = f" and {parts} of {'its' if len(found.subjects) == 1 else 'their'} parts" if parts > 0 else ""
    yield f"  looked at {', '.join(found.subjects)}{more}"
    if not found.results:
        yield "  nothing was checked, so nothing was shown: no rule is about any of these"
    for status, tell in ((Status.FAIL, failure), (Status.UNKNOWN, unknown)):
        for result in _by_gravity(found, status):
            yield ""
            yield from tell(found, result)
    yield from waivers(found)
    yield from evidence(found)
    yield from _next_change(found)


def failure(found: Answer, result: Result) -> Iterator[str]:
    """Yield the lines of a failure: what is wrong, along which paths, by what law, and what to do."""
    rule = found.rule(result)
    yield _headline("FAIL", found, result)
    yield f"  {result.message or rule.title}"
    ways = [witness for witness in result.witnesses if len(witness.hops) > 1]
    yield from (f"  path: {path(witness)}" for witness in ways[:_SHOWN_PATHS])
    if len(ways) > _SHOWN_PATHS:
        yield f"  and {len(ways) - _SHOWN_PATHS} more paths (see --format json)"
    yield from _law_and_remedy(found, result)


def unknown(found: Answer, result: Result) -> Iterator[str]:
    """Yield the lines of an unknown result: what is missing, and what to do."""
    yield _headline("UNKNOWN", found, result)
    yield f"  {found.rule(result).title}"
    yield from (f"  {missing.reason}: {missing.attribute} of {missing.node}" for missing in result.missing)
    yield from _law_and_remedy(found, result)


def _headline(word: str, found: Answer, result: Result) -> str:
    level = found.enforcement.get(result.rule, OVERRIDABLE)
    enforced = "" if level == OVERRIDABLE else f" ({level})"
    return f"{word} [{found.rule(result).severity}] {result.rule} on {result.subject}{enforced}"


def _law_and_remedy(found: Answer, result: Result) -> Iterator[str]:
    rule = found.rule(result)
    if rule.citations:
        yield f"  see:  {', '.join(rule.citations)} ({rule.basis.replace('_', ' ')})"
    if result.remedy:
        yield f"  do:   {result.remedy}"


def path(witness: Witness) -> str:
    """Write a path: ``credit -uses_model-> scorer -trained_on-> loans``."""
    return "".join(h.node if h.edge is None else f" -{h.edge}-> {h.node}" for h in witness.hops)


def waivers(found: Answer) -> Iterator[str]:
    """Yield what became of every waiver."""
    for use in found.waivers:
        waiver = use.waiver
        target = f"{waiver.rule} on {waiver.subject}"
        if use.state is WaiverState.APPLIED:
            yield f"\nWAIVED {target} until {format_instant(waiver.counts_until)}"
            ticket = f", {waiver.ticket}" if waiver.ticket else ""
            yield f"  {one_line(f'{waiver.reason} (approved by {waiver.approver}{ticket})')}"
        else:
            yield f"\nwaiver {use.state.value}: {one_line(f'{target}: {use.detail}')}"


def evidence(found: Answer) -> Iterator[str]:
    """Yield the evidence that does not count, and why."""
    for rejected in found.rejected:
        about = f" about {', '.join(rejected['subjects'])}" if rejected["subjects"] else ""
        what = rejected["type"] or "statement"
        said = f"{rejected['file']}: does not count[{rejected['code']}]: {what}{about}: {rejected['message']}"
        yield f"\n{one_line(said)}"
        if rejected["help"]:
            yield f"  help: {one_line(rejected['help'])}"
    if found.unjudged:
        yield f"\n{found.unjudged} files of evidence were not verified, for there was no trust file"


def _next_change(found: Answer) -> Iterator[str]:
    upcoming = [r.valid_until for r in found.results if r.valid_until is not None]
    if upcoming:
        results = counted(upcoming.count(min(upcoming)), "result")
        yield f"\nNext change with no change of facts: {format_instant(min(upcoming))} ({results})"


def _by_gravity(found: Answer, status: Status) -> list[Result]:
    same = [r for r in found.results if r.status is status]
    return sorted(same, key=lambda r: (SEVERITIES.index(found.rule(r).severity), r.rule, r.subject))


def printed(lines: Iterable[str]) -> None:
    """Write lines; a character that the terminal cannot show is written as its number."""
    if sys.stdout is None:
        return  # whoever closed it wants the exit code alone
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.stdout.write("\n".join([*lines, ""]))
    sys.stdout.flush()
