"""The sections of a model or dataset card's text that say what its front matter has no key for.

Rules: a section is what stands between its heading and the next of any level; what a template wrote (comments,
``{{ … }}``, "[More Information Needed]") says nothing; headings within fences are code.

>>> sections("# Card\\n## Direct Use\\n<!-- how -->\\n[More Information Needed]\\n## Limitations\\nOnly English.\\n")
{'limitations': 'Only English.'}
"""

import re
from collections.abc import Iterator

from policy_engine.lineage.importers.missing import says_nothing

OF_MODELS = {
    "direct use": "intended_use",
    "intended use": "intended_use",
    "intended uses": "intended_use",
    "intended uses & limitations": "intended_use",
    "bias, risks, and limitations": "limitations",
    "limitations": "limitations",
    "limitations and bias": "limitations",
    "limitations and biases": "limitations",
    "training procedure": "training",
    "preprocessing": "preprocessing",
    "preprocessing [optional]": "preprocessing",
    "ethical considerations": "ethics",
}
"""Heading of a model card → attribute of Model."""
OF_DATA = {
    "direct use": "intended_use",
    "intended use": "intended_use",
    "data collection and processing": "collection",
    "initial data collection and normalization": "collection",
    "annotation process": "annotation",
    "bias, risks, and limitations": "known_biases",
    "discussion of biases": "known_biases",
    "other known limitations": "limitations",
    "limitations": "limitations",
    "social impact of dataset": "social_impact",
}
"""Heading of a dataset card → attribute of Dataset."""

# A section is kept for a rule to ask whether it is there and for a person to read; nobody reads more in a finding.
_LONGEST = 4_000
_HEADING = re.compile(r"#{1,6}[ \t]+(.+?)[ \t#]*$")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_TEMPLATE = re.compile(r"\{\{[^{}]*\}\}|\{%[^{}]*%\}")
_MARKS = re.compile(r"[*`]")


def title(body: str) -> str | None:
    """Return the text of the first heading.

    >>> title("Text\\n\\n# **My** model\\n")
    'My model'
    """
    for heading, _ in _divided(body):
        if heading is not None:
            return None if says_nothing(heading) or _TEMPLATE.search(heading) else heading
    return None


def looks_like_card(body: str) -> bool:
    """Tell whether a text is a card: its title says so, or it has several of the sections that cards have.

    >>> looks_like_card("# Model Card for Scorer"), looks_like_card("# Scorer\\n## Limitations\\nNone known")
    (True, False)
    """
    heading = (title(body) or "").casefold()
    if any(words in heading for words in ("model card", "dataset card", "data card")):
        return True
    known = {heading.casefold() for heading, _ in _divided(body) if heading is not None}
    return len(known & (OF_MODELS.keys() | OF_DATA.keys())) > 1


def sections(body: str) -> dict[str, str]:
    """Return what stands under each heading, in lower case, that says something; the first of equal headings."""
    found: dict[str, str] = {}
    for heading, text in _divided(_COMMENT.sub("", body)):
        said = _TEMPLATE.sub("", text).strip()
        if heading is not None and any(not says_nothing(line) for line in said.splitlines()):
            found.setdefault(heading.casefold(), said if len(said) <= _LONGEST else said[: _LONGEST - 1] + "…")
    return found


def _divided(body: str) -> Iterator[tuple[str | None, str]]:
    heading: str | None = None
    lines: list[str] = []
    fence = ""
    for line in body.splitlines():
        mark = line.lstrip()[:3]
        if mark in ("```", "~~~") and fence in ("", mark):
            fence = "" if fence else mark
        match = None if fence else _HEADING.match(line)
        if match is None:
            lines.append(line)
            continue
        yield heading, "\n".join(lines)
        heading, lines = _MARKS.sub("", match[1]).strip(), []
    yield heading, "\n".join(lines)
