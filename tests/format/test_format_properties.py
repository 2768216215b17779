"""Whatever an author writes, the formatter keeps its meaning and its comments, and is content with its own output."""

from dataclasses import fields, is_dataclass
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy_dsl.diagnostics import Diagnostics
from policy_dsl.format import FormatError, format_source
from policy_dsl.source import SourceFile, Span
from policy_dsl.syntax.lark_parser import tokens
from policy_dsl.syntax.parser import parse
from tests.property.strategies import programs

RELAXED = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
# Where lines matter: a clause's word at the start of a line opens the clause, a declaration begins at the margin.
GAPS = st.sampled_from(
    ["  ", "\t", " " * 9, " # a note\n      ", "\n    ", "\n\n\n   ", "\n      # on its own\n  ", "\r\n "]
)


def without_places(value: Any) -> Any:
    """A syntax tree as nested tuples, without spans."""
    if is_dataclass(value) and not isinstance(value, type):
        parts = [getattr(value, f.name) for f in fields(value)]
        return (type(value).__name__, *(without_places(p) for p in parts if not isinstance(p, Span)))
    if isinstance(value, tuple):
        return tuple(without_places(v) for v in value)
    return value


def meaning(text: str) -> Any:
    found = Diagnostics()
    tree = parse(SourceFile("a.policy", text), found)
    assert not found.has_errors, (text, found.sorted())
    return without_places(tree.declarations)


def comments(text: str) -> list[str]:
    """The comments of a text: what stands between its tokens and is no space."""
    found = []
    at = 0
    for token in tokens(text):
        found += [part.strip() for part in text[at : token.start_pos].split("\n")]
        at = token.end_pos
    return [c.strip() for c in [*found, *text[at:].split("\n")] if c.strip().startswith("#")]


@st.composite
def scattered(draw: st.DrawFn) -> str:
    """A pack with other spaces, comments and line ends between its tokens."""
    text = draw(programs()).files["pack.policy"].text
    parts = []
    at = 0
    for token in tokens(text):
        gap = text[at : token.start_pos]
        if at and "\n" not in gap and draw(st.integers(0, 3)) == 0:
            gap = draw(GAPS)
        elif "\n" in gap and draw(st.integers(0, 3)) == 0:
            gap = draw(st.sampled_from(["\n# above", " # behind", "\n\n\n", "\n      # inside", "\r\n"])) + gap
        parts += [gap, str(token)]
        at = token.end_pos
    return "".join([*parts, draw(st.sampled_from(["", "\n", "\n\n# the end", " # behind\n"]))])


@RELAXED
@given(text=scattered())
def test_formatting_keeps_tree_and_comments_and_is_idempotent(text):
    found = Diagnostics()
    parse(SourceFile("a.policy", text), found)
    try:
        formatted = format_source(SourceFile("a.policy", text))
    except FormatError as error:
        # A word such as `at` or `for`, put at the start of a line, is a mistake of the text and not of the formatter.
        assert found.has_errors
        assert "PE8001" not in {d.code for d in error.diagnostics}
        return
    assert meaning(formatted) == meaning(text)
    assert sorted(comments(formatted)) == sorted(comments(text))
    assert format_source(SourceFile("a.policy", formatted)) == formatted
    assert all(line == line.rstrip() and "\t" not in line for line in formatted.splitlines())
    assert formatted.endswith("\n") and not formatted.endswith("\n\n")
    assert "\n\n\n" not in formatted and "\r" not in formatted


@RELAXED
@given(text=st.text(st.sampled_from('policy rule{}()"#,.:=\n must for each x 1 and'), max_size=60))
def test_any_text_is_laid_out_or_refused_with_a_code(text):
    try:
        formatted = format_source(SourceFile("a.policy", text))
    except FormatError as error:
        assert error.diagnostics
        assert all(d.code.startswith("PE1") for d in error.diagnostics)
    else:
        assert format_source(SourceFile("a.policy", formatted)) == formatted
