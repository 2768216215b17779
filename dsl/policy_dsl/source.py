"""Source text and places in it.

A span is a half-open range of character offsets in one file; lines and columns are worked out only
when somebody looks.

>>> file = SourceFile("a.policy", "use std.ai\\nrule x")
>>> file.position(11)
Position(line=2, column=1)
"""

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import accumulate

LITERATE_SUFFIX = ".policy.md"
"""A Markdown file of this name is a pack: its fenced ``policy`` blocks, read one after the other."""

_FENCE = re.compile(r"(`{3,}|~{3,})[ \t]*([^\s`]*)")
_NOT_A_LINE_END = re.compile(r"[^\r\n]")


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A line and a column, both counted from one; a column counts characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The characters from ``start`` up to but not including ``end`` of the file named ``file``."""

    file: str
    start: int
    end: int

    def to(self, other: "Span") -> "Span":
        """Return the span from the start of this one to the end of ``other``."""
        return Span(self.file, self.start, max(self.end, other.end))


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A named text; ``name`` is what diagnostics show, usually a path."""

    name: str
    text: str
    _line_starts: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ends = accumulate(len(line) + 1 for line in self.text.split("\n")[:-1])
        object.__setattr__(self, "_line_starts", (0, *ends))

    @property
    def policy_text(self) -> str:
        """The text to parse: all of it, or the ``policy`` blocks of a Markdown file with blanks for everything else.

        Offsets, lines and columns are those of the whole text.
        """
        return policy_blocks(self.text) if self.name.endswith(LITERATE_SUFFIX) else self.text

    def position(self, offset: int) -> Position:
        """Return the line and column of a character offset."""
        line = bisect_right(self._line_starts, offset)
        return Position(line, offset - self._line_starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """Return the text of a line, counted from one, without its line end."""
        start = self._line_starts[number - 1]
        end = self._line_starts[number] - 1 if number < len(self._line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r")


def policy_blocks(markdown: str) -> str:
    """Return a Markdown text with everything but its ``policy`` blocks blanked out.

    A block is fenced at the left margin (CommonMark section 4.5); one that is never closed ends with the text.

    >>> policy_blocks("# Law\\n```policy\\nuse a\\n```\\nend").split()
    ['use', 'a']
    """
    kept: list[str] = []
    fence = ""
    inside = False
    for line in markdown.splitlines(keepends=True):
        found = _FENCE.match(line)
        closes = found is not None and fence and line.startswith(fence) and not found[2] and found[1][0] == fence[0]
        if closes or (found is not None and not fence):
            inside = not closes and found is not None and found[2] == "policy"
            fence = "" if closes or found is None else found[1]
            kept.append(_NOT_A_LINE_END.sub(" ", line))
        else:
            kept.append(line if inside else _NOT_A_LINE_END.sub(" ", line))
    return "".join(kept)
