"""Resolved packs → the checked program that evaluators run."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime

from policy_dsl.diagnostics import Diagnostics, did_you_mean
from policy_dsl.resolved.symbols import Pack, Symbols
from policy_dsl.source import SourceFile, Span
from policy_dsl.syntax import ast
from policy_dsl.syntax.parser import parse
from policy_dsl.typed import tree
from policy_dsl.typed.expressions import ExpressionChecker
from policy_dsl.typed.messages import MessageChecker
from policy_dsl.typed.nesting import MAX_HEIGHT, calls, height
from policy_dsl.typed.quantifiers import Scope, variable_name
from policy_dsl.typed.references import Sort
from policy_dsl.typed.schema import Schema
from policy_dsl.typed.schema_from_resolved import constant_of, schema_from_resolved, type_from_name
from policy_dsl.typed.tests_from_resolved import TestChecker
from policy_dsl.typed.types import NodeType, Simple, Type
from policy_dsl.values import Value, instant

_LONGEST_CIRCLE = 200


def program_from_resolved(
    symbols: Symbols, files: Mapping[str, SourceFile], diagnostics: Diagnostics, overrides: Mapping[str, str]
) -> tree.Program:
    """Check every declaration. ``overrides`` gives parameters, by full name, values as the language writes them."""
    return _Checker(symbols, files, diagnostics).program(overrides)


class _Checker:
    def __init__(self, symbols: Symbols, files: Mapping[str, SourceFile], diagnostics: Diagnostics) -> None:
        self.symbols = symbols
        self.files = files
        self.diagnostics = diagnostics
        self.schema: Schema = schema_from_resolved(symbols, diagnostics)
        self.definitions: dict[str, tree.Definition | None] = {}
        self.heights: dict[str, int] = {}

    def program(self, overrides: Mapping[str, str]) -> tree.Program:
        packs = self.symbols.packs.values()
        self.check_definitions()
        rules = [
            r for p in packs for d in p.names["rule"].values() if isinstance(d, ast.Rule) and (r := self.rule(p, d))
        ]
        parameters = self.parameters(overrides)
        tests = TestChecker(self.symbols, self.schema, self.diagnostics)
        return tree.Program(
            schema=self.schema,
            packs=tuple(self.pack_info(p) for p in packs),
            rules={r.name: r for r in sorted(rules, key=lambda r: r.name)},
            definitions={n: d for n, d in self.definitions.items() if d is not None},
            parameters=parameters,
            tests=tuple(found for p in packs for t in p.tests for found in tests.tests(p, t)),
            files=self.files,
        )

    # --- packs ---------------------------------------------------------------------------------------

    def pack_info(self, pack: Pack) -> tree.PackInfo:
        header = pack.header
        return tree.PackInfo(
            name=pack.name,
            title=header.title.text if header.title else pack.name,
            version=header.version.text if header.version else "",
            source=header.source.text if header.source else "",
            framework=header.framework.text if header.framework else pack.name,
            basis=header.basis.text if header.basis else "firm_policy",
            file=pack.file.file,
        )

    def parameters(self, overrides: Mapping[str, str]) -> dict[str, Value]:
        values: dict[str, Value] = {}
        types: dict[str, Type] = {}
        for pack in self.symbols.packs.values():
            for declaration in pack.names["value"].values():
                if isinstance(declaration, ast.Parameter):
                    self.parameter(pack, declaration, values, types)
        for name, text in overrides.items():
            self.override(name, text, values, types)
        return values

    def parameter(
        self, pack: Pack, declaration: ast.Parameter, values: dict[str, Value], types: dict[str, Type]
    ) -> None:
        declared = type_from_name(declaration.type, pack, self.symbols, self.schema, self.diagnostics)
        if declared is None:
            return
        name = f"{pack.name}.{declaration.name.text}"
        types[name] = declared
        value = constant_of(declaration.default, declared)
        self.symbols.references.note_constant(declaration.default, declared)
        if value is None:
            self.diagnostics.error("PE2109", f"the value is not a {declared}", declaration.default.span)
            return
        values[name] = value

    def override(self, name: str, text: str, values: dict[str, Value], types: dict[str, Type]) -> None:
        place = Span(f"parameter {name}", 0, len(text))
        if name not in types:
            self.diagnostics.error("PE2004", f"there is no parameter `{name}`", place, help=did_you_mean(name, types))
            return
        found = Diagnostics()
        declarations = parse(SourceFile(place.file, f"parameter p: Text = {text}"), found).declarations
        value: Value | None = None
        if not found.has_errors and len(declarations) == 1 and isinstance(declarations[0], ast.Parameter):
            value = constant_of(declarations[0].default, types[name])
        if value is None:
            self.diagnostics.error("PE2109", f"`{text}` is not a {types[name]}", place, help=_how_to_write(types[name]))
            return
        values[name] = value

    # --- definitions -----------------------------------------------------------------------------------

    def check_definitions(self) -> None:
        """Check every definition after those that it uses, so that checking one never goes into another."""
        for pack in self.symbols.packs.values():
            for declaration in pack.names["value"].values():
                if isinstance(declaration, ast.Define) and _full_name(pack, declaration) not in self.definitions:
                    self.check_definition(pack, declaration)

    def check_definition(self, pack: Pack, declaration: ast.Define) -> None:
        path = {_full_name(pack, declaration): self.uses(pack, declaration)}
        open_ones = [(pack, declaration)]
        while open_ones:
            pack, declaration = open_ones[-1]
            name = _full_name(pack, declaration)
            used = next((u for u in path[name] if _full_name(*u) not in self.definitions), None)
            if used is None:
                if name not in self.definitions:
                    self.definitions[name] = self.new_definition(name, pack, declaration)
                del path[name]
                open_ones.pop()
            elif _full_name(*used) in path:
                self.report_circle(list(path), *used)
            else:
                path[_full_name(*used)] = self.uses(*used)
                open_ones.append(used)

    def uses(self, pack: Pack, declaration: ast.Define) -> "Iterator[tuple[Pack, ast.Define]]":
        """Yield the definitions that a definition uses."""
        for name in calls(declaration.body):
            found = self.symbols.find(pack, "value", name)
            if len(found) == 1 and isinstance(found[0][1], ast.Define):
                yield found[0][0], found[0][1]

    def report_circle(self, path: list[str], pack: Pack, declaration: ast.Define) -> None:
        name = _full_name(pack, declaration)
        circle = " → ".join([*path[path.index(name) :], name])
        shown = circle if len(circle) <= _LONGEST_CIRCLE else f"{circle[:_LONGEST_CIRCLE]}…"
        self.diagnostics.error("PE2010", f"definitions use each other in a circle: `{shown}`", declaration.name.span)
        self.definitions[name] = None

    def definition(self, pack: Pack, declaration: ast.Define) -> tree.Definition | None:
        return self.definitions.get(_full_name(pack, declaration))

    def new_definition(self, name: str, pack: Pack, declaration: ast.Define) -> tree.Definition | None:
        scope = Scope()
        complete = True
        for formal in declaration.formals:
            formal_type = type_from_name(formal.type, pack, self.symbols, self.schema, self.diagnostics)
            if formal.name.text in scope.variables:
                self.diagnostics.error("PE2001", f"`{formal.name.text}` stands twice", formal.name.span)
            if formal_type is None:
                complete = False
            else:
                scope.bind(formal.name.text, formal_type, formal.name.span)
                self.symbols.references.bind(formal.name.span, Sort.VARIABLE, formal.name.text, formal_type)
        formals = tuple(scope.bound)
        if not complete:
            return None
        body = self.checker(pack, scope).check(declaration.body)
        if body is None:
            return None
        if body.timed:
            message = "a definition cannot be an instant; compare it inside the definition"
            self.diagnostics.error("PE2107", message, declaration.body.span)
            return None
        self.heights[name] = height(body.tree, self.heights)
        if self.heights[name] > MAX_HEIGHT:
            message = f"`{declaration.name.text}` is nested too deeply, counting the definitions that it uses"
            self.diagnostics.error("PE1010", message, declaration.name.span)
            return None
        return tree.Definition(name, formals, body.tree, body.type, len(scope.bound), declaration)

    def checker(self, pack: Pack, scope: Scope) -> ExpressionChecker:
        return ExpressionChecker(pack, self.symbols, self.schema, self.diagnostics, scope, self.definition)

    # --- rules -------------------------------------------------------------------------------------------

    def rule(self, pack: Pack, declaration: ast.Rule) -> tree.Rule | None:
        kind = declaration.for_each.kind
        scope = Scope()
        checker = self.checker(pack, scope)
        if not checker.is_kind(kind):
            return None
        binder = declaration.for_each.binder or ast.Identifier(variable_name(kind.text), kind.span)
        self.symbols.references.bind(binder.span, Sort.VARIABLE, binder.text, kind.text)
        subject = scope.bind(binder.text, NodeType(kind.text), binder.span)
        where = checker.condition(declaration.for_each.where) if declaration.for_each.where is not None else None
        requirement = checker.condition(declaration.requirement)
        exemptions = [(e.label.text, checker.condition(e.condition)) for e in declaration.exceptions]
        messages = self.messages(pack, scope)
        otherwise = messages.message(declaration.otherwise) if declaration.otherwise else None
        remedy = messages.message(declaration.remedy) if declaration.remedy else None
        if (
            requirement is None
            or (where is None) != (declaration.for_each.where is None)
            or any(c is None for _, c in exemptions)
        ):
            return None
        applies = declaration.applies or pack.header.applies
        basis = declaration.basis or pack.header.basis
        return tree.Rule(
            name=f"{pack.name}.{declaration.name.text}",
            pack=pack.name,
            title=declaration.title.text if declaration.title else declaration.name.text.replace("_", " "),
            citations=tuple(c.text for c in declaration.cites),
            severity=declaration.severity.text if declaration.severity else "medium",
            basis=basis.text if basis else "firm_policy",
            start=_optional_instant(applies.start) if applies else None,
            end=_optional_instant(applies.end) if applies else None,
            subject=subject,
            where=where,
            requirement=requirement,
            exemptions=tuple(tree.Exemption(label, c) for label, c in exemptions if c is not None),
            otherwise=otherwise,
            remedy=remedy,
            slots=len(scope.bound),
            span=declaration.name.span,
            syntax=declaration,
        )

    def messages(self, pack: Pack, scope: Scope) -> MessageChecker:
        variables: dict[str, list[tree.Variable]] = {}
        for variable in scope.bound:
            variables.setdefault(variable.name, []).append(variable)
        return MessageChecker(pack, self.symbols, self.schema, self.diagnostics, variables, scope.places)


def _how_to_write(wanted: Type) -> str:
    examples = {
        Simple.TEXT: '"a text in double quotes"',
        Simple.DURATION: "365 days",
        Simple.DATE: "2027-12-02",
        Simple.MONEY: "1500 EUR",
    }
    example = examples.get(wanted) if isinstance(wanted, Simple) else None
    return f"write it as in a policy, such as `{example}`" if example else f"it is declared as {wanted}"


def _full_name(pack: Pack, declaration: ast.Define) -> str:
    return f"{pack.name}.{declaration.name.text}"


def _optional_instant(value: "date | datetime | None") -> datetime | None:
    return instant(value) if value is not None else None
