"""Every case of the corpus, on every evaluator: README.md says what a case means."""

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from case_files import (
    RESULT_KEYS,
    Case,
    cases,
    digest_of,
    evidence_of,
    instant_of,
    snapshot_of,
    waivers_of,
)

from policy_dsl import compile_bytes
from policy_dsl.diagnostics import Diagnostic
from policy_dsl.source import SourceFile
from policy_dsl.typed import tree
from policy_dsl.values import format_instant
from policy_engine.evaluation.messages import render
from policy_engine.evaluation.point.evaluate import PointEvaluator
from policy_engine.evaluation.reference import ReferenceEvaluator
from policy_engine.evaluation.verdicts import Decision
from policy_engine.evaluation.waivers import apply_waivers
from policy_engine.evaluation.world import World
from policy_engine.model.results import Result, Status

ALL = cases()


def _expecting(key: str) -> list[Any]:
    return [pytest.param(case, id=case.id) for case in ALL if key in case.entry]


@pytest.mark.parametrize("case", _expecting("results"))
def test_results(case: Case) -> None:
    program, found = compile_bytes(case.packs, case.entry.get("overrides"))
    assert [d.message for d in found] == []
    snapshot = snapshot_of(case.entry.get("graph", {}), program.schema)
    world = World(program, snapshot, evidence_of(case.entry.get("evidence", ()), program.schema))

    point, reference = PointEvaluator(world), ReferenceEvaluator(world)
    pairs = [(rule, subject) for rule in program.rules.values() for subject in world.subjects(rule)]
    by_point = [point.evaluate(rule, subject, case.at) for rule, subject in pairs]
    by_reference = [_result(world, r, s, reference.evaluate(r, s, case.at)) for r, s in pairs]
    assert by_point == by_reference

    waivers = waivers_of(case.entry.get("waivers", ()))
    after, uses = apply_waivers(by_point, waivers, case.at)
    entries = [{"rule": "case.r", **entry} for entry in case.entry["results"]]
    expected = {(e["rule"], e["subject"]): e for e in entries}
    assert len(expected) == len(entries), "a result is expected twice"
    observed = {(r.rule, r.subject): r for r in after}
    assert observed.keys() == expected.keys()
    for key, entry in expected.items():
        assert entry.keys() <= RESULT_KEYS, entry
        assert _observed(observed[key], entry) == _expected(entry), key
    states = {use.waiver.digest: use.state.value for use in uses}
    for number, waiver in enumerate(case.entry.get("waivers", ()), 1):
        assert states[digest_of(waiver.get("id", str(number)))] == waiver["state"]


@pytest.mark.parametrize("case", _expecting("diagnostics"))
def test_diagnostics(case: Case) -> None:
    files = case.packs
    _, found = compile_bytes(files, case.entry.get("overrides"))
    texts = {name: SourceFile(name, data.decode("utf-8-sig", errors="replace")) for name, data in files.items()}
    for name, value in case.entry.get("overrides", {}).items():
        texts[f"parameter {name}"] = SourceFile(f"parameter {name}", value)
    last = list(files)[-1]
    expected = [{"file": last, "severity": "error", **entry} for entry in case.entry["diagnostics"]]
    observed = [_diagnosed(d, texts) for d in found]
    assert [_chosen(o, e) for o, e in zip(observed, expected, strict=False)] == expected, observed
    assert len(observed) == len(expected), observed[len(expected) :]


def test_the_corpus_is_wide_and_its_names_are_unique() -> None:
    assert len(ALL) >= 200
    assert len({case.id for case in ALL}) == len(ALL)
    for case in ALL:
        assert ("results" in case.entry) != ("diagnostics" in case.entry), case.id


def _result(world: World, rule: tree.Rule, subject: str, decision: Decision) -> Result:
    """Say a decision as a result, apart from the evaluator under test."""
    grounds, status = decision.grounds, decision.status
    named = dict(grounds.bindings) | {rule.subject.slot: subject}
    return Result(
        rule=rule.name,
        subject=subject,
        status=status,
        reason=decision.reason,
        message=render(rule.otherwise, named, world) if status is Status.FAIL else "",
        remedy=render(rule.remedy, named, world) if status in {Status.FAIL, Status.UNKNOWN} else "",
        witnesses=grounds.witnesses if status in {Status.FAIL, Status.UNKNOWN} else (),
        facts=tuple(sorted(grounds.facts)),
        missing=tuple(sorted(grounds.missing)) if status is Status.UNKNOWN else (),
        evidence=tuple(sorted(grounds.evidence)),
        valid_until=decision.valid_until,
    )


def _expected(entry: Any) -> dict[str, Any]:
    """What an entry says; no missing facts and no end unless it names them."""
    said = {"missing": [], "valid_until": None, **entry}
    if said["valid_until"] is not None:
        said["valid_until"] = format_instant(instant_of(said["valid_until"]))
    said["missing"] = sorted(said["missing"])
    if "evidence" in said:
        said["evidence"] = sorted(digest_of(name) for name in said["evidence"])
    if "waiver" in said:
        said["waiver"] = digest_of(said["waiver"])
    return said


def _observed(result: Result, entry: Any) -> dict[str, Any]:
    """What an evaluator found, as far as an entry speaks of it."""
    found = {
        "rule": result.rule,
        "subject": result.subject,
        "status": result.status.value,
        "reason": result.reason,
        "message": result.message,
        "remedy": result.remedy,
        "missing": sorted([m.node, m.attribute, m.reason] for m in result.missing),
        "valid_until": format_instant(result.valid_until) if result.valid_until else None,
        "paths": [[t for hop in w.hops for t in (hop.edge, hop.node) if t is not None] for w in result.witnesses],
        "evidence": list(result.evidence),
        "waiver": result.waiver,
    }
    return {key: found[key] for key in {"missing", "valid_until", *entry}}


def _diagnosed(diagnostic: Diagnostic, texts: dict[str, SourceFile]) -> dict[str, str]:
    place = texts[diagnostic.span.file].position(diagnostic.span.start)
    return {
        "file": diagnostic.span.file,
        "code": diagnostic.code,
        "line": str(place.line),
        "column": str(place.column),
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "help": diagnostic.help or "",
    }


def _chosen(observed: dict[str, str], expected: dict[str, str]) -> dict[str, str]:
    return {key: observed[key] for key in expected}
