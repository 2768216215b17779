"""Colours, measures and paragraph styles of the report: the only place that decides how it looks.

Colours on white keep a contrast of at least 4.5 : 1, and no meaning is carried by colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from reportlab.lib.colors import Color, HexColor, white
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm

from policy_reports.document import Severity, Status, Verdict
from policy_reports.pdf.fonts import BOLD, ITALIC, MONO, REGULAR

PAGE_WIDTH, PAGE_HEIGHT = A4
MARGIN = 20 * mm
TOP = 25 * mm
BOTTOM = 22 * mm
WIDTH = PAGE_WIDTH - 2 * MARGIN
FRAME_HEIGHT = PAGE_HEIGHT - TOP - BOTTOM

SIGNATURE_BOX = (MARGIN, 24 * mm, MARGIN + 250, 24 * mm + 72)
"""Where the visible signature stands on the cover: left, bottom, right, top."""

INK = HexColor("#1b2430")
MUTED = HexColor("#55606e")
RULE = HexColor("#c9d1da")
FAINT = HexColor("#f3f6f9")
HEAD = HexColor("#e6ecf3")
ACCENT = HexColor("#1b3f73")
WHITE = white
RED = HexColor("#9f2028")
AMBER = HexColor("#855200")
VIOLET = HexColor("#5b3a8c")
GREEN = HexColor("#1b6a3a")
GREY = HexColor("#66707c")

STATUS_COLOURS: Mapping[Status, Color] = {
    Status.FAIL: RED,
    Status.UNKNOWN: AMBER,
    Status.WAIVED: VIOLET,
    Status.PASS: GREEN,
    Status.NOT_APPLICABLE: GREY,
}
VERDICT_COLOURS: Mapping[Verdict, Color] = {
    Verdict.NOT_COMPLIANT: RED,
    Verdict.UNDECIDED: AMBER,
    Verdict.COMPLIANT: GREEN,
}
SEVERITY_COLOURS: Mapping[Severity, Color] = {
    Severity.CRITICAL: RED,
    Severity.HIGH: RED,
    Severity.MEDIUM: AMBER,
    Severity.LOW: GREY,
}

BODY = ParagraphStyle(
    "body", fontName=REGULAR, fontSize=9.5, leading=13.8, textColor=INK, spaceAfter=6, allowWidows=0, allowOrphans=0
)
LEAD = ParagraphStyle("lead", parent=BODY, fontSize=11, leading=16, spaceAfter=8)
SMALL = ParagraphStyle("small", parent=BODY, fontSize=8, leading=11, textColor=MUTED, spaceAfter=4)
NOTE = ParagraphStyle("note", parent=BODY, fontName=ITALIC, fontSize=8.5, leading=12, textColor=MUTED)
LABEL = ParagraphStyle("label", parent=BODY, fontName=BOLD, fontSize=8.5, leading=12, spaceBefore=6, spaceAfter=3)
LIST = ParagraphStyle("list", parent=BODY, leftIndent=14, bulletIndent=2, spaceAfter=4, bulletFontName=REGULAR)
CODE = ParagraphStyle(
    "code",
    parent=BODY,
    fontName=MONO,
    fontSize=8.5,
    leading=12,
    leftIndent=18,
    rightIndent=6,
    borderPadding=4,
    backColor=FAINT,
    spaceBefore=5,
    spaceAfter=11,
)
TITLE = ParagraphStyle("title", parent=BODY, fontName=BOLD, fontSize=24, leading=29, textColor=ACCENT, spaceAfter=4)
VERDICT = ParagraphStyle("verdict", parent=BODY, fontName=BOLD, fontSize=30, leading=36, spaceAfter=2)
KICKER = ParagraphStyle("kicker", parent=BODY, fontName=BOLD, fontSize=9, leading=12, textColor=MUTED, spaceAfter=6)
SECTION = ParagraphStyle(
    "section", parent=BODY, fontName=BOLD, fontSize=16, leading=20, textColor=ACCENT, spaceAfter=8, spaceBefore=18
)
SUBSECTION = ParagraphStyle(
    "subsection", parent=BODY, fontName=BOLD, fontSize=11, leading=14.5, spaceBefore=10, spaceAfter=4
)
CELL = ParagraphStyle("cell", parent=BODY, fontSize=8, leading=10.6, spaceAfter=0)
CELL_STRONG = ParagraphStyle("cell-strong", parent=CELL, fontName=BOLD)
CELL_NUMBER = ParagraphStyle("cell-number", parent=CELL, alignment=TA_RIGHT)
CELL_NUMBER_STRONG = ParagraphStyle("cell-number-strong", parent=CELL_NUMBER, fontName=BOLD)
CELL_CODE = ParagraphStyle("cell-code", parent=CELL, fontName=MONO, fontSize=7, leading=9.4)
CELL_FIGURE = ParagraphStyle("cell-figure", parent=CELL, fontName=BOLD, fontSize=20, leading=25)
