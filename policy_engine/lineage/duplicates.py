"""Things that are probably one thing under several names.

Rules: nothing is joined here, a person decides; things of different versions, suppliers or organisations are not
alike; every reason is found by grouping, so that the work grows with the number of things.

>>> from policy_engine.lineage.graph import Fact, Node, Snapshot
>>> estate = Snapshot.build([Node("loans-2025", "Dataset"), Node("urn:x:7", "Dataset", {"name": Fact("Loans 2025")})])
>>> [(found.ids, found.reason) for found in likely_duplicates(estate)]
[(('loans-2025', 'urn:x:7'), 'the name and kind')]
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from policy_engine.lineage.graph import Node, Snapshot
from policy_engine.lineage.identity import agreeing
from policy_engine.lineage.locators import canonical, content_digest
from policy_engine.lineage.purl import PackageUrl, package_url

_HUB_NAME: Final = re.compile(r"([\w.-]+)/([\w.-]+)")
_SUPPLIES: Final = "supplied_by"


@dataclass(frozen=True, slots=True)
class Likeness:
    """Things that are probably one, and what they share."""

    ids: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class _Look:
    """What of a thing is compared."""

    id: str
    kind: str
    names: frozenset[str]
    packages: tuple[PackageUrl, ...]
    digest: str | None
    versions: frozenset[str]
    organisations: frozenset[str]
    suppliers: tuple[str, ...]


def likely_duplicates(snapshot: Snapshot) -> tuple[Likeness, ...]:
    """Return the groups of things that are probably one, by the smallest id in each."""
    looks = [_look(node, snapshot) for node in snapshot.nodes.values()]
    found: dict[tuple[str, ...], Likeness] = {}
    for reason, group in (*_of_one_content(looks), *_of_one_package(looks), *_of_one_name(looks)):
        ids = tuple(sorted(look.id for look in group))
        found.setdefault(ids, Likeness(ids, reason))
    return _without_parts([found[ids] for ids in sorted(found)])


def _without_parts(groups: list[Likeness]) -> tuple[Likeness, ...]:
    """Leave out groups that are part of another."""
    having: dict[str, list[frozenset[str]]] = {}
    for group in groups:
        ids = frozenset(group.ids)
        for node_id in ids:
            having.setdefault(node_id, []).append(ids)
    # A thing is in a few groups only: as many as it has names, packages and digests.
    return tuple(g for g in groups if not any(frozenset(g.ids) < other for other in having[g.ids[0]]))


_Alike = tuple[str, list[_Look]]


def _of_one_content(looks: list[_Look]) -> Iterator[_Alike]:
    for group in _grouped(looks, lambda look: {look.digest} - {None}):
        yield "the content digest", group


def _of_one_package(looks: list[_Look]) -> Iterator[_Alike]:
    for group in _grouped(looks, lambda look: {str(replace(found, version="")) for found in look.packages}):
        for same in agreeing(group, lambda look: look.versions):
            if len(same) > 1:
                yield "the package, of which not all say the version,", same


def _of_one_name(looks: list[_Look]) -> Iterator[_Alike]:
    for group in _grouped(looks, lambda look: {(look.kind, name) for name in look.names}):
        for versions in agreeing(group, lambda look: look.versions):
            for suppliers in agreeing(versions, lambda look: look.suppliers):
                for same in agreeing(suppliers, lambda look: look.organisations):
                    if len(same) > 1:
                        supplied = all(look.suppliers for look in same)
                        yield "the name, kind and supplier" if supplied else "the name and kind", same


def _grouped(looks: list[_Look], keys: Callable[[_Look], Iterable[object]]) -> list[list[_Look]]:
    groups: dict[object, list[_Look]] = {}
    for look in looks:
        for key in keys(look):
            groups.setdefault(key, []).append(look)
    return [group for group in groups.values() if len(group) > 1]


def _look(node: Node, snapshot: Snapshot) -> _Look:
    written = (canonical(name) for name in (node.id, *node.aliases))
    packages = tuple(found for name in written if name.startswith("pkg:") and (found := package_url(name)))
    called = [str(fact.value) for fact in node.conflicts.get("name", ())]
    spoken = [_said(node, "name"), *called, "" if ":" in node.id else node.id, *(found.name for found in packages)]
    organisations = {found.namespace[-1].casefold() for found in packages if found.namespace}
    names = set()
    for name in spoken:
        hub = _HUB_NAME.fullmatch(name)
        if hub:
            organisations.add(hub[1].casefold())
        names.add(_skeleton(hub[2] if hub else name))
    version = _said(node, "version")
    versions = {found.version for found in packages if found.version} or ({version} if version else set())
    return _Look(
        node.id,
        node.kind,
        frozenset(names - {""}),
        packages,
        content_digest(_said(node, "digest")),
        frozenset(versions),
        frozenset(organisations),
        snapshot.targets(node.id, _SUPPLIES),
    )


def _said(node: Node, attribute: str) -> str:
    fact = node.attributes.get(attribute)
    return fact.value if fact is not None and isinstance(fact.value, str) else ""


def _skeleton(name: str) -> str:
    """Return the letters and digits of a name: what is left when spaces, dashes, case and widths do not count."""
    if len(name) > 200:
        return ""
    return "".join(letter for letter in unicodedata.normalize("NFKC", name).casefold() if letter.isalnum())
