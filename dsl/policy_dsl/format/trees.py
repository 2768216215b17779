"""Text → concrete syntax trees, which keep every bracket that the author wrote."""

from policy_dsl.diagnostics import Diagnostics
from policy_dsl.source import SourceFile
from policy_dsl.syntax.lark_parser import Cst
from policy_dsl.syntax.parser import _chunks, _feed, _Word, _words

Word = _Word


def words_of(source: SourceFile, diagnostics: Diagnostics) -> list[Word]:
    """Return the tokens of a text; what is no token is reported."""
    return _words(source, diagnostics)


def trees_of(source: SourceFile, words: list[Word]) -> list[Cst] | None:
    """Return the tree of each declaration, or nothing when one cannot be parsed."""
    trees: list[Cst] = []
    for chunk in _chunks(words):
        tree = _feed(chunk, source)
        if not isinstance(tree, Cst):
            return None
        trees.append(tree)
    return trees
