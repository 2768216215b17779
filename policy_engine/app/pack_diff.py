"""What is different between two states of packs, declaration by declaration, as an officer reads it.

>>> Change("gdpr.x.y", "severity", "high", "low").part
'severity'
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from policy_dsl import english
from policy_dsl.typed.tree import Definition, Program, Rule
from policy_dsl.values import Value, format_instant, text
from policy_engine.app.packs import Packs
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
    ]
    versions = {info.name: info.version for info in before.infos}
    same = [
        info.name
        for info in after.infos
        if versions.get(info.name) == info.version and before.files[info.name] != after.files[info.name]
    ]
    return PackDifference(tuple(found), tuple(same))


_Parts = Mapping[str, Mapping[str, str]]


def _of(before: _Parts, after: _Parts) -> Iterator[Change]:
    """Yield a change for each declaration that one side lacks, and for each part that is another."""
    for name in sorted({*before, *after}):
        one, other = before.get(name), after.get(name)
        if one is None or other is None:
            there = one or other or {}
            said = next(iter(there.values()))
            yield Change(name, next(iter(there)), said if one else None, said if other else None)
            continue
        for part in dict.fromkeys([*one, *other]):
            if one.get(part) != other.get(part):
                yield Change(name, part, one.get(part), other.get(part))


def _versions(packs: Packs) -> _Parts:
    return {
        info.name: {"pack": info.version, "title": info.title, "source": info.source, "framework": info.framework}
        for info in packs.infos
    }


def _rules(packs: Packs) -> _Parts:
    return {rule.name: _rule(rule) for pack in packs.files for rule in packs.rules_of(pack)}


def _rule(rule: Rule) -> dict[str, str]:
    about, required, *exceptions = english.rule(rule.syntax)
    messages = {"otherwise": rule.syntax.otherwise, "remedy": rule.syntax.remedy}
    return {
        "rule": rule.title,
        "cites": ", ".join(rule.citations),
        "severity": rule.severity,
        "basis": rule.basis,
        "in force from": _day(rule.start),
        "in force until": _day(rule.end),
        "about": about,
        "requirement": required,
        "exceptions": " ".join(exceptions),
        **{name: template.text if template is not None else "" for name, template in messages.items()},
    }


def _definitions(packs: Packs) -> _Parts:
    return {
        name: {"definition": english.definition(found.syntax)}
        for name, found in packs.program.definitions.items()
        if _pack_of(packs.program, name, found) in packs.files
    }


def _pack_of(program: Program, name: str, definition: Definition) -> str:
    file = definition.syntax.span.file
    return next((pack.name for pack in program.packs if pack.file == file), name.rpartition(".")[0])


def _parameters(packs: Packs) -> _Parts:
    values: Mapping[str, Value] = packs.program.parameters
    return {n: {"parameter": text(value)} for n, value in values.items() if n.rpartition(".")[0] in packs.files}


def _day(at: datetime | None) -> str:
    return format_instant(at).removesuffix("T00:00:00Z") if at is not None else ""


def difference_to_json(found: PackDifference) -> bytes:
    """Return a difference as canonical JSON; docs/adopting.md describes it."""
    document: JsonValue = {
        "format": FORMAT,
        "changes": [{"name": c.name, "part": c.part, "before": c.before, "after": c.after} for c in found.changes],
        "same_version": list(found.same_version),
    }
    return canonical_bytes(document)
