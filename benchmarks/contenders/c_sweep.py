"""The yardstick: these seven rules and no others, written by hand in C for exactly this estate.

It shows what the machine can do. It knows nothing of unknown values, circles, proofs or other rules.
"""

import ctypes
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.contenders.conditions import conditions
from benchmarks.files import read_tables
from benchmarks.findings import Findings
from benchmarks.generator import EDGE_TYPES, KINDS, REGIONS, Array, Generated
from benchmarks.rules import EXPOSED, HOPS, LEARNT, MOST_MODELS, SUPPLIED

SOURCE = Path(__file__).with_name("c_sweep.c")

_TAINTED, _PERSONAL = 1, 2
_FIRST_REGION = 2
_FIRST_HOP = _FIRST_REGION + len(REGIONS)
_REGIONS = sum(1 << _FIRST_REGION + n for n in range(len(REGIONS)))
_NEAR = sum(1 << _FIRST_HOP + n for n in range(HOPS))


class NoCompilerError(Exception):
    """There is no C compiler."""


def load(folder: Path) -> Callable[[], Findings]:
    """Compile, read the tables, number the things dependencies first, and return the work."""
    sweep = _Sweep(read_tables(folder))
    return sweep.findings


class _Sweep:
    def __init__(self, estate: Generated) -> None:
        self.estate, self.library = estate, _compiled()
        n, m = estate.size, len(estate.source)
        self.row, self.far = np.empty(n + 1, np.int32), np.empty(m, np.int32)
        self.type, self.number = np.empty(m, np.int8), np.empty(n, np.int32)
        self._call("arrange", n, m, *estate_edges(estate), self.row, self.far, self.type, self.number)

    def findings(self) -> Findings:
        """Evaluate all rules."""
        estate, number, n = self.estate, self.number, self.estate.size
        found = conditions(estate)
        region = estate.texts["region"].astype(np.uint32)
        own = found.no_dpia.astype(np.uint32) * np.uint32(_TAINTED)
        own |= found.personal.astype(np.uint32) * np.uint32(_PERSONAL)
        own |= found.no_agreement.astype(np.uint32) << (region + np.uint32(_FIRST_REGION))
        own |= found.expired.astype(np.uint32) << np.uint32(_FIRST_HOP)
        passing = np.where(found.anonymises, np.uint32(~_PERSONAL & 0xFFFFFFFF), np.uint32(0xFFFFFFFF))
        allowed = np.array([_mask(name) for name in EDGE_TYPES], np.uint32)
        reached, running = np.empty(n, np.uint32), _renumbered(found.running.astype(np.uint8), number)
        self._call(
            "sweep", n, self.row, self.far, self.type, allowed,
            _renumbered(own, number), _renumbered(passing, number), _NEAR, reached, np.empty(n, np.uint32),
        )  # fmt: skip
        words = reached[number]
        vendors = np.flatnonzero(estate.kind == KINDS.index("vendor"))
        slot, tally = np.full(n, -1, np.int32), np.zeros(len(vendors), np.int32)
        slot[number[vendors]] = np.arange(len(vendors))
        supplied = sum(1 << at for at, name in enumerate(EDGE_TYPES) if name in SUPPLIED)
        self._call("tally", n, self.row, self.far, self.type, supplied, slot, len(vendors), running, tally)
        elsewhere = words & np.uint32(_REGIONS) & ~(np.uint32(1) << (region + np.uint32(_FIRST_REGION)))
        deployment, endpoint = (estate.kind == KINDS.index(name) for name in ("deployment", "endpoint"))
        return {
            **found.plain,
            "r3": np.flatnonzero(found.running & (words & _TAINTED != 0)),
            "r4": np.flatnonzero(deployment & (words & np.uint32(_NEAR) != 0)),
            "r5": np.flatnonzero(found.running & (elsewhere != 0)),
            "r6a": vendors[tally > MOST_MODELS],
            "r6b": np.flatnonzero(endpoint & (words & _PERSONAL != 0)),
        }

    def _call(self, name: str, *given: Any) -> None:
        # The arrays are kept alive by the caller for the time of the call.
        converted = [
            one.ctypes.data_as(ctypes.c_void_p) if isinstance(one, np.ndarray) else ctypes.c_int64(one)
            for one in given
        ]  # fmt: skip
        getattr(self.library, name)(*converted)


def estate_edges(estate: Generated) -> tuple[Array, Array, Array]:
    """Return the edges as the library takes them."""
    return (
        np.ascontiguousarray(estate.source, np.int32),
        np.ascontiguousarray(estate.target, np.int32),
        np.ascontiguousarray(estate.edge_type, np.int8),
    )


def _mask(edge_type: str) -> int:
    """Return the bits that flow along an edge of a type."""
    learnt = _TAINTED | _REGIONS if edge_type in LEARNT else 0
    return learnt | (_NEAR if edge_type in SUPPLIED else 0) | (_PERSONAL if edge_type in EXPOSED else 0)


def _renumbered(column: Array, number: Array) -> Array:
    found = np.empty_like(column)
    found[number] = column
    return found


def _compiled() -> ctypes.CDLL:
    compiler = shutil.which(os.environ.get("CC") or "cc")
    if compiler is None:
        raise NoCompilerError("there is no C compiler")
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "c_sweep.so"
        command = [compiler, "-O3", "-march=native", "-std=c11", "-shared", "-fPIC", str(SOURCE), "-o", str(library)]
        subprocess.run(command, check=True, capture_output=True)
        return ctypes.CDLL(str(library))
