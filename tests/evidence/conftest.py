"""What the tests of evidence share: fixed instants, keys, and a trust file written around them."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from policy_evidence.attest import sign_statement
from policy_evidence.predicates import predicate_type_of
from policy_evidence.signing.keys import Algorithm, PrivateKey
from policy_evidence.trust.document import parse_trust
from policy_evidence.trust.model import Trust

SHARED = Path(__file__).parents[2] / ".." / "shared"
LOANS = {"sha256": "a" * 64}


@pytest.fixture(scope="session")
def vectors() -> Path:
    folder = SHARED / "vectors"
    if not folder.is_dir():
        pytest.skip("the shared vectors are not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def keys() -> dict[str, PrivateKey]:
    return {
        "maria": PrivateKey.generate(),
        "jan": PrivateKey.generate(Algorithm.ECDSA_P256),
        "release": PrivateKey.generate(),
        "stranger": PrivateKey.generate(),
    }


@pytest.fixture(scope="session")
def rsa_key() -> PrivateKey:
    return PrivateKey.generate(Algorithm.RSA)


@pytest.fixture
def trust_document(keys: dict[str, PrivateKey]) -> dict[str, Any]:
    return {
        "format": 1,
        "version": 3,
        "expires": "2030-01-01T00:00:00Z",
        "keys": {
            name: {"public_key": keys[name].public_key.to_pem(), "owner": name.capitalize()}
            for name in ("maria", "jan", "release")
        },
        "roles": {
            "data_steward": {"keys": ["maria", "jan"], "may_sign": ["datasheet"]},
            "risk_board": {"keys": ["maria", "jan"], "may_sign": ["waiver", "dpia"], "threshold": 2},
            "release": {"keys": ["release"], "may_sign": ["decision", "bundle"]},
        },
    }


@pytest.fixture
def trust(trust_document: dict[str, Any]) -> Trust:
    return to_trust(trust_document)


def to_trust(document: Mapping[str, Any]) -> Trust:
    return parse_trust(json.dumps(document).encode())


@pytest.fixture
def make_trust() -> Callable[[Mapping[str, Any]], Trust]:
    return to_trust


def at(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)


@pytest.fixture(name="at")
def at_fixture() -> Callable[[str], datetime]:
    return at


@pytest.fixture
def datasheet(keys: dict[str, PrivateKey]) -> Callable[..., bytes]:
    """Sign a datasheet about `loans`; everything about it can be changed."""

    def sign(
        *signers: str,
        kind: str = "datasheet",
        subjects: Mapping[str, Mapping[str, str]] | None = None,
        **predicate: Any,
    ) -> bytes:
        content = {"issued": "2027-12-20T00:00:00Z", "fields": {"rows": 120}, **predicate}
        return sign_statement(
            {"loans": LOANS} if subjects is None else subjects,
            predicate_type_of(kind),
            content,
            [keys[name] for name in signers or ("maria",)],
        )

    return sign
