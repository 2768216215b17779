"""The commands on stored snapshots, as their users run them."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from policy_engine.cli.main import main
from tests.store.conftest import Ran, new_schema

Run = Callable[..., Ran]

POLICY = """policy own.rules
    version "1.0.0"
    basis firm_policy
use std.ai
rule owned
    "Every model in production has an owner"
    severity high
    for each Model where model.stage is production
    must model.owner is known
    otherwise "{model.name} has no owner"
    remedy "Name the owner"
"""
INVENTORY = """inventory: 1
asserted_by: the office
nodes:
  - id: scorer
    kind: Model
    name: Scorer
    stage: {stage}
{more}
"""


STATES = (
    ("2026-01-01", "development", ""),
    ("2026-03-01", "production", ""),
    ("2026-05-01", "production", "    owner: Maria"),
)


def _import_states(folder: Path, place: str) -> None:
    """Put in three states: in development, in production without an owner, and with one. Their file is then gone."""
    inventory = folder / "inventory.yaml"
    for at, stage, more in STATES:
        inventory.write_text(INVENTORY.format(stage=stage, more=more))
        options = ("--store", place, "--as-of", at, "--comment", stage)
        with pytest.raises(SystemExit) as stop:
            main(["snapshot", "import", str(folder), *options])
        assert stop.value.code == 0
    inventory.unlink()


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("profile")
    (folder / "own.policy").write_text(POLICY)
    (folder / "profile.toml").write_text('profile = 1\npacks = ["own.policy"]\nsources = ["inventory.yaml"]\n')
    return folder


@pytest.fixture(scope="module")
def made(profile: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "year.db"
    _import_states(profile, str(path))
    return path


@pytest.fixture
def year(made: Path, tmp_path: Path) -> str:
    """A store of our own with the three states."""
    return str(shutil.copy(made, tmp_path / "year.db"))


def test_a_server_answers_as_a_file_does(run: Run, profile: Path, postgres: str) -> None:
    place = new_schema(postgres)
    _import_states(profile, place)
    assert [run("check", profile, "--store", place, "--as-of", at).code for at, _, _ in STATES] == [0, 1, 0]
    assert run("snapshot", "verify", "--store", place).out.count("ok  sha256:") == 3


@pytest.mark.parametrize(("at", "code"), [("2026-02-01", 0), ("2026-03-03", 1), ("2026-06-01", 0)])
def test_what_was_in_production_then_and_did_it_comply(run: Run, profile: Path, year: str, at: str, code: int) -> None:
    ran = run("check", profile, "--store", year, "--as-of", at)
    assert ran.code == code, ran.err
    assert f"at {at}T00:00:00Z" in ran.out
    assert "from snapshot sha256:" in ran.out


def test_a_snapshot_is_checked_by_packs_alone_and_at_another_instant(
    run: Run, profile: Path, year: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options = ("--pack", profile / "own.policy", "--store", year)
    assert run("check", *options).code == 0
    ran = run("check", *options, "--as-of", "2026-03-03", "--at", "2027-01-01")
    assert (ran.code, "at 2027-01-01" in ran.out) == (1, True)


def test_the_store_may_be_named_by_the_environment(
    run: Run, profile: Path, year: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("snapshot", "list").code == 2
    monkeypatch.setenv("POLICY_ENGINE_STORE", year)
    assert run("snapshot", "list").code == 0
    assert run("check", profile, "--as-of", "2026-03-03").code == 1
    # A store in the environment never takes the place of the profile's sources by itself.
    assert "PE0006" in run("check", profile).err


def test_list_show_and_diff_in_text(run: Run, year: str) -> None:
    lines = run("snapshot", "list", "--store", year).out.splitlines()
    assert [line[:10] for line in lines] == ["2026-01-01", "2026-03-01", "2026-05-01"]
    shown = run("snapshot", "show", "2026-03-03", "--store", year).out
    assert "as of    2026-03-01T00:00:00Z" in shown
    assert "1  Model" in shown
    told = run("snapshot", "diff", "2026-01-02", "latest", "--store", year).out
    assert told.splitlines()[2:] == [
        "~ Model scorer",
        "    owner: nothing → `Maria`",
        "    stage: `development` → `production`",
        "1 thing changed",
    ]
    assert "no fact differs" in run("snapshot", "diff", "latest", "--store", year).out
    assert "… and 2 more lines" in run("snapshot", "diff", "2026-01-02", "--limit", "1", "--store", year).out


def test_json_is_json(run: Run, year: str) -> None:
    listed = json.loads(run("snapshot", "list", "--store", year, "--format", "json").out)
    assert [moment["comment"] for moment in listed["moments"]] == ["development", "production", "production"]
    digest = listed["moments"][0]["digest"]
    shown = json.loads(run("snapshot", "show", digest[:15], "--store", year, "--format", "json").out)
    assert (shown["kinds"], shown["moments"][0]["digest"]) == ({"Model": 1}, digest)
    told = json.loads(run("snapshot", "diff", digest, "latest", "--store", year, "--format", "json").out)
    assert [fact["after"] for fact in told["changes"][0]["facts"]] == ["Maria", "production"]


def test_an_export_has_the_digest_as_its_own(run: Run, year: str, tmp_path: Path) -> None:
    out = tmp_path / "snapshot.json"
    ran = run("snapshot", "export", "latest", "--out", out, "--store", year)
    assert (ran.code, ran.out.splitlines()[0]) == (0, "sha256:" + hashlib.sha256(out.read_bytes()).hexdigest())


def test_verify_and_forget(run: Run, year: str) -> None:
    assert run("snapshot", "verify", "--store", year).out.count("ok  sha256:") == 3
    digest = run("snapshot", "show", "2026-03-03", "--store", year).out.split()[1]
    assert run("snapshot", "forget", digest, "--store", year).out == f"forgotten: {digest}\n"
    assert run("snapshot", "verify", "--store", year).out.count("ok  sha256:") == 2
    ran = run("snapshot", "forget", digest, "--store", year)
    assert (ran.code, "PE3306" in ran.err) == (2, True)


def test_lines_and_tables_are_imported(run: Run, profile: Path, tmp_path: Path) -> None:
    place = tmp_path / "estate.db"
    lines = tmp_path / "estate.ndjson"
    lines.write_text('{"inventory": 1}\n{"id": "scorer", "kind": "Model", "stage": "production"}\n')
    ran = run("snapshot", "import", lines, "--packs-of", profile, "--store", place, "--as-of", "2026-01-01")
    assert ran.code == 0, ran.err
    assert run("check", profile, "--store", place).code == 1
    pytest.importorskip("duckdb")
    nodes, edges = tmp_path / "nodes.csv", tmp_path / "edges.csv"
    nodes.write_text("id,kind,owner\nscorer,Model,Maria\nloans,Dataset,\n")
    edges.write_text("type,source,target\ntrained_on,scorer,loans\n")
    assert run("snapshot", "import", nodes, "--edges", edges, "--store", place).code == 0
    told = run("snapshot", "diff", "2026-01-01", "latest", "--store", place).out
    assert "+ scorer trained_on loans" in told


def test_errors_put_nothing_in(run: Run, tmp_path: Path) -> None:
    place = tmp_path / "estate.db"
    lines = tmp_path / "estate.ndjson"
    lines.write_text('{"inventory": 1}\n' + '{"id": "a", "kind": "Modle"}\n' * 120)
    ran = run("snapshot", "import", lines, "--store", place)
    assert ran.code == 2
    assert "estate.ndjson:2: error[PE3140]: `a` is of kind `Modle`" in ran.err
    assert "help: did you mean `Model`?" in ran.err
    assert "and 20 more like these" in ran.err
    assert "holds no snapshots" in run("snapshot", "list", "--store", place).out
    wrong = tmp_path / "inventory.yaml"
    wrong.write_text("inventory: 1\nnodes: [{id: a, kind: Modle}]\n")
    ran = run("snapshot", "import", wrong, "--store", place, "--format", "json")
    assert (ran.code, json.loads(ran.out)["kept"], json.loads(ran.out)["errors"]) == (2, None, 1)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("import", "no.yaml"), "PE0001"),
        (("import", "no.ndjson"), "PE0001"),
        (("import", ".", "--packs-of", "x"), "PE0007"),
        (("import", "estate.ndjson", "--packs-of", "estate.ndjson"), "PE0007"),
        (("import", "estate.ndjson", "--edges", "no.csv"), "PE0001"),
        (("show", "2026-13-01"), "PE0005"),
        (("show", "nonsense"), "PE3306"),
        (("show", "2020-01-01"), "PE3308"),
        (("diff", "latest", "1234"), "PE3306"),
        (("export", "--out", "folder"), "PE0002"),
        (("forget", "latest!"), "PE3306"),
    ],
)
def test_wrong_use_has_a_code(
    run: Run, year: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "estate.ndjson").write_text('{"inventory": 1}\n')
    (tmp_path / "folder").mkdir()
    ran = run("snapshot", *arguments, "--store", year)
    assert (ran.code, f"[{code}]" in ran.err) == (2, True), ran.err
