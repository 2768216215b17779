"""Taking stock: what an estate holds, who says so, and what somebody should look at.

Rules:

- the register is what inventories of our own declare; every other source is a tool or a supplier;
- **shadow**: an AI thing that a tool or supplier names, and the register does not;
- **contradictions**: an attribute of which sources assert different values;
- **duplicates**: what is probably one thing under several names, with the line that would settle it;
- **owners**: nobody answers for it, or somebody who is marked inactive;
- **orphans**: no edge leads to it or from it, and no text names it as an owner;
- **stale**: it is in the register and not retired, and no tool names it, though tools name others of its kind;
- AI things come first, then all others by kind and id, whatever order the files come in.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from policy_dsl.collector import without_search_for_cycles
from policy_dsl.diagnostics import Severity, did_you_mean
from policy_dsl.typed.schema import Schema
from policy_dsl.values import text
from policy_engine.app.evaluate import compile_policies
from policy_engine.app.inputs import Inputs
from policy_engine.lineage.duplicates import Likeness, likely_duplicates
from policy_engine.lineage.graph import Node, Snapshot
from policy_engine.lineage.importers.inventory import InventoryImporter
from policy_engine.lineage.load import load_estate
from policy_engine.lineage.reporting import spoken
from policy_engine.model.errors import fault
from policy_engine.model.problems import Problem
from policy_engine.model.progress import Progress, silent

_REGISTER: Final = InventoryImporter().name
_AI_KINDS: Final = ("System", "Model", "Agent", "Deployment", "Service")
_SEEN_BY_TOOLS: Final = (*_AI_KINDS, "Dataset", "Endpoint")
_OWNED_BY: Final = "owned_by"
_PARTY_EDGES: Final = (_OWNED_BY, "supplied_by")
_NOT_OWNED: Final = "nobody is named who answers for it"
_UNKNOWN_FORMAT: Final = "PE3111"
_MANY: Final = 20


class Section(StrEnum):
    """What somebody should look at, gravest first."""

    SHADOW = "shadow"
    CONTRADICTIONS = "contradictions"
    DUPLICATES = "duplicates"
    OWNERS = "owners"
    ORPHANS = "orphans"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Entry:
    """A thing of the estate, as a list shows it; what is not known is empty."""

    id: str
    kind: str
    name: str
    owner: str
    stage: str
    registered: bool
    sources: tuple[str, ...]
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to look at: the things it is about, one plain sentence, and what to do."""

    section: Section
    things: tuple[str, ...]
    message: str
    advice: str = ""
    ordinary: bool = False
    """Whether the message says no more than the name of the section."""


@dataclass(frozen=True, slots=True)
class Supplier:
    """A vendor, and how many things it supplies."""

    entry: Entry
    supplies: int


@dataclass(frozen=True, slots=True)
class SourceUse:
    """A source, and how many things it asserts."""

    name: str
    format: str
    asserted_by: str
    things: int


@dataclass(frozen=True, slots=True)
class Stock:
    """Everything that was found."""

    entries: tuple[Entry, ...]
    relations: int
    findings: tuple[Finding, ...]
    vendors: tuple[Supplier, ...]
    sources: tuple[SourceUse, ...]
    problems: tuple[Problem, ...]

    @property
    def has_register(self) -> bool:
        """Whether a source is an inventory of our own."""
        return any(source.format == _REGISTER for source in self.sources)

    @property
    def has_tools(self) -> bool:
        """Whether a source is anything else, without which nothing can be called stale."""
        return any(source.format != _REGISTER for source in self.sources)

    @property
    def has_errors(self) -> bool:
        """Whether something that was asserted could not be used."""
        return any(problem.is_error for problem in self.problems)

    def of(self, section: Section) -> tuple[Finding, ...]:
        """Return the findings of a section."""
        return tuple(finding for finding in self.findings if finding.section is section)


def stock_of(
    inputs: Inputs, *, lying: frozenset[str] = frozenset(), kinds: Iterable[str] = (), progress: Progress = silent
) -> Stock:
    """Take stock of everything that can be read, or of what is about some kinds.

    ``lying`` are the sources that merely lay in a folder: if one is of unknown format that is a warning, and of any
    other an error.

    Raises:
        InputError: the policies have errors, so that there is no schema, or PE0007, there is no such kind.
    """
    progress.stage("compiling")
    program, _ = compile_policies(inputs.packs.files, inputs.profile.parameters, inputs.cache)
    progress.stage("reading and joining")
    estate = load_estate(inputs.sources, program.schema)
    problems = tuple(
        replace(problem, severity=Severity.WARNING)
        if problem.code == _UNKNOWN_FORMAT and problem.file in lying
        else problem
        for problem in estate.problems
    )
    progress.stage("taking stock")
    with without_search_for_cycles():
        stock = take_stock(estate.snapshot, program.schema, problems)
    wanted = tuple(kinds)
    return only_kinds(stock, wanted, program.schema) if wanted else stock


def take_stock(snapshot: Snapshot, schema: Schema, problems: tuple[Problem, ...] = ()) -> Stock:
    """Return what a snapshot holds and what somebody should look at."""
    taking = _Taking(snapshot, schema)
    entries = tuple(sorted(taking.entries.values(), key=taking.order))
    findings = [
        *(finding for entry in entries for finding in taking.about(entry)),
        *(_duplicate(alike, taking.entries) for alike in likely_duplicates(snapshot)),
    ]
    sections = list(Section)
    findings.sort(key=lambda finding: sections.index(finding.section))  # otherwise in the order of the entries
    counts: dict[str, int] = {}
    for entry in entries:
        for name in entry.sources:
            counts[name] = counts.get(name, 0) + 1
    return Stock(
        entries=entries,
        relations=len(snapshot.edges),
        findings=tuple(findings),
        vendors=tuple(
            Supplier(entry, len(snapshot.sources_of(entry.id, "supplied_by")))
            for entry in entries
            if entry.kind in schema.kinds_below("Vendor")
        ),
        sources=tuple(
            SourceUse(source.name, source.format, source.asserted_by, counts.get(source.name, 0))
            for source in snapshot.sources
        ),
        problems=problems,
    )


def only_kinds(stock: Stock, kinds: Iterable[str], schema: Schema) -> Stock:
    """Return the part of a stock that is about some kinds and those below them.

    Raises:
        InputError: PE0007, there is no such kind.
    """
    wanted: set[str] = set()
    for kind in kinds:
        if kind not in schema.kinds:
            raise fault("PE0007", f"there is no kind `{kind}`", help=did_you_mean(kind, schema.kinds))
        wanted |= schema.kinds_below(kind)
    ids = {entry.id for entry in stock.entries if entry.kind in wanted}
    return replace(
        stock,
        entries=tuple(entry for entry in stock.entries if entry.id in ids),
        findings=tuple(finding for finding in stock.findings if not ids.isdisjoint(finding.things)),
        vendors=tuple(vendor for vendor in stock.vendors if vendor.entry.id in ids),
    )


class _Taking:
    def __init__(self, snapshot: Snapshot, schema: Schema) -> None:
        self._snapshot = snapshot
        self._register = {source.name for source in snapshot.sources if source.format == _REGISTER}
        self._ai_kinds = _below(schema, _AI_KINDS)
        parties = (schema.edges[name].targets for name in _PARTY_EDGES if name in schema.edges)
        self._parties = _below(schema, (kind for targets in parties for kind in targets))
        self._linked: set[str] = set()
        self._named_by_tools: set[str] = set()
        for edge in snapshot.edges:
            self._linked.update((edge.source, edge.target))
            if any(origin.source not in self._register for origin in edge.origins):
                self._named_by_tools.update((edge.source, edge.target))
        nodes = snapshot.nodes.values()
        self._inactive = {
            name: node.id
            for node in nodes
            if snapshot.value(node.id, "active") is False
            for name in (node.id, *node.aliases, _written(snapshot, node.id, "name"))
            if name
        }
        self.entries = {node.id: self._entry(node) for node in nodes}
        owners = {entry.owner for entry in self.entries.values()}
        self._linked.update(e.id for e in self.entries.values() if e.id in owners or e.name in owners - {""})
        kinds = {entry.kind for entry in self.entries.values() if self._is_seen(entry)}
        self._seen_by_tools = _below(schema, _SEEN_BY_TOOLS) & kinds

    def _entry(self, node: Node) -> Entry:
        facts = [*node.attributes.values(), *(fact for several in node.conflicts.values() for fact in several)]
        origins = [*node.origins, *(origin for fact in facts for origin in fact.origins)]
        sources = tuple(sorted({origin.source for origin in origins}))
        written = {name: _written(self._snapshot, node.id, name) for name in ("owner", "stage")}
        owners = (_written(self._snapshot, one, "name") or one for one in self._snapshot.targets(node.id, _OWNED_BY))
        return Entry(
            id=node.id,
            kind=node.kind,
            name=self._name(node),
            owner=written["owner"] or ", ".join(owners),
            stage=written["stage"],
            registered=any(origin.source in self._register for origin in node.origins),
            sources=sources,
            aliases=node.aliases,
        )

    def _name(self, node: Node) -> str:
        """Return what a list calls a thing: tools seldom agree on names, and the register's is the one that we know."""
        ours = [
            fact.value
            for fact in node.conflicts.get("name", ())
            if any(origin.source in self._register for origin in fact.origins)
        ]
        return text(ours[0]) if len(ours) == 1 else _written(self._snapshot, node.id, "name")

    def order(self, entry: Entry) -> tuple[bool, str, str]:
        """Return where a thing stands in lists: what the rules are about comes first."""
        return (entry.kind not in self._ai_kinds, entry.kind, entry.id)

    def about(self, entry: Entry) -> Iterable[Finding]:
        """Return what a thing by itself gives reason to look at."""
        about = (entry.id,)
        if entry.kind in self._ai_kinds and not entry.registered:
            seen = _listed(entry.sources) or "a relation alone"
            advice = (
                f"declare it, or name it as an alias of what it is: - {{id: {_quoted(entry.id)}, kind: {entry.kind}}}"
            )
            yield Finding(Section.SHADOW, about, f"seen in {seen}", advice)
        for attribute, facts in self._snapshot.nodes[entry.id].conflicts.items():
            told = [f"`{text(fact.value)}` in {spoken(fact.origins)}" for fact in facts[:_MANY]]
            more = f" and {len(facts) - _MANY} values more" if len(facts) > _MANY else ""
            yield Finding(Section.CONTRADICTIONS, about, f"`{attribute}` is {' and '.join(told)}{more}")
        if entry.kind not in self._parties and (why := self._why_unowned(entry)):
            yield Finding(Section.OWNERS, about, why, ordinary=why == _NOT_OWNED)
        if entry.id not in self._linked:
            yield Finding(Section.ORPHANS, about, "no edge leads to it or from it", ordinary=True)
        if self._is_stale(entry):
            message, advice = "in the register, and no tool names it", "retire it, or connect the tool that runs it"
            yield Finding(Section.STALE, about, message, advice, ordinary=True)

    def _why_unowned(self, entry: Entry) -> str:
        node = self._snapshot.nodes[entry.id]
        owners = self._snapshot.targets(entry.id, _OWNED_BY)
        gone = [owner for owner in owners if owner in self._inactive.values()]
        if owners and len(gone) == len(owners):
            return f"owned by {_listed(gone)}, who is marked inactive"
        if "owner" in node.conflicts:
            return "sources name different owners"
        if not owners and entry.owner in self._inactive:
            return f"`owner` is `{entry.owner}`, who is marked inactive"
        return "" if entry.owner else _NOT_OWNED

    def _is_stale(self, entry: Entry) -> bool:
        asked = entry.registered and entry.kind in self._seen_by_tools and entry.stage != "retired"
        return asked and not self._is_seen(entry)

    def _is_seen(self, entry: Entry) -> bool:
        """Tell whether anything but the register names a thing."""
        return entry.id in self._named_by_tools or not self._register.issuperset(entry.sources)


def _duplicate(alike: Likeness, entries: dict[str, Entry]) -> Finding:
    registered = [node_id for node_id in alike.ids if entries[node_id].registered]
    keep = registered[0] if registered else alike.ids[0]
    others = [node_id for node_id in alike.ids if node_id != keep]
    line = f"aliases: [{', '.join(_quoted(other) for other in others[:_MANY])}{', …' if len(others) > _MANY else ''}]"
    if len(registered) > 1:
        advice = f"if they are one, keep the entry `{keep}` alone and give it {line}"
    elif registered:
        advice = f"if they are one, give `{keep}` {line}"
    else:
        advice = f"if they are one, declare - {{id: {_quoted(keep)}, kind: {entries[keep].kind}, {line}}}"
    return Finding(Section.DUPLICATES, (keep, *others), f"shares {alike.reason} with {_listed(others)}", advice)


def _below(schema: Schema, kinds: Iterable[str]) -> frozenset[str]:
    return frozenset(below for kind in kinds if kind in schema.kinds for below in schema.kinds_below(kind))


def _written(snapshot: Snapshot, node_id: str, attribute: str) -> str:
    value = snapshot.value(node_id, attribute)
    return "" if value is None else text(value)


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - 3} more" if len(every) > 3 else ""
    return ", ".join(f"`{name}`" for name in every[:3]) + more


def _quoted(name: str) -> str:
    """Write a name as YAML and JSON both read it."""
    return json.dumps(name, ensure_ascii=False)
