"""What loading gives: the graph, and what was wrong with what it was read from."""

from dataclasses import dataclass

from policy_engine.lineage.graph import Snapshot
from policy_engine.model.problems import Problem


@dataclass(frozen=True, slots=True)
class Estate:
    """A snapshot of everything that could be read, and the problems of everything that could not."""

    snapshot: Snapshot
    problems: tuple[Problem, ...] = ()

    @property
    def has_errors(self) -> bool:
        """Whether anything found is an error: then the snapshot lacks something that was asserted."""
        return any(problem.is_error for problem in self.problems)
