"""Signing a report and checking the signature: every flipped byte, every addition, every wrong certificate is found."""

from __future__ import annotations

import io
import random
import re
import shutil
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pikepdf
import pytest
import sample_assessments as samples
import signing_identities as identities
from asn1crypto import cms, core, x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import SigFieldSpec, append_signature_field

from policy_reports.document import AssessmentDocument
from policy_reports.errors import CODES, ReportError
from policy_reports.pdf.render import render_pdf
from policy_reports.pdf.sign import sign_pdf
from policy_reports.pdf.verify import PdfCheck, attachment, verify_pdf

AT = identities.SIGNED_AT + timedelta(days=10)


def check(pdf: bytes, roots: Sequence[str] | None = None, at: datetime = AT) -> PdfCheck:
    return verify_pdf(pdf, trusted_roots_pem=[identities.root().pem] if roots is None else roots, at=at)


def refused(pdf: bytes, roots: Sequence[str] | None = None, at: datetime = AT) -> tuple[str, str]:
    result = check(pdf, roots, at)
    assert not result.ok
    (failure,) = result.failures
    assert failure.code in CODES
    assert "\n" not in failure.message
    return failure


def space(pdf: bytes) -> tuple[int, int]:
    """Where the hexadecimal string of the signature starts and ends, its brackets included."""
    found = re.search(rb"/ByteRange \[0 (\d+) (\d+) \d+\]", pdf)
    assert found is not None
    return int(found[1]), int(found[2])


def container(pdf: bytes) -> cms.ContentInfo:
    start, end = space(pdf)
    return cms.ContentInfo.load(bytes.fromhex(pdf[start + 1 : end - 1].decode()))


def with_container(pdf: bytes, changed: bytes) -> bytes:
    """The file with another container in the same space: no digest, range or offset moves."""
    start, end = space(pdf)
    digits = changed.hex().upper().encode()
    assert len(digits) <= end - start - 2
    return pdf[: start + 1] + digits.ljust(end - start - 2, b"0") + pdf[end - 1 :]


def test_a_signed_report_verifies(signed_pdf: bytes, rich_pdf: bytes) -> None:
    result = check(signed_pdf)
    assert result == PdfCheck(True, "Deputy Compliance Officer", identities.SIGNED_AT, ())
    assert signed_pdf.startswith(rich_pdf)
    assert attachment(signed_pdf) == attachment(rich_pdf)
    assert AssessmentDocument.from_json(attachment(signed_pdf)) == samples.rich()


def test_signing_is_deterministic(rich_pdf: bytes, signed_pdf: bytes) -> None:
    again = identities.sign(rich_pdf, identities.deputy(), identities.intermediate(), identities.root())
    assert again == signed_pdf


def test_a_signer_directly_under_the_root(rich_pdf: bytes) -> None:
    signed = identities.sign(rich_pdf, identities.officer())
    assert check(signed).ok
    assert len(container(signed)["content"]["certificates"]) == 1


def test_signing_keeps_the_archivable_file(rich_pdf: bytes, signed_pdf: bytes) -> None:
    with pikepdf.open(io.BytesIO(rich_pdf)) as before, pikepdf.open(io.BytesIO(signed_pdf)) as after:
        assert after.pdf_version == "1.7"
        assert "/Version" not in after.Root
        assert after.Root.Metadata.read_bytes() == before.Root.Metadata.read_bytes()
        assert after.docinfo == before.docinfo
        (field,) = after.Root.AcroForm.Fields
        assert field.V.SubFilter == pikepdf.Name("/ETSI.CAdES.detached")
        assert int(after.Root.Perms.DocMDP.Reference[0].TransformParams.P) == 1
        for item in after.objects:
            if isinstance(item, pikepdf.Dictionary) and item.get("/Type") == "/Font":
                assert "/FontFile2" in item.FontDescriptor


def test_the_stamp_names_the_signer(signed_pdf: bytes) -> None:
    with pikepdf.open(io.BytesIO(signed_pdf)) as pdf:
        appearance = pdf.Root.AcroForm.Fields[0].AP.N
        stamp = appearance.Resources.XObject.Stamp
        drawn = b"".join(bytes(instruction.operands[0]) for instruction in pikepdf.parse_content_stream(stamp, "Tj"))
    assert b"Deputy Compliance Officer" in drawn
    assert b"2028-01-15T09:30:00Z" in drawn


@pytest.mark.parametrize("mask", [0x01, 0x20])
def test_every_flipped_byte_around_the_signature_is_found(mask: int, signed_pdf: bytes) -> None:
    """Brackets, every structural byte and samples of the hexadecimal string, and its padding."""
    start, end = space(signed_pdf)
    used = len(container(signed_pdf).dump()) * 2
    chosen = random.Random(mask)
    positions = {start, start + 1, end - 2, end - 1, start + used, start + used + 1, start + used + 2}
    positions |= {start + 1 + 2 * offset + chosen.randrange(2) for offset in structural_offsets(signed_pdf)}
    positions |= set(chosen.sample(range(start, end), 250))
    assert len(positions) >= 300
    undetected = [position - start for position in sorted(positions) if check(flipped(signed_pdf, position, mask)).ok]
    assert undetected == []


def structural_offsets(pdf: bytes) -> set[int]:
    """Offsets of tag and length octets, and of the first and last octet of each value, of the whole DER tree."""
    data = container(pdf).dump()
    found: set[int] = set()

    def visit(start: int, end: int) -> None:
        while start < end:
            header, length = 2, data[start + 1]
            if length >= 0x80:
                octets = length & 0x7F
                length = int.from_bytes(data[start + 2 : start + 2 + octets], "big")
                header += octets
            found.update(range(start, start + header))
            if length:
                found.update({start + header, start + header + length - 1})
            if data[start] & 0x20:
                visit(start + header, start + header + length)
            start += header + length

    visit(0, len(data))
    return found


def flipped(pdf: bytes, position: int, mask: int) -> bytes:
    return pdf[:position] + bytes([pdf[position] ^ mask]) + pdf[position + 1 :]


def test_every_flipped_byte_elsewhere_is_found(signed_pdf: bytes) -> None:
    start, end = space(signed_pdf)
    chosen = random.Random(4)
    positions = set(chosen.sample(range(start), 300)) | set(range(end, len(signed_pdf)))
    positions |= set(range(40)) | set(range(start - 150, start))
    undetected = [
        position for position in sorted(positions) if check(flipped(signed_pdf, position, 1 << chosen.randrange(8))).ok
    ]
    assert undetected == []


@given(st.binary(max_size=400))
@settings(max_examples=60, deadline=None)
def test_no_bytes_raise(data: bytes) -> None:
    assert refused(data)[0] == "PE6201"
    assert refused(b"%PDF-1.7\n" + data)[0] in {"PE6201", "PE6202"}


@pytest.mark.parametrize("cut", [1, 2, 100, 700, 5000])
def test_a_truncated_file(cut: int, signed_pdf: bytes) -> None:
    assert refused(signed_pdf[:-cut])[0] in {"PE6201", "PE6203"}


def test_an_unsigned_report(rich_pdf: bytes) -> None:
    assert refused(rich_pdf) == ("PE6202", "the PDF has 0 signatures and not one")


@pytest.mark.parametrize("tail", [b"\n", b" ", b"\0", b"%%EOF\n", b"%PDF-1.7"])
def test_appended_and_prepended_bytes(tail: bytes, signed_pdf: bytes) -> None:
    assert refused(signed_pdf + tail)[0] in {"PE6201", "PE6203"}
    assert not check(tail + signed_pdf).ok


def test_an_incremental_update_is_found(signed_pdf: bytes) -> None:
    """Shadow content: a valid update hides the first page behind another content stream."""
    writer = IncrementalPdfFileWriter(io.BytesIO(signed_pdf))
    page = writer.root["/Pages"]["/Kids"][0].get_object()
    contents = page.raw_get("/Contents")
    page["/Contents"] = page.raw_get("/Contents")
    writer.mark_update(contents.reference)
    writer.update_container(page)
    output = io.BytesIO()
    writer.write(output)
    updated = output.getvalue()
    assert updated.startswith(signed_pdf)
    assert len(updated) > len(signed_pdf)
    assert refused(updated)[0] == "PE6203"


def test_a_file_written_anew_is_found(signed_pdf: bytes) -> None:
    with pikepdf.open(io.BytesIO(signed_pdf)) as pdf:
        pdf.docinfo.Title = pikepdf.String("Compliant")
        output = io.BytesIO()
        pdf.save(output)
    assert not check(output.getvalue()).ok


def test_a_second_signature_field_is_found(rich_pdf: bytes) -> None:
    writer = IncrementalPdfFileWriter(io.BytesIO(rich_pdf))
    append_signature_field(writer, SigFieldSpec("Other"))
    output = io.BytesIO()
    writer.write(output)
    signed = identities.sign(output.getvalue(), identities.officer())
    # An empty field signs nothing: the certified signature still covers the whole file.
    assert len(PdfFileReader(io.BytesIO(signed)).embedded_signatures) == 1
    assert check(signed).ok
    with pytest.raises(ReportError) as caught:
        identities.sign(signed, identities.officer())
    assert caught.value.code == "PE6104"


def test_other_cases_and_padding_of_the_digits(signed_pdf: bytes) -> None:
    start, end = space(signed_pdf)
    lower = signed_pdf[:start] + signed_pdf[start:end].lower() + signed_pdf[end:]
    assert refused(lower)[0] == "PE6204"
    padded = bytearray(signed_pdf)
    padded[end - 3] = ord("1")
    assert refused(bytes(padded))[0] == "PE6204"
    spaced = bytearray(signed_pdf)
    spaced[end - 3] = ord(" ")
    assert refused(bytes(spaced))[0] in {"PE6204", "PE6201"}


def test_an_unsigned_attribute_is_found(signed_pdf: bytes) -> None:
    info = container(signed_pdf)
    signer = info["content"]["signer_infos"][0]
    signer["unsigned_attrs"] = cms.CMSAttributes(
        [cms.CMSAttribute({"type": "1.2.3.4", "values": [core.OctetString(b"hidden")]})]
    )
    assert refused(with_container(signed_pdf, info.dump(force=True)))[0] == "PE6205"


def test_a_smuggled_certificate_is_found(signed_pdf: bytes) -> None:
    info = container(signed_pdf)
    stranger = identities.issue("Stranger", ec.generate_private_key(ec.SECP256R1()), serial=77, authority=True)
    certificates = list(info["content"]["certificates"])
    for extra in (stranger.der, identities.root().der, identities.deputy().der):
        added = cms.CertificateChoices("certificate", x509.Certificate.load(extra))
        info["content"]["certificates"] = [*certificates, added]
        changed = with_container(signed_pdf, info.dump(force=True))
        assert refused(changed)[0] == "PE6205"


def test_a_second_signer_is_found(signed_pdf: bytes) -> None:
    info = container(signed_pdf)
    signers = list(info["content"]["signer_infos"])
    info["content"]["signer_infos"] = [*signers, *signers]
    assert refused(with_container(signed_pdf, info.dump(force=True)))[0] in {"PE6201", "PE6205"}


def test_the_signature_of_another_report_is_found(signed_pdf: bytes) -> None:
    other = identities.sign(render_pdf(samples.single()), identities.deputy(), identities.intermediate())
    assert refused(with_container(signed_pdf, container(other).dump())) == (
        "PE6206",
        "the file was changed after it was signed",
    )


def test_roots_that_do_not_vouch(signed_pdf: bytes) -> None:
    message = "no trusted root certificate vouches for `Deputy Compliance Officer`"
    assert refused(signed_pdf, []) == ("PE6207", message)
    # A root of the same name with another key is another root.
    namesake = identities.issue("Example Root CA", ec.generate_private_key(ec.SECP256R1()), serial=1, authority=True)
    assert refused(signed_pdf, [namesake.pem]) == ("PE6207", message)
    assert check(signed_pdf, [namesake.pem, identities.root().pem]).ok
    assert refused(signed_pdf, ["no certificate"])[0] == "PE6211"


def test_instants(signed_pdf: bytes) -> None:
    before = refused(signed_pdf, at=identities.SIGNED_AT - timedelta(seconds=1))
    assert before == ("PE6207", "the report claims to be signed at `2028-01-15T09:30:00Z`, after the check")
    late = refused(signed_pdf, at=datetime(2031, 1, 1, tzinfo=UTC))
    assert late[0] == "PE6207"
    assert late[1].endswith("was not valid at the instant of the check")
    assert check(signed_pdf, at=identities.SIGNED_AT).ok


def test_a_certificate_that_may_not_sign(rich_pdf: bytes) -> None:
    """An authority's own key is for certificates, not for documents."""
    signed = identities.sign(rich_pdf, identities.intermediate(), identities.root())
    assert refused(signed)[0] == "PE6207"


@pytest.mark.parametrize("certify", [False, True])
def test_a_signature_that_allows_changes_is_refused(certify: bool, rich_pdf: bytes) -> None:
    signed = identities.sign_loosely(rich_pdf, identities.officer(), certify=certify)
    assert refused(signed) == ("PE6208", "the signature does not certify the document against every change")


def sign_with(pdf: bytes, **changed: object) -> bytes:
    officer = identities.officer()
    given: dict[str, object] = {
        "key": officer.key_pem,
        "passphrase": identities.PASSPHRASE,
        "certificate_pem": officer.pem,
        "signed_at": identities.SIGNED_AT,
    }
    return sign_pdf(pdf, **{**given, **changed})  # type: ignore[arg-type]


def unencrypted(key: identities.PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def test_what_cannot_sign(rich_pdf: bytes) -> None:
    weak = identities.rsa_key("weak", 2048)
    elliptic = ec.generate_private_key(ec.SECP256R1())
    cases: list[tuple[dict[str, object], str, str]] = [
        ({"passphrase": b"wrong"}, "PE6101", "the passphrase does not open the signing key"),
        ({"passphrase": None}, "PE6101", "needs a passphrase"),
        ({"key": b"no key"}, "PE6101", "is no PEM key"),
        ({"key": b"no key", "passphrase": None}, "PE6101", "is no PEM key"),
        ({"key": unencrypted(identities.officer().key)}, "PE6101", "is not encrypted but a passphrase was given"),
        ({"key": unencrypted(weak), "passphrase": None}, "PE6102", "at least 3072 bits"),
        ({"key": unencrypted(elliptic), "passphrase": None}, "PE6102", "not an RSA key"),
        ({"certificate_pem": identities.root().pem}, "PE6103", "is for another key"),
        ({"certificate_pem": "no certificate"}, "PE6103", "the signer's certificate is no PEM certificate"),
        ({"signed_at": datetime(2031, 1, 1, tzinfo=UTC)}, "PE6103", "is not valid at `2031-01-01T00:00:00Z`"),
        ({"chain_pems": [identities.intermediate().pem]}, "PE6103", "certificate 1 of the chain did not issue"),
        ({"chain_pems": ["x"]}, "PE6103", "certificate 1 of the chain is no PEM certificate"),
    ]
    for changed, code, said in cases:
        with pytest.raises(ReportError) as caught:
            sign_with(rich_pdf, **changed)
        assert (caught.value.code, said in caught.value.message) == (code, True), caught.value
    unprotected = sign_with(rich_pdf, key=unencrypted(identities.officer().key), passphrase=None)
    assert check(unprotected).ok


@pytest.mark.parametrize("pdf", [b"", b"no PDF", b"%PDF-1.7\n%%EOF"])
def test_what_cannot_be_signed(pdf: bytes) -> None:
    with pytest.raises(ReportError) as caught:
        identities.sign(pdf, identities.officer())
    assert caught.value.code == "PE6104"


def test_a_pdf_without_our_field_is_not_signed() -> None:
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        output = io.BytesIO()
        pdf.save(output)
    with pytest.raises(ReportError) as caught:
        identities.sign(output.getvalue(), identities.officer())
    assert caught.value.code == "PE6104"


def test_hostile_reports_can_be_signed(hostile_pdf: bytes) -> None:
    signed = sign_with(hostile_pdf, reason="\u202e" + "W" * 500, location="\U0001f600")
    assert check(signed).ok


@pytest.mark.skipif(shutil.which("pdfsig") is None, reason="pdfsig is not on PATH")
def test_poppler_agrees(signed_pdf: bytes, tmp_path: Path) -> None:
    file = tmp_path / "report.pdf"
    file.write_bytes(signed_pdf)
    said = subprocess.run(["pdfsig", "-nocert", str(file)], capture_output=True, text=True, check=False).stdout
    assert "Signature is Valid" in said
    assert "Total document signed" in said
    assert "ETSI.CAdES.detached" in said
