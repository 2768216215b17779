"""The words of a declaration and the edits that take some out or put others in.

>>> words = Words(SourceFile("a", "for each System where (a or b)"), Span("a", 0, 30))
>>> apply_edits("a or b", (Edit(2, 4, "and"),))
'a and b'
>>> words.before(words.opener(23).start).end
15
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from policy_dsl.source import SourceFile, Span
from policy_dsl.syntax.lark_parser import tokens


@dataclass(frozen=True, slots=True)
class Word:
    """A token: its text and where it stands in its file."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """A range of a file's characters and what stands there instead."""

    start: int
    end: int
    text: str


def apply_edits(text: str, edits: Iterable[Edit], origin: int = 0) -> str:
    """Return a text with edits made; ``origin`` is the offset at which the text begins in its file."""
    for edit in sorted(edits, reverse=True):
        text = text[: edit.start - origin] + edit.text + text[edit.end - origin :]
    return text


class Words:
    """The words of one declaration, found by the offsets that the syntax tree gives."""

    def __init__(self, source: SourceFile, span: Span) -> None:
        self.source = source.text
        found = tokens(source.text[span.start : span.end])
        self.words = [Word(str(t), span.start + (t.start_pos or 0), span.start + (t.end_pos or 0)) for t in found]
        self._starts = [w.start for w in self.words]

    def slice(self, span: Span) -> str:
        """Return the text of a span."""
        return self.source[span.start : span.end]

    def at(self, offset: int) -> Word:
        """Return the first word that starts at an offset or after it."""
        return self.words[bisect_left(self._starts, offset)]

    def before(self, offset: int) -> Word:
        """Return the last word that ends at an offset or before it."""
        return self.words[bisect_left(self._starts, offset) - 1]

    def between(self, start: int, end: int) -> Iterator[Word]:
        """Yield the words from one offset to another."""
        yield from self.words[bisect_left(self._starts, start) : bisect_left(self._starts, end)]

    def opener(self, offset: int) -> Word:
        """Return the word before an expression, past the parentheses that open before it."""
        word = self.before(offset)
        while word.text == "(":
            word = self.before(word.start)
        return word

    def outer(self, span: Span) -> Span:
        """Return the place of an expression with the parentheses around it."""
        start, end = span.start, span.end
        while True:
            first = bisect_left(self._starts, start)
            after = bisect_right(self._starts, end - 1)
            if first == 0 or after >= len(self.words):
                return Span(span.file, start, end)
            opening, closing = self.words[first - 1], self.words[after]
            if opening.text != "(" or closing.text != ")":
                return Span(span.file, start, end)
            start, end = opening.start, closing.end

    def cut(self, start: int, end: int) -> Edit:
        """Return the edit that takes out a range with the space before it."""
        return Edit(self.before(start).end, end, "")
