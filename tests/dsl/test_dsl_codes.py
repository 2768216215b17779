"""Every code is raised by a case of the conformance corpus, and every code that is raised is registered."""

import re
from pathlib import Path

import yaml

from policy_dsl.codes import CODES

ROOT = Path(__file__).parents[2]
STAGES = [ROOT / "dsl" / "policy_dsl" / stage for stage in ("syntax", "resolved", "typed")]
CORPUS = ROOT / "tests" / "conformance"


def raised() -> set[str]:
    sources = [p.read_text(encoding="utf-8") for stage in STAGES for p in stage.rglob("*.py")]
    return {code for text in sources for code in re.findall(r'"(PE\d{4})"', text)}


def test_what_is_raised_is_registered_and_what_is_registered_is_raised():
    compiling = {code for code in CODES if code[2] in "12"}
    assert raised() == compiling


def test_every_code_has_a_case():
    files = [yaml.load(p.read_text(encoding="utf-8"), Loader=yaml.CBaseLoader) for p in CORPUS.glob("*.yaml")]
    shown = {d["code"] for file in files for case in file["cases"] for d in case.get("diagnostics", ())}
    assert shown == raised()


def test_every_code_is_described():
    described = (ROOT / "docs" / "reference" / "codes.md").read_text(encoding="utf-8")
    assert [code for code in CODES if code not in described] == []


def test_meanings_are_plain_sentences():
    for code, meaning in CODES.items():
        assert re.fullmatch(r"PE\d{4}", code)
        assert meaning[0] in "`abcdefghijklmnopqrstuvwxyz" and not meaning.endswith(".")
