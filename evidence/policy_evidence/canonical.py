"""Strict JSON in, canonical JSON (RFC 8785) out, and the digests of both.

Rules: two readers can never understand one document differently, so whatever JSON leaves open is refused (I-JSON,
RFC 7493): a key twice, NaN and infinities, numbers that a double cannot hold, half surrogate pairs, a byte order mark.
Digests of documents go over canonical bytes; signatures go over the raw bytes of the payload, never over these.

>>> canonical_bytes(parse_json(b'{"b": 1.0, "a": -0}'))
b'{"a":0,"b":1}'
"""

import hashlib
import json
import re
from typing import Any, Final, TypeAlias

import rfc8785

from policy_evidence.errors import FormatError, quoted

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"

# A signed decision with every result and proof of a large estate is tens of megabytes.
MAX_BYTES: Final = 64 * 1024 * 1024
# Deeper than any document we write, far below what exhausts a parser's stack.
MAX_DEPTH: Final = 64
# RFC 7493 section 2.2: integers outside this range are not exact in every reader.
MAX_INTEGER: Final = 2**53 - 1

# Strings (also unterminated ones, so that the scan stays linear) and brackets; all else is skipped.
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{]|[\]}]', re.DOTALL)
_DIGITS_OF_MAX_INTEGER = len(str(MAX_INTEGER))


def parse_json(data: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> JsonValue:
    """Return the one value that every reader would find in `data`, or refuse it."""
    if len(data) > max_bytes:
        raise FormatError("PE4001", f"{len(data)} bytes are more than the limit of {max_bytes}")
    text = _decode(data)
    _check_depth(text, max_depth)
    try:
        value: JsonValue = json.loads(
            text,
            object_pairs_hook=_object_without_duplicates,
            parse_int=_integer,
            parse_float=_double,
            parse_constant=_refuse_constant,
        )
    except json.JSONDecodeError as cause:
        place = f"line {cause.lineno}, column {cause.colno}"
        raise FormatError("PE4003", f"not JSON: {_plain(cause.msg)} ({place})") from cause
    # Only an escape can bring a surrogate into text that was UTF-8.
    if "\\u" in text:
        _check_surrogates(value)
    return value


def canonical_bytes(value: JsonValue) -> bytes:
    """Return the RFC 8785 form of `value`."""
    try:
        return rfc8785.dumps(value)
    except UnicodeEncodeError as cause:
        # The library sorts keys by UTF-16 and lets this one through.
        raise FormatError("PE4007", "a key holds half of a surrogate pair") from cause
    except RecursionError as cause:
        raise FormatError("PE4006", "the value is nested too deeply to be written") from cause
    except (rfc8785.CanonicalizationError, ValueError) as cause:
        raise FormatError(
            "PE4008",
            "the value cannot be written as canonical JSON",
            "use finite numbers, whole characters and text keys",
        ) from cause


def digest(data: bytes) -> str:
    """Return the digest of bytes in the form that documents use.

    >>> digest(b"")
    'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
    """
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def document_digest(value: JsonValue) -> str:
    """Return the digest of a document whatever its spelling: that of its canonical bytes."""
    return digest(canonical_bytes(value))


def _decode(data: bytes) -> str:
    if data.startswith(b"\xef\xbb\xbf"):
        raise FormatError("PE4002", "the text begins with a byte order mark", "save it as UTF-8 without one")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as cause:
        raise FormatError("PE4002", f"the text is not UTF-8 at byte {cause.start}", "save it as UTF-8") from cause


def _check_depth(text: str, max_depth: int) -> None:
    # Counted before parsing: the parser recurses, and running out of stack is not an answer.
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(text):
        match token.group()[0]:
            case "[" | "{":
                depth += 1
                if depth > max_depth:
                    raise FormatError("PE4006", f"nested deeper than {max_depth} levels")
            case "]" | "}":
                depth -= 1


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise FormatError("PE4004", f"the key {quoted(key)} occurs twice in one object")
            seen.add(key)
    return result


def _integer(digits: str) -> int:
    # The length first: converting a million digits is itself an attack.
    if len(digits.lstrip("-")) > _DIGITS_OF_MAX_INTEGER or abs(int(digits)) > MAX_INTEGER:
        raise FormatError("PE4005", f"the integer {quoted(digits)} is beyond 2^53 - 1", "write it as text")
    return int(digits)


def _double(digits: str) -> float:
    value = float(digits)
    vanished = value == 0 and re.search("[1-9]", re.split("[eE]", digits)[0]) is not None
    if value in (float("inf"), float("-inf")) or vanished:
        raise FormatError("PE4005", f"the number {quoted(digits)} is out of range", "write it as text")
    return value


def _refuse_constant(name: str) -> JsonValue:
    raise FormatError("PE4005", f"{quoted(name)} is not a JSON number")


def _check_surrogates(value: JsonValue) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as cause:
        raise FormatError("PE4007", "a text holds half of a surrogate pair") from cause


def _plain(reason: str) -> str:
    return reason[:1].lower() + reason[1:].rstrip(":").replace(" delimiter", "")
