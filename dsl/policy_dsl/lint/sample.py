"""Small syntax trees for the examples in docstrings."""

from policy_dsl.diagnostics import Diagnostics
from policy_dsl.source import SourceFile
from policy_dsl.syntax import ast
from policy_dsl.syntax.parser import parse


def condition(text: str) -> ast.Expression:
    """Parse a condition.

    Raises:
        ValueError: the text is no condition.
    """
    (declaration,) = parse(SourceFile("sample", f"define d() as {text}"), Diagnostics()).declarations
    if not isinstance(declaration, ast.Define):
        raise ValueError(text)
    return declaration.body
