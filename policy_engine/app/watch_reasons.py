"""Changed results → differences with the reasons that a person is told: the changed facts that each result read."""

from collections.abc import Iterable, Iterator
from typing import Any

from policy_dsl.typed.tree import Program
from policy_engine.app.impact import Difference, Reason, ReasonKind
from policy_engine.evaluation.causes import Circumstances, causes_of
from policy_engine.evaluation.incremental.dependencies import ATTRIBUTE, EVIDENCE, FROM, KIND, MEMBERS, TO, WAIVER
from policy_engine.evaluation.incremental.evaluation import ChangedFact, ChangedResult, LiveEvaluation
from policy_engine.evaluation.incremental.facts import CONTRADICTED
from policy_engine.model.results import value_in_words


def changed_by_facts(program: Program, changed: Iterable[ChangedResult]) -> tuple[Difference, ...]:
    """Return the results whose status changed with facts, and with which."""
    return tuple(_difference(program, one, tuple(_reasons(one.because))) for one in changed if one.is_of_status)


def changed_by_time(live: LiveEvaluation, changed: Iterable[ChangedResult]) -> tuple[Difference, ...]:
    """Return the results whose status changed at exactly the instant that was reached, and why."""
    turned = [one for one in changed if one.is_of_status]
    given = Circumstances.of(live.world(), live.waivers()) if turned else None
    found: list[Difference] = []
    for one in turned:
        assert given is not None and one.before is not None and one.after is not None  # noqa: S101 - time adds no thing
        causes = causes_of(given, one.before, one.after, live.at)
        reasons = tuple(Reason(ReasonKind.TIME, cause.text) for cause in causes)
        found.append(_difference(live.program, one, reasons))
    return tuple(found)


def _difference(program: Program, one: ChangedResult, reasons: tuple[Reason, ...]) -> Difference:
    severity = program.rules[one.rule].severity
    return Difference(one.rule, one.subject, severity, one.before, one.after, reasons)


def _reasons(facts: Iterable[ChangedFact]) -> Iterator[Reason]:
    # Who hears that a thing came or went is not told what came or went with it.
    listed = [*facts]
    moved = {fact.key[1] for fact in listed if fact.key[0] == KIND and None in (fact.before, fact.after)}
    plain = [fact for fact in listed if fact.key[0] in {KIND, MEMBERS, WAIVER} or fact.key[1] not in moved]
    # An edge is a fact of both its ends, and a kind one of its members too: each is said once.
    ordered = sorted(plain, key=lambda fact: (fact.key[0] == MEMBERS, fact.key[0] != KIND))
    said = {fact.key[1] for fact in listed if fact.key[0] == KIND}
    yield from dict.fromkeys(reason for fact in ordered for reason in _said(fact, said))


def _said(fact: ChangedFact, said: set[str]) -> Iterator[Reason]:
    (what, name, part), before, after = fact.key, fact.before, fact.after
    if what == KIND:
        yield Reason(ReasonKind.THING, _of_kind(name, before, after))
    elif what == ATTRIBUTE:
        yield Reason(ReasonKind.FACT, f"`{part}` of {name} is {_in_words(after)}, was {_in_words(before)}")
    elif what == MEMBERS:
        for node in sorted({*after} - {*before} - said):
            yield Reason(ReasonKind.THING, f"{node} is a {name} now")
        for node in sorted({*before} - {*after} - said):
            yield Reason(ReasonKind.THING, f"{node} is a {name} no longer")
    elif what in {FROM, TO}:
        for ends, verb in (({*after} - {*before}, "new"), ({*before} - {*after}, "no longer there")):
            for end in sorted(ends):
                source, target = (name, end) if what == FROM else (end, name)
                yield Reason(ReasonKind.EDGE, f"`{source} {part} {target}` is {verb}")
    elif what == EVIDENCE:
        for record, verb in _came_and_went(before, after):
            issued = record.issued.date().isoformat()
            yield Reason(ReasonKind.EVIDENCE, f"evidence {part} on {name}, issued {issued}, {verb}")
    elif what == WAIVER:
        for waiver, verb in _came_and_went(before, after):
            yield Reason(ReasonKind.WAIVER, f"the waiver approved by {waiver.approver} {verb}")


def _came_and_went(before: tuple[Any, ...], after: tuple[Any, ...]) -> Iterator[tuple[Any, str]]:
    yield from ((one, "is new") for one in after if one not in before)
    yield from ((one, "no longer counts") for one in before if one not in after)


def _of_kind(node: str, before: str | None, after: str | None) -> str:
    if before is None:
        return f"{node} is new"
    return f"{node} is no longer there" if after is None else f"{node} is a {after}, was a {before}"


def _in_words(state: object) -> str:
    return "contradicted" if state is CONTRADICTED else value_in_words(state)  # type: ignore[arg-type]
