"""Statements of facts: how each is said as a step of a remedy, and which are worth a try for facts that are missing.

Rules:

- a missing fact is stated, a present one must change in the world first;
- values worth a try are those near what the rule, and every definition that it uses, compares anything with, and those
  that like things have;
- of a fact with few values each is a statement of its own; of any other the first that will do stands for the rest.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import zip_longest
from typing import Any

from policy_dsl.typed import tree
from policy_dsl.typed.schema import Attribute
from policy_dsl.typed.types import EnumType, Simple
from policy_dsl.values import Value
from policy_engine.evaluation.candidate_values import candidates
from policy_engine.evaluation.parts import parts_of
from policy_engine.evaluation.steps import Step, StepKind
from policy_engine.evaluation.supposition import SetFact
from policy_engine.evaluation.world import World
from policy_engine.model.results import MissingFact, value_in_words

MOST_VALUES = 64
"""How many values of one missing fact are worth a try."""

MOST_LIKE = 200
"""How many things of the same kind are asked what they have."""

_AFTER_OTHERS = 100
"""How natural these statements are: less than those that the expression itself suggests."""


def stating(
    world: World, node: str, attribute: Attribute, value: Value, rank: int = 0, *, any_value: bool = False
) -> Step:
    """Return the step after which an attribute of a thing has a value."""
    now = world.read(node, attribute)
    change = SetFact(node, attribute.name, value)
    said = f"`{attribute.name}` of {node}"
    if now is not None:
        text = f"bring {said} from {value_in_words(now)} to {_such_as(attribute, value)}, and state it once it is so"
        return Step(StepKind.ALTER, (change,), text, node, rank=rank, example=not _is_choice(attribute))
    settle = world.why_missing(node, attribute.name) == "contradicted"
    verb = "settle what sources contradict each other about" if settle else "state"
    text = f"{verb} {said}" if any_value else f"{verb} {said}, if it is {_such_as(attribute, value)}"
    return Step(StepKind.STATE, (change,), text, node, rank=rank, example=not _is_choice(attribute))


def statements(
    world: World, rule: tree.Rule, missing: tuple[MissingFact, ...], at: datetime, works: Callable[[Step], bool]
) -> list[Step]:
    """Return the single statements of missing facts that work, as ``works`` finds by trying them one by one.

    It is asked about the most natural value of every fact first, so that whoever grows tired has seen them all.
    """
    beside = list(_compared(world, rule))
    found: dict[tuple[str, str], list[Step]] = {}
    ways = [_ways(world, fact, beside, at) for fact in missing]
    for step in (step for row in zip_longest(*ways) for step in row if step is not None):
        (change,) = step.changes
        assert isinstance(change, SetFact)  # noqa: S101 - made so by `stating`
        known = found.setdefault((change.node, change.attribute), [])
        if not (known and step.example) and works(step):
            known.append(step)
    return [step for steps in found.values() for step in steps]


def _ways(world: World, fact: MissingFact, beside: list[Any], at: datetime) -> Iterator[Step]:
    """Yield the statements of one missing fact; of what is missing of a whole kind, or of evidence, there is none."""
    if fact.node not in world.snapshot.nodes:
        return
    kind = world.snapshot.kind(fact.node)
    attribute = world.program.schema.kinds[kind].attributes.get(fact.attribute)
    if attribute is None:
        return
    like = (world.snapshot.value(node, attribute.name) for node in world.snapshot.ids_of([kind])[:MOST_LIKE])
    near = [*beside, *(value for value in like if value is not None)]
    for rank, value in enumerate(candidates(attribute, near, at, most=MOST_VALUES), _AFTER_OTHERS):
        yield stating(world, fact.node, attribute, value, rank)


def _compared(world: World, rule: tree.Rule) -> Iterator[Any]:
    for part in parts_of(world.program, rule):
        if isinstance(part, tree.Constant):
            yield part.value
        elif isinstance(part, tree.ParameterValue):
            yield world.program.parameters[part.name]


def _is_choice(attribute: Attribute) -> bool:
    """Tell whether an attribute has a few values to choose from."""
    return attribute.type is Simple.BOOLEAN or isinstance(attribute.type, EnumType)


def _such_as(attribute: Attribute, value: Value) -> str:
    """Write a value; one of many that would do is an example."""
    return value_in_words(value) if _is_choice(attribute) else f"a value such as {value_in_words(value)}"
