"""What a diagnostic looks like on a terminal."""

from textwrap import dedent

import pytest

from policy_dsl import compile_packs
from policy_dsl.diagnostics import Diagnostic, Diagnostics, Label, did_you_mean, render_text
from policy_dsl.source import Position, SourceFile, Span


def rendered(text: str) -> str:
    program, found = compile_packs([SourceFile("packs/a.policy", text)])
    return "\n".join(render_text(d, program.files) for d in found)


def drawn(text: str) -> str:
    return dedent(text).strip("\n")


def test_an_error_shows_its_line_a_caret_and_help():
    assert rendered("policy p\nnode T { risk_class: Text }\nrule r for each T must t.risk_clas is known\n") == drawn(
        """
        error[PE2006]: no attribute `risk_clas` on T
          --> packs/a.policy:3:26
          |
        3 | rule r for each T must t.risk_clas is known
          |                          ^^^^^^^^^
          help: did you mean `risk_class`?
        """
    )


def test_a_second_place_is_shown_as_a_note():
    assert rendered("policy p\nnode T\n\n\n\n\n\n\n\nnode T\n") == drawn(
        """
        error[PE2001]: `T` is declared twice
           --> packs/a.policy:10:6
           |
        10 | node T
           |      ^
          note: declared here first
          --> packs/a.policy:2:6
          |
        2 | node T
          |      ^
        """
    )


def test_a_warning_shows_what_cannot_be_seen_as_a_dot():
    assert rendered("policy p\n# a\u202eb\n") == drawn(
        """
        warning[PE1011]: the invisible character U+202E can make the text look like another
          --> packs/a.policy:2:4
          |
        2 | # a·b
          |    ^
        """
    )


def test_a_caret_stands_below_its_word_after_tabs():
    assert rendered("policy p\nnode T\nrule r\tfor each T\n\tmust\ttt.a\n") == drawn(
        """
        error[PE2004]: nothing here is named `tt`
          --> packs/a.policy:4:7
          |
        4 |  must tt.a
          |       ^^
          help: did you mean `t`?
        """
    )


def test_a_caret_stays_on_its_first_line():
    lines = rendered(
        "policy p\nnode T\nedge e from T to T lineage\nrule r for each T must\n    every T as u\n    upstream of t\n"
    )
    assert lines == drawn(
        """
        error[PE2108]: `every` needs a condition that each thing must meet
          --> packs/a.policy:5:5
          |
        5 |     every T as u
          |     ^^^^^^^^^^^^
          help: add `satisfies …` or `has evidence …`
        """
    )


def test_a_long_line_is_cut_around_the_caret():
    before = "true and " * 40
    lines = rendered(f"policy p\nnode T\nrule r for each T must {before}tt.a{' and true' * 40}\n").splitlines()
    column = len(f"rule r for each T must {before}") + 1
    assert lines[1] == f"  --> packs/a.policy:3:{column}"
    assert len(lines[3]) <= 124
    assert lines[3][lines[4].index("^") :].startswith("tt.a")
    assert lines[4].strip(" |") == "^^"


def test_a_mistake_at_the_end_of_the_file_points_at_its_last_word():
    assert rendered("policy p\nnode T\nrule r for each T must t is\n\n\n").splitlines()[1:5] == [
        "  --> packs/a.policy:3:27",
        "  |",
        "3 | rule r for each T must t is",
        "  |                           ^",
    ]


def test_a_file_that_is_not_at_hand_is_named():
    diagnostic = Diagnostic("PE2001", "twice", Span("b.policy", 3, 4), labels=(Label(Span("c.policy", 0, 1), "here"),))
    assert render_text(diagnostic, {}) == "error[PE2001]: twice\n  --> b.policy\n  note: here\n  --> c.policy"


def test_an_empty_file_has_a_place():
    assert rendered("").splitlines() == [
        "error[PE1004]: a policy file begins with `policy NAME`",
        "  --> packs/a.policy:1:1",
        "  |",
        "1 | ",
        "  | ^",
    ]


def test_diagnostics_are_in_order_and_each_once():
    found = Diagnostics()
    for start in (5, 1, 5):
        found.error("PE2001", "twice", Span("a", start, start + 1))
    found.warning("PE1011", "unseen", Span("a", 0, 1))
    assert [d.span.start for d in found.sorted()] == [0, 1, 5]
    assert found.has_errors


def test_a_warning_alone_is_no_error():
    found = Diagnostics()
    found.warning("PE1011", "unseen", Span("a", 0, 1))
    assert not found.has_errors


def test_a_code_that_nobody_registered_is_a_mistake_of_the_caller():
    with pytest.raises(KeyError):
        Diagnostics().error("PE9999", "no", Span("a", 0, 1))


def test_a_message_is_one_line_whatever_it_repeats():
    found = Diagnostics()
    found.error("PE2004", "`a\nb\u202e`" + "x" * 10_000, Span("a", 0, 1))
    (diagnostic,) = found.sorted()
    assert diagnostic.message.startswith("`a·b·`")
    assert len(diagnostic.message) < 1_000


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("lve", ["planned", "live"], "live"),
        ("Modle", ["Model", "Monitor"], "Model"),
        ("zzz", ["Model"], None),
        ("x", [], None),
        ("abc", ["abd", "abe"], "abe"),
        ("nme_b", [f"name_{chr(97 + i % 26)}{i}" for i in range(2_000)] + ["name_b"], "name_b"),
    ],
)
def test_the_nearest_word_is_guessed(word, known, meant):
    assert did_you_mean(word, known) == (f"did you mean `{meant}`?" if meant else None)


def test_positions_count_lines_and_characters_from_one():
    file = SourceFile("a", "é\r\nxy\n")
    assert file.position(0) == Position(1, 1)
    assert file.position(3) == Position(2, 1)
    assert file.position(6) == Position(3, 1)
    assert [file.line(n) for n in (1, 2, 3)] == ["é", "xy", ""]
