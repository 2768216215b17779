"""The reference evaluator: what policies mean, written to be obviously right and as slow as it likes.

It walks the checked tree over a networkx graph, looks at every operand and every thing, and remembers nothing.
It is the oracle that every other evaluator must agree with: on status, grounds, missing facts, paths and
``valid_until``.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import networkx as nx

from policy_dsl.typed import tree
from policy_dsl.typed.types import NodeType
from policy_dsl.values import Value, add
from policy_engine.evaluation import counting, operators
from policy_engine.evaluation.instants import earlier, turn_of
from policy_engine.evaluation.trace import (
    UNKNOWN,
    Item,
    Trace,
    aggregated,
    called,
    found_at,
    junction,
    operated,
    together,
)
from policy_engine.evaluation.verdicts import Decision, decide
from policy_engine.evaluation.world import World
from policy_engine.lineage.networkx_graph import to_networkx
from policy_engine.model.evidence import Evidence
from policy_engine.model.results import FactRead, Hop, MissingFact, value_in_words

Bindings = dict[int, str | object]


class ReferenceEvaluator:
    """Evaluates rules one by one over a networkx graph."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.graph: nx.MultiDiGraph[str] = to_networkx(world.snapshot)

    def evaluate(self, rule: tree.Rule, subject: str, at: datetime) -> Decision:
        """Return what a rule says about a subject at an instant."""
        return decide(rule, at, lambda expression, when: self._trace(expression, {rule.subject.slot: subject}, when))

    def _trace(self, expression: tree.Expression, bindings: Bindings, at: datetime) -> tuple[Trace, datetime | None]:
        walk = _Walk(self.world, self.graph, at)
        return walk.trace(expression, bindings, None), walk.horizon


class _Walk:
    """One walk at one instant; ``horizon`` is the first instant at which something it saw may change."""

    def __init__(self, world: World, graph: "nx.MultiDiGraph[str]", at: datetime) -> None:
        self.world = world
        self.graph = graph
        self.at = at
        self.horizon: datetime | None = None

    def trace(self, expression: tree.Expression, bindings: Bindings, evidence: Evidence | None) -> Trace:
        match expression:
            case tree.Constant(value):
                return Trace(value)
            case tree.Moment(date_only):
                return Trace(self.at.date() if date_only else self.at)
            case tree.Variable(slot):
                return Trace(bindings[slot])
            case tree.ParameterValue(name):
                return Trace(self.world.program.parameters[name])
            case tree.Read(variable, attribute):
                node = str(bindings[variable.slot])
                return self.fact(
                    node, attribute.name, self.world.read(node, attribute), self.world.why_missing(node, attribute.name)
                )
            case tree.Field(attribute):
                assert evidence is not None  # noqa: S101 - the checker allows fields in evidence conditions only
                name = f"evidence {evidence.type}.{attribute.name}"
                return self.fact(
                    evidence.subject, name, evidence.fields.get(attribute.name, attribute.default), "not stated"
                )
            case tree.Invoke(name, arguments):
                definition = self.world.program.definitions[name]
                values = [self.trace(a, bindings, evidence) for a in arguments]
                if any(v.value is UNKNOWN for v in values):
                    return together(UNKNOWN, [v for v in values if v.value is UNKNOWN])
                inner = {f.slot: v.value for f, v in zip(definition.formals, values, strict=True)}
                return called(self.trace(definition.body, inner, None), values)
            case tree.Operation():
                return self.operation(expression, bindings, evidence)
            case tree.SetOf(members):
                parts = [self.trace(m, bindings, evidence) for m in members]
                unknown = [p for p in parts if p.value is UNKNOWN]
                return together(UNKNOWN, unknown) if unknown else together(frozenset(p.value for p in parts), parts)
            case tree.Not(operand):
                inner_trace = self.trace(operand, bindings, evidence)
                return inner_trace if inner_trace.value is UNKNOWN else inner_trace.valued(not inner_trace.value)
            case tree.And(operands):
                return junction(tuple(self.trace(o, bindings, evidence) for o in operands), all_of=True)
            case tree.Or(operands):
                return junction(tuple(self.trace(o, bindings, evidence) for o in operands), all_of=False)
            case tree.Known(operand):
                return self.known(self.trace(operand, bindings, evidence))
            case tree.IfUnknown(operand, otherwise):
                first = self.trace(operand, bindings, evidence)
                return self.trace(otherwise, bindings, evidence) if first.value is UNKNOWN else first
            case tree.HasEvidence():
                return self.has_evidence(expression, bindings, evidence)
            case tree.Aggregate():
                return self.aggregate(expression, bindings, evidence)
            case tree.LatestField():
                return self.latest_field(expression, bindings, evidence)
            case tree.Count(word, number, variable, _, condition):
                anchor, items = self.items(expression, bindings, evidence)
                traces = [
                    found_at(
                        item,
                        anchor,
                        variable.slot,
                        self.trace(condition, {**bindings, variable.slot: item.node}, evidence),
                    )
                    for item in items
                ]
                return counting.count(word, number, tuple(traces))

    def fact(self, node: str, attribute: str, value: Value | None, why_missing: str) -> Trace:
        if value is None:
            return Trace(UNKNOWN, missing=frozenset({MissingFact(node, attribute, why_missing)}))
        return Trace(value, facts=frozenset({FactRead(node, attribute, value_in_words(value))}))

    def aggregate(self, expression: tree.Aggregate, bindings: Bindings, evidence: Evidence | None) -> Trace:
        anchor, items = self.items(expression, bindings, evidence)
        conditions, operands = [], []
        for item in items:
            inner = {**bindings, expression.variable.slot: item.node}
            found = self.trace(expression.condition, inner, evidence)
            conditions.append(found_at(item, anchor, expression.variable.slot, found))
            operands.append(self.trace(expression.operand, inner, evidence) if expression.operand is not None else None)
        return aggregated(expression, anchor or "", tuple(conditions), tuple(operands))

    def latest_field(self, expression: tree.LatestField, bindings: Bindings, evidence: Evidence | None) -> Trace:
        pattern, name = expression.pattern, expression.attribute.name
        subject = str(bindings[pattern.subject.slot])
        max_age = self.trace(pattern.max_age, bindings, evidence) if pattern.max_age is not None else None
        youngest: Evidence | None = None
        for record, in_time in self.counting(pattern, subject, max_age):
            if in_time is UNKNOWN:
                assert max_age is not None  # noqa: S101 - only an unknown age leaves time open
                return max_age
            youngest = record if in_time else youngest
        label = f"evidence {pattern.type}.{name}"
        if youngest is None:
            missing = MissingFact(subject, f"evidence {pattern.type}", "none that counts")
            return Trace(UNKNOWN, missing=frozenset({missing}))
        found = self.fact(subject, label, youngest.field(name, expression.attribute.default), "not stated")
        return replace(found, evidence=frozenset({youngest.digest}))

    def known(self, inner: Trace) -> Trace:
        if inner.value is not UNKNOWN:
            return inner.valued(True)
        absent = frozenset(FactRead(m.node, m.attribute, m.reason) for m in inner.missing)
        return Trace(False, facts=absent)

    def operation(self, expression: tree.Operation, bindings: Bindings, evidence: Evidence | None) -> Trace:
        left = self.trace(expression.left, bindings, evidence)
        right = self.trace(expression.right, bindings, evidence)
        unknown = [t for t in (left, right) if t.value is UNKNOWN]
        if unknown:
            return together(UNKNOWN, unknown)
        if expression.timed:
            turn = turn_of(expression, lambda part: self.trace(part, bindings, evidence).value, self.at)
            self.horizon = earlier(self.horizon, turn)
        return operated(operators.apply(expression.operator, left.value, right.value), (left, right))

    def has_evidence(self, pattern: tree.HasEvidence, bindings: Bindings, evidence: Evidence | None) -> Trace:
        subject = str(bindings[pattern.subject.slot])
        max_age = self.trace(pattern.max_age, bindings, evidence) if pattern.max_age is not None else None
        traces = []
        for record, in_time in self.counting(pattern, subject, max_age):
            conditions = [Trace(True, evidence=frozenset({record.digest}))]
            if max_age is not None:
                conditions.append(max_age if in_time is UNKNOWN else max_age.valued(in_time))
            if pattern.where is not None:
                conditions.append(self.trace(pattern.where, bindings, record))
            traces.append(junction(tuple(conditions), all_of=True))
        none = Trace(False, facts=frozenset({FactRead(subject, f"evidence {pattern.type}", "none that counts")}))
        return junction((*traces, none), all_of=False)

    def counting(
        self, pattern: tree.HasEvidence, subject: str, max_age: Trace | None
    ) -> Iterator[tuple[Evidence, object]]:
        """Yield the evidence with the right signers that counts now, oldest first, and whether it is young enough."""
        for record in self.world.evidence.about(subject, pattern.type):
            limits = [record.counts_from, record.counts_until]
            in_time: object = True
            if max_age is not None and max_age.value is not UNKNOWN:
                limit = _instant(add(record.issued, max_age.value))
                limits.append(limit)
                in_time = self.at < limit
            elif max_age is not None:
                in_time = UNKNOWN
            for limit_at in limits:
                if limit_at is not None and limit_at > self.at:
                    self.horizon = earlier(self.horizon, limit_at)
            begun = record.counts_from <= self.at
            ended = record.counts_until is not None and record.counts_until <= self.at
            if begun and not ended and (pattern.role is None or record.signed_by(pattern.role) >= pattern.signers):
                yield record, in_time

    # --- ranges --------------------------------------------------------------------------------------

    def items(
        self, count: tree.Count | tree.Aggregate, bindings: Bindings, evidence: Evidence | None
    ) -> tuple[str | None, list[Item]]:
        """Return the anchor of a range and the things in it, nearest first, then by id."""
        kind = count.variable.type
        assert isinstance(kind, NodeType)  # noqa: S101 - the checker binds quantifiers to kinds
        kinds = self.world.program.schema.kinds_below(kind.kind)
        match count.range:
            case tree.KindRange():
                return None, [Item(n, ()) for n in sorted(self.graph) if self.graph.nodes[n]["kind"] in kinds]
            case tree.PathRange(anchor, steps):
                node = str(bindings[anchor.slot])
                return node, [i for i in self.path(node, steps) if self.graph.nodes[i.node]["kind"] in kinds]
            case tree.LineageRange() as lineage:
                node = str(bindings[lineage.anchor.slot])
                found = self.lineage(lineage, node, bindings, evidence)
                return node, [i for i in found if self.graph.nodes[i.node]["kind"] in kinds]

    def neighbours(self, node: str, edges: frozenset[str], *, upstream: bool) -> list[tuple[str, str, str]]:
        """Return (node reached, edge type, name of the edge in this direction) one step away."""
        schema = self.world.program.schema
        if upstream:
            return [(far, key, key) for _, far, key in self.graph.out_edges(node, keys=True) if key in edges]
        return [
            (far, key, schema.edges[key].reverse or key)
            for far, _, key in self.graph.in_edges(node, keys=True)
            if key in edges
        ]

    def path(self, anchor: str, steps: tuple[tree.PathStep, ...]) -> list[Item]:
        """Return what a path leads to, each thing by its shortest way; of equals, the one that reads first."""
        reached: dict[tuple[int, str], tuple[Hop, ...]] = {}
        waiting: dict[tuple[int, str], tuple[Hop, ...]] = {(0, anchor): ()}
        while waiting:
            # The way that is shortest, then reads first, is settled first; so no later way can be better.
            place = min(waiting, key=lambda p: (len(waiting[p]), _reading(waiting[p]), p))
            way = reached[place] = waiting.pop(place)
            at, node = place
            following = [((at + 1, node), way)] if at < len(steps) and steps[at].repeated else []
            if at < len(steps):
                step = steps[at]
                after = at if step.repeated else at + 1
                for far, _, label in self.neighbours(node, frozenset({step.edge}), upstream=not step.reverse):
                    following.append(((after, far), (*way, Hop(label, far))))
            for next_place, next_way in following:
                known = waiting.get(next_place)
                better = known is None or (len(next_way), _reading(next_way)) < (len(known), _reading(known))
                if next_place not in reached and better:
                    waiting[next_place] = next_way
        ends = [(len(way), node, way) for (at, node), way in reached.items() if at == len(steps)]
        return [Item(node, way) for _, node, way in sorted(ends, key=lambda e: e[:2])]

    def lineage(
        self, lineage: tree.LineageRange, anchor: str, bindings: Bindings, evidence: Evidence | None
    ) -> list[Item]:
        barred = {n: self.barred(lineage.barrier, n, bindings, evidence) for n in self.graph}
        surely = self.reach(lineage, anchor, {n for n in self.graph if barred[n].value is False})
        maybe = self.reach(lineage, anchor, {n for n in self.graph if barred[n].value is not True})
        doubtful = [n for n in maybe if barred[n].value is UNKNOWN and n != anchor]
        doubts = frozenset[MissingFact]().union(*(barred[n].missing for n in doubtful))
        items = [(len(path), node, Item(node, path)) for node, path in surely.items()]
        items += [
            (len(path), node, Item(node, path, False, doubts)) for node, path in maybe.items() if node not in surely
        ]
        return [item for _, _, item in sorted(items, key=lambda i: i[:2])]

    def barred(self, barrier: tree.Barrier | None, node: str, bindings: Bindings, evidence: Evidence | None) -> Trace:
        if barrier is None:
            return Trace(False)
        kind = barrier.variable.type
        assert isinstance(kind, NodeType)  # noqa: S101 - the checker binds barriers to kinds
        if not self.world.program.schema.is_a(self.graph.nodes[node]["kind"], kind.kind):
            return Trace(False)
        return self.trace(barrier.condition, {**bindings, barrier.variable.slot: node}, evidence)

    def reach(self, lineage: tree.LineageRange, anchor: str, passable: set[str]) -> dict[str, tuple[Hop, ...]]:
        """Return the shortest path to each thing reached; of equals, the one over the smallest node before it."""
        paths: dict[str, tuple[Hop, ...]] = {}
        level: dict[str, tuple[Hop, ...]] = {anchor: ()}
        distance = 0
        while level and (lineage.hops is None or distance < lineage.hops):
            distance += 1
            following: dict[str, tuple[str, str, tuple[Hop, ...]]] = {}
            for node, path in level.items():
                if distance > 1 and node not in passable:
                    continue
                for far, edge, label in self.neighbours(node, lineage.edges, upstream=lineage.upstream):
                    candidate = (node, edge, (*path, Hop(label, far)))
                    if far not in paths and (far not in following or candidate[:2] < following[far][:2]):
                        following[far] = candidate
            level = {far: path for far, (_, _, path) in following.items()}
            paths |= level
            level.pop(anchor, None)  # the anchor was the first thing gone out from
        return paths


def _reading(way: tuple[Hop, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((hop.node, hop.edge or "") for hop in way)


def _instant(value: object) -> datetime:
    assert isinstance(value, datetime)  # noqa: S101 - an instant moved by a duration is an instant
    return value
