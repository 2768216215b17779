"""The parts sections are made of: paragraphs, headings, lists, tables, and the pages they flow over.

Rules of the layout:
- every text that is not our own goes through `text.markup`, here and nowhere else for cells;
- a heading asks for room below it, so that none stands alone at the foot of a page;
- a table is cut into several of at most `TABLE_ROWS` rows, for reportlab's time grows with the square of them.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import Color
from reportlab.lib.units import mm
from reportlab.platypus import BaseDocTemplate, CondPageBreak, Flowable, Frame, PageTemplate, Spacer

from policy_reports.pdf import styles
from policy_reports.pdf.fonts import BOLD, REGULAR, width
from policy_reports.pdf.styles import INK, MARGIN, MUTED, PAGE_HEIGHT, PAGE_WIDTH, RULE, WIDTH
from policy_reports.pdf.tags import Cell, DataTable, Element, Heading, Pages, Paragraph, TaggedCanvas
from policy_reports.pdf.text import CELL_LIMIT, lines, markup, plain, shortened

Story = list[Flowable]

TABLE_ROWS = 200
CELL_PADDING = 4.0
SECTION_ROOM = 120.0
SUBSECTION_ROOM = 96.0


class Look(StrEnum):
    """How a cell shows its text."""

    TEXT = "text"
    STRONG = "strong"
    NUMBER = "number"
    NUMBER_STRONG = "number-strong"
    CODE = "code"
    IDENTIFIER = "identifier"
    FIGURE = "figure"


@dataclass(frozen=True, slots=True)
class Text:
    """A cell's text, a look, a colour, and a second, muted text under it."""

    value: str
    look: Look = Look.TEXT
    colour: Color | None = None
    below: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column by title and share of the page's width."""

    title: str
    share: float
    look: Look = Look.TEXT


def number(value: int, *, strong: bool = False) -> Text:
    """A cell with a number, aligned to the right."""
    return Text(f"{value:,}", Look.NUMBER_STRONG if strong else Look.NUMBER)


def paragraph(text: str, style: Any = styles.BODY) -> Paragraph:
    """A paragraph of text that may come from anywhere."""
    return Paragraph(markup(text), style)


def section(title: str, key: str, *, room: float = SECTION_ROOM) -> Story:
    """A heading of the first level with room below it."""
    return [
        CondPageBreak(room + 46),
        Heading(escape(title), styles.SECTION, key=key, level=1, bookmark=title),
    ]


def subsection(title: str, key: str, *, room: float = SUBSECTION_ROOM) -> Story:
    """A heading of the second level with room below it."""
    return [
        CondPageBreak(room + 30),
        Heading(markup(title, 240), styles.SUBSECTION, key=key, level=2, bookmark=shortened(title, 90)),
    ]


def bullets(items: Iterable[str], *, numbered: bool = False) -> Story:
    """A list; its items are plain text."""
    whole = Element("L")
    story: Story = []
    for index, item in enumerate(items, start=1):
        sign = f"{index}." if numbered else "•"
        elements = (whole, Element("LI"), Element("LBody"))
        story.append(Paragraph(markup(item), styles.LIST, elements, bulletText=sign))
    return story


def table(columns: Sequence[Column], rows: Iterable[Sequence[Text | str]], summary: str) -> Story:
    """A table with a header row, in parts of at most `TABLE_ROWS` rows; nothing at all when there is no row."""
    widths = _widths(columns)
    looks = [column.look for column in columns]
    story: Story = []
    remaining = iter(rows)
    while part := list(islice(remaining, TABLE_ROWS)):
        head = [_head(column, available) for column, available in zip(columns, widths, strict=True)]
        body = [_row(row, looks, widths) for row in part]
        story.append(_data_table([head, *body], widths, summary, header_row=True))
    return [*story, Spacer(1, 8)] if story else []


def properties(rows: Iterable[tuple[str, Text | str]], summary: str, *, share: float = 0.2) -> Story:
    """A table of names and values."""
    widths = [WIDTH * share, WIDTH * (1 - share)]
    body = [_row((name, value), [Look.STRONG, Look.TEXT], widths) for name, value in rows]
    return [_data_table(body, widths, summary, header_row=False), Spacer(1, 8)] if body else []


def _widths(columns: Sequence[Column]) -> list[float]:
    whole = sum(column.share for column in columns)
    return [WIDTH * column.share / whole for column in columns]


def _head(column: Column, available: float) -> Cell:
    right = column.look in (Look.NUMBER, Look.NUMBER_STRONG)
    return _cell(Text(column.title, Look.NUMBER_STRONG if right else Look.STRONG), available)


def _row(row: Sequence[Text | str], looks: Sequence[Look], widths: Sequence[float]) -> list[Cell]:
    cells = zip(row, looks, widths, strict=True)
    return [_cell(Text(cell, look) if isinstance(cell, str) else cell, room) for cell, look, room in cells]


_CELL_STYLES = {
    Look.TEXT: styles.CELL,
    Look.STRONG: styles.CELL_STRONG,
    Look.NUMBER: styles.CELL_NUMBER,
    Look.NUMBER_STRONG: styles.CELL_NUMBER_STRONG,
    Look.CODE: styles.CELL_CODE,
    Look.IDENTIFIER: styles.CELL,
    Look.FIGURE: styles.CELL_FIGURE,
}


def _cell(text: Text, available: float) -> Cell:
    style = _CELL_STYLES[text.look]
    if text.look in (Look.CODE, Look.IDENTIFIER):
        room = available - 2 * CELL_PADDING - 0.5
        broken = lines(plain(text.value, CELL_LIMIT), style.fontName, style.fontSize, room)
        shown = "<br/>".join(escape(line) for line in broken)
    else:
        shown = markup(text.value, CELL_LIMIT)
    if text.colour is not None:
        shown = f'<font color="{hexadecimal(text.colour)}">{shown}</font>'
    if text.below:
        broken = lines(plain(text.below, CELL_LIMIT), REGULAR, 7.5, available - 2 * CELL_PADDING - 0.5)
        below = "<br/>".join(escape(line) for line in broken)
        shown += f'<br/><font name="{REGULAR}" size="7.5" color="{hexadecimal(MUTED)}">{below}</font>'
    return Cell(shown, style)


def hexadecimal(colour: Color) -> str:
    """A colour as paragraph markup writes it."""
    return "#" + str(colour.hexval())[2:]


def _data_table(rows: list[list[Cell]], widths: list[float], summary: str, *, header_row: bool) -> DataTable:
    built = DataTable(rows, summary=summary, repeatRows=int(header_row), colWidths=widths, hAlign="LEFT")
    commands: list[tuple[Any, ...]] = [
        # Cells are paragraphs with fonts of their own; without this the table names a font that is not embedded.
        ("FONT", (0, 0), (-1, -1), REGULAR, 8),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, RULE),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), CELL_PADDING),
        ("RIGHTPADDING", (0, 0), (-1, -1), CELL_PADDING),
        ("TOPPADDING", (0, 0), (-1, -1), 3),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
    ]
    if header_row:
        commands += [("BACKGROUND", (0, 0), (-1, 0), styles.HEAD), ("LINEBELOW", (0, 0), (-1, 0), 0.8, styles.ACCENT)]
    else:
        commands += [("LINEABOVE", (0, 0), (-1, 0), 0.4, RULE), ("BACKGROUND", (0, 0), (0, -1), styles.FAINT)]
    built.setStyle(commands)
    return built


class ContentsLine(Flowable):  # type: ignore[misc]  # reportlab publishes no types
    """One line of the table of contents: title, dots and page number, all of it one link."""

    def __init__(self, heading: Heading, contents: Element, pages: Pages) -> None:
        super().__init__()
        self.heading = heading
        self.elements = (contents, Element("TOCI"), Element("Link"))
        self.pages = pages
        self.indent, self.font, self.size, self.height = (
            (0, BOLD, 10, 21) if heading.level == 1 else (16, REGULAR, 9, 15)
        )

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        """One line, as wide as the page."""
        del available_height
        self.width = available_width
        return available_width, self.height

    def draw(self) -> None:
        """Draw the line with the page found in the pass before."""
        page = str(self.pages.of_heading.get(self.heading.key, ""))
        number_width = width("0000", self.font, self.size)
        title = _fitted(self.heading.bookmark, self.font, self.size, self.width - self.indent - number_width - 24)
        end = self.indent + width(title, self.font, self.size)
        with self.canv.inside(self.elements):
            with self.canv.content():
                self.canv.setFont(self.font, self.size)
                self.canv.setFillColor(INK)
                self.canv.drawString(self.indent, 4, title)
                self.canv.drawRightString(self.width, 4, page)
            box = (self.indent, 0, self.width, self.height - 3)
            self.canv.linkRect(f"Go to: {self.heading.bookmark}", self.heading.key, Rect=box, relative=1)
        with self.canv.artifact():
            self.canv.setStrokeColor(RULE)
            self.canv.setLineWidth(0.8)
            self.canv.setDash([0.8, 3])
            self.canv.line(end + 6, 5.5, self.width - width(page, self.font, self.size) - 6, 5.5)
            self.canv.setDash()


def _fitted(text: str, font: str, size: float, available: float) -> str:
    while width(text, font, size) > available:
        text = text[:-2].rstrip() + "…"
    return text


class Report(BaseDocTemplate):  # type: ignore[misc]  # reportlab publishes no types
    """The pages: a cover with its signature place, then pages with header and footer."""

    def __init__(
        self,
        *,
        title: str,
        organisation: str,
        footer: str,
        colour: Color,
        pages: Pages,
        on_page: Callable[[], None] | None = None,
    ) -> None:
        self.output = io.BytesIO()
        super().__init__(self.output, pagesize=(PAGE_WIDTH, PAGE_HEIGHT), lang="en-GB", invariant=1, pageCompression=0)
        self.organisation = _fitted(shortened(organisation, 120), REGULAR, 8, WIDTH * 0.35)
        room = WIDTH * 0.97 - width(self.organisation, REGULAR, 8)
        self.header = _fitted(shortened(title, 160), REGULAR, 8, room)
        self.footer = _fitted(shortened(footer, 160), REGULAR, 8, WIDTH * 0.8)
        self.colour, self.pages, self.on_page = colour, pages, on_page
        cover_foot = styles.SIGNATURE_BOX[3] + 34
        cover = self._frame(cover_foot, PAGE_HEIGHT - cover_foot - 22 * mm)
        body = self._frame(styles.BOTTOM, styles.FRAME_HEIGHT)
        self.addPageTemplates(
            [
                PageTemplate("cover", [cover], onPage=self._cover, onPageEnd=self._signature_place),
                PageTemplate("body", [body], onPage=self._furniture),
            ]
        )

    def render(self, story: Story) -> tuple[TaggedCanvas, bytes]:
        """Draw the story; return the canvas with the recorded tree, and the file."""
        canvases: list[TaggedCanvas] = []

        def make_canvas(*arguments: Any, **options: Any) -> TaggedCanvas:
            canvases.append(TaggedCanvas(*arguments, **{**options, "initialFontName": REGULAR}))
            return canvases[-1]

        self.build(list(story), canvasmaker=make_canvas)
        return canvases[-1], self.output.getvalue()

    def handle_flowable(self, flowables: Story) -> None:
        """Draw the next flowable, and forget that it was moved to this page so that it can be drawn in another pass."""
        flowable = flowables[0]
        super().handle_flowable(flowables)
        if not flowables or flowables[0] is not flowable:
            vars(flowable).pop("_postponed", None)

    @staticmethod
    def _frame(bottom: float, height: float) -> Frame:
        return Frame(MARGIN, bottom, WIDTH, height, leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0)

    def _cover(self, canvas: TaggedCanvas, _: Any) -> None:
        with canvas.artifact("/Type /Layout"):
            canvas.setFillColor(styles.ACCENT)
            canvas.rect(0, PAGE_HEIGHT - 9 * mm, PAGE_WIDTH, 9 * mm, stroke=0, fill=1)
            canvas.setFillColor(self.colour)
            canvas.rect(0, PAGE_HEIGHT - 10.5 * mm, PAGE_WIDTH, 1.5 * mm, stroke=0, fill=1)

    def _signature_place(self, canvas: TaggedCanvas, _: Any) -> None:
        left, bottom, right, top = styles.SIGNATURE_BOX
        beside = Element("P")
        with canvas.artifact("/Type /Layout"):
            canvas.setStrokeColor(RULE)
            canvas.setLineWidth(0.8)
            canvas.line(MARGIN, top + 22, PAGE_WIDTH - MARGIN, top + 22)
            canvas.setDash([3, 3])
            canvas.rect(left, bottom, right - left, top - bottom, stroke=1, fill=0)
            canvas.setDash()
        with canvas.inside((beside,)), canvas.content():
            canvas.setFillColor(INK)
            canvas.setFont(BOLD, 8.5)
            canvas.drawString(MARGIN, top + 8, "Signature of the issuer")
            canvas.setFillColor(MUTED)
            canvas.setFont(REGULAR, 8.5)
            canvas.drawString(right + 14, top - 12, "The box shows who signed this file and when.")
            canvas.drawString(right + 14, top - 24, "A picture of a signature proves nothing:")
            canvas.drawString(right + 14, top - 36, "verify it as section 2 says.")
        canvas.place_field()

    def _furniture(self, canvas: TaggedCanvas, _: Any) -> None:
        if self.on_page is not None:
            self.on_page()
        head, foot = PAGE_HEIGHT - 15 * mm, 13 * mm
        with canvas.artifact("/Type /Pagination /Subtype /Header"):
            self._small(canvas)
            canvas.drawString(MARGIN, head, self.header)
            canvas.drawRightString(PAGE_WIDTH - MARGIN, head, self.organisation)
            canvas.line(MARGIN, head - 6, PAGE_WIDTH - MARGIN, head - 6)
        with canvas.artifact("/Type /Pagination /Subtype /Footer"):
            self._small(canvas)
            canvas.line(MARGIN, foot + 11, PAGE_WIDTH - MARGIN, foot + 11)
            canvas.drawString(MARGIN, foot, self.footer)
            canvas.drawRightString(PAGE_WIDTH - MARGIN, foot, f"Page {canvas.page + 1} of {self.pages.total}")

    @staticmethod
    def _small(canvas: TaggedCanvas) -> None:
        canvas.setFont(REGULAR, 8)
        canvas.setFillColor(MUTED)
        canvas.setStrokeColor(RULE)
        canvas.setLineWidth(0.6)
