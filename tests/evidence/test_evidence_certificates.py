"""The local authority: what a PDF reader needs, and nothing that could be misused."""

from collections.abc import Callable
from datetime import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from policy_evidence.errors import KeyFileError
from policy_evidence.signing.certificates import Holder, check_authority, create_authority, issue_certificate
from policy_evidence.signing.keys import Algorithm, PrivateKey

ROOT = Holder("Example Root", "Example Bank", "BE")
OFFICER = Holder("Compliance Officer", "Example Bank", "BE")


@pytest.fixture(scope="module")
def root_key() -> PrivateKey:
    return PrivateKey.generate(Algorithm.ECDSA_P256)


@pytest.fixture
def root(root_key: PrivateKey, at: Callable[[str], datetime]) -> str:
    return create_authority(root_key, ROOT, serial=1, not_before=at("2027-01-01"), not_after=at("2037-01-01"))


def test_authority_and_signer(
    root: str, root_key: PrivateKey, rsa_key: PrivateKey, at: Callable[[str], datetime]
) -> None:
    pem = issue_certificate(
        root_key,
        root,
        rsa_key.public_key,
        OFFICER,
        serial=2,
        not_before=at("2027-01-01"),
        not_after=at("2029-01-01"),
    )
    authority, signer = (x509.load_pem_x509_certificate(text.encode()) for text in (root, pem))
    signer.verify_directly_issued_by(authority)
    authority.verify_directly_issued_by(authority)
    assert signer.subject.rfc4514_string() == "CN=Compliance Officer,O=Example Bank,C=BE"
    assert (signer.serial_number, signer.not_valid_after_utc) == (2, at("2029-01-01"))

    constraints = authority.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert (constraints.value.ca, constraints.value.path_length) == (True, 0)
    usage = authority.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert (usage.value.key_cert_sign, usage.value.crl_sign, usage.value.digital_signature) == (True, True, False)

    assert not signer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    usage = signer.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert usage.value.content_commitment
    assert not usage.value.key_cert_sign
    assert not usage.value.key_encipherment
    purposes = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [p.dotted_string for p in purposes] == ["1.3.6.1.5.5.7.3.36", "1.3.6.1.5.5.7.3.4"]
    above = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    named = signer.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert named.key_identifier == above.digest


def test_the_same_request_gives_the_same_certificate(
    root: str, root_key: PrivateKey, at: Callable[[str], datetime]
) -> None:
    again = create_authority(root_key, ROOT, serial=1, not_before=at("2027-01-01"), not_after=at("2037-01-01"))
    assert again == root
    assert check_authority(root) == root


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"serial": 0}, "PE4211"),
        ({"serial": -1}, "PE4211"),
        ({"serial": 2**159}, "PE4211"),
        ({"not_after": "2027-01-01"}, "PE4211"),
        ({"not_after": "2038-01-01"}, "PE4211"),
        ({"not_before": "2026-12-31"}, "PE4211"),
        ({"holder": Holder("")}, "PE4211"),
        ({"holder": Holder("x" * 65)}, "PE4211"),
        ({"holder": Holder("a\nb")}, "PE4211"),
        ({"holder": Holder("a", country="be")}, "PE4211"),
        ({"holder": Holder("a", country="BEL")}, "PE4211"),
        ({"key": Algorithm.ED25519}, "PE4210"),
    ],
)
def test_requests_that_are_refused(
    root: str, root_key: PrivateKey, at: Callable[[str], datetime], change: dict[str, object], code: str
) -> None:
    wanted: dict[str, object] = {
        "serial": 2,
        "not_before": "2027-01-01",
        "not_after": "2029-01-01",
        "holder": OFFICER,
        "key": Algorithm.ECDSA_P256,
    } | change
    with pytest.raises(KeyFileError) as refusal:
        issue_certificate(
            root_key,
            root,
            PrivateKey.generate(wanted["key"]).public_key,  # type: ignore[arg-type]  # a table of mixed values
            wanted["holder"],  # type: ignore[arg-type]
            serial=wanted["serial"],  # type: ignore[arg-type]
            not_before=at(str(wanted["not_before"])),
            not_after=at(str(wanted["not_after"])),
        )
    assert refusal.value.code == code


def test_an_authority_is_itself(root: str, root_key: PrivateKey, at: Callable[[str], datetime]) -> None:
    period = {"not_before": at("2027-01-01"), "not_after": at("2029-01-01")}
    stranger = PrivateKey.generate(Algorithm.ECDSA_P256)
    with pytest.raises(KeyFileError) as wrong_key:
        issue_certificate(stranger, root, stranger.public_key, OFFICER, serial=2, **period)
    assert wrong_key.value.code == "PE4210"
    signer = issue_certificate(root_key, root, stranger.public_key, OFFICER, serial=2, **period)
    with pytest.raises(KeyFileError) as not_an_authority:
        issue_certificate(stranger, signer, stranger.public_key, OFFICER, serial=3, **period)
    assert not_an_authority.value.code == "PE4212"
    with pytest.raises(KeyFileError) as naive:
        create_authority(root_key, ROOT, serial=1, not_before=datetime(2027, 1, 1), not_after=at("2037-01-01"))  # noqa: DTZ001 - refused
    assert naive.value.code == "PE4211"
    with pytest.raises(KeyFileError) as edwards:
        create_authority(PrivateKey.generate(), ROOT, serial=1, **period)
    assert edwards.value.code == "PE4210"
    for text in ("", root + root, root.replace("M", "N", 5), signer, "-----BEGIN CERTIFICATE-----", "é"):
        with pytest.raises(KeyFileError) as refusal:
            check_authority(text)
        assert refusal.value.code == "PE4212"


def _certificate(subject_key: PrivateKey, issuer_key: PrivateKey, at: Callable[[str], datetime], *, ca: bool) -> str:
    """A certificate named like its own issuer, which is all that a careless check would look at."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Look-alike")])
    public = serialization.load_der_public_key(subject_key.public_key.spki)
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only"), False
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)  # type: ignore[arg-type]  # P-256 keys only
        .serial_number(7)
        .not_valid_before(at("2027-01-01"))
        .not_valid_after(at("2029-01-01"))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=not ca, key_cert_sign=ca, crl_sign=ca, decipher_only=False, **usage),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)  # type: ignore[arg-type]
    )
    return issuer_key.sign_certificate(builder)


def test_a_root_is_an_authority_and_signed_by_itself(root_key: PrivateKey, at: Callable[[str], datetime]) -> None:
    other = PrivateKey.generate(Algorithm.ECDSA_P256)
    check_authority(_certificate(root_key, root_key, at, ca=True))
    for text in (_certificate(root_key, root_key, at, ca=False), _certificate(root_key, other, at, ca=True)):
        with pytest.raises(KeyFileError) as refusal:
            check_authority(text)
        assert refusal.value.code == "PE4212"
