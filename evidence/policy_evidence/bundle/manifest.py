"""The manifest of a bundle: a signed statement whose subjects are all the other members, by SHA-256.

Rules: the manifest is in the one form that our writer makes, so not one byte of it can change unseen; a member that is
missing, extra or altered is named; no member is believed on the word of another before the manifest is. Whose
signature counts is said by the trust that the reader brings: the trust file inside a bundle vouches for nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from policy_evidence.attest import sign_statement
from policy_evidence.bundle.checks import Check, CheckStatus
from policy_evidence.canonical import digest
from policy_evidence.envelope import is_canonical
from policy_evidence.errors import quoted
from policy_evidence.predicates import BUNDLE_TYPE, BundlePredicate
from policy_evidence.signing.keys import PrivateKey
from policy_evidence.statement import Statement
from policy_evidence.trust.model import Trust
from policy_evidence.verify import Rejected, verify_statement

MANIFEST_NAME: Final = "manifest.dsse.json"
BUNDLE_FORMAT: Final = 1


def build_manifest(members: Mapping[str, bytes], created: datetime, keys: Sequence[PrivateKey]) -> bytes:
    """Return the member `MANIFEST_NAME` for all the other members."""
    subjects = {name: {"sha256": _hex(content)} for name, content in members.items() if name != MANIFEST_NAME}
    return sign_statement(subjects, BUNDLE_TYPE, BundlePredicate(format=BUNDLE_FORMAT, created=created), keys)


def check_manifest(members: Mapping[str, bytes], trust: Trust, role: str | None = None) -> tuple[Check, ...]:
    """Check the manifest, then each member against it, and list every check in the order it was made."""
    # 1 There is a manifest.
    data = members.get(MANIFEST_NAME)
    if data is None:
        return (Check(MANIFEST_NAME, CheckStatus.MISSING, "the bundle has no manifest", "PE5101"),)

    # 2 Somebody trusted to sign bundles signed it; nothing below means anything otherwise.
    found = verify_statement(data, trust, BUNDLE_TYPE, role)
    if isinstance(found, Rejected):
        detail = f"step {found.step}: {found.message} ({found.code})"
        return (Check(MANIFEST_NAME, CheckStatus.FAILED, detail, "PE5102"),)

    # 3 It is spelled as our writer spells it: what the signature does not cover cannot vary either.
    if not is_canonical(data, trust.public_keys()):
        return (Check(MANIFEST_NAME, CheckStatus.FAILED, "the manifest is not in canonical form", "PE5103"),)
    signers = ", ".join(quoted(signer.key_name) for signer in found.signers)
    manifest_check = Check(MANIFEST_NAME, CheckStatus.OK, f"signed by {signers}")

    # 4 The members that are listed are there and the same, and there are no others.
    listed = _listed(found.statement)
    names = sorted(listed.keys() | members.keys() - {MANIFEST_NAME})
    return (manifest_check, *(_member_check(name, listed.get(name), members.get(name)) for name in names))


def _listed(statement: Statement) -> dict[str, str]:
    return {subject.name or "": subject.digest.get("sha256", "") for subject in statement.subjects}


def _member_check(name: str, listed: str | None, content: bytes | None) -> Check:
    if content is None:
        return Check(name, CheckStatus.MISSING, "the manifest lists it, but the bundle does not have it", "PE5104")
    if listed is None:
        return Check(name, CheckStatus.FAILED, "the manifest does not list it", "PE5105")
    if listed != _hex(content):
        return Check(name, CheckStatus.FAILED, "its bytes are not those that the manifest lists", "PE5106")
    return Check(name, CheckStatus.OK, digest(content))


def _hex(content: bytes) -> str:
    return digest(content).removeprefix("sha256:")
