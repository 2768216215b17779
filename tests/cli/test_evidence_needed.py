"""What is to be collected: the checklist of a subject agrees with what the rules find, and says who and until when."""

import csv
import io
import json
import shutil
from datetime import datetime
from pathlib import Path

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
    """Return the entries by thing and what is needed; of one that is missing and held, the one that is missing."""
    return {(need["subject"], need["what"]): need for need in reversed(document["needs"])}


def test_missing_evidence_names_who_signs_and_the_day(checklist) -> None:
    found = needs(checklist("credit-scoring"))
    datasheet = found["bureau-extract", "datasheet"]
    assert datasheet["state"] == "missing"
    assert datasheet["due"] == "2026-11-21T00:00:00Z"
    assert datasheet["roles"] == ["data_steward"]
    assert datasheet["people"] == ["Maria Rossi"]
    assert {"framework": "Model risk policy", "citation": "Model risk policy 4.2"} in datasheet["citations"]


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


def test_a_waived_failure_is_due_when_the_waiver_is_over(checklist) -> None:
    found = needs(checklist("customer-assistant"))["assistant-app", "approval"]
    assert (found["state"], found["due"]) == ("missing", "2027-01-31T00:00:00Z")
    assert found["roles"] == ["risk_owner"]


def test_what_must_be_changed_is_dated_too(checklist) -> None:
    entries = {entry["rule"]: entry["due"] for entry in checklist("credit-scoring")["to_change"]}
    assert entries["example_bank.model_risk.suppliers_bound"] == "2026-11-21T00:00:00Z"
    assert entries["eu_ai_act.risk_management.risks_reviewed"] == "2027-12-02T00:00:00Z"


def test_no_citation_is_cut_off(run, tmp_path) -> None:
    cites = ", ".join(f'"Section {number} of a long law"' for number in range(100))
    made = own_estate(tmp_path, RULE.replace('"Policy 1"', cites))
    assert "Section 99 of a long law" in run("evidence", "needed", "scorer", "--in", made, *AT).out


HEADER = """\
policy firm.rules
    title     "Rules"
    version   "1.0.0"
    framework "Firm policy"
    basis     firm_policy
    applies   from 2026-01-01

use std.ai
"""
RULE = """
rule documented
    "Every system has a plan"
    cites "Policy 1"
    severity high
    for each System
    must system has evidence oversight_plan signed by risk_owner
    otherwise "{system.name} has no plan"
    remedy "Plan"
"""


def own_estate(folder: Path, *rules: str, facts: str = "") -> Path:
    (folder / "firm.policy").write_text(HEADER + "".join(rules))
    (folder / "profile.toml").write_text(
        'profile = 1\norganisation = "F"\ntitle = "T"\npacks = ["firm.policy"]\nsources = ["inventory.yaml"]\n'
    )
    (folder / "inventory.yaml").write_text(
        "inventory: 1\norganisation: F\nasserted_at: 2026-11-01\nnodes:\n"
        f"  - {{id: scorer, kind: System, name: Scorer, aliases: [pkg:generic/scorer]{facts}}}\n"
    )
    return folder


def listed(run, folder: Path, subject: str = "scorer", *options: str) -> dict:
    found = run("evidence", "needed", subject, "--in", folder, *(options or AT), "--format", "json")
    assert found.code == 0, found.err
    return json.loads(found.out)


def test_evidence_that_decides_only_whether_a_rule_applies_is_not_to_be_collected(run, tmp_path) -> None:
    rule = RULE.replace("System\n", "System where not system has evidence retirement_record\n")
    rule = rule.replace("system has evidence oversight_plan signed by risk_owner", "system.stage is production")
    document = listed(run, own_estate(tmp_path, rule, facts=", stage: staging"))
    assert document["needs"] == []
    assert [entry["rule"] for entry in document["to_change"]] == ["firm.rules.documented"]


def test_what_needs_a_change_besides_a_document_is_listed_as_both(run, tmp_path) -> None:
    rule = RULE.replace("signed by risk_owner", "signed by risk_owner and system.stage is production")
    document = listed(run, own_estate(tmp_path, rule, facts=", stage: staging"))
    assert [need["what"] for need in document["needs"]] == ["oversight_plan"]
    assert [entry["rule"] for entry in document["to_change"]] == ["firm.rules.documented"]
    document = listed(run, own_estate(tmp_path, rule, facts=", stage: production"))
    assert ([need["what"] for need in document["needs"]], document["to_change"]) == (["oversight_plan"], [])


def test_of_two_roles_the_one_that_signed_is_not_asked_again(run, bank, tmp_path, passphrase) -> None:
    folder = tmp_path / "bank"
    shutil.copytree(bank, folder)
    second = RULE.replace("documented", "approved").replace("oversight_plan", "training_record")
    (folder / "policies" / "firm.policy").write_text(HEADER + second)
    profile = (folder / "profile.toml").read_text()
    (folder / "profile.toml").write_text(profile.replace('"policies/bank.policy"', '"policies/*.policy"'))
    document = listed(run, folder, "credit-scoring")
    found = {
        n["state"]: n for n in document["needs"] if (n["subject"], n["what"]) == ("credit-scoring", "training_record")
    }
    assert found["missing"]["roles"] == ["risk_owner"]
    assert found["missing"]["rules"] == ["firm.rules.approved"]
    assert found["held"]["roles"] == ["human_resources"]


def test_evidence_that_states_what_must_not_be_is_not_missing(run, bank, tmp_path, passphrase) -> None:
    folder = tmp_path / "bank"
    shutil.copytree(bank, folder)
    rule = RULE.replace("documented", "tested").replace(
        "system has evidence oversight_plan signed by risk_owner",
        "practice_found of latest evidence prohibited_practice_screening on system",
    )
    (folder / "policies" / "firm.policy").write_text(HEADER + rule)
    profile = (folder / "profile.toml").read_text()
    (folder / "profile.toml").write_text(profile.replace('"policies/bank.policy"', '"policies/*.policy"'))
    document = listed(run, folder, "credit-scoring")
    assert "firm.rules.tested" in {entry["rule"] for entry in document["to_change"]}
    assert not any("firm.rules.tested" in need["rules"] for need in document["needs"])


def test_what_replaces_evidence_in_time_prolongs_what_is_held(run, bank, tmp_path, passphrase) -> None:
    folder = tmp_path / "bank"
    shutil.copytree(bank, folder)
    signed = run(
        "evidence", "sign", "training_record", "eva-lindqvist", "--in", folder, "--issued", "2026-11-01",
        "--key", folder / "generated/keys/nora_weiss.pem", "--out", folder / "generated/evidence/again.json",
    )  # fmt: skip
    assert signed.code == 0, signed.err
    before = needs(listed(run, bank, "credit-scoring"))["eva-lindqvist", "training_record"]["due"]
    after = needs(listed(run, folder, "credit-scoring"))["eva-lindqvist", "training_record"]["due"]
    assert after > before


def test_fields_that_rules_look_at_are_named(checklist) -> None:
    found = needs(checklist("credit-scoring"))["affordability-model", "accuracy_evaluation"]
    assert found["fields"] == ["accuracy"]


def test_an_alias_is_a_name_too(run, tmp_path) -> None:
    folder = own_estate(tmp_path, RULE)
    assert listed(run, folder, "pkg:generic/scorer")["subject"] == "scorer"


def test_names_cannot_write_markdown_or_formulas(run, tmp_path) -> None:
    folder = own_estate(tmp_path, RULE)
    inventory = folder / "inventory.yaml"
    inventory.write_text(inventory.read_text().replace("name: Scorer", 'name: "=cmd()|`x`[a](b)<i>\\n# y"'))
    text = run("evidence", "needed", "scorer", "--in", folder, *AT).out
    assert "\\|\\`x\\`\\[a\\]" in text
    assert "\n# y" not in text
    cells = list(
        csv.reader(io.StringIO(run("evidence", "needed", "scorer", "--in", folder, *AT, "--format", "csv").out))
    )
    assert cells[1][2].startswith("'=cmd")


@pytest.mark.parametrize("until", ["2026-06-01", "2026-11-21"])
def test_a_rule_that_is_over_asks_for_nothing(run, tmp_path, until) -> None:
    rule = RULE.replace("severity high", f"severity high\n    applies from 2026-01-01 until {until}")
    assert listed(run, own_estate(tmp_path, rule))["needs"] == []


def test_a_circle_in_the_lineage_is_gone_round_once(run, tmp_path) -> None:
    folder = own_estate(tmp_path, RULE, facts=", uses_model: a")
    with (folder / "inventory.yaml").open("a") as out:
        out.write("  - {id: a, kind: Model, finetuned_from: b}\n  - {id: b, kind: Model, finetuned_from: a}\n")
    assert listed(run, folder)["things"] == ["scorer", "a", "b"]
