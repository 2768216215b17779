"""What is to be collected about a subject: which evidence and which facts, from whom, until when.

Rules:

- a rule's own proof says what it lacks: evidence that does not count or does not state a field, and facts that are
  not known; what decides only whether the rule applies is no evidence to collect;
- a rule that is not yet in force is asked about its first day, a failure that is waived about the day on which it no
  longer is; what is lacking then is due on that day;
- evidence that counts is listed with the day on which it ends or grows too old;
- several rules that lack one piece of evidence make one entry: the earliest day, and every role that is asked for;
  what is held for others is an entry of its own;
- an open result of which neither evidence nor a fact is lacking needs a change, and so does a failure that stays one
  with all the evidence there, as far as that can be tried: what evidence would state is not made up.

>>> NeedState.MISSING.value
'missing'
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from policy_dsl.records import replace
from policy_dsl.typed.tree import HasEvidence, Rule
from policy_dsl.typed.types import NodeType
from policy_dsl.values import Duration, add, format_instant
from policy_engine.app.evaluate import Evaluation
from policy_engine.app.hypothetical import waivers_of, world_of
from policy_engine.evaluation.causes import EVIDENCE
from policy_engine.evaluation.parts import age_allowed, fields_asked
from policy_engine.evaluation.point.evaluate import PointEvaluator
from policy_engine.evaluation.supposition import AddEvidence, changed_world
from policy_engine.evaluation.waivers import apply_waivers
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
    for the node. ``fields`` are what rules look at in the evidence; ``citations`` pairs of framework and paragraph.
    """

    node: str
    what: str
    is_evidence: bool
    state: NeedState
    due: datetime | None
    description: str
    fields: tuple[str, ...]
    roles: tuple[str, ...]
    people: tuple[str, ...]
    rules: tuple[str, ...]
    citations: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, order=True)
class ToChange:
    """A result that no evidence and no fact mends, and the day from which it is one."""

    due: datetime
    rule: str
    node: str


@dataclass(frozen=True, slots=True)
class Checklist:
    """What is to be collected about a subject and what belongs to it: what is missing first, and by day."""

    run: Evaluation
    subject: str
    nodes: tuple[str, ...]
    needs: tuple[Need, ...]
    to_change: tuple[ToChange, ...]


@dataclass(frozen=True, slots=True)
class _Ask:
    """What one rule wants of one node."""

    node: str
    what: str
    is_evidence: bool
    state: NeedState
    due: datetime | None
    fields: tuple[str, ...]
    role: str | None
    rule: Rule


def evidence_needed(run: Evaluation, subject: str, *, alone: bool = False) -> Checklist:
    """Return the checklist of a subject; without ``alone`` also of everything that belongs to it.

    Raises:
        InputError: PE0009, there is no such thing.
    """
    first = _named(run.snapshot, subject)
    nodes = (first,) if alone else (first, *_around(run, first))
    asker = _Asker(run)
    asks: list[_Ask] = []
    to_change: list[ToChange] = []
    among = set(nodes)
    for result in run.results:
        if result.subject in among:
            rule = run.program.rules[result.rule]
            then, at = asker.asked_about(rule, result)
            found = list(asker.asks(rule, then, at))
            asks += found
            if asker.needs_change(rule, then, at, found):
                to_change.append(ToChange(at, rule.name, result.subject))
    needs = tuple(sorted(_merged(run, asks), key=_place))
    return Checklist(run, first, nodes, needs, tuple(sorted(to_change)))


def _place(need: Need) -> tuple[bool, str, str, str]:
    return need.state is NeedState.HELD, _when(need.due), need.node, need.what


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
        for each in sorted({*up, *whole}):
            if each not in found:
                found[each] = None
                waiting.append(each)
    beside = schema.edges.keys() - schema.lineage_edges
    for node in list(found):
        found |= dict.fromkeys(t for edge in sorted(beside) for t in snapshot.targets(node, edge))
    return sorted(set(found) - {subject})


class _Asker:
    """Asks the rules of a run what they lack."""

    def __init__(self, run: Evaluation) -> None:
        self.run = run
        self.world = world_of(run)
        self.evaluator = PointEvaluator(self.world)
        self.waivers = waivers_of(run)

    def asked_about(self, rule: Rule, result: Result) -> tuple[Result, datetime]:
        """Return the result now, on the rule's first day or when a waiver is over; and the day."""
        at = self.run.at
        if rule.start is not None and at < rule.start:
            at = rule.start
            result = self.result(rule, result.subject, at)
        while result.status is Status.WAIVED and result.valid_until is not None:
            at = result.valid_until
            result = self.result(rule, result.subject, at)
        return result, at

    def result(self, rule: Rule, subject: str, at: datetime) -> Result:
        """Return what a rule finds at an instant, with the waivers that count then."""
        (found,), _ = apply_waivers([self.evaluator.evaluate(rule, subject, at)], self.waivers, at)
        return found

    def asks(self, rule: Rule, result: Result, at: datetime) -> Iterator[_Ask]:
        """Yield what is held for a rule that passes, or lacking for one that does not."""
        if result.status is Status.PASS:
            yield from self.held(rule, result, at)
            return
        lacking = [(missing.node, missing.attribute) for missing in result.missing]
        if result.status is Status.FAIL:
            # What is required and not met, without what says that the rule applies.
            required = self.evaluator.evaluate(replace(rule, where=None), result.subject, at)
            lacking += [(fact.node, fact.attribute) for fact in required.facts if _is_no_evidence(fact.attribute)]
        for node, attribute in lacking:
            if node not in self.run.snapshot.nodes:
                continue
            if attribute.startswith(EVIDENCE):
                yield from self.evidence_lacking(rule, node, attribute, at)
            elif attribute in self.run.program.schema.kinds[self.run.snapshot.kind(node)].attributes:
                yield _Ask(node, attribute, False, NeedState.MISSING, at, (), None, rule)

    def needs_change(self, rule: Rule, result: Result, at: datetime, asks: Sequence[_Ask]) -> bool:
        """Tell whether something must be changed before a rule passes, whatever is collected."""
        if result.status not in {Status.FAIL, Status.UNKNOWN} or not asks:
            return result.status in {Status.FAIL, Status.UNKNOWN}
        if result.status is Status.UNKNOWN or any(ask.fields for ask in asks):
            return False
        wanted = dict.fromkeys((ask.node, ask.what) for ask in asks)
        most = max((pattern.signers for pattern in fields_asked(self.run.program, rule)), default=1)
        signers = (frozenset(self.run.program.schema.roles),) * most
        supposed = [AddEvidence(Evidence("", what, node, at, at, signers=signers)) for node, what in wanted]
        world = changed_world(self.world, supposed)
        return self.evaluator.elsewhere(world).status(rule, result.subject, at) is Status.FAIL

    def evidence_lacking(self, rule: Rule, node: str, attribute: str, at: datetime) -> Iterator[_Ask]:
        """Yield a piece of evidence that a proof misses, once for each role that it may be asked in."""
        name, _, field = attribute.removeprefix(EVIDENCE).partition(".")
        fields: dict[str | None, tuple[str, ...]] = {}
        for pattern, looked_at in fields_asked(self.run.program, rule).items():
            if self.fits(pattern, name, node):
                fields[pattern.role] = (*fields.get(pattern.role, ()), *looked_at)
        for role, looked_at in (fields or {None: (field,) if field else ()}).items():
            yield _Ask(node, name, True, NeedState.MISSING, at, looked_at, role, rule)

    def held(self, rule: Rule, result: Result, at: datetime) -> Iterator[_Ask]:
        """Yield the evidence that a proof rests on, with the day on which a new one is needed."""
        named = set(result.evidence)
        places = {(r.subject, r.type) for r in self.run.evidence.usable.records() if r.digest in named}
        for pattern, fields in fields_asked(self.run.program, rule).items():
            for node, name in sorted(places):
                records = [
                    r for r in self.world.evidence.about(node, name) if r.digest in named and _signed(pattern, r)
                ]
                if records and self.fits(pattern, name, node):
                    due = _holds_until(records, age_allowed(self.world, pattern), at)
                    yield _Ask(node, name, True, NeedState.HELD, due, fields, pattern.role, rule)

    def fits(self, pattern: HasEvidence, name: str, node: str) -> bool:
        """Tell whether a pattern asks for evidence of a type about a thing like a node."""
        assert isinstance(pattern.subject.type, NodeType)  # noqa: S101 - the checker asks evidence of things only
        schema = self.run.program.schema
        return pattern.type == name and schema.is_a(self.run.snapshot.kind(node), pattern.subject.type.kind)


def _is_no_evidence(attribute: str) -> bool:
    """Tell whether a fact of a proof says that evidence does not count; what evidence states must change in the world.

    >>> _is_no_evidence("evidence datasheet"), _is_no_evidence("evidence datasheet.complete"), _is_no_evidence("stage")
    (True, False, False)
    """
    return attribute.startswith(EVIDENCE) and "." not in attribute


def _signed(pattern: HasEvidence, record: Evidence) -> bool:
    return pattern.role is None or record.signed_by(pattern.role) >= pattern.signers


def _holds_until(records: Iterable[Evidence], age: Duration | None, at: datetime) -> datetime | None:
    """Return when the last of several pieces of evidence ends that follow each other without a gap."""
    last = at
    for record in sorted(records, key=lambda record: record.counts_from):
        end = _end(record, age)
        if end is None:
            return None
        if record.counts_from <= last:
            last = max(last, end)
    return last


def _end(record: Evidence, age: Duration | None) -> datetime | None:
    old = add(record.issued, age) if age is not None else None
    return min((each for each in (old, record.counts_until) if isinstance(each, datetime)), default=None)


def shown(snapshot: Snapshot, node: str) -> str:
    """Return a thing's name, or its id where it has none."""
    return str(snapshot.value(node, "name") or node)


def _when(due: datetime | None) -> str:
    return format_instant(due) if due is not None else "~"


def _merged(run: Evaluation, asks: Iterable[_Ask]) -> Iterator[Need]:
    """Make one entry of all that is lacking, or held, of one kind about one node."""
    frameworks = {pack.name: pack.framework or pack.name for pack in run.program.packs}
    grouped: dict[tuple[str, str, bool, NeedState], list[_Ask]] = {}
    for ask in asks:
        grouped.setdefault((ask.node, ask.what, ask.is_evidence, ask.state), []).append(ask)
    for (node, what, is_evidence, state), group in grouped.items():
        roles = tuple(sorted({ask.role for ask in group if ask.role is not None}))
        yield Need(
            node,
            what,
            is_evidence,
            state,
            min((ask.due for ask in group if ask.due is not None), default=None),
            _description(run, node, what, is_evidence=is_evidence),
            tuple(dict.fromkeys(field for ask in group for field in ask.fields)),
            roles,
            _people(run, node, roles),
            tuple(sorted({ask.rule.name for ask in group})),
            tuple(sorted({(frameworks[ask.rule.pack], cited) for ask in group for cited in ask.rule.citations})),
        )


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
