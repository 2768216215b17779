"""What a picture of a graph says in words: the heading above it, the legend below it, the tables that go with it."""

from __future__ import annotations

from collections import defaultdict

from policy_reports.pictures.cards import WORDS, Spelling, badge
from policy_reports.pictures.colours import ACCENT, INK, LINE, MUTED
from policy_reports.pictures.faces import Face, width, wrapped
from policy_reports.pictures.graph import Graph, Shape, counts_in_words
from policy_reports.pictures.scene import Drawn, Group, Style, Table, Text, line
from policy_reports.pictures.shapes import WORDS as FAMILIES
from policy_reports.pictures.shapes import outlines

_LEFT = 28.0
SHOWN_FINDINGS = 6


def headings(graph: Graph, spelled: Spelling, room: float) -> tuple[Group, float]:
    """Return the title, the captions and the findings, and where they end."""
    items: list[Drawn] = []
    y = 22.0
    for text in wrapped(spelled(graph.title), Face.BOLD, 19, room, 2):
        y += 23
        items.append(Text(_LEFT, y, text, 19, INK, Face.BOLD))
    for caption in graph.captions:
        for text in wrapped(spelled(caption), Face.REGULAR, 12, room, 4):
            y += 17
            items.append(Text(_LEFT, y, text, 12, MUTED))
    y += 4
    for finding in graph.findings[:SHOWN_FINDINGS]:
        y += 21
        word = WORDS[finding.status]
        long = width(word, Face.BOLD, 9.5) + 14
        items += badge(_LEFT + long, y - 12, word, finding.status)
        indent = _LEFT + long + 8
        items.append(Text(indent, y, spelled(finding.rule), 12, INK, Face.BOLD))
        for text in wrapped(spelled(finding.text), Face.REGULAR, 12, room - long - 8, 2):
            y += 16
            items.append(Text(indent, y, text, 12, INK))
    if len(graph.findings) > SHOWN_FINDINGS:
        y += 20
        items.append(Text(_LEFT, y, f"+{len(graph.findings) - SHOWN_FINDINGS} more findings", 12, MUTED))
    return Group(tuple(items)), y


def legend(graph: Graph, top: float, room: float, *, cycles: bool) -> tuple[Group, float]:
    """Return the explanation of the outlines and lines that are there, and where it ends."""
    items: list[Drawn] = [line(((_LEFT, top), (_LEFT + room, top)), Style(None, LINE, 0.6))]
    x, y = _LEFT, top + 24
    kinds: dict[Shape, set[str]] = defaultdict(set)
    for node in graph.nodes:
        kinds[node.shape].add(node.kind)
    for sign, text in _entries(graph, kinds, cycles):
        long = 34 + width(text, Face.REGULAR, 11) + 22
        if x > _LEFT and x + long > _LEFT + room:
            x, y = _LEFT, y + 24
        if isinstance(sign, Shape):
            items += outlines(sign, x, y - 12, 26, 16, weight=1.1)
        else:
            items.append(line(((x, y - 4), (x + 26, y - 4)), sign))
        items.append(Text(x + 34, y, text, 11, MUTED))
        x += long
    return Group(tuple(items)), y + 14


def _entries(graph: Graph, kinds: dict[Shape, set[str]], cycles: bool) -> list[tuple[Shape | Style, str]]:
    found: list[tuple[Shape | Style, str]] = [(shape, FAMILIES[shape]) for shape in Shape if shape in kinds]
    found.append((Style(None, LINE, 1.1), "depends on, towards the arrow"))
    if cycles:
        found.append((Style(None, LINE, 1.1, (5.0, 3.0)), "leads back, and closes a cycle"))
    if graph.paths:
        found.append((Style(None, ACCENT, 2.6), "path that decides a finding"))
    return found


def tables(graph: Graph, spelled: Spelling) -> tuple[Table, ...]:
    """Return everything in the picture as tables: findings, paths, things, relations, and what is not shown."""
    nodes = sorted(graph.nodes, key=lambda node: (node.id != graph.subject, node.kind, node.id))
    found = []
    if graph.findings:
        rows = tuple((WORDS[f.status], spelled(f.rule), spelled(f.text)) for f in graph.findings)
        found.append(Table("Findings", ("Status", "Rule", "What it says"), rows))
    if graph.paths:
        steps = tuple((str(n), spelled(" → ".join(path))) for n, path in enumerate(graph.paths, 1))
        found.append(Table("Paths", ("No.", "From the subject on"), steps))
    things = tuple(
        (
            spelled(node.name or node.id),
            spelled(node.kind),
            spelled(node.id),
            f"{node.findings} {WORDS[node.status]}" if node.status is not None else "",
            spelled("; ".join(node.notes)),
            counts_in_words(node.hidden_dependencies),
            counts_in_words(node.hidden_dependents),
        )
        for node in nodes
    )
    head = ("Name", "Kind", "Id", "Results", "Notes", "Depends on, not shown", "Depending on it, not shown")
    found.append(Table("Things", head, things, tuple(node.id for node in nodes)))
    edges = tuple((spelled(e.source), spelled(e.type), spelled(e.target)) for e in sorted(graph.edges))
    found.append(Table("Relations", ("Thing", "Relation", "Depends on"), edges))
    if graph.hidden:
        kinds = tuple((spelled(kind), f"{count:,}") for kind, count in sorted(graph.hidden.items()))
        found.append(Table("Not shown", ("Kind", "How many"), kinds))
    return tuple(found)
