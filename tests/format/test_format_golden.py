"""The canonical layout by example, and the policies of the project that follow it."""

from pathlib import Path

import pytest

from policy_dsl.format import FormatError, format_source
from policy_dsl.source import SourceFile

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"
OURS = sorted(p for folder in ("policies", "examples") for p in (ROOT / folder).rglob("*.policy*"))
INTENT = ROOT.parent / "shared" / "design" / "language.md"


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.input.*")), ids=lambda p: p.name)
def test_golden(path: Path) -> None:
    expected = path.with_name(path.name.replace(".input.", ".expected.")).read_text(encoding="utf-8")
    assert format_source(SourceFile(path.name, path.read_text(encoding="utf-8"))) == expected
    assert format_source(SourceFile(path.name, expected)) == expected


@pytest.mark.parametrize("path", OURS, ids=lambda p: p.name)
def test_our_policies_stay_formatted(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert format_source(SourceFile(path.name, text)) == text, "run `policy-engine fmt policies examples`"


@pytest.mark.skipif(not INTENT.is_file(), reason="the shared design is not beside the project")
def test_the_pack_of_the_design_is_laid_out_as_its_author_wrote_it() -> None:
    text = INTENT.read_text(encoding="utf-8").split("```")[1]
    # That page leaves a wider gap between the columns of its header and its facts.
    text = text[text.index("use std.ai") :].replace("credit  {", "credit {")
    assert format_source(SourceFile("a.policy", text)) == text


def test_every_mistake_of_a_file_that_does_not_parse_is_reported() -> None:
    with pytest.raises(FormatError) as refused:
        format_source(SourceFile("a.policy", "policy a\nrule x\n    must\nrule y\n    for each\n"))
    assert [(d.code, d.span.file) for d in refused.value.diagnostics] == [("PE1003", "a.policy")] * 2


def test_places_in_a_document_are_those_of_the_document() -> None:
    text = "# Title\n\n```policy\npolicy a\nrule r must )\n```\n"
    with pytest.raises(FormatError) as refused:
        format_source(SourceFile("a.policy.md", text))
    assert text[refused.value.diagnostics[0].span.start :].startswith(")\n```")


def test_a_declaration_over_two_blocks_is_refused() -> None:
    text = "```policy\npolicy a\nrule r for each X\n```\nprose\n```policy\n    must true\n```\n"
    with pytest.raises(FormatError) as refused:
        format_source(SourceFile("a.policy.md", text))
    assert [d.code for d in refused.value.diagnostics] == ["PE8002"]


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff"])
def test_nothing_stays_nothing(text: str) -> None:
    assert format_source(SourceFile("a.policy", text)) == ""


def test_a_file_of_comments_keeps_them() -> None:
    assert format_source(SourceFile("a.policy", "  # one\n\n\n#two")) == "# one\n\n#two\n"


def test_a_text_with_spaces_and_marks_is_not_touched() -> None:
    text = 'policy a\n    title "  # not a comment,  (really)  \\" {x}"\n'
    assert format_source(SourceFile("a.policy", text)) == text


@pytest.mark.parametrize("condition", ["(" * 5000 + "true" + ")" * 5000, "not " * 5000 + "true"])
def test_conditions_nested_too_deeply_are_refused(condition: str) -> None:
    with pytest.raises(FormatError) as refused:
        format_source(SourceFile("a.policy", f"policy a\nrule r for each X must {condition}\n"))
    assert [d.code for d in refused.value.diagnostics] == ["PE1010"]


def test_a_comment_inside_must_not_is_kept() -> None:
    text = "policy a\n\nrule r\n    for each X\n    must # c\n    not true\n"
    assert "must  # c\n        not\n        true" in format_source(SourceFile("a.policy", text))
