"""Syntax tree → checked tree for expressions: names resolved, types checked, sugar removed.

A method returns nothing where a mistake was reported, so that one mistake is reported once.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from policy_dsl.diagnostics import Diagnostics, Label, did_you_mean
from policy_dsl.resolved.symbols import NamedDeclaration, Pack, Symbols
from policy_dsl.source import Span
from policy_dsl.syntax import ast
from policy_dsl.typed import tree
from policy_dsl.typed.operations import Operations, Typed
from policy_dsl.typed.schema import Attribute, EvidenceType, Schema
from policy_dsl.typed.types import EnumType, NodeType, SetType, Simple, Type

DefinitionOf = Callable[[Pack, ast.Define], tree.Definition | None]


@dataclass(slots=True)
class Scope:
    """The variables that a rule or definition may name, and every slot it has used."""

    variables: dict[str, tuple[tree.Variable, Span]] = field(default_factory=dict)
    bound: list[tree.Variable] = field(default_factory=list)
    fields: EvidenceType | None = None

    def bind(self, name: str, kind: Type, span: Span) -> tree.Variable:
        """Give a name a fresh slot."""
        variable = tree.Variable(len(self.bound), name, kind)
        self.bound.append(variable)
        self.variables[name] = (variable, span)
        return variable


class ExpressionChecker(Operations):
    """Checks the expressions of one rule, definition or parameter of a pack."""

    def __init__(
        self,
        pack: Pack,
        symbols: Symbols,
        schema: Schema,
        diagnostics: Diagnostics,
        scope: Scope,
        definition_of: DefinitionOf,
    ) -> None:
        super().__init__(diagnostics)
        self.pack = pack
        self.symbols = symbols
        self.schema = schema
        self.scope = scope
        self.definition_of = definition_of

    # --- entry points --------------------------------------------------------------------------------

    def condition(self, expression: ast.Expression) -> tree.Expression | None:
        """Check an expression that must be true, false or unknown."""
        typed = self.check(expression)
        if typed is None:
            return None
        if typed.type is not Simple.BOOLEAN:
            message = f"a condition is expected, and this is of type {typed.type}"
            hint = "compare it with something, or ask whether it `is known`"
            self.diagnostics.error("PE2101", message, expression.span, help=hint)
            return None
        return typed.tree

    def check(self, expression: ast.Expression, expected: Type | None = None) -> Typed | None:
        """Check an expression; ``expected`` lets a bare word be a member of an enumeration."""
        match expression:
            case ast.Literal(value, span):
                return self.literal(value, span)
            case ast.Now(date_only, _):
                return Typed(tree.Moment(date_only), Simple.DATE if date_only else Simple.INSTANT, timed=True)
            case ast.Name(name, _):
                return self.name(name, expected)
            case ast.Path():
                return self.path(expression)
            case ast.Call():
                return self.call(expression)
            case ast.SetLiteral():
                return self.set_literal(expression, expected)
            case ast.Not(operand, _):
                inner = self.condition(operand)
                return Typed(tree.Not(inner), Simple.BOOLEAN) if inner is not None else None
            case ast.Negative(operand, span):
                return self.negative(self.check(operand), span)
            case ast.Junction(all_of, operands, _):
                parts = [self.condition(o) for o in operands]
                if any(p is None for p in parts):
                    return None
                known = tuple(p for p in parts if p is not None)
                return Typed(tree.And(known) if all_of else tree.Or(known), Simple.BOOLEAN)
            case ast.Known(operand, negated, _):
                inner_typed = self.check(operand)
                if inner_typed is None:
                    return None
                test: tree.Expression = tree.Known(inner_typed.tree)
                return Typed(tree.Not(test) if negated else test, Simple.BOOLEAN)
            case ast.Between(operand, low, high, span):
                return self.between(operand, low, high, span)
            case ast.Binary():
                return self.binary(expression)
            case ast.HasEvidence(subject, pattern, _):
                variable = self.thing(subject)
                return self.evidence(variable, pattern) if variable is not None else None
            case ast.Quantified():
                return self.quantified(expression)

    def pair(self, left: ast.Expression, right: ast.Expression) -> tuple[Typed, Typed] | None:
        """Check two operands, each of which may give the other its enumeration."""
        bare_left, bare_right = self.is_bare(left), self.is_bare(right)
        if bare_left and not bare_right:
            second = self.check(right)
            first = self.check(left, _item_type(second)) if second is not None else None
        else:
            first = self.check(left)
            # A bare word beside a mistake may well be a member of the enumeration that the mistake hides.
            second = self.check(right, _item_type(first)) if first is not None or not bare_right else None
        return (first, second) if first is not None and second is not None else None

    def is_bare(self, expression: ast.Expression) -> bool:
        """Tell whether an expression is a word, or a set of words, that only an enumeration can explain."""
        if isinstance(expression, ast.SetLiteral):
            return any(self.is_bare(item) for item in expression.items)
        return isinstance(expression, ast.Name) and not self.is_declared(expression.name.text)

    def binary(self, expression: ast.Binary) -> Typed | None:
        """Check an operator with two operands."""
        if expression.operator is ast.BinaryOperator.IF_THEN:
            premise, conclusion = self.condition(expression.left), self.condition(expression.right)
            if premise is None or conclusion is None:
                return None
            return Typed(tree.Or((tree.Not(premise), conclusion)), Simple.BOOLEAN)
        pair = self.pair(expression.left, expression.right)
        return self.operation(expression, *pair) if pair else None

    def between(self, operand: ast.Expression, low: ast.Expression, high: ast.Expression, span: Span) -> Typed | None:
        """Check ``x between a and b`` as two comparisons."""
        at_least = ast.Binary(ast.BinaryOperator.GREATER_OR_EQUAL, operand, low, span)
        at_most = ast.Binary(ast.BinaryOperator.LESS_OR_EQUAL, operand, high, span)
        parts = [self.binary(at_least), self.binary(at_most)]
        known = tuple(p.tree for p in parts if p is not None)
        return Typed(tree.And(known), Simple.BOOLEAN) if len(known) == 2 else None

    # --- names -----------------------------------------------------------------------------------------

    def is_declared(self, name: str) -> bool:
        """Tell whether a bare word is a variable, a field or a parameter here."""
        fields = self.scope.fields
        return bool(
            name in self.scope.variables
            or (fields is not None and name in fields.fields)
            or self.symbols.find(self.pack, "value", name)
        )

    def name(self, name: ast.Identifier, expected: Type | None) -> Typed | None:
        """Check a bare word: a field of the evidence, a variable, a parameter or a member of an enumeration."""
        fields = self.scope.fields
        if fields is not None and name.text in fields.fields:
            attribute = fields.fields[name.text]
            return Typed(tree.Field(attribute), attribute.type)
        if name.text in self.scope.variables:
            variable, _ = self.scope.variables[name.text]
            return Typed(variable, variable.type)
        found = self.symbols.find(self.pack, "value", name.text)
        if found:
            return self.parameter(name, found)
        if isinstance(expected, EnumType):
            if name.text in expected.members:
                return Typed(tree.Constant(name.text), expected)
            hint = did_you_mean(name.text, expected.members) or f"{expected} is one of {', '.join(expected.members)}"
            self.diagnostics.error("PE2011", f"`{name.text}` is not a member of {expected}", name.span, help=hint)
            return None
        self.undeclared(name)
        return None

    def parameter(self, name: ast.Identifier, found: list[tuple[Pack, NamedDeclaration]]) -> Typed | None:
        """Check a name that is declared as a parameter or a definition."""
        if len(found) > 1:
            where = " and ".join(f"`{p.name}`" for p, _ in found)
            self.diagnostics.error(
                "PE2014", f"`{name.text}` is declared by {where}", name.span, help="use one of them `as` a name"
            )
            return None
        pack, declaration = found[0]
        if isinstance(declaration, ast.Define):
            hint = f"write `{name.text}(…)`"
            self.diagnostics.error(
                "PE2104", f"`{name.text}` is a definition and needs its arguments", name.span, help=hint
            )
            return None
        assert isinstance(declaration, ast.Parameter)  # noqa: S101 - the group holds parameters and definitions only
        declared = self.type_of(declaration.type, pack)
        return (
            Typed(tree.ParameterValue(f"{pack.name}.{declaration.name.text}"), declared)
            if declared is not None
            else None
        )

    def type_of(self, name: ast.TypeName, pack: Pack) -> Type | None:
        """Return the type that a name means to a pack; a mistake in it is reported where it is declared."""
        from policy_dsl.typed.schema_from_resolved import type_from_name

        return type_from_name(name, pack, self.symbols, self.schema, Diagnostics())

    def undeclared(self, name: ast.Identifier) -> None:
        """Report a name that means nothing here, unless its declaration could not be parsed."""
        if self.symbols.is_broken(self.pack, name.text):
            return
        fields = self.scope.fields.fields if self.scope.fields else ()
        hint = did_you_mean(name.text, [*self.scope.variables, *fields, *self.symbols.known(self.pack, "value")])
        self.diagnostics.error("PE2004", f"nothing here is named `{name.text}`", name.span, help=hint)

    def thing(self, name: ast.Identifier) -> tree.Variable | None:
        """Return the variable of a name that must stand for a thing of the graph."""
        found = self.scope.variables.get(name.text)
        if found is None:
            self.undeclared(name)
            return None
        variable, _ = found
        if not isinstance(variable.type, NodeType):
            self.diagnostics.error(
                "PE2103", f"`{name.text}` is a value of type {variable.type}, not a thing", name.span
            )
            return None
        return variable

    def path(self, path: ast.Path) -> Typed | None:
        """Check ``variable.attribute``, or ``alias.parameter`` of a pack used under another name."""
        if path.root.text not in self.scope.variables:
            dotted = ast.Identifier(".".join([path.root.text, *(s.text for s in path.steps)]), path.span)
            found = self.symbols.find(self.pack, "value", dotted.text)
            if found:
                return self.parameter(dotted, found)
        variable = self.thing(path.root)
        if variable is None:
            return None
        attribute = self.attribute(variable, path.steps[0])
        if attribute is None:
            return None
        if len(path.steps) > 1:
            step = path.steps[1]
            self.diagnostics.error(
                "PE2006", f"a value of type {attribute.type} has no attribute `{step.text}`", step.span
            )
            return None
        return Typed(tree.Read(variable, attribute), attribute.type)

    def attribute(self, variable: tree.Variable, name: ast.Identifier) -> Attribute | None:
        """Return an attribute of a variable's kind, or report that there is none."""
        assert isinstance(variable.type, NodeType)  # noqa: S101 - `thing` returns such variables only
        kind = self.schema.kinds.get(variable.type.kind)
        if kind is None:
            return None
        if name.text in kind.attributes:
            return kind.attributes[name.text]
        hint = did_you_mean(name.text, kind.attributes)
        if self.schema.edge_named(name.text):
            hint = f"`{name.text}` is an edge; write `some … in {variable.name}.{name.text}`"
        self.diagnostics.error("PE2006", f"no attribute `{name.text}` on {kind.name}", name.span, help=hint)
        return None

    def call(self, call: ast.Call) -> Typed | None:
        """Check ``definition(arguments)``."""
        found = self.symbols.find(self.pack, "value", call.name.text)
        if not found:
            self.undeclared(call.name)
            return None
        if len(found) > 1:
            return self.parameter(call.name, found)
        pack, declaration = found[0]
        if not isinstance(declaration, ast.Define):
            self.diagnostics.error(
                "PE2104", f"`{call.name.text}` is a parameter and takes no arguments", call.name.span
            )
            return None
        definition = self.definition_of(pack, declaration)
        arguments = [self.check(a) for a in call.arguments]
        if definition is None or any(a is None for a in arguments):
            return None
        here = Label(declaration.name.span, "declared here")
        if len(arguments) != len(definition.formals):
            message = f"`{call.name.text}` takes {len(definition.formals)} arguments, found {len(arguments)}"
            self.diagnostics.error("PE2104", message, call.span, labels=[here])
            return None
        given = [a for a in arguments if a is not None]
        for argument, formal, written in zip(given, definition.formals, call.arguments, strict=True):
            if not self.accepts(formal.type, argument.type):
                message = f"`{call.name.text}` takes a {formal.type} as `{formal.name}`, and this is a {argument.type}"
                self.diagnostics.error("PE2104", message, written.span, labels=[here])
                return None
            if argument.timed:
                self.diagnostics.error(
                    "PE2107", "the instant cannot be an argument; compare it inside the definition", written.span
                )
                return None
        return Typed(tree.Invoke(definition.name, tuple(a.tree for a in given)), definition.type)

    def accepts(self, wanted: Type, given: Type) -> bool:
        """Tell whether a value of one type may stand where another is wanted."""
        if isinstance(wanted, NodeType) and isinstance(given, NodeType):
            return self.schema.is_a(given.kind, wanted.kind)
        return wanted == given or (wanted is Simple.NUMBER and given is Simple.INTEGER)

    def literal(self, value: object, span: Span) -> Typed | None:
        """Give a literal its type."""
        from datetime import date, datetime

        from policy_dsl.values import Duration

        types: list[tuple[type, Simple]] = [
            (bool, Simple.BOOLEAN),
            (int, Simple.INTEGER),
            (Decimal, Simple.NUMBER),
            (str, Simple.TEXT),
            (datetime, Simple.INSTANT),
            (date, Simple.DATE),
            (Duration, Simple.DURATION),
        ]
        for python, simple in types:
            if isinstance(value, python):
                return Typed(tree.Constant(value), simple)  # type: ignore[arg-type]  # the list holds every scalar type
        raise TypeError(span)

    def set_literal(self, expression: ast.SetLiteral, expected: Type | None) -> Typed | None:
        """Check ``{a, b}``: values that can be compared with each other."""
        item = expected.item if isinstance(expected, SetType) else expected
        parts = [self.check(i, item) for i in expression.items]
        known = [p for p in parts if p is not None]
        if len(known) != len(parts):
            return None
        if not known:
            self.diagnostics.error("PE2102", "an empty set holds nothing to compare with", expression.span)
            return None
        first = known[0].type
        for part, written in zip(known, expression.items, strict=True):
            if isinstance(part.type, NodeType | SetType) or not self.accepts_either(first, part.type) or part.timed:
                self.diagnostics.error("PE2102", f"a set of {first} cannot hold a {part.type}", written.span)
                return None
        assert isinstance(first, Simple | EnumType)  # noqa: S101 - checked in the loop above
        return Typed(tree.SetOf(tuple(p.tree for p in known)), SetType(first))

    # --- evidence and quantifiers --------------------------------------------------------------------

    def evidence(self, subject: tree.Variable, pattern: ast.EvidencePattern) -> Typed | None:
        """Check ``has evidence …`` about a variable."""
        found = self.symbols.find(self.pack, "evidence", pattern.type.text)
        if not found or pattern.type.text not in self.schema.evidence:
            if not self.symbols.is_broken(self.pack, pattern.type.text):
                hint = did_you_mean(pattern.type.text, self.symbols.known(self.pack, "evidence"))
                self.diagnostics.error(
                    "PE2008", f"there is no evidence type `{pattern.type.text}`", pattern.type.span, help=hint
                )
            return None
        evidence = self.schema.evidence[pattern.type.text]
        assert isinstance(subject.type, NodeType)  # noqa: S101 - the caller hands in things only
        kind = subject.type.kind
        below = self.schema.kinds_below(kind)
        if evidence.subjects and not any(self.schema.kinds_below(s) & (below | {kind}) for s in evidence.subjects):
            about = " or ".join(evidence.subjects)
            message = f"evidence `{evidence.name}` is about {about}, and `{subject.name}` is a {kind}"
            self.diagnostics.error("PE2105", message, pattern.span)
            return None
        role = pattern.signed_by
        if role is not None and not self.symbols.find(self.pack, "role", role.text):
            hint = did_you_mean(role.text, self.symbols.known(self.pack, "role"))
            self.diagnostics.error("PE2009", f"there is no role `{role.text}`", role.span, help=hint)
            return None
        age = self.max_age(pattern.max_age) if pattern.max_age is not None else None
        where = self.field_condition(evidence, pattern.where) if pattern.where is not None else None
        if (age is None) != (pattern.max_age is None) or (where is None) != (pattern.where is None):
            return None
        checked = tree.HasEvidence(
            subject, evidence.name, role.text if role else None, max(1, pattern.signers), age, where
        )
        return Typed(checked, Simple.BOOLEAN)

    def max_age(self, expression: ast.Expression) -> tree.Expression | None:
        """Check the duration after ``not older than``."""
        typed = self.check(expression)
        if typed is not None and typed.type is not Simple.DURATION:
            self.diagnostics.error("PE2103", f"a duration is expected, and this is a {typed.type}", expression.span)
            return None
        return typed.tree if typed is not None else None

    def field_condition(self, evidence: EvidenceType, expression: ast.Expression) -> tree.Expression | None:
        """Check a condition over the fields of an evidence type."""
        outer, self.scope.fields = self.scope.fields, evidence
        try:
            return self.condition(expression)
        finally:
            self.scope.fields = outer

    def quantified(self, expression: ast.Quantified) -> Typed | None:
        """Check a quantifier; its variable is known in ``where`` and in what follows."""
        kind = expression.kind
        if kind.text not in self.schema.kinds or not self.symbols.find(self.pack, "type", kind.text):
            self.unknown_kind(kind)
            return None
        name = expression.binder or ast.Identifier(variable_name(kind.text), kind.span)
        found_range = self.range(expression, kind.text)
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

    def range(self, expression: ast.Quantified, kind: str) -> tree.Range | None:
        """Check where a quantifier looks, and that it can find anything there."""
        match expression.range:
            case None:
                return tree.KindRange()
            case ast.EdgeRange() as edge_range:
                return self.edge_range(edge_range, kind)
            case ast.LineageRange() as lineage:
                return self.lineage_range(lineage, kind)

    def edge_range(self, edge_range: ast.EdgeRange, kind: str) -> tree.Range | None:
        """Check ``in anchor.edge``."""
        anchor = self.thing(edge_range.anchor)
        edge = self.schema.edge_named(edge_range.edge.text)
        if edge is None:
            self.unknown_edge(edge_range.edge)
        if anchor is None or edge is None:
            return None
        found, reverse = edge
        near, far = (found.targets, found.sources) if reverse else (found.sources, found.targets)
        assert isinstance(anchor.type, NodeType)  # noqa: S101 - `thing` returns such variables only
        reached = frozenset[str]().union(*(self.schema.kinds_below(k) for k in far))
        starts = frozenset[str]().union(*(self.schema.kinds_below(k) for k in near))
        if not starts & self.schema.kinds_below(anchor.type.kind) or not reached & self.schema.kinds_below(kind):
            ends = f"{' or '.join(near)} to {' or '.join(far)}"
            message = f"`{edge_range.edge.text}` leads from {ends}, never from a {anchor.type} to a {kind}"
            self.diagnostics.error("PE2106", message, edge_range.span)
            return None
        return tree.EdgeRange(anchor, found.name, reverse)

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
                edges.add(edge[0].name)
        barrier = self.barrier(lineage.through) if lineage.through is not None else None
        if anchor is None or not complete or (barrier is None) != (lineage.through is None):
            return None
        assert isinstance(anchor.type, NodeType)  # noqa: S101 - `thing` returns such variables only
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


def _item_type(typed: Typed | None) -> Type | None:
    if typed is None:
        return None
    return typed.type.item if isinstance(typed.type, SetType) else typed.type


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
