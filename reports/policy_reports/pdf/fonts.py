"""The four fonts of the report and the characters they can show.

Every face is embedded, because an archivable PDF (ISO 19005-3, 6.2.11.4) may not rely on a font of the reader.
`SHOWN` holds the characters that all four faces have, so that a text can change face without losing a character.
"""

from __future__ import annotations

from importlib.resources import files

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

# Names of our own, so that a program that also uses reportlab keeps its fonts.
REGULAR = "PolicySans"
BOLD = "PolicySans-Bold"
ITALIC = "PolicySans-Italic"
MONO = "PolicyMono"

_FILES = {
    REGULAR: "LiberationSans-Regular.ttf",
    BOLD: "LiberationSans-Bold.ttf",
    ITALIC: "LiberationSans-Italic.ttf",
    MONO: "LiberationMono-Regular.ttf",
}


def _register() -> frozenset[int]:
    folder = files("policy_reports.pdf") / "fonts"
    shown: set[int] | None = None
    for name, file in _FILES.items():
        with (folder / file).open("rb") as stream:
            font = TTFont(name, stream)
        pdfmetrics.registerFont(font)
        covered = {code for code, glyph in font.face.charToGlyph.items() if glyph}
        shown = covered if shown is None else shown & covered
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=ITALIC, boldItalic=BOLD)
    return frozenset(shown or ())


SHOWN = _register()


def width(text: str, font: str, size: float) -> float:
    """How many points wide a text is."""
    return float(pdfmetrics.stringWidth(text, font, size))
