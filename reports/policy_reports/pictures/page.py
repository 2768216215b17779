"""A scene → an HTML page: the picture, and the same content as tables for whoever cannot use a picture.

The page loads nothing and runs nothing, and its policy forbids both (CSP Level 3: `default-src 'none'`, and the one
style sheet by its digest). Every thing in the picture is a link to its row, and the row leads back, so that the
keyboard reaches everything with scripts off.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from html import escape

from policy_reports.pictures.scene import Scene, Table
from policy_reports.pictures.svg import FONTS, element, row_ids

_STYLE = f"""\
:root {{ color-scheme: light; }}
body {{ margin: 0 auto; padding: 1.5rem; font: 16px/1.5 {FONTS}; color: #1b2430; background: #fff; }}
.picture {{ overflow: auto; border: 1px solid #c9d1da; border-radius: 6px; }}
.picture:focus-visible, a:focus-visible {{ outline: 3px solid #1b3f73; outline-offset: 2px; }}
svg {{ display: block; margin: 0 auto; }}
svg a:focus {{ outline: none; }}
svg a:focus .ring {{ stroke: #d9480f; stroke-width: 3px; }}
.tables {{ max-width: 75rem; margin: 0 auto; }}
.scroll {{ overflow-x: auto; }}
table {{ border-collapse: collapse; width: 100%; margin: 1.5rem 0; font-size: 0.9rem; }}
caption {{ text-align: left; font-weight: bold; font-size: 1.1rem; padding-bottom: 0.4rem; }}
th, td {{ text-align: left; vertical-align: top; padding: 0.35rem 0.7rem; border-bottom: 1px solid #c9d1da; }}
td {{ overflow-wrap: break-word; }}
thead th {{ background: #eef2f6; }}
tr:target {{ background: #fff3bf; }}
"""


def to_html(scene: Scene) -> bytes:
    """Write a page."""
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    title = escape(scene.title)
    rows = row_ids(scene)
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="referrer" content="no-referrer">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title>",
        f"<style>{_STYLE}</style>",
        "</head>",
        "<body>",
        "<main>",
        # The heading of the page is in the picture for those who see it.
        f'<div class="picture" role="region" aria-label="{escape(scene.title)}" tabindex="0">',
        element(scene, linked=True).rstrip("\n"),
        "</div>",
        '<div class="tables">',
        f"<h1>{title}</h1>",
        f"<p>{escape(scene.description)}</p>",
        *(line for table in scene.tables for line in _table(table, rows)),
        "</div>",
        "</main>",
        "</body>",
        "</html>",
        "",
    ]
    return "\n".join(lines).encode()


def _table(table: Table, rows: dict[str, str]) -> Iterator[str]:
    yield '<div class="scroll"><table>'
    yield f"<caption>{escape(table.caption)}</caption>"
    yield "<thead><tr>" + "".join(f'<th scope="col">{escape(text)}</th>' for text in table.head) + "</tr></thead>"
    yield "<tbody>"
    for number, row in enumerate(table.rows):
        first, *others = (f'<bdi dir="auto">{escape(text)}</bdi>' for text in row)
        name = rows.get(table.keys[number], "") if table.keys else ""
        start = (
            f'<tr id="{name}"><th scope="row"><a href="#{name}-picture">{first}</a></th>'
            if name
            else f"<tr><td>{first}</td>"
        )
        yield start + "".join(f"<td>{text}</td>" for text in others) + "</tr>"
    yield "</tbody></table></div>"
