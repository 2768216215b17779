"""Packs as an officer and a publisher use them: listed, shown, compared, signed and verified."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

KEY = "a passphrase for this test"
PACK = """\
policy firm.models
    title     "Models"
    version   "1.0.0"
    framework "Firm policy"
    basis     firm_policy
    applies   from 2026-01-01

use std.ai

parameter oldest: Duration = 12 months
    "How old a datasheet may be."

define in_use(model: Model)
    "In production."
    as model.stage is production

# Who looks after a model can be asked about it.
rule owned
    "Every model in production has an owner"
    cites "Policy 1"
    severity high
    for each Model where in_use(model)
    must model.owner is known
    otherwise "{model.name} has no owner"
    remedy "Name an owner of {model.name}"

rule documented
    "The data of every model in production are documented"
    cites "Policy 2"
    severity medium
    for each Model where in_use(model)
    must every Dataset in model.trained_on has evidence datasheet signed by data_steward not older than oldest
    otherwise "{dataset.name} is not documented"
    remedy "Document {dataset.name}"
"""


@pytest.fixture
def pack(tmp_path) -> Path:
    file = tmp_path / "models.policy"
    file.write_text(PACK)
    return file


@pytest.fixture
def publisher(run, tmp_path, monkeypatch) -> Path:
    """A folder with a key, and a trust file in which it may sign packs."""
    monkeypatch.setenv("POLICY_ENGINE_PASSPHRASE", KEY)
    shown = run("keys", "generate", tmp_path / "key.pem").out
    public = "".join(line for line in shown.splitlines() if line and "key" not in line and "-----" not in line)
    (tmp_path / "trust.yaml").write_text(
        "format: 1\nversion: 1\nexpires: 2030-01-01T00:00:00Z\nkeys:\n  house:\n"
        f"    public_key: {public}\n    owner: Publishing house\n    valid_from: 2025-01-01T00:00:00Z\n"
        "roles:\n  publisher: { keys: [house], may_sign: [packs] }\n"
        "  steward: { keys: [house], may_sign: [datasheet] }\n"
    )
    return tmp_path


def test_the_library_is_listed_with_versions_and_first_days(run) -> None:
    listed = run("packs", "list", "eu_ai_act.ai_literacy").out
    assert "eu_ai_act.ai_literacy" in listed
    assert "from 2025-02-02" in listed
    document = json.loads(run("packs", "list", "--format", "json").out)
    names = {entry["name"].partition(".")[0] for entry in document["packs"]}
    assert {"eu_ai_act", "gdpr", "iso_42001", "ai_operations", "std"} <= names
    assert document["format"] == "urn:ai-policy-engine:pack-list:v1"
    assert all(entry["version"] and entry["sha256"].startswith("sha256:") for entry in document["packs"])


def test_a_pack_of_ones_own_is_shown_with_why_and_evidence(run, pack) -> None:
    shown = run("packs", "show", pack).out
    assert "firm.models 1.0.0: Models" in shown
    assert "std.core" not in shown
    assert "parameter firm.models.oldest = 1 year" in shown
    assert "why: Who looks after a model can be asked about it." in shown
    assert (
        "evidence: datasheet on Dataset, signed as data_steward, not older than 1 year (`firm.models.oldest`)" in shown
    )


@pytest.mark.parametrize("header", ["policy firm . models", "# Ours\n\npolicy  firm.models"])
def test_a_name_may_be_written_in_any_way_that_the_language_allows(run, publisher, pack, header) -> None:
    pack.write_text(PACK.replace("policy firm.models", header))
    signature, trust = publisher / "packs.json", publisher / "trust.yaml"
    assert "firm.models  1.0.0" in run("packs", "list", pack).out
    assert run("packs", "sign", pack, "--key", publisher / "key.pem", "--out", signature).code == 0
    assert run("packs", "verify", pack, "--signature", signature, "--trust", trust).code == 0


@pytest.mark.parametrize("place", ["no_such_pack", "nothing.policy", "."])
def test_a_place_without_a_pack_is_an_error(run, tmp_path, monkeypatch, place) -> None:
    monkeypatch.chdir(tmp_path)
    found = run("packs", "list", place)
    assert found.code == 2
    assert "error[PE" in found.err


def test_a_difference_is_told_part_by_part(run, pack, tmp_path) -> None:
    other = tmp_path / "new.policy"
    text = PACK.replace("severity high", "severity low").replace("12 months", "24 months")
    text = text.replace("as model.stage is production", "as model.stage in {staging, production}")
    text = text.replace("rule documented", "rule recorded").replace('"Policy 1"', '"Policy 1", "Policy 9"')
    text = text.replace("2026-01-01", "2026-07-01")
    other.write_text(text)
    found = run("packs", "diff", pack, other)
    assert found.code == 1
    assert "warning[PE3905]: `firm.models` is another, and its version is the same" in found.err
    document = json.loads(run("packs", "diff", pack, other, "--format", "json").out)
    changes = {
        (c["name"].removeprefix("firm.models."), c["part"]): (c["before"], c["after"]) for c in document["changes"]
    }
    assert changes["owned", "severity"] == ("high", "low")
    assert changes["owned", "cites"] == ("Policy 1", "Policy 1, Policy 9")
    assert changes["owned", "in force from"] == ("2026-01-01", "2026-07-01")
    assert changes["oldest", "parameter"] == ("1 year", "2 years")
    assert "staging" in changes["in_use", "definition"][1]
    assert changes["documented", "rule"][1] is None
    assert changes["recorded", "rule"][0] is None
    assert len(changes) == 7


def test_what_english_says_alike_is_told_as_it_is_written(run, pack, tmp_path) -> None:
    one = PACK.replace("model.owner is known", "model.energy_kwh - (1 - 1) > 0")
    (tmp_path / "one.policy").write_text(one)
    (tmp_path / "two.policy").write_text(one.replace("- (1 - 1)", "- 1 - 1"))
    found = run("packs", "diff", tmp_path / "one.policy", tmp_path / "two.policy", "--format", "json")
    assert found.code == 1, found.err
    (change,) = json.loads(found.out)["changes"]
    assert (change["name"], change["part"]) == ("firm.models.owned", "as written")
    assert "- ( 1 - 1 )" in change["before"]


def test_words_of_the_vocabulary_are_compared(run, tmp_path) -> None:
    words = (
        'evidence plan on Model "A plan" {\n    signed_off: Boolean "By whom"\n}\n'
        'extend node System {\n    tier: Number "T"\n}\n'
        'role planner "Plans"\n'
    )
    before, after = tmp_path / "one.policy", tmp_path / "two.policy"
    before.write_text(PACK + words)
    after.write_text(PACK + words.replace('"Plans"', '"Plans well"').replace("on Model", "on Model, System"))
    document = json.loads(run("packs", "diff", before, after, "--format", "json").out)
    changed = {(c["name"].removeprefix("firm.models."), c["part"]) for c in document["changes"]}
    assert changed == {("plan", "evidence"), ("planner", "role")}
    after.write_text(PACK)
    gone = json.loads(run("packs", "diff", before, after, "--format", "json").out)["changes"]
    assert {c["name"].removeprefix("firm.models.") for c in gone} == {
        "plan",
        "plan.signed_off",
        "System.tier",
        "planner",
    }


def test_a_literate_pack_says_the_same(run, pack, tmp_path) -> None:
    literate = tmp_path / "models.policy.md"
    literate.write_text(f"# Why\n\n```policy\n{PACK}```\n")
    assert run("packs", "diff", pack, literate).code == 0
    assert run("packs", "show", literate).out == run("packs", "show", pack).out


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv takes root's right to read everything away")
def test_a_folder_that_cannot_be_listed_is_not_an_empty_one(tmp_path, pack) -> None:
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden").chmod(0)
    rights = "-dac_override,-dac_read_search"
    program = ["setpriv", f"--bounding-set={rights}", f"--inh-caps={rights}"] if os.geteuid() == 0 else []
    command = [*program, sys.executable, "-m", "policy_engine.cli.entry", "packs", "list", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    (tmp_path / "hidden").chmod(0o700)
    assert (done.returncode, "PE0002" in done.stderr, "hidden" in done.stderr) == (2, True, True), done.stderr


def test_evidence_is_no_signature_of_packs(run, bank) -> None:
    trust = bank / "generated" / "trust.yaml"
    for file in sorted((bank / "generated" / "evidence").glob("*.json"))[::8]:
        found = run("packs", "verify", "gdpr", "--signature", file, "--trust", trust)
        assert (found.code, "error[PE3904]" in found.err) == (2, True)


def test_a_pack_with_the_name_of_one_of_the_library_stands_in_its_place(run, publisher) -> None:
    signature, trust = publisher / "packs.json", publisher / "trust.yaml"
    run("packs", "sign", "gdpr", "--key", publisher / "key.pem", "--out", signature)
    own = publisher / "own.policy"
    own.write_text(PACK.replace("policy firm.models", "policy gdpr.transfers"))
    found = run("packs", "verify", "gdpr", own, "--signature", signature, "--trust", trust)
    assert (found.code, "error[PE3901]: `gdpr.transfers`" in found.err) == (1, True)


def test_nothing_different_answers_with_zero(run, pack) -> None:
    found = run("packs", "diff", pack, pack)
    assert (found.code, found.err) == (0, "")
    assert run("packs", "diff", "gdpr", "gdpr").code == 0


def test_layout_alone_is_no_difference_but_another_file(run, pack, tmp_path) -> None:
    other = tmp_path / "laid_out.policy"
    other.write_text(PACK.replace("must model.owner is known", "must\n        model.owner is known"))
    found = run("packs", "diff", pack, other)
    assert found.code == 0
    assert "PE3905" in found.err


def test_what_was_signed_verifies_and_what_was_changed_does_not(run, pack, publisher) -> None:
    signature, trust = publisher / "packs.json", publisher / "trust.yaml"
    check = ("--signature", signature, "--trust", trust)
    assert run("packs", "sign", pack, "--key", publisher / "key.pem", "--out", signature).code == 0
    good = run("packs", "verify", pack, *check)
    assert (good.code, good.err) == (0, "")
    assert "signed by Publishing house" in good.out
    pack.write_text(PACK.replace("12 months", "99 months"))
    assert "error[PE3901]: `firm.models`" in (found := run("packs", "verify", pack, *check)).err
    assert found.code == 1
    pack.write_text(PACK.replace("policy firm.models", "policy firm.others"))
    found = run("packs", "verify", pack, *check)
    assert "error[PE3902]: `firm.others`" in found.err
    assert "error[PE3903]: `firm.models`" in found.err


def test_no_flipped_letter_of_a_signature_makes_it_say_something_else(run, pack, publisher) -> None:
    signature = publisher / "packs.json"
    run("packs", "sign", pack, "--key", publisher / "key.pem", "--out", signature)
    check = ("packs", "verify", pack, "--signature", signature, "--trust", publisher / "trust.yaml")
    good = run(*check)
    data = signature.read_bytes()
    refused = 0
    for position in range(0, len(data), 37):
        signature.write_bytes(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
        found = run(*check)
        # The id of a key is a hint that is not signed (DSSE 1.0.2, protocol.md); all else is.
        assert found.code == 2 or found == good, position
        refused += found.code == 2
    assert refused > 10


def test_only_a_role_that_may_sign_packs_signs_them(run, pack, publisher) -> None:
    signature, trust = publisher / "packs.json", publisher / "trust.yaml"
    run("packs", "sign", pack, "--key", publisher / "key.pem", "--out", signature)
    trust.write_text(trust.read_text().replace("[packs]", "[waiver]"))
    found = run("packs", "verify", pack, "--signature", signature, "--trust", trust)
    assert found.code == 2
    assert "error[PE3904]" in found.err


def test_a_signature_from_the_future_or_for_something_else_does_not_count(run, pack, publisher) -> None:
    signature, trust = publisher / "packs.json", publisher / "trust.yaml"
    issued = ("--issued", "2026-11-21")
    run("packs", "sign", pack, "--key", publisher / "key.pem", "--out", signature, *issued)
    check = ("packs", "verify", pack, "--signature", signature, "--trust", trust)
    assert run(*check, "--at", "2026-11-20").code == 2
    assert run(*check, "--at", "2026-11-21").code == 0
    assert run(*check, "--at", "2031-01-01").code == 2
    again = run("packs", "sign", pack, "--key", publisher / "key.pem", "--out", signature)
    assert again.code == 2
    assert "never written over" in again.err
