"""The declarations of a file as a tree, for an editor's outline."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from policy_dsl.source import Span
from policy_dsl.syntax import ast


class Look(StrEnum):
    """What an entry is drawn as."""

    PACK = "package"
    RULE = "event"
    DEFINITION = "function"
    PARAMETER = "constant"
    KIND = "class"
    ATTRIBUTE = "property"
    EDGE = "interface"
    EVIDENCE = "struct"
    ENUM = "enum"
    MEMBER = "enum member"
    ROLE = "key"
    TEST = "method"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the outline: a name, a remark beside it, its place and the whole declaration's."""

    look: Look
    name: str
    remark: str
    whole: Span
    place: Span
    inside: tuple["Entry", ...] = ()


def outline(file: ast.PolicyFile) -> tuple[Entry, ...]:
    """Return the entries of a file in its order."""
    return tuple(entry for declaration in file.declarations for entry in _entries(declaration))


def _entries(declaration: ast.Declaration) -> Iterator[Entry]:
    whole = declaration.span
    match declaration:
        case ast.Header(name=name, title=title):
            yield Entry(Look.PACK, name.text, _text(title), whole, name.span)
        case ast.Rule(name=name, title=title):
            yield Entry(Look.RULE, name.text, _text(title), whole, name.span)
        case ast.Define(name=name, description=description):
            yield Entry(Look.DEFINITION, name.text, _text(description), whole, name.span)
        case ast.Parameter(name=name, description=description):
            yield Entry(Look.PARAMETER, name.text, _text(description), whole, name.span)
        case ast.NodeDeclaration(name=name, description=description, attributes=attributes):
            yield Entry(Look.KIND, name.text, _text(description), whole, name.span, _attributes(attributes))
        case ast.ExtendNode(name=name, attributes=attributes):
            yield Entry(Look.KIND, name.text, "extended", whole, name.span, _attributes(attributes))
        case ast.EdgeDeclaration(name=name, description=description):
            yield Entry(Look.EDGE, name.text, _text(description), whole, name.span)
        case ast.EvidenceDeclaration(name=name, description=description, fields=fields):
            yield Entry(Look.EVIDENCE, name.text, _text(description), whole, name.span, _attributes(fields))
        case ast.EnumDeclaration(name=name, description=description, members=members):
            yield Entry(Look.ENUM, name.text, _text(description), whole, name.span, _members(members))
        case ast.ExtendEnum(name=name, members=members):
            yield Entry(Look.ENUM, name.text, "extended", whole, name.span, _members(members))
        case ast.RoleDeclaration(name=name, description=description):
            yield Entry(Look.ROLE, name.text, _text(description), whole, name.span)
        case ast.Test(name=title):
            yield Entry(Look.TEST, title.text or "test", "", whole, title.span)
        case ast.Use():
            return


def _attributes(attributes: tuple[ast.AttributeDeclaration, ...]) -> tuple[Entry, ...]:
    return tuple(Entry(Look.ATTRIBUTE, a.name.text, _text(a.description), a.name.span, a.name.span) for a in attributes)


def _members(members: tuple[ast.Identifier, ...]) -> tuple[Entry, ...]:
    return tuple(Entry(Look.MEMBER, m.text, "", m.span, m.span) for m in members)


def _text(template: ast.Template | None) -> str:
    return template.text if template is not None else ""
