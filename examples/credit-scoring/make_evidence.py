"""Make everything under `generated/`: the keys of the people, the trust file, and signed evidence about the estate.

In a real organisation each person makes their own key and signs on their own machine, and a few of them agree on the
trust file. This script plays all of them, so that the example can be tried without anybody's help:

1. it loads the estate, because evidence names the digest of the very thing it is about;
2. it makes a key for each person, a small certificate authority and a certificate for signing reports;
3. it writes the trust file, which says whose keys count for what;
4. it signs the evidence and the waivers, among them some that must not count.

    python make_evidence.py

The private keys are encrypted with the passphrase in `POLICY_ENGINE_PASSPHRASE`; without it the demonstration's own
passphrase is taken, which protects nothing. Every run replaces `generated/` and makes new keys.
"""

import base64
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from policy_dsl import compile_bytes
from policy_engine.lineage.graph import Snapshot, subject_digests
from policy_engine.lineage.load import load_estate
from policy_engine.packs.library import select
from policy_evidence.attest import sign_statement
from policy_evidence.predicates import WAIVER_TYPE, EvidencePredicate, WaiverPredicate, predicate_type_of
from policy_evidence.signing.certificates import Holder, create_authority, issue_certificate
from policy_evidence.signing.files import write_private_key
from policy_evidence.signing.keys import Algorithm, PrivateKey

HERE = Path(__file__).parent
DEMO_PASSPHRASE = "example-bank-demo"  # noqa: S105 - it protects nothing, and the manual says so

VALID_FROM = datetime(2025, 1, 1, tzinfo=UTC)
VALID_UNTIL = datetime(2030, 1, 1, tzinfo=UTC)

# --- Who there is, and what each may sign --------------------------------------------------------------------

OWNERS = {
    "maria_rossi": "Maria Rossi",
    "jan_peeters": "Jan Peeters",
    "sofie_claes": "Sofie Claes",
    "lucas_moreau": "Lucas Moreau",
    "nora_weiss": "Nora Weiss",
    "amira_haddad": "Amira Haddad",
    "assessor": "AI governance office",
}
# The compliance officer signs with a card, and the card knows P-256 only.
ALGORITHMS = {"lucas_moreau": Algorithm.ECDSA_P256}

ROLES = {
    "data_steward": ("maria_rossi", ["datasheet", "representativeness_assessment"]),
    "model_owner": (
        "jan_peeters",
        [
            "accuracy_evaluation",
            "downstream_documentation",
            "instructions_for_use",
            "oversight_plan",
            "technical_documentation",
        ],
    ),
    "risk_owner": ("sofie_claes", ["approval", "risk_file", "waiver"]),
    "compliance_officer": (
        "lucas_moreau",
        ["ai_notice", "dpia", "prohibited_practice_screening", "role_determination"],
    ),
    "human_resources": ("nora_weiss", ["training_record"]),
    "security_officer": ("amira_haddad", ["safeguard_test", "security_test"]),
    "assessor": ("assessor", ["bundle", "decision"]),
}


# --- What was signed -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Signed:
    """Evidence about one thing of the estate: who signed what, when, and until when it may be relied on."""

    type: str
    subject: str
    signer: str
    issued: str
    fields: Mapping[str, bool | int | float | str] = field(default_factory=dict)
    expires: str | None = None


@dataclass(frozen=True, slots=True)
class Waived:
    """An accepted failure: one rule, for one thing, until one day."""

    name: str
    rule: str
    subject: str
    reason: str
    ticket: str
    issued: str
    expires: str


EXAMINED = {"gaps_examined": True, "bias_examined": True}
SCREENED = {"practice_found": False}
BASICS = {"topic": "AI basics and the limits of models"}

EVIDENCE = (
    # Datasheets. The bureau's is older than the bank allows, that of the account movements has expired.
    Signed("datasheet", "training-sample-2026", "maria_rossi", "2026-06-10", EXAMINED),
    Signed("datasheet", "validation-sample-2026", "maria_rossi", "2026-06-10", EXAMINED),
    Signed("datasheet", "holdout-2026", "maria_rossi", "2026-06-10", EXAMINED),
    Signed("datasheet", "applicant-history", "maria_rossi", "2026-05-04", EXAMINED),
    Signed("datasheet", "bureau-extract", "maria_rossi", "2025-09-15", {"gaps_examined": True}),
    Signed("datasheet", "account-movements", "maria_rossi", "2026-04-20", EXAMINED, expires="2026-10-31"),
    # The owner of the model signed a datasheet, and only the data steward may: it is rejected.
    Signed("datasheet", "loan-applications", "jan_peeters", "2026-05-04", EXAMINED),
    # Nothing of this name is in the inventory: it is rejected, and told apart from a broken signature.
    Signed("datasheet", "marketing-panel-2024", "maria_rossi", "2026-05-04", EXAMINED),
    Signed("representativeness_assessment", "training-sample-2026", "maria_rossi", "2026-06-10"),
    # The credit scoring system
    Signed("training_record", "credit-scoring", "nora_weiss", "2026-03-12", BASICS),
    Signed("prohibited_practice_screening", "credit-scoring", "lucas_moreau", "2026-04-02", SCREENED),
    Signed("role_determination", "credit-scoring", "lucas_moreau", "2026-04-02", {"role": "provider"}),
    Signed("risk_file", "credit-scoring", "sofie_claes", "2026-10-06", {"residual_risk_accepted": True}),
    Signed(
        "technical_documentation", "credit-scoring", "jan_peeters", "2026-06-01", {"heads": 9, "system_version": "4.2"}
    ),
    Signed("instructions_for_use", "credit-scoring", "jan_peeters", "2025-06-02", {"system_version": "4.1"}),
    Signed("oversight_plan", "credit-scoring", "jan_peeters", "2026-05-20"),
    Signed("accuracy_evaluation", "consumer-scorecard", "jan_peeters", "2026-05-18", {"accuracy": 0.83}),
    Signed("accuracy_evaluation", "affordability-model", "jan_peeters", "2026-03-30", {"accuracy": 0.71}),
    Signed("approval", "scoring-branches", "sofie_claes", "2026-05-28"),
    # The customer assistant
    Signed("training_record", "customer-assistant", "nora_weiss", "2026-02-20", BASICS),
    Signed("role_determination", "customer-assistant", "lucas_moreau", "2026-02-24", {"role": "provider"}),
    Signed("downstream_documentation", "lumen-chat", "jan_peeters", "2026-02-10"),
    Signed("downstream_documentation", "pkg:generic/lumen-ai/lumen-base@3.0.0", "jan_peeters", "2026-02-10"),
    Signed("ai_notice", "customer-assistant", "lucas_moreau", "2026-02-24"),
    Signed("security_test", "customer-assistant", "amira_haddad", "2026-02-18"),
    Signed("dpia", "complaint-letters", "lucas_moreau", "2026-08-14", {"residual_risk": "low"}),
    # People. The record of Eva Lindqvist grows old in February 2027.
    Signed("training_record", "eva-lindqvist", "nora_weiss", "2025-02-10", BASICS),
    Signed("training_record", "hugo-martin", "nora_weiss", "2026-02-20", BASICS),
)

# The screening of the assistant found a practice. Somebody turned that round after it was signed.
TAMPERED = Signed(
    "prohibited_practice_screening", "customer-assistant", "lucas_moreau", "2026-02-26", {"practice_found": True}
)

WAIVERS = (
    Waived(
        "waiver-assistant-approval",
        "example_bank.model_risk.deployments_approved",
        "assistant-app",
        "Open to five hundred customers only, until the risk committee has met in January",
        "RISK-2231",
        "2026-10-19",
        "2027-01-31",
    ),
    Waived(
        "waiver-hosting-contract",
        "example_bank.model_risk.suppliers_bound",
        "credit-scoring",
        "The renewal with Cumulus Hosting is signed in October",
        "RISK-2190",
        "2026-09-28",
        "2026-10-31",
    ),
    Waived(
        "waiver-assistant-guardrails",
        "example_bank.model_risk.assistants_guarded",
        "customer-assistant",
        "The output filter is being connected",
        "RISK-2107",
        "2026-02-27",
        "2026-12-31",
    ),
)


# --- Making it -----------------------------------------------------------------------------------------------


def load_snapshot() -> Snapshot:
    """Return the estate as the engine reads it."""
    program, found = compile_bytes(select(["std.ai"], {}).files)
    files = [HERE / "inventory.yaml", *sorted((HERE / "bom").glob("*.json"))]
    estate = load_estate({str(path.relative_to(HERE)): path.read_bytes() for path in files}, program.schema)
    if found or estate.has_errors:
        sys.exit("\n".join(str(problem) for problem in (*found, *estate.problems)))
    return estate.snapshot


def write_keys(folder: Path, passphrase: bytes) -> dict[str, PrivateKey]:
    """Make a key for each person and write it encrypted."""
    folder.mkdir(parents=True)
    keys = {name: PrivateKey.generate(ALGORITHMS.get(name, Algorithm.ED25519)) for name in OWNERS}
    for name, key in keys.items():
        write_private_key(folder / f"{name}.pem", key, passphrase)
    return keys


def write_report_certificate(folder: Path, passphrase: bytes) -> str:
    """Make the authority and the certificate with which reports are signed; return the authority's certificate.

    PDF readers want RSA or P-256. Anybody who trusts the authority can check a report with an ordinary reader.
    """
    authority, report = PrivateKey.generate(Algorithm.RSA), PrivateKey.generate(Algorithm.RSA)
    root = create_authority(
        authority,
        Holder("Example Bank report authority", "Example Bank", "BE"),
        serial=1,
        not_before=VALID_FROM,
        not_after=VALID_UNTIL,
    )
    certificate = issue_certificate(
        authority,
        root,
        report.public_key,
        Holder("AI governance office", "Example Bank", "BE"),
        serial=2,
        not_before=VALID_FROM,
        not_after=VALID_UNTIL,
    )
    write_private_key(folder / "ca.pem", authority, passphrase)
    write_private_key(folder / "report.pem", report, passphrase)
    (folder / "ca.crt.pem").write_text(root)
    (folder / "report.crt.pem").write_text(certificate)
    return root


def trust_document(keys: Mapping[str, PrivateKey], root: str) -> str:
    """Return the trust file: whose keys there are, and what each role may sign."""
    lines = ["# Whose keys count for what. Made by make_evidence.py.", "format: 1", "version: 1"]
    lines += [f"expires: {instant(VALID_UNTIL)}", "keys:"]
    for name, key in keys.items():
        spki = base64.b64encode(key.public_key.spki).decode("ascii")
        lines += [f"  {name}:", f"    public_key: {spki}", f"    owner: {OWNERS[name]}"]
        lines += [f"    valid_from: {instant(VALID_FROM)}", f"    valid_until: {instant(VALID_UNTIL)}"]
    lines.append("roles:")
    for role, (holder, types) in ROLES.items():
        lines += [f"  {role}:", f"    keys: [{holder}]", f"    may_sign: [{', '.join(types)}]"]
    lines += ["pdf_certificates:", "  - |", *(f"    {line}" for line in root.splitlines())]
    return "\n".join(lines) + "\n"


def signed_files(snapshot: Snapshot, keys: Mapping[str, PrivateKey]) -> Iterator[tuple[str, bytes]]:
    """Yield the name and content of each file of evidence."""

    def digests(subject: str) -> dict[str, str]:
        node = snapshot.nodes.get(subject)
        # What is not in the inventory has a digest all the same; it only leads nowhere here.
        return subject_digests(node) if node else {"sha256": "0" * 64}

    def evidence(item: Signed) -> bytes:
        expires = day(item.expires) if item.expires else None
        predicate = EvidencePredicate(issued=day(item.issued), expires=expires, fields=dict(item.fields))
        subject = {item.subject: digests(item.subject)}
        return sign_statement(subject, predicate_type_of(item.type), predicate, [keys[item.signer]])

    for item in EVIDENCE:
        yield file_name(item.type, item.subject), evidence(item)
    yield file_name(TAMPERED.type, TAMPERED.subject), turned_round(evidence(TAMPERED))
    for waiver in WAIVERS:
        accepted = WaiverPredicate(
            rule=waiver.rule,
            reason=waiver.reason,
            ticket=waiver.ticket,
            approver=OWNERS["sofie_claes"],
            issued=day(waiver.issued),
            expires=day(waiver.expires),
        )
        subject = {waiver.subject: digests(waiver.subject)}
        yield waiver.name, sign_statement(subject, WAIVER_TYPE, accepted, [keys["sofie_claes"]])


def file_name(evidence_type: str, subject: str) -> str:
    """Return the name of an evidence file; a package URL has signs that no file name should have."""
    return f"{evidence_type}-{subject.rpartition('/')[2].replace('@', '-')}"


def turned_round(envelope: bytes) -> bytes:
    """Change the content of a signed file and keep its signature, as a forger would."""
    document = json.loads(envelope)
    payload = base64.b64decode(document["payload"])
    forged = payload.replace(b'"practice_found":true', b'"practice_found":false')
    document["payload"] = base64.b64encode(forged).decode("ascii")
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode("utf-8")


def day(text: str) -> datetime:
    """Return the first instant of a day."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def instant(when: datetime) -> str:
    """Write an instant as documents do (RFC 3339, UTC)."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def make(generated: Path, passphrase: bytes) -> int:
    """Replace the folder `generated` and return the number of signed files in it."""
    snapshot = load_snapshot()
    shutil.rmtree(generated, ignore_errors=True)
    keys = write_keys(generated / "keys", passphrase)
    root = write_report_certificate(generated / "keys", passphrase)
    (generated / "trust.yaml").write_text(trust_document(keys, root), encoding="utf-8")
    folder = generated / "evidence"
    folder.mkdir()
    files = dict(signed_files(snapshot, keys))
    for name, data in files.items():
        (folder / f"{name}.json").write_bytes(data)
    return len(files)


def main() -> None:
    """Make the folder beside this script."""
    passphrase = os.environ.get("POLICY_ENGINE_PASSPHRASE", DEMO_PASSPHRASE)
    count = make(HERE / "generated", passphrase.encode("utf-8"))
    print(f"made {len(OWNERS)} keys, a trust file and {count} signed files in {HERE / 'generated'}")


if __name__ == "__main__":
    main()
