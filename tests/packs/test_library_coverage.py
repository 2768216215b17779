"""Every obligation of the catalogue has a rule or a written reason, and every page of the library says what is so."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

from policy_engine.app.evaluate import compile_policies
from policy_engine.app.rule_page import why
from policy_engine.app.start import STARTERS, roles_document, starters
from policy_engine.model.errors import InputError
from policy_engine.packs.coverage import Coverage, parse_coverage
from policy_engine.packs.library import library, library_folder, select
from policy_engine.packs.profile import parse_profile

ROOT = Path(__file__).parents[2]
CATALOGUE = ROOT.parent / "shared" / "regulations" / "regulations.json"
FRAMEWORKS = 13
"""How many frameworks the catalogue has; their numbers are those of its sections."""

PROGRAM = compile_policies(select(library(), {}).files, {})[0]
DOCUMENTS: dict[Path, Coverage] = {
    path: parse_coverage(path.read_bytes(), path.name) for path in sorted(library_folder().glob("*/*.yaml"))
}
TOPS = sorted({name.partition(".")[0] for name in library()} - {"std"})


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("write_library", ROOT / "docs" / "write_library.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_framework_of_the_catalogue_has_a_document() -> None:
    numbers = sorted(d.regulation for d in DOCUMENTS.values() if isinstance(d.regulation, int))
    assert numbers == list(range(1, FRAMEWORKS + 1))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_every_rule_of_a_document_exists(path: Path) -> None:
    assert not sorted(DOCUMENTS[path].rules - set(PROGRAM.rules))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_no_row_stands_twice(path: Path) -> None:
    ids = [row.id for row in DOCUMENTS[path].rows]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("top", TOPS)
def test_every_rule_stands_for_a_row_or_says_why_it_is_there(top: str) -> None:
    named = frozenset().union(*(document.rules for document in DOCUMENTS.values()))
    assert not sorted(name for name in PROGRAM.rules if name.partition(".")[0] == top and name not in named)


OF_THE_CATALOGUE = [path for path, document in DOCUMENTS.items() if isinstance(document.regulation, int)]
"""Without those whose rows are the pack's own."""


@pytest.mark.parametrize("path", OF_THE_CATALOGUE, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_the_rows_are_those_of_the_catalogue(path: Path) -> None:
    document = DOCUMENTS[path]
    if not CATALOGUE.exists():
        pytest.skip("the catalogue of obligations is not here")
    entries = json.loads(CATALOGUE.read_bytes())
    names = list(dict.fromkeys(entry["regulation"] for entry in entries))
    wanted = {e["id"]: _class(e["test"]) for e in entries if e["regulation"] == names[int(document.regulation) - 1]}
    assert {row.id: row.test_class for row in document.rows} == wanted


def _class(written: str) -> str:
    letters = [part.strip()[:1] for part in re.sub(r"\(.*?\)", "", written).split("+")]
    return "+".join(letters).replace("—", "-")


@pytest.mark.parametrize("rule", PROGRAM.rules.values(), ids=lambda rule: rule.name)
def test_every_rule_says_why_it_is_asked(rule: object) -> None:
    reason = why(PROGRAM, rule)  # type: ignore[arg-type]
    assert len(reason.split()) >= 5
    assert reason.endswith(".")


def test_the_pages_are_up_to_date(writer: ModuleType) -> None:
    stale = [str(path.relative_to(ROOT)) for path, text in writer.generated().items() if _read(path) != text]
    assert not stale, "run python docs/write_library.py"
    assert not list(writer.stale())


def _read(path: Path) -> str:
    return path.read_text("utf-8") if path.is_file() else ""


@pytest.mark.parametrize("name", starters())
def test_a_starter_is_a_profile_of_packs_that_exist(name: str) -> None:
    profile = parse_profile((STARTERS / name / "profile.toml").read_bytes(), name)
    chosen = select(profile.packs, {})
    program = compile_policies(chosen.files, profile.parameters)[0].only(chosen.selected)
    assert (STARTERS / name / "README.md").is_file()
    assert (STARTERS / name / "roles.yaml").read_text("utf-8") == roles_document(program)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "valid YAML"),
        ("framework: X\nregulation: 1\nrows: []\n", "rows"),
        ("framework: X\nregulation: 1\nrows: [{id: a, class: A}]\n", "names rules, or gives a reason"),
        ("framework: X\nregulation: 1\nrows: [{id: a, class: Q, reason: r}]\n", "class"),
        ("framework: X\nregulation: 1\nrows: [{id: a, class: A, reason: r}]\nmore: 1\n", "more"),
    ],
)
def test_a_document_that_is_none_says_where(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_coverage(text.encode(), "coverage.yaml")
