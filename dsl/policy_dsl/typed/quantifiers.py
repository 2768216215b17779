"""Quantifiers and aggregates: what they range over, what each thing must meet, and that anything can be found."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from decimal import Decimal

from policy_dsl.diagnostics import Diagnostics, Label, did_you_mean
from policy_dsl.resolved.symbols import Pack, Symbols
from policy_dsl.source import Span
from policy_dsl.syntax import ast
from policy_dsl.typed import tree
from policy_dsl.typed.operations import Operations, Typed
from policy_dsl.typed.references import Sort
from policy_dsl.typed.schema import EvidenceType, Schema
from policy_dsl.typed.types import ORDERED, NodeType, Simple, Type


@dataclass(slots=True)
class Scope:
    """The variables that a rule or definition may name, and every slot it has used."""

    variables: dict[str, tuple[tree.Variable, Span]] = field(default_factory=dict)
    bound: list[tree.Variable] = field(default_factory=list)
    places: dict[tree.Variable, Span] = field(default_factory=dict)
    fields: EvidenceType | None = None

    def bind(self, name: str, kind: Type, span: Span) -> tree.Variable:
        """Give a name a fresh slot."""
        variable = tree.Variable(len(self.bound), name, kind)
        self.bound.append(variable)
        self.places[variable] = span
        self.variables[name] = (variable, span)
        return variable


class Quantifiers(Operations, ABC):
    """Checks quantifiers and aggregates; the expressions in them are checked by the class below."""

    def __init__(self, pack: Pack, symbols: Symbols, schema: Schema, diagnostics: Diagnostics, scope: Scope) -> None:
        super().__init__(diagnostics)
        self.pack = pack
        self.symbols = symbols
        self.schema = schema
        self.scope = scope

    @abstractmethod
    def condition(self, expression: ast.Expression) -> tree.Expression | None:
        """Check an expression that must be true, false or unknown."""

    @abstractmethod
    def check(self, expression: ast.Expression, expected: Type | None = None) -> Typed | None:
        """Check an expression."""

    @abstractmethod
    def thing(self, name: ast.Identifier) -> tree.Variable | None:
        """Return the variable of a name that must stand for a thing of the graph."""

    @abstractmethod
    def evidence(self, subject: tree.Variable, pattern: ast.EvidencePattern) -> Typed | None:
        """Check ``has evidence …`` about a variable."""

    def quantified(self, expression: ast.Quantified) -> Typed | None:
        """Check a quantifier; its variable is known in ``where`` and in what follows."""
        kind = expression.kind
        if not self.is_kind(kind):
            return None
        name = expression.binder or ast.Identifier(variable_name(kind.text), kind.span)
        found_range = self.range(expression.range, kind.text)
        variable, hidden = self.bind(name, kind.text)
        where = self.condition(expression.where) if expression.where is not None else None
        body = self.body(expression, variable)
        self.unbind(name, hidden)
        if found_range is None or body is None or (where is None) != (expression.where is None):
            return None
        return Typed(_count(expression, variable, found_range, where, body[0]), Simple.BOOLEAN)

    def body(self, expression: ast.Quantified, variable: tree.Variable) -> tuple[tree.Expression | None] | None:
        """Check what each thing must meet; the inner value is absent where nothing is asked but existence."""
        match expression.body:
            case None:
                if expression.word is ast.QuantifierWord.EVERY:
                    hint = "add `satisfies …` or `has evidence …`"
                    self.diagnostics.error(
                        "PE2108", "`every` needs a condition that each thing must meet", expression.span, help=hint
                    )
                    return None
                return (None,)
            case ast.EvidencePattern() as pattern:
                typed = self.evidence(variable, pattern)
                return (typed.tree,) if typed is not None else None
            case condition:
                checked = self.condition(condition)
                return (checked,) if checked is not None else None

    def bind(self, name: ast.Identifier, kind: str) -> tuple[tree.Variable, tuple[tree.Variable, Span] | None]:
        """Bind a name in the scope, and report when it hides another."""
        hidden = self.scope.variables.get(name.text)
        if hidden is not None:
            first = Label(hidden[1], "the other one")
            hint = f"name one of them, such as `{kind} as other_{name.text}`"
            message = f"`{name.text}` would hide another thing of that name"
            self.diagnostics.error("PE2013", message, name.span, help=hint, labels=[first])
        self.symbols.references.bind(name.span, Sort.VARIABLE, name.text, kind)
        return self.scope.bind(name.text, NodeType(kind), name.span), hidden

    def unbind(self, name: ast.Identifier, hidden: tuple[tree.Variable, Span] | None) -> None:
        """Take a name out of the scope again."""
        if hidden is None:
            del self.scope.variables[name.text]
        else:
            self.scope.variables[name.text] = hidden

    def unknown_kind(self, kind: ast.Identifier) -> None:
        """Report a kind that is not declared or not seen."""
        if not self.symbols.is_broken(self.pack, kind.text):
            hint = did_you_mean(kind.text, [n for n in self.symbols.known(self.pack, "type") if n in self.schema.kinds])
            if kind.text in self.schema.kinds:
                hint = "add a `use` of the pack that declares it"
            self.diagnostics.error("PE2005", f"there is no kind `{kind.text}`", kind.span, help=hint)

    def aggregate(self, expression: ast.Aggregate) -> Typed | None:
        """Check ``count of …`` and ``sum of … over …``; the value is unknown when anything in it is."""
        kind = expression.kind
        if not self.is_kind(kind):
            return None
        name = expression.binder or ast.Identifier(variable_name(kind.text), kind.span)
        found_range = self.range(expression.range, kind.text)
        variable, hidden = self.bind(name, kind.text)
        where = self.condition(expression.where) if expression.where is not None else tree.Constant(True)
        operand = self.check(expression.operand) if expression.operand is not None else None
        self.unbind(name, hidden)
        if found_range is None or where is None or (operand is None) != (expression.operand is None):
            return None
        found = self.aggregate_type(expression, operand)
        if found is None:
            return None
        word = tree.AggregateWord(expression.word.value)
        zero = Decimal(0) if found is Simple.NUMBER else 0 if found is Simple.INTEGER else None
        adds_up = expression.word in {ast.AggregateWord.COUNT, ast.AggregateWord.SUM}
        operand_tree = operand.tree if operand else None
        made = tree.Aggregate(word, operand_tree, variable, found_range, where, zero if adds_up else None)
        return Typed(made, found)

    def aggregate_type(self, expression: ast.Aggregate, operand: Typed | None) -> Type | None:
        """Return the type of an aggregate's value, or report an operand that has no sum or order."""
        if operand is None:
            return Simple.INTEGER
        summed = expression.word in {ast.AggregateWord.SUM, ast.AggregateWord.AVERAGE}
        fits = operand.type in ({Simple.INTEGER, Simple.NUMBER, Simple.MONEY} if summed else ORDERED)
        if not fits or operand.timed:
            assert expression.operand is not None  # noqa: S101 - there is a checked operand
            message = f"there is no {expression.word} of values of type {operand.type}"
            self.diagnostics.error("PE2103", message, expression.operand.span)
            return None
        average = expression.word is ast.AggregateWord.AVERAGE and operand.type is Simple.INTEGER
        return Simple.NUMBER if average else operand.type

    def is_kind(self, kind: ast.Identifier) -> bool:
        """Tell whether a name is a kind that this pack sees, and report it when not."""
        if kind.text in self.schema.kinds and self.symbols.find(self.pack, "type", kind.text):
            self.symbols.references.note(kind.span, Sort.KIND, kind.text)
            return True
        self.unknown_kind(kind)
        return False

    def range(self, written: ast.Range | None, kind: str) -> tree.Range | None:
        """Check where a quantifier looks, and that it can find anything there."""
        match written:
            case None:
                return tree.KindRange()
            case ast.PathRange():
                return self.path_range(written, kind)
            case ast.LineageRange():
                return self.lineage_range(written, kind)

    def path_range(self, path: ast.PathRange, kind: str) -> tree.Range | None:
        """Check ``in anchor.edge/edge*``: each step must start at a kind that the step before can reach."""
        anchor = self.thing(path.anchor)
        steps: list[tree.PathStep] = []
        for written in path.steps:
            edge = self.schema.edge_named(written.edge.text)
            if edge is None:
                self.unknown_edge(written.edge)
            else:
                self.symbols.references.note(written.edge.span, Sort.EDGE, written.edge.text)
                steps.append(tree.PathStep(edge[0].name, edge[1], written.repeated))
        if anchor is None or len(steps) != len(path.steps):
            return None
        assert isinstance(anchor.type, NodeType)  # noqa: S101 - `thing` returns such variables only
        here = self.schema.kinds_below(anchor.type.kind)
        for step, written in zip(steps, path.steps, strict=True):
            reached = self.after_step(here, step)
            if not reached:
                edge_type = self.schema.edges[step.edge]
                near, far = (
                    (edge_type.targets, edge_type.sources) if step.reverse else (edge_type.sources, edge_type.targets)
                )
                ends = f"from {' or '.join(near)} to {' or '.join(far)}"
                message = f"`{written.edge.text}` leads {ends}, never from a {' or '.join(sorted(here))}"
                self.diagnostics.error("PE2106", message, written.edge.span)
                return None
            here = reached
        if not here & self.schema.kinds_below(kind):
            message = f"the path leads to {' or '.join(sorted(here))}, never to a {kind}"
            self.diagnostics.error("PE2106", message, path.span)
            return None
        return tree.PathRange(anchor, tuple(steps))

    def after_step(self, here: frozenset[str], step: tree.PathStep) -> frozenset[str]:
        """Return the kinds that a step can reach from any of some kinds; a repeated step may also stay."""
        edge = self.schema.edges[step.edge]
        near, far = (edge.targets, edge.sources) if step.reverse else (edge.sources, edge.targets)
        starts = frozenset[str]().union(*(self.schema.kinds_below(k) for k in near))
        ends = frozenset[str]().union(*(self.schema.kinds_below(k) for k in far))
        reached = ends if starts & here else frozenset[str]()
        return reached | here if step.repeated else reached

    def lineage_range(self, lineage: ast.LineageRange, kind: str) -> tree.Range | None:
        """Check ``upstream of anchor via …``; edges to parts are always followed."""
        anchor = self.thing(lineage.anchor)
        edges = set(self.schema.part_edges if lineage.via else self.schema.lineage_edges)
        complete = True
        for name in lineage.via:
            edge = self.schema.edge_named(name.text)
            if edge is None:
                self.unknown_edge(name)
                complete = False
            else:
                self.symbols.references.note(name.span, Sort.EDGE, name.text)
                edges.add(edge[0].name)
        barrier = self.barrier(lineage.through) if lineage.through is not None else None
        if anchor is None or not complete or (barrier is None) != (lineage.through is None):
            return None
        assert isinstance(anchor.type, NodeType)  # noqa: S101 - `thing` returns such variables only
        if lineage.within == 0:
            self.diagnostics.error("PE2106", "nothing is within 0 hops of a thing", lineage.span)
            return None
        reached = self.reachable(anchor.type.kind, frozenset(edges), upstream=lineage.upstream)
        if not reached & self.schema.kinds_below(kind):
            way = "upstream" if lineage.upstream else "downstream"
            message = f"no {kind} can be {way} of a {anchor.type} over these edges"
            hint = f"they lead to {', '.join(sorted(reached))}" if reached else "none of them starts there"
            self.diagnostics.error("PE2106", message, lineage.span, help=hint)
            return None
        return tree.LineageRange(anchor, lineage.upstream, frozenset(edges), lineage.within, barrier)

    def barrier(self, through: ast.Through) -> tree.Barrier | None:
        """Check ``not through (Kind where …)``."""
        if through.kind.text not in self.schema.kinds:
            self.unknown_kind(through.kind)
            return None
        self.symbols.references.note(through.kind.span, Sort.KIND, through.kind.text)
        name = through.binder or ast.Identifier(variable_name(through.kind.text), through.kind.span)
        variable, hidden = self.bind(name, through.kind.text)
        condition = self.condition(through.where) if through.where is not None else tree.Constant(True)
        self.unbind(name, hidden)
        return tree.Barrier(variable, condition) if condition is not None else None

    def unknown_edge(self, name: ast.Identifier) -> None:
        """Report an edge that is not declared."""
        names = [n for e in self.schema.edges.values() for n in (e.name, e.reverse) if n]
        self.diagnostics.error(
            "PE2007", f"there is no edge `{name.text}`", name.span, help=did_you_mean(name.text, names)
        )

    def reachable(self, kind: str, edges: frozenset[str], *, upstream: bool) -> frozenset[str]:
        """Return the kinds that lineage can reach from a kind, by the schema alone."""
        reached: set[str] = set()
        frontier = set(self.schema.kinds_below(kind))
        while frontier:
            found: set[str] = set()
            for name in edges:
                edge = self.schema.edges[name]
                near, far = (edge.sources, edge.targets) if upstream else (edge.targets, edge.sources)
                if any(self.schema.kinds_below(k) & frontier for k in near):
                    found.update(*(self.schema.kinds_below(k) for k in far))
            frontier = found - reached
            reached |= found
        return frozenset(reached)


def variable_name(kind: str) -> str:
    """Return the variable that a kind binds where none is named.

    >>> variable_name("LogStore"), variable_name("MCPServer")
    ('log_store', 'mcp_server')
    """
    letters = []
    for i, letter in enumerate(kind):
        starts = (
            letter.isupper() and i > 0 and (not kind[i - 1].isupper() or (i + 1 < len(kind) and kind[i + 1].islower()))
        )
        letters.append(f"_{letter.lower()}" if starts else letter.lower())
    return "".join(letters)


def _count(
    expression: ast.Quantified,
    variable: tree.Variable,
    found: tree.Range,
    where: tree.Expression | None,
    body: tree.Expression | None,
) -> tree.Count:
    parts = [p for p in (where, body) if p is not None]
    both: tree.Expression = (
        tree.Constant(True) if not parts else parts[0] if len(parts) == 1 else tree.And(tuple(parts))
    )
    number = expression.count or 0
    match expression.word:
        case ast.QuantifierWord.EVERY:
            assert body is not None  # noqa: S101 - `body` reports an `every` without a condition
            broken: tree.Expression = tree.Not(body) if where is None else tree.And((where, tree.Not(body)))
            return tree.Count(tree.CountWord.AT_MOST, 0, variable, found, broken)
        case ast.QuantifierWord.SOME:
            return tree.Count(tree.CountWord.AT_LEAST, 1, variable, found, both)
        case ast.QuantifierWord.NO:
            return tree.Count(tree.CountWord.AT_MOST, 0, variable, found, both)
        case ast.QuantifierWord.AT_LEAST:
            return tree.Count(tree.CountWord.AT_LEAST, number, variable, found, both)
        case ast.QuantifierWord.AT_MOST:
            return tree.Count(tree.CountWord.AT_MOST, number, variable, found, both)
        case ast.QuantifierWord.EXACTLY:
            return tree.Count(tree.CountWord.EXACTLY, number, variable, found, both)
