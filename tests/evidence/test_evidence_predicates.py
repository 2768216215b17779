"""Predicates: strict models, plain refusals, and schemas that agree with the models."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from policy_evidence.canonical import canonical_bytes, parse_json
from policy_evidence.errors import FormatError
from policy_evidence.instants import format_instant, parse_instant
from policy_evidence.predicates import (
    BUNDLE_TYPE,
    DECISION_TYPE,
    WAIVER_TYPE,
    EvidencePredicate,
    issued_at,
    json_schemas,
    parse_predicate,
    predicate_to_json,
    predicate_type_of,
    short_name_of,
)

DATASHEET = "urn:ai-policy-engine:evidence:datasheet:v1"
D = "sha256:" + "0" * 64
E = "sha256:" + "1" * 64

EVIDENCE: dict[str, Any] = {
    "issued": "2027-12-20T00:00:00Z",
    "expires": "2028-12-20T00:00:00Z",
    "issuer": "Data office",
    "fields": {"rows": 120, "share": 0.25, "ok": True, "name": "x", "tags": ["a", 1, False]},
}
WAIVER: dict[str, Any] = {
    "rule": "eu_ai_act.data_governance.training_data_documented",
    "reason": "being translated",
    "ticket": "GRC-17",
    "approver": "J. Peeters",
    "issued": "2027-12-01T00:00:00Z",
    "expires": "2028-01-01T00:00:00Z",
}
DECISION: dict[str, Any] = {
    "engine": {"name": "ai-policy-engine", "version": "0.1.0"},
    "instant": "2028-01-15T00:00:00Z",
    "inputs": {
        "snapshot": D,
        "trust": D,
        "profile": D,
        "packs": [{"name": "a", "version": "1.0.0", "sha256": D}],
        "evidence": [D, E],
    },
    "verdict": "not_compliant",
    "counts": {"pass": 1, "fail": 1, "unknown": 0, "not_applicable": 0, "waived": 0},
    "results": [{"rule": "a.b", "proof": {"deep": [1, None]}}, {"rule": "a.c"}],
}
BUNDLE: dict[str, Any] = {"format": 1, "created": "2028-01-15T00:00:00Z"}
GOOD = {"evidence": (DATASHEET, EVIDENCE), "waiver": (WAIVER_TYPE, WAIVER), "decision": (DECISION_TYPE, DECISION)}
GOOD["bundle"] = (BUNDLE_TYPE, BUNDLE)


@pytest.mark.parametrize("name", GOOD)
def test_round_trip_and_schema(name: str) -> None:
    kind, document = GOOD[name]
    predicate = parse_predicate(kind, document)
    assert predicate_to_json(predicate) == document
    assert parse_json(canonical_bytes(predicate_to_json(predicate))) == document
    assert issued_at(predicate).tzinfo is not None
    schema = json_schemas()[f"{name}-v1.schema.json"]
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(document)
    assert not Draft202012Validator(schema).is_valid(document | {"extra": 1})
    with pytest.raises(FormatError, match="`extra` is not a known field"):
        parse_predicate(kind, document | {"extra": 1})


BAD: list[tuple[str, dict[str, Any], str, bool]] = [
    # predicate type, document, what is said, whether the JSON Schema can say it too
    (DATASHEET, {"issued": "2027-12-20T00:00:00Z"}, "`fields` is missing", True),
    (DATASHEET, EVIDENCE | {"issued": "2027-12-20"}, "`issued` `2027-12-20` is not an instant", True),
    (DATASHEET, EVIDENCE | {"issued": "2027-12-20T00:00:00+00:00"}, "is not an instant", True),
    (DATASHEET, EVIDENCE | {"issued": "2027-12-20T00:00:00.5Z"}, "is not an instant", True),
    (DATASHEET, EVIDENCE | {"issued": "2027-02-30T00:00:00Z"}, "is not an instant", False),
    (DATASHEET, EVIDENCE | {"issued": "2027-12-20T24:00:00Z"}, "is not an instant", False),
    (DATASHEET, EVIDENCE | {"issued": 1829779200}, "must be an instant", True),
    (DATASHEET, EVIDENCE | {"issuer": ""}, "`issuer` must not be empty", True),
    (DATASHEET, EVIDENCE | {"issuer": " "}, "`issuer` must not be blank", True),
    (DATASHEET, EVIDENCE | {"issuer": 7}, "`issuer` must be text", True),
    (DATASHEET, EVIDENCE | {"fields": []}, "`fields` must be a mapping", True),
    (DATASHEET, EVIDENCE | {"fields": {"x": None}}, "`fields.x` must be a text, a number", True),
    (DATASHEET, EVIDENCE | {"fields": {"x": {"y": 1}}}, "`fields.x` must be a text, a number", True),
    (DATASHEET, EVIDENCE | {"fields": {"x": [[1]]}}, "`fields.x` must be a text, a number", True),
    (DATASHEET, EVIDENCE | {"fields": {"Bad Name": 1}}, "`fields.Bad Name` this name is not acceptable", True),
    (WAIVER_TYPE, {**WAIVER, "rule": "*"}, "`rule` must be the full name of one rule", True),
    (WAIVER_TYPE, {**WAIVER, "rule": "a.b\n"}, "`rule` must be the full name of one rule", False),
    (WAIVER_TYPE, {k: v for k, v in WAIVER.items() if k != "expires"}, "`expires` is missing", True),
    (WAIVER_TYPE, {k: v for k, v in WAIVER.items() if k != "approver"}, "`approver` is missing", True),
    (BUNDLE_TYPE, BUNDLE | {"format": 2}, "`format` must be 1", True),
    (DECISION_TYPE, DECISION | {"verdict": "fine"}, "`verdict` must be", True),
    (DECISION_TYPE, DECISION | {"verdict": "compliant"}, "its counts give `not_compliant`", False),
    (DECISION_TYPE, DECISION | {"results": []}, "counts 2 results but lists 0", False),
    (DECISION_TYPE, DECISION | {"results": {}}, "`results` must be a list", True),
    (DECISION_TYPE, DECISION | {"counts": DECISION["counts"] | {"fail": -1}}, "`counts.fail` must be at least 0", True),
    (DECISION_TYPE, DECISION | {"counts": DECISION["counts"] | {"fail": True}}, "must be a whole number", True),
    (DECISION_TYPE, DECISION | {"counts": DECISION["counts"] | {"pass_": 1}}, "`counts.pass_` is not a known", True),
    (DECISION_TYPE, DECISION | {"counts": DECISION["counts"] | {"fail": "1"}}, "must be a whole number", True),
    (DECISION_TYPE, DECISION | {"inputs": DECISION["inputs"] | {"evidence": [E, D]}}, "must be sorted", False),
    (DECISION_TYPE, DECISION | {"inputs": DECISION["inputs"] | {"evidence": [D, D]}}, "must be sorted", False),
    (DECISION_TYPE, DECISION | {"inputs": DECISION["inputs"] | {"trust": D.upper()}}, "64 lower-case", True),
    (DECISION_TYPE, DECISION | {"inputs": DECISION["inputs"] | {"trust": D + "\n"}}, "64 lower-case", False),
]


@pytest.mark.parametrize(("kind", "document", "words", "in_schema"), BAD)
def test_refusals_are_plain(kind: str, document: dict[str, Any], words: str, in_schema: bool) -> None:
    with pytest.raises(FormatError) as refusal:
        parse_predicate(kind, document)
    assert refusal.value.code == "PE4121"
    assert words in refusal.value.message
    assert "validation" not in refusal.value.message
    if in_schema:
        schema = json_schemas()[f"{short_name_of(kind) if kind != DATASHEET else 'evidence'}-v1.schema.json"]
        assert not Draft202012Validator(schema).is_valid(document)


def test_predicates_that_are_not_objects() -> None:
    for value in (None, [], "x", 1):
        with pytest.raises(FormatError, match="`predicate` must be a mapping"):
            parse_predicate(DATASHEET, value)


@pytest.mark.parametrize(
    "kind",
    [
        "urn:ai-policy-engine:evidence:Datasheet:v1",
        "urn:ai-policy-engine:evidence:datasheet:v2",
        "urn:ai-policy-engine:evidence:datasheet:v1\n",
        "urn:ai-policy-engine:evidence::v1",
        # Our own statements are never evidence under another name.
        "urn:ai-policy-engine:evidence:waiver:v1",
        "urn:ai-policy-engine:evidence:decision:v1",
        "https://in-toto.io/attestation/svr/v0.2",
        "datasheet",
    ],
)
def test_unknown_types(kind: str) -> None:
    assert short_name_of(kind) is None
    with pytest.raises(FormatError) as refusal:
        parse_predicate(kind, EVIDENCE)
    assert refusal.value.code == "PE4122"


def test_short_names() -> None:
    assert predicate_type_of("training_record") == "urn:ai-policy-engine:evidence:training_record:v1"
    assert predicate_type_of("decision") == DECISION_TYPE
    for name in ("Datasheet", "", "a b", "1x", "x" * 101, "x:v1"):
        with pytest.raises(FormatError):
            predicate_type_of(name)


def test_models_are_immutable_and_keep_kinds_apart() -> None:
    predicate = EvidencePredicate.model_validate(EVIDENCE)
    assert predicate.fields["ok"] is True
    assert isinstance(predicate.fields["rows"], int)
    assert predicate.fields["tags"] == ("a", 1, False)
    with pytest.raises(ValidationError):
        predicate.issued = parse_instant("2028-01-01T00:00:00Z")  # type: ignore[misc]  # the point of the test


@settings(deadline=None)
@given(st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 30)))  # noqa: DTZ001 - hypothesis wants naive bounds
def test_instants_round_trip(naive: datetime) -> None:
    instant = naive.replace(microsecond=0, tzinfo=UTC)
    assert parse_instant(format_instant(instant)) == instant


def test_instants_have_one_spelling() -> None:
    east = datetime(2028, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))
    assert format_instant(east) == "2028-01-01T00:00:00Z"
    for bad in (datetime(2028, 1, 1), datetime(2028, 1, 1, microsecond=1, tzinfo=UTC)):  # noqa: DTZ001 - refused
        with pytest.raises(FormatError) as refusal:
            format_instant(bad)
        assert refusal.value.code == "PE4009"
    for text in ("2028-01-01t00:00:00z", "2028-01-01 00:00:00Z", "2028-01-01T00:00:60Z", "२028-01-01T00:00:00Z", ""):
        with pytest.raises(FormatError) as refusal:
            parse_instant(text)
        assert refusal.value.code == "PE4009"
