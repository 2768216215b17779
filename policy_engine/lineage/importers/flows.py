"""What follows from things going into a job and others coming out of it.

>>> comes_from("Model", "Dataset"), comes_from("Dataset", "Model")
('trained_on', 'depends_on')
"""

from typing import Final

from policy_engine.lineage.importers.gathering import Gathering

MAX_PAIRS: Final = 10_000
"""So many pairs of an output and an input of one run are kept as edges; beyond, the way leads through the run."""

MAX_PAIRS_OF_DOCUMENT: Final = 500_000
"""So many of a whole document: its pairs could be far more than its bytes."""

_NAMES: Final = {
    ("Dataset", "Dataset"): "derived_from",
    ("Dataset", "Feature"): "derived_from",
    ("Feature", "Dataset"): "derived_from",
    ("Feature", "Feature"): "derived_from",
    ("Model", "Dataset"): "trained_on",
    ("Model", "Feature"): "trained_on",
    ("Model", "Model"): "finetuned_from",
}


COMES_FROM: Final = ("trained_on", "finetuned_from", "derived_from", "depends_on")
"""The edges by which a thing comes from another, of which the first counts that fits the kinds."""


def comes_from(made: str, used: str) -> str:
    """Return the edge from a kind of thing that comes out of a job to a kind that goes in."""
    return _NAMES.get((made, used), "depends_on")


class Pairs:
    """Counts the pairs of outputs and inputs that a document tells in few words, so that they stay within bounds."""

    def __init__(self, gathering: Gathering) -> None:
        self._gathering = gathering
        self._left = MAX_PAIRS_OF_DOCUMENT

    def fit(self, outputs: int, inputs: int, at: str) -> bool:
        """Tell whether all pairs of a run may be kept; if not, that is reported."""
        count = outputs * inputs
        if count <= min(MAX_PAIRS, self._left):
            self._left -= count
            return True
        most = f"{MAX_PAIRS} pairs of output and input"
        message = f"of a run with more than {most} only the way through it is kept"
        if count <= MAX_PAIRS:
            message = f"of a document with more than {MAX_PAIRS_OF_DOCUMENT} pairs of output and input not all are kept"
        self._gathering.skip(message, at, "PE3164")
        return False
