r"""The set evaluator: every rule for every thing of an estate, with the statuses that the point evaluator would give.

>>> from datetime import UTC, datetime
>>> from policy_dsl import compile_packs
>>> from policy_dsl.source import SourceFile
>>> from policy_engine.lineage.columns.writer import estate_bytes, table_of
>>> from policy_engine.lineage.graph import Fact, Node, Snapshot
>>> from policy_engine.model.evidence import EvidenceSet
>>> schema = "policy schema\nnode Model { tested: Boolean }"
>>> pack = "policy pack\nuse schema\nrule tested\n    for each Model\n    must model.tested"
>>> program, _ = compile_packs([SourceFile("s.policy", schema), SourceFile("p.policy", pack)])
>>> snapshot = Snapshot.build([Node("a", "Model", {"tested": Fact(True)}), Node("b", "Model")])
>>> file = EstateFile(estate_bytes(table_of(snapshot, EvidenceSet(), {}, {})))
>>> results = SetEvaluator(program, file).evaluate(datetime(2026, 1, 1, tzinfo=UTC))
>>> results.status("pack.tested", "a").value, [found.subject for found in results.findings()]
('pass', ['b'])
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Literal

import numpy as np

from policy_dsl.typed.tree import Program
from policy_engine.evaluation.point.evaluate import PointEvaluator
from policy_engine.evaluation.sets import plan
from policy_engine.evaluation.sets.codes import SetEvaluationError
from policy_engine.evaluation.sets.decided import Points, Table
from policy_engine.evaluation.sets.estate import Array, Estate
from policy_engine.evaluation.sets.evaluation import Evaluation
from policy_engine.evaluation.sets.facts import Facts
from policy_engine.evaluation.sets.kernel import Kernel
from policy_engine.evaluation.sets.native_kernel import NativeKernel
from policy_engine.evaluation.sets.numpy_kernel import NumpyKernel
from policy_engine.evaluation.sets.planning import plan_of
from policy_engine.evaluation.sets.results import Clock, Finding, Left, RuleResults, SetResults
from policy_engine.evaluation.sets.rows import MAYBE, TRUE, Rows
from policy_engine.evaluation.world import View
from policy_engine.lineage.columns.reader import EstateFile, MappedEvidence, MappedSnapshot
from policy_engine.model.results import Result

PASS, FAIL, UNKNOWN, NOT_APPLICABLE = range(4)
# By the truth of what is required.
_OUTCOMES = np.array([FAIL, UNKNOWN, PASS], np.uint8)


class SetEvaluator:
    """Evaluates a program over one estate file, at any instants."""

    def __init__(self, program: Program, file: EstateFile, kernel: Literal["auto", "native", "numpy"] = "auto") -> None:
        """Make the plan and check the file.

        Raises:
            LineageError: PE3403, the file is damaged.
            SetEvaluationError: PE3501, the compiled kernel was asked for and is not there.
        """
        self.file = file
        self.world = View(program, MappedSnapshot(file), MappedEvidence(file))
        self.plan = plan_of(program)
        self.estate = Estate(file)
        self.kernel = chosen_kernel(kernel)
        self._points = Points(self.world, self.estate)
        self._facts = Facts()
        self._tables: dict[int, tuple[plan.Condition, Table]] = {}

    def evaluate(self, at: datetime, clock: Clock = lambda: 0.0) -> SetResults:
        """Return the status of every rule for everything it is about, at an instant."""
        evaluation = self.evaluation(at)
        found: dict[str, RuleResults] = {}
        left: list[Left] = []
        seconds: dict[str, float] = {}
        for name, one in self.plan.rules.items():
            begun = clock()
            rows = Rows.whole(self.estate, one.subject)
            found[name] = RuleResults(name, rows.things[one.subject.slot], statuses(evaluation, one, rows))
            left += [Left(name, reason, asked) for reason, asked in evaluation.left]
            evaluation.left.clear()
            seconds[name] = clock() - begun
        return SetResults(at, found, tuple(left), seconds, self.file)

    def evaluation(self, at: datetime) -> Evaluation:
        """Return what decides conditions at an instant; rules that are not in force then take no part."""
        in_force = [one for one in self.plan.rules.values() if is_in_force(one, at)]
        wanted = [m for one in in_force for c in plan.conditions_of(one) for m in plan.swept_in(c)]
        return Evaluation(self.estate, self._points, self.kernel, at, self._facts, self._tables, wanted)

    def explain(self, results: SetResults, findings: Iterable[Finding] | None = None) -> Iterator[Result]:
        """Yield the point evaluator's result for some findings, or for all, by rule, then by id.

        Raises:
            SetEvaluationError: PE3502, it comes to another status.
        """
        point = PointEvaluator(self.world)
        for finding in results.findings() if findings is None else findings:
            rule = self.world.program.rules[finding.rule]
            result = point.evaluate(rule, finding.subject, results.at)
            if result.status is not finding.status:
                raise SetEvaluationError(
                    "PE3502",
                    f"`{finding.rule}` is `{finding.status.value}` for `{finding.subject}` in the estate as a whole"
                    f" and `{result.status.value}` on its own",
                    "this is a fault of the engine; do not rely on this run, and report it",
                )
            yield result


def chosen_kernel(name: Literal["auto", "native", "numpy"]) -> Kernel:
    """Return a kernel: the compiled one if it is there, unless another is asked for.

    Raises:
        SetEvaluationError: PE3501, the compiled kernel was asked for and is not there.
    """
    if name == "numpy":
        return NumpyKernel()
    try:
        return NativeKernel()
    except OSError as error:
        if name == "native":
            raise SetEvaluationError(
                "PE3501",
                "the compiled kernel is not there",
                "install the package where there is a C compiler, or use the kernel `numpy`",
            ) from error
        return NumpyKernel()


def is_in_force(one: plan.RulePlan, at: datetime) -> bool:
    """Tell whether a rule is in force at an instant."""
    start, end = one.rule.start, one.rule.end
    return (start is None or start <= at) and (end is None or at < end)


def statuses(evaluation: Evaluation, one: plan.RulePlan, rows: Rows) -> Array:
    """Return the number of the status of each subject, in the order in which a rule asks: see ``verdicts``."""
    found = np.full(rows.size, NOT_APPLICABLE, np.uint8)
    # (1) A rule that is not in force applies to nothing.
    if not is_in_force(one, evaluation.at):
        return found
    # (2) What is not in the scope is not asked; where the scope is not known, nothing is.
    open_rows = np.arange(rows.size)
    if one.where is not None:
        scope = evaluation.truth(one.where, rows)
        found[scope == MAYBE] = UNKNOWN
        open_rows = np.flatnonzero(scope == TRUE)
    # (3) An exception that surely holds ends the matter.
    doubtful = np.zeros(len(open_rows), bool)
    for exemption in one.exemptions:
        excused = _asked(evaluation, exemption, rows, open_rows)
        kept = excused != TRUE
        open_rows, doubtful = open_rows[kept], (doubtful | (excused == MAYBE))[kept]
    # (4) What is required decides; a failure that an exception may excuse is unknown.
    required = _asked(evaluation, one.requirement, rows, open_rows)
    outcomes = _OUTCOMES[required]
    outcomes[doubtful & (outcomes == FAIL)] = UNKNOWN
    found[open_rows] = outcomes
    return found


def _asked(evaluation: Evaluation, condition: plan.Condition, rows: Rows, chosen: Array) -> Array:
    """Return the truth of a condition for some rows; only what is costly is not asked for all of them at once."""
    if len(chosen) == rows.size:
        return evaluation.truth(condition, rows)
    if evaluation.facts.is_costly(condition):
        return evaluation.truth(condition, rows.only(chosen))
    return evaluation.truth(condition, rows)[chosen]
