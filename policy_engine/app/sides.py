"""What a comparison may compare: a profile, a folder, an inventory, a bundle, or a snapshot in a store.

A bundle brings its own policies, evidence, trust file and instant. Its decision must be signed by a key of that trust
file; whether that file deserves trust is for ``policy-engine verify`` to say. A stored snapshot brings facts alone:
policies and evidence are those of the other side.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from policy_engine.app.assess import DECISION_NAME, PROFILE_MEMBER, SNAPSHOT_NAME, TRUST_MEMBER
from policy_engine.app.bundle_inputs import bundle_inputs
from policy_engine.app.evaluate import Evaluation, compile_policies, evaluate, evaluate_snapshot
from policy_engine.app.inputs import Inputs, read_file, read_inputs
from policy_engine.app.store import evaluate_stored
from policy_engine.lineage.snapshot import from_bytes
from policy_engine.model.errors import fault
from policy_engine.packs.library import PackFiles, is_policy_file, library, pack_name, packs_used
from policy_evidence.bundle.archive import read_bundle
from policy_evidence.errors import BundleError, TrustError
from policy_evidence.predicates import DECISION_TYPE, DecisionPredicate
from policy_evidence.trust.document import parse_trust
from policy_evidence.verify import Rejected, verify_statement

if TYPE_CHECKING:
    from policy_engine.lineage.store.store import Which

BUNDLE_SUFFIX = ".zip"


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison, read from disk once; ``snapshot`` and ``at`` are those of a bundle.

    ``stored`` is a store and which of its snapshots is meant.
    """

    inputs: Inputs
    snapshot: bytes | None = None
    at: datetime | None = None
    stored: "tuple[str, Which] | None" = None

    def evaluate(self, at: datetime) -> Evaluation:
        """Run everything at an instant."""
        if self.stored is not None:
            return evaluate_stored(self.inputs, *self.stored, at)
        if self.snapshot is None:
            return evaluate(self.inputs, at)
        program, found = compile_policies(self.inputs.packs.files, self.inputs.profile.parameters, self.inputs.cache)
        return evaluate_snapshot(self.inputs, at, program, from_bytes(self.snapshot, program.schema), (), found)


def read_side(target: Path, packs: tuple[str, ...] = (), *, cache: Path | None = None) -> Side:
    """Read a target.

    Raises:
        InputError: it is not there, or is nothing that can be compared.
    """
    if target.suffix != BUNDLE_SUFFIX:
        return Side(read_inputs(target, packs, cache=cache))
    if packs:
        raise fault("PE0007", "`--pack` cannot replace the policies of a bundle", help="leave it out")
    try:
        members = read_bundle(read_file(target))
    except BundleError as error:
        raise fault(error.code, error.message, str(target)) from error
    missing = [n for n in (DECISION_NAME, PROFILE_MEMBER, SNAPSHOT_NAME, TRUST_MEMBER) if n not in members]
    if missing:
        listed = ", ".join(f"`{name}`" for name in missing)
        raise fault(
            "PE3613", f"the bundle has no {listed}", str(target), help="only the bundle of an assessment has it"
        )
    return Side(replace(bundle_inputs(members), cache=cache), members[SNAPSHOT_NAME], _instant(members, target))


def _instant(members: dict[str, bytes], target: Path) -> datetime:
    try:
        trust = parse_trust(members[TRUST_MEMBER])
    except TrustError as error:
        raise fault("PE3613", f"the trust file of the bundle cannot be used: {error.message}", str(target)) from error
    found = verify_statement(members[DECISION_NAME], trust, DECISION_TYPE)
    if isinstance(found, Rejected):
        raise fault("PE3613", f"the decision of the bundle does not count: {found.message} ({found.code})", str(target))
    assert isinstance(found.predicate, DecisionPredicate)  # noqa: S101 - the type was asked for
    return found.predicate.instant


def stored_side(place: str, which: "Which", other: Side) -> Side:
    """Return a stored snapshot as a side, judged by the policies and the evidence of another."""
    return Side(other.inputs, stored=(place, which))


def with_packs(side: Side, files: tuple[Path, ...]) -> Side:
    """Return a side on which pack files are tried: each in the place of the pack of its name, or besides the others.

    Even a pack of the library may be replaced here, because nothing of this is signed.

    Raises:
        InputError: PE3615, a file is no pack.
    """
    for file in files:
        data = read_file(file)
        name = pack_name(file.name, data)
        if name is None or not is_policy_file(file.name):
            raise fault(
                "PE3615", f"`{file}` is no pack", help="a pack is a .policy file that begins with `policy NAME`"
            )
        packs = side.inputs.packs
        kept = {f: d for f, d in packs.files.items() if pack_name(f, d) != name} | {str(file): data}
        tried = PackFiles(
            _with_used(kept),
            packs.selected | {name},
            frozenset(packs.own & set(kept)) | {str(file)},
            tuple((version, of & set(kept)) for version, of in packs.versions),
        )
        side = replace(side, inputs=replace(side.inputs, packs=tried))
    return side


def _with_used(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return policy files with those of the library that they use."""
    found = dict(files)
    names = {pack_name(file, data) for file, data in files.items()}
    waiting = [used for file, data in files.items() for used in packs_used(file, data)]
    while waiting:
        name = waiting.pop()
        if name in library() and name not in names:
            names.add(name)
            file, data = library()[name]
            found[file] = data
            waiting += packs_used(file, data)
    return dict(sorted(found.items()))
