"""Packs as things that are published: what there is, who signed it, and whether it is still what was signed.

Rules:

- a signature names each pack by name, version and the digest of its file, and nothing else of the file's place;
- packs that are there and not signed, or signed and not there, are told like those that were changed;
- who may sign packs is said by the trust file: a role with `packs` in `may_sign`.

>>> PackState.CHANGED.value
'changed'
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from policy_dsl.typed.tree import PackInfo, Program, Rule
from policy_dsl.values import format_instant
from policy_engine.app.evaluate import compile_policies
from policy_engine.app.inputs import read_file
from policy_engine.model.errors import fault
from policy_engine.packs.library import is_policy_file, library, select
from policy_evidence.attest import sign_statement
from policy_evidence.canonical import JsonValue, canonical_bytes, digest
from policy_evidence.predicates import PACKS_TYPE, PacksPredicate, SignedPack
from policy_evidence.signing.keys import PrivateKey
from policy_evidence.trust.model import Trust
from policy_evidence.verify import Rejected, VerifiedStatement, verify_statement

LIST_FORMAT = "urn:ai-policy-engine:pack-list:v1"


@dataclass(frozen=True, slots=True)
class Packs:
    """Some packs compiled: their files by pack name, and what they say."""

    files: Mapping[str, bytes]
    program: Program

    @property
    def infos(self) -> tuple[PackInfo, ...]:
        """Return what the chosen packs say of themselves, by name."""
        return tuple(sorted((p for p in self.program.packs if p.name in self.files), key=lambda p: p.name))

    def rules_of(self, pack: str) -> tuple[Rule, ...]:
        """Return the rules of one pack, in the order of its text."""
        return tuple(rule for rule in self.program.rules.values() if rule.pack == pack)

    def first_day(self, pack: str) -> str:
        """Return the day from which the first rule of a pack is in force; empty where none begins."""
        return day(min((rule.start for rule in self.rules_of(pack) if rule.start is not None), default=None))


def day(at: datetime | None) -> str:
    """Return an instant as a day where it is the beginning of one; empty for none."""
    return format_instant(at).removesuffix("T00:00:00Z") if at is not None else ""


def packs_to_json(packs: Packs) -> bytes:
    """Return a list of packs as canonical JSON; docs/adopting.md describes it."""
    rows: list[JsonValue] = [
        {
            "name": info.name,
            "version": info.version,
            "title": info.title,
            "framework": info.framework,
            "rules": len(packs.rules_of(info.name)),
            "in_force_from": packs.first_day(info.name),
            "sha256": digest(packs.files[info.name]),
        }
        for info in packs.infos
    ]
    return canonical_bytes({"format": LIST_FORMAT, "packs": rows})


def packs_of(places: Iterable[str], cache: Path | None = None) -> Packs:
    """Return packs by place: the name of a library pack, a file, or a folder of files; all of the library for none.

    Raises:
        InputError: PE0004 or PE3906, there is no pack there; or a policy has errors.
    """
    names: list[str] = []
    own: dict[str, bytes] = {}
    for place in places:
        path = Path(place)
        if is_policy_file(path.name) or path.is_dir():
            own |= _files(path)
        else:
            names.append(place)
    # A pack that is looked at stands in the place of the library's own of that name.
    chosen = select(names or ([] if own else library()), own)
    program, _ = compile_policies(chosen.files, {}, cache)
    # By the compiler's word: a look at the first line does not see every way to write a name.
    looked_at = [info for info in program.packs if info.name in chosen.selected or info.file in chosen.own]
    return Packs({info.name: chosen.files[info.file] for info in looked_at}, program)


def _files(path: Path) -> dict[str, bytes]:
    paths = sorted(_policy_files(path)) if path.is_dir() else [path]
    found = {str(each): read_file(each) for each in paths}
    if not found:
        hint = "a pack is a .policy file that begins with `policy NAME`"
        raise fault("PE3906", f"`{path}` holds no pack", help=hint)
    return found


def _policy_files(folder: Path) -> Iterator[Path]:
    """Yield the policy files in a folder and those below it; a folder that cannot be listed is not an empty one."""

    def refuse(error: OSError) -> None:
        reason = (error.strerror or "unknown reason").lower()
        raise fault("PE0002", f"`{error.filename}` cannot be read: {reason}") from error

    for place, _, names in os.walk(folder, onerror=refuse):
        yield from (Path(place, name) for name in names if is_policy_file(name))


# --- signatures ----------------------------------------------------------------------------------------------


class PackState(StrEnum):
    """How a pack stands to what was signed."""

    SIGNED = "signed"
    CHANGED = "changed"
    NOT_SIGNED = "not_signed"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class CheckedPack:
    """A pack that is there, or was signed, and how the two stand to each other."""

    name: str
    version: str
    state: PackState


@dataclass(frozen=True, slots=True)
class PackCheck:
    """Who signed, when, and every pack."""

    issued: datetime
    signers: tuple[str, ...]
    packs: tuple[CheckedPack, ...]

    @property
    def holds(self) -> bool:
        """Whether exactly what was signed is there."""
        return all(pack.state is PackState.SIGNED for pack in self.packs)


def sign_packs(packs: Packs, issued: datetime, keys: Sequence[PrivateKey]) -> bytes:
    """Return the signature file of packs, signed with each key."""
    subjects = {name: {"sha256": digest(data).removeprefix("sha256:")} for name, data in packs.files.items()}
    listed = tuple(SignedPack(name=info.name, version=info.version) for info in packs.infos)
    return sign_statement(subjects, PACKS_TYPE, PacksPredicate(format=1, issued=issued, packs=listed), keys)


def verify_packs(packs: Packs, signature: bytes, trust: Trust, at: datetime) -> PackCheck:
    """Compare packs with a signature, by a trust file, at an instant.

    Raises:
        InputError: PE3904, the signature does not count; the message says at which step.
    """
    found = verify_statement(signature, trust, PACKS_TYPE)
    if isinstance(found, Rejected):
        raise fault("PE3904", f"the signature does not count: {found.message} ({found.code})", help=found.help)
    if at < found.issued:
        raise fault("PE3904", f"the signature is dated {format_instant(found.issued)}, which is still to come")
    if found.counts_until is not None and at >= found.counts_until:
        raise fault("PE3904", f"the signature no longer counts since {format_instant(found.counts_until)}")
    return PackCheck(found.issued, tuple(s.owner for s in found.signers), tuple(_checked(packs, found)))


def _checked(packs: Packs, found: VerifiedStatement) -> Iterable[CheckedPack]:
    assert isinstance(found.predicate, PacksPredicate)  # noqa: S101 - the type was asked for
    signed = {subject.name: subject.digest.get("sha256") for subject in found.statement.subjects if subject.name}
    versions = {pack.name: pack.version for pack in found.predicate.packs}
    here = {info.name: info.version for info in packs.infos}
    for name in sorted({*signed, *versions, *packs.files}):
        if name not in packs.files:
            yield CheckedPack(name, versions.get(name, ""), PackState.MISSING)
        elif name not in signed or name not in versions:
            yield CheckedPack(name, here[name], PackState.NOT_SIGNED)
        else:
            same = digest(packs.files[name]) == f"sha256:{signed[name]}" and here[name] == versions[name]
            yield CheckedPack(name, here[name], PackState.SIGNED if same else PackState.CHANGED)
