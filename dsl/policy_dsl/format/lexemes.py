"""Text → lexemes: the tokens of a file with the comments and blank lines that belong to them.

A comment on a line of its own belongs to the token after it, a comment behind a token to that token. What
stands after the last token belongs to an end mark with no text.

>>> from policy_dsl.diagnostics import Diagnostics
>>> from policy_dsl.format.trees import words_of
>>> from policy_dsl.source import SourceFile
>>> text = "use # the vocabulary\\n# of all\\nstd"
>>> first, second, end = attach_comments(text, words_of(SourceFile("a", text), Diagnostics()))
>>> first.trailing, second.leading[0].text, end.text
('# the vocabulary', '# of all', '')
"""

from dataclasses import dataclass

from policy_dsl.format.trees import Word

_SPACE = " \t\f\r\ufeff"


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment on a line of its own; ``margin`` tells that it begins at the left margin."""

    text: str
    blank_before: bool
    margin: bool


@dataclass(slots=True)
class Lexeme:
    """A token, where it stood, and what belongs to it."""

    kind: str
    text: str
    start: int
    end: int
    first: bool
    leading: tuple[Comment, ...] = ()
    blank_before: bool = False
    trailing: str = ""


def attach_comments(text: str, words: list[Word]) -> list[Lexeme]:
    """Return the lexemes of tokens and of the text between them."""
    found: list[Lexeme] = []
    for word in words:
        token = word.token
        start, end = token.start_pos or 0, token.end_pos or 0
        if token.type == "MUST_NOT":
            # The parser joins the two words; a comment may stand between them.
            found.append(Lexeme("MUST", "must", start, start + 4, word.first))
            found.append(Lexeme("NOT", "not", end - 3, end, False))
        else:
            found.append(Lexeme(token.type, str(token), start, end, word.first))
    found.append(Lexeme("END", "", len(text), len(text), True))
    at = 0
    before: Lexeme | None = None
    for lexeme in found:
        gap = text[at : lexeme.start]
        if gap not in {" ", ""}:
            _attach(gap, before, lexeme)
        at, before = lexeme.end, lexeme
    return found


def _attach(gap: str, before: Lexeme | None, after: Lexeme) -> None:
    lines = gap.split("\n")
    if before is not None:
        before.trailing = lines.pop(0).strip(_SPACE)
    if after.kind != "END" and lines:
        lines.pop()  # the indentation of the token
    blank = False
    comments: list[Comment] = []
    for line in lines:
        text = line.strip(_SPACE)
        if text:
            comments.append(Comment(text, blank, line.startswith("#")))
        blank = not text
    after.leading, after.blank_before = tuple(comments), blank


def comments_of(text: str, words: list[Word]) -> list[str]:
    """Return the comments of a text in order; ``words`` are its tokens."""
    found: list[str] = []
    at = 0
    for word in words:
        start, end = word.token.start_pos or 0, word.token.end_pos or 0
        # A comment may stand inside `must not`.
        found += _comments_in(text[at:start]) + (_comments_in(text[start:end]) if word.token.type == "MUST_NOT" else [])
        at = end
    return found + _comments_in(text[at:])


def _comments_in(gap: str) -> list[str]:
    if "#" not in gap:
        return []
    return [line[line.index("#") :].strip(_SPACE) for line in gap.split("\n") if "#" in line]
