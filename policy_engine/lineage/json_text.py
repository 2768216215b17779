"""JSON (RFC 8259) read strictly.

Rules: no key twice, no NaN or infinity, no number beyond a double's range, no half surrogate pair, nesting bounded;
a number with a fraction or an exponent is a ``Decimal`` with its digits kept. The C parser of the standard library
reads what is in order. Only what it refuses, or what somebody wants the place of, is read again by the scanner here.

Whoever reads documents of others may hand in a list for keys that stand twice: each is added to it as a problem, and
its last value taken, as RFC 8259 section 4 says that many readers do.

>>> read_json('{"share": 0.80}', "a.json")
{'share': Decimal('0.80')}
>>> scan_json('{"nodes": 1}', "a.json").place("/nodes")
(1, 11)
"""

import json
import re
from bisect import bisect_right
from decimal import Decimal, InvalidOperation
from typing import Final

from policy_engine.lineage.errors import LineageError
from policy_engine.lineage.located import Located, Place, step
from policy_engine.model.problems import Problem, Severity

MAX_DEPTH: Final = 64
# Beyond this a recursive reader could run out of stack whatever its caller allows.
_DEEPEST: Final = 200
MAX_DIGITS: Final = 400
LONGEST_KEY: Final = 1024
"""Keys are part of every pointer to what is below them, so that long ones would cost far more than they are."""
_MAX_EXPONENT: Final = 308  # of a double (IEEE 754 binary64), so that any other reader can hold the number

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_STRING: Final = re.compile(r'"[^"\\\x00-\x1f]*(?:\\.[^"\\\x00-\x1f]*)*"')
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORD: Final = re.compile(r"-?[A-Za-z]+")
_HALF_PAIR: Final = re.compile(r"\\u[dD][89a-fA-F]")
_WORDS: Final = {"true": True, "false": False, "null": None}
_NOT_FINITE: Final = {"NaN", "Infinity", "-Infinity"}
_SKIPPING: Final = json.JSONDecoder()


def read_json(text: str, file: str, *, max_depth: int = MAX_DEPTH, repeated: list[Problem] | None = None) -> object:
    """Return the content of a JSON text.

    Raises:
        LineageError: the text is not JSON by the rules above; the problem names line and column.
    """
    try:
        content = json.loads(text, parse_float=decimal, parse_constant=_refuse, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        return scan_json(text, file, max_depth=max_depth, repeated=repeated).content
    if _HALF_PAIR.search(text) or deeper_than(content, max_depth):
        return scan_json(text, file, max_depth=max_depth).content
    return content


def scan_json(text: str, file: str, *, max_depth: int = MAX_DEPTH, repeated: list[Problem] | None = None) -> Located:
    """Return the content of a JSON text with the place of every entry; slower than ``read_json``.

    Raises:
        LineageError: as in ``read_json``.
    """
    return _Scanner(text, file, min(max_depth, _DEEPEST), repeated).document()


def find_place(text: str, pointer: str) -> Place | None:
    """Return the place of what a JSON pointer names in a text that ``read_json`` has read.

    One place is found far sooner than by scanning everything: what does not lie on the way is skipped by the C parser.

    >>> find_place('{"nodes": [1, {"id": 2}]}', "/nodes/1/id")
    (1, 22)
    """
    at = _after_space(text, 0)
    for written in pointer.split("/")[1:]:
        found = _entry_at(text, at, written.replace("~1", "/").replace("~0", "~"))
        if found is None:
            return None
        at = found
    return (text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)) if pointer else None


def _entry_at(text: str, at: int, part: str) -> int | None:
    """Return where an entry of the mapping or list at a position begins."""
    opening = text[at]
    if opening not in "{[" or (opening == "[" and not part.isdecimal()):
        return None
    at, number = _after_space(text, at + 1), 0
    while text[at] not in "}]":
        key: object = number
        if opening == "{":
            key, at = _SKIPPING.raw_decode(text, at)
            at = _after_space(text, _after_space(text, at) + 1)  # over the colon
        if key == (part if opening == "{" else int(part)):
            return at
        _, at = _SKIPPING.raw_decode(text, at)
        at = _after_space(text, at)
        if text[at] == ",":
            at = _after_space(text, at + 1)
        number += 1
    return None


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def decimal(text: str) -> Decimal:
    """Return a number with all its digits.

    Raises:
        ValueError: the number is beyond the range that is read.
    """
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(text) from error
    if len(text) > MAX_DIGITS or not number.is_finite() or not -_MAX_EXPONENT <= number.adjusted() <= _MAX_EXPONENT:
        raise ValueError(text)
    return number


def deeper_than(content: object, limit: int) -> bool:
    """Tell whether mappings and lists are nested more deeply than ``limit``."""
    level: list[object] = [content] if isinstance(content, dict | list) else []
    for _ in range(limit):
        if not level:
            return False
        level = [
            child
            for container in level
            for child in (container.values() if isinstance(container, dict) else container)  # type: ignore[attr-defined] # only mappings and lists are in it
            if child.__class__ is dict or child.__class__ is list
        ]
    return bool(level)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs) or max(map(len, made), default=0) > LONGEST_KEY:
        raise ValueError
    return made


def _refuse(word: str) -> object:
    raise ValueError(word)


class _Scanner:
    """Reads one JSON text from left to right."""

    def __init__(self, text: str, file: str, max_depth: int, repeated: list[Problem] | None) -> None:
        self._text = text
        self._file = file
        self._max_depth = max_depth
        self._repeated = repeated
        self._at = 0
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._marks: dict[int, dict[str | int, Place]] = {}

    def document(self) -> Located:
        self._skip_space()
        content = self._value("", 0)
        self._skip_space()
        if self._at < len(self._text):
            raise self._wrong("PE3104", "something follows after the end of the document")
        return Located(content, self._marks)

    def _value(self, pointer: str, depth: int) -> object:
        here = self._text[self._at : self._at + 1]
        if here in ("{", "["):
            if depth >= self._max_depth:
                raise self._wrong("PE3103", f"the document is nested more than {self._max_depth} levels deep", pointer)
            self._at += 1
            return self._mapping(pointer, depth + 1) if here == "{" else self._list(pointer, depth + 1)
        if here == '"':
            return self._string(pointer)
        if word := _WORD.match(self._text, self._at):
            return self._word(word[0], pointer)
        if number := _NUMBER.match(self._text, self._at):
            return self._number(number, pointer)
        raise self._wrong("PE3104", "a value is expected here" if here else "the document ends too early", pointer)

    def _mapping(self, pointer: str, depth: int) -> dict[str, object]:
        made: dict[str, object] = {}
        marks = self._marks[id(made)] = {}
        self._skip_space()
        if self._take("}"):
            return made
        while True:
            self._skip_space()
            key_at = self._at
            if not self._text.startswith('"', key_at):
                raise self._wrong("PE3104", "a key in double quotes is expected here", pointer)
            key = self._string(pointer)
            if len(key) > LONGEST_KEY:
                self._at = key_at
                raise self._wrong(
                    "PE3112", f"a key has {len(key)} characters, and at most {LONGEST_KEY} are read", pointer
                )
            if key in made:
                self._twice(key, key_at, pointer)
            self._expect(":", pointer)
            self._skip_space()
            marks[key] = self._place()
            made[key] = self._value(pointer + step(key), depth)
            if not self._more("}", pointer):
                return made

    def _twice(self, key: str, key_at: int, pointer: str) -> None:
        after, self._at = self._at, key_at
        error = self._wrong("PE3105", f"the key `{key}` stands twice", pointer + step(key))
        self._at = after
        if self._repeated is None:
            raise error
        self._repeated.append(error.problem)

    def _list(self, pointer: str, depth: int) -> list[object]:
        made: list[object] = []
        marks = self._marks[id(made)] = {}
        self._skip_space()
        if self._take("]"):
            return made
        while True:
            self._skip_space()
            marks[len(made)] = self._place()
            made.append(self._value(pointer + step(len(made)), depth))
            if not self._more("]", pointer):
                return made

    def _string(self, pointer: str) -> str:
        match = _STRING.match(self._text, self._at)
        if match is None:
            raise self._wrong("PE3104", "a text is not closed, or holds a control character", pointer)
        try:
            value = str(json.loads(match[0]))
        except ValueError:
            raise self._wrong("PE3104", "a text holds an escape that JSON does not have", pointer) from None
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise self._wrong("PE3109", "a text holds half of a surrogate pair", pointer)
        self._at = match.end()
        return value

    def _word(self, word: str, pointer: str) -> bool | None:
        if word in _NOT_FINITE:
            raise self._wrong("PE3106", f"`{word}` is not a number", pointer)
        if word not in _WORDS:
            raise self._wrong("PE3104", f"`{word[:40]}` is not a value; a text stands in double quotes", pointer)
        self._at += len(word)
        return _WORDS[word]

    def _number(self, match: re.Match[str], pointer: str) -> int | Decimal:
        try:
            value = decimal(match[0]) if match[1] or match[2] else int(match[0])
        except ValueError:
            raise self._wrong("PE3106", f"the number `{match[0][:40]}` is beyond what is read", pointer) from None
        self._at = match.end()
        return value

    def _more(self, close: str, pointer: str) -> bool:
        """Step over a comma, or over the closing bracket; tell whether another entry follows."""
        self._skip_space()
        if self._take(close):
            return False
        if not self._take(","):
            raise self._wrong("PE3104", f"`,` or `{close}` is expected here", pointer)
        return True

    def _expect(self, character: str, pointer: str) -> None:
        self._skip_space()
        if not self._take(character):
            raise self._wrong("PE3104", f"`{character}` is expected here", pointer)

    def _take(self, character: str) -> bool:
        if self._text.startswith(character, self._at):
            self._at += 1
            return True
        return False

    def _skip_space(self) -> None:
        match = _SPACE.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _place(self) -> Place:
        line = bisect_right(self._line_starts, self._at)
        return (line, self._at - self._line_starts[line - 1] + 1)

    def _wrong(self, code: str, message: str, pointer: str = "") -> LineageError:
        line, column = self._place()
        return LineageError(Problem(code, Severity.ERROR, message, self._file, pointer, line, column))
