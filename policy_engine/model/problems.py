"""What is wrong with the facts that somebody handed in: one kind of message for every reader of them.

Rules:

- a problem has a code that keeps its meaning for ever, a severity and one plain sentence;
- it says where: a file, a JSON pointer into it, and a line and column counted from one, as far as known;
- what is shown is one line of printable characters, whatever text of a document it quotes;
- an error means that something asserted could not be used and must be put right; a warning means that the
  rest was used without it.

>>> str(Problem("PE3114", Severity.WARNING, "the owner is unknown", "bom.json", "/components/3/name", 12, 7))
'bom.json:12:7: warning[PE3114]: the owner is unknown (at components[3].name)'
"""

import re
from dataclasses import dataclass, replace

from policy_dsl.diagnostics import Severity
from policy_engine.model.plain import one_line

__all__ = ["Problem", "Severity", "as_errors", "readable", "sort_problems"]

_PLAIN_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]*")


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding about a document of facts."""

    code: str
    severity: Severity
    message: str
    file: str
    pointer: str = ""
    line: int | None = None
    column: int | None = None
    help: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", one_line(self.message))
        if self.help is not None:
            object.__setattr__(self, "help", one_line(self.help))

    def __str__(self) -> str:
        place = one_line(self.file)
        if self.line is not None:
            place += f":{self.line}" if self.column is None else f":{self.line}:{self.column}"
        at = f" (at {one_line(readable(self.pointer))})" if self.pointer else ""
        return f"{place}: {self.severity}[{self.code}]: {self.message}{at}"

    @property
    def is_error(self) -> bool:
        """Whether this is an error."""
        return self.severity is Severity.ERROR


def readable(pointer: str) -> str:
    """Write a JSON pointer (RFC 6901) as a person would say the place.

    >>> readable("/components/3/modelCard"), readable("/a b/x~1y")
    ('components[3].modelCard', '["a b"]["x/y"]')
    """
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    written = ""
    for part in parts:
        if part.isascii() and part.isdigit():
            written += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(part):
            written += f".{part}" if written else part
        else:
            written += f'["{part}"]'
    return written


def as_errors(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Return the same problems, every warning made an error."""
    return tuple(replace(problem, severity=Severity.ERROR) for problem in problems)


def sort_problems(problems: list[Problem]) -> tuple[Problem, ...]:
    """Return problems in the order of the text they speak of, each once."""
    return tuple(sorted(dict.fromkeys(problems), key=_place))


def _place(problem: Problem) -> tuple[str, int, int, str, str, str]:
    return (problem.file, problem.line or 0, problem.column or 0, problem.pointer, problem.code, problem.message)
