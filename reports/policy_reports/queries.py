"""What every renderer asks of a document: counts, orders and the words for them.

One place, so that all formats count alike, order alike and call a thing by the same name.
The order of findings is: gravest first, then rule, then subject.

>>> from policy_reports.document import Status
>>> STATUS_WORDS[Status.NOT_APPLICABLE]
'not applicable'
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from policy_reports.document import AssessmentDocument, Basis, Result, Rule, Severity, Status, Verdict
from policy_reports.errors import ReportError

STATUS_WORDS: Mapping[Status, str] = {
    Status.FAIL: "violated",
    Status.UNKNOWN: "unknown",
    Status.WAIVED: "waived",
    Status.PASS: "satisfied",
    Status.NOT_APPLICABLE: "not applicable",
}
VERDICT_WORDS: Mapping[Verdict, str] = {
    Verdict.COMPLIANT: "Compliant",
    Verdict.NOT_COMPLIANT: "Not compliant",
    Verdict.UNDECIDED: "Undecided",
}
BASIS_WORDS: Mapping[Basis, str] = {
    Basis.LAW: "law",
    Basis.STANDARD: "standard",
    Basis.FIRM_POLICY: "firm policy",
    Basis.INFERENCE: "inference",
}

_GRAVITY = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True)
class Finding:
    """A result together with its rule."""

    rule: Rule
    result: Result


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """How many results of one framework and severity have each status."""

    framework: str
    severity: Severity
    counts: Mapping[Status, int]

    @property
    def total(self) -> int:
        """All results of this row."""
        return sum(self.counts.values())


def findings(document: AssessmentDocument, *statuses: Status) -> tuple[Finding, ...]:
    """The results with one of the statuses, or all, gravest first, then by rule and subject."""
    rules = {rule.id: rule for rule in document.rules}
    wanted = frozenset(statuses or Status)
    found = (Finding(rules[result.rule], result) for result in document.results if result.status in wanted)
    return tuple(sorted(found, key=_order))


def by_rule(document: AssessmentDocument) -> tuple[tuple[Rule, tuple[Result, ...]], ...]:
    """Every rule by framework and id with its results by subject, rules without a result included."""
    results: dict[str, list[Result]] = {rule.id: [] for rule in document.rules}
    for finding in findings(document):
        results[finding.rule.id].append(finding.result)
    ordered = sorted(document.rules, key=lambda rule: (rule.framework, rule.id))
    return tuple((rule, tuple(results[rule.id])) for rule in ordered)


def by_framework(document: AssessmentDocument) -> tuple[tuple[str, tuple[Finding, ...]], ...]:
    """Every framework by name with its findings in the order of `findings`."""
    grouped: dict[str, list[Finding]] = {rule.framework: [] for rule in document.rules}
    for finding in findings(document):
        grouped[finding.rule.framework].append(finding)
    return tuple((name, tuple(grouped[name])) for name in sorted(grouped))


def summary(document: AssessmentDocument) -> tuple[SummaryRow, ...]:
    """Counts by framework and severity; a framework has a row for each severity its rules have."""
    counted: dict[tuple[str, Severity], Counter[Status]] = {
        (rule.framework, rule.severity): Counter() for rule in document.rules
    }
    for finding in findings(document):
        counted[finding.rule.framework, finding.rule.severity][finding.result.status] += 1
    ordered = sorted(counted, key=lambda key: (key[0], _GRAVITY[key[1]]))
    return tuple(SummaryRow(*key, {status: counted[key][status] for status in Status}) for key in ordered)


def opinion(document: AssessmentDocument) -> str:
    """The verdict as one sentence with the counts behind it."""
    if not document.results:
        return "No rule was evaluated on any subject, so nothing was found and nothing was shown."
    said = {status: counted(document.counts[status], "result") for status in Status}
    waived = document.counts[Status.WAIVED]
    aside = f" {said[Status.WAIVED].capitalize()} failed under a signed waiver." if waived else ""
    match document.verdict:
        case Verdict.NOT_COMPLIANT:
            return f"{said[Status.FAIL].capitalize()} violated a rule.{aside}"
        case Verdict.UNDECIDED:
            known = f"No rule is violated, but {said[Status.UNKNOWN]} could not be decided for want of facts."
            return known + aside
        case Verdict.COMPLIANT:
            return f"No rule is violated and every applicable rule could be decided.{aside}"


def prove_complete(document: AssessmentDocument, rendered: Iterable[Status]) -> None:
    """Refuse a rendering that did not show every result once: counts in must equal counts out (PE6004)."""
    shown = Counter(rendered)
    for status, expected in document.counts.items():
        if shown[status] != expected:
            raise ReportError(
                "PE6004", f"{expected} results are {STATUS_WORDS[status]} but {shown[status]} were rendered"
            )


def _order(finding: Finding) -> tuple[int, str, str]:
    return _GRAVITY[finding.rule.severity], finding.rule.id, finding.result.subject.id


def counted(number: int, noun: str) -> str:
    """A number with its noun in singular or plural."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
