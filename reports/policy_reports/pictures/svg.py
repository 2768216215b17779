"""A scene → SVG 1.1 that stands alone: text stays text, and nothing is loaded or run.

Whoever cannot see the picture has its title and description (`aria-labelledby`), and for every thing its words
(`title`, which browsers also show as a hint).
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from policy_reports.pictures.colours import PAPER
from policy_reports.pictures.faces import Face
from policy_reports.pictures.scene import Drawn, Group, Outline, Scene, Style, Text, bounds

FONTS = "Liberation Sans, Arial, Helvetica, Noto Sans, sans-serif"
_FACES = {
    Face.REGULAR: "",
    Face.BOLD: ' font-weight="bold"',
    Face.ITALIC: ' font-style="italic"',
}


def to_svg(scene: Scene) -> bytes:
    """Write a picture as a file of its own."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{element(scene)}'.encode()


def element(scene: Scene, *, linked: bool = False) -> str:
    """Write the `svg` element; ``linked`` makes every thing a link to its row in the page around it."""
    width, height = _number(scene.width), _number(scene.height)
    # An image hides what is inside it from assistive technology, which would keep links from being reached.
    role = "group" if linked else "img"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="{role}" aria-labelledby="picture-title picture-words" '
        f'width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family={quoteattr(FONTS)}>'
    )
    rows = row_ids(scene)
    lines = [
        head,
        f'<title id="picture-title">{escape(scene.title)}</title>',
        f'<desc id="picture-words">{escape(scene.description)}</desc>',
        f'<rect width="{width}" height="{height}" fill="{PAPER}"/>',
        *(text for group in scene.groups for text in _group(group, rows if linked else {})),
        "</svg>\n",
    ]
    return "\n".join(lines)


def row_ids(scene: Scene) -> dict[str, str]:
    """Return for the key of every row its id in a page."""
    keys = dict.fromkeys(key for table in scene.tables for key in table.keys if key)
    return {key: f"row-{number}" for number, key in enumerate(keys, 1)}


def _group(group: Group, rows: dict[str, str]) -> Iterator[str]:
    if not group.words:
        yield from (_drawn(item) for item in group.items)
        return
    row = rows.get(group.key)
    words = quoteattr(group.words)
    yield f'<a href="#{row}" id="{row}-picture" aria-label={words}>' if row else f'<g role="img" aria-label={words}>'
    yield f"<title>{escape(group.words)}</title>"
    yield from (_drawn(item) for item in group.items)
    if row:
        yield _ring(group)
    yield "</a>" if row else "</g>"


def _ring(group: Group) -> str:
    """Draw what shows where the keyboard is; the page makes it visible."""
    boxes = [bounds(item) for item in group.items if isinstance(item, Outline)]
    left, top = min(b[0] for b in boxes) - 4, min(b[1] for b in boxes) - 4
    right, bottom = max(b[2] for b in boxes) + 4, max(b[3] for b in boxes) + 4
    place = f'x="{_number(left)}" y="{_number(top)}" width="{_number(right - left)}" height="{_number(bottom - top)}"'
    return f'<rect class="ring" {place} rx="6" fill="none"/>'


def _drawn(item: Drawn) -> str:
    if isinstance(item, Text):
        return _text(item)
    return f'<path d="{_path(item)}"{_style(item.style, closed=item.closed)}/>'


def _text(item: Text) -> str:
    anchor = f' text-anchor="{item.anchor}"' if item.anchor != "start" else ""
    # Isolated, so that a name written from right to left stands where it is put and turns nothing else round.
    isolated = "" if item.text.isascii() else ' unicode-bidi="isolate" direction="ltr"'
    place = f'x="{_number(item.x)}" y="{_number(item.y)}" font-size="{_number(item.size)}" fill="{item.colour}"'
    return f"<text {place}{_FACES[item.face]}{anchor}{isolated}>{escape(item.text)}</text>"


def _path(outline: Outline) -> str:
    parts = [f"M{_point(outline.start)}"]
    for step in outline.steps:
        if len(step) == 2:
            parts.append(f"L{_point(step)}")
        else:
            parts.append("C" + " ".join(_point(point) for point in step))
    return "".join(parts) + ("Z" if outline.closed else "")


def _style(style: Style, *, closed: bool) -> str:
    written = f' fill="{style.fill if closed and style.fill else "none"}"'
    if style.stroke:
        written += f' stroke="{style.stroke}" stroke-width="{_number(style.width)}" stroke-linejoin="round"'
    if style.dash:
        written += f' stroke-dasharray="{" ".join(map(_number, style.dash))}"'
    return written


def _point(point: tuple[float, float]) -> str:
    return f"{_number(point[0])},{_number(point[1])}"


def _number(value: float) -> str:
    """Write a length, to a tenth of a pixel.

    >>> _number(12.0), _number(1.25), _number(-0.01)
    ('12', '1.2', '0')
    """
    written = f"{value:.1f}".removesuffix(".0")
    return "0" if written == "-0" else written
