"""Collecting the problems of claims: what is wrong in our own inventory is an error, elsewhere a warning."""

from policy_engine.lineage.graph import Origin
from policy_engine.model.problems import Problem, Severity

_NOWHERE = Origin("graph", "")


class Reporter:
    """Takes problems at origins; the lines are found afterwards, by whoever has the documents."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def add(
        self, code: str, message: str, origins: tuple[Origin, ...], *, own: bool, advice: str | None = None
    ) -> None:
        """Add what is an error in our own inventory and a warning elsewhere."""
        severity = Severity.ERROR if own else Severity.WARNING
        at = origins[0] if origins else _NOWHERE
        self.problems.append(Problem(code, severity, message, at.source, at.pointer, at.line, help=advice))

    def warn(self, code: str, message: str, origins: tuple[Origin, ...], *, advice: str | None = None) -> None:
        """Add what is a warning wherever it stands."""
        self.add(code, message, origins, own=False, advice=advice)


def spoken(origins: tuple[Origin, ...]) -> str:
    """Say where something is asserted.

    >>> spoken((Origin("a.yaml", "/nodes/0", 4), Origin("b.json", "/components/1")))
    'a.yaml:4'
    """
    if not origins:
        return "the graph"
    first = origins[0]
    return f"{first.source}:{first.line}" if first.line else f"{first.source} at `{first.pointer}`"
