"""Truth values as columns of Spark: 0 false, 1 unknown, 2 true, composed of leaves that are columns already.

Rules:

- ``and`` is the least, ``or`` the greatest, and ``not`` is what is missing to 2;
- a scope says where each variable's facts are: in the row, or given for a group of things outside a quantifier;
- nothing here runs anything: ``leaves`` says what has to be found first, ``truth`` composes it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812 - its name everywhere

from policy_dsl.typed import tree
from policy_engine.evaluation.sets import plan
from policy_engine.evaluation.sets.plan import Condition, Thing
from policy_engine.evaluation.sets.rows import FALSE, MAYBE, TRUE
from policy_engine.evaluation.sets.spark_codes import NotOnSparkError
from policy_engine.evaluation.sets.spark_points import CONTRADICTED, NOT_STATED

SEVERAL = "a condition on several things at once"
_ANYTHING = Thing(0, frozenset())

Leaf = plan.Always | plan.Decided | plan.Held | plan.Called | plan.Counted
"""A condition whose truth is a column of its own."""


@dataclass(frozen=True, slots=True)
class Given:
    """What is known of a group of things outside a quantifier: texts by key, and truths by condition."""

    name: str
    texts: Mapping[plan.Key, str]
    truths: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Scope:
    """Where variables are: in the row, unless they are given."""

    given: Mapping[int, Given] = field(default_factory=dict)

    def renamed(self, called: plan.Called) -> "Scope":
        """Return the scope of a definition's body."""
        pairs = zip(called.formals, called.arguments, strict=True)
        return Scope({f.slot: self.given[a.slot] for f, a in pairs if a.slot in self.given})

    def key(self, condition: Condition) -> tuple[object, ...]:
        """Return what tells the truth of a condition from other truths."""
        if not self.given:
            return (id(condition),)
        used = {thing.slot for thing in plan.things(condition)}
        return (id(condition), *sorted((slot, given.name) for slot, given in self.given.items() if slot in used))

    def text(self, key: plan.Key) -> str | None:
        """Return the text of a key that is given, or nothing if it is in the row.

        Raises:
            NotOnSparkError: its thing is given, and the key is not.
        """
        if isinstance(key, plan.FieldKey) or key.thing.slot not in self.given:
            return None
        found = self.given[key.thing.slot].texts.get(anyones(key))
        if found is None:
            raise NotOnSparkError(SEVERAL)
        return found

    def truth(self, condition: Condition) -> int | None:
        """Return the truth of a condition that is given."""
        things = plan.things(condition) if self.given else ()
        found = {self.given[t.slot].truths.get(id(condition)) for t in things if t.slot in self.given}
        return found.pop() if len(found) == 1 and len(things) == 1 else None

    def reaches_out(self, condition: Condition) -> bool:
        """Tell whether a condition depends on things that are given."""
        return bool(self.given) and any(thing.slot in self.given for thing in plan.things(condition))


def anyones(key: plan.Key) -> plan.Key:
    """Return a key whatever the variable is called that it reads."""
    return key if isinstance(key, plan.FieldKey) else replace(key, thing=_ANYTHING)


def leaves(condition: Condition, scope: Scope) -> Iterator[tuple[Leaf, Scope]]:
    """Yield what a condition is composed of.

    Raises:
        NotOnSparkError: a part of it is not decided on Spark.
    """
    if scope.truth(condition) is not None:
        return
    match condition:
        case plan.Held() | plan.Counted() if scope.reaches_out(condition):
            raise NotOnSparkError(SEVERAL)
        case plan.Always() | plan.Decided() | plan.Held() | plan.Counted() | plan.Called():
            yield condition, scope
        case plan.SameThing(one, other):
            if one != other and (one.slot in scope.given or other.slot in scope.given):
                raise NotOnSparkError("which thing it is decides")
        case plan.Pointwise(reason=reason):
            raise NotOnSparkError(reason)
        case _:
            for part in plan.parts_of(condition):
                yield from leaves(part, scope)


def truth(condition: Condition, scope: Scope, found: Mapping[tuple[object, ...], Column]) -> Column:
    """Compose the truth of a condition of its leaves."""
    given = scope.truth(condition)
    if given is not None:
        return F.lit(given)
    match condition:
        case plan.Stated(key, has_default):
            return _stated(key, scope, has_default=has_default)
        case plan.SameThing():
            return F.lit(TRUE)
        case plan.Negated(part):
            return F.lit(TRUE) - truth(part, scope, found)
        case plan.Joined(all_of, parts):
            columns = [truth(part, scope, found) for part in parts]
            return columns[0] if len(columns) == 1 else (F.least if all_of else F.greatest)(*columns)
        case plan.IsKnown(part):
            return two_valued(truth(part, scope, found) != MAYBE)
        case plan.Otherwise(part, otherwise):
            first = truth(part, scope, found)
            return F.when(first == MAYBE, truth(otherwise, scope, found)).otherwise(first)
        case _:
            return found[scope.key(condition)]


def _stated(key: plan.AttributeKey, scope: Scope, *, has_default: bool) -> Column:
    text = scope.text(key)
    column = attribute(key.attribute) if text is None else F.lit(text)
    known = column != CONTRADICTED
    return two_valued(known if has_default else known & (column != NOT_STATED))


def attribute(name: str) -> Column:
    """Return the column of an attribute's text in a row."""
    return F.col(f"`a:{name}`")


def two_valued(condition: Column) -> Column:
    """Return the truth of a condition that is never unknown."""
    return F.when(condition, F.lit(TRUE)).otherwise(F.lit(FALSE))


def compared(word: tree.CountWord, number: int, sure: Column, possible: Column) -> Column:
    """Return whether counts hold; numbers counted up to one more than is asked for do."""
    match word:
        case tree.CountWord.AT_LEAST:
            holds, fails = sure >= number, possible < number
        case tree.CountWord.AT_MOST:
            holds, fails = possible <= number, sure > number
        case tree.CountWord.EXACTLY:
            holds, fails = (sure == number) & (possible == number), (sure > number) | (possible < number)
    return F.when(holds, F.lit(TRUE)).when(fails, F.lit(FALSE)).otherwise(F.lit(MAYBE))
