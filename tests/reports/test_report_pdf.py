"""The report as PDF: content, structure tree, archive rules, layout, determinism, hostile text, size."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
import sample_assessments as samples
from write_golden import page_texts

from policy_reports.document import AssessmentDocument, Hop, Node, Result, Status, Witness
from policy_reports.errors import ReportError
from policy_reports.pdf.figures import path
from policy_reports.pdf.fonts import BOLD, SHOWN, width
from policy_reports.pdf.render import render_pdf
from policy_reports.pdf.text import lines, plain
from policy_reports.pdf.verify import attachment
from policy_reports.queries import findings

MM = 72 / 25.4

# ISO 32000-1, 14.8.4: the standard roles this report uses, and which element may hold which.
PARENTS = {
    "Document": {"StructTreeRoot"},
    "P": {"Document"},
    "H1": {"Document"},
    "H2": {"Document"},
    "Figure": {"Document"},
    "Form": {"Document"},
    "L": {"Document"},
    "LI": {"L"},
    "LBody": {"LI"},
    "TOC": {"Document"},
    "TOCI": {"TOC"},
    "Link": {"TOCI"},
    "Table": {"Document"},
    "TR": {"Table"},
    "TH": {"TR"},
    "TD": {"TR"},
}
PAINTING = {"Tj", "TJ", "'", '"', "S", "s", "f", "F", "f*", "B", "B*", "b", "b*", "sh", "Do", "BI", "EI"}


def elements(pdf: pikepdf.Pdf) -> Iterator[tuple[pikepdf.Object, str]]:
    """Every structure element with its role, in reading order, checking parents on the way."""

    def walk(element: pikepdf.Object, parent: str) -> Iterator[tuple[pikepdf.Object, str]]:
        role = str(element.S).removeprefix("/")
        assert parent in PARENTS[role], f"{role} in {parent}"
        yield element, role
        for kid in kids(element):
            if isinstance(kid, pikepdf.Dictionary) and kid.get("/Type") == pikepdf.Name.StructElem:
                yield from walk(kid, role)

    yield from walk(pdf.Root.StructTreeRoot.K, "StructTreeRoot")


def kids(element: pikepdf.Object) -> list[Any]:
    found = element.get("/K", pikepdf.Array())
    return list(found) if isinstance(found, pikepdf.Array) else [found]


def opened(pdf: bytes) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(pdf))


def texts(pdf: bytes) -> str:
    return " ".join(page_texts(pdf))


def test_every_result_is_printed(rich_pdf: bytes) -> None:
    document = samples.rich()
    text = re.sub(r"\s", "", texts(rich_pdf))
    last = text[text.rindex("11Allfindings") : text.rindex("12Responsibilities")]
    for number, finding in enumerate(findings(document), start=1):
        rule = re.sub(r"\s", "", finding.rule.id)
        assert f"{number}{rule}" in last or rule in last
        assert (finding.result.subject.name or "") in last
        assert re.sub(r"\s", "", finding.result.message or "") in last
    assert last.count("violated") == document.counts[Status.FAIL]
    assert last.count("notapplicable") == document.counts[Status.NOT_APPLICABLE]


def test_an_empty_section_says_that_it_is_empty() -> None:
    text = texts(render_pdf(samples.empty()))
    for said in (
        "Undecided",
        "nothing was shown",
        "silence is no compliance",
        "No rule was assessed.",
        "No rule is violated.",
        "No waiver was submitted.",
        "No result is unknown.",
        "No evidence was rejected.",
        "No warning was raised.",
        "No evidence was submitted.",
        "There is no result.",
    ):
        assert said in text


def test_the_cover_says_what_matters(rich_pdf: bytes) -> None:
    cover = page_texts(rich_pdf)[0]
    for part in ("Not compliant", "Example Lending Ltd", "2028-01-15T09:00:00Z", "Signature of the issuer"):
        assert part in cover
    assert cover.index("Not compliant") < cover.index("Organisation")


def test_pages_are_numbered(rich_pdf: bytes) -> None:
    pages = page_texts(rich_pdf)
    for number, text in enumerate(pages[1:], start=2):
        assert f"Page {number} of {len(pages)}" in text


def test_contents_lead_to_the_sections(rich_pdf: bytes) -> None:
    pages = page_texts(rich_pdf)
    listed = pages[1].partition("Contents ")[2]
    for title in ("1 Opinion and counts", "8 Waivers", "11 All findings", "13 Signatures"):
        found = re.search(re.escape(title) + r" (\d+)", listed)
        assert found is not None
        assert title in pages[int(found[1]) - 1]
    with opened(rich_pdf) as pdf:
        with pdf.open_outline() as outline:
            assert outline.root[0].title == "Contents"
            assert len(outline.root) == 14
            principal = next(item for item in outline.root if "Principal" in item.title)
            assert len(principal.children) == 3
        links = [annotation for annotation in pdf.pages[1].Annots if annotation.Subtype == pikepdf.Name.Link]
        assert len(links) == 16
        assert all(str(link.Contents).startswith("Go to: ") for link in links)


@pytest.mark.parametrize("which", ["rich", "hostile"])
def test_structure_tree(which: str, rich_pdf: bytes, hostile_pdf: bytes) -> None:
    with opened({"rich": rich_pdf, "hostile": hostile_pdf}[which]) as pdf:
        roles = Counter(role for _, role in elements(pdf))
        assert roles["H1"] == 14
        assert roles["Figure"] >= 4
        assert roles["Form"] == 1
        assert roles["LI"] == roles["LBody"] > 0
        assert roles["TOCI"] == roles["Link"]
        level = 0
        for element, role in elements(pdf):
            if role in {"H1", "H2"}:
                assert int(role[1]) <= level + 1
                level = int(role[1])
            elif role == "Figure":
                assert len(str(element.Alt)) > 20
                left, bottom, right, top = (float(value) for value in element.A.BBox)
                assert 19 * MM < left < right < 191 * MM
                assert 20 * MM < bottom < top < 275 * MM
            elif role == "TH":
                assert str(element.A.Scope) in {"/Column", "/Row"}
            elif role == "Table":
                widths = {len(kids(row)) for row in kids(element)}
                assert len(widths) == 1, "every row has the same number of cells"
                assert str(element.A.Summary)
            elif role in {"TD", "P", "LBody", "TR"}:
                assert kids(element), f"an empty {role}"


@pytest.mark.parametrize("which", ["rich", "hostile"])
def test_everything_painted_is_tagged_or_decoration(which: str, rich_pdf: bytes, hostile_pdf: bytes) -> None:
    with opened({"rich": rich_pdf, "hostile": hostile_pdf}[which]) as pdf:
        tree = pdf.Root.StructTreeRoot.ParentTree.Nums
        parents = {int(tree[index]): tree[index + 1] for index in range(0, len(tree), 2)}
        for page in pdf.pages:
            owners = parents[int(page.StructParents)]
            open_marks: list[str] = []
            numbers: list[int] = []
            for instruction in pikepdf.parse_content_stream(page):
                operator = str(instruction.operator)
                if operator in {"BDC", "BMC"}:
                    tag = str(instruction.operands[0])
                    assert not open_marks, "marked content is never nested"
                    open_marks.append(tag)
                    if operator == "BDC" and "/MCID" in instruction.operands[1]:
                        number = int(instruction.operands[1].MCID)
                        assert str(owners[number].S) == tag
                        numbers.append(number)
                elif operator == "EMC":
                    open_marks.pop()
                elif operator in PAINTING:
                    assert open_marks, f"{operator} outside marked content"
            assert not open_marks
            assert numbers == list(range(len(owners)))


def test_annotations_belong_to_the_tree(rich_pdf: bytes) -> None:
    with opened(rich_pdf) as pdf:
        tree = pdf.Root.StructTreeRoot.ParentTree.Nums
        parents = {int(tree[index]): tree[index + 1] for index in range(0, len(tree), 2)}
        for page in pdf.pages:
            assert page.Tabs == pikepdf.Name.S
            for annotation in page.get("/Annots", []):
                element = parents[int(annotation.StructParent)]
                assert str(element.S) in {"/Link", "/Form"}
                assert int(annotation.F) & 4


def test_archive_rules(rich_pdf: bytes) -> None:
    """What PDF/A-3a and PDF/UA-1 demand of the catalogue, the fonts, the metadata and the attachment."""
    with opened(rich_pdf) as pdf:
        root = pdf.Root
        assert pdf.pdf_version == "1.7"
        assert not pdf.is_encrypted
        assert str(root.Lang) == "en-GB"
        assert root.MarkInfo.Marked
        assert root.ViewerPreferences.DisplayDocTitle
        assert root.OutputIntents[0].S == pikepdf.Name.GTS_PDFA1
        assert "/JavaScript" not in root.get("/Names", {})
        assert "/OpenAction" not in root or "/S" not in root.OpenAction
        with pdf.open_metadata(update_docinfo=False) as xmp:
            assert xmp.pdfa_status == "3A"
            assert xmp["pdfuaid:part"] == "1"
            assert xmp["dc:title"] == str(pdf.docinfo.Title) == samples.rich().title
            assert xmp["dc:creator"] == [str(pdf.docinfo.Author)]
            assert xmp["xmp:CreateDate"] == "2028-01-15T09:00:00Z"
            assert xmp["pdf:Producer"] == str(pdf.docinfo.Producer)
            assert samples.rich().inputs.decision in str(xmp)
        assert str(pdf.docinfo.CreationDate) == "D:20280115090000Z"
        fonts = [item for item in pdf.objects if isinstance(item, pikepdf.Dictionary) and item.get("/Type") == "/Font"]
        assert fonts
        for font in fonts:
            assert "/FontFile2" in font.FontDescriptor, f"{font.BaseFont} is not embedded"
            assert "/ToUnicode" in font
            assert re.match(r"/[A-Z0-9]{6}\+Liberation", str(font.BaseFont))
        for item in pdf.objects:
            if isinstance(item, pikepdf.Stream) and "/Filter" in item:
                assert "/LZWDecode" not in str(item.Filter)


def test_the_document_is_attached(rich_pdf: bytes) -> None:
    data = attachment(rich_pdf)
    assert AssessmentDocument.from_json(data) == samples.rich()
    assert hashlib.sha256(data).hexdigest() in re.sub(r"\s", "", texts(rich_pdf))
    with opened(rich_pdf) as pdf:
        (specification,) = pdf.Root.AF
        assert specification.AFRelationship == pikepdf.Name.Data
        assert specification.EF.F.Subtype == pikepdf.Name("/application/json")
        assert int(specification.EF.F.Params.Size) == len(data)


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7\n%%EOF", b"no PDF"])
def test_no_attachment(data: bytes) -> None:
    with pytest.raises(ReportError) as caught:
        attachment(data)
    assert caught.value.code == "PE6210"


def test_the_same_document_gives_the_same_bytes(rich_pdf: bytes) -> None:
    assert render_pdf(samples.rich()) == rich_pdf
    program = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "import hashlib, sample_assessments, policy_reports.pdf.render as render\n"
        "sys.stdout.write(hashlib.sha256(render.render_pdf(sample_assessments.rich())).hexdigest())\n"
    )
    environment = {"PYTHONHASHSEED": "77", "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    other = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, env=environment)
    assert other.stdout == hashlib.sha256(rich_pdf).hexdigest()


@pytest.mark.parametrize("build", [samples.rich, samples.empty, samples.single, samples.hostile])
def test_nothing_is_empty_or_outside_the_margins(build: Any) -> None:
    opened_pdf = pypdfium2.PdfDocument(render_pdf(build()))
    try:
        for number, page in enumerate(opened_pdf):
            image = page.render(scale=1, grayscale=True).to_pil()
            wide, high = image.size
            band = round(11 * MM) if number == 0 else 0
            edges = {
                "left": (0, band, round(19.4 * MM), high),
                "right": (wide - round(19.2 * MM), band, wide, high),
                "top": (0, band, wide, round(11 * MM)),
                "bottom": (0, high - round(11 * MM), wide, high),
            }
            for edge, box in edges.items():
                if box[1] < box[3]:
                    assert image.crop(box).getextrema()[0] > 250, f"page {number + 1} paints at its {edge} edge"
            body = image.crop((0, round(22 * MM), wide, high - round(20 * MM)))
            ink = sum(count for shade, count in enumerate(body.histogram()) if shade < 200)
            assert ink > 300, f"page {number + 1} is empty"
    finally:
        opened_pdf.close()


@pytest.mark.parametrize("which", ["rich", "hostile"])
def test_no_heading_stands_at_the_foot_of_a_page(which: str, rich_pdf: bytes, hostile_pdf: bytes) -> None:
    with opened({"rich": rich_pdf, "hostile": hostile_pdf}[which]) as pdf:
        bookmarks = [item for item in pdf.objects if isinstance(item, pikepdf.Dictionary) and "/Title" in item]
        tops = [float(item.Dest[3]) for item in bookmarks if "/Dest" in item]
        assert len(tops) > 14
        assert min(tops) > 22 * MM + 80


def test_hostile_text_is_shown_and_not_obeyed(hostile_pdf: bytes) -> None:
    text = texts(hostile_pdf)
    for shown in (
        '<img src="file:///etc/passwd"/>',
        "</details> <script>alert(1)</script>",
        "[U+1F600]",
        "[U+202E]abc[U+202C]",
        "[U+6F22]",
        "[U+05E9]",
        "[U+001B]",
        "more characters in assessment.json",
    ):
        assert re.sub(r"\s", "", shown) in re.sub(r"\s", "", text)
    assert "\ufffd" not in text
    with opened(hostile_pdf) as pdf:
        assert not [
            item for item in pdf.objects if isinstance(item, pikepdf.Stream) and item.get("/Subtype") == "/Image"
        ]
        assert "/URI" not in str([annotation for page in pdf.pages for annotation in page.get("/Annots", [])])


def test_a_path_of_forty_hops_is_drawn_whole() -> None:
    steps = [("", "System", "credit"), *(("derived_from", "Dataset", f"stage-{index:02d}") for index in range(1, 41))]
    whole = path(samples.walk(*steps), mark="violation here")
    assert whole.split(0, 40) == []
    parts = whole.split(0, 560)
    assert len(parts) == 2
    assert all(part.height <= 560 for part in parts)
    words = [str(part.element.alternative) for part in parts]
    assert words[0].startswith("Lineage path, nodes 1 to 24 of 41: System credit, by derived_from to Dataset stage-01")
    assert words[1].startswith("Lineage path, nodes 25 to 41 of 41: by derived_from to Dataset stage-24,")
    assert words[1].endswith("stage-40 (violation here).")
    assert all(f"stage-{index:02d}" in " ".join(words) for index in range(1, 41))
    document = samples.assemble(
        (samples.RETIRED,),
        [
            Result(
                rule=samples.RETIRED.id,
                subject=samples.subject("System", "credit"),
                status=Status.FAIL,
                witnesses=(samples.walk(*steps),),
            )
        ],
    )
    text = texts(render_pdf(document))
    assert all(f"stage-{index:02d}" in text for index in range(1, 41))


def test_a_name_of_three_hundred_characters_is_shown_whole() -> None:
    name = "".join(f"segment-{index:03d}/" for index in range(25))
    hops = (
        Hop(node=Node(id="s", kind="System", name="credit")),
        Hop(edge="reads", node=Node(id="d", kind="Dataset", name=name)),
    )
    result = Result(
        rule=samples.RETIRED.id,
        subject=samples.subject("System", name),
        status=Status.FAIL,
        witnesses=(Witness(hops=hops),),
    )
    text = re.sub(r"\s", "", texts(render_pdf(samples.assemble((samples.RETIRED,), [result]))))
    assert text.count(name) >= 3


def test_two_thousand_findings() -> None:
    document = samples.long(2000)
    start = time.perf_counter()
    pdf = render_pdf(document)
    taken = time.perf_counter() - start
    text = texts(pdf)
    assert "Findings 1,801 to 2,000" in text
    assert "The 25 gravest of" in text
    last = text[text.rindex("11 All findings") :]
    assert len(set(re.findall(r"claims-(\d+)@", re.sub(r"\s", "", last)))) == 2000
    assert taken < 45, f"{taken:.1f} s"


def test_text_breaks_where_identifiers_allow() -> None:
    broken = lines("eu_ai_act.data_governance.training_data", BOLD, 8, 80)
    assert "".join(broken) == "eu_ai_act.data_governance.training_data"
    assert all(width(line, BOLD, 8) <= 80 for line in broken)
    assert all(line[-1] in "._" for line in broken[:-1])
    assert lines("", BOLD, 8, 80) == [""]


def test_characters_of_every_kind_become_printable() -> None:
    everything = "".join(map(chr, [*range(0x3000), 0xFFFD, 0xFFFE, 0x1F600, 0x10FFFF]))
    shown = plain(everything)
    assert all(ord(character) in SHOWN for character in shown)


@pytest.mark.skipif(shutil.which("qpdf") is None, reason="qpdf is not on PATH")
@pytest.mark.parametrize("which", ["rich", "hostile", "signed"])
def test_qpdf_finds_nothing(which: str, rich_pdf: bytes, hostile_pdf: bytes, signed_pdf: bytes, tmp_path: Path) -> None:
    file = tmp_path / "report.pdf"
    file.write_bytes({"rich": rich_pdf, "hostile": hostile_pdf, "signed": signed_pdf}[which])
    done = subprocess.run(["qpdf", "--check", str(file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(shutil.which("pdfinfo") is None, reason="pdfinfo is not on PATH")
def test_poppler_reads_the_structure(rich_pdf: bytes, tmp_path: Path) -> None:
    file = tmp_path / "report.pdf"
    file.write_bytes(rich_pdf)
    done = subprocess.run(["pdfinfo", "-struct-text", str(file)], capture_output=True, text=True, check=True)
    assert "Not compliant" in done.stdout
    assert re.search(r"\n  Table \(block\):\n +/Summary \(Results by status\)\n    TR\n      TH:\n", done.stdout)
    assert "Figure" in done.stdout
    assert not done.stderr


@pytest.mark.skipif(shutil.which("verapdf") is None, reason="veraPDF is not on PATH")
@pytest.mark.parametrize("flavour", ["3a", "ua1"])
def test_verapdf_agrees(flavour: str, signed_pdf: bytes, tmp_path: Path) -> None:
    file = tmp_path / "report.pdf"
    file.write_bytes(signed_pdf)
    done = subprocess.run(["verapdf", "--format", "json", "-f", flavour, str(file)], capture_output=True, text=True)
    (job,) = json.loads(done.stdout)["report"]["jobs"]
    assert job["validationResult"][0]["compliant"], done.stdout
