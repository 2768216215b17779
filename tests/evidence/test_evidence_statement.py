"""in-toto Statement v1: digests are exact, names are unique, weak algorithms never identify anything alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from policy_evidence.errors import FormatError
from policy_evidence.statement import Match, Statement, Subject, compare

ACCEPTED = {"reference-1", "reference-2", "test-result-1"}
# These digests are cut off in the specification's own examples, svr-1 in capitals as well.
REFUSED = {"svr-1", "svr-2", "svr-3", "release-1", "release-3", "release-4"}


@pytest.mark.parametrize("name", sorted(ACCEPTED | REFUSED))
def test_official_examples(vectors: Path, name: str) -> None:
    data = (vectors / "in-toto" / "examples" / f"{name}.json").read_bytes()
    if name in REFUSED:
        with pytest.raises(FormatError) as refusal:
            Statement.parse(data)
        assert refusal.value.code == "PE4112"
        return
    statement = Statement.parse(data)
    assert statement.subjects
    assert Statement.parse(statement.to_bytes()) == statement


def _statement(**change: Any) -> bytes:
    document = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "loans", "digest": {"sha256": "a" * 64}}],
        "predicateType": "https://example.com/x/v1",
        "predicate": {},
        **change,
    }
    return json.dumps({key: value for key, value in document.items() if value is not ...}).encode()


def _digest(**digest: Any) -> bytes:
    return _statement(subject=[{"name": "loans", "digest": digest}])


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"[]", "PE4111"),
        (_statement(_type="https://in-toto.io/Statement/v0.1"), "PE4111"),
        (_statement(_type=...), "PE4111"),
        (_statement(predicateType=...), "PE4111"),
        (_statement(predicateType=1), "PE4111"),
        (_statement(predicateType=""), "PE4111"),
        (_statement(predicate=[]), "PE4111"),
        (_statement(predicate=None), "PE4111"),
        (_statement(subject=[]), "PE4111"),
        (_statement(subject={}), "PE4111"),
        (_statement(subject=...), "PE4111"),
        (_statement(subject=["loans"]), "PE4111"),
        (_statement(subject=[{"name": "", "digest": {"sha256": "a" * 64}}]), "PE4111"),
        (_statement(subject=[{"name": 1, "digest": {"sha256": "a" * 64}}]), "PE4111"),
        (_statement(subject=[{"name": "loans"}]), "PE4112"),
        (_statement(subject=[{"name": "loans", "digest": {}}]), "PE4112"),
        (_statement(subject=[{"name": "loans", "digest": "sha256:" + "a" * 64}]), "PE4112"),
        (_digest(sha256="A" * 64), "PE4112"),
        (_digest(sha256="a" * 63), "PE4112"),
        (_digest(sha256="a" * 65), "PE4112"),
        (_digest(sha256="a" * 64 + "\n"), "PE4112"),
        (_digest(sha256="g" * 64), "PE4112"),
        (_digest(sha256="١" * 64), "PE4112"),
        (_digest(sha256="sha256:" + "a" * 64), "PE4112"),
        (_digest(sha256=7), "PE4112"),
        (_digest(sha256=None), "PE4112"),
        (_digest(sha384="a" * 64), "PE4112"),
        (_digest(sha512="a" * 64), "PE4112"),
        (_digest(sha1="a" * 64), "PE4112"),
        (_digest(gitCommit="a" * 41), "PE4112"),
        (_digest(sha256="a" * 64, sha512="A" * 128), "PE4112"),
        (_digest(sha256="a" * 64, other=""), "PE4112"),
        (_statement(subject=[{"name": "x", "digest": {"sha256": d * 64}} for d in "ab"]), "PE4113"),
    ],
)
def test_malformed_statements(data: bytes, code: str) -> None:
    with pytest.raises(FormatError) as refusal:
        Statement.parse(data)
    assert refusal.value.code == code


def test_unknown_fields_are_ignored_as_the_specification_asks() -> None:
    assert Statement.parse(_statement(later="x")).predicate == {}
    assert Statement.parse(_statement(predicate=...)).predicate == {}
    assert Statement.parse(_digest(sha256="a" * 64, blake3="Zz")).subjects[0].digest["blake3"] == "Zz"
    assert Statement.parse(_digest(gitCommit="a" * 64)).subjects[0].name == "loans"


A, B = "a", "b"


@pytest.mark.parametrize(
    ("claimed", "known", "match"),
    [
        ({"sha256": A * 64}, {"sha256": A * 64}, Match.SAME),
        ({"sha256": A * 64}, {"sha256": B * 64}, Match.DIFFERENT),
        ({"sha256": A * 64, "sha1": A * 40}, {"sha256": A * 64}, Match.SAME),
        # A weak algorithm beside a strong one: agreement of the weak never covers the strong, nor the reverse.
        ({"sha256": B * 64, "sha1": A * 40}, {"sha256": A * 64, "sha1": A * 40}, Match.DIFFERENT),
        ({"sha256": A * 64, "sha1": B * 40}, {"sha256": A * 64, "sha1": A * 40}, Match.DIFFERENT),
        ({"sha1": A * 40}, {"sha256": A * 64, "sha1": A * 40}, Match.TOO_WEAK),
        ({"gitCommit": A * 64}, {"gitCommit": A * 64}, Match.TOO_WEAK),
        ({"sha512": A * 128}, {"sha256": A * 64}, Match.TOO_WEAK),
        ({"sha512": A * 128, "sha1": A * 40}, {"sha256": A * 64, "sha1": A * 40}, Match.TOO_WEAK),
        ({"sha512": A * 128, "sha256": A * 64}, {"sha512": B * 128, "sha256": A * 64}, Match.DIFFERENT),
        ({"blake3": A}, {"blake3": A}, Match.TOO_WEAK),
        ({"SHA256": A * 64}, {"sha256": A * 64}, Match.TOO_WEAK),
        ({"sha256": A * 64}, {}, Match.TOO_WEAK),
    ],
)
def test_match_rule(claimed: dict[str, str], known: dict[str, str], match: Match) -> None:
    assert compare(Subject("x", claimed), known) is match


def test_building_checks_what_it_builds() -> None:
    with pytest.raises(FormatError) as refusal:
        Statement((Subject("x", {"sha256": "A" * 64}),), "https://example.com/x/v1", {}).to_bytes()
    assert refusal.value.code == "PE4112"
    # As digits it would be an integer that no strict reader accepts.
    with pytest.raises(FormatError) as unreadable:
        Statement((Subject("x", {"sha256": "a" * 64}),), "https://example.com/x/v1", {"n": 1e20}).to_bytes()
    assert unreadable.value.code == "PE4005"
