"""A timeline → a scene: a row for each rule and subject, bars whose height says how grave a status is, dates in words.

A violation is a full bar, what is unknown or waived a lower one, what is satisfied a line; each carries its word where
there is room. Every change is written below its bar with its date and cause; what finds no room is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from policy_reports.document import Status
from policy_reports.pictures.cards import WORDS, Spelling
from policy_reports.pictures.colours import ACCENT, INK, MUTED, PAPER, RULE, STATUS
from policy_reports.pictures.faces import Face, shortened, width, wrapped
from policy_reports.pictures.scene import Drawn, Group, Scene, Style, Table, Text, line, rectangle
from policy_reports.pictures.ticks import ticks
from policy_reports.pictures.timeline import Row, Timeline

_MARGIN = 28.0
_LABEL = 290.0
_CHART = 780.0
_LEFT = _MARGIN + _LABEL
_WIDTH = _LEFT + _CHART + _MARGIN
_BAR = 18.0
_LINE = 13.0
_NOTE_LINES = 3

_THICKNESS: Mapping[Status, float] = {
    Status.FAIL: 18.0,
    Status.UNKNOWN: 12.0,
    Status.WAIVED: 12.0,
    Status.PASS: 5.0,
    Status.NOT_APPLICABLE: 1.5,
}


def timeline_to_scene(timeline: Timeline, spelled: Spelling) -> Scene:
    """Place and draw a timeline; ``spelled`` turns text into what the format can show."""
    return _Drawing(timeline, spelled).scene()


@dataclass(frozen=True, slots=True)
class _Note:
    """A text below a bar, with the room it takes."""

    left: float
    right: float
    text: str


class _Drawing:
    def __init__(self, timeline: Timeline, spelled: Spelling) -> None:
        self.timeline, self.spelled = timeline, spelled
        self.length = (timeline.end - timeline.start) / timedelta(seconds=1)

    def scene(self) -> Scene:
        timeline = self.timeline
        heading, y = self._heading()
        marks, y = self._marks(y + 14)
        axis = y + 22
        rows: list[Group] = []
        y = axis + 14
        for number, row in enumerate(timeline.rows):
            group, y = self._row(row, number, y)
            rows.append(group)
        if not timeline.rows:
            y += 30
            rows.append(Group((Text(_LEFT, y - 8, "no result changes in this time", 12, MUTED, Face.ITALIC),)))
        grid = self._grid(axis, y)
        footer, end = self._footer(y)
        return Scene(
            width=_WIDTH,
            height=end + _MARGIN / 2,
            title=self.spelled(timeline.title),
            description=self._description(),
            groups=(heading, grid, Group(self._lines(axis, y)), *rows, *marks, footer),
            tables=self._tables(),
        )

    def _x(self, at: datetime) -> float:
        return _LEFT + _CHART * ((at - self.timeline.start) / timedelta(seconds=1)) / self.length

    # --- parts -----------------------------------------------------------------------------------------------

    def _heading(self) -> tuple[Group, float]:
        items: list[Drawn] = []
        y = 22.0
        for text in wrapped(self.spelled(self.timeline.title), Face.BOLD, 19, _WIDTH - 2 * _MARGIN, 2):
            y += 23
            items.append(Text(_MARGIN, y, text, 19, INK, Face.BOLD))
        y += 18
        items.append(Text(_MARGIN, y, f"{self._span_in_words()}, if no fact changes", 12, MUTED))
        return Group(tuple(items)), y

    def _span_in_words(self) -> str:
        return f"from {_day(self.timeline.start)} until {_day(self.timeline.end)}"

    def _marks(self, y: float) -> tuple[list[Group], float]:
        """Return the names of the marks, in as many lines as keep them apart, and where they end."""
        notes = []
        for mark in sorted(self._shown_marks(), key=lambda m: (m[0], m[1])):
            text = shortened(f"{_day(mark[0])}: {self.spelled(mark[1])}", Face.BOLD, 10.5, _CHART * 0.75)
            notes.append(_placed(self._x(mark[0]), text, Face.BOLD, 10.5))
        lines, _ = _apart(notes, len(notes))
        found = []
        for index, line_of in enumerate(lines):
            y += _LINE + 2
            found += [Group((Text(n.left, y, n.text, 10.5, ACCENT, Face.BOLD),)) for n in line_of]
            del index
        return found, y

    def _shown_marks(self) -> list[tuple[datetime, str]]:
        timeline = self.timeline
        return [(m.at, m.text) for m in timeline.marks if timeline.start <= m.at <= timeline.end]

    def _lines(self, top: float, bottom: float) -> tuple[Drawn, ...]:
        style = Style(None, ACCENT, 1.3, (4.0, 3.0))
        xs = sorted({self._x(at) for at, _ in self._shown_marks()})
        return tuple(line(((x, top - 18), (x, bottom)), style) for x in xs)

    def _grid(self, axis: float, bottom: float) -> Group:
        items: list[Drawn] = [line(((_LEFT, axis), (_LEFT + _CHART, axis)), Style(None, MUTED, 1))]
        for at, text in ticks(self.timeline.start, self.timeline.end, 9):
            x = self._x(at)
            items.append(line(((x, axis - 4), (x, bottom)), Style(None, RULE, 0.8)))
            if x < _LEFT + _CHART - 30:
                items.append(Text(x + 3, axis - 5, text, 10, MUTED))
        return Group(tuple(items))

    def _row(self, row: Row, number: int, top: float) -> tuple[Group, float]:
        notes = [
            _placed(
                self._x(s.start),
                f"{_day(s.start)} {WORDS[s.status].lower()}: {self.spelled(s.cause)}",
                Face.REGULAR,
                10,
            )
            for s in row.spans
            if s.cause
        ]
        lines, left = _apart(notes, _NOTE_LINES)
        if left:
            lines.append([_placed(_LEFT, f"+{left} more changes", Face.REGULAR, 10)])
        height = max(44.0, 12 + _BAR + _LINE * len(lines) + 10)
        items: list[Drawn] = []
        foot = ((_MARGIN, top + height - 1), (_LEFT + _CHART, top + height - 1))
        items.append(line(foot, Style(None, INK, 1.2) if row.strong else Style(None, RULE, 0.6)))
        room = _LABEL - 22
        title = shortened(self.spelled(row.title), Face.BOLD, 12, room)
        items.append(Text(_MARGIN, top + 17, title, 12, INK, Face.BOLD))
        items.append(Text(_MARGIN, top + 32, shortened(self.spelled(row.subject), Face.REGULAR, 11, room), 11, MUTED))
        middle = top + 9 + _BAR / 2
        for span in row.spans:
            items += self._bar(self._x(span.start), self._x(span.end), middle, span.status)
        y = top + 9 + _BAR
        for line_of in lines:
            y += _LINE
            for note in line_of:
                # On a plate, so that no line of the grid runs through it.
                items.append(rectangle(note.left - 2, y - 9.5, note.right - note.left + 4, 12, Style(PAPER)))
                items.append(Text(note.left, y, note.text, 10, INK))
        return Group(tuple(items), self._words(row), f"row {number}"), top + height

    def _bar(self, left: float, right: float, middle: float, status: Status) -> list[Drawn]:
        thick = _THICKNESS[status]
        # A bar is wide enough to be seen, however short its time is.
        right = max(right, left + 2.5)
        plate = rectangle(left, middle - thick / 2, right - left, thick, Style(STATUS[status]), 2)
        word = WORDS[status]
        long = width(word, Face.BOLD, 9)
        if right - left < long + 12:
            return [plate]
        if thick >= 12:
            return [plate, Text(left + 6, middle + 3.2, word, 9, PAPER, Face.BOLD)]
        behind = rectangle(left + 5, middle - 6, long + 6, 12, Style(PAPER), 3)
        return [plate, behind, Text(left + 8, middle + 3.2, word, 9, STATUS[status], Face.BOLD)]

    def _footer(self, y: float) -> tuple[Group, float]:
        items: list[Drawn] = []
        if self.timeline.left_out:
            y += 22
            items.append(Text(_MARGIN, y, self._left_out(), 12, MUTED, Face.ITALIC))
        y += 26
        x = _MARGIN
        for status in Status:
            text = WORDS[status].lower()
            items += [
                rectangle(x, y - 4 - _THICKNESS[status] / 2, 26, _THICKNESS[status], Style(STATUS[status]), 2),
                Text(x + 33, y, text, 11, MUTED),
            ]
            x += 33 + width(text, Face.REGULAR, 11) + 22
        return Group(tuple(items)), y + 12

    # --- words -----------------------------------------------------------------------------------------------

    def _left_out(self) -> str:
        return f"+{self.timeline.left_out:,} results {self.spelled(self.timeline.left_out_reason)}"

    def _words(self, row: Row) -> str:
        spans = [
            f"{WORDS[s.status]} from {_day(s.start)} until {_day(s.end)}" + (f" ({s.cause})" if s.cause else "")
            for s in row.spans
        ]
        return self.spelled(f"{row.title}, {row.subject}: {'; '.join(spans) or 'nothing is known'}")

    def _description(self) -> str:
        said = [f"Forecast {self._span_in_words()}, {len(self.timeline.rows)} rows."]
        said += [f"{_day(at)}: {self.spelled(text)}." for at, text in sorted(self._shown_marks())]
        return " ".join([*said, f"{self._left_out()}."] if self.timeline.left_out else said)

    def _tables(self) -> tuple[Table, ...]:
        rows, keys = [], []
        for number, row in enumerate(self.timeline.rows):
            for span in row.spans:
                said = (
                    row.title,
                    row.subject,
                    _instant(span.start),
                    _instant(span.end),
                    WORDS[span.status],
                    span.cause,
                )
                rows.append(tuple(self.spelled(text) for text in said))
                keys.append(f"row {number}" if span is row.spans[0] else "")
        head = ("Rule", "Subject", "From", "Until", "Status", "Why")
        found = [Table("What holds when", head, tuple(rows), tuple(keys))]
        marks = tuple((_instant(at), self.spelled(text)) for at, text in sorted(self._shown_marks()))
        if marks:
            found.append(Table("Days that matter", ("When", "What"), marks))
        return tuple(found)


def _placed(x: float, text: str, face: Face, size: float) -> _Note:
    """Place a text to the right of where it belongs, or to the left where it would leave the picture."""
    text = shortened(text, face, size, _CHART)
    long = width(text, face, size)
    left = min(x, _LEFT + _CHART - long)
    return _Note(left, left + long, text)


def _apart(notes: list[_Note], most: int) -> tuple[list[list[_Note]], int]:
    """Put texts into lines so that none touches another; the second value counts those that found no room."""
    lines: list[list[_Note]] = []
    left_over = 0
    for note in notes:
        free = next(
            (each for each in lines if all(n.right + 12 < note.left or note.right + 12 < n.left for n in each)), None
        )
        if free is not None:
            free.append(note)
        elif len(lines) < most:
            lines.append([note])
        else:
            left_over += 1
    return lines, left_over


def _day(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d}"


def _instant(at: datetime) -> str:
    """Write an instant, a midnight as its day."""
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%d}" if at.time() == time() else f"{at:%Y-%m-%dT%H:%M:%SZ}"
