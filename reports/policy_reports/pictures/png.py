"""A scene → PNG, two dots for each pixel so that it is sharp on paper and on fine screens.

Lines are drawn three times as large, strip by strip, and scaled down; text is written by the fonts that the reports
carry. A character that those do not have is spelled out as `[U+XXXX]`, and so is one that needs shaping (`png_text`).
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from policy_reports.errors import ReportError
from policy_reports.pictures.colours import PAPER
from policy_reports.pictures.faces import Face, font_bytes, measures
from policy_reports.pictures.scene import Anchor, Outline, Point, Scene, Text, dashes, flattened
from policy_reports.plaintext import spelled, visible

if TYPE_CHECKING:
    from PIL import ImageDraw, ImageFont

MOST_DOTS = 160_000_000
"""What a picture may have at most: about 500 MB while it is drawn."""
_STRIP = 256
_FINE = 3
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_ANCHORS = {Anchor.START: "ls", Anchor.MIDDLE: "ms", Anchor.END: "rs"}


def png_text(text: str) -> str:
    """Return a text in characters that the fonts can show.

    >>> png_text("Łódź \\u4e2d")
    'Łódź [U+4E2D]'
    """
    shown = _shown()
    return "".join(
        c if ord(c) in shown and _plain(c) else spelled(c) for c in visible(unicodedata.normalize("NFC", text))
    )


@cache
def _shown() -> frozenset[int]:
    return frozenset.intersection(*(frozenset(measures(face).advances) for face in Face))


def _plain(character: str) -> bool:
    return unicodedata.bidirectional(character) not in _RIGHT_TO_LEFT


def to_png(scene: Scene) -> bytes:
    """Write a picture in dots; one that would have too many gets one for each pixel.

    Raises:
        ReportError: PE3706, even that would be too many; PE3707, Pillow is not installed.
    """
    try:
        from PIL import Image, ImageDraw, PngImagePlugin
    except ImportError as error:
        hint = "pip install 'ai-policy-engine[reports]', or ask for SVG"
        raise ReportError("PE3707", "a picture in dots needs Pillow, which is not installed", help=hint) from error
    pixels = scene.width * scene.height
    if pixels > MOST_DOTS:
        hint = "ask for SVG, or for fewer things with `--limit`"
        raise ReportError("PE3706", f"the picture would have {pixels:,.0f} dots", help=hint)
    scale = 2 if 4 * pixels <= MOST_DOTS else 1
    size = (round(scene.width * scale), round(scene.height * scale))
    picture = Image.new("RGB", size, PAPER)
    outlines = [(flattened(item), item) for group in scene.groups for item in group.items if isinstance(item, Outline)]
    extents = [(min(y for _, y in points), max(y for _, y in points)) for points, _ in outlines]
    for top in range(0, size[1], _STRIP):
        high = min(_STRIP, size[1] - top)
        strip = Image.new("RGB", (size[0] * _FINE, high * _FINE), PAPER)
        draw = ImageDraw.Draw(strip)
        for (upper, lower), (points, item) in zip(extents, outlines, strict=True):
            if upper * scale - 8 < top + high and lower * scale + 8 > top:
                _outline(draw, points, item, scale * _FINE, top * _FINE)
        picture.paste(strip.reduce(_FINE), (0, top))
    writer = ImageDraw.Draw(picture)
    for group in scene.groups:
        for text in group.items:
            if isinstance(text, Text):
                font = _font(text.face, text.size * scale)
                place = (text.x * scale, text.y * scale)
                writer.text(place, text.text, text.colour, font, _ANCHORS[text.anchor])
    notes = PngImagePlugin.PngInfo()
    notes.add_itxt("Title", scene.title)
    notes.add_itxt("Description", scene.description)
    written = io.BytesIO()
    picture.save(written, "PNG", pnginfo=notes, dpi=(96 * scale, 96 * scale), optimize=False, compress_level=6)
    return written.getvalue()


def _outline(draw: ImageDraw.ImageDraw, place: Sequence[Point], outline: Outline, scale: float, top: float) -> None:
    points = [(x * scale, y * scale - top) for x, y in place]
    style = outline.style
    if outline.closed:
        points.append(points[0])
        if style.fill:
            draw.polygon(points, fill=style.fill)
    if style.stroke:
        width = max(1, round(style.width * scale))
        pieces = dashes(points, [d * scale for d in style.dash]) if style.dash else [points]
        for piece in pieces:
            draw.line(piece, fill=style.stroke, width=width, joint="curve")


@cache
def _font(face: Face, size: float) -> ImageFont.FreeTypeFont:
    from PIL import ImageFont

    # The basic layout: the finer one depends on libraries that not every machine has, and bytes should not.
    return ImageFont.truetype(io.BytesIO(font_bytes(face)), size, layout_engine=ImageFont.Layout.BASIC)
