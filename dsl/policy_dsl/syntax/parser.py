"""Text → declarations, reporting as many mistakes as possible in one run.

A file is split into declarations before it is parsed: a declaration begins with its keyword at the left
margin. Each is parsed alone. When a clause of it cannot be parsed, the mistake is reported, the clause is
left out and the rest is parsed again, so that one mistake hides neither the next declaration nor the next
clause. Keywords are soft: where the grammar expects a name, a keyword is a name.
"""

import re
from dataclasses import dataclass

from policy_dsl.diagnostics import Diagnostics, did_you_mean
from policy_dsl.source import SourceFile, Span
from policy_dsl.syntax import ast
from policy_dsl.syntax.cst_to_ast import declaration_from_tree
from policy_dsl.syntax.lark_parser import Cst, Feed, Token, UnexpectedToken, keywords, tokens
from policy_dsl.values import CURRENCIES, duration_of

MAX_DEPTH = 200
"""Nesting beyond this is refused: nobody can read it, and every later pass may then be recursive."""

MOST_WORDS_AGAIN = 500_000
"""A declaration whose mistakes would make the parser read more words again is given up after those reported."""

_DECLARATIONS = frozenset(
    {"POLICY", "USE", "PARAMETER", "DEFINE", "RULE", "TEST", "NODE", "EDGE", "ENUM", "ROLE", "EVIDENCE", "EXTEND"}
)
_CLAUSES = frozenset(
    {
        "TITLE",
        "VERSION",
        "SOURCE",
        "FRAMEWORK",
        "BASIS",
        "APPLIES",
        "CITES",
        "SEVERITY",
        "FOR",
        "MUST",
        "MUST_NOT",
        "MAY",
        "EXCEPT",
        "OTHERWISE",
        "REMEDY",
    }
    | {"AT", "GIVEN", "EXPECT", "CASES"}
)
# What begins a line of its own wherever lines count, in the facts and tables of a test.
_LINE_STARTS = frozenset(
    {"NAME", "STRING", "INTEGER", "DECIMAL", "PERCENT", "DATE", "INSTANT", "TRUE", "FALSE", "UNKNOWN", "MINUS"}
)
_READABLE = {
    "NAME": "a name",
    "STRING": "a text in quotes",
    "INTEGER": "a whole number",
    "DECIMAL": "a number",
    "PERCENT": "a percentage",
    "DATE": "a date such as 2027-12-02",
    "INSTANT": "an instant",
    "UNIT": "a unit such as days",
    "CURRENCY": "a currency such as EUR",
    "PLACEHOLDER": "a placeholder such as <name>",
    "COMPARISON": "a comparison",
    "$END": "the end of the declaration",
    "NL": "a new line",
    "MUST_NOT": "`must not`",
}
_PUNCTUATION = {
    "LPAR": "(",
    "RPAR": ")",
    "LBRACE": "{",
    "RBRACE": "}",
    "COLON": ":",
    "COMMA": ",",
    "DOT": ".",
    "EQUAL": "=",
    "PLUS": "+",
    "MINUS": "-",
}
# Marks of direction, blanks without width, and line ends that some tools show and others do not.
_INVISIBLE = re.compile("[\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff\u000b\u000c\u0085]|\r(?!\n)")


@dataclass(frozen=True, slots=True)
class _Word:
    """A token, whether it is the first on its line, and whether text before it was no token."""

    token: Token
    first: bool
    margin: bool
    after_stray: bool = False


def parse(source: SourceFile, diagnostics: Diagnostics) -> ast.PolicyFile:
    """Parse a policy file; mistakes go to ``diagnostics`` and their declarations are left out."""
    _warn_of_invisible(source, diagnostics)
    words = _words(source, diagnostics)
    declarations: list[ast.Declaration] = []
    broken: set[str] = set()
    for chunk in _chunks(words):
        declaration = _parse_declaration(chunk, source, diagnostics)
        if declaration is not None:
            declarations.append(declaration)
        elif len(chunk) > 1 and chunk[1].token.type not in {"STRING", "LPAR"}:
            broken.add(str(chunk[1].token))
    begins_as_header = bool(words) and words[0].token.type == "POLICY"
    return ast.PolicyFile(source.name, tuple(declarations), frozenset(broken), begins_as_header)


def expected_after(beginning: str) -> frozenset[str]:
    """Return the terminals that may follow the beginning of one declaration; none where its last clause is wrong."""
    words = _words(SourceFile("", beginning), Diagnostics())
    while True:
        feed = Feed()
        at = 0
        try:
            for at in range(len(words)):
                _take(words, at, feed)
        except UnexpectedToken:
            start, end = _clause_around(words, at)
            if end == len(words):
                return frozenset()
            del words[start:end]
        else:
            return feed.expected()


def decode(name: str, data: bytes, diagnostics: Diagnostics) -> SourceFile:
    """Turn a file's bytes into text; bytes that are not UTF-8 are reported and shown as U+FFFD."""
    try:
        return SourceFile(name, data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        text = data.decode("utf-8", errors="replace")
        at = len(data[: error.start].decode("utf-8", errors="replace"))
        diagnostics.error(
            "PE1009", f"byte {error.start} is not UTF-8 text", Span(name, at, at + 1), help="save the file as UTF-8"
        )
        return SourceFile(name, text)


def _warn_of_invisible(source: SourceFile, diagnostics: Diagnostics) -> None:
    for found in _INVISIBLE.finditer(source.text):
        diagnostics.warning(
            "PE1011",
            f"the invisible character U+{ord(found[0]):04X} can make the text look like another",
            Span(source.name, *found.span()),
        )


def _words(source: SourceFile, diagnostics: Diagnostics) -> list[_Word]:
    """Lex the text, report what is no token, and join ``must not`` to one word."""
    words: list[_Word] = []
    stray: Span | None = None
    line_of_last = 0
    for token in tokens(source.policy_text):
        span = Span(source.name, token.start_pos or 0, token.end_pos or 0)
        if token.type == "STRAY":
            if stray is None or stray.end != span.start:
                diagnostics.error("PE1001", f"`{_shown(str(token))}` does not belong in a policy", span)
            stray = span
            continue
        if token.type == "UNCLOSED":
            diagnostics.error("PE1002", "the text in quotes is not closed on its line", span, help='end it with `"`')
            token = token.update(type="STRING", value=f'{str(token).rstrip(chr(92))}"')
        line = token.line or 1
        first = line != line_of_last
        line_of_last = line
        before = words[-1] if words else None
        if token.type == "NOT" and before is not None and before.token.type == "MUST":
            joined = before.token.update(type="MUST_NOT", value="must not")
            joined.end_pos = token.end_pos
            words[-1] = _Word(joined, before.first, before.margin)
            continue
        words.append(_Word(token, first, first and token.column == 1, stray is not None))
        stray = None
    return words


def _chunks(words: list[_Word]) -> list[list[_Word]]:
    chunks: list[list[_Word]] = []
    for word in words:
        begins = word.margin and (word.token.type in _DECLARATIONS or word.token.type == "NAME")
        if begins or not chunks:
            chunks.append([])
        chunks[-1].append(word)
    return chunks


def _parse_declaration(chunk: list[_Word], source: SourceFile, diagnostics: Diagnostics) -> ast.Declaration | None:
    first = chunk[0].token
    if first.type not in _DECLARATIONS:
        known = [keywords()[d] for d in _DECLARATIONS]
        diagnostics.error(
            "PE1003",
            f"a declaration is expected, found `{_shown(str(first))}`",
            _span(source, first),
            help=did_you_mean(str(first), known) or f"a declaration begins with {_one_of(known)}",
        )
        return None
    words = list(chunk)
    if _brackets(words) > MAX_DEPTH:
        _too_deep(_span(source, first), diagnostics)
        return None
    cut_at: set[int] = set()
    taken = 0
    while True:
        outcome = _feed(words, source)
        if isinstance(outcome, Cst):
            if _depth(outcome) > MAX_DEPTH:
                _too_deep(_span(source, first), diagnostics)
                return None
            return declaration_from_tree(outcome, source, diagnostics, damaged=bool(cut_at))
        if outcome.at in cut_at:
            return None  # what the removed clause would have given is missing, and that was reported
        if not (outcome.at < len(words) and words[outcome.at].after_stray):
            # What stands behind stray characters is out of place because of them, and they were reported.
            diagnostics.error("PE1003", outcome.message, outcome.span, help=outcome.help)
        start, end = _clause_around(words, outcome.at, complete=outcome.complete)
        taken += len(words)
        if start == end or taken > MOST_WORDS_AGAIN:
            return None
        del words[start:end]
        cut_at = {c if c <= start else c - (end - start) for c in cut_at} | {start}


@dataclass(frozen=True, slots=True)
class _SyntaxError:
    at: int
    message: str
    span: Span
    help: str | None
    complete: bool
    """Whether the declaration could have ended before the word."""


def _brackets(words: list[_Word]) -> int:
    """Return how deep brackets are nested."""
    depth = deepest = 0
    for word in words:
        depth += (word.token.type in {"LPAR", "LBRACE"}) - (word.token.type in {"RPAR", "RBRACE"})
        deepest = max(deepest, depth)
    return deepest


def _too_deep(span: Span, diagnostics: Diagnostics) -> None:
    diagnostics.error("PE1010", f"conditions are nested more than {MAX_DEPTH // 4} deep", span)


def _feed(words: list[_Word], source: SourceFile) -> Cst | _SyntaxError:
    feed = Feed()
    for i, word in enumerate(words):
        try:
            _take(words, i, feed)
        except UnexpectedToken:
            return _unexpected(i, word.token, feed, source)
    try:
        return feed.end()
    except UnexpectedToken:
        last = words[-1].token
        end = last.end_pos or 0
        here = Span(source.name, max(0, end - 1), end)
        message = f"{_wanted(feed.expected())} expected after `{_shown(str(last))}`"
        return _SyntaxError(len(words), message, here, None, complete=False)


def _take(words: list[_Word], at: int, feed: Feed) -> None:
    token = words[at].token
    if _begins_line(words, at, feed):
        feed.take(Token("NL", "", start_pos=token.start_pos, end_pos=token.start_pos))
    feed.take(token if _opens_clause(words, at) else _soft(words[at], feed))


def _begins_line(words: list[_Word], at: int, feed: Feed) -> bool:
    """Tell whether a line break before a word counts: in a test, before what is not a continued line's keyword."""
    word = words[at]
    if not word.first or words[0].token.type != "TEST" or not feed.wants("NL"):
        return False
    return word.token.type in _LINE_STARTS or not feed.wants(word.token.type)


def _opens_clause(words: list[_Word], at: int) -> bool:
    """Tell whether a word can only open a clause: first on its line in a rule or header, and no path's start."""
    word = words[at]
    follows = words[at + 1].token.type if at + 1 < len(words) else "$END"
    in_clauses = words[0].token.type in {"RULE", "POLICY"}
    return in_clauses and word.first and word.token.type in _CLAUSES and follows != "DOT"


def _soft(word: _Word, feed: Feed) -> Token:
    """Return a keyword as a name where the grammar does not ask for the keyword."""
    token = word.token
    # `cases` opens a table only at the start of a line; elsewhere in a test it may be the name of a thing.
    asked = feed.wants(token.type) and (word.first or token.type != "CASES")
    if token.type in keywords() and not asked and feed.wants("NAME"):
        return token.update(type="NAME")
    if token.type == "NAME" and feed.wants("UNIT") and duration_of(1, str(token)) is not None:
        return token.update(type="UNIT")
    if token.type == "NAME" and feed.wants("CURRENCY") and str(token) in CURRENCIES:
        return token.update(type="CURRENCY")
    return token


def _unexpected(at: int, token: Token, feed: Feed, source: SourceFile) -> _SyntaxError:
    expected = feed.expected()
    words = [keywords()[t] for t in expected if t in keywords()]
    near = did_you_mean(str(token), words) if token.type == "NAME" else None
    message = f"{_wanted(expected)} expected, found `{_shown(str(token))}`"
    return _SyntaxError(at, message, _span(source, token), near, "$END" in expected)


def _wanted(expected: frozenset[str]) -> str:
    clauses = expected & _CLAUSES
    operators = {"AND", "OR", "IS", "COMPARISON"} & expected
    if "STRING" in expected and "LPAR" in expected and "NAME" in expected:
        return "a condition or value is"
    if len(clauses) > 2 and len(expected) > 8:
        return "the next clause is" if not operators else "an operator or the next clause is"
    names = [_readable(t) for t in sorted(expected) if t != "NL"]
    return f"{_one_of(names, quote=False)} is" if len(names) < 7 else "something else is"


def _readable(terminal: str) -> str:
    if terminal in _READABLE:
        return _READABLE[terminal]
    if terminal in _PUNCTUATION:
        return f"`{_PUNCTUATION[terminal]}`"
    return f"`{keywords().get(terminal, terminal.lower())}`"


def _one_of(words: list[str], *, quote: bool = True) -> str:
    shown = [f"`{w}`" for w in sorted(words)] if quote else words
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}" if shown else "nothing more"


def _clause_around(words: list[_Word], at: int, *, complete: bool = True) -> tuple[int, int]:
    """Return the range of words of the clause that holds word ``at``, without the declaration's first line.

    Where a clause begins before the one above it is ``complete``, the one above is at fault.
    """
    starts = [i for i, w in enumerate(words) if i > 0 and w.first and w.token.type in _CLAUSES]
    above = [s for s in starts if s < at]
    if at in starts and above and not complete:
        return above[-1], at
    start = max((s for s in starts if s <= at), default=at)
    end = min((s for s in starts if s > at), default=len(words))
    return max(1, start), end


def _depth(tree: Cst) -> int:
    """Return the height of a tree without recursion."""
    deepest = 0
    stack: list[tuple[Cst, int]] = [(tree, 1)]
    while stack:
        node, depth = stack.pop()
        deepest = max(deepest, depth)
        if depth > MAX_DEPTH:
            break
        stack.extend((child, depth + 1) for child in node.children if isinstance(child, Cst))
    return deepest


def _span(source: SourceFile, token: Token) -> Span:
    return Span(source.name, token.start_pos or 0, token.end_pos or 0)


def _shown(text: str) -> str:
    clean = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
    return clean if len(clean) <= 40 else f"{clean[:37]}…"
