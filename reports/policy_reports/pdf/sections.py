"""The frame of the report: cover, sections 1 to 5, and the closing sections 12 and 13.

Verdict first; then how to check it, what was looked at, how, and the counts. The findings are in `findings`.
"""

from __future__ import annotations

import hashlib
from collections import Counter

from reportlab.platypus import CondPageBreak, NextPageTemplate, PageBreak, Spacer

from policy_reports.document import AssessmentDocument, Status, Verdict, instant_text
from policy_reports.pdf import ATTACHMENT, styles
from policy_reports.pdf.figures import chart
from policy_reports.pdf.fonts import BOLD
from policy_reports.pdf.layout import (
    Column,
    ContentsLine,
    Look,
    Story,
    Text,
    bullets,
    hexadecimal,
    number,
    paragraph,
    properties,
    section,
    subsection,
    table,
)
from policy_reports.pdf.styles import STATUS_COLOURS, VERDICT_COLOURS
from policy_reports.pdf.tags import Element, Heading, Pages, Paragraph
from policy_reports.pdf.text import markup, shortened
from policy_reports.queries import BASIS_WORDS, STATUS_WORDS, VERDICT_WORDS, counted, findings, opinion, summary

CHART_ROWS = 20

_MEANING = {
    Status.FAIL: "The rule applies and is not met.",
    Status.UNKNOWN: "A fact that decides the rule is not known.",
    Status.WAIVED: "The rule is not met, and a signed waiver accepts this until it expires.",
    Status.PASS: "The rule applies and is met.",
    Status.NOT_APPLICABLE: "The rule does not apply, with the reason stated.",
}


def cover(document: AssessmentDocument) -> Story:
    """Title, verdict, counts, and what the assessment is about."""
    word = f'<font color="{hexadecimal(VERDICT_COLOURS[document.verdict])}">{VERDICT_WORDS[document.verdict]}</font>'
    scope = document.scope
    packs = "; ".join(f"{pack.title or pack.name} {pack.version}" for pack in document.inputs.packs)
    facts: list[tuple[str, Text | str]] = [
        ("Organisation", Text(shortened(document.organisation, 160), Look.STRONG)),
        ("Assessed for", f"{instant_text(document.instant)} (every rule and every expiry is judged at this instant)"),
        ("Scope", shortened(scope.description, 240) or "Not described."),
        ("Policy packs", shortened(packs, 240) or "None."),
        (
            "Read from",
            f"{counted(len(document.scope.sources), 'source')}, {counted(document.scope.node_count, 'node')}",
        ),
        ("Made by", f"{document.engine.name} {document.engine.version}"),
        ("To verify", "Run policy-engine verify on the audit bundle. Section 2 says how, and what it proves."),
    ]
    return [
        NextPageTemplate("body"),
        Spacer(1, 30),
        Paragraph("ASSESSMENT REPORT", styles.KICKER),
        Paragraph(markup(shortened(document.title, 110)), styles.TITLE),
        Spacer(1, 30),
        Paragraph("VERDICT", styles.KICKER),
        Paragraph(word, styles.VERDICT),
        paragraph(opinion(document), styles.LEAD),
        Spacer(1, 4),
        *_counts_in_a_row(document),
        Spacer(1, 20),
        *properties(facts, "What the assessment is about"),
        PageBreak(),
    ]


def contents(headings: list[Heading], pages: Pages) -> Story:
    """The table of contents."""
    whole = Element("TOC")
    lines = [ContentsLine(heading, whole, pages) for heading in headings]
    return [Heading("Contents", styles.SECTION, key="contents", level=1, bookmark="Contents"), *lines, PageBreak()]


def opinion_and_counts(document: AssessmentDocument) -> Story:
    """Section 1."""
    colour = hexadecimal(VERDICT_COLOURS[document.verdict])
    word = f'<font name="{BOLD}" color="{colour}">{VERDICT_WORDS[document.verdict]}.</font>'
    total = sum(document.counts.values())
    rows = [
        (Text(STATUS_WORDS[status], Look.STRONG, STATUS_COLOURS[status]), number(count), _share(count, total), meaning)
        for status, meaning in _MEANING.items()
        for count in (document.counts[status],)
    ]
    rows.append((Text("all results", Look.STRONG), number(total, strong=True), _share(total, total), ""))
    columns = (
        Column("Status", 20),
        Column("Results", 12, Look.NUMBER),
        Column("Share", 12, Look.NUMBER),
        Column("Meaning", 56),
    )
    return [
        *section("1 Opinion and counts", "section-1"),
        Paragraph(f"{word} {markup(opinion(document))}", styles.LEAD),
        paragraph(_why(document)),
        *table(columns, rows, "Results by status"),
        paragraph(
            f"A result is what one rule says about one subject. {counted(len(document.rules), 'rule')} gave "
            f"{counted(total, 'result')}; "
            "each of them is listed in section 11, and their number was checked when this report was written.",
        ),
    ]


def verification(document: AssessmentDocument, attachment: bytes) -> Story:
    """Section 2."""
    steps = (
        "Obtain the organisation's trust file from the organisation itself, by a way you trust.",
        "Run the command below on the audit bundle that this report came with. It needs no network and no account.",
        "Compare the digests it prints with the table below.",
        "Repeat the evaluation from the bundle: the same inputs give the same results, byte for byte.",
    )
    inputs = document.inputs
    digests = (
        ("Decision (signed)", inputs.decision),
        ("Lineage snapshot", inputs.snapshot),
        ("Profile of the organisation", inputs.profile),
        ("Trust file", inputs.trust),
        ("Set of evidence", inputs.evidence_set),
        (f"Attached {ATTACHMENT}", f"sha256:{hashlib.sha256(attachment).hexdigest()}"),
    )
    columns = (Column("What", 28, Look.STRONG), Column("SHA-256 digest", 72, Look.CODE))
    return [
        *section("2 How to verify this report", "section-2"),
        *bullets(steps, numbered=True),
        Paragraph("policy-engine verify bundle.zip", styles.CODE),
        paragraph(
            "The signature on the cover certifies this file and forbids every change to it: the check finds any "
            f"altered byte. The results are attached to this file as {ATTACHMENT}; they are the same results as the "
            "ones printed here, for programs to read. Nothing in this report needs to be believed on our word."
        ),
        *table(columns, digests, "Digests of everything the assessment rests on"),
    ]


def scope_and_inputs(document: AssessmentDocument) -> Story:
    """Section 3."""
    scope = document.scope
    story = [
        *section("3 Scope, instant and inputs", "section-3"),
        paragraph(scope.description or "The scope is not described."),
        paragraph(
            f"Every rule, every piece of evidence and every waiver was judged at one instant: "
            f"{instant_text(document.instant)}. What happened later is not part of this report."
        ),
        *subsection("Sources of the lineage graph", "sources"),
    ]
    sources = [
        (Text(item.name, Look.IDENTIFIER), item.format, item.asserted_by or "not stated", item.sha256)
        for item in scope.sources
    ]
    source_columns = (
        Column("Source", 30),
        Column("Format", 14),
        Column("Asserted by", 18),
        Column("SHA-256 digest", 38, Look.CODE),
    )
    story += table(source_columns, sources, "Sources") or [paragraph("No source was read.")]
    kinds = [(Text(kind, Look.IDENTIFIER), number(count)) for kind, count in sorted(scope.nodes_by_kind.items())]
    kinds += [
        (Text("all nodes", Look.STRONG), number(scope.node_count, strong=True)),
        (Text("all edges", Look.STRONG), number(scope.edge_count, strong=True)),
    ]
    story += subsection("Size of the lineage graph", "graph")
    story += table((Column("Kind of node", 80), Column("Number", 20, Look.NUMBER)), kinds, "Nodes by kind")
    story += subsection("Policy packs", "packs")
    packs = [
        (
            Text(pack.title or pack.name, Look.TEXT, below=f"{pack.name} {pack.version}"),
            BASIS_WORDS[pack.basis],
            pack.source,
            pack.sha256,
        )
        for pack in document.inputs.packs
    ]
    pack_columns = (
        Column("Pack", 26),
        Column("Basis", 10),
        Column("Source", 26),
        Column("SHA-256 digest", 38, Look.CODE),
    )
    story += table(pack_columns, packs, "Policy packs") or [paragraph("No policy pack was applied.")]
    return story


def method_and_limits(document: AssessmentDocument) -> Story:
    """Section 4."""
    method = (
        "The sources were read into one graph of systems, models, data and the steps between them.",
        (
            "Evidence counts only if its signature verifies, its signer holds a role that may sign it, and its subject "
            "is the very thing in the graph, by digest. Absent evidence is never taken as given."
        ),
        (
            "Every rule was evaluated on every subject it is about. A fact that is not known makes a result unknown, "
            "never satisfied."
        ),
        (
            "A waiver changes no rule. A violation with a valid, signed waiver is listed as waived, with its approver "
            "and expiry."
        ),
        (
            f"The evaluation was done by {document.engine.name} {document.engine.version}. It reads no clock and no "
            "network, so it can be repeated with the same outcome."
        ),
    )
    limits = document.limits or ("No limits were stated by the organisation.",)
    return [
        *section("4 Method and limits", "section-4"),
        *bullets(method, numbered=True),
        *subsection("What this assessment does not show", "limits"),
        *bullets(limits),
    ]


def summary_by_framework(document: AssessmentDocument) -> Story:
    """Section 5."""
    rows = summary(document)
    story = section("5 Summary by framework and severity", "section-5", room=170)
    if not rows:
        return [*story, paragraph("No rule was assessed.")]
    frameworks: dict[str, Counter[Status]] = {}
    for row in rows:
        frameworks.setdefault(row.framework, Counter()).update(row.counts)
    drawn = list(frameworks.items())[:CHART_ROWS]
    figure = chart(drawn)
    story += [CondPageBreak(figure.height), figure, Spacer(1, 6)]
    if len(frameworks) > len(drawn):
        story.append(paragraph(f"The first {len(drawn)} frameworks are drawn; the table has all.", styles.NOTE))
    columns = (
        Column("Framework", 26),
        Column("Severity", 12),
        *(Column(STATUS_WORDS[status], 12, Look.NUMBER) for status in Status),
        Column("all", 9, Look.NUMBER),
    )
    body = [
        (
            Text(row.framework, Look.STRONG),
            Text(row.severity.value, colour=styles.SEVERITY_COLOURS[row.severity]),
            *(number(row.counts[status]) for status in Status),
            number(row.total, strong=True),
        )
        for row in rows
    ]
    totals = [number(document.counts[status], strong=True) for status in Status]
    body.append((Text("all", Look.STRONG), Text(""), *totals, number(len(document.results), strong=True)))
    return [*story, *table(columns, body, "Results by framework, severity and status")]


def responsibilities(document: AssessmentDocument) -> Story:
    """Section 12."""
    story = [
        *section("12 Responsibilities left to the organisation", "section-12"),
        *bullets(
            (
                (
                    "The facts: this report judges what the sources and the signed evidence say. That they are true "
                    "and complete remains the responsibility of those who asserted and signed them."
                ),
                (
                    "The reading of the law: the packs transcribe legal texts into rules. Choosing the packs, and "
                    "deciding whether a transcription fits the case, remains with the organisation and its counsel."
                ),
                "Everything outside the scope of section 3 and the limits of section 4.",
                "What comes after the instant of assessment: evidence and waivers expire, and rules enter into force.",
            )
        ),
    ]
    dates = _dates(document)
    if dates:
        columns = (Column("From", 22), Column("What changes", 78))
        story += subsection("Dates to watch, with no change of facts", "dates")
        story += table(columns, dates[:30], "Dates at which a result can change")
        if len(dates) > 30:
            story.append(paragraph(f"{len(dates) - 30:,} later dates are in {ATTACHMENT}.", styles.NOTE))
    return story


def signatures(document: AssessmentDocument) -> Story:
    """Section 13."""
    return [
        *section("13 Signatures", "section-13"),
        paragraph(
            "This file is signed electronically (PAdES baseline B-B, ISO 32000 certification signature). The signature "
            "stands in the box on the cover and covers the whole file, the attached results included. It certifies "
            "that the issuer made this report and that no byte of it was changed since. It is no statement about the "
            "facts assessed, for which those who signed the evidence of section 10 answer."
        ),
        *properties(
            (
                ("Field", "Signature of the issuer (cover page)"),
                ("Signed decision", Text(document.inputs.decision, Look.CODE)),
                ("Signers of evidence", f"{counted(_signers(document), 'key')}, listed in section 10"),
            ),
            "What is signed",
        ),
    ]


def _counts_in_a_row(document: AssessmentDocument) -> Story:
    columns = tuple(Column(STATUS_WORDS[status].capitalize(), 1) for status in Status)
    figures = [
        Text(f"{document.counts[status]:,}", Look.FIGURE, STATUS_COLOURS[status] if document.counts[status] else None)
        for status in Status
    ]
    return table(columns, [figures], "Results by status")


def _why(document: AssessmentDocument) -> str:
    if not document.results:
        return "The verdict stays undecided because nothing was evaluated: silence is no compliance."
    match document.verdict:
        case Verdict.NOT_COMPLIANT:
            return "The verdict is not compliant as soon as one result is violated and not waived."
        case Verdict.UNDECIDED:
            return "The verdict stays undecided as long as one result is unknown: what is not known is not compliant."
        case Verdict.COMPLIANT:
            return "The verdict is compliant because no result is violated and none is unknown."


def _dates(document: AssessmentDocument) -> list[tuple[str, str]]:
    dates: set[tuple[str, str]] = set()
    for waiver in document.waivers:
        if waiver.status == "applied" and waiver.expires is not None:
            dates.add((instant_text(waiver.expires), f"The waiver of {waiver.rule} for {waiver.subject} expires."))
    for rule in document.rules:
        if rule.applies_from is not None and rule.applies_from > document.instant.date():
            dates.add((rule.applies_from.isoformat(), f"The rule {rule.id} enters into force."))
    for finding in findings(document, Status.PASS, Status.WAIVED):
        result = finding.result
        if result.valid_until is not None and result.status is Status.PASS:
            said = f"The result of {result.rule} for {result.subject.name or result.subject.id} may no longer hold."
            dates.add((instant_text(result.valid_until), said))
    return sorted(dates)


def _signers(document: AssessmentDocument) -> int:
    return len({signer.key_id for item in document.evidence for signer in item.signers})


def _share(part: int, whole: int) -> Text:
    return Text(f"{100 * part / whole:.1f} %" if whole else "–", Look.NUMBER)
