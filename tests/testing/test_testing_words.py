"""Edits on the words of a declaration."""

import pytest

from policy_dsl.source import SourceFile, Span
from policy_engine.app.testing.changes import _moved
from policy_engine.app.testing.words import Edit, Words, apply_edits


def words(text: str) -> Words:
    return Words(SourceFile("a.policy", text), Span("a.policy", 0, len(text)))


def test_edits_are_made_from_the_end_so_that_offsets_stay() -> None:
    assert apply_edits("a and b and c", (Edit(2, 5, "or"), Edit(8, 11, "or"))) == "a or b or c"
    assert apply_edits("and b", (Edit(102, 105, ""),), origin=102) == " b"


def test_an_expression_is_found_with_the_parentheses_around_it() -> None:
    text = "not ((a)) and f(b)"
    found = words(text).outer(Span("a.policy", 6, 7))
    assert text[found.start : found.end] == "((a))"
    assert words(text).opener(6).text == "not"


def test_a_cut_takes_the_space_before_with_it() -> None:
    text = "must a\n    and b\n    or c"
    assert apply_edits(text, (words(text).cut(text.index("and"), text.index("\n    or")),)) == "must a\n    or c"


def test_words_in_comments_are_no_words() -> None:
    text = "a # and or\n    and b"
    assert [w.text for w in words(text).words] == ["a", "and", "b"]


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        ("365 days", ["366 days", "364 days"]),
        ("0", ["1"]),
        ("0.90", ["0.91", "0.89"]),
        ("80%", ["81%", "79%"]),
        ("99.95 EUR", ["99.96 EUR", "99.94 EUR"]),
        ("2028-02-29", ["2028-03-01", "2028-02-28"]),
        ("2027-12-31T23:59:59Z", ["2028-01-01T23:59:59Z", "2027-12-30T23:59:59Z"]),
        ("9999-12-31", ["9999-12-30"]),
        ("0001-01-01", ["0001-01-02"]),
    ],
)
def test_values_are_moved_by_their_last_digit_or_a_day(text: str, moved: list[str]) -> None:
    assert [new for new, _ in _moved(text)] == moved
