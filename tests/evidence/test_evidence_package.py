"""The package as a whole: its codes, its examples, what it imports and what it costs to import."""

import ast
import doctest
import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import policy_evidence
from policy_evidence.errors import CODES, EvidenceError, Problem, TrustError, quoted

ROOT = Path(policy_evidence.__file__).parent
SOURCES = sorted(ROOT.rglob("*.py"))
MODULES = sorted(
    ".".join(("policy_evidence", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")
    for path in SOURCES
)
THIRD_PARTY = {"cryptography", "pydantic", "pydantic_core", "rfc8785", "yaml"}


def test_the_table_holds_exactly_the_codes_that_are_raised() -> None:
    used = {
        node.value
        for path in SOURCES
        if path.name != "errors.py"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"PE\d{4}", node.value)
    }
    assert used == set(CODES)
    assert list(CODES) == sorted(CODES)
    assert all(re.fullmatch(r"PE[45]\d{3}", code) for code in CODES)
    assert all(text[0].isupper() and text.endswith(".") and "\n" not in text for text in CODES.values())


def test_every_code_is_provoked_by_a_test() -> None:
    tests = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_evidence_*.py"))
    assert {code for code in CODES if code not in tests} == set()


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_folder_can_be_read_alone(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= 500
    imported = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add((node.module or "").split(".")[0])
    assert imported <= THIRD_PARTY | {"policy_evidence"} | set(sys.stdlib_module_names)
    assert not imported & {"time", "random", "secrets", "socket", "urllib", "http", "subprocess"}


def _loaded_by(statement: str) -> set[str]:
    code = f"import sys, json; {statement}; print(json.dumps(sorted({{m.split('.')[0] for m in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(json.loads(done.stdout))


def test_imports_stay_light() -> None:
    assert not _loaded_by("import policy_evidence") & THIRD_PARTY
    assert not _loaded_by("import policy_evidence.errors, policy_evidence.bundle.archive") & THIRD_PARTY
    assert _loaded_by("import policy_evidence.canonical, policy_evidence.statement") & THIRD_PARTY == {"rfc8785"}
    assert "yaml" not in _loaded_by("import policy_evidence.verify, policy_evidence.trust.model")


def test_errors_carry_what_a_reader_needs() -> None:
    error = EvidenceError("PE4401", "no key signed", "ask the signer", "2 signatures")
    assert (error.code, error.message, error.help, error.step) == (
        "PE4401",
        "no key signed",
        "ask the signer",
        "2 signatures",
    )
    first = Problem("PE4304", "is missing", "keys.a.owner", 3)
    several = TrustError((first, Problem("PE4307", "x", "")))
    assert str(several) == "PE4304: line 3, keys.a.owner: is missing (and 1 more)"
    assert str(Problem("PE4301", "this is not YAML", "", 2)) == "line 2: this is not YAML"
    assert str(Problem("PE4301", "this is not YAML", "")) == "this is not YAML"


def test_quoting_disarms_what_users_write() -> None:
    assert quoted("a\nb\x1b[0m\u202e") == "`a\\nb\\x1b[0m\\u202e`"
    assert len(quoted("x" * 10_000)) < 100
    assert quoted("\ud800").isprintable()
