"""Check a signed report: who signed it, and that not one byte of it differs.

`verify_pdf` is a procedure of numbered steps over bytes, offline, at an instant that is an argument. It never raises
for what a file contains: what is wrong is returned as `Failure`s with codes of `policy_reports.errors.CODES`.

Stricter than the standards where they leave room: the file has one signature and nothing after it, and the space that
holds the signature, which no signature can cover, has exactly one valid content. So any altered byte is found:
- inside the signed ranges, by the digest (step 5);
- between them, because that space is rebuilt from verified values alone and compared (steps 3, 4, 5 and 6).

An assessment can be taken out of the file with `attachment`; call `verify_pdf` first, for it verifies nothing.
"""

from __future__ import annotations

import hashlib
import io
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import pikepdf
from asn1crypto import cms, core
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import PdfSignatureStatus, SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from policy_reports.document import instant_text
from policy_reports.errors import ReportError
from policy_reports.pdf import ATTACHMENT

# What these libraries find is returned to the caller; by default they would print it as well.
for _library in ("pyhanko", "pyhanko_certvalidator"):
    logging.getLogger(_library).addHandler(logging.NullHandler())


class Failure(NamedTuple):
    """One thing that is wrong, by code and in words."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class PdfCheck:
    """The outcome: `signer` and `signed_at` are claims of the file unless `ok`."""

    ok: bool
    signer: str | None
    signed_at: datetime | None
    failures: tuple[Failure, ...]


class _Refused(Exception):  # noqa: N818 - it carries a failure, it is none
    """A step that found the file wrong."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.failure = Failure(code, message)


@dataclass(slots=True)
class _Claims:
    signer: str | None = None
    signed_at: datetime | None = None


def verify_pdf(pdf: bytes, *, trusted_roots_pem: Sequence[str], at: datetime) -> PdfCheck:
    """Check a signed report against the root certificates one trusts, at an instant."""
    claims = _Claims()
    try:
        _verify(pdf, trusted_roots_pem, at, claims)
    except _Refused as refused:
        return PdfCheck(False, claims.signer, claims.signed_at, (refused.failure,))
    return PdfCheck(True, claims.signer, claims.signed_at, ())


def attachment(pdf: bytes) -> bytes:
    """The assessment attached to a report, unverified; raises `ReportError` PE6210 if there is none."""
    try:
        with pikepdf.open(io.BytesIO(pdf)) as opened:
            return opened.attachments[ATTACHMENT].get_file().read_bytes()
    except (pikepdf.PdfError, KeyError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        raise ReportError("PE6210", f"the PDF has no readable `{ATTACHMENT}` attached") from error


def _verify(pdf: bytes, trusted_roots_pem: Sequence[str], at: datetime, claims: _Claims) -> None:
    # (1) The trusted roots are certificates. They come from the caller, never from the file.
    roots = [_root(pem, index) for index, pem in enumerate(trusted_roots_pem)]
    # (2) The file is a PDF with exactly one signature and no document timestamp.
    with _step("PE6201", "the file is no PDF, or the signature in it cannot be read"):
        signature = _only_signature(pdf)
    # (3) The signed ranges are the whole file but one string of hexadecimal digits (ISO 32000-1, 12.8.1): upper-case
    #     digits, then zeros to its end.
    with _step("PE6203", "the ranges that the signature covers cannot be read"):
        start, end = _unsigned_space(pdf, signature)
        container = _container(pdf[start:end])
    # (4) The digits are one CMS SignedData in the one form we write, rebuilt and compared: no unsigned attribute, no
    #     second signer, no algorithm but SHA-256 with RSA.
    with _step("PE6205", "the signature is no CMS signed data"):
        signed, certificate = _signed_data(container)
        claims.signer = _subject(certificate)
        claims.signed_at = _signing_time(signature)
    # (5) The signed attributes hold the digest of the ranges, and the signature over them is the certificate's
    #     (RFC 5652, 5.4).
    with _step("PE6206", "the signature cannot be checked"):
        _check_signature(signed, certificate, hashlib.sha256(pdf[:start] + pdf[end:]).digest())
        status = _status(signature, roots, at)
    # (6) The certificate leads to a trusted root at the instant, and every certificate in the file is on that path.
    with _step("PE6207", "the certificates of the signature cannot be read"):
        _check_window(certificate, claims.signed_at, at)
        _check_trust(status, certificate)
        _check_path(status, [choice.chosen for choice in signed["certificates"]])
    # (7) The signature certifies the document and permits no change at all (ISO 32000-1, 12.8.2.2).
    with _step("PE6208", "the certification cannot be read"):
        _check_certification(signature, status)
    # (8) A second, independent implementation agrees: whole file covered, nothing modified since.
    _check_coverage(status)


@contextmanager
def _step(code: str, message: str) -> Iterator[None]:
    """Turn whatever a parser of hostile bytes raises in a step into one failure."""
    try:
        yield
    except _Refused:
        raise
    except Exception as error:
        raise _Refused(code, message) from error


def _root(pem: str, index: int) -> asn1.Certificate:
    try:
        loaded = x509.load_pem_x509_certificate(pem.encode())
        return asn1.Certificate.load(loaded.public_bytes(serialization.Encoding.DER), strict=True)
    except ValueError as error:
        raise _Refused("PE6211", f"trusted root certificate {index + 1} is no PEM certificate") from error


def _only_signature(pdf: bytes) -> EmbeddedPdfSignature:
    signatures: list[EmbeddedPdfSignature] = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
    if len(signatures) != 1:
        raise _Refused("PE6202", f"the PDF has {len(signatures)} signatures and not one")
    (signature,) = signatures
    if signature.sig_object_type != "/Sig":
        raise _Refused("PE6202", "the PDF has a timestamp where its signature should be")
    return signature


def _unsigned_space(pdf: bytes, signature: EmbeddedPdfSignature) -> tuple[int, int]:
    first, start, end, rest = (int(value) for value in signature.byte_range)
    covers_all = first == 0 and 0 < start < end and end + rest == len(pdf)
    if not covers_all or pdf[start : start + 1] != b"<" or pdf[end - 1 : end] != b">":
        raise _Refused("PE6203", "the signature does not cover the whole file")
    return start, end


def _container(space: bytes) -> bytes:
    digits = space[1:-1]
    if len(digits) % 2 or not re.fullmatch(rb"[0-9A-F]*", digits):
        raise _Refused("PE6204", "the signature is not written in upper-case hexadecimal digits")
    return bytes.fromhex(digits.decode("ascii"))


def _signed_data(container: bytes) -> tuple[cms.SignedData, asn1.Certificate]:
    length = _der_length(container)
    if container[length:].strip(b"\0"):
        raise _Refused("PE6204", "the space after the signature holds something")
    info = cms.ContentInfo.load(container[:length], strict=True)
    signed: cms.SignedData = info["content"]
    certificates = [choice.chosen for choice in signed["certificates"]]
    (signer,) = signed["signer_infos"]
    number = signer["sid"].chosen["serial_number"].native
    issuer = signer["sid"].chosen["issuer"].dump()
    (certificate,) = (item for item in certificates if item.serial_number == number and item.issuer.dump() == issuer)
    if _rebuilt(certificates, certificate, signer).dump() != container[:length]:
        raise _Refused("PE6205", "the signature is not in its one encoded form")
    return signed, certificate


def _der_length(container: bytes) -> int:
    """The length of the first DER value, header included (X.690, 8.1.3)."""
    first = container[1]
    if first < 0x80:
        return 2 + first
    octets = first & 0x7F
    return 2 + octets + int.from_bytes(container[2 : 2 + octets], "big")


def _rebuilt(
    certificates: Sequence[asn1.Certificate], certificate: asn1.Certificate, signer: cms.SignerInfo
) -> cms.ContentInfo:
    """The container with only these parts taken from the file: certificates, signed attributes, signature."""
    sha256 = {"algorithm": "sha256", "parameters": core.Null()}
    info = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.IssuerAndSerialNumber(
                {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
            ),
            "digest_algorithm": sha256,
            "signed_attrs": signer["signed_attrs"],
            "signature_algorithm": {"algorithm": "sha256_rsa", "parameters": core.Null()},
            "signature": signer["signature"].native,
        }
    )
    data = {
        "version": "v1",
        "digest_algorithms": [sha256],
        "encap_content_info": {"content_type": "data"},
        "certificates": list(certificates),
        "signer_infos": [info],
    }
    return cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(data)})


def _check_signature(signed: cms.SignedData, certificate: asn1.Certificate, digest: bytes) -> None:
    (signer,) = signed["signer_infos"]
    attributes = signer["signed_attrs"]
    claimed = [item["values"][0].native for item in attributes if item["type"].native == "message_digest"]
    if claimed != [digest]:
        raise _Refused("PE6206", "the file was changed after it was signed")
    key = serialization.load_der_public_key(certificate.public_key.dump())
    if not isinstance(key, RSAPublicKey):
        raise _Refused("PE6206", "the signer's key is no RSA key")
    # RFC 5652, 5.4: what is signed is the encoding of the attributes as a SET, whatever tag they carry here.
    encoded = b"\x31" + attributes.dump()[1:]
    try:
        key.verify(signer["signature"].native, encoded, PKCS1v15(), hashes.SHA256())
    except InvalidSignature as error:
        raise _Refused("PE6206", "the signature is not the signer's") from error


def _signing_time(signature: EmbeddedPdfSignature) -> datetime:
    claimed = signature.self_reported_timestamp
    if claimed is None:
        raise _Refused("PE6205", "the signature names no instant of signing")
    return claimed


def _status(signature: EmbeddedPdfSignature, roots: Sequence[asn1.Certificate], at: datetime) -> PdfSignatureStatus:
    context = ValidationContext(trust_roots=list(roots), allow_fetching=False, moment=at)
    return validate_pdf_signature(signature, context)


def _check_window(certificate: asn1.Certificate, signed_at: datetime, at: datetime) -> None:
    if signed_at > at:
        raise _Refused("PE6207", f"the report claims to be signed at `{instant_text(signed_at)}`, after the check")
    begins, ends = certificate.not_valid_before, certificate.not_valid_after
    for instant, what in ((signed_at, "when the report was signed"), (at, "at the instant of the check")):
        if not begins <= instant <= ends:
            window = f"`{instant_text(begins)}` to `{instant_text(ends)}`"
            raise _Refused("PE6207", f"the signer's certificate, valid from {window}, was not valid {what}")


def _check_trust(status: PdfSignatureStatus, certificate: asn1.Certificate) -> None:
    if not status.intact or not status.valid:
        raise _Refused("PE6206", "the signature does not match the file")
    if not status.trusted:
        raise _Refused("PE6207", f"no trusted root certificate vouches for `{_subject(certificate)}`")


def _check_path(status: PdfSignatureStatus, embedded: Sequence[asn1.Certificate]) -> None:
    path = status.validation_path
    vouching = path.iter_certs(include_root=False) if path is not None else ()
    if sorted(item.dump() for item in vouching) != sorted(item.dump() for item in embedded):
        raise _Refused("PE6205", "the signature carries a certificate that its trust does not rest on")
    for item in embedded:
        # What surrounds the signed part of a certificate is covered by no signature, so it is rebuilt: the algorithm
        # repeats the inner one (RFC 5280, 4.1.1.2) and the last octet of the bit string has no unused bits.
        signed_part = item["tbs_certificate"]
        rebuilt = {
            "tbs_certificate": signed_part,
            "signature_algorithm": signed_part["signature"],
            "signature_value": item["signature_value"].native,
        }
        if asn1.Certificate(rebuilt).dump() != item.dump():
            raise _Refused("PE6205", "a certificate of the signature is not in its one encoded form")


def _check_certification(signature: EmbeddedPdfSignature, status: PdfSignatureStatus) -> None:
    if signature.docmdp_level is not MDPPerm.NO_CHANGES or not status.docmdp_ok:
        raise _Refused("PE6208", "the signature does not certify the document against every change")


def _check_coverage(status: PdfSignatureStatus) -> None:
    if status.coverage is not SignatureCoverageLevel.ENTIRE_FILE:
        raise _Refused("PE6203", "the signature does not cover the whole file")
    if status.modification_level is not ModificationLevel.NONE or not status.bottom_line:
        raise _Refused("PE6209", "the PDF was changed after it was signed")


def _subject(certificate: asn1.Certificate) -> str:
    name = certificate.subject.native
    return str(name.get("common_name") or certificate.subject.human_friendly)
