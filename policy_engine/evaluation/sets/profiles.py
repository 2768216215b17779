"""Things that no condition of a pass can tell apart: conditions are decided for one of them, and spread to all.

Hundreds of quantifiers over a million datasets read a few attributes and a few kinds of evidence, of which there are
some hundred combinations. Each condition is decided for each combination; every node only has to know its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from policy_engine.evaluation.sets import plan
from policy_engine.evaluation.sets.decided import Coded, numbered
from policy_engine.evaluation.sets.estate import Array, Kinds
from policy_engine.evaluation.sets.groups import Groups
from policy_engine.evaluation.sets.plan import Condition, Thing
from policy_engine.evaluation.sets.rows import Rows

if TYPE_CHECKING:
    from policy_engine.evaluation.sets.evaluation import Evaluation

Part = tuple[Condition, Thing]
"""A condition, and the variable in it that stands for the things to be told apart."""

Seen = tuple[plan.Key | Condition | None, Thing]
"""A key or a condition on a variable alone, or nothing where it matters which thing it is."""


@dataclass(frozen=True, slots=True)
class Profiles:
    """The number of each thing's combination, and a node for each combination."""

    kinds: Kinds
    number: Array
    standing: Array

    def truth(self, evaluation: "Evaluation", part: Part, groups: Groups, group: int) -> Array:
        """Return the truth of a condition for each combination, for one group of what is outside a quantifier."""
        condition, thing = part
        size = len(self.standing)
        nodes = groups.nodes(group)
        # What a definition is given and does not look at may be anything.
        others = {t.slot: nodes.get(t.slot, 0) for t in evaluation.facts.things(condition) - {thing}}
        outside = {slot: np.broadcast_to(np.intp(node), (size,)) for slot, node in others.items()}
        return evaluation.truth(condition, Rows(size, {**outside, thing.slot: self.standing}, None, None, few=True))


def profiles_of(evaluation: "Evaluation", kinds: Kinds, parts: Iterable[Part]) -> Profiles:
    """Number the things of some kinds by what conditions see of them."""
    seen: dict[object, Seen] = {}
    for condition, thing in parts:
        for aspect, of in _seen(condition, thing):
            # Whatever a variable is called, an attribute is the same.
            seen.setdefault(aspect.attribute if isinstance(aspect, plan.AttributeKey) else (aspect, of), (aspect, of))
    nodes = evaluation.estate.domain(kinds)
    number, standing = np.zeros(len(nodes), np.int64), np.arange(min(1, len(nodes)))
    for aspect, thing in seen.values():
        column = _column(evaluation, aspect, Rows.whole(evaluation.estate, thing, kinds))
        number, standing = numbered([(number, len(standing)), column], len(nodes))
    return Profiles(kinds, number, nodes[standing])


def _column(evaluation: "Evaluation", aspect: plan.Key | Condition | None, rows: Rows) -> Coded:
    match aspect:
        case None:
            return np.arange(rows.size), max(1, rows.size)
        case plan.AttributeKey() | plan.LatestKey() | plan.NumberKey() | plan.FieldKey():
            return evaluation.coded(aspect, rows)
        case _:
            return evaluation.truth(aspect, rows), 3


def _seen(condition: Condition, thing: Thing) -> frozenset[Seen]:
    """Return the keys that a condition reads of a thing, and the conditions on it that are more than keys."""
    used = plan.things(condition)
    if thing not in used:
        return frozenset()
    match condition:
        case plan.Decided(keys=keys):
            own = [key for key in keys if not isinstance(key, plan.FieldKey) and key.thing == thing]
            return frozenset((key, thing) for key in own)
        case plan.Stated(key):
            return frozenset({(key, thing)})
        case plan.Negated() | plan.Joined() | plan.IsKnown() | plan.Otherwise():
            return frozenset().union(*(_seen(part, thing) for part in plan.parts_of(condition)))
        case plan.Called(formals=formals, arguments=arguments, body=body):
            inner = [formal for formal, argument in zip(formals, arguments, strict=True) if argument == thing]
            return frozenset().union(*(_seen(body, formal) for formal in inner))
        case _:
            # What depends on other things too may differ for every node.
            return frozenset({(condition if len(used) == 1 else None, thing)})
