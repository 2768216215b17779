"""The gate: its answers, its reasons, and what it does with bad input."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from policy_engine.cli.options import write_file
from policy_engine.model.errors import InputError

SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "cyclonedx"

POLICY = """policy own.rules
    version "1.0.0"
    basis firm_policy
use std.ai
rule owned
    "Every model has an owner"
    severity {severity}
    for each Model
    must model.owner is known
    otherwise "{{model.name}} has no owner"
    remedy "Name the owner of {{model.name}}"
rule accurate
    "Every model declares its accuracy"
    severity low
    for each Model where model.task is known
    must model.declared_accuracy >= 0.8
"""
INVENTORY = """inventory: 1
asserted_by: the office
nodes:
  - id: scorer
    kind: Model
    name: Scorer
{lines}
"""


@pytest.fixture
def estate(tmp_path):
    """Write a policy and an inventory, and return the arguments that check one with the other."""

    def made(*lines: str, severity: str = "high") -> tuple[str, ...]:
        (tmp_path / "own.policy").write_text(POLICY.format(severity=severity))
        (tmp_path / "inventory.yaml").write_text(INVENTORY.format(lines="\n".join(f"    {line}" for line in lines)))
        return ("check", str(tmp_path / "inventory.yaml"), "--pack", str(tmp_path / "own.policy"), "--at", "2027-01-01")

    return made


def test_passes_with_zero(run, estate):
    ran = run(*estate("owner: Maria"))
    assert (ran.code, ran.out.splitlines()[0]) == (
        0,
        "COMPLIANT at 2027-01-01T00:00:00Z: 1 pass, 0 fail, 0 unknown, 1 not applicable, 0 waived",
    )


def test_a_violation_says_what_where_and_what_to_do(run, estate):
    ran = run(*estate())
    assert ran.code == 1
    for words in ("FAIL [high] own.rules.owned on scorer", "Scorer has no owner", "do:   Name the owner of Scorer"):
        assert words in ran.out


@pytest.mark.parametrize(
    ("severity", "fail_on", "code"), [("high", "critical", 0), ("high", "high", 1), ("low", "medium", 0)]
)
def test_fail_on_leaves_out_lesser_violations(run, estate, severity, fail_on, code):
    assert run(*estate(severity=severity), "--fail-on", fail_on).code == code


def test_an_unknown_result_is_not_a_pass(run, estate):
    ran = run(*estate("owner: Maria", "task: scoring"))
    assert ran.code == 3
    assert "UNKNOWN [low] own.rules.accurate on scorer" in ran.out
    assert "not stated: declared_accuracy of scorer" in ran.out


def test_a_violation_outweighs_an_unknown(run, estate):
    assert run(*estate("task: scoring")).code == 1


def test_nothing_checked_is_undecided(run, tmp_path):
    (tmp_path / "inventory.yaml").write_text("inventory: 1\nnodes: []\n")
    ran = run("check", tmp_path / "inventory.yaml")
    assert (ran.code, ran.out.split()[0]) == (3, "UNDECIDED")


def test_outputs_come_from_one_document(run, estate, tmp_path):
    files = {name: tmp_path / name for name in ("json", "sarif", "junit", "markdown")}
    ran = run(*estate(), *(f"--output={name}={path}" for name, path in files.items()))
    assert ran.code == 1
    assert json.loads(files["json"].read_text())["verdict"] == "not_compliant"
    (sarif,) = json.loads(files["sarif"].read_text())["runs"]
    assert any(r["ruleId"] == "own.rules.owned" and r["level"] == "error" for r in sarif["results"])
    assert ElementTree.parse(files["junit"]).getroot().find(".//failure") is not None
    assert "Scorer has no owner" in files["markdown"].read_text()


def test_five_mistakes_give_five_diagnostics(run, tmp_path):
    text = """policy own.wrong
use std.ai
rule one
    severity hihg
    for each Model
    must model.licence is known
rule two
    for each Modle
    must true
rule three
    for each System
    must system.stag is production
rule four
    for each System
    must every Dataset upstream of system via traned_on has evidence datasheet
rule five
    for each System
    must
    otherwise "no"
"""
    (tmp_path / "wrong.policy").write_text(text)
    (tmp_path / "inventory.yaml").write_text("inventory: 1\nnodes: []\n")
    ran = run("check", tmp_path / "inventory.yaml", "--pack", tmp_path / "wrong.policy")
    assert ran.code == 2
    assert [line.split()[0] for line in ran.err.splitlines() if line.startswith("error[")] == [
        "error[PE1012]:",
        "error[PE2005]:",
        "error[PE2006]:",
        "error[PE2007]:",
        "error[PE1003]:",
    ]
    places = [line.strip() for line in ran.err.splitlines() if "-->" in line]
    assert [p.split("wrong.policy:")[1] for p in places] == ["4:14", "8:14", "12:17", "15:47", "19:5"]
    for suggestion in (
        "did you mean `high`?",
        "did you mean `Model`?",
        "did you mean `stage`?",
        "did you mean `trained_on`?",
    ):
        assert suggestion in ran.err


BAD_INPUT = {
    "missing.yaml": None,
    "empty.yaml": b"",
    "binary.yaml": bytes(range(256)),
    "not-utf8.json": b'{"bomFormat": "CycloneDX\xff"}',
    "bomb.yaml": b"a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
    "deep.json": b"[" * 100_000,
    "list.json": b"[]",
    "other.json": b'{"hello": 1}',
    "twice.yaml": b"inventory: 1\ninventory: 1\nnodes: []\n",
    "infinite.json": b'{"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1e999}',
    "nowhere.yaml": b"inventory: 1\nnodes:\n  - {id: a, kind: System, uses_model: b}\n",
    "kind.yaml": b"inventory: 1\nnodes:\n  - {id: a, kind: Sistem}\n",
    "profile.toml": b"profile = 2\npacks = 3\nfoo = 1\n",
    "broken.toml": b"profile = [",
}


@pytest.mark.parametrize("name", BAD_INPUT)
def test_bad_input_is_refused_with_a_code(run, tmp_path, name):
    if BAD_INPUT[name] is not None:
        (tmp_path / name).write_bytes(BAD_INPUT[name])
    ran = run("check", tmp_path / name)
    assert ran.code == 2, ran.out
    assert "[PE" in ran.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "--at", "tomorrow", "x"),
        ("check", "--at", "2027-02-30", "x"),
        ("check", "--at", "2027-01-01T00:00:00", "x"),
        ("check", "--output", "pdf=x", "x"),
        ("check", "--output", "sarif", "x"),
        ("check", "--fail-on", "dreadful", "x"),
        ("check", "--nonsense"),
        ("chekc",),
    ],
)
def test_bad_usage_exits_with_two(run, arguments):
    ran = run(*arguments)
    assert ran.code == 2
    assert ran.err


def test_an_output_that_cannot_be_written_is_an_error(run, estate, tmp_path):
    (tmp_path / "file").write_text("")
    ran = run(*estate("owner: Maria"), f"--output=json={tmp_path / 'file' / 'x.json'}")
    assert ran.code == 2
    assert "error[PE0002]" in ran.err


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the shared samples are not beside the project")
@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.json")), ids=lambda p: p.name[:60])
def test_every_cyclonedx_sample_gives_a_graph_or_a_located_problem(run, sample):
    ran = run("check", sample)
    assert ran.code in {0, 1, 2, 3}
    if ran.code == 2:
        assert "[PE3" in ran.err
        assert str(sample) in ran.err
    else:
        assert "  read " in ran.out


def test_code_scanning_finds_files_from_the_root_of_the_repository(run, bank, tmp_path, monkeypatch):
    monkeypatch.chdir(bank.parent)
    run("check", "credit-scoring", "--at", "2026-11-21", f"--output=sarif={tmp_path / 'r.sarif'}")
    (found,) = json.loads((tmp_path / "r.sarif").read_text())["runs"]
    places = [place for r in found["results"] for place in r["locations"]]
    files = {place["physicalLocation"]["artifactLocation"]["uri"] for place in places}
    assert all((bank.parent / file).is_file() for file in files), files


def test_colour_is_for_terminals_only(run, estate):
    assert "\x1b[" not in run(*estate()).out


@pytest.mark.parametrize(("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_terminal_gets_colour_unless_it_declines(estate, environment, coloured):
    import os
    import pty
    import subprocess
    import sys

    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "policy_engine.cli.main", *estate()]
    process = subprocess.Popen(command, stdout=theirs, stderr=theirs, env={"PATH": "", "TERM": "xterm", **environment})
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 65536):
            shown += chunk
    except OSError:
        pass  # the other end is closed: that is how a terminal ends
    os.close(ours)
    assert process.wait() == 1
    assert (b"\x1b[" in shown) is coloured


def test_the_bank_shows_all_five_kinds_of_results(run, bank):
    ran = run("check", bank, "--at", "2026-11-21")
    assert ran.code == 1
    first = ran.out.splitlines()[0]
    for kind in ("pass", "fail", "unknown", "not applicable", "waived"):
        assert f" 0 {kind}" not in first
    assert "-uses_model-> " in ran.out
    assert "does not count[PE4401]" in ran.out


def test_strict_refuses_warnings(run, tmp_path):
    (tmp_path / "i.yaml").write_text("inventory: 1\nnodes:\n  - {id: a, kind: System, colour: red}\n")
    assert run("check", tmp_path / "i.yaml").code != 2
    ran = run("check", tmp_path / "i.yaml", "--strict")
    assert ran.code == 2
    assert "error[PE3141]" in ran.err


def test_outputs_go_through_links_and_pipes_and_never_replace_a_folder(tmp_path):
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.write_text("old")
    link.symlink_to(real)
    write_file(link, b"new")
    assert (link.is_symlink(), real.read_bytes()) == (True, b"new")
    with pytest.raises(InputError, match="is a folder"):
        write_file(tmp_path, b"x")
    write_file(Path("/dev/null"), b"x")
    assert Path("/dev/null").is_char_device()


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv takes root's right to read everything away")
def test_a_folder_that_cannot_be_listed_is_not_an_empty_one(tmp_path):
    (tmp_path / "profile.toml").write_text(
        'profile = 1\npacks = ["eu_ai_act"]\nsources = ["i.yaml"]\nevidence = ["proofs/*.json"]\n'
    )
    (tmp_path / "i.yaml").write_text("inventory: 1\nnodes: [{id: a, kind: System}]\n")
    (tmp_path / "proofs").mkdir()
    (tmp_path / "proofs").chmod(0)
    rights = "-dac_override,-dac_read_search"
    program = ["setpriv", f"--bounding-set={rights}", f"--inh-caps={rights}"] if os.geteuid() == 0 else []
    command = [*program, sys.executable, "-m", "policy_engine.cli.entry", "check", str(tmp_path), "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    (tmp_path / "proofs").chmod(0o700)
    assert (done.returncode, "PE0002" in done.stderr, "proofs" in done.stderr) == (2, True, True), done.stderr
