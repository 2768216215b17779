"""Which column each thing of a graph stands in: dependencies to the right of what depends on them.

The lane, a path that is to be read from left to right, comes first. Then, as in the method of Sugiyama, Tagawa and
Toda (1981): edges that close a cycle are turned round, things stand as far left as what leads to them allows, edges
over several columns pass through a way point in each. Two additions keep large graphs readable:

- a column that would be too high gives its surplus of beginnings to the left, its surplus of ends to the right;
- long edges of one type share their way points when they meet in one end, so that they run as one trunk that only
  joins, or only splits.

>>> chain = [Link("a", "b", "uses"), Link("b", "c", "uses"), Link("c", "a", "uses")]
>>> layered = layers(["a", "b", "c"], chain, ("a",))
>>> [layered.column[node] for node in "abc"], [route.backwards for route in layered.routes]
([0, 1, 2], [False, False, True])
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

LOWEST_CAPACITY = 12


@dataclass(frozen=True, slots=True, order=True)
class Link:
    """An edge to be drawn."""

    source: str
    target: str
    label: str


@dataclass(frozen=True, slots=True, order=True)
class WayPoint:
    """Where long edges pass a column: those of one label that meet in one end (``at``) share it."""

    at: str
    label: str
    backwards: bool
    column: int


Item = str | WayPoint


@dataclass(frozen=True, slots=True)
class Route:
    """An edge with the items that it passes, from left to right; a backwards one leads from right to left."""

    link: Link
    items: tuple[Item, ...]
    backwards: bool


@dataclass(frozen=True, slots=True)
class Layers:
    """The column of every item, and the way of every link (links from a thing to itself have none)."""

    column: Mapping[Item, int]
    routes: tuple[Route, ...]


def layers(ids: Sequence[str], links: Sequence[Link], lane: Sequence[str]) -> Layers:
    """Give every thing a column; ``lane`` holds things that stand in columns from left to right, each once."""
    drawn = sorted({link for link in links if link.source != link.target})
    rank = {node: index for index, node in enumerate(lane)}
    backwards = _backwards(ids, drawn, lane, rank)
    after: dict[str, set[str]] = {node: set() for node in ids}
    before: dict[str, set[str]] = {node: set() for node in ids}
    ends = [_ends(link, link in backwards) for link in drawn] + list(pairwise(lane))
    for left, right in ends:
        after[left].add(right)
        before[right].add(left)
    column = _columns(ids, before, after, set(lane))
    _spread(column, before, after, set(lane))
    lowest = min(column.values())
    column = {node: column[node] - lowest for node in ids}
    routes = _routes(drawn, backwards, column)
    items: dict[Item, int] = {node: column[node] for node in ids}
    items |= {i: i.column for route in routes for i in route.items if isinstance(i, WayPoint)}
    return Layers(items, routes)


def _ends(link: Link, backwards: bool) -> tuple[str, str]:
    return (link.target, link.source) if backwards else (link.source, link.target)


def _backwards(ids: Sequence[str], links: Sequence[Link], lane: Sequence[str], rank: Mapping[str, int]) -> set[Link]:
    """Return the links to turn round: those against the lane, and those that close a cycle."""
    turned = {link for link in links if rank.get(link.source, -1) > rank.get(link.target, math.inf)}
    following: dict[str, list[str]] = {node: [] for node in ids}
    for left, right in pairwise(lane):
        following[left].append(right)
    for link in links:
        left, right = _ends(link, link in turned)
        following[left].append(right)
    closing = _closing([*lane, *ids], following)
    return turned | {link for link in links if link not in turned and (link.source, link.target) in closing}


def _closing(order: Sequence[str], following: Mapping[str, Sequence[str]]) -> set[tuple[str, str]]:
    """Return the edges that lead back to where a walk in depth has come from."""
    closing: set[tuple[str, str]] = set()
    done: set[str] = set()
    for start in order:
        if start in done:
            continue
        walk = {start: iter(following[start])}
        while walk:
            node = next(reversed(walk))
            for other in walk[node]:
                if other in walk:
                    closing.add((node, other))
                elif other not in done:
                    walk[other] = iter(following[other])
                    break
            else:
                done.add(node)
                del walk[node]
    return closing


def _columns(
    ids: Sequence[str], before: Mapping[str, set[str]], after: Mapping[str, set[str]], lane: set[str]
) -> dict[str, int]:
    waiting = {node: len(before[node]) for node in ids}
    order = [node for node in ids if not waiting[node]]
    column = dict.fromkeys(ids, 0)
    for node in order:
        for other in sorted(after[node]):
            column[other] = max(column[other], column[node] + 1)
            waiting[other] -= 1
            if not waiting[other]:
                order.append(other)
    # What more things follow than precede stands close to what follows.
    for node in reversed(order):
        if after[node] and node not in lane and len(after[node]) > len(before[node]):
            column[node] = min(column[other] for other in after[node]) - 1
    return column


def _spread(
    column: dict[str, int], before: Mapping[str, set[str]], after: Mapping[str, set[str]], lane: set[str]
) -> None:
    capacity = max(LOWEST_CAPACITY, math.ceil(1.4 * math.sqrt(len(column))))
    for movable, step in ((before, -1), (after, 1)):
        members: dict[int, list[str]] = defaultdict(list)
        for node, at in column.items():
            members[at].append(node)
        at = max(members) if step < 0 else min(members)
        while at in members:
            surplus = len(members[at]) - capacity
            free = [node for node in members[at] if node not in lane and not movable[node]]
            for node in free[len(free) - min(surplus, len(free)) :] if surplus > 0 else ():
                column[node] = at + step
                members[at + step].append(node)
            at += step
            if at not in members and any((other - at) * step > 0 for other in members):
                members[at] = []


def _routes(links: Sequence[Link], backwards: set[Link], column: Mapping[str, int]) -> tuple[Route, ...]:
    starting = Counter((_ends(link, link in backwards)[0], link.label) for link in links)
    ending = Counter((_ends(link, link in backwards)[1], link.label) for link in links)
    found = []
    for link in links:
        turned = link in backwards
        left, right = _ends(link, turned)
        meeting = right if ending[right, link.label] >= starting[left, link.label] else left
        middle = [WayPoint(meeting, link.label, turned, at) for at in range(column[left] + 1, column[right])]
        found.append(Route(link, (left, *middle, right), turned))
    return tuple(found)
