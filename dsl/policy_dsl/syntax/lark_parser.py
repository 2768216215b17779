"""The one place that talks to lark: typed access to its lexer, its LALR tables and its trees."""

import re
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any

from lark import Lark, Token, Tree, UnexpectedToken

__all__ = ["Cst", "Feed", "Token", "UnexpectedToken", "keywords", "tokens"]


class Cst(Tree[Any]):
    """A node of the concrete syntax tree: the rule that matched, and its parts."""

    data: str
    children: list[Any]


_STAND_INS = "\n".join(
    (
        # Text that no other terminal matches still becomes a token, so that lexing never stops.
        'UNCLOSED: /"(?:[^"\\\\\\n\\r]|\\\\.)*/',
        "STRAY.-10: /[^\\0]|\\0/",
    )
)


@cache
def _lark() -> Lark:
    grammar = resources.files("policy_dsl.syntax").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(
        f"{grammar}\n{_STAND_INS}\n_stand_ins: UNCLOSED | STRAY\n",
        parser="lalr",
        lexer="basic",
        start=["declaration", "_stand_ins"],
        maybe_placeholders=True,
        propagate_positions=True,
        tree_class=Cst,
    )


@cache
def keywords() -> dict[str, str]:
    """Return the keyword of each keyword terminal, such as ``FOR`` → ``for``."""
    words = {t.name: t.pattern.value for t in _lark().terminals if t.pattern.type == "str"}
    return {name: word for name, word in words.items() if word.isalpha()}


def tokens(text: str) -> Iterator[Token]:
    """Split a text into tokens; what is no token comes as ``STRAY`` or ``UNCLOSED``."""
    pattern, words = _scanner()
    line, line_start = 1, 0
    for match in pattern.finditer(text):
        kind, value, start = str(match.lastgroup), match.group(), match.start()
        if kind == "WS":
            breaks = value.count("\n")
            if breaks:
                line += breaks
                line_start = start + value.rindex("\n") + 1
        elif kind != "COMMENT":
            kind = words.get(value, kind) if kind == "NAME" else kind
            yield Token(kind, value, start, line, start - line_start + 1, end_pos=match.end())


@cache
def _scanner() -> tuple[re.Pattern[str], dict[str, str]]:
    """Return the terminals of the grammar as one pattern, and the keyword terminal of each word.

    lark's own lexer gives the same tokens in three times the time; a test compares them.
    """
    terminals = sorted(
        (t for t in _lark().terminals if t.name not in keywords() and not t.pattern.value.startswith(_NOT_WRITTEN)),
        key=lambda t: (-t.priority, -t.pattern.max_width, -len(t.pattern.value), t.name),
    )
    pattern = re.compile("|".join(f"(?P<{t.name}>{t.pattern.to_regexp()})" for t in terminals))
    return pattern, {word: name for name, word in keywords().items()}


_NOT_WRITTEN = ("<currency", "<unit", "<end", "must not")
"""Terminals that no text holds: the parser makes them of other tokens."""


class Feed:
    """A parser of one declaration that takes its tokens one by one."""

    def __init__(self) -> None:
        self._parser = _lark().parse_interactive("", start="declaration")
        self._last = Token("$END", "", start_pos=0, line=1, column=1, end_line=1, end_column=1, end_pos=0)

    def wants(self, terminal: str) -> bool:
        """Tell whether the grammar may go on with this terminal."""
        state = self._parser.parser_state
        return terminal in state.parse_conf.parse_table.states[state.position]

    def expected(self) -> frozenset[str]:
        """Return the terminals that the grammar can really go on with."""
        return frozenset(self._parser.accepts())  # type: ignore[no-untyped-call]  # lark leaves it untyped

    def take(self, token: Token) -> None:
        """Feed one token.

        Raises:
            UnexpectedToken: the grammar does not go on with it.
        """
        self._parser.feed_token(token)
        self._last = token

    def end(self) -> Cst:
        """Close the declaration and return its tree.

        Raises:
            UnexpectedToken: the declaration is not complete.
        """
        tree: Cst = self._parser.feed_eof(self._last)  # type: ignore[no-untyped-call]  # lark leaves it untyped
        return tree
