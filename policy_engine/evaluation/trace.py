"""What an evaluator has found out about an expression: its value and what decided it.

The rules by which traces combine are part of the language's meaning, so that every evaluator names the same
facts: a false conjunction rests on its false parts alone, a true one on all; an unknown result rests on its
unknown parts; a count rests on the things that make it so.
"""

from collections.abc import Iterable
from typing import Any, TypeVar

from policy_dsl.records import dataclass, field, replace
from policy_dsl.typed.tree import Aggregate
from policy_engine.evaluation import operators
from policy_engine.model.results import FactRead, Hop, MissingFact, Witness

_T = TypeVar("_T")

UNKNOWN: Any = type("Unknown", (), {"__repr__": lambda _: "UNKNOWN", "__bool__": lambda _: False, "__slots__": ()})()
"""The value of an expression that is not known."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A value with the facts, missing facts and evidence it rests on, and paths to the things that decided it.

    ``bindings`` are the things, by slot, that a message about this value would speak of.
    """

    value: Any
    facts: frozenset[FactRead] = frozenset()
    missing: frozenset[MissingFact] = frozenset()
    evidence: frozenset[str] = frozenset()
    witnesses: tuple[Witness, ...] = ()
    bindings: tuple[tuple[int, str], ...] = ()

    def valued(self, value: Any) -> "Trace":
        """Return the same grounds for another value."""
        if value is self.value:
            return self
        return Trace(value, self.facts, self.missing, self.evidence, self.witnesses, self.bindings)


@dataclass(frozen=True, slots=True)
class Item:
    """A thing of a range: where it was found and whether it surely belongs to the range."""

    node: str
    path: tuple[Hop, ...]
    sure: bool = True
    doubts: frozenset[MissingFact] = field(default_factory=frozenset)
    """Missing facts that leave open whether the thing belongs to the range."""


def together(value: Any, traces: Iterable[Trace]) -> Trace:
    """Return a value that rests on several traces."""
    parts = tuple(traces)
    if len(parts) == 1:
        return parts[0].valued(value)
    bindings: dict[int, str] = {}
    for part in parts:
        for slot, node in part.bindings:
            bindings.setdefault(slot, node)
    return Trace(
        value,
        _union([p.facts for p in parts if p.facts]),
        _union([p.missing for p in parts if p.missing]),
        _union([p.evidence for p in parts if p.evidence]),
        tuple(dict.fromkeys(w for p in parts for w in p.witnesses)),
        tuple(sorted(bindings.items())) if bindings else (),
    )


def _union(sets: list[frozenset[_T]]) -> frozenset[_T]:
    """Return the union of sets that are not empty; most often there is one, or none."""
    if len(sets) <= 1:
        return sets[0] if sets else frozenset()
    return sets[0].union(*sets[1:])


def called(body: Trace, arguments: Iterable[Trace]) -> Trace:
    """Return what a definition gave, which rests on the facts behind the values that it was given, too.

    The variables of a definition are its own; a message of the rule cannot name them.
    """
    own = Trace(body.value, body.facts, body.missing, body.evidence, body.witnesses)
    given = [argument for argument in arguments if argument.facts or argument.evidence or argument.witnesses]
    return together(own.value, [own, *given]) if given and own.value is not UNKNOWN else own


def operated(value: Any, parts: Iterable[Trace]) -> Trace:
    """Return what an operator makes of known operands; nothing means that they cannot be put together."""
    found = together(UNKNOWN if value is None else value, parts)
    if value is not None:
        return found
    return Trace(UNKNOWN, missing=frozenset(MissingFact(f.node, f.attribute, "not comparable") for f in found.facts))


def junction(traces: tuple[Trace, ...], *, all_of: bool) -> Trace:
    """Combine the operands of ``and`` or ``or``."""
    decisive = [t for t in traces if t.value is (not all_of)]
    if decisive:
        return together(not all_of, decisive)
    unknown = [t for t in traces if t.value is UNKNOWN]
    return together(UNKNOWN, unknown) if unknown else together(all_of, traces)


def found_at(item: Item, anchor: str | None, slot: int, inner: Trace) -> Trace:
    """Return what is known of a condition for one thing of a range, with the way to the thing before it.

    A thing that may not belong to the range makes a true condition unknown.
    """
    way = (Hop(None, anchor), *item.path) if anchor is not None else (Hop(None, item.node),)
    witnesses: list[Witness] = []
    for witness in inner.witnesses:
        if witness.hops[0].node == item.node:
            witnesses.append(Witness((*way, *witness.hops[1:])))
        else:
            witnesses += [Witness(way), witness]
    found = replace(
        inner,
        witnesses=tuple(dict.fromkeys(witnesses)) or (Witness(way),),
        bindings=tuple(sorted({**dict(inner.bindings), slot: item.node}.items())),
    )
    if item.sure or inner.value is False:
        return found
    missing = item.doubts if inner.value is True else item.doubts | inner.missing
    return replace(found, value=UNKNOWN, missing=missing)


def aggregated(
    expression: Aggregate, place: str, conditions: tuple[Trace, ...], operands: tuple[Trace | None, ...]
) -> Trace:
    """Combine, for each thing of a range, whether it counts and its operand; ``place`` is where nothing was found."""
    unknown = [c for c in conditions if c.value is UNKNOWN]
    counted = [o for c, o in zip(conditions, operands, strict=True) if c.value is True and o is not None]
    unknown += [o for o in counted if o.value is UNKNOWN]
    if unknown:
        return together(UNKNOWN, unknown)
    number = sum(c.value is True for c in conditions)
    if not number and expression.of_nothing is None:
        missing = MissingFact(place, f"{expression.word} of nothing", "nothing was found")
        return Trace(UNKNOWN, missing=frozenset({missing}))
    values = [o.value for o in counted] if expression.operand is not None else [None] * number
    made = operators.aggregate(expression.word, values) if number else expression.of_nothing
    return operated(made, (*conditions, *counted))
