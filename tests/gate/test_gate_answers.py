"""A gate says of a subject and its parts what a check of the whole estate says of them."""

import json
import os
import shutil
from datetime import timedelta

import pytest

from policy_dsl.pieces import StoredPieces, to_pieces
from policy_dsl.storage import StoredProgramError
from policy_engine.app.evaluate import compile_policies, evaluate
from policy_engine.app.gate import ask
from policy_engine.app.inputs import read_inputs
from policy_engine.app.prepare import prepare
from policy_engine.cli.gate import command
from policy_engine.cli.gating import Request, parse
from policy_engine.lineage.columns.reader import EstateFile
from policy_engine.lineage.columns.writer import write_estate
from policy_engine.lineage.errors import LineageError
from policy_engine.lineage.graph import Snapshot
from policy_engine.model.results import Verdict
from tests.gate.gate_runs import AT, AT_TEXT, entry, modules_of_a_gate

HEAVY = {"lark", "pydantic", "networkx", "numpy", "duckdb", "click", "cryptography", "yaml", "rfc8785", "rustworkx"}
SLOW = {"dataclasses", "inspect", "hashlib", "importlib.metadata", "pathlib", "calendar", "glob", "subprocess"}


@pytest.mark.parametrize("later", [timedelta(0), timedelta(days=500)])
def test_every_answer_is_that_of_a_check(bank, prepared, later):
    whole = evaluate(read_inputs(bank), AT + later)
    expected = {(r.rule, r.subject): r for r in whole.results}
    with EstateFile.open(prepared) as file:
        seen = set()
        for node in whole.snapshot.nodes:
            found = ask(file, [node], AT + later)
            assert found.results == tuple(expected[r.rule, r.subject] for r in found.results)
            assert {(r.rule, r.subject) for r in found.results} == {k for k in expected if k[1] in found.looked_at}
            seen |= {(r.rule, r.subject) for r in found.results}
        assert seen == set(expected)
        every = ask(file, whole.snapshot.nodes, AT + later)
        assert every.verdict is whole.verdict
        used = {(u.waiver.digest, u.waiver.subject): (u.state, u.detail) for u in whole.waivers}
        assert {(u.waiver.digest, u.waiver.subject): (u.state, u.detail) for u in every.waivers} == used


def test_a_deployment_is_judged_by_what_it_deploys(prepared):
    with EstateFile.open(prepared) as file:
        found = ask(file, ["scoring-online"], AT)
    assert {"scoring-online", "credit-scoring", "consumer-scorecard"} <= set(found.looked_at)
    assert found.verdict is Verdict.NOT_COMPLIANT
    assert {r.subject for r in found.results if r.status == "fail"} == {"scoring-online", "credit-scoring"}


def test_a_gate_loads_nothing_but_small_parts_of_the_standard_library(prepared):
    code, out, modules = modules_of_a_gate(prepared, "scoring-online", "--at", AT_TEXT)
    assert code == 1
    assert out.startswith("NOT COMPLIANT at 2026-11-21T00:00:00Z")
    assert not {name.partition(".")[0] for name in modules} & HEAVY
    assert not modules & SLOW
    assert not {m for m in modules if m.startswith(("policy_dsl.syntax", "policy_dsl.diagnostics", "policy_evidence"))}


def test_the_text_says_what_to_do(prepared, run):
    ran = run("gate", prepared, "scoring-online", "--at", AT_TEXT)
    assert ran.code == 1
    for part in (
        "looked at scoring-online and 3 of its parts",
        "FAIL [high] example_bank.model_risk.deployments_approved on scoring-online",
        "  do:   Ask the risk owner to approve",
        "  path: credit-scoring -uses_model-> ",
        "UNKNOWN [critical]",
        "  not stated: special_category of account-movements",
        "waiver expired: example_bank.model_risk.suppliers_bound on credit-scoring",
        "Next change with no change of facts: ",
    ):
        assert part in ran.out
    assert "warning" not in ran.out


def test_json_holds_the_whole_answer(prepared, run):
    ran = run("gate", prepared, "scoring-online", "--at", AT_TEXT, "--format", "json")
    answer = json.loads(ran.out)
    assert (ran.code, answer["exit_code"], answer["verdict"]) == (1, 1, "not_compliant")
    failed = [r for r in answer["results"] if r["status"] == "fail"]
    assert {r["severity"] for r in failed} == {"high"}
    assert all(r["message"] and r["remedy"] and r["title"] for r in failed)
    assert answer["subjects"] == ["scoring-online"]
    assert answer["warnings"] == []


def test_exit_codes_are_those_of_check(prepared, run):
    assert run("gate", prepared, "scoring-online", "--at", AT_TEXT).code == 1
    assert run("gate", prepared, "scoring-online", "--at", AT_TEXT, "--fail-on", "critical").code == 3
    assert run("gate", prepared, "consumer-scorecard", "--at", AT_TEXT).code in {0, 1, 3}
    unverified = run("gate", prepared, "loan-applications", "--at", AT_TEXT)
    assert unverified.code == 3
    assert "datasheet-loan-applications.json: does not count[PE4403]" in unverified.out
    nothing = run("gate", prepared, "hosting-contract", "--at", AT_TEXT)
    assert nothing.code == 3
    assert "no rule is about any of these" in nothing.out


def test_a_subject_that_does_not_exist_has_a_neighbour(prepared, run):
    ran = run("gate", prepared, "scoring-onlin")
    assert ran.code == 2
    assert "error[PE3152]: there is no node `scoring-onlin`" in ran.err
    assert "did you mean `scoring-online`?" in ran.err


def test_after_the_trust_file_has_expired_nothing_is_said(prepared, run):
    ran = run("gate", prepared, "scoring-online", "--at", "2030-01-01")
    assert ran.code == 2
    assert "error[PE3412]" in ran.err
    assert run("gate", prepared, "scoring-online", "--at", "2029-12-31").code == 1


def test_an_instant_that_is_none(prepared, run):
    ran = run("gate", prepared, "scoring-online", "--at", "tomorrow")
    assert (ran.code, "error[PE0005]" in ran.err) == (2, True)


@pytest.fixture
def copy(bank, tmp_path):
    """A bank of its own, prepared."""
    folder = tmp_path / "bank"
    shutil.copytree(bank, folder)
    prepare(read_inputs(folder), folder, folder / "estate.aipe", AT)
    return folder


def gate(run, folder, *options):
    return run("gate", folder / "estate.aipe", "scoring-online", "--at", AT_TEXT, *options)


def test_fresh_inputs_are_fresh(copy, run):
    ran = gate(run, copy, "--require-fresh")
    assert (ran.code, "PE3411" in ran.out) == (1, False)
    # Another time is no change while the bytes are the same, as after a checkout.
    os.utime(copy / "inventory.yaml", (1, 1))
    assert gate(run, copy, "--require-fresh").code == 1


@pytest.mark.parametrize("name", ["inventory.yaml", "profile.toml", "policies/bank.policy", "generated/trust.yaml"])
def test_a_changed_input_makes_the_file_stale(copy, run, name):
    (copy / name).write_bytes((copy / name).read_bytes() + b"\n")
    ran = gate(run, copy)
    assert ran.code == 1
    assert f"warning[PE3411]: `{name}` has changed since the estate file was made" in ran.out
    ran = gate(run, copy, "--require-fresh")
    assert (ran.code, "error[PE3411]" in ran.err) == (2, True)


def test_evidence_that_comes_or_goes_makes_the_file_stale(copy, run):
    evidence = sorted((copy / "generated" / "evidence").iterdir())[0]
    shutil.copy(evidence, evidence.with_name("new.json"))
    assert "`generated/evidence/new.json` is new" in gate(run, copy).out
    evidence.unlink()
    assert f"`generated/evidence/{evidence.name}` is gone" in gate(run, copy).out


def test_a_file_alone_cannot_be_shown_to_be_fresh(copy, run, tmp_path):
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.move(copy / "estate.aipe", alone / "estate.aipe")
    assert gate(run, alone).code == 1
    ran = gate(run, alone, "--require-fresh")
    assert (ran.code, "cannot be shown to be fresh" in ran.err) == (2, True)


def test_a_file_without_policies(tmp_path, run):
    write_estate(tmp_path / "e.aipe", Snapshot())
    ran = run("gate", tmp_path / "e.aipe", "a")
    assert (ran.code, "error[PE3410]" in ran.err) == (2, True)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (None, "PE3406"),
        (b"", "PE3401"),
        (b"x" * 100, "PE3401"),
        (b"AIPEST01", "PE3401"),
        (b"AIPEST02" + bytes(99), "PE3402"),
    ],
)
def test_a_file_that_is_none(tmp_path, run, data, code):
    file = tmp_path / "e.aipe"
    if data is not None:
        file.write_bytes(data)
    ran = run("gate", file, "a")
    assert (ran.code, f"error[{code}]" in ran.err) == (2, True)


def test_evidence_that_cannot_be_verified_leaves_open_only_what_it_is_about(copy):
    broken = sorted((copy / "generated" / "evidence").iterdir())[0]
    broken.write_bytes(b"{}")
    prepare(read_inputs(copy), copy, copy / "estate.aipe", AT)
    with EstateFile.open(copy / "estate.aipe") as file:
        # It does not say what it is about, so it may be about anything.
        assert any(r["file"].endswith(broken.name) for r in ask(file, ["consumer-scorecard"], AT).rejected)


@pytest.mark.parametrize(
    "arguments",
    [
        ["f", "a"],
        ["f", "a", "b", "--at", "2027-01-01", "--fail-on=high", "--format", "json"],
        ["--quiet", "f", "--verify", "a", "--require-fresh", "--at=x"],
        ["f", "a", "--at", ""],
    ],
)
def test_a_call_is_understood_as_the_other_commands_would_understand_it(arguments):
    wanted = {}
    command.callback, kept = (lambda **values: wanted.update(values)), command.callback
    try:
        command.main(arguments, standalone_mode=False)
    finally:
        command.callback = kept
    wanted["format"] = wanted.pop("form")
    assert parse(arguments) == Request(**wanted)


@pytest.mark.parametrize(
    "arguments", [[], ["f"], ["f", "a", "--x"], ["f", "a", "-h"], ["f", "a", "--at"], ["f", "a", "--fail-on", "x"],
                  ["f", "a", "--format=xml"], ["f", "a", "--quiet=1"], ["f", "--", "-a"]],
)  # fmt: skip
def test_a_call_that_is_not_plain_is_left_to_the_other_commands(arguments):
    assert parse(arguments) is None


def test_the_command_as_its_user_calls_it(prepared):
    ran = entry("gate", prepared, "scoring-online", "--at", AT_TEXT, "--quiet")
    assert (ran.returncode, ran.stdout.count("\n"), ran.stderr) == (1, 1, "")
    ran = entry("gate", prepared, "x")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "Usage: policy-engine gate" in entry("gate", "--help").stdout
    assert "Error: No such option" in entry("gate", "f", "a", "--x").stderr
    assert entry("--version").stdout.startswith("policy-engine ")


def test_a_program_in_pieces_is_the_same_program(bank):
    inputs = read_inputs(bank)
    program, _ = compile_policies(inputs.packs.files, inputs.profile.parameters)
    index, pieces = to_pieces(program)
    assert (index, pieces) == to_pieces(program)
    stored = StoredPieces(index, pieces.__getitem__)
    again = stored.about(program.schema.kinds)
    assert list(again.rules) == list(program.rules)
    assert all(again.definitions[name].slots == d.slots for name, d in program.definitions.items())
    assert to_pieces(again) == (index, pieces)
    assert again.schema.part_edges == program.schema.part_edges


def an_index(forms, shared, parameters):
    rest = {"format": "policy-pieces/2", "kinds": {}, "edges": {}, "rules": {}, "definitions": {}}
    return json.dumps({**rest, "forms": forms, "shared": shared, "parameters": parameters}).encode()


@pytest.mark.parametrize(
    "index",
    [
        b"",
        b"[]",
        b"{}",
        b'{"format":"x"}',
        b"[" * 9999,
        an_index([], [[1, 0]], [1, 0]),
        an_index([], [[0, [1, 1]], [0, [1, 0]]], [1, 1]),
        an_index(["os:system"], [], [2]),
        an_index(["t:ast"], [], [2]),
        an_index(["t:Rule"], [], [2, 1]),
        an_index(["t:Rule"], [], [99]),
        an_index(["t:Rule"], [], [-1]),
        an_index(["date"], [], [2, "x"]),
    ],
)
def test_an_index_that_is_none(index):
    with pytest.raises(StoredProgramError):
        StoredPieces(index, lambda piece: "")


def test_a_damaged_file_says_so(prepared, tmp_path, run):
    data = bytearray(prepared.read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "e.aipe").write_bytes(data)
    ran = run("gate", tmp_path / "e.aipe", "scoring-online", "--verify")
    assert (ran.code, "error[PE3403]" in ran.err) == (2, True)
    with pytest.raises(LineageError, match="PE3403"), EstateFile(bytes(data)) as file:
        file.verify()
