"""Comments that allow what a rule objects to: ``# lint: allow NAME because REASON``.

Behind a line the comment speaks of that line, on a line of its own of the line below it. On the first line of a
declaration it speaks of the whole declaration, on the ``policy`` line of the whole file. Several names are
separated by commas. A reason is required.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from policy_dsl.lint.interface import Subject
from policy_dsl.source import Span
from policy_dsl.syntax import ast
from policy_dsl.syntax.lark_parser import tokens

_ALLOW = re.compile(
    r"#[ \t]*lint:[ \t]*allow[ \t]+(?P<names>[\w-]+(?:[ \t]*,[ \t]*[\w-]+)*)"
    r"[ \t]*(?:because[ \t]+(?P<reason>\S[^\n]*))?"
)


@dataclass(frozen=True, slots=True)
class Allowance:
    """A rule's name that a comment allows, the reason given, and the characters that it is allowed in."""

    name: str
    reason: str
    span: Span
    start: int
    end: int

    def covers(self, span: Span) -> bool:
        """Tell whether a finding is at a place that the comment speaks of."""
        return self.start <= span.start < self.end


def allowances_of(subject: Subject) -> list[Allowance]:
    """Return every allowance of a pack."""
    text = subject.source.policy_text
    ends = [(t.start_pos or 0, t.end_pos or 0) for t in tokens(text)]
    gaps = [(a[1], b[0]) for a, b in pairwise([(0, 0), *ends, (len(text), len(text))])]
    found: list[Allowance] = []
    for start, end in gaps:
        for match in _ALLOW.finditer(text, start, end):
            own_line = not text[text.rfind("\n", 0, match.start()) + 1 : match.start()].strip()
            target = end if own_line else match.start()
            first, last = _scope(subject, text, target)
            for name in match["names"].split(","):
                span = Span(subject.source.name, match.start(), match.end())
                found.append(Allowance(name.strip(), (match["reason"] or "").strip(), span, first, last))
    return found


def _scope(subject: Subject, text: str, target: int) -> tuple[int, int]:
    """Return the characters that an allowance for the line of ``target`` speaks of."""
    first = text.rfind("\n", 0, target) + 1
    last = text.find("\n", target)
    last = len(text) if last < 0 else last
    for declaration in _declarations(subject):
        if first <= declaration.span.start <= last:
            return (0, len(text) + 1) if isinstance(declaration, ast.Header) else (first, declaration.span.end)
    return first, last + 1


def _declarations(subject: Subject) -> Iterator[ast.Declaration]:
    return iter(subject.pack.file.declarations)
