"""Ways through a syntax tree that many rules need."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from policy_dsl.lint.interface import Subject
from policy_dsl.source import Span
from policy_dsl.syntax import ast
from policy_dsl.typed.quantifiers import variable_name

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_WORD = re.compile(r"[^\W\d]\w*")


@cache
def _parts(form: type[Any]) -> tuple[str, ...]:
    return tuple(f.name for f in fields(form) if f.name != "span")


def walk(node: Any) -> Iterator[Any]:
    """Yield a node of the tree and everything below it, in the order of the text."""
    if isinstance(node, tuple):
        for item in node:
            yield from walk(item)
    elif is_dataclass(node) and not isinstance(node, (type, Span)):
        yield node
        for name in _parts(type(node)):
            yield from walk(getattr(node, name))


def shape(node: Any) -> Any:
    """Return a node without its places, so that equal conditions at different places are equal."""
    if isinstance(node, tuple):
        return tuple(shape(item) for item in node)
    if is_dataclass(node) and not isinstance(node, type):
        return (type(node).__name__, *(shape(getattr(node, name)) for name in _parts(type(node))))
    return node


def words(node: Any) -> set[str]:
    """Return every name below a node, and the names in the placeholders of its texts."""
    found: set[str] = set()
    for part in walk(node):
        if isinstance(part, ast.Identifier):
            found.update(part.text.split("."))
            found.add(part.text)
        elif isinstance(part, ast.Template):
            found.update(w for hole in placeholders(part) for w in _WORD.findall(hole))
    return found


def placeholders(template: ast.Template) -> list[str]:
    """Return what stands in the placeholders of a text.

    >>> placeholders(ast.Template("Ask {system.owner}", Span("a", 0, 1)))
    ['system.owner']
    """
    return _PLACEHOLDER.findall(template.text)


def conditions(declaration: ast.Rule | ast.Define) -> Iterator[ast.Expression]:
    """Yield the conditions of a rule or definition, each whole."""
    if isinstance(declaration, ast.Define):
        yield declaration.body
        return
    if declaration.for_each.where is not None:
        yield declaration.for_each.where
    yield declaration.requirement
    for exception in declaration.exceptions:
        yield exception.condition


def binder_of(node: ast.ForEach | ast.Quantified | ast.Through | ast.Aggregate) -> str:
    """Return the variable that a form binds."""
    return node.binder.text if node.binder is not None else variable_name(node.kind.text)


BINDING = (ast.ForEach, ast.Quantified, ast.Through, ast.Aggregate)


def variables(declaration: ast.Rule | ast.Define) -> dict[str, str]:
    """Return the kind of every variable of a rule or definition."""
    found = {binder_of(n): n.kind.text for n in walk(declaration) if isinstance(n, BINDING)}
    if isinstance(declaration, ast.Define):
        found.update({f.name.text: f.type.name.text for f in declaration.formals})
    return found


def may_be_unknown(expression: Any, kinds: dict[str, str], subject: Subject) -> bool:
    """Tell whether an expression reads an attribute that has no default."""
    if not isinstance(expression, ast.Path) or len(expression.steps) != 1:
        return False
    kind = subject.program.schema.kinds.get(kinds.get(expression.root.text, ""))
    attribute = kind.attributes.get(expression.steps[0].text) if kind else None
    return attribute is not None and attribute.default is None


def in_brackets(subject: Subject, span: Span) -> bool:
    """Tell whether what stands at a place has brackets of its own."""
    text = subject.source.text
    return text[: span.start].rstrip().endswith("(") and text[span.end :].lstrip().startswith(")")


def line_of(subject: Subject, span: Span) -> tuple[int, int]:
    """Return the characters of the whole line on which a span begins, with its line end."""
    text = subject.source.text
    start = text.rfind("\n", 0, span.start) + 1
    end = text.find("\n", span.start)
    return start, len(text) if end < 0 else end + 1
