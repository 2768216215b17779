"""The small changes to a rule, definition or parameter that its tests should notice.

A change is made in the text, where the syntax tree says that a clause stands, so that it can be shown as an author
would have written it, and is compiled like anything else. A change that is not valid is dropped by whoever compiles it.

Conditions: an operand of ``and`` or ``or`` left out, ``and`` for ``or``, a condition turned round, a comparison moved.
Quantifiers and evidence are changed in ``quantifier_changes``. Values: a number, a duration or a date moved by its last
digit or a day, another member of an enumeration, a member of a set left out.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from policy_dsl.source import Span
from policy_dsl.syntax import ast
from policy_dsl.typed.schema import Schema
from policy_dsl.typed.types import EnumType, SetType
from policy_engine.app.testing.quantifier_changes import (
    Found,
    aggregate_changes,
    evidence_changes,
    quantifier_changes,
    range_changes,
)
from policy_engine.app.testing.words import Edit, Words

_B = ast.BinaryOperator
_OPPOSITE = {
    _B.LESS: ">=",
    _B.LESS_OR_EQUAL: ">",
    _B.GREATER: "<=",
    _B.GREATER_OR_EQUAL: "<",
    _B.IS: "is not",
    _B.IS_NOT: "is",
    _B.IN: "not in",
    _B.NOT_IN: "in",
}
_NEIGHBOUR = {_B.LESS: "<=", _B.LESS_OR_EQUAL: "<", _B.GREATER: ">=", _B.GREATER_OR_EQUAL: ">"}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Change:
    """A change in words, and the edits that make it."""

    what: str
    edits: tuple[Edit, ...]


def rule_changes(rule: ast.Rule, words: Words, schema: Schema, inherited: ast.Applies | None) -> Iterator[Change]:
    """Yield the changes to a rule; ``inherited`` is when its pack says that it applies."""
    scope = rule.for_each.where
    if scope is not None:
        yield _cut("the scope left out", words, words.opener(scope.span.start).start, rule.for_each.span.end)
        yield from _condition(scope, words)
    yield from _condition(rule.requirement, words)
    for exception in rule.exceptions:
        what = f"exception `{exception.label.text}` left out"
        yield _cut(what, words, exception.span.start, exception.span.end)
        yield from _condition(exception.condition, words)
    yield from _period(rule, words, inherited)
    for part in (scope, rule.requirement, *(e.condition for e in rule.exceptions)):
        yield from _values(part, words, schema)


def definition_changes(definition: ast.Define, words: Words, schema: Schema) -> Iterator[Change]:
    """Yield the changes to a definition."""
    yield from _condition(definition.body, words)
    yield from _values(definition.body, words, schema)


def parameter_changes(parameter: ast.Parameter, words: Words, schema: Schema) -> Iterator[Change]:
    """Yield the changes to a parameter's value."""
    yield from _values(parameter.default, words, schema)


# --- conditions --------------------------------------------------------------------------------------------


def _condition(node: ast.Expression, words: Words) -> Iterator[Change]:
    """Yield the changes to a condition and to the conditions in it."""
    yield from _turned(node, words)
    match node:
        case ast.Junction():
            yield from _junction(node, words)
            for operand in node.operands:
                yield from _condition(operand, words)
        case ast.Not(operand, _):
            yield from _condition(operand, words)
        case ast.Binary(_B.IF_THEN, left, right, span):
            start = words.at(words.opener(right.span.start).end).start
            permission = words.at(span.start).text == "may"
            kept = "must " if permission else ""
            what = "`may … only if` became `must`" if permission else "`if … then` left out"
            yield Change(what, (Edit(span.start, start, kept),))
            yield from _condition(left, words)
            yield from _condition(right, words)
        case ast.Binary(operator) if operator in _NEIGHBOUR:
            yield _operator(node, words, _NEIGHBOUR[operator])
            yield from _inside(node, words)
        case ast.Between():
            yield from _between(node, words)
            yield from _inside(node, words)
        case ast.HasEvidence(_, pattern, _):
            yield from _evidence(pattern, words)
        case ast.Quantified():
            yield from _as_changes(quantifier_changes(node, words))
            yield from _range(node.range, words)
            if node.where is not None:
                yield from _condition(node.where, words)
            if isinstance(node.body, ast.EvidencePattern):
                yield from _evidence(node.body, words)
            elif node.body is not None:
                yield from _condition(node.body, words)
        case _:
            yield from _inside(node, words)


def _inside(node: Any, words: Words) -> Iterator[Change]:
    """Yield the changes to the patterns, ranges and conditions inside a value."""
    for part in _parts(node):
        match part:
            case ast.EvidencePattern():
                yield from _evidence(part, words)
            case ast.Aggregate():
                yield from _as_changes(aggregate_changes(part, words))
                yield from _range(part.range, words)
                if part.where is not None:
                    yield from _condition(part.where, words)
            case ast.Junction() | ast.Not() | ast.HasEvidence() | ast.Quantified() | ast.Known():
                yield from _condition(part, words)
            case ast.Binary() if part.operator in _OPPOSITE:
                yield from _condition(part, words)
            case _:
                yield from _inside(part, words)


def _evidence(pattern: ast.EvidencePattern, words: Words) -> Iterator[Change]:
    yield from _as_changes(evidence_changes(pattern, words))
    if pattern.where is not None:
        yield from _condition(pattern.where, words)


def _range(found: ast.Range | None, words: Words) -> Iterator[Change]:
    yield from _as_changes(range_changes(found, words))
    if isinstance(found, ast.LineageRange) and found.through is not None and found.through.where is not None:
        yield from _condition(found.through.where, words)


def _turned(node: ast.Expression, words: Words) -> Iterator[Change]:
    """Yield the condition turned round, in the way that reads best. Junctions are turned by their operands."""
    match node:
        case ast.Junction() | ast.Binary(_B.IF_THEN) | ast.Literal():
            return
        case ast.Quantified(ast.QuantifierWord.EVERY | ast.QuantifierWord.SOME | ast.QuantifierWord.NO):
            return
        case ast.Not(_, span):
            first = words.at(span.start)
            second = words.at(first.end)
            if first.text == "must":
                yield Change("`must not` became `must`", (Edit(first.end, second.end, ""),))
            else:
                yield Change("`not` left out", (Edit(first.start, second.start, ""),))
        case ast.Binary(operator) if operator in _OPPOSITE:
            yield _operator(node, words, _OPPOSITE[operator])
        case ast.Known(_, negated, span):
            word = "known" if negated else "unknown"
            sign = next(w for w in words.between(node.operand.span.end, span.end) if w.text == "is")
            yield Change(f"became `is {word}`", (Edit(sign.start, span.end, f"is {word}"),))
        case _:
            text = words.slice(node.span)
            yield Change("condition turned round", (Edit(node.span.start, node.span.end, f"not ({text})"),))


def _operator(node: ast.Binary, words: Words, new: str) -> Change:
    found = [w for w in words.between(node.left.span.end, node.right.span.start) if w.text not in {"(", ")"}]
    return Change(f"`{node.operator}` became `{new}`", (Edit(found[0].start, found[-1].end, new),))


def _junction(node: ast.Junction, words: Words) -> Iterator[Change]:
    word, other = ("and", "or") if node.all_of else ("or", "and")
    signs = [
        next(w for w in words.between(a.span.end, b.span.start) if w.text == word)
        for a, b in zip(node.operands, node.operands[1:], strict=False)
    ]
    for i, operand in enumerate(node.operands):
        what = f"`{_short(words.slice(operand.span))}` left out"
        if i == 0:
            yield Change(what, (Edit(node.span.start, words.at(signs[0].end).start, ""),))
        else:
            end = node.span.end if i == len(signs) else words.before(signs[i].start).end
            yield _cut(what, words, signs[i - 1].start, end)
    yield Change(f"`{word}` became `{other}`", tuple(Edit(w.start, w.end, other) for w in signs))


def _between(node: ast.Between, words: Words) -> Iterator[Change]:
    between = next(w for w in words.between(node.operand.span.end, node.low.span.start) if w.text == "between")
    both = words.opener(node.high.span.start)
    yield Change("no upper bound", (Edit(between.start, between.end, ">="), words.cut(both.start, node.span.end)))
    yield Change("no lower bound", (Edit(between.start, both.end, "<="),))


# --- the period of a rule ------------------------------------------------------------------------------------


def _period(rule: ast.Rule, words: Words, inherited: ast.Applies | None) -> Iterator[Change]:
    """Yield other dates. A period that the pack sets is changed for the rule alone, by a clause of its own."""
    if rule.applies is not None:
        dates = [w for w in words.between(rule.applies.span.start, rule.applies.span.end) if _DATE.match(w.text)]
        for word, name in zip(dates, ("from", "until"), strict=False):
            for text, how in _moved(word.text):
                yield Change(f"applies {name} {how}", (Edit(word.start, word.end, text),))
        if len(dates) == 2:
            yield _cut("`until` left out", words, words.before(dates[1].start).start, dates[1].end)
    elif inherited is not None:
        start, end = (d.isoformat()[:10] if d is not None else None for d in (inherited.start, inherited.end))
        at = rule.for_each.span.start
        for text, how in _moved(str(start)):
            until = f" until {end}" if end else ""
            yield Change(f"applies from {how}", (Edit(at, at, f"applies from {text}{until}\n    "),))
        if end:
            yield Change("`until` left out", (Edit(at, at, f"applies from {start}\n    "),))


# --- values ------------------------------------------------------------------------------------------------


def _values(node: Any, words: Words, schema: Schema, wanted: tuple[EnumType, ...] = ()) -> Iterator[Change]:
    """Yield the changes to the values written in an expression; ``wanted`` are the enumerations compared with."""
    match node:
        case ast.Literal(bool() as value, span):
            yield Change(f"`{'true' if value else 'false'}` turned round", (_put(span, str(not value).lower()),))
        case ast.Literal(str(), _):
            return
        case ast.Literal(_, span):
            for text, how in _moved(words.slice(span)):
                yield Change(f"`{words.slice(span)}` {how}", (_put(span, text),))
        case ast.Name(name, span):
            other = _other_member(name.text, wanted, {name.text})
            if other is not None:
                yield Change(f"`{name.text}` became `{other}`", (_put(span, other),))
        case ast.SetLiteral(items, _):
            yield from _members(items, words, wanted)
        case ast.Binary(operator, left, right) if operator not in {_B.IF_THEN}:
            near = _enumerations(node, schema) or wanted
            yield from _values(left, words, schema, near)
            yield from _values(right, words, schema, near)
            if operator is _B.IF_UNKNOWN:
                sign = next(w for w in words.between(left.span.end, right.span.start) if w.text == "if")
                yield _cut("`if unknown then` left out", words, sign.start, node.span.end)
        case _:
            for part in _parts(node):
                yield from _values(part, words, schema)


def _members(items: tuple[Any, ...], words: Words, wanted: tuple[EnumType, ...]) -> Iterator[Change]:
    texts = {words.slice(i.span) for i in items}
    for i, item in enumerate(items):
        text = words.slice(item.span)
        if len(items) > 1:
            start, end = (items[i - 1].span.end, item.span.end) if i else (item.span.start, items[1].span.start)
            yield Change(f"`{text}` left out of the set", (Edit(start, end, ""),))
        other = _other_member(text, wanted, texts)
        if other is not None:
            yield Change(f"`{text}` became `{other}`", (_put(item.span, other),))


def _other_member(word: str, enumerations: tuple[EnumType, ...], taken: set[str]) -> str | None:
    for enumeration in enumerations:
        if word in enumeration.members:
            start = enumeration.members.index(word)
            order = (*enumeration.members[start:], *enumeration.members[:start])
            return next((m for m in order if m not in taken), None)
    return None


def _enumerations(node: Any, schema: Schema) -> tuple[EnumType, ...]:
    """Return the enumerations that the attributes and fields named in an expression may have."""
    names: set[str] = set()
    waiting = [node]
    while waiting:
        part = waiting.pop()
        match part:
            case ast.Path(_, steps, _):
                names.add(steps[-1].text)
            case ast.Name(name, _):
                names.add(name.text)
            case _:
                waiting += _parts(part)
    owners = [*(k.attributes for k in schema.kinds.values()), *(e.fields for e in schema.evidence.values())]
    types = [o[n].type for o in owners for n in sorted(names) if n in o]
    bare = [t.item if isinstance(t, SetType) else t for t in types]
    return tuple(dict.fromkeys(t for t in bare if isinstance(t, EnumType)))


def _moved(text: str) -> Iterator[tuple[str, str]]:
    """Yield a date a day off, or a number off by one in its last digit, with what follows it kept.

    >>> list(_moved("365 days")), next(_moved("0.90")), next(_moved("2027-12-02"))
    ([('366 days', 'raised'), ('364 days', 'lowered')], ('0.91', 'raised'), ('2027-12-03', 'a day later'))
    """
    day = _DATE.match(text)
    if day is not None:
        for days, how in ((1, "a day later"), (-1, "a day earlier")):
            number = date.fromisoformat(day[0]).toordinal() + days
            if 0 < number <= date.max.toordinal():
                yield f"{date.fromordinal(number)}{text[day.end() :]}", how
        return
    found = _NUMBER.search(text)
    if found is not None:
        unit = Decimal(1).scaleb(-len(found[0].partition(".")[2]))
        for step, how in ((unit, "raised"), (-unit, "lowered")):
            moved = Decimal(found[0]) + step
            if moved >= 0:
                yield f"{text[: found.start()]}{moved:f}{text[found.end() :]}", how


def _parts(node: Any) -> Iterator[Any]:
    """Yield the parts of a node of the syntax tree that are nodes themselves."""
    if not is_dataclass(node):
        return
    for field in fields(node):
        value = getattr(node, field.name)
        for part in value if isinstance(value, tuple) else (value,):
            if is_dataclass(part) and not isinstance(part, Span | ast.Identifier | ast.Template):
                yield part


def _put(span: Span, text: str) -> Edit:
    return Edit(span.start, span.end, text)


def _as_changes(found: Iterator[Found]) -> Iterator[Change]:
    return (Change(what, edits) for what, edits in found)


def _cut(what: str, words: Words, start: int, end: int) -> Change:
    return Change(what, (words.cut(start, end),))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:59]}…"
