"""A file in the canonical layout, when it has one."""

from policy_dsl.format import FormatError, format_source
from policy_dsl.lsp.documents import Parsed


def formatted(file: Parsed) -> str | None:
    """Return the text of a file in the canonical layout; nothing while the file has a mistake that hides its form."""
    try:
        return format_source(file.source)
    except FormatError:
        return None
