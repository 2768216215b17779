"""Markdown for the summary of a CI step: the verdict first, then what to do, the rest folded away.

All text of strangers is escaped so that it shows as it is and starts nothing: no markup, no table cell, no mention.
Long lists are cut and say so, because a summary beyond one mebibyte is not shown at all; the counts are always whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from policy_reports.document import AssessmentDocument, Status, Witness, instant_text
from policy_reports.plaintext import visible
from policy_reports.queries import (
    STATUS_WORDS,
    VERDICT_WORDS,
    Finding,
    counted,
    findings,
    opinion,
    prove_complete,
    summary,
)

DETAILED = 50
"""Violations and unknowns described one by one."""
LISTED = 1000
"""Rows of a folded table."""
TEXT_LIMIT = 600
"""Characters of one text; the assessment has the whole."""
HOPS = 60
"""Nodes of one path."""

# What starts something within a line of GitHub's Markdown: emphasis, code, links, cells, mathematics, references.
_ACTIVE = re.compile(r"([\\`*_{}\[\]<>#|~!&:$@]|(?<=www)\.)")


def escaped(text: str) -> str:
    """Text that Markdown shows literally, in one line.

    >>> escaped("a|b <i> @team")
    'a\\\\|b \\\\<i\\\\> @<!-- -->team'
    """
    plain = visible(text)
    if len(plain) > TEXT_LIMIT:
        plain = plain[:TEXT_LIMIT] + "…"
    # An empty comment parts the sign from the name, so that nobody is called.
    return _ACTIVE.sub(r"\\\1", plain).replace("\\@", "@<!-- -->")


def render_markdown(document: AssessmentDocument) -> str:
    """Render the document as a CI step summary."""
    engine = document.engine
    blocks = [
        f"## {VERDICT_WORDS[document.verdict]}: {escaped(document.title)}",
        f"{opinion(document)} Assessed for {instant_text(document.instant)}.",
        _counts(document),
        *_violations(document),
        *_unknowns(document),
        *_waivers(document),
        *_rest(document),
        f"Decision `{document.inputs.decision}`, made by {escaped(f'{engine.name} {engine.version}')}.",
    ]
    return "\n\n".join(blocks) + "\n"


def _counts(document: AssessmentDocument) -> str:
    head = ["Framework", "Severity", *(STATUS_WORDS[status] for status in Status)]
    body = [
        [escaped(row.framework), row.severity.value, *(str(row.counts[status]) for status in Status)]
        for row in summary(document)
    ]
    body.append(["**all**", "", *(f"**{document.counts[status]}**" for status in Status)])
    prove_complete(
        document, (status for row in summary(document) for status in Status for _ in range(row.counts[status]))
    )
    return _table(head, body, numbers_from=2)


def _violations(document: AssessmentDocument) -> list[str]:
    found = findings(document, Status.FAIL)
    if not found:
        return []
    blocks = [f"### {counted(len(found), 'violation')}", *(_described(finding) for finding in found[:DETAILED])]
    return blocks + _more(len(found) - DETAILED, "violation")


def _unknowns(document: AssessmentDocument) -> list[str]:
    found = findings(document, Status.UNKNOWN)
    if not found:
        return []
    blocks = [f"### {counted(len(found), 'result')} unknown for want of facts"]
    blocks += [_described(finding) for finding in found[:DETAILED]]
    return blocks + _more(len(found) - DETAILED, "unknown result")


def _waivers(document: AssessmentDocument) -> list[str]:
    if not document.waivers:
        return []
    head = ["Rule", "Subject", "State", "Approved by", "Expires", "Reason"]
    rows = [
        [
            escaped(waiver.rule or "not readable"),
            escaped(waiver.subject or "not readable"),
            waiver.status,
            escaped(waiver.approver or "–"),
            instant_text(waiver.expires) if waiver.expires else "–",
            escaped("; ".join(part for part in (waiver.reason, waiver.ticket, waiver.detail) if part) or "–"),
        ]
        for waiver in document.waivers[:LISTED]
    ]
    more = _more(len(document.waivers) - LISTED, "waiver")
    return [f"### {counted(len(document.waivers), 'waiver')}", _table(head, rows), *more]


def _rest(document: AssessmentDocument) -> list[str]:
    found = findings(document, Status.WAIVED, Status.PASS, Status.NOT_APPLICABLE)
    if not found:
        return []
    head = ["Status", "Rule", "Subject", "Reason"]
    rows = [
        [
            STATUS_WORDS[finding.result.status],
            escaped(finding.rule.id),
            escaped(finding.result.subject.name or finding.result.subject.id),
            escaped(finding.result.reason or "–"),
        ]
        for finding in found[:LISTED]
    ]
    title = f"<details><summary>{counted(len(found), 'further result')}: waived, satisfied, not applicable</summary>"
    return [title, _table(head, rows), *_more(len(found) - LISTED, "result"), "</details>"]


def _described(finding: Finding) -> str:
    rule, result = finding.rule, finding.result
    subject = f"{result.subject.kind} {result.subject.name or result.subject.id}"
    about = ", ".join([rule.severity.value, escaped(rule.id), *(escaped(cited) for cited in rule.citations)])
    lines = [
        f"**{escaped(subject)}**: {escaped(result.message or rule.title)}  ",
        f"{escaped(rule.title)} ({about})",
    ]
    lines += [f"- Missing: {escaped(f'{item.node}: {item.attribute}, {item.explanation}')}" for item in result.missing]
    lines += [f"- Path: {_path(witness)}" for witness in result.witnesses[:3]]
    if remedy := result.remedy or rule.remedy:
        lines.append(f"- Remedy: {escaped(remedy)}")
    if result.subject.owner:
        lines.append(f"- Owner: {escaped(result.subject.owner)}")
    return "\n".join(lines)


def _path(witness: Witness) -> str:
    steps = []
    for hop in witness.hops[:HOPS]:
        arrow = "" if hop.edge is None else f"→ *{escaped(hop.edge)}* → "
        steps.append(f"{arrow}{escaped(hop.node.kind)} {escaped(hop.node.name or hop.node.id)}")
    more = len(witness.hops) - HOPS
    return " ".join(steps) + (f" and {counted(more, 'further node')}" if more > 0 else "")


def _more(number: int, noun: str) -> list[str]:
    return [f"*{counted(number, f'further {noun}')}: see the assessment.*"] if number > 0 else []


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers_from: int | None = None) -> str:
    marks = ["---:" if numbers_from is not None and index >= numbers_from else "---" for index in range(len(head))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, marks, *rows))
