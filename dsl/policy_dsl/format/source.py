"""Source text → the same text in the one canonical layout.

The formatter moves only spaces, line ends and blank lines: words, texts, brackets and comments stay as they
are. It reads its own output again and compares the trees before it gives it out.

>>> print(format_source(SourceFile("a.policy", "policy a title 'x'".replace("'", '"'))), end="")
policy a
    title "x"
"""

from collections.abc import Sequence

from policy_dsl.collector import without_search_for_cycles
from policy_dsl.diagnostics import Diagnostic, Diagnostics, Severity
from policy_dsl.format.columns import write_rows
from policy_dsl.format.declarations import DeclarationWriter
from policy_dsl.format.expressions import Places
from policy_dsl.format.lexemes import Comment, Lexeme, attach_comments, comments_of
from policy_dsl.format.literate import blocks_of
from policy_dsl.format.trees import Word, chunks_of, same_words, tree_of, words_of
from policy_dsl.format.writer import INDENT, Writer
from policy_dsl.source import LITERATE_SUFFIX, SourceFile, Span
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


@without_search_for_cycles()
def format_source(source: SourceFile) -> str:
    """Return a policy file, or the policy blocks of a literate document, in the canonical layout.

    Raises:
        FormatError: the text does not parse (the parser's diagnostics), an internal check failed (PE8001), or a
            block of a document is not complete (PE8002).
    """
    if not source.name.endswith(LITERATE_SUFFIX):
        return _format(source, source)
    parts: list[str] = []
    at = 0
    for block in blocks_of(source.text):
        inside = SourceFile("block", source.text[block.start : block.end])
        parts += [source.text[at : block.start], _format(inside, source, Span(source.name, block.start, block.end))]
        at = block.end
    return "".join([*parts, source.text[at:]])


def _format(source: SourceFile, whole: SourceFile, place: Span | None = None) -> str:
    """Return a text in the canonical layout; ``whole`` is the file that holds it, at ``place``."""
    diagnostics = Diagnostics()
    words = words_of(source, diagnostics)
    chunks = chunks_of(words)
    trees = [t for c in chunks if (t := tree_of(c, source)) is not None]
    if len(trees) < len(chunks) or diagnostics.has_errors:
        raise FormatError(_errors_of(whole) or [_incomplete(place or Span(whole.name, 0, 0))])
    lexemes = attach_comments(source.text, words)
    text = _laid_out(lexemes, [t.children[0] for t in trees])
    if text == source.text:
        return text  # what is laid out already means what it meant
    if not _means_the_same(SourceFile(source.name, text), chunks, trees, comments_of(source.policy_text, words)):
        span = place or Span(whole.name, 0, min(1, len(whole.text)))
        message = "the formatter's own check failed: the new layout would not mean the same, so nothing was changed"
        raise FormatError([Diagnostic("PE8001", message, span, help="report it with the file that causes it")])
    return text


def _incomplete(place: Span) -> Diagnostic:
    message = "this block cannot be laid out alone: a declaration of it begins or ends in another block"
    return Diagnostic("PE8002", message, place, help="put each declaration into one block")


def _means_the_same(again: SourceFile, chunks: list[list[Word]], trees: list[Cst], comments: list[str]) -> bool:
    """Read the new text and tell whether it has the same trees and comments."""
    found = Diagnostics()
    words = words_of(again, found)
    chunks_again = chunks_of(words)
    return (
        len(chunks_again) == len(chunks)
        and all(
            same_words(a, b) or tree_of(b, again) == tree
            for a, b, tree in zip(chunks, chunks_again, trees, strict=True)
        )
        and comments_of(again.text, words) == comments
    )


def _errors_of(source: SourceFile) -> list[Diagnostic]:
    diagnostics = Diagnostics()
    parse(source, diagnostics)
    return [d for d in diagnostics.sorted() if d.severity is Severity.ERROR]


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
