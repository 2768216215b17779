"""Runs the tests that packs declare: each step's facts, its instant, and the results it expects."""

from dataclasses import dataclass

from policy_dsl.source import Span
from policy_dsl.typed import tree
from policy_engine.app.testing.scenes import Case, Misplaced, cases_of
from policy_engine.evaluation.point.evaluate import PointEvaluator
from policy_engine.model.results import Result


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that was not met."""

    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """A test, what it expects and what went wrong in it."""

    test: tree.PackTest
    cases: tuple[Case, ...]
    failures: tuple[Failure, ...]

    @property
    def passed(self) -> bool:
        """Whether every expectation was met."""
        return not self.failures


def run_tests(program: tree.Program) -> list[Outcome]:
    """Run every test of a program that compiled without errors."""
    return [_run(program, number, test) for number, test in enumerate(program.tests)]


def _run(program: tree.Program, number: int, test: tree.PackTest) -> Outcome:
    cases: list[Case] = []
    failures: list[Failure] = []
    for case in cases_of(number, test):
        match case:
            case Misplaced():
                failures.append(Failure(case.span, "the first `at` stands after the first fact or expectation"))
            case Case(_, scene, expected):
                cases.append(case)
                failures += _compare(expected, PointEvaluator(scene.world(program)), case)
    return Outcome(test, tuple(cases), tuple(failures))


def _compare(expected: tree.Expectation, evaluator: PointEvaluator, case: Case) -> list[Failure]:
    rule = evaluator.world.program.rules[expected.rule]
    if expected.subject not in evaluator.world.subjects(rule):
        return [Failure(expected.span, f"`{expected.subject}` is not of a kind that `{rule.name}` is about")]
    result = evaluator.evaluate(rule, expected.subject, case.scene.at)
    if result.status.value != expected.status:
        return [Failure(expected.span, f"expected {expected.status}, found {result.status.value}{_why(result)}")]
    reasons = _things_named(result)
    return [
        Failure(expected.span, f"`{name}` is not among the reasons: {', '.join(sorted(reasons)) or 'none'}")
        for name in expected.because_of
        if name not in reasons
    ]


def _things_named(result: Result) -> set[str]:
    """Return what a result rests on: the last thing of each path and the things whose facts are missing."""
    return {w.hops[-1].node for w in result.witnesses} | {m.node for m in result.missing}


def _why(result: Result) -> str:
    missing = ", ".join(f"{m.attribute} of {m.node} {m.reason}" for m in result.missing)
    return f" ({result.reason or result.message or missing})" if result.reason or result.message or missing else ""
