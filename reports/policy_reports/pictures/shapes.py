"""The outlines of things: one for each family of kinds, told apart without colour.

Each is drawn into a rectangle. Where a line should end that comes from the left at some height, `inset` says: how far
inside the rectangle the outline lies there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import assert_never

from policy_reports.pictures.graph import Shape
from policy_reports.pictures.scene import Outline, Style, line, polygon, rectangle

TINTS: Mapping[Shape, tuple[str, str]] = {
    Shape.SYSTEM: ("#dfe9f7", "#1b3f73"),
    Shape.MODEL: ("#e9e4f6", "#4b3a86"),
    Shape.DATA: ("#e0f1ec", "#1f6a56"),
    Shape.PARTY: ("#f8ead9", "#8a5a16"),
    Shape.TEXT: ("#fbf6d8", "#7a6a10"),
    Shape.PROCESS: ("#e6eef0", "#3d5a66"),
    Shape.PLACE: ("#e3eefb", "#2a5f9e"),
    Shape.CONTROL: ("#fbe4e8", "#8d2f4a"),
    Shape.OTHER: ("#eef0f3", "#5a6572"),
}
"""What each outline is filled with, and the colour of its line."""

WORDS: Mapping[Shape, str] = {
    Shape.SYSTEM: "systems and agents",
    Shape.MODEL: "models",
    Shape.DATA: "data",
    Shape.PARTY: "people and organisations",
    Shape.TEXT: "prompts and other texts",
    Shape.PROCESS: "pipelines, runs and steps",
    Shape.PLACE: "deployments and endpoints",
    Shape.CONTROL: "contracts, controls and risks",
    Shape.OTHER: "other things",
}

_CORNER = 9.0
LID = 9.0
"""How much of its height the lid of a drum takes from its text."""


def outlines(
    shape: Shape, x: float, y: float, width: float, height: float, *, weight: float = 1.2
) -> tuple[Outline, ...]:
    """Return what is drawn for a thing of a family."""
    fill, stroke = TINTS[shape]
    style, thin = Style(fill, stroke, weight), Style(None, stroke, 1.0)
    right, bottom, c = x + width, y + height, _CORNER
    match shape:
        case Shape.SYSTEM:
            inner = rectangle(x + 3, y + 3, width - 6, height - 6, Style(None, stroke, 0.7), 3)
            return (rectangle(x, y, width, height, style, 5), inner)
        case Shape.MODEL:
            middle = y + height / 2
            tips = ((x + c, y), (right - c, y), (right, middle), (right - c, bottom), (x + c, bottom), (x, middle))
            return (polygon(tips, style),)
        case Shape.DATA:
            return _drum(x, y, width, height, style, thin)
        case Shape.PARTY:
            return (rectangle(x, y, width, height, style, 18),)
        case Shape.TEXT:
            sheet = ((x, y), (right - c, y), (right, y + c), (right, bottom), (x, bottom))
            fold = ((right - c, y), (right - c, y + c), (right, y + c))
            return (polygon(sheet, style), line(fold, thin))
        case Shape.PROCESS:
            return (polygon(((x + c, y), (right, y), (right - c, bottom), (x, bottom)), style),)
        case Shape.PLACE:
            return (rectangle(x, y, width, height, style), rectangle(x, y, 5, height, Style(stroke, None)))
        case Shape.CONTROL:
            cut = ((x + c, y), (right - c, y), (right, y + c), (right, bottom - c), (right - c, bottom))
            return (polygon((*cut, (x + c, bottom), (x, bottom - c), (x, y + c)), style),)
        case Shape.OTHER:
            return (rectangle(x, y, width, height, style, 4),)
        case _:
            assert_never(shape)


def _drum(x: float, y: float, width: float, height: float, style: Style, thin: Style) -> tuple[Outline, ...]:
    right, top, bottom = x + width, y + LID / 2, y + height - LID / 2
    over = ((x, y - 2), (right, y - 2), (right, top))
    under = ((right, y + height + 2), (x, y + height + 2), (x, bottom))
    body = Outline((x, top), (over, (right, bottom), under), style, closed=True)
    lid = Outline((x, top), (((x, top + 6), (right, top + 6), (right, top)),), thin)
    return (body, lid)


def inset(shape: Shape, height: float, at: float) -> float:
    """Return how far inside its rectangle an outline lies on the left, ``at`` so far below its top."""
    match shape:
        case Shape.MODEL:
            return _CORNER * abs(at - height / 2) / (height / 2)
        case Shape.PROCESS:
            return _CORNER * (1 - at / height)
        case Shape.PARTY:
            radius = min(18.0, height / 2)
            off = max(radius - at, at - (height - radius), 0.0)
            return radius - math.sqrt(max(radius**2 - off**2, 0.0))
        case Shape.CONTROL:
            return max(_CORNER - at, at - (height - _CORNER), 0.0)
        case Shape.SYSTEM | Shape.DATA | Shape.TEXT | Shape.PLACE | Shape.OTHER:
            return 0.0
        case _:
            assert_never(shape)
