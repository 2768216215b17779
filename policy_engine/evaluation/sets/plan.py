"""What deciding whole estates consists of: a plan is plain data that any engine of columns can carry out.

Rules:

- a plan says what a program means over columns and how parts depend on each other, and nothing of arrays or of
  any estate; it is made once for a program (see ``planning``);
- every condition is over things bound to slots; one over a single thing is a column of truth values;
- expressions of the language are never taken apart into operators: a ``Decided`` condition is decided by the point
  evaluator, once for each distinct combination of its keys;
- quantifiers over lineage that have the same ``level`` and direction can be answered by one pass over the edges;
  a level needs the levels below it;
- what a plan cannot say in columns is ``Pointwise``, with the reason.

>>> model = Thing(0, frozenset({"Model"}))
>>> things(Negated(Decided(tree.Constant(True), (AttributeKey(model, "stage"),), 1, False)))
frozenset({Thing(slot=0, kinds=frozenset({'Model'}))})
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from policy_dsl.typed import tree
from policy_dsl.typed.types import Simple


@dataclass(frozen=True, slots=True)
class Thing:
    """A variable that stands for a thing of one of some kinds."""

    slot: int
    kinds: frozenset[str]


# --- keys: what an expression reads of the estate -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AttributeKey:
    """An attribute of a thing."""

    thing: Thing
    attribute: str


@dataclass(frozen=True, slots=True)
class FieldKey:
    """A field of the evidence in view."""

    name: str


@dataclass(frozen=True, slots=True)
class LatestKey:
    """A field of the youngest evidence about a thing that counts."""

    thing: Thing
    field: str
    pattern: "Pattern"


@dataclass(frozen=True, slots=True)
class NumberKey:
    """How many members a range anchored at a thing has; ``members`` is in a scope of its own."""

    thing: Thing
    members: "Members"


Key = AttributeKey | FieldKey | LatestKey | NumberKey


# --- conditions -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Always:
    """A condition with the same truth for everything."""

    expression: tree.Expression
    slots: int


@dataclass(frozen=True, slots=True)
class Decided:
    """An expression whose truth follows from its keys; ``timed`` if it follows from the instant too.

    ``ordered`` says that it compares one attribute with something fixed by order, and that all values of this type have
    one order: among known values its truth changes at most once.
    """

    expression: tree.Expression
    keys: tuple[Key, ...]
    slots: int
    timed: bool
    ordered: Simple | None = None


@dataclass(frozen=True, slots=True)
class Stated:
    """Whether an attribute of a thing is known: stated, or not stated where there is a default."""

    key: AttributeKey
    has_default: bool


@dataclass(frozen=True, slots=True)
class SameThing:
    """Whether two variables stand for the same thing."""

    one: Thing
    other: Thing


@dataclass(frozen=True, slots=True)
class Pattern:
    """What evidence must be: its type, who must have signed it, and how old it may be."""

    type: str
    role: str | None
    signers: int
    max_age: tree.Expression | None
    slots: int


@dataclass(frozen=True, slots=True)
class Held:
    """Whether evidence about a thing fits a pattern, counts now and meets a condition on its fields."""

    thing: Thing
    pattern: Pattern
    where: "Condition | None"


@dataclass(frozen=True, slots=True)
class Negated:
    """Negation; unknown stays unknown."""

    part: "Condition"


@dataclass(frozen=True, slots=True)
class Joined:
    """``and`` of all parts, or ``or``."""

    all_of: bool
    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class IsKnown:
    """Whether the truth of a condition is known."""

    part: "Condition"


@dataclass(frozen=True, slots=True)
class Otherwise:
    """The truth of a condition, or of another where it is unknown."""

    part: "Condition"
    otherwise: "Condition"


@dataclass(frozen=True, slots=True)
class Called:
    """A definition, asked about things; ``body`` is in a scope of its own, where ``formals`` stand for them."""

    definition: str
    fixed: tuple[tree.Expression | None, ...]
    """The constants among what it is given; with the definition they say what the body is."""
    formals: tuple[Thing, ...]
    arguments: tuple[Thing, ...]
    body: "Condition" = field(compare=False)


@dataclass(frozen=True, slots=True)
class Counted:
    """How many members a range has, compared with a number; for the point evaluator as it was written."""

    word: tree.CountWord
    number: int
    members: "Members"
    itself: bool
    """Whether nothing but the thing that the lineage starts from can be a member."""
    written: tree.Count = field(compare=False)

    @property
    def most(self) -> int:
        """As far as members have to be counted: 1 only tells none from some, and 0 that it does not matter."""
        return self.number if self.word is tree.CountWord.AT_LEAST else self.number + 1


@dataclass(frozen=True, slots=True)
class Pointwise:
    """An expression for the point evaluator, asked for every distinct combination of things."""

    expression: tree.Expression
    things: tuple[Thing, ...]
    slots: int
    reason: str


Condition = (
    Always | Decided | Stated | SameThing | Held | Negated | Joined | IsKnown | Otherwise | Called | Counted | Pointwise
)


# --- ranges ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Whole:
    """All things of the member's kinds."""


@dataclass(frozen=True, slots=True)
class Along:
    """What a path leads to from an anchor."""

    anchor: Thing
    steps: tuple[tree.PathStep, ...]


@dataclass(frozen=True, slots=True)
class Barred:
    """Things that lineage does not go through."""

    thing: Thing
    condition: Condition


@dataclass(frozen=True, slots=True)
class Flowing:
    """What is upstream or downstream of an anchor."""

    anchor: Thing
    upstream: bool
    edges: frozenset[str]
    hops: int | None
    barrier: Barred | None
    level: int
    """From 0: one more than the highest level in the conditions of the range and of its members."""


Range = Whole | Along | Flowing


@dataclass(frozen=True, slots=True)
class Members:
    """The things of a range, and of some kinds, that meet a condition."""

    thing: Thing
    range: Range
    condition: Condition
    slots: int


@dataclass(frozen=True, slots=True)
class RulePlan:
    """A rule in parts, in the order in which they are asked."""

    rule: tree.Rule
    subject: Thing
    where: Condition | None
    exemptions: tuple[Condition, ...]
    requirement: Condition


@dataclass(frozen=True, slots=True)
class Plan:
    """All rules of a program."""

    rules: Mapping[str, RulePlan]


def parts_of(condition: Condition) -> tuple[Condition, ...]:
    """Return the conditions directly inside a condition, also those in other scopes."""
    match condition:
        case Negated(part) | IsKnown(part):
            return (part,)
        case Otherwise(part, otherwise):
            return (part, otherwise)
        case Joined(_, parts):
            return parts
        case Called(body=body):
            return (body,)
        case Held(where=where) if where is not None:
            return (where,)
        case Counted(members=members):
            return _conditions(members)
        case Decided(keys=keys):
            return tuple(c for key in keys if isinstance(key, NumberKey) for c in _conditions(key.members))
        case _:
            return ()


def _conditions(members: Members) -> tuple[Condition, ...]:
    if isinstance(members.range, Flowing) and members.range.barrier is not None:
        return (members.condition, members.range.barrier.condition)
    return (members.condition,)


def members_in(condition: Condition) -> Iterator[Members]:
    """Yield every range that a condition counts, in any depth and scope."""
    for part in everything_in(condition):
        match part:
            case Counted(members=members):
                yield members
            case Decided(keys=keys):
                yield from (key.members for key in keys if isinstance(key, NumberKey))
            case _:
                pass


def pointwise_in(condition: Condition) -> Iterator[Pointwise]:
    """Yield what is left to the point evaluator, in any depth and scope."""
    yield from (part for part in everything_in(condition) if isinstance(part, Pointwise))


def swept_in(condition: Condition) -> Iterator[Members]:
    """Yield every range in lineage of which a condition only asks whether it has members, in any depth and scope."""
    for part in everything_in(condition):
        if isinstance(part, Counted) and part.most == 1 and isinstance(part.members.range, Flowing):
            yield part.members


def everything_in(condition: Condition) -> Iterator[Condition]:
    """Yield a condition and every condition inside it, in any depth and scope, each once."""
    waiting = [condition]
    seen: set[int] = set()
    while waiting:
        part = waiting.pop()
        # A definition's body stands in many places and is looked at once.
        if id(part) not in seen:
            seen.add(id(part))
            yield part
            waiting.extend(parts_of(part))


def conditions_of(plan: RulePlan) -> tuple[Condition, ...]:
    """Return the conditions of a rule in the order in which they are asked."""
    where = () if plan.where is None else (plan.where,)
    return (*where, *plan.exemptions, plan.requirement)


def things(condition: Condition) -> frozenset[Thing]:
    """Return the variables of its scope that a condition depends on."""
    match condition:
        case Decided(keys=keys):
            return frozenset(key.thing for key in keys if not isinstance(key, FieldKey))
        case Stated(key):
            return frozenset({key.thing})
        case SameThing(one, other):
            return frozenset({one, other})
        case Held(thing, _, where):
            return frozenset({thing}) | (frozenset() if where is None else things(where))
        case Called(arguments=arguments) | Pointwise(things=arguments):
            return frozenset(arguments)
        case Counted(members=members):
            return things_of(members)
        case _:
            return frozenset().union(*map(things, parts_of(condition)))


def things_of(members: Members) -> frozenset[Thing]:
    """Return the variables outside a range that it and the condition on its members depend on."""
    found = things(members.condition) - {members.thing}
    match members.range:
        case Whole():
            return found
        case Along(anchor):
            return found | {anchor}
        case Flowing(anchor=anchor, barrier=barrier):
            beyond = frozenset() if barrier is None else things(barrier.condition) - {barrier.thing}
            return found | beyond | {anchor}


def attributes_in(condition: Condition) -> frozenset[str]:
    """Return the names of the attributes that a condition reads of anything, in any depth and scope."""
    found: set[str] = set()
    for part in everything_in(condition):
        match part:
            case Decided(keys=keys):
                found.update(key.attribute for key in keys if isinstance(key, AttributeKey))
            case Stated(key):
                found.add(key.attribute)
            case _:
                pass
    return frozenset(found)


def reads_record(condition: Condition) -> bool:
    """Tell whether a condition reads the evidence in view."""
    match condition:
        case Decided(keys=keys):
            return any(isinstance(key, FieldKey) for key in keys)
        case Held() | Called():
            # Their conditions look at other evidence, or at none.
            return False
        case _:
            return any(map(reads_record, parts_of(condition)))


def anchor_of(members: Members) -> Thing:
    """Return where a range begins that is not everything."""
    assert not isinstance(members.range, Whole)  # noqa: S101 - callers ask of ranges with an anchor
    return members.range.anchor
