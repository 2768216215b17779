"""Places in a text as editors count them, and as the language tools count them.

An editor names a line and a number of code units on it, UTF-16 unless both sides agreed on another encoding; the
tools count characters from the start of the text. A place outside the text is moved to the nearest one inside, as
section 3.17 of the protocol asks for characters beyond the end of a line.

>>> lines = Lines("a😀b\\nc", "utf-16")
>>> lines.place(2), lines.offset(0, 3)
((0, 3), 2)
"""

import re
from bisect import bisect_right

_LINE_END = re.compile(r"\r\n|\n|\r")


class Lines:
    """The lines of one text. The protocol ends a line at ``\\n``, ``\\r\\n`` and a lone ``\\r``."""

    def __init__(self, text: str, encoding: str) -> None:
        self.text = text
        self.encoding = encoding
        self._ends = [m.span() for m in _LINE_END.finditer(text)]
        self._starts = [0, *(end for _, end in self._ends)]

    def place(self, offset: int) -> tuple[int, int]:
        """Return the line and the code units on it, both counted from zero, of a character offset."""
        within = max(0, min(offset, len(self.text)))
        line = bisect_right(self._starts, within) - 1
        return line, units(self.text[self._starts[line] : within], self.encoding)

    def offset(self, line: int, character: int) -> int:
        """Return the character offset of a line and code units on it."""
        if line < 0:
            return 0
        if line >= len(self._starts):
            return len(self.text)
        start = self._starts[line]
        end = self._ends[line][0] if line < len(self._ends) else len(self.text)
        content = self.text[start:end]
        if content.isascii() or self.encoding == "utf-32":
            return start + max(0, min(character, len(content)))
        counted = 0
        for i, letter in enumerate(content):
            counted += units(letter, self.encoding)
            if counted > character:
                return start + i
        return end


def units(text: str, encoding: str) -> int:
    """Return how many code units a text takes.

    >>> [units("é😀", e) for e in ("utf-8", "utf-16", "utf-32")]
    [6, 3, 2]
    """
    if encoding == "utf-32" or text.isascii():
        return len(text)
    if encoding == "utf-8":
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text) + sum(letter > "\uffff" for letter in text)


def whole_characters(text: str) -> str:
    """Join surrogate pairs, and replace halves of them, which JSON can carry and no text file can.

    >>> whole_characters("a\\ud83d\\ude00 \\ud83d") == "a😀 \\ufffd"
    True
    """
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
