"""Watching the example bank: files, events and time, always the same as a check."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from policy_engine.app.evaluate import evaluate
from policy_engine.app.inputs import read_inputs
from policy_engine.app.watch import Watch
from policy_engine.app.watch_events import MAX_EVENT_BYTES
from policy_engine.model.errors import InputError

AT = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def watch(bank):
    return Watch(read_inputs(bank), AT)


@pytest.fixture(scope="module")
def undisturbed(made_bank):
    """A watch that nothing may change."""
    return Watch(read_inputs(made_bank), AT)


def _event(**members):
    return json.dumps(members).encode()


def _received(watch, **members):
    return [
        (d.rule.rpartition(".")[2], d.subject, d.before and d.before.status.value, d.after and d.after.status.value)
        for update in watch.receive(_event(**members), "events:1")
        for d in update.changes
    ]


def _as_checked(watch, bank):
    run, checked = watch.evaluation(), evaluate(read_inputs(bank), watch.at)
    assert run.results == checked.results
    assert run.waivers == checked.waivers
    assert run.verdict is checked.verdict
    assert run.problems == checked.problems


def test_it_begins_as_a_check_says(watch, bank):
    _as_checked(watch, bank)


def test_files_are_taken_as_they_are_now(watch, bank):
    inventory = bank / "inventory.yaml"
    text = inventory.read_text()
    assert text.count("ends: 2026-09-30") == 1
    inventory.write_text(text.replace("ends: 2026-09-30", "ends: 2027-09-30"))
    decided = watch.decisions
    update = watch.reload(read_inputs(bank))
    assert [(d.subject, d.after.status.value) for d in update.changes] == [("credit-scoring", "pass")]
    assert [reason.text for reason in update.changes[0].reasons] == [
        "`ends` of hosting-contract is 2027-09-30, was 2026-09-30"
    ]
    assert watch.decisions - decided == 2  # the AI Act's rule on suppliers reads it too, and is not yet in force
    _as_checked(watch, bank)
    inventory.write_text(text.replace("ends: 2026-09-30", "ends: soon"))
    with pytest.raises(InputError, match="PE3142"):
        watch.reload(read_inputs(bank))
    inventory.write_text(text)
    watch.reload(read_inputs(bank))
    _as_checked(watch, bank)


def test_evidence_that_is_taken_away_and_brought_back(watch, bank):
    file = next((bank / "generated/evidence").glob("training_record*eva*"))
    data = file.read_bytes()
    file.unlink()
    update = watch.reload(read_inputs(bank))
    assert [(d.subject, d.after.status.value) for d in update.changes] == [("eva-lindqvist", "fail")]
    assert "no longer counts" in update.changes[0].reasons[0].text
    _as_checked(watch, bank)
    decided = watch.decisions
    file.write_bytes(data)
    assert [d.after.status.value for d in watch.reload(read_inputs(bank)).changes] == ["pass"]
    assert watch.decisions - decided < 10
    _as_checked(watch, bank)


def test_a_half_written_file_changes_nothing(watch, bank):
    inventory = bank / "inventory.yaml"
    whole = inventory.read_bytes()
    before = watch.evaluation().results
    inventory.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError):
        watch.reload(read_inputs(bank))
    assert watch.evaluation().results == before
    inventory.write_bytes(whole)
    assert watch.reload(read_inputs(bank)).changes == ()
    _as_checked(watch, bank)


def test_policies_that_change_decide_all_anew(watch, bank):
    policy = bank / "policies/bank.policy"
    text = policy.read_text()
    policy.write_text(
        text.replace("approval signed by risk_owner", "approval signed by at least 2 distinct risk_owner")
    )
    update = watch.reload(read_inputs(bank))
    assert [reason.kind.value for d in update.changes for reason in d.reasons] == ["rule"]
    _as_checked(watch, bank)
    policy.write_text(text.replace("policy ", "polcy ", 1))
    with pytest.raises(InputError):
        watch.reload(read_inputs(bank))
    policy.write_text(text)
    watch.reload(read_inputs(bank))
    _as_checked(watch, bank)


def test_parameters_and_a_missing_trust_file(watch, bank):
    profile = bank / "profile.toml"
    text = profile.read_text()
    profile.write_text(text.replace('"365 days"', '"10 days"'))
    watch.reload(read_inputs(bank))
    _as_checked(watch, bank)
    profile.write_text(text.replace('trust = "generated/trust.yaml"', ""))
    update = watch.reload(read_inputs(bank))
    assert any("PE3203" in note for note in update.notes)
    _as_checked(watch, bank)


def test_time_says_when_and_why(watch, bank):
    updates = list(watch.advance(datetime(2027, 3, 1, tzinfo=UTC)))
    told = [(u.standing.at.date().isoformat(), d.subject) for u in updates for d in u.changes]
    assert told == [
        ("2026-12-02", "customer-assistant"),
        ("2027-01-31", "assistant-app"),
        ("2027-02-10", "eva-lindqvist"),
    ]
    assert all(reason.kind.value == "time" for u in updates for d in u.changes for reason in d.reasons)
    _as_checked(watch, bank)


def test_the_end_of_the_trust_file_is_said_once(watch, bank):
    trust = bank / "generated/trust.yaml"
    lines = [line for line in trust.read_text().splitlines() if line.startswith("expires")]
    assert lines, "the trust file of the example has an end"
    year = int(lines[0].split(":")[1].strip()[:4]) + 1
    notes = [n for u in watch.advance(datetime(year, 12, 31, tzinfo=UTC)) for n in u.notes]
    assert watch.trust_is_over
    assert len(notes) == 1 and "error[PE43" in notes[0]


def test_events_change_what_follows(watch):
    stated = _received(watch, change="attribute_set", id="embedder", attribute="stage", value="production")
    assert stated == [("models_owned", "embedder", "unknown", "fail")]
    back = _received(watch, change="attribute_set", id="embedder", attribute="stage", value=None)
    assert back == [("models_owned", "embedder", "fail", "unknown")]
    assert _received(watch, change="attribute_contradicted", id="embedder", attribute="name") == []
    contradicted = _received(watch, change="attribute_contradicted", id="embedder", attribute="stage")
    assert contradicted == []
    assert watch.evaluation().snapshot.is_contradicted("embedder", "stage")


def test_evidence_of_another_version_does_not_count(watch, bank):
    files = read_inputs(bank).evidence
    about = next(record for record in watch.evaluation().evidence.verified if record.type == "datasheet" and files)
    kept = {r.subject for r in watch.evaluation().evidence.usable.records()}
    assert about.subject in kept
    updates = list(
        watch.receive(_event(change="attribute_set", id=about.subject, attribute="version", value="other"), "events:1")
    )
    run = watch.evaluation()
    assert about.subject not in {r.subject for r in run.evidence.usable.records() if r.type == "datasheet"}
    assert any("does not count[PE4406]" in note for update in updates for note in update.notes)


def test_signed_evidence_comes_and_goes_by_events(watch, bank):
    name = next(n for n in read_inputs(bank).evidence if "training_record" in n and "eva" in n)
    envelope = json.loads((bank / name).read_bytes())
    before = watch.evaluation().results
    assert [c[2:] for c in _received(watch, change="evidence_withdrawn", name=name)] == [("pass", "fail")]
    assert [c[2:] for c in _received(watch, change="evidence_added", name=name, envelope=envelope)] == [
        ("fail", "pass")
    ]
    assert watch.evaluation().results == before


def test_forged_evidence_never_counts(watch, bank):
    name = next(n for n in read_inputs(bank).evidence if "training_record" in n and "eva" in n)
    envelope = json.loads((bank / name).read_bytes())
    _received(watch, change="evidence_withdrawn", name=name)
    envelope["signatures"][0]["sig"] = "AAAA" + envelope["signatures"][0]["sig"][4:]
    updates = list(watch.receive(_event(change="evidence_added", name="forged", envelope=envelope), "events:2"))
    assert updates[0].changes == ()
    assert "does not count" in updates[0].notes[0]
    for strange in ({}, {"payload": 1}, {"payload": None, "signatures": "x"}, {"a": 1.5}):
        assert _received(watch, change="evidence_added", name=f"{strange}", envelope=strange) == []


def test_a_batch_is_made_whole_or_not_at_all(watch):
    removed = {"change": "node_removed", "id": "cumulus-hosting"}
    wrong = {"change": "edge_added", "type": "supplied_by", "from": "scoring-platform", "to": "nobody"}
    before = watch.evaluation().results
    with pytest.raises(InputError, match=r"^events:1: error\[PE3801\]"):
        _received(watch, change="batch", changes=[removed, wrong])
    with pytest.raises(InputError, match="PE3823"):
        _received(watch, change="batch", changes=[removed, {"change": "evidence_withdrawn", "name": "nothing"}])
    assert watch.evaluation().results == before
    assert _received(watch, change="batch", changes=[removed]) == [
        ("model_supplier_represented", "cumulus-hosting", "not_applicable", None),
        ("suppliers_bound", "credit-scoring", "fail", "pass"),
    ]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"not json", "PE3820"),
        (b"\xff\xfe", "PE3820"),
        (b'{"change": "node_removed", "id": "a", "id": "b"}', "PE3820"),
        (b'{"change": NaN}', "PE3820"),
        (b"[" * 100_000, "PE3820"),
        (b'{"change": "attribute_set", "id": "embedder", "attribute": "stage", "value": 1e400}', "PE3820"),
        (b"[]", "PE3821"),
        (b"null", "PE3821"),
        (b"{}", "PE3821"),
        (b'{"change": "everything"}', "PE3821"),
        (b'{"change": ["node_removed"]}', "PE3821"),
        (b'{"change": "node_removed"}', "PE3821"),
        (b'{"change": "node_removed", "id": 7}', "PE3821"),
        (b'{"change": "node_removed", "id": "a", "also": 1}', "PE3821"),
        (b'{"change": "node_added", "id": "", "kind": "Model"}', "PE3821"),
        (b'{"change": "batch", "changes": []}', "PE3821"),
        (b'{"change": "batch", "changes": [{"change": "batch", "changes": []}]}', "PE3821"),
        (b'{"change": "batch", "changes": [{"change": "node_removed"}]}', "PE3821"),
        (b'{"change": "instant_reached", "at": "tomorrow"}', "PE3821"),
        (b'{"change": "instant_reached", "at": "2020-01-01T00:00:00Z"}', "PE3808"),
        (b'{"change": "attribute_set", "id": "embedder", "attribute": "stage", "value": {"a": 1}}', "PE3806"),
        (b'{"change": "node_added", "id": "x", "kind": "Model", "attributes": {"stag": 1}}', "PE3805"),
        (b" " * (MAX_EVENT_BYTES + 1), "PE3822"),
    ],
)
def test_a_bad_event_is_refused_in_one_located_line(undisturbed, line, code):
    before = undisturbed.evaluation().results
    with pytest.raises(InputError, match=code) as refused:
        list(undisturbed.receive(line, "events:9"))
    (report,) = refused.value.reports
    assert report.startswith("events:9")
    assert len(report.splitlines()) <= 2
    assert undisturbed.evaluation().results == before
    assert "x" not in undisturbed.evaluation().snapshot.nodes


def test_the_clock_and_events_do_not_both_move_time(watch):
    event = _event(change="instant_reached", at="2027-01-01T00:00:00Z")
    with pytest.raises(InputError, match="PE3824"):
        list(watch.receive(event, "events:1", moves_time=False))
