"""One subject of an estate file in, an answer out: what a gate before a deployment asks.

Rules:

- what is looked at is each subject and everything that is part of it, over ``part`` edges and at any depth: a
  deployment, the systems and models that it deploys, the agents, prompts and components of those;
- every rule that is about any of these is evaluated, by the point evaluator, as a check of the whole estate would;
- waivers, enforcement and evidence that cannot be verified count as they do for a check; rejected evidence counts only
  where it claims to be about something that is looked at, or does not say about what it is;
- no library but the standard one is loaded, so that the answer costs the same however large the estate is.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from policy_dsl.collector import without_search_for_cycles
from policy_dsl.pieces import FORMAT as PIECES_FORMAT
from policy_dsl.pieces import StoredPieces
from policy_dsl.records import dataclass
from policy_dsl.storage import StoredProgramError
from policy_dsl.typed.types import NodeType
from policy_dsl.values import format_instant
from policy_dsl.words import SEVERITIES
from policy_engine.evaluation.point.evaluate import PointEvaluator
from policy_engine.evaluation.waivers import WaiverUse, apply_waivers
from policy_engine.evaluation.world import View
from policy_engine.lineage.columns.errors import damaged, estate_error
from policy_engine.lineage.columns.reader import EstateFile, MappedEvidence, MappedSnapshot
from policy_engine.model.evidence import Waiver
from policy_engine.model.results import Result, Status, Verdict, result_to_json, verdict_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from policy_dsl.typed.tree import Program, Rule
    from policy_evidence.canonical import JsonValue

GATE_FORMAT: Final = "urn:ai-policy-engine:gate:v1"
ANSWER_FORMAT: Final = "urn:ai-policy-engine:gate-answer:v1"
ADVISORY: Final = "advisory"

DAMAGE: Final = (ValueError, TypeError, KeyError, AttributeError, RecursionError)
"""What reading a document raises that is not what was written."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the rules say of the subjects and their parts."""

    at: datetime
    subjects: tuple[str, ...]
    looked_at: tuple[str, ...]
    program: "Program"
    results: tuple[Result, ...]
    waivers: tuple[WaiverUse, ...]
    enforcement: dict[str, str]
    rejected: tuple[dict[str, Any], ...]
    unjudged: int

    @property
    def verdict(self) -> Verdict:
        """What all results together say."""
        return verdict_of({r.status for r in self.results})

    def rule(self, result: Result) -> "Rule":
        """Return the rule of a result."""
        return self.program.rules[result.rule]

    def exit_code(self, fail_on: str) -> int:
        """Return 0, 1 or 3 as a check does: results that are mere advice, or not grave enough, do not decide."""
        statuses = {r.status for r in self.results if decides(self.rule(r), self.enforcement, fail_on)}
        return code_of(statuses, is_doubtful=bool(not self.results or self.rejected or self.unjudged))

    def to_json(self, fail_on: str) -> "dict[str, JsonValue]":
        """Return the answer as JSON."""
        return {
            "format": ANSWER_FORMAT,
            "at": format_instant(self.at),
            "exit_code": self.exit_code(fail_on),
            "verdict": self.verdict.value,
            "subjects": list(self.subjects),
            "looked_at": list(self.looked_at),
            "results": [self.written(r) for r in self.results],
            "rejected": list(self.rejected),
            "unjudged": self.unjudged,
        }

    def written(self, result: Result) -> "dict[str, JsonValue]":
        """Return one result as JSON, with what its rule says of it."""
        written = result_to_json(result)
        assert isinstance(written, dict)  # noqa: S101 - a result is written as an object
        rule = self.rule(result)
        return {
            **written,
            "title": rule.title,
            "severity": rule.severity,
            "citations": list(rule.citations),
            "enforcement": self.enforcement.get(result.rule, ""),
        }


def decides(rule: "Rule", enforcement: "Mapping[str, str]", fail_on: str) -> bool:
    """Tell whether a rule is grave enough to decide an exit code, and not mere advice."""
    grave = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
    return enforcement.get(rule.name) != ADVISORY and rule.severity in grave


def code_of(statuses: "Collection[Status]", *, is_doubtful: bool) -> int:
    """Return the exit code for the statuses that decide; in doubt are runs of nothing, and evidence not verified."""
    if Status.FAIL in statuses:
        return 1
    return 3 if is_doubtful or Status.UNKNOWN in statuses else 0


@without_search_for_cycles()
def ask(file: EstateFile, subjects: Iterable[str], at: datetime) -> Answer:
    """Evaluate what an estate file says of some subjects and their parts at an instant.

    Raises:
        LineageError: PE3152, there is no such subject; PE3403, the file is damaged; PE3410, it holds no policies;
            PE3412, it is not relied on at that instant.
    """
    asked = tuple(dict.fromkeys(subjects))
    # (1) The file holds policies, and is still relied on.
    gate, pieces = gate_of(file), pieces_of(file)
    require_current(gate, at)
    # (2) Every subject exists; with it is looked at what belongs to it.
    lineage = MappedSnapshot(file)
    looked_at = _with_parts(lineage, [file.id(file.number(one)) for one in asked], pieces.schema.part_edges)
    try:
        # (3) The rules about these things are read, and no others.
        kinds = {node: lineage.kind(node) for node in looked_at}
        program = pieces.about(set(kinds.values()))
        # (4) Each is evaluated for each thing that it is about, and waivers are applied.
        evaluator = PointEvaluator(View(program, lineage, MappedEvidence(file)))
        is_a = program.schema.is_a
        about = [(r, r.subject.type.kind) for r in program.rules.values() if isinstance(r.subject.type, NodeType)]
        results = [
            evaluator.evaluate(rule, node, at)
            for rule, kind in about
            for node in sorted(looked_at)
            if is_a(kinds[node], kind)
        ]
    except StoredProgramError as error:
        raise damaged(str(error)) from error
    return _answer(asked, looked_at, at, program, results, gate)


def inputs_of(file: EstateFile) -> Any:
    """Return what the file was made of, as ``staleness.changes`` compares it."""
    found = _document(file, "inputs")
    try:
        files = {str(n): (int(size), int(time), str(sha)) for n, (size, time, sha) in found["files"].items()}
        patterns = {
            str(p): (None if time is None else int(time), [str(name) for name in names])
            for p, (time, names) in found["patterns"].items()
        }
        return {"folder": str(found["folder"]), "files": files, "patterns": patterns}
    except DAMAGE as error:
        raise damaged("it does not say what it was made of") from error


def _answer(
    asked: tuple[str, ...],
    looked_at: tuple[str, ...],
    at: datetime,
    program: "Program",
    found: list[Result],
    gate: dict[str, Any],
) -> Answer:
    seen = set(looked_at)
    try:
        given = [(waiver_of(w), w["refusal"]) for w in gate["waivers"] if w["subject"] in seen]
        # One file may be several waivers, one for each time in which other signers count.
        results, uses = apply_waivers(found, [waiver for waiver, _ in given], at, dict(given).__getitem__)
        return Answer(
            at,
            asked,
            looked_at,
            program,
            tuple(results),
            tuple(uses),
            {str(rule): str(level) for rule, level in gate["enforcement"].items()},
            tuple(r for r in gate["rejected"] if not r["subjects"] or seen & set(r["subjects"])),
            int(gate["unjudged"]),
        )
    except DAMAGE as error:
        raise damaged("what it says about waivers and evidence is not what was written") from error


def _with_parts(lineage: MappedSnapshot, subjects: list[str], edges: Iterable[str]) -> tuple[str, ...]:
    """Return the subjects and everything that is part of them, nearest first, then by id."""
    found = dict.fromkeys(sorted(subjects))
    level = list(found)
    while level:
        ends = {end for node in level for edge in edges for end in lineage.targets(node, edge)}
        level = sorted(ends - found.keys())
        found |= dict.fromkeys(level)
    return tuple(found)


def gate_of(file: EstateFile) -> dict[str, Any]:
    """Return what an estate file says to a gate: enforcement, waivers, rejected evidence.

    Raises:
        LineageError: PE3402, it is of another version; PE3403; PE3410.
    """
    found = _document(file, "gate")
    if found.get("format") != GATE_FORMAT:
        raise estate_error("PE3402", "what the estate file says to a gate is of another version")
    match found:
        case {"enforcement": dict(), "waivers": list(), "rejected": list(), "unjudged": int()}:
            return found
        case _:
            raise damaged("what it says about waivers and evidence is not what was written")


def pieces_of(file: EstateFile) -> StoredPieces:
    """Return the policies of an estate file.

    Raises:
        LineageError: PE3403; PE3410, there are none; PE3413, another version of the engine has compiled them.
    """
    index = file.document("program")
    if index is None:
        raise _no_policies()
    file.verify("program.piece.text")
    try:
        return StoredPieces(index, lambda piece: file.text("program.piece", piece))
    except StoredProgramError as error:
        if _is_of_another_version(index):
            message = "the policies of the estate file were compiled by another version of the engine"
            raise estate_error("PE3413", message) from error
        raise damaged(str(error)) from error


def _is_of_another_version(index: bytes) -> bool:
    try:
        found = json.loads(index)["format"]
    except DAMAGE:
        return False
    return isinstance(found, str) and found != PIECES_FORMAT


def _document(file: EstateFile, name: str) -> dict[str, Any]:
    data = file.document(name)
    if data is None:
        raise _no_policies()
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise damaged(f"`{name}` is not JSON") from error
    if not isinstance(found, dict):
        raise damaged(f"`{name}` is not an object")
    return found


def _no_policies() -> Exception:
    return estate_error("PE3410", "the estate file holds no policies")


def require_current(gate: dict[str, Any], at: datetime) -> None:
    """Refuse a file at an instant at which nothing that was verified for it is relied on.

    Raises:
        LineageError: PE3412.
    """
    until = gate.get("relied_until")
    if until is not None and at >= _instant(until):
        raise estate_error("PE3412", f"the trust file that the estate file was made with expired at {until}")


def waiver_of(written: dict[str, Any]) -> Waiver:
    """Return a waiver as `prepare` wrote it."""
    return Waiver(
        written["digest"],
        written["rule"],
        written["subject"],
        written["reason"],
        written["approver"],
        written["ticket"],
        _instant(written["issued"]),
        _instant(written["from"]),
        _instant(written["until"]),
        frozenset(written["roles"]),
    )


def _instant(text: Any) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise damaged("an instant in it is none") from error
    if found.tzinfo is None:
        raise damaged("an instant in it has no time zone")
    return found
