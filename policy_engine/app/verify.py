"""Verification by a stranger: no network, no account, nothing believed that is not checked here.

A bundle is checked in this order; what comes later rests on what comes before:

    1 archive       the file is one of ours, byte for byte in its one form
    2 trust         the trust file: the reader's own, or the bundle's, which then vouches for itself only
    3 manifest      signed by a trusted key; every member has the digest that it lists, and there are no others
    4 decision      signed by a trusted key, and about the snapshot in the bundle
    5 inputs        policies, profile, trust, evidence and snapshot are those that the decision names
    6 replay        policies evaluated again over snapshot and evidence give the same results, byte for byte;
                    with a trust file of the reader's own, the evidence counts by that one, too
    7 report        the PDF is signed, unchanged, and carries the assessment that is in the bundle
    8 assessment    the assessment is the one that the decision gives

A report alone is checked by its signature against the certificates of a trust file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from policy_dsl.values import format_instant
from policy_engine.app.assess import (
    ASSESSMENT_NAME,
    DECISION_NAME,
    PROFILE_MEMBER,
    REPORT_NAME,
    SNAPSHOT_NAME,
    TRUST_MEMBER,
)
from policy_engine.app.assessment import assessment_of
from policy_engine.app.bundle_inputs import bundle_inputs
from policy_engine.app.decision import decision_of, differences, member_pack
from policy_engine.app.evaluate import Evaluation, compile_policies, evaluate_snapshot
from policy_engine.lineage.errors import LineageError
from policy_engine.lineage.snapshot import from_bytes
from policy_engine.model.errors import InputError
from policy_engine.model.progress import Progress, silent
from policy_evidence.bundle.archive import read_bundle
from policy_evidence.bundle.checks import Check, CheckStatus, sound
from policy_evidence.bundle.manifest import MANIFEST_NAME, check_manifest
from policy_evidence.canonical import digest
from policy_evidence.errors import BundleError, TrustError
from policy_evidence.predicates import BUNDLE_TYPE, DECISION_TYPE, DecisionPredicate
from policy_evidence.trust.document import parse_trust
from policy_evidence.trust.model import Trust
from policy_evidence.verify import Rejected, verify_statement

if TYPE_CHECKING:
    from policy_reports.document import AssessmentDocument

CODES: dict[str, str] = {
    "PE5201": "the decision of a bundle is not signed by a trusted key, or is about another snapshot",
    "PE5202": "an input of a bundle is not the one that its decision names",
    "PE5203": "evaluating a bundle's inputs again gives other results than its decision",
    "PE5204": "the report of a bundle does not carry the assessment of its decision",
    "PE5205": "what a check needs is not there",
    "PE5206": "the trust file cannot be used",
    "PE5207": "judged by the reader's trust file, the evidence gives other results than the decision",
}
"""Codes of verification; docs/reference/codes.md has an entry for every one."""

_NEEDED = (DECISION_NAME, REPORT_NAME, ASSESSMENT_NAME, SNAPSHOT_NAME, PROFILE_MEMBER, TRUST_MEMBER)


@dataclass(frozen=True, slots=True)
class Verification:
    """Every check in the order it was made."""

    checks: tuple[Check, ...]

    @property
    def exit_code(self) -> int:
        """0 verified, 1 not verified, 2 unreadable, 3 something that is needed is missing."""
        statuses = {c.status for c in self.checks}
        if CheckStatus.UNREADABLE in statuses:
            return 2
        if CheckStatus.FAILED in statuses:
            return 1
        return 0 if sound(self.checks) else 3


def verify_bundle(
    data: bytes, at: datetime, reader_trust: bytes | None = None, *, progress: Progress = silent
) -> Verification:
    """Check a bundle at the instant ``at``; ``reader_trust`` is the trust file that the reader brings, if any."""
    # 1 The archive is read in memory, with limits, and nothing is ever extracted.
    progress.stage("checking signatures and digests")
    try:
        members = read_bundle(data)
    except BundleError as error:
        return Verification((_unreadable_archive(error),))
    checks = [_ok("archive", f"{len(members)} members, in the one form that a bundle has")]

    # 2 Whose signatures count.
    trust = _trust(members, reader_trust, checks)
    if trust is None or not _current(trust, at, checks, own=reader_trust is not None):
        return Verification(tuple(checks))

    # 3 The manifest and every member against it. When something broke, nothing below means anything.
    found = check_manifest(members, trust)
    checks += found
    if not sound(found) or not _still_vouched(members[MANIFEST_NAME], trust, at, checks):
        return Verification(tuple(checks))
    missing = [name for name in _NEEDED if name not in members]
    if missing:
        checks += [
            Check(n, CheckStatus.MISSING, "a bundle needs it, and this one was made without", "PE5205") for n in missing
        ]
        return Verification(tuple(checks))

    # 4–8
    decision = _decision(members, trust, at, checks)
    if decision is not None and _inputs(members, decision, checks):
        again = _replay(members, decision, checks, progress)
        if again is not None and reader_trust is not None:
            _evidence(again, reader_trust, checks, progress)
        progress.stage("checking the report")
        _report(members, trust, at, checks)
        if again is not None:
            _assessment(members, again, checks)
    return Verification(tuple(checks))


def verify_report(data: bytes, at: datetime, reader_trust: bytes) -> Verification:
    """Check the signature of a report alone against the certificates of a trust file."""
    checks: list[Check] = []
    trust = _trust({}, reader_trust, checks)
    if trust is not None and _current(trust, at, checks, own=True):
        _pdf(data, trust, at, checks)
    return Verification(tuple(checks))


def _unreadable_archive(error: BundleError) -> Check:
    # A file that is no archive, or too large, cannot be read; one in which something was changed is not verified.
    status = CheckStatus.UNREADABLE if error.code in {"PE5001", "PE5002"} else CheckStatus.FAILED
    return Check("archive", status, error.message, error.code)


def _trust(members: Mapping[str, bytes], reader_trust: bytes | None, checks: list[Check]) -> Trust | None:
    data = reader_trust if reader_trust is not None else members.get(TRUST_MEMBER)
    if data is None:
        checks.append(Check("trust", CheckStatus.MISSING, "the bundle has no trust file, and none was given", "PE5205"))
        return None
    try:
        trust = parse_trust(data)
    except TrustError as error:
        status = CheckStatus.UNREADABLE if reader_trust is not None else CheckStatus.FAILED
        checks.append(Check("trust", status, f"{error.message}", "PE5206"))
        return None
    whose = "given by you" if reader_trust is not None else "taken from the bundle itself: give your own with --trust"
    checks.append(_ok("trust", f"version {trust.version}, {trust.digest}, {whose}"))
    return trust


def _current(trust: Trust, at: datetime, checks: list[Check], *, own: bool) -> bool:
    """Refuse the reader's own trust file when its time is over; that of an old bundle may be, and that is said."""
    if at < trust.expires:
        return True
    when = format_instant(trust.expires)
    if own:
        detail = f"your trust file expired at {when}: get the current one from its owner"
        checks.append(Check("trust", CheckStatus.MISSING, detail, "PE5206"))
        return False
    checks.append(_ok("trust", f"the bundle's own trust file expired at {when}, after it was made"))
    return True


def _still_vouched(manifest: bytes, trust: Trust, at: datetime, checks: list[Check]) -> bool:
    """Refuse a manifest whose key was revoked since: nothing but the signer's word says when it was signed."""
    found = verify_statement(manifest, trust, BUNDLE_TYPE)
    if isinstance(found, Rejected) or found.counts_until is None or at < found.counts_until:
        return True
    when = format_instant(found.counts_until)
    checks.append(
        _failed(MANIFEST_NAME, "PE5201", f"its key was revoked at {when}, and no trusted time shows it is older")
    )
    return False


def _decision(
    members: Mapping[str, bytes], trust: Trust, at: datetime, checks: list[Check]
) -> DecisionPredicate | None:
    found = verify_statement(members[DECISION_NAME], trust, DECISION_TYPE)
    if isinstance(found, Rejected):
        checks.append(_failed("decision", "PE5201", f"step {found.step}: {found.message} ({found.code})"))
        return None
    if found.counts_until is not None and found.counts_until <= at:
        # Nothing but the signer's word says when it was signed, so a revoked key vouches for nothing.
        when = format_instant(found.counts_until)
        checks.append(
            _failed("decision", "PE5201", f"its key was revoked at {when}, and no trusted time shows it is older")
        )
        return None
    predicate = found.predicate
    assert isinstance(predicate, DecisionPredicate)  # noqa: S101 - the type was asked for
    subject = found.statement.subjects[0].digest.get("sha256", "")
    if f"sha256:{subject}" != predicate.inputs.snapshot:
        checks.append(_failed("decision", "PE5201", "its subject is not the snapshot that it names"))
        return None
    names = ", ".join(f"`{s.key_name}` ({s.owner})" for s in found.signers)
    future = f", for {format_instant(predicate.instant)}, which is still to come" if predicate.instant > at else ""
    said = f"{predicate.verdict.value}, {len(predicate.results)} results{future}"
    checks.append(_ok("decision", f"signed by {names}: {said}"))
    return predicate


def _inputs(members: Mapping[str, bytes], decision: DecisionPredicate, checks: list[Check]) -> bool:
    named = decision.inputs
    wanted = {SNAPSHOT_NAME: named.snapshot, TRUST_MEMBER: named.trust, PROFILE_MEMBER: named.profile}
    # A pack may be plain or literate; its name in the bundle says which.
    files = {member_pack(name): name for name in members if name.startswith("packs/")}
    wanted |= {files.get(p.name, f"packs/{p.name}.policy"): p.sha256 for p in named.packs}
    wanted |= {f"evidence/{d.removeprefix('sha256:')}.dsse.json": d for d in named.evidence}
    actual = {n: digest(data) for n, data in members.items() if n in wanted or n.startswith(("packs/", "evidence/"))}
    wrong = sorted(n for n in {*wanted, *actual} if wanted.get(n) != actual.get(n))
    if wrong:
        listed = ", ".join(f"`{n}`" for n in wrong)
        checks.append(_failed("inputs", "PE5202", f"not those that the decision names: {listed}"))
        return False
    checks.append(_ok("inputs", f"{len(wanted)} inputs are those that the decision names"))
    return True


def _replay(
    members: Mapping[str, bytes], decision: DecisionPredicate, checks: list[Check], progress: Progress
) -> Evaluation | None:
    try:
        again = _evaluated_again(members, decision, progress)
    except (InputError, LineageError) as error:
        first = str(error).splitlines()[0]
        checks.append(_failed("replay", "PE5203", f"the inputs cannot be evaluated: {first}"))
        return None
    found = differences(decision, decision_of(again))
    if found:
        more = f" (and {len(found) - 3} more)" if len(found) > 3 else ""
        checks.append(_failed("replay", "PE5203", "; ".join(found[:3]) + more))
        return None
    checks.append(_ok("replay", f"the same {len(again.results)} results, byte for byte"))
    return again


def _evaluated_again(members: Mapping[str, bytes], decision: DecisionPredicate, progress: Progress) -> Evaluation:
    inputs = bundle_inputs(members)
    progress.stage("compiling")
    program, diagnostics = compile_policies(inputs.packs.files, inputs.profile.parameters)
    progress.stage("loading")
    snapshot = from_bytes(members[SNAPSHOT_NAME], program.schema)
    return evaluate_snapshot(inputs, decision.instant, program, snapshot, (), diagnostics, progress=progress)


def _evidence(again: Evaluation, reader_trust: bytes, checks: list[Check], progress: Progress) -> None:
    """Evaluate once more with the evidence judged by the reader's trust file: every result must be the same."""
    inputs = replace(again.inputs, trust=reader_trust)
    yours = evaluate_snapshot(inputs, again.at, again.program, again.snapshot, progress=progress)
    before, after = ({(r.rule, r.subject): r for r in run.results} for run in (again, yours))
    wrong = [f"`{rule}` for `{subject}`" for rule, subject in before if before[rule, subject] != after[rule, subject]]
    if wrong:
        shown = ", ".join(wrong[:3]) + (f" and {len(wrong) - 3} more" if len(wrong) > 3 else "")
        checks.append(_failed("evidence", "PE5207", f"judged by your trust file, other results follow: {shown}"))
    else:
        checks.append(_ok("evidence", "judged by your trust file, it gives the same results"))


def _report(members: Mapping[str, bytes], trust: Trust, at: datetime, checks: list[Check]) -> None:
    if not _pdf(members[REPORT_NAME], trust, at, checks):
        return
    from policy_reports.errors import ReportError
    from policy_reports.pdf.verify import attachment

    try:
        same = attachment(members[REPORT_NAME]) == members[ASSESSMENT_NAME]
    except ReportError as error:
        checks.append(_failed("report content", error.code, error.message))
        return
    if same:
        checks.append(_ok("report content", "it carries the assessment that is in the bundle"))
    else:
        checks.append(_failed("report content", "PE5204", "it carries another assessment than the bundle"))


def _pdf(data: bytes, trust: Trust, at: datetime, checks: list[Check]) -> bool:
    try:
        from policy_reports.pdf.verify import verify_pdf
    except ImportError:
        detail = "checking a PDF needs the extra `reports`: pip install 'ai-policy-engine[reports]'"
        checks.append(Check("report", CheckStatus.MISSING, detail, "PE5205"))
        return False
    if not trust.pdf_certificates:
        checks.append(Check("report", CheckStatus.MISSING, "the trust file names no certificate for reports", "PE5205"))
        return False
    found = verify_pdf(data, trusted_roots_pem=trust.pdf_certificates, at=at)
    checks += [_failed("report", failure.code, failure.message) for failure in found.failures]
    if found.ok:
        checks.append(_ok("report", f"signed by {found.signer}, unchanged since"))
    return found.ok


def _assessment(members: Mapping[str, bytes], again: Evaluation, checks: list[Check]) -> None:
    """Compare the assessment with what the replay gives, but for warnings: their sources are not in the bundle."""
    from policy_reports.document import AssessmentDocument
    from policy_reports.errors import ReportError

    try:
        told = AssessmentDocument.from_json(members[ASSESSMENT_NAME])
    except ReportError as error:
        checks.append(_failed("assessment", error.code, error.message))
        return
    made = assessment_of(again, digest(members[DECISION_NAME]))
    wrong = [part for part, value in _comparable(made).items() if _comparable(told)[part] != value]
    if wrong:
        checks.append(_failed("assessment", "PE5204", f"{', '.join(wrong)} differ from what the decision gives"))
    else:
        checks.append(_ok("assessment", "its verdict, counts and results are those of the decision"))


def _comparable(document: "AssessmentDocument") -> dict[str, object]:
    """Return an assessment without what a replay cannot know: the version that made it, and where files stood."""
    parts = document.model_dump(exclude={"warnings", "engine"})
    for rule in parts["rules"]:
        rule["location"] = None
    return parts


def _ok(name: str, detail: str) -> Check:
    return Check(name, CheckStatus.OK, detail)


def _failed(name: str, code: str, detail: str) -> Check:
    return Check(name, CheckStatus.FAILED, detail, code)
