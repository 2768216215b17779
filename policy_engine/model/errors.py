"""Input that a run cannot go on with: every problem found in it, each with its place and code."""

from collections.abc import Sequence
from dataclasses import dataclass

from policy_engine.model.plain import one_line

CODES: dict[str, str] = {
    "PE0001": "a file or folder does not exist",
    "PE0002": "a file cannot be read or written",
    "PE0003": "a profile is not valid TOML, or a setting in it is not what it should be",
    "PE0004": "a policy pack does not exist",
    "PE0005": "an instant is not written as a date or in RFC 3339",
    "PE0006": "no file matches a pattern of the profile",
    "PE0007": "an option cannot be used this way",
    "PE0008": "there is nothing to check",
    "PE0009": "a rule, subject or code does not exist",
    "PE0010": "the part of the engine that is needed is not installed",
    "PE0012": "an internal error stopped the run, and nothing was decided",
    "PE0013": "a passphrase is needed and nobody can be asked for it",
    "PE0014": "the machine has too little memory for what was asked",
    "PE3201": "evidence is of a type that no pack declares",
    "PE3203": "there is evidence and no trust file to judge it by, so none of it counts",
    "PE3202": "a field of evidence does not fit what its type declares",
}
"""Codes of the use cases; docs/reference/codes.md has an entry for every one."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong: its code, one plain sentence, where, and what to do."""

    code: str
    message: str
    place: str = ""
    help: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", one_line(self.message))
        object.__setattr__(self, "place", one_line(self.place))
        if self.help is not None:
            object.__setattr__(self, "help", one_line(self.help))

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        return f"{where}error[{self.code}]: {self.message}" + (f"\n  help: {self.help}" if self.help else "")


class InputError(Exception):
    """Raised when a run cannot go on; ``reports`` are the problems, written for a terminal."""

    def __init__(self, reports: Sequence[str]) -> None:
        super().__init__("\n".join(reports))
        self.reports = tuple(reports)


def fault(code: str, message: str, place: str = "", help: str | None = None) -> InputError:
    """Return the error of a single fault; its code is one of these, or one of the part that the fault speaks of."""
    return InputError([str(Fault(code, message, place, help))])
