"""The syntax tree: what an author wrote, with the place of every part.

The tree follows the grammar; names are not yet resolved and nothing is typed.
"""

from dataclasses import dataclass
from datetime import date, datetime

from policy_dsl.source import Span
from policy_dsl.syntax.expression_ast import (
    Aggregate as Aggregate,
)
from policy_dsl.syntax.expression_ast import (
    AggregateWord as AggregateWord,
)
from policy_dsl.syntax.expression_ast import (
    Between as Between,
)
from policy_dsl.syntax.expression_ast import (
    Binary as Binary,
)
from policy_dsl.syntax.expression_ast import (
    BinaryOperator as BinaryOperator,
)
from policy_dsl.syntax.expression_ast import (
    Call as Call,
)
from policy_dsl.syntax.expression_ast import (
    EvidencePattern as EvidencePattern,
)
from policy_dsl.syntax.expression_ast import (
    Expression as Expression,
)
from policy_dsl.syntax.expression_ast import (
    HasEvidence as HasEvidence,
)
from policy_dsl.syntax.expression_ast import (
    Identifier as Identifier,
)
from policy_dsl.syntax.expression_ast import (
    Junction as Junction,
)
from policy_dsl.syntax.expression_ast import (
    Known as Known,
)
from policy_dsl.syntax.expression_ast import (
    LatestField as LatestField,
)
from policy_dsl.syntax.expression_ast import (
    LineageRange as LineageRange,
)
from policy_dsl.syntax.expression_ast import (
    Literal as Literal,
)
from policy_dsl.syntax.expression_ast import (
    Name as Name,
)
from policy_dsl.syntax.expression_ast import (
    Negative as Negative,
)
from policy_dsl.syntax.expression_ast import (
    Not as Not,
)
from policy_dsl.syntax.expression_ast import (
    Now as Now,
)
from policy_dsl.syntax.expression_ast import (
    Path as Path,
)
from policy_dsl.syntax.expression_ast import (
    PathRange as PathRange,
)
from policy_dsl.syntax.expression_ast import (
    PathStep as PathStep,
)
from policy_dsl.syntax.expression_ast import (
    Quantified as Quantified,
)
from policy_dsl.syntax.expression_ast import (
    QuantifierWord as QuantifierWord,
)
from policy_dsl.syntax.expression_ast import (
    Range as Range,
)
from policy_dsl.syntax.expression_ast import (
    SetLiteral as SetLiteral,
)
from policy_dsl.syntax.expression_ast import (
    Template as Template,
)
from policy_dsl.syntax.expression_ast import (
    Through as Through,
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
    """``use std.ai``; ``version "1.2"`` asks for that minor version or a later one of the same major version."""

    pack: Identifier
    version: Template | None
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
class ExtendNode:
    """``extend node System { … }``: attributes that another pack adds to a kind."""

    name: Identifier
    attributes: tuple[AttributeDeclaration, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ExtendEnum:
    """``extend enum Stage { … }``: words that another pack adds to an enumeration."""

    name: Identifier
    members: tuple[Identifier, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Placeholder:
    """``<name>`` in a test: the value of that column in the row of the test's table."""

    name: Identifier
    span: Span


@dataclass(frozen=True, slots=True)
class Field:
    """``stage: production`` in a test."""

    name: Identifier
    value: Expression | Placeholder


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
    issued: date | datetime | Placeholder | None
    expires: date | datetime | Placeholder | None
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

    result: Identifier | Placeholder
    rule: Identifier
    subject: Identifier
    because_of: tuple[Identifier, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class At:
    """The instant of the steps after it."""

    instant: date | datetime | Placeholder
    span: Span


@dataclass(frozen=True, slots=True)
class Cases:
    """A table of a test: column names and rows of values, each nothing where ``unknown`` stands."""

    columns: tuple[Identifier, ...]
    rows: tuple[tuple[Expression | None, ...], ...]
    span: Span


TestStep = At | Given | Expect


@dataclass(frozen=True, slots=True)
class Test:
    """A test with its steps in order."""

    name: Template
    steps: tuple[TestStep, ...]
    cases: Cases | None
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
    | ExtendNode
    | ExtendEnum
    | Test
)


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """All declarations of a file in order; those that could not be parsed are only named in ``broken``."""

    file: str
    declarations: tuple[Declaration, ...]
    broken: frozenset[str] = frozenset()
    header_is_broken: bool = False
