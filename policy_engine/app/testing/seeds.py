"""Scenes to start a search from where tests give none: the ways from a rule's subject to each kind it looks at.

A way is the shortest that the schema allows over the edges that the rule follows; it goes on to a second kind, such as
what lies behind a barrier, and along edges that join a kind with itself. Each way comes with nothing stated, and with
every fact stated in two manners.
"""

from collections.abc import Iterator
from datetime import datetime

from policy_dsl.typed import tree
from policy_dsl.typed.quantifiers import variable_name
from policy_dsl.typed.schema import Schema
from policy_engine.app.testing.relevance import Relevant
from policy_engine.app.testing.scenes import Scene
from policy_engine.app.testing.variations import Variations, attached

_LONGEST_WAY = 4
_REPEATS = 3

Step = tuple[str, bool, str]
"""An edge, whether it is followed forwards, and the kind that it leads to."""


def seeds(kind: str, at: datetime, variations: Variations) -> list[Scene]:
    """Return scenes with a thing of a kind and what a rule may find from there, the smallest first."""
    blank = Scene(at, (tree.NodeGiven(variable_name(kind), kind, {}),))
    grown = [blank]
    for way in _ways(kind, variations.schema, variations.relevant):
        scene, end = blank, blank.nodes[0].id
        for edge, forward, reached in way:
            scene = attached(scene, end, reached, edge, forward=forward)
            end = scene.nodes[-1].id
        grown.append(scene)
    return [s for scene in grown for s in (scene, *variations.filled(scene))]


def _ways(kind: str, schema: Schema, relevant: Relevant) -> Iterator[tuple[Step, ...]]:
    wanted = sorted(relevant.kinds - {kind})
    for target in wanted:
        way = _shortest(kind, target, schema, relevant)
        if way is None:
            continue
        yield way
        again = _shortest(target, target, schema, relevant)
        if again is not None and len(again) == 1:
            yield from (way + again * times for times in range(1, _REPEATS + 1))
        for other in wanted:
            onward = _shortest(target, other, schema, relevant) if other != target else None
            back = _shortest(other, target, schema, relevant) if onward is not None else None
            if onward is not None:
                yield way + onward
            if onward is not None and back is not None:
                yield way + onward + back


def _shortest(start: str, target: str, schema: Schema, relevant: Relevant) -> tuple[Step, ...] | None:
    """Return the shortest way of at least one step between two kinds, or nothing when it would be long."""
    ways: list[tuple[Step, ...]] = [()]
    seen: set[str] = set()
    for _ in range(_LONGEST_WAY):
        longer: list[tuple[Step, ...]] = []
        for way in ways:
            for step in _steps(way[-1][2] if way else start, schema, relevant):
                if schema.is_a(step[2], target):
                    return (*way, step)
                if step[2] not in seen:
                    seen.add(step[2])
                    longer.append((*way, step))
        ways = longer
    return None


def _steps(kind: str, schema: Schema, relevant: Relevant) -> Iterator[Step]:
    for name in relevant.edges:
        edge = schema.edges[name]
        for forward, near, far in ((True, edge.sources, edge.targets), (False, edge.targets, edge.sources)):
            if any(schema.is_a(kind, k) for k in near):
                special = [k for f in far for k in sorted(relevant.kinds) if schema.is_a(k, f)]
                yield from ((name, forward, k) for k in dict.fromkeys((*special, *far)))
