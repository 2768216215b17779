"""What will change with no one touching anything, with what that means for whom; as a document and as a picture.

Besides results, these end on their own: the trust file, after which nothing can be assessed until there is a newer one;
and keys, after which somebody can sign no more. What they signed before still counts, unless the key was revoked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from policy_dsl.values import format_instant
from policy_engine.app.evaluate import Evaluation
from policy_engine.app.hypothetical import waivers_of, world_of
from policy_engine.evaluation.causes import Cause, CauseKind
from policy_engine.evaluation.forecast import Forecast, Turn, forecast
from policy_engine.model.errors import fault
from policy_engine.model.results import Status, Verdict
from policy_evidence.canonical import JsonValue, canonical_bytes
from policy_evidence.trust.model import Role, Trust, TrustedKey

if TYPE_CHECKING:
    from policy_reports.pictures.timeline import Row, Timeline

FORMAT = "urn:ai-policy-engine:forecast:v1"
MOST_ROWS = 40
"""A picture with more rows than this is read by nobody; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something besides a result that ends on its own."""

    at: datetime
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Outlook:
    """The forecast of a run, and what else ends in its time."""

    run: Evaluation
    forecast: Forecast
    notices: tuple[Notice, ...]

    @property
    def gets_worse(self) -> bool:
        """Whether any result gets worse in the time."""
        return any(turn.is_worse for turn in self.forecast.turns)


def look_ahead(run: Evaluation, until: datetime) -> Outlook:
    """Return what changes after the instant of a run, up to and including ``until``.

    Raises:
        InputError: PE3611, the end is not after the beginning.
    """
    if until <= run.at:
        message = f"`{format_instant(until)}` is not after {format_instant(run.at)}, where the forecast begins"
        raise fault("PE3611", message, help="give a later `--until`, or an earlier `--at`")
    notices = sorted(_notices(run.trust, run.at, until), key=lambda n: (n.at, n.text)) if run.trust else []
    return Outlook(run, forecast(world_of(run), waivers_of(run), run.at, until), tuple(notices))


def _notices(trust: Trust, at: datetime, until: datetime) -> Iterator[Notice]:
    if at < trust.expires <= until:
        yield Notice(trust.expires, "trust", "the trust file expires: nothing can be assessed without a newer one")
    for key_id, key in trust.keys.items():
        for end, what in (
            (key.valid_until, "may sign no more"),
            (key.revoked_at, "is revoked: nothing it signed counts"),
        ):
            if end is not None and at < end <= until:
                lacking = [r for r in trust.roles.values() if key_id in r.keys and _too_few(trust, r, end)]
                said = f"key `{key.name}` of {key.owner} {what}"
                short = f"; too few keys are left to sign as {', '.join(sorted(r.name for r in lacking))}"
                yield Notice(end, "key", said + (short if lacking else ""))


def _too_few(trust: Trust, role: Role, at: datetime) -> bool:
    keys: list[TrustedKey] = [trust.keys[key_id] for key_id in role.keys if key_id in trust.keys]
    return sum(key.valid_at(at) for key in keys) < role.threshold


# --- as a document -------------------------------------------------------------------------------------------


def forecast_to_json(outlook: Outlook) -> bytes:
    """Return the forecast as canonical JSON; docs/foresight.md describes it."""
    found = outlook.forecast
    first = found.first_not_compliant
    document: JsonValue = {
        "format": FORMAT,
        "from": format_instant(found.at),
        "until": format_instant(found.until),
        "snapshot": outlook.run.snapshot.digest,
        "first_not_compliant": format_instant(first) if first else None,
        "standings": [
            {
                "since": format_instant(standing.since),
                "verdict": standing.verdict.value,
                "counts": {status.value: number for status, number in standing.counts},
            }
            for standing in found.standings()
        ],
        "changes": [_turn(outlook.run, turn) for turn in found.turns],
        "notices": [{"at": format_instant(n.at), "kind": n.kind, "text": n.text} for n in outlook.notices],
    }
    return canonical_bytes(document)


def _turn(run: Evaluation, turn: Turn) -> JsonValue:
    after = turn.after
    return {
        "at": format_instant(turn.at),
        "rule": after.rule,
        "subject": after.subject,
        "severity": run.program.rules[after.rule].severity,
        "from": turn.before.status.value,
        "to": after.status.value,
        "worse": turn.is_worse,
        "causes": [cause_to_json(cause) for cause in turn.causes],
        "message": after.message,
        "remedy": after.remedy,
        "signed_by": list(turn.roles),
    }


def cause_to_json(cause: Cause) -> JsonValue:
    """Return a cause as JSON."""
    return {"kind": cause.kind.value, "text": cause.text, "node": cause.node, "digest": cause.digest}


# --- as a picture --------------------------------------------------------------------------------------------


def timeline_of(outlook: Outlook) -> "Timeline":
    """Return the forecast as a picture asks for it: the verdict, and a row for each result that changes."""
    from policy_reports.pictures.timeline import Mark, Timeline

    found = outlook.forecast
    by_result: dict[tuple[str, str], list[Turn]] = {}
    for turn in found.turns:
        by_result.setdefault((turn.after.rule, turn.after.subject), []).append(turn)
    # What gets worse is looked for first.
    ordered = sorted(by_result.items(), key=lambda item: (not any(t.is_worse for t in item[1]), item[1][0].at, item[0]))
    rows = [_verdict_row(found)]
    rows += [_row(found, rule, subject, turns) for (rule, subject), turns in ordered[:MOST_ROWS]]
    begins = sorted({t.at for t in found.turns if any(c.kind is CauseKind.RULE_BEGINS for c in t.causes)})
    rules = {at: len({t.after.rule for t in found.turns if t.at == at and _begins(t)}) for at in begins}
    marks = [Mark(at, f"{n} rule{'' if n == 1 else 's'} in force") for at, n in rules.items()]
    marks += [Mark(notice.at, notice.text.partition(":")[0].partition(";")[0]) for notice in outlook.notices]
    shown, left = len(rows) - 1, len(found.results) - len(by_result)
    if len(by_result) > shown:
        return Timeline(
            "Forecast", found.at, found.until, tuple(rows), tuple(marks), len(by_result) - shown, "change too"
        )
    return Timeline("Forecast", found.at, found.until, tuple(rows), tuple(marks), left)


def _begins(turn: Turn) -> bool:
    return any(cause.kind is CauseKind.RULE_BEGINS for cause in turn.causes)


def _verdict_row(found: Forecast) -> "Row":
    shown = {Verdict.COMPLIANT: Status.PASS, Verdict.NOT_COMPLIANT: Status.FAIL, Verdict.UNDECIDED: Status.UNKNOWN}
    starts: list[tuple[datetime, Status, str]] = []
    for standing in found.standings():
        if not starts or starts[-1][1] is not shown[standing.verdict]:
            starts.append((standing.since, shown[standing.verdict], standing.verdict.value.replace("_", " ")))
    return _spans("Verdict", "all results together", starts, found.until, strong=True)


def _row(found: Forecast, rule: str, subject: str, turns: list[Turn]) -> "Row":
    starts: list[tuple[datetime, Status, str]] = [(found.at, turns[0].before.status, "")]
    starts += [(turn.at, turn.after.status, "; ".join(cause.text for cause in turn.causes)) for turn in turns]
    return _spans(rule.rpartition(".")[2], subject, starts, found.until)


def _spans(
    title: str, subject: str, starts: list[tuple[datetime, Status, str]], until: datetime, *, strong: bool = False
) -> "Row":
    from policy_reports.document import Status as Shown
    from policy_reports.pictures.timeline import Row, Span

    ends = [start for start, _, _ in starts[1:]] + [until]
    spans = [
        Span(start, end, Shown(status.value), why)
        for (start, status, why), end in zip(starts, ends, strict=True)
        if start < end
    ]
    return Row(title, subject, tuple(spans), strong)
