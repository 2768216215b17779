"""The syntax tree of expressions, and of the names and texts that declarations share with them."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from policy_dsl.source import Span
from policy_dsl.values import Duration, Money


@dataclass(frozen=True, slots=True)
class Identifier:
    """A name and where it stands; a dotted name keeps its dots."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Template:
    """A text in quotes; rules may hold placeholders such as ``{system.name}`` in it."""

    text: str
    span: Span


# --- expressions -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Literal:
    """A value written out."""

    value: str | int | Decimal | bool | date | datetime | Duration | Money
    span: Span


@dataclass(frozen=True, slots=True)
class Now:
    """``now`` or, with ``date_only``, ``today``."""

    date_only: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Name:
    """A bare word: a variable, a parameter or a member of an enumeration."""

    name: Identifier
    span: Span


@dataclass(frozen=True, slots=True)
class Path:
    """``system.stage``: an attribute of a variable, or a name of a pack used under another name."""

    root: Identifier
    steps: tuple[Identifier, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """``high_risk(system)``."""

    name: Identifier
    arguments: tuple["Expression", ...]
    span: Span


@dataclass(frozen=True, slots=True)
class SetLiteral:
    """``{staging, production}``."""

    items: tuple["Expression", ...]
    span: Span


class BinaryOperator(StrEnum):
    """Operators between two operands."""

    LESS = "<"
    LESS_OR_EQUAL = "<="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="
    IS = "is"
    IS_NOT = "is not"
    IN = "in"
    NOT_IN = "not in"
    CONTAINS = "contains"
    STARTS_WITH = "starts with"
    LIKE = "like"
    PLUS = "+"
    MINUS = "-"
    IF_UNKNOWN = "if unknown then"
    IF_THEN = "if then"


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands and an operator; ``if a then b`` and ``a if unknown then b`` are two of them."""

    operator: BinaryOperator
    left: "Expression"
    right: "Expression"
    span: Span


@dataclass(frozen=True, slots=True)
class Between:
    """``x between a and b``, both ends included."""

    operand: "Expression"
    low: "Expression"
    high: "Expression"
    span: Span


@dataclass(frozen=True, slots=True)
class Not:
    """``not x``."""

    operand: "Expression"
    span: Span


@dataclass(frozen=True, slots=True)
class Negative:
    """``-x``."""

    operand: "Expression"
    span: Span


@dataclass(frozen=True, slots=True)
class Junction:
    """``a and b and c``, or with ``or``."""

    all_of: bool
    operands: tuple["Expression", ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Known:
    """``x is known``, or ``x is unknown`` when negated."""

    operand: "Expression"
    negated: bool
    span: Span


@dataclass(frozen=True, slots=True)
class EvidencePattern:
    """``has evidence t signed by … not older than … where …`` without its subject."""

    type: Identifier
    signed_by: Identifier | None
    signers: int
    max_age: "Expression | None"
    where: "Expression | None"
    span: Span


@dataclass(frozen=True, slots=True)
class HasEvidence:
    """``dataset has evidence …``."""

    subject: Identifier
    pattern: EvidencePattern
    span: Span


class QuantifierWord(StrEnum):
    """How many things of a range must meet the condition."""

    EVERY = "every"
    SOME = "some"
    NO = "no"
    AT_LEAST = "at least"
    AT_MOST = "at most"
    EXACTLY = "exactly"


@dataclass(frozen=True, slots=True)
class Through:
    """``not through (Transformation where …)``: things that lineage is not followed beyond."""

    kind: Identifier
    binder: Identifier | None
    where: "Expression | None"
    span: Span


@dataclass(frozen=True, slots=True)
class LineageRange:
    """``upstream of system via trained_on within 3 hops``; no edges named means all lineage edges."""

    upstream: bool
    anchor: Identifier
    via: tuple[Identifier, ...]
    within: int | None
    through: Through | None
    span: Span


@dataclass(frozen=True, slots=True)
class PathStep:
    """One step of a path: an edge by either name, followed once or, with ``*``, any number of times."""

    edge: Identifier
    repeated: bool


@dataclass(frozen=True, slots=True)
class PathRange:
    """``in model.trained_on/derived_from*``: the things that a path of edges leads to."""

    anchor: Identifier
    steps: tuple[PathStep, ...]
    span: Span


Range = LineageRange | PathRange


@dataclass(frozen=True, slots=True)
class Quantified:
    """``every Dataset as d upstream of system where … has evidence …``."""

    word: QuantifierWord
    count: int | None
    kind: Identifier
    binder: Identifier | None
    range: Range | None
    where: "Expression | None"
    body: "Expression | EvidencePattern | None"
    span: Span


class AggregateWord(StrEnum):
    """What is made of the values of a range."""

    COUNT = "count"
    SUM = "sum"
    MIN = "min"
    MAX = "max"
    AVERAGE = "average"


@dataclass(frozen=True, slots=True)
class Aggregate:
    """``sum of model.energy_kwh over Model in system.uses_model where …``; a count has no operand."""

    word: AggregateWord
    operand: "Expression | None"
    kind: Identifier
    binder: Identifier | None
    range: Range | None
    where: "Expression | None"
    span: Span


@dataclass(frozen=True, slots=True)
class LatestField:
    """``accuracy of latest evidence accuracy_evaluation on model signed by … not older than …``."""

    field: Identifier
    subject: Identifier
    pattern: EvidencePattern
    span: Span


Expression = (
    Literal
    | Now
    | Name
    | Path
    | Call
    | SetLiteral
    | Binary
    | Between
    | Not
    | Negative
    | Junction
    | Known
    | HasEvidence
    | Quantified
    | Aggregate
    | LatestField
)
