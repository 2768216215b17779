"""Every rule fires on the example of its page and is silent on what the page says to use instead."""

import importlib.util
import re
from pathlib import Path

import pytest

from policy_dsl.lint import RULES, LintRule, apply_edits, lint_sources
from policy_dsl.lint.codes import CODES
from policy_dsl.source import SourceFile

ROOT = Path(__file__).parents[2]
LIBRARY = [
    SourceFile(str(p), p.read_text(encoding="utf-8"))
    for p in sorted((ROOT / "policies" / "library" / "std").glob("*.policy"))
]
HEADINGS = ["What it does", "Why", "Example", "Use instead", "Fix"]
HEADER = 'policy demo.page\n    title   "A page"\n    version "1.0.0"\n    basis   firm_policy\n\nuse std.ai\n\n'


def lint(text: str, *rules: LintRule):
    source = SourceFile("page.policy", text if text.startswith("policy ") else HEADER + text)
    return source, lint_sources([*LIBRARY, source], {"page.policy"}, rules or RULES)


def blocks(rule: LintRule) -> list[str]:
    return re.findall(r"```policy\n(.*?)```", rule.page or "", re.DOTALL)


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.name)
def test_the_page_has_its_headings(rule: LintRule) -> None:
    assert re.findall(r"^## (.*)$", rule.page or "", re.MULTILINE) == HEADINGS
    assert len(blocks(rule)) == 2
    assert Path(str(rule.check.__code__.co_filename)).stem == rule.name.replace("-", "_")


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.name)
def test_a_rule_fires_on_its_example_and_not_on_what_to_use_instead(rule: LintRule) -> None:
    example, instead = blocks(rule)
    _, report = lint(example, rule)
    assert {f.rule for f in report.found} == {rule.name}
    assert all(f.diagnostic.code == rule.code and f.diagnostic.help for f in report.found)
    assert not lint(instead, rule)[1].found


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.name)
def test_messages_are_plain(rule: LintRule) -> None:
    for found in lint(blocks(rule)[0], rule)[1].found:
        message = found.diagnostic.message
        assert message == message.strip() and "\n" not in message and not message.endswith(".")
        assert not message[0].isupper()


def test_codes_and_names_are_each_given_once() -> None:
    assert len({r.code for r in RULES}) == len({r.name for r in RULES}) == len(RULES) >= 20
    assert {r.code for r in RULES} | {"PE8090", "PE8091", "PE8092"} == set(CODES)


@pytest.mark.parametrize("rule", [r for r in RULES if "There is none" not in (r.page or "")], ids=lambda r: r.name)
def test_a_fix_removes_the_finding(rule: LintRule) -> None:
    example, _ = blocks(rule)
    text = example.replace("not (model.stage is not production)", "not not model.general_purpose")
    source, report = lint(text, rule)
    edits = report.edits("page.policy")
    assert edits
    assert not lint(apply_edits(source.text, edits), rule)[1].found


def test_pages_are_up_to_date() -> None:
    found = importlib.util.spec_from_file_location("write_pages", ROOT / "docs" / "lint" / "write_pages.py")
    assert found is not None and found.loader is not None
    writer = importlib.util.module_from_spec(found)
    found.loader.exec_module(writer)
    pages = writer.generated()
    stale = [p.name for p, text in pages.items() if not p.exists() or p.read_text(encoding="utf-8") != text]
    assert stale == [], "run `python docs/lint/write_pages.py`"
    assert {p.name for p in (ROOT / "docs" / "lint").glob("*.md")} == {p.name for p in pages}


GREEDY = {
    # what follows `where` in `system has evidence ours where …`: how many operands are not about it
    "approved or (system has evidence theirs where passed)": 1,
    "approved or system has evidence theirs where passed": 1,
    "approved and system has evidence theirs where passed": 1,
    "approved and system has evidence theirs where passed or system.open": 2,
    "approved or not approved and system.open": 1,
    "approved and system.stage is production": 1,
    "approved and every Model in system.uses_model has evidence ours where approved": 1,
    "approved or system has evidence theirs": 1,
    "approved and grade > 2": 0,
    "(approved or system.open)": 0,
    "approved and (grade > 2 or system.open)": 0,
    "approved": 0,
}


@pytest.mark.parametrize("where", GREEDY)
def test_what_the_where_of_evidence_takes_in_is_found(where: str) -> None:
    words = (
        "extend node System { open: Boolean }\n"
        "evidence ours on System, Model { approved: Boolean grade: Integer }\n"
        "evidence theirs on System { passed: Boolean }\n"
    )
    text = f"{words}define d(system: System) as system has evidence ours where {where}\n"
    greedy = next(r for r in RULES if r.name == "greedy-where")
    found = lint(text, greedy)[1].found
    assert len(found) == GREEDY[where], [f.diagnostic.message for f in found]


BARE = {
    "system.open if unknown then system.shut is not true": 1,
    "system.open is system.shut if unknown then true": 1,
    "(system.size if unknown then 1) + 1 > 2 if unknown then 3": 1,
    "system.size between 1 if unknown then 2 and 3": 1,
    "system.open if unknown then system.shut is known": 1,
    "(system.open if unknown then system.shut) is not true": 0,
    "system.open if unknown then (system.shut is not true)": 0,
    "not system.open if unknown then true": 0,
}


@pytest.mark.parametrize("condition", BARE)
def test_if_unknown_beside_a_comparison_needs_brackets(condition: str) -> None:
    words = "extend node System { open: Boolean shut: Boolean size: Integer }\n"
    bare = next(r for r in RULES if r.name == "bare-if-unknown")
    found = lint(f"{words}define d(system: System) as {condition}\n", bare)[1].found
    assert len(found) == BARE[condition]
