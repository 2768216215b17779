"""SVG, PNG and HTML: whole, readable without eyes, inert, and the same bytes each time, whatever names are drawn."""

import base64
import hashlib
import io
import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings

from policy_reports.document import Status
from policy_reports.errors import ReportError
from policy_reports.pictures.graph import Edge, Finding, Graph, Node, Shape
from policy_reports.pictures.png import MOST_DOTS, png_text, to_png
from policy_reports.pictures.render import FORMATS, render
from policy_reports.pictures.scene import Scene
from policy_reports.pictures.timeline import Mark, Row, Span, Timeline
from policy_reports.plaintext import visible
from tests.pictures.conftest import graphs

SVG = "{http://www.w3.org/2000/svg}"
START = datetime(2026, 11, 21, tzinfo=UTC)
END = datetime(2028, 1, 1, tzinfo=UTC)

HOSTILE = Graph(
    "<script>alert(1)</script>",
    "a",
    (
        Node("a", "System", '"><img src=x onerror=alert(1)>', Shape.SYSTEM, Status.FAIL, 2),
        Node("b", "Model", "\u202egnp.exe\x1b[2J]]>", Shape.MODEL, notes=("owner: not stated",)),
        Node("javascript:alert(1)", "Data<set>", "نموذج 信用 👩‍💻", Shape.DATA, hidden_dependencies={"Dataset": 37}),
    ),
    (Edge("uses<", "a", "b"), Edge("on&on", "b", "javascript:alert(1)"), Edge("back", "javascript:alert(1)", "a")),
    (("a", "b"),),
    (Finding(Status.FAIL, "r<u>le", "it is </desc></svg> wrong"),),
    {"Dataset": 37},
    ("caption & more",),
)
TIMELINE = Timeline(
    "Forecast <b>",
    START,
    END,
    (
        Row("Verdict", "all", (Span(START, END, Status.FAIL),), strong=True),
        Row(
            "datasheets_current",
            "<i>credit</i>",
            (
                Span(START, START + timedelta(days=90), Status.PASS),
                Span(START + timedelta(days=90), END, Status.FAIL, "evidence is too old & more"),
            ),
        ),
        Row("empty", "nothing", ()),
    ),
    (Mark(START + timedelta(days=30), "a law applies"),),
    12,
)


class _Page(HTMLParser):
    """What a page holds: its elements with their attributes, and its text."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(data.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


def _inert(elements: list[tuple[str, dict[str, str | None]]]) -> None:
    """Nothing is run and nothing is loaded: no active element, no handler, no address but places in the file."""
    for tag, attributes in elements:
        assert tag not in {
            "script",
            "image",
            "img",
            "iframe",
            "object",
            "embed",
            "foreignObject",
            "link",
            "use",
            "form",
        }
        for name, value in attributes.items():
            assert not name.startswith("on")
            assert name != "style"
            if name in {"href", "src", "{http://www.w3.org/1999/xlink}href"}:
                assert (value or "").startswith("#")


def _svg(data: bytes) -> ElementTree.Element:
    root = ElementTree.fromstring(data)
    _inert([(e.tag.removeprefix(SVG), dict(e.attrib)) for e in root.iter()])
    return root


@settings(max_examples=60)
@given(graphs())
def test_any_graph_is_well_formed_and_complete(graph: Graph) -> None:
    root = _svg(render(graph, "svg"))
    labels = [e.get("aria-label") for e in root.iter(f"{SVG}g") if e.get("aria-label")]
    assert len(labels) == len(graph.nodes)
    for node in graph.nodes:
        name = " ".join(visible(node.name or node.id).split())
        assert any(name in " ".join((label or "").split()) for label in labels)
    for node in graph.nodes:
        for kind, count in node.hidden_dependencies.items():
            assert any(f"{count} {kind}" in (label or "") for label in labels)
    arrows = {(e.source, e.target, e.type) for e in graph.edges}
    page = _Page(render(graph, "html"))
    _inert(page.elements)
    assert sum(tag == "tr" for tag, _ in page.elements) >= len(graph.nodes) + len(arrows)


@pytest.mark.parametrize("picture", [HOSTILE, TIMELINE])
def test_svg_says_what_it_is_to_whoever_does_not_see_it(picture: Graph | Timeline) -> None:
    root = _svg(render(picture, "svg"))
    assert root.get("role") == "img"
    named = {e.get("id"): e.text for e in root if e.get("id")}
    assert [*named] == (root.get("aria-labelledby") or "").split()
    assert named["picture-title"] == picture.title
    assert named["picture-words"]


def test_text_stays_text() -> None:
    texts = [e.text for e in _svg(render(HOSTILE, "svg")).iter(f"{SVG}text")]
    assert "uses<" in texts
    assert "r<u>le" in texts
    assert "FAIL" in texts
    assert "2 FAIL" in texts
    assert "+37 Dataset it depends on" in texts
    assert "owner: not stated" in texts
    assert any("نموذج" in (text or "") for text in texts)
    assert "[U+202E]gnp.exe[U+001B][2J]]>" in "".join(text or "" for text in texts)


def test_a_page_works_by_keyboard_and_without_scripts() -> None:
    for picture in (HOSTILE, TIMELINE):
        page = _Page(render(picture, "html"))
        _inert(page.elements)
        ids = [attributes["id"] for _, attributes in page.elements if attributes.get("id")]
        assert len(ids) == len(set(ids))
        links = [attributes["href"] for tag, attributes in page.elements if tag == "a"]
        assert links
        assert all(link and link[1:] in ids for link in links)
        reached = [a for tag, a in page.elements if tag == "a" and a.get("aria-label")]
        assert len(reached) == len(
            picture.nodes if isinstance(picture, Graph) else [r for r in picture.rows if r.spans]
        )


def test_a_page_forbids_everything_but_its_own_style() -> None:
    data = render(HOSTILE, "html")
    page = _Page(data)
    policy = next(a["content"] for _, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
    style = re.search(rb"<style>(.*?)</style>", data, re.S)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1]).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert b"url(" not in style[1]
    assert b"@import" not in style[1]


def test_a_page_has_everything_in_words() -> None:
    text = _Page(render(HOSTILE, "html")).text
    for said in (
        "it is </desc></svg> wrong",
        "javascript:alert(1)",
        "on&on",
        "37 Dataset",
        "owner: not stated",
        "Not shown",
    ):
        assert said in text
    text = _Page(render(TIMELINE, "html")).text
    for said in (
        "evidence is too old & more",
        "2027-02-19",
        "a law applies",
        "+12 results do not change",
        "<i>credit</i>",
    ):
        assert said in text


@pytest.mark.parametrize("picture", [HOSTILE, TIMELINE])
def test_png_is_a_picture_with_its_words(picture: Graph | Timeline) -> None:
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    opened = image.open(io.BytesIO(render(picture, "png")))
    opened.load()
    scale = 2
    width = float(_svg(render(picture, "svg")).get("width") or 0)
    # The spelled out characters may make a PNG wider, never its cards.
    assert opened.size[0] >= width * scale * 0.9
    assert opened.text["Title"] == png_text(picture.title)
    assert opened.text["Description"]
    colours = {colour for _, colour in opened.getcolors(maxcolors=1 << 24)}
    assert (255, 255, 255) in colours
    assert len(colours) > 20


def test_png_spells_out_what_its_fonts_do_not_have() -> None:
    assert png_text("Łódź ✓ 中 א \u202e") == "Łódź [U+2713] [U+4E2D] [U+05D0] [U+202E]"


def test_a_picture_too_large_for_dots_is_refused() -> None:
    with pytest.raises(ReportError) as caught:
        to_png(Scene(20_000, MOST_DOTS / 10_000, "", "", ()))
    assert caught.value.code == "PE3706"
    assert caught.value.help


def test_another_format_is_refused() -> None:
    with pytest.raises(ReportError) as caught:
        render(HOSTILE, "gif")
    assert caught.value.code == "PE3703"


def test_a_graph_that_contradicts_itself_is_refused() -> None:
    node = Node("a", "Model")
    for wrong in (
        lambda: Graph("g", "b", (node,), ()),
        lambda: Graph("g", "a", (node, node), ()),
        lambda: Graph("g", "a", (node,), (Edge("uses", "a", "b"),)),
        lambda: Graph("g", "a", (node,), (), (("a", "b"),)),
    ):
        with pytest.raises(ReportError) as caught:
            wrong()
        assert caught.value.code == "PE3705"


def test_a_timeline_that_contradicts_itself_is_refused() -> None:
    day = timedelta(days=1)
    first = Span(START, START + 2 * day, Status.PASS)
    for changes in (
        {"end": START},
        {"end": END.replace(tzinfo=None)},
        {"marks": (Mark(START.replace(tzinfo=None), "naive"),)},
        {"rows": (Row("r", "s", (Span(START - day, END, Status.PASS),)),)},
        {"rows": (Row("r", "s", (Span(START, START, Status.PASS),)),)},
        {"rows": (Row("r", "s", (first, Span(START + day, END, Status.FAIL))),)},
        {"rows": (Row("r", "s", (Span(START + 3 * day, END, Status.FAIL), first)),)},
    ):
        with pytest.raises(ReportError) as caught:
            replace(TIMELINE, **changes)
        assert caught.value.code == "PE3704"


@pytest.mark.parametrize(
    "length", [timedelta(seconds=1), timedelta(hours=5), timedelta(days=40), timedelta(days=36_500)]
)
def test_a_forecast_of_any_length_has_an_axis(length: timedelta) -> None:
    row = Row("r", "s", (Span(START, START + length, Status.UNKNOWN, "because"),))
    _svg(render(Timeline("t", START, START + length, (row,)), "svg"))
    assert b"2026" in render(Timeline("t", START, datetime.max.replace(tzinfo=UTC), (row,)), "svg")


def test_changes_that_find_no_room_are_counted() -> None:
    starts = [START + timedelta(minutes=n) for n in range(8)]
    spans = [Span(one, one + timedelta(minutes=1), Status.FAIL, f"cause number {n}") for n, one in enumerate(starts)]
    data = render(Timeline("t", START, END, (Row("r", "s", tuple(spans)),)), "html")
    shown = sum(f": cause number {n}</text>".encode() in data for n in range(8))
    assert f"+{8 - shown} more changes".encode() in data
    assert all(f'<td><bdi dir="auto">cause number {n}</bdi></td>'.encode() in data for n in range(8))


def test_bytes_depend_on_the_content_alone() -> None:
    program = (
        "import hashlib; from tests.pictures.test_pictures_formats import HOSTILE, TIMELINE, FORMATS, render\n"
        "print([hashlib.sha256(render(p, f)).hexdigest() for p in (HOSTILE, TIMELINE) for f in FORMATS])"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "TZ": zone, "LANG": "C.UTF-8", "PATH": ""},
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Pacific/Auckland"))
    }
    assert len(printed) == 1
    assert str(len(FORMATS)) == "3"
