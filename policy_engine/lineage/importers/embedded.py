"""JSON that a document carries as a text within it, as catalogues and registries do.

It is read as strictly and within the same bounds as a file of its own, but for keys that stand twice: the last counts.
"""

from policy_engine.lineage.errors import LineageError
from policy_engine.lineage.importers.gathering import Gathering
from policy_engine.lineage.json_text import read_json
from policy_engine.model.problems import Problem


def embedded(gathering: Gathering, text: str, at: str) -> object:
    """Return the JSON in a text, or nothing where it is none, which is told; its places are those of the text."""
    repeated: list[Problem] = []
    try:
        found = read_json(text, gathering.source.name, repeated=repeated)
    except LineageError as error:
        _tell(gathering, error.problem, at)
        return None
    for problem in repeated:
        _tell(gathering, problem, at)
    return found


def _tell(gathering: Gathering, problem: Problem, at: str) -> None:
    gathering.shapes.report(problem.code, f"of the JSON in this text: {problem.message}", at)
