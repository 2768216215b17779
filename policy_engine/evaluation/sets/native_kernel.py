"""The kernel in C, called through ctypes. It is compiled when the package is installed, if there is a compiler.

Rules: every array is contiguous and of the type that ``kernel.c`` says, and is kept alive for the time of the call.
"""

import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from policy_engine.evaluation.sets.estate import Array, Estate, Way
from policy_engine.evaluation.sets.kernel import Flow, Sweep

LIBRARY = Path(__file__).with_name("kernel.library")

_VERSION = 1
# So many items of sets are kept at most: four bytes each.
_MOST_ITEMS = 48 * 1024 * 1024

_ADDRESS, _LONG = ctypes.c_void_p, ctypes.c_int64


class _Graph(ctypes.Structure):
    _fields_ = [
        ("n", _LONG),
        *((name, _ADDRESS) for name in ("row", "far", "back_row", "back_far", "type", "wide_type")),
        ("cycles", _LONG),
        ("cycle_start", _ADDRESS),
        ("cycle_end", _ADDRESS),
        ("descending", _LONG),
    ]


class _Sweep(ctypes.Structure):
    _fields_ = [
        ("width", _LONG),
        *((name, _ADDRESS) for name in ("allowed", "pass", "field", "kept", "self", "in", "out")),
    ]


class _Flow(ctypes.Structure):
    _fields_ = [
        ("most", _LONG),
        ("limit", _LONG),
        *((name, _ADDRESS) for name in ("allowed", "pass", "carrier")),
        ("carriers", _LONG),
        *((name, _ADDRESS) for name in ("counted", "size", "tally")),
    ]


class NativeKernel:
    """The loops in C."""

    name = "native"

    def __init__(self, library: Path = LIBRARY) -> None:
        """Load the library.

        Raises:
            OSError: it was not compiled, or not for this machine.
        """
        loaded = ctypes.CDLL(str(library))
        loaded.kernel_version.restype = _LONG
        if loaded.kernel_version() != _VERSION:
            raise OSError("the library is of another version")
        pointer = ctypes.POINTER
        self._sweep = loaded.kernel_sweep
        self._sweep.argtypes = [pointer(_Graph), pointer(_Sweep), _LONG]
        self._flow = loaded.kernel_flow
        self._flow.argtypes = [pointer(_Graph), pointer(_Flow)]
        self._number = loaded.kernel_number
        self._number.argtypes = [_LONG, *[_ADDRESS] * 5]
        self._number.restype = _LONG
        self._change = loaded.kernel_change
        self._change.argtypes = [pointer(_Graph), pointer(_Sweep), _ADDRESS, _LONG, _ADDRESS, _ADDRESS, _LONG]
        self._change.restype = _LONG

    def sweep(self, estate: Estate, sweep: Sweep) -> tuple[Array, Array]:
        """Return the words that flow into each node, and those that flow out."""
        found, out = np.empty_like(sweep.own), np.empty_like(sweep.own)
        with _Held() as held:
            graph = _graph(estate, estate.way(upstream=sweep.upstream), held)
            done = self._sweep(graph, _sweep(sweep, found, out, held), sweep.own.dtype.itemsize)
        if done:
            raise MemoryError
        return found, out

    def sizes(self, estate: Estate, flow: Flow, most: int) -> Array | None:
        """Return for each node how many carriers reach it, counted up to ``most`` (0: all)."""
        size = np.zeros(estate.size, np.uint32)
        with _Held() as held:
            form = _flow(flow, held)
            form.most, form.size = most, held(size)
            done = self._flow(_graph(estate, estate.way(upstream=flow.upstream), held), form)
        return None if done else size

    def tallies(self, estate: Estate, flow: Flow, counted: Array) -> Array | None:
        """Return for each carrier how many of the counted nodes it reaches."""
        tally = np.zeros(max(1, flow.carriers), np.uint32)
        with _Held() as held:
            form = _flow(flow, held)
            form.counted, form.tally = held(counted.astype(np.uint8)), held(tally)
            # Carriers flow from the anchors to what is counted: against the direction of the question.
            done = self._flow(_graph(estate, estate.way(upstream=not flow.upstream), held), form)
        return None if done else tally[: flow.carriers]

    def change(
        self, estate: Estate, sweep: Sweep, words: tuple[Array, Array], starts: Array, mark: Array, reached: Array
    ) -> Array | None:
        """Bring swept words up to date for nodes whose own or passing words are new.

        Returns:
            The nodes into which something else flows than before, or nothing if there is no room for them.
        """
        with _Held() as held:
            graph = _graph(estate, estate.way(upstream=sweep.upstream), held)
            form = _sweep(sweep, *words, held)
            starts = np.ascontiguousarray(starts, np.uint32)
            count = self._change(graph, form, held(starts), len(starts), held(mark), held(reached), len(reached))
        if count == -1:
            raise MemoryError
        return None if count < 0 else reached[:count]

    def number_nodes(self, n: int, row: Sequence[int], far: Sequence[int]) -> tuple[Array, list[tuple[int, int]]]:
        """Number nodes as ``policy_engine.lineage.columns.numbering.number_nodes`` does; rows must be in order."""
        rows, ends = np.asarray(row, np.uint32), np.asarray(far, np.uint32)
        if len(rows) != n + 1 or int(rows[-1]) != len(ends) or (rows[1:] < rows[:-1]).any() or (ends >= n).any():
            raise ValueError("rows are not those of a graph")
        number, start, end = (np.zeros(n, np.uint32) for _ in range(3))
        with _Held() as held:
            count = self._number(n, held(rows), held(ends), held(number), held(start), held(end))
        if count < 0:
            raise MemoryError
        return number, list(zip(start[:count].tolist(), end[:count].tolist(), strict=True))


class _Held:
    """Keeps arrays alive for the time of a call, and gives their addresses."""

    def __init__(self) -> None:
        self._arrays: list[Array] = []

    def __call__(self, array: Array | None) -> int | None:
        if array is None:
            return None
        kept = np.ascontiguousarray(array)
        self._arrays.append(kept)
        return kept.ctypes.data

    def __enter__(self) -> "_Held":
        return self

    def __exit__(self, *_: object) -> None:
        self._arrays.clear()


def _graph(estate: Estate, way: Way, held: _Held) -> _Graph:
    narrow = way.type.dtype.itemsize == 1
    return _Graph(
        estate.size,
        *(held(part) for part in (way.row, way.far, way.back_row, way.back_far)),
        held(way.type) if narrow else None,
        None if narrow else held(way.type),
        len(estate.cycle_start),
        held(estate.cycle_start),
        held(estate.cycle_end),
        way.descending,
    )


def _sweep(sweep: Sweep, found: Array, out: Array, held: _Held) -> _Sweep:
    parts: list[Any] = [sweep.allowed, sweep.passing, sweep.field, sweep.kept, sweep.own, found, out]
    return _Sweep(sweep.own.shape[1], *map(held, parts))


def _flow(flow: Flow, held: _Held) -> _Flow:
    passing = None if flow.passing is None else flow.passing.astype(np.uint8)
    allowed, carrier = flow.allowed.astype(np.uint8), flow.carrier.astype(np.int32)
    return _Flow(0, _MOST_ITEMS, held(allowed), held(passing), held(carrier), flow.carriers)
