"""The bundle: one form only, read in memory, and every byte of it accounted for."""

import io
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_evidence.attest import sign_statement
from policy_evidence.bundle.archive import MAX_MEMBERS, read_bundle, write_bundle
from policy_evidence.bundle.checks import Check, CheckStatus, sound
from policy_evidence.bundle.manifest import MANIFEST_NAME, build_manifest, check_manifest
from policy_evidence.errors import BundleError
from policy_evidence.predicates import BUNDLE_TYPE
from policy_evidence.signing.keys import PrivateKey
from policy_evidence.trust.model import Trust

MEMBERS = {
    "assessment.json": b'{"a":1}',
    "evidence/" + "a" * 64 + ".dsse.json": b"{}",
    "packs/eu_ai_act.policy": b"policy x\n",
    "snapshot.json": b"",
}
At = Callable[[str], datetime]


def _refused(data: bytes) -> BundleError:
    with pytest.raises(BundleError) as refusal:
        read_bundle(data)
    assert "\n" not in refusal.value.message
    return refusal.value


def test_round_trip_and_other_tools_agree(tmp_path: Path) -> None:
    data = write_bundle(dict(reversed(MEMBERS.items())))
    assert read_bundle(data) == MEMBERS
    assert list(read_bundle(data)) == sorted(MEMBERS)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == MEMBERS
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {info.external_attr >> 16 for info in archive.infolist()} == {0o100644}
    path = tmp_path / "bundle.zip"
    path.write_bytes(data)
    subprocess.run([sys.executable, "-m", "zipfile", "-t", str(path)], check=True, capture_output=True)


def test_the_empty_bundle() -> None:
    assert read_bundle(write_bundle({})) == {}


names = st.from_regex(r"\A[a-z0-9_][a-z0-9_.]{0,8}[a-z0-9_](/[a-z0-9]{1,5})?\Z")


@settings(deadline=None)
@given(st.dictionaries(names, st.binary(max_size=100), max_size=6))
def test_what_is_written_reads_back_and_has_one_form(members: dict[str, bytes]) -> None:
    try:
        data = write_bundle(members)
    except BundleError as refusal:
        assert refusal.code == "PE5004"
        return
    assert read_bundle(data) == members
    assert write_bundle(read_bundle(data)) == data


def test_every_flipped_bit_of_the_archive_is_found() -> None:
    data = write_bundle(MEMBERS)
    for position in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[position] ^= 1 << bit
            _refused(bytes(changed))


def test_every_cut_and_every_addition_is_found() -> None:
    data = write_bundle(MEMBERS)
    for length in range(len(data)):
        _refused(data[:length])
    assert _refused(data + b"\0").code == "PE5010"
    assert _refused(data + data).code == "PE5010"
    assert _refused(b"\0" + data).code == "PE5002"
    assert _refused(b"#!/bin/sh\n" + data).code == "PE5002"
    assert _refused(b"").code == "PE5002"


def test_errors_name_the_member_that_broke() -> None:
    data = write_bundle(MEMBERS)
    position = data.index(b"policy x")
    changed = data[:position] + b"P" + data[position + 1 :]
    error = _refused(changed)
    assert error.code == "PE5008"
    assert "`packs/eu_ai_act.policy`" in error.message
    directory = data.index(b"PK\x01\x02")
    dated = data[: directory + 14] + b"\x22" + data[directory + 15 :]
    assert "the directory entry of `assessment.json`" in _refused(dated).message


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_plainly(data: bytes) -> None:
    _refused(data)
    _refused(b"PK\x03\x04" + data)


def _zip(
    *entries: tuple[zipfile.ZipInfo | str, bytes], method: int = zipfile.ZIP_STORED, comment: bytes = b""
) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content)
        archive.comment = comment
    return buffer.getvalue()


def _info(name: str, mode: int = 0o100644, **fields: Any) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    for field, value in fields.items():
        setattr(info, field, value)
    return info


def _handmade(name: bytes, content: bytes, *, flags: int = 0, method: int = 0, size: int | None = None) -> bytes:
    length = len(content) if size is None else size
    header = struct.pack(
        "<4s5H3I2H", b"PK\x03\x04", 10, flags, method, 0, 33, zlib.crc32(content), length, length, len(name), 0
    )
    return header + name + content


HOSTILE_NAMES = [
    "../evil",
    "a/../../evil",
    "/etc/passwd",
    "a//b",
    "a/",
    "./a",
    "a/.",
    "..",
    ".",
    ".hidden",
    "a\\b",
    "..\\evil",
    "C:/evil",
    "C:evil",
    "a\x00b",
    "a\nb",
    "a b",
    "é",
    "a.",
    "a./b",
    "con:",
    "x" * 241,
    "",
    "a\u202eb",
]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names(name: str) -> None:
    with pytest.raises(BundleError) as refusal:
        write_bundle({name: b""})
    assert refusal.value.code == "PE5003"
    assert _refused(_handmade(name.encode(), b"x")).code == "PE5003"


@pytest.mark.parametrize("pair", [("A", "a"), ("x/Report.pdf", "x/report.pdf"), ("a", "a/b"), ("A", "a/b")])
def test_colliding_names(pair: tuple[str, str]) -> None:
    with pytest.raises(BundleError) as refusal:
        write_bundle(dict.fromkeys(pair, b""))
    assert refusal.value.code == "PE5004"
    assert _refused(_zip(*((_info(name), b"") for name in sorted(pair)))).code == "PE5004"


def test_duplicate_members() -> None:
    twice = _handmade(b"a", b"good") + _handmade(b"a", b"evil")
    assert _refused(twice).code == "PE5004"
    with pytest.warns(UserWarning, match="Duplicate"):
        data = _zip((_info("a"), b"good"), (_info("a"), b"evil"))
    assert _refused(data).code == "PE5004"


@pytest.mark.parametrize("mode", [0o120777, 0o040755, 0o010644, 0o020644, 0o060644, 0o140644])
def test_links_and_special_files(mode: int) -> None:
    assert _refused(_zip((_info("a", mode), b"/etc/passwd"))).code == "PE5007"


def test_set_uid_and_dos_attributes_are_not_canonical() -> None:
    assert _refused(_zip((_info("a", 0o104755), b"x"))).code == "PE5009"
    data = write_bundle({"a": b"x"})
    attributes = data.index(b"PK\x01\x02") + 38
    assert _refused(data[:attributes] + b"\x10" + data[attributes + 1 :]).code == "PE5009"


def test_compression_encryption_and_bombs() -> None:
    bomb = _zip(("zeros", b"\0" * 50_000_000), method=zipfile.ZIP_DEFLATED)
    assert len(bomb) < 100_000
    assert _refused(bomb).code == "PE5005"
    assert _refused(_handmade(b"a", b"x", flags=1)).code == "PE5006"
    assert _refused(_handmade(b"a", b"x", method=99)).code == "PE5005"
    assert _refused(_handmade(b"a", b"x", size=2**32 - 1)).code == "PE5002"
    with pytest.raises(BundleError) as refusal:
        read_bundle(write_bundle({"a": b"x" * 100}), max_bytes=100)
    assert refusal.value.code == "PE5001"
    with pytest.raises(BundleError) as many:
        write_bundle({f"m{number}": b"" for number in range(MAX_MEMBERS + 1)})
    assert many.value.code == "PE5001"
    crowd = b"".join(_handmade(b"m%d" % number, b"") for number in range(MAX_MEMBERS + 1))
    assert _refused(crowd).code == "PE5001"


def test_overlapping_members_cannot_be_told_to_the_directory() -> None:
    # The directory may point anywhere; it is compared, never followed.
    data = write_bundle({"a": b"1", "b": b"2"})
    second = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 1)
    assert _refused(data[: second + 42] + bytes(4) + data[second + 46 :]).code == "PE5009"


def test_other_forms_of_the_same_members() -> None:
    dated = _info("a", date_time=(2027, 1, 1, 0, 0, 0))
    extra = _info("a", extra=b"\xfe\xca\x00\x00")
    for data in (
        _zip((dated, b"x")),
        _zip((extra, b"x")),
        _zip((_info("a", comment=b"hello"), b"x")),
        _zip((_info("b"), b"x"), (_info("a"), b"x")),
    ):
        assert _refused(data).code == "PE5009"
    ours = write_bundle({"a": b"x"})
    assert _refused(ours[:-2] + b"\x05\x00hello").code == "PE5009"
    # A member that only the walk sees, and one that only the directory tells of.
    assert _refused(_handmade(b"a", b"x")).code == "PE5009"
    start = ours.index(b"PK\x01\x02")
    assert _refused(ours[start:]).code == "PE5002"


# The manifest


@pytest.fixture
def bundle(keys: dict[str, PrivateKey], at: At) -> dict[str, bytes]:
    return MEMBERS | {MANIFEST_NAME: build_manifest(MEMBERS, at("2028-01-15"), [keys["release"]])}


def test_a_sound_bundle(bundle: dict[str, bytes], trust: Trust) -> None:
    checks = check_manifest(bundle, trust)
    assert sound(checks)
    assert [check.name for check in checks] == [MANIFEST_NAME, *sorted(MEMBERS)]
    assert checks[0].detail == "signed by `release`"
    assert check_manifest(bundle, trust, "release") == checks
    # Building again, even with the old manifest among the members, gives the same bytes.
    assert not sound([])


def test_building_is_deterministic(bundle: dict[str, bytes], keys: dict[str, PrivateKey], at: At) -> None:
    assert build_manifest(bundle, at("2028-01-15"), [keys["release"]]) == bundle[MANIFEST_NAME]


def test_missing_extra_and_altered_members_are_each_named(bundle: dict[str, bytes], trust: Trust) -> None:
    del bundle["snapshot.json"]
    bundle["assessment.json"] += b" "
    bundle["extra.json"] = b"{}"
    found = {check.name: (check.status, check.code) for check in check_manifest(bundle, trust)}
    assert found == {
        MANIFEST_NAME: (CheckStatus.OK, None),
        "assessment.json": (CheckStatus.FAILED, "PE5106"),
        "evidence/" + "a" * 64 + ".dsse.json": (CheckStatus.OK, None),
        "extra.json": (CheckStatus.FAILED, "PE5105"),
        "packs/eu_ai_act.policy": (CheckStatus.OK, None),
        "snapshot.json": (CheckStatus.MISSING, "PE5104"),
    }


def test_members_that_change_places(bundle: dict[str, bytes], trust: Trust) -> None:
    first, second = "assessment.json", "packs/eu_ai_act.policy"
    bundle[first], bundle[second] = bundle[second], bundle[first]
    failed = [check.name for check in check_manifest(bundle, trust) if check.code == "PE5106"]
    assert failed == [first, second]


def test_manifests_that_count_for_nothing(
    bundle: dict[str, bytes], trust: Trust, keys: dict[str, PrivateKey], at: At
) -> None:
    def only(manifest: bytes | None) -> Check:
        members = dict(MEMBERS) if manifest is None else bundle | {MANIFEST_NAME: manifest}
        (check,) = check_manifest(members, trust)
        return check

    assert (only(None).status, only(None).code) == (CheckStatus.MISSING, "PE5101")
    assert only(b"{}").code == "PE5102"
    for signer in ("maria", "stranger"):
        assert only(build_manifest(MEMBERS, at("2028-01-15"), [keys[signer]])).code == "PE5102"
    # Trusted, verifying, but not spelled as ours: with a stranger's signature besides, or with other white space.
    both = build_manifest(MEMBERS, at("2028-01-15"), [keys["release"], keys["stranger"]])
    assert only(both).code == "PE5103"
    assert only(bundle[MANIFEST_NAME] + b"\n").code == "PE5103"


def test_a_manifest_of_weak_digests_lists_nothing(trust: Trust, keys: dict[str, PrivateKey]) -> None:
    subjects = {"a": {"sha1": "0" * 40}}
    manifest = sign_statement(
        subjects, BUNDLE_TYPE, {"format": 1, "created": "2028-01-15T00:00:00Z"}, [keys["release"]]
    )
    _, member = check_manifest({"a": b"", MANIFEST_NAME: manifest}, trust)
    assert member.code == "PE5106"


@pytest.mark.parametrize("signer", ["release", "jan"])
def test_every_flipped_byte_of_a_signed_bundle_is_found(
    trust_document: dict[str, Any],
    make_trust: Callable[[Any], Trust],
    keys: dict[str, PrivateKey],
    at: At,
    signer: str,
) -> None:
    trust_document["roles"]["release"]["keys"] = [signer]
    trust = make_trust(trust_document)
    members = {"a.json": b"{}", "b.json": b"[1]"}
    members[MANIFEST_NAME] = build_manifest(members, at("2028-01-15"), [keys[signer]])
    data = write_bundle(members)
    assert sound(check_manifest(read_bundle(data), trust))
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 0x01 << position % 8
        _refused(bytes(changed))
    # Also when the attacker repairs the archive around the changed member.
    for name, content in members.items():
        for position in range(len(content)):
            for mask in (0x01, 0x20, 0x80):
                altered = bytearray(content)
                altered[position] ^= mask
                repaired = write_bundle(members | {name: bytes(altered)})
                checks = check_manifest(read_bundle(repaired), trust)
                assert not sound(checks), (name, position)
                assert name in {check.name for check in checks if check.status is not CheckStatus.OK}
