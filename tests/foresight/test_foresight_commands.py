"""Forecast, diff, what-if and explain --fix as their users meet them, with good and with bad input."""

import json
import shutil

import pytest

AT = ("--at", "2026-11-21")


@pytest.fixture
def bundle(run, bank, passphrase, tmp_path):
    """The bundle of an assessment of the bank."""
    ran = run("assess", bank, *AT, "--out", tmp_path / "out")
    assert (tmp_path / "out" / "bundle.zip").is_file(), ran.err
    return tmp_path / "out" / "bundle.zip"


@pytest.fixture
def estate(tmp_path):
    """An estate of one vendor's model, as an inventory of its own."""
    place = tmp_path / "estate.yaml"
    place.write_text(
        "inventory: 1\n"
        "nodes:\n"
        "  - {id: chat, kind: System, stage: production, uses_model: words}\n"
        "  - {id: words, kind: Model, supplied_by: lab}\n"
        "  - {id: lab, kind: Vendor, bound_by: terms}\n"
        "  - {id: terms, kind: Contract, starts: 2026-01-01, ends: 2027-01-01}\n"
        "  - {id: 'pkg:x/y@1.0?a=b', kind: Model}\n"
    )
    pack = tmp_path / "own.policy"
    pack.write_text(
        "policy own\nuse std.ai\n"
        "rule bound\n    for each System where system.stage is production\n"
        "    must every Vendor upstream of system\n"
        "        satisfies some Contract in vendor.bound_by where contract.ends > today\n"
    )
    return place, ("--pack", pack)


# --- forecast ----------------------------------------------------------------------------------------------


def test_a_forecast_says_when_why_and_who(run, bank):
    ran = run("forecast", bank, *AT, "--until", "2027-12-31")
    assert ran.code == 0
    assert "assistant-app: waived → fail\n    because the waiver approved by Sofie Claes (RISK-2231) ends" in ran.out
    assert "who:    risk_owner must sign" in ran.out
    assert "because the rule enters into force" in ran.out


def test_a_forecast_counts_keys_and_the_trust_file(run, bank):
    document = json.loads(run("forecast", bank, *AT, "--until", "2031-01-01", "--format", "json").out)
    kinds = {notice["kind"] for notice in document["notices"]}
    assert kinds == {"key", "trust"}
    assert document["format"] == "urn:ai-policy-engine:forecast:v1"
    assert document["standings"][0]["counts"]["fail"] == 6
    assert document["first_not_compliant"] == "2026-11-21T00:00:00Z"


def test_a_forecast_is_the_same_bytes_each_time(run, bank):
    arguments = ("forecast", bank, *AT, "--until", "2028-12-31", "--format", "json")
    assert run(*arguments).out == run(*arguments).out


def test_a_forecast_of_a_contract(run, estate):
    place, pack = estate
    ran = run("forecast", place, *pack, *AT, "--fail-on-worse")
    assert ran.code == 1
    assert "2027-01-01\n  own.bound on chat: pass → fail\n    because `ends` of terms is 2027-01-01" in ran.out
    assert "first not compliant on 2027-01-01" in ran.out
    assert run("forecast", place, *pack, *AT, "--until", "2026-12-31", "--fail-on-worse").code == 0


def test_of_nothing_nothing_is_foretold(run, tmp_path):
    place = tmp_path / "empty.yaml"
    place.write_text("inventory: 1\nnodes: []\n")
    for command in (("forecast", place), ("diff", place, *AT, "--at", "2027-12-02")):
        ran = run(*command)
        assert (ran.code, "nothing was checked, so nothing was shown" in ran.out) == (0, True)
        assert "not compliant" not in ran.out


@pytest.mark.parametrize("form", ["svg", "png", "html"])
def test_a_forecast_is_drawn(run, bank, tmp_path, form):
    pytest.importorskip("policy_reports.pictures.render")
    place = tmp_path / f"forecast.{form}"
    assert run("forecast", bank, *AT, "--picture", place).code == 0
    assert place.stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--until", "2020-01-01"), "PE3611"),
        (("--until", "soon"), "PE0005"),
        (("--picture", "x.gif"), "PE3614"),
    ],
)
def test_a_forecast_of_nonsense_is_refused(run, bank, arguments, code):
    ran = run("forecast", bank, *AT, *arguments)
    assert (ran.code, code in ran.err) == (2, True)


# --- diff --------------------------------------------------------------------------------------------------


def test_two_instants(run, bank):
    ran = run("diff", bank, *AT, "--at", "2027-12-02", "--fail-on-worse")
    assert ran.code == 1
    assert "because on 2027-12-02: the rule enters into force" in ran.out


def test_a_pack_is_tried(run, bank, tmp_path):
    text = (bank / "policies" / "bank.policy").read_text()
    new = tmp_path / "next.policy"
    new.write_text(text.replace("approval signed by risk_owner", "approval signed by at least 2 distinct risk_owner"))
    document = json.loads(run("diff", bank, *AT, "--with-pack", new, "--format", "json").out)
    assert [(d["subject"], d["from"], d["to"]) for d in document["changed"]] == [("scoring-branches", "pass", "fail")]
    assert document["changed"][0]["reasons"][0]["kind"] == "rule"
    assert (document["worse"], document["same"]) == (True, 459)


def test_a_parameter_a_definition_and_a_new_rule_are_named(run, estate, tmp_path):
    place, _ = estate
    old = tmp_path / "old.policy"
    base = 'policy p\nuse std.ai\nparameter age: Integer = 1 "A."\ndefine d(m: Model) as m.owner is known\n'
    old.write_text(f"{base}rule r\n    for each Model\n    must 1 >= age and not d(model)\n")
    new = tmp_path / "new.policy"
    changed = base.replace("= 1", "= 2").replace("is known", "is unknown")
    extra = "rule s\n    for each Vendor\n    must vendor.in_eu\n"
    new.write_text(f"{changed}rule r\n    for each Model\n    must 1 >= age and not d(model)\n{extra}")
    ran = run("diff", place, *AT, "--pack", old, "--with-pack", new)
    assert "because the definition `p.d` is another: " in ran.out
    assert "because parameter `p.age` is 2, was 1" in ran.out
    assert "new (1)\n  unknown p.s on lab\n    because the rule is new" in ran.out


def test_facts_edges_and_things(run, estate, tmp_path):
    place, pack = estate
    other = tmp_path / "other.yaml"
    text = place.read_text().replace("ends: 2027-01-01", "ends: 2026-02-01")
    other.write_text(text + "  - {id: bot, kind: System, stage: production}\n")
    ran = run("diff", place, other, *pack, *AT)
    assert "because `ends` of terms is 2026-02-01, was 2027-01-01" in ran.out
    assert "pass own.bound on bot\n    because bot is new" in ran.out
    back = run("diff", other, place, *pack, *AT)
    assert "no longer there (1)" in back.out
    other.write_text(place.read_text().replace(", supplied_by: lab", ""))
    place.write_text(place.read_text().replace("ends: 2027-01-01", "ends: 2026-02-01"))
    assert "because `words supplied_by lab` is no longer there" in run("diff", place, other, *pack, *AT).out


def test_a_bundle_is_compared_at_its_own_instant(run, bank, bundle, tmp_path):
    now = tmp_path / "bank"
    shutil.copytree(bank, now)
    (now / "generated" / "evidence" / "approval-scoring-branches.json").unlink()
    ran = run("diff", bundle, now, *AT)
    assert "worse (1)" in ran.out
    assert "because evidence approval on scoring-branches, issued 2026-05-28, no longer counts" in ran.out
    assert "at 2026-11-21:" in run("diff", bundle, bank).out.splitlines()[0]


def test_a_bundle_that_was_changed_is_refused(run, bank, bundle, tmp_path):
    from policy_evidence.bundle.archive import read_bundle, write_bundle

    members = dict(read_bundle(bundle.read_bytes()))
    members["decision.dsse.json"] = members["decision.dsse.json"].replace(b'"sig":"', b'"sig":"AAAA', 1)
    place = tmp_path / "changed.zip"
    place.write_bytes(write_bundle(members))
    assert "PE3613" in run("diff", place, bank).err
    members.pop("decision.dsse.json")
    place.write_bytes(write_bundle(members))
    assert "PE3613" in run("diff", place, bank).err


def test_a_stored_snapshot_is_compared(run, estate, tmp_path):
    pytest.importorskip("sqlalchemy")
    place, pack = estate
    store = tmp_path / "estate.db"
    kept = run("snapshot", "import", place, *pack, "--store", store, "--as-of", "2026-11-14")
    assert kept.code == 0, kept.err
    place.write_text(place.read_text().replace("ends: 2027-01-01", "ends: 2026-02-01"))
    for name in ("latest", "2026-11-20"):
        ran = run("diff", f"{store}@{name}", place, *pack, *AT)
        assert "because `ends` of terms is 2026-02-01, was 2027-01-01" in ran.out, ran.err
    assert run("diff", f"{store}@deadbeef", place, *pack).code == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), "PE3612"),
        (("--at", "2026-11-21"), "PE3612"),
        (("--at", "2026-11-21", "--at", "2026-11-22", "--at", "2026-11-23"), "PE0007"),
        (("nowhere",), "PE0001"),
        (("nowhere.zip",), "PE0001"),
        (("--with-pack", "profile.toml"), "PE3615"),
    ],
)
def test_a_comparison_of_nothing_is_refused(run, bank, monkeypatch, arguments, code):
    monkeypatch.chdir(bank)
    ran = run("diff", ".", *arguments)
    assert (ran.code, code in ran.err) == (2, True), ran.err


# --- what-if -----------------------------------------------------------------------------------------------


def test_a_vendor_leaves(run, estate):
    place, pack = estate
    ran = run("what-if", place, *pack, "--at", "2027-06-01", "--remove", "lab")
    assert "own.bound on chat: fail → pass" in ran.out
    assert "lab bound_by terms goes with lab" in ran.out
    assert "words supplied_by lab goes with lab" in ran.out
    assert "lab" in place.read_text()


def test_changes_are_combined(run, estate):
    place, pack = estate
    changes = ("--set", "chat.stage=retired", "--remove-edge", "words supplied_by lab", "--set", "terms.ends=null")
    ran = run("what-if", place, *pack, *AT, *changes)
    assert "set stage of chat to retired, from production" in ran.out
    assert "own.bound on chat: pass → not applicable" in ran.out
    ran = run("what-if", place, *pack, *AT, "--set", "terms.ends=null", "--fail-on-worse")
    assert ran.code == 1
    assert "because `ends` of terms is not stated, was 2027-01-01" in ran.out


def test_an_id_with_dots_and_equal_signs(run, estate):
    place, pack = estate
    ran = run("what-if", place, *pack, *AT, "--set", "pkg:x/y@1.0?a=b.stage=production")
    assert "set stage of pkg:x/y@1.0?a=b to production, from not stated" in ran.out


def test_evidence_is_withdrawn_and_a_parameter_changed(run, bank):
    file = "generated/evidence/approval-scoring-branches.json"
    ran = run("what-if", bank, *AT, "--withdraw-evidence", file)
    assert "scoring-branches: pass → fail" in ran.out
    from policy_evidence.canonical import digest

    short = digest((bank / file).read_bytes())[:20]
    assert "scoring-branches: pass → fail" in run("what-if", bank, *AT, "--withdraw-evidence", short).out
    age = "example_bank.model_risk.datasheet_age=10 years"
    assert "from 1 year" in run("what-if", bank, *AT, "--parameter", age).out


def test_a_new_version_loses_the_evidence_for_the_old(run, bank):
    ran = run("what-if", bank, *AT, "--set", "scoring-branches.version=9")
    assert "scoring-branches: pass → fail" in ran.out
    assert "no longer counts" in ran.out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), "PE3609"),
        (("--remove", "lab2"), "PE3601"),
        (("--set", "chat"), "PE3602"),
        (("--set", "chat.stage"), "PE3602"),
        (("--set", "chat.=x"), "PE3602"),
        (("--set", "chat2.stage=x"), "PE3601"),
        (("--set", "chat.stge=x"), "PE3604"),
        (("--set", "chat.stage=soon"), "PE3603"),
        (("--set", "terms.ends=2027-02-30"), "PE3603"),
        (("--add-edge", "chat words"), "PE3602"),
        (("--add-edge", "chat likes words"), "PE3605"),
        (("--add-edge", "lab uses_model words"), "PE3605"),
        (("--add-edge", "chat uses_model words"), "PE3606"),
        (("--remove-edge", "chat uses_model pkg:x/y@1.0?a=b"), "PE3606"),
        (("--withdraw-evidence", "sha256:00"), "PE3607"),
        (("--parameter", "x=1"), "PE3608"),
        (("--parameter", "x"), "PE3602"),
        (("--set", "chat.stage=retired", "--set", "chat.stage=production"), "PE3610"),
        (("--remove", "chat", "--set", "chat.stage=retired"), "PE3610"),
    ],
)
def test_a_change_that_cannot_be_made_is_refused(run, estate, arguments, code):
    place, pack = estate
    ran = run("what-if", place, *pack, *arguments)
    assert (ran.code, code in ran.err) == (2, True), ran.err + ran.out


def test_a_wrong_parameter_is_refused(run, bank):
    assert run("what-if", bank, *AT, "--parameter", "example_bank.model_risk.datasheet_age=soon").code == 2


# --- explain --fix -----------------------------------------------------------------------------------------


def test_a_remedy_names_evidence_and_who_signs(run, bank):
    ran = run("explain", "datasheets_current", "credit-scoring", "--in", bank, *AT, "--fix")
    assert "- obtain evidence `datasheet` on loan-applications, signed by data_steward" in ran.out
    assert ran.out.index("the cheapest remedy (cost 15)") < ran.out.index("instead of a remedy: a waiver")


def test_a_remedy_as_a_document(run, bank):
    arguments = ("explain", "models_owned", "embedder", "--in", bank, *AT, "--fix", "--format", "json")
    document = json.loads(run(*arguments).out)
    assert document["remedies"][0]["steps"][0]["kind"] == "state"
    assert document["remedies"][0]["to"] == "not_applicable"
    assert document["waiver"] == ""


def test_nothing_is_put_right_where_nothing_is_wrong(run, bank):
    ran = run("explain", "models_owned", "consumer-scorecard", "--in", bank, *AT, "--fix")
    assert "nothing needs to be put right" in ran.out


def test_a_mandatory_rule_has_no_waiver(run, bank, tmp_path):
    folder = tmp_path / "bank"
    shutil.copytree(bank, folder)
    with (folder / "profile.toml").open("a") as profile:
        profile.write('\n[enforcement]\n"example_bank.model_risk.suppliers_bound" = "mandatory"\n')
    ran = run("explain", "example_bank.model_risk.suppliers_bound", "credit-scoring", "--in", folder, *AT, "--fix")
    assert "no waiver is accepted" in ran.out


def test_explain_says_what_is_wrong_with_the_subject(run, bank):
    nobody = run("explain", "example_bank.model_risk.suppliers_bound", "nobody", "--in", bank, *AT)
    assert "there is no `nobody` in the inventory" in nobody.err
    other = run("explain", "example_bank.model_risk.suppliers_bound", "lumen-terms", "--in", bank, *AT)
    assert "is not about `lumen-terms`, which is a Contract" in other.err
    assert "it is about every System" in other.err
    assert run("explain", "example_bank.model_risk.suppliers_bound", "--in", bank, "--fix").code == 2
