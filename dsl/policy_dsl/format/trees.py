"""Text → concrete syntax trees, which keep every bracket that the author wrote."""

from policy_dsl.diagnostics import Diagnostics
from policy_dsl.source import SourceFile
from policy_dsl.syntax.lark_parser import Cst
from policy_dsl.syntax.parser import MAX_DEPTH, _brackets, _chunks, _depth, _feed, _Word, _words

Word = _Word


def words_of(source: SourceFile, diagnostics: Diagnostics) -> list[Word]:
    """Return the tokens of a text; what is no token is reported."""
    return _words(source, diagnostics)


def chunks_of(words: list[Word]) -> list[list[Word]]:
    """Return the tokens of each declaration."""
    return _chunks(words)


def tree_of(chunk: list[Word], source: SourceFile) -> Cst | None:
    """Return the tree of a declaration, or nothing when it cannot be parsed or is nested too deeply."""
    tree = _feed(chunk, source) if _brackets(chunk) <= MAX_DEPTH else None
    return tree if isinstance(tree, Cst) and _depth(tree) <= MAX_DEPTH else None


def same_words(one: list[Word], other: list[Word]) -> bool:
    """Tell whether two declarations are the same tokens with the same line starts, so that their trees are equal."""
    return len(one) == len(other) and all(
        a.first == b.first and a.token.type == b.token.type and str(a.token) == str(b.token)
        for a, b in zip(one, other, strict=True)
    )
