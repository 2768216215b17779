"""Lexemes → lines: spacing between words, line breaks where a line would be too long, comments in their places.

A group is a run of lexemes with places where it may be broken. A group that fits on its line is written on
it. One that does not is broken: at all its places, or, when it is a filling group, only where the line is
full. Groups hold smaller groups; the outer ones break first. A comment breaks every group around it.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from policy_dsl.format.lexemes import Comment, Lexeme

WIDTH = 120
INDENT = 4

_NO_SPACE_BEFORE = frozenset({"COMMA", "RPAR", "DOT", "COLON", "SLASH", "STAR", "END"})
_NO_SPACE_AFTER = frozenset({"LPAR", "DOT", "SLASH"})


@dataclass(frozen=True, slots=True)
class Group:
    """Lexemes ``first`` to ``last`` and those that may begin a line, with their distance from ``anchor``.

    Without an anchor they are counted from the indentation of the line on which the group begins.
    """

    first: int
    last: int
    breaks: dict[int, int]
    anchor: int | None = None
    children: tuple["Group", ...] = ()
    fill: bool = False
    always: bool = False
    """Whether the group is broken even if it would fit."""


@dataclass(slots=True)
class Writer:
    """Writes the lexemes of one file, in order."""

    lexemes: Sequence[Lexeme]
    tight: frozenset[int]
    """Lexemes that follow the one before them without a space, beyond those that always do."""

    lines: list[str] = field(default_factory=list)
    _parts: list[str] = field(default_factory=list)
    _column: int = 0
    _indent: int = 0
    _hang: int = INDENT
    _base: int = 0
    _padding: int = 0
    _after_comment: bool = False
    _columns: dict[int, int] = field(default_factory=dict)
    _offsets: list[int] = field(default_factory=list)
    _breakers: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        gaps = (self._gap(i) + len(x.text) for i, x in enumerate(self.lexemes))
        self._offsets = list(accumulate(gaps))
        # Lexeme i is a breaker when a comment stands between lexemes i - 1 and i.
        self._breakers = [
            i for i, x in enumerate(self.lexemes) if x.leading or (i > 0 and self.lexemes[i - 1].trailing)
        ]

    def width(self, first: int, last: int) -> int:
        """Return the width of lexemes on one line."""
        return self._offsets[last] - self._offsets[first] + len(self.lexemes[first].text)

    def has_comment(self, first: int, last: int) -> bool:
        """Tell whether a comment stands between two of these lexemes."""
        at = bisect_right(self._breakers, first)
        return at < len(self._breakers) and self._breakers[at] <= last

    @property
    def column(self) -> int:
        """The column after what the line holds."""
        return self._column

    # --- lines ---------------------------------------------------------------------------------------

    def start_line(self, i: int, indent: int, *, blanks: bool = True, comments_at: int | None = None) -> None:
        """Begin a line with lexeme ``i``: its comments first, and a blank line where the author left some."""
        lexeme = self.lexemes[i]
        self.comments(lexeme.leading, indent if comments_at is None else comments_at, blanks=blanks)
        if blanks and lexeme.blank_before:
            self.blank()
        self.newline(indent)
        self._hang = indent + INDENT

    def comments(self, comments: Iterable[Comment], indent: int, *, blanks: bool = True) -> None:
        """Write comments on lines of their own."""
        for comment in comments:
            if blanks and comment.blank_before:
                self.blank()
            self.newline(indent)
            self._parts.append(comment.text)

    def blank(self) -> None:
        """Leave a blank line, but no two of them and none at the start of the text."""
        self.newline(0)
        if self.lines and self.lines[-1]:
            self.lines.append("")

    def newline(self, indent: int) -> None:
        """End the line, if there is anything on it, and begin another."""
        if self._parts:
            self.lines.append((" " * self._indent + "".join(self._parts)).rstrip())
            self._parts = []
        self._indent = self._column = self._base = indent
        self._after_comment = False

    # --- lexemes -------------------------------------------------------------------------------------

    def put(self, i: int) -> None:
        """Write one lexeme with the comment behind it."""
        lexeme = self.lexemes[i]
        if self._after_comment or (lexeme.leading and self._parts):
            self.newline(self._hang)
            if lexeme.leading:
                self.comments(lexeme.leading, self._hang, blanks=False)
                self.newline(self._hang)
        if self._parts:
            gap = max(self._gap(i), self._padding - self._column)
            self._parts.append(" " * gap)
            self._column += gap
        self._padding = 0
        self._columns[i] = self._column
        self._parts.append(lexeme.text)
        self._column += len(lexeme.text)
        if lexeme.trailing:
            self._parts.append(f"  {lexeme.trailing}")
            self._after_comment = True

    def pad(self, column: int) -> None:
        """Fill the line with spaces so that the next lexeme stands at a column, or after its usual gap."""
        self._padding = column

    def count_from_here(self) -> None:
        """Let groups on this line that have no anchor count from the next lexeme instead of the indentation."""
        self._base = self._column + 1

    def put_all(self, first: int, last: int) -> None:
        """Write lexemes without breaking their line."""
        for i in range(first, last + 1):
            self.put(i)

    def write(self, first: int, last: int, groups: Sequence[Group] = (), tail: int | None = None) -> None:
        """Write lexemes, breaking groups that do not fit with what follows them up to ``tail``."""
        tail = last if tail is None else tail
        i = first
        for group in groups:
            self.put_all(i, group.first - 1)
            self._group(group, tail)
            i = group.last + 1
        self.put_all(i, last)

    def _group(self, group: Group, tail: int) -> None:
        end = max(group.last, tail)
        start = max(self._padding, self._column + (self._gap(group.first) if self._parts else 0))
        whole = not group.always and not self.has_comment(group.first, group.last)
        if whole and start + self.width(group.first, end) <= WIDTH:
            self.put_all(group.first, group.last)
            return
        base = self._base if group.anchor is None else None
        hang = self._hang
        cuts = sorted(group.breaks)
        pieces = [group.first, *(c for c in cuts if c > group.first), group.last + 1]
        for at, (piece, following) in enumerate(pairwise(pieces)):
            is_last = at == len(pieces) - 2
            piece_tail = tail if is_last else following - 1
            if piece in group.breaks and piece != group.first and not self._stays(group, piece, piece_tail):
                self._break_before(piece, self._from(group, base) + group.breaks[piece])
            inner = [c for c in group.children if piece <= c.first < following]
            self.write(piece, following - 1, inner, piece_tail)
            self._hang = self._from(group, base) + INDENT
        self._hang = hang

    def _from(self, group: Group, base: int | None) -> int:
        """Return the column from which a broken group counts."""
        return base if base is not None else self._columns[group.first if group.anchor is None else group.anchor]

    def _stays(self, group: Group, piece: int, piece_tail: int) -> bool:
        """Tell whether a piece of a filling group goes on the current line."""
        if not group.fill or self._after_comment or self.lexemes[piece].leading:
            return False
        has_comment = self.has_comment(piece, piece_tail)
        return not has_comment and self._column + self._gap(piece) + self.width(piece, piece_tail) <= WIDTH

    def _break_before(self, i: int, indent: int) -> None:
        leading = self.lexemes[i].leading
        self.comments(leading, indent, blanks=False)
        self.newline(indent)

    def _gap(self, i: int) -> int:
        if i == 0:
            return 0
        here, before = self.lexemes[i].kind, self.lexemes[i - 1].kind
        return 0 if here in _NO_SPACE_BEFORE or before in _NO_SPACE_AFTER or i in self.tight else 1
