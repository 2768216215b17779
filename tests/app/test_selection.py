"""Which rules count: every file that a profile names, whatever its first lines look like, and nothing in disguise."""

import time
from datetime import UTC, datetime

import pytest

from policy_dsl import compile_bytes
from policy_engine.app.evaluate import evaluate
from policy_engine.app.inputs import read_inputs
from policy_engine.app.policy_tests import run_tests
from policy_engine.cli.main import main
from policy_engine.model.errors import InputError

AT = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "inventory.yaml").write_text("inventory: 1\nnodes:\n  - {id: m, kind: Model}\n")
    (tmp_path / "profile.toml").write_text('profile = 1\npacks = ["own.policy"]\nsources = ["inventory.yaml"]\n')
    return tmp_path


@pytest.mark.parametrize("header", ["policy\n    own", "policy # ours\n  own", "policy own .rules", "# x\npolicy own"])
def test_the_rules_of_a_named_file_count_however_its_header_is_laid_out(folder, header):
    (folder / "own.policy").write_text(f"{header}\nuse std.ai\nrule r\n    for each Model\n    must false\n")
    assert [r.status.value for r in evaluate(read_inputs(folder), AT).results] == ["fail"]


def test_a_file_cannot_stand_in_for_a_library_pack(folder):
    (folder / "own.policy").write_text("policy eu_ai_act.data_governance\nuse std.ai\n")
    with pytest.raises(InputError, match="PE2015"):
        read_inputs(folder)


def test_a_version_is_asked_of_a_path_however_it_is_written(folder):
    (folder / "own.policy").write_text('policy own\n    version "1.0"\nuse std.ai\n')
    (folder / "profile.toml").write_text('profile = 1\npacks = ["./own.policy@9.0"]\nsources = ["inventory.yaml"]\n')
    with pytest.raises(InputError, match="PE2016"):
        evaluate(read_inputs(folder), AT)


def test_definitions_that_use_each_other_twice_cost_no_more(folder):
    lines = ["policy own", "use std.ai", "define d0(m: Model) as m.owner is known"]
    lines += [f"define d{n}(m: Model) as d{n - 1}(m) and d{n - 1}(m)" for n in range(1, 40)]
    lines += ["rule r", "    for each Model", "    must d39(model)"]
    (folder / "own.policy").write_text("\n".join(lines) + "\n")
    start = time.monotonic()
    assert [r.status.value for r in evaluate(read_inputs(folder), AT).results] == ["fail"]
    assert time.monotonic() - start < 20  # not a measure of speed: the doubling would take years


def _main(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stop:
        main([str(a) for a in arguments])
    return int(stop.value.code or 0)


def test_outputs_do_not_replace_inputs(folder, monkeypatch, capsys):
    (folder / "own.policy").write_text("policy own\nuse std.ai\nrule r\n    for each Model\n    must true\n")
    monkeypatch.chdir(folder)
    for name in ("inventory.yaml", "profile.toml", "own.policy"):
        before = (folder / name).read_bytes()
        assert _main("check", ".", "--output", f"json={name}") == 2
        assert (folder / name).read_bytes() == before
    assert _main("check", ".", "--output", "json=a", "--output", "sarif=a") == 2
    assert _main("check", "") == 2
    capsys.readouterr()


def test_a_pass_that_looked_at_nothing_says_so(folder, capsys):
    requirement = "every Dataset in model.trained_on has evidence datasheet"
    text = f"policy own\nuse std.ai\nrule r\n    for each Model\n    must {requirement}\n"
    (folder / "own.policy").write_text(text)
    assert _main("check", folder) == 0
    shown = capsys.readouterr().out
    assert "1 result found nothing to look at:\n    own.r on m" in shown


def test_an_instant_at_which_nothing_was_in_force_says_so(folder, capsys):
    text = "policy own\n    applies from 2026-01-01\nuse std.ai\nrule r\n    for each Model\n    must true\n"
    (folder / "own.policy").write_text(text)
    assert _main("check", folder, "--at", "2006-01-01") == 0
    assert "no rule was in force at that instant" in capsys.readouterr().out


def test_the_library_compiles_for_the_runner():
    program, found = compile_bytes({"a.policy": b"policy a\n"})
    assert (run_tests(program), found) == ([], ())
