"""A check that is kept up to date: files that change, events that say what changed, and time.

Rules:

- what is shown at any moment is what ``check`` would say of the same facts at the same instant;
- policies, parameters and the rest of the profile are the ground of everything: when they change, all is decided anew;
- whatever cannot be used changes nothing, and the last good state stays;
- evidence that an event brings is verified like any other, and again when the thing that it is about becomes another.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from policy_dsl.typed.types import Simple
from policy_dsl.values import format_instant
from policy_engine.app.evaluate import (
    Evaluation,
    JudgedEvidence,
    Ready,
    compile_policies,
    judge_evidence,
    make_ready,
    refused_waiver,
    usable_waivers,
)
from policy_engine.app.impact import Difference, compare
from policy_engine.app.inputs import Inputs
from policy_engine.app.watch_events import (
    Batch,
    EvidenceAdded,
    EvidenceEvent,
    EvidenceWithdrawn,
    GraphEvent,
    InstantReached,
    changes_of,
    read_event,
)
from policy_engine.app.watch_reasons import changed_by_facts, changed_by_time
from policy_engine.evaluation.incremental.changes import LiveChange
from policy_engine.evaluation.incremental.differences import (
    differences,
    differences_of_evidence,
    differences_of_waivers,
)
from policy_engine.evaluation.incremental.evaluation import ChangedResult, LiveEvaluation
from policy_engine.evaluation.incremental.facts import LiveFacts
from policy_engine.evaluation.waivers import apply_waivers
from policy_engine.lineage.binding import read_value
from policy_engine.lineage.load import load_estate
from policy_engine.model.errors import InputError, fault
from policy_engine.model.evidence import Waiver
from policy_engine.model.progress import Progress, silent
from policy_engine.model.results import Status, Verdict, verdict_of
from policy_evidence.canonical import JsonValue, canonical_bytes
from policy_evidence.errors import TrustError

FORMAT = "urn:ai-policy-engine:watch:v1"


@dataclass(frozen=True, slots=True)
class Standing:
    """What all results together say."""

    at: datetime
    verdict: Verdict
    counts: tuple[tuple[Status, int], ...]


@dataclass(frozen=True, slots=True)
class Update:
    """What became different at an instant, and how things stand since."""

    standing: Standing
    changes: tuple[Difference, ...] = ()
    other_grounds: int = 0
    """How many results kept their status and rest on something else."""
    notes: tuple[str, ...] = ()
    """What of the input does not count, or is doubtful, and was not said before."""


class Watch:
    """A run that is kept up to date."""

    def __init__(self, inputs: Inputs, at: datetime, *, strict: bool = False, progress: Progress = silent) -> None:
        self._strict = strict
        self._load(inputs, at, progress)

    def _load(self, inputs: Inputs, at: datetime, progress: Progress) -> None:
        progress.stage("compiling")
        program, diagnostics = compile_policies(inputs.packs.files, inputs.profile.parameters, inputs.cache)
        progress.stage("loading")
        estate = load_estate(inputs.sources, program.schema, strict=self._strict)
        if estate.has_errors:
            raise InputError([f"{p}\n  help: {p.help}" if p.help else str(p) for p in estate.problems])
        ready = make_ready(inputs, at, program, estate.snapshot, progress=progress)
        waivers = _accepted(ready.waivers, inputs, ready)
        self._live = LiveEvaluation(ready.world, at, waivers, progress=progress)
        self._inputs, self._compiled, self._diagnostics = inputs, program, diagnostics
        self._snapshot, self._problems = estate.snapshot, estate.problems
        self._ready, self._waivers = ready, ready.waivers
        self.trust_is_over = False
        """Whether time went on until the trust file ended, so that a check would refuse it."""

    # --- what is so ------------------------------------------------------------------------------------

    @property
    def at(self) -> datetime:
        """The instant that was reached."""
        return self._live.at

    @property
    def next_turn(self) -> datetime | None:
        """When a result may change with time alone, if one may."""
        return self._live.next_turn

    @property
    def decisions(self) -> int:
        """How many results were decided since everything was last decided anew, and then."""
        return self._live.decisions

    def standing(self) -> Standing:
        """Return what all results together say."""
        counts = tuple((status, self._live.count(status)) for status in Status)
        return Standing(self.at, verdict_of({status for status, number in counts if number}), counts)

    def evaluation(self) -> Evaluation:
        """Return everything as a finished run."""
        live, world = self._live, self._live.world()
        profile, program = self._inputs.profile, live.program
        results, uses = apply_waivers(
            live.decided(), self._waivers, live.at, lambda waiver: refused_waiver(waiver, profile, program)
        )
        return Evaluation(
            inputs=self._inputs,
            at=live.at,
            program=program,
            snapshot=world.snapshot,
            trust=self._ready.trust,
            evidence=self._ready.evidence,
            results=tuple(results),
            waivers=tuple(uses),
            problems=(*self._problems, *self._ready.evidence.problems),
            diagnostics=self._diagnostics,
        )

    # --- what changes ----------------------------------------------------------------------------------

    def advance(self, at: datetime) -> Iterator[Update]:
        """Go on to a later instant, and yield what changes on the way, at each instant at which something does.

        Raises:
            InputError: the instant is not a later one.
        """
        while (turn := self._live.next_turn) is not None and turn <= at:
            changed = self._live.advance(turn)
            yield self._update(changed, changed_by_time(self._live, changed))
        self._live.advance(at)
        over = self._end_of_trust()
        if over and not self.trust_is_over:
            self.trust_is_over = True
            yield self._update((), (), over)

    def _end_of_trust(self) -> tuple[str, ...]:
        """Say that the trust file is over, as ``check`` would; the evidence counts on until there is a newer one."""
        try:
            if self._ready.trust is not None:
                self._ready.trust.require_current(self.at)
        except TrustError as error:
            return tuple(f"{self._inputs.profile.trust}: error[{p.code}]: {p}" for p in error.problems)
        return ()

    def reload(self, inputs: Inputs) -> Update:
        """Take files as they are now, and return what follows.

        Raises:
            InputError: they cannot be used, and everything stays as it was.
        """
        old = self._inputs
        if (inputs.packs, inputs.profile) != (old.packs, old.profile):
            before = self.evaluation()
            self._load(inputs, self.at, silent)
            found = compare(before, self.evaluation())
            return Update(self.standing(), found.differences, found.other_grounds, self._notes(before.evidence))
        snapshot, problems = self._snapshot, self._problems
        if inputs.sources != old.sources:
            estate = load_estate(inputs.sources, self._compiled.schema, strict=self._strict)
            if estate.has_errors:
                raise InputError([f"{p}\n  help: {p.help}" if p.help else str(p) for p in estate.problems])
            snapshot, problems = estate.snapshot, estate.problems
        ready = make_ready(inputs, self.at, self._compiled, snapshot)
        lineage = differences(self._snapshot, snapshot)
        accepted = _accepted(ready.waivers, inputs, ready)
        changed = self._live.apply([*lineage, *self._judged_otherwise(ready, accepted)])
        judged = self._ready.evidence
        new = tuple(str(problem) for problem in problems if problem not in self._problems)
        self._inputs, self._snapshot, self._problems = inputs, snapshot, problems
        self._ready, self._waivers, self.trust_is_over = ready, ready.waivers, False
        differing = changed_by_facts(self._live.program, changed)
        return self._update(changed, differing, (*new, *self._notes(judged)))

    def receive(self, line: bytes, place: str, *, moves_time: bool = True) -> Iterator[Update]:
        """Take an event, and yield what follows.

        Raises:
            InputError: the event cannot be used, and everything stays as it was.
        """
        event = read_event(line, place)
        try:
            if isinstance(event, InstantReached):
                yield from self.advance(_instant(event.at, moves_time=moves_time))
                return
            yield self._made(event.changes if isinstance(event, Batch) else [event])
        except InputError as error:
            raise InputError([f"{place}: {report}" for report in error.reports]) from None

    def _made(self, events: Iterable[GraphEvent | EvidenceEvent]) -> Update:
        files, graph = dict(self._inputs.evidence), list[LiveChange]()
        for event in events:
            if isinstance(event, EvidenceAdded | EvidenceWithdrawn):
                _change_files(files, event)
            else:
                graph += changes_of(event)
        judged: list[JudgedEvidence] = []

        def following(facts: LiveFacts) -> Iterator[LiveChange]:
            # Evidence names the digest or the identity of a thing, so any change of a thing may be one of evidence.
            snapshot = facts.snapshot()
            judged.append(judge_evidence(files, self._ready.trust, snapshot, self._compiled.schema))
            yield from differences_of_evidence(facts.evidence(), judged[0].usable, snapshot.nodes)
            waivers = _accepted(usable_waivers(judged[0]), self._inputs, self._ready)
            yield from differences_of_waivers(facts.all_waivers(), waivers)

        needed = files != self._inputs.evidence or (files and any(_is_of_identity(change) for change in graph))
        changed = self._live.apply(graph, following if needed else None)
        before = self._ready.evidence
        if judged:
            self._inputs = replace(self._inputs, evidence=files)
            self._waivers = usable_waivers(judged[0])
            self._ready = replace(self._ready, evidence=judged[0])
        return self._update(changed, changed_by_facts(self._live.program, changed), self._notes(before))

    def _judged_otherwise(self, ready: Ready, accepted: tuple[Waiver, ...]) -> list[LiveChange]:
        old = self._ready.world.evidence
        evidence = differences_of_evidence(old, ready.world.evidence, ready.world.snapshot.nodes)
        return [*evidence, *differences_of_waivers(self._live.waivers(), accepted)]

    def _update(
        self, changed: Iterable[ChangedResult], differing: tuple[Difference, ...], notes: tuple[str, ...] = ()
    ) -> Update:
        others = sum(not one.is_of_status for one in changed)
        return Update(self.standing(), differing, others, notes)

    def _notes(self, before: JudgedEvidence) -> tuple[str, ...]:
        judged = self._ready.evidence
        rejected = [
            f"{file}: does not count[{found.code}]: {found.message} (step {found.step})"
            for file, found in judged.rejected
            if (file, found) not in before.rejected
        ]
        return (*rejected, *(str(problem) for problem in judged.problems if problem not in before.problems))


def _accepted(waivers: Iterable[Waiver], inputs: Inputs, ready: Ready) -> tuple[Waiver, ...]:
    program = ready.world.program
    return tuple(w for w in dict.fromkeys(waivers) if refused_waiver(w, inputs.profile, program) is None)


def _change_files(files: dict[str, bytes], event: EvidenceEvent) -> None:
    there = event.name in files
    if isinstance(event, EvidenceWithdrawn):
        if not there:
            raise fault("PE3823", f"there is no evidence `{event.name}`", help="name the file as it was added")
        del files[event.name]
        return
    if there:
        raise fault("PE3823", f"there is evidence `{event.name}` already", help="withdraw it in the same batch")
    # For an envelope, whose members are texts, this is its canonical form (RFC 8785).
    files[event.name] = json.dumps(event.envelope, sort_keys=True, separators=(",", ":"), default=str).encode()


def _is_of_identity(change: LiveChange) -> bool:
    """Tell whether a change may make a thing another one than evidence is about."""
    attribute = getattr(change, "attribute", None)
    return attribute in {"digest", "version"} if attribute is not None else hasattr(change, "node")


def _instant(written: str, *, moves_time: bool) -> datetime:
    if not moves_time:
        raise fault("PE3824", "an event moves the instant", help="the clock does; name the first instant with `--at`")
    at = read_value(written, Simple.INSTANT)
    if not isinstance(at, datetime):
        raise fault("PE3821", f"`{written[:60]}` is not an instant", help="write it like `2027-12-31T09:00:00Z`")
    return at.astimezone(UTC)


def update_to_json(update: Update) -> Iterator[bytes]:
    """Yield an update as lines of canonical JSON: each result that changed, then how things stand."""
    at = format_instant(update.standing.at)
    for found in update.changes:
        result = found.after or found.before
        document: dict[str, JsonValue] = {
            "format": FORMAT,
            "line": "result",
            "at": at,
            "rule": found.rule,
            "subject": found.subject,
            "severity": found.severity,
            "from": found.before.status.value if found.before else None,
            "to": found.after.status.value if found.after else None,
            "worse": found.is_worse,
            "reasons": [{"kind": reason.kind.value, "text": reason.text} for reason in found.reasons],
            "message": result.message if result else "",
            "remedy": result.remedy if result else "",
        }
        yield canonical_bytes(document)
    yield standing_to_json(update.standing, update.other_grounds)


def standing_to_json(standing: Standing, other_grounds: int = 0) -> bytes:
    """Return how things stand as a line of canonical JSON."""
    document: dict[str, JsonValue] = {
        "format": FORMAT,
        "line": "standing",
        "at": format_instant(standing.at),
        "verdict": standing.verdict.value,
        "counts": {status.value: number for status, number in standing.counts},
        "other_grounds": other_grounds,
    }
    return canonical_bytes(document)
