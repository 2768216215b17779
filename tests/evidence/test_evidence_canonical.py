"""Strict JSON: what two readers could understand differently is refused; what is written reads back."""

import json
import math
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_evidence.canonical import MAX_INTEGER, canonical_bytes, digest, document_digest, parse_json
from policy_evidence.errors import FormatError

ATTACKS = {
    "duplicate key": (b'{"a":1,"a":2}', "PE4004"),
    "duplicate key, one escaped": (b'{"a":1,"\\u0061":2}', "PE4004"),
    "duplicate key, deep": (b'[{"b":{"a":1,"a":1}}]', "PE4004"),
    "NaN": (b"[NaN]", "PE4005"),
    "Infinity": (b"[Infinity]", "PE4005"),
    "-Infinity": (b"[-Infinity]", "PE4005"),
    "1E400": (b"[1E400]", "PE4005"),
    "-1e400": (b"[-1e400]", "PE4005"),
    "vanishing": (b"[1e-400]", "PE4005"),
    "2^53": (b"[9007199254740992]", "PE4005"),
    "-2^53": (b"[-9007199254740992]", "PE4005"),
    "integer with 10^6 digits": (b"[" + b"7" * 1_000_000 + b"]", "PE4005"),
    "lone high surrogate": (b'["\\ud800"]', "PE4007"),
    "lone low surrogate": (b'["\\udc00x"]', "PE4007"),
    "reversed surrogates": (b'["\\udc00\\ud800"]', "PE4007"),
    "surrogate in a key": (b'{"\\ud800":1}', "PE4007"),
    "surrogate as bytes": (b'["\xed\xa0\x80"]', "PE4002"),
    "overlong UTF-8": (b'["\xc0\xaf"]', "PE4002"),
    "byte order mark": (b"\xef\xbb\xbf{}", "PE4002"),
    "UTF-16": ("{}".encode("utf-16"), "PE4002"),
    "depth 65": (b"[" * 65 + b"]" * 65, "PE4006"),
    "depth bomb": (b"[" * 1_000_000, "PE4006"),
    "depth bomb of objects": (b'{"a":' * 1_000_000, "PE4006"),
    "depth bomb behind quotes": (b'["\\\\",' + b"[" * 100_000, "PE4006"),
    "trailing data": (b"{} {}", "PE4003"),
    "trailing comma": (b"[1,]", "PE4003"),
    "comment": (b"/* */{}", "PE4003"),
    "single quotes": (b"{'a':1}", "PE4003"),
    "leading zero": (b"[01]", "PE4003"),
    "plus": (b"[+1]", "PE4003"),
    "hexadecimal": (b"[0x1]", "PE4003"),
    "bare fraction": (b"[.5]", "PE4003"),
    "control character": (b'["\x00"]', "PE4003"),
    "raw line break in text": (b'["\n"]', "PE4003"),
    "form feed as white space": (b"[1,\x0c2]", "PE4003"),
    "no-break space": (b"[1,\xc2\xa02]", "PE4003"),
    "Arabic digits": ("[١]".encode(), "PE4003"),
    "bad escape": (b'["\\x41"]', "PE4003"),
    "unterminated": (b'["abc', "PE4003"),
    "unterminated escape": (b'["abc\\', "PE4003"),
    "empty": (b"", "PE4003"),
    "NUL after": (b"{}\x00", "PE4003"),
}


@pytest.mark.parametrize(("data", "code"), ATTACKS.values(), ids=ATTACKS.keys())
def test_refuses(data: bytes, code: str) -> None:
    with pytest.raises(FormatError) as refusal:
        parse_json(data)
    assert refusal.value.code == code
    message = refusal.value.message
    assert "\n" not in message
    assert not message.endswith(".")
    assert len(message) < 300


def test_says_where_the_syntax_breaks() -> None:
    with pytest.raises(FormatError, match=r"line 2, column 5"):
        parse_json(b'{\n"a":, 1}')


def test_accepts_the_limits() -> None:
    assert parse_json(b"[" * 64 + b"]" * 64) is not None
    assert parse_json(f"[{MAX_INTEGER},{-MAX_INTEGER}]".encode()) == [MAX_INTEGER, -MAX_INTEGER]
    assert parse_json(b'["[[[[", "\\"[", "\\ud83d\\ude00"]', max_depth=1) == ["[[[[", '"[', "😀"]
    assert parse_json(b"[1e308, 0e999, 0.0]") == [1e308, 0.0, 0.0]


def test_minus_zero_has_the_digest_of_zero() -> None:
    assert canonical_bytes(parse_json(b"[-0, -0.0, 0]")) == b"[0,0,0]"


def test_limits_are_arguments() -> None:
    with pytest.raises(FormatError) as too_large:
        parse_json(b"[1,2]", max_bytes=4)
    assert too_large.value.code == "PE4001"
    with pytest.raises(FormatError) as too_deep:
        parse_json(b"[[1]]", max_depth=1)
    assert too_deep.value.code == "PE4006"


def test_the_scan_for_depth_is_linear() -> None:
    # Each escaped quote must not start a new scan of the rest; a quadratic scan would take minutes.
    with pytest.raises(FormatError, match="not JSON"):
        parse_json(b'"' + b'\\"' * 2_000_000)


def test_rfc_8785_section_3_2_3_sorts_by_utf_16() -> None:
    value = parse_json(b'{"\\u20ac":1,"\\r":2,"\\ufb33":3,"1":4,"\\ud83d\\ude00":5,"\\u0080":6,"\\u00f6":7}')
    assert list(json.loads(canonical_bytes(value)).values()) == [2, 4, 6, 7, 1, 5, 3]


@pytest.mark.parametrize(
    ("ieee", "text"),
    [
        ("0000000000000000", "0"),
        ("8000000000000000", "0"),
        ("0000000000000001", "5e-324"),
        ("7fefffffffffffff", "1.7976931348623157e+308"),
        ("4340000000000000", "9007199254740992"),
        ("444b1ae4d6e2ef4f", "999999999999999900000"),
        ("444b1ae4d6e2ef50", "1e+21"),
        ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
        ("3eb0c6f7a0b5ed8d", "0.000001"),
        ("41b3de4355555553", "333333333.3333332"),
        ("43143ff3c1cb0959", "1424953923781206.2"),
    ],
)
def test_rfc_8785_appendix_b_numbers(ieee: str, text: str) -> None:
    (number,) = struct.unpack(">d", bytes.fromhex(ieee))
    assert canonical_bytes(number) == text.encode()


def _nest(depth: int) -> list[object]:
    value: list[object] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, 2**53, 10**10_000, "\ud800", {"\ud800": 1}, {1: 2}, {None: 1}, b"bytes", {1, 2}, object()],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_written_is_refused(value: object) -> None:
    with pytest.raises(FormatError) as refusal:
        canonical_bytes(value)  # type: ignore[arg-type]  # the point of the test
    assert refusal.value.code in {"PE4007", "PE4008"}


def test_a_bottomless_value_is_refused() -> None:
    with pytest.raises(FormatError) as refusal:
        canonical_bytes(_nest(100_000))  # type: ignore[arg-type]  # the point of the test
    assert refusal.value.code == "PE4006"
    cycle: list[object] = []
    cycle.append(cycle)
    with pytest.raises(FormatError):
        canonical_bytes(cycle)  # type: ignore[arg-type]  # the point of the test


def test_digests() -> None:
    assert digest(b"abc") == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert document_digest({"b": 1, "a": [True, None]}) == digest(b'{"a":[true,null],"b":1}')


# Doubles from 2^53 up to 10^21 are written as plain digits, which strict readers refuse as integers.
doubles = st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: not MAX_INTEGER < abs(x) < 1e21)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | doubles | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=25,
)


@settings(deadline=None)
@given(json_values)
def test_what_is_written_reads_back_and_is_written_the_same(value: object) -> None:
    written = canonical_bytes(value)  # type: ignore[arg-type]  # the strategy makes JSON only
    assert parse_json(written) == value
    assert canonical_bytes(parse_json(written)) == written


@settings(deadline=None)
@given(json_values)
def test_spelling_does_not_change_the_digest(value: object) -> None:
    spelt = json.dumps(value, indent=3, ensure_ascii=True).encode()
    assert document_digest(parse_json(spelt)) == document_digest(value)  # type: ignore[arg-type]


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text('[]{}",:\\u0123456789eE+-.truefalsn d', max_size=60).map(str.encode))
def test_arbitrary_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        value = parse_json(data)
    except FormatError:
        return
    assert json.loads(data) == value
