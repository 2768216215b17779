"""The decision of a run: a statement of its inputs by digest and of every result, and its replay."""

import hashlib

from policy_dsl.source import LITERATE_SUFFIX
from policy_dsl.values import format_instant
from policy_engine import __version__
from policy_engine.app.evaluate import Evaluation
from policy_engine.model.results import Status, result_to_json
from policy_engine.packs.library import POLICY_SUFFIX, pack_name
from policy_evidence.canonical import JsonValue, canonical_bytes, digest
from policy_evidence.predicates import DecisionPredicate

ENGINE = "ai-policy-engine"


def decision_of(evaluation: Evaluation) -> dict[str, JsonValue]:
    """Return the decision predicate of a run as JSON."""
    inputs = evaluation.inputs
    packs: list[JsonValue] = [
        {"name": info.name, "version": info.version or "0", "sha256": digest(inputs.packs.files[info.file])}
        for info in sorted(evaluation.program.packs, key=lambda p: p.name)
    ]
    return {
        "engine": {"name": ENGINE, "version": __version__},
        "instant": format_instant(evaluation.at),
        "inputs": {
            "snapshot": evaluation.snapshot.digest,
            "trust": digest(inputs.trust or b""),
            "profile": digest(inputs.profile_bytes),
            "packs": packs,
            "evidence": [*sorted({digest(data) for data in inputs.evidence.values()})],
        },
        "verdict": evaluation.verdict.value,
        "counts": {status.value: evaluation.count(status) for status in Status},
        "results": [result_to_json(r) for r in evaluation.results],
    }


def differences(decided: DecisionPredicate, again: dict[str, JsonValue]) -> list[str]:
    """Return how a replayed decision differs from the one that was signed, in sentences; none when it is the same."""
    before = decided.model_dump(mode="json", by_alias=True)
    found = [
        f"`{key}` differs"
        for key in ("instant", "inputs", "verdict", "counts")
        if _bytes(before[key]) != _bytes(again[key])
    ]
    if _bytes(before["results"]) == _bytes(again["results"]):
        return found
    old, new = _by_target(before["results"]), _by_target(again["results"])
    differing = sorted(target for target in {*old, *new} if old.get(target) != new.get(target))
    found += [f"the result of `{rule}` for `{subject}` differs" for rule, subject in differing]
    if not differing:
        found.append("the results are in another order, or one stands twice")
    return found


def _by_target(results: JsonValue) -> dict[tuple[str, str], bytes]:
    """Return results by rule and subject; a decision may hold anything in their place."""
    listed = [r for r in results if isinstance(r, dict)] if isinstance(results, list) else []
    return {(str(r.get("rule")), str(r.get("subject"))): _bytes(r) for r in listed}


def evidence_set_digest(evaluation: Evaluation) -> str:
    """Return one digest for all evidence files of a run."""
    digests = sorted({digest(data) for data in evaluation.inputs.evidence.values()})
    return f"sha256:{hashlib.sha256(canonical_bytes(list(digests))).hexdigest()}"


def pack_member(file: str, data: bytes) -> str:
    """Return the name of a policy file inside a bundle."""
    suffix = LITERATE_SUFFIX if file.endswith(LITERATE_SUFFIX) else POLICY_SUFFIX
    return f"packs/{pack_name(file, data) or file}{suffix}"


def member_pack(member: str) -> str:
    """Return the name of the pack that a policy file inside a bundle holds."""
    return member.removeprefix("packs/").removesuffix(".md").removesuffix(".policy")


def _bytes(value: JsonValue) -> bytes:
    return canonical_bytes(value)
