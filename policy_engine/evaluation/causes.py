"""Why a result turns at an instant although nobody touches anything.

Rules:

- what begins or ends at exactly that instant is a cause: the rule, a waiver, evidence that the rule asks for about a
  thing of the proof;
- evidence ages at exactly its issue plus the age that the rule allows;
- a date that is stated is a cause when the result would not have turned had the date been a day later;
- when nothing of this is found, it is a date that the rule itself names.

>>> Cause(CauseKind.RULE_BEGINS, "the rule enters into force").kind.value
'rule_begins'
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from policy_dsl.typed import tree
from policy_dsl.typed.types import NodeType
from policy_dsl.values import LAST_INSTANT, add, text
from policy_engine.evaluation.parts import age_allowed, patterns_of
from policy_engine.evaluation.point.evaluate import PointEvaluator
from policy_engine.evaluation.supposition import SetFact, changed_world
from policy_engine.evaluation.waivers import apply_waivers
from policy_engine.evaluation.world import World
from policy_engine.model.evidence import Evidence, Waiver
from policy_engine.model.results import Result, Status

EVIDENCE = "evidence "
"""How facts about evidence are named in proofs: ``evidence datasheet``, ``evidence datasheet.score``."""


EXCEPTION = "exception: "
"""How the reason begins for which an exception excuses a subject."""


class CauseKind(StrEnum):
    """What makes a result turn with time."""

    RULE_BEGINS = "rule_begins"
    RULE_ENDS = "rule_ends"
    WAIVER_BEGINS = "waiver_begins"
    WAIVER_ENDS = "waiver_ends"
    EVIDENCE_BEGINS = "evidence_begins"
    EVIDENCE_ENDS = "evidence_ends"
    EVIDENCE_AGES = "evidence_ages"
    DATE_REACHED = "date_reached"
    RULE_DATE = "rule_date"


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause in words, with the thing and the evidence or waiver (by digest) that it speaks of, if any."""

    kind: CauseKind
    text: str
    node: str | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Circumstances:
    """A world with the waivers that are accepted in it, so arranged that those of one result are found at once."""

    world: World
    waivers: Mapping[tuple[str, str], tuple[Waiver, ...]]
    subjects: Mapping[str, frozenset[str]]
    """What each piece of evidence is about, by digest."""

    @classmethod
    def of(cls, world: World, waivers: Iterable[Waiver]) -> "Circumstances":
        """Arrange a world and its waivers."""
        by_target: dict[tuple[str, str], tuple[Waiver, ...]] = {}
        for waiver in waivers:
            key = (waiver.rule, waiver.subject)
            by_target[key] = (*by_target.get(key, ()), waiver)
        subjects: dict[str, frozenset[str]] = {}
        for record in world.evidence.records():
            subjects[record.digest] = subjects.get(record.digest, frozenset()) | {record.subject}
        return cls(world, by_target, subjects)

    def waivers_for(self, result: Result) -> tuple[Waiver, ...]:
        """Return the waivers of a result's rule for its subject."""
        return self.waivers.get((result.rule, result.subject), ())

    def waived(self, result: Result, at: datetime) -> Result:
        """Return a result with waivers applied."""
        return apply_waivers([result], self.waivers_for(result), at)[0][0]


def causes_of(given: Circumstances, before: Result, after: Result, at: datetime) -> tuple[Cause, ...]:
    """Return why a result is another from an instant on; never nothing."""
    world, waivers = given.world, given.waivers_for(after)
    rule = world.program.rules[after.rule]
    nodes = _nodes(before) | _nodes(after)
    nodes = nodes.union(*(given.subjects.get(digest, ()) for digest in (*before.evidence, *after.evidence)))
    found = [*_of_rule(rule, at), *_of_waivers(waivers, before, after, at), *_of_evidence(world, rule, nodes, at)]
    found += _of_dates(given, rule, before, after, at)
    return tuple(found) or (Cause(CauseKind.RULE_DATE, _named_date(before, after)),)


def _named_date(before: Result, after: Result) -> str:
    """Say which part of a rule a date in it speaks of, where the results tell."""
    if before.reason.startswith(EXCEPTION):
        return f"by a date that the rule names, an exception is over: {before.reason.removeprefix(EXCEPTION)}"
    if after.reason.startswith(EXCEPTION):
        return f"by a date that the rule names, an exception begins: {after.reason.removeprefix(EXCEPTION)}"
    return "a date that the rule names is reached"


def named_facts(result: Result) -> set[tuple[str, str]]:
    """Return the things and attributes that a proof names, those that are missing too."""
    read = {(fact.node, fact.attribute) for fact in result.facts}
    return read | {(missing.node, missing.attribute) for missing in result.missing}


def roles_asked(world: World, result: Result) -> tuple[str, ...]:
    """Return the roles that must sign what an open result lacks."""
    if result.status not in {Status.FAIL, Status.UNKNOWN}:
        return ()
    lacking = {attribute for _, attribute in named_facts(result) if attribute.startswith(EVIDENCE)}
    types = {name.removeprefix(EVIDENCE).partition(".")[0] for name in lacking}
    asked = patterns_of(world.program, world.program.rules[result.rule])
    return tuple(sorted({p.role for p in asked if p.type in types and p.role is not None}))


# --- what begins and ends ----------------------------------------------------------------------------------


def _of_rule(rule: tree.Rule, at: datetime) -> Iterator[Cause]:
    if rule.start == at:
        yield Cause(CauseKind.RULE_BEGINS, "the rule enters into force")
    if rule.end == at:
        yield Cause(CauseKind.RULE_ENDS, "the rule is no longer in force")


def _of_waivers(waivers: Sequence[Waiver], before: Result, after: Result, at: datetime) -> Iterator[Cause]:
    for waiver in waivers:
        said = f"waiver approved by {waiver.approver}" + (f" ({waiver.ticket})" if waiver.ticket else "")
        if waiver.counts_from == at and after.status is Status.WAIVED:
            yield Cause(CauseKind.WAIVER_BEGINS, f"the {said} begins", waiver.subject, waiver.digest)
        if waiver.counts_until == at and before.status is Status.WAIVED:
            yield Cause(CauseKind.WAIVER_ENDS, f"the {said} ends", waiver.subject, waiver.digest)


def _of_evidence(world: World, rule: tree.Rule, nodes: set[str], at: datetime) -> Iterator[Cause]:
    seen: set[tuple[CauseKind, str, str]] = set()
    for pattern in patterns_of(world.program, rule):
        assert isinstance(pattern.subject.type, NodeType)  # noqa: S101 - the checker asks evidence of things only
        kinds = world.program.schema.kinds_below(pattern.subject.type.kind)
        fitting = [node for node in sorted(nodes) if world.snapshot.kind(node) in kinds]
        for record in (r for node in fitting for r in world.evidence.about(node, pattern.type)):
            for kind, words in _turns(world, pattern, record, at):
                if (kind, record.digest, record.subject) not in seen:
                    seen.add((kind, record.digest, record.subject))
                    said = f"evidence {record.type} on {record.subject}, issued {text(record.issued.date())}, {words}"
                    yield Cause(kind, said, record.subject, record.digest)


def _turns(world: World, pattern: tree.HasEvidence, record: Evidence, at: datetime) -> Iterator[tuple[CauseKind, str]]:
    if record.counts_from == at:
        yield CauseKind.EVIDENCE_BEGINS, "begins to count"
    if record.counts_until == at:
        yield CauseKind.EVIDENCE_ENDS, "ends, or its signer no longer counts"
    age = age_allowed(world, pattern)
    if age is not None and add(record.issued, age) == at:
        yield CauseKind.EVIDENCE_AGES, f"reaches the age of {age} that the rule allows"


def _nodes(result: Result) -> set[str]:
    named = {node for node, _ in named_facts(result)}
    return named | {result.subject} | {hop.node for witness in result.witnesses for hop in witness.hops}


# --- dates -------------------------------------------------------------------------------------------------


def _of_dates(given: Circumstances, rule: tree.Rule, before: Result, after: Result, at: datetime) -> Iterator[Cause]:
    world = given.world
    for node, attribute in sorted(named_facts(before) | named_facts(after)):
        if attribute.startswith(EVIDENCE):
            yield from _of_evidence_date(world, before, after, node, attribute)
            continue
        if node not in world.snapshot.nodes:
            continue  # what is missing of a whole kind is no fact of a thing
        fact = world.snapshot.nodes[node].attributes.get(attribute)
        if fact is None or not isinstance(fact.value, date) or fact.value >= _last_like(fact.value):
            continue
        later = changed_world(world, [SetFact(node, attribute, fact.value + timedelta(days=1))])
        then = given.waived(PointEvaluator(later).evaluate(rule, after.subject, at), at)
        if then.status is not after.status:
            yield Cause(CauseKind.DATE_REACHED, f"`{attribute}` of {node} is {text(fact.value)}", node)


def _of_evidence_date(world: World, before: Result, after: Result, node: str, attribute: str) -> Iterator[Cause]:
    """Yield a date in evidence that a proof read before or after, and not both."""
    kind, _, name = attribute.removeprefix(EVIDENCE).partition(".")
    cited = {*before.evidence, *after.evidence}
    for record in world.evidence.about(node, kind):
        value = record.field(name, None) if name and record.digest in cited else None
        if isinstance(value, date):
            said = f"`{name}` of evidence {kind} on {node} is {text(value)}"
            yield Cause(CauseKind.DATE_REACHED, said, node, record.digest)


def _last_like(value: date) -> date:
    last = LAST_INSTANT - timedelta(days=1)
    return last if isinstance(value, datetime) else last.date()
