"""Which names mean the same thing.

Rules:

- names are ids and aliases, in one namespace; a claim says that its id and its aliases are one thing;
- the inventory is believed first; a foreign document never makes one thing of two that the inventory names apart;
- a thing is called by the inventory's id for it, else by the smallest id that a document declares;
- the order in which claims come in changes nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from policy_engine.lineage.claims import Claims, NodeClaim
from policy_engine.lineage.graph import merge_origins
from policy_engine.lineage.reporting import Reporter


@dataclass(frozen=True, slots=True)
class Identities:
    """For every name the id of the thing it means, and for every id the other names of the thing."""

    id_of: dict[str, str]
    aliases: dict[str, tuple[str, ...]]


def identify(claims: Iterable[Claims], report: Reporter) -> Identities:
    """Work out which names mean the same thing."""
    own: list[NodeClaim] = []
    foreign: list[NodeClaim] = []
    for each in claims:
        (own if each.own else foreign).extend(each.nodes)
    names = _Names()
    for claim in own:
        names.declare(claim.id, own=True)
        for alias in claim.aliases:
            names.join(claim.id, alias)
    _report_doubled(names, own, report)
    # Whether a foreign claim is refused can depend on those before it, so they are taken in an order of their own.
    for claim in sorted(foreign, key=lambda c: (c.id, c.aliases, [origin.sort_key for origin in c.origins])):
        names.declare(claim.id, own=False)
        for alias in claim.aliases:
            if not names.join(claim.id, alias, keep_apart=True):
                report.add(
                    "PE3147",
                    f"`{claim.id}` and `{alias}` are one thing here, and two in the inventory; they are kept apart",
                    claim.origins,
                    own=False,
                    advice="declare the alias in the inventory if they are one",
                )
    return names.settle()


def _report_doubled(names: "_Names", own: list[NodeClaim], report: Reporter) -> None:
    by_root: dict[str, dict[str, NodeClaim]] = {}
    for claim in own:
        by_root.setdefault(names.root(claim.id), {}).setdefault(claim.id, claim)
    for together in by_root.values():
        if len(together) > 1:
            ids = sorted(together)
            listed = ", ".join(f"`{name}`" for name in ids)
            origins = merge_origins(*(together[name].origins for name in ids))
            report.warn("PE3149", f"by their aliases {listed} are one thing, called `{ids[0]}` from here on", origins)


class _Names:
    """Sets of names that mean one thing: a forest in which every name points towards the root of its set."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}
        self._own: dict[str, str] = {}  # root → the smallest id of the inventory in its set
        self._declared: dict[str, bool] = {}

    def declare(self, name: str, *, own: bool) -> None:
        self._parent.setdefault(name, name)
        self._declared[name] = own or self._declared.get(name, False)
        if own:
            root = self.root(name)
            self._own[root] = min(name, self._own.get(root, name))

    def root(self, name: str) -> str:
        parent = self._parent
        while parent[name] != name:
            # Halving the path keeps the forest flat.
            parent[name] = name = parent[parent[name]]
        return name

    def join(self, name: str, other: str, *, keep_apart: bool = False) -> bool:
        """Make two names mean one thing, unless the inventory's two things must be kept apart; tell whether."""
        self._parent.setdefault(other, other)
        first, second = sorted((self.root(name), self.root(other)))
        if first == second:
            return True
        if keep_apart and first in self._own and second in self._own:
            return False
        self._parent[second] = first
        owned = [self._own.pop(root) for root in (first, second) if root in self._own]
        if owned:
            self._own[first] = min(owned)
        return True

    def settle(self) -> Identities:
        members: dict[str, list[str]] = {}
        for name in self._parent:
            members.setdefault(self.root(name), []).append(name)
        id_of: dict[str, str] = {}
        aliases: dict[str, tuple[str, ...]] = {}
        for names in members.values():
            if len(names) == 1:
                id_of[names[0]] = names[0]
                continue
            # INVARIANT: every set holds a declared id, since an alias only enters together with one.
            node_id = min((name for name in names if name in self._declared), key=lambda n: (not self._declared[n], n))
            id_of.update(dict.fromkeys(names, node_id))
            aliases[node_id] = tuple(sorted(name for name in names if name != node_id))
        return Identities(id_of, aliases)
