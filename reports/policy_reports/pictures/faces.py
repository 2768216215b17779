"""How wide text is, from the fonts that the reports carry.

SVG leaves the choice of a font to its reader; Liberation Sans has the measures of Arial and Helvetica, so that what
is measured here holds for nearly all of them. A character that the fonts do not have is measured as the scripts that
have it are usually written: East Asian characters and emoji as a square.

>>> round(width("policy", Face.REGULAR, 10), 1)
25.6
>>> wrapped("a rather long name", Face.REGULAR, 10, 40, 2)
('a rather', 'long n…')
"""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

_BREAK_AFTER = frozenset(" ./_-:@,;+=&?#")


class Face(StrEnum):
    """A font of a picture."""

    REGULAR = "LiberationSans-Regular.ttf"
    BOLD = "LiberationSans-Bold.ttf"
    ITALIC = "LiberationSans-Italic.ttf"


@dataclass(frozen=True, slots=True)
class Measures:
    """The advance of every character of a font, in parts of its size."""

    advances: Mapping[int, float]


def font_bytes(face: Face) -> bytes:
    """Return a font file."""
    return (files("policy_reports.pdf") / "fonts" / face.value).read_bytes()


@cache
def measures(face: Face) -> Measures:
    """Read the measures of a font (OpenType 1.9: `head`, `hhea`, `hmtx`, and `cmap` format 4)."""
    data = font_bytes(face)
    tables: dict[bytes, int] = {}
    for index in range(struct.unpack_from(">H", data, 4)[0]):
        tag, _, offset, _ = struct.unpack_from(">4sIII", data, 12 + 16 * index)
        tables[tag] = offset
    units: int = struct.unpack_from(">H", data, tables[b"head"] + 18)[0]
    count: int = struct.unpack_from(">H", data, tables[b"hhea"] + 34)[0]
    widths = [struct.unpack_from(">H", data, tables[b"hmtx"] + 4 * glyph)[0] / units for glyph in range(count)]
    glyphs = _glyphs(data, tables[b"cmap"])
    return Measures({code: widths[min(glyph, count - 1)] for code, glyph in glyphs.items()})


def _glyphs(data: bytes, start: int) -> dict[int, int]:
    for index in range(struct.unpack_from(">H", data, start + 2)[0]):
        _, _, offset = struct.unpack_from(">HHI", data, start + 4 + 8 * index)
        if struct.unpack_from(">H", data, start + offset)[0] == 4:
            return _format_4(data, start + offset)
    raise ValueError("a font of the reports has no character map of format 4")


def _format_4(data: bytes, start: int) -> dict[int, int]:
    size = struct.unpack_from(">H", data, start + 6)[0]
    ends, starts = start + 14, start + 16 + size
    found: dict[int, int] = {}
    for at in range(0, size, 2):
        last, first = struct.unpack_from(">H", data, ends + at)[0], struct.unpack_from(">H", data, starts + at)[0]
        delta = struct.unpack_from(">H", data, starts + size + at)[0]
        place = starts + 2 * size + at
        shift = struct.unpack_from(">H", data, place)[0]
        for code in range(first, min(last, 0xFFFE) + 1):
            glyph = code if shift == 0 else struct.unpack_from(">H", data, place + shift + 2 * (code - first))[0]
            if shift == 0 or glyph:
                glyph = (glyph + delta) & 0xFFFF
            if glyph:
                found[code] = glyph
    return found


def width(text: str, face: Face, size: float) -> float:
    """Return how wide a text is."""
    advances = measures(face).advances
    return size * sum(advances[ord(c)] if ord(c) in advances else _usual(c) for c in text)


def _usual(character: str) -> float:
    if unicodedata.combining(character) or unicodedata.category(character) in {"Mn", "Me"}:
        return 0.0
    # A little more than a square: fonts of emoji are wider than they are high.
    return 1.25 if unicodedata.east_asian_width(character) in {"W", "F"} or ord(character) > 0xFFFF else 0.7


def shortened(text: str, face: Face, size: float, available: float) -> str:
    """Return as much of a text as fits, with a sign where it is cut."""
    if width(text, face, size) <= available:
        return text
    kept = ""
    for character in text:
        if width(f"{kept}{character}…", face, size) > available:
            break
        kept += character
    return f"{kept.rstrip()}…"


def wrapped(text: str, face: Face, size: float, available: float, most: int) -> tuple[str, ...]:
    """Break a text into at most so many lines, after a space or the punctuation of identifiers where it can."""
    lines: list[str] = []
    rest = text.strip()
    while rest and len(lines) < most - 1 and width(rest, face, size) > available:
        end = _break(rest, face, size, available)
        lines.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return (*lines, shortened(rest, face, size, available)) if rest else tuple(lines)


def _break(text: str, face: Face, size: float, available: float) -> int:
    """Return where the first line of a text ends: after its last good place, unless that wastes half of the line."""
    used, end, good = 0.0, 0, 0
    for index, character in enumerate(text):
        used += width(character, face, size)
        if used > available and character != " ":
            break
        end = index + 1
        if character in _BREAK_AFTER:
            good = end
    return good if good * 2 >= end else max(end, 1)
