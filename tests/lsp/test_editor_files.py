"""The extension for VS Code: its files are valid, and its colours know every word of the grammar."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from policy_dsl.syntax.lark_parser import keywords
from policy_dsl.values import duration_of

EXTENSION = Path(__file__).parents[2] / "editors" / "vscode"
GRAMMAR: dict[str, Any] = json.loads((EXTENSION / "syntaxes" / "policy.tmLanguage.json").read_text("utf-8"))
PARTS: dict[str, dict[str, Any]] = GRAMMAR["repository"]
WORDS = ("declarations", "clauses", "quantifiers", "operators", "constants")


def words_of(part: str) -> set[str]:
    found = re.search(r"\(\?:([a-z|]+)\)", PARTS[part]["match"])
    assert found is not None
    return set(found[1].split("|"))


def test_every_keyword_is_coloured_once_and_nothing_else_is() -> None:
    lists = [words_of(part) for part in WORDS]
    assert set().union(*lists) == set(keywords().values())
    assert sum(map(len, lists)) == len(keywords())


def test_every_part_is_used_and_is_a_regular_expression() -> None:
    assert [p["include"] for p in GRAMMAR["patterns"]] == [f"#{name}" for name in PARTS]
    for part in PARTS.values():
        for key in ("match", "begin", "end"):
            if key in part:
                re.compile(part[key])


@pytest.mark.parametrize(
    ("part", "text", "matched"),
    [
        ("comments", "x # y", "# y"),
        ("dates", "at 2028-01-15T09:00Z", "2028-01-15T09:00Z"),
        ("amounts", "than 365 days", "365 days"),
        ("amounts", "over 99.95 USD", "99.95 USD"),
        ("numbers", "at least 80%", "80%"),
        ("declared", "rule data.kept", "rule data.kept"),
        ("placeholders", "stage: <stage>", "<stage>"),
        ("clauses", "    must every", "must"),
        ("clauses", "system.source", None),
        ("clauses", "    source: Text", None),
        ("types", "every Dataset", "Dataset"),
        ("types", "system.Stage", None),
        ("calls", "where high_risk(system)", "high_risk"),
    ],
)
def test_what_is_coloured(part: str, text: str, matched: str | None) -> None:
    found = re.search(PARTS[part]["match"], text)
    assert (found[0] if found else None) == matched


def test_units_are_those_of_the_language() -> None:
    for unit in ("year", "months", "week", "days", "hours", "minute"):
        assert duration_of(1, unit) is not None
        assert re.fullmatch(PARTS["amounts"]["match"], f"2 {unit}")


def test_the_manifest_names_files_that_exist_and_trusts_no_workspace() -> None:
    manifest = json.loads((EXTENSION / "package.json").read_text("utf-8"))
    contributes = manifest["contributes"]
    files = [g["path"] for g in contributes["grammars"]]
    files += [language["configuration"] for language in contributes["languages"]]
    files.append(manifest["main"])
    for file in files:
        assert (EXTENSION / file).is_file(), file
    for file in [*files[:-1], "package.json"]:
        json.loads((EXTENSION / file).read_text("utf-8"))
    # A folder that is opened must not choose the program that runs.
    assert contributes["configuration"]["properties"]["policyEngine.command"]["scope"] == "machine"


def test_the_client_is_javascript() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not on the path")
    subprocess.run([node, "--check", str(EXTENSION / "extension.js")], check=True, timeout=30)
