"""DSSE 1.0.2: a payload of a stated type, and signatures over both.

Rules: signatures go over `pae(type, payload)`, the payload's raw bytes; `keyid` is a hint that no decision rests on;
signatures are counted by distinct public key, never by key id and never by signature bytes (ECDSA allows two for one
message); external envelopes may use standard or URL-safe base64 and carry fields we ignore; our own writer has
exactly one form, and `is_canonical` recognises it.

>>> pae("http://example.com/HelloWorld", b"hello world")
b'DSSEv1 29 http://example.com/HelloWorld 11 hello world'
"""

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Self

from policy_evidence.canonical import MAX_BYTES, JsonValue, canonical_bytes, parse_json
from policy_evidence.errors import FormatError, quoted
from policy_evidence.signing.keys import KeyId, PrivateKey, PublicKey

# Each signature may be tried with each trusted key; more signers than this is an attack, not a committee.
MAX_SIGNATURES: Final = 32


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return what is signed (protocol.md, "Signature Definition"): lengths are of bytes, not of characters."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature; `keyid` is whatever the envelope said and proves nothing."""

    sig: bytes
    keyid: str | None = None


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload, its type and the signatures over both."""

    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...]

    @classmethod
    def parse(cls, data: bytes, *, max_bytes: int = MAX_BYTES) -> Self:
        """Read any DSSE envelope (envelope.md), ignoring fields that it does not define."""
        value = parse_json(data, max_bytes=max_bytes)
        if not isinstance(value, dict):
            raise FormatError("PE4101", "the envelope is not an object")
        payload_type = value.get("payloadType")
        if not isinstance(payload_type, str) or not payload_type:
            raise FormatError("PE4101", "`payloadType` is not a text")
        signatures = value.get("signatures")
        if not isinstance(signatures, list):
            raise FormatError("PE4101", "`signatures` is not a list")
        if not 0 < len(signatures) <= MAX_SIGNATURES:
            raise FormatError("PE4103", f"there are {len(signatures)} signatures, not 1 to {MAX_SIGNATURES}")
        return cls(
            payload_type,
            _base64(value.get("payload"), "payload"),
            tuple(_signature(item, f"signatures[{index}]") for index, item in enumerate(signatures)),
        )

    @classmethod
    def sign(cls, payload_type: str, payload: bytes, keys: Sequence[PrivateKey]) -> Self:
        """Sign once with each key; the order of the keys does not matter."""
        by_id = {key.public_key.key_id: key for key in keys}
        if not 0 < len(by_id) <= MAX_SIGNATURES:
            raise FormatError("PE4103", f"there are {len(by_id)} distinct keys to sign with, not 1 to {MAX_SIGNATURES}")
        message = pae(payload_type, payload)
        return cls(
            payload_type,
            payload,
            tuple(Signature(key.sign(message), key_id) for key_id, key in sorted(by_id.items())),
        )

    def to_bytes(self) -> bytes:
        """Return the one form in which we write an envelope: canonical JSON, standard base64."""
        signatures: list[JsonValue] = [_signature_to_json(signature) for signature in self.signatures]
        return canonical_bytes(
            {
                "payload": base64.b64encode(self.payload).decode("ascii"),
                "payloadType": self.payload_type,
                "signatures": signatures,
            }
        )

    def verify(self, keys: Iterable[PublicKey]) -> frozenset[KeyId]:
        """Return the distinct public keys that made at least one of the signatures."""
        message = pae(self.payload_type, self.payload)
        open_keys = {key.key_id: key for key in keys}
        verified: set[KeyId] = set()
        for signature in self.signatures:
            # One signature speaks for one key, whatever its keyid says.
            for key_id in sorted(open_keys):
                if open_keys[key_id].verify(signature.sig, message):
                    verified.add(key_id)
                    del open_keys[key_id]
                    break
        return frozenset(verified)


def is_canonical(data: bytes, keys: Iterable[PublicKey]) -> bool:
    """Tell whether `data` is exactly what our own writer makes with some of `keys`.

    Nothing in such an envelope can be changed unseen: not the spelling, not a field outside the signature, not a
    `keyid`, not the encoding of a signature.
    """
    try:
        envelope = Envelope.parse(data)
        if envelope.to_bytes() != data:
            return False
    except FormatError:
        return False
    message = pae(envelope.payload_type, envelope.payload)
    by_id: dict[str, PublicKey] = {key.key_id: key for key in keys}
    ids = [signature.keyid or "" for signature in envelope.signatures]
    return ids == sorted(set(ids)) and all(
        key_id in by_id and by_id[key_id].verify_canonical(signature.sig, message)
        for key_id, signature in zip(ids, envelope.signatures, strict=True)
    )


def _base64(text: JsonValue, place: str) -> bytes:
    if not isinstance(text, str):
        raise FormatError("PE4101", f"{quoted(place)} is not a text")
    # Encoding again proves padding, alphabet and unused bits: each payload has one spelling in each alphabet.
    for alphabet in (b"+/", b"-_"):
        try:
            data = base64.b64decode(text, altchars=alphabet, validate=True)
        except (binascii.Error, ValueError):
            continue
        if base64.b64encode(data, altchars=alphabet).decode("ascii") == text:
            return data
    raise FormatError("PE4102", f"{quoted(place)} is not base64")


def _signature(value: JsonValue, place: str) -> Signature:
    if not isinstance(value, dict):
        raise FormatError("PE4101", f"{quoted(place)} is not an object")
    keyid = value.get("keyid")
    if keyid is not None and not isinstance(keyid, str):
        raise FormatError("PE4101", f"{quoted(place + '.keyid')} is not a text")
    return Signature(_base64(value.get("sig"), f"{place}.sig"), keyid)


def _signature_to_json(signature: Signature) -> JsonValue:
    sig = base64.b64encode(signature.sig).decode("ascii")
    return {"sig": sig} if signature.keyid is None else {"keyid": signature.keyid, "sig": sig}
