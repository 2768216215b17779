"""The way into this package: a graph or a timeline, and a format, to bytes.

>>> from policy_reports.pictures.graph import Graph, Node
>>> render(Graph("credit", "credit", (Node("credit", "System"),), ()), "svg")[:5]
b'<?xml'
"""

from __future__ import annotations

from policy_reports.errors import ReportError
from policy_reports.pictures.cards import Spelling
from policy_reports.pictures.graph import Graph
from policy_reports.pictures.graph_to_scene import graph_to_scene
from policy_reports.pictures.page import to_html
from policy_reports.pictures.png import png_text, to_png
from policy_reports.pictures.scene import Scene
from policy_reports.pictures.svg import to_svg
from policy_reports.pictures.timeline import Timeline
from policy_reports.pictures.timeline_to_scene import timeline_to_scene
from policy_reports.plaintext import visible

FORMATS = ("svg", "png", "html")


def render(picture: Graph | Timeline, format: str) -> bytes:
    """Draw a picture as ``svg``, ``png`` or ``html``.

    Raises:
        ReportError: PE3703, the format is another; PE3706 or PE3707, it cannot be a PNG.
    """
    if format not in FORMATS:
        hint = f"formats are {', '.join(FORMATS)}"
        raise ReportError("PE3703", f"a picture cannot be written as `{format}`", help=hint)
    if format == "png":
        return to_png(_scene(picture, png_text))
    scene = _scene(picture, visible)
    return to_svg(scene) if format == "svg" else to_html(scene)


def _scene(picture: Graph | Timeline, spelled: Spelling) -> Scene:
    return graph_to_scene(picture, spelled) if isinstance(picture, Graph) else timeline_to_scene(picture, spelled)
