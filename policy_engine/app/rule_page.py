"""A rule as a page for people: what it asks, why, of whom, what must be shown, and an example of each answer.

Everything is read from the pack: the comment directly above a rule says why it is asked, and the examples are scenes
of the pack's own tests.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from policy_dsl import english
from policy_dsl.source import SourceFile
from policy_dsl.syntax import ast
from policy_dsl.typed import tree
from policy_dsl.typed.nesting import definitions_used
from policy_dsl.typed.schema import Attribute
from policy_dsl.typed.tree import HasEvidence, PackInfo, Program, Rule
from policy_dsl.typed.types import NodeType
from policy_dsl.values import Duration, format_instant, text
from policy_engine.app.testing.examples import Example
from policy_engine.app.testing.scenes import Case, Scene, cases_of
from policy_engine.app.testing.writing import written
from policy_engine.evaluation.parts import fields_asked, parts_of, patterns_of
from policy_engine.evaluation.point.evaluate import PointEvaluator
from policy_engine.model.plain import plain_markdown
from policy_engine.model.results import Status

_BASES = {
    "law": "The law asks for this.",
    "standard": "The framework asks for this; nobody is bound to it by law.",
    "inference": "The text does not ask for this in this form; it is taken as a sign of what the text asks for.",
    "firm_policy": "No text asks for this; it is good practice that an organisation can adopt.",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """Evidence that a rule asks for: of which kind of thing, signed as what, how old at most, with which fields."""

    type: str
    kind: str
    role: str | None
    signers: int
    age: str
    fields: tuple[str, ...]


def why(program: Program, rule: Rule) -> str:
    """Return the comment directly above a rule, on one line; empty where there is none."""
    lines: list[str] = []
    for line in reversed(program.files[rule.span.file].text[: rule.syntax.span.start].splitlines()):
        if not line.startswith("#") or line.startswith("# ---"):
            break
        said = line.lstrip("#").strip()
        lines += [] if said.startswith("lint:") else [said]
    return " ".join(reversed(lines))


def asked_of(program: Program, rule: Rule) -> tuple[Asked, ...]:
    """Return the evidence that a rule asks for, each form once with all fields, in the order of the text."""
    found: dict[Asked, dict[str, None]] = {}
    for pattern, fields in fields_asked(program, rule).items():
        found.setdefault(_asked(program, pattern), {}).update(dict.fromkeys(fields))
    return tuple(replace(asked, fields=tuple(fields)) for asked, fields in found.items())


def _asked(program: Program, pattern: HasEvidence) -> Asked:
    assert isinstance(pattern.subject.type, NodeType)  # noqa: S101 - the checker asks evidence of things only
    kind = pattern.subject.type.kind
    return Asked(pattern.type, kind, pattern.role, pattern.signers, _age(program, pattern), ())


def _age(program: Program, pattern: HasEvidence) -> str:
    match pattern.max_age:
        case tree.Constant(Duration() as age):
            return text(age)
        case tree.ParameterValue(name):
            return f"{text(program.parameters[name])} (`{name}`)"
        case None:
            return ""
        case _:
            return "an age that depends on facts"


def facts_of(program: Program, rule: Rule) -> tuple[tuple[str, Attribute], ...]:
    """Return the attributes that a rule looks at, with the kind each is read of, sorted."""
    found = {
        (part.variable.type.kind, part.attribute.name): part.attribute
        for part in parts_of(program, rule)
        if isinstance(part, tree.Read) and isinstance(part.variable.type, NodeType)
    }
    return tuple((kind, found[kind, name]) for kind, name in sorted(found))


def parameters_of(program: Program, rule: Rule) -> tuple[str, ...]:
    """Return the names of the parameters that a rule uses."""
    names = {part.name for part in parts_of(program, rule) if isinstance(part, tree.ParameterValue)}
    names |= {p.max_age.name for p in patterns_of(program, rule) if isinstance(p.max_age, tree.ParameterValue)}
    return tuple(sorted(names))


def definitions_of(program: Program, rule: Rule) -> tuple[list[ast.Define], list[ast.Define]]:
    """Return the definitions that a rule itself uses, and those behind them, each once."""
    own = list(dict.fromkeys(definitions_used((rule.where, rule.requirement, rule.exemptions))))
    behind: dict[str, None] = {}
    waiting = list(own)
    while waiting:
        for name in definitions_used(program.definitions[waiting.pop(0)].body):
            if name not in behind and name not in own:
                behind[name] = None
                waiting.append(name)
    return [program.definitions[n].syntax for n in own], [program.definitions[n].syntax for n in behind]


def example_of(program: Program, rule: Rule, status: Status) -> str:
    """Return, as a test in the language, the smallest scene of the pack's tests in which a rule has a status."""
    cases = [
        case
        for number, test in enumerate(program.tests)
        if test.pack == rule.pack
        for case in cases_of(number, test)
        if isinstance(case, Case) and case.expected.rule == rule.name and case.expected.status == status.value
    ]
    in_force = [case for case in cases if rule.start is None or case.scene.at >= rule.start] or cases
    if not in_force:
        return ""
    trimmed = [(_smaller(program, rule, case), case.expected.subject) for case in in_force]
    scene, subject = min(trimmed, key=lambda one: len(one[0].nodes) + len(one[0].edges) + len(one[0].evidence))
    example = Example(rule.name, subject, scene, status, status)
    return written(example, f"an example: {status.value.replace('_', ' ')}", program.schema)


def _smaller(program: Program, rule: Rule, case: Case) -> Scene:
    """Return what a thing leads to and what leads to it, if the rule says the same of it there."""
    scene, subject = case.scene, case.expected.subject
    kept = _reached(scene, subject, forwards=True) | _reached(scene, subject, forwards=False)
    smaller = replace(
        scene,
        nodes=tuple(n for n in scene.nodes if n.id in kept),
        edges=tuple(e for e in scene.edges if e.source in kept and e.target in kept),
        evidence=tuple(e for e in scene.evidence if e.subject in kept),
    )
    status = PointEvaluator(smaller.world(program)).evaluate(rule, subject, scene.at).status
    return smaller if status.value == case.expected.status else scene


def _reached(scene: Scene, start: str, *, forwards: bool) -> set[str]:
    ways = [(e.source, e.target) if forwards else (e.target, e.source) for e in scene.edges]
    found, waiting = {start}, [start]
    while waiting:
        here = waiting.pop()
        onward = {end for begin, end in ways if begin == here} - found
        found |= onward
        waiting += onward
    return found


def rule_page(program: Program, pack: PackInfo, rule: Rule, source: SourceFile) -> str:
    """Return the page of a rule in Markdown."""
    end = f" until {_day(rule.end)}" if rule.end is not None else ""
    own, behind = definitions_of(program, rule)
    begin = f"since {_day(rule.start)}" if rule.start is not None else "at all times"
    lines = [
        f"# {rule.title}",
        "",
        f"`{rule.name}` · severity {rule.severity} · in force {begin}{end} · pack version {pack.version}",
        "",
        "## Why",
        "",
        why(program, rule),
        "",
        f"{_BASES[rule.basis]} It rests on {pack.framework or pack.title}: {', '.join(rule.citations)}.",
        *([f"Text: {pack.source}."] if pack.source else []),
        "",
        "## What",
        "",
        *english.rule(rule.syntax),
        *(f"- {english.definition(define)}" for define in own),
        "",
        *_who(program, rule),
        *_evidence_needed(program, rule),
        *_facts_needed(program, rule),
        *_parameters(program, rule),
        *_examples(program, rule),
        "## As written",
        "",
        *_fenced(source.text[rule.syntax.span.start : rule.syntax.span.end].rstrip()),
        *(["", "## In detail", "", *(f"- {english.definition(define)}" for define in behind)] if behind else []),
    ]
    return "\n".join(lines) + "\n"


def _fenced(text: str) -> tuple[str, str, str]:
    """Return a text as a block of code, between fences longer than any in it (CommonMark section 4.5)."""
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`{3,}", text))])
    return f"{fence}text", text, fence


def table_row(cells: Iterable[str]) -> str:
    """Return a row of a Markdown table; what would end a cell or the row is part of the cell's text.

    >>> table_row(["a | b", "c"])
    '| a &#124; b | c |'
    """
    return f"| {' | '.join(' '.join(cell.replace('|', '&#124;').split()) for cell in cells)} |"


def _day(instant: datetime) -> str:
    return format_instant(instant).removesuffix("T00:00:00Z")


def _who(program: Program, rule: Rule) -> Iterator[str]:
    yield from ("## Who", "")
    assert isinstance(rule.subject.type, NodeType)  # noqa: S101 - the checker binds subjects to kinds
    kind = program.schema.kinds[rule.subject.type.kind]
    yield f"It is about every {kind.name}{_said(kind.description)}. Whoever answers for one has to act."
    roles = dict.fromkeys(asked.role for asked in asked_of(program, rule) if asked.role is not None)
    for role in roles:
        yield f"- Evidence is signed as `{role}`{_said(program.schema.roles[role])}"
    yield ""
    if rule.syntax.remedy is not None:
        yield from (f"What to do: {plain_markdown(_readable(rule.syntax.remedy.text))}.", "")


def _said(description: str) -> str:
    return f" ({description[0].lower()}{description[1:]})" if description else ""


def _readable(template: str) -> str:
    """Return a message with its placeholders in words: `{system.owner}` is the owner of the system."""

    def in_words(found: re.Match[str]) -> str:
        thing, _, attribute = found[1].partition(".")
        named = thing.replace("_", " ")
        if attribute in {"", "name"}:
            return f"the {named}"
        return f"the {attribute.replace('_', ' ')} of the {named}"

    said = re.sub(r"\{([a-z_.]+)\}", in_words, template)
    return said[:1].upper() + said[1:]


def _evidence_needed(program: Program, rule: Rule) -> Iterator[str]:
    yield from ("## Evidence needed", "")
    asked = asked_of(program, rule)
    if not asked:
        yield from ("None: the rule looks at the inventory alone.", "")
        return
    yield from ("| evidence | about | signed as | not older than | fields looked at |", "|---|---|---|---|---|")
    for each in asked:
        number = f"{each.signers} times " if each.signers > 1 else ""
        signed = f"{number}`{each.role}`" if each.role else "any trusted key"
        described = program.schema.evidence[each.type].description
        cells = (f"`{each.type}`: {described}", each.kind, signed, each.age or "-", ", ".join(each.fields) or "-")
        yield table_row(cells)
    yield ""


def _facts_needed(program: Program, rule: Rule) -> Iterator[str]:
    facts = facts_of(program, rule)
    if facts:
        yield from ("## Facts looked at", "", "| of | fact | meaning |", "|---|---|---|")
        for kind, fact in facts:
            yield table_row((kind, f"`{fact.name}`", fact.description or fact.name.replace("_", " ")))
        yield ""


def _parameters(program: Program, rule: Rule) -> Iterator[str]:
    names = parameters_of(program, rule)
    if names:
        yield from ("## Parameters", "", "| parameter | value in the pack |", "|---|---|")
        yield from (table_row((f"`{name}`", text(program.parameters[name]))) for name in names)
        yield ""


def _examples(program: Program, rule: Rule) -> Iterator[str]:
    for status, title in ((Status.FAIL, "An example that fails"), (Status.PASS, "An example that passes")):
        example = example_of(program, rule, status)
        if example:
            yield from (f"## {title}", "", *_fenced(example), "")
