"""What a kernel does: the loops over all edges that the set evaluator needs.

Rules:

- a kernel works on arrays that ``Estate`` has checked, and remembers nothing but what follows from them;
- every kernel gives the same answers; ``native`` is compiled C, ``numpy`` does without a compiler.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from policy_engine.evaluation.sets.estate import Array, Estate


@dataclass(frozen=True, slots=True)
class Sweep:
    """Bits that flow along edges, in words: arrays are of one unsigned type, a column for each word.

    ``in(v)`` is the OR over the edges of v of ``out(far) & allowed[type]``; ``out(v)`` is ``own(v)`` with what passes
    of ``in(v)``, where bits of ``field`` move up by one as long as they are ``kept`` in it.
    """

    upstream: bool
    allowed: Array
    passing: Array | None
    field: Array
    kept: Array
    own: Array


@dataclass(frozen=True, slots=True)
class Flow:
    """Sets of carriers that flow along edges; a carrier is a node with an index from 0, the others have -1."""

    upstream: bool
    allowed: Array
    """A byte for each edge type."""
    passing: Array | None
    """A byte for each node, or nothing where everything passes."""
    carrier: Array
    carriers: int


Word = type[np.uint16] | type[np.uint32] | type[np.uint64]


class Kernel(Protocol):
    """The loops over all edges."""

    name: str

    def sweep(self, estate: Estate, sweep: Sweep) -> tuple[Array, Array]:
        """Return the words that flow into each node, and those that flow out."""

    def sizes(self, estate: Estate, flow: Flow, most: int) -> Array | None:
        """Return for each node how many carriers reach it, counted up to ``most`` (0: all); nothing if too costly."""

    def tallies(self, estate: Estate, flow: Flow, counted: Array) -> Array | None:
        """Return for each carrier how many of the counted nodes it reaches; nothing if that is too costly."""


def words_for(bits: int) -> tuple[Word, int]:
    """Return the type of word and how many are needed for so many bits.

    >>> words_for(20), words_for(65)
    ((<class 'numpy.uint32'>, 1), (<class 'numpy.uint64'>, 2))
    """
    if bits <= 16:
        return np.uint16, 1
    return (np.uint32, 1) if bits <= 32 else (np.uint64, -(-bits // 64))
