"""DSSE 1.0.2: the official vector, and everything a signature does not say."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_evidence.canonical import canonical_bytes
from policy_evidence.envelope import MAX_SIGNATURES, Envelope, Signature, is_canonical, pae
from policy_evidence.errors import FormatError, KeyFileError
from policy_evidence.signing.keys import Algorithm, PrivateKey

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
KIND = "application/vnd.in-toto+json"


@pytest.fixture(scope="module")
def vector(vectors: Path) -> dict[str, Any]:
    return json.loads((vectors / "dsse" / "dsse-vector.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def vector_key(vector: dict[str, Any]) -> PrivateKey:
    key = ec.derive_private_key(int(vector["key"]["d"]), ec.SECP256R1())
    return PrivateKey.from_pem(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), None)


def test_official_vector_pae(vector: dict[str, Any]) -> None:
    assert pae(vector["payloadType"], vector["payload_utf8"].encode()) == vector["pae"].encode()


@pytest.mark.parametrize("extra", [{}, {"keyid": "66301bbf"}, {"keyid": ""}, {"keyid": "sha256:" + "0" * 64}])
def test_official_vector_verifies_whatever_the_keyid(
    vector: dict[str, Any], vector_key: PrivateKey, keys: dict[str, PrivateKey], extra: dict[str, str]
) -> None:
    document = json.loads(json.dumps(vector["envelope_no_keyid"]))
    document["signatures"][0] |= extra
    envelope = Envelope.parse(json.dumps(document).encode())
    assert envelope.payload == b"hello world"
    assert envelope.verify([vector_key.public_key, keys["maria"].public_key]) == {vector_key.public_key.key_id}
    assert envelope.verify([keys["maria"].public_key]) == frozenset()


def test_official_vector_signs_the_same(vector: dict[str, Any], vector_key: PrivateKey) -> None:
    raw = base64.b64decode(vector["envelope_no_keyid"]["signatures"][0]["sig"])
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    ours = Envelope.sign(vector["payloadType"], b"hello world", [vector_key]).signatures[0].sig
    # RFC 6979 gives the same r; of the two s that are possible, ours is the lower.
    assert decode_dss_signature(ours) == (r, min(s, P256_ORDER - s))


def test_pae_counts_bytes_not_characters() -> None:
    assert pae("tÿpe", "€".encode()) == "DSSEv1 5 tÿpe 3 €".encode()


def test_pae_leaves_no_room_to_move_the_border(keys: dict[str, PrivateKey]) -> None:
    envelope = Envelope.sign("a", b"b 1 c", [keys["maria"]])
    moved = Envelope("a 5 b", b"c", envelope.signatures)
    assert moved.verify([keys["maria"].public_key]) == frozenset()


def test_payload_type_confusion(keys: dict[str, PrivateKey]) -> None:
    envelope = Envelope.sign("text/plain", b"{}", [keys["maria"]])
    assert Envelope(KIND, b"{}", envelope.signatures).verify([keys["maria"].public_key]) == frozenset()


@settings(deadline=None)
@given(st.text(min_size=1), st.binary(), st.text(min_size=1), st.binary())
def test_pae_is_injective(kind: str, payload: bytes, other_kind: str, other_payload: bytes) -> None:
    same = (kind, payload) == (other_kind, other_payload)
    assert (pae(kind, payload) == pae(other_kind, other_payload)) == same


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_round_trip_and_url_safe_base64(payload: bytes) -> None:
    key = PrivateKey.generate()
    envelope = Envelope.sign(KIND, payload, [key])
    data = envelope.to_bytes()
    assert Envelope.parse(data) == envelope
    assert is_canonical(data, [key.public_key])
    document = json.loads(data)
    document["payload"] = base64.urlsafe_b64encode(payload).decode()
    document["unknown"] = {"a": [1]}
    document["signatures"][0]["cert"] = "ignored"
    again = Envelope.parse(json.dumps(document).encode())
    assert again.verify([key.public_key]) == {key.public_key.key_id}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda d: d.update(payload="YQ"), "PE4102"),
        (lambda d: d.update(payload="YR=="), "PE4102"),
        (lambda d: d.update(payload="YQ==\n"), "PE4102"),
        (lambda d: d.update(payload="Y Q=="), "PE4102"),
        (lambda d: d.update(payload="YQ==YQ=="), "PE4102"),
        (lambda d: d.update(payload="+_+_"), "PE4102"),
        (lambda d: d.update(payload="é==="), "PE4102"),
        (lambda d: d.update(payload=None), "PE4101"),
        (lambda d: d.pop("payload"), "PE4101"),
        (lambda d: d.pop("payloadType"), "PE4101"),
        (lambda d: d.update(payloadType=7), "PE4101"),
        (lambda d: d.update(payloadType=""), "PE4101"),
        (lambda d: d.pop("signatures"), "PE4101"),
        (lambda d: d.update(signatures=[]), "PE4103"),
        (lambda d: d.update(signatures=d["signatures"] * (MAX_SIGNATURES + 1)), "PE4103"),
        (lambda d: d.update(signatures=["x"]), "PE4101"),
        (lambda d: d.update(signatures=[{}]), "PE4101"),
        (lambda d: d["signatures"][0].update(sig="!"), "PE4102"),
        (lambda d: d["signatures"][0].update(keyid=5), "PE4101"),
    ],
)
def test_malformed_envelopes(keys: dict[str, PrivateKey], change: Any, code: str) -> None:
    document = json.loads(Envelope.sign(KIND, b"a", [keys["maria"]]).to_bytes())
    change(document)
    with pytest.raises(FormatError) as refusal:
        Envelope.parse(json.dumps(document).encode())
    assert refusal.value.code == code


def test_not_an_object() -> None:
    with pytest.raises(FormatError) as refusal:
        Envelope.parse(b"[]")
    assert refusal.value.code == "PE4101"


def test_one_key_counts_once_however_often_it_signs(keys: dict[str, PrivateKey]) -> None:
    jan = keys["jan"]
    sig = Envelope.sign(KIND, b"a", [jan]).signatures[0].sig
    r, s = decode_dss_signature(sig)
    # ECDSA malleability: a second valid signature that nobody made, and a second spelling of the first.
    twin = encode_dss_signature(r, P256_ORDER - s)
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    envelope = Envelope(KIND, b"a", tuple(Signature(x, i) for x, i in [(sig, "1"), (twin, "2"), (raw, None)]))
    assert envelope.verify([jan.public_key, keys["maria"].public_key]) == {jan.public_key.key_id}
    assert Envelope.sign(KIND, b"a", [jan, jan, jan]).signatures == (Signature(sig, jan.public_key.key_id),)


def test_signatures_are_deterministic_and_ordered(keys: dict[str, PrivateKey]) -> None:
    both = [keys["jan"], keys["maria"]]
    assert Envelope.sign(KIND, b"a", both).to_bytes() == Envelope.sign(KIND, b"a", both[::-1]).to_bytes()


def test_signing_needs_a_key_that_may_sign(rsa_key: PrivateKey) -> None:
    with pytest.raises(FormatError) as nobody:
        Envelope.sign(KIND, b"a", [])
    assert nobody.value.code == "PE4103"
    with pytest.raises(KeyFileError) as wrong_kind:
        Envelope.sign(KIND, b"a", [rsa_key])
    assert wrong_kind.value.code == "PE4210"
    assert not rsa_key.public_key.verify(b"x", b"a")


@pytest.mark.parametrize("algorithm", [Algorithm.ED25519, Algorithm.ECDSA_P256])
def test_canonical_form_leaves_no_byte_free(algorithm: Algorithm) -> None:
    key = PrivateKey.generate(algorithm)
    data = Envelope.sign(KIND, b'{"a":1}', [key]).to_bytes()
    assert is_canonical(data, [key.public_key])
    for position in range(len(data)):
        for mask in (0x01, 0x20, 0x80):
            changed = bytearray(data)
            changed[position] ^= mask
            assert not is_canonical(bytes(changed), [key.public_key]), position


def test_canonical_form_is_only_ours(keys: dict[str, PrivateKey]) -> None:
    jan, maria = keys["jan"], keys["maria"]
    public = [jan.public_key, maria.public_key]
    envelope = Envelope.sign(KIND, b"a", [jan, maria])
    assert is_canonical(envelope.to_bytes(), public)
    # Unknown signer, wrong order, a signature twice, no keyid, malleated, raw, spaced, extended.
    assert not is_canonical(envelope.to_bytes(), public[:1])
    first, second = envelope.signatures
    assert not is_canonical(Envelope(KIND, b"a", (second, first)).to_bytes(), public)
    assert not is_canonical(Envelope(KIND, b"a", (first, first)).to_bytes(), public)
    assert not is_canonical(Envelope(KIND, b"a", (Signature(first.sig),)).to_bytes(), public)
    swapped = (Signature(second.sig, first.keyid), Signature(first.sig, second.keyid))
    assert not is_canonical(Envelope(KIND, b"a", swapped).to_bytes(), public)
    (ours,) = Envelope.sign(KIND, b"a", [jan]).signatures
    r, s = decode_dss_signature(ours.sig)
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    for sig in (encode_dss_signature(r, P256_ORDER - s), raw):
        variant = Envelope(KIND, b"a", (Signature(sig, ours.keyid),))
        assert variant.verify(public) == {jan.public_key.key_id}
        assert not is_canonical(variant.to_bytes(), public)
    document = json.loads(envelope.to_bytes())
    assert not is_canonical(json.dumps(document, indent=1).encode(), public)
    assert not is_canonical(canonical_bytes(document | {"x": 1}), public)
    assert not is_canonical(envelope.to_bytes() + b"\n", public)
    assert not is_canonical(b"", public)
