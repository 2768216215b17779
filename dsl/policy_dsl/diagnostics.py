"""What the language tools say about a policy: one kind of message for every stage.

A diagnostic has a code that never changes its meaning, a severity, one plain sentence and the place it
speaks of. Stages collect diagnostics instead of stopping at the first; ``render_text`` draws them for a
terminal. Messages start in lower case, have no final period and put the author's words in backticks.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from itertools import islice

from policy_dsl.codes import CODES
from policy_dsl.source import SourceFile, Span

_FEW_NAMES = 100
_LONG_NAME = 60
_LONGEST_MESSAGE = 500


class Severity(StrEnum):
    """How much a diagnostic matters: an error stops evaluation, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Label:
    """A second place that helps to understand a diagnostic, such as an earlier declaration."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding about a policy file."""

    code: str
    message: str
    span: Span
    severity: Severity = Severity.ERROR
    help: str | None = None
    labels: tuple[Label, ...] = ()


@dataclass(slots=True)
class Diagnostics:
    """Collects diagnostics; every stage is handed one and adds to it."""

    _found: list[Diagnostic] = field(default_factory=list)

    def error(
        self, code: str, message: str, span: Span, *, help: str | None = None, labels: Iterable[Label] = ()
    ) -> None:
        """Add an error.

        Raises:
            KeyError: the code is not registered in ``policy_dsl.codes``, a mistake of the caller.
        """
        CODES[code]
        self._found.append(Diagnostic(code, _one_line(message), span, Severity.ERROR, help, tuple(labels)))

    def warning(self, code: str, message: str, span: Span, *, help: str | None = None) -> None:
        """Add a warning."""
        CODES[code]
        self._found.append(Diagnostic(code, _one_line(message), span, Severity.WARNING, help))

    def sorted(self) -> tuple[Diagnostic, ...]:
        """Return what was found in the order of the text, each finding once."""
        unique = dict.fromkeys(self._found)
        return tuple(sorted(unique, key=lambda d: (d.span.file, d.span.start, d.span.end, d.code, d.message)))

    @property
    def has_errors(self) -> bool:
        """Whether anything found is an error."""
        return any(d.severity is Severity.ERROR for d in self._found)


def _one_line(message: str) -> str:
    """Return a message as one printable line of bearable length, whatever words of the author it repeats."""
    short = message if len(message) <= _LONGEST_MESSAGE else f"{message[:_LONGEST_MESSAGE]}…"
    return short if short.isprintable() else "".join(c if c.isprintable() else "·" for c in short)


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """Return a help sentence naming the nearest known word, or nothing when none is near.

    >>> did_you_mean("risk_clas", ["risk_class", "stage"])
    'did you mean `risk_class`?'
    """
    names = sorted(set(known))
    if len(names) > _FEW_NAMES or len(word) > _LONG_NAME:
        # Comparing with all of many names, or with long ones, would cost more than the guess is worth.
        likely = (n for n in names if n[:1] == word[:1] and abs(len(n) - len(word)) <= 2 and len(n) <= _LONG_NAME)
        names = list(islice(likely, _FEW_NAMES))
    near = get_close_matches(word, names, n=1, cutoff=0.6)
    return f"did you mean `{near[0]}`?" if near else None


def render_text(diagnostic: Diagnostic, files: Mapping[str, SourceFile]) -> str:
    """Draw a diagnostic with the line it speaks of and a caret below the words meant."""
    lines = [f"{diagnostic.severity}[{diagnostic.code}]: {diagnostic.message}"]
    lines += _excerpt(diagnostic.span, files)
    for label in diagnostic.labels:
        lines.append(f"  note: {label.text}")
        lines += _excerpt(label.span, files)
    if diagnostic.help:
        lines.append(f"  help: {diagnostic.help}")
    return "\n".join(lines)


def _excerpt(span: Span, files: Mapping[str, SourceFile]) -> list[str]:
    file = files.get(span.file)
    if file is None:
        return [f"  --> {span.file}"]
    start = file.position(span.start)
    text = file.line(start.line)
    # A caret stays on its first line, and a long line is cut around it, so that the excerpt stays readable.
    first = start.column - 1
    width = max(1, min(span.end - span.start, len(text) - first))
    shift = max(0, first - 60) if len(text) > 120 else 0
    shown = "".join(c if c.isprintable() else "·" for c in text[shift : shift + 120].replace("\t", " "))
    gutter = " " * len(str(start.line))
    caret = " " * (first - shift) + "^" * max(1, min(width, 120 - (first - shift)))
    return [
        f"{gutter} --> {span.file}:{start.line}:{start.column}",
        f"{gutter} |",
        f"{start.line} | {shown}",
        f"{gutter} | {caret}",
    ]
