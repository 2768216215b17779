"""A small certificate authority for the tests of signing; keys are made once per test run."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from asn1crypto import keys
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, SimpleSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore

from policy_reports.pdf import FIELD
from policy_reports.pdf.sign import _Signer, _Writer, sign_pdf

START = datetime(2027, 1, 1, tzinfo=UTC)
SIGNED_AT = datetime(2028, 1, 15, 9, 30, tzinfo=UTC)
PASSPHRASE = b"correct horse"

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Identity:
    key: PrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(PASSPHRASE),
        )


def name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "BE"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example Lending Ltd"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=not authority,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def issue(
    common: str,
    key: PrivateKey,
    issuer: Identity | None = None,
    *,
    serial: int,
    authority: bool = False,
    days: int = 3650,
) -> Identity:
    signing_key = issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(common))
        .issuer_name(issuer.certificate.subject if issuer else name(common))
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(START)
        .not_valid_after(START + timedelta(days=days))
        .add_extension(x509.BasicConstraints(authority, None), critical=True)
        .add_extension(usage(authority=authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), critical=False)
    )
    return Identity(key, builder.sign(signing_key, hashes.SHA256()))


@cache
def rsa_key(which: str, bits: int = 3072) -> rsa.RSAPrivateKey:
    del which
    return rsa.generate_private_key(65537, bits)


@cache
def root(common: str = "Example Root CA") -> Identity:
    return issue(common, ec.generate_private_key(ec.SECP256R1()), serial=1, authority=True)


@cache
def intermediate() -> Identity:
    return issue("Example Issuing CA", rsa_key("intermediate"), root(), serial=2, authority=True)


@cache
def officer() -> Identity:
    """Signs under the root directly."""
    return issue("Compliance Officer", rsa_key("officer"), root(), serial=1001, days=730)


@cache
def deputy() -> Identity:
    """Signs under the intermediate authority."""
    return issue("Deputy Compliance Officer", rsa_key("officer"), intermediate(), serial=1002, days=730)


def sign(pdf: bytes, identity: Identity, *chain: Identity, signed_at: datetime = SIGNED_AT) -> bytes:
    return sign_pdf(
        pdf,
        key=identity.key_pem,
        passphrase=PASSPHRASE,
        certificate_pem=identity.pem,
        chain_pems=[authority.pem for authority in chain],
        signed_at=signed_at,
        location="Brussels",
    )


def sign_loosely(pdf: bytes, identity: Identity, *, certify: bool) -> bytes:
    """A valid signature as other programs make it: an approval, or a certification that lets forms be filled in."""
    signer = SimpleSigner(
        signing_cert=asn1.Certificate.load(identity.der),
        signing_key=keys.PrivateKeyInfo.load(
            identity.key.private_bytes(
                serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        ),
        cert_registry=SimpleCertificateStore(),
        embed_roots=False,
    )
    metadata = PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        certify=certify,
        docmdp_permissions=MDPPerm.FILL_FORMS,
    )
    output = io.BytesIO()
    loose = _Signer(metadata, signer=signer, signed_at=SIGNED_AT)
    loose.sign_pdf(_Writer(io.BytesIO(pdf)), existing_fields_only=True, output=output)
    return output.getvalue()
