"""Making statements: nothing is signed that a verifier would refuse to read."""

from datetime import UTC, datetime

import pytest

from policy_evidence.attest import sign_statement
from policy_evidence.errors import FormatError
from policy_evidence.predicates import EvidencePredicate, predicate_type_of
from policy_evidence.signing.keys import PrivateKey

LOANS = {"sha256": "a" * 64}


def test_nothing_is_signed_that_could_not_be_read(keys: dict[str, PrivateKey]) -> None:
    kind, good = predicate_type_of("datasheet"), {"issued": "2027-12-20T00:00:00Z", "fields": {}}
    attempts = [
        ({"loans": {"sha256": "A" * 64}}, kind, good, "PE4112"),
        ({"loans": {}}, kind, good, "PE4112"),
        ({}, kind, good, "PE4111"),
        ({"loans": LOANS}, "https://example.com/x", good, "PE4122"),
        ({"loans": LOANS}, kind, {"issued": "x", "fields": {}}, "PE4121"),
        ({"loans": LOANS}, kind, good | {"fields": {"x": float("nan")}}, "PE4008"),
        ({"loans": LOANS}, kind, good | {"fields": {"x": 2**53}}, "PE4008"),
        ({"loans": LOANS}, kind, good | {"fields": {"x": 1e20}}, "PE4005"),
    ]
    for subjects, predicate_type, predicate, code in attempts:
        with pytest.raises(FormatError) as refusal:
            sign_statement(subjects, predicate_type, predicate, [keys["maria"]])  # type: ignore[arg-type]  # a table
        assert refusal.value.code == code


def test_a_model_signs_like_its_document(keys: dict[str, PrivateKey]) -> None:
    model = EvidencePredicate(issued=datetime(2027, 12, 20, tzinfo=UTC), fields={"rows": 1, "tags": ("a",)})
    document = {"issued": "2027-12-20T00:00:00Z", "fields": {"rows": 1, "tags": ["a"]}}
    kind = predicate_type_of("datasheet")
    by_model, by_document = (sign_statement({"x": LOANS}, kind, p, [keys["maria"]]) for p in (model, document))  # type: ignore[arg-type]
    assert by_model == by_document
