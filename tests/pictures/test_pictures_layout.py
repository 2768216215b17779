"""Every graph finds a layout: dependencies to the right, nothing overlaps, the lane straight, the same each time."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_reports.pictures.cards import WIDTH
from policy_reports.pictures.faces import Face, shortened, width, wrapped
from policy_reports.pictures.graph import Edge, Graph, Node
from policy_reports.pictures.layers import LOWEST_CAPACITY, Layers, Link, WayPoint, layers
from policy_reports.pictures.placing import heights, settled
from policy_reports.pictures.render import render
from tests.pictures.conftest import graphs


def _layered(graph: Graph) -> tuple[Layers, tuple[str, ...]]:
    lane = tuple(dict.fromkeys(graph.paths[0])) if graph.paths else (graph.subject,)
    links = [Link(edge.source, edge.target, edge.type) for edge in graph.edges]
    return layers([node.id for node in graph.nodes], links, lane), lane


@settings(max_examples=60)
@given(graphs())
def test_every_edge_leads_through_each_column_in_turn(graph: Graph) -> None:
    layered, lane = _layered(graph)
    assert {item for item in layered.column if isinstance(item, str)} == {node.id for node in graph.nodes}
    assert sorted(route.link for route in layered.routes) == sorted(
        {Link(e.source, e.target, e.type) for e in graph.edges if e.source != e.target}
    )
    for route in layered.routes:
        columns = [layered.column[item] for item in route.items]
        assert columns == list(range(columns[0], columns[0] + len(columns)))
        ends = (route.items[-1], route.items[0]) if route.backwards else (route.items[0], route.items[-1])
        assert ends == (route.link.source, route.link.target)
    assert all(layered.column[one] < layered.column[other] for one, other in pairwise(lane))


@settings(max_examples=60)
@given(graphs())
def test_an_edge_is_turned_round_only_where_a_cycle_or_the_path_asks_for_it(graph: Graph) -> None:
    layered, lane = _layered(graph)
    following: dict[str, set[str]] = {node.id: set() for node in graph.nodes}
    for edge in graph.edges:
        following[edge.source].add(edge.target)
    for one, other in pairwise(lane):
        following[one].add(other)
    for route in layered.routes:
        if route.backwards:
            seen, waiting = {route.link.target}, [route.link.target]
            while waiting:
                for other in following[waiting.pop()] - seen:
                    seen.add(other)
                    waiting.append(other)
            assert route.link.source in seen


@settings(max_examples=60)
@given(graphs())
def test_nothing_overlaps_and_the_lane_is_straight(graph: Graph) -> None:
    layered, lane = _layered(graph)
    size = {node.id: 40.0 + 10 * (len(node.name) % 4) for node in graph.nodes}
    middle = heights(layered, size, frozenset(lane))
    for at in range(max(layered.column.values()) + 1):
        column = sorted((item for item in layered.column if layered.column[item] == at), key=middle.__getitem__)
        for one, other in pairwise(column):
            room = sum(0.0 if isinstance(item, WayPoint) else size[item] for item in (one, other)) / 2
            assert middle[other] - middle[one] > room
    assert all(abs(middle[node]) < 0.1 for node in lane)


@given(
    st.lists(st.tuples(st.floats(-50, 50), st.sampled_from([1.0, 5.0])), min_size=1, max_size=5),
    st.lists(st.floats(0, 20), min_size=4, max_size=4),
    st.lists(st.floats(-5, 5), min_size=5, max_size=5),
)
def test_settled_heights_are_the_nearest_that_keep_the_distances(
    wishes: list[tuple[float, float]], distances: list[float], nudges: list[float]
) -> None:
    distances = distances[: len(wishes) - 1]
    found = settled(wishes, distances)

    def kept(values: list[float]) -> bool:
        gaps = zip(pairwise(values), distances, strict=True)
        return all(other - one >= distance - 1e-9 for (one, other), distance in gaps)

    def cost(values: list[float]) -> float:
        return sum(weight * (value - wish) ** 2 for value, (wish, weight) in zip(values, wishes, strict=True))

    assert kept(found)
    nudged = [value + nudge for value, nudge in zip(found, nudges, strict=False)]
    # The problem is convex: no better place nearby means none at all.
    for share in (1.0, 0.1, 0.001):
        between = [a + share * (b - a) for a, b in zip(found, nudged, strict=True)]
        assert not kept(between) or cost(between) >= cost(found) - 1e-6


def test_a_column_is_not_higher_than_it_needs_to_be() -> None:
    ids = ["hub", *(f"d{number:03}" for number in range(200))]
    layered = layers(ids, [Link("hub", name, "feeds_on") for name in ids[1:]], ("hub",))
    columns = [layered.column[name] for name in ids[1:]]
    assert max(columns.count(at) for at in columns) <= max(LOWEST_CAPACITY, 20)
    # One trunk runs to all columns, not one line for each thing.
    assert sum(isinstance(item, WayPoint) for item in layered.column) < 20


def test_a_way_point_is_shared_only_where_nothing_else_could_be_meant() -> None:
    links = [Link("a", "z", "uses"), Link("b", "z", "uses"), Link("b", "z", "calls"), Link("a", "y", "uses")]
    chain = [Link(one, other, "x") for one, other in pairwise("mnopz")]
    layered = layers(
        [*"abmnopyz"], [*links, *chain, Link("m", "a", "x"), Link("m", "b", "x"), Link("p", "y", "x")], ("m",)
    )
    by_point: dict[WayPoint, list[Link]] = {}
    for route in layered.routes:
        for item in route.items:
            if isinstance(item, WayPoint):
                by_point.setdefault(item, []).append(route.link)
    for shared in by_point.values():
        assert len({link.label for link in shared}) == 1
        assert len({link.source for link in shared}) == 1 or len({link.target for link in shared}) == 1


def test_crossings_are_taken_out() -> None:
    # Drawn in the order of their names, every pair of these lines would cross.
    names = [f"{number:02}" for number in range(10)]
    links = [Link(f"a{name}", f"b{names[-1 - at]}", "uses") for at, name in enumerate(names)]
    hub = [Link("s", f"a{name}", "uses") for name in names]
    ids = ["s", *(f"a{name}" for name in names), *(f"b{name}" for name in names)]
    layered = layers(ids, [*links, *hub], ("s",))
    middle = heights(layered, dict.fromkeys(ids, 40.0), frozenset({"s"}))
    left = sorted((f"a{name}" for name in names), key=middle.__getitem__)
    right = sorted((f"b{name}" for name in names), key=middle.__getitem__)
    assert [f"b{names[-1 - names.index(name[1:])]}" for name in left] == right


def test_a_long_chain_and_a_large_cycle_are_no_burden() -> None:
    names = [f"n{number:03}" for number in range(400)]
    nodes = tuple(Node(name, "Model") for name in names)
    chain = tuple(Edge("uses", one, other) for one, other in pairwise(names))
    for edges in (chain, (*chain, Edge("uses", names[-1], names[0]))):
        assert render(Graph("chain", names[0], nodes, edges), "svg").count(b"<title>") == 400


def test_the_order_of_what_is_handed_in_does_not_matter() -> None:
    chance = random.Random(4)
    names = [f"n{number:02}" for number in range(30)]
    nodes = [Node(name, "Model") for name in names]
    edges = [Edge("uses", *sorted(chance.sample(names, 2))) for _ in range(50)]
    first = render(Graph("g", "n00", tuple(nodes), tuple(sorted(set(edges)))), "svg")
    chance.shuffle(edges)
    chance.shuffle(nodes)
    assert render(Graph("g", "n00", tuple(nodes), tuple(dict.fromkeys(edges))), "svg") == first


@settings(max_examples=300)
@given(st.text(max_size=200), st.integers(1, 4))
def test_text_fits_its_box_and_is_cut_only_with_a_sign(text: str, most: int) -> None:
    room = WIDTH - 28
    lines = wrapped(text, Face.BOLD, 12.5, room, most)
    assert len(lines) <= most
    assert all(width(line, Face.BOLD, 12.5) <= room for line in lines)
    if not (lines and lines[-1].endswith("…")):
        assert "".join("".join(lines).split()) == "".join(text.split())


@pytest.mark.parametrize(("text", "shown"), [("abc", "abc"), ("a" * 40, "a…")])
def test_a_short_text_stays_whole(text: str, shown: str) -> None:
    assert shortened(text, Face.REGULAR, 10, 20).startswith(shown[0])
    assert width(shortened(text, Face.REGULAR, 10, 20), Face.REGULAR, 10) <= 20


def test_the_measures_are_those_of_the_fonts() -> None:
    fonts = pytest.importorskip("PIL.ImageFont", reason="Pillow is not installed")
    from io import BytesIO

    from policy_reports.pictures.faces import font_bytes

    for face in Face:
        font = fonts.truetype(BytesIO(font_bytes(face)), 2048, layout_engine=fonts.Layout.BASIC)
        for text in ("trained_on", "Łódź", "Ωμέγα", "Стоимость"):
            # Without kerning, which differs between programs.
            wide = sum(font.getlength(character) for character in text)
            assert width(text, face, 2048) == pytest.approx(wide, rel=0.002)
