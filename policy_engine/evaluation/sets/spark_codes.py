"""The codes of evaluation on Spark, and its error."""

from typing import Final

CODES: Final[dict[str, str]] = {
    "PE3551": "a rule asks for what is not decided on Spark, and the estate is too large for the point evaluator",
    "PE3552": "the tables of an estate are not there or lack a column",
    "PE3553": "the tables of an estate cannot be written",
    "PE3554": "the tables of an estate contradict themselves",
}
"""Codes from PE3551 to PE3569."""


class SparkEvaluationError(Exception):
    """An estate cannot be evaluated on Spark; ``code`` says why, ``help`` what to do."""

    def __init__(self, code: str, message: str, help: str | None = None) -> None:
        super().__init__(f"error[{code}]: {message}")
        self.code = code
        self.help = help


class NotOnSparkError(Exception):
    """A part of a plan is not decided on Spark in this estate; the reason is one phrase."""
