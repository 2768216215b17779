"""Somebody who holds the assessor's key tries to tell less, or other things, than the rules give."""

import json
from datetime import UTC, datetime

import pytest

from policy_engine.app.verify import verify_bundle
from policy_evidence.attest import sign_statement
from policy_evidence.bundle.archive import read_bundle, write_bundle
from policy_evidence.bundle.checks import CheckStatus
from policy_evidence.bundle.manifest import MANIFEST_NAME, build_manifest
from policy_evidence.envelope import Envelope
from policy_evidence.predicates import DECISION_TYPE
from policy_evidence.signing.files import read_private_key

NOW = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def key(assessed):
    return read_private_key(assessed / "generated" / "keys" / "assessor.pem", b"test passphrase")


@pytest.fixture
def members(assessed):
    return read_bundle((assessed / "out" / "bundle.zip").read_bytes())


def _verified(members, key):
    kept = {n: d for n, d in members.items() if n != MANIFEST_NAME}
    return verify_bundle(write_bundle({**kept, MANIFEST_NAME: build_manifest(kept, NOW, [key])}), NOW)


def _redecided(members, key, change):
    statement = json.loads(Envelope.parse(members["decision.dsse.json"]).payload)
    predicate = statement["predicate"]
    change(predicate)
    statuses = [r.get("status") for r in predicate["results"]]
    predicate["counts"] = {s: statuses.count(s) for s in predicate["counts"]}
    predicate["verdict"] = "not_compliant" if predicate["counts"]["fail"] else "undecided"
    subject = {s["name"]: s["digest"] for s in statement["subject"]}
    members["decision.dsse.json"] = sign_statement(subject, DECISION_TYPE, predicate, [key])
    return _verified(members, key)


def _failed(found):
    return [c.name for c in found.checks if c.status is not CheckStatus.OK]


def test_the_results_of_a_whole_pack_cannot_be_left_out(members, key):
    def without_the_banks_own(predicate):
        predicate["results"] = [r for r in predicate["results"] if not r["rule"].startswith("example_bank.")]

    assert "replay" in _failed(_redecided(members, key, without_the_banks_own))


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p["results"][0].pop("subject"),
        lambda p: p["results"][0].update(subject=["a"]),
        lambda p: p["results"][0].update(rule=None),
        lambda p: p["results"].reverse(),
    ],
)
def test_results_of_another_form_are_not_verified(members, key, change):
    found = _redecided(members, key, change)
    assert (found.exit_code, "replay" in _failed(found)) == (1, True)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["rules"][0].update(title="All is well"),
        lambda d: d["rules"][0].update(severity="low" if d["rules"][0]["severity"] != "low" else "high"),
        lambda d: d.update(limits=["none"]),
        lambda d: d["waivers"][0].update(detail="forged"),
        lambda d: d["evidence"][0].update(issued="2020-01-01T00:00:00Z"),
    ],
)
def test_the_report_cannot_say_other_things_than_the_rules(members, key, change):
    told = json.loads(members["assessment.json"])
    change(told)
    members["assessment.json"] = (json.dumps(told, ensure_ascii=False, sort_keys=True, indent=2) + "\n").encode()
    assert "assessment" in _failed(_verified(members, key))
