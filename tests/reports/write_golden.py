"""Write the expected renderings anew: `python tests/reports/write_golden.py`. Review the difference."""

from __future__ import annotations

from pathlib import Path

import pypdfium2
import sample_assessments as samples

from policy_reports.junit import render_junit
from policy_reports.markdown import render_markdown
from policy_reports.pdf.render import render_pdf
from policy_reports.sarif import render_sarif

GOLDEN = Path(__file__).parent / "golden"


def page_texts(pdf: bytes) -> list[str]:
    """The text of every page, its words parted by single spaces."""
    opened = pypdfium2.PdfDocument(pdf)
    try:
        texts = [opened[index].get_textpage().get_text_range() for index in range(len(opened))]
    finally:
        opened.close()
    # The reader writes a hyphen at the end of a line as U+FFFE.
    return [" ".join(text.replace("\ufffe", "-").split()) for text in texts]


def renderings() -> dict[str, bytes]:
    document = samples.rich()
    pages = page_texts(render_pdf(document))
    return {
        "assessment.json": document.to_json(),
        "assessment.sarif": render_sarif(document),
        "junit.xml": render_junit(document),
        "summary.md": render_markdown(document).encode(),
        "report.txt": "\n\n".join(pages).encode() + b"\n",
    }


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name, content in renderings().items():
        (GOLDEN / name).write_bytes(content)
