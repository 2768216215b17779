"""Keys: one face for each key, encrypted at rest, refused in plain words."""

import base64
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from policy_evidence.canonical import digest
from policy_evidence.errors import KeyFileError
from policy_evidence.signing.curve25519 import is_sound
from policy_evidence.signing.files import read_private_key, write_private_key
from policy_evidence.signing.keys import Algorithm, PrivateKey, PublicKey

P = 2**255 - 19
ED25519_PREFIX = bytes.fromhex("302a300506032b6570032100")
# The x of a point of order 8 follows from doubling to order 4 (y = 0); both of its y are roots of this value.
ORDER_8 = (
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
)


def _y(number: int, sign: int = 0) -> bytes:
    return (number | sign << 255).to_bytes(32, "little")


LOW_ORDER = [
    *(_y(y, sign) for y in (0, 1, P - 1) for sign in (0, 1)),
    *(bytes.fromhex(text) for text in ORDER_8),
    *(bytes.fromhex(text)[:31] + bytes([bytes.fromhex(text)[31] | 0x80]) for text in ORDER_8),
    # The same points spelled beyond the field.
    *(_y(y, sign) for y in (P, P + 1) for sign in (0, 1)),
    _y(2**255 - 1),
]


@pytest.mark.parametrize("encoded", LOW_ORDER, ids=lambda encoded: encoded.hex()[:8] + encoded.hex()[-2:])
def test_low_order_and_non_canonical_ed25519_keys(encoded: bytes) -> None:
    assert not is_sound(encoded)
    with pytest.raises(KeyFileError) as refusal:
        PublicKey.from_spki(ED25519_PREFIX + encoded)
    assert refusal.value.code == "PE4202"


def test_a_low_order_key_would_verify_a_message_it_never_saw() -> None:
    # Why they are refused: with A = neutral element, (R = neutral, S = 0) is a signature of everything.
    weak = ed25519.Ed25519PublicKey.from_public_bytes(_y(1))
    for message in (b"yes", b"no"):
        weak.verify(_y(1) + bytes(32), message)


def _edwards_add(left: tuple[int, int], right: tuple[int, int]) -> tuple[int, int]:
    d = -121665 * pow(121666, -1, P) % P
    (x1, y1), (x2, y2) = left, right
    product = d * x1 * x2 * y1 * y2 % P
    return (
        (x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P,
        (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P,
    )


def _affine(encoded: bytes) -> tuple[int, int]:
    number = int.from_bytes(encoded, "little")
    y, sign = number & (2**255 - 1), number >> 255
    d = -121665 * pow(121666, -1, P) % P
    square = (y * y - 1) * pow(d * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    return (x if x & 1 == sign else P - x), y


def test_mixed_order_keys_are_a_second_face_of_a_good_one() -> None:
    good = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    assert is_sound(good)
    assert _edwards_add(_affine(good), (0, 1)) == _affine(good)
    for torsion in ((0, P - 1), _affine(bytes.fromhex(ORDER_8[0]))):
        x, y = _edwards_add(_affine(good), torsion)
        assert not is_sound(_y(y, x & 1))


def test_points_off_the_curve_and_wrong_lengths() -> None:
    off = next(_y(y) for y in range(2, 50) if not is_sound(_y(y)) and _affine(_y(y))[0] ** 2 % P >= 0)
    assert not is_sound(off)
    assert not is_sound(b"")
    assert not is_sound(bytes(31))
    assert not is_sound(bytes(33))


def test_rfc_8032_keys_are_sound() -> None:
    for text in (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    ):
        assert is_sound(bytes.fromhex(text))


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_public_keys_have_one_id_in_every_accepted_text(algorithm: Algorithm, rsa_key: PrivateKey) -> None:
    key = (rsa_key if algorithm is Algorithm.RSA else PrivateKey.generate(algorithm)).public_key
    assert key.algorithm is algorithm
    assert key.key_id == digest(key.spki)
    assert PublicKey.parse(key.to_pem()) == key
    assert PublicKey.parse(key.to_pem().replace("\n", "\r\n")) == key
    assert PublicKey.parse(base64.b64encode(key.spki).decode()) == key


def test_compressed_points_are_refused() -> None:
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    point = public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    spki = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200") + point
    with pytest.raises(KeyFileError) as refusal:
        PublicKey.from_spki(spki)
    assert refusal.value.code == "PE4203"


def _spki(key: object) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined]


def test_other_kinds_are_refused() -> None:
    small = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    others = [ec.generate_private_key(ec.SECP384R1()), x25519.X25519PrivateKey.generate(), small]
    for spki in (*map(_spki, others), _spki(dsa.generate_private_key(2048)), b"", b"0", os.urandom(44)):
        with pytest.raises(KeyFileError) as refusal:
            PublicKey.from_spki(spki)
        assert refusal.value.code == "PE4201"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        "é",
        "A" * 45,
    ],
)
def test_texts_that_are_not_keys(text: str) -> None:
    with pytest.raises(KeyFileError) as refusal:
        PublicKey.parse(text)
    assert refusal.value.code == "PE4201"


def test_two_keys_in_one_text_and_private_keys_are_refused() -> None:
    pem = PrivateKey.generate().public_key.to_pem()
    private = PrivateKey.generate().to_encrypted_pem(b"secret").decode()
    for text in (pem + pem, "note\n" + pem, private):
        with pytest.raises(KeyFileError):
            PublicKey.parse(text)


def test_spki_with_trailing_bytes_is_refused() -> None:
    with pytest.raises(KeyFileError):
        PublicKey.from_spki(PrivateKey.generate().public_key.spki + b"\x00")


@pytest.mark.parametrize("algorithm", [Algorithm.ED25519, Algorithm.ECDSA_P256])
def test_private_keys_round_trip_encrypted(algorithm: Algorithm, tmp_path: Path) -> None:
    key = PrivateKey.generate(algorithm)
    path = tmp_path / "key.pem"
    write_private_key(path, key, b"correct horse")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.stat().st_nlink == 1
    assert b"ENCRYPTED" in path.read_bytes()
    assert [entry.name for entry in tmp_path.iterdir()] == ["key.pem"]
    again = read_private_key(path, b"correct horse")
    assert again == key
    assert again.sign(b"m") == key.sign(b"m")
    assert "PrivateKey" not in repr(again).replace("PrivateKey(public_key", "")


def test_rsa_round_trips_for_reports(rsa_key: PrivateKey) -> None:
    assert PrivateKey.from_pem(rsa_key.to_encrypted_pem(b"p"), b"p") == rsa_key


def test_a_key_is_never_written_over_anything(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    write_private_key(path, PrivateKey.generate(), b"p")
    before = path.read_bytes()
    with pytest.raises(KeyFileError) as refusal:
        write_private_key(path, PrivateKey.generate(), b"p")
    assert refusal.value.code == "PE4208"
    dangling = tmp_path / "link.pem"
    dangling.symlink_to(tmp_path / "elsewhere.pem")
    with pytest.raises(KeyFileError):
        write_private_key(dangling, PrivateKey.generate(), b"p")
    assert path.read_bytes() == before
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["key.pem", "link.pem"]


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError) as missing:
        read_private_key(tmp_path / "none.pem", b"p")
    assert missing.value.code == "PE4209"
    assert "no such file" in missing.value.message
    with pytest.raises(KeyFileError) as folder:
        read_private_key(tmp_path, b"p")
    assert folder.value.code == "PE4209"
    with pytest.raises(KeyFileError) as nowhere:
        write_private_key(tmp_path / "no" / "key.pem", PrivateKey.generate(), b"p")
    assert nowhere.value.code == "PE4209"
    huge = tmp_path / "huge.pem"
    huge.write_bytes(b"-----BEGIN PRIVATE KEY-----" * 10_000)
    with pytest.raises(KeyFileError) as too_long:
        read_private_key(huge, None)
    assert too_long.value.code == "PE4201"


def test_passphrases() -> None:
    key = PrivateKey.generate()
    encrypted = key.to_encrypted_pem(b"right")
    raw = ed25519.Ed25519PrivateKey.generate()
    plain = raw.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert PrivateKey.from_pem(plain, None).public_key.algorithm is Algorithm.ED25519
    cases = [
        (encrypted, b"wrong", "PE4204"),
        (encrypted, b"", "PE4204"),
        (encrypted[:60] + b"A" + encrypted[61:], b"right", "PE4204"),
        (encrypted, None, "PE4205"),
        (plain, b"right", "PE4206"),
        (b"", None, "PE4201"),
        (b"not a key", b"p", "PE4201"),
        (plain.replace(b"MC4", b"MC5"), None, "PE4201"),
        (key.public_key.to_pem().encode(), None, "PE4201"),
    ]
    for pem, passphrase, code in cases:
        with pytest.raises(KeyFileError) as refusal:
            PrivateKey.from_pem(pem, passphrase)
        assert refusal.value.code == code, (pem, passphrase)
    for passphrase in (b"", b"x" * 1024):
        with pytest.raises(KeyFileError) as unusable:
            key.to_encrypted_pem(passphrase)
        assert unusable.value.code == "PE4207"


def test_private_keys_of_other_kinds() -> None:
    legacy = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    )
    other = x25519.X25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"p")
    )
    curve = ec.generate_private_key(ec.SECP384R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"p")
    )
    for pem, passphrase in ((legacy, None), (other, b"p"), (curve, b"p")):
        with pytest.raises(KeyFileError) as refusal:
            PrivateKey.from_pem(pem, passphrase)
        assert refusal.value.code == "PE4201"
