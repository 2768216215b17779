"""The few things that arranging columns does with arrays, in the standard library and in numpy.

Rules: both give the same bytes; numpy does it without an object for each item, and is imported only by who asks for it.

>>> arrays = Plain()
>>> row, order = arrays.grouped(2, [1, 0, 1])
>>> list(row), list(order), list(arrays.taken("I", [7, 8, 9], order))
([0, 1, 3], [1, 0, 2], [8, 7, 9])
"""

from array import array
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, Protocol


class Arrays(Protocol):
    """What can be done with arrays of whole numbers."""

    def made(self, typecode: str, values: Sequence[int]) -> Any:
        """Return values as an array of a type."""

    def taken(self, typecode: str, values: Sequence[int], indexes: Sequence[int]) -> Any:
        """Return the values at some indexes, in their order."""

    def grouped(self, n: int, keys: Sequence[int]) -> tuple[Any, Any]:
        """Sort by keys below n, keeping the order of equals: where each key's run starts, and the indexes in order."""

    def inverse(self, permutation: Sequence[int]) -> Any:
        """Return the permutation that undoes one."""


class Plain:
    """Arrays of the standard library."""

    def made(self, typecode: str, values: Sequence[int]) -> "array[int]":
        """Return values as an array of a type."""
        return array(typecode, values)

    def taken(self, typecode: str, values: Sequence[int], indexes: Sequence[int]) -> "array[int]":
        """Return the values at some indexes, in their order."""
        return array(typecode, [values[index] for index in indexes])

    def grouped(self, n: int, keys: Sequence[int]) -> tuple["array[int]", "array[int]"]:
        """Sort by keys below n, keeping the order of equals: where each key's run starts, and the indexes in order."""
        counts = [0] * (n + 1)
        for key in keys:
            counts[key + 1] += 1
        row = array("I", accumulate(counts))
        upcoming = row.tolist()
        order = array("I", bytes(4 * len(keys)))
        for index, key in enumerate(keys):
            order[upcoming[key]] = index
            upcoming[key] += 1
        return row, order

    def inverse(self, permutation: Sequence[int]) -> "array[int]":
        """Return the permutation that undoes one."""
        undone = array("I", bytes(4 * len(permutation)))
        for index, place in enumerate(permutation):
            undone[place] = index
        return undone


class Numpy:
    """Arrays of numpy."""

    def __init__(self) -> None:
        import numpy

        self._np = numpy

    def made(self, typecode: str, values: Sequence[int]) -> Any:
        """Return values as an array of a type."""
        return self._np.ascontiguousarray(values, dtype=typecode)

    def taken(self, typecode: str, values: Sequence[int], indexes: Sequence[int]) -> Any:
        """Return the values at some indexes, in their order."""
        return self._np.asarray(values)[self._np.asarray(indexes, dtype="q")].astype(typecode)

    def grouped(self, n: int, keys: Sequence[int]) -> tuple[Any, Any]:
        """Sort by keys below n, keeping the order of equals: where each key's run starts, and the indexes in order."""
        np, made = self._np, self.made("I", keys)
        row = np.zeros(n + 1, dtype="I")
        np.cumsum(np.bincount(made, minlength=n), out=row[1:])
        return row, np.argsort(made, kind="stable").astype("I")

    def inverse(self, permutation: Sequence[int]) -> Any:
        """Return the permutation that undoes one."""
        np = self._np
        undone = np.empty(len(permutation), dtype="I")
        undone[np.asarray(permutation, dtype="q")] = np.arange(len(permutation), dtype="I")
        return undone
