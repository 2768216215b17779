"""Keys: Ed25519 (the default) and ECDSA P-256 sign statements; RSA only serves the certificates of PDF reports.

Rules: a public key is known by the SHA-256 of its SPKI, has exactly one accepted encoding, and an Ed25519 key is one
sound point; private keys leave memory only as encrypted PKCS#8. ECDSA signatures of ours are deterministic (RFC 6979),
DER, with the lower of the two possible `s`; on reading, raw `r ‖ s` (IEEE P1363) and either `s` are accepted too.

>>> key = PrivateKey.generate()
>>> key.public_key.verify(key.sign(b"message"), b"message")
True
"""

import base64
import binascii
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NewType, Self, TypeAlias, assert_never

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
)
from cryptography.x509 import CertificateBuilder

from policy_evidence.canonical import digest
from policy_evidence.errors import KeyFileError
from policy_evidence.signing.curve25519 import is_sound

KeyId = NewType("KeyId", str)
_AnyPublicKey: TypeAlias = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey
_AnyPrivateKey: TypeAlias = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

# The smallest RSA modulus still acceptable for signatures made beyond 2030 (NIST SP 800-57 part 1, table 2).
RSA_BITS: Final = 3072
# FIPS 186-5: the order of the base point of P-256.
_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_P256_BYTES: Final = 32
_PUBLIC_PEM = re.compile(r"\s*-----BEGIN PUBLIC KEY-----\s+([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----\s*")
# No key of ours comes near this; a larger text is something else.
_MAX_KEY_BYTES: Final = 64 * 1024
# What the encryption of PKCS#8 in OpenSSL takes.
_MAX_PASSPHRASE_BYTES: Final = 1023


class Algorithm(StrEnum):
    """The kinds of keys in use."""

    ED25519 = "ed25519"
    ECDSA_P256 = "ecdsa-p256"
    RSA = "rsa"


EVIDENCE_ALGORITHMS: Final = frozenset({Algorithm.ED25519, Algorithm.ECDSA_P256})


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key, equal to another when its `spki` is."""

    key_id: KeyId
    algorithm: Algorithm
    spki: bytes
    _key: _AnyPublicKey = field(repr=False, compare=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read PEM (`BEGIN PUBLIC KEY`) or the base64 of the same SPKI."""
        matched = _PUBLIC_PEM.fullmatch(text)
        body = re.sub(r"\s", "", matched[1] if matched else text)
        try:
            return cls.from_spki(base64.b64decode(body, validate=True))
        except (binascii.Error, ValueError) as cause:
            raise _not_a_public_key() from cause

    @classmethod
    def from_spki(cls, spki: bytes) -> Self:
        """Read DER SubjectPublicKeyInfo (RFC 5280 section 4.1), in its canonical encoding only."""
        try:
            loaded = load_der_public_key(spki)
        except (ValueError, TypeError, UnsupportedAlgorithm) as cause:
            raise _not_a_public_key() from cause
        key, algorithm = _accepted_public(loaded)
        if isinstance(key, ed25519.Ed25519PublicKey) and not is_sound(key.public_bytes_raw()):
            raise KeyFileError("PE4202", "the Ed25519 public key is not a sound point", "make a new key pair")
        # Compressed points and loose DER would give one key two digests.
        if key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != spki:
            raise KeyFileError("PE4203", "the public key is not in canonical encoding", "export it again as SPKI PEM")
        return cls(KeyId(digest(spki)), algorithm, spki, key)

    def to_pem(self) -> str:
        """Return the key as PEM."""
        return self._key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Tell whether this key made `signature` over `message`."""
        try:
            match self._key:
                case ed25519.Ed25519PublicKey():
                    self._key.verify(signature, message)
                    return True
                case ec.EllipticCurvePublicKey():
                    return any(self._verifies_der(self._key, der, message) for der in _der_readings(signature))
                case rsa.RSAPublicKey():
                    # RSA never signs statements.
                    return False
                case _ as unreachable:
                    assert_never(unreachable)
        except InvalidSignature:
            return False

    def verify_canonical(self, signature: bytes, message: bytes) -> bool:
        """Tell whether `signature` is over `message` and in the one encoding that our own keys write."""
        if self.algorithm is Algorithm.ECDSA_P256:
            try:
                if signature != _lower_s(signature):
                    return False
            except ValueError:
                return False
        return self.verify(signature, message)

    @staticmethod
    def _verifies_der(key: ec.EllipticCurvePublicKey, der: bytes, message: bytes) -> bool:
        try:
            key.verify(der, message, ec.ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A private key in memory; it prints as its public key's id."""

    public_key: PublicKey
    _key: _AnyPrivateKey = field(repr=False, compare=False)

    @classmethod
    def generate(cls, algorithm: Algorithm = Algorithm.ED25519) -> Self:
        """Make a new key from the operating system's randomness."""
        match algorithm:
            case Algorithm.ED25519:
                return cls._of(ed25519.Ed25519PrivateKey.generate())
            case Algorithm.ECDSA_P256:
                return cls._of(ec.generate_private_key(ec.SECP256R1()))
            case Algorithm.RSA:
                return cls._of(rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS))
            case _ as unreachable:
                assert_never(unreachable)

    @classmethod
    def from_pem(cls, pem: bytes, passphrase: bytes | None) -> Self:
        """Read PKCS#8: encrypted with a passphrase, or plain with none (a secret handed over by a CI system)."""
        encrypted = b"-----BEGIN ENCRYPTED PRIVATE KEY-----" in pem
        if len(pem) > _MAX_KEY_BYTES or not (encrypted or b"-----BEGIN PRIVATE KEY-----" in pem):
            raise KeyFileError("PE4201", "the text is not a private key in PKCS#8 PEM")
        if encrypted and passphrase is None:
            raise KeyFileError("PE4205", "the private key is encrypted", "give its passphrase")
        if not encrypted and passphrase is not None:
            raise KeyFileError(
                "PE4206", "the private key is not encrypted, yet a passphrase was given", "encrypt the key file"
            )
        try:
            loaded = load_pem_private_key(pem, passphrase)
        except (ValueError, TypeError, UnsupportedAlgorithm) as cause:
            if encrypted:
                raise KeyFileError("PE4204", "the passphrase is wrong, or the key file is damaged") from cause
            raise KeyFileError("PE4201", "the text is not a private key in PKCS#8 PEM") from cause
        if not isinstance(loaded, ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            raise _kind_not_accepted()
        return cls._of(loaded)

    def to_encrypted_pem(self, passphrase: bytes) -> bytes:
        """Return PKCS#8 PEM encrypted with `passphrase`."""
        if not 0 < len(passphrase) <= _MAX_PASSPHRASE_BYTES:
            raise KeyFileError(
                "PE4207",
                f"the passphrase is empty or longer than {_MAX_PASSPHRASE_BYTES} bytes",
                "a private key is only written encrypted",
            )
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase))

    def sign(self, message: bytes) -> bytes:
        """Return a signature over `message`; the same message always gets the same signature."""
        match self._key:
            case ed25519.Ed25519PrivateKey():
                return self._key.sign(message)
            case ec.EllipticCurvePrivateKey():
                return _lower_s(self._key.sign(message, ec.ECDSA(SHA256(), deterministic_signing=True)))
            case rsa.RSAPrivateKey():
                raise KeyFileError("PE4210", "an RSA key does not sign statements", "use an Ed25519 or ECDSA P-256 key")
            case _ as unreachable:
                assert_never(unreachable)

    def sign_certificate(self, builder: CertificateBuilder) -> str:
        """Return the finished certificate as PEM; the same content always gets the same signature."""
        match self._key:
            case ed25519.Ed25519PrivateKey():
                raise KeyFileError("PE4210", "PDF readers do not accept Ed25519", "use RSA")
            case ec.EllipticCurvePrivateKey():
                certificate = builder.sign(self._key, SHA256(), ecdsa_deterministic=True)
            case rsa.RSAPrivateKey():
                certificate = builder.sign(self._key, SHA256())
            case _ as unreachable:
                assert_never(unreachable)
        return certificate.public_bytes(Encoding.PEM).decode("ascii")

    @classmethod
    def _of(cls, key: _AnyPrivateKey) -> Self:
        spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return cls(PublicKey.from_spki(spki), key)


def _accepted_public(key: object) -> tuple[_AnyPublicKey, Algorithm]:
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key, Algorithm.ED25519
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key, Algorithm.ECDSA_P256
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= RSA_BITS:
        return key, Algorithm.RSA
    raise _kind_not_accepted()


def _kind_not_accepted() -> KeyFileError:
    return KeyFileError(
        "PE4201", "the kind of key is not accepted", f"use Ed25519, ECDSA P-256, or RSA of {RSA_BITS} bits for reports"
    )


def _not_a_public_key() -> KeyFileError:
    return KeyFileError(
        "PE4201", "the text is not a public key", "give `BEGIN PUBLIC KEY` PEM or the base64 of its SPKI"
    )


def _der_readings(signature: bytes) -> list[bytes]:
    # 64 bytes may also be raw r ‖ s (IEEE P1363), as in the vector of the DSSE specification.
    if len(signature) != 2 * _P256_BYTES:
        return [signature]
    r, s = int.from_bytes(signature[:_P256_BYTES], "big"), int.from_bytes(signature[_P256_BYTES:], "big")
    return [signature, encode_dss_signature(r, s)]


def _lower_s(signature: bytes) -> bytes:
    r, s = decode_dss_signature(signature)
    return encode_dss_signature(r, min(s, _P256_ORDER - s))
