"""The neutral document that every report is rendered from.

Rules of this module:
- The document holds findings, it never computes one: evaluation happened before.
- It is closed and frozen: unknown members are refused, and a document that contradicts itself cannot be built
  (a result of an unlisted rule, counts that differ from the results, a verdict the results do not support).
- One written form: `to_json` sorts members, indents by two and ends with a newline; `from_json` reads it back.

A document without results is consistent, and says so by its counts:

>>> from datetime import UTC, datetime
>>> zero = "sha256:" + "0" * 64
>>> document = AssessmentDocument(
...     title="Assessment", organisation="Example Ltd", verdict="undecided", instant=datetime(2028, 1, 15, tzinfo=UTC),
...     engine=Engine(name="policy-engine", version="1.0"),
...     scope=Scope(description="All systems", sources=(), node_count=0, edge_count=0, nodes_by_kind={}),
...     inputs=Inputs(snapshot=zero, profile=zero, trust=zero, evidence_set=zero, decision=zero, packs=()),
...     rules=(), results=(), counts=dict.fromkeys(Status, 0), evidence=(), waivers=(), warnings=(), limits=())
>>> AssessmentDocument.from_json(document.to_json()) == document
True
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from policy_reports.reading import readable, refuse_ambiguous_json

FORMAT = "ai-policy-engine/assessment/v1"
SCHEMA_ID = "urn:ai-policy-engine:schema:assessment:v1"

_T = TypeVar("_T")
_INSTANT = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$"


def _read_instant(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        if re.fullmatch(_INSTANT, value, re.ASCII):
            return datetime.fromisoformat(value)
    except ValueError:
        pass  # a day or an hour that does not exist
    raise PydanticCustomError("instant", "must be an instant such as `2028-01-15T09:00:00Z`")


def _whole_utc_second(value: datetime) -> datetime:
    if value.utcoffset() != timedelta(0) or value.microsecond:
        raise PydanticCustomError("instant", "must be an instant in UTC, to the whole second")
    return value.astimezone(UTC)


def instant_text(value: datetime) -> str:
    """Write an aware UTC instant as RFC 3339 with `Z`."""
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


Instant = Annotated[
    datetime,
    BeforeValidator(_read_instant),
    AfterValidator(_whole_utc_second),
    PlainSerializer(instant_text, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": _INSTANT}),
]
Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
Name = Annotated[str, StringConstraints(min_length=1)]
Count = Annotated[int, Field(ge=0)]


class Verdict(StrEnum):
    """What the assessment concludes."""

    COMPLIANT = "compliant"
    NOT_COMPLIANT = "not_compliant"
    UNDECIDED = "undecided"


class Status(StrEnum):
    """What one rule says about one subject."""

    FAIL = "fail"
    UNKNOWN = "unknown"
    WAIVED = "waived"
    PASS = "pass"  # noqa: S105 - a status
    NOT_APPLICABLE = "not_applicable"


class Severity(StrEnum):
    """How much a violation of a rule weighs, gravest first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Basis(StrEnum):
    """What a rule rests on."""

    LAW = "law"
    STANDARD = "standard"
    FIRM_POLICY = "firm_policy"
    INFERENCE = "inference"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Engine(_Part):
    """The program that evaluated the rules."""

    name: Name
    version: Name


class Location(_Part):
    """A place in a file of the assessed project."""

    file: Name
    line: Annotated[int, Field(ge=1)] | None = None


class Source(_Part):
    """One document the lineage graph was read from."""

    name: Name
    sha256: Digest
    format: Name
    asserted_by: str | None = None
    """Who vouches for what the document says."""


class Scope(_Part):
    """What was looked at."""

    description: str
    sources: tuple[Source, ...]
    node_count: Count
    edge_count: Count
    nodes_by_kind: dict[str, Count]


class Pack(_Part):
    """One policy pack that was applied."""

    name: Name
    version: Name
    title: str
    basis: Basis
    source: str
    """The text the pack transcribes, e.g. `Regulation (EU) 2024/1689`."""
    sha256: Digest


class Inputs(_Part):
    """Digests of everything the evaluation read, so that it can be repeated."""

    snapshot: Digest
    profile: Digest
    trust: Digest
    evidence_set: Digest
    decision: Digest
    packs: tuple[Pack, ...]


class Rule(_Part):
    """One rule of a pack."""

    id: Name
    title: Name
    """The rule as one sentence."""
    severity: Severity
    framework: Name
    """The body of rules it belongs to, e.g. `EU AI Act`."""
    citations: tuple[str, ...]
    basis: Basis
    pack: Name
    applies_from: date | None = None
    applies_until: date | None = None
    location: Location | None = None
    remedy: str | None = None


class Node(_Part):
    """A node of the lineage graph."""

    id: Name
    kind: Name
    name: str


class Subject(Node):
    """The node a result is about."""

    owner: str | None = None
    location: Location | None = None


class Hop(_Part):
    """One step of a lineage path: the edge walked (none for the first node) and the node reached."""

    edge: str | None = None
    node: Node


class Witness(_Part):
    """A path through the lineage from the subject to the node that decides the result."""

    hops: Annotated[tuple[Hop, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _edges_between_nodes(self) -> Self:
        if self.hops[0].edge is not None or any(hop.edge is None for hop in self.hops[1:]):
            raise _contradiction("a path starts without an edge and names one for every further node")
        return self


class Fact(_Part):
    """A fact that was used, as text."""

    node: Name
    attribute: Name
    value: str
    source: str | None = None


class MissingFact(_Part):
    """A fact that was needed and not known."""

    node: Name
    attribute: Name
    explanation: str


class Result(_Part):
    """What one rule says about one subject, and why."""

    rule: Name
    subject: Subject
    status: Status
    reason: str | None = None
    """A short label: the exception that holds, `not in force until 2027-12-02`, the waiver's reason."""
    message: str | None = None
    remedy: str | None = None
    witnesses: tuple[Witness, ...] = ()
    facts: tuple[Fact, ...] = ()
    missing: tuple[MissingFact, ...] = ()
    evidence: tuple[Digest, ...] = ()
    """Digests of the verified evidence that the result rests on."""
    valid_until: Instant | None = None
    """The first instant at which the same facts could give another result."""
    waiver: Digest | None = None
    """The waiver that turned a failure into this result; only with status `waived`."""


class Signer(_Part):
    """A key that signed a piece of evidence."""

    key_id: Name
    name: str
    owner: str
    roles: tuple[str, ...]


class Evidence(_Part):
    """One piece of evidence about one subject; a rejected one may lack what could not be read."""

    digest: Digest
    type: str | None
    subject: str | None
    issued: Instant | None = None
    expires: Instant | None = None
    signers: tuple[Signer, ...] = ()
    status: Literal["verified", "rejected"]
    code: str | None = None
    """Why it was rejected, as a code."""
    reason: str | None = None
    used_by: Count = 0
    """How many results cite the digest."""


class Waiver(_Part):
    """One waiver and what became of it."""

    digest: Digest
    rule: str | None
    subject: str | None
    reason: str | None = None
    ticket: str | None = None
    approver: str | None = None
    issued: Instant | None = None
    expires: Instant | None = None
    status: Literal["applied", "unused", "expired", "rejected"]
    detail: str | None = None


class Caution(_Part):
    """A warning raised while the inputs were read."""

    code: Name
    message: str
    file: str | None = None
    line: Annotated[int, Field(ge=1)] | None = None
    pointer: str | None = None
    """Where in a document without lines, as a JSON pointer."""


class AssessmentDocument(_Part):
    """The outcome of one assessment, ready to be rendered into any format."""

    format: Literal["ai-policy-engine/assessment/v1"] = "ai-policy-engine/assessment/v1"
    title: Name
    organisation: Name
    verdict: Verdict
    instant: Instant
    """The instant the rules were evaluated for."""
    engine: Engine
    scope: Scope
    inputs: Inputs
    rules: tuple[Rule, ...]
    results: tuple[Result, ...]
    counts: dict[Status, Count]
    """How many results have each status, as counted by the evaluation: all five statuses are present."""
    evidence: tuple[Evidence, ...]
    waivers: tuple[Waiver, ...]
    warnings: tuple[Caution, ...]
    limits: tuple[str, ...]
    """What this assessment does not show, one sentence each."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if first := next(_contradictions(self), None):
            raise _contradiction(first)
        return self

    def to_json(self) -> bytes:
        """Write the document in its one form: UTF-8, members sorted, two spaces, newline at the end."""
        value = self.model_dump(mode="json")
        return (json.dumps(value, ensure_ascii=False, sort_keys=True, indent=2) + "\n").encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read a document; raises `ReportError` PE6001 (not JSON), PE6002 (wrong shape) or PE6003 (contradiction)."""
        refuse_ambiguous_json(data)
        try:
            return cls.model_validate_json(data, strict=True)
        except ValidationError as error:
            raise readable(error) from error


def document_schema() -> dict[str, Any]:
    """The published JSON Schema (2020-12) of the document."""
    schema = AssessmentDocument.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, **schema}


def verdict_of(counts: dict[Status, int]) -> Verdict:
    """The verdict that counts support: a failure decides, then an unknown, or that there is no result at all."""
    if counts[Status.FAIL]:
        return Verdict.NOT_COMPLIANT
    return Verdict.UNDECIDED if counts[Status.UNKNOWN] or not any(counts.values()) else Verdict.COMPLIANT


# INVARIANT: a document that exists has none of these.
def _contradictions(document: AssessmentDocument) -> Iterator[str]:
    yield from _contradicting_results(document)
    counted = {status: sum(result.status is status for result in document.results) for status in Status}
    if document.counts != counted:
        yield "the counts differ from the results"
    elif document.verdict is not verdict_of(counted):
        yield f"the verdict is `{document.verdict}` but the results say `{verdict_of(counted)}`"
    yield from _contradicting_lists(document)
    if document.scope.node_count != sum(document.scope.nodes_by_kind.values()):
        yield "the number of nodes differs from the sum over their kinds"


def _contradicting_lists(document: AssessmentDocument) -> Iterator[str]:
    for rule in _repeated(rule.id for rule in document.rules):
        yield f"rule `{rule}` is listed twice"
    for digest, subject in _repeated((item.digest, item.subject) for item in document.evidence):
        yield f"evidence `{digest}` about `{subject}` is listed twice"
    for digest in _repeated(waiver.digest for waiver in document.waivers):
        yield f"waiver `{digest}` is listed twice"
    uses: dict[str, int] = {}
    for result in document.results:
        for digest in set(result.evidence):
            uses[digest] = uses.get(digest, 0) + 1
    for item in document.evidence:
        expected = uses.get(item.digest, 0) if item.status == "verified" else 0
        if item.used_by != expected:
            yield f"evidence `{item.digest}` is said to be used by {item.used_by} results but {expected} cite it"
    applied = {result.waiver for result in document.results}
    for waiver in document.waivers:
        if waiver.status == "applied" and waiver.digest not in applied:
            yield f"waiver `{waiver.digest}` is said to be applied but no result cites it"


def _contradicting_results(document: AssessmentDocument) -> Iterator[str]:
    rules = {rule.id for rule in document.rules}
    verified = {item.digest for item in document.evidence if item.status == "verified"}
    applied = {waiver.digest: waiver for waiver in document.waivers if waiver.status == "applied"}
    for rule, subject in _repeated((result.rule, result.subject.id) for result in document.results):
        yield f"rule `{rule}` has two results for `{subject}`"
    for result in document.results:
        where = f"the result of `{result.rule}` for `{result.subject.id}`"
        if result.rule not in rules:
            yield f"{where} is of a rule that is not listed"
        for digest in result.evidence:
            if digest not in verified:
                yield f"{where} rests on evidence `{digest}`, which is not listed as verified"
        if (result.status is Status.WAIVED) != (result.waiver is not None):
            yield f"{where} must name a waiver exactly when it is waived"
        elif result.waiver is not None:
            waiver = applied.get(result.waiver)
            if waiver is None or (waiver.rule, waiver.subject) != (result.rule, result.subject.id):
                yield f"{where} names a waiver that is not listed as applied to it"


def _repeated(items: Iterable[_T]) -> Iterator[_T]:
    seen: set[_T] = set()
    for item in items:
        if item in seen:
            yield item
        seen.add(item)


def _contradiction(message: str) -> PydanticCustomError:
    # The text travels as a value, so that braces in a name are never read as a placeholder.
    return PydanticCustomError("contradiction", "{text}", {"text": message})
