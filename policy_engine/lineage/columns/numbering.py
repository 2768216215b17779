"""Numbers for the nodes of a graph: dependencies first, the nodes of one circle next to each other.

Rules (Tarjan's strongly connected components, without recursion, linear in nodes and edges):

- nodes are given by rank, 0 to n-1; roots are visited in this order, edges in the order of their row;
- a component is numbered when everything that it depends on has numbers; inside it the order is that of the ranks;
- a cycle is a component of more than one node, or one node with an edge to itself, as a half-open range of numbers.

>>> number_nodes(3, [0, 1, 2, 3], [1, 0, 1])
(array('I', [0, 1, 2]), [(0, 2)])
"""

from array import array
from collections.abc import Callable, Sequence
from typing import TypeAlias

Numbering: TypeAlias = Callable[[int, Sequence[int], Sequence[int]], tuple[Sequence[int], list[tuple[int, int]]]]
"""From the number of nodes, the start of each one's row and the rows themselves, to numbers and cycles."""


def number_nodes(n: int, row: Sequence[int], far: Sequence[int]) -> tuple["array[int]", list[tuple[int, int]]]:
    """Return the number of each node by rank, and the cycles in the order of their numbers."""
    number = array("I", bytes(4 * n))
    cycles: list[tuple[int, int]] = []
    # When a node was first met, from 1; 0 is not met yet. A finished node counts as met after everything.
    met = [0] * n
    finished = n + 1
    lowest = [0] * n
    upcoming = list(row[:n])
    open_nodes: list[int] = []
    path: list[int] = []
    given = clock = 0
    for root in range(n):
        if met[root]:
            continue
        clock += 1
        met[root] = lowest[root] = clock
        path.append(root)
        open_nodes.append(root)
        while path:
            node = path[-1]
            at, end = upcoming[node], row[node + 1]
            low = lowest[node]
            below = -1
            while at < end:
                other = far[at]
                at += 1
                seen = met[other]
                if not seen:
                    below = other
                    break
                if seen < low:
                    low = seen
            upcoming[node] = at
            lowest[node] = low
            if below >= 0:
                clock += 1
                met[below] = lowest[below] = clock
                path.append(below)
                open_nodes.append(below)
                continue
            path.pop()
            if path and low < lowest[path[-1]]:
                lowest[path[-1]] = low
            if low == met[node]:
                given = _finish(node, open_nodes, met, finished, number, given, cycles, row, far)
    return number, cycles


def _finish(
    node: int,
    open_nodes: list[int],
    met: list[int],
    finished: int,
    number: "array[int]",
    given: int,
    cycles: list[tuple[int, int]],
    row: Sequence[int],
    far: Sequence[int],
) -> int:
    """Number the component whose first node this is, and return the next free number."""
    if open_nodes[-1] == node:
        members = [open_nodes.pop()]
        circular = any(far[at] == node for at in range(row[node], row[node + 1]))
    else:
        start = len(open_nodes) - 1
        while open_nodes[start] != node:
            start -= 1
        members = sorted(open_nodes[start:])
        del open_nodes[start:]
        circular = True
    if circular:
        cycles.append((given, given + len(members)))
    for member in members:
        met[member] = finished
        number[member] = given
        given += 1
    return given
