"""The codes of the set evaluator, and its error."""

from typing import Final

CODES: Final[dict[str, str]] = {
    "PE3501": "the compiled kernel was asked for and is not there",
    "PE3502": "two evaluators disagree about a result, so nothing can be relied on",
    "PE3503": "a rule or subject that a whole estate is asked about does not exist in it",
    "PE3504": "a changed fact is about an attribute that its thing does not have",
}
"""Codes from PE3501 to PE3549."""


class SetEvaluationError(Exception):
    """A whole estate cannot be evaluated; ``code`` says why, ``help`` what to do."""

    def __init__(self, code: str, message: str, help: str | None = None) -> None:
        super().__init__(f"error[{code}]: {message}")
        self.code = code
        self.help = help
