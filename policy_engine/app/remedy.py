"""How a result could be put right: proved remedies, and the waiver that is none, for one rule and subject."""

from dataclasses import dataclass

from policy_dsl.typed.tree import Rule
from policy_dsl.values import format_instant
from policy_engine.app.evaluate import Evaluation
from policy_engine.app.hypothetical import world_of
from policy_engine.evaluation.remedy import Remedies, Remedy, remedies
from policy_engine.evaluation.steps import Fix, Step, cost, listed
from policy_engine.lineage.names import nearest
from policy_engine.model.errors import InputError, fault
from policy_engine.model.results import Result, Status
from policy_engine.packs.profile import Enforcement
from policy_evidence.canonical import JsonValue, canonical_bytes
from policy_evidence.predicates import WAIVER_TYPE

FORMAT = "urn:ai-policy-engine:remedy:v1"


@dataclass(frozen=True, slots=True)
class Advice:
    """A result, what would put it right, and whether it may be waived instead."""

    run: Evaluation
    rule: Rule
    result: Result
    remedies: Remedies
    waiver: str
    """What a waiver would take, or why none is accepted; nothing where there is no failure."""


def advise(run: Evaluation, rule: Rule, result: Result) -> Advice:
    """Return how a result could be put right; nothing is looked for where nothing is wrong."""
    open_result = result.status in {Status.FAIL, Status.UNKNOWN, Status.WAIVED}
    found = remedies(world_of(run), rule, result.subject, run.at) if open_result else Remedies((), 0, False)
    return Advice(run, rule, result, found, _waiver(run, rule) if result.status is Status.FAIL else "")


def _waiver(run: Evaluation, rule: Rule) -> str:
    profile = run.inputs.profile
    if profile.enforcement_of(rule.name, rule.severity) is Enforcement.MANDATORY:
        return "no waiver is accepted: the profile makes the rule mandatory"
    trusted = run.trust.roles.values() if run.trust is not None else ()
    able = {role.name for role in trusted if role.allows(WAIVER_TYPE)}
    roles = sorted(able & set(profile.waivers.roles) if profile.waivers.roles else able)
    days = f" and run for at most {profile.waivers.max_days} days" if profile.waivers.max_days else ""
    signed = f", signed as {' or '.join(roles)}" if roles else ""
    return f"a waiver{signed} can excuse it for a time{days}; it puts nothing right, and stays listed"


def result_of(run: Evaluation, rule: Rule, subject: str) -> Result:
    """Return what a rule says about a subject, named by its id or another of its names.

    Raises:
        InputError: PE0009, there is no such thing, or the rule is not about things of its kind.
    """
    aliases = {alias: node.id for node in run.snapshot.nodes.values() for alias in node.aliases}
    name = subject if subject in run.snapshot.nodes else aliases.get(subject, subject)
    found = next((r for r in run.results if (r.rule, r.subject) == (rule.name, name)), None)
    if found is not None:
        return found
    raise _not_about(run, rule, name)


def _not_about(run: Evaluation, rule: Rule, name: str) -> InputError:
    known = [r.subject for r in run.results if r.rule == rule.name]
    node = run.snapshot.nodes.get(name)
    if node is None:
        return fault(
            "PE0009", f"there is no `{name}` in the inventory", help=nearest(name, known or run.snapshot.nodes)
        )
    about = f"it is about every {rule.subject.type}: {', '.join(f'`{k}`' for k in known[:5])}" if known else None
    return fault("PE0009", f"`{rule.name}` is not about `{name}`, which is a {node.kind}", help=about)


# --- as a document -------------------------------------------------------------------------------------------


def advice_to_json(advice: Advice) -> bytes:
    """Return the advice as canonical JSON; docs/foresight.md describes it."""
    result = advice.result
    document: JsonValue = {
        "format": FORMAT,
        "at": format_instant(advice.run.at),
        "snapshot": advice.run.snapshot.digest,
        "rule": result.rule,
        "subject": result.subject,
        "status": result.status.value,
        "remedies": [_remedy(remedy) for remedy in advice.remedies.found],
        "waiver": advice.waiver,
        "worlds": advice.remedies.worlds,
        "limited": advice.remedies.limited,
    }
    return canonical_bytes(document)


def _remedy(remedy: Remedy) -> JsonValue:
    return {
        "cost": remedy.cost,
        "to": remedy.status.value,
        "steps": _steps(remedy.steps),
        "likewise": [_steps(fix) for fix in remedy.likewise],
    }


def _steps(fix: Fix) -> JsonValue:
    return [_step(step) for step in listed(fix)]


def _step(step: Step) -> JsonValue:
    return {
        "kind": step.kind.value,
        "cost": cost((step,)),
        "text": step.text,
        "node": step.node,
        "signed_by": list(step.roles),
    }
