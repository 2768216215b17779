"""Syntax tree → checked tree for expressions: names resolved, types checked, sugar removed.

A method returns nothing where a mistake was reported, so that one mistake is reported once.
"""

from collections.abc import Callable
from decimal import Decimal

from policy_dsl.diagnostics import Diagnostics, Label, did_you_mean
from policy_dsl.resolved.symbols import NamedDeclaration, Pack, Symbols
from policy_dsl.source import Span
from policy_dsl.syntax import ast
from policy_dsl.typed import tree
from policy_dsl.typed.nesting import MAX_BETWEENS, nested_betweens
from policy_dsl.typed.operations import Typed
from policy_dsl.typed.quantifiers import Quantifiers, Scope
from policy_dsl.typed.references import Sort
from policy_dsl.typed.schema import Attribute, EvidenceType, Schema
from policy_dsl.typed.types import EnumType, NodeType, SetType, Simple, Type

DefinitionOf = Callable[[Pack, ast.Define], tree.Definition | None]


EVERY_EVIDENCE = {name: Attribute(name, Simple.INSTANT) for name in ("issued", "expires")}
"""What every piece of evidence has besides the fields of its type."""


class ExpressionChecker(Quantifiers):
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
        super().__init__(pack, symbols, schema, diagnostics, scope)
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
            case ast.Aggregate():
                return self.aggregate(expression)
            case ast.LatestField():
                return self.latest_field(expression)

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
        # The operand is checked once, or nested intervals would take exponential time.
        pair = self.pair(operand, low)
        last = self.check(high, _item_type(pair[0]) if pair else None)
        if pair is None or last is None:
            return None
        if nested_betweens(operand) >= MAX_BETWEENS:
            message = f"`between` is nested more than {MAX_BETWEENS} deep in the value that it compares"
            self.diagnostics.error("PE1010", message, span, help="put the inner ones into a definition")
            return None
        # Both comparisons hold the operand, and each evaluates it: nesting doubles the work, so it is bounded.
        parts = [self.operation(at_least, *pair), self.operation(at_most, pair[0], last)]
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
            self.symbols.references.note(name.span, Sort.FIELD, name.text, fields.name)
            return Typed(tree.Field(attribute), attribute.type)
        if name.text in self.scope.variables:
            variable, declared = self.scope.variables[name.text]
            self.symbols.references.note(name.span, Sort.VARIABLE, name.text, declared=declared)
            return Typed(variable, variable.type)
        found = self.symbols.find(self.pack, "value", name.text)
        if found:
            return self.parameter(name, found)
        if isinstance(expected, EnumType):
            if name.text in expected.members:
                self.symbols.references.note(name.span, Sort.MEMBER, name.text, expected.name)
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
        sort = Sort.DEFINITION if isinstance(declaration, ast.Define) else Sort.PARAMETER
        self.symbols.references.note(name.span, sort, declaration.name.text, pack.name)
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
        variable, declared = found
        self.symbols.references.note(name.span, Sort.VARIABLE, name.text, declared=declared)
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
            self.symbols.references.note(name.span, Sort.ATTRIBUTE, name.text, kind.name)
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
        sort = Sort.DEFINITION if isinstance(declaration, ast.Define) else Sort.PARAMETER
        self.symbols.references.note(call.name.span, sort, declaration.name.text, pack.name)
        if not isinstance(declaration, ast.Define):
            self.diagnostics.error(
                "PE2104", f"`{call.name.text}` is a parameter and takes no arguments", call.name.span
            )
            return None
        definition = self.definition_of(pack, declaration)
        # A formal's type lets a bare word be a member of its enumeration.
        wanted = [f.type for f in definition.formals] if definition is not None else []
        arguments = [self.check(a, wanted[i] if i < len(wanted) else None) for i, a in enumerate(call.arguments)]
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

        from policy_dsl.values import Duration, Money

        types: list[tuple[type, Simple]] = [
            (bool, Simple.BOOLEAN),
            (int, Simple.INTEGER),
            (Decimal, Simple.NUMBER),
            (str, Simple.TEXT),
            (datetime, Simple.INSTANT),
            (date, Simple.DATE),
            (Duration, Simple.DURATION),
            (Money, Simple.MONEY),
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
        self.symbols.references.note(pattern.type.span, Sort.EVIDENCE, evidence.name)
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
        if role is not None:
            self.symbols.references.note(role.span, Sort.ROLE, role.text)
        age = self.max_age(pattern.max_age) if pattern.max_age is not None else None
        where = self.field_condition(evidence, pattern.where) if pattern.where is not None else None
        if (age is None) != (pattern.max_age is None) or (where is None) != (pattern.where is None):
            return None
        checked = tree.HasEvidence(
            subject, evidence.name, role.text if role else None, max(1, pattern.signers), age, where
        )
        return Typed(checked, Simple.BOOLEAN)

    def latest_field(self, expression: ast.LatestField) -> Typed | None:
        """Check a field of the youngest evidence that counts; ``issued`` and ``expires`` are fields of any evidence."""
        subject = self.thing(expression.subject)
        found = self.evidence(subject, expression.pattern) if subject is not None else None
        if found is None:
            return None
        assert isinstance(found.tree, tree.HasEvidence)  # noqa: S101 - `evidence` returns such trees only
        fields = {**self.schema.evidence[found.tree.type].fields, **EVERY_EVIDENCE}
        attribute = fields.get(expression.field.text)
        if attribute is None:
            hint = did_you_mean(expression.field.text, fields)
            message = f"evidence `{found.tree.type}` has no field `{expression.field.text}`"
            self.diagnostics.error("PE2006", message, expression.field.span, help=hint)
            return None
        self.symbols.references.note(expression.field.span, Sort.FIELD, attribute.name, found.tree.type)
        return Typed(tree.LatestField(attribute, found.tree), attribute.type)

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


def _item_type(typed: Typed | None) -> Type | None:
    if typed is None:
        return None
    return typed.type.item if isinstance(typed.type, SetType) else typed.type
