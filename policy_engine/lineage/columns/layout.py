"""The estate file as a container: named columns in one file, opened without reading them.

Rules:

- little-endian: 8 bytes ``AIPEST01``, the length of the header (u64), its CRC-32 (u32), four zero bytes, the header in
  JSON, then the sections; the first begins at the next multiple of 64, and so does each after it;
- the header lists every section as ``[offset from the first, bytes, typecode, CRC-32]``, typecodes as in ``struct``;
- opening checks that every section lies inside the file; what a section must hold is checked by who reads it;
- the CRC-32 of a section is checked when it is first used if it is small, and by ``verify`` whatever its size. It finds
  damage, not forgery: whoever may write the file decides what it says;
- only small parts of the standard library are imported, for a gate pays for each.

>>> from array import array
>>> data = b"".join(written({"title": "two numbers"}, {"numbers": ("I", array("I", [7, 9]))}))
>>> list(Container(data).section("numbers"))
[7, 9]
"""

import json
import mmap
import os
import struct
import sys
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias
from zlib import crc32

from policy_engine.lineage.columns.errors import damaged, estate_error

if TYPE_CHECKING:
    from typing import Self

    from typing_extensions import Buffer

MAGIC: Final = b"AIPEST01"
FORMAT: Final = "urn:ai-policy-engine:estate-file:v1"
ALIGNMENT: Final = 64

NOT_STATED: Final = 0
"""The code of what nobody states."""
CONTRADICTED: Final = 1
"""The code of what sources contradict each other about."""
NEVER: Final = 2**63 - 1
"""The second at which something ends that does not end."""

Typecode: TypeAlias = Literal["B", "H", "I", "Q", "q"]
Sections: TypeAlias = "Mapping[str, tuple[Typecode, Buffer]]"

# A header with thousands of attributes is some hundreds of kilobytes.
_MAX_HEADER = 16 * 1024 * 1024
# Checking this much costs less than a tenth of a millisecond.
_SMALL = 64 * 1024
_PRELUDE = struct.Struct("<8sQIxxxx")
_SIZES: dict[Typecode, int] = {"B": 1, "H": 2, "I": 4, "Q": 8, "q": 8}


def written(header: Mapping[str, Any], sections: Sections) -> Iterator[bytes | memoryview]:
    """Yield the bytes of a file, piece by piece; sections are any buffers, given with their typecodes."""
    table: dict[str, list[int | str]] = {}
    pieces: list[memoryview] = []
    end = 0
    for name, (typecode, buffer) in sections.items():
        piece = memoryview(buffer)
        # A view over nothing cannot be cast.
        piece = piece.cast("B") if piece.nbytes else memoryview(b"")
        table[name] = [end, piece.nbytes, typecode, crc32(piece)]
        pieces.append(piece)
        end = _aligned(end + piece.nbytes)
    text = json.dumps({"format": FORMAT, **header, "sections": table}, separators=(",", ":"), sort_keys=True).encode()
    yield _PRELUDE.pack(MAGIC, len(text), crc32(text))
    yield text
    yield _padding(_PRELUDE.size + len(text))
    for piece in pieces:
        yield piece
        yield _padding(piece.nbytes)


def write_file(path: str | os.PathLike[str], header: Mapping[str, Any], sections: Sections) -> None:
    """Write a file whole or not at all."""
    folder, name = os.path.split(os.fspath(path))
    beside = os.path.join(folder, f".{name}.{os.getpid()}.part")  # noqa: PTH118 - pathlib is slow to load
    try:
        try:
            with open(beside, "xb") as file:  # noqa: PTH123 - as above
                for piece in written(header, sections):
                    file.write(piece)
            os.replace(beside, path)  # noqa: PTH105 - as above
        finally:
            if os.path.exists(beside):  # noqa: PTH110 - as above
                os.remove(beside)  # noqa: PTH107 - as above
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise estate_error("PE3406", f"`{path}` cannot be written: {reason}", None) from error


class Container:
    """A file that is open: its header, and its sections as typed views that nothing was copied for."""

    def __init__(self, buffer: "Buffer") -> None:
        if sys.byteorder != "little":
            raise estate_error("PE3404", "estate files are read on little-endian machines only", None)
        self._view = memoryview(buffer)
        if self._view.nbytes:
            self._view = self._view.cast("B")
        self._used: dict[str, memoryview] = {}
        self.header, self._start = self._read_header()
        self._table = self._read_table()

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> "Self":
        """Map a file into memory.

        Raises:
            LineageError: PE3401–PE3406, it is not there, no estate file, of another version, or damaged.
        """
        try:
            with open(path, "rb") as file:  # noqa: PTH123 - pathlib is slow to load
                # Nothing can be mapped of an empty file, nor of a pipe.
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:
            raise estate_error("PE3401", f"`{path}` is empty, so it is no estate file") from None
        except OSError as error:
            reason = (error.strerror or "unknown reason").lower()
            raise estate_error("PE3406", f"`{path}` cannot be read: {reason}") from error
        return cls(mapped)

    def close(self) -> None:
        """Give the memory back; as long as somebody still looks at a section, the file stays mapped for them."""
        try:
            for view in self._used.values():
                view.release()
            self._used.clear()
            self._view.release()
        except BufferError:
            return

    def __enter__(self) -> "Self":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __contains__(self, name: str) -> bool:
        return name in self._table

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all sections."""
        return tuple(self._table)

    def length(self, name: str) -> int:
        """Return how many items a section has; none if it is not there."""
        if name not in self._table:
            return 0
        _, size, typecode, _ = self._table[name]
        return size // _SIZES[typecode]

    def typecode(self, name: str) -> str | None:
        """Return the type of a section's items, if the section is there."""
        return self._table[name][2] if name in self._table else None

    def section(self, name: str) -> memoryview:
        """Return a section as a view of its type.

        Raises:
            LineageError: PE3403, it is not there, or its bytes are not those that were written.
        """
        found = self._used.get(name)
        if found is None:
            if name not in self._table:
                raise damaged(f"it has no section `{name}`")
            offset, size, typecode, checksum = self._table[name]
            start = self._start + offset
            raw = self._view[start : start + size]
            if size <= _SMALL and crc32(raw) != checksum:
                raise damaged(f"the bytes of `{name}` are not those that were written")
            found = self._used[name] = raw.cast(typecode) if size else memoryview(b"")
        return found

    def verify(self, *names: str) -> None:
        """Check the bytes of the named sections, or of every section.

        Raises:
            LineageError: PE3403.
        """
        for name in names or self._table:
            offset, size, _, checksum = self._table[name]
            start = self._start + offset
            if crc32(self._view[start : start + size]) != checksum:
                raise damaged(f"the bytes of `{name}` are not those that were written")

    def _read_header(self) -> tuple[dict[str, Any], int]:
        # (1) The file begins as every estate file does.
        if self._view.nbytes < _PRELUDE.size or self._view[:6] != MAGIC[:6]:
            raise estate_error("PE3401", "the file is no estate file")
        magic, length, checksum = _PRELUDE.unpack_from(self._view)
        if magic != MAGIC:
            raise estate_error("PE3402", "the estate file is of another version")
        # (2) The header lies inside the file, and is what was written.
        start = _aligned(_PRELUDE.size + length)
        if length > _MAX_HEADER or start > self._view.nbytes:
            raise damaged("it is cut off, or its header is longer than any")
        text = bytes(self._view[_PRELUDE.size : _PRELUDE.size + length])
        if crc32(text) != checksum:
            raise damaged("its header is not the one that was written")
        # (3) It is JSON of the version that is read here.
        try:
            header = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise damaged("its header is not JSON") from error
        if not isinstance(header, dict) or header.get("format") != FORMAT:
            raise estate_error("PE3402", f"the format of the estate file is not `{FORMAT}`")
        return header, start

    def _read_table(self) -> dict[str, tuple[int, int, Typecode, int]]:
        table = self.header.get("sections")
        if not isinstance(table, dict):
            raise damaged("its header lists no sections")
        room = self._view.nbytes - self._start
        found: dict[str, tuple[int, int, Typecode, int]] = {}
        for name, entry in table.items():
            match entry:
                case [int(offset), int(size), ("B" | "H" | "I" | "Q" | "q") as typecode, int(checksum)] if (
                    0 <= offset <= room
                    and 0 <= size <= room - offset
                    and size % _SIZES[typecode] == 0
                    and offset % ALIGNMENT == 0
                ):
                    found[name] = (offset, size, typecode, checksum)
                case _:
                    raise damaged(f"the section `{name}` does not lie inside the file")
        return found


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _padding(size: int) -> bytes:
    return bytes(_aligned(size) - size)
