"""Correlation: by how little of the things outside a quantifier its condition can tell them apart.

A condition inside a quantifier that reads ``model.region`` is one condition for each region that there is, not one
for each model. A group is what cannot be told apart; one of its things stands for all.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from policy_engine.evaluation.sets import plan
from policy_engine.evaluation.sets.estate import Array
from policy_engine.evaluation.sets.plan import Condition, Thing
from policy_engine.evaluation.sets.rows import Rows


@dataclass(frozen=True, slots=True)
class Aspect:
    """What tells things apart: a key, the truth of a condition on them alone, or with neither which thing it is."""

    thing: Thing
    by: plan.AttributeKey | plan.LatestKey | plan.NumberKey | Condition | None


@dataclass(frozen=True, slots=True)
class Grouped:
    """The groups of one thing: the number of each node's group, and a node for each."""

    thing: Thing
    number: Array
    standing: Array


@dataclass(frozen=True, slots=True)
class Groups:
    """The combinations of groups of all things outside a quantifier."""

    of: tuple[Grouped, ...]

    @property
    def count(self) -> int:
        """How many combinations there are."""
        total = 1
        for one in self.of:
            total *= len(one.standing)
        return total

    def nodes(self, group: int) -> dict[int, int]:
        """Return by slot the nodes that stand for a combination."""
        found = {}
        for one in self.of:
            group, place = divmod(group, len(one.standing))
            found[one.thing.slot] = int(one.standing[place])
        return found

    def number(self, rows: Rows) -> Array | None:
        """Return the combination of each row, or nothing where there is only one."""
        found: Array | None = None
        stride = 1
        for one in self.of:
            place = one.number[rows.things[one.thing.slot]]
            found = place if found is None else found + stride * place
            stride *= len(one.standing)
        return found


def aspects(conditions: Iterable[Condition], bound: frozenset[Thing]) -> frozenset[Aspect]:
    """Return what conditions, inside a quantifier that binds some things, see of the things outside."""
    return frozenset().union(*(_aspects(condition, bound) for condition in conditions))


def _aspects(condition: Condition, bound: frozenset[Thing]) -> frozenset[Aspect]:
    used = plan.things(condition)
    outside = used - bound
    if not outside:
        return frozenset()
    if outside == used and len(used) == 1 and not plan.reads_record(condition):
        return frozenset({Aspect(next(iter(used)), condition)})
    match condition:
        case plan.Decided(keys=keys):
            outer = [key for key in keys if not isinstance(key, plan.FieldKey) and key.thing in outside]
            return frozenset(Aspect(key.thing, key) for key in outer)
        case plan.Held(thing, _, where):
            inside = frozenset() if where is None else _aspects(where, bound)
            return inside | _which({thing} & outside)
        case plan.Called(formals=formals, arguments=arguments, body=body):
            return _aspects_of_use(formals, arguments, body, bound)
        case plan.Counted(members=members):
            return aspects_of(members, bound)
        case plan.Negated() | plan.Joined() | plan.IsKnown() | plan.Otherwise():
            return aspects(plan.parts_of(condition), bound)
        case _:
            return _which(outside)


def aspects_of(members: plan.Members, bound: frozenset[Thing] = frozenset()) -> frozenset[Aspect]:
    """Return what a range and the condition on its members see of the things outside."""
    found = _aspects(members.condition, bound | {members.thing})
    if isinstance(members.range, plan.Whole):
        return found
    if bound:
        # Inside another quantifier, where a range begins tells things apart; at the outermost every row has its own.
        found |= _which({members.range.anchor} - bound)
    if isinstance(members.range, plan.Flowing) and members.range.barrier is not None:
        barrier = members.range.barrier
        found |= _aspects(barrier.condition, bound | {barrier.thing})
    return found


def _aspects_of_use(
    formals: tuple[Thing, ...], arguments: tuple[Thing, ...], body: Condition, bound: frozenset[Thing]
) -> frozenset[Aspect]:
    """Return what a definition sees of the things outside that it is asked about."""
    given = dict(zip(formals, arguments, strict=True))
    inner = frozenset(formal for formal, argument in given.items() if argument in bound)
    found = set()
    for aspect in _aspects(body, inner):
        thing = given[aspect.thing]
        # A key reads the same of whatever a variable is called; a condition is said in the definition's own scope.
        match aspect.by:
            case plan.AttributeKey() | plan.LatestKey() | plan.NumberKey() as key:
                found.add(Aspect(thing, replace(key, thing=thing)))
            case _:
                found.add(Aspect(thing, None))
    return frozenset(found)


def _which(things: Iterable[Thing]) -> frozenset[Aspect]:
    return frozenset(Aspect(thing, None) for thing in things)
