"""A finished run and a subject → the picture of the lineage around it: what decides a finding first.

What is shown, in this order, until the limit is reached:

1. the things on the paths of the findings that the picture is about, all of them;
2. what these depend on, and what depends on the subject, by distance, then by id.

What is reached and not shown is counted by kind, at each thing it is joined with and for the whole picture.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from policy_dsl.typed.schema import Schema
from policy_dsl.values import format_instant
from policy_dsl.words import SEVERITIES
from policy_engine.app.evaluate import Evaluation
from policy_engine.lineage.graph import Edge, Snapshot
from policy_engine.lineage.names import nearest
from policy_engine.model.errors import fault
from policy_engine.model.results import Result, Status
from policy_reports import document as report
from policy_reports.pictures import graph as picture

CODES: dict[str, str] = {
    "PE3701": "a picture is asked for of something that the inventory does not hold",
    "PE3702": "a picture is asked for of a rule that says nothing about its subject",
}
"""Codes of pictures; docs/reference/codes.md has an entry for every one."""

_SHAPES: tuple[tuple[str, picture.Shape], ...] = (
    ("System", picture.Shape.SYSTEM),
    ("Agent", picture.Shape.SYSTEM),
    ("Model", picture.Shape.MODEL),
    ("Dataset", picture.Shape.DATA),
    ("DataSource", picture.Shape.DATA),
    ("Feature", picture.Shape.DATA),
    ("VectorStore", picture.Shape.DATA),
    ("Memory", picture.Shape.DATA),
    ("LogStore", picture.Shape.DATA),
    ("Vendor", picture.Shape.PARTY),
    ("OrgUnit", picture.Shape.PARTY),
    ("Person", picture.Shape.PARTY),
    ("Prompt", picture.Shape.TEXT),
    ("UseCase", picture.Shape.TEXT),
    ("Pipeline", picture.Shape.PROCESS),
    ("Run", picture.Shape.PROCESS),
    ("Transformation", picture.Shape.PROCESS),
    ("Deployment", picture.Shape.PLACE),
    ("Endpoint", picture.Shape.PLACE),
    ("Service", picture.Shape.PLACE),
    ("Contract", picture.Shape.CONTROL),
    ("Control", picture.Shape.CONTROL),
    ("Guardrail", picture.Shape.CONTROL),
    ("Monitor", picture.Shape.CONTROL),
    ("Risk", picture.Shape.CONTROL),
    ("Incident", picture.Shape.CONTROL),
)
"""The outline of a kind of `std.ai` and of the kinds below it."""

_GRAVEST = (Status.FAIL, Status.UNKNOWN, Status.WAIVED, Status.PASS)
_OPEN = (Status.FAIL, Status.UNKNOWN)


class Direction(StrEnum):
    """Which way lineage is followed from the subject."""

    UPSTREAM = "upstream"
    DOWNSTREAM = "downstream"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class View:
    """What of the lineage is asked for; without a depth, all of it."""

    direction: Direction = Direction.BOTH
    depth: int | None = None
    limit: int = 60
    all_edges: bool = False


def graph_of(run: Evaluation, subject: str, rule: str | None = None, view: View | None = None) -> picture.Graph:
    """Return the picture of the lineage around a subject; ``rule``, a full name, asks for the path of one finding.

    Raises:
        InputError: PE3701 or PE3702.
    """
    if subject not in run.snapshot.nodes:
        close = nearest(subject, run.snapshot.nodes)
        raise fault("PE3701", f"there is nothing named `{subject}` in the inventory", help=close)
    return _Builder(run, subject, rule, view or View()).graph()


class _Builder:
    def __init__(self, run: Evaluation, subject: str, rule: str | None, view: View) -> None:
        self.run, self.subject, self.view = run, subject, view
        self.snapshot: Snapshot = run.snapshot
        self.schema: Schema = run.program.schema
        self.statuses: dict[str, Counter[Status]] = defaultdict(Counter)
        for result in run.results:
            self.statuses[result.subject][result.status] += 1
        self.results = self._results(rule)
        self.paths = self._paths()
        self.on_paths = tuple(dict.fromkeys([subject, *(node for path in self.paths for node in path)]))
        self.edges = tuple(self._edges())
        self.outward, self.inward = _adjacency(self.edges)

    def graph(self) -> picture.Graph:
        reached = self._reached()
        shown = set(self.on_paths)
        for node in reached:
            if len(shown) >= self.view.limit:
                break
            shown.add(node)
        edges = [edge for edge in self.edges if edge.source in shown and edge.target in shown]
        hidden = Counter(self.snapshot.nodes[node].kind for node in reached if node not in shown)
        return picture.Graph(
            title=f"Lineage of {self._name(self.subject)}",
            subject=self.subject,
            nodes=tuple(self._node(node, shown) for node in sorted(shown)),
            edges=tuple(picture.Edge(edge.type, edge.source, edge.target) for edge in edges),
            paths=self.paths,
            findings=tuple(self._finding(result) for result in self.results),
            hidden=dict(hidden),
            captions=tuple(self._captions(len(shown), hidden)),
        )

    # --- findings ----------------------------------------------------------------------------------------------

    def _results(self, rule: str | None) -> list[Result]:
        """Return the results that the picture is about: of one rule, or the open ones of the subject, gravest first."""
        about = [r for r in self.run.results if r.subject == self.subject]
        if rule is not None:
            found = [r for r in about if r.rule == rule]
            if not found:
                close = nearest(rule, [r.rule for r in about])
                raise fault("PE3702", f"`{rule}` is not about `{self.subject}`", help=close)
            return found
        rules = self.run.program.rules
        found = [r for r in about if r.status in _OPEN]
        return sorted(found, key=lambda r: (_OPEN.index(r.status), SEVERITIES.index(rules[r.rule].severity), r.rule))

    def _paths(self) -> tuple[tuple[str, ...], ...]:
        """Return the paths of the results, each once; of things that a path names, those that are in the inventory."""
        paths = [tuple(hop.node for hop in witness.hops) for result in self.results for witness in result.witnesses]
        known = self.snapshot.nodes
        return tuple(dict.fromkeys(path for path in paths if len(path) > 1 and all(node in known for node in path)))

    def _finding(self, result: Result) -> picture.Finding:
        missing = [f"{m.reason}: {m.attribute} of {m.node}" for m in result.missing]
        title = self.run.program.rules[result.rule].title
        text = result.message or ("; ".join([title, *missing]) if missing else result.reason or title)
        return picture.Finding(report.Status(result.status.value), result.rule, text)

    # --- lineage -----------------------------------------------------------------------------------------------

    def _edges(self) -> Iterator[Edge]:
        """Yield the edges that are followed: lineage, or all; and those of the paths, whatever they are."""
        lineage = self.schema.lineage_edges
        steps = {frozenset(pair) for path in self.paths for pair in pairwise(path)}
        for edge in self.snapshot.edges:
            followed = self.view.all_edges or edge.type in lineage
            if followed or (steps and frozenset((edge.source, edge.target)) in steps):
                yield edge

    def _reached(self) -> dict[str, int]:
        """Return what is reached within the depth, with its distance; nearest first, the things on paths before all."""
        found = dict.fromkeys(self.on_paths, 0)
        if self.view.direction is not Direction.DOWNSTREAM:
            _walk(self.on_paths, self.outward, self.view.depth, found)
        if self.view.direction is not Direction.UPSTREAM:
            _walk((self.subject,), self.inward, self.view.depth, found)
        return dict(sorted(found.items(), key=lambda item: (item[1], item[0])))

    # --- things ------------------------------------------------------------------------------------------------

    def _node(self, node_id: str, shown: set[str]) -> picture.Node:
        node = self.snapshot.nodes[node_id]
        statuses = self.statuses[node_id]
        gravest = next((status for status in _GRAVEST if statuses[status]), None)
        return picture.Node(
            id=node_id,
            kind=node.kind,
            name=self._name(node_id),
            shape=self._shape(node.kind),
            status=None if gravest is None else report.Status(gravest.value),
            findings=statuses[gravest] if gravest is not None else 0,
            notes=tuple(self._notes(node_id)),
            hidden_dependencies=self._hidden(self.outward[node_id], shown),
            hidden_dependents=self._hidden(self.inward[node_id], shown),
        )

    def _hidden(self, neighbours: Iterable[str], shown: set[str]) -> dict[str, int]:
        return dict(Counter(self.snapshot.nodes[node].kind for node in neighbours if node not in shown))

    def _notes(self, node_id: str) -> Iterator[str]:
        """Yield what is not known of a thing and would decide a finding that the picture is about."""
        missing = {(m.attribute, m.reason) for r in self.results for m in r.missing if m.node == node_id}
        yield from (f"{attribute}: {reason}" for attribute, reason in sorted(missing))

    def _name(self, node_id: str) -> str:
        value = self.snapshot.value(node_id, "name")
        return value if isinstance(value, str) and value.strip() else node_id

    def _shape(self, kind: str) -> picture.Shape:
        return next((shape for above, shape in _SHAPES if self.schema.is_a(kind, above)), picture.Shape.OTHER)

    def _captions(self, shown: int, hidden: Mapping[str, int]) -> Iterator[str]:
        view = self.view
        way = {
            Direction.UPSTREAM: "what it depends on",
            Direction.DOWNSTREAM: "what depends on it",
            Direction.BOTH: "what it depends on and what depends on it",
        }[view.direction]
        depth = "" if view.depth is None else f", up to {view.depth} steps away"
        edges = "all relations" if view.all_edges else "lineage"
        yield f"{self.subject} at {format_instant(self.run.at)}: {way}{depth}, by {edges}"
        if hidden:
            yield f"{shown:,} things shown, {sum(hidden.values()):,} not shown: {picture.counts_in_words(hidden)}"


def _adjacency(edges: Iterable[Edge]) -> tuple[Mapping[str, tuple[str, ...]], Mapping[str, tuple[str, ...]]]:
    outward: dict[str, dict[str, None]] = defaultdict(dict)
    inward: dict[str, dict[str, None]] = defaultdict(dict)
    for edge in edges:
        if edge.source != edge.target:
            outward[edge.source][edge.target] = None
            inward[edge.target][edge.source] = None
    return _tuples(outward), _tuples(inward)


def _tuples(of: Mapping[str, Mapping[str, None]]) -> Mapping[str, tuple[str, ...]]:
    return defaultdict(tuple, {node: tuple(sorted(others)) for node, others in of.items()})


def _walk(
    start: Iterable[str], following: Mapping[str, tuple[str, ...]], depth: int | None, found: dict[str, int]
) -> None:
    """Add what is reached from some things, in breadth, with its distance."""
    distance, frontier = 0, list(start)
    seen = set(frontier)
    while frontier and (depth is None or distance < depth):
        distance += 1
        reached = dict.fromkeys(other for node in frontier for other in following[node] if other not in seen)
        seen.update(reached)
        for node in reached:
            found[node] = min(found.get(node, distance), distance)
        frontier = list(reached)
