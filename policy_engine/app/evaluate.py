"""Inputs and an instant in, results out: compiles, loads, verifies, evaluates, applies waivers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from policy_dsl.collector import without_search_for_cycles
from policy_dsl.diagnostics import Diagnostic, Severity, did_you_mean, render_text
from policy_dsl.resolved.symbols import parse_version
from policy_dsl.typed.schema import Schema
from policy_dsl.typed.tree import Program
from policy_dsl.values import Value
from policy_dsl.words import SEVERITIES
from policy_engine.app.inputs import Inputs
from policy_engine.evaluation.point.evaluate import PointEvaluator
from policy_engine.evaluation.waivers import WaiverUse, apply_waivers
from policy_engine.evaluation.world import World
from policy_engine.lineage.binding import Misfit, read_value
from policy_engine.lineage.graph import Snapshot, subject_digests
from policy_engine.lineage.load import load_estate
from policy_engine.model.errors import Fault, InputError
from policy_engine.model.evidence import Evidence, EvidenceSet, Waiver
from policy_engine.model.problems import Problem
from policy_engine.model.progress import Progress, counted, silent
from policy_engine.model.results import Result, Status, Verdict, verdict_of
from policy_engine.packs.cache import compile_cached
from policy_engine.packs.library import PackFiles
from policy_engine.packs.profile import Enforcement, Profile
from policy_evidence.errors import TrustError
from policy_evidence.trust.document import parse_trust
from policy_evidence.trust.model import Trust
from policy_evidence.verify import Digests, Rejected, VerifiedEvidence, VerifiedWaiver, verify_evidence

NOT_IN_INVENTORY = "PE4405"


@dataclass(frozen=True, slots=True)
class JudgedEvidence:
    """Everything said by the evidence files: what counts, and what does not and why."""

    verified: tuple[VerifiedEvidence, ...] = ()
    waivers: tuple[VerifiedWaiver, ...] = ()
    rejected: tuple[tuple[str, Rejected], ...] = ()
    problems: tuple[Problem, ...] = ()
    unjudged: int = 0
    """How many files there was no trust file for."""
    usable: EvidenceSet = field(default_factory=EvidenceSet)

    @property
    def counted(self) -> tuple[VerifiedEvidence | VerifiedWaiver, ...]:
        """Everything that passed verification, each for the time it counts."""
        return (*self.verified, *self.waivers)

    @property
    def unverifiable(self) -> tuple[tuple[str, Rejected], ...]:
        """The rejected files, without those that are merely about something outside this inventory."""
        return tuple((file, r) for file, r in self.rejected if r.code != NOT_IN_INVENTORY)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A finished run."""

    inputs: Inputs
    at: datetime
    program: Program
    snapshot: Snapshot
    trust: Trust | None
    evidence: JudgedEvidence
    results: tuple[Result, ...]
    waivers: tuple[WaiverUse, ...]
    problems: tuple[Problem, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def verdict(self) -> Verdict:
        """What all results together say."""
        return verdict_of({r.status for r in self.results})

    def count(self, status: Status) -> int:
        """Return how many results have a status."""
        return sum(r.status is status for r in self.results)


@dataclass(frozen=True, slots=True)
class Ready:
    """Inputs that are checked and verified, so that nothing is left but to evaluate them."""

    trust: Trust | None
    evidence: JudgedEvidence
    world: World
    waivers: tuple[Waiver, ...]


@dataclass(frozen=True, slots=True)
class Verified:
    """Policies that a profile selects, and the evidence and waivers that count: all of a run but its facts."""

    trust: Trust | None
    evidence: JudgedEvidence
    program: Program
    waivers: tuple[Waiver, ...]


@without_search_for_cycles()
def evaluate(inputs: Inputs, at: datetime, *, strict: bool = False, progress: Progress = silent) -> Evaluation:
    """Run everything at an instant.

    Raises:
        InputError: policies, inventory or trust file have errors; all of them are listed.
    """
    progress.stage("compiling")
    program, diagnostics = compile_policies(inputs.packs.files, inputs.profile.parameters, inputs.cache)
    progress.stage("loading")
    estate = load_estate(inputs.sources, program.schema, strict=strict)
    if estate.has_errors:
        raise InputError([_rendered(p) for p in estate.problems])
    return evaluate_snapshot(inputs, at, program, estate.snapshot, estate.problems, diagnostics, progress=progress)


@without_search_for_cycles()
def evaluate_snapshot(
    inputs: Inputs,
    at: datetime,
    program: Program,
    snapshot: Snapshot,
    problems: tuple[Problem, ...] = (),
    diagnostics: tuple[Diagnostic, ...] = (),
    *,
    progress: Progress = silent,
) -> Evaluation:
    """Run compiled policies over a snapshot: the part that a replay repeats."""
    ready = make_ready(inputs, at, program, snapshot, progress=progress)
    world = ready.world
    results, uses = apply_waivers(
        _results(world, at, progress), ready.waivers, at, lambda w: refused_waiver(w, inputs.profile, world.program)
    )
    return Evaluation(
        inputs=inputs,
        at=at,
        program=world.program,
        snapshot=snapshot,
        trust=ready.trust,
        evidence=ready.evidence,
        results=tuple(results),
        waivers=tuple(uses),
        problems=(*problems, *ready.evidence.problems),
        diagnostics=diagnostics,
    )


def make_ready(
    inputs: Inputs, at: datetime, program: Program, snapshot: Snapshot, *, progress: Progress = silent
) -> Ready:
    """Check the profile against the policies and verify the evidence: all that comes before evaluating.

    Raises:
        InputError: the profile asks for what the policies or the trust file do not have.
    """
    subjects = {node.id: subject_digests(node) for node in snapshot.nodes.values()}
    found = verify_inputs(inputs, at, program, subjects, progress=progress)
    world = World(found.program, snapshot, found.evidence.usable)
    return Ready(found.trust, found.evidence, world, found.waivers)


def verify_inputs(
    inputs: Inputs, at: datetime, program: Program, subjects: Mapping[str, Digests], *, progress: Progress = silent
) -> Verified:
    """Check the profile against the policies, and the evidence against digests of things, wherever these are kept.

    Raises:
        InputError: the profile asks for what the policies or the trust file do not have.
    """
    _check_enforcement(inputs.profile, program)
    _check_versions(inputs.packs, program)
    trust = read_trust(inputs.trust, at, inputs.profile.trust) if inputs.trust is not None else None
    if trust is not None:
        _check_waiver_roles(inputs.profile, trust)
    judged = judge_against(inputs.evidence, trust, subjects, program.schema, progress=progress)
    own = {pack.name for pack in program.packs if pack.file in inputs.packs.own}
    return Verified(trust, judged, program.only(inputs.packs.selected | own), usable_waivers(judged))


def _results(world: World, at: datetime, progress: Progress) -> Iterator[Result]:
    progress.stage("evaluating", sum(len(world.subjects(rule)) for rule in world.program.rules.values()))
    for result in PointEvaluator(world).evaluate_all(at):
        progress.step(result.rule)
        yield result


def refused_waiver(waiver: Waiver, profile: Profile, program: Program) -> str | None:
    """Say why the profile does not accept a verified waiver, or nothing when it does."""
    rule = program.rules.get(waiver.rule)
    if rule is not None and profile.enforcement_of(rule.name, rule.severity) is Enforcement.MANDATORY:
        return "the profile makes the rule mandatory"
    if profile.waivers.roles and not waiver.roles & set(profile.waivers.roles):
        return f"the profile accepts waivers signed as {' or '.join(profile.waivers.roles)} only"
    days = profile.waivers.max_days
    if days is not None and waiver.counts_until > waiver.issued + timedelta(days=days):
        return f"it runs for longer than the {days} days that the profile allows"
    return None


def _check_enforcement(profile: Profile, program: Program) -> None:
    """Refuse an `enforcement` of no rule, pack or severity: a misspelt one would enforce nothing."""
    packs = {pack.name for pack in program.packs}
    above = {".".join(name.split(".")[:n]) for name in packs for n in range(1, name.count(".") + 2)}
    known = {*program.rules, *packs, *above, *SEVERITIES}
    wrong = [name for name in profile.enforcement if name not in known]
    if wrong:
        message = "`enforcement` names `{}`, and there is no such rule, pack or severity"
        raise InputError([str(Fault("PE0003", message.format(name), help=did_you_mean(name, known))) for name in wrong])


def _check_waiver_roles(profile: Profile, trust: Trust) -> None:
    """Refuse rules for waivers that name a role which the trust file does not have."""
    wrong = [role for role in profile.waivers.roles if role not in trust.roles]
    if wrong:
        message = "`waivers.roles` names `{}`, and the trust file has no such role"
        raise InputError([str(Fault("PE0003", message.format(r), help=did_you_mean(r, trust.roles))) for r in wrong])


def _check_versions(packs: PackFiles, program: Program) -> None:
    """Refuse packs that are not of the version that the profile asks for: of its major version, and not below it."""
    faults: list[str] = []
    for version, files in packs.versions:
        wanted = parse_version(version)
        if wanted is None:
            faults.append(str(Fault("PE0003", f"`{version}` is not a version", help="write it as `pack@1.2`")))
            continue
        for pack in program.packs:
            found = parse_version(pack.version)
            if pack.file in files and (found is None or found[0] != wanted[0] or found < wanted):
                has = pack.version or "without a version"
                faults.append(str(Fault("PE2016", f"`{pack.name}` is {has}, and {version} is asked for")))
    if faults:
        raise InputError(faults)


def compile_policies(
    files: Mapping[str, bytes], parameters: Mapping[str, str], cache: Path | None = None
) -> tuple[Program, tuple[Diagnostic, ...]]:
    """Compile policy files; warnings are returned, errors raised together.

    Raises:
        InputError: a policy has an error.
    """
    program, found = compile_cached(files, parameters, cache)
    if any(d.severity is Severity.ERROR for d in found):
        raise InputError([render_text(d, program.files) for d in found])
    return program, found


def read_trust(data: bytes, at: datetime, place: str) -> Trust:
    """Read a trust file and require that it has not expired.

    Raises:
        InputError: the file has problems, or its time is over.
    """
    try:
        trust = parse_trust(data)
        trust.require_current(at)
    except TrustError as error:
        raise InputError(
            [f"{place}: error[{p.code}]: {p}" + (f"\n  help: {p.help}" if p.help else "") for p in error.problems]
        ) from error
    return trust


def judge_evidence(
    files: Mapping[str, bytes],
    trust: Trust | None,
    snapshot: Snapshot,
    schema: Schema,
    *,
    progress: Progress = silent,
) -> JudgedEvidence:
    """Verify every evidence file against a snapshot; nothing unverified reaches a rule."""
    subjects = {node.id: subject_digests(node) for node in snapshot.nodes.values()}
    return judge_against(files, trust, subjects, schema, progress=progress)


def judge_against(
    files: Mapping[str, bytes],
    trust: Trust | None,
    subjects: Mapping[str, Digests],
    schema: Schema,
    *,
    progress: Progress = silent,
) -> JudgedEvidence:
    """Verify every evidence file against the digests of things."""
    if trust is None:
        message = "the profile names evidence but no `trust`, so none of it counts"
        unjudged = tuple(Problem("PE3203", Severity.WARNING, message, file) for file in files)
        return JudgedEvidence(problems=unjudged[:1], unjudged=len(unjudged))
    verified: list[VerifiedEvidence] = []
    waivers: list[VerifiedWaiver] = []
    rejected: list[tuple[str, Rejected]] = []
    problems: list[Problem] = []
    usable: list[Evidence] = []
    for file, data in counted(files.items(), "verifying", len(files), progress):
        for record in verify_evidence(data, trust, subjects):
            match record:
                case VerifiedEvidence():
                    verified.append(record)
                    usable += _usable(record, file, schema, problems)
                case VerifiedWaiver():
                    waivers.append(record)
                case Rejected():
                    rejected.append((file, record))
    return JudgedEvidence(
        tuple(verified), tuple(waivers), tuple(rejected), tuple(problems), usable=EvidenceSet.of(usable)
    )


def _usable(record: VerifiedEvidence, file: str, schema: Schema, problems: list[Problem]) -> list[Evidence]:
    """Return evidence with its fields as values of the schema; a field that does not fit is reported, and unknown."""
    declared = schema.evidence.get(record.type)
    if declared is None:
        message = f"no pack declares evidence of type `{record.type}`, so no rule can ask for it"
        problems.append(Problem("PE3201", Severity.WARNING, message, file))
        return []
    fields: dict[str, Value] = {}
    for name, raw in record.fields.items():
        attribute = declared.fields.get(name)
        value = read_value(list(raw) if isinstance(raw, tuple) else exact(raw), attribute.type) if attribute else None
        if attribute is None or value is None or isinstance(value, Misfit):
            wanted = f"must be {value.expected}" if isinstance(value, Misfit) else "is not declared"
            message = f"field `{name}` of evidence `{record.type}` {wanted}, so it is not known"
            problems.append(Problem("PE3202", Severity.WARNING, message, file))
            continue
        fields[name] = value
    signers = tuple(frozenset(s.roles) for s in record.signers)
    return [
        Evidence(
            record.digest,
            record.type,
            record.subject,
            record.issued,
            record.counts_from,
            record.counts_until,
            fields,
            signers,
        )
    ]


def exact(raw: object) -> object:
    """Return a JSON number as the exact decimal that was written, since the language knows no binary fractions."""
    from decimal import Decimal

    return Decimal(repr(raw)) if isinstance(raw, float) else raw


def usable_waivers(judged: JudgedEvidence) -> tuple[Waiver, ...]:
    """Return the verified waivers as evaluation sees them, whether the profile accepts them or not."""
    return tuple(_waiver(record) for record in judged.waivers)


def _waiver(record: VerifiedWaiver) -> Waiver:
    return Waiver(
        digest=record.digest,
        rule=record.rule,
        subject=record.subject,
        reason=record.reason,
        approver=record.approver,
        ticket=record.ticket,
        issued=record.issued,
        counts_from=record.counts_from,
        counts_until=min(record.counts_until, record.expires) if record.counts_until else record.expires,
        roles=frozenset(role for signer in record.signers for role in signer.roles),
    )


def _rendered(problem: Problem) -> str:
    return f"{problem}\n  help: {problem.help}" if problem.help else str(problem)
