"""The first files of an organisation: each combination of answers gives files that the engine takes at once."""

import io
import os
import pty
import shlex
import subprocess
import sys
from itertools import product

import pytest
import yaml

from policy_engine.app.start import Region, Sector, packs_for, starter_for, starters
from policy_engine.packs.library import library
from policy_engine.packs.profile import parse_profile
from policy_evidence.trust.document import parse_trust

SAID = ("--organisation", "Müller & Söhne “Test” #1", "--system", "Lead scoring")


@pytest.mark.parametrize(("region", "sector"), list(product(Region, Sector)))
def test_every_combination_begins_with_files_that_are_taken(run, tmp_path, region, sector) -> None:
    begun = run(
        "init", tmp_path / "new", *SAID, "--region", region.value, "--sector", sector.value, "--role", "deployer"
    )
    assert begun.code == 0, begun.err
    profile = parse_profile((tmp_path / "new" / "profile.toml").read_bytes(), "profile.toml")
    assert profile.organisation == SAID[1]
    assert set(profile.packs) >= (set() if starter_for(region, sector) else set(packs_for(region, sector)))
    known = {name.partition(".")[0] for name in library()}
    assert {pack.partition(".")[0] for pack in profile.packs} <= known
    parse_trust((tmp_path / "new" / "trust.yaml").read_bytes())
    nodes = yaml.safe_load((tmp_path / "new" / "inventory.yaml").read_text("utf-8"))["nodes"]
    assert [(n["kind"], n["name"]) for n in nodes] == [("Organisation", SAID[1]), ("System", SAID[3])]
    assert nodes[1]["role"] == "deployer"
    # The profile sets nothing that its packs do not have: that would be bad input, and exit with 2.
    assert run("check", tmp_path / "new", "--at", "2026-11-21", "--quiet").code == 1


@pytest.mark.parametrize("starter", starters())
def test_a_starter_is_checked_without_an_error_or_a_pass_by_silence(run, tmp_path, starter) -> None:
    assert run("init", tmp_path, *SAID, "--starter", starter).code == 0
    checked = run("check", tmp_path, "--at", "2026-11-21")
    # An organisation that has said nothing yet is never compliant.
    assert checked.code == 1, checked.err
    assert "error" not in checked.err
    assert "FAIL" in checked.out


def test_every_commented_fact_is_one_that_may_be_written(run, tmp_path) -> None:
    """With every sign taken away, the inventory has no key that does not exist."""
    run("init", tmp_path, *SAID, "--starter", "eu_bank")
    file = tmp_path / "inventory.yaml"
    head, _, body = file.read_text("utf-8").partition("nodes:\n")
    lines = [line.replace("# ", "", 1) if line.lstrip().startswith("#") else line for line in body.splitlines()]
    written = "\n".join(line.partition(":  #")[0] + ":" if ":  #" in line else line for line in lines)
    file.write_text(f"{head}nodes:\n{written}\n", "utf-8")
    found = run("inventory", tmp_path)
    assert "PE3108" not in found.err + found.out
    assert "did you mean" not in found.err + found.out


@pytest.mark.parametrize(
    ("pipeline", "file"), [("github", ".github/workflows/ai-policy.yml"), ("gitlab", "ai-policy.gitlab-ci.yml")]
)
def test_the_pipeline_file_is_yaml_that_checks(run, tmp_path, pipeline, file) -> None:
    run("init", tmp_path, *SAID, "--starter", "small_company", "--ci", pipeline)
    text = (tmp_path / file).read_text("utf-8")
    assert yaml.safe_load(text)
    assert "policy-engine check ." in text


def test_nothing_is_written_over_and_then_nothing_is_written(run, tmp_path) -> None:
    (tmp_path / "trust.yaml").write_text("mine")
    found = run("init", tmp_path, *SAID, "--starter", "eu_bank")
    assert found.code == 2
    assert "error[PE3911]" in found.err
    assert [path.name for path in tmp_path.iterdir()] == ["trust.yaml"]


@pytest.mark.parametrize(
    "name", ["123", "null", "2026-01-01", "1e5", "0x1F", "12:30:45", "No", "系统", "#", '"', "{x}: |`"]
)
def test_any_name_gives_an_inventory_that_is_taken(run, tmp_path, name) -> None:
    assert run("init", tmp_path, "--organisation", name, "--system", name, "--starter", "small_company").code == 0
    listed = run("inventory", tmp_path)
    assert listed.code == 0, listed.err
    assert parse_profile((tmp_path / "profile.toml").read_bytes(), "profile.toml").organisation == name


def test_where_a_folder_cannot_be_made_nothing_is_written(run, tmp_path) -> None:
    (tmp_path / ".github").write_text("a file")
    found = run("init", tmp_path, *SAID, "--starter", "eu_bank", "--ci", "github")
    assert (found.code, found.out) == (2, "")
    assert [path.name for path in tmp_path.iterdir()] == [".github"]


def test_a_link_that_leads_nowhere_is_not_written_through(run, tmp_path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "profile.toml").symlink_to(tmp_path / "elsewhere.toml")
    assert "error[PE3911]" in run("init", tmp_path / "new", *SAID, "--starter", "eu_bank").err
    assert not (tmp_path / "elsewhere.toml").exists()


def test_a_file_in_the_place_of_the_folder_is_told(run, tmp_path) -> None:
    (tmp_path / "new").write_text("a file")
    found = run("init", tmp_path / "new", *SAID, "--starter", "eu_bank")
    assert (found.code, "error[PE0002]" in found.err) == (2, True)


def test_the_steps_that_are_named_can_be_taken(run, tmp_path) -> None:
    folder = tmp_path / "new folder"
    begun = run("init", folder, *SAID, "--starter", "small_company", "--role", "deployer", "--role", "deployer")
    commands = [
        shlex.split(line.partition("policy-engine ")[2]) for line in begun.out.splitlines() if str(folder) in line
    ]
    taken = [run(*command) for command in commands if command[:1] in (["check"], ["evidence"])]
    assert [step.code for step in taken] == [1, 0]
    assert "    role: deployer" in (folder / "inventory.yaml").read_text("utf-8")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--starter", "eu_bank"],
        ["--organisation", "X", "--region", "eu"],
        ["--organisation", " ", "--starter", "eu_bank"],
        ["--organisation", "a\nb", "--starter", "eu_bank"],
        ["--organisation", "X", "--starter", "eu_bank", "--region", "eu"],
        ["--organisation", "X", "--starter", "moon"],
    ],
)
def test_what_is_missing_or_wrong_is_said(run, tmp_path, arguments, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())  # nobody to ask
    found = run("init", tmp_path / "new", *arguments)
    assert found.code == 2
    assert found.err
    assert not (tmp_path / "new").exists()


def test_a_person_at_a_terminal_is_asked(tmp_path) -> None:
    ours, theirs = pty.openpty()
    program = [sys.executable, "-c", "from policy_engine.cli.entry import main; main()"]
    started = subprocess.Popen([*program, "init", str(tmp_path / "new")], stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    os.write(ours, b"Example Clinic\nus\nhealth\nTriage\nunsure\nnone\n")
    assert started.wait(timeout=60) == 0
    os.close(ours)
    profile = parse_profile((tmp_path / "new" / "profile.toml").read_bytes(), "profile.toml")
    assert (profile.organisation, profile.packs[0]) == ("Example Clinic", "hipaa_security")
