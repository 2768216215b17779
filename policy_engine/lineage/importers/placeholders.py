"""Texts that a template was never filled in for, such as ``{{ run_id }}`` or ``${JOB_NAME}``: they are missing values.

>>> is_placeholder("run-{{ run_id }}"), is_placeholder("s3://${BUCKET}/data"), is_placeholder("{a: 1}")
(True, True, False)
"""

from policy_engine.lineage.importers.gathering import Gathering


def is_placeholder(text: str) -> bool:
    """Tell whether a text holds a part that something was to be put in place of."""
    return _holds(text, "{{", "}}") or _holds(text, "${", "}")


def filled(gathering: Gathering, text: str | None, at: str) -> str | None:
    """Return a text, or nothing where it is a placeholder; those are told once for each document."""
    if text is None or not is_placeholder(text):
        return text
    gathering.skip("a template that was not filled in stands for a value, which counts as missing", at, "PE3163")
    return None


def _holds(text: str, opening: str, closing: str) -> bool:
    start = text.find(opening)
    return start >= 0 and text.find(closing, start + len(opening)) >= 0
