"""What follows from things going into a job and others coming out of it.

>>> comes_from("Model", "Dataset"), comes_from("Dataset", "Model")
('trained_on', 'depends_on')
"""

from typing import Final

MAX_PAIRS: Final = 10_000
"""So many pairs of an output and an input of one run are kept as edges; beyond, the way leads through the run."""

_NAMES: Final = {
    ("Dataset", "Dataset"): "derived_from",
    ("Dataset", "Feature"): "derived_from",
    ("Feature", "Dataset"): "derived_from",
    ("Feature", "Feature"): "derived_from",
    ("Model", "Dataset"): "trained_on",
    ("Model", "Feature"): "trained_on",
    ("Model", "Model"): "finetuned_from",
}


def comes_from(made: str, used: str) -> str:
    """Return the edge from a kind of thing that comes out of a job to a kind that goes in."""
    return _NAMES.get((made, used), "depends_on")
