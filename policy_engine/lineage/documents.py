"""Reading the bytes of a file into documents, JSON or YAML, within bounds.

Rules: UTF-8 with or without a byte order mark; at most so many bytes and levels; what begins with a bracket is JSON
unless its name says YAML. A YAML file of several documents gives several, named ``file#1``, ``file#2`` and so on.

>>> [document.name for document in read_documents("estate.yaml", b"a: 1", Limits())]
['estate.yaml']
"""

import hashlib
from dataclasses import dataclass, field
from typing import Final

from policy_engine.lineage.errors import LineageError
from policy_engine.lineage.json_text import MAX_DEPTH, read_json, scan_json
from policy_engine.lineage.located import Located, Place
from policy_engine.lineage.yaml_text import read_yaml
from policy_engine.model.problems import Problem, Severity

MAX_BYTES: Final = 64 * 1024 * 1024
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a file is read: its size in bytes and the depth of its nesting (200 levels at most)."""

    max_bytes: int = MAX_BYTES
    max_depth: int = MAX_DEPTH


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file. ``name`` is unique; ``file`` is where a person finds it."""

    name: str
    file: str
    sha256: str
    content: object
    # What says where things are: all of it for YAML; for JSON the text, scanned when somebody asks.
    _located: list[Located] = field(repr=False, compare=False)
    _text: str = field(repr=False, compare=False)
    _limits: Limits = field(repr=False, compare=False)

    def line(self, container: object, key: str | int) -> int | None:
        """Return the line of an entry of a container of the content, where it is known without reading again."""
        return self._located[0].line(container, key) if self._located else None

    def place(self, pointer: str) -> Place | None:
        """Return the line and column of what a JSON pointer names."""
        if not self._located:
            self._located.append(scan_json(self._text, self.file, max_depth=self._limits.max_depth))
        return self._located[0].place(pointer)


def read_documents(file: str, data: bytes, limits: Limits) -> tuple[Document, ...]:
    """Return the documents of a file; an empty YAML document among others is left out.

    Raises:
        LineageError: the file cannot be read; the problem says where.
    """
    if len(data) > limits.max_bytes:
        message = f"the file has {len(data)} bytes, and at most {limits.max_bytes} are read"
        raise LineageError(Problem("PE3101", Severity.ERROR, message, file))
    sha256 = "sha256:" + hashlib.sha256(data).hexdigest()
    text = _text(file, data.removeprefix(_BYTE_ORDER_MARK))
    if _is_json(file, text):
        content = read_json(text, file, max_depth=limits.max_depth)
        return (Document(file, file, sha256, content, [], text, limits),)
    found = [located for located in read_yaml(text, file, max_depth=limits.max_depth) if located.content is not None]
    names = [file] if len(found) == 1 else [f"{file}#{number}" for number in range(1, len(found) + 1)]
    return tuple(
        Document(name, file, sha256, located.content, [located], "", limits)
        for name, located in zip(names, found, strict=True)
    )


def _text(file: str, data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = f"byte {error.start} (0x{data[error.start]:02x}) is not UTF-8 text"
        problem = Problem("PE3102", Severity.ERROR, message, file, "", line, column, "save the file as UTF-8")
        raise LineageError(problem) from None


def _is_json(file: str, text: str) -> bool:
    name = file.casefold()
    return name.endswith(".json") or (not name.endswith((".yaml", ".yml")) and text.lstrip()[:1] in ("{", "["))
