"""A small local certificate authority, so that PDF readers can check who signed a report.

Rules: X.509 v3 as RFC 5280 profiles it; the authority may only sign certificates and CRLs and issues no further
authorities; a signer's certificate is for digital signatures and non-repudiation (section 4.2.1.3), marked for document
signing (RFC 9336); a certificate never outlives its issuer. Serial numbers and instants are arguments.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from policy_evidence.errors import KeyFileError, quoted
from policy_evidence.signing.keys import RSA_BITS, PrivateKey, PublicKey

# RFC 9336: id-kp-documentSigning.
_DOCUMENT_SIGNING: Final = ObjectIdentifier("1.3.6.1.5.5.7.3.36")
# PDF readers that judge certificates with NSS know only the older use of RFC 5280 for signing what people read.
_USES: Final = (_DOCUMENT_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION)
# RFC 5280 section 4.1.2.2: a serial number is positive and at most 20 octets.
_MAX_SERIAL: Final = 2**159 - 1
_PEM_BEGIN: Final = "-----BEGIN CERTIFICATE-----"
# RFC 5280 appendix A.1: upper bounds of the attributes used here.
_MAX_NAME: Final = 64


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a certificate names: a person or office, their organisation, and its country as two letters."""

    common_name: str
    organisation: str | None = None
    country: str | None = None


def create_authority(key: PrivateKey, holder: Holder, *, serial: int, not_before: datetime, not_after: datetime) -> str:
    """Return the self-signed root certificate (PEM) of a local authority."""
    name = _name(holder)
    builder = (
        _builder(key.public_key, name, name, serial, not_before, not_after)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
    )
    return key.sign_certificate(builder)


def issue_certificate(
    authority_key: PrivateKey,
    authority_pem: str,
    public_key: PublicKey,
    holder: Holder,
    *,
    serial: int,
    not_before: datetime,
    not_after: datetime,
) -> str:
    """Return the certificate (PEM) of somebody who signs reports."""
    authority = _authority(authority_pem)
    if _spki(authority) != authority_key.public_key.spki:
        raise KeyFileError("PE4210", "the key of the authority does not belong to its certificate")
    if not_before < authority.not_valid_before_utc or not_after > authority.not_valid_after_utc:
        raise KeyFileError(
            "PE4211", "the certificate would be valid when its authority is not", "choose a shorter period"
        )
    identifier = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        _builder(public_key, _name(holder), authority.subject, serial, not_before, not_after)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True, content_commitment=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage(_USES), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
    )
    return authority_key.sign_certificate(builder)


def check_authority(pem: str) -> str:
    """Return the one certificate in `pem`, normalised, if it can be a root of trust for reports."""
    return _authority(pem).public_bytes(Encoding.PEM).decode("ascii")


def _authority(pem: str) -> x509.Certificate:
    if pem.count(_PEM_BEGIN) != 1:
        raise KeyFileError("PE4212", "the text is not one certificate in PEM")
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode("utf-8"))
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        certificate.verify_directly_issued_by(certificate)
        _spki(certificate)
    except x509.ExtensionNotFound as cause:
        raise KeyFileError("PE4212", "the certificate lacks an extension that every authority has") from cause
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm) as cause:
        raise KeyFileError("PE4212", "the text is not a self-signed root certificate") from cause
    if not (constraints.ca and usage.key_cert_sign):
        raise KeyFileError("PE4212", "the certificate is not that of an authority", "give the root, not the signer")
    return certificate


def _spki(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _name(holder: Holder) -> x509.Name:
    wanted = (
        (NameOID.COUNTRY_NAME, holder.country),
        (NameOID.ORGANIZATION_NAME, holder.organisation),
        (NameOID.COMMON_NAME, holder.common_name),
    )
    attributes = []
    for oid, text in wanted:
        if text is None:
            continue
        if not text.strip() or len(text) > _MAX_NAME or not text.isprintable():
            raise KeyFileError("PE4211", f"{quoted(text)} cannot be a name in a certificate", "use 1 to 64 characters")
        if oid == NameOID.COUNTRY_NAME and not (len(text) == 2 and text.isascii() and text.isupper()):
            raise KeyFileError("PE4211", f"{quoted(text)} is not a country", "use two capital letters, such as `BE`")
        attributes.append(x509.NameAttribute(oid, text))
    return x509.Name(attributes)


def _builder(
    public_key: PublicKey, subject: x509.Name, issuer: x509.Name, serial: int, not_before: datetime, not_after: datetime
) -> x509.CertificateBuilder:
    if not 0 < serial <= _MAX_SERIAL:
        raise KeyFileError("PE4211", "the serial number is not between 1 and 2^159 - 1")
    for instant in (not_before, not_after):
        if instant.tzinfo is None or instant.microsecond:
            raise KeyFileError("PE4211", "the validity is not given in UTC with whole seconds")
    if not_before >= not_after:
        raise KeyFileError("PE4211", "the certificate would expire before it is valid")
    loaded = load_der_public_key(public_key.spki)
    if not isinstance(loaded, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        raise _unsuitable()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(loaded)
        .serial_number(serial)
        .not_valid_before(not_before.astimezone(UTC))
        .not_valid_after(not_after.astimezone(UTC))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(loaded), critical=False)
    )


def _usage(
    *,
    digital_signature: bool = False,
    content_commitment: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=content_commitment,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _unsuitable() -> KeyFileError:
    return KeyFileError(
        "PE4210",
        "PDF readers do not accept certificates with this kind of key",
        f"use RSA of {RSA_BITS} bits, or ECDSA P-256",
    )
