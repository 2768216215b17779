"""A checked program → the plan of its evaluation over columns.

Rules:

- conditions are taken apart at ``and``, ``or``, ``not``, quantifiers, evidence and definitions, so that what is left
  reads little of the estate and is decided for few distinct combinations;
- a definition that is asked about things is planned once and has a column of its own; one whose other arguments are
  constants is planned once for each of them;
- equal conditions become the same object, so that whoever carries a plan out can remember results by identity.
"""

from dataclasses import fields, is_dataclass, replace
from typing import Any, NoReturn

from policy_dsl.typed import tree
from policy_dsl.typed.types import NodeType, Simple, Type
from policy_engine.evaluation.sets import plan
from policy_engine.evaluation.sets.plan import Condition, Key, Thing

MOST_HOPS = 32
"""Lineage is swept for at most so many hops; more are left to the point evaluator."""

_COMPARISONS = frozenset(tree.Operator) - {tree.Operator.PLUS, tree.Operator.MINUS}
_ORDERINGS = frozenset(
    {tree.Operator.LESS, tree.Operator.LESS_OR_EQUAL, tree.Operator.GREATER, tree.Operator.GREATER_OR_EQUAL}
)
# Amounts of money are ordered only within their currency.
_IN_ONE_ORDER = frozenset({Simple.INTEGER, Simple.NUMBER, Simple.DATE, Simple.INSTANT})


def plan_of(program: tree.Program) -> plan.Plan:
    """Return the plan of a program."""
    return _Planner(program).program_plan()


class _NotKeyedError(Exception):
    """An expression depends on more than keys; the reason is said in one phrase."""


class _Planner:
    def __init__(self, program: tree.Program) -> None:
        self.program = program
        self._same: dict[Condition, Condition] = {}
        self._members: dict[plan.Members, plan.Members] = {}
        self._bodies: dict[tuple[str, tuple[tree.Expression | None, ...]], plan.Called] = {}

    def program_plan(self) -> plan.Plan:
        return plan.Plan({rule.name: self.rule(rule) for rule in self.program.rules.values()})

    def rule(self, rule: tree.Rule) -> plan.RulePlan:
        return plan.RulePlan(
            rule=rule,
            subject=self.thing(rule.subject),
            where=None if rule.where is None else self.condition(rule.where, rule.slots),
            exemptions=tuple(self.condition(e.condition, rule.slots) for e in rule.exemptions),
            requirement=self.condition(rule.requirement, rule.slots),
        )

    # --- conditions --------------------------------------------------------------------------------------------

    def condition(self, expression: tree.Expression, slots: int) -> Condition:
        made = self._condition(expression, slots)
        return self._same.setdefault(made, made)

    def _condition(self, expression: tree.Expression, slots: int) -> Condition:
        match expression:
            case tree.Not(operand):
                return plan.Negated(self.condition(operand, slots))
            case tree.And(operands) | tree.Or(operands):
                parts = tuple(self.condition(operand, slots) for operand in operands)
                return plan.Joined(isinstance(expression, tree.And), parts)
            case tree.Known(tree.Read(variable, attribute)):
                key = plan.AttributeKey(self.thing(variable), attribute.name)
                return plan.Stated(key, attribute.default is not None)
            case tree.HasEvidence():
                return self.held(expression, slots)
            case tree.Count(word, number):
                return self.counted(expression, word, number, slots)
            case tree.Invoke():
                called = self.called(expression)
                if called is not None:
                    return called
            case tree.Operation(tree.Operator.EQUAL, tree.Variable() as one, tree.Variable() as other):
                if isinstance(one.type, NodeType) and isinstance(other.type, NodeType):
                    return plan.SameThing(self.thing(one), self.thing(other))
            case _:
                pass
        return self.decided(expression, slots)

    def decided(self, expression: tree.Expression, slots: int) -> Condition:
        """Plan an expression that is decided as a whole, or else by its parts if they are conditions."""
        try:
            keys = tuple(dict.fromkeys(self.keys(expression, slots)))
        except _NotKeyedError as why:
            match expression:
                case tree.Known(operand) if self.is_condition(operand):
                    return plan.IsKnown(self.condition(operand, slots))
                case tree.IfUnknown(operand, otherwise) if self.is_condition(operand):
                    return plan.Otherwise(self.condition(operand, slots), self.condition(otherwise, slots))
                case _:
                    return self.pointwise(expression, slots, str(why))
        if not keys:
            return plan.Always(expression, slots)
        return plan.Decided(expression, keys, slots, self.is_timed(expression), self.order_of(expression, slots))

    def pointwise(self, expression: tree.Expression, slots: int, reason: str) -> plan.Pointwise:
        free = sorted({self.thing(v) for v in _free(expression)}, key=lambda thing: thing.slot)
        return plan.Pointwise(expression, tuple(free), slots, reason)

    def is_condition(self, expression: tree.Expression) -> bool:
        """Tell whether an expression has a truth value."""
        match expression:
            case tree.Not() | tree.And() | tree.Or() | tree.Known() | tree.HasEvidence() | tree.Count():
                return True
            case tree.Operation(operator):
                return operator in _COMPARISONS
            case tree.Invoke(definition):
                return self.program.definitions[definition].type == Simple.BOOLEAN
            case tree.IfUnknown(operand):
                return self.is_condition(operand)
            case _:
                return False

    def held(self, expression: tree.HasEvidence, slots: int) -> Condition:
        try:
            pattern = self.pattern(expression, slots)
        except _NotKeyedError as why:
            return self.pointwise(expression, slots, str(why))
        where = None if expression.where is None else self.condition(expression.where, slots)
        asks_more = where is not None and any(plan.pointwise_in(where))
        ranges = () if where is None else tuple(plan.members_in(where))
        if asks_more or any(plan.reads_record(members.condition) for members in ranges):
            return self.pointwise(expression, slots, "a condition on evidence asks more than keys of it")
        return plan.Held(self.thing(expression.subject), pattern, where)

    def pattern(self, expression: tree.HasEvidence, slots: int) -> plan.Pattern:
        age = expression.max_age
        if age is not None and self.keys(age, slots):
            raise _NotKeyedError("how old evidence may be depends on the thing")
        return plan.Pattern(expression.type, expression.role, expression.signers, age, slots)

    def called(self, expression: tree.Invoke) -> plan.Called | None:
        """Plan a definition's use, if it is about things and everything else that it is given is constant."""
        definition = self.program.definitions[expression.definition]
        if definition.type != Simple.BOOLEAN:
            return None
        formals: list[Thing] = []
        arguments: list[Thing] = []
        fixed: list[tree.Expression | None] = []
        for formal, argument in zip(definition.formals, expression.arguments, strict=True):
            match argument:
                case tree.Variable() if isinstance(formal.type, NodeType):
                    formals.append(self.thing(formal))
                    arguments.append(self.thing(argument))
                    fixed.append(None)
                case tree.Constant() | tree.ParameterValue():
                    fixed.append(argument)
                case _:
                    return None
        key = (definition.name, tuple(fixed))
        if key not in self._bodies:
            values = {f.slot: a for f, a in zip(definition.formals, fixed, strict=True) if a is not None}
            body = self.condition(_with_values(definition.body, values), definition.slots)
            self._bodies[key] = plan.Called(*key, tuple(formals), tuple(formals), body)
        return replace(self._bodies[key], arguments=tuple(arguments))

    # --- ranges ------------------------------------------------------------------------------------------------

    def counted(self, expression: tree.Count, word: tree.CountWord, number: int, slots: int) -> Condition:
        try:
            return plan.Counted(word, number, self.members(expression, slots), _asks_for_itself(expression), expression)
        except _NotKeyedError as why:
            return self.pointwise(expression, slots, str(why))

    def members(self, expression: tree.Count | tree.Aggregate, slots: int) -> plan.Members:
        condition = self.condition(expression.condition, slots)
        thing = self.thing(expression.variable)
        match expression.range:
            case tree.KindRange():
                found: plan.Range = plan.Whole()
            case tree.PathRange(anchor, steps):
                found = plan.Along(self.thing(anchor), steps)
            case tree.LineageRange() as lineage:
                found = self.flowing(lineage, condition, slots)
        made = plan.Members(thing, found, condition, slots)
        return self._members.setdefault(made, made)

    def flowing(self, lineage: tree.LineageRange, condition: Condition, slots: int) -> plan.Flowing:
        if lineage.hops is not None and lineage.hops > MOST_HOPS:
            raise _NotKeyedError(f"lineage within more than {MOST_HOPS} hops")
        barrier = None
        inside = [condition]
        if lineage.barrier is not None:
            barred = self.condition(lineage.barrier.condition, slots)
            barrier = plan.Barred(self.thing(lineage.barrier.variable), barred)
            inside.append(barred)
        levels = [
            members.range.level
            for part in inside
            for members in plan.members_in(part)
            if isinstance(members.range, plan.Flowing)
        ]
        anchor = self.thing(lineage.anchor)
        return plan.Flowing(anchor, lineage.upstream, lineage.edges, lineage.hops, barrier, 1 + max(levels, default=-1))

    # --- keys --------------------------------------------------------------------------------------------------

    def keys(self, expression: tree.Expression, slots: int) -> tuple[Key, ...]:
        """Return everything of the estate that an expression's value follows from.

        Raises:
            _NotKeyedError: it follows from more than keys can say.
        """
        match expression:
            case tree.Constant() | tree.Moment() | tree.ParameterValue():
                return ()
            case tree.Variable(type=kind):
                return _refuse("which thing it is decides") if isinstance(kind, NodeType) else ()
            case tree.Read(variable, attribute):
                return (plan.AttributeKey(self.thing(variable), attribute.name),)
            case tree.Field(attribute):
                return (plan.FieldKey(attribute.name),)
            case tree.LatestField(attribute, pattern):
                thing = self.thing(pattern.subject)
                return (plan.LatestKey(thing, attribute.name, self.pattern(pattern, slots)),)
            case tree.Invoke():
                return self.keys_of_use(expression, slots)
            case tree.Aggregate():
                return (self.number_key(expression, slots),)
            case tree.HasEvidence() | tree.Count():
                return _refuse("a value depends on what is held or counted")
            case _:
                return tuple(key for part in _parts(expression) for key in self.keys(part, slots))

    def keys_of_use(self, expression: tree.Invoke, slots: int) -> tuple[Key, ...]:
        definition = self.program.definitions[expression.definition]
        found: list[Key] = []
        bound: dict[Thing, Thing] = {}
        for formal, argument in zip(definition.formals, expression.arguments, strict=True):
            if isinstance(argument, tree.Variable) and isinstance(formal.type, NodeType):
                bound[self.thing(formal)] = self.thing(argument)
            else:
                found += self.keys(argument, slots)
        for key in dict.fromkeys(self.keys(definition.body, definition.slots)):
            if isinstance(key, plan.FieldKey):
                _refuse("a definition reads evidence")
            else:
                found.append(replace(key, thing=bound[key.thing]))
        return tuple(found)

    def number_key(self, expression: tree.Aggregate, slots: int) -> plan.NumberKey:
        if expression.word is not tree.AggregateWord.COUNT:
            _refuse(f"the {expression.word} of many values")
        members = self.members(expression, slots)
        if isinstance(members.range, plan.Whole) or plan.things_of(members) != {members.range.anchor}:
            _refuse("a number of things that depends on no single thing")
        return plan.NumberKey(members.range.anchor, members)

    def is_timed(self, expression: tree.Expression) -> bool:
        """Tell whether an expression's value may follow from the instant."""
        match expression:
            case tree.Moment():
                return True
            case tree.Invoke(definition, arguments):
                return any(map(self.is_timed, (*arguments, self.program.definitions[definition].body)))
            case tree.LatestField() | tree.Aggregate():
                # Their keys move with the instant, what is made of them does not.
                return False
            case _:
                return any(map(self.is_timed, _parts(expression)))

    def order_of(self, expression: tree.Expression, slots: int) -> Simple | None:
        """Return the type of the one attribute that an expression compares, by order, with what reads nothing."""
        match expression:
            case tree.Operation(operator, left, right) if operator in _ORDERINGS:
                return self.rising(left, right, slots) or self.rising(right, left, slots)
            case _:
                return None

    def rising(self, expression: tree.Expression, other: tree.Expression, slots: int) -> Simple | None:
        """Return the type of the attribute with which an expression rises, or at least never falls."""
        if self.keys(other, slots):
            return None
        match expression:
            case tree.Read(_, attribute) if attribute.type in _IN_ONE_ORDER:
                return Simple(str(attribute.type))
            case tree.Operation(tree.Operator.PLUS | tree.Operator.MINUS, tree.Read(_, attribute), duration):
                # Not so for instants: a month after 30 January 23:00 and after 31 January 01:00 is the same day.
                return Simple.DATE if attribute.type is Simple.DATE and not self.keys(duration, slots) else None
            case _:
                return None

    def thing(self, variable: tree.Variable) -> Thing:
        assert isinstance(variable.type, NodeType)  # noqa: S101 - callers ask for things only
        return Thing(variable.slot, self.program.schema.kinds_below(variable.type.kind))


def _refuse(reason: str) -> NoReturn:
    raise _NotKeyedError(reason)


def _parts(expression: object) -> list[Any]:
    """Return the expressions directly inside an expression."""
    if not is_dataclass(expression):
        return []
    values = [getattr(expression, f.name) for f in fields(expression)]
    lists = [v for v in values if isinstance(v, tuple)]
    return [part for part in [*values, *(i for items in lists for i in items)] if isinstance(part, tree.Expression)]


def _free(expression: object) -> frozenset[tree.Variable]:
    """Return the variables for things that an expression uses and does not bind."""
    match expression:
        case tree.Variable(type=kind):
            return frozenset({expression}) if isinstance(kind, NodeType) else frozenset()
        case tree.Count() | tree.Aggregate():
            operand = expression.operand if isinstance(expression, tree.Aggregate) else None
            inside = _free(expression.condition) | _free(operand)
            return (inside - {expression.variable}) | _free_of_range(expression.range)
        case _ if is_dataclass(expression):
            values = [getattr(expression, f.name) for f in fields(expression)]
            parts = [p for v in values for p in (v if isinstance(v, tuple) else (v,))]
            return frozenset().union(*(_free(p) for p in parts if not isinstance(p, Type)))
        case _:
            return frozenset()


def _free_of_range(found: tree.Range) -> frozenset[tree.Variable]:
    match found:
        case tree.KindRange():
            return frozenset()
        case tree.PathRange(anchor):
            return frozenset({anchor})
        case tree.LineageRange(anchor=anchor, barrier=barrier):
            beyond = frozenset() if barrier is None else _free(barrier.condition) - {barrier.variable}
            return beyond | {anchor}


def _with_values(expression: Any, values: dict[int, tree.Expression]) -> Any:
    """Put constants in the place of a definition's variables."""
    if not values:
        return expression
    match expression:
        case tree.Variable(slot):
            return values.get(slot, expression)
        case tuple():
            return tuple(_with_values(part, values) for part in expression)
        case _ if isinstance(expression, tree.Expression):
            changed = {
                f.name: _with_values(getattr(expression, f.name), values)
                for f in fields(expression)
                if isinstance(getattr(expression, f.name), (tuple, *_FORMS))
            }
            return replace(expression, **changed)
        case tree.LineageRange(barrier=tree.Barrier(variable, condition) as barrier):
            inside = replace(barrier, variable=variable, condition=_with_values(condition, values))
            return replace(expression, barrier=inside)
        case _:
            return expression


_FORMS = (*tree.Expression.__args__, tree.LineageRange)


def _asks_for_itself(expression: tree.Count) -> bool:
    """Tell whether a quantifier over lineage asks of its things, among others, to be the one that it starts from."""
    if not isinstance(expression.range, tree.LineageRange):
        return False
    same = {expression.variable.slot, expression.range.anchor.slot}
    asked = expression.condition.operands if isinstance(expression.condition, tree.And) else (expression.condition,)
    return any(
        {left.slot, right.slot} == same
        for part in asked
        if isinstance(part, tree.Operation) and part.operator is tree.Operator.EQUAL
        for left, right in [(part.left, part.right)]
        if isinstance(left, tree.Variable) and isinstance(right, tree.Variable)
    )
