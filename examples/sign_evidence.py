"""Play the people of an example: make their keys, the trust file, and the signed evidence that `evidence.yaml` lists.

    python examples/sign_evidence.py examples/eu-bank

In a real organisation each person makes their own key and signs on their own machine. Everything goes into the
example's folder `generated/`, which is made anew by each run and not kept in version control. Private keys are
encrypted with the passphrase in `POLICY_ENGINE_PASSPHRASE`; without it the demonstration's own is taken, which
protects nothing.
"""

import base64
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from policy_dsl.typed.tree import Program
from policy_engine.app.evaluate import compile_policies
from policy_engine.app.inputs import read_file
from policy_engine.app.start import ANY_ROLE, signed_by_role
from policy_engine.lineage.graph import Snapshot, subject_digests
from policy_engine.lineage.load import load_estate
from policy_engine.packs.library import library, select
from policy_engine.packs.profile import parse_profile
from policy_evidence.attest import sign_statement
from policy_evidence.predicates import WAIVER_TYPE, EvidencePredicate, WaiverPredicate, predicate_type_of
from policy_evidence.signing.certificates import Holder, create_authority, issue_certificate
from policy_evidence.signing.files import write_private_key
from policy_evidence.signing.keys import Algorithm, PrivateKey

DEMO_PASSPHRASE = "example-bank-demo"  # noqa: S105 - it protects nothing, and the manual says so
VALID_FROM, VALID_UNTIL = datetime(2000, 1, 1, tzinfo=UTC), datetime(2035, 1, 1, tzinfo=UTC)
OWN = {"assessor": ["decision", "bundle"], "waiver_board": ["waiver"]}
"""Roles that no rule asks for, and what they sign."""


class _Plain(yaml.SafeLoader):
    """Reads `on` as the text that it is, as inventories do; YAML 1.1 would take it for `true`."""


_Plain.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool" or first in "tTfF"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def sign(example: Path, passphrase: bytes, *, out: Path | None = None) -> int:
    """Replace the generated folder of an example, or write one elsewhere; return the number of signed files."""
    said: dict[str, Any] = yaml.load(read_file(example / "evidence.yaml"), _Plain)  # noqa: S506 - a safe loader
    profile = parse_profile(read_file(example / "profile.toml"), "profile.toml")
    snapshot = _snapshot(example, profile.sources)
    generated = out or example / "generated"
    shutil.rmtree(generated, ignore_errors=True)
    keys = {name: PrivateKey.generate(Algorithm.ED25519) for name in said["people"]}
    (generated / "keys").mkdir(parents=True)
    for name, key in keys.items():
        write_private_key(generated / "keys" / f"{name}.pem", key, passphrase)
    root = _report_certificate(generated / "keys", profile.organisation, passphrase)
    (generated / "trust.yaml").write_text(_trust(said["people"], keys, root), encoding="utf-8")
    (generated / "evidence").mkdir()
    files = dict(_signed(said, snapshot, keys))
    for name, data in files.items():
        (generated / "evidence" / f"{name}.json").write_bytes(data)
    return len(files)


def _snapshot(example: Path, patterns: Sequence[str]) -> Snapshot:
    """Return the estate as the engine reads it: evidence names the digest of the very thing that it is about."""
    paths = sorted({path for pattern in patterns for path in example.glob(pattern)})
    estate = load_estate({path.relative_to(example).as_posix(): read_file(path) for path in paths}, _library().schema)
    if estate.has_errors:
        sys.exit("\n".join(map(str, estate.problems)))
    return estate.snapshot


@cache
def _library() -> Program:
    return compile_policies(select(library(), {}).files, {})[0]


def _signed(said: Mapping[str, Any], snapshot: Snapshot, keys: Mapping[str, PrivateKey]) -> Iterator[tuple[str, bytes]]:
    for item in said["evidence"]:
        predicate = EvidencePredicate(
            issued=_day(item["issued"]),
            expires=_day(item["expires"]) if "expires" in item else None,
            fields={name: _field(value) for name, value in item.get("fields", {}).items()},
        )
        signers = [keys[name] for name in item["by"]]
        subjects = _digests(snapshot, item["on"])
        name = "-".join([item["type"], *subjects, *item["by"], str(item["issued"])])
        yield _file_name(name), sign_statement(subjects, predicate_type_of(item["type"]), predicate, signers)
    for item in said.get("waivers", ()):
        waiver = WaiverPredicate(
            rule=item["rule"],
            reason=item["reason"],
            approver=said["people"][item["by"][0]]["name"],
            ticket=item.get("ticket"),
            issued=_day(item["issued"]),
            expires=_day(item["expires"]),
        )
        subjects = _digests(snapshot, item["on"])
        signers = [keys[name] for name in item["by"]]
        yield _file_name(f"waiver-{item['rule']}-{item['on']}"), sign_statement(subjects, WAIVER_TYPE, waiver, signers)


def _digests(snapshot: Snapshot, on: str | list[str]) -> dict[str, Mapping[str, str]]:
    names = [on] if isinstance(on, str) else on
    unknown = [name for name in names if name not in snapshot.nodes]
    if unknown:
        sys.exit(f"evidence.yaml names what is not in the inventory: {', '.join(unknown)}")
    return {name: subject_digests(snapshot.nodes[name]) for name in names}


def _field(value: Any) -> Any:
    """Return a field as JSON has it: dates as text, lists as they are."""
    return value.isoformat() if isinstance(value, date) else tuple(value) if isinstance(value, list) else value


def _day(value: date) -> datetime:
    return value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)


def _file_name(text: str) -> str:
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in text)[:200]


def _trust(people: Mapping[str, Any], keys: Mapping[str, PrivateKey], root: str) -> str:
    """Return the trust file: each role may sign what some rule of the library wants signed in it."""
    wanted = dict(signed_by_role(_library()))
    anybody = wanted.pop(ANY_ROLE, ())
    lines = ["# Whose keys count for what. Made by sign_evidence.py.", "format: 1", "version: 1"]
    lines += [f"expires: {_instant(VALID_UNTIL)}", "keys:"]
    for name, key in keys.items():
        spki = base64.b64encode(key.public_key.spki).decode("ascii")
        lines += [f"  {name}:", f"    public_key: {spki}", f"    owner: {people[name]['name']}"]
        lines += [f"    valid_from: {_instant(VALID_FROM)}", f"    valid_until: {_instant(VALID_UNTIL)}"]
    lines.append("roles:")
    for role in sorted({role for person in people.values() for role in person["roles"]}):
        holders = [name for name, person in people.items() if role in person["roles"]]
        types = OWN.get(role) or [*wanted.get(role, ()), *anybody]
        lines += [f"  {role}:", f"    keys: [{', '.join(holders)}]", f"    may_sign: [{', '.join(types)}]"]
    lines += ["pdf_certificates:", "  - |", *(f"    {line}" for line in root.splitlines())]
    return "\n".join(lines) + "\n"


def _report_certificate(folder: Path, organisation: str, passphrase: bytes) -> str:
    """Make a small authority and the certificate that signs reports; return the authority's certificate."""
    authority, report = PrivateKey.generate(Algorithm.RSA), PrivateKey.generate(Algorithm.RSA)
    holder = Holder(f"{organisation} report authority", organisation, None)
    window = {"not_before": VALID_FROM, "not_after": VALID_UNTIL}
    root = create_authority(authority, holder, serial=1, **window)
    office = Holder("AI governance office", organisation, None)
    certificate = issue_certificate(authority, root, report.public_key, office, serial=2, **window)
    write_private_key(folder / "ca.pem", authority, passphrase)
    write_private_key(folder / "report.pem", report, passphrase)
    (folder / "ca.crt.pem").write_text(root)
    (folder / "report.crt.pem").write_text(certificate)
    return root


def _instant(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def main() -> None:
    """Sign the evidence of each example named on the command line."""
    passphrase = os.environ.get("POLICY_ENGINE_PASSPHRASE", DEMO_PASSPHRASE)
    if not sys.argv[1:]:
        sys.exit("usage: python examples/sign_evidence.py EXAMPLE...")
    for name in sys.argv[1:]:
        count = sign(Path(name), passphrase.encode())
        print(f"made keys, a trust file and {count} signed files in {Path(name) / 'generated'}")


if __name__ == "__main__":
    main()
