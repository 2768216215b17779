"""What is different between two runs, result by result, and why.

Rules:

- results are compared by rule and subject; one that only one side has was added or removed, with its rule or subject;
- only a change of status is a change; results that stand on other grounds with the same status are counted;
- a reason is a difference that the proof on either side speaks of: the rule's text, a definition or parameter that it
  uses, a fact, evidence, an edge of its paths, a waiver, or the time between the two instants.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from policy_dsl.source import Span
from policy_dsl.typed import tree
from policy_dsl.values import format_instant, text
from policy_engine.app.evaluate import Evaluation
from policy_engine.app.hypothetical import waivers_of, world_of
from policy_engine.evaluation.causes import EVIDENCE, Circumstances, named_facts
from policy_engine.evaluation.forecast import is_worse, turns_of
from policy_engine.evaluation.parts import parts_of
from policy_engine.evaluation.point.evaluate import PointEvaluator
from policy_engine.evaluation.world import World
from policy_engine.model.evidence import Evidence
from policy_engine.model.results import Result, Status, value_in_words
from policy_evidence.canonical import JsonValue, canonical_bytes

FORMAT = "urn:ai-policy-engine:comparison:v1"

MOST_EDGES = 10
"""So many changed edges say why; a reader does not look at more of them."""


class ReasonKind(StrEnum):
    """What may differ."""

    RULE = "rule"
    DEFINITION = "definition"
    PARAMETER = "parameter"
    THING = "thing"
    FACT = "fact"
    EDGE = "edge"
    EVIDENCE = "evidence"
    WAIVER = "waiver"
    TIME = "time"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Reason:
    """One difference that a result rests on."""

    kind: ReasonKind
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A result that is another on the second side; nothing stands for a side that does not have it."""

    rule: str
    subject: str
    severity: str
    before: Result | None
    after: Result | None
    reasons: tuple[Reason, ...]

    @property
    def is_worse(self) -> bool:
        """Whether things are worse on the second side: a result got worse, or a new one is not in order."""
        if self.after is None:
            return False
        return is_worse(self.before.status if self.before else Status.PASS, self.after.status)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs and everything in which their results differ."""

    before: Evaluation
    after: Evaluation
    differences: tuple[Difference, ...]
    same: int
    other_grounds: int
    """How many results have the same status on both sides, and rest on something else."""

    @property
    def changed(self) -> tuple[Difference, ...]:
        """The results that both sides have."""
        return tuple(d for d in self.differences if d.before is not None and d.after is not None)

    @property
    def added(self) -> tuple[Difference, ...]:
        """The results that only the second side has."""
        return tuple(d for d in self.differences if d.before is None)

    @property
    def removed(self) -> tuple[Difference, ...]:
        """The results that only the first side has."""
        return tuple(d for d in self.differences if d.after is None)

    @property
    def gets_worse(self) -> bool:
        """Whether anything is worse on the second side."""
        return any(d.is_worse for d in self.differences)


def compare(before: Evaluation, after: Evaluation) -> Comparison:
    """Return what is different on the second side."""
    old, new = ({(r.rule, r.subject): r for r in run.results} for run in (before, after))
    why = _Reasons(before, after)
    found: list[Difference] = []
    same = other_grounds = 0
    for rule, subject in sorted({*old, *new}):
        one, other = old.get((rule, subject)), new.get((rule, subject))
        if one is not None and other is not None and one.status is other.status:
            same += 1
            other_grounds += _grounds(one) != _grounds(other)
            continue
        declared = (after if other is not None else before).program.rules[rule]
        reasons = tuple(why.reasons(rule, subject, one, other))
        found.append(Difference(rule, subject, declared.severity, one, other, reasons))
    return Comparison(before, after, tuple(found), same, other_grounds)


def _grounds(result: Result) -> tuple[object, ...]:
    return (result.facts, result.missing, result.evidence, result.witnesses, result.waiver)


class _Reasons:
    """Finds why results differ; what is the same for all of them is looked at once."""

    def __init__(self, before: Evaluation, after: Evaluation) -> None:
        self.before, self.after = before, after
        self.worlds = world_of(before), world_of(after)
        self.given = Circumstances.of(self.worlds[1], waivers_of(after))
        self.evaluators = PointEvaluator(self.worlds[0]), PointEvaluator(self.worlds[1])
        self.records = tuple({r.digest: r for r in run.evidence.usable.records()} for run in (before, after))
        edges = tuple({edge.key for edge in run.snapshot.edges} for run in (before, after))
        self.gone, self.new = edges[0] - edges[1], edges[1] - edges[0]

    def reasons(self, rule: str, subject: str, old: Result | None, new: Result | None) -> Iterator[Reason]:
        """Yield why a result differs; there is always something to say."""
        if old is None or new is None:
            yield from self._presence(rule, subject, added=old is None)
            return
        found = [*self._policy(rule), *self._facts(old, new), *self._evidence(old, new), *self._edges(old, new)]
        found += [*self._waiver(old, new), *self._time(new)]
        yield from dict.fromkeys(found) or [Reason(ReasonKind.OTHER, "something that neither proof names differs")]

    def _presence(self, rule: str, subject: str, *, added: bool) -> Iterator[Reason]:
        other = self.before if added else self.after
        verb = "new" if added else "no longer there"
        if rule not in other.program.rules:
            yield Reason(ReasonKind.RULE, f"the rule is {verb}")
        if subject not in other.snapshot.nodes:
            yield Reason(ReasonKind.THING, f"{subject} is {verb}")
        if rule in other.program.rules and subject in other.snapshot.nodes:
            kinds = [run.snapshot.nodes[subject].kind for run in (self.before, self.after)]
            what = (
                f"{subject} is a {kinds[1]}, was a {kinds[0]}" if kinds[0] != kinds[1] else "the rule is about others"
            )
            yield Reason(ReasonKind.THING, what)

    def _policy(self, rule: str) -> Iterator[Reason]:
        old, new = self.before.program, self.after.program
        one, other = old.rules[rule], new.rules[rule]
        if (texts := _texts(old, one.syntax.span, new, other.syntax.span)) is not None:
            yield Reason(ReasonKind.RULE, f"the text of the rule is another{texts}")
        for word, was, now in (("begins", one.start, other.start), ("ends", one.end, other.end)):
            if was != now:
                said = [format_instant(at) if at else "no certain day" for at in (now, was)]
                yield Reason(
                    ReasonKind.RULE, f"the time in which the rule is in force {word} on {said[0]}, was {said[1]}"
                )
        for name in sorted({*_definitions(old, one)} & {*_definitions(new, other)}):
            spans = old.definitions[name].syntax.span, new.definitions[name].syntax.span
            if (texts := _texts(old, spans[0], new, spans[1])) is not None:
                yield Reason(ReasonKind.DEFINITION, f"the definition `{name}` is another{texts}")
        for name in sorted({*_parameters(old, one)} & {*_parameters(new, other)}):
            was_set, now_set = old.parameters[name], new.parameters[name]
            if was_set != now_set:
                yield Reason(ReasonKind.PARAMETER, f"parameter `{name}` is {text(now_set)}, was {text(was_set)}")

    def _facts(self, old: Result, new: Result) -> Iterator[Reason]:
        for node, attribute in sorted(named_facts(old) | named_facts(new)):
            if attribute.startswith(EVIDENCE):
                continue
            was, now = (_reading(world, node, attribute) for world in self.worlds)
            if was is None or now is None:
                if (was is None) != (now is None):
                    verb = "no longer there" if now is None else "new"
                    yield Reason(ReasonKind.THING, f"{node} is {verb}")
            elif was != now:
                yield Reason(ReasonKind.FACT, f"`{attribute}` of {node} is {now}, was {was}")

    def _evidence(self, old: Result, new: Result) -> Iterator[Reason]:
        before, after = self.records
        for digest in sorted({*old.evidence} - {*after}):
            yield Reason(ReasonKind.EVIDENCE, f"{_named(before[digest])} no longer counts")
        for digest in sorted({*new.evidence} - {*before}):
            yield Reason(ReasonKind.EVIDENCE, f"{_named(after[digest])} is new")

    def _edges(self, old: Result, new: Result) -> Iterator[Reason]:
        """Yield edges of one side only that the paths of a proof take, or else that touch a thing which it names."""
        paths = [self._walked(number, result) for number, result in enumerate((old, new))]
        gone = sorted(key for key in self.gone if frozenset(key[1:]) in paths[0])
        added = sorted(key for key in self.new if frozenset(key[1:]) in paths[1])
        if not gone and not added:
            nodes = {node for node, _ in named_facts(old) | named_facts(new)} | {old.subject}
            nodes |= {node for pairs in paths for pair in pairs for node in pair}
            gone, added = (sorted(k for k in keys if {*k[1:]} & nodes) for keys in (self.gone, self.new))
        for keys, verb in ((gone, "no longer there"), (added, "new")):
            for edge, source, target in keys[:MOST_EDGES]:
                yield Reason(ReasonKind.EDGE, f"`{source} {edge} {target}` is {verb}")

    def _walked(self, side: int, result: Result) -> set[frozenset[str]]:
        """Return the pairs of neighbours on the paths of a proof, passes included."""
        run = (self.before, self.after)[side]
        grounds = self.evaluators[side].decide(run.program.rules[result.rule], result.subject, run.at).grounds
        witnesses = {*grounds.witnesses, *result.witnesses}
        return {
            frozenset({one.node, other.node}) for w in witnesses for one, other in zip(w.hops, w.hops[1:], strict=False)
        }

    def _waiver(self, old: Result, new: Result) -> Iterator[Reason]:
        for run, result, others, verb in (
            (self.before, old, self.after, "no longer counts"),
            (self.after, new, self.before, "counts now"),
        ):
            if result.waiver is None or any(w.digest == result.waiver for w in waivers_of(others)):
                continue
            approver = next(w.approver for w in waivers_of(run) if w.digest == result.waiver)
            yield Reason(ReasonKind.WAIVER, f"the waiver approved by {approver} {verb}")

    def _time(self, new: Result) -> Iterator[Reason]:
        """Yield what turned between the two instants, on the second side's facts."""
        start, end = sorted((self.before.at, self.after.at))
        if start == end:
            return
        evaluator = self.evaluators[1]
        first = evaluator.evaluate(self.after.program.rules[new.rule], new.subject, start)
        for turn in turns_of(self.given, evaluator, self.given.waived(first, start), end):
            for cause in turn.causes:
                yield Reason(ReasonKind.TIME, f"on {_day(turn.at)}: {cause.text}")


def _texts(old: tree.Program, was: Span, new: tree.Program, now: Span) -> str | None:
    """Return how two texts differ, in words where it is a single line; nothing when they do not."""
    before, after = (
        [line.strip() for line in program.files[span.file].text[span.start : span.end].splitlines()]
        for program, span in ((old, was), (new, now))
    )
    if before == after:
        return None
    gone, added = [line for line in before if line not in after], [line for line in after if line not in before]
    return f": `{added[0]}`, was `{gone[0]}`" if len(gone) == len(added) == 1 else ""


def _definitions(program: tree.Program, rule: tree.Rule) -> Iterable[str]:
    return (part.definition for part in parts_of(program, rule) if isinstance(part, tree.Invoke))


def _parameters(program: tree.Program, rule: tree.Rule) -> Iterable[str]:
    return (part.name for part in parts_of(program, rule) if isinstance(part, tree.ParameterValue))


def _reading(world: World, node: str, attribute: str) -> str | None:
    """Return an attribute of a thing in words, or nothing where there is no such thing."""
    found = world.snapshot.nodes.get(node)
    if found is None:
        return None
    declared = world.program.schema.kinds[found.kind].attributes.get(attribute)
    if declared is None:
        return "not known to the schema"
    value = world.read(node, declared)
    return value_in_words(value) if value is not None else world.why_missing(node, attribute)


def _named(record: Evidence) -> str:
    return f"evidence {record.type} on {record.subject}, issued {record.issued.date().isoformat()},"


def _day(at: datetime) -> str:
    return format_instant(at).removesuffix("T00:00:00Z")


# --- as a document -------------------------------------------------------------------------------------------


def comparison_to_json(found: Comparison, changes: Iterable[str] = (), effects: Iterable[str] = ()) -> bytes:
    """Return a comparison as canonical JSON; docs/foresight.md describes it. ``changes`` are those of a what-if."""
    document: JsonValue = {
        "format": FORMAT,
        "before": _side(found.before),
        "after": _side(found.after),
        "what_if": {"changes": list(changes), "effects": list(effects)},
        "changed": [_difference(d) for d in found.changed],
        "added": [_difference(d) for d in found.added],
        "removed": [_difference(d) for d in found.removed],
        "subjects": _names(set(found.before.snapshot.nodes), set(found.after.snapshot.nodes)),
        "rules": _names({*found.before.program.rules}, {*found.after.program.rules}),
        "same": found.same,
        "same_on_other_grounds": found.other_grounds,
        "worse": found.gets_worse,
    }
    return canonical_bytes(document)


def _names(before: set[str], after: set[str]) -> JsonValue:
    return {"added": [*sorted(after - before)], "removed": [*sorted(before - after)]}


def _side(run: Evaluation) -> JsonValue:
    return {
        "at": format_instant(run.at),
        "snapshot": run.snapshot.digest,
        "facts": run.snapshot.facts_digest,
        "packs": [{"name": p.name, "version": p.version} for p in sorted(run.program.packs, key=lambda p: p.name)],
        "verdict": run.verdict.value,
        "counts": {status.value: run.count(status) for status in Status},
    }


def _difference(found: Difference) -> JsonValue:
    result = found.after or found.before
    return {
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
