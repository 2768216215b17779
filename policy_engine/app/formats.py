"""The formats of an assessment for machines and for CI, by name."""

from policy_reports.document import AssessmentDocument


def render(document: AssessmentDocument, name: str) -> bytes:
    """Return the document in one of the formats ``json``, ``sarif``, ``junit`` and ``markdown``."""
    match name:
        case "json":
            return document.to_json()
        case "sarif":
            from policy_reports.sarif import render_sarif

            return _bytes(render_sarif(document))
        case "junit":
            from policy_reports.junit import render_junit

            return _bytes(render_junit(document))
        case "markdown":
            from policy_reports.markdown import render_markdown

            return _bytes(render_markdown(document))
        case _:
            raise ValueError(name)


def _bytes(rendered: bytes | str) -> bytes:
    return rendered.encode() if isinstance(rendered, str) else rendered
