"""The trust file: every problem at once, each with its place; nothing doubtful gets through."""

import base64
import json
from collections.abc import Callable
from copy import deepcopy
from datetime import datetime
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from policy_evidence.canonical import digest
from policy_evidence.errors import TrustError
from policy_evidence.signing.certificates import Holder, create_authority
from policy_evidence.signing.keys import Algorithm, PrivateKey
from policy_evidence.trust.document import MAX_BYTES, parse_trust, trust_json_schema
from policy_evidence.trust.model import TrustedKey
from policy_evidence.trust.yaml_tree import parse_tree


def _problems(data: bytes) -> list[tuple[str, str, int | None]]:
    with pytest.raises(TrustError) as refusal:
        parse_trust(data)
    for problem in refusal.value.problems:
        assert "\n" not in str(problem)
        assert len(str(problem)) < 400
    assert refusal.value.code == refusal.value.problems[0].code
    return [(problem.code, problem.path, problem.line) for problem in refusal.value.problems]


def test_yaml_and_json_mean_the_same(trust_document: dict[str, Any], keys: dict[str, PrivateKey]) -> None:
    spelt = yaml.safe_dump(trust_document, sort_keys=False).replace("'2030-01-01T00:00:00Z'", "2030-01-01T00:00:00Z")
    from_yaml, from_json = parse_trust(spelt.encode()), parse_trust(json.dumps(trust_document).encode())
    assert from_yaml.keys == from_json.keys
    assert from_yaml.roles == from_json.roles
    assert from_yaml.digest == digest(spelt.encode())
    assert (from_yaml.version, from_yaml.expires) == (3, datetime.fromisoformat("2030-01-01T00:00:00+00:00"))
    maria = from_yaml.keys[keys["maria"].public_key.key_id]
    assert (maria.name, maria.owner, maria.public_key) == ("maria", "Maria", keys["maria"].public_key)
    assert from_yaml.roles["risk_board"].threshold == 2


def test_the_published_schema_agrees(trust_document: dict[str, Any]) -> None:
    schema = trust_json_schema()
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    validator.validate(trust_document)
    for change, problems in CHANGES.values():
        if {code for code, _ in problems} == {"PE4304"}:
            document = deepcopy(trust_document)
            change(document)
            assert not validator.is_valid(document), problems


def test_roles_name_types_in_short_in_full_or_all(
    trust_document: dict[str, Any], make_trust: Callable[[Any], Any]
) -> None:
    trust_document["roles"]["data_steward"]["may_sign"] = ["urn:ai-policy-engine:evidence:dpia:v1", "waiver"]
    trust_document["roles"]["release"]["may_sign"] = ["*"]
    roles = make_trust(trust_document).roles
    assert roles["data_steward"].allows("urn:ai-policy-engine:evidence:dpia:v1")
    assert roles["data_steward"].allows("urn:ai-policy-engine:waiver:v1")
    assert not roles["data_steward"].allows("urn:ai-policy-engine:evidence:datasheet:v1")
    # `waiver` is our waiver, never a type of evidence that calls itself so.
    assert not roles["data_steward"].allows("urn:ai-policy-engine:evidence:waiver:v1")
    assert not roles["data_steward"].allows("https://example.com/unknown/v1")
    assert roles["release"].allows("urn:ai-policy-engine:decision:v1")


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], object], list[tuple[str, str]]]] = {
    "unknown field": (lambda d: d.update(extra=1), [("PE4304", "extra")]),
    "no format": (lambda d: d.pop("format"), [("PE4304", "format")]),
    "other format": (lambda d: d.update(format=2), [("PE4304", "format")]),
    "version 0": (lambda d: d.update(version=0), [("PE4304", "version")]),
    "version as text": (lambda d: d.update(version="3"), [("PE4304", "version")]),
    "version true": (lambda d: d.update(version=True), [("PE4304", "version")]),
    "no expiry": (lambda d: d.pop("expires"), [("PE4304", "expires")]),
    "expiry as a day": (lambda d: d.update(expires="2030-01-01"), [("PE4304", "expires")]),
    "keys as a list": (lambda d: d.update(keys=[]), [("PE4304", "keys")]),
    "key without owner": (lambda d: d["keys"]["maria"].pop("owner"), [("PE4304", "keys.maria.owner")]),
    "key name": (lambda d: d["keys"].update({"a b": d["keys"]["maria"]}), [("PE4304", "keys.a b")]),
    "role name": (lambda d: d["roles"].update(Boss=d["roles"]["release"]), [("PE4304", "roles.Boss")]),
    "misspelt field": (
        lambda d: d["keys"]["maria"].update(revoked="2029-01-01T00:00:00Z"),
        [("PE4304", "keys.maria.revoked")],
    ),
    "no key in a role": (lambda d: d["roles"]["release"].update(keys=[]), [("PE4304", "roles.release.keys")]),
    "nothing to sign": (lambda d: d["roles"]["release"].update(may_sign=[]), [("PE4304", "roles.release.may_sign")]),
    "threshold 0": (lambda d: d["roles"]["release"].update(threshold=0), [("PE4304", "roles.release.threshold")]),
    "bad public key": (
        lambda d: d["keys"]["maria"].update(public_key="hello"),
        [("PE4305", "keys.maria.public_key")],
    ),
    "unknown key": (
        lambda d: d["roles"]["data_steward"].update(keys=["maria", "piet"]),
        [("PE4307", "roles.data_steward.keys[1]")],
    ),
    "key twice in a role": (
        lambda d: d["roles"]["data_steward"].update(keys=["maria", "maria"]),
        [("PE4307", "roles.data_steward.keys[1]")],
    ),
    "threshold out of reach": (
        lambda d: d["roles"]["data_steward"].update(threshold=3),
        [("PE4308", "roles.data_steward.threshold")],
    ),
    "threshold met by one key twice": (
        lambda d: d["roles"]["data_steward"].update(keys=["maria", "maria"], threshold=2),
        [("PE4307", "roles.data_steward.keys[1]"), ("PE4308", "roles.data_steward.threshold")],
    ),
    "empty window": (
        lambda d: d["keys"]["jan"].update(valid_from="2028-01-01T00:00:00Z", valid_until="2028-01-01T00:00:00Z"),
        [("PE4309", "keys.jan.valid_until")],
    ),
    "not a type": (
        lambda d: d["roles"]["release"].update(may_sign=["decision", "Datasheet"]),
        [("PE4310", "roles.release.may_sign[1]")],
    ),
    "misspelt type of ours": (
        lambda d: d["roles"]["release"].update(may_sign=["urn:ai-policy-engine:evidence:datasheet"]),
        [("PE4310", "roles.release.may_sign[0]")],
    ),
    "bad certificate": (lambda d: d.update(pdf_certificates=["x"]), [("PE4311", "pdf_certificates[0]")]),
    "three at once": (
        lambda d: (
            d["keys"]["jan"].update(public_key="x"),
            d["roles"]["release"].update(keys=["nobody"]),
            d.update(pdf_certificates=["x"]),
        ),
        [("PE4305", "keys.jan.public_key"), ("PE4307", "roles.release.keys[0]"), ("PE4311", "pdf_certificates[0]")],
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_problem_has_its_place(trust_document: dict[str, Any], name: str) -> None:
    change, expected = CHANGES[name]
    change(trust_document)
    as_json = _problems(json.dumps(trust_document).encode())
    assert [(code, path) for code, path, _ in as_json] == expected
    text = yaml.safe_dump(json.loads(json.dumps(trust_document)), sort_keys=False)
    as_yaml = _problems(text.encode())
    assert sorted((code, path) for code, path, _ in as_yaml) == sorted(expected)
    assert all(line is not None for _, _, line in as_yaml)


def test_lines_point_at_the_problem(trust_document: dict[str, Any]) -> None:
    trust_document["roles"]["data_steward"]["keys"] = ["maria", "piet"]
    text = yaml.safe_dump(trust_document, sort_keys=False)
    line = next(number for number, words in enumerate(text.splitlines(), 1) if "piet" in words)
    assert _problems(text.encode()) == [("PE4307", "roles.data_steward.keys[1]", line)]


def test_one_key_under_two_names_in_two_texts(trust_document: dict[str, Any], keys: dict[str, PrivateKey]) -> None:
    spki = base64.b64encode(keys["maria"].public_key.spki).decode()
    trust_document["keys"]["maria_again"] = {"public_key": spki, "owner": "Maria"}
    trust_document["roles"]["risk_board"]["keys"] = ["maria", "maria_again"]
    assert [code for code, _, _ in _problems(json.dumps(trust_document).encode())] == ["PE4306"]


def test_low_order_and_rsa_keys_are_refused_at_registration(
    trust_document: dict[str, Any], rsa_key: PrivateKey
) -> None:
    weak = base64.b64encode(bytes.fromhex("302a300506032b6570032100" + "01" + "00" * 31)).decode()
    for text in (weak, rsa_key.public_key.to_pem()):
        document = deepcopy(trust_document)
        document["keys"]["maria"]["public_key"] = text
        assert [code for code, _, _ in _problems(json.dumps(document).encode())] == ["PE4305"]


def test_root_certificates(trust_document: dict[str, Any], at: Callable[[str], datetime]) -> None:
    key = PrivateKey.generate(Algorithm.ECDSA_P256)
    root = create_authority(key, Holder("Root"), serial=1, not_before=at("2027-01-01"), not_after=at("2037-01-01"))
    trust_document["pdf_certificates"] = [root]
    assert parse_trust(json.dumps(trust_document).encode()).pdf_certificates == (root,)
    assert parse_trust(yaml.safe_dump(trust_document).encode()).pdf_certificates == (root,)


def test_an_expired_trust_file_is_refused(trust: Any, at: Callable[[str], datetime]) -> None:
    trust.require_current(at("2029-12-31"))
    with pytest.raises(TrustError) as refusal:
        trust.require_current(at("2030-01-01"))
    assert refusal.value.code == "PE4312"


def test_windows_are_half_open(keys: dict[str, PrivateKey], at: Callable[[str], datetime]) -> None:
    key = TrustedKey(
        "m", keys["maria"].public_key, "M", at("2027-01-01"), at("2028-01-01"), revoked_at=at("2027-06-01")
    )
    assert [key.valid_at(at(day)) for day in ("2026-12-31", "2027-01-01", "2027-05-31", "2027-06-01")] == [
        False,
        True,
        True,
        False,
    ]
    unrevoked = TrustedKey("m", keys["maria"].public_key, "M", None, at("2028-01-01"))
    assert [unrevoked.valid_at(at(day)) for day in ("2027-12-31", "2028-01-01")] == [True, False]


BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n"
YAML_ATTACKS = {
    "billion laughs": (BOMB, "PE4302", 1),
    "alias to itself": ("a: &a [*a]", "PE4302", 1),
    "alias without anchor": ("a: *nothing", "PE4302", 1),
    "anchor alone": ("format: 1\nversion: &v 3", "PE4302", 2),
    "anchor on the root": ("&x\na: 1", "PE4302", 1),
    "python tag": ("a: !!python/object/apply:os.system ['x']", "PE4302", 1),
    "harmless tag": ("a: !!str 1", "PE4302", 1),
    "non-specific tag": ("a: ! 1", "PE4302", 1),
    "tag on a mapping": ("a: !x {b: 1}", "PE4302", 1),
    "merge key": ("a: {b: 1}\nc:\n  <<: {b: 2}", "PE4302", 3),
    "duplicate key": ("format: 1\nformat: 1", "PE4303", 2),
    "duplicate key in another spelling": ('format: 1\n"for\\u006dat": 1', "PE4303", 2),
    "duplicate deep": ("keys:\n  a: {owner: x, owner: y}", "PE4303", 2),
    "two documents": ("a: 1\n---\na: 2", "PE4301", 2),
    "deep flow": ("a: " + "[" * 100_000, "PE4301", 1),
    "deep block": ("\n".join(" " * depth + "a:" for depth in range(100)), "PE4301", 17),
    "list as key": ("? [a]\n: b", "PE4301", 1),
    "mapping as key": ("? {a: b}\n: c", "PE4301", 1),
    "tab": ("a:\n\tb: 1", "PE4301", 2),
    "broken flow": ("a: [1, 2", "PE4301", 1),
    "broken quote": ("a: 'x", "PE4301", 1),
    "control character": ("a: \x01", "PE4301", None),
    "impossible escape": ('a: "\\UFFFFFFFF"', "PE4301", None),
    "half a surrogate pair": ('a: "\\ud800"', "PE4007", 1),
    "yes is not true": ("a: yes", "PE4302", 1),
    "Norway": ("a: no", "PE4302", 1),
    "True": ("a: True", "PE4302", 1),
    "octal": ("a: 010", "PE4302", 1),
    "hexadecimal": ("a: 0x10", "PE4302", 1),
    "underscores": ("a: 1_000", "PE4302", 1),
    "base 60": ("a: 12:30:45", "PE4302", 1),
    "fraction": ("a: 1.0", "PE4302", 1),
    "exponent": ("a: 1e3", "PE4302", 1),
    "infinity": ("a: .inf", "PE4302", 1),
    "not a number": ("a: .NaN", "PE4302", 1),
}


@pytest.mark.parametrize("name", YAML_ATTACKS)
def test_yaml_attacks(name: str) -> None:
    text, code, line = YAML_ATTACKS[name]
    found = _problems(text.encode())
    assert [(c, place) for c, _, place in found] == [(code, line)]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "PE4304"),
        (b"- 1", "PE4304"),
        (b"hello", "PE4304"),
        (b"{", "PE4003"),
        (b'{"format":1,"format":1}', "PE4004"),
        (b'{"version":1E400}', "PE4005"),
        (b"\xff\xfe", "PE4002"),
        (b"\xef\xbb\xbfformat: 1", "PE4002"),
        (b"# " + b"x" * MAX_BYTES, "PE4001"),
        (b"{" + b" " * MAX_BYTES, "PE4001"),
    ],
)
def test_files_that_are_something_else(data: bytes, code: str) -> None:
    assert {found for found, _, _ in _problems(data)} == {code}


def test_yaml_scalars_mean_what_they_look_like() -> None:
    tree = parse_tree(
        "a: 2030-01-01T00:00:00Z\nb: 12\nc: 'yes'\nd: null\ne:\nf: true\ng: -3\nh: 12 apples\ni: |\n  x\n"
    )
    assert tree.value == {
        "a": "2030-01-01T00:00:00Z",
        "b": 12,
        "c": "yes",
        "d": None,
        "e": None,
        "f": True,
        "g": -3,
        "h": "12 apples",
        "i": "x\n",
    }


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.dictionaries(st.text(min_size=1, max_size=6).filter(lambda key: key != "<<"), plain, min_size=1, max_size=4))
def test_our_subset_agrees_with_yaml(value: Any) -> None:
    class NoAliases(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    text = yaml.dump(value, Dumper=NoAliases)
    try:
        tree = parse_tree(text)
    except TrustError as refusal:
        # Only refusals that this subset is made for.
        assert refusal.code in {"PE4302", "PE4301"}
        return
    assert tree.value == yaml.safe_load(text)


@settings(deadline=None)
@given(st.text(alphabet="ab:-? []{},&*!|>'\"#%@`\n\t \\0x1", max_size=40) | st.text(max_size=40))
def test_arbitrary_text_is_read_or_refused(text: str) -> None:
    try:
        data = text.encode()
    except UnicodeEncodeError:
        return
    with pytest.raises(TrustError):
        parse_trust(data)
