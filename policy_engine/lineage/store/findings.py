"""Problems of an import that may have millions: the first of them, and how many there are."""

from typing import Final

from policy_engine.model.problems import Problem, Severity

KEPT: Final = 100
"""How many problems are kept of one import."""


class Findings:
    """Takes problems with the lines of a file; keeps the first and counts all."""

    def __init__(self, file: str, *, strict: bool = False) -> None:
        self._file = file
        self._strict = strict
        self._kept: list[Problem] = []
        self.errors = 0
        self.warnings = 0

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The first problems, errors before warnings."""
        return tuple(sorted(self._kept, key=lambda problem: not problem.is_error))

    def error(
        self, code: str, message: str, line: int, *, pointer: str = "", advice: str | None = None, times: int = 1
    ) -> None:
        """Take what keeps the import from being put in; it stands on that many lines, of which the first is named."""
        self._found(Severity.ERROR, code, message, line, pointer, advice, times)

    def warning(
        self, code: str, message: str, line: int, *, pointer: str = "", advice: str | None = None, times: int = 1
    ) -> None:
        """Take what is left out of it; an error where everything must be right."""
        severity = Severity.ERROR if self._strict else Severity.WARNING
        self._found(severity, code, message, line, pointer, advice, times)

    def _found(
        self, severity: Severity, code: str, message: str, line: int, pointer: str, advice: str | None, times: int
    ) -> None:
        more = f", and so on {times - 1:,} more line{'' if times == 2 else 's'}" if times > 1 else ""
        self.take(Problem(code, severity, message + more, self._file, pointer, line or None, help=advice), times)

    def take(self, problem: Problem, times: int = 1) -> None:
        """Take a problem found elsewhere."""
        self.errors += times if problem.is_error else 0
        self.warnings += 0 if problem.is_error else times
        # An error is never lost behind warnings: it takes the place of one.
        if len(self._kept) >= KEPT and problem.is_error:
            spare = next((n for n in reversed(range(KEPT)) if not self._kept[n].is_error), None)
            if spare is not None:
                del self._kept[spare]
        if len(self._kept) < KEPT:
            self._kept.append(problem)
