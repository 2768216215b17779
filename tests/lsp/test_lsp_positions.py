"""Places as editors count them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_dsl.lsp.positions import Lines, units, whole_characters

TEXTS = st.text(alphabet="ab é😀\u2028\n\r\t\0", max_size=40)


@given(TEXTS, st.sampled_from(["utf-8", "utf-16", "utf-32"]), st.integers(0, 40))
def test_a_place_leads_back_to_its_offset(text: str, encoding: str, offset: int) -> None:
    lines = Lines(text, encoding)
    within = min(offset, len(text))
    back = lines.offset(*lines.place(offset))
    # Between the two characters of one line end there is no place of its own: it is the end of the line.
    assert back == within or text[within - 1 : within + 1] == "\r\n"


@given(TEXTS, st.integers(-3, 50), st.integers(-3, 50))
def test_any_place_has_an_offset(text: str, line: int, character: int) -> None:
    assert 0 <= Lines(text, "utf-16").offset(line, character) <= len(text)


@pytest.mark.parametrize(("encoding", "column"), [("utf-8", 6), ("utf-16", 4), ("utf-32", 3)])
def test_emoji_take_the_units_of_the_encoding(encoding: str, column: int) -> None:
    lines = Lines("first\r\na😀b c\rlast", encoding)
    assert lines.place(10) == (1, column)
    assert lines.offset(1, column) == 10
    assert lines.offset(1, 99) == 12
    assert lines.place(13) == (2, 0)


def test_a_place_inside_a_character_is_its_beginning() -> None:
    assert Lines("😀x", "utf-16").offset(0, 1) == 0


@given(st.text(alphabet=st.characters(exclude_categories=[]), max_size=20))
def test_no_half_of_a_character_is_left(text: str) -> None:
    cleaned = whole_characters(text)
    cleaned.encode("utf-8")
    assert units(cleaned, "utf-16") == units(text, "utf-16")
