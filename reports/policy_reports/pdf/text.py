"""Text of strangers made fit for the page.

Names, messages and reasons come from documents we do not control. Three dangers, three rules:
- reportlab reads paragraph text as markup and would open files and addresses named in it: `markup` escapes it;
- a character no font of ours has would print as an empty box, and one that is invisible or turns the direction of
  writing could make the page say something else than the file: both are written as `[U+XXXX]`;
- a text without end would fill the report: beyond a limit it is cut, and the cut says how much is missing.

Scripts written from right to left need shaping that reportlab does not do; their letters are spelled out as well.

>>> plain("tab\\tand \\u202eevil")
'tab and [U+202E]evil'
>>> markup("a < b")
'a &lt; b'
>>> plain("abcdefgh", limit=5)
'abcde… (3 more characters in assessment.json)'
"""

from __future__ import annotations

import unicodedata
from xml.sax.saxutils import escape

from policy_reports.pdf import ATTACHMENT
from policy_reports.pdf.fonts import SHOWN, width
from policy_reports.plaintext import is_blank, is_hidden, spelled

_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_BREAK_AFTER = frozenset("./_-:@,;+=&?#")

CELL_LIMIT = 330
"""Characters of one text in a table cell: two of them, of the widest letter, fit a page in the narrowest column."""
PARAGRAPH_LIMIT = 2400
"""Characters of one text outside tables: less than a page."""


def plain(text: str, limit: int | None = None) -> str:
    """The text with every character shown or spelled out, in one line, cut at the limit."""
    pieces = [_piece(character) for character in unicodedata.normalize("NFC", text)]
    length = 0
    for index, piece in enumerate(pieces):
        length += len(piece)
        if limit is not None and length > limit:
            return "".join(pieces[:index]) + f"… ({len(pieces) - index:,} more characters in {ATTACHMENT})"
    return "".join(pieces)


def markup(text: str, limit: int | None = PARAGRAPH_LIMIT) -> str:
    """The text as paragraph markup that shows exactly `plain(text, limit)`."""
    return escape(plain(text, limit))


def shortened(text: str, limit: int) -> str:
    """The text for a place where it is only a label: cut without the note, for the whole stands elsewhere."""
    whole = plain(text)
    return whole if len(whole) <= limit else whole[: limit - 1].rstrip() + "…"


def lines(text: str, font: str, size: float, available: float) -> list[str]:
    """Break one plain text into lines, after a space or after the punctuation of identifiers where it can."""
    broken: list[str] = []
    line = ""
    for part in _parts(text):
        if width(line + part.rstrip(" "), font, size) <= available:
            line += part
            continue
        if width(part, font, size) > available:
            # Too long for any line: fill this one up instead of leaving it short.
            part, line = line + part, ""
        if line:
            broken.append(line.rstrip(" "))
        *full, line = _split_long(part, font, size, available)
        broken.extend(full)
    return [*broken, line.rstrip(" ")]


def _parts(text: str) -> list[str]:
    parts: list[str] = []
    start = 0
    for index, character in enumerate(text):
        if character in _BREAK_AFTER or character == " ":
            parts.append(text[start : index + 1])
            start = index + 1
    return [*parts, text[start:]] if start < len(text) else parts


def _split_long(part: str, font: str, size: float, available: float) -> list[str]:
    pieces = [""]
    for character in part:
        if pieces[-1] and width(pieces[-1] + character, font, size) > available:
            pieces.append("")
        pieces[-1] += character
    return pieces


def _piece(character: str) -> str:
    if is_blank(character):
        return " "
    right_to_left = unicodedata.bidirectional(character) in _RIGHT_TO_LEFT
    shown = ord(character) in SHOWN and not is_hidden(character) and not right_to_left
    return character if shown else spelled(character)
