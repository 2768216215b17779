"""A file in the canonical layout, when it has one."""

from policy_dsl.diagnostics import Severity
from policy_dsl.format import FormatError, format_source
from policy_dsl.lsp.documents import Parsed


def formatted(file: Parsed) -> str | None:
    """Return the text of a file in the canonical layout; nothing while the file has a mistake that hides its form."""
    if any(d.severity is Severity.ERROR for d in file.diagnostics):
        return None
    try:
        return format_source(file.source)
    except FormatError:
        return None
