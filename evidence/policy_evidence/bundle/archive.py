"""One file with named members: a ZIP that any tool opens, in the one form that we accept.

Rules: members are stored, sorted by name, dated 1980-01-01, regular files, without extras or comments, so the same
members always give the same bytes. Reading never extracts: it walks the local headers in memory within caps, then
builds the archive again and compares, so that every byte of the file is accounted for. A name is relative, of plain
characters, and cannot collide with another on any file system.

The layout is that of PKWARE APPNOTE 6.3.10: local headers (4.3.7), directory (4.3.12), end record (4.3.16).

>>> write_bundle({"b": b"2", "a": b"1"}) == write_bundle({"a": b"1", "b": b"2"})
True
"""

import re
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from policy_evidence.errors import BundleError, quoted

# An audit of a large estate; the archive lives in memory while it is read.
MAX_BYTES: Final = 512 * 1024 * 1024
# Without the ZIP64 extension an archive ends at 65,535 members.
MAX_MEMBERS: Final = 65_535
_MAX_NAME: Final = 240
_SEGMENT: Final = r"[A-Za-z0-9_@+-](?:[A-Za-z0-9_.@+-]*[A-Za-z0-9_@+-])?"
_NAME: Final = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*")

_LOCAL: Final = struct.Struct("<4s5H3I2H")
_ENTRY: Final = struct.Struct("<4s6H3I5H2I")
_END: Final = struct.Struct("<4s4H2IH")
_LOCAL_SIGNATURE, _ENTRY_SIGNATURE, _END_SIGNATURE = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_VERSION_NEEDED: Final = 10
# Made on Unix, so that the attributes below are those of a regular file with mode 0644.
_MADE_BY: Final = 3 << 8 | _VERSION_NEEDED
_ATTRIBUTES: Final = 0o100644 << 16
_FILE_TYPE, _REGULAR_FILE = 0o170000, 0o100000
_TIME, _DATE = 0, 1 << 5 | 1
_STORED, _ENCRYPTED = 0, 1


class _LocalHeader(NamedTuple):
    signature: bytes
    version: int
    flags: int
    method: int
    time: int
    date: int
    crc: int
    packed: int
    size: int
    name_length: int
    extra_length: int


class _Entry(NamedTuple):
    signature: bytes
    made_by: int
    version: int
    flags: int
    method: int
    time: int
    date: int
    crc: int
    packed: int
    size: int
    name_length: int
    extra_length: int
    comment_length: int
    disk: int
    internal: int
    attributes: int
    offset: int


def write_bundle(members: Mapping[str, bytes]) -> bytes:
    """Return the one archive that holds these members."""
    _check_names(members)
    framing = sum(_LOCAL.size + _ENTRY.size + 2 * len(name) for name in members) + _END.size
    if len(members) > MAX_MEMBERS or framing + sum(map(len, members.values())) > MAX_BYTES:
        raise BundleError("PE5001", f"a bundle holds at most {MAX_MEMBERS} members and {MAX_BYTES} bytes")
    return b"".join(part for _, part in _parts(members))


def read_bundle(data: bytes, *, max_bytes: int = MAX_BYTES) -> dict[str, bytes]:
    """Return the members of a canonical archive, or say what is wrong with it and where."""
    # 1 The caps come first: everything below is linear in what they let through.
    if len(data) > max_bytes:
        raise BundleError("PE5001", f"{len(data)} bytes are more than the limit of {max_bytes}")

    # 2 Walk the members from the first byte on: plain, whole, with the right checksum.
    members: dict[str, bytes] = {}
    position = 0
    while data[position : position + 4] == _LOCAL_SIGNATURE:
        name, content, position = _member(data, position)
        if name in members:
            raise BundleError("PE5004", f"there are two members {quoted(name)}")
        members[name] = content
        if len(members) > MAX_MEMBERS:
            raise BundleError("PE5001", f"there are more than {MAX_MEMBERS} members")
    if not members and data[:4] != _END_SIGNATURE:
        raise BundleError("PE5002", "the file does not begin like a bundle")

    # 3 The names are safe for whoever extracts them with another tool.
    _check_names(members)

    # 4 The directory, which other tools believe, tells of regular files only.
    _check_directory(data, position)

    # 5 Every byte is the one that our own writer would have put there.
    _check_form(data, members)
    return members


def _parts(members: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield the archive piece by piece, each with the words that name it in an error."""
    directory: list[tuple[str, bytes]] = []
    offset = 0
    for name, content in sorted(members.items()):
        raw, crc, size = name.encode("ascii"), zlib.crc32(content), len(content)
        common = (_VERSION_NEEDED, 0, _STORED, _TIME, _DATE, crc, size, size, len(raw), 0)
        header = _LOCAL.pack(*_LocalHeader(_LOCAL_SIGNATURE, *common)) + raw
        entry = _Entry(_ENTRY_SIGNATURE, _MADE_BY, *common, 0, 0, 0, _ATTRIBUTES, offset)
        directory.append((f"the directory entry of {quoted(name)}", _ENTRY.pack(*entry) + raw))
        yield f"the header of {quoted(name)}", header
        yield quoted(name), content
        offset += len(header) + size
    yield from directory
    length = sum(len(part) for _, part in directory)
    yield "the end record", _END.pack(_END_SIGNATURE, 0, 0, len(directory), len(directory), length, offset, 0)


def _member(data: bytes, position: int) -> tuple[str, bytes, int]:
    if position + _LOCAL.size > len(data):
        raise BundleError("PE5002", "the bundle is cut off in the header of a member")
    header = _LocalHeader(*_LOCAL.unpack_from(data, position))
    start = position + _LOCAL.size
    content_start = start + header.name_length + header.extra_length
    name = data[start : start + header.name_length].decode("ascii", "backslashreplace")
    if header.flags & _ENCRYPTED:
        raise BundleError("PE5006", f"the member {quoted(name)} is encrypted")
    # A compressed member can be a bomb, and hides bytes that no comparison sees.
    if header.method != _STORED:
        raise BundleError("PE5005", f"the member {quoted(name)} is compressed")
    if not _NAME.fullmatch(name):
        raise _unacceptable(name)
    end = content_start + header.size
    if end > len(data):
        raise BundleError("PE5002", f"the bundle is cut off in the member {quoted(name)}")
    content = data[content_start:end]
    if zlib.crc32(content) != header.crc:
        raise BundleError("PE5008", f"the member {quoted(name)} does not agree with its checksum")
    return name, content, end


def _check_directory(data: bytes, position: int) -> None:
    while data[position : position + 4] == _ENTRY_SIGNATURE and position + _ENTRY.size <= len(data):
        entry = _Entry(*_ENTRY.unpack_from(data, position))
        start = position + _ENTRY.size
        name = data[start : start + entry.name_length].decode("ascii", "backslashreplace")
        if not _NAME.fullmatch(name):
            raise _unacceptable(name)
        if (entry.attributes >> 16) & _FILE_TYPE != _REGULAR_FILE:
            raise BundleError("PE5007", f"the member {quoted(name)} is not a regular file")
        position = start + entry.name_length + entry.extra_length + entry.comment_length


def _check_form(data: bytes, members: Mapping[str, bytes]) -> None:
    position = 0
    for words, part in _parts(members):
        if data[position : position + len(part)] != part:
            raise BundleError("PE5009", f"{words} is not in the one form that a bundle has")
        position += len(part)
    if position != len(data):
        raise BundleError("PE5010", f"there are {len(data) - position} bytes after the end of the bundle")


def _check_names(names: Iterable[str]) -> None:
    taken: dict[str, str] = {}
    for name in sorted(names):
        if not _NAME.fullmatch(name) or len(name) > _MAX_NAME:
            raise _unacceptable(name)
        folded = name.lower()
        if folded in taken:
            raise BundleError("PE5004", f"{quoted(taken[folded])} and {quoted(name)} differ in capitals only")
        taken[folded] = name
    for folded, name in taken.items():
        # A file cannot also be a folder.
        parents = (folded[:end] for end, character in enumerate(folded) if character == "/")
        for parent in parents:
            if parent in taken:
                raise BundleError("PE5004", f"{quoted(taken[parent])} is a member and a folder of {quoted(name)}")


def _unacceptable(name: str) -> BundleError:
    return BundleError(
        "PE5003",
        f"{quoted(name)} is not an acceptable member name",
        "use relative names of letters, digits, `.`, `_`, `-`, `+`, `@` and `/`",
    )
