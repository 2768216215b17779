"""The formats of an assessment for machines and for CI, by name."""

import json
from pathlib import PurePosixPath
from typing import Any

from policy_reports.document import AssessmentDocument

LIBRARY = "library/"
"""How files of the engine's own library are named; they are not in the reader's repository."""


def render(document: AssessmentDocument, name: str, folder: str = "") -> bytes:
    """Return the document as ``json``, ``sarif``, ``junit`` or ``markdown``.

    ``folder`` is where the profile stands in the repository: code scanning shows findings by paths from its root.
    """
    match name:
        case "json":
            return document.to_json()
        case "sarif":
            from policy_reports.sarif import render_sarif

            return render_sarif(_from_root(document, folder))
        case "junit":
            from policy_reports.junit import render_junit

            return render_junit(document)
        case "markdown":
            from policy_reports.markdown import render_markdown

            return render_markdown(document).encode()
        case _:
            raise ValueError(name)


def _from_root(document: AssessmentDocument, folder: str) -> AssessmentDocument:
    if not folder:
        return document
    written = json.loads(document.to_json())
    subjects = [result["subject"] for result in written["results"]]
    for place in [*written["warnings"], *(thing["location"] for thing in (*subjects, *written["rules"]))]:
        _move(place, folder)
    return AssessmentDocument.from_json(json.dumps(written).encode())


def _move(place: dict[str, Any] | None, folder: str) -> None:
    if place is not None and place["file"] and not place["file"].startswith(LIBRARY):
        place["file"] = str(PurePosixPath(folder) / place["file"])
