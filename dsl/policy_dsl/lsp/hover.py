"""What a name means, written for a reader: the declaration in one line, then what its author says of it.

The texts of a policy are shown as they are, never as Markdown: a description cannot draw a link or an image into
somebody's editor.
"""

import re
from collections.abc import Iterator

from policy_dsl.lsp.index import Declaration, Index
from policy_dsl.source import Span
from policy_dsl.syntax import ast
from policy_dsl.typed.references import Local, Meaning, Sort

_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~!&])")
_LONGEST_BODY = 2_000


def hover(index: Index, file: str, offset: int) -> tuple[Span, str] | None:
    """Return the name at a place and the Markdown that explains it."""
    uses = index.at(file, offset)
    texts = [text for use in uses if (text := describe(index, use.meaning)) is not None]
    return (uses[0].span, "\n\n---\n\n".join(dict.fromkeys(texts))) if texts else None


def describe(index: Index, meaning: Meaning) -> str | None:
    """Return the Markdown for a meaning, or nothing when it is declared nowhere."""
    declaration = index.declaration(meaning)
    if declaration is None:
        return None
    code, *notes = _parts(index, declaration)
    return "\n\n".join([f"{_fence(code)}policy\n{code}\n{_fence(code)}", *notes])


def signature(index: Index, meaning: Meaning) -> str:
    """Return the declaration in one line, for lists."""
    declaration = index.declaration(meaning)
    return next(_parts(index, declaration)).partition("\n")[0] if declaration is not None else ""


def plain(text: str) -> str:
    """Return Markdown that shows a text as it is.

    >>> plain("a [b](c) *d*")
    'a \\\\[b\\\\](c) \\\\*d\\\\*'
    """
    return _MARKS.sub(r"\\\1", " ".join(text.split()))


def _parts(index: Index, declaration: Declaration) -> Iterator[str]:
    """Yield the declaration as code, then paragraphs."""
    meaning, syntax = declaration.meaning, declaration.syntax
    match syntax:
        case ast.Header():
            yield f"policy {syntax.name.text}"
            yield from _header(syntax)
        case ast.Parameter(name, type_name, default, description):
            yield f"parameter {name.text}: {type_text(type_name)} = {index.text(default.span)}"
            yield from _told(description)
            yield f"Parameter of `{declaration.pack}`; a profile may give it another value."
        case ast.Define(name, formals, description, body):
            listed = ", ".join(f"{f.name.text}: {type_text(f.type)}" for f in formals)
            yield f"define {name.text}({listed})\n    as {index.text(body.span)[:_LONGEST_BODY]}"
            yield from _told(description)
            yield f"Definition of `{declaration.pack}`."
        case ast.Rule():
            yield f"rule {syntax.name.text}"
            yield from _rule(syntax, _header_of(index, declaration.pack), declaration.pack)
        case ast.NodeDeclaration(name, parent, description, attributes):
            yield f"node {name.text}" + (f" is {parent.text}" if parent else "")
            yield from _told(description)
            if attributes:
                yield "Attributes of its own: " + ", ".join(f"`{a.name.text}`" for a in attributes)
        case ast.EdgeDeclaration():
            yield _edge(syntax)
            yield from _told(syntax.description)
            if syntax.reverse is not None and syntax.reverse.text == meaning.name:
                yield f"`{meaning.name}` is `{syntax.name.text}` read backwards."
        case ast.EvidenceDeclaration(name, subjects, description, fields):
            about = f" on {', '.join(s.text for s in subjects)}" if subjects else ""
            yield f"evidence {name.text}{about}"
            yield from _told(description)
            if fields:
                yield "Fields: " + ", ".join(f"`{f.name.text}`" for f in fields)
        case ast.EnumDeclaration(name, description, members) if meaning.sort is Sort.ENUM:
            yield f"enum {name.text} {{ {', '.join(m.text for m in members)} }}"
            yield from _told(description)
        case ast.RoleDeclaration(name, description):
            yield f"role {name.text}"
            yield from _told(description)
        case ast.AttributeDeclaration(name, type_name, default, description):
            stands = f" = {index.text(default.span)}" if default is not None else ""
            yield f"{name.text}: {type_text(type_name)}{stands}"
            yield from _told(description)
            what = "Field of evidence" if meaning.sort is Sort.FIELD else "Attribute of"
            yield f"{what} `{meaning.owner}`."
            yield from _members(index, type_name)
        case Local():
            yield f"{meaning.name}: {syntax.type}"
            yield "Variable." if meaning.sort is Sort.VARIABLE else "Thing of this test."
        case ast.Cases():
            yield f"<{meaning.name}>"
            yield "Column of the table of this test."
        case _:
            yield meaning.name
            yield f"Member of `{meaning.owner}`."


def _header(header: ast.Header) -> Iterator[str]:
    yield from _told(header.title)
    facts = [
        ("Version", header.version.text if header.version else None),
        ("Source", header.source.text if header.source else None),
        ("Basis", header.basis.text.replace("_", " ") if header.basis else None),
        ("In force", _interval(header.applies)),
    ]
    yield from (f"{label}: {plain(value)}" for label, value in facts if value)


def _rule(rule: ast.Rule, header: ast.Header | None, pack: str) -> Iterator[str]:
    yield from _told(rule.title)
    applies = rule.applies or (header.applies if header is not None else None)
    basis = rule.basis or (header.basis if header is not None else None)
    facts = [
        ("Cites", ", ".join(c.text for c in rule.cites)),
        ("Source", header.source.text if header is not None and header.source is not None else None),
        ("Severity", rule.severity.text if rule.severity else "medium"),
        ("Basis", basis.text.replace("_", " ") if basis is not None else None),
        ("In force", _interval(applies)),
    ]
    yield from (f"{label}: {plain(value)}" for label, value in facts if value)
    yield f"Rule of `{pack}`."


def _header_of(index: Index, pack: str) -> ast.Header | None:
    found = index.declaration(Meaning(Sort.PACK, pack))
    return found.syntax if found is not None and isinstance(found.syntax, ast.Header) else None


def _interval(applies: ast.Applies | None) -> str | None:
    if applies is None:
        return None
    return f"from {applies.start}" + (f" until {applies.end}" if applies.end is not None else "")


def _edge(edge: ast.EdgeDeclaration) -> str:
    ends = f"from {', '.join(s.text for s in edge.sources)} to {', '.join(t.text for t in edge.targets)}"
    reverse = f" reverse {edge.reverse.text}" if edge.reverse else ""
    return f"edge {edge.name.text} {ends}{reverse}" + (f" {edge.flow}" if edge.flow != "none" else "")


def _members(index: Index, type_name: ast.TypeName) -> Iterator[str]:
    enum = index.schema.enums.get(type_name.name.text)
    if enum is not None:
        yield "One of " + ", ".join(f"`{m}`" for m in enum.members)


def _told(text: ast.Template | None) -> Iterator[str]:
    if text is not None and text.text.strip():
        yield plain(text.text)


def type_text(type_name: ast.TypeName) -> str:
    """Return a type as it is written."""
    return f"set of {type_name.name.text}" if type_name.is_set else type_name.name.text


def _fence(code: str) -> str:
    longest = max((len(m) for m in re.findall("`+", code)), default=0)
    return "`" * max(3, longest + 1)
