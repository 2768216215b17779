"""A picture as outlines and texts with places: what every writer of pictures understands.

Lengths are CSS pixels, from the upper left corner. A group is one thing to a reader who does not see the picture: it
has words of its own, and what is drawn in it repeats them.

>>> outline = rectangle(0, 0, 10, 5, Style(fill="#ffffff"))
>>> bounds(outline)
(0.0, 0.0, 10.0, 5.0)
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from policy_reports.pictures.faces import Face

Point = tuple[float, float]
Curve = tuple[Point, Point, Point]
"""Two points that pull a line, and the point where it ends."""
Step = Point | Curve

# How far, in parts of a radius, a cubic curve is pulled to draw a quarter of a circle.
_QUARTER = 0.5523


class Anchor(StrEnum):
    """Which part of a text stands at its place."""

    START = "start"
    MIDDLE = "middle"
    END = "end"


@dataclass(frozen=True, slots=True)
class Style:
    """How a line is drawn and what it is filled with."""

    fill: str | None = None
    stroke: str | None = None
    width: float = 1.0
    dash: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Outline:
    """A line from ``start`` over steps, straight or curved; only ``closed`` lines are filled."""

    start: Point
    steps: tuple[Step, ...]
    style: Style
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text; ``y`` is its base line."""

    x: float
    y: float
    text: str
    size: float = 12.0
    colour: str = "#1b2430"
    face: Face = Face.REGULAR
    anchor: Anchor = Anchor.START


Drawn = Outline | Text


@dataclass(frozen=True, slots=True)
class Group:
    """What is drawn for one thing; ``key`` is its row in the table that goes with the picture, if it has one."""

    items: tuple[Drawn, ...]
    words: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """The content of a picture in words; ``keys`` names the rows that groups of the picture stand for."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """A whole picture, with the words that stand for it."""

    width: float
    height: float
    title: str
    description: str
    groups: tuple[Group, ...]
    tables: tuple[Table, ...] = ()


def line(points: Sequence[Point], style: Style) -> Outline:
    """Return an open line."""
    return Outline(points[0], tuple(points[1:]), style)


def polygon(points: Sequence[Point], style: Style) -> Outline:
    """Return a closed outline with straight sides."""
    return Outline(points[0], tuple(points[1:]), style, closed=True)


def rectangle(x: float, y: float, width: float, height: float, style: Style, radius: float = 0.0) -> Outline:
    """Return a rectangle, its corners rounded where it has a radius."""
    right, bottom = x + width, y + height
    r = min(radius, width / 2, height / 2)
    if r <= 0:
        return polygon(((x, y), (right, y), (right, bottom), (x, bottom)), style)
    k = r * (1 - _QUARTER)
    steps: tuple[Step, ...] = (
        (right - r, y),
        ((right - k, y), (right, y + k), (right, y + r)),
        (right, bottom - r),
        ((right, bottom - k), (right - k, bottom), (right - r, bottom)),
        (x + r, bottom),
        ((x + k, bottom), (x, bottom - k), (x, bottom - r)),
        (x, y + r),
        ((x, y + k), (x + k, y), (x + r, y)),
    )
    return Outline((x + r, y), steps, style, closed=True)


def flattened(outline: Outline, pieces: int = 16) -> list[Point]:
    """Return the points of an outline, every curve as so many straight pieces."""
    points = [outline.start]
    for step in outline.steps:
        if len(step) == 2:
            points.append(step)
            continue
        (x0, y0), ((x1, y1), (x2, y2), (x3, y3)) = points[-1], step
        for index in range(1, pieces + 1):
            t = index / pieces
            a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            points.append((a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3))
    return points


def dashes(points: Sequence[Point], pattern: Sequence[float]) -> Iterable[list[Point]]:
    """Yield the drawn pieces of a dashed line."""
    piece, index, left, drawn = [points[0]], 0, pattern[0], True
    for (x0, y0), (x1, y1) in pairwise(points):
        length, at = math.hypot(x1 - x0, y1 - y0), 0.0
        while length - at > left:
            at += left
            place = (x0 + (x1 - x0) * at / length, y0 + (y1 - y0) * at / length)
            if drawn:
                yield [*piece, place]
            piece, drawn, index = [place], not drawn, index + 1
            left = pattern[index % len(pattern)]
        left -= length - at
        piece.append((x1, y1))
    if drawn and len(piece) > 1:
        yield piece


def bounds(outline: Outline) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of an outline; points that pull a curve may lie within, never outside."""
    points = flattened(outline, 4)
    xs, ys = [float(x) for x, _ in points], [float(y) for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)
