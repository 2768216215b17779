"""Which names mean the same thing.

Rules:

- names are ids and aliases, in one namespace; names with one canonical form are one (see ``locators``);
- a claim says that its id and its aliases are one thing;
- things of one kind with one content digest are one, unless they say that they are of different versions;
- the inventory is believed first; a foreign document never makes one thing of two that the inventory names apart, nor
  of two versions of one package;
- a thing is called by the inventory's id for it, else by the smallest id that a document declares;
- the order in which claims come in changes nothing.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from policy_engine.lineage.claims import Claims, NodeClaim
from policy_engine.lineage.graph import Origin, merge_origins
from policy_engine.lineage.locators import canonical, content_digest, package_and_version
from policy_engine.lineage.reporting import Reporter

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Identities:
    """For every name the id of the thing it means, and for every id the other names of the thing."""

    id_of: dict[str, str]
    """By the names that were written, and by the canonical form of each."""
    aliases: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def find(self, name: str) -> str | None:
        """Return the id of the thing that a name means, or nothing."""
        found = self.id_of.get(name)
        return self.id_of.get(canonical(name)) if found is None else found

    def admit(self, names: Iterable[str]) -> str:
        """Take names of one canonical form, of which nothing is known yet, for a thing; return its id."""
        node_id, *others = sorted(set(names))
        self.id_of.update(dict.fromkeys((canonical(node_id), node_id, *others), node_id))
        if others:
            self.aliases[node_id] = tuple(others)
        return node_id


def identify(claims: Iterable[Claims], report: Reporter) -> Identities:
    """Work out which names mean the same thing."""
    every = list(claims)
    own = [claim for each in every if each.own for claim in each.nodes]
    foreign = [claim for each in every if not each.own for claim in each.nodes]
    names = _Names()
    content = _Contents()
    for claim in own:
        names.declare(claim.id, own=True)
        for alias in claim.aliases:
            names.join(claim.id, alias)
            if (digest := content_digest(alias)) is not None:
                content.add(digest, claim.id, claim.origins)
    _report_doubled(names, own, report)
    # Whether a foreign claim is refused can depend on those before it, so they are taken in an order of their own.
    foreign.sort(key=lambda c: (c.id, c.aliases, [origin.sort_key for origin in c.origins]))
    for claim in foreign:
        names.declare(claim.id, own=False)
        for alias in claim.aliases:
            if (digest := content_digest(alias)) is not None:
                content.add(digest, claim.id, claim.origins)
            elif (why := names.join_unless_apart(claim.id, alias)) is not None:
                _report_apart(claim, alias, why, report)
    for each in every:
        content.take(each)
    _join_equal_content(names, content, [*own, *foreign], report)
    found = names.settle()
    for digest, holders in content.holders.items():
        # What is said of a thing whose name could not be used is said of nothing.
        ids = {found.id_of[key] for name in holders if (key := canonical(name)) in found.id_of}
        if len(ids) == 1:
            found.id_of.setdefault(digest, ids.pop())
    return found


def _report_doubled(names: "_Names", own: list[NodeClaim], report: Reporter) -> None:
    by_root: dict[str, dict[str, list[tuple[Origin, ...]]]] = {}
    for claim in own:
        by_root.setdefault(names.root(claim.id), {}).setdefault(claim.id, []).append(claim.origins)
    for together in by_root.values():
        if len(together) > 1:
            ids = sorted(together)
            listed = ", ".join(f"`{name}`" for name in ids)
            origins = merge_origins(*(origins for name in ids for origins in together[name]))
            report.warn("PE3149", f"by their names {listed} are one thing, called `{ids[0]}` from here on", origins)


def _report_apart(claim: NodeClaim, alias: str, why: str, report: Reporter) -> None:
    if why == _Names.VERSIONS:
        message = (
            f"`{claim.id}` and `{alias}` are one thing here, and name two versions of a package; they are kept apart"
        )
        report.warn("PE3180", message, claim.origins, advice="give each version a name of its own")
        return
    message = f"`{claim.id}` and `{alias}` are one thing here, and two in the inventory; they are kept apart"
    report.warn("PE3147", message, claim.origins, advice="declare the alias in the inventory if they are one")


class _Contents:
    """Which things are said to have which content, and to be of which version."""

    def __init__(self) -> None:
        self.holders: dict[str, dict[str, tuple[Origin, ...]]] = {}
        self.versions: dict[str, set[str]] = {}

    def add(self, digest: str, name: str, origins: tuple[Origin, ...]) -> None:
        _keep_first(self.holders.setdefault(digest, {}), name, origins)

    def take(self, claims: Claims) -> None:
        for claim in claims.attributes:
            if claim.name == "digest":
                digest = content_digest(claim.raw)
                if digest is not None:
                    self.add(digest, claim.node, claim.origins)
            elif claim.name == "version" and isinstance(claim.raw, str):
                self.versions.setdefault(claim.node, set()).add(claim.raw)


def _keep_first(places: dict[str, tuple[Origin, ...]], name: str, origins: tuple[Origin, ...]) -> None:
    """Keep of several places the first in their own order, not in that of loading."""
    places[name] = min(origins, places.get(name, origins), key=lambda at: [origin.sort_key for origin in at])


def _join_equal_content(names: "_Names", content: _Contents, nodes: list[NodeClaim], report: Reporter) -> None:
    """Make one thing of those that have one content digest."""
    # 1. What each thing is said to be, under all of its names.
    kinds: dict[str, set[str]] = {}
    presumed: dict[str, set[str]] = {}
    for claim in nodes:
        (presumed if claim.presumed else kinds).setdefault(names.root(claim.id), set()).add(claim.kind)
    kinds = presumed | kinds  # a presumed kind counts where none is stated
    versions: dict[str, set[str]] = {}
    for name, said in content.versions.items():
        if names.knows(name):
            versions.setdefault(names.root(name), set()).update(said)
    digests: dict[str, dict[str, tuple[Origin, ...]]] = {}
    for digest, holders in content.holders.items():
        for name, origins in holders.items():
            if names.knows(name) and (root := names.root(name)) in kinds:
                _keep_first(digests.setdefault(root, {}), digest, origins)
    # 2. A thing of which several digests are asserted is known by none of them: it could join any two others.
    alike: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for root, found in digests.items():
        if len(found) == 1:
            alike.setdefault((next(iter(found)), tuple(sorted(kinds[root]))), []).append(root)
    # 3. Those of one kind, one digest and no two versions are one.
    for (digest, _), roots in sorted(alike.items()):
        for group in agreeing(sorted(roots), lambda root: versions.get(root, ())):
            _join_group(names, digest, group, [digests[root][digest] for root in group], report)


def _join_group(
    names: "_Names", digest: str, group: Sequence[str], origins: Sequence[tuple[Origin, ...]], report: Reporter
) -> None:
    own = [name for name in group if names.is_own(name)]
    if len(own) > 1:
        for name, places in zip(group, origins, strict=True):
            if not names.is_own(name):
                message = f"`{names.spelled(name)}` has the content digest of several things of the inventory"
                advice = (
                    f"name it as an alias of the one it is, of {', '.join(f'`{names.spelled(n)}`' for n in own[:5])}"
                )
                report.warn("PE3182", message, places, advice=advice)
        return
    first = own[0] if own else group[0]
    for name, places in zip(group, origins, strict=True):
        if names.join_unless_apart(first, name) is not None:
            message = (
                f"`{names.spelled(first)}` and `{names.spelled(name)}` have one content digest, `{digest[:19]}…`, and"
            )
            report.warn("PE3180", f"{message} name two versions of a package; they are kept apart", places)


def agreeing(items: Iterable[Item], said: Callable[[Item], Iterable[Hashable]]) -> list[list[Item]]:
    """Divide items so that no two of a group say different things; what says nothing joins where there is no choice.

    >>> agreeing(["a1", "b", "c1"], lambda item: item[1:]), agreeing(["a1", "b", "c2"], lambda item: item[1:])
    ([['a1', 'c1', 'b']], [['a1'], ['c2'], ['b']])
    """
    groups: dict[frozenset[Hashable], list[Item]] = {}
    silent: list[Item] = []
    for item in items:
        words = frozenset(said(item))
        (groups.setdefault(words, []) if words else silent).append(item)
    if len(groups) == 1:
        return [[*next(iter(groups.values())), *silent]]
    return [*groups.values(), silent] if silent else list(groups.values())


class _Names:
    """Sets of names that mean one thing: a forest in which every name points towards the root of its set.

    The forest is over canonical names; ``_spellings`` has the names that were written.
    """

    VERSIONS = "versions"
    INVENTORY = "inventory"

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}
        self._spellings: dict[str, dict[str, None]] = {}
        self._keys: dict[str, str] = {}
        self._own: dict[str, str] = {}  # root → the smallest id of the inventory in its set
        self._declared: dict[str, bool] = {}
        self._packages: dict[str, dict[str, str]] = {}  # root → package → the version its set has of it

    def declare(self, name: str, *, own: bool) -> None:
        root = self._find(self._enter(name))
        self._declared[name] = own or self._declared.get(name, False)
        if own:
            self._own[root] = min(name, self._own.get(root, name))

    def knows(self, name: str) -> bool:
        return self._key(name) in self._parent

    def root(self, name: str) -> str:
        return self._find(self._key(name))

    def is_own(self, name: str) -> bool:
        return self.root(name) in self._own

    def spelled(self, name: str) -> str:
        """Return a name as somebody wrote it."""
        return min(self._spellings[self._key(name)])

    def join(self, name: str, other: str) -> None:
        """Make two names mean one thing."""
        first, second = sorted((self._find(self._enter(name)), self._find(self._enter(other))))
        if first == second:
            return
        self._parent[second] = first
        owned = [self._own.pop(root) for root in (first, second) if root in self._own]
        if owned:
            self._own[first] = min(owned)
        small, large = sorted((self._packages.pop(root, {}) for root in (first, second)), key=len)
        if large:
            # The smaller into the larger, so that no chain of aliases makes this slow.
            large.update(small)
            self._packages[first] = large

    def join_unless_apart(self, name: str, other: str) -> str | None:
        """Make two names mean one thing unless they are kept apart; return what keeps them apart."""
        first, second = self._find(self._enter(name)), self._find(self._enter(other))
        if first == second:
            return None
        if first in self._own and second in self._own:
            return self.INVENTORY
        small, large = sorted((self._packages.get(root, {}) for root in (first, second)), key=len)
        if any(large.get(package, version) != version for package, version in small.items()):
            return self.VERSIONS
        self.join(name, other)
        return None

    def settle(self) -> Identities:
        members: dict[str, list[str]] = {}
        for key in self._parent:
            members.setdefault(self._find(key), []).append(key)
        id_of: dict[str, str] = {}
        aliases: dict[str, tuple[str, ...]] = {}
        for keys in members.values():
            names = [name for key in keys for name in self._spellings[key]]
            declared = [name for name in names if name in self._declared]
            if not declared:
                continue  # an alias that was refused, and that nothing else declares
            node_id = min(declared, key=lambda name: (not self._declared[name], name))
            id_of.update(dict.fromkeys((*keys, *names), node_id))
            if len(names) > 1:
                aliases[node_id] = tuple(sorted(name for name in names if name != node_id))
        return Identities(id_of, aliases)

    def _key(self, name: str) -> str:
        known = self._keys.get(name)
        return canonical(name) if known is None else known

    def _enter(self, name: str) -> str:
        key = self._keys.get(name)
        if key is None:
            key = self._keys[name] = canonical(name)
            if key not in self._parent:
                self._parent[key] = key
                package = package_and_version(key)
                if package is not None and package[1]:
                    self._packages[key] = {package[0]: package[1]}
            self._spellings.setdefault(key, {})[name] = None
        return key

    def _find(self, key: str) -> str:
        parent = self._parent
        while parent[key] != key:
            # Halving the path keeps the forest flat.
            parent[key] = key = parent[parent[key]]
        return key
