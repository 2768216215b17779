"""What can stand at the cursor: names from the schema and the packs, and the words the grammar goes on with.

Only the text before the cursor decides, from the beginning of its declaration: what follows is often half written.
The last words say which names fit (``situation``); the grammar says which keywords do.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from policy_dsl.lsp.analysis import Analysis
from policy_dsl.lsp.hover import describe, signature
from policy_dsl.lsp.situation import Situation, Wanted, situation_at
from policy_dsl.resolved.symbols import NamedDeclaration, Pack
from policy_dsl.syntax import ast
from policy_dsl.syntax.lark_parser import keywords
from policy_dsl.syntax.parser import expected_after
from policy_dsl.typed.references import Meaning, Sort
from policy_dsl.typed.types import EnumType, SetType, Simple, Type
from policy_dsl.words import BASES, RESULTS, SEVERITIES

_PHRASES = {
    "MUST_NOT": "must not",
    "FOR": "for each",
    "HAS": "has evidence",
    "SIGNED": "signed by",
    "UPSTREAM": "upstream of",
    "DOWNSTREAM": "downstream of",
    "STARTS": "starts with",
    "COUNT": "count of",
    "LATEST": "latest evidence",
}
"""Keywords that only ever come together."""

_BESIDE_MEMBERS = frozenset({"known", "unknown", "not"})
"""Keywords worth a place beside the words of a fixed list; everything else that parses is hardly meant."""


class Look(StrEnum):
    """What a proposal is drawn as."""

    KEYWORD = "keyword"
    KIND = "class"
    ATTRIBUTE = "property"
    EDGE = "interface"
    EVIDENCE = "struct"
    ENUM = "enum"
    MEMBER = "enum member"
    ROLE = "value"
    VARIABLE = "variable"
    PARAMETER = "constant"
    DEFINITION = "function"
    RULE = "event"
    PACK = "module"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A word that fits, how it is drawn, a line about it, and Markdown that explains it."""

    label: str
    look: Look
    remark: str = ""
    explanation: str | None = None


def complete(analysis: Analysis, packs: Iterable[str], uri: str, offset: int) -> tuple[int, tuple[Proposal, ...]]:
    """Return where the word at a place begins and what can stand there, names before keywords."""
    source = analysis.sources[uri]
    text = source.policy_text
    line = text.rfind("\n", 0, offset) + 1
    if text[line:offset] != source.text[line:offset]:
        return offset, ()  # in the prose of a literate pack
    situation = situation_at(text, offset, analysis.program.schema)
    if situation is None:
        return offset, ()
    pack = analysis.pack(uri)
    expected = frozenset() if situation.in_text else expected_after(situation.before)
    wanted = situation.wanted
    if wanted is Wanted.VALUES and not {"NAME", "LPAR"} <= expected:
        wanted = Wanted.NOTHING
    found = {p.label: p for p in _Proposals(analysis, pack, situation).of(wanted, packs)}
    closed = any(p.look is Look.MEMBER for p in found.values())
    for proposal in _keywords(expected):
        if not closed or proposal.label in _BESIDE_MEMBERS:
            found.setdefault(proposal.label, proposal)
    return situation.start, tuple(found.values())


def _keywords(expected: frozenset[str]) -> Iterator[Proposal]:
    words = keywords()
    for terminal in sorted(expected):
        word = _PHRASES.get(terminal) or words.get(terminal)
        if word is not None:
            yield Proposal(word, Look.KEYWORD)


class _Proposals:
    def __init__(self, analysis: Analysis, pack: Pack | None, situation: Situation) -> None:
        self.analysis = analysis
        self.index = analysis.index
        self.schema = analysis.program.schema
        self.symbols = analysis.symbols
        self.pack = pack
        self.situation = situation

    def of(self, wanted: Wanted, packs: Iterable[str]) -> Iterator[Proposal]:
        """Yield the names that fit."""
        match wanted:
            case Wanted.ATTRIBUTES:
                yield from self.attributes_of(self.situation.subject)
            case Wanted.EDGES:
                yield from self.edges()
            case Wanted.KINDS:
                yield from self.named(Sort.KIND, self.schema.kinds, Look.KIND)
            case Wanted.EVIDENCE:
                yield from self.named(Sort.EVIDENCE, self.schema.evidence, Look.EVIDENCE)
            case Wanted.ROLES:
                yield from self.named(Sort.ROLE, self.schema.roles, Look.ROLE)
            case Wanted.TYPES:
                yield from (Proposal(t.value, Look.KIND) for t in Simple)
                yield from self.named(Sort.ENUM, self.schema.enums, Look.ENUM)
                yield from self.named(Sort.KIND, self.schema.kinds, Look.KIND)
            case Wanted.ENUMS:
                yield from self.named(Sort.ENUM, self.schema.enums, Look.ENUM)
            case Wanted.PACKS:
                yield from (Proposal(name, Look.PACK) for name in packs)
            case Wanted.RULES:
                yield from self.rules()
            case Wanted.THINGS:
                yield from self.variables()
            case Wanted.FIELDS:
                yield from self.fields_of(self.situation.subject)
            case Wanted.MEMBERS:
                members = list(self.members())
                yield from members or self.values()
            case Wanted.PLACEHOLDERS:
                yield from (p for p in self.values() if p.look is not Look.DEFINITION)
            case Wanted.VALUES:
                yield from self.values()
            case Wanted.FACTS:
                yield from self.named(Sort.KIND, self.schema.kinds, Look.KIND)
                yield from self.variables()
                yield Proposal("evidence", Look.KEYWORD)
            case Wanted.SEVERITIES:
                yield from (Proposal(word, Look.MEMBER) for word in SEVERITIES)
            case Wanted.BASES:
                yield from (Proposal(word, Look.MEMBER) for word in BASES)
            case Wanted.RESULTS:
                yield from (Proposal(word, Look.MEMBER) for word in RESULTS)
            case Wanted.NOTHING:
                return

    def named(self, sort: Sort, names: Iterable[str], look: Look, owner: str = "") -> Iterator[Proposal]:
        for name in names:
            yield self.proposal(Meaning(sort, name, owner), look)

    def proposal(self, meaning: Meaning, look: Look, label: str | None = None) -> Proposal:
        remark = signature(self.index, meaning)
        return Proposal(label or meaning.name, look, remark, describe(self.index, meaning))

    # --- the schema ----------------------------------------------------------------------------------

    def attributes_of(self, kind: str) -> Iterator[Proposal]:
        """Yield the attributes of a kind, its own before those of the kinds above; or what a pack's alias holds."""
        if kind not in self.schema.kinds:
            yield from self.of_alias(self.situation.root)
            return
        for name in self.schema.kinds[kind].attributes:
            meaning = self.index.declaring(Meaning(Sort.ATTRIBUTE, name, kind))
            yield self.proposal(meaning, Look.ATTRIBUTE)

    def fields_of(self, owner: str) -> Iterator[Proposal]:
        if owner in self.schema.evidence:
            yield from self.named(Sort.FIELD, self.schema.evidence[owner].fields, Look.ATTRIBUTE, owner)
        else:
            yield from self.attributes_of(owner)

    def edges(self) -> Iterator[Proposal]:
        """Yield the edges that can start at the subject, or all of them where that is not known."""
        start = self.schema.kinds_below(self.situation.subject)
        for edge in self.schema.edges.values():
            for name, ends in ((edge.name, edge.sources), (edge.reverse, edge.targets)):
                fits = not start or any(start & self.schema.kinds_below(e) for e in ends)
                if name is not None and fits:
                    yield self.proposal(Meaning(Sort.EDGE, name), Look.EDGE)

    def members(self) -> Iterator[Proposal]:
        found = self.type_at(self.situation.compared)
        item = found.item if isinstance(found, SetType) else found
        if isinstance(item, EnumType):
            yield from self.named(Sort.MEMBER, item.members, Look.MEMBER, item.name)

    def type_at(self, path: Sequence[str]) -> Type | None:
        """Return the type of ``name`` or ``variable.attribute`` as written before the cursor."""
        if len(path) == 2 and path[0] == "=":
            return self.schema.enums.get(path[1])
        if len(path) == 2 and path[0] in self.situation.variables:
            kind = self.schema.kinds.get(self.situation.variables[path[0]])
            attribute = kind.attributes.get(path[1]) if kind is not None else None
            return attribute.type if attribute is not None else None
        if len(path) != 1:
            return None
        owner = self.situation.subject
        if owner in self.schema.evidence and path[0] in self.schema.evidence[owner].fields:
            return self.schema.evidence[owner].fields[path[0]].type
        if owner in self.schema.kinds and path[0] in self.schema.kinds[owner].attributes:
            return self.schema.kinds[owner].attributes[path[0]].type
        declared = self.symbols.find(self.pack, "value", path[0]) if self.pack is not None else []
        parameter = declared[0][1] if declared else None
        return self.schema.enums.get(parameter.type.name.text) if isinstance(parameter, ast.Parameter) else None

    # --- the packs -----------------------------------------------------------------------------------

    def values(self) -> Iterator[Proposal]:
        """Yield what an expression can name: fields, variables, parameters and definitions."""
        if self.situation.subject in self.schema.evidence:
            yield from self.fields_of(self.situation.subject)
        yield from self.variables()
        if self.pack is None:
            return
        for name in self.symbols.visible(self.pack):
            for declaration in self.symbols.packs[name].names["value"].values():
                yield self.value(name, declaration)
        for use in self.pack.uses:
            if use.alias is not None:
                yield Proposal(use.alias.text, Look.PACK, f"use {use.pack.text}")

    def value(self, pack: str, declaration: NamedDeclaration) -> Proposal:
        sort = Sort.DEFINITION if isinstance(declaration, ast.Define) else Sort.PARAMETER
        look = Look.DEFINITION if isinstance(declaration, ast.Define) else Look.PARAMETER
        return self.proposal(Meaning(sort, declaration.name.text, pack), look)

    def of_alias(self, alias: str) -> Iterator[Proposal]:
        for use in self.pack.uses if self.pack is not None else ():
            if use.alias is not None and use.alias.text == alias and use.pack.text in self.symbols.packs:
                for declaration in self.symbols.packs[use.pack.text].names["value"].values():
                    yield self.value(use.pack.text, declaration)

    def variables(self) -> Iterator[Proposal]:
        for name, kind in self.situation.variables.items():
            yield Proposal(name, Look.VARIABLE, f"{name}: {kind}")

    def rules(self) -> Iterator[Proposal]:
        if self.pack is not None:
            for name in self.symbols.visible(self.pack):
                yield from self.named(Sort.RULE, self.symbols.packs[name].names["rule"], Look.RULE, name)
