"""Source text and places in it.

A span is a half-open range of character offsets in one file; lines and columns are worked out only
when somebody looks.

>>> file = SourceFile("a.policy", "use std.ai\\nrule x")
>>> file.position(11)
Position(line=2, column=1)
"""

from bisect import bisect_right
from dataclasses import dataclass, field


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
        starts = [0]
        starts.extend(i + 1 for i, character in enumerate(self.text) if character == "\n")
        object.__setattr__(self, "_line_starts", tuple(starts))

    def position(self, offset: int) -> Position:
        """Return the line and column of a character offset."""
        line = bisect_right(self._line_starts, offset)
        return Position(line, offset - self._line_starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """Return the text of a line, counted from one, without its line end."""
        start = self._line_starts[number - 1]
        end = self._line_starts[number] - 1 if number < len(self._line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r")
