"""Declared kinds, edges, evidence types, enumerations and roles → the checked schema."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

from policy_dsl.diagnostics import Diagnostics, Label, did_you_mean
from policy_dsl.resolved.symbols import NamedDeclaration, Pack, Symbols
from policy_dsl.syntax import ast
from policy_dsl.typed.references import Sort
from policy_dsl.typed.schema import Attribute, EdgeType, EvidenceType, Flow, Kind, Schema
from policy_dsl.typed.types import AttributeType, EnumType, NodeType, SetType, Simple, Type
from policy_dsl.values import Duration, Money, Scalar, Value

_SIMPLE = {t.value: t for t in Simple}


def schema_from_resolved(symbols: Symbols, diagnostics: Diagnostics) -> Schema:
    """Check all schema declarations of all packs and put them together."""
    schema = Schema({}, {}, {}, {}, {})
    _Builder(symbols, diagnostics, schema).build()
    return schema


def type_from_name(
    name: ast.TypeName, pack: Pack, symbols: Symbols, schema: Schema, diagnostics: Diagnostics
) -> Type | None:
    """Return the type that a type name means to a pack, or report that there is none."""
    word = name.name.text
    simple: Type | None = _SIMPLE.get(word)
    if simple is None:
        found = [d for _, d in symbols.find(pack, "type", word)]
        if not found:
            hint = did_you_mean(word, [*_SIMPLE, *symbols.known(pack, "type")])
            diagnostics.error("PE2012", f"there is no type `{word}`", name.name.span, help=hint)
            return None
        sort = Sort.ENUM if isinstance(found[0], ast.EnumDeclaration) else Sort.KIND
        symbols.references.note(name.name.span, sort, word)
        simple = schema.enums.get(word) if isinstance(found[0], ast.EnumDeclaration) else NodeType(word)
    if not name.is_set or simple is None:
        return simple
    if isinstance(simple, NodeType | SetType):
        diagnostics.error("PE2012", f"a set holds values, not things such as `{word}`", name.name.span)
        return None
    return SetType(simple)


def constant_of(expression: ast.Expression, expected: Type) -> Value | None:
    """Return the value that an expression writes out for a type, or nothing if it does not fit."""
    match expression:
        case ast.Negative(operand):
            inner = constant_of(operand, expected)
            return (
                -inner if isinstance(inner, int | Decimal | Duration | Money) and not isinstance(inner, bool) else None
            )
        case ast.SetLiteral(items) if isinstance(expected, SetType):
            values = [constant_of(i, expected.item) for i in items]
            scalars = [v for v in values if v is not None and not isinstance(v, frozenset)]
            return frozenset(scalars) if len(scalars) == len(values) else None
        case ast.Name(name) if isinstance(expected, EnumType):
            return name.text if name.text in expected.members else None
        case ast.Literal(value) if isinstance(expected, Simple):
            return _fitting(value, expected)
        case _:
            return None


def _fitting(value: Scalar, expected: Simple) -> Value | None:
    python: dict[Simple, type | tuple[type, ...]] = {
        Simple.TEXT: str,
        Simple.INTEGER: int,
        Simple.NUMBER: (int, Decimal),
        Simple.BOOLEAN: bool,
        Simple.DATE: date,
        Simple.INSTANT: (date, datetime),
        Simple.DURATION: Duration,
        Simple.MONEY: Money,
    }
    if isinstance(value, bool) != (expected is Simple.BOOLEAN) or not isinstance(value, python[expected]):
        return None
    if expected is Simple.DATE and isinstance(value, datetime):
        return None
    return value


D = TypeVar("D", bound=NamedDeclaration)


class _Builder:
    def __init__(self, symbols: Symbols, diagnostics: Diagnostics, schema: Schema) -> None:
        self.symbols = symbols
        self.diagnostics = diagnostics
        self.kinds: dict[str, Kind] = {}
        self.edges: dict[str, EdgeType] = {}
        self.evidence: dict[str, EvidenceType] = {}
        self.enums: dict[str, EnumType] = {}
        self.roles: dict[str, str] = {}
        for name in ("kinds", "edges", "evidence", "enums", "roles"):
            object.__setattr__(schema, name, getattr(self, name))
        self.schema = schema

    def build(self) -> None:
        self.each("type", ast.EnumDeclaration, self.enum)
        self.extend_enums()
        self.each("role", ast.RoleDeclaration, lambda _, d: self.roles.__setitem__(d.name.text, _text(d.description)))
        self.check_extended_kinds()
        self.each("type", ast.NodeDeclaration, self.kind)
        self.each("edge", ast.EdgeDeclaration, self.edge)
        self.each("evidence", ast.EvidenceDeclaration, self.evidence_type)

    def each(self, group: str, form: type[D], check: Callable[[Pack, D], None]) -> None:
        seen: dict[str, NamedDeclaration] = {}
        for pack in self.symbols.packs.values():
            for name, declaration in pack.names[group].items():
                if not isinstance(declaration, form):
                    continue
                if name in seen:
                    first = Label(seen[name].name.span, "declared here first")
                    message = f"`{name}` is declared by two packs; a schema has one meaning for a name"
                    self.diagnostics.error("PE2001", message, declaration.name.span, labels=[first])
                    continue
                seen[name] = declaration
                check(pack, declaration)

    def enum(self, _: Pack, declaration: ast.EnumDeclaration) -> None:
        members: dict[str, ast.Identifier] = {}
        for member in declaration.members:
            if member.text in members:
                self.diagnostics.error("PE2001", f"`{member.text}` stands twice", member.span)
            members[member.text] = member
        self.enums[declaration.name.text] = EnumType(declaration.name.text, tuple(members))

    def extend_enums(self) -> None:
        for pack in self.symbols.packs.values():
            for extension in pack.extensions:
                if not isinstance(extension, ast.ExtendEnum):
                    continue
                found = [d for _, d in self.symbols.find(pack, "type", extension.name.text)]
                enum = self.enums.get(extension.name.text)
                if enum is None or not any(isinstance(d, ast.EnumDeclaration) for d in found):
                    hint = did_you_mean(extension.name.text, self.enums)
                    message = f"there is no enumeration `{extension.name.text}` to extend"
                    self.diagnostics.error("PE2012", message, extension.name.span, help=hint)
                    continue
                self.symbols.references.note(extension.name.span, Sort.ENUM, enum.name)
                self.enums[enum.name] = EnumType(enum.name, (*enum.members, *self.new_members(enum, extension)))

    def new_members(self, enum: EnumType, extension: ast.ExtendEnum) -> list[str]:
        new: list[str] = []
        for member in extension.members:
            if member.text in enum.members or member.text in new:
                self.diagnostics.error("PE2001", f"`{member.text}` is a member of {enum.name} already", member.span)
            else:
                new.append(member.text)
        return new

    def extensions_of(self, kind: str) -> Iterator[tuple[Pack, ast.ExtendNode]]:
        """Yield what packs add to a kind, each with its pack."""
        for pack in self.symbols.packs.values():
            for extension in pack.extensions:
                sees = any(isinstance(d, ast.NodeDeclaration) for _, d in self.symbols.find(pack, "type", kind))
                if isinstance(extension, ast.ExtendNode) and extension.name.text == kind and sees:
                    yield pack, extension

    def check_extended_kinds(self) -> None:
        for pack in self.symbols.packs.values():
            for extension in pack.extensions:
                name = extension.name
                found = [d for _, d in self.symbols.find(pack, "type", name.text)]
                if isinstance(extension, ast.ExtendNode):
                    self.symbols.references.note(name.span, Sort.KIND, name.text)
                if isinstance(extension, ast.ExtendNode) and not any(isinstance(d, ast.NodeDeclaration) for d in found):
                    hint = did_you_mean(name.text, self.symbols.known(pack, "type"))
                    self.diagnostics.error("PE2005", f"there is no kind `{name.text}` to extend", name.span, help=hint)

    def kind(self, pack: Pack, declaration: ast.NodeDeclaration) -> None:
        """Check a kind, after the kinds above it that are not checked yet."""
        chain = [(pack, declaration)]
        while (above := self.declared_above(*chain[-1])) is not None and above not in chain:
            chain.append(above)
        below = {d.name.text for _, d in chain}
        for one_pack, one in reversed(chain):
            if one.name.text not in self.kinds:
                self.one_kind(one_pack, one, below)

    def declared_above(self, pack: Pack, declaration: ast.NodeDeclaration) -> tuple[Pack, ast.NodeDeclaration] | None:
        if declaration.parent is None or declaration.parent.text in self.kinds:
            return None
        found = self.symbols.find(pack, "type", declaration.parent.text)
        return next(((p, d) for p, d in found if isinstance(d, ast.NodeDeclaration)), None)

    def one_kind(self, pack: Pack, declaration: ast.NodeDeclaration, open_kinds: set[str]) -> None:
        name = declaration.name.text
        inherited: dict[str, Attribute] = {}
        parent = declaration.parent
        if parent is not None:
            found = [
                (p, d) for p, d in self.symbols.find(pack, "type", parent.text) if isinstance(d, ast.NodeDeclaration)
            ]
            if not found:
                hint = did_you_mean(parent.text, self.symbols.known(pack, "type"))
                self.diagnostics.error("PE2005", f"there is no kind `{parent.text}`", parent.span, help=hint)
                parent = None
            elif parent.text in open_kinds and parent.text not in self.kinds:
                self.diagnostics.error("PE2010", f"kind `{name}` is below itself", parent.span)
                parent = None
            else:
                self.symbols.references.note(parent.span, Sort.KIND, parent.text)
                inherited = dict(self.kinds[parent.text].attributes) if parent.text in self.kinds else {}
        own = self.attributes(pack, declaration.attributes)
        written = list(declaration.attributes)
        for other, extension in self.extensions_of(name):
            added = self.attributes(other, extension.attributes)
            for attribute in extension.attributes:
                if attribute.name.text in own:
                    message = f"`{attribute.name.text}` is an attribute of {name} already"
                    self.diagnostics.error("PE2001", message, attribute.name.span)
            own = {**added, **own}
            written += extension.attributes
        for attribute in written:
            if attribute.name.text in inherited:
                message = f"`{attribute.name.text}` is an attribute of the kind above already"
                self.diagnostics.error("PE2001", message, attribute.name.span)
        self.kinds[name] = Kind(
            name, parent.text if parent else None, {**inherited, **own}, _text(declaration.description)
        )

    def edge(self, pack: Pack, declaration: ast.EdgeDeclaration) -> None:
        reverse = declaration.reverse
        taken = {e.reverse for e in self.edges.values()} | set(self.edges)
        for name in (declaration.name, reverse):
            if name is not None and name.text in taken:
                self.diagnostics.error("PE2001", f"there is another edge named `{name.text}`", name.span)
        self.edges[declaration.name.text] = EdgeType(
            declaration.name.text,
            self.kind_names(pack, declaration.sources),
            self.kind_names(pack, declaration.targets),
            reverse.text if reverse else None,
            Flow(declaration.flow),
            _text(declaration.description),
        )

    def evidence_type(self, pack: Pack, declaration: ast.EvidenceDeclaration) -> None:
        self.evidence[declaration.name.text] = EvidenceType(
            declaration.name.text,
            self.kind_names(pack, declaration.subjects),
            self.attributes(pack, declaration.fields),
            _text(declaration.description),
        )

    def kind_names(self, pack: Pack, names: Iterable[ast.Identifier]) -> tuple[str, ...]:
        for name in names:
            self.symbols.references.note(name.span, Sort.KIND, name.text)
            if not any(isinstance(d, ast.NodeDeclaration) for _, d in self.symbols.find(pack, "type", name.text)):
                hint = did_you_mean(name.text, self.symbols.known(pack, "type"))
                self.diagnostics.error("PE2005", f"there is no kind `{name.text}`", name.span, help=hint)
        return tuple(name.text for name in names)

    def attributes(self, pack: Pack, declarations: Iterable[ast.AttributeDeclaration]) -> dict[str, Attribute]:
        found: dict[str, Attribute] = {}
        for declaration in declarations:
            name = declaration.name.text
            if name in found:
                self.diagnostics.error("PE2001", f"attribute `{name}` stands twice", declaration.name.span)
                continue
            attribute_type = type_from_name(declaration.type, pack, self.symbols, self.schema, self.diagnostics)
            if attribute_type is None:
                continue
            if isinstance(attribute_type, NodeType):
                message = f"`{attribute_type}` is a kind; declare an edge to point at things"
                self.diagnostics.error("PE2012", message, declaration.type.name.span)
                continue
            found[name] = Attribute(
                name, attribute_type, self.default(declaration.default, attribute_type), _text(declaration.description)
            )
        return found

    def default(self, expression: ast.Expression | None, expected: AttributeType) -> Value | None:
        if expression is None:
            return None
        value = constant_of(expression, expected)
        self.symbols.references.note_constant(expression, expected)
        if value is None:
            self.diagnostics.error("PE2109", f"the default is not a value of type {expected}", expression.span)
        return value


def _text(template: ast.Template | None) -> str:
    return template.text if template else ""
