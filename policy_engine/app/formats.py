"""The formats of an assessment for machines and for CI, by name."""

from policy_reports.document import AssessmentDocument


def render(document: AssessmentDocument, name: str) -> bytes:
    """Return the document in one of the formats ``json``, ``sarif``, ``junit`` and ``markdown``."""
    match name:
        case "json":
            return document.to_json()
        case "sarif":
            from policy_reports import sarif

            return _bytes(sarif.render(document))
        case "junit":
            from policy_reports import junit

            return _bytes(junit.render(document))
        case "markdown":
            from policy_reports import markdown

            return _bytes(markdown.render(document))
        case _:
            raise ValueError(name)


def _bytes(rendered: bytes | str) -> bytes:
    return rendered.encode() if isinstance(rendered, str) else rendered
