"""The one point at which waivers act: after evaluation, the same for every interface.

A waiver never changes a rule. A failure with a waiver that counts is ``waived``: still listed, still counted.
A waiver that does not count, or that no failure needs, is reported.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from enum import StrEnum

from policy_dsl.records import dataclass, replace
from policy_dsl.values import format_instant
from policy_engine.evaluation.instants import earlier
from policy_engine.model.evidence import Waiver
from policy_engine.model.results import Result, Status


class WaiverState(StrEnum):
    """What became of a waiver."""

    APPLIED = "applied"
    UNUSED = "unused"
    EXPIRED = "expired"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class WaiverUse:
    """A waiver and what became of it, with the reason when it was not applied."""

    waiver: Waiver
    state: WaiverState
    detail: str = ""


def apply_waivers(
    results: Iterable[Result],
    waivers: Sequence[Waiver],
    at: datetime,
    refusal: Callable[[Waiver], str | None] = lambda _: None,
) -> tuple[list[Result], list[WaiverUse]]:
    """Return the results with waivers applied, and the fate of every waiver.

    ``refusal`` says why the organisation does not accept a waiver, or nothing when it does.
    """
    refused = [WaiverUse(w, WaiverState.REJECTED, why) for w in waivers if (why := refusal(w)) is not None]
    accepted = [w for w in waivers if refusal(w) is None]
    by_target: dict[tuple[str, str], list[Waiver]] = {}
    for waiver in accepted:
        by_target.setdefault((waiver.rule, waiver.subject), []).append(waiver)
    seen: dict[tuple[str, str], Status] = {}
    applied: set[str] = set()
    after: list[Result] = []
    for result in results:
        key = (result.rule, result.subject)
        seen[key] = result.status
        waived = _waived(result, by_target.get(key, []), at)
        if waived.waiver is not None:
            applied.add(waived.waiver)
        after.append(waived)
    uses = refused + [_fate(w, applied, seen.get((w.rule, w.subject)), at) for w in accepted]
    return after, sorted(uses, key=lambda u: (u.waiver.rule, u.waiver.subject, u.waiver.digest))


def _waived(result: Result, waivers: list[Waiver], at: datetime) -> Result:
    if result.status is not Status.FAIL or not waivers:
        return result
    current = [w for w in waivers if w.counts_from <= at < w.counts_until]
    if not current:
        # A waiver that begins later will change the result then.
        begins = min((w.counts_from for w in waivers if w.counts_from > at), default=None)
        return replace(result, valid_until=earlier(result.valid_until, begins))
    chosen = max(current, key=lambda w: (w.counts_until, w.digest))
    covered = _covered_until(chosen.counts_until, waivers)
    return replace(
        result,
        status=Status.WAIVED,
        reason=chosen.reason,
        waiver=chosen.digest,
        valid_until=earlier(result.valid_until, covered),
    )


def _covered_until(end: datetime, waivers: list[Waiver]) -> datetime:
    """Return when waivers that follow each other without a gap end."""
    for waiver in sorted(waivers, key=lambda w: w.counts_from):
        if waiver.counts_from <= end < waiver.counts_until:
            end = waiver.counts_until
    return end


def _fate(waiver: Waiver, applied: set[str], status: Status | None, at: datetime) -> WaiverUse:
    if waiver.counts_until <= at:
        return WaiverUse(waiver, WaiverState.EXPIRED, f"expired on {format_instant(waiver.counts_until)}")
    if waiver.counts_from > at:
        return WaiverUse(waiver, WaiverState.UNUSED, f"does not begin before {format_instant(waiver.counts_from)}")
    # After the times: of one file that is several waivers, with other signers in each time, one counts now.
    if waiver.digest in applied:
        return WaiverUse(waiver, WaiverState.APPLIED)
    if status is None:
        return WaiverUse(waiver, WaiverState.UNUSED, "no rule of this run is of that name, or not about that subject")
    if status is Status.FAIL:
        return WaiverUse(waiver, WaiverState.UNUSED, "another waiver of the same failure lasts longer")
    return WaiverUse(waiver, WaiverState.UNUSED, f"the result is {status.value.replace('_', ' ')}")
