"""JSON lines: a file of one JSON value a line, as tools that append to a log write it.

Rules: each line is read as strictly as a file of JSON; an empty line is nothing; one bad line refuses the file, because
a log that breaks off has lost something. The content is the list of the values; places are found in their own line.

>>> lines = read_json_lines('{"a": 1}\\n\\n{"a": 2}\\n', "log.jsonl")
>>> lines.content, lines.place("/1/a")
([{'a': 1}, {'a': 2}], (3, 7))
>>> looks_like_lines('{"a": 1}\\n{"a": 2}'), looks_like_lines('{"a": 1}\\n'), looks_like_lines('{\\n"a": 1}\\n')
(True, False, False)
"""

import json
from dataclasses import dataclass, field, replace

from policy_engine.lineage.errors import LineageError
from policy_engine.lineage.json_text import MAX_DEPTH, read_json, scan_json
from policy_engine.lineage.located import Located, Place, after_first_step
from policy_engine.model.problems import Problem


@dataclass(frozen=True, slots=True)
class JsonLines:
    """The values of the lines, and what finds places in them: each line is scanned when somebody asks."""

    content: list[object]
    _file: str
    _texts: list[tuple[int, str]] = field(repr=False)
    _max_depth: int
    _scanned: dict[int, Located] = field(default_factory=dict, repr=False)

    def line(self, container: object, key: str | int) -> int | None:
        """Return the line of an entry of the list of values; of what is inside a line, nothing is known."""
        if container is self.content and isinstance(key, int) and key < len(self._texts):
            return self._texts[key][0]
        return None

    def place(self, pointer: str) -> Place | None:
        """Return the line and column of what a JSON pointer names."""
        index, rest = after_first_step(pointer)
        if not index.isdecimal() or int(index) >= len(self._texts):
            return None
        line, text = self._texts[int(index)]
        if not rest:
            return (line, len(text) - len(text.lstrip()) + 1)
        if int(index) not in self._scanned:
            self._scanned[int(index)] = scan_json(text, self._file, max_depth=self._max_depth, repeated=[])
        found = self._scanned[int(index)].place(rest)
        return (line, found[1]) if found else None


def read_json_lines(
    text: str, file: str, *, max_depth: int = MAX_DEPTH, repeated: list[Problem] | None = None
) -> JsonLines:
    """Return the values of the lines of a text.

    Raises:
        LineageError: a line is not JSON as ``read_json`` reads it; the problem names line and column.
    """
    content: list[object] = []
    texts: list[tuple[int, str]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line or line.isspace():
            continue
        at = f"/{len(content)}"
        twice: list[Problem] | None = None if repeated is None else []
        try:
            content.append(read_json(line, file, max_depth=max_depth - 1, repeated=twice))
        except LineageError as error:
            raise LineageError(_in_file(error.problem, at, number)) from None
        if repeated is not None and twice:
            repeated += [_in_file(problem, at, number) for problem in twice]
        texts.append((number, line))
    return JsonLines(content, file, texts, max_depth)


def _in_file(problem: Problem, at: str, line: int) -> Problem:
    return replace(problem, pointer=at + problem.pointer, line=line)


def looks_like_lines(text: str) -> bool:
    """Tell whether the first line is a JSON mapping by itself and something follows it."""
    first, _, rest = text.lstrip().partition("\n")
    if not first.startswith("{") or not first.rstrip().endswith("}") or not rest or rest.isspace():
        return False
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return False
    return True
