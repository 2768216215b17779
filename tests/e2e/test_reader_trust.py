"""The trust file that a reader brings decides: whose keys are revoked, what is out of date, whose evidence counts."""

import json
from datetime import UTC, datetime

import pytest
import yaml

from policy_engine.app.verify import verify_bundle, verify_report
from policy_evidence.bundle.checks import CheckStatus

NOW = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def files(assessed):
    return (assessed / "out" / "bundle.zip").read_bytes(), (assessed / "generated" / "trust.yaml").read_bytes()


def _changed(trust: bytes, change) -> bytes:
    # The base loader leaves instants as they are written; the numbers of the format are put back.
    document = yaml.load(trust, Loader=yaml.BaseLoader)
    document.update(format=int(document["format"]), version=int(document["version"]))
    for role in document["roles"].values():
        role["threshold"] = int(role.get("threshold", 1))
    change(document)
    return json.dumps(document).encode()


def _not_ok(found) -> list[tuple[str, str | None]]:
    return [(c.name, c.code) for c in found.checks if c.status is not CheckStatus.OK]


def test_an_equal_trust_file_in_other_words_verifies(files):
    bundle, trust = files
    found = verify_bundle(bundle, NOW, _changed(trust, lambda d: d.update(version=d["version"] + 1)))
    assert _not_ok(found) == []
    (evidence,) = [c for c in found.checks if c.name == "evidence"]
    assert "it gives the same results" in evidence.detail


def test_a_key_revoked_since_vouches_for_nothing(files):
    bundle, trust = files
    revoked = _changed(trust, lambda d: d["keys"]["assessor"].update(revoked_at="2026-12-01T00:00:00Z"))
    found = verify_bundle(bundle, NOW, revoked)
    assert found.exit_code == 1
    assert _not_ok(found) == [("manifest.dsse.json", "PE5201")]


def test_an_expired_trust_file_is_not_enough(files, assessed):
    bundle, trust = files
    expired = _changed(trust, lambda d: d.update(expires="2026-12-31T00:00:00Z"))
    assert verify_bundle(bundle, NOW, expired).exit_code == 3
    assert verify_report((assessed / "out" / "report.pdf").read_bytes(), NOW, expired).exit_code == 3


def test_an_old_bundle_is_verified_and_its_trust_file_called_expired(files):
    bundle, _ = files
    found = verify_bundle(bundle, datetime(2032, 1, 1, tzinfo=UTC))
    (note,) = [c for c in found.checks if c.name == "trust" and "expired" in c.detail]
    assert note.status is CheckStatus.OK


def test_evidence_that_the_reader_does_not_accept_is_named(files):
    bundle, trust = files
    narrower = _changed(trust, lambda d: d["roles"]["data_steward"].update(may_sign=["representativeness_assessment"]))
    found = verify_bundle(bundle, NOW, narrower)
    assert found.exit_code == 1
    assert _not_ok(found) == [("evidence", "PE5207")]


def test_a_trust_file_that_is_none_is_unreadable(files):
    bundle, _ = files
    assert verify_bundle(bundle, NOW, b"format: 1\n").exit_code == 2
