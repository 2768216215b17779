"""Which change to a rule does no test notice?

A mutant is a rule, definition or parameter with one small change. It is killed when an expectation that was met is met
no longer. For one that survives, an example is searched that tells it from the original; one without is taken for
another way to write the same.

Only expectations that a change can affect are looked at again: those of the rule, or of the rules that use the
definition or parameter.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from difflib import unified_diff
from enum import StrEnum
from multiprocessing import get_context

from policy_dsl.collector import without_search_for_cycles
from policy_dsl.syntax import ast
from policy_dsl.typed import tree
from policy_engine.app.testing.changes import Change, definition_changes, parameter_changes, rule_changes
from policy_engine.app.testing.examples import Search
from policy_engine.app.testing.probe import Probe, Stage
from policy_engine.app.testing.relevance import parts_of
from policy_engine.app.testing.scenes import Case, Misplaced, Scene, cases_of
from policy_engine.app.testing.words import Words, apply_edits
from policy_engine.app.testing.workshop import Place, Workshop
from policy_engine.app.testing.writing import written


@dataclass(frozen=True, slots=True)
class Mutant:
    """A declaration and one change to it."""

    place: Place
    change: Change
    text: str
    """The declaration as it is with the change."""


class Fate(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant. For a survivor: the rule that an example tells apart, and the example as a test."""

    fate: Fate
    rule: str = ""
    example: str = ""


@dataclass(frozen=True, slots=True)
class _Expected:
    case: Case
    stage: Stage


class Laboratory:
    """Packs with their tests, and every mutant that can be made of them.

    ``wanted`` limits the tests to those whose name holds it, and the mutants to what these tests speak of.
    """

    @without_search_for_cycles()
    def __init__(self, files: Mapping[str, bytes], packs: frozenset[str], wanted: str = "") -> None:
        self.workshop = Workshop(files)
        self.program = self.workshop.program
        self.probe = Probe(self.program)
        self._expected = self._met_expectations(packs, wanted)
        self._users = self._rules_by_part()
        places = [p for p in self.workshop.places(packs) if not wanted or self._expectations(p)]
        self.mutants: tuple[Mutant, ...] = tuple(m for place in places for m in self._mutants(place))

    @without_search_for_cycles()
    def verdict(self, mutant: Mutant) -> Verdict:
        """Run the tests against a mutant and, when none notices, look for an example that would."""
        program = self.workshop.changed(mutant.place, mutant.text)
        if program is None:
            return Verdict(Fate.INVALID)
        probe = Probe(program)
        rules = self._rules(mutant.place)
        for name in rules:
            if not all(probe.meets(e.case, e.stage) for e in self._expected[name]):
                return Verdict(Fate.KILLED)
        for name in rules:
            scenes = _distinct(e.case.scene for e in self._expected[name])
            example = Search(name, self.probe, probe).example(scenes)
            if example is not None:
                title = f"{mutant.place.name}: {mutant.change.what.replace('`', '')}"
                return Verdict(Fate.SURVIVED, name, written(example, title, self.program.schema))
        return Verdict(Fate.SURVIVED)

    def diff(self, mutant: Mutant) -> list[str]:
        """Return the lines that a change takes out and puts in, with a line around them."""
        before, after = self.workshop.text(mutant.place).splitlines(), mutant.text.splitlines()
        return [line for line in unified_diff(before, after, n=1, lineterm="") if line[:3] not in {"---", "+++", "@@ "}]

    def _met_expectations(self, packs: frozenset[str], wanted: str) -> dict[str, list[_Expected]]:
        found: dict[str, list[_Expected]] = defaultdict(list)
        for number, test in enumerate(self.program.tests):
            if test.pack not in packs or wanted not in test.name:
                continue
            stages: dict[int, Stage] = {}
            for case in cases_of(number, test):
                if isinstance(case, Misplaced):
                    continue
                key = id(case.scene)
                stages.setdefault(key, Stage.of(case.scene, self.program))
                if self.probe.meets(case, stages[key]):
                    found[case.expected.rule].append(_Expected(case, stages[key]))
        return found

    def _rules_by_part(self) -> dict[str, list[str]]:
        users: dict[str, list[str]] = defaultdict(list)
        for rule in self.program.rules.values():
            for part in parts_of(rule, self.program):
                name = part.definition if isinstance(part, tree.Invoke) else None
                name = part.name if isinstance(part, tree.ParameterValue) else name
                if name is not None and rule.name not in users[name]:
                    users[name].append(rule.name)
        return users

    def _rules(self, place: Place) -> list[str]:
        """Return the rules that a change to a place can affect; those with the most expectations first."""
        if isinstance(place.declaration, ast.Rule):
            return [place.full_name]
        return sorted(self._users[place.full_name], key=lambda name: (-len(self._expected[name]), name))

    def _expectations(self, place: Place) -> int:
        return sum(len(self._expected[name]) for name in self._rules(place))

    def _mutants(self, place: Place) -> Iterator[Mutant]:
        declaration, schema = place.declaration, self.program.schema
        text = self.workshop.text(place)
        words = Words(self.workshop.sources[declaration.span.file], declaration.span)
        match declaration:
            case ast.Rule():
                inherited = self.workshop.symbols.packs[place.pack].header.applies
                changes = rule_changes(declaration, words, schema, inherited)
            case ast.Define():
                changes = definition_changes(declaration, words, schema)
            case ast.Parameter():
                changes = parameter_changes(declaration, words, schema)
        seen = {text}
        for change in changes:
            changed = apply_edits(text, change.edits, declaration.span.start)
            if changed not in seen:
                seen.add(changed)
                yield Mutant(place, change, changed)


Request = tuple[Mapping[str, bytes], frozenset[str], str]
"""What a laboratory is made of."""


def judge(laboratory: Laboratory, jobs: int, request: Request) -> Iterator[Verdict]:
    """Yield the verdict on each mutant in order, on several processors if there are jobs for them.

    ``request`` is what the laboratory was made of; the other processes make theirs of the same.
    """
    if jobs <= 1:
        yield from (laboratory.verdict(mutant) for mutant in laboratory.mutants)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn"), _open, request) as pool:
        yield from pool.map(_verdict, range(len(laboratory.mutants)), chunksize=4)


_OPENED: list[Laboratory] = []


def _open(files: Mapping[str, bytes], packs: frozenset[str], wanted: str) -> None:
    _OPENED.append(Laboratory(files, packs, wanted))


def _verdict(number: int) -> Verdict:
    laboratory = _OPENED[-1]
    return laboratory.verdict(laboratory.mutants[number])


def _distinct(scenes: Iterable[Scene]) -> list[Scene]:
    return list({id(scene): scene for scene in scenes}.values())
