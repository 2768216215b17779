"""YAML read strictly, by the core schema of YAML 1.2.2 (section 10.3) with the dangerous parts left out.

Rules:

- ``true``, ``false`` and ``null`` are words, and so are their capitalised spellings; ``yes``, ``no``, ``on`` and
  ``off`` are text; ``12:30`` is text; a number that begins with a zero, like ``007``, is text;
- a date stays the text it is: the schema says which attributes are dates;
- a number with a fraction or an exponent is a ``Decimal`` with its digits kept; ``.nan`` and ``.inf`` are refused;
- no aliases, no merge keys, no tags but ``!!str``, no key twice, nesting bounded; keys are text as written;
- a file may hold several documents.

The parser's events are read directly: that keeps the place of every value and is several times as quick as its loader.

>>> [document.content for document in read_yaml("a: no\\nb: 1.10", "a.yaml")]
[{'a': 'no', 'b': Decimal('1.10')}]
"""

import re
from typing import Any, Final

from policy_engine.lineage.errors import LineageError
from policy_engine.lineage.json_text import LONGEST_KEY, MAX_DEPTH, MAX_DIGITS, decimal
from policy_engine.lineage.located import Located, Place, step
from policy_engine.model.problems import Problem, Severity

_WORDS: Final = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_DECIMAL_INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_OTHER_INTEGER: Final = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_MAYBE_NUMBER: Final = frozenset("0123456789+-.")
_TEXT_TAGS: Final = frozenset({"!", "tag:yaml.org,2002:str"})
_DEEPEST: Final = 200


def read_yaml(
    text: str, file: str, *, max_depth: int = MAX_DEPTH, repeated: list[Problem] | None = None
) -> tuple[Located, ...]:
    """Return the documents of a YAML text; keys that stand twice refuse it, or are added to a list that is handed in.

    Raises:
        LineageError: the text is not YAML by the rules above; the problem names line and column.
    """
    import yaml  # here, because a process that reads no YAML should not load it

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Builder(loader(text), yaml, file, min(max_depth, _DEEPEST), repeated).documents()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        message = f"not valid YAML: {error.problem or error.context or 'the text breaks off'}"
        raise LineageError(Problem("PE3104", Severity.ERROR, message, file, "", line, column)) from None
    except yaml.YAMLError as error:
        # What remains is a character that YAML 1.2.2 (section 5.1) does not allow.
        at = getattr(error, "position", 0)
        line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
        message = "not valid YAML: a character that cannot stand in a text file"
        raise LineageError(Problem("PE3104", Severity.ERROR, message, file, "", line, column)) from None


class _Builder:
    """Builds content from the events of a parser."""

    def __init__(self, loader: Any, yaml: Any, file: str, max_depth: int, repeated: list[Problem] | None) -> None:
        self._next = loader.get_event
        self._scalar_event = yaml.ScalarEvent
        self._mapping_start = yaml.MappingStartEvent
        self._mapping_end = yaml.MappingEndEvent
        self._sequence_start = yaml.SequenceStartEvent
        self._sequence_end = yaml.SequenceEndEvent
        self._document_start = yaml.DocumentStartEvent
        self._stream_end = yaml.StreamEndEvent
        self._file = file
        self._max_depth = max_depth
        self._repeated = repeated
        self._marks: dict[int, dict[str | int, Place]] = {}

    def documents(self) -> tuple[Located, ...]:
        found = []
        while not isinstance(event := self._next(), self._stream_end):
            if isinstance(event, self._document_start):
                self._marks = {}
                content = self._value(self._next(), "", 0)
                found.append(Located(content, self._marks))
        return tuple(found)

    def _value(self, event: Any, pointer: str, depth: int) -> object:
        # Ordered by how often they come: this runs for every value of a large file.
        if isinstance(event, self._scalar_event):
            return self._scalar(event, pointer)
        if isinstance(event, self._mapping_start | self._sequence_start):
            if depth >= self._max_depth:
                message = f"the document is nested more than {self._max_depth} levels deep"
                raise self._wrong("PE3103", message, event.start_mark, pointer)
            self._check_tag(event, pointer, collection=True)
            if isinstance(event, self._mapping_start):
                return self._mapping(pointer, depth + 1)
            return self._sequence(pointer, depth + 1)
        raise self._wrong(
            "PE3107", "an alias stands here; aliases are not read", event.start_mark, pointer, "write the value out"
        )

    def _mapping(self, pointer: str, depth: int) -> dict[str, object]:
        made: dict[str, object] = {}
        marks = self._marks[id(made)] = {}
        while not isinstance(event := self._next(), self._mapping_end):
            if not isinstance(event, self._scalar_event):
                raise self._wrong("PE3110", "a key must be a text", event.start_mark, pointer)
            key: str = event.value
            if len(key) > LONGEST_KEY:
                message = f"a key has {len(key)} characters, and at most {LONGEST_KEY} are read"
                raise self._wrong("PE3112", message, event.start_mark, pointer)
            here = pointer + step(key)
            if key in made:
                self._twice(self._wrong("PE3105", f"the key `{key}` stands twice", event.start_mark, here))
            if key == "<<" and event.implicit[0]:
                raise self._wrong("PE3107", "a merge key stands here; merging is not read", event.start_mark, here)
            value = self._next()
            marks[key] = (value.start_mark.line + 1, value.start_mark.column + 1)
            made[key] = self._value(value, here, depth)
        return made

    def _twice(self, error: LineageError) -> None:
        if self._repeated is None:
            raise error
        self._repeated.append(error.problem)

    def _sequence(self, pointer: str, depth: int) -> list[object]:
        made: list[object] = []
        marks = self._marks[id(made)] = {}
        while not isinstance(event := self._next(), self._sequence_end):
            marks[len(made)] = (event.start_mark.line + 1, event.start_mark.column + 1)
            made.append(self._value(event, f"{pointer}/{len(made)}", depth))
        return made

    def _scalar(self, event: Any, pointer: str) -> object:
        text: str = event.value
        self._check_tag(event, pointer, collection=False)
        if not event.implicit[0] or event.tag is not None:
            return text
        if text[:1] in _MAYBE_NUMBER and text:
            return self._number(text, event, pointer)
        return _WORDS.get(text, text)

    def _number(self, text: str, event: Any, pointer: str) -> object:
        try:
            if len(text) > MAX_DIGITS:
                raise ValueError
            if _DECIMAL_INTEGER.fullmatch(text):
                return int(text)
            if _OTHER_INTEGER.fullmatch(text):
                return int(text, 0)
            if _FLOAT.fullmatch(text):
                return decimal(text)
        except ValueError:
            message = f"the number `{text[:40]}` is beyond what is read"
            raise self._wrong("PE3106", message, event.start_mark, pointer) from None
        if _NOT_FINITE.fullmatch(text):
            raise self._wrong("PE3106", f"`{text}` is not a number", event.start_mark, pointer)
        return text

    def _check_tag(self, event: Any, pointer: str, *, collection: bool) -> None:
        if event.tag is not None and (collection or event.tag not in _TEXT_TAGS):
            raise self._wrong("PE3108", f"the tag `{event.tag}` is not read", event.start_mark, pointer)

    def _wrong(self, code: str, message: str, mark: Any, pointer: str, advice: str | None = None) -> LineageError:
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        return LineageError(Problem(code, Severity.ERROR, message, self._file, pointer, line, column, advice))
