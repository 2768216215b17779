"""What the manual repeats of the program is up to date."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import jsonschema
import pytest

from policy_engine.app.codes import all_codes
from policy_engine.cli.main import cli
from tests.docs.doc_blocks import DOCS


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    found = importlib.util.spec_from_file_location("write_reference", DOCS / "write_reference.py")
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_generated_files_are_up_to_date(writer: ModuleType) -> None:
    stale = [
        path.relative_to(DOCS).as_posix()
        for path, text in writer.generated().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    assert stale == [], "run `python docs/write_reference.py`"


def test_each_code_has_one_heading() -> None:
    page = (DOCS / "reference" / "codes.md").read_text(encoding="utf-8")
    assert re.findall(r"^### (.*)$", page, re.MULTILINE) == list(all_codes())


def test_codes_named_in_the_manual_exist() -> None:
    for page in DOCS.rglob("*.md"):
        assert set(re.findall(r"\bPE\d{4}\b", page.read_text(encoding="utf-8"))) <= {*all_codes(), "PE9999"}, page


def test_notes_survive_regeneration(writer: ModuleType) -> None:
    note = "By hand.\n\n```sh\n### no heading\n```"
    page = f"# Codes\n\n## A\n\n### PE0001\n\nMeaning.\n\n{note}\n\n## B\n\n### PE0002\n\nMeaning.\n"
    assert writer.notes(page) == {"PE0001": note, "PE0002": ""}


def test_every_command_is_in_the_manual(writer: ModuleType) -> None:
    page = (DOCS / "cli.md").read_text(encoding="utf-8")
    for words in writer.commands(cli, ()):
        assert re.search(rf"^#+ {' '.join(['policy-engine', *words])}$", page, re.MULTILINE)


@pytest.mark.parametrize("path", sorted((DOCS / "schemas").glob("*.json")), ids=lambda path: path.name)
def test_published_schemas_are_schemas(path: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(path.read_text(encoding="utf-8")))
