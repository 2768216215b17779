"""An estate file as arrays of numpy, checked once, so that no number in it can lead out of an array.

Rules:

- arrays are views of the file; what is derived from them is made when first asked for and kept;
- the numbers of nodes are checked to put dependencies first: a sweep would be wrong, not slow, if they did not.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from policy_dsl.typed.types import Simple
from policy_engine.lineage.columns.errors import damaged
from policy_engine.lineage.columns.reader import EstateFile

Array = NDArray[Any]
Kinds = frozenset[str]

_T = TypeVar("_T")

_IN_ONE_ORDER: Final[Mapping[Simple, set[type]]] = {
    Simple.INTEGER: {int},
    Simple.NUMBER: {int, Decimal},
    Simple.DATE: {date},
    Simple.INSTANT: {datetime},
}


@dataclass(frozen=True, slots=True)
class Way:
    """The edges in one direction and back: ``descending`` if what an edge leads to has the larger number."""

    row: Array
    far: Array
    type: Array
    back_row: Array
    back_far: Array
    descending: bool


class Estate:
    """The columns of one estate."""

    def __init__(self, file: EstateFile) -> None:
        self.file = file
        self._kept: dict[Any, Any] = {}
        self.size = file.nodes
        self.types = {name: code for code, name in enumerate(file.edge_types)}
        self.kind = self._view("kind")
        self.cycle_start, self.cycle_end = self._view("cycle.start"), self._view("cycle.end")
        self.up, self.down = self._way("up", "down"), self._way("down", "up")
        self._check()

    def way(self, *, upstream: bool) -> Way:
        """Return the edges as lineage follows them."""
        return self.up if upstream else self.down

    def domain(self, kinds: Kinds) -> Array:
        """Return the numbers of all nodes of some kinds, ascending."""
        return self._keep(("domain", kinds), lambda: np.flatnonzero(self.of_kinds(kinds)))

    def of_kinds(self, kinds: Kinds) -> Array:
        """Return for each node whether it is of one of some kinds."""
        chosen = np.array([kind in kinds for kind in self.file.kinds], bool)
        return self._keep(("of", kinds), lambda: chosen[self.kind] if len(chosen) else np.zeros(self.size, bool))

    def codes(self, attribute: str) -> tuple[Array | None, int]:
        """Return the codes of an attribute and how many there may be; no array where nobody states anything."""
        return self._column(f"attribute.{attribute}")

    def codes_of(self, attribute: str, kinds: Kinds) -> Array | None:
        """Return the codes of an attribute for all nodes of some kinds, ascending."""
        codes, _ = self.codes(attribute)
        if codes is None:
            return None
        return self._keep(("codes", attribute, kinds), lambda: codes[self.domain(kinds)])

    def order(self, attribute: str, of: Simple) -> Array | None:
        """Return by code where a value is in the order of all values of an attribute; nothing if they have no order.

        What a file holds may be of other types than the schema says, and then is not put in order.
        """

        def found() -> Array | None:
            dictionary = self.file.dictionary(f"attribute.{attribute}")
            values: list[Any] = [dictionary[entry] for entry in range(len(dictionary))]
            if not {type(value) for value in values} <= _IN_ONE_ORDER.get(of, set()):
                return None
            places = np.full(len(values) + 2, -1, np.int64)
            places[np.array(sorted(range(len(values)), key=values.__getitem__), np.intp) + 2] = np.arange(len(values))
            return places

        return self._keep(("order", attribute, of), found)

    def forget(self, attribute: str) -> None:
        """Drop what was derived from the codes of an attribute that is no longer so."""
        for key in [key for key in self._kept if key[:2] == ("codes", attribute)]:
            del self._kept[key]

    def near(self, *, upstream: bool) -> Array:
        """Return for each edge of a way the node it is a row of."""
        way = self.way(upstream=upstream)
        counts = np.diff(way.row)
        return self._keep(("near", upstream), lambda: np.repeat(np.arange(self.size, dtype=np.uint32), counts))

    def edges(self, edge: str, *, upstream: bool) -> tuple[Array, Array]:
        """Return the edges of one type as pairs of near and far ends, in order of the near."""

        def found() -> tuple[Array, Array]:
            way = self.way(upstream=upstream)
            chosen = np.flatnonzero(way.type == self.types[edge])
            return self.near(upstream=upstream)[chosen], way.far[chosen]

        if edge not in self.types:
            return np.zeros(0, np.uint32), np.zeros(0, np.uint32)
        return self._keep(("edges", edge, upstream), found)

    # --- evidence ------------------------------------------------------------------------------------------

    def evidence(self, name: str) -> Array:
        """Return a column of the evidence: ``type``, ``issued``, ``from`` or ``until``."""
        return self._view(f"evidence.{name}")

    def evidence_rows(self) -> Array:
        """Return where the evidence about each node begins."""
        return self._view("evidence.row")

    def evidence_of(self, name: str) -> tuple[Array, Array]:
        """Return the rows of all evidence of a type, and whom each is about."""

        def found() -> tuple[Array, Array]:
            if name not in self.file.evidence_types:
                return np.zeros(0, np.intp), np.zeros(0, np.intp)
            rows = np.flatnonzero(self.evidence("type") == self.file.evidence_types.index(name))
            counts = np.diff(self._view("evidence.row"))
            subjects = np.repeat(np.arange(self.size, dtype=np.intp), counts)
            return rows, subjects[rows]

        return self._keep(("evidence", name), found)

    def field_codes(self, name: str) -> tuple[Array | None, int]:
        """Return the codes of a field of evidence and how many there may be."""
        return self._column(f"evidence.field.{name}")

    def signer_codes(self) -> Array:
        """Return for each row of evidence the code of who signed it."""
        codes, _ = self._column("evidence.signers")
        return np.zeros(0, np.uint8) if codes is None else codes

    # --- checks --------------------------------------------------------------------------------------------

    def _check(self) -> None:
        file, n = self.file, self.size
        # (1) No byte is another than was written. (2) Whatever was written, no number leads out of an array.
        file.verify()
        if n and int(self.kind.max()) >= len(file.kinds):
            raise damaged("a node has a kind that is not in its list")
        self._check_cycles()
        component, circular = np.arange(n, dtype=np.uint32), np.zeros(n, bool)
        for start, end in zip(self.cycle_start.tolist(), self.cycle_end.tolist(), strict=True):
            component[start:end], circular[start:end] = start, True
        self.on_circle = circular
        for name, way in (("up", self.up), ("down", self.down)):
            self._check_row(f"{name}.row", way.row, len(way.far))
            if not len(way.far):
                continue
            if int(way.far.max()) >= n:
                raise damaged("an edge leads to a node that is not there")
            if int(way.type.max()) >= len(file.edge_types):
                raise damaged("an edge has a type that is not in its list")
            # Not kept: most programs never ask for it again.
            near = np.repeat(component, np.diff(way.row))
            far = component[way.far]
            wrong = near > far if way.descending else near < far
            if wrong.any() or ((near == far) & ~circular[near]).any():
                raise damaged("its nodes are not numbered dependencies first")
        self._check_row("evidence.row", self._view("evidence.row"), len(self.evidence("type")))
        if len(self.evidence("type")) and int(self.evidence("type").max()) >= len(file.evidence_types):
            raise damaged("a piece of evidence has a type that is not in its list")

    def _check_cycles(self) -> None:
        start, end = self.cycle_start.astype(np.int64), self.cycle_end.astype(np.int64)
        if (start >= end).any() or (start[1:] < end[:-1]).any() or (len(end) and int(end[-1]) > self.size):
            raise damaged("its circles do not lie one after the other")

    def _check_row(self, name: str, row: Array, end: int) -> None:
        if int(row[0]) != 0 or int(row[-1]) != end or (row[1:] < row[:-1]).any():
            raise damaged(f"a row of `{name}` lies outside it")

    # --- views ---------------------------------------------------------------------------------------------

    def _view(self, name: str) -> Array:
        def found() -> Array:
            section, typecode = self.file.section(name), self.file.typecode(name) or "B"
            return np.frombuffer(section, typecode) if section.nbytes else np.zeros(0, typecode)

        return self._keep(("view", name), found)

    def _way(self, name: str, back: str) -> Way:
        row, far, types = (self._view(f"{name}.{part}") for part in ("row", "far", "type"))
        return Way(row, far, types, self._view(f"{back}.row"), self._view(f"{back}.far"), name == "down")

    def _column(self, name: str) -> tuple[Array | None, int]:
        if f"{name}.code" not in self.file:
            return None, 2

        def found() -> tuple[Array, int]:
            codes, most = self._view(f"{name}.code"), self.file.length(f"{name}.offset") + 1
            if len(codes) and int(codes.max()) >= most:
                raise damaged(f"`{name}` has a code that is not in its dictionary")
            return codes, most

        return self._keep(("column", name), found)

    def _keep(self, key: Any, make: Callable[[], _T]) -> _T:
        if key not in self._kept:
            self._kept[key] = make()
        kept: _T = self._kept[key]
        return kept


def spans(row: Array, nodes: Array) -> tuple[Array, Array]:
    """Return where the items of some nodes lie in the lists that ``row`` indexes, and how many each node has.

    >>> [found.tolist() for found in spans(np.array([0, 2, 2, 5]), np.array([2, 0]))]
    [[2, 3, 4, 0, 1], [3, 2]]
    """
    start = row[nodes].astype(np.int64)
    count = row[np.asarray(nodes) + 1].astype(np.int64) - start
    ends = np.cumsum(count)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(start - (ends - count), count), count
