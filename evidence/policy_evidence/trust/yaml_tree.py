"""The part of YAML that has one meaning: mappings, sequences and scalars, each with its line.

Rules: aliases, anchors, tags, merge keys and further documents are refused, so nothing can expand, hide or run; a key
occurs once in a mapping; only `true`, `false`, `null` and decimal integers are read as other than text, so that what a
reader sees is what is meant. The events of the parser are consumed one by one, with a stack of our own: neither depth
nor expansion can exhaust memory before it is refused.

>>> tree = parse_tree("keys:\\n  maria: {owner: Maria}\\n")
>>> tree.value
{'keys': {'maria': {'owner': 'Maria'}}}
>>> tree.lines["keys", "maria"]
2
"""

import re
from dataclasses import dataclass
from typing import Final

import yaml

from policy_evidence.canonical import MAX_INTEGER, JsonValue
from policy_evidence.errors import Problem, TrustError, quoted
from policy_evidence.shapes import Path, path_text

# A trust file has five levels; the rest is somebody else's intention.
_MAX_DEPTH: Final = 16
_INTEGER = re.compile("-?(0|[1-9][0-9]{0,15})")
# Words and numbers that YAML 1.1 readers would silently turn into something else.
_AMBIGUOUS = re.compile(
    r"(?i:y|n|yes|no|on|off|~|null|true|false)|[-+]?(0[0-9_]+|0[box][0-9a-f_]+|[0-9][0-9_]*_[0-9_]*"
    r"|[0-9]*\.[0-9]+|[0-9]+\.[0-9]*|[0-9.]+[eE][-+]?[0-9]+|[0-9]+(:[0-5]?[0-9])+|\.(?i:inf))|\.(?i:nan)"
)


@dataclass(frozen=True, slots=True)
class Tree:
    """The value of a document and the line (from 1) of each part that is in it."""

    value: JsonValue
    lines: dict[Path, int]


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet; `key` is the key that waits for its value."""

    value: list[JsonValue] | dict[str, JsonValue]
    path: Path
    key: str | None = None


def parse_tree(text: str) -> Tree:
    """Return the one value that `text` can mean, or refuse it with the line that leaves a doubt."""
    reader = _Reader()
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            reader.read(event)
    except yaml.MarkedYAMLError as cause:
        mark = cause.problem_mark or cause.context_mark
        raise _refusal("PE4301", "this is not YAML", mark.line + 1 if mark else None) from cause
    # The parser lets impossible escapes through as they come.
    except (yaml.YAMLError, ValueError, OverflowError) as cause:
        raise _refusal("PE4301", "the text holds a character that YAML does not allow", None) from cause
    return Tree(reader.root, reader.lines)


class _Reader:
    """Builds the tree from the parser's events."""

    def __init__(self) -> None:
        self.root: JsonValue = None
        self.lines: dict[Path, int] = {}
        self._stack: list[_Open] = []
        self._documents = 0

    def read(self, event: yaml.Event) -> None:
        """Take the next event of the document."""
        line = event.start_mark.line + 1 if event.start_mark else 1
        if getattr(event, "anchor", None) is not None:
            raise _refusal("PE4302", "anchors and aliases are not allowed", line, "write the value out in each place")
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise _refusal("PE4302", f"the tag {quoted(str(tag))} is not allowed", line, "leave the tag out")
        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise _refusal("PE4301", "there is more than one document in the file", line)
            case yaml.MappingStartEvent():
                self._open(_Open({}, self._place(line)), line)
            case yaml.SequenceStartEvent():
                self._open(_Open([], self._place(line)), line)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._stack.pop()
            case yaml.ScalarEvent():
                self._scalar(event, line)
            case _:
                pass

    def _open(self, collection: _Open, line: int) -> None:
        if len(self._stack) >= _MAX_DEPTH:
            raise _refusal("PE4301", f"nested deeper than {_MAX_DEPTH} levels", line)
        self._put(collection.value)
        self._stack.append(collection)

    def _place(self, line: int) -> Path:
        """Return the path of the value that comes next, and remember its line."""
        path: Path = ()
        if self._stack:
            top = self._stack[-1]
            if isinstance(top.value, dict) and top.key is None:
                raise _refusal("PE4301", "a key of a mapping is not a text", line)
            path = (*top.path, len(top.value) if isinstance(top.value, list) else top.key or "")
        # The line of a mapping's entry is that of its key.
        self.lines.setdefault(path, line)
        return path

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> None:
        if any("\ud800" <= character <= "\udfff" for character in event.value):
            raise _refusal("PE4007", "a text holds half of a surrogate pair", line)
        top = self._stack[-1] if self._stack else None
        if top is not None and isinstance(top.value, dict) and top.key is None:
            self._key(top, top.value, event.value, line)
            return
        path = self._place(line)
        self._put(event.value if event.style else _plain_scalar(event.value, path, line))

    def _key(self, top: _Open, mapping: dict[str, JsonValue], key: str, line: int) -> None:
        if key == "<<":
            raise _refusal("PE4302", "merge keys are not allowed", line, "write the values out")
        if key in mapping:
            raise _refusal(
                "PE4303", f"the key {quoted(key)} occurs twice in `{path_text(top.path) or 'the file'}`", line
            )
        self.lines[(*top.path, key)] = line
        top.key = key

    def _put(self, value: JsonValue) -> None:
        if not self._stack:
            self.root = value
            return
        top = self._stack[-1]
        if isinstance(top.value, list):
            top.value.append(value)
        else:
            top.value[top.key or ""] = value
            top.key = None


def _plain_scalar(text: str, path: Path, line: int) -> JsonValue:
    match text:
        case "true":
            return True
        case "false":
            return False
        case "null" | "":
            return None
        case _ if _INTEGER.fullmatch(text) and abs(int(text)) <= MAX_INTEGER:
            return int(text)
        case _ if _AMBIGUOUS.fullmatch(text):
            raise _refusal("PE4302", f"{quoted(text)} at `{path_text(path)}` is ambiguous", line, "put it in quotes")
        case _:
            return text


def _refusal(code: str, message: str, line: int | None, advice: str | None = None) -> TrustError:
    return TrustError((Problem(code, message, "", line, advice),))
