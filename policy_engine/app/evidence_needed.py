"""What is to be collected about a subject: which evidence and which facts, from whom, until when.

Rules:

- a rule's own proof says what it lacks, so that nothing is listed that would not change a result;
- a rule that is not yet in force is asked about its first day, and what it lacks is due on that day;
- evidence that counts is listed with the day on which it ends or grows too old;
- several rules that want one piece of evidence make one entry: the earliest day, and every role that is asked for.

>>> NeedState.MISSING.value
'missing'
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from policy_dsl.typed.tree import HasEvidence, Rule
from policy_dsl.typed.types import NodeType
from policy_dsl.values import Duration, add, format_instant
from policy_engine.app.evaluate import Evaluation
from policy_engine.app.hypothetical import world_of
from policy_engine.evaluation.causes import EVIDENCE
from policy_engine.evaluation.parts import age_allowed, patterns_of
from policy_engine.evaluation.point.evaluate import PointEvaluator
from policy_engine.evaluation.world import World
from policy_engine.lineage.graph import Snapshot
from policy_engine.lineage.names import nearest
from policy_engine.model.errors import fault
from policy_engine.model.evidence import Evidence
from policy_engine.model.results import Result, Status


class NeedState(StrEnum):
    """Whether what is needed is there."""

    MISSING = "missing"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Need:
    """One thing to collect about one node; ``what`` is a type of evidence or the name of an attribute.

    ``due`` is the day on which a rule wants it, or, for what is held, on which a new one is needed; none where
    nothing ends. ``roles`` are those that must sign, ``people`` who holds them by the trust file, or who answers
    for the node where a fact is to be stated.
    """

    node: str
    what: str
    is_evidence: bool
    state: NeedState
    due: datetime | None
    description: str
    roles: tuple[str, ...]
    people: tuple[str, ...]
    rules: tuple[str, ...]
    citations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Checklist:
    """What is to be collected about a subject and what belongs to it, the earliest first."""

    run: Evaluation
    subject: str
    nodes: tuple[str, ...]
    needs: tuple[Need, ...]
    other: tuple[tuple[str, str], ...]
    """Rule and node of failures that no evidence and no fact mends: something must be changed."""


@dataclass(frozen=True, slots=True)
class _Ask:
    node: str
    what: str
    is_evidence: bool
    state: NeedState
    due: datetime | None
    role: str | None
    rule: Rule


def evidence_needed(run: Evaluation, subject: str, *, alone: bool = False) -> Checklist:
    """Return the checklist of a subject; unless it is ``alone``, of everything that belongs to it, too.

    Raises:
        InputError: PE0009, there is no such thing.
    """
    first = _named(run.snapshot, subject)
    nodes = (first,) if alone else (first, *_around(run, first))
    asks: list[_Ask] = []
    other: list[tuple[str, str]] = []
    for rule, result, at in _results(run, set(nodes)):
        found = list(_asked(world_of(run), rule, result, at))
        asks += found
        if result.status is Status.FAIL and not found:
            other.append((rule.name, result.subject))
    needs = sorted(_merged(run, asks), key=lambda need: (need.state, _when(need.due), need.node, need.what))
    return Checklist(run, first, nodes, tuple(needs), tuple(other))


def _named(snapshot: Snapshot, name: str) -> str:
    if name in snapshot.nodes:
        return name
    aliases = {alias: node.id for node in snapshot.nodes.values() for alias in node.aliases}
    if name not in aliases:
        raise fault("PE0009", f"there is no `{name}` in the inventory", help=nearest(name, snapshot.nodes))
    return aliases[name]


def _around(run: Evaluation, subject: str) -> list[str]:
    """Return everything upstream of a subject, what it is a part of, and all that one governance edge leads to."""
    schema, snapshot = run.program.schema, run.snapshot
    found: dict[str, None] = {subject: None}
    waiting = [subject]
    while waiting:
        node = waiting.pop()
        up = [t for edge in schema.lineage_edges for t in snapshot.targets(node, edge)]
        whole = [s for edge in schema.part_edges for s in snapshot.sources_of(node, edge)] if node == subject else []
        for each in sorted({*up, *whole} - set(found)):
            found[each] = None
            waiting.append(each)
    beside = schema.edges.keys() - schema.lineage_edges
    for node in list(found):
        found |= dict.fromkeys(t for edge in sorted(beside) for t in snapshot.targets(node, edge))
    return sorted(set(found) - {subject})


def _results(run: Evaluation, nodes: set[str]) -> Iterator[tuple[Rule, Result, datetime]]:
    """Yield the result of each rule for each node, now or on the rule's first day."""
    evaluator = PointEvaluator(world_of(run))
    for result in run.results:
        if result.subject not in nodes:
            continue
        rule = run.program.rules[result.rule]
        if rule.start is not None and run.at < rule.start:
            yield rule, evaluator.evaluate(rule, result.subject, rule.start), rule.start
        else:
            yield rule, result, run.at


def _asked(world: World, rule: Rule, result: Result, at: datetime) -> Iterator[_Ask]:
    patterns = patterns_of(world.program, rule)
    if result.status in {Status.PASS, Status.WAIVED}:
        for record in _held(world, result):
            fitting = [p for p in patterns if _fits(world, p, record.type, record.subject)]
            ages = [age for p in fitting if (age := age_allowed(world, p)) is not None]
            due = _end(record, ages)
            for pattern in fitting:
                yield _Ask(record.subject, record.type, True, NeedState.HELD, due, pattern.role, rule)
    failed = result.facts if result.status is Status.FAIL else ()
    lacking = [(fact.node, fact.attribute) for fact in failed if fact.attribute.startswith(EVIDENCE)]
    lacking += [(missing.node, missing.attribute) for missing in result.missing]
    for node, attribute in lacking:
        if node not in world.snapshot.nodes:
            continue
        if not attribute.startswith(EVIDENCE):
            yield _Ask(node, attribute, False, NeedState.MISSING, at, None, rule)
            continue
        name = attribute.removeprefix(EVIDENCE).partition(".")[0]
        roles = {p.role for p in patterns if _fits(world, p, name, node)}
        for role in roles or {None}:
            yield _Ask(node, name, True, NeedState.MISSING, at, role, rule)


def _held(world: World, result: Result) -> Iterator[Evidence]:
    named = set(result.evidence)
    return (record for record in world.evidence.records() if record.digest in named)


def _fits(world: World, pattern: HasEvidence, name: str, node: str) -> bool:
    if pattern.type != name:
        return False
    assert isinstance(pattern.subject.type, NodeType)  # noqa: S101 - the checker asks evidence of things only
    return world.program.schema.is_a(world.snapshot.kind(node), pattern.subject.type.kind)


def _end(record: Evidence, ages: Iterable[Duration]) -> datetime | None:
    ends = [end for age in ages if isinstance(end := add(record.issued, age), datetime)]
    return min([*ends, *([record.counts_until] if record.counts_until is not None else [])], default=None)


def shown(snapshot: Snapshot, node: str) -> str:
    """Return a thing's name, or its id where it has none."""
    return str(snapshot.value(node, "name") or node)


def _when(due: datetime | None) -> str:
    return format_instant(due) if due is not None else "~"


def _merged(run: Evaluation, asks: Iterable[_Ask]) -> Iterator[Need]:
    """Make one entry of all that is asked of one kind about one node; what is missing for one rule is missing."""
    grouped: dict[tuple[str, str, bool], list[_Ask]] = {}
    for ask in asks:
        grouped.setdefault((ask.node, ask.what, ask.is_evidence), []).append(ask)
    for (node, what, is_evidence), group in grouped.items():
        missing = [ask for ask in group if ask.state is NeedState.MISSING]
        counted = missing or group
        roles = tuple(sorted({ask.role for ask in group if ask.role is not None}))
        yield Need(
            node,
            what,
            is_evidence,
            counted[0].state,
            min((ask.due for ask in counted if ask.due is not None), default=None),
            _description(run, node, what, is_evidence=is_evidence),
            roles,
            _people(run, node, roles),
            tuple(sorted({ask.rule.name for ask in group})),
            tuple(sorted({cited for ask in group for cited in citations(run, ask.rule)})),
        )


def citations(run: Evaluation, rule: Rule) -> Iterator[str]:
    """Yield what a rule cites, each with the framework it belongs to."""
    framework = next(p.framework for p in run.program.packs if p.name == rule.pack)
    return (cited if framework in cited else f"{framework} {cited}" for cited in rule.citations)


def _description(run: Evaluation, node: str, what: str, *, is_evidence: bool) -> str:
    schema = run.program.schema
    if is_evidence:
        return schema.evidence[what].description
    attribute = schema.kinds[run.snapshot.nodes[node].kind].attributes.get(what)
    return attribute.description if attribute is not None else ""


def _people(run: Evaluation, node: str, roles: tuple[str, ...]) -> tuple[str, ...]:
    """Return who can provide it: holders of the roles by the trust file, else whoever answers for the node."""
    if run.trust is not None and roles:
        keys = {key for role in roles if role in run.trust.roles for key in run.trust.roles[role].keys}
        owners = {run.trust.keys[key].owner for key in keys if run.trust.keys[key].counts_at(run.at)}
        if owners:
            return tuple(sorted(owners))
    owned = [shown(run.snapshot, owner) for owner in run.snapshot.targets(node, "owned_by")]
    stated = run.snapshot.value(node, "owner")
    return tuple(sorted(owned)) or ((str(stated),) if stated is not None else ())
