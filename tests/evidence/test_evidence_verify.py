"""Judging evidence: what counts, for whom, from when until when; and every way to be refused."""

import base64
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy_evidence.attest import sign_statement
from policy_evidence.canonical import digest
from policy_evidence.envelope import Envelope, Signature
from policy_evidence.predicates import DECISION_TYPE, WAIVER_TYPE, predicate_type_of
from policy_evidence.signing.keys import PrivateKey
from policy_evidence.statement import PAYLOAD_TYPE
from policy_evidence.trust.model import Trust
from policy_evidence.verify import (
    MAX_EVIDENCE_BYTES,
    Rejected,
    VerifiedEvidence,
    VerifiedStatement,
    VerifiedWaiver,
    verify_evidence,
    verify_statement,
)

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
LOANS = {"sha256": "a" * 64}
INVENTORY = {"loans": LOANS, "prices": {"sha256": "b" * 64}}
Sign = Callable[..., bytes]
MakeTrust = Callable[[Any], Trust]
At = Callable[[str], datetime]
WAIVER: dict[str, Any] = {
    "rule": "eu_ai_act.data_governance.training_data_documented",
    "reason": "being translated",
    "approver": "J. Peeters",
    "issued": "2027-12-01T00:00:00Z",
    "expires": "2028-01-01T00:00:00Z",
}
D = "sha256:" + "0" * 64
DECISION: dict[str, Any] = {
    "engine": {"name": "ai-policy-engine", "version": "0.1.0"},
    "instant": "2028-01-15T00:00:00Z",
    "inputs": {"snapshot": D, "trust": D, "profile": D, "packs": [], "evidence": []},
    "verdict": "undecided",
    "counts": {"pass": 0, "fail": 0, "unknown": 0, "not_applicable": 0, "waived": 0},
    "results": [],
}


def _accepted(data: bytes, trust: Trust, inventory: Any = INVENTORY) -> VerifiedEvidence:
    (found,) = verify_evidence(data, trust, inventory)
    assert isinstance(found, VerifiedEvidence), found
    return found


def _refused(data: bytes, trust: Trust, inventory: Any = INVENTORY) -> Rejected:
    (found,) = verify_evidence(data, trust, inventory)
    assert isinstance(found, Rejected), found
    assert found.digest == digest(data)
    assert found.step
    assert "\n" not in found.message
    return found


def test_good_evidence(datasheet: Sign, trust: Trust, keys: dict[str, PrivateKey], at: At) -> None:
    data = datasheet(expires="2028-12-20T00:00:00Z", issuer="Data office", fields={"rows": 120, "tags": ["a", 1.5]})
    found = _accepted(data, trust)
    assert (found.digest, found.type, found.subject, found.issuer) == (
        digest(data),
        "datasheet",
        "loans",
        "Data office",
    )
    assert (found.issued, found.expires) == (at("2027-12-20"), at("2028-12-20"))
    assert (found.counts_from, found.counts_until) == (at("2027-12-20"), at("2028-12-20"))
    assert found.fields == {"rows": 120, "tags": ("a", 1.5)}
    (signer,) = found.signers
    assert (signer.key_id, signer.key_name, signer.owner) == (keys["maria"].public_key.key_id, "maria", "Maria")
    assert signer.roles == ("data_steward",)


def test_without_expiry_it_counts_for_ever(datasheet: Sign, trust: Trust) -> None:
    assert _accepted(datasheet(), trust).counts_until is None


def test_external_envelopes_verify_in_any_spelling(datasheet: Sign, trust: Trust) -> None:
    document = json.loads(datasheet())
    document["payload"] = base64.urlsafe_b64encode(base64.b64decode(document["payload"])).decode()
    document["signatures"][0] |= {"keyid": "anything", "extra": 1}
    document["later"] = True
    assert _accepted(json.dumps(document, indent=2).encode(), trust).subject == "loans"


# Step 1


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "PE4003"),
        (b"\xff", "PE4002"),
        (b"[" * 1000, "PE4006"),
        (b"{}", "PE4101"),
        (b'{"payload":"","payload":""}', "PE4004"),
        (b" " * (MAX_EVIDENCE_BYTES + 1), "PE4001"),
    ],
)
def test_step_1_not_an_envelope(trust: Trust, data: bytes, code: str) -> None:
    found = _refused(data, trust)
    assert (found.code, found.step) == (code, "1 envelope")
    assert (found.claimed_type, found.claimed_subjects) == (None, ())


def test_step_1_payload_type_confusion(trust: Trust, keys: dict[str, PrivateKey], datasheet: Sign) -> None:
    payload = Envelope.parse(datasheet()).payload
    other = Envelope.sign("application/json", payload, [keys["maria"]])
    assert _refused(other.to_bytes(), trust).code == "PE4104"
    # Relabelling makes the type right and the signature wrong.
    relabelled = Envelope(PAYLOAD_TYPE, payload, other.signatures)
    found = _refused(relabelled.to_bytes(), trust)
    assert (found.code, found.step) == ("PE4401", "2 signatures")
    assert (found.claimed_type, found.claimed_subjects) == ("datasheet", ("loans",))


# Step 2


def test_step_2_strangers_and_changed_content(trust: Trust, datasheet: Sign) -> None:
    assert _refused(datasheet("stranger"), trust).code == "PE4401"
    document = json.loads(datasheet())
    payload = base64.b64decode(document["payload"]).replace(b'"rows":120', b'"rows":121')
    document["payload"] = base64.b64encode(payload).decode()
    assert _refused(json.dumps(document).encode(), trust).code == "PE4401"


def test_step_2_the_keyid_of_a_trusted_key_proves_nothing(
    trust: Trust, datasheet: Sign, keys: dict[str, PrivateKey]
) -> None:
    document = json.loads(datasheet("stranger"))
    document["signatures"][0]["keyid"] = keys["maria"].public_key.key_id
    assert _refused(json.dumps(document).encode(), trust).code == "PE4401"


# Step 3


def test_step_3_signed_bytes_that_are_no_statement(trust: Trust, keys: dict[str, PrivateKey]) -> None:
    for payload, code in (
        (b"not json", "PE4003"),
        (b'{"_type":"x","_type":"y"}', "PE4004"),
        (b'{"_type":"https://in-toto.io/Statement/v0.1"}', "PE4111"),
    ):
        found = _refused(Envelope.sign(PAYLOAD_TYPE, payload, [keys["maria"]]).to_bytes(), trust)
        assert (found.code, found.step) == (code, "3 statement")


def _raw(keys: list[PrivateKey], subjects: list[Any], kind: str = "datasheet", predicate: Any = None) -> bytes:
    """Sign whatever is given, which our own writer would refuse to sign."""
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": predicate_type_of(kind) if ":" not in kind else kind,
        "predicate": predicate or {"issued": "2027-12-20T00:00:00Z", "fields": {}},
    }
    return Envelope.sign(PAYLOAD_TYPE, json.dumps(statement).encode(), keys).to_bytes()


@pytest.mark.parametrize(
    ("digests", "code"),
    [
        ({"sha256": "A" * 64}, "PE4112"),
        ({"sha256": "a" * 63}, "PE4112"),
        ({"sha256": "a" * 64, "sha512": "a" * 64}, "PE4112"),
        ({}, "PE4112"),
    ],
)
def test_step_3_digests_in_capitals_or_cut_off(
    trust: Trust, keys: dict[str, PrivateKey], digests: dict[str, str], code: str
) -> None:
    data = _raw([keys["maria"]], [{"name": "loans", "digest": digests}])
    assert _refused(data, trust).code == code


def test_step_3_one_name_with_two_digests(trust: Trust, keys: dict[str, PrivateKey]) -> None:
    data = _raw([keys["maria"]], [{"name": "loans", "digest": d} for d in (LOANS, {"sha256": "c" * 64})])
    assert _refused(data, trust).code == "PE4113"


# Step 4


def test_step_4_types_and_shapes(trust: Trust, keys: dict[str, PrivateKey]) -> None:
    subject = [{"name": "loans", "digest": LOANS}]
    maria = [keys["maria"]]
    foreign = _refused(_raw(maria, subject, "https://in-toto.io/attestation/svr/v0.2"), trust)
    assert (foreign.code, foreign.step) == ("PE4122", "4 predicate")
    assert foreign.claimed_type == "https://in-toto.io/attestation/svr/v0.2"
    shapeless = _refused(_raw(maria, subject, predicate={"issued": "2027-12-20T00:00:00Z"}), trust)
    assert (shapeless.code, shapeless.step) == ("PE4121", "4 predicate")
    assert shapeless.claimed_subjects == ("loans",)


def test_step_4_a_decision_is_not_evidence(trust: Trust, keys: dict[str, PrivateKey]) -> None:
    data = sign_statement({"loans": LOANS}, DECISION_TYPE, DECISION, [keys["release"]])
    assert _refused(data, trust).code == "PE4411"


# Step 5


@pytest.mark.parametrize(
    ("window", "good"),
    [
        ({"valid_from": "2027-12-20T00:00:00Z"}, True),
        ({"valid_from": "2027-12-20T00:00:01Z"}, False),
        ({"valid_until": "2027-12-20T00:00:01Z"}, True),
        ({"valid_until": "2027-12-20T00:00:00Z"}, False),
        ({"revoked_at": "2027-12-20T00:00:01Z"}, True),
        ({"revoked_at": "2027-12-20T00:00:00Z"}, False),
        ({"revoked_at": "2027-01-01T00:00:00Z"}, False),
    ],
)
def test_step_5_windows(
    trust_document: dict[str, Any], make_trust: MakeTrust, datasheet: Sign, window: dict[str, str], good: bool
) -> None:
    trust_document["keys"]["maria"] |= window
    trust = make_trust(trust_document)
    if good:
        _accepted(datasheet(), trust)
    else:
        found = _refused(datasheet(), trust)
        assert (found.code, found.step) == ("PE4402", "5 windows")
        assert "`maria`" in found.message


# Step 6


def test_step_6_roles(trust: Trust, datasheet: Sign) -> None:
    for data in (datasheet("release"), datasheet(kind="training_record")):
        found = _refused(data, trust)
        assert (found.code, found.step) == ("PE4403", "6 roles")


def test_step_6_threshold_of_distinct_keys(trust: Trust, datasheet: Sign, keys: dict[str, PrivateKey]) -> None:
    alone = _refused(datasheet("jan", kind="dpia"), trust)
    assert (alone.code, alone.step) == ("PE4404", "6 roles")
    assert "`risk_board` has 1 of 2" in alone.message
    both = _accepted(datasheet("maria", "jan", kind="dpia"), trust)
    assert {signer.key_name for signer in both.signers} == {"maria", "jan"}
    # A second signer who holds no role adds nothing.
    assert _refused(datasheet("jan", "release", kind="dpia"), trust).code == "PE4404"
    assert _refused(datasheet("jan", "stranger", kind="dpia"), trust).code == "PE4404"


def test_step_6_one_key_in_many_signatures_is_one_key(
    trust: Trust, datasheet: Sign, keys: dict[str, PrivateKey]
) -> None:
    envelope = Envelope.parse(datasheet("jan", kind="dpia"))
    sig = envelope.signatures[0].sig
    r, s = decode_dss_signature(sig)
    spellings = (
        sig,
        encode_dss_signature(r, P256_ORDER - s),
        r.to_bytes(32, "big") + s.to_bytes(32, "big"),
        sig,
    )
    ids = (None, "a", keys["maria"].public_key.key_id, "sha256:" + "0" * 64)
    many = tuple(Signature(spelling, i) for spelling, i in zip(spellings, ids, strict=True))
    data = Envelope(envelope.payload_type, envelope.payload, many).to_bytes()
    assert _refused(data, trust).code == "PE4404"


def test_step_6_only_satisfied_roles_are_credited(
    trust_document: dict[str, Any], make_trust: MakeTrust, datasheet: Sign
) -> None:
    trust_document["roles"]["risk_board"]["may_sign"] = ["datasheet"]
    found = _accepted(datasheet(), make_trust(trust_document))
    assert [signer.roles for signer in found.signers] == [("data_steward",)]
    found = _accepted(datasheet("maria", "jan"), make_trust(trust_document))
    assert [signer.roles for signer in found.signers] == [("data_steward", "risk_board")] * 2


# Step 7


@pytest.mark.parametrize(
    ("subject", "inventory", "code"),
    [
        ({"loans": {"sha256": "c" * 64}}, INVENTORY, "PE4406"),
        # The digest of one thing under the name of another.
        ({"loans": {"sha256": "b" * 64}}, INVENTORY, "PE4406"),
        ({"Loans": LOANS}, INVENTORY, "PE4405"),
        ({"loans ": LOANS}, INVENTORY, "PE4405"),
        ({"loans": LOANS}, {}, "PE4405"),
        ({"loans": {"sha1": "a" * 40}}, {"loans": LOANS | {"sha1": "a" * 40}}, "PE4407"),
        ({"loans": {"gitCommit": "a" * 40}}, {"loans": {"gitCommit": "a" * 40}}, "PE4407"),
        ({"loans": LOANS | {"sha1": "b" * 40}}, {"loans": LOANS | {"sha1": "a" * 40}}, "PE4406"),
        ({"loans": {"sha256": "b" * 64, "sha1": "a" * 40}}, {"loans": LOANS | {"sha1": "a" * 40}}, "PE4406"),
        ({"loans": LOANS}, {"loans": {}}, "PE4407"),
    ],
)
def test_step_7_subjects(trust: Trust, datasheet: Sign, subject: Any, inventory: Any, code: str) -> None:
    found = _refused(datasheet(subjects=subject), trust, inventory)
    assert (found.code, found.step) == (code, "7 subject")
    assert (found.claimed_type, found.claimed_subjects) == ("datasheet", tuple(subject))


def test_step_7_no_name(trust: Trust, keys: dict[str, PrivateKey]) -> None:
    found = _refused(_raw([keys["maria"]], [{"digest": LOANS}]), trust)
    assert (found.code, found.claimed_subjects) == ("PE4408", ())


def test_step_7_each_subject_is_judged_by_itself(trust: Trust, datasheet: Sign) -> None:
    data = datasheet(subjects={"loans": LOANS, "prices": LOANS, "unknown": LOANS})
    first, second, third = verify_evidence(data, trust, INVENTORY)
    assert isinstance(first, VerifiedEvidence)
    assert first.subject == "loans"
    assert isinstance(second, Rejected)
    assert (second.code, second.claimed_subjects) == ("PE4406", ("prices",))
    assert isinstance(third, Rejected)
    assert (third.code, third.claimed_subjects) == ("PE4405", ("unknown",))


# Step 8


@pytest.mark.parametrize("expires", ["2027-12-20T00:00:00Z", "2027-12-19T23:59:59Z"])
def test_step_8_empty_interval(trust: Trust, datasheet: Sign, expires: str) -> None:
    found = _refused(datasheet(expires=expires), trust)
    assert (found.code, found.step) == ("PE4410", "8 interval")


def test_step_8_revocation_ends_what_a_key_signed(
    trust_document: dict[str, Any], make_trust: MakeTrust, datasheet: Sign, at: At
) -> None:
    trust_document["keys"]["maria"]["revoked_at"] = "2028-03-01T00:00:00Z"
    trust = make_trust(trust_document)
    assert _accepted(datasheet(), trust).counts_until == at("2028-03-01")
    assert _accepted(datasheet(expires="2028-02-01T00:00:00Z"), trust).counts_until == at("2028-02-01")
    assert _accepted(datasheet(expires="2028-03-01T00:00:00Z"), trust).counts_until == at("2028-03-01")
    # A threshold that is no longer met ends the evidence, however good the other signatures are.
    assert _accepted(datasheet("maria", "jan", kind="dpia"), trust).counts_until == at("2028-03-01")


def test_step_8_those_who_remain_keep_it_alive_under_their_own_names(
    trust_document: dict[str, Any], make_trust: MakeTrust, datasheet: Sign, at: At
) -> None:
    trust_document["keys"]["maria"]["revoked_at"] = "2028-03-01T00:00:00Z"
    trust_document["roles"]["owner"] = {"keys": ["maria"], "may_sign": ["*"]}
    first, second = verify_evidence(datasheet("maria", "jan"), make_trust(trust_document), INVENTORY)
    assert isinstance(first, VerifiedEvidence)
    assert isinstance(second, VerifiedEvidence)
    assert (first.counts_from, first.counts_until) == (at("2027-12-20"), at("2028-03-01"))
    assert (second.counts_from, second.counts_until) == (at("2028-03-01"), None)
    assert [(signer.key_name, signer.roles) for signer in first.signers] == [
        ("jan", ("data_steward",)),
        ("maria", ("data_steward", "owner")),
    ]
    assert [(signer.key_name, signer.roles) for signer in second.signers] == [("jan", ("data_steward",))]
    assert (first.digest, first.issued) == (second.digest, second.issued)


def test_step_8_the_revocation_of_a_bystander_changes_nothing(
    trust_document: dict[str, Any], make_trust: MakeTrust, datasheet: Sign
) -> None:
    trust_document["keys"]["release"]["revoked_at"] = "2028-03-01T00:00:00Z"
    found = _accepted(datasheet("maria", "release"), make_trust(trust_document))
    assert found.counts_until is None
    assert [signer.key_name for signer in found.signers] == ["maria"]


# Waivers


def test_waivers(trust: Trust, keys: dict[str, PrivateKey], at: At) -> None:
    board = [keys["maria"], keys["jan"]]
    data = sign_statement({"loans": LOANS}, WAIVER_TYPE, WAIVER | {"ticket": "GRC-17"}, board)
    (found,) = verify_evidence(data, trust, INVENTORY)
    assert isinstance(found, VerifiedWaiver)
    assert (found.rule, found.subject, found.ticket, found.approver) == (
        WAIVER["rule"],
        "loans",
        "GRC-17",
        "J. Peeters",
    )
    assert (found.counts_from, found.counts_until) == (at("2027-12-01"), at("2028-01-01"))
    assert len(found.signers) == 2
    assert _refused(sign_statement({"loans": LOANS}, WAIVER_TYPE, WAIVER, board[:1]), trust).code == "PE4404"
    broad = sign_statement(INVENTORY, WAIVER_TYPE, WAIVER, board)
    assert _refused(broad, trust).code == "PE4409"
    assert _refused(sign_statement({"other": LOANS}, WAIVER_TYPE, WAIVER, board), trust).code == "PE4405"


# Statements of record


def test_decisions(trust: Trust, keys: dict[str, PrivateKey], at: At) -> None:
    data = sign_statement({"snapshot.json": LOANS}, DECISION_TYPE, DECISION, [keys["release"]])
    for role in (None, "release"):
        found = verify_statement(data, trust, DECISION_TYPE, role)
        assert isinstance(found, VerifiedStatement)
        assert (found.issued, found.counts_until) == (at("2028-01-15"), None)
        assert [signer.key_name for signer in found.signers] == ["release"]
        assert found.statement.subjects[0].name == "snapshot.json"
    refusals = {
        "no such role": (data, DECISION_TYPE, "chief", "PE4412"),
        "another role": (data, DECISION_TYPE, "data_steward", "PE4403"),
        "another type": (data, WAIVER_TYPE, None, "PE4411"),
        "no role": (
            sign_statement({"s": LOANS}, DECISION_TYPE, DECISION, [keys["maria"]]),
            DECISION_TYPE,
            None,
            "PE4403",
        ),
        "garbage": (b"{", DECISION_TYPE, None, "PE4003"),
    }
    for name, (attempt, kind, role, code) in refusals.items():
        rejected = verify_statement(attempt, trust, kind, role)
        assert isinstance(rejected, Rejected), name
        assert rejected.code == code, name


def test_a_decision_ends_with_its_key(
    trust_document: dict[str, Any], make_trust: MakeTrust, keys: dict[str, PrivateKey], at: At
) -> None:
    trust_document["keys"]["release"]["revoked_at"] = "2028-02-01T00:00:00Z"
    data = sign_statement({"snapshot.json": LOANS}, DECISION_TYPE, DECISION, [keys["release"]])
    found = verify_statement(data, make_trust(trust_document), DECISION_TYPE)
    assert isinstance(found, VerifiedStatement)
    assert found.counts_until == at("2028-02-01")


# Whatever the bytes


def test_no_flipped_byte_changes_what_is_believed(datasheet: Sign, trust: Trust) -> None:
    data = datasheet()
    truth = _accepted(data, trust)
    for position in range(len(data)):
        for mask in (0x01, 0x80):
            changed = bytearray(data)
            changed[position] ^= mask
            for found in verify_evidence(bytes(changed), trust, INVENTORY):
                if isinstance(found, Rejected):
                    continue
                # Only what no signature covers may vary, and the record is the same but for the file's digest.
                assert isinstance(found, VerifiedEvidence)
                assert (found.subject, found.fields, found.signers) == (truth.subject, truth.fields, truth.signers)
                assert found.digest != truth.digest


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=300))
def test_arbitrary_bytes_never_raise(trust: Trust, data: bytes) -> None:
    assert all(isinstance(found, Rejected) for found in verify_evidence(data, trust, INVENTORY))
    assert isinstance(verify_statement(data, trust, DECISION_TYPE), Rejected)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["_type", "subject", "name", "digest", "sha256", "predicate", "predicateType", "fields"]
                ),
                inner,
                max_size=4,
            )
        ),
    )
)
def test_arbitrary_signed_payloads_never_raise(trust: Trust, keys: dict[str, PrivateKey], value: Any) -> None:
    envelope = Envelope.sign(PAYLOAD_TYPE, json.dumps(value).encode(), [keys["maria"]])
    assert all(isinstance(found, Rejected) for found in verify_evidence(envelope.to_bytes(), trust, INVENTORY))
