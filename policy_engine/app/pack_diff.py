"""What is different between two states of packs, declaration by declaration, as an officer reads it.

Rules:

- layout, comments and tests are no difference;
- what plain English says alike and the text does not is told as it is written, so that no change goes unseen.

>>> Change("gdpr.x.y", "severity", "high", "low").part
'severity'
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from policy_dsl import english
from policy_dsl.diagnostics import Diagnostics
from policy_dsl.source import Span
from policy_dsl.syntax import ast
from policy_dsl.syntax.lark_parser import tokens
from policy_dsl.syntax.parser import parse
from policy_dsl.typed.tree import Definition, Program, Rule
from policy_dsl.values import Value, text
from policy_engine.app.packs import Packs, day
from policy_evidence.canonical import JsonValue, canonical_bytes

FORMAT = "urn:ai-policy-engine:pack-difference:v1"


@dataclass(frozen=True, slots=True)
class Change:
    """One part of a declaration that is another; nothing stands for a side that does not have it."""

    name: str
    part: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class PackDifference:
    """Everything that differs, by name; ``same_version`` are packs that are another under the same version."""

    changes: tuple[Change, ...]
    same_version: tuple[str, ...]


def compare_packs(before: Packs, after: Packs) -> PackDifference:
    """Return what is different in the second state."""
    found = [
        *_of(_versions(before), _versions(after)),
        *_of(_rules(before), _rules(after)),
        *_of(_definitions(before), _definitions(after)),
        *_of(_parameters(before), _parameters(after)),
        *_of(_vocabulary(before), _vocabulary(after)),
    ]
    versions = {info.name: info.version for info in before.infos}
    same = [
        info.name
        for info in after.infos
        if versions.get(info.name) == info.version and before.files[info.name] != after.files[info.name]
    ]
    return PackDifference(tuple(found), tuple(same))


_Parts = Mapping[str, Mapping[str, str]]
_WRITTEN = "as written"


def _of(before: _Parts, after: _Parts) -> Iterator[Change]:
    """Yield a change for each declaration that one side lacks, and for each part that is another."""
    for name in sorted({*before, *after}):
        one, other = before.get(name), after.get(name)
        if one is None or other is None:
            there = one or other or {}
            said = next(iter(there.values()))
            yield Change(name, next(iter(there)), said if one else None, said if other else None)
            continue
        parts = [part for part in dict.fromkeys([*one, *other]) if one.get(part) != other.get(part)]
        # The text differs wherever anything does: it says something only where nothing else tells what differs.
        for part in [part for part in parts if part != _WRITTEN] or parts:
            yield Change(name, part, one.get(part), other.get(part))


def _versions(packs: Packs) -> _Parts:
    return {
        info.name: {"pack": info.version, "title": info.title, "source": info.source, "framework": info.framework}
        for info in packs.infos
    }


def _rules(packs: Packs) -> _Parts:
    return {rule.name: _rule(packs.program, rule) for pack in packs.files for rule in packs.rules_of(pack)}


def _rule(program: Program, rule: Rule) -> dict[str, str]:
    about, required, *exceptions = english.rule(rule.syntax)
    messages = {"otherwise": rule.syntax.otherwise, "remedy": rule.syntax.remedy}
    return {
        "rule": rule.title,
        "cites": ", ".join(rule.citations),
        "severity": rule.severity,
        "basis": rule.basis,
        "in force from": day(rule.start),
        "in force until": day(rule.end),
        "about": about,
        "requirement": required,
        "exceptions": " ".join(exceptions),
        **{name: _text(template) for name, template in messages.items()},
        _WRITTEN: _as_written(program, rule.syntax.span),
    }


def _text(template: ast.Template | None) -> str:
    return template.text if template is not None else ""


def _as_written(program: Program, span: Span) -> str:
    """Return the text of a declaration with one space between its words, and without comments."""
    return " ".join(map(str, tokens(program.files[span.file].policy_text[span.start : span.end])))


def _definitions(packs: Packs) -> _Parts:
    return {
        name: {
            "definition": english.definition(found.syntax),
            _WRITTEN: _as_written(packs.program, found.syntax.span),
        }
        for name, found in packs.program.definitions.items()
        if _pack_of(packs.program, name, found) in packs.files
    }


def _pack_of(program: Program, name: str, definition: Definition) -> str:
    file = definition.syntax.span.file
    return next((pack.name for pack in program.packs if pack.file == file), name.rpartition(".")[0])


def _parameters(packs: Packs) -> _Parts:
    values: Mapping[str, Value] = packs.program.parameters
    return {n: {"parameter": text(value)} for n, value in values.items() if n.rpartition(".")[0] in packs.files}


def _vocabulary(packs: Packs) -> _Parts:
    found: dict[str, dict[str, str]] = {}
    for info in packs.infos:
        for declaration in parse(packs.program.files[info.file], Diagnostics()).declarations:
            for name, part, said in _declared(declaration):
                found.setdefault(f"{info.name}.{name}", {})[part] = said
    return found


def _declared(declaration: ast.Declaration) -> Iterator[tuple[str, str, str]]:
    """Yield what a declaration adds to the vocabulary: a name, which kind of part it is, and what is said of it."""
    match declaration:
        case ast.NodeDeclaration(name, parent, description, attributes, _):
            yield name.text, "kind", f"{f'a {parent.text}: ' if parent is not None else ''}{_text(description)}"
            yield from _attributes(name, "attribute", attributes)
        case ast.ExtendNode(name, attributes, _):
            yield from _attributes(name, "attribute", attributes)
        case ast.EvidenceDeclaration(name, subjects, description, fields, _):
            yield name.text, "evidence", f"about {', '.join(s.text for s in subjects)}: {_text(description)}"
            yield from _attributes(name, "field", fields)
        case ast.EdgeDeclaration(name, sources, targets, reverse, flow, description, _):
            ends = " to ".join(", ".join(end.text for end in each) for each in (sources, targets))
            back = f", back as {reverse.text}" if reverse is not None else ""
            yield name.text, "edge", f"from {ends}{back} ({flow}): {_text(description)}"
        case ast.EnumDeclaration(name, description, members, _):
            yield name.text, "enum", f"{', '.join(m.text for m in members)}: {_text(description)}"
        case ast.ExtendEnum(name, members, _):
            yield name.text, "more of enum", ", ".join(m.text for m in members)
        case ast.RoleDeclaration(name, description, _):
            yield name.text, "role", _text(description)
        case _:
            return


def _attributes(
    of: ast.Identifier, part: str, declared: tuple[ast.AttributeDeclaration, ...]
) -> Iterator[tuple[str, str, str]]:
    for each in declared:
        kind = f"set of {each.type.name.text}" if each.type.is_set else each.type.name.text
        default = f", {english.value(each.default)} where not stated" if each.default is not None else ""
        yield f"{of.text}.{each.name.text}", part, f"{kind}{default}: {_text(each.description)}"


def difference_to_json(found: PackDifference) -> bytes:
    """Return a difference as canonical JSON; docs/adopting.md describes it."""
    document: JsonValue = {
        "format": FORMAT,
        "changes": [{"name": c.name, "part": c.part, "before": c.before, "after": c.after} for c in found.changes],
        "same_version": list(found.same_version),
    }
    return canonical_bytes(document)
