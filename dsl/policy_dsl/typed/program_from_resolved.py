"""Resolved packs → the checked program that evaluators run."""

from collections.abc import Mapping
from datetime import date, datetime

from policy_dsl.diagnostics import Diagnostics, did_you_mean
from policy_dsl.resolved.symbols import Pack, Symbols
from policy_dsl.source import SourceFile, Span
from policy_dsl.syntax import ast
from policy_dsl.syntax.parser import parse
from policy_dsl.typed import tree
from policy_dsl.typed.expressions import ExpressionChecker
from policy_dsl.typed.messages import MessageChecker
from policy_dsl.typed.quantifiers import Scope, variable_name
from policy_dsl.typed.references import Sort
from policy_dsl.typed.schema import Schema
from policy_dsl.typed.schema_from_resolved import constant_of, schema_from_resolved, type_from_name
from policy_dsl.typed.tests_from_resolved import TestChecker
from policy_dsl.typed.types import NodeType, Type
from policy_dsl.values import Value, instant


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
        self.open: list[str] = []

    def program(self, overrides: Mapping[str, str]) -> tree.Program:
        packs = self.symbols.packs.values()
        rules = [
            r for p in packs for d in p.names["rule"].values() if isinstance(d, ast.Rule) and (r := self.rule(p, d))
        ]
        for pack in packs:
            for declaration in pack.names["value"].values():
                if isinstance(declaration, ast.Define):
                    self.definition(pack, declaration)
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
        value = constant_of(declaration.default, declared)
        self.symbols.references.note_constant(declaration.default, declared)
        if value is None:
            self.diagnostics.error("PE2109", f"the value is not a {declared}", declaration.default.span)
            return
        name = f"{pack.name}.{declaration.name.text}"
        values[name], types[name] = value, declared

    def override(self, name: str, text: str, values: dict[str, Value], types: dict[str, Type]) -> None:
        place = Span(f"parameter {name}", 0, len(text))
        if name not in types:
            self.diagnostics.error("PE2004", f"there is no parameter `{name}`", place, help=did_you_mean(name, types))
            return
        found = Diagnostics()
        source = SourceFile(place.file, f"parameter p: {'Text'} = {text}")
        declarations = parse(source, found).declarations
        written = declarations[0].default if declarations and isinstance(declarations[0], ast.Parameter) else None
        value = constant_of(written, types[name]) if written is not None and not found.has_errors else None
        if value is None:
            self.diagnostics.error(
                "PE2109", f"`{text}` is not a {types[name]}", place, help=f"`{name}` is declared as {types[name]}"
            )
            return
        values[name] = value

    # --- definitions -----------------------------------------------------------------------------------

    def definition(self, pack: Pack, declaration: ast.Define) -> tree.Definition | None:
        name = f"{pack.name}.{declaration.name.text}"
        if name in self.open:
            circle = " → ".join([*self.open[self.open.index(name) :], name])
            self.diagnostics.error(
                "PE2010", f"definitions use each other in a circle: `{circle}`", declaration.name.span
            )
            return None
        if name not in self.definitions:
            self.open.append(name)
            self.definitions[name] = self.new_definition(name, pack, declaration)
            self.open.pop()
        return self.definitions[name]

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


def _optional_instant(value: "date | datetime | None") -> datetime | None:
    return instant(value) if value is not None else None
