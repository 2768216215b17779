"""The check of a whole estate as text: the verdict, how each rule fares, then the gravest findings."""

from collections.abc import Iterable, Iterator

from policy_dsl.values import format_instant
from policy_dsl.words import SEVERITIES
from policy_engine.app.whole_estate import Tally, WholeCheck
from policy_engine.cli.gating import OVERRIDABLE, VERDICTS, evidence, failure, unknown, waivers
from policy_engine.model.plain import counted, one_line
from policy_engine.model.results import Status

_COLUMNS = {
    "pass": Status.PASS,
    "fail": Status.FAIL,
    "unknown": Status.UNKNOWN,
    "waived": Status.WAIVED,
    "not applicable": Status.NOT_APPLICABLE,
}


def headline(check: WholeCheck) -> str:
    """Return the verdict and how many results have each status."""
    counts = ", ".join(f"{check.counts[status]:,} {status.value.replace('_', ' ')}" for status in Status)
    return f"{VERDICTS[check.verdict]} at {format_instant(check.answer.at)}: {counts}"


def lines(check: WholeCheck, name: str, limit: int, warnings: Iterable[str]) -> Iterator[str]:
    """Yield the lines of the text; ``limit`` is how many findings are shown."""
    yield headline(check)
    things, relations = counted(check.file.nodes, "thing"), counted(check.file.edges, "relation")
    yield f"  read {things} and {relations} from {one_line(name)}"
    if not check.tallies:
        yield "  nothing was checked, so nothing was shown: there are no rules"
    yield from _table(check)
    shown = check.answer.results[:limit]
    for result in shown:
        yield ""
        yield from failure(check.answer, result) if result.status is Status.FAIL else unknown(check.answer, result)
    yield from _not_shown(check, len(shown))
    yield from waivers(check.answer)
    yield from evidence(check.answer)
    yield from _left(check)
    yield from (f"\nwarning[PE3411]: {warning}" for warning in warnings)


def _table(check: WholeCheck) -> Iterator[str]:
    """Yield how each rule fares, the gravest that fail first; rules that apply to nothing are counted."""
    applied = [tally for tally in check.tallies if any(tally[status] for status in list(_COLUMNS.values())[:-1])]
    if applied:
        names = {tally.rule.name: f"{tally.rule.name} [{_standing(check, tally)}]" for tally in applied}
        width = max(map(len, names.values()))
        yield ""
        yield f"{'rule':<{width}}" + "".join(f"  {title:>{_width(title)}}" for title in _COLUMNS)
        for tally in sorted(applied, key=_order):
            numbers = (f"  {tally[status]:>{_width(title)},}" for title, status in _COLUMNS.items())
            yield f"{names[tally.rule.name]:<{width}}" + "".join(numbers)
    idle = len(check.tallies) - len(applied)
    if idle:
        yield f"{'and ' if applied else '  '}{counted(idle, 'rule')} that applied to nothing here"


def _standing(check: WholeCheck, tally: Tally) -> str:
    level = check.answer.enforcement.get(tally.rule.name, OVERRIDABLE)
    return tally.rule.severity if level == OVERRIDABLE else f"{tally.rule.severity}, {level}"


def _order(tally: Tally) -> tuple[bool, bool, int, str]:
    gravity = SEVERITIES.index(tally.rule.severity)
    return (not tally[Status.FAIL], not tally[Status.UNKNOWN], gravity, tally.rule.name)


def _not_shown(check: WholeCheck, shown: int) -> Iterator[str]:
    found = check.counts[Status.FAIL] + check.counts[Status.UNKNOWN]
    rest, unexplained = found - shown, found - len(check.answer.results)
    if rest:
        yield f"\n{counted(rest, 'more finding')} not shown: `--limit` shows more, `--output ndjson=FILE` writes all"
    if unexplained > 0:
        yield f"  of {unexplained:,} the status was decided, and not yet explained why: `--explain all` does"


def _left(check: WholeCheck) -> Iterator[str]:
    for one in dict.fromkeys(one for one in check.left if one.asked):
        yield f"\n{one.rule} was partly decided thing by thing, {one.asked:,} times: {one.reason}"


def _width(title: str) -> int:
    return max(len(title), 9)
