"""The schema that policies are checked against and inventories are read with.

A schema is declared in the language itself (``node``, ``edge``, ``evidence``, ``enum``, ``role``); this
module is its checked form. An edge points from the thing that depends to the thing it depends on.
"""

from collections.abc import Mapping
from enum import StrEnum

from policy_dsl.records import dataclass, field
from policy_dsl.typed.types import AttributeType, EnumType
from policy_dsl.values import Value


class Flow(StrEnum):
    """What an edge means for lineage.

    ``lineage`` edges are followed by ``upstream of`` and ``downstream of``. A ``part`` edge is lineage
    whose target belongs to its source: a question about a thing's lineage always looks inside its
    parts, whatever edges it names after ``via``.
    """

    NONE = "none"
    LINEAGE = "lineage"
    PART = "part"


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of a kind or a field of an evidence type; ``default`` stands where no value is asserted."""

    name: str
    type: AttributeType
    default: Value | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of node. ``attributes`` holds those of the parent kinds too."""

    name: str
    parent: str | None
    attributes: Mapping[str, Attribute]
    description: str = ""


@dataclass(frozen=True, slots=True)
class EdgeType:
    """A type of edge between kinds, read forwards as ``name`` and backwards as ``reverse``."""

    name: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    reverse: str | None
    flow: Flow
    description: str = ""


@dataclass(frozen=True, slots=True)
class EvidenceType:
    """A type of signed evidence about nodes of the given kinds (any kind when empty)."""

    name: str
    subjects: tuple[str, ...]
    fields: Mapping[str, Attribute]
    description: str = ""


@dataclass(frozen=True, slots=True)
class Schema:
    """Everything declared with ``node``, ``edge``, ``evidence``, ``enum`` and ``role``, by name."""

    kinds: Mapping[str, Kind] = field(default_factory=dict)
    edges: Mapping[str, EdgeType] = field(default_factory=dict)
    evidence: Mapping[str, EvidenceType] = field(default_factory=dict)
    enums: Mapping[str, EnumType] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    _below: dict[str, frozenset[str]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def is_a(self, kind: str, ancestor: str) -> bool:
        """Tell whether ``kind`` is ``ancestor`` or a kind below it."""
        current: str | None = kind
        while current is not None:
            if current == ancestor:
                return True
            found = self.kinds.get(current)
            current = found.parent if found else None
        return False

    def kinds_below(self, ancestor: str) -> frozenset[str]:
        """Return ``ancestor`` and every kind below it."""
        if ancestor not in self._below:
            self._below[ancestor] = frozenset(name for name in self.kinds if self.is_a(name, ancestor))
        return self._below[ancestor]

    def connects(self, edge: EdgeType, source: str, target: str) -> bool:
        """Tell whether an edge of this type may lead from one kind to another."""
        return any(self.is_a(source, s) for s in edge.sources) and any(self.is_a(target, t) for t in edge.targets)

    def edge_named(self, name: str) -> tuple[EdgeType, bool] | None:
        """Find an edge type by either of its names; the flag is true for the reverse name."""
        if name in self.edges:
            return self.edges[name], False
        reverse = next((e for e in self.edges.values() if e.reverse == name), None)
        return (reverse, True) if reverse else None

    @property
    def lineage_edges(self) -> frozenset[str]:
        """The names of all edge types that lineage follows."""
        return frozenset(e.name for e in self.edges.values() if e.flow is not Flow.NONE)

    @property
    def part_edges(self) -> frozenset[str]:
        """The names of the edge types whose target is part of their source."""
        return frozenset(e.name for e in self.edges.values() if e.flow is Flow.PART)
