"""A whole estate file in, all results out: decided at once by the set evaluator, explained by the point evaluator.

Rules:

- every rule is asked about everything that it is about; how many results have each status is always exact;
- what is explained is decided a second time, by the point evaluator; if the two disagree, nothing is answered;
- explained are the gravest findings, as many as are asked for, and whatever a waiver is about; of the others it is
  known that they fail or are unknown, and not yet why;
- waivers, enforcement, rejected evidence and the time until which a file is relied on count as they do for a gate.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from policy_dsl.collector import without_search_for_cycles
from policy_dsl.storage import StoredProgramError
from policy_dsl.typed.tree import Program, Rule
from policy_dsl.values import format_instant
from policy_dsl.words import SEVERITIES
from policy_engine.app.gate import DAMAGE, Answer, code_of, decides, gate_of, pieces_of, require_current, waiver_of
from policy_engine.app.store import installed
from policy_engine.evaluation.profile import RuleTime
from policy_engine.evaluation.waivers import WaiverState, WaiverUse, apply_waivers
from policy_engine.lineage.columns.errors import damaged
from policy_engine.lineage.columns.reader import EstateFile
from policy_engine.model.progress import Progress, counted, silent
from policy_engine.model.results import Result, Status, Verdict, verdict_of

if TYPE_CHECKING:
    from policy_engine.evaluation.sets.evaluator import SetEvaluator
    from policy_engine.evaluation.sets.results import Finding, Left, SetResults

FORMAT: Final = "urn:ai-policy-engine:estate-check:v1"
_OPEN: Final = (Status.FAIL, Status.UNKNOWN)

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Tally:
    """How many results of one rule have each status, waivers applied."""

    rule: Rule
    counts: Mapping[Status, int]

    def __getitem__(self, status: Status) -> int:
        return self.counts.get(status, 0)


@dataclass(frozen=True, slots=True)
class WholeCheck:
    """What the rules say of a whole estate. It reads from the file, which must stay open."""

    file: EstateFile
    results: "SetResults"
    tallies: tuple[Tally, ...]
    answer: Answer
    """What is explained: the gravest findings, in the order of their gravity."""

    @property
    def counts(self) -> Mapping[Status, int]:
        """How many results have each status, waivers applied."""
        return {status: sum(tally[status] for tally in self.tallies) for status in Status}

    @property
    def verdict(self) -> Verdict:
        """What all results together say."""
        return verdict_of({status for status, number in self.counts.items() if number})

    @property
    def left(self) -> "tuple[Left, ...]":
        """What was left to the point evaluator because columns cannot say it."""
        return self.results.left

    def exit_code(self, fail_on: str) -> int:
        """Return 0, 1 or 3, as for a check of a profile."""
        deciding = [tally for tally in self.tallies if decides(tally.rule, self.answer.enforcement, fail_on)]
        statuses = {status for tally in deciding for status in Status if tally[status]}
        has_results = any(tally[status] for tally in self.tallies for status in Status)
        return code_of(statuses, is_doubtful=bool(not has_results or self.answer.rejected or self.answer.unjudged))

    def profile(self) -> tuple[RuleTime, ...]:
        """Return how long each rule took, and why something of it was left to the point evaluator."""
        notes: dict[str, list[str]] = {}
        for one in self.left:
            notes.setdefault(one.rule, []).append(f"{one.reason}: {one.asked:,} asked one by one")
        return tuple(
            RuleTime(
                tally.rule.name,
                self.results.seconds[tally.rule.name],
                sum(tally.counts.values()),
                sum(tally[status] for status in _OPEN),
                "set",
                "; ".join(notes.get(tally.rule.name, ())),
            )
            for tally in self.tallies
        )

    def findings(self) -> Iterator[dict[str, Any]]:
        """Yield every failure, then every unknown result, by gravity, as JSON, explained or not."""
        explained = {(result.rule, result.subject): result for result in self.answer.results}
        for one in _by_gravity(self.results, self.answer.program, _waived(self.answer.waivers)):
            key = (one.rule, one.subject)
            result = explained.get(key) or Result(one.rule, one.subject, one.status)
            yield {**self.answer.written(result), "explained": key in explained}

    def lines(self, fail_on: str, warnings: Iterable[str] = ()) -> Iterator[str]:
        """Yield the JSON document: one line for each rule and each finding, however many there are."""
        head = {
            "format": FORMAT,
            "at": format_instant(self.answer.at),
            "exit_code": self.exit_code(fail_on),
            "verdict": self.verdict.value,
            "estate": {
                "things": self.file.nodes,
                "relations": self.file.edges,
                "facts_digest": self.file.header.get("facts_digest"),
            },
            "counts": {status.value: number for status, number in self.counts.items()},
            "left": [{"rule": one.rule, "reason": one.reason, "asked": one.asked} for one in self.left],
            "waivers": [_use(use) for use in self.answer.waivers],
            "rejected": list(self.answer.rejected),
            "unjudged": self.answer.unjudged,
            "warnings": list(warnings),
        }
        yield "{"
        yield from (f"{_json(key)}: {_json(value)}," for key, value in head.items())
        yield '"rules": ['
        yield from _separated(self._tally(tally) for tally in self.tallies)
        yield '],\n"findings": ['
        yield from _separated(self.findings())
        yield "]\n}"

    def finding_lines(self) -> Iterator[str]:
        """Yield one line of JSON for each finding."""
        yield from map(_json, self.findings())

    def _tally(self, tally: Tally) -> dict[str, Any]:
        return {
            "rule": tally.rule.name,
            "title": tally.rule.title,
            "severity": tally.rule.severity,
            "enforcement": self.answer.enforcement.get(tally.rule.name, ""),
            "counts": {status.value: tally[status] for status in Status},
        }


@without_search_for_cycles()
def check_estate(
    file: EstateFile,
    at: datetime,
    *,
    explained: int | None,
    clock: Clock = lambda: 0.0,
    progress: Progress = silent,
) -> WholeCheck:
    """Evaluate everything that an estate file says at an instant; ``explained`` is how many findings, or all.

    Raises:
        LineageError: PE3403, the file is damaged; PE3410, it holds no policies; PE3412, it is not relied on at that
            instant; PE3413, another version of the engine has compiled its policies.
        SetEvaluationError: PE3502, the evaluators disagree.
        InputError: PE0010, numpy is not installed.
    """
    # (1) The file holds policies, and is still relied on.
    progress.stage("opening")
    gate, pieces = gate_of(file), pieces_of(file)
    require_current(gate, at)
    try:
        program = pieces.about(pieces.schema.kinds)
        evaluator = _evaluator(program, file)
        # (2) Every rule is decided for everything that it is about.
        progress.stage("deciding")
        results = evaluator.evaluate(at, clock)
        # (3) What waivers are about is explained, and the waivers are applied.
        progress.stage("explaining")
        uses = _apply(gate, evaluator, results, at)
        waived = _waived(uses)
        # (4) The gravest of what is left is explained.
        chosen = list(islice(_by_gravity(results, program, waived), explained))
        told = list(evaluator.explain(results, counted(chosen, "explaining", len(chosen), progress)))
    except StoredProgramError as error:
        raise damaged(str(error)) from error
    answer = Answer(
        at, (), (), program, tuple(told), uses, gate["enforcement"], tuple(gate["rejected"]), gate["unjudged"]
    )
    return WholeCheck(file, results, _tallies(results, program, waived), answer)


def _evaluator(program: Program, file: EstateFile) -> "SetEvaluator":
    with installed("checking a whole estate", "scale"):
        from policy_engine.evaluation.sets.evaluator import SetEvaluator
    return SetEvaluator(program, file)


def _apply(
    gate: Mapping[str, Any], evaluator: "SetEvaluator", results: "SetResults", at: datetime
) -> tuple[WaiverUse, ...]:
    """Return what becomes of every waiver: only the results that one is about have to be known for that."""
    from policy_engine.evaluation.sets.results import Finding

    try:
        given = [waiver_of(written) for written in gate["waivers"]]
        refusals = {(w["digest"], w["rule"], w["subject"]): w["refusal"] for w in gate["waivers"]}
    except DAMAGE as error:
        raise damaged("what it says about waivers is not what was written") from error
    targets = dict.fromkeys((waiver.rule, waiver.subject) for waiver in given)
    known = [
        Finding(rule, subject, status)
        for rule, subject in targets
        if (status := results.find(rule, subject)) is not None
    ]
    _, uses = apply_waivers(
        evaluator.explain(results, known), given, at, lambda w: refusals[(w.digest, w.rule, w.subject)]
    )
    return tuple(uses)


def _waived(uses: Iterable[WaiverUse]) -> set[tuple[str, str]]:
    return {(use.waiver.rule, use.waiver.subject) for use in uses if use.state is WaiverState.APPLIED}


def _by_gravity(results: "SetResults", program: Program, waived: set[tuple[str, str]]) -> "Iterator[Finding]":
    """Yield failures, then unknown results, each by severity, rule and id."""
    from policy_engine.evaluation.sets.results import Finding

    rules = sorted(results.rules, key=lambda name: (SEVERITIES.index(program.rules[name].severity), name))
    for status in _OPEN:
        for rule in rules:
            for subject in results.subjects(rule, status):
                if status is not Status.FAIL or (rule, subject) not in waived:
                    yield Finding(rule, subject, status)


def _tallies(results: "SetResults", program: Program, waived: set[tuple[str, str]]) -> tuple[Tally, ...]:
    excused = Counter(rule for rule, _ in waived)
    tallies = []
    for name, found in results.rules.items():
        counts = Counter(found.counts)
        counts[Status.FAIL] -= excused[name]
        counts[Status.WAIVED] += excused[name]
        tallies.append(Tally(program.rules[name], dict(counts)))
    return tuple(tallies)


def _use(use: WaiverUse) -> dict[str, Any]:
    waiver = use.waiver
    return {
        "rule": waiver.rule,
        "subject": waiver.subject,
        "state": use.state.value,
        "detail": use.detail,
        "reason": waiver.reason,
        "approver": waiver.approver,
        "ticket": waiver.ticket,
        "until": format_instant(waiver.counts_until),
        "digest": waiver.digest,
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _separated(items: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield items of a list, each with the comma that it needs once another follows."""
    before: str | None = None
    for item in items:
        if before is not None:
            yield before + ","
        before = _json(item)
    if before is not None:
        yield before
