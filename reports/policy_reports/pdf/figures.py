"""The drawings of the report: the chart of counts and the lineage path of a finding.

Both are painted on the canvas directly and carry the same content in words, for readers who cannot see them.
A path is read like text, from left to right and row by row. Boxes grow with the names in them, so no name is cut
off without a sign of it, and a path that does not fit on the page goes on overleaf in a further figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from reportlab.pdfgen.canvas import Canvas

from policy_reports.document import Hop, Status, Witness
from policy_reports.pdf.fonts import BOLD, ITALIC, REGULAR, width
from policy_reports.pdf.styles import ACCENT, FAINT, INK, MUTED, RED, RULE, STATUS_COLOURS, WHITE, WIDTH
from policy_reports.pdf.tags import Figure
from policy_reports.pdf.text import lines, plain, shortened
from policy_reports.queries import STATUS_WORDS

PER_ROW = 3
_GAP = 66.0
_BOX = (WIDTH - (PER_ROW - 1) * _GAP) / PER_ROW
_ROW_GAP = 30.0
_NAME_LINES = 20
_BAR, _BAR_STEP, _LABEL = 13.0, 22.0, 130.0


def chart(rows: Sequence[tuple[str, Mapping[Status, int]]]) -> Figure:
    """A stacked bar per framework."""
    words = "; ".join(f"{plain(name)}: {_in_words(counts)}" for name, counts in rows)
    size = (WIDTH, len(rows) * _BAR_STEP + 24)
    return Figure(size, partial(_paint_chart, tuple(rows)), f"Stacked bars of results by framework. {words}.")


def _in_words(counts: Mapping[Status, int]) -> str:
    return ", ".join(f"{counts[status]} {STATUS_WORDS[status]}" for status in Status if counts[status]) or "no result"


def _paint_chart(rows: Sequence[tuple[str, Mapping[Status, int]]], canvas: Canvas) -> None:
    longest = max((sum(counts.values()) for _, counts in rows), default=0) or 1
    scale = (WIDTH - _LABEL - 34) / longest
    bottom = len(rows) * _BAR_STEP + 24.0
    for name, counts in rows:
        bottom -= _BAR_STEP
        canvas.setFont(REGULAR, 8.5)
        canvas.setFillColor(INK)
        canvas.drawString(0, bottom + 3.5, lines(shortened(name, 60), REGULAR, 8.5, _LABEL - 8)[0])
        left = _LABEL
        for status in Status:
            if not counts[status]:
                continue
            length = counts[status] * scale
            canvas.setFillColor(STATUS_COLOURS[status])
            canvas.rect(left, bottom, length, _BAR, stroke=0, fill=1)
            label = f"{counts[status]:,}"
            if width(label, BOLD, 7.5) + 4 < length:
                canvas.setFillColor(WHITE)
                canvas.setFont(BOLD, 7.5)
                canvas.drawCentredString(left + length / 2, bottom + 4, label)
            left += length
        canvas.setFillColor(MUTED)
        canvas.setFont(REGULAR, 8)
        canvas.drawString(left + 5, bottom + 3.5, f"{sum(counts.values()):,}")
    _paint_legend(canvas)


def _paint_legend(canvas: Canvas) -> None:
    left = _LABEL
    canvas.setFont(REGULAR, 8)
    for status in Status:
        canvas.setFillColor(STATUS_COLOURS[status])
        canvas.rect(left, 4, 8, 8, stroke=0, fill=1)
        canvas.setFillColor(INK)
        canvas.drawString(left + 11, 4.5, STATUS_WORDS[status])
        left += 11 + width(STATUS_WORDS[status], REGULAR, 8) + 14


@dataclass(frozen=True, slots=True)
class _Box:
    position: int
    kind: str
    name: tuple[str, ...]
    edge: tuple[str, ...]
    mark: str

    @property
    def height(self) -> float:
        return 25.0 + 10.4 * len(self.name) + (11.0 if self.mark else 0.0)


class Path(Figure):
    """A lineage path, or the rows of it that stand on one page."""

    def __init__(self, rows: Sequence[Sequence[_Box]], witness: Witness) -> None:
        self.rows = tuple(rows)
        self.witness = witness
        # Room above the first row for the arrow that arrives from the page before.
        above = _ROW_GAP if rows[0][0].position > 1 else 2.0
        height = above + sum(_height(row) + _ROW_GAP for row in rows) - _ROW_GAP + 4
        super().__init__((WIDTH, height), partial(_paint_path, self.rows, height - above), _in_steps(rows, witness))

    @property
    def first_row(self) -> float:
        """The height without which not even one row fits."""
        return 2 * _ROW_GAP + _height(self.rows[0])

    def split(self, available_width: float, available_height: float) -> list[Path]:
        """The rows that fit, and the others."""
        del available_width
        for count in range(len(self.rows) - 1, 0, -1):
            fitting = Path(self.rows[:count], self.witness)
            if fitting.height <= available_height:
                return [fitting, Path(self.rows[count:], self.witness)]
        return []


def path(witness: Witness, *, mark: str) -> Path:
    """The figure of one lineage path; `mark` is written on the node that decides the result, the last one."""
    boxes = [_box(index, hop, mark if hop is witness.hops[-1] else "") for index, hop in enumerate(witness.hops)]
    return Path([boxes[start : start + PER_ROW] for start in range(0, len(boxes), PER_ROW)], witness)


def _in_steps(rows: Sequence[Sequence[_Box]], witness: Witness) -> str:
    first, last = rows[0][0].position, rows[-1][-1].position
    steps = [
        f"{f'by {hop.edge} to ' if hop.edge is not None else ''}{hop.node.kind} {hop.node.name or hop.node.id}"
        for hop in witness.hops[first - 1 : last]
    ]
    mark = rows[-1][-1].mark
    said = f"Lineage path, nodes {first} to {last} of {len(witness.hops)}: {', '.join(steps)}"
    return plain(f"{said}{f' ({mark})' if mark else ''}.")


def _height(row: Sequence[_Box]) -> float:
    return max(box.height for box in row)


def _box(index: int, hop: Hop, mark: str) -> _Box:
    name = lines(plain(hop.node.name or hop.node.id), REGULAR, 8.5, _BOX - 14)
    if len(name) > _NAME_LINES:
        name = [*name[: _NAME_LINES - 1], name[_NAME_LINES - 1][:-1] + "…"]
    edge = lines(shortened(hop.edge or "", 48), ITALIC, 7, _GAP - 14)
    kind = lines(shortened(hop.node.kind, 60), BOLD, 7, _BOX - 30)[0]
    return _Box(index + 1, kind, tuple(name), tuple(edge[:4]), mark)


def _paint_path(rows: Sequence[Sequence[_Box]], top: float, canvas: Canvas) -> None:
    for index, row in enumerate(rows):
        if row[0].position > 1:
            _paint_turn(canvas, row[0], top, from_above=index > 0)
        height = _height(row)
        for column, box in enumerate(row):
            left = column * (_BOX + _GAP)
            if column:
                _paint_arrow(canvas, box, left, top - height / 2)
            _paint_box(canvas, box, left, top, height)
        top -= height + _ROW_GAP


def _paint_box(canvas: Canvas, box: _Box, left: float, top: float, height: float) -> None:
    colour = RED if box.mark else ACCENT
    canvas.setStrokeColor(colour)
    canvas.setFillColor(WHITE if box.mark else FAINT)
    canvas.setLineWidth(1.8 if box.mark else 0.8)
    canvas.roundRect(left + 1, top - height, _BOX - 2, height, 3, stroke=1, fill=1)
    canvas.setFillColor(colour)
    canvas.setFont(BOLD, 7)
    canvas.drawString(left + 7, top - 12, box.kind)
    canvas.setFillColor(MUTED)
    canvas.setFont(REGULAR, 7)
    canvas.drawRightString(left + _BOX - 7, top - 12, str(box.position))
    canvas.setFillColor(INK)
    canvas.setFont(REGULAR, 8.5)
    for index, line in enumerate(box.name):
        canvas.drawString(left + 7, top - 24 - 10.4 * index, line)
    if box.mark:
        canvas.setFillColor(RED)
        canvas.setFont(BOLD, 7.5)
        canvas.drawString(left + 7, top - height + 6.5, box.mark)


def _paint_arrow(canvas: Canvas, box: _Box, left: float, height: float) -> None:
    canvas.setStrokeColor(MUTED)
    canvas.setLineWidth(0.9)
    canvas.line(left - _GAP + 3, height, left - 6, height)
    _paint_head(canvas, left - 2, height, (-6, 3), (-6, -3))
    canvas.setFillColor(MUTED)
    canvas.setFont(ITALIC, 7)
    for index, line in enumerate(reversed(box.edge)):
        canvas.drawCentredString(left - _GAP / 2, height + 4 + 8 * index, line)


def _paint_turn(canvas: Canvas, box: _Box, top: float, *, from_above: bool) -> None:
    """The arrow from the end of the row above, or of the figure before, to the start of this row."""
    middle, start = top + _ROW_GAP / 2, _BOX / 2
    end = WIDTH - _BOX / 2 if from_above else WIDTH - 4
    canvas.setStrokeColor(MUTED)
    canvas.setLineWidth(0.9)
    if from_above:
        canvas.line(end, top + _ROW_GAP - 1, end, middle)
    canvas.line(end, middle, start, middle)
    canvas.line(start, middle, start, top + 5)
    _paint_head(canvas, start, top + 1, (-3, 6), (3, 6))
    canvas.setFillColor(MUTED)
    canvas.setFont(ITALIC, 7)
    canvas.drawString(start + 8, middle + 3, " ".join(box.edge))
    canvas.setFillColor(RULE)


def _paint_head(canvas: Canvas, x: float, y: float, one: tuple[float, float], other: tuple[float, float]) -> None:
    shape = canvas.beginPath()
    shape.moveTo(x, y)
    shape.lineTo(x + one[0], y + one[1])
    shape.lineTo(x + other[0], y + other[1])
    shape.close()
    canvas.setFillColor(MUTED)
    canvas.drawPath(shape, stroke=0, fill=1)
