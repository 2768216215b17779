"""Joining what many documents assert into one graph.

Rules:

- claims about one identity are one node; equal values keep the origins of all who assert them;
- different values of one attribute are a contradiction: all are kept, none is chosen, and both places are named; but
  sets that foreign documents assert are united, since each may know a part, and what the inventory calls and how it
  describes a thing stands, since every tool has words of its own;
- of two kinds the more special is taken where one lies below the other; else the inventory's kind is kept, and that it
  has two itself is an error; a kind that is only presumed gives way to any that is stated;
- an edge may be written by its reverse name; it is kept by its name, the first of its names that fits the kinds;
- what the schema has no place for is dropped with a problem, never silently; a default is never written in;
- the same claims give the same graph and the same problems, whatever order they come in.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import IntEnum

from policy_dsl.typed.schema import EdgeType, Kind, Schema
from policy_dsl.typed.types import SetType
from policy_dsl.values import Value, text
from policy_engine.lineage.binding import Misfit, describe, read_value
from policy_engine.lineage.claims import AttributeClaim, Claims, EdgeClaim
from policy_engine.lineage.graph import Edge, Fact, Node, Origin, Snapshot, merge_origins, spelling
from policy_engine.lineage.identity import Identities, identify
from policy_engine.lineage.importers.missing import says_nothing
from policy_engine.lineage.locators import NAMES, canonical, is_name
from policy_engine.lineage.names import nearest
from policy_engine.lineage.reporting import Reporter, spoken
from policy_engine.model.problems import Problem, as_errors, sort_problems

# A contradiction names so many of its values; the snapshot has them all.
_SHOWN_VALUES = 5

# What a thing is called, and what is said of it in a sentence: nothing that could be true or false.
_WORDING = frozenset({"name", "description"})

# So many comparisons of names for suggestions take about two seconds; beyond, a plain message must do.
_COMPARISONS = 5_000_000


def join(claims: Iterable[Claims], schema: Schema, *, strict: bool = False) -> tuple[Snapshot, tuple[Problem, ...]]:
    """Make one graph of everything that documents assert; ``strict`` makes every warning an error."""
    checked = []
    report = Reporter()
    for each in claims:
        report.problems.extend(each.problems)
        checked.append(_with_usable_names(each, report))
    joining = _Joining(schema, identify(checked, report), report)
    for each in checked:
        joining.take_nodes(each)
    joining.settle_kinds()
    for each in checked:
        joining.take_attributes(each)
    joining.take_edges(checked)
    snapshot = joining.snapshot(checked)
    problems = sort_problems(report.problems)
    return snapshot, as_errors(problems) if strict else problems


def _with_usable_names(claims: Claims, report: Reporter) -> Claims:
    """Return the claims without things and aliases whose names nobody could read or write."""
    nodes = []
    for claim in claims.nodes:
        unusable = [name for name in (claim.id, *claim.aliases) if not is_name(name)]
        for name in unusable:
            message = f"{describe(name)} cannot be the name of a thing"
            report.add("PE3124", message, claim.origins, own=claims.own, advice=NAMES)
        if not unusable:
            nodes.append(claim)
        elif claim.id not in unusable:
            aliases = tuple(alias for alias in claim.aliases if alias not in unusable)
            nodes.append(replace(claim, aliases=aliases))
    if len(nodes) == len(claims.nodes) and all(a is b for a, b in zip(nodes, claims.nodes, strict=True)):
        return claims
    return replace(claims, nodes=tuple(nodes))


class _Weight(IntEnum):
    """How much it counts that a document gives a thing a kind."""

    PRESUMED = 0
    STATED = 1
    OWN = 2


@dataclass(slots=True)
class _Thing:
    """A node in the making."""

    kinds: dict[str, tuple[_Weight, tuple[Origin, ...]]] = field(default_factory=dict)
    origins: list[tuple[Origin, ...]] = field(default_factory=list)
    facts: dict[str, list[Fact]] = field(default_factory=dict)


@dataclass(slots=True)
class _Mention:
    """Something that documents only mention, under names of one canonical form."""

    names: set[str] = field(default_factory=set)
    origins: list[tuple[Origin, ...]] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Known:
    """An edge claim with the types it may be of, each with whether it is written the other way round, and its ends."""

    own: bool
    claim: EdgeClaim
    types: tuple[tuple[EdgeType, bool], ...]
    source: str | None
    target: str | None


class _Joining:
    def __init__(self, schema: Schema, names: Identities, report: Reporter) -> None:
        self._schema = schema
        self._names = names
        self._report = report
        self._things: dict[str, _Thing] = {}
        self._kinds: dict[str, Kind] = {}
        self._foreign_sets: dict[tuple[str, str], list[Fact]] = {}
        self._foreign_words: dict[tuple[str, str], list[Fact]] = {}
        self._edges: dict[tuple[str, str, str], list[tuple[Origin, ...]]] = {}
        self._edge_names = {name: (edge, False) for name, edge in schema.edges.items()}
        for edge in schema.edges.values():
            if edge.reverse is not None:
                self._edge_names.setdefault(edge.reverse, (edge, True))
        self._connects: dict[tuple[str, str, str], bool] = {}
        self._meant: dict[str, str | None] = {}

    # Nodes

    def take_nodes(self, claims: Claims) -> None:
        for claim in claims.nodes:
            thing = self._things.setdefault(self._names.id_of[claim.id], _Thing())
            thing.origins.append(claim.origins)
            if claim.kind not in self._schema.kinds:
                message = f"`{claim.id}` is of kind `{claim.kind}`, which is not in the schema"
                advice = nearest(claim.kind, self._schema.kinds)
                self._report.add("PE3140", message, claim.origins, own=claims.own, advice=advice)
                continue
            weight = _Weight.OWN if claims.own else _Weight.PRESUMED if claim.presumed else _Weight.STATED
            known = thing.kinds.get(claim.kind)
            thing.kinds[claim.kind] = (
                (weight, claim.origins)
                if known is None
                else (max(known[0], weight), merge_origins(known[1], claim.origins))
            )

    def settle_kinds(self) -> None:
        for node_id, thing in self._things.items():
            if len(thing.kinds) == 1:
                self._kinds[node_id] = self._schema.kinds[next(iter(thing.kinds))]
            elif thing.kinds:
                self._kinds[node_id] = self._schema.kinds[self._one_kind(node_id, thing)]

    def _one_kind(self, node_id: str, thing: _Thing) -> str:
        stated = [kind for kind, (weight, _) in thing.kinds.items() if weight > _Weight.PRESUMED]
        kind = self._one_of(node_id, thing, stated or list(thing.kinds))
        # What is presumed can only make more precise what is stated.
        below = [each for each in thing.kinds if each not in stated and self._schema.is_a(each, kind)]
        return self._most_special([kind, *below]) or kind

    def _one_of(self, node_id: str, thing: _Thing, kinds: list[str]) -> str:
        special = self._most_special(kinds)
        if special is not None:
            return special
        # The inventory first, else by name: something must be kept so that the rest can be checked.
        own = [kind for kind in kinds if thing.kinds[kind][0] is _Weight.OWN]
        first = self._most_special(own) or min(own or kinds)
        second = min(kind for kind in kinds if not self._are_in_line(kind, first))
        self._report.add(
            "PE3144",
            f"`{node_id}` is of kind {first} in {spoken(thing.kinds[first][1])}"
            f" and of kind {second} in {spoken(thing.kinds[second][1])}",
            thing.kinds[second][1],
            own=bool(own) and self._most_special(own) is None,
            advice="neither kind lies below the other; if these are two things, give them different names",
        )
        return first

    def _are_in_line(self, kind: str, other: str) -> bool:
        return self._schema.is_a(kind, other) or self._schema.is_a(other, kind)

    def _most_special(self, kinds: Iterable[str]) -> str | None:
        every = sorted(kinds)
        return next((kind for kind in every if all(self._schema.is_a(kind, other) for other in every)), None)

    # Attributes

    def take_attributes(self, claims: Claims) -> None:
        for claim in claims.attributes:
            node_id = self._names.find(claim.node)
            kind = self._kinds.get(node_id) if node_id is not None else None
            if node_id is None or kind is None:
                continue  # the thing itself is reported
            raw = claim.raw if claims.own else _without_fillers(claim.raw)
            attribute = kind.attributes.get(claim.name)
            if attribute is None:
                self._unknown_attribute(claim, kind)
            elif raw is not None:
                value = read_value(raw, attribute.type)
                if isinstance(value, Misfit):
                    message = f"`{claim.name}` is {describe(raw)}, and {value.expected} is expected"
                    self._report.add("PE3142", message, claim.origins, own=claims.own, advice=value.help)
                elif isinstance(attribute.type, SetType) and not claims.own:
                    self._foreign_sets.setdefault((node_id, claim.name), []).append(Fact(value, claim.origins))
                elif claim.name in _WORDING and not claims.own:
                    self._foreign_words.setdefault((node_id, claim.name), []).append(Fact(value, claim.origins))
                else:
                    self._things[node_id].facts.setdefault(claim.name, []).append(Fact(value, claim.origins))

    def _unknown_attribute(self, claim: AttributeClaim, kind: Kind) -> None:
        edges = [
            name
            for name, (edge, turned) in self._edge_names.items()
            if any(self._schema.is_a(kind.name, end) for end in (edge.targets if turned else edge.sources))
        ]
        message = f"`{claim.name}` is no attribute or edge of {kind.name}"
        self._report.warn("PE3141", message, claim.origins, advice=nearest(claim.name, [*kind.attributes, *edges]))

    # Edges

    def take_edges(self, all_claims: list[Claims]) -> None:
        find = self._names.find
        known = [
            _Known(each.own, claim, types, find(claim.source), find(claim.target))
            for each in all_claims
            for claim in each.edges
            if (types := self._edge_types(each, claim))
        ]
        open_ends = [edge for edge in known if edge.source is None or edge.target is None]
        self._imply_nodes(edge for edge in open_ends if not edge.own)
        for edge in open_ends:
            edge.source, edge.target = find(edge.claim.source), find(edge.claim.target)
        self._guess({name for edge in open_ends if (name := _undeclared(edge)) is not None})
        for edge in known:
            self._take_edge(edge)

    def _edge_types(self, claims: Claims, claim: EdgeClaim) -> tuple[tuple[EdgeType, bool], ...]:
        """Return the types that an edge may be of, each with whether it is written the other way round."""
        found = self._edge_names.get(claim.name)
        if found is not None and not claim.otherwise:
            return (found,)
        names = [name for name in (claim.name, *claim.otherwise) if name in self._edge_names]
        if not names:
            message = f"there is no edge `{claim.name}`"
            advice = nearest(claim.name, self._edge_names)
            self._report.add("PE3148", message, claim.origins, own=claims.own, advice=advice)
        return tuple(self._edge_names[name] for name in names)

    def _imply_nodes(self, foreign: Iterable[_Known]) -> None:
        """Make nodes of things that foreign documents only mention, where the edges leave one kind possible."""
        mentions: dict[str, _Mention] = {}
        for edge in foreign:
            for name, found, is_target in (
                (edge.claim.source, edge.source, False),
                (edge.claim.target, edge.target, True),
            ):
                if found is None and is_name(name):
                    mention = mentions.setdefault(canonical(name), _Mention())
                    mention.names.add(name)
                    mention.origins.append(edge.claim.origins)
                    possible = {
                        kind
                        for of, turned in edge.types
                        for kind in (of.sources if turned is is_target else of.targets)
                    }
                    mention.kinds.update(possible if len(possible) == 1 else ())
        for key in sorted(mentions):
            mention = mentions[key]
            kind = self._most_special(mention.kinds)
            if kind is None or kind not in self._schema.kinds:
                continue  # reported with each edge that is dropped for it
            places = merge_origins(*mention.origins)
            name = self._names.admit(mention.names)
            self._report.warn("PE3145", f"nothing declares `{name}`; by its edges it is taken for a {kind}", places)
            self._kinds[name] = self._schema.kinds[kind]
            self._things[name] = _Thing({kind: (_Weight.PRESUMED, places)}, [places])

    def _guess(self, undeclared: set[str]) -> None:
        """Find what was probably meant by names that nothing declares."""
        names = self._names.id_of
        if len(undeclared) * len(names) <= _COMPARISONS:
            self._meant = {name: nearest(name, names) for name in undeclared}

    def _take_edge(self, known: _Known) -> None:
        own, claim, source, target = known.own, known.claim, known.source, known.target
        if source is None or target is None:
            name = _undeclared(known) or ""
            dropped = "" if own else "; the edge is dropped"
            message = f"`{claim.name}` names `{name}`, which nothing declares{dropped}"
            self._report.add("PE3145", message, claim.origins, own=own, advice=self._meant.get(name))
            return
        if source not in self._kinds or target not in self._kinds:
            return  # its kind is reported
        for edge, turned in known.types:
            ends = (target, source) if turned else (source, target)
            if self._fits(edge, *ends):
                self._edges.setdefault((edge.name, *ends), []).append(claim.origins)
                if source == target and not own:
                    self._report_loop(claim, source)
                return
        edge, turned = known.types[0]
        self._report_misfit(edge, claim, *((target, source) if turned else (source, target)), own=own)

    def _fits(self, edge: EdgeType, source: str, target: str) -> bool:
        key = (edge.name, self._kinds[source].name, self._kinds[target].name)
        fits = self._connects.get(key)
        if fits is None:
            fits = self._connects[key] = self._schema.connects(edge, *key[1:])
        return fits

    def _report_loop(self, claim: EdgeClaim, node_id: str) -> None:
        if canonical(claim.source) != canonical(claim.target):
            message = (
                f"`{claim.name}` leads from `{node_id}` to itself,"
                f" since `{claim.source}` and `{claim.target}` are one thing"
            )
            advice = "if they are two, see to it that no alias and no digest joins them"
            self._report.warn("PE3181", message, claim.origins, advice=advice)

    def _report_misfit(self, edge: EdgeType, claim: EdgeClaim, source: str, target: str, *, own: bool) -> None:
        from_kind, to_kind = self._kinds[source].name, self._kinds[target].name
        message = (
            f"`{edge.name}` leads from {' or '.join(edge.sources)} to {' or '.join(edge.targets)},"
            f" not from `{source}` ({from_kind}) to `{target}` ({to_kind})"
        )
        self._report.add("PE3146", message, claim.origins, own=own, advice=self._what_fits(edge, from_kind, to_kind))

    def _what_fits(self, edge: EdgeType, from_kind: str, to_kind: str) -> str | None:
        if self._schema.connects(edge, to_kind, from_kind):
            if edge.reverse is not None:
                return f"the other way round it fits: use `{edge.reverse}`, or swap the ends"
            return "the other way round it fits: swap the ends"
        fitting = sorted(e.name for e in self._schema.edges.values() if self._schema.connects(e, from_kind, to_kind))
        return f"from {from_kind} to {to_kind} fit: {', '.join(f'`{name}`' for name in fitting)}" if fitting else None

    # The result

    def snapshot(self, all_claims: list[Claims]) -> Snapshot:
        for (node_id, name), facts in self._foreign_sets.items():
            self._things[node_id].facts.setdefault(name, []).append(_united(facts))
        for (node_id, name), words in self._foreign_words.items():
            ours = self._things[node_id].facts.setdefault(name, [])
            stated = {fact.value for fact in ours}
            ours += [fact for fact in words if not stated or fact.value in stated]
        nodes = [self._node(node_id, self._things[node_id]) for node_id in self._kinds]
        edges = [Edge(*key, merge_origins(*origins)) for key, origins in self._edges.items()]
        return Snapshot.build(nodes, edges, {source for each in all_claims for source in each.sources})

    def _node(self, node_id: str, thing: _Thing) -> Node:
        attributes: dict[str, Fact] = {}
        conflicts: dict[str, tuple[Fact, ...]] = {}
        for name in sorted(thing.facts):
            facts = _distinct(thing.facts[name])
            if len(facts) == 1:
                attributes[name] = facts[0]
            else:
                conflicts[name] = facts
                self._contradiction(node_id, name, facts)
        return Node(
            node_id,
            self._kinds[node_id].name,
            attributes,
            conflicts,
            self._names.aliases.get(node_id, ()),
            merge_origins(*thing.origins),
        )

    def _contradiction(self, node_id: str, name: str, facts: tuple[Fact, ...]) -> None:
        told = " and ".join(f"`{text(fact.value)}` in {spoken(fact.origins)}" for fact in facts[:_SHOWN_VALUES])
        if len(facts) > _SHOWN_VALUES:
            told += f" and {len(facts) - _SHOWN_VALUES} values more"
        message = f"`{name}` of `{node_id}` is {told}; it counts as unknown"
        origins = merge_origins(*(fact.origins for fact in facts))
        self._report.warn("PE3143", message, origins, advice="let the sources agree, or remove the wrong one")


def _undeclared(edge: _Known) -> str | None:
    """Return the end of an edge that is told when nothing declares it: the first."""
    if edge.source is None:
        return edge.claim.source
    return edge.claim.target if edge.target is None else None


def _without_fillers(raw: object) -> object:
    """Return a value of a foreign document, or nothing where it only says that there is none."""
    if isinstance(raw, str):
        return None if says_nothing(raw) else raw
    if isinstance(raw, list):
        said = [item for item in raw if item is not None and not (isinstance(item, str) and says_nothing(item))]
        return said or None
    return raw


def _distinct(facts: list[Fact]) -> tuple[Fact, ...]:
    """Return one fact for each different value, with the origins of all that assert it."""
    if len(facts) == 1:
        return (facts[0],)
    by_value: dict[Value, list[Fact]] = {}
    for fact in facts:
        by_value.setdefault(fact.value, []).append(fact)
    merged = [
        # Equal numbers may be written with different digits: the spelling kept must not depend on the order.
        Fact(min((fact.value for fact in same), key=spelling), merge_origins(*(fact.origins for fact in same)))
        for same in by_value.values()
    ]
    return tuple(sorted(merged, key=lambda fact: spelling(fact.value)))


def _united(facts: list[Fact]) -> Fact:
    """Return one fact with every item of several sets."""
    if len(facts) == 1:
        return facts[0]
    items = [item for fact in facts if isinstance(fact.value, frozenset) for item in fact.value]
    # Of equal numbers with different digits the spelling kept must not depend on the order.
    kept = {item: item for item in sorted(items, key=spelling, reverse=True)}
    return Fact(frozenset(kept.values()), merge_origins(*(fact.origins for fact in facts)))
