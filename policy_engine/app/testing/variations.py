"""Scenes one small step away from a scene: a fact, an edge, a piece of evidence or the instant is another.

Only what a rule looks at is varied. Steps come in a fixed order, those that usually matter first.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from itertools import islice, product
from typing import Any

from policy_dsl.typed import tree
from policy_dsl.typed.quantifiers import variable_name
from policy_dsl.typed.schema import Attribute, Schema
from policy_dsl.typed.types import AttributeType, EnumType, SetType, Simple
from policy_dsl.values import Duration, Money, Value, add, instant
from policy_engine.app.testing.relevance import Relevant
from policy_engine.app.testing.scenes import Scene

_DAY = Duration(seconds=86_400)
_MOST_FIELDS = 8


class Variations:
    """The steps that make sense for what some rules look at."""

    def __init__(self, schema: Schema, relevant: Relevant) -> None:
        self.schema = schema
        self.relevant = relevant

    def of(self, scene: Scene, moments: tuple[datetime, ...] = ()) -> Iterator[Scene]:
        """Yield the scenes one step away; ``moments`` are instants worth a look."""
        yield from (replace(scene, at=at) for at in dict.fromkeys(moments) if at != scene.at)
        yield from self._attributes(scene)
        yield from self._evidence(scene)
        yield from self._edges(scene)
        yield from self._things(scene)

    def filled(self, scene: Scene) -> Iterator[Scene]:
        """Yield a scene with every fact that matters stated, as the first and as the last of its values."""
        for pick in (0, -1):
            nodes = tuple(replace(n, values={**self._picked(scene, n.kind, pick), **n.values}) for n in scene.nodes)
            if nodes != scene.nodes:
                yield replace(scene, nodes=nodes)

    def _picked(self, scene: Scene, kind: str, pick: int) -> dict[str, Value]:
        declared = self.schema.kinds[kind].attributes
        found = {
            name: self._values(scene, declared[name].type)
            for name in sorted(self.relevant.attributes & declared.keys())
        }
        return {name: values[pick] for name, values in found.items() if values}

    # --- things ------------------------------------------------------------------------------------------

    def _attributes(self, scene: Scene) -> Iterator[Scene]:
        for i, node in enumerate(scene.nodes):
            declared = self.schema.kinds[node.kind].attributes
            for name in sorted(self.relevant.attributes & declared.keys()):
                for values in _settings(node.values, declared[name], self._values(scene, declared[name].type)):
                    yield replace(scene, nodes=_put(scene.nodes, i, replace(node, values=values)))

    def _things(self, scene: Scene) -> Iterator[Scene]:
        for node in scene.nodes:
            yield without(scene, node.id)
        for node in scene.nodes:
            yield _doubled(scene, node)
        for name in self.relevant.edges:
            edge = self.schema.edges[name]
            for node in scene.nodes:
                for forward, near, far in ((True, edge.sources, edge.targets), (False, edge.targets, edge.sources)):
                    if any(self.schema.is_a(node.kind, kind) for kind in near):
                        yield from (attached(scene, node.id, kind, name, forward=forward) for kind in self._of(far))

    def _of(self, kinds: tuple[str, ...]) -> tuple[str, ...]:
        """Return what can stand at the end of an edge: of a general kind, the special ones that a rule looks for."""
        wanted = {k for kind in kinds for k in self.relevant.kinds if self.schema.is_a(k, kind)}
        return tuple(sorted(wanted | set(kinds)))

    def _edges(self, scene: Scene) -> Iterator[Scene]:
        for i in range(len(scene.edges)):
            yield replace(scene, edges=_drop(scene.edges, i))
        there = {(e.type, e.source, e.target) for e in scene.edges}
        for name in self.relevant.edges:
            for source, target in product(scene.nodes, scene.nodes):
                fits = self.schema.connects(self.schema.edges[name], source.kind, target.kind)
                if fits and (name, source.id, target.id) not in there:
                    yield replace(scene, edges=(*scene.edges, tree.EdgeGiven(name, source.id, target.id)))

    # --- evidence ------------------------------------------------------------------------------------------

    def _evidence(self, scene: Scene) -> Iterator[Scene]:
        for i, given in enumerate(scene.evidence):
            for other in self._other_evidence(scene, given):
                yield replace(scene, evidence=_put(scene.evidence, i, other))
            yield replace(scene, evidence=_drop(scene.evidence, i))
        roles = sorted(self.relevant.roles)
        for evidence_type, fields in self.relevant.fields.items():
            about = self.schema.evidence[evidence_type].subjects
            choices = [[{name: v} for v in self._values(scene, fields[name].type)] for name in fields]
            rows = islice(product(*choices), _MOST_FIELDS)
            contents = [{name: v for cell in row for name, v in cell.items()} for row in rows]
            for node in scene.nodes:
                if about and not any(self.schema.is_a(node.kind, kind) for kind in about):
                    continue
                for signers in ((), *((r,) for r in roles), *((r, r) for r in roles)):
                    for content in ({}, *(contents if fields else ())):
                        new = tree.EvidenceGiven(evidence_type, node.id, scene.at, None, signers, content)
                        yield replace(scene, evidence=(*scene.evidence, new))

    def _other_evidence(self, scene: Scene, given: tree.EvidenceGiven) -> Iterator[tree.EvidenceGiven]:
        others = ((), *((r,) for r in sorted(self.relevant.roles)), given.roles[:1], (*given.roles, *given.roles[:1]))
        for signers in dict.fromkeys(others):
            if signers != given.roles:
                yield replace(given, roles=signers)
        if given.issued != scene.at:
            yield replace(given, issued=scene.at)
        for attribute in self.relevant.fields.get(given.type, {}).values():
            for fields in _settings(given.fields, attribute, self._values(scene, attribute.type)):
                yield replace(given, fields=fields)
        if given.expires is not None:
            yield replace(given, expires=None)

    # --- values --------------------------------------------------------------------------------------------

    def _values(self, scene: Scene, wanted: AttributeType) -> tuple[Value, ...]:
        """Return values of a type that tell rules apart: those they name, and those next to them."""
        constants = self.relevant.constants
        match wanted:
            case Simple.BOOLEAN:
                return (True, False)
            case EnumType(_, members):
                return members
            case SetType(item):
                return tuple(frozenset({v}) for v in self._values(scene, item) if not isinstance(v, frozenset))
            case Simple.TEXT:
                texts = sorted(constants[str])
                return (*texts, *(t.replace("*", "").replace("?", "x") + "-more" for t in texts), "other")
            case Simple.INTEGER | Simple.NUMBER:
                named = {Decimal(n) for n in (*constants[int], *constants[Decimal])}
                near = sorted({m for n in named | set(_numbers(scene)) | {Decimal(0)} for m in _around(n)})
                return tuple(int(n) for n in near if n == int(n)) if wanted is Simple.INTEGER else tuple(near)
            case Simple.DATE | Simple.INSTANT:
                days = {instant(d) for d in (*constants[date], *constants[datetime])} | {scene.at}
                days |= {instant(add(scene.at, -d)) for d in constants[Duration]}
                around = sorted({instant(add(d, step)) for d in days for step in (Duration(), _DAY, -_DAY)})
                return tuple(d.date() for d in around) if wanted is Simple.DATE else tuple(around)
            case Simple.MONEY:
                sums = sorted(constants[Money], key=str)
                return tuple(Money(amount, m.currency) for m in sums for amount in _around(m.amount))
            case Simple.DURATION:
                return tuple(sorted(constants[Duration], key=str))


def without(scene: Scene, node: str) -> Scene:
    """Return a scene without a thing, its edges and its evidence."""
    return Scene(
        scene.at,
        tuple(n for n in scene.nodes if n.id != node),
        tuple(e for e in scene.edges if node not in {e.source, e.target}),
        tuple(e for e in scene.evidence if e.subject != node),
    )


def _doubled(scene: Scene, node: tree.NodeGiven) -> Scene:
    """Return a scene with a second thing like one of its things, with the same edges and evidence."""
    copy = _free_name(scene, node.id)
    turned = [
        replace(e, source=copy if e.source == node.id else e.source, target=copy if e.target == node.id else e.target)
        for e in scene.edges
        if node.id in {e.source, e.target}
    ]
    evidence = [replace(e, subject=copy) for e in scene.evidence if e.subject == node.id]
    return Scene(
        scene.at, (*scene.nodes, replace(node, id=copy)), (*scene.edges, *turned), (*scene.evidence, *evidence)
    )


def attached(scene: Scene, node: str, kind: str, edge: str, *, forward: bool) -> Scene:
    """Return a scene with a new thing at the other end of a new edge."""
    name = _free_name(scene, variable_name(kind))
    new = tree.EdgeGiven(edge, node, name) if forward else tree.EdgeGiven(edge, name, node)
    return replace(scene, nodes=(*scene.nodes, tree.NodeGiven(name, kind, {})), edges=(*scene.edges, new))


def _free_name(scene: Scene, base: str) -> str:
    taken = {n.id for n in scene.nodes}
    return next(name for i in range(2, len(taken) + 3) if (name := f"{base}_{i}") not in taken)


def _settings(now: Mapping[str, Value], attribute: Attribute, values: tuple[Value, ...]) -> Iterator[dict[str, Value]]:
    """Yield the facts of a thing with one of them not stated, or stated otherwise."""
    rest = {name: value for name, value in now.items() if name != attribute.name}
    if attribute.name in now:
        yield rest
    yield from ({**rest, attribute.name: value} for value in values if value != now.get(attribute.name))


def _numbers(scene: Scene) -> Iterator[Decimal]:
    for values in (*(n.values for n in scene.nodes), *(e.fields for e in scene.evidence)):
        yield from (Decimal(v) for v in values.values() if isinstance(v, int | Decimal) and not isinstance(v, bool))


def _around(number: Decimal) -> tuple[Decimal, ...]:
    """Return a number and its neighbours by the last digit."""
    exponent = number.as_tuple().exponent
    unit = Decimal(1).scaleb(exponent if isinstance(exponent, int) and exponent < 0 else 0)
    return (number, number + unit, number - unit)


def _put(items: tuple[Any, ...], at: int, item: Any) -> tuple[Any, ...]:
    return (*items[:at], item, *items[at + 1 :])


def _drop(items: tuple[Any, ...], at: int) -> tuple[Any, ...]:
    return items[:at] + items[at + 1 :]
