"""Judging one signed statement: bytes in, a verdict out, by a numbered procedure.

Rules: bad bytes never raise, they come back as `Rejected` with the step that failed; what a rejected file says of
itself is named `claimed_…` and nothing may rest on it; only what passes every step exists for a rule.

    1 envelope     the bytes are a DSSE envelope around an in-toto payload      DSSE 1.0.2 envelope.md
    2 signatures   distinct keys of the trust file made signatures over it      DSSE 1.0.2 protocol.md
    3 statement    the very bytes that were verified are a statement            in-toto Statement v1
    4 predicate    its type is known and its content has the type's shape
    5 windows      the signing keys were valid at the claimed instant of issue
    6 roles        enough of them hold a role that may sign this type
    7 subject      each subject is in the inventory, with the same digests      in-toto DigestSet
    8 interval     it counts from its issue until its expiry, and no longer than its signers do

Example: `verify_evidence(path.read_bytes(), trust, {"loans": {"sha256": "9f86…"}})`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Never, NewType, TypeAlias, assert_never

from policy_evidence.canonical import MAX_BYTES, digest
from policy_evidence.envelope import Envelope
from policy_evidence.errors import EvidenceError, FormatError, VerificationError, quoted
from policy_evidence.instants import format_instant
from policy_evidence.predicates import (
    BundlePredicate,
    DecisionPredicate,
    EvidencePredicate,
    FieldValue,
    PacksPredicate,
    Predicate,
    WaiverPredicate,
    issued_at,
    parse_predicate,
    short_name_of,
)
from policy_evidence.signing.keys import KeyId
from policy_evidence.statement import PAYLOAD_TYPE, Match, Statement, Subject, compare
from policy_evidence.trust.model import Role, Trust, TrustedKey

# One piece of evidence is a form of some pages; documents of record (decisions) have the limit of `canonical`.
MAX_EVIDENCE_BYTES: Final = 4 * 1024 * 1024

FileDigest = NewType("FileDigest", str)
Digests: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Signer:
    """Somebody whose signature counts, with the roles in which it does."""

    key_id: KeyId
    key_name: str
    owner: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VerifiedEvidence:
    """Evidence about one subject that counts at every instant in `[counts_from, counts_until)`."""

    digest: FileDigest
    type: str
    subject: str
    issued: datetime
    expires: datetime | None
    issuer: str | None
    fields: Mapping[str, FieldValue]
    counts_from: datetime
    counts_until: datetime | None
    signers: tuple[Signer, ...]


@dataclass(frozen=True, slots=True)
class VerifiedWaiver:
    """A waiver of one rule for one subject that counts at every instant in `[counts_from, counts_until)`."""

    digest: FileDigest
    rule: str
    subject: str
    reason: str
    ticket: str | None
    approver: str
    issued: datetime
    expires: datetime
    counts_from: datetime
    counts_until: datetime | None
    signers: tuple[Signer, ...]


@dataclass(frozen=True, slots=True)
class VerifiedStatement:
    """A statement of record, such as a decision or a manifest; `signers` are those at its instant of issue."""

    digest: FileDigest
    statement: Statement
    predicate: Predicate
    issued: datetime
    counts_until: datetime | None
    signers: tuple[Signer, ...]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A file, or one subject of it, that must not count, and why."""

    digest: FileDigest
    code: str
    step: str
    message: str
    help: str | None
    claimed_type: str | None
    claimed_subjects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Period:
    """A half-open interval during which the same signers count."""

    start: datetime
    end: datetime | None
    signers: tuple[Signer, ...]


@dataclass(frozen=True, slots=True)
class _Authenticated:
    """A statement after step 6: who signed it as what, not yet what it is about."""

    statement: Statement
    predicate: Predicate
    keys: tuple[TrustedKey, ...]
    roles: tuple[Role, ...]


def verify_evidence(
    data: bytes, trust: Trust, subjects: Mapping[str, Digests]
) -> tuple[VerifiedEvidence | VerifiedWaiver | Rejected, ...]:
    """Judge one evidence file against the inventory `subjects` (name → algorithm → hexadecimal digest).

    There is one record for each subject of the statement. When a signer's key was revoked after the issue and the
    remaining signers still suffice, the subject has one record for each period, with the signers that count in it.
    """
    file_digest = FileDigest(digest(data))
    try:
        found = _authenticate(data, trust, max_bytes=MAX_EVIDENCE_BYTES)
        predicate = found.predicate
        if isinstance(predicate, DecisionPredicate | BundlePredicate | PacksPredicate):
            _fail("4 predicate", "PE4411", "this statement is a record, not evidence about the inventory")
        # Step 7, for a waiver as a whole: it is never broader than one subject.
        if isinstance(predicate, WaiverPredicate) and len(found.statement.subjects) > 1:
            _fail("7 subject", "PE4409", f"the waiver names {len(found.statement.subjects)} subjects")
    except EvidenceError as error:
        return (_rejected(file_digest, error, *_claims(data)),)
    records: list[VerifiedEvidence | VerifiedWaiver | Rejected] = []
    for subject in found.statement.subjects:
        try:
            name = _subject_on_record(subject, subjects)
            periods = _periods(found, predicate.issued, predicate.expires)
            records += [_record(file_digest, found.statement, predicate, name, period) for period in periods]
        except VerificationError as error:
            claimed = () if subject.name is None else (subject.name,)
            records.append(_rejected(file_digest, error, short_name_of(found.statement.predicate_type), claimed))
    return tuple(records)


def verify_statement(
    data: bytes, trust: Trust, predicate_type: str, role: str | None = None
) -> VerifiedStatement | Rejected:
    """Judge a statement of record by steps 1 to 6 and 8; what its subjects are is for the caller to compare.

    With `role`, only that role's signatures count. The caller also compares its own instant with `counts_until`.
    """
    file_digest = FileDigest(digest(data))
    try:
        if role is not None and role not in trust.roles:
            _fail("6 roles", "PE4412", f"the trust file has no role {quoted(role)}")
        found = _authenticate(data, trust, max_bytes=MAX_BYTES, wanted_type=predicate_type, wanted_role=role)
        issued, expires = issued_at(found.predicate), _expires(found.predicate)
        periods = _periods(found, issued, expires)
    except EvidenceError as error:
        return _rejected(file_digest, error, *_claims(data))
    return VerifiedStatement(file_digest, found.statement, found.predicate, issued, periods[-1].end, periods[0].signers)


def _authenticate(
    data: bytes, trust: Trust, *, max_bytes: int, wanted_type: str | None = None, wanted_role: str | None = None
) -> _Authenticated:
    step = "1 envelope"
    try:
        # 1 The bytes are a DSSE envelope, and its payload type, which is signed too, is that of a statement.
        envelope = Envelope.parse(data, max_bytes=max_bytes)
        if envelope.payload_type != PAYLOAD_TYPE:
            _fail(step, "PE4104", f"the payload is {quoted(envelope.payload_type)}, not {quoted(PAYLOAD_TYPE)}")

        # 2 Which distinct public keys verify; key ids and the number of signatures prove nothing.
        step = "2 signatures"
        verified = envelope.verify(trust.public_keys())
        if not verified:
            _fail(step, "PE4401", "no key of the trust file made any of the signatures, or the content was changed")
        signing = tuple(sorted((trust.keys[key_id] for key_id in verified), key=lambda key: key.name))

        # 3 The same bytes that were verified are parsed, once.
        step = "3 statement"
        statement = Statement.parse(envelope.payload)

        # 4 A type that is not known, or not the one that is wanted, cannot be judged, so it does not count.
        step = "4 predicate"
        if wanted_type is not None and wanted_type != statement.predicate_type:
            _fail(
                step, "PE4411", f"the statement is of type {quoted(_type_name(statement))}, not {quoted(wanted_type)}"
            )
        predicate = parse_predicate(statement.predicate_type, dict(statement.predicate))
    except FormatError as error:
        raise VerificationError(error.code, error.message, error.help, step) from error

    # 5 The claimed instant of issue lies in the window of the key, and before its revocation.
    issued = issued_at(predicate)
    valid = tuple(key for key in signing if key.valid_at(issued))
    if not valid:
        names = ", ".join(quoted(key.name) for key in signing)
        _fail("5 windows", "PE4402", f"not valid at the instant of issue {format_instant(issued)}: key {names}")

    # 6 Some role that may sign this type has enough distinct public keys among the valid ones.
    asked = trust.roles.values() if wanted_role is None else (trust.roles[wanted_role],)
    held = {key.public_key.key_id for key in valid}
    allowing = tuple(r for r in asked if r.allows(statement.predicate_type) and r.keys & held)
    if not allowing:
        names = ", ".join(quoted(key.name) for key in valid)
        _fail("6 roles", "PE4403", f"no role of key {names} may sign {quoted(_type_name(statement))}")
    satisfied = tuple(r for r in allowing if len(r.keys & held) >= r.threshold)
    if not satisfied:
        wanted = "; ".join(f"{quoted(r.name)} has {len(r.keys & held)} of {r.threshold}" for r in allowing)
        _fail("6 roles", "PE4404", f"too few distinct keys signed: {wanted}")
    return _Authenticated(statement, predicate, valid, satisfied)


def _subject_on_record(subject: Subject, subjects: Mapping[str, Digests]) -> str:
    # 7 The subject is named, is on record under that name, and has the same digests there.
    step = "7 subject"
    if subject.name is None:
        _fail(step, "PE4408", "the subject has no name")
    known = subjects.get(subject.name)
    if known is None:
        _fail(step, "PE4405", f"{quoted(subject.name)} is not in this inventory")
    name, match = quoted(subject.name), compare(subject, known)
    if match is Match.DIFFERENT:
        _fail(step, "PE4406", f"{name} has another digest in this inventory", "sign the current one")
    if match is Match.TOO_WEAK:
        _fail(step, "PE4407", f"{name} shares no strong digest with this inventory", "add `sha256`")
    return subject.name


def _periods(found: _Authenticated, issued: datetime, expires: datetime | None) -> tuple[_Period, ...]:
    # 8 From the issue until the expiry, cut where a revocation changes who counts.
    if expires is not None and expires <= issued:
        _fail("8 interval", "PE4410", f"it expires at {format_instant(expires)}, not later than its issue")
    revocations = {key.revoked_at for key in found.keys if key.revoked_at is not None}
    inner = sorted(instant for instant in revocations if expires is None or instant < expires)
    starts: list[datetime] = [issued, *inner]
    ends: list[datetime | None] = [*inner, expires]
    periods: list[_Period] = []
    for start, end in zip(starts, ends, strict=True):
        signers = _signers_at(found, start)
        if not signers:
            # Revocations only take away: nothing counts from here on.
            break
        if periods and periods[-1].signers == signers:
            start = periods.pop().start
        periods.append(_Period(start, end, signers))
    return tuple(periods)


def _signers_at(found: _Authenticated, instant: datetime) -> tuple[Signer, ...]:
    counting = {key.public_key.key_id: key for key in found.keys if key.counts_at(instant)}
    satisfied = [role for role in found.roles if len(role.keys & counting.keys()) >= role.threshold]
    signers = []
    for key_id, key in counting.items():
        roles = tuple(sorted(role.name for role in satisfied if key_id in role.keys))
        if roles:
            signers.append(Signer(key_id, key.name, key.owner, roles))
    return tuple(signers)


def _record(
    file_digest: FileDigest,
    statement: Statement,
    predicate: EvidencePredicate | WaiverPredicate,
    subject: str,
    period: _Period,
) -> VerifiedEvidence | VerifiedWaiver:
    match predicate:
        case EvidencePredicate():
            return VerifiedEvidence(
                digest=file_digest,
                type=_type_name(statement),
                subject=subject,
                issued=predicate.issued,
                expires=predicate.expires,
                issuer=predicate.issuer,
                fields=predicate.fields,
                counts_from=period.start,
                counts_until=period.end,
                signers=period.signers,
            )
        case WaiverPredicate():
            return VerifiedWaiver(
                digest=file_digest,
                rule=predicate.rule,
                subject=subject,
                reason=predicate.reason,
                ticket=predicate.ticket,
                approver=predicate.approver,
                issued=predicate.issued,
                expires=predicate.expires,
                counts_from=period.start,
                counts_until=period.end,
                signers=period.signers,
            )
        case _ as unreachable:
            assert_never(unreachable)


def _expires(predicate: Predicate) -> datetime | None:
    return predicate.expires if isinstance(predicate, EvidencePredicate | WaiverPredicate) else None


def _type_name(statement: Statement) -> str:
    return short_name_of(statement.predicate_type) or statement.predicate_type


def _claims(data: bytes) -> tuple[str | None, tuple[str, ...]]:
    """Return what an unverified file says of itself, for the reader of a rejection only."""
    try:
        statement = Statement.parse(Envelope.parse(data, max_bytes=MAX_EVIDENCE_BYTES).payload)
    except FormatError:
        return None, ()
    return _type_name(statement), tuple(subject.name for subject in statement.subjects if subject.name is not None)


def _rejected(
    file_digest: FileDigest, error: EvidenceError, claimed_type: str | None, claimed_subjects: tuple[str, ...]
) -> Rejected:
    return Rejected(
        digest=file_digest,
        code=error.code,
        step=error.step or "",
        message=error.message,
        help=error.help,
        claimed_type=claimed_type,
        claimed_subjects=claimed_subjects,
    )


def _fail(step: str, code: str, message: str, advice: str | None = None) -> Never:
    raise VerificationError(code, message, advice, step)
