"""The one exception of this package, for what cannot be used at all; everything else is a problem in a list."""

from policy_engine.model.problems import Problem, Severity


class LineageError(Exception):
    """Something asked for or handed in cannot be used; ``problem`` says what and where."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def lineage_error(
    code: str, message: str, *, file: str = "snapshot", pointer: str = "", advice: str | None = None
) -> LineageError:
    """Return an exception for one problem; ``advice`` is its help sentence."""
    return LineageError(Problem(code, Severity.ERROR, message, file, pointer, help=advice))
