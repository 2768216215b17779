"""The main job: a finished run, signed, reported and bundled, as bytes by file name."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from policy_engine.app.assessment import assessment_of
from policy_engine.app.decision import decision_of, pack_member
from policy_engine.app.evaluate import Evaluation
from policy_engine.lineage.snapshot import to_bytes
from policy_engine.model.errors import fault
from policy_engine.model.progress import Progress, silent
from policy_evidence.attest import sign_statement
from policy_evidence.bundle.archive import write_bundle
from policy_evidence.bundle.manifest import MANIFEST_NAME, build_manifest
from policy_evidence.canonical import digest
from policy_evidence.predicates import BUNDLE_TYPE, DECISION_TYPE, short_name_of
from policy_evidence.signing.keys import PrivateKey
from policy_reports.document import AssessmentDocument

DECISION_NAME = "decision.dsse.json"
REPORT_NAME = "report.pdf"
ASSESSMENT_NAME = "assessment.json"
SNAPSHOT_NAME = "snapshot.json"
PROFILE_MEMBER = "profile.toml"
TRUST_MEMBER = "trust.yaml"


@dataclass(frozen=True, slots=True)
class ReportSigner:
    """Key and certificates for the signature in the PDF."""

    key_pem: bytes
    passphrase: bytes | None
    certificate_pem: str
    chain_pems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Assessment:
    """A signed assessment: the document that reports are rendered from, and the files."""

    document: AssessmentDocument
    report: bytes
    bundle: bytes


def assess(
    evaluation: Evaluation,
    key: PrivateKey,
    report_signer: ReportSigner,
    signed_at: datetime,
    *,
    progress: Progress = silent,
) -> Assessment:
    """Sign the decision of a run, render and sign the report, and put everything into one bundle.

    Raises:
        InputError: the run has no profile or no trust file, so that nobody could verify the outcome.
        EvidenceError, ReportError: a key or certificate cannot sign.
    """
    try:
        from policy_reports.pdf.render import render_pdf
        from policy_reports.pdf.sign import sign_pdf
    except ImportError as error:
        hint = "pip install 'ai-policy-engine[reports]'"
        raise fault("PE0010", f"writing a report needs `{error.name}`, which is not installed", help=hint) from error
    inputs = evaluation.inputs
    if inputs.trust is None or not inputs.profile_bytes:
        raise fault("PE0007", "an assessment needs a profile with a trust file", help="name the folder of a profile")
    _require_role(evaluation, key)
    decision = sign_decision(evaluation, key)
    document = assessment_of(evaluation, digest(decision))
    progress.stage("writing the report")
    report = sign_pdf(
        render_pdf(document, progress.step),
        key=report_signer.key_pem,
        passphrase=report_signer.passphrase,
        certificate_pem=report_signer.certificate_pem,
        chain_pems=report_signer.chain_pems,
        signed_at=signed_at,
    )
    progress.stage("bundling")
    members = _members(evaluation, decision, document, report)
    members[MANIFEST_NAME] = build_manifest(members, signed_at, [key])
    return Assessment(document, report, write_bundle(members))


def _require_role(evaluation: Evaluation, key: PrivateKey) -> None:
    """Refuse to sign with a key that nobody who reads the trust file would accept."""
    trust, name = evaluation.trust, evaluation.inputs.profile.signing.decision_role
    role = trust.roles.get(name) if trust is not None else None
    if role is None:
        raise fault("PE0007", f"the trust file has no role `{name}`, which the profile names as `decision_role`")
    if key.public_key.key_id not in role.keys:
        raise fault("PE0007", f"the decision key does not hold the role `{name}` in the trust file")
    for predicate_type in (DECISION_TYPE, BUNDLE_TYPE):
        if not role.allows(predicate_type):
            raise fault("PE0007", f"the role `{name}` may not sign `{short_name_of(predicate_type)}`")


def sign_decision(evaluation: Evaluation, key: PrivateKey) -> bytes:
    """Return the signed decision; its subject is the snapshot that was judged."""
    subject = {"lineage-snapshot": {"sha256": evaluation.snapshot.digest.removeprefix("sha256:")}}
    return sign_statement(subject, DECISION_TYPE, decision_of(evaluation), [key])


def _members(evaluation: Evaluation, decision: bytes, document: AssessmentDocument, report: bytes) -> dict[str, bytes]:
    inputs = evaluation.inputs
    members = {
        DECISION_NAME: decision,
        REPORT_NAME: report,
        ASSESSMENT_NAME: document.to_json(),
        SNAPSHOT_NAME: to_bytes(evaluation.snapshot),
        PROFILE_MEMBER: inputs.profile_bytes,
        TRUST_MEMBER: inputs.trust or b"",
    }
    members |= {pack_member(file, data): data for file, data in inputs.packs.files.items()}
    members |= evidence_members(inputs.evidence)
    return members


def evidence_members(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return evidence files by their names in a bundle, which are their digests."""
    return {f"evidence/{digest(data).removeprefix('sha256:')}.dsse.json": data for data in files.values()}
