"""What differs between two stored snapshots, thing by thing, as the rows come.

Only versions that hold in one of the two and not in the other are looked at. Of these a node counts as changed when
what is asserted of it differs: a fact that merely moved within its file is the same fact.
"""

import json
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Table, and_, not_, or_, select

from policy_engine.lineage.store.tables import EDGES, NODES
from policy_engine.lineage.store.writing import STREAMED, holds_in


class How(StrEnum):
    """How something differs."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


Told = str | bool | tuple["Told", ...]
"""A value as the canonical form writes it; several are a set, or what sources contradict each other about."""


@dataclass(frozen=True, slots=True)
class FactChange:
    """A fact of a node before and after; nothing where there is none. ``kind`` and ``aliases`` stand as such."""

    name: str
    before: Told | None
    after: Told | None
    contradicted: bool = False
    """Whether sources contradict each other about it, in either snapshot."""

    @property
    def how(self) -> How:
        """How it differs."""
        if self.before is None:
            return How.ADDED
        return How.REMOVED if self.after is None else How.CHANGED


@dataclass(frozen=True, slots=True)
class NodeChange:
    """A node that one snapshot lacks, or of which something else is asserted; then with what."""

    how: How
    id: str
    kind: str
    facts: tuple[FactChange, ...] = ()


@dataclass(frozen=True, slots=True)
class EdgeChange:
    """An edge that one of the snapshots lacks."""

    how: How
    type: str
    source: str
    target: str


Change = NodeChange | EdgeChange


def differences(connection: Connection, before: int, after: int) -> Generator[Change, None, None]:
    """Yield what differs between the snapshots of two numbers: nodes by id, then edges by type, source and target."""
    with closing(_only_in_one(connection, NODES, ("id",), before, after)) as things:
        for (node_id,), versions in things:
            yield from _node_change(node_id, versions.get(True), versions.get(False))
    with closing(_only_in_one(connection, EDGES, ("type", "source", "target"), before, after)) as edges:
        for key, versions in edges:
            if len(versions) == 1:
                yield EdgeChange(How.REMOVED if True in versions else How.ADDED, *key)


def _node_change(node_id: str, old: str | None, new: str | None) -> Iterator[NodeChange]:
    if old is None or new is None:
        how, document = (How.ADDED, new) if old is None else (How.REMOVED, old)
        yield NodeChange(how, node_id, json.loads(document or "")["kind"])
    elif facts := _facts(json.loads(old), json.loads(new)):
        yield NodeChange(How.CHANGED, node_id, json.loads(new)["kind"], facts)


def _only_in_one(
    connection: Connection, table: Table, key: tuple[str, ...], before: int, after: int
) -> Generator[tuple[tuple[str, ...], dict[bool, str]], None, None]:
    """Yield keys with their documents before (true) and after (false), of versions that hold in one of the two."""
    in_before, in_after = holds_in(table, before), holds_in(table, after)
    columns = [table.c[name] for name in key]
    wanted = (
        select(*columns, table.c.document, table.c.first, table.c.last)
        .where(or_(and_(in_before, not_(in_after)), and_(in_after, not_(in_before))))
        .order_by(*columns)
    )
    with connection.execute(wanted, execution_options=STREAMED) as rows:
        for found, group in groupby(rows, key=lambda row: tuple(row[: len(key)])):
            yield found, {row.first <= before < row.last: row.document for row in group}


def _facts(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[FactChange, ...]:
    was, became = _asserted(old), _asserted(new)
    return tuple(
        FactChange(name, before.value, after.value, before.contradicted or after.contradicted)
        for name in sorted(was.keys() | became.keys())
        if (before := was.get(name, _NOTHING)) != (after := became.get(name, _NOTHING))
    )


@dataclass(frozen=True, slots=True)
class _Said:
    value: Told | None
    contradicted: bool = False


_NOTHING = _Said(None)


def _asserted(document: Mapping[str, Any]) -> dict[str, _Said]:
    """Return what is asserted, by name."""
    said = {name: _Said(_told(fact["value"])) for name, fact in document["attributes"].items()}
    for name, facts in document.get("conflicts", {}).items():
        said[name] = _Said(tuple(_told(fact["value"]) for fact in facts), contradicted=True)
    said["kind"] = _Said(document["kind"])
    if aliases := document.get("aliases"):
        said["aliases"] = _Said(tuple(aliases))
    return said


def _told(value: Any) -> Told:
    return tuple(_told(item) for item in value) if isinstance(value, list) else value
