"""From the bytes reportlab writes to an archivable, accessible, signable PDF.

`finish` adds what reportlab does not write: the structure tree (ISO 32000-1, 14.7), the metadata of PDF/A-3a and
PDF/UA-1, the colour profile, the attached assessment and the empty signature field. It reads no clock: every date is
the instant of the assessment, so the same document gives the same bytes.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

import pikepdf
from pikepdf import Array, Dictionary, Name, String
from PIL import ImageCms

from policy_reports.document import instant_text
from policy_reports.pdf import ATTACHMENT, FIELD
from policy_reports.pdf.styles import SIGNATURE_BOX
from policy_reports.pdf.tags import Branch, Link, Mark, TaggedCanvas
from policy_reports.pdf.text import plain

PRODUCER = "ai-policy-engine (ReportLab, pikepdf)"
LANGUAGE = "en-GB"
XMP_NAMESPACE = "urn:ai-policy-engine:xmp:assessment:v1:"


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the file says about itself."""

    title: str
    author: str
    subject: str
    creator: str
    instant: datetime
    decision: str
    """Digest of the decision the report belongs to."""


def finish(canvas: TaggedCanvas, drawn: bytes, metadata: Metadata, attachment: bytes) -> bytes:
    """Return the complete, unsigned PDF."""
    with pikepdf.open(io.BytesIO(drawn)) as pdf:
        _Structure(pdf, canvas).write()
        _describe(pdf, metadata)
        _attach(pdf, attachment, metadata.instant)
        pdf.remove_unreferenced_resources()
        output = io.BytesIO()
        pdf.save(
            output,
            min_version="1.7",
            deterministic_id=True,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            stream_decode_level=pikepdf.StreamDecodeLevel.generalized,
            compress_streams=True,
        )
    return output.getvalue()


class _Structure:
    """Writes the recorded tree as structure elements, with the parent tree that leads back from marks to elements."""

    def __init__(self, pdf: pikepdf.Pdf, canvas: TaggedCanvas) -> None:
        self.pdf = pdf
        self.canvas = canvas
        self.pages = [page.obj for page in pdf.pages]
        self.owners: list[list[pikepdf.Object | None]] = [[None] * count for count in canvas.marks_on_page]
        self.annotations: list[tuple[int, pikepdf.Object]] = []

    def write(self) -> None:
        """Build the tree under the document catalogue."""
        catalogue = self.pdf.Root
        root = self.pdf.make_indirect(Dictionary(Type=Name.StructTreeRoot))
        root.K = self._element(self.canvas.tree, root)
        numbers: list[Any] = []
        for index, (page, owners) in enumerate(zip(self.pages, self.owners, strict=True)):
            page.StructParents = index
            page.Tabs = Name.S
            numbers.extend([index, self.pdf.make_indirect(Array(owners))])
        for key, element in self.annotations:
            numbers.extend([key, element])
        root.ParentTree = self.pdf.make_indirect(Dictionary(Nums=Array(numbers)))
        root.ParentTreeNextKey = len(self.pages) + len(self.annotations)
        catalogue.StructTreeRoot = root
        catalogue.MarkInfo = Dictionary(Marked=True)

    def _element(self, branch: Branch, parent: pikepdf.Object) -> pikepdf.Object:
        made = self.pdf.make_indirect(Dictionary(Type=Name.StructElem, S=Name("/" + branch.element.role), P=parent))
        if branch.element.alternative is not None:
            made.Alt = String(branch.element.alternative)
        self._attributes(branch, made)
        kids = [self._kid(kid, made) for kid in branch.kids]
        if self.canvas.field is not None and self.canvas.field[0] is branch:
            kids.append(self._signature_field(self.pages[self.canvas.field[1]], made))
        made.K = Array(kids)
        return made

    @staticmethod
    def _attributes(branch: Branch, made: pikepdf.Object) -> None:
        element = branch.element
        if element.scope is not None:
            made.A = Dictionary(O=Name.Table, Scope=Name("/" + element.scope))
        elif element.summary is not None:
            made.A = Dictionary(O=Name.Table, Summary=String(element.summary))
        elif branch.box is not None:
            box = Array([round(value, 2) for value in branch.box])
            made.A = Dictionary(O=Name.Layout, BBox=box, Placement=Name.Block)

    def _kid(self, kid: Branch | Mark | Link, made: pikepdf.Object) -> pikepdf.Object:
        match kid:
            case Branch():
                return self._element(kid, made)
            case Mark(page, number):
                self.owners[page][number] = made
                return Dictionary(Type=Name.MCR, Pg=self.pages[page], MCID=number)
            case Link(page, index):
                annotation = self.pages[page].Annots[index]
                annotation.F = 4  # printed, as PDF/A demands
                return self._reference(annotation, self.pages[page], made)

    def _reference(self, annotation: pikepdf.Object, page: pikepdf.Object, made: pikepdf.Object) -> pikepdf.Object:
        key = len(self.pages) + len(self.annotations)
        annotation.StructParent = key
        self.annotations.append((key, made))
        return Dictionary(Type=Name.OBJR, Obj=annotation, Pg=page)

    def _signature_field(self, page: pikepdf.Object, made: pikepdf.Object) -> pikepdf.Object:
        left, bottom, right, top = SIGNATURE_BOX
        appearance = self.pdf.make_stream(b"")
        appearance.Type, appearance.Subtype = Name.XObject, Name.Form
        appearance.BBox = Array([0, 0, round(right - left, 2), round(top - bottom, 2)])
        widget = self.pdf.make_indirect(
            Dictionary(
                Type=Name.Annot,
                Subtype=Name.Widget,
                FT=Name.Sig,
                T=String(FIELD),
                TU=String("Signature of the issuer"),
                Rect=Array([round(value, 2) for value in SIGNATURE_BOX]),
                F=132,  # printed and locked
                P=page,
                AP=Dictionary(N=appearance),
            )
        )
        annotations = page.get("/Annots", Array())
        annotations.append(widget)
        page.Annots = annotations
        self.pdf.Root.AcroForm = self.pdf.make_indirect(Dictionary(Fields=Array([widget]), SigFlags=1))
        return self._reference(widget, page, made)


def _describe(pdf: pikepdf.Pdf, metadata: Metadata) -> None:
    catalogue = pdf.Root
    catalogue.Lang = String(LANGUAGE)
    catalogue.ViewerPreferences = Dictionary(DisplayDocTitle=True)
    profile = pdf.make_stream(_srgb_profile(metadata.instant))
    profile.N = 3
    intent = Dictionary(
        Type=Name.OutputIntent,
        S=Name.GTS_PDFA1,
        OutputConditionIdentifier=String("sRGB"),
        Info=String("sRGB IEC61966-2.1"),
        DestOutputProfile=profile,
    )
    catalogue.OutputIntents = Array([intent])
    packet = pdf.make_stream(_xmp(metadata).encode())
    packet.Type, packet.Subtype = Name.Metadata, Name.XML
    catalogue.Metadata = packet
    # The catalogue's packet and this dictionary must say the same (ISO 19005-3, 6.6.3).
    pdf.docinfo = pdf.make_indirect(
        Dictionary(
            Title=String(plain(metadata.title)),
            Author=String(plain(metadata.author)),
            Subject=String(plain(metadata.subject)),
            Creator=String(plain(metadata.creator)),
            Producer=String(PRODUCER),
            CreationDate=String(_pdf_date(metadata.instant)),
            ModDate=String(_pdf_date(metadata.instant)),
        )
    )


def _attach(pdf: pikepdf.Pdf, data: bytes, instant: datetime) -> None:
    stream = pdf.make_stream(data)
    stream.Type, stream.Subtype = Name.EmbeddedFile, Name("/application/json")
    checksum = hashlib.md5(data, usedforsecurity=False).digest()  # the format knows no other digest here
    stream.Params = Dictionary(Size=len(data), ModDate=String(_pdf_date(instant)), CheckSum=String(checksum))
    specification = pdf.make_indirect(
        Dictionary(
            Type=Name.Filespec,
            F=String(ATTACHMENT),
            UF=String(ATTACHMENT),
            Desc=String("The assessment this report was rendered from, complete and machine-readable"),
            AFRelationship=Name.Data,
            EF=Dictionary(F=stream, UF=stream),
        )
    )
    names = pdf.Root.get("/Names") or pdf.make_indirect(Dictionary())
    names.EmbeddedFiles = Dictionary(Names=Array([String(ATTACHMENT), specification]))
    pdf.Root.Names = names
    pdf.Root.AF = Array([specification])


def _srgb_profile(instant: datetime) -> bytes:
    """The sRGB profile of Pillow's colour library, with date and identifier pinned (ICC.1, 7.2)."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    parts = (instant.year, instant.month, instant.day, instant.hour, instant.minute, instant.second)
    profile[24:36] = b"".join(part.to_bytes(2, "big") for part in parts)
    profile[84:100] = bytes(16)
    return bytes(profile)


def _pdf_date(instant: datetime) -> str:
    return instant.strftime("D:%Y%m%d%H%M%SZ")


def _xmp(metadata: Metadata) -> str:
    date = instant_text(metadata.instant)
    title, author, subject, creator = (
        escape(plain(text)) for text in (metadata.title, metadata.author, metadata.subject, metadata.creator)
    )
    properties = f"""
    <rdf:Description rdf:about="" {_namespaces()}>
      <dc:format>application/pdf</dc:format>
      <dc:language><rdf:Bag><rdf:li>{LANGUAGE}</rdf:li></rdf:Bag></dc:language>
      <dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
      <dc:creator><rdf:Seq><rdf:li>{author}</rdf:li></rdf:Seq></dc:creator>
      <dc:description><rdf:Alt><rdf:li xml:lang="x-default">{subject}</rdf:li></rdf:Alt></dc:description>
      <xmp:CreateDate>{date}</xmp:CreateDate>
      <xmp:ModifyDate>{date}</xmp:ModifyDate>
      <xmp:MetadataDate>{date}</xmp:MetadataDate>
      <xmp:CreatorTool>{creator}</xmp:CreatorTool>
      <pdf:Producer>{PRODUCER}</pdf:Producer>
      <pdfaid:part>3</pdfaid:part>
      <pdfaid:conformance>A</pdfaid:conformance>
      <pdfuaid:part>1</pdfuaid:part>
      <assessment:decision>{metadata.decision}</assessment:decision>
    </rdf:Description>"""
    # PDF/A demands a description of every property it does not define itself (ISO 19005-3, 6.6.2.3).
    ours = ("assessment", XMP_NAMESPACE, "Assessment report", "decision", "Text", "Digest of the signed decision")
    accessible = ("pdfuaid", _NAMESPACES["pdfuaid"], "PDF/UA identification", "part", "Integer", "PDF/UA version")
    extensions = f"""
    <rdf:Description rdf:about="" {_extension_namespaces()}>
      <pdfaExtension:schemas><rdf:Bag>{_extension(*ours)}{_extension(*accessible)}
      </rdf:Bag></pdfaExtension:schemas>
    </rdf:Description>"""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
        '  <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f"{properties}{extensions}\n  </rdf:RDF>\n</x:xmpmeta>\n"
        '<?xpacket end="w"?>'
    )


_NAMESPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "pdf": "http://ns.adobe.com/pdf/1.3/",
    "pdfaid": "http://www.aiim.org/pdfa/ns/id/",
    "pdfuaid": "http://www.aiim.org/pdfua/ns/id/",
    "assessment": XMP_NAMESPACE,
}


def _namespaces() -> str:
    return " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in _NAMESPACES.items())


def _extension_namespaces() -> str:
    base = "http://www.aiim.org/pdfa/ns/"
    return (
        f'xmlns:pdfaExtension="{base}extension/" xmlns:pdfaSchema="{base}schema#" xmlns:pdfaProperty="{base}property#"'
    )


def _extension(prefix: str, uri: str, schema: str, name: str, kind: str, description: str) -> str:
    return f"""
        <rdf:li rdf:parseType="Resource">
          <pdfaSchema:schema>{schema}</pdfaSchema:schema>
          <pdfaSchema:namespaceURI>{uri}</pdfaSchema:namespaceURI>
          <pdfaSchema:prefix>{prefix}</pdfaSchema:prefix>
          <pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">
            <pdfaProperty:name>{name}</pdfaProperty:name>
            <pdfaProperty:valueType>{kind}</pdfaProperty:valueType>
            <pdfaProperty:category>internal</pdfaProperty:category>
            <pdfaProperty:description>{description}</pdfaProperty:description>
          </rdf:li></rdf:Seq></pdfaSchema:property>
        </rdf:li>"""
