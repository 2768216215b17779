"""Verified evidence and waivers as evaluation sees them: nothing unverified ever takes these forms."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from policy_dsl.records import dataclass, field
from policy_dsl.values import Value


@dataclass(frozen=True, slots=True)
class Evidence:
    """Verified evidence about one node. It counts from ``counts_from`` until, and not including, ``counts_until``."""

    digest: str
    type: str
    subject: str
    issued: datetime
    counts_from: datetime
    counts_until: datetime | None = None
    fields: Mapping[str, Value] = field(default_factory=dict)
    signers: tuple[frozenset[str], ...] = ()
    """For each distinct key that signed, the roles it holds."""

    def field(self, name: str, default: Value | None) -> Value | None:
        """Return a field's value; every piece of evidence has ``issued``, and ``expires`` when it ends."""
        match name:
            case "issued":
                return self.issued
            case "expires":
                return self.counts_until
            case _:
                return self.fields.get(name, default)

    def signed_by(self, role: str) -> int:
        """Return how many distinct keys with a role signed."""
        return sum(role in roles for roles in self.signers)


@dataclass(frozen=True, slots=True)
class Waiver:
    """A verified, signed waiver of one rule for one subject."""

    digest: str
    rule: str
    subject: str
    reason: str
    approver: str
    ticket: str | None
    issued: datetime
    counts_from: datetime
    counts_until: datetime
    roles: frozenset[str] = frozenset()
    """The roles in which it was signed."""


@dataclass(frozen=True, slots=True)
class EvidenceSet:
    """All verified evidence of a run, found by subject and type in the order of issue."""

    _by_subject: Mapping[tuple[str, str], tuple[Evidence, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, records: Iterable[Evidence]) -> "EvidenceSet":
        """Collect records in any order."""
        grouped: dict[tuple[str, str], dict[tuple[datetime, str, datetime], Evidence]] = {}
        for record in records:
            # One file may count in several periods, with other signers in each.
            key = (record.issued, record.digest, record.counts_from)
            grouped.setdefault((record.subject, record.type), {})[key] = record
        ordered = {pair: tuple(found[key] for key in sorted(found)) for pair, found in grouped.items()}
        return cls(ordered)

    def about(self, subject: str, evidence_type: str) -> tuple[Evidence, ...]:
        """Return the evidence of a type about a subject."""
        return self._by_subject.get((subject, evidence_type), ())

    def records(self) -> Iterator[Evidence]:
        """Yield all the evidence, by subject and type in no certain order."""
        for found in self._by_subject.values():
            yield from found
