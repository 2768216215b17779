"""The findings of the report: sections 6 to 11.

Every result appears in section 11. The sections before it show the same results to those who must act on them: the
gravest violations with their paths, the rules one by one, the waivers, what is not known, and the evidence.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from reportlab.platypus import CondPageBreak, Spacer

from policy_reports.document import AssessmentDocument, Evidence, Result, Rule, Status, instant_text
from policy_reports.pdf import ATTACHMENT, styles
from policy_reports.pdf.figures import path
from policy_reports.pdf.layout import (
    SECTION_ROOM,
    TABLE_ROWS,
    Column,
    Look,
    Story,
    Text,
    number,
    paragraph,
    properties,
    section,
    subsection,
    table,
)
from policy_reports.pdf.styles import SEVERITY_COLOURS, STATUS_COLOURS
from policy_reports.queries import BASIS_WORDS, STATUS_WORDS, Finding, by_rule, counted, findings, prove_complete

PRINCIPAL = 25
"""How many violations are described with their paths; the gravest come first and section 11 lists all."""
PATHS = 3
"""How many paths are drawn for one violation."""
FACTS = 12
"""How many facts are shown for one violation."""


class EvidenceNumbers:
    """Short numbers (`E1`) for the digests of evidence, in the order of the evidence index."""

    def __init__(self, document: AssessmentDocument) -> None:
        self.index = sorted(document.evidence, key=_evidence_order)
        self._numbers: dict[str, str] = {}
        for item in self.index:
            self._numbers.setdefault(item.digest, f"E{len(self._numbers) + 1}")

    def of(self, digest: str) -> str:
        """The number of one digest."""
        return self._numbers[digest]

    def listed(self, digests: tuple[str, ...], most: int = 8) -> str:
        """The numbers of several digests, in order."""
        numbers = sorted((self.of(digest) for digest in set(digests)), key=lambda text: int(text[1:]))
        more = f" and {len(numbers) - most} more" if len(numbers) > most else ""
        return ", ".join(numbers[:most]) + more


def principal_violations(document: AssessmentDocument, numbers: EvidenceNumbers) -> Story:
    """Section 6."""
    violated = findings(document, Status.FAIL)
    story = section("6 Principal violations", "section-6", room=260 if violated else SECTION_ROOM)
    if not violated:
        waived = ", apart from the waived results of section 8" if document.counts[Status.WAIVED] else ""
        return [*story, paragraph(f"No rule is violated{waived}.")]
    shown = violated[:PRINCIPAL]
    if len(shown) < len(violated):
        said = f"The {len(shown)} gravest of {len(violated):,} violations are described here; section 11 lists all."
    else:
        said = "Every violation is described here, the gravest first."
    story.append(paragraph(f"{said} A path leads from the subject of the rule to the node that decides the result."))
    for index, finding in enumerate(shown, start=1):
        story += _violation(index, finding, numbers)
    return story


def results_per_rule(document: AssessmentDocument) -> Story:
    """Section 7."""
    story = [
        *section("7 Results per rule", "section-7"),
        paragraph(
            "Every rule that was assessed, in the manner of a statement of applicability: whether it applies, with how "
            "many results of each status, and why it does not where it does not."
        ),
    ]
    grouped: dict[str, list[tuple[Rule, tuple[Result, ...]]]] = {}
    for rule, results in by_rule(document):
        grouped.setdefault(rule.framework, []).append((rule, results))
    columns = (
        Column("Rule", 26),
        Column("Citation and basis", 13.5),
        Column("Applies", 13.5),
        *(Column(_SHORT[status], 9.4, Look.NUMBER) for status in Status),
    )
    for index, (framework, rules) in enumerate(grouped.items(), start=1):
        story += subsection(framework, f"framework-{index}")
        story += table(columns, (_rule_row(rule, results) for rule, results in rules), f"Rules of {framework}")
    if not grouped:
        story.append(paragraph("No rule was assessed."))
    return story


def waivers(document: AssessmentDocument) -> Story:
    """Section 8."""
    story = section("8 Waivers", "section-8")
    if not document.waivers:
        return [*story, paragraph("No waiver was submitted.")]
    columns = (
        Column("Rule and subject", 30),
        Column("State", 11),
        Column("Reason", 26),
        Column("Approved by", 15),
        Column("Issued, expires", 18),
    )
    rows = [
        (
            Text(waiver.rule or "not readable", Look.IDENTIFIER, below=waiver.subject or ""),
            Text(waiver.status, Look.STRONG, _WAIVER_COLOURS.get(waiver.status)),
            Text(waiver.reason or "–", below=" ".join(part for part in (waiver.ticket, waiver.detail) if part)),
            waiver.approver or "–",
            _interval(waiver.issued, waiver.expires),
        )
        for waiver in sorted(document.waivers, key=lambda item: (item.status, item.rule or "", item.digest))
    ]
    said = (
        "A waiver is signed evidence that a violation is accepted for a time. Only an applied waiver changed a result; "
        "the others are listed because a waiver that has no effect must not go unnoticed."
    )
    return [*story, paragraph(said), *table(columns, rows, "Waivers")]


def unknowns(document: AssessmentDocument, numbers: EvidenceNumbers) -> Story:
    """Section 9."""
    story = section("9 Unknowns, rejected evidence and warnings", "section-9")
    story += subsection("Facts that are missing", "missing")
    rows = [row for finding in findings(document, Status.UNKNOWN) for row in _missing_rows(finding)]
    columns = (Column("Rule and subject", 36), Column("Missing fact", 26), Column("Where it was looked for", 38))
    story += table(columns, rows, "Missing facts") or [paragraph("No result is unknown.")]
    story += subsection("Evidence that was rejected", "rejected")
    rejected = [
        (
            Text(numbers.of(item.digest), Look.STRONG),
            Text(item.type or "not readable", Look.IDENTIFIER, below=item.subject or "subject not readable"),
            Text(item.code or "–", Look.STRONG),
            item.reason or "–",
        )
        for item in numbers.index
        if item.status == "rejected"
    ]
    rejected_columns = (Column("No.", 8), Column("Type and claimed subject", 32), Column("Code", 12), Column("Why", 48))
    story += table(rejected_columns, rejected, "Rejected evidence") or [paragraph("No evidence was rejected.")]
    story += subsection("Warnings raised while reading the inputs", "warnings")
    warned = [
        (Text(item.code, Look.STRONG), item.message, Text(_place(item.file, item.line, item.pointer), Look.IDENTIFIER))
        for item in document.warnings
    ]
    warning_columns = (Column("Code", 12), Column("Warning", 54), Column("Where", 34))
    return [*story, *(table(warning_columns, warned, "Warnings") or [paragraph("No warning was raised.")])]


def evidence_index(document: AssessmentDocument, numbers: EvidenceNumbers) -> Story:
    """Section 10."""
    story = section("10 Evidence index", "section-10")
    if not document.evidence:
        return [*story, paragraph("No evidence was submitted.")]
    columns = (
        Column("No.", 8),
        Column("Type and subject", 26),
        Column("State", 11),
        Column("Issued, expires", 17),
        Column("Signed by", 18.5),
        Column("Used", 7, Look.NUMBER),
        Column("SHA-256 digest", 27.5, Look.CODE),
    )
    rows = [
        (
            Text(numbers.of(item.digest), Look.STRONG),
            Text(item.type or "not readable", Look.IDENTIFIER, below=item.subject or "subject not readable"),
            Text(item.status, Look.STRONG, styles.GREEN if item.status == "verified" else styles.RED),
            _interval(item.issued, item.expires),
            _signed_by(item),
            number(item.used_by),
            item.digest,
        )
        for item in numbers.index
    ]
    said = "Used says how many results rest on a piece of evidence. Rejected evidence decided nothing."
    return [*story, paragraph(said), *table(columns, rows, "Evidence")]


def all_findings(document: AssessmentDocument, numbers: EvidenceNumbers) -> Story:
    """Section 11."""
    story = section("11 All findings", "section-11")
    every = findings(document)
    if not every:
        return [*story, paragraph("There is no result.")]
    story.append(paragraph(f"All {len(every):,} results, the gravest severity first, then by rule and by subject."))
    columns = (
        Column("No.", 8, Look.NUMBER),
        Column("Rule", 29, Look.IDENTIFIER),
        Column("Subject", 24),
        Column("Severity", 10),
        Column("Status", 16),
        Column("Explanation", 33),
    )
    rendered: list[Status] = []
    for start in range(0, len(every), TABLE_ROWS):
        part = every[start : start + TABLE_ROWS]
        if len(every) > TABLE_ROWS:
            story += subsection(f"Findings {start + 1:,} to {start + len(part):,}", f"findings-{start + 1}")
        rows = [_finding_row(start + index, finding, numbers) for index, finding in enumerate(part, start=1)]
        rendered += [finding.result.status for finding in part]
        story += table(columns, rows, f"Findings {start + 1} to {start + len(part)}")
    prove_complete(document, rendered)
    return story


_SHORT = {**STATUS_WORDS, Status.NOT_APPLICABLE: "n/a"}
_WAIVER_COLOURS = {"applied": styles.VIOLET, "rejected": styles.RED, "expired": styles.AMBER, "unused": styles.AMBER}


def _violation(index: int, finding: Finding, numbers: EvidenceNumbers) -> Story:
    rule, result = finding.rule, finding.result
    subject = result.subject
    place = subject.location and _place(subject.location.file, subject.location.line, None)
    rows: list[tuple[str, Text | str | None]] = [
        ("Finding", Text(result.message, Look.STRONG) if result.message else None),
        ("Severity", Text(rule.severity.value, Look.STRONG, SEVERITY_COLOURS[rule.severity])),
        ("Rule", Text(rule.id, Look.IDENTIFIER, below=f"{rule.framework} ({BASIS_WORDS[rule.basis]})")),
        ("Citation", "; ".join(rule.citations) or None),
        ("Subject", Text(f"{subject.kind} {subject.name}", below=subject.id if subject.id != subject.name else "")),
        ("Declared in", Text(place, Look.IDENTIFIER) if place else None),
        ("Owner", subject.owner or "No owner is stated."),
        ("Remedy", result.remedy or rule.remedy or None),
        ("Evidence", numbers.listed(result.evidence) if result.evidence else None),
        ("Can change on", instant_text(result.valid_until) if result.valid_until else None),
    ]
    rows += [("Fact", f"{item.node}: {item.attribute} is {item.value}") for item in result.facts[:FACTS]]
    if len(result.facts) > FACTS:
        rows.append(("Facts", f"{len(result.facts) - FACTS:,} further facts are in {ATTACHMENT}."))
    story = subsection(f"6.{index} {rule.title}", f"violation-{index}", room=150)
    story += properties([(name, value) for name, value in rows if value is not None], f"Violation {index}", share=0.17)
    story += _paths(result)
    return story


def _paths(result: Result) -> Story:
    story: Story = []
    for index, witness in enumerate(result.witnesses[:PATHS], start=1):
        several = f" {index} of {len(result.witnesses)}" if len(result.witnesses) > 1 else ""
        figure = path(witness, mark="violation here")
        title = f"Lineage path{several}, {counted(len(witness.hops), 'node')}"
        story += [CondPageBreak(figure.first_row), paragraph(title, styles.LABEL), figure, Spacer(1, 6)]
    if len(result.witnesses) > PATHS:
        more = len(result.witnesses) - PATHS
        story.append(paragraph(f"{more:,} further paths to this violation are in {ATTACHMENT}.", styles.NOTE))
    return story


def _rule_row(rule: Rule, results: tuple[Result, ...]) -> tuple[Text | str, ...]:
    counts = Counter(result.status for result in results)
    absent = counts[Status.NOT_APPLICABLE]
    if not results:
        applies, why = "no", "no subject in scope"
    elif absent:
        applies = "no" if absent == len(results) else "in part"
        excluded = [result for result in results if result.status is Status.NOT_APPLICABLE]
        reasons = Counter(result.reason or "no reason stated" for result in excluded)
        why = "; ".join(f"{reason} ({count:,})" for reason, count in sorted(reasons.items()))
    else:
        applies, why = "yes", ""
    cited = "; ".join(rule.citations) or "–"
    return (
        Text(rule.title, below=f"{rule.id} · {rule.severity.value}"),
        Text(cited, below=BASIS_WORDS[rule.basis]),
        Text(applies, below=why),
        *(number(counts[status]) for status in Status),
    )


def _missing_rows(finding: Finding) -> list[tuple[Text | str, ...]]:
    subject = finding.result.subject
    about = Text(finding.rule.id, Look.IDENTIFIER, below=f"{subject.kind} {subject.name or subject.id}")
    if not finding.result.missing:
        return [(about, "–", finding.result.message or finding.result.reason or "–")]
    return [
        (about, Text(item.attribute, Look.IDENTIFIER, below=f"of {item.node}"), item.explanation)
        for item in finding.result.missing
    ]


def _finding_row(index: int, finding: Finding, numbers: EvidenceNumbers) -> tuple[Text | str, ...]:
    rule, result = finding.rule, finding.result
    explanation = ". ".join(part.rstrip(".") for part in (result.reason, result.message) if part)
    rests_on = f"Evidence {numbers.listed(result.evidence, 4)}" if result.evidence else ""
    return (
        number(index),
        rule.id,
        Text(result.subject.name or result.subject.id, Look.IDENTIFIER, below=result.subject.kind),
        Text(rule.severity.value),
        Text(STATUS_WORDS[result.status], Look.STRONG, STATUS_COLOURS[result.status]),
        Text(explanation or "–", below=rests_on),
    )


def _evidence_order(item: Evidence) -> tuple[str, str, str, str]:
    # "verified" sorts after "rejected"; the evidence that counts comes first.
    return ("0" if item.status == "verified" else "1", item.subject or "", item.type or "", item.digest)


def _interval(issued: datetime | None, expires: datetime | None) -> Text:
    if issued is None and expires is None:
        return Text("–")
    until = f"to {_moment(expires)}" if expires else "no expiry"
    return Text(_moment(issued) if issued else "–", below=until)


def _moment(instant: datetime) -> str:
    """An instant that can be broken between day and hour; midnight is left out."""
    day, hour = instant_text(instant).split("T")
    return day if hour == "00:00:00Z" else f"{day} {hour}"


def _signed_by(item: Evidence) -> Text:
    owners = "; ".join(f"{signer.owner} ({', '.join(signer.roles)})" for signer in item.signers)
    keys = "; ".join(signer.name for signer in item.signers)
    return Text(owners or "–", below=f"key {keys}" if keys else "")


def _place(file: str | None, line: int | None, pointer: str | None) -> str:
    parts = [file or "", f":{line}" if line else "", f" {pointer}" if pointer else ""]
    return "".join(parts) or "–"
