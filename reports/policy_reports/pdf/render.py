"""The auditor's assessment report as a PDF.

Two passes draw the same pages: the first finds the page of every heading and their total, the second prints them.
The bytes depend on the document alone, so the same document gives the same file; `sign` adds the signature.
"""

from __future__ import annotations

from collections.abc import Callable

from policy_reports.document import AssessmentDocument
from policy_reports.errors import ReportError
from policy_reports.pdf import findings, sections
from policy_reports.pdf.finish import Metadata, finish
from policy_reports.pdf.layout import Report, Story
from policy_reports.pdf.styles import VERDICT_COLOURS
from policy_reports.pdf.tags import Heading, Pages
from policy_reports.queries import VERDICT_WORDS

_LISTED_KEYS = ("section-", "violation-")


def render_pdf(document: AssessmentDocument, on_page: Callable[[], None] | None = None) -> bytes:
    """Render the report, unsigned, with the document attached; its cover has an empty signature field.

    ``on_page`` is called for each page of both passes, for whoever wants to see that something happens.
    """
    attachment = document.to_json()
    pages = Pages()
    story = _story(document, attachment, pages)
    first, _ = _report(document, pages, on_page).render(story)
    pages.of_heading, pages.total = first.drawn.of_heading, first.drawn.total
    second, drawn = _report(document, pages, on_page).render(story)
    # INVARIANT: page numbers are not part of the layout, so the second pass breaks pages where the first did.
    if second.drawn != pages:
        raise ReportError("PE6004", "the page numbers of the report did not settle")
    metadata = Metadata(
        title=document.title,
        author=document.organisation,
        subject=f"Assessment: {VERDICT_WORDS[document.verdict].lower()}",
        creator=f"{document.engine.name} {document.engine.version}",
        instant=document.instant,
        decision=document.inputs.decision,
    )
    return finish(second, drawn, metadata, attachment)


def _report(document: AssessmentDocument, pages: Pages, on_page: Callable[[], None] | None) -> Report:
    return Report(
        title=document.title,
        organisation=document.organisation,
        footer=f"Decision {document.inputs.decision}",
        colour=VERDICT_COLOURS[document.verdict],
        pages=pages,
        on_page=on_page,
    )


def _story(document: AssessmentDocument, attachment: bytes, pages: Pages) -> Story:
    numbers = findings.EvidenceNumbers(document)
    body = [
        *sections.opinion_and_counts(document),
        *sections.verification(document, attachment),
        *sections.scope_and_inputs(document),
        *sections.method_and_limits(document),
        *sections.summary_by_framework(document),
        *findings.principal_violations(document, numbers),
        *findings.results_per_rule(document),
        *findings.waivers(document),
        *findings.unknowns(document, numbers),
        *findings.evidence_index(document, numbers),
        *findings.all_findings(document, numbers),
        *sections.responsibilities(document),
        *sections.signatures(document),
    ]
    listed = [item for item in body if isinstance(item, Heading) and item.key.startswith(_LISTED_KEYS)]
    return [*sections.cover(document), *sections.contents(listed, pages), *body]
