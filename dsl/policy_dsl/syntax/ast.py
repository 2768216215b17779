"""The syntax tree: what an author wrote, with the place of every part.

The tree follows the grammar; names are not yet resolved and nothing is typed.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from policy_dsl.source import Span
from policy_dsl.values import Duration


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

    value: str | int | Decimal | bool | date | datetime | Duration
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
class EdgeRange:
    """``in model.trained_on``: the things one edge away."""

    anchor: Identifier
    edge: Identifier
    span: Span


@dataclass(frozen=True, slots=True)
class Quantified:
    """``every Dataset as d upstream of system where … has evidence …``."""

    word: QuantifierWord
    count: int | None
    kind: Identifier
    binder: Identifier | None
    range: LineageRange | EdgeRange | None
    where: "Expression | None"
    body: "Expression | EvidencePattern | None"
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
)

# --- declarations ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Applies:
    """``applies from D until E``: in force from the first second of D, no longer from the first of E."""

    start: date | datetime
    end: date | datetime | None
    span: Span


@dataclass(frozen=True, slots=True)
class Header:
    """``policy NAME`` with what the pack says of itself."""

    name: Identifier
    title: Template | None
    version: Template | None
    source: Template | None
    framework: Template | None
    basis: Identifier | None
    applies: Applies | None
    span: Span


@dataclass(frozen=True, slots=True)
class Use:
    """``use std.ai`` or ``use std.ai as ai``."""

    pack: Identifier
    alias: Identifier | None
    span: Span


@dataclass(frozen=True, slots=True)
class TypeName:
    """A type as written: a name, or a set of one."""

    name: Identifier
    is_set: bool


@dataclass(frozen=True, slots=True)
class Parameter:
    """``parameter datasheet_age: Duration = 365 days``."""

    name: Identifier
    type: TypeName
    default: Expression
    description: Template | None
    span: Span


@dataclass(frozen=True, slots=True)
class Formal:
    """A definition's parameter."""

    name: Identifier
    type: TypeName


@dataclass(frozen=True, slots=True)
class Define:
    """``define high_risk(system: System) as …``."""

    name: Identifier
    formals: tuple[Formal, ...]
    description: Template | None
    body: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class ForEach:
    """``for each System as s where …``."""

    kind: Identifier
    binder: Identifier | None
    where: Expression | None
    span: Span


@dataclass(frozen=True, slots=True)
class Except:
    """``except LABEL when …``."""

    label: Identifier
    condition: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule; a ``must not`` is kept as its negated requirement."""

    name: Identifier
    title: Template | None
    cites: tuple[Template, ...]
    severity: Identifier | None
    basis: Identifier | None
    applies: Applies | None
    for_each: ForEach
    requirement: Expression
    exceptions: tuple[Except, ...]
    otherwise: Template | None
    remedy: Template | None
    span: Span


@dataclass(frozen=True, slots=True)
class AttributeDeclaration:
    """``stage: Stage = planning "…"`` in a node or evidence type."""

    name: Identifier
    type: TypeName
    default: Expression | None
    description: Template | None


@dataclass(frozen=True, slots=True)
class NodeDeclaration:
    """``node Model is Thing { … }``."""

    name: Identifier
    parent: Identifier | None
    description: Template | None
    attributes: tuple[AttributeDeclaration, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class EdgeDeclaration:
    """``edge trained_on from Model to Dataset reverse trains lineage``."""

    name: Identifier
    sources: tuple[Identifier, ...]
    targets: tuple[Identifier, ...]
    reverse: Identifier | None
    flow: str
    description: Template | None
    span: Span


@dataclass(frozen=True, slots=True)
class EvidenceDeclaration:
    """``evidence datasheet on Dataset { … }``."""

    name: Identifier
    subjects: tuple[Identifier, ...]
    description: Template | None
    fields: tuple[AttributeDeclaration, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class EnumDeclaration:
    """``enum Stage { planning, … }``."""

    name: Identifier
    description: Template | None
    members: tuple[Identifier, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class RoleDeclaration:
    """``role data_steward``."""

    name: Identifier
    description: Template | None
    span: Span


@dataclass(frozen=True, slots=True)
class Field:
    """``stage: production`` in a test."""

    name: Identifier
    value: Expression


@dataclass(frozen=True, slots=True)
class NodeFact:
    """``System credit { … }``."""

    kind: Identifier
    name: Identifier
    fields: tuple[Field, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class EdgeFact:
    """``credit uses_model scorer``."""

    source: Identifier
    edge: Identifier
    target: Identifier
    span: Span


@dataclass(frozen=True, slots=True)
class EvidenceFact:
    """``evidence datasheet on loans issued 2027-12-20 signed by data_steward { … }``."""

    type: Identifier
    subject: Identifier
    issued: date | datetime | None
    expires: date | datetime | None
    signed_by: tuple[Identifier, ...]
    fields: tuple[Field, ...]
    span: Span


Fact = NodeFact | EdgeFact | EvidenceFact


@dataclass(frozen=True, slots=True)
class Given:
    """Facts added to those of the steps before."""

    facts: tuple[Fact, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Expect:
    """``expect fail of RULE on SUBJECT because of NAMES``."""

    result: Identifier
    rule: Identifier
    subject: Identifier
    because_of: tuple[Identifier, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class At:
    """The instant of the steps after it."""

    instant: date | datetime
    span: Span


TestStep = At | Given | Expect


@dataclass(frozen=True, slots=True)
class Test:
    """A test with its steps in order."""

    name: Template
    steps: tuple[TestStep, ...]
    span: Span


Declaration = (
    Header
    | Use
    | Parameter
    | Define
    | Rule
    | NodeDeclaration
    | EdgeDeclaration
    | EvidenceDeclaration
    | EnumDeclaration
    | RoleDeclaration
    | Test
)


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """All declarations of a file in order; those that could not be parsed are only named in ``broken``."""

    file: str
    declarations: tuple[Declaration, ...]
    broken: frozenset[str] = frozenset()
