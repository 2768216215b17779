"""Waivers act at one point, after evaluation, and none goes unreported."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from policy_engine.evaluation.waivers import WaiverState, apply_waivers
from policy_engine.model.evidence import Waiver
from policy_engine.model.results import Result, Status

NOW = datetime(2026, 6, 15, tzinfo=UTC)
DAY = timedelta(days=1)
FAILED = Result("p.r", "x", Status.FAIL, message="wrong")


def waiver(begins: int, ends: int, *, name: str = "w", rule: str = "p.r", subject: str = "x") -> Waiver:
    """A waiver from and until so many days from now."""
    start = NOW + begins * DAY
    return Waiver(name, rule, subject, "a pilot", "Ada", "T-1", start, start, NOW + ends * DAY)


WAIVERS = st.lists(
    st.builds(
        lambda begins, length, name, rule: waiver(begins, begins + length, name=name, rule=rule),
        st.integers(-10, 10),
        st.integers(1, 10),
        st.uuids().map(str),
        st.sampled_from(["p.r", "p.r", "p.other"]),
    ),
    max_size=6,
)


def test_a_waived_failure_keeps_everything_else():
    (result,), (use,) = apply_waivers([FAILED], [waiver(-1, 1)], NOW)
    assert result == replace(FAILED, status=Status.WAIVED, reason="a pilot", waiver="w", valid_until=NOW + DAY)
    assert use.state is WaiverState.APPLIED


@given(waivers=WAIVERS)
def test_valid_until_is_the_first_instant_with_another_status(waivers):
    def status(at: datetime) -> Status:
        return apply_waivers([FAILED], waivers, at)[0][0].status

    (result,), _ = apply_waivers([FAILED], waivers, NOW)
    days = [NOW + d * DAY for d in range(1, 25)]
    assert result.valid_until == next((day for day in days if status(day) is not result.status), None)


@given(waivers=WAIVERS)
def test_every_waiver_is_reported_and_only_failures_change(waivers):
    results = [replace(FAILED, status=status, subject=status.value) for status in Status if status is not Status.WAIVED]
    turned = [replace(w, subject=s.value) for w in waivers for s in Status]
    after, uses = apply_waivers(results, turned, NOW)
    assert sorted(u.waiver.digest for u in uses) == sorted(w.digest for w in turned)
    for before, now in zip(results, after, strict=True):
        assert now.status is before.status or (before.status, now.status) == (Status.FAIL, Status.WAIVED)
    for use in uses:
        assert (use.detail == "") is (use.state is WaiverState.APPLIED)


def test_the_reasons_why_a_waiver_was_not_applied():
    results = [FAILED, replace(FAILED, subject="fine", status=Status.PASS)]
    waivers = [
        waiver(-2, 0, name="1"),
        waiver(1, 2, name="2"),
        waiver(-1, 5, name="3"),
        waiver(-1, 4, name="4"),
        waiver(-1, 1, name="5", subject="fine"),
        waiver(-1, 1, name="6", subject="nobody"),
    ]
    _, uses = apply_waivers(results, waivers, NOW)
    assert {u.waiver.digest: (u.state, u.detail) for u in uses} == {
        "1": (WaiverState.EXPIRED, "expired on 2026-06-15T00:00:00Z"),
        "2": (WaiverState.UNUSED, "does not begin before 2026-06-16T00:00:00Z"),
        "3": (WaiverState.APPLIED, ""),
        "4": (WaiverState.UNUSED, "another waiver of the same failure lasts longer"),
        "5": (WaiverState.UNUSED, "the result is pass"),
        "6": (WaiverState.UNUSED, "no rule of this run is of that name, or not about that subject"),
    }


def test_what_the_organisation_refuses_never_counts():
    (result,), (use,) = apply_waivers([FAILED], [waiver(-1, 1)], NOW, lambda w: f"{w.approver} may not")
    assert result == FAILED
    assert (use.state, use.detail) == (WaiverState.REJECTED, "Ada may not")


def test_of_one_file_with_other_signers_in_each_time_one_waiver_is_applied():
    # A key that is revoked while enough others go on: two waivers of one digest, one after the other.
    _, uses = apply_waivers([FAILED], [waiver(-1, 1), waiver(1, 9)], NOW)
    assert [use.state for use in uses] == [WaiverState.APPLIED, WaiverState.UNUSED]
    assert uses[1].detail.startswith("does not begin before")
