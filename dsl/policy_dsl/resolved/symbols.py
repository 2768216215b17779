"""Which declaration each name means, over all packs of a run.

A pack sees its own declarations and those of the packs it uses, directly or through others. A pack used
``as`` another name is reached through that name only. Two declarations of one name that a pack sees are
reported where the name is used, never settled by order.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from policy_dsl.diagnostics import Diagnostics, Label, did_you_mean
from policy_dsl.source import Span
from policy_dsl.syntax import ast
from policy_dsl.typed.references import References, Sort

NamedDeclaration = (
    ast.Parameter
    | ast.Define
    | ast.Rule
    | ast.NodeDeclaration
    | ast.EdgeDeclaration
    | ast.EvidenceDeclaration
    | ast.EnumDeclaration
    | ast.RoleDeclaration
)

_GROUPS: tuple[tuple[str, type[NamedDeclaration] | tuple[type[NamedDeclaration], ...]], ...] = (
    ("rule", ast.Rule),
    ("value", (ast.Parameter, ast.Define)),
    ("type", (ast.NodeDeclaration, ast.EnumDeclaration)),
    ("edge", ast.EdgeDeclaration),
    ("evidence", ast.EvidenceDeclaration),
    ("role", ast.RoleDeclaration),
)


@dataclass(frozen=True, slots=True)
class Pack:
    """One policy file: its header, what it declares by group and name, and what it uses."""

    file: ast.PolicyFile
    header: ast.Header
    names: Mapping[str, Mapping[str, NamedDeclaration]]
    uses: tuple[ast.Use, ...]
    tests: tuple[ast.Test, ...]
    extensions: tuple[ast.ExtendNode | ast.ExtendEnum, ...] = ()

    @property
    def name(self) -> str:
        """The pack's name with its dots."""
        return self.header.name.text


@dataclass(slots=True)
class Symbols:
    """All packs of a run by name, and the lookup of names from within one of them."""

    packs: dict[str, Pack]
    references: References = field(default_factory=References)
    _seen: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def visible(self, pack: Pack) -> tuple[str, ...]:
        """Return the names of the packs seen from a pack without a prefix, itself first."""
        if pack.name not in self._seen:
            order = {pack.name: None}
            waiting = [pack]
            while waiting:
                for use in waiting.pop().uses:
                    found = self.packs.get(use.pack.text)
                    if found is not None and use.alias is None and found.name not in order:
                        order[found.name] = None
                        waiting.append(found)
            self._seen[pack.name] = tuple(order)
        return self._seen[pack.name]

    def find(self, pack: Pack, group: str, name: str) -> list[tuple[Pack, NamedDeclaration]]:
        """Return every declaration that a name may mean here; the pack's own one hides others."""
        own = pack.names[group].get(name)
        if own is not None:
            return [(pack, own)]
        if "." in name:
            alias, _, rest = name.partition(".")
            for use in pack.uses:
                if use.alias is not None and use.alias.text == alias and use.pack.text in self.packs:
                    found = self.packs[use.pack.text]
                    declaration = found.names[group].get(rest)
                    return [(found, declaration)] if declaration is not None else []
        others = [self.packs[p] for p in self.visible(pack) if p != pack.name]
        return [(p, p.names[group][name]) for p in others if name in p.names[group]]

    def known(self, pack: Pack, *groups: str) -> Iterator[str]:
        """Return the names of a group that a pack sees, for suggestions."""
        for other in self.visible(pack):
            for group in groups:
                yield from self.packs[other].names[group]

    def is_broken(self, pack: Pack, name: str) -> bool:
        """Tell whether a name belongs to a declaration that could not be parsed, and was reported already."""
        return any(name in self.packs[p].file.broken for p in self.visible(pack))


def resolve(files: Iterable[ast.PolicyFile], diagnostics: Diagnostics) -> Symbols:
    """Collect the declarations of all files and report double names, missing packs and circles of packs."""
    packs: dict[str, Pack] = {}
    for file in files:
        pack = _pack(file, diagnostics)
        if pack is None:
            continue
        if pack.name in packs:
            first = Label(packs[pack.name].header.name.span, "the other pack of this name")
            diagnostics.error(
                "PE2015", f"there are two packs named `{pack.name}`", pack.header.name.span, labels=[first]
            )
            continue
        packs[pack.name] = pack
    symbols = Symbols(packs)
    for pack in packs.values():
        for use in pack.uses:
            symbols.references.note(use.pack.span, Sort.PACK, use.pack.text)
            if use.pack.text not in packs:
                hint = did_you_mean(use.pack.text, packs)
                diagnostics.error("PE2002", f"there is no pack `{use.pack.text}`", use.pack.span, help=hint)
            elif use.version is not None:
                _check_version(use.version, packs[use.pack.text], diagnostics)
    _report_circles(symbols, diagnostics)
    return symbols


def _pack(file: ast.PolicyFile, diagnostics: Diagnostics) -> Pack | None:
    headers = [d for d in file.declarations if isinstance(d, ast.Header)]
    start = Span(file.file, 0, 0)
    header_is_first = bool(headers) and file.declarations[0] is headers[0]
    if not header_is_first and not (file.header_is_broken and not headers):
        place = headers[0].span if headers else file.declarations[0].span if file.declarations else start
        diagnostics.error(
            "PE1004", "a policy file begins with `policy NAME`", Span(place.file, place.start, place.start + 1)
        )
    for extra in headers[1:]:
        diagnostics.error("PE1006", "the `policy` header stands twice", extra.span)
    # A file without a usable header still has its declarations checked, under its own file name.
    header = (
        headers[0]
        if headers
        else ast.Header(ast.Identifier(file.file, start), None, None, None, None, None, None, start)
    )
    names: dict[str, dict[str, NamedDeclaration]] = {group: {} for group, _ in _GROUPS}
    for declaration in file.declarations:
        for group, types in _GROUPS:
            if isinstance(declaration, types):
                _declare(names[group], declaration, diagnostics)
    return Pack(
        file,
        header,
        names,
        tuple(d for d in file.declarations if isinstance(d, ast.Use)),
        tuple(d for d in file.declarations if isinstance(d, ast.Test)),
        tuple(d for d in file.declarations if isinstance(d, ast.ExtendNode | ast.ExtendEnum)),
    )


def _declare(names: dict[str, NamedDeclaration], declaration: NamedDeclaration, diagnostics: Diagnostics) -> None:
    name = declaration.name
    if name.text in names:
        first = Label(names[name.text].name.span, "declared here first")
        diagnostics.error("PE2001", f"`{name.text}` is declared twice", name.span, labels=[first])
    else:
        names[name.text] = declaration


def _check_version(wanted: ast.Template, pack: Pack, diagnostics: Diagnostics) -> None:
    """Report a pack whose version is not of the wanted major version, or below the wanted minor version."""
    written = pack.header.version
    versions = parse_version(wanted.text), parse_version(written.text) if written is not None else None
    if versions[0] is None:
        diagnostics.error(
            "PE2017", f"`{wanted.text}` is not a version", wanted.span, help="write it as `1.2` or `1.2.3`"
        )
    elif versions[1] is None or versions[1][0] != versions[0][0] or versions[1] < versions[0]:
        found = written.text if written is not None else "without a version"
        labels = [Label(written.span, "its version")] if written is not None else []
        message = f"`{pack.name}` is {found}, and {wanted.text} is asked for"
        diagnostics.error("PE2016", message, wanted.span, labels=labels)


def parse_version(text: str) -> tuple[int, int, int] | None:
    """Return a version's three numbers, zero where not written.

    >>> parse_version("1.2"), parse_version("newest")
    ((1, 2, 0), None)
    """
    parts = text.split(".")
    if not 1 <= len(parts) <= 3 or not all(p.isascii() and p.isdigit() and len(p) < 10 for p in parts):
        return None
    major, minor, patch = (int(p) for p in [*parts, "0", "0"][:3])
    return major, minor, patch


def _report_circles(symbols: Symbols, diagnostics: Diagnostics) -> None:
    finished: set[str] = set()
    for start in symbols.packs:
        path: list[str] = []
        stack: list[tuple[str, Iterator[ast.Use]]] = []
        if start not in finished:
            path, stack = [start], [(start, iter(symbols.packs[start].uses))]
        while stack:
            name, uses = stack[-1]
            use = next(uses, None)
            if use is None:
                finished.add(name)
                path.pop()
                stack.pop()
            elif use.pack.text in path:
                circle = [*path[path.index(use.pack.text) :], use.pack.text]
                diagnostics.error(
                    "PE2003", f"packs use each other in a circle: `{'` → `'.join(circle)}`", use.pack.span
                )
            elif use.pack.text in symbols.packs and use.pack.text not in finished:
                path.append(use.pack.text)
                stack.append((use.pack.text, iter(symbols.packs[use.pack.text].uses)))
