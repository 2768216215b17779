"""What the manual repeats of the program is up to date."""

from __future__ import annotations

import importlib.util
import json
import re
from importlib import resources
from pathlib import Path
from types import ModuleType

import jsonschema
import pytest

from policy_dsl.codes import CODES
from policy_dsl.syntax.lark_parser import keywords
from policy_engine.app.codes import all_codes
from policy_engine.cli.main import cli
from tests.docs.doc_blocks import DOCS, blocks

NOT_SHOWN = {"PE1009", "PE1010", "PE1011"}
"""Bytes that are no text, a line of hundreds of brackets, and what nobody can see: a block cannot show them."""


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


def test_each_code_has_a_page_and_a_row_of_the_index() -> None:
    index = (DOCS / "reference" / "codes.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| \[(PE\d{4})\]\(codes/\1\.md\)", index, re.MULTILINE) == list(all_codes())
    assert sorted(p.stem for p in (DOCS / "reference" / "codes").iterdir()) == list(all_codes())


@pytest.mark.parametrize("code", [code for code in CODES if code not in NOT_SHOWN])
def test_each_code_of_the_language_shows_what_is_wrong_and_what_is_right(code: str) -> None:
    shown = list(blocks(DOCS / "reference" / "codes" / f"{code}.md"))
    assert [b.language for b in shown[:2]] == ["policy", "policy"]
    assert (shown[0].wrong_code, shown[1].wrong_code) == (code, None)


def test_codes_named_in_the_manual_exist() -> None:
    for page in DOCS.rglob("*.md"):
        assert set(re.findall(r"\bPE\d{4}\b", page.read_text(encoding="utf-8"))) <= {*all_codes(), "PE9999"}, page


def test_notes_survive_regeneration(writer: ModuleType) -> None:
    note = "By hand.\n\n```sh\n# no heading\n```"
    assert writer.notes(f"# PE0001\n\n[Group](a.md)\n\nMeaning.\n\n{note}\n") == note
    assert writer.notes("# PE0001\n\n[Group](a.md)\n\nMeaning.\n") == ""


def test_the_grammar_page_leaves_nothing_out(writer: ModuleType) -> None:
    source = resources.files("policy_dsl.syntax").joinpath("grammar.lark").read_text(encoding="utf-8")
    source = re.sub(r"^(//|%).*|->.*", "", source, flags=re.MULTILINE)
    page = writer.grammar_page()
    for words in (r'"[^"\n]*"', r"^\??(\w+)(?:\.\d+)?:"):
        assert set(re.findall(words, source, re.MULTILINE)) <= set(re.findall(r'"[^"\n]*"|\w+', page))


def test_every_command_is_in_the_manual(writer: ModuleType) -> None:
    page = (DOCS / "cli.md").read_text(encoding="utf-8")
    for words in writer.commands(cli, ()):
        assert re.search(rf"^#+ {' '.join(['policy-engine', *words])}$", page, re.MULTILINE)


@pytest.mark.parametrize("path", sorted((DOCS / "schemas").glob("*.json")), ids=lambda path: path.name)
def test_published_schemas_are_schemas(path: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(path.read_text(encoding="utf-8")))


def test_every_keyword_is_explained() -> None:
    pages = ("reference.md", "specification.md", "specification-results.md")
    text = "".join((DOCS / "language" / page).read_text(encoding="utf-8") for page in pages)
    assert set(keywords().values()) <= set(re.findall(r"\w+", text))
