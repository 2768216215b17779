"""What could make a condition true or false: steps found along the very expression that decides it.

Rules:

- an expression is walked as it is evaluated: all operands of a true conjunction are needed, one of a disjunction is
  enough, every offending thing of a count must be dealt with;
- of a part that can be mended in several ways the cheapest few are kept;
- a proposal is a guess that reads well: nothing is offered before an evaluation has shown that it works;
- evidence is never taken away, and no thing is made to disappear: that would hide a finding.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import reduce
from itertools import islice, product
from typing import Any

from policy_dsl.typed import tree
from policy_dsl.typed.types import NodeType
from policy_engine.evaluation.candidate_values import candidates, sample
from policy_engine.evaluation.counting import compare
from policy_engine.evaluation.parts import parts_within
from policy_engine.evaluation.point.compile import Compiler
from policy_engine.evaluation.point.lineage import Lineage
from policy_engine.evaluation.point.run import Run
from policy_engine.evaluation.statements import stating
from policy_engine.evaluation.steps import NOTHING, Allowance, Fix, Step, StepKind, contradictory, order
from policy_engine.evaluation.supposition import (
    AddEdge,
    AddEvidence,
    AddNode,
    Change,
    RemoveEdge,
    SetFact,
    changed_world,
)
from policy_engine.evaluation.trace import UNKNOWN, Item
from policy_engine.evaluation.world import World
from policy_engine.model.evidence import Evidence
from policy_engine.model.results import Hop, value_in_words

KEPT = 6
"""How many ways to mend one part are kept. More would find remedies that are no cheaper, seldom a cheaper one."""

MOST_THINGS = 200
"""A quantifier over more things than this is not mended: nobody does so many things one by one."""

MOST_TRIES = 64
"""How many combinations of values are tried for the fields of one piece of evidence."""

GUESS = 10
"""How much more a guess takes that is tried in a world of its own than a part of an expression that is looked at."""

NEW = "new-"
"""How the ids of things begin that a remedy would bring in."""


class Proposer:
    """Proposes steps for one rule and subject in one world."""

    def __init__(self, world: World, rule: tree.Rule, subject: str, at: datetime, allowance: Allowance) -> None:
        self.world = world
        self.allowance = allowance
        self.rule = rule
        self.at = at
        self.compiler = Compiler(world.program)
        self.run = self._new_run(world, rule.slots)
        self.run.slots[rule.subject.slot] = subject
        self._values: dict[int, Callable[[Run], Any]] = {}

    def proposals(self) -> list[Fix]:
        """Return the cheapest few ways in which the rule might pass, or turn out not to apply."""
        found: list[Fix] = []
        if self.rule.where is not None and self.value(self.rule.where) is UNKNOWN:
            # What is true may put the subject out of scope. Leaving the scope by any other step is no remedy.
            found += _stating(self.make(self.rule.where, wanted=False))
            found += self.make(self.rule.where, wanted=True)
            return _best(found)
        for exemption in self.rule.exemptions:
            if self.value(exemption.condition) is UNKNOWN:
                found += _stating(self.make(exemption.condition, wanted=True))
        return _best([*found, *self.make(self.rule.requirement, wanted=True)])

    def value(self, expression: tree.Expression, run: Run | None = None) -> Any:
        """Return the value of an expression for what the slots hold, or in another run."""
        if id(expression) not in self._values:
            self._values[id(expression)] = self.compiler.value(expression)
        return self._values[id(expression)](run or self.run)

    def make(self, expression: tree.Expression, *, wanted: bool) -> list[Fix]:
        """Return the cheapest few ways to make a condition what is wanted; none when no way is known."""
        if not self.allowance.spend():
            return []
        if self.value(expression) is wanted:
            return [NOTHING]
        match expression:
            case tree.Read():
                return self._alter(expression, wanted=wanted)
            case tree.Not(operand):
                return self.make(operand, wanted=not wanted)
            case tree.And(operands) | tree.Or(operands):
                ways = [self.make(operand, wanted=wanted) for operand in operands]
                return _all(ways) if isinstance(expression, tree.And) is wanted else _any(ways)
            case tree.Known(operand):
                return self._state(operand) if wanted else []
            case tree.IfUnknown(operand, otherwise):
                first = self.make(operand, wanted=wanted)
                return _any([first, self.make(otherwise, wanted=wanted)]) if self.value(operand) is UNKNOWN else first
            case tree.Invoke():
                return self._invoke(expression, wanted=wanted)
            case tree.HasEvidence():
                return self._obtain(expression) if wanted else []
            case tree.Count():
                return self._count(expression, wanted=wanted)
            case tree.Operation():
                counted = _as_count(expression)
                if counted is not None:
                    return self._count(counted, wanted=wanted)
                return self._alter(expression, wanted=wanted)
            case tree.LatestField():
                return self._alter(expression, wanted=wanted)
            case _:
                return []

    # --- definitions and evidence ------------------------------------------------------------------------

    def _invoke(self, expression: tree.Invoke, *, wanted: bool) -> list[Fix]:
        definition = self.world.program.definitions[expression.definition]
        values = [self.value(argument) for argument in expression.arguments]
        if any(value is UNKNOWN for value in values):
            return []
        outer = self.run.slots, self.run.record
        self.run.slots, self.run.record = [*values, *[None] * (definition.slots - len(values))], None
        found = self.make(definition.body, wanted=wanted)
        self.run.slots, self.run.record = outer
        return found

    def _obtain(self, pattern: tree.HasEvidence) -> list[Fix]:
        """Return the one way to have evidence: to obtain it, with fields that the pattern accepts."""
        subject = self.run.slots[pattern.subject.slot]
        fields = _fields_read(pattern.where)
        choices = [candidates(f.attribute, self._beside(pattern.where, f), self.at) for f in fields]
        for values in islice(product(*choices), MOST_TRIES):
            chosen = {f.attribute.name: value for f, value in zip(fields, values, strict=True)}
            record = self._record(pattern, subject, chosen)
            if pattern.where is None or self._holds_of(pattern.where, record):
                return [frozenset({_obtaining(pattern, subject, record)})]
        return []

    def _record(self, pattern: tree.HasEvidence, subject: str, fields: dict[str, Any]) -> Evidence:
        roles = frozenset({pattern.role} if pattern.role else ())
        name = f"to be obtained: {pattern.type} on {subject} by {pattern.signers} {pattern.role}"
        said = "".join(f", {key} {value_in_words(value)}" for key, value in sorted(fields.items()))
        return Evidence(
            name + said, pattern.type, subject, self.at, self.at, None, fields, (roles,) * max(pattern.signers, 1)
        )

    def _holds_of(self, where: tree.Expression, record: Evidence) -> bool:
        outer, self.run.record = self.run.record, record
        try:
            return self.value(where) is True
        finally:
            self.run.record = outer

    # --- attributes --------------------------------------------------------------------------------------

    def _state(self, operand: tree.Expression) -> list[Fix]:
        """Return the way to make a value known: to state every fact that it lacks, whatever each may be."""
        steps = [
            stating(self.world, node, read.attribute, sample(read.attribute, self.at), any_value=True)
            for node, read in self._reads(operand)
            if self.world.read(node, read.attribute) is None
        ]
        return [frozenset(steps)] if steps else []

    def _alter(self, expression: tree.Expression, *, wanted: bool) -> list[Fix]:
        """Return the values of attributes and of evidence under which a comparison is what is wanted."""
        found: list[Fix] = []
        # An aggregate reads the same for every thing.
        reads = list({(node, read.attribute.name): (node, read) for node, read in self._reads(expression)}.values())
        missing = [(node, read) for node, read in reads if self.world.read(node, read.attribute) is None]
        beside = {id(read): self._beside(expression, read) for read in {id(read): read for _, read in reads}.values()}
        for group in [[pair] for pair in (missing or reads)] + ([missing] if len(missing) > 1 else []):
            choices = [
                candidates(read.attribute, beside[id(read)], self.at, self.world.read(node, read.attribute))
                for node, read in group
            ]
            for rank, values in enumerate(islice(product(*choices), MOST_TRIES)):
                changes = [SetFact(n, r.attribute.name, v) for (n, r), v in zip(group, values, strict=True)]
                if self._would_be(expression, changes) is wanted:
                    pairs = zip(group, values, strict=True)
                    found.append(frozenset(stating(self.world, n, r.attribute, v, rank) for (n, r), v in pairs))
        for field in _latest_fields(expression):
            subject = self.run.slots[field.pattern.subject.slot]
            for value in candidates(field.attribute, self._beside(expression, field), self.at):
                record = self._record(field.pattern, subject, {field.attribute.name: value})
                if self._would_be(expression, [AddEvidence(record)]) is wanted:
                    found.append(frozenset({_obtaining(field.pattern, subject, record)}))
        return _best(found)

    def _reads(self, expression: tree.Expression) -> Iterator[tuple[str, tree.Read]]:
        """Yield the attributes that an expression reads of things in view, with the thing."""
        match expression:
            case tree.Read(variable):
                yield self.run.slots[variable.slot], expression
            case tree.Operation(_, left, right):
                yield from self._reads(left)
                yield from self._reads(right)
            case tree.IfUnknown(operand, otherwise):
                yield from self._reads(operand)
                yield from self._reads(otherwise)
            case tree.SetOf(members):
                for member in members:
                    yield from self._reads(member)
            case tree.And(operands) | tree.Or(operands):
                for part in operands:
                    yield from self._reads(part)
            case tree.Not(operand) | tree.Known(operand):
                yield from self._reads(operand)
            case tree.Aggregate(_, made_of, variable, _, condition):
                for item in self.compiler.ranges.items(expression)(self.run)[:MOST_THINGS]:
                    self.run.slots[variable.slot] = item.node
                    yield from self._reads(condition)
                    if made_of is not None:
                        yield from self._reads(made_of)
            case _:
                return

    def _beside(self, expression: tree.Expression | None, read: object) -> list[Any]:
        """Return the known values that stand in an expression beside what is read: good guesses for it."""
        if expression is None or expression == read:
            return []
        match expression:
            case tree.Operation(_, left, right):
                values = [self._known(side) for side in (left, right) if side != read]
                return [*(v for v in values if v is not None), *self._beside(left, read), *self._beside(right, read)]
            case tree.And(operands) | tree.Or(operands):
                return [value for operand in operands for value in self._beside(operand, read)]
            case tree.Not(operand):
                return self._beside(operand, read)
            case _:
                return []

    def _known(self, expression: tree.Expression) -> Any:
        if any(True for _ in _fields_read(expression)):
            return None
        value = self.value(expression)
        return None if value is UNKNOWN else value

    def _would_be(self, expression: tree.Expression, changes: Iterable[Change]) -> Any:
        """Return what a condition is after changes, for the same things in view; unknown when all tries are spent."""
        if not self.allowance.spend(GUESS):
            return UNKNOWN
        run = self._new_run(changed_world(self.world, changes), len(self.run.slots))
        run.slots, run.record = list(self.run.slots), self.run.record
        return self.value(expression, run)

    # --- counts ------------------------------------------------------------------------------------------

    def _count(self, expression: tree.Count, *, wanted: bool) -> list[Fix]:
        word, number = expression.word, expression.number
        at_least, at_most = tree.CountWord.AT_LEAST, tree.CountWord.AT_MOST
        if word is tree.CountWord.EXACTLY:
            few = self._count(replace(expression, word=at_most, number=number if wanted else number - 1), wanted=True)
            more = number if wanted else number + 1
            many = self._count(replace(expression, word=at_least, number=more), wanted=True)
            return _all([few, many]) if wanted else _any([few, many])
        if not wanted:
            turned = (at_most, number - 1) if word is at_least else (at_least, number + 1)
            return self._count(replace(expression, word=turned[0], number=turned[1]), wanted=True)
        if number < 0:
            return []
        items = self.compiler.ranges.items(expression)(self.run)
        if len(items) > MOST_THINGS:
            return []
        values = [(item, self._of_item(expression, item)) for item in items]
        true = sum(value is True for _, value in values)
        unknown = sum(value is UNKNOWN for _, value in values)
        if compare(word, number, true, unknown) is True:
            return [NOTHING]
        if word is at_most:
            ways = [self._excluded(expression, item) for item, value in values if value is not False]
            return _all(_cheapest(ways, true + unknown - number))
        ways = [self._included(expression, item) for item, value in values if value is not True]
        return _all(_cheapest([*ways, *self._added(expression, {item.node for item in items})], number - true))

    def _of_item(self, expression: tree.Count, item: Item) -> Any:
        self.run.slots[expression.variable.slot] = item.node
        value = self.value(expression.condition)
        return UNKNOWN if value is True and not item.sure else value

    def _included(self, expression: tree.Count, item: Item) -> list[Fix]:
        self.run.slots[expression.variable.slot] = item.node
        return self.make(expression.condition, wanted=True)

    def _excluded(self, expression: tree.Count, item: Item) -> list[Fix]:
        """Return the ways to keep a thing from counting: by what it is, by what bars the way to it, by cutting it."""
        self.run.slots[expression.variable.slot] = item.node
        ways = self.make(expression.condition, wanted=False)
        where = expression.range
        if isinstance(where, tree.KindRange):
            return ways
        ways += self._cut(self.run.slots[where.anchor.slot], item.path)
        if isinstance(where, tree.LineageRange) and where.barrier is not None:
            ways += self._barred(where.barrier, item.path[:-1])
        return _best(ways)

    def _barred(self, barrier: tree.Barrier, path: tuple[Hop, ...]) -> list[Fix]:
        assert isinstance(barrier.variable.type, NodeType)  # noqa: S101 - the checker binds barriers to kinds
        kinds = self.world.program.schema.kinds_below(barrier.variable.type.kind)
        found: list[Fix] = []
        for hop in path:
            if self.world.snapshot.nodes[hop.node].kind in kinds:
                self.run.slots[barrier.variable.slot] = hop.node
                found += self.make(barrier.condition, wanted=True)
        return found

    def _cut(self, anchor: str, path: tuple[Hop, ...]) -> list[Fix]:
        """Return the ways to end one edge of a path; the edge nearest to the thing is the most natural."""
        found: list[Fix] = []
        before = anchor
        for number, hop in enumerate(path):
            source, edge, target = self._edge(before, hop)
            text = f"end `{source} {edge} {target}`, where {target} is not needed there"
            change = RemoveEdge(edge, source, target)
            found.append(frozenset({Step(StepKind.REWIRE, (change,), text, target, rank=len(path) - number)}))
            before = hop.node
        return found

    def _edge(self, before: str, hop: Hop) -> tuple[str, str, str]:
        """Return the edge that a hop takes, as it is in the graph: source, type, target."""
        schema, snapshot = self.world.program.schema, self.world.snapshot
        found = schema.edge_named(hop.edge or "")
        assert found is not None  # noqa: S101 - hops are named by the schema
        edge, _ = found
        forward = hop.node in snapshot.targets(before, edge.name)
        return (before, edge.name, hop.node) if forward else (hop.node, edge.name, before)

    def _added(self, expression: tree.Count, present: set[str]) -> list[list[Fix]]:
        """Return ways to have one thing more: an existing one that would count, or one brought in."""
        kind = expression.variable.type
        assert isinstance(kind, NodeType)  # noqa: S101 - the checker binds quantifiers to kinds
        kinds = self.world.program.schema.kinds_below(kind.kind)
        ways: list[list[Fix]] = []
        for node in self.world.snapshot.ids_of(kinds)[:MOST_THINGS]:
            self.run.slots[expression.variable.slot] = node
            if node not in present and self.value(expression.condition) is True:
                ways.append(self._connected(expression.range, node, self.world.snapshot.nodes[node].kind))
        new = _new_id(self.world, kind.kind)
        ways.append(self._connected(expression.range, new, kind.kind, new=True))
        return [way for way in ways if way]

    def _connected(self, where: tree.Range, node: str, kind: str, *, new: bool = False) -> list[Fix]:
        bring: tuple[Change, ...] = (AddNode(node, kind),) if new else ()
        if isinstance(where, tree.KindRange):
            edges = [("", "", "")] if new else []
        else:
            edges = list(self._possible_edges(where, node, kind))
        found: list[Fix] = []
        for edge, source, target in edges:
            link = (AddEdge(edge, source, target),) if edge else ()
            what = f"bring in one more {kind}" + (f", so that `{source} {edge} {target}`" if edge else "")
            text = what if new else f"connect `{source} {edge} {target}`, if it is so or can be made so"
            found.append(frozenset({Step(StepKind.REWIRE, (*bring, *link), text, node, rank=int(new))}))
        return found

    def _possible_edges(
        self, where: tree.PathRange | tree.LineageRange, node: str, kind: str
    ) -> Iterator[tuple[str, str, str]]:
        """Yield edges that would put a thing into a range: type, source, target."""
        schema, nodes = self.world.program.schema, self.world.snapshot.nodes
        anchor = self.run.slots[where.anchor.slot]
        if isinstance(where, tree.LineageRange):
            steps = [(anchor, edge, not where.upstream) for edge in sorted(where.edges)]
        else:
            last = where.steps[-1]
            ends = self.run.lineage.along(anchor, where.steps[:-1])
            steps = [(item.node, last.edge, last.reverse) for item in ends[:KEPT]]
        for start, edge, reverse in steps:
            source, target = (node, start) if reverse else (start, node)
            kinds = (kind, nodes[start].kind) if reverse else (nodes[start].kind, kind)
            if schema.connects(schema.edges[edge], *kinds):
                yield edge, source, target

    def _new_run(self, world: World, slots: int) -> Run:
        return Run(world, Lineage(world.snapshot, world.program.schema), slots, self.at, tracking=False)


# --- putting ways together -----------------------------------------------------------------------------------


def _best(ways: Iterable[Fix]) -> list[Fix]:
    return sorted({way for way in ways if not contradictory(way)}, key=order)[:KEPT]


def _any(alternatives: Iterable[list[Fix]]) -> list[Fix]:
    return _best(way for ways in alternatives for way in ways)


def _all(needed: Iterable[list[Fix]]) -> list[Fix]:
    return reduce(lambda done, ways: _best(a | b for a in done for b in ways), needed, [NOTHING])


def _cheapest(ways: list[list[Fix]], number: int) -> list[list[Fix]]:
    """Return as many of several sets of ways as are needed, the cheapest; one that cannot be gone, when too few can."""
    possible = sorted((way for way in ways if way), key=lambda way: order(way[0]))
    if len(possible) < number:
        return [[]]
    if number == 1:
        return [_any(possible)]
    return possible[:number]


def _stating(ways: Iterable[Fix]) -> list[Fix]:
    return [way for way in ways if all(step.kind is StepKind.STATE for step in way)]


def _as_count(operation: tree.Operation) -> tree.Count | None:
    """Return a comparison of ``count of …`` with a number as the quantifier that says the same."""
    left, right = operation.left, operation.right
    if not (isinstance(left, tree.Aggregate) and left.word is tree.AggregateWord.COUNT):
        return None
    if not (isinstance(right, tree.Constant) and type(right.value) is int):
        return None
    least, most = tree.CountWord.AT_LEAST, tree.CountWord.AT_MOST
    forms = {
        tree.Operator.GREATER_OR_EQUAL: (least, right.value),
        tree.Operator.GREATER: (least, right.value + 1),
        tree.Operator.LESS_OR_EQUAL: (most, right.value),
        tree.Operator.LESS: (most, right.value - 1),
        tree.Operator.EQUAL: (tree.CountWord.EXACTLY, right.value),
    }
    if operation.operator not in forms:
        return None
    word, number = forms[operation.operator]
    return tree.Count(word, number, left.variable, left.range, left.condition)


def _fields_read(expression: object) -> list[tree.Field]:
    """Return the fields of evidence that a condition reads, each once."""
    found = [part for part in parts_within(expression) if isinstance(part, tree.Field)]
    return list({part.attribute.name: part for part in found}.values())


def _latest_fields(expression: object) -> list[tree.LatestField]:
    return [part for part in parts_within(expression) if isinstance(part, tree.LatestField)]


def _obtaining(pattern: tree.HasEvidence, subject: str, record: Evidence) -> Step:
    signed = ""
    if pattern.role is not None:
        signed = (
            f", signed by {pattern.role}" if pattern.signers < 2 else f", signed by {pattern.signers} {pattern.role}s"
        )
    said = "".join(f", showing {name} {value_in_words(value)}" for name, value in sorted(record.fields.items()))
    text = f"obtain evidence `{pattern.type}` on {subject}{signed}{said}"
    return Step(StepKind.OBTAIN, (AddEvidence(record),), text, subject, (pattern.role,) if pattern.role else ())


def _new_id(world: World, kind: str) -> str:
    number = 1
    while f"{NEW}{kind.lower()}-{number}" in world.snapshot.nodes:
        number += 1
    return f"{NEW}{kind.lower()}-{number}"
