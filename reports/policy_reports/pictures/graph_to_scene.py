"""A graph → a scene: boxes that grow with what they say, edges that end where they belong, a title and a legend."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from policy_reports.pictures.cards import Card, Spelling, card
from policy_reports.pictures.colours import ACCENT, LINE, MUTED
from policy_reports.pictures.faces import Face, shortened, width
from policy_reports.pictures.graph import Graph, Node
from policy_reports.pictures.graph_words import headings, legend, tables
from policy_reports.pictures.layers import Item, Layers, Link, Route, WayPoint, layers
from policy_reports.pictures.placing import heights
from policy_reports.pictures.scene import Anchor, Drawn, Group, Outline, Point, Scene, Step, Style, Text, line, polygon
from policy_reports.pictures.shapes import inset

MARGIN = 28.0
LABEL = 10.0
LABEL_LIMIT = 150.0
PORT = 13.0
_HEAD = 8.0
_OUT = ""


def graph_to_scene(graph: Graph, spelled: Spelling) -> Scene:
    """Place and draw a graph; ``spelled`` turns text into what the format can show."""
    lane = _lane(graph)
    links = [Link(edge.source, edge.target, edge.type) for edge in graph.edges]
    ids = [*lane, *sorted({node.id for node in graph.nodes} - set(lane))]
    layered = layers(ids, links, lane)
    meeting = _meetings(layered)
    cards = {
        node.id: card(node, node.id == graph.subject, spelled, _rows(node.id, meeting) * PORT) for node in graph.nodes
    }
    firm = _firm(layered, lane)
    middle = heights(layered, {name: each.height for name, each in cards.items()}, firm)
    drawing = _Drawing(graph, layered, cards, middle, spelled, meeting)
    return drawing.scene()


def _lane(graph: Graph) -> tuple[str, ...]:
    """Return the first path, or the subject where there is none; a thing that a path meets twice stands once."""
    return tuple(dict.fromkeys(graph.paths[0])) if graph.paths else (graph.subject,)


def _firm(layered: Layers, lane: Sequence[str]) -> frozenset[Item]:
    """Return the lane with the way points between its things, at most one item of each column."""
    firm: dict[int, Item] = {layered.column[node]: node for node in lane}
    following = set(pairwise(lane))
    for route in layered.routes:
        if (route.items[0], route.items[-1]) in following:
            for item in route.items:
                firm.setdefault(layered.column[item], item)
    return frozenset(firm.values())


def _meetings(layered: Layers) -> dict[tuple[str, bool, str], list[tuple[Item, Route]]]:
    """Return by thing, side (right or not) and label what is joined there; edges that leave share one place."""
    found: dict[tuple[str, bool, str], list[tuple[Item, Route]]] = defaultdict(list)
    for route in layered.routes:
        label = route.link.label
        left, right = route.items[0], route.items[-1]
        assert isinstance(left, str)  # noqa: S101 - routes start and end with things
        assert isinstance(right, str)  # noqa: S101 - as above
        found[left, True, label if route.backwards else _OUT].append((route.items[1], route))
        found[right, False, _OUT if route.backwards else label].append((route.items[-2], route))
    return found


def _rows(node: str, meeting: Mapping[tuple[str, bool, str], object]) -> int:
    return max(sum(key[:2] == (node, side) for key in meeting) for side in (False, True))


class _Drawing:
    def __init__(
        self,
        graph: Graph,
        layered: Layers,
        cards: Mapping[str, Card],
        middle: Mapping[Item, float],
        spelled: Spelling,
        meeting: Mapping[tuple[str, bool, str], list[tuple[Item, Route]]],
    ) -> None:
        self.graph, self.layered, self.cards, self.middle, self.spelled = graph, layered, cards, middle, spelled
        self.meeting = meeting
        self.nodes: dict[str, Node] = {node.id: node for node in graph.nodes}
        self.labels = {
            edge.type: shortened(spelled(edge.type), Face.ITALIC, LABEL, LABEL_LIMIT) for edge in graph.edges
        }
        self.offset = self._ports()
        self.left, self.right, self.zones = self._columns()

    # --- places ----------------------------------------------------------------------------------------------

    def _ports(self) -> dict[tuple[str, bool, str], float]:
        """Return how far below the middle of a thing each of its meeting places lies, by the height of what is met."""
        sides: dict[tuple[str, bool], list[str]] = defaultdict(list)
        for node, right, label in self.meeting:
            sides[node, right].append(label)
        found = {}
        for (node, right), labels in sides.items():
            ends = {label: [self.middle[item] for item, _ in self.meeting[node, right, label]] for label in labels}
            labels.sort(key=lambda label: (sum(ends[label]) / len(ends[label]), label))
            for index, label in enumerate(labels):
                found[node, right, label] = (index - (len(labels) - 1) / 2) * PORT
        return found

    def _columns(self) -> tuple[list[float], list[float], list[tuple[float, float]]]:
        """Return where each column starts and ends, and the room for labels to its left and to its right."""
        count = max(self.layered.column.values()) + 1
        rooms = [[0.0, 0.0] for _ in range(count)]
        for node, right, label in self.meeting:
            if label != _OUT:
                room = width(self.labels[label], Face.ITALIC, LABEL) + _HEAD + 10
                at = self.layered.column[node]
                rooms[at][right] = max(rooms[at][right], room)
        reach = [0.0] * count
        for route in self.layered.routes:
            for one, other in pairwise(route.items):
                at = self.layered.column[one]
                reach[at] = max(reach[at], abs(self.middle[one] - self.middle[other]))
        widest = [0.0] * count
        for item, at in self.layered.column.items():
            widest[at] = max(widest[at], self._width(item))
        lefts, x = [], MARGIN
        for at in range(count):
            x += rooms[at][0] if at else 0.0
            lefts.append(x)
            x += widest[at] + rooms[at][1] + 34 + min(reach[at] * 0.06, 90)
        rights = [left + wide for left, wide in zip(lefts, widest, strict=True)]
        return lefts, rights, [(room[0], room[1]) for room in rooms]

    def _width(self, item: Item) -> float:
        return 0.0 if isinstance(item, WayPoint) else self.cards[item].width

    # --- drawing ---------------------------------------------------------------------------------------------

    def scene(self) -> Scene:
        """Put everything together: the heading above, the legend below."""
        right = max(self.left[self.layered.column[name]] + each.width for name, each in self.cards.items()) + MARGIN
        heading, top = headings(self.graph, self.spelled, max(right, 760.0) - 2 * MARGIN)
        highest = min(self.middle[name] - each.height / 2 for name, each in self.cards.items())
        lowest = max(self.middle[name] + each.height / 2 for name, each in self.cards.items())
        ways = [self.middle[item] for item in self.middle if isinstance(item, WayPoint)]
        shift = top + 26 - min([highest, *ways])
        bottom = max([lowest, *ways]) + shift + 24
        wide = max(right, 760.0)
        footer, end = legend(
            self.graph, bottom, wide - 2 * MARGIN, cycles=any(r.backwards for r in self.layered.routes)
        )
        title = self.spelled(self.graph.title)
        return Scene(
            width=round(wide),
            height=round(end + MARGIN / 2),
            title=title,
            description=self._description(),
            groups=(heading, *self._edges(shift), *self._things(shift), footer),
            tables=tables(self.graph, self.spelled),
        )

    def _description(self) -> str:
        graph = self.graph
        steps = [" to ".join(self._name(node) for node in path) for path in graph.paths[:1]]
        said = [f"{len(graph.nodes)} things and {len(graph.edges)} relations around {self._name(graph.subject)}."]
        said += [f"Path: {step}." for step in steps]
        said += [f"{self.spelled(caption)}." for caption in graph.captions]
        return " ".join(said)

    def _name(self, node: str) -> str:
        return self.spelled(self.nodes[node].name or node)

    def _things(self, shift: float) -> Iterator[Group]:
        highlighted = {node for path in self.graph.paths for node in path}
        for name, at in self.layered.column.items():
            if isinstance(name, str):
                place = (self.left[at], self.middle[name] + shift - self.cards[name].height / 2)
                yield self.cards[name].drawn(*place, highlighted=name in highlighted)

    def _edges(self, shift: float) -> Iterator[Group]:
        """Yield the lines, those of paths last so that they lie above; a piece that edges share is drawn once."""
        plain: dict[Outline, None] = {}
        strong: dict[Outline, None] = {}
        heads: dict[Point, tuple[Drawn, ...]] = {}
        pairs = {pair for path in self.graph.paths for pair in pairwise(path)}
        for route in sorted(self.layered.routes, key=lambda r: self._on_path(r, pairs)):
            marked = self._on_path(route, pairs)
            style = (
                Style(None, ACCENT, 2.6) if marked else Style(None, LINE, 1.1, (5.0, 3.0) if route.backwards else ())
            )
            (strong if marked else plain).update(dict.fromkeys(self._pieces(route, shift, style)))
            tip = self._tip(route, shift)
            heads[tip] = tuple(self._head(route, tip, ACCENT if marked else MUTED))
        own = (
            item
            for edge in self.graph.edges
            if edge.source == edge.target
            for item in self._loop(edge.source, edge.type, shift)
        )
        yield Group((*plain, *strong, *(item for head in heads.values() for item in head), *own))

    def _on_path(self, route: Route, pairs: set[tuple[str, str]]) -> bool:
        link = route.link
        return (link.source, link.target) in pairs or (link.target, link.source) in pairs

    def _pieces(self, route: Route, shift: float, style: Style) -> Iterator[Outline]:
        for one, other in pairwise(route.items):
            start, end = self._leaves(one, route, shift), self._arrives(other, route, shift)
            at, then = self.layered.column[one], self.layered.column[other]
            bend_from = max(start[0], self.right[at]) + self.zones[at][1]
            bend_to = self.left[then] - self.zones[then][0]
            half = (bend_from + bend_to) / 2
            curve: Step = ((half, start[1]), (half, end[1]), (bend_to, end[1]))
            steps: tuple[Step, ...] = (end,) if start[1] == end[1] else ((bend_from, start[1]), curve, end)
            yield Outline(start, steps, style)
            if isinstance(other, WayPoint):
                yield line((end, (self.right[then], end[1])), style)

    def _leaves(self, item: Item, route: Route, shift: float) -> Point:
        at = self.layered.column[item]
        if isinstance(item, WayPoint):
            return self.right[at], self.middle[item] + shift
        offset = self.offset[item, True, route.link.label if route.backwards else _OUT]
        return self.left[at] + self.cards[item].width - self._inset(item, offset, mirrored=True), self.middle[
            item
        ] + offset + shift

    def _arrives(self, item: Item, route: Route, shift: float) -> Point:
        at = self.layered.column[item]
        if isinstance(item, WayPoint):
            return self.left[at], self.middle[item] + shift
        offset = self.offset[item, False, _OUT if route.backwards else route.link.label]
        return self.left[at] + self._inset(item, offset, mirrored=False), self.middle[item] + offset + shift

    def _inset(self, item: str, offset: float, *, mirrored: bool) -> float:
        height = self.cards[item].height
        # Seen from the right, an outline is that of the left turned upside down.
        return inset(self.nodes[item].shape, height, height / 2 - offset if mirrored else height / 2 + offset)

    def _tip(self, route: Route, shift: float) -> Point:
        if route.backwards:
            return self._leaves(route.items[0], route, shift)
        return self._arrives(route.items[-1], route, shift)

    def _head(self, route: Route, tip: Point, colour: str) -> Iterator[Drawn]:
        """Yield the arrow head where an edge ends, and its label beside it."""
        way = 1 if route.backwards else -1
        x, y = tip
        yield polygon(((x, y), (x + way * _HEAD, y - 3.6), (x + way * _HEAD, y + 3.6)), Style(colour))
        anchor = Anchor.START if route.backwards else Anchor.END
        yield Text(x + way * (_HEAD + 3), y - 3, self.labels[route.link.label], LABEL, colour, Face.ITALIC, anchor)

    def _loop(self, name: str, label: str, shift: float) -> Iterator[Drawn]:
        """Yield the loop of a thing that depends on itself, at its lower right corner."""
        box = self.cards[name]
        right = self.left[self.layered.column[name]] + box.width
        bottom = self.middle[name] + shift + box.height / 2
        start, end = (right - 26, bottom), (right - 48, bottom)
        yield Outline(
            start,
            (((right - 22, bottom + 17), (right - 52, bottom + 17), (end[0], end[1] + 4)),),
            Style(None, LINE, 1.1),
        )
        yield polygon((end, (end[0] - 3, end[1] + 7), (end[0] + 4, end[1] + 6)), Style(MUTED))
        yield Text(right - 56, bottom + 12, self.labels[label], LABEL, MUTED, Face.ITALIC, Anchor.END)
