"""What an evaluation says: one result for each rule and subject, with what decided it."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from policy_dsl.records import dataclass
from policy_dsl.values import Value, format_instant, text

if TYPE_CHECKING:
    from policy_evidence.canonical import JsonValue


class Status(StrEnum):
    """The five results that a rule can have for a subject."""

    PASS = "pass"  # noqa: S105 - a status
    FAIL = "fail"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"
    WAIVED = "waived"


class Verdict(StrEnum):
    """What all results together say."""

    COMPLIANT = "compliant"
    NOT_COMPLIANT = "not_compliant"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, order=True)
class FactRead:
    """A fact that decided a result; ``value`` is the fact in words."""

    node: str
    attribute: str
    value: str


@dataclass(frozen=True, slots=True, order=True)
class MissingFact:
    """A fact that would decide a result and is not there; ``reason`` says whether it is absent or contradicted."""

    node: str
    attribute: str
    reason: str


@dataclass(frozen=True, slots=True)
class Hop:
    """A step of a path: the edge taken, by the name it has in that direction, and the node reached."""

    edge: str | None
    node: str


@dataclass(frozen=True, slots=True)
class Witness:
    """A path through the lineage, in order; its first hop has no edge."""

    hops: tuple[Hop, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What one rule says about one subject.

    ``reason`` tells why a rule does not apply or passes without looking at anything; ``evidence`` holds digests;
    ``valid_until`` is the first instant at which the same facts give another status, if there is one.
    """

    rule: str
    subject: str
    status: Status
    reason: str = ""
    message: str = ""
    remedy: str = ""
    witnesses: tuple[Witness, ...] = ()
    facts: tuple[FactRead, ...] = ()
    missing: tuple[MissingFact, ...] = ()
    evidence: tuple[str, ...] = ()
    valid_until: datetime | None = None
    waiver: str | None = None


def verdict_of(statuses: "set[Status]") -> Verdict:
    """Return the verdict: one failure decides; one unknown result, or none at all, leaves it undecided."""
    if Status.FAIL in statuses:
        return Verdict.NOT_COMPLIANT
    return Verdict.UNDECIDED if Status.UNKNOWN in statuses or not statuses else Verdict.COMPLIANT


def value_in_words(value: Value | None) -> str:
    """Write a fact's value for people; an absent one is not stated."""
    return "not stated" if value is None else text(value)


def result_to_json(result: Result) -> "JsonValue":
    """Return a result as JSON, the same on every machine."""
    return {
        "rule": result.rule,
        "subject": result.subject,
        "status": result.status.value,
        "reason": result.reason,
        "message": result.message,
        "remedy": result.remedy,
        "witnesses": [[{"edge": h.edge, "node": h.node} for h in w.hops] for w in result.witnesses],
        "facts": [{"node": f.node, "attribute": f.attribute, "value": f.value} for f in result.facts],
        "missing": [{"node": m.node, "attribute": m.attribute, "reason": m.reason} for m in result.missing],
        "evidence": list(result.evidence),
        "valid_until": format_instant(result.valid_until) if result.valid_until else None,
        "waiver": result.waiver,
    }
