"""``policy-engine lint`` and ``policy-engine fmt``, as their users run them."""

import io
import sys
from pathlib import Path

import pytest

from policy_dsl.lint import RULES
from policy_engine.cli.main import main

ROOT = Path(__file__).parents[2]
BAD = Path(__file__).parent / "bad"
CLEAN = """policy own.rules
    title   "Our rules"
    version "1.0.0"

use std.ai

rule owned
    "Every model has an owner"
    severity high
    for each Model
    must
        model.owner is known
    otherwise "{model.name} has no owner"
    remedy "Name the owner of {model.name}"

test "a model without an owner"
    at 2027-01-01
    given
        Model scorer
    expect fail of owned on scorer
"""


@pytest.fixture
def run(capsys):
    def ran(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main([str(a) for a in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        assert "PE0012" not in captured.err, captured.err
        return int(stop.value.code or 0), captured.out, captured.err

    return ran


@pytest.fixture
def own(tmp_path):
    """Write a pack and return its path."""

    def written(text: str) -> Path:
        path = tmp_path / "own.policy"
        path.write_bytes(text.encode())
        return path

    return written


def test_every_rule_fires_on_the_bad_examples(run):
    code, out, err = run("lint", BAD)
    assert (code, err) == (1, "")
    fired = {line.rsplit("[", 1)[1].rstrip("]") for line in out.splitlines() if line.startswith("warning[")}
    assert {r.name for r in RULES} <= fired
    assert {"allowance-without-reason", "unused-allowance", "unknown-allowance"} <= fired


@pytest.mark.parametrize(
    "targets", [("std", "eu_ai_act.ai_literacy"), (ROOT / "policies" / "library", ROOT / "examples")]
)
def test_our_policies_are_clean(run, targets):
    code, out, _ = run("lint", *targets)
    assert code == 0, out


def test_a_clean_pack_has_no_findings(run, own):
    assert run("lint", own(CLEAN)) == (0, "no findings in 1 file\n", "")


def test_a_finding_names_place_rule_and_remedy(run, own):
    path = own(CLEAN.replace("    severity high\n", ""))
    code, out, _ = run("lint", path)
    assert code == 1
    assert "warning[PE8028]: rule `owned` has no severity [no-severity]" in out
    assert f"{path}:7:6" in out
    assert "help: add `severity`" in out


def test_select_and_ignore(run, own):
    path = own(CLEAN.replace("    severity high\n", "").replace('    version "1.0.0"\n', ""))
    assert run("lint", path, "--select", "no-version")[1].count("warning[") == 1
    assert run("lint", path, "--ignore", "no-version", "--ignore", "no-severity")[0] == 0


ALLOWED = {
    "above the line": ("rule owned", "# lint: allow no-severity because it is a draft\nrule owned", 0),
    "behind the line": ("rule owned", "rule owned  # lint: allow no-severity because it is a draft", 0),
    "for the whole file": ("policy own", "# lint: allow no-severity because it is a draft\npolicy own", 0),
    "with two names": ("rule owned", "rule owned  # lint: allow no-test, no-severity because it is a draft", 1),
    "elsewhere": ("use std.ai", "use std.ai  # lint: allow no-severity because it is a draft", 2),
    "without a reason": ("rule owned", "rule owned  # lint: allow no-severity", 2),
    "with an empty reason": ("rule owned", "rule owned  # lint: allow no-severity because  ", 2),
    "in a text": ('title   "Our rules"', 'title   "# lint: allow no-severity because no"', 1),
}


@pytest.mark.parametrize("case", ALLOWED)
def test_allowing(run, own, case):
    before, after, findings = ALLOWED[case]
    text = CLEAN.replace("    severity high\n", "").replace(before, after, 1)
    code, out, _ = run("lint", own(text))
    assert out.count("warning[") == findings, out
    assert code == (1 if findings else 0)


def test_fix_keeps_what_is_meant_and_is_content_then(run, own):
    text = CLEAN.replace("model.owner is known", "((not not (model.owner is known)))").replace(
        "each Model", "each Model as model"
    )
    path = own(text)
    code, out, _ = run("lint", path, "--fix")
    assert code == 0, out
    assert f"fixed {path}" in out
    assert path.read_text(encoding="utf-8") == CLEAN
    assert run("lint", path, "--fix")[1] == "no findings in 1 file\n"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("lint",), "PE0007"),
        (("lint", "nowhere.policy"), "PE0001"),
        (("lint", "no_such_pack"), "PE0004"),
        (("lint", "std", "--select", "no-sevrity"), "PE0009"),
        (("fmt", "nowhere.policy"), "PE0001"),
    ],
)
def test_bad_usage(run, arguments, code):
    exit_code, _, err = run(*arguments)
    assert exit_code == 2
    assert f"error[{code}]" in err


def test_a_policy_with_errors_is_not_linted(run, own):
    code, _, err = run("lint", own("policy a\nrule r for each Modle must true\n"))
    assert code == 2
    assert "error[PE2005]" in err


# --- fmt -------------------------------------------------------------------------------------------------

UGLY = 'policy a title "x"   # why\r\n'
PRETTY = 'policy a\n    title "x"  # why\n'


def test_fmt_writes_once(run, own):
    path = own(UGLY)
    assert run("fmt", path)[:2] == (0, f"formatted {path}\n1 file: 1 formatted, 0 unchanged\n")
    assert path.read_bytes() == PRETTY.encode()
    assert run("fmt", path)[:2] == (0, "1 file: 0 formatted, 1 unchanged\n")


def test_fmt_check_and_diff_change_nothing(run, own):
    path = own(UGLY)
    code, out, _ = run("fmt", "--check", path.parent)
    assert (code, out.splitlines()[0]) == (1, f"would format {path}")
    code, out, _ = run("fmt", "--diff", path)
    assert code == 1
    assert '+    title "x"  # why\n' in out
    assert path.read_bytes() == UGLY.encode()
    path.write_text(PRETTY, encoding="utf-8")
    assert run("fmt", "--check", path)[0] == 0


def test_fmt_leaves_a_file_that_does_not_parse(run, own):
    path = own("policy a\nrule )\n")
    good = path.with_name("good.policy")
    good.write_text(UGLY, encoding="utf-8")
    code, _, err = run("fmt", path.parent)
    assert code == 2
    assert "error[PE1003]" in err
    assert path.read_text(encoding="utf-8") == "policy a\nrule )\n"
    assert good.read_text(encoding="utf-8") == PRETTY


def test_fmt_refuses_bytes_that_are_no_text(run, own):
    path = own("")
    path.write_bytes(b'policy a title "\xff"\n')
    code, _, err = run("fmt", path)
    assert code == 2
    assert "error[PE1009]" in err
    assert path.read_bytes() == b'policy a title "\xff"\n'


def test_fmt_reads_standard_input(monkeypatch, capsysbinary):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(UGLY.encode())))
    with pytest.raises(SystemExit) as stop:
        main(["fmt", "-"])
    assert stop.value.code in {0, None}
    assert capsysbinary.readouterr().out == PRETTY.encode()


def test_fmt_of_nothing(run, tmp_path):
    code, _, err = run("fmt", tmp_path)
    assert code == 2
    assert "error[PE0008]" in err
