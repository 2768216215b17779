"""Lineage around a subject as a picture asks for it.

Rules:

- the first path is drawn first, in the middle, from left to right; everything else is arranged around it;
- an edge leads from what depends to what it depends on, and is drawn to the right unless that closes a cycle;
- what is not shown is counted at the thing it is connected with, and in ``hidden``.

>>> graph = Graph("credit", "credit", (Node("credit", "System", "Credit scoring"),), ())
>>> graph.nodes[0].shape
<Shape.OTHER: 'other'>
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from policy_reports.document import Status
from policy_reports.errors import ReportError


class Shape(StrEnum):
    """The outline of a thing: what family its kind belongs to."""

    SYSTEM = "system"
    MODEL = "model"
    DATA = "data"
    PARTY = "party"
    TEXT = "text"
    PROCESS = "process"
    PLACE = "place"
    CONTROL = "control"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Node:
    """A thing. ``findings`` says how many results it has of its gravest status; ``notes`` are facts worth a line.

    ``hidden_dependencies`` and ``hidden_dependents`` count, by kind, its neighbours that are not in the picture.
    """

    id: str
    kind: str
    name: str = ""
    shape: Shape = Shape.OTHER
    status: Status | None = None
    findings: int = 0
    notes: tuple[str, ...] = ()
    hidden_dependencies: Mapping[str, int] = field(default_factory=dict)
    hidden_dependents: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, order=True)
class Edge:
    """An edge from what depends to what it depends on."""

    type: str
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A result that the picture is about, in words."""

    status: Status
    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class Graph:
    """A picture's content. ``paths`` are lists of ids; ``hidden`` counts by kind what there is and is not shown.

    Raises:
        ReportError: PE3705, two nodes share an id, or the subject, an edge or a path names no node.
    """

    title: str
    subject: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    paths: tuple[tuple[str, ...], ...] = ()
    findings: tuple[Finding, ...] = ()
    hidden: Mapping[str, int] = field(default_factory=dict)
    captions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        known = {node.id for node in self.nodes}
        if len(known) != len(self.nodes):
            raise ReportError("PE3705", "two things of the graph have the same id")
        for name in self._named():
            if name not in known:
                raise ReportError("PE3705", f"the graph names `{name}`, and there is no such thing in it")

    def _named(self) -> Iterable[str]:
        yield self.subject
        for edge in self.edges:
            yield from (edge.source, edge.target)
        for path in self.paths:
            yield from path


def counts_in_words(counts: Mapping[str, int]) -> str:
    """Say how many of each kind, the most first.

    >>> counts_in_words({"Model": 1, "Dataset": 37})
    '37 Dataset, 1 Model'
    """
    return ", ".join(f"{count:,} {kind}" for kind, count in sorted(counts.items(), key=lambda kc: (-kc[1], kc[0])))
