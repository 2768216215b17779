"""keys, evidence, explain and test, as their users call them."""

import pytest


def test_keys_are_made_shown_and_never_overwritten(run, tmp_path, passphrase):
    made = run("keys", "generate", tmp_path / "k.pem", "--algorithm", "ecdsa-p256")
    assert made.code == 0
    assert run("keys", "show", tmp_path / "k.pem").out == made.out
    assert b"ENCRYPTED" in (tmp_path / "k.pem").read_bytes()
    again = run("keys", "generate", tmp_path / "k.pem")
    assert (again.code, "PE4208" in again.err) == (2, True)


def test_without_a_passphrase_and_a_person_keys_say_so(run, tmp_path, monkeypatch):
    monkeypatch.delenv("POLICY_ENGINE_PASSPHRASE", raising=False)
    ran = run("keys", "generate", tmp_path / "k.pem")
    assert (ran.code, "error[PE0013]" in ran.err) == (2, True)
    assert not (tmp_path / "k.pem").exists()


def test_an_authority_certifies_a_report_key(run, tmp_path, passphrase):
    run("keys", "generate", tmp_path / "ca.pem", "--algorithm", "rsa")
    run("keys", "generate", tmp_path / "report.pem", "--algorithm", "rsa")
    ca = ("--authority-key", tmp_path / "ca.pem", "--authority-certificate", tmp_path / "ca.crt.pem")
    assert run("keys", "authority", tmp_path / "ca.pem", tmp_path / "ca.crt.pem", "--name", "Root").code == 0
    ran = run(
        "keys", "certify", tmp_path / "report.pem", tmp_path / "report.crt.pem", *ca, "--name", "Office", "--days", 30
    )
    assert ran.code == 0, ran.err
    assert b"BEGIN CERTIFICATE" in (tmp_path / "report.crt.pem").read_bytes()


def test_evidence_is_signed_verified_added_and_counts(run, bank, tmp_path, passphrase):
    before = run("explain", "operators_trained", "tom-de-vos", "--in", bank, "--at", "2026-11-21")
    assert before.out.startswith("FAIL")
    statement = tmp_path / "training.json"
    key = bank / "generated" / "keys" / "nora_weiss.pem"
    options = ("--issued", "2026-11-01", "--key", key, "--in", bank, "--out", statement)
    signed = run("evidence", "sign", "training_record", "tom-de-vos", "--field", "topic=AI literacy", *options)
    assert signed.code == 0, signed.err
    assert run("evidence", "verify", statement, "--in", bank).code == 0
    added = run("evidence", "add", statement, "--in", bank)
    assert added.code == 0, added.out
    try:
        after = run("explain", "operators_trained", "tom-de-vos", "--in", bank, "--at", "2026-11-21")
        assert after.out.startswith("PASS")
        assert "stays so until 2028-11-01T00:00:00Z" in after.out
    finally:
        from pathlib import Path

        Path(added.out.splitlines()[-1].removeprefix("added: ")).unlink()


def test_evidence_by_the_wrong_role_is_not_added(run, bank, tmp_path, passphrase):
    key = bank / "generated" / "keys" / "maria_rossi.pem"
    statement = tmp_path / "training.json"
    arguments = ("evidence", "sign", "training_record", "tom-de-vos", "--key", key, "--in", bank, "--out", statement)
    assert run(*arguments).code == 0
    ran = run("evidence", "add", statement, "--in", bank)
    assert (ran.code, "PE4403" in ran.out) == (1, True)


def test_a_waiver_turns_a_failure_into_a_waived_result(run, bank, tmp_path, passphrase):
    rule = "eu_ai_act.ai_literacy.operators_trained"
    place = bank / "generated" / "evidence" / "waiver-tom.json"
    people = ("--reason", "On leave", "--approver", "R. Owner")
    times = ("--issued", "2026-11-01", "--expires", "2027-01-01")
    files = ("--key", bank / "generated" / "keys" / "sofie_claes.pem", "--in", bank, "--out", place)
    ran = run("evidence", "waive", rule, "tom-de-vos", *people, *times, *files)
    assert ran.code == 0, ran.err
    try:
        found = run("explain", rule, "tom-de-vos", "--in", bank, "--at", "2026-11-21")
        assert found.out.startswith("WAIVED")
        assert "stays so until 2027-01-01T00:00:00Z" in found.out
    finally:
        place.unlink()


def test_list_says_what_counts_and_what_does_not(run, bank):
    ran = run("evidence", "list", "--in", bank)
    assert ran.code == 0
    assert "REJECTED" in ran.out
    assert "counts    datasheet about" in ran.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("sign", "datashet", "x"), "did you mean `datasheet`?"),
        (("sign", "datasheet", "nobody"), "PE0009"),
        (("waive", "no.rule", "x", "--reason", "r", "--approver", "a", "--expires", "2027-01-01"), "PE0009"),
    ],
)
def test_evidence_about_nothing_is_refused(run, bank, tmp_path, passphrase, arguments, words):
    ran = run(
        "evidence",
        *arguments,
        "--key",
        bank / "generated" / "keys" / "maria_rossi.pem",
        "--in",
        bank,
        "--out",
        tmp_path / "x",
    )
    assert ran.code == 2
    assert words in ran.err


def test_explain_knows_rules_codes_and_results(run, bank):
    rule = run("explain", "training_data_documented", "--in", bank)
    assert "Every dataset" in rule.out
    assert "has evidence datasheet" in rule.out
    assert "no such attribute" in run("explain", "pe2006").out
    assert "did you mean" in run("explain", "training_data_documentd", "--in", bank).err
    assert run("explain", "training_data_documented", "nobody", "--in", bank).code == 2


def test_explain_without_a_profile_knows_the_library(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "Art. 4" in run("explain", "eu_ai_act.ai_literacy.operators_trained").out


def test_library_tests_pass_and_a_failing_test_is_shown_with_its_place(run, tmp_path):
    assert run("test", "eu_ai_act").code == 0
    (tmp_path / "own.policy").write_text(
        "policy own\nuse std.ai\nrule r\n    for each Model\n    must model.owner is known\n"
        'test "wrong"\n    at 2027-01-01\n    given\n        Model m\n    expect pass of r on m\n'
    )
    ran = run("test", tmp_path)
    assert ran.code == 1
    assert "own.policy:10:5: expected pass, found fail" in ran.out
    assert "0 passed, 1 failed" in ran.out
    assert run("test", tmp_path, "--filter", "nothing").code == 2
