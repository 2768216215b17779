"""What is to be collected: the checklist of a subject agrees with what the rules find, and says who and until when."""

import csv
import io
import json
from datetime import datetime

import pytest

AT = ("--at", "2026-11-21")


@pytest.fixture
def checklist(run, bank):
    def made(subject: str, *options: str) -> dict:
        found = run("evidence", "needed", subject, "--in", bank, *(options or AT), "--format", "json")
        assert found.code == 0, found.err
        return json.loads(found.out)

    return made


def needs(document: dict) -> dict[tuple[str, str], dict]:
    return {(need["subject"], need["what"]): need for need in document["needs"]}


def test_missing_evidence_names_who_signs_and_the_day(checklist) -> None:
    found = needs(checklist("credit-scoring"))
    datasheet = found["bureau-extract", "datasheet"]
    assert datasheet["state"] == "missing"
    assert datasheet["due"] == "2026-11-21T00:00:00Z"
    assert datasheet["roles"] == ["data_steward"]
    assert datasheet["people"] == ["Maria Rossi"]
    assert "Model risk policy 4.2" in datasheet["citations"]


def test_a_rule_of_the_future_wants_it_on_its_first_day(checklist) -> None:
    found = needs(checklist("credit-scoring"))["credit-scoring", "security_test"]
    assert (found["state"], found["due"]) == ("missing", "2027-12-02T00:00:00Z")


def test_what_is_held_says_until_when(checklist) -> None:
    found = needs(checklist("credit-scoring"))["eva-lindqvist", "training_record"]
    assert (found["state"], found["due"]) == ("held", "2027-02-10T00:00:00Z")
    later = needs(checklist("credit-scoring", "--at", "2027-02-10"))["eva-lindqvist", "training_record"]
    assert later["state"] == "missing"


def test_facts_that_nobody_stated_are_asked_for(checklist) -> None:
    found = needs(checklist("credit-scoring"))["account-movements", "special_category"]
    assert (found["kind"], found["state"]) == ("fact", "missing")


def test_alone_leaves_out_what_belongs_to_it(checklist) -> None:
    document = checklist("credit-scoring", *AT, "--alone")
    assert document["things"] == ["credit-scoring"]
    assert len(checklist("credit-scoring")["things"]) > 10


def test_collecting_everything_leaves_nothing_to_collect(run, bank, checklist) -> None:
    """What is asked for is what the rules lack: every open result is either on the list or needs a change."""
    document = checklist("credit-scoring")
    things = set(document["things"])
    listed = {rule for need in document["needs"] if need["state"] == "missing" for rule in need["rules"]}
    listed |= {entry["rule"] for entry in document["to_change"]}
    run("check", bank, *AT, "--output", f"json={bank / 'all.json'}")
    results = json.loads((bank / "all.json").read_text("utf-8"))["results"]
    (bank / "all.json").unlink()
    still_open = {r["rule"] for r in results if r["subject"]["id"] in things and r["status"] in {"fail", "unknown"}}
    assert still_open
    assert still_open <= listed


def test_csv_and_markdown_say_the_same(run, bank, checklist) -> None:
    document = checklist("customer-assistant")
    rows = list(
        csv.reader(
            io.StringIO(run("evidence", "needed", "customer-assistant", "--in", bank, *AT, "--format", "csv").out)
        )
    )
    assert len(rows) == 1 + len(document["needs"]) + len(document["to_change"])
    text = run("evidence", "needed", "customer-assistant", "--in", bank, *AT).out
    assert text.count("- [ ] ") + text.count("- [x] ") == len(document["needs"])
    for need in document["needs"]:
        if need["due"] is not None:
            datetime.fromisoformat(need["due"])


def test_a_thing_that_is_not_there_is_an_error(run, bank) -> None:
    found = run("evidence", "needed", "credit-scorin", "--in", bank, *AT)
    assert found.code == 2
    assert "did you mean `credit-scoring`?" in found.err


def test_an_alias_is_a_name_too(run, bank, checklist) -> None:
    assert checklist("credit-scoring")["subject"] == "credit-scoring"
