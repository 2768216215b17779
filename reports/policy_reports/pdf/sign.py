"""Sign a report: PAdES baseline B-B as a certification that forbids every change.

The signature fills the empty field on the cover (ETSI EN 319 142-1; ISO 32000-1, 12.8.2.2 with DocMDP level 1).
RSA keys only: with another kind of key the file would have to become PDF 2.0, which PDF/A-3 is not.
The instant is an argument, and RSA with PKCS #1 v1.5 padding needs no randomness, so signing is deterministic.

The stamp in the field is drawn with our embedded fonts, because the file must remain an archivable PDF.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from asn1crypto import keys
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.content import PdfContent
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import AxisAlignment, BoxConstraints, InnerScaling, SimpleBoxLayoutRule
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator.registry import SimpleCertificateStore
from reportlab.pdfgen.canvas import Canvas

from policy_reports.document import instant_text
from policy_reports.errors import ReportError
from policy_reports.pdf import FIELD, styles
from policy_reports.pdf.fonts import BOLD, REGULAR
from policy_reports.pdf.text import shortened

MIN_KEY_BITS = 3072


def sign_pdf(
    pdf: bytes,
    *,
    key: bytes,
    passphrase: bytes | None,
    certificate_pem: str,
    chain_pems: Sequence[str] = (),
    signed_at: datetime,
    reason: str = "Assessment report issued",
    location: str | None = None,
) -> bytes:
    """Sign a rendered report.

    `key` is a PEM PKCS #8 key, `chain_pems` are the certificates above the signer's; a root among them is not
    embedded, because whoever verifies must have it already.

    Raises `ReportError`: PE6101 and PE6102 for the key, PE6103 for a certificate, PE6104 for the PDF.
    """
    private = _private_key(key, passphrase)
    certificate, chain = _certificates(private, certificate_pem, chain_pems, signed_at)
    embedded = SimpleCertificateStore()  # type: ignore[no-untyped-call]  # its own constructor is not annotated
    embedded.register_multiple([_asn1(item) for item in chain])
    der = private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    signer = SimpleSigner(
        signing_cert=_asn1(certificate),
        signing_key=keys.PrivateKeyInfo.load(der),
        cert_registry=embedded,
        embed_roots=False,
    )
    metadata = PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        name=_name(certificate),
        reason=reason,
        location=location,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
    )
    stamp = StaticStampStyle(
        border_width=0,
        background=_Stamp(_draw_stamp(certificate, signed_at, reason)),
        background_layout=SimpleBoxLayoutRule(
            x_align=AxisAlignment.ALIGN_MIN,
            y_align=AxisAlignment.ALIGN_MIN,
            inner_content_scaling=InnerScaling.NO_SCALING,
        ),
        background_opacity=1.0,
    )
    output = io.BytesIO()
    try:
        writer = _Writer(io.BytesIO(pdf))
        _Signer(metadata, signer=signer, stamp_style=stamp, signed_at=signed_at).sign_pdf(
            writer, existing_fields_only=True, output=output
        )
    except (PdfError, SigningError) as error:
        raise ReportError(
            "PE6104",
            "the PDF cannot be signed: it is not an unsigned report of ours",
            help="Sign the bytes that the PDF renderer returned, once.",
        ) from error
    return output.getvalue()


class _Signer(PdfSigner):
    """A signer that takes the instant as an argument where the library reads the clock."""

    def __init__(self, *arguments: Any, signed_at: datetime, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._signed_at = signed_at

    def init_signing_session(self, *arguments: Any, **options: Any) -> Any:
        session = super().init_signing_session(*arguments, **options)
        session.system_time = self._signed_at
        return session


class _Writer(IncrementalPdfFileWriter):
    """A writer that keeps the report's metadata as it is, and derives the file's second identifier from the first."""

    def _update_meta(self) -> None:
        """Signing changes no statement about the document, so no date is touched."""

    @classmethod
    def _handle_id(cls, prev: Any) -> generic.ArrayObject:
        first = prev.trailer["/ID"][0]
        first_bytes = getattr(first, "original_bytes", first)
        second = hashlib.sha256(bytes(first_bytes)).digest()[:16]
        return generic.ArrayObject([generic.ByteStringObject(first_bytes), generic.ByteStringObject(second)])


class _Stamp(PdfContent):
    """The stamp as content for the signature field."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self._page = page

    def render(self) -> bytes:
        reader = PdfFileReader(io.BytesIO(self._page))
        form = self._ensure_writer.import_page_as_xobject(reader)
        self.resources.xobject["/Stamp"] = form
        left, bottom, right, top = (float(value) for value in form.get_object()["/BBox"])
        self.box = BoxConstraints(width=right - left, height=top - bottom)
        return b"/Stamp Do"


def _private_key(pem: bytes, passphrase: bytes | None) -> RSAPrivateKey:
    try:
        key = serialization.load_pem_private_key(pem, passphrase)
    except TypeError as error:
        said = "needs a passphrase" if passphrase is None else "is not encrypted but a passphrase was given"
        raise ReportError("PE6101", f"the signing key {said}") from error
    except ValueError as error:
        said = "the passphrase does not open the signing key, or it is no PEM key"
        raise ReportError("PE6101", said if passphrase is not None else "the signing key is no PEM key") from error
    if not isinstance(key, RSAPrivateKey) or key.key_size < MIN_KEY_BITS:
        raise ReportError(
            "PE6102",
            f"the signing key is not an RSA key of at least {MIN_KEY_BITS} bits",
            help="Create an RSA key for reports; keys for evidence are of another kind.",
        )
    return key


def _certificates(
    key: RSAPrivateKey, certificate_pem: str, chain_pems: Sequence[str], signed_at: datetime
) -> tuple[x509.Certificate, list[x509.Certificate]]:
    """The signer's certificate and the intermediate ones, each issued by the next."""
    certificate = _certificate(certificate_pem, "the signer's certificate")
    if certificate.public_key() != key.public_key():
        raise ReportError("PE6103", "the signer's certificate is for another key")
    if not certificate.not_valid_before_utc <= signed_at <= certificate.not_valid_after_utc:
        raise ReportError("PE6103", f"the signer's certificate is not valid at `{instant_text(signed_at)}`")
    intermediates: list[x509.Certificate] = []
    issued = certificate
    for index, pem in enumerate(chain_pems, start=1):
        issuer = _certificate(pem, f"certificate {index} of the chain")
        try:
            issued.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature) as error:
            said = f"certificate {index} of the chain did not issue the one before it"
            raise ReportError("PE6103", said, help="List the issuer first, then the issuer's issuer.") from error
        if issuer.subject != issuer.issuer:
            intermediates.append(issuer)
        issued = issuer
    return certificate, intermediates


def _certificate(pem: str, which: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except ValueError as error:
        raise ReportError("PE6103", f"{which} is no PEM certificate") from error


def _asn1(certificate: x509.Certificate) -> asn1.Certificate:
    return asn1.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))


def _name(certificate: x509.Certificate, which: x509.ObjectIdentifier = NameOID.COMMON_NAME) -> str:
    found = certificate.subject.get_attributes_for_oid(which)
    return str(found[0].value) if found else ""


def _draw_stamp(certificate: x509.Certificate, signed_at: datetime, reason: str) -> bytes:
    left, bottom, right, top = styles.SIGNATURE_BOX
    width, height = right - left, top - bottom
    output = io.BytesIO()
    canvas = Canvas(output, pagesize=(width, height), initialFontName=REGULAR, invariant=1, pageCompression=0)
    canvas.setFillColor(styles.WHITE)
    canvas.setStrokeColor(styles.ACCENT)
    canvas.setLineWidth(1)
    canvas.rect(0.5, 0.5, width - 1, height - 1, stroke=1, fill=1)
    canvas.setFillColor(styles.ACCENT)
    canvas.rect(0.5, 0.5, 4, height - 1, stroke=0, fill=1)
    canvas.setFont(REGULAR, 7.5)
    canvas.drawString(13, height - 14, "Digitally signed by")
    canvas.setFillColor(styles.INK)
    canvas.setFont(BOLD, 11)
    canvas.drawString(13, height - 28, shortened(_name(certificate), 38))
    canvas.setFont(REGULAR, 8)
    details = (_name(certificate, NameOID.ORGANIZATION_NAME), instant_text(signed_at), f"Reason: {reason}")
    for index, line in enumerate(details):
        canvas.drawString(13, height - 41 - 11 * index, shortened(line, 54))
    canvas.showPage()
    canvas.save()
    return output.getvalue()
