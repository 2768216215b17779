"""Source text → the same text in the one canonical layout.

The formatter moves only spaces, line ends and blank lines: words, texts, brackets and comments stay as they
are. It reads its own output again and compares the trees before it gives it out.

>>> print(format_source(SourceFile("a.policy", "policy a title 'x'".replace("'", '"'))), end="")
policy a
    title "x"
"""

from collections.abc import Sequence

from policy_dsl.diagnostics import Diagnostic, Diagnostics, Severity
from policy_dsl.format.columns import write_rows
from policy_dsl.format.declarations import DeclarationWriter
from policy_dsl.format.expressions import Places
from policy_dsl.format.lexemes import Comment, Lexeme, attach_comments
from policy_dsl.format.literate import blocks_of, is_literate, replaced
from policy_dsl.format.trees import trees_of, words_of
from policy_dsl.format.writer import INDENT, Writer
from policy_dsl.source import SourceFile, Span
from policy_dsl.syntax.lark_parser import Cst
from policy_dsl.syntax.parser import parse

_LISTED = frozenset({"node", "edge", "enum", "role", "evidence_type", "extend_node", "extend_enum"})
"""Declarations that may follow each other without a blank line."""

_ROWS = frozenset({"edge", "role"})


class FormatError(Exception):
    """Raised when a text is not laid out; ``diagnostics`` say why."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__("; ".join(d.message for d in diagnostics))
        self.diagnostics = tuple(diagnostics)


def format_source(source: SourceFile) -> str:
    """Return a policy file, or the policy blocks of a literate document, in the canonical layout.

    Raises:
        FormatError: the text does not parse (the parser's diagnostics), or an internal check failed (PE8001).
    """
    if not is_literate(source.name):
        return _format(source)
    texts = []
    for block in blocks_of(source.text):
        # Everything outside the block is blanked, so that places in messages are those of the document.
        alone = SourceFile(source.name, _blanked(source.text[: block.start]) + source.text[block.start : block.end])
        texts.append((block, _format(alone)))
    return replaced(source.text, texts)


def _format(source: SourceFile) -> str:
    diagnostics = Diagnostics()
    words = words_of(source, diagnostics)
    trees = trees_of(source, words)
    if trees is None or diagnostics.has_errors:
        raise FormatError(_errors_of(source))
    lexemes = attach_comments(source.text, words)
    text = _laid_out(lexemes, [t.children[0] for t in trees])
    again = SourceFile(source.name, text)
    found = Diagnostics()
    words_again = words_of(again, found)
    if trees_of(again, words_again) != trees or _comments(lexemes) != _comments(attach_comments(text, words_again)):
        span = Span(source.name, 0, min(1, len(source.text)))
        message = "the formatter's own check failed: the new layout would not mean the same, so nothing was changed"
        help_text = "report it with the file that causes it"
        raise FormatError([Diagnostic("PE8001", message, span, help=help_text)])
    return text


def _errors_of(source: SourceFile) -> list[Diagnostic]:
    diagnostics = Diagnostics()
    parse(source, diagnostics)
    return [d for d in diagnostics.sorted() if d.severity is Severity.ERROR]


def _comments(lexemes: Sequence[Lexeme]) -> list[str]:
    return [text for x in lexemes for text in (*(c.text for c in x.leading), x.trailing) if text]


def _laid_out(lexemes: list[Lexeme], trees: list[Cst]) -> str:
    places = Places.of(lexemes)
    writer = Writer(lexemes, frozenset(i for t in trees for i in places.tight(t)))
    declarations = DeclarationWriter(writer, places)
    firsts = [*(places.first(t) for t in trees), len(lexemes) - 1]
    at = 0
    while at < len(trees):
        run = _run(lexemes, trees, firsts, at)
        for number, index in enumerate(run):
            _between(writer, lexemes[firsts[index]], trees[index - 1] if index else None, trees[index])
            if trees[index].data in _ROWS:
                if number == 0:
                    rows = declarations.edges if trees[index].data == "edge" else declarations.roles
                    write_rows(writer, rows([trees[i] for i in run]), 0, begun=True)
            else:
                declarations.declaration(trees[index])
        at = run[-1] + 1
    _between(writer, lexemes[-1], trees[-1] if trees else None, None)
    return "\n".join(_stripped(writer.lines)) + "\n" if any(writer.lines) else ""


def _run(lexemes: list[Lexeme], trees: list[Cst], firsts: list[int], at: int) -> list[int]:
    """Return the declarations that are aligned with the one at ``at``: of its kind, with nothing between them."""
    run = [at]
    while trees[at].data in _ROWS and run[-1] + 1 < len(trees):
        following = run[-1] + 1
        lexeme = lexemes[firsts[following]]
        if trees[following].data != trees[at].data or lexeme.leading or lexeme.blank_before:
            break
        run.append(following)
    return run


def _between(writer: Writer, lexeme: Lexeme, before: Cst | None, after: Cst | None) -> None:
    """Write what stands between two declarations: comments of the one before, a blank line, comments of the next."""
    tail, own = _divided(lexeme.leading) if before is not None else ((), lexeme.leading)
    writer.comments(tail, INDENT)
    listed = after is not None and before is not None and _together(before, after)
    blank_before = own[0].blank_before if own else lexeme.blank_before and (before is None or before.data != "use")
    if before is not None and (not listed or blank_before) and (after is not None or own):
        writer.blank()
    writer.comments(own, 0)
    if own and lexeme.blank_before and after is not None:
        writer.blank()
    writer.newline(0)


def _together(before: Cst, after: Cst) -> bool:
    return (before.data in _LISTED and after.data in _LISTED) or before.data == after.data == "use"


def _divided(comments: tuple[Comment, ...]) -> tuple[tuple[Comment, ...], tuple[Comment, ...]]:
    """Return the comments that stand indented below a declaration, and those of the next from the margin on."""
    at = next((i for i, c in enumerate(comments) if c.margin), len(comments))
    return comments[:at], comments[at:]


def _stripped(lines: list[str]) -> list[str]:
    start = next((i for i, line in enumerate(lines) if line), 0)
    end = next((i for i in range(len(lines), 0, -1) if lines[i - 1]), 0)
    return lines[start:end]


def _blanked(text: str) -> str:
    return "".join(c if c == "\n" else " " for c in text)
