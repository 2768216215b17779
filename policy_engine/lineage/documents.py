"""Reading the bytes of a file into documents within bounds: JSON, JSON lines, YAML, Markdown with front matter.

Rules: UTF-8 with or without a byte order mark and without NUL; at most so many bytes and levels. The name of the file
says its form, if it ends in `.json`, `.jsonl`, `.yaml`, `.md` or the like; else what begins with a bracket is JSON, and
anything else YAML. JSON whose first line is a whole mapping and not the only one is JSON lines.

A YAML file of several documents gives several, named ``file#1``, ``file#2`` and so on. JSON lines are one document,
the list of the values; of Markdown the content is the front matter, nothing if there is none, and ``body`` the rest.

>>> [document.name for document in read_documents("estate.yaml", b"a: 1", Limits())]
['estate.yaml']
>>> [card] = read_documents("README.md", b"---\\nlicense: mit\\n---\\nA model", Limits())
>>> card.form.value, card.content, card.body
('markdown', {'license': 'mit'}, 'A model')
"""

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol, assert_never

from policy_engine.lineage.errors import LineageError
from policy_engine.lineage.front_matter import read_front_matter
from policy_engine.lineage.json_lines import looks_like_lines, read_json_lines
from policy_engine.lineage.json_text import MAX_DEPTH, find_place, read_json, scan_json
from policy_engine.lineage.located import Located, Place
from policy_engine.lineage.yaml_text import read_yaml
from policy_engine.model.problems import Problem, Severity

MAX_BYTES: Final = 64 * 1024 * 1024
_FEW: Final = 10  # scanning a text costs about as much as looking for so many places
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a file is read: its size in bytes and the depth of its nesting (200 levels at most)."""

    max_bytes: int = MAX_BYTES
    max_depth: int = MAX_DEPTH


class Form(StrEnum):
    """How a file is written."""

    JSON = "json"
    JSON_LINES = "json lines"
    YAML = "yaml"
    MARKDOWN = "markdown"


_FORM_OF_SUFFIX: Final = {
    ".json": Form.JSON,
    ".jsonld": Form.JSON,
    ".jsonl": Form.JSON_LINES,
    ".ndjson": Form.JSON_LINES,
    ".yaml": Form.YAML,
    ".yml": Form.YAML,
    ".md": Form.MARKDOWN,
    ".markdown": Form.MARKDOWN,
}


class Places(Protocol):
    """What finds parts of a document in its file."""

    def line(self, container: object, key: str | int, /) -> int | None:
        """Return the line of an entry of a container, where it is known without reading again."""

    def place(self, pointer: str) -> Place | None:
        """Return the line and column of what a JSON pointer names."""


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file. ``name`` is unique; ``file`` is where a person finds it."""

    name: str
    file: str
    sha256: str
    form: Form
    content: object
    _places: Places = field(repr=False, compare=False)
    body: str = field(default="", repr=False)

    def line(self, container: object, key: str | int) -> int | None:
        """Return the line of an entry of a container of the content, where it is known without reading again."""
        return self._places.line(container, key)

    def place(self, pointer: str) -> Place | None:
        """Return the line and column of what a JSON pointer names."""
        return self._places.place(pointer)


@dataclass(slots=True)
class _JsonPlaces:
    """The places of a JSON text: a few are looked for one by one; for many, the text is scanned once."""

    text: str
    file: str
    max_depth: int
    repeated: bool
    _asked: int = 0
    _scanned: Located | None = None

    def line(self, _container: object, _key: str | int, /) -> int | None:
        return None

    def place(self, pointer: str) -> Place | None:
        self._asked += 1
        # Of a key that stands twice the last counts, which only the scanner knows.
        if self._asked <= _FEW and not self.repeated:
            return find_place(self.text, pointer)
        if self._scanned is None:
            forgiven: list[Problem] | None = [] if self.repeated else None
            self._scanned = scan_json(self.text, self.file, max_depth=self.max_depth, repeated=forgiven)
        return self._scanned.place(pointer)


def read_documents(
    file: str, data: bytes, limits: Limits, *, repeated: list[Problem] | None = None
) -> tuple[Document, ...]:
    """Return the documents of a file; an empty YAML document among others is left out.

    Keys that stand twice in a file refuse it, unless a list is handed in that takes the problems.

    Raises:
        LineageError: the file cannot be read; the problem says where.
    """
    if len(data) > limits.max_bytes:
        message = f"the file has {len(data)} bytes, and at most {limits.max_bytes} are read"
        raise LineageError(Problem("PE3101", Severity.ERROR, message, file))
    sha256 = "sha256:" + hashlib.sha256(data).hexdigest()
    text = _text(file, data.removeprefix(_BYTE_ORDER_MARK))
    form = _form(file, text)
    depth = limits.max_depth
    match form:
        case Form.JSON:
            content = read_json(text, file, max_depth=depth, repeated=repeated)
            places = _JsonPlaces(text, file, depth, bool(repeated))
            return (Document(file, file, sha256, form, content, places),)
        case Form.JSON_LINES:
            lines = read_json_lines(text, file, max_depth=depth, repeated=repeated)
            return (Document(file, file, sha256, form, lines.content, lines),)
        case Form.MARKDOWN:
            front = read_front_matter(text, file, max_depth=depth, repeated=repeated)
            return (Document(file, file, sha256, form, front.located.content, front.located, front.body),)
        case Form.YAML:
            read = read_yaml(text, file, max_depth=depth, repeated=repeated)
            found = [each for each in read if each.content is not None]
            names = [file] if len(found) == 1 else [f"{file}#{number}" for number in range(1, len(found) + 1)]
            return tuple(
                Document(name, file, sha256, form, located.content, located)
                for name, located in zip(names, found, strict=True)
            )
        case _:
            assert_never(form)


def _text(file: str, data: bytes) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        message = f"byte {error.start} (0x{data[error.start]:02x}) is not UTF-8 text"
        raise _not_text("PE3102", message, file, before, "save the file as UTF-8") from None
    if "\0" in text:
        before = text[: text.index("\0")]
        raise _not_text("PE3162", "a NUL stands here, which no text holds", file, before, "is it another kind of file?")
    return text


def _not_text(code: str, message: str, file: str, before: str, advice: str) -> LineageError:
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return LineageError(Problem(code, Severity.ERROR, message, file, "", line, column, advice))


def _form(file: str, text: str) -> Form:
    name = file.casefold()
    form = next((form for suffix, form in _FORM_OF_SUFFIX.items() if name.endswith(suffix)), None)
    if form is None:
        form = Form.JSON if text.lstrip()[:1] in ("{", "[") else Form.YAML
    if form is Form.JSON and looks_like_lines(text):
        return Form.JSON_LINES
    return form
