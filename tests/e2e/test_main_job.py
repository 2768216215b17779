"""A real inventory in; a signed verdict and report out; verified, and attacked, as a stranger would."""

import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from policy_engine.app.verify import verify_bundle, verify_report
from policy_evidence.attest import sign_statement
from policy_evidence.bundle.archive import read_bundle, write_bundle
from policy_evidence.bundle.checks import CheckStatus
from policy_evidence.bundle.manifest import MANIFEST_NAME, build_manifest
from policy_evidence.envelope import Envelope
from policy_evidence.predicates import DECISION_TYPE
from policy_evidence.signing.files import read_private_key
from policy_evidence.signing.keys import PrivateKey

NOW = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def bundle(assessed) -> bytes:
    return (assessed / "out" / "bundle.zip").read_bytes()


@pytest.fixture(scope="module")
def assessor(assessed) -> PrivateKey:
    return read_private_key(assessed / "generated" / "keys" / "assessor.pem", b"test passphrase")


def _failed(found) -> list[str]:
    return [c.name for c in found.checks if c.status is not CheckStatus.OK]


def test_everything_is_written(assessed):
    names = {p.name for p in (assessed / "out").iterdir()}
    assert names == {"report.pdf", "assessment.json", "results.sarif", "junit.xml", "summary.md", "bundle.zip"}


def test_a_stranger_verifies_the_bundle_with_a_trust_file_of_their_own(assessed, bundle):
    trust = (assessed / "generated" / "trust.yaml").read_bytes()
    found = verify_bundle(bundle, NOW, trust)
    assert (found.exit_code, _failed(found)) == (0, [])
    assert [c.name for c in found.checks if "/" not in c.name][-7:] == [
        "decision",
        "inputs",
        "replay",
        "evidence",
        "report",
        "report content",
        "assessment",
    ]


def test_another_trust_file_does_not_vouch_for_it(assessed, bundle, tmp_path):
    other = tmp_path / "bank"
    shutil.copytree(assessed, other, ignore=shutil.ignore_patterns("generated", "out"))
    import sys

    done = subprocess.run(
        [sys.executable, str(other / "make_evidence.py")],
        env={"POLICY_ENGINE_PASSPHRASE": "other", "PATH": ""},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = verify_bundle(bundle, NOW, (other / "generated" / "trust.yaml").read_bytes())
    assert (found.exit_code, _failed(found)) == (1, [MANIFEST_NAME])


def test_a_flipped_byte_in_any_member_is_found_and_named(bundle):
    members = read_bundle(bundle)
    for name, data in members.items():
        where = bundle.index(data)
        for position in {0, len(data) // 2, len(data) - 1}:
            changed = bytearray(bundle)
            changed[where + position] ^= 0x20
            found = verify_bundle(bytes(changed), NOW)
            assert found.exit_code == 1, name
            assert name[:60] in found.checks[-1].detail, name


def test_a_flipped_byte_is_found_when_the_archive_is_repaired(bundle):
    members = read_bundle(bundle)
    for name, data in members.items():
        for position in {0, len(data) // 3, len(data) - 1}:
            changed = bytearray(data)
            changed[position] ^= 0x01
            found = verify_bundle(write_bundle({**members, name: bytes(changed)}), NOW)
            assert found.exit_code == 1, name
            assert name in _failed(found) or name == "trust.yaml", name


@pytest.mark.parametrize("name", ["decision.dsse.json", "report.pdf", "assessment.json", "snapshot.json"])
def test_a_missing_member_is_named(bundle, name):
    members = read_bundle(bundle)
    del members[name]
    found = verify_bundle(write_bundle(members), NOW)
    assert (found.exit_code, _failed(found)) == (3, [name])


def test_an_extra_member_is_named(bundle):
    found = verify_bundle(write_bundle({**read_bundle(bundle), "extra.txt": b"x"}), NOW)
    assert (found.exit_code, _failed(found)) == (1, ["extra.txt"])


def _resigned(members: dict[str, bytes], key: PrivateKey) -> bytes:
    members = {n: d for n, d in members.items() if n != MANIFEST_NAME}
    return write_bundle({**members, MANIFEST_NAME: build_manifest(members, NOW, [key])})


def test_a_dishonest_assessor_is_found_by_the_replay(bundle, assessor):
    members = read_bundle(bundle)
    statement = json.loads(Envelope.parse(members["decision.dsse.json"]).payload)
    predicate = statement["predicate"]
    failed = next(r for r in predicate["results"] if r["status"] == "fail")
    failed["status"] = "pass"
    predicate["counts"]["fail"] -= 1
    predicate["counts"]["pass"] += 1
    subject = {s["name"]: s["digest"] for s in statement["subject"]}
    members["decision.dsse.json"] = sign_statement(subject, DECISION_TYPE, predicate, [assessor])
    found = verify_bundle(_resigned(members, assessor), NOW)
    assert found.exit_code == 1
    (replay,) = [c for c in found.checks if c.name == "replay"]
    assert failed["rule"] in replay.detail


def test_a_dishonest_report_is_found(bundle, assessor):
    members = read_bundle(bundle)
    members["assessment.json"] = members["assessment.json"].replace(b"Credit scoring", b"Credit storing")
    found = verify_bundle(_resigned(members, assessor), NOW)
    assert (found.exit_code, _failed(found)) == (1, ["report content", "assessment"])


def test_withheld_evidence_is_found(bundle, assessor):
    members = read_bundle(bundle)
    name = next(n for n in members if n.startswith("evidence/"))
    del members[name]
    found = verify_bundle(_resigned(members, assessor), NOW)
    assert found.exit_code == 1
    assert name in found.checks[-1].detail


def test_a_changed_policy_is_found(bundle, assessor):
    members = read_bundle(bundle)
    name = "packs/example_bank.model_risk.policy"
    members[name] = members[name].replace(b"12 months", b"99 months")
    found = verify_bundle(_resigned(members, assessor), NOW)
    assert (found.exit_code, _failed(found)) == (1, ["inputs"])


@pytest.mark.parametrize("data", [b"", b"PK", b"not a bundle", b"%PDF-1.7"])
def test_what_is_no_bundle_is_unreadable(data):
    assert verify_bundle(data, NOW).exit_code == 2


def test_the_report_alone_is_verified_and_any_change_found(assessed):
    trust = (assessed / "generated" / "trust.yaml").read_bytes()
    report = (assessed / "out" / "report.pdf").read_bytes()
    assert verify_report(report, NOW, trust).exit_code == 0
    for position in range(7, len(report), len(report) // 40):
        changed = bytearray(report)
        changed[position] ^= 0x01
        assert verify_report(bytes(changed), NOW, trust).exit_code == 1, position
    assert verify_report(report + b"\n%%EOF\n", NOW, trust).exit_code == 1


@pytest.mark.skipif(shutil.which("pdfsig") is None, reason="pdfsig (poppler-utils) is not on PATH")
def test_poppler_accepts_the_signature(assessed):
    done = subprocess.run(
        ["pdfsig", "-nocert", str(assessed / "out" / "report.pdf")], capture_output=True, text=True, check=False
    )
    assert "Signature is Valid" in done.stdout
    assert "Total document signed" in done.stdout


@pytest.mark.skipif(
    not all(map(shutil.which, ("pdfsig", "certutil"))), reason="pdfsig and certutil (libnss3-tools) are not on PATH"
)
def test_poppler_trusts_the_certificate_when_the_authority_is_trusted(assessed, tmp_path):
    authority = assessed / "generated" / "keys" / "ca.crt.pem"
    store = f"sql:{tmp_path}"
    for command in (
        ["certutil", "-N", "-d", store, "--empty-password"],
        ["certutil", "-A", "-d", store, "-n", "authority", "-t", "CT,C,C", "-i", str(authority)],
    ):
        subprocess.run(command, check=True, capture_output=True)
    done = subprocess.run(
        ["pdfsig", "-nssdir", store, str(assessed / "out" / "report.pdf")], capture_output=True, text=True, check=False
    )
    assert "Certificate is Trusted" in done.stdout


def test_the_command_verifies(assessed, bundle):
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "policy_engine.cli.main", "verify", str(assessed / "out" / "bundle.zip")],
        capture_output=True,
        text=True,
        env={"PATH": "", "NO_COLOR": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("VERIFIED: ")


def test_equal_inputs_give_equal_decisions(assessed):
    """Two runs at one instant decide byte for byte the same."""
    from policy_engine.app.decision import decision_of
    from policy_engine.app.evaluate import evaluate
    from policy_engine.app.inputs import read_inputs

    at = datetime(2028, 1, 15, tzinfo=UTC)
    assert decision_of(evaluate(read_inputs(Path(assessed)), at)) == decision_of(
        evaluate(read_inputs(Path(assessed)), at)
    )
