"""Gathering what the documents of one log claim together.

The log is read as a list of its documents: the first step of every pointer is the number of a document. In what is
gathered each claim and problem stands in its own document, under its own pointer.

>>> from policy_dsl.typed.schema import Schema
>>> log = LogGathering([Source(name, "sha256:00", "openlineage", name) for name in ("a.json", "b.json")], Schema())
>>> log.origins("/1/outputs/0")
(Origin(source='b.json', pointer='/outputs/0', line=None),)
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from policy_dsl.typed.schema import Schema
from policy_engine.lineage.claims import Claims
from policy_engine.lineage.graph import Origin, Source
from policy_engine.lineage.importers.gathering import Gathering


class LogGathering(Gathering):
    """Collects the claims of the documents of one log."""

    def __init__(self, sources: Sequence[Source], schema: Schema) -> None:
        super().__init__(sources[0], schema)
        self._sources = list(sources)

    def said(self, number: int, by: str | None, at: datetime | None) -> None:
        """Say who asserts a document, where that is known, and when."""
        source = self._sources[number]
        self._sources[number] = replace(source, asserted_by=by or source.asserted_by, asserted_at=at)

    def origins(self, at: str) -> tuple[Origin, ...]:
        """Return the place in a document that a pointer into the log names."""
        return (Origin(*self._place(at)),)

    def claims(self) -> Claims:
        """Return everything gathered."""
        found = super().claims()
        problems = []
        for problem in found.problems:
            file, pointer = self._place(problem.pointer)
            problems.append(replace(problem, file=file, pointer=pointer))
        return replace(found, sources=tuple(self._sources), problems=tuple(problems))

    def _place(self, at: str) -> tuple[str, str]:
        number, slash, pointer = at[1:].partition("/")
        return self._sources[int(number)].name, slash + pointer
