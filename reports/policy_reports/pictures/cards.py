"""A thing as a card: its kind, its name, its id where that says more, facts worth a line, and what is hidden beyond it.

What a card cannot show in full is cut with a sign of it; the words of its group, and the table that goes with the
picture, have the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from policy_reports.document import Status
from policy_reports.pictures.colours import ACCENT, INK, MUTED, PAPER, STATUS
from policy_reports.pictures.faces import Face, shortened, width, wrapped
from policy_reports.pictures.graph import Node, Shape, counts_in_words
from policy_reports.pictures.scene import Anchor, Drawn, Group, Style, Text, line, rectangle
from policy_reports.pictures.shapes import LID, TINTS, outlines

Spelling = Callable[[str], str]
"""Turns a text of strangers into one that a format can show."""

WIDTH = 196.0
_SIDE = 14.0
_TOP, _BOTTOM = 8.0, 9.0
_KIND, _NAME, _SMALL = 13.0, 15.0, 12.5

WORDS: Mapping[Status, str] = {
    Status.FAIL: "FAIL",
    Status.UNKNOWN: "UNKNOWN",
    Status.WAIVED: "WAIVED",
    Status.PASS: "PASS",
    Status.NOT_APPLICABLE: "NOT APPLICABLE",
}


@dataclass(frozen=True, slots=True)
class Card:
    """A thing with its lines of text, before it has a place."""

    node: Node
    subject: bool
    kind: str
    name: tuple[str, ...]
    small: tuple[str, ...]
    hidden: tuple[str, ...]
    words: str
    filled: float
    height: float

    @property
    def width(self) -> float:
        """How wide every card is."""
        return WIDTH

    def drawn(self, x: float, y: float, *, highlighted: bool) -> Group:
        """Draw it at its place."""
        _, tone = TINTS[self.node.shape]
        items: list[Drawn] = []
        if self.subject:
            items.append(rectangle(x - 5, y - 5, WIDTH + 10, self.height + 10, Style(None, ACCENT, 1.4, (4.0, 3.0)), 9))
        items += outlines(self.node.shape, x, y, WIDTH, self.height, weight=3.0 if highlighted else 1.2)
        top = y + (self.height + _lid(self.node) - self.filled) / 2 + _TOP
        items += self._texts(x + _SIDE, top, tone)
        if self.node.status is not None:
            items += badge(x + WIDTH - 10, y - 8, self._verdict(self.node.status), self.node.status)
        return Group(tuple(items), self.words, self.node.id)

    def _verdict(self, status: Status) -> str:
        return f"{self.node.findings} {WORDS[status]}" if self.node.findings > 1 else WORDS[status]

    def _texts(self, x: float, y: float, tone: str) -> Iterator[Drawn]:
        y += 8
        yield Text(x, y, self.kind, 10, tone)
        y += 1
        for text in self.name:
            y += _NAME
            yield Text(x, y, text, 12.5, INK, Face.BOLD)
        for text in self.small:
            y += _SMALL
            yield Text(x, y, text, 10, MUTED)
        if self.hidden:
            y += 6
            yield line(((x, y), (x + WIDTH - 2 * _SIDE, y)), Style(None, tone, 0.9, (2.0, 3.0)))
            for text in self.hidden:
                y += _SMALL
                yield Text(x, y, text, 10, INK, Face.ITALIC)


def card(node: Node, subject: bool, spelled: Spelling, least: float) -> Card:
    """Lay out a thing; it is at least so high that its edges find room."""
    room = WIDTH - 2 * _SIDE
    kind = shortened(spelled(node.kind) + (" · the subject" if subject else ""), Face.REGULAR, 10, room)
    whole, own = spelled(node.name or node.id), spelled(node.id)
    name = wrapped(whole, Face.BOLD, 12.5, room, 3) or ("(no name)",)
    said = [own] if own != whole else []
    small = tuple(shortened(text, Face.REGULAR, 10, room) for text in (*said, *map(spelled, node.notes)))
    hidden = tuple(shortened(spelled(text), Face.ITALIC, 10, room) for text in hidden_in_words(node))
    filled = _filled(name, small, hidden)
    height = max(filled, least) + _lid(node)
    return Card(node, subject, kind, name, small, hidden, _words(node, spelled), filled, height)


def _lid(node: Node) -> float:
    return LID if node.shape is Shape.DATA else 0.0


def _filled(name: tuple[str, ...], small: tuple[str, ...], hidden: tuple[str, ...]) -> float:
    below = 6 + _SMALL * len(hidden) if hidden else 0.0
    return _TOP + _KIND + _NAME * len(name) + _SMALL * len(small) + below + _BOTTOM - 3


def hidden_in_words(node: Node) -> tuple[str, ...]:
    """Say what is joined with a thing and not shown.

    >>> hidden_in_words(Node("m", "Model", hidden_dependencies={"Dataset": 37}, hidden_dependents={"System": 2}))
    ('+37 Dataset it depends on', '+2 System depending on it')
    """
    found = []
    if node.hidden_dependencies:
        found.append(f"+{_counted(node.hidden_dependencies)} it depends on")
    if node.hidden_dependents:
        found.append(f"+{_counted(node.hidden_dependents)} depending on it")
    return tuple(found)


def _counted(counts: Mapping[str, int]) -> str:
    return counts_in_words(counts) if len(counts) == 1 else f"{sum(counts.values()):,} things"


def _words(node: Node, spelled: Spelling) -> str:
    said = [f"{node.kind} {node.name or node.id}"]
    said += [f"({node.id})"] if node.name and node.name != node.id else []
    if node.status is not None:
        said.append(f"{node.findings} {WORDS[node.status]}" if node.findings > 1 else WORDS[node.status])
    parts = [" ".join(said), *node.notes]
    if node.hidden_dependencies:
        parts.append(f"it depends on, not shown: {counts_in_words(node.hidden_dependencies)}")
    if node.hidden_dependents:
        parts.append(f"depending on it, not shown: {counts_in_words(node.hidden_dependents)}")
    return spelled("; ".join(parts))


def badge(right: float, top: float, text: str, status: Status) -> tuple[Drawn, ...]:
    """Draw a status as a word on its colour, its right end here."""
    long = width(text, Face.BOLD, 9.5) + 14
    plate = rectangle(right - long, top, long, 16, Style(STATUS[status], PAPER, 1.5), 8)
    return (plate, Text(right - long / 2, top + 11.4, text, 9.5, PAPER, Face.BOLD, Anchor.MIDDLE))
