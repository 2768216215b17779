"""The checked form of policies: names resolved, types known, sugar removed. Evaluators read this tree.

Variables are numbered slots, unique in a rule or definition. ``every``, ``some`` and ``no`` are counts:
``every X satisfies c`` is ``at most 0 X with not c``. ``between``, ``is not``, ``if … then`` and ``must not``
are written with ``and``, ``or`` and ``not``.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from policy_dsl.records import dataclass
from policy_dsl.typed.schema import Attribute, Schema
from policy_dsl.typed.types import Type
from policy_dsl.values import Value

if TYPE_CHECKING:
    from policy_dsl.source import SourceFile, Span
    from policy_dsl.syntax import ast


@dataclass(frozen=True, slots=True)
class Constant:
    """A value."""

    value: Value


@dataclass(frozen=True, slots=True)
class Moment:
    """The instant of evaluation, or its date."""

    date_only: bool


@dataclass(frozen=True, slots=True)
class Variable:
    """A thing of the graph that a quantifier, a ``for each`` or a definition binds; or a definition's value."""

    slot: int
    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Read:
    """An attribute of a variable's thing."""

    variable: Variable
    attribute: Attribute


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the evidence that a pattern is looking at."""

    attribute: Attribute


@dataclass(frozen=True, slots=True)
class ParameterValue:
    """A parameter's value; the name is ``pack.parameter``."""

    name: str


@dataclass(frozen=True, slots=True)
class Invoke:
    """A definition's body with its formals bound to arguments."""

    definition: str
    arguments: tuple["Expression", ...]


class Operator(StrEnum):
    """Operators with two operands; unknown if either is unknown."""

    LESS = "<"
    LESS_OR_EQUAL = "<="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="
    EQUAL = "is"
    IN = "in"
    CONTAINS = "contains"
    STARTS_WITH = "starts with"
    LIKE = "like"
    PLUS = "+"
    MINUS = "-"


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator and its operands.

    ``timed`` marks an ordering whose truth may change, once, as the instant of evaluation moves on.
    """

    operator: Operator
    left: "Expression"
    right: "Expression"
    timed: bool = False


@dataclass(frozen=True, slots=True)
class SetOf:
    """A set written out."""

    items: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Negation; unknown stays unknown."""

    operand: "Expression"


@dataclass(frozen=True, slots=True)
class And:
    """False if any operand is false, else unknown if any is unknown."""

    operands: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """True if any operand is true, else unknown if any is unknown."""

    operands: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Known:
    """Whether a value is known; never unknown."""

    operand: "Expression"


@dataclass(frozen=True, slots=True)
class IfUnknown:
    """A value, or another where it is unknown."""

    operand: "Expression"
    otherwise: "Expression"


@dataclass(frozen=True, slots=True)
class HasEvidence:
    """Whether verified evidence of a type about a variable's thing meets all that is asked."""

    subject: Variable
    type: str
    role: str | None
    signers: int
    max_age: "Expression | None"
    where: "Expression | None"


@dataclass(frozen=True, slots=True)
class KindRange:
    """All things of the variable's kind."""


@dataclass(frozen=True, slots=True)
class PathStep:
    """An edge followed in one direction, once or any number of times."""

    edge: str
    reverse: bool
    repeated: bool


@dataclass(frozen=True, slots=True)
class PathRange:
    """The things that a path of edges leads to from the anchor; with repeated steps the anchor itself may be one."""

    anchor: Variable
    steps: tuple[PathStep, ...]


@dataclass(frozen=True, slots=True)
class Barrier:
    """Things that lineage reaches but does not go through."""

    variable: Variable
    condition: "Expression"


@dataclass(frozen=True, slots=True)
class LineageRange:
    """The things reached from the anchor over the given edges, without the anchor itself unless a circle leads back."""

    anchor: Variable
    upstream: bool
    edges: frozenset[str]
    hops: int | None
    barrier: Barrier | None


Range = KindRange | PathRange | LineageRange


class CountWord(StrEnum):
    """How a count is compared."""

    AT_LEAST = "at least"
    AT_MOST = "at most"
    EXACTLY = "exactly"


@dataclass(frozen=True, slots=True)
class Count:
    """How many things of a range (and of the variable's kind) meet a condition."""

    word: CountWord
    number: int
    variable: Variable
    range: Range
    condition: "Expression"


class AggregateWord(StrEnum):
    """What is made of the values of a range."""

    COUNT = "count"
    SUM = "sum"
    MIN = "min"
    MAX = "max"
    AVERAGE = "average"


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A value made of an operand for each thing of a range that meets a condition; a count has no operand.

    Unknown when it is unknown for any thing whether it counts, or what its operand is.
    """

    word: AggregateWord
    operand: "Expression | None"
    variable: Variable
    range: Range
    condition: "Expression"
    of_nothing: Value | None
    """The value when nothing meets the condition, where there is one."""


@dataclass(frozen=True, slots=True)
class LatestField:
    """A field of the youngest evidence that counts; unknown when there is none."""

    attribute: Attribute
    pattern: HasEvidence


Expression = (
    Constant
    | Moment
    | Variable
    | Read
    | Field
    | ParameterValue
    | Invoke
    | Operation
    | SetOf
    | Not
    | And
    | Or
    | Known
    | IfUnknown
    | HasEvidence
    | Count
    | Aggregate
    | LatestField
)


@dataclass(frozen=True, slots=True)
class Message:
    """A text with placeholders; each placeholder lists the expressions it may mean, in order of preference."""

    parts: tuple["str | tuple[Expression, ...]", ...]


@dataclass(frozen=True, slots=True)
class Definition:
    """A checked definition; slots of its formals come first."""

    name: str
    formals: tuple[Variable, ...]
    body: Expression
    type: Type
    slots: int
    syntax: "ast.Define"


@dataclass(frozen=True, slots=True)
class Exemption:
    """``except LABEL when …``."""

    label: str
    condition: Expression


@dataclass(frozen=True, slots=True)
class Rule:
    """A checked rule. ``start`` and ``end`` bound the time in which it is in force, half-open."""

    name: str
    pack: str
    title: str
    citations: tuple[str, ...]
    severity: str
    basis: str
    start: datetime | None
    end: datetime | None
    subject: Variable
    where: Expression | None
    requirement: Expression
    exemptions: tuple[Exemption, ...]
    otherwise: Message | None
    remedy: Message | None
    slots: int
    span: "Span"
    syntax: "ast.Rule"


@dataclass(frozen=True, slots=True)
class PackInfo:
    """What a pack says of itself."""

    name: str
    title: str
    version: str
    source: str
    framework: str
    basis: str
    file: str


@dataclass(frozen=True, slots=True)
class Program:
    """Everything that a run needs of the policies: schema, rules, definitions, parameters and tests."""

    schema: Schema
    packs: tuple[PackInfo, ...]
    rules: Mapping[str, Rule]
    definitions: Mapping[str, Definition]
    parameters: Mapping[str, Value]
    tests: tuple["PackTest", ...]
    files: Mapping[str, "SourceFile"]

    def only(self, packs: frozenset[str]) -> "Program":
        """Return the program with the rules of the given packs alone."""
        kept = {name: rule for name, rule in self.rules.items() if rule.pack in packs}
        return Program(self.schema, self.packs, kept, self.definitions, self.parameters, self.tests, self.files)


@dataclass(frozen=True, slots=True)
class NodeGiven:
    """A thing that a test puts into its graph."""

    id: str
    kind: str
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class EdgeGiven:
    """An edge that a test puts into its graph."""

    type: str
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class EvidenceGiven:
    """Verified evidence that a test assumes; issued at the test's instant unless it says when."""

    type: str
    subject: str
    issued: datetime | None
    expires: datetime | None
    roles: tuple[str, ...]
    fields: Mapping[str, Value]


Given = NodeGiven | EdgeGiven | EvidenceGiven


@dataclass(frozen=True, slots=True)
class AtStep:
    """The instant of the steps after it."""

    instant: datetime


@dataclass(frozen=True, slots=True)
class Expectation:
    """The status that a rule must have for a thing, and the things that must be among the reasons."""

    status: str
    rule: str
    subject: str
    because_of: tuple[str, ...]
    span: "Span"


@dataclass(frozen=True, slots=True)
class PackTest:
    """A checked test: its steps in order."""

    pack: str
    name: str
    steps: tuple["AtStep | Given | Expectation", ...]
    span: "Span"
