"""A forecast as a picture asks for it: what holds from when until when, row by row.

Rules:

- every instant has a time zone, and a span ends after it starts, within the time of the timeline;
- spans of a row follow each other without overlapping; where no span is, nothing is known to hold;
- a row says in words what its colours say, so that nothing hangs on colour alone;
- what is left out is counted in ``left_out``, and the picture says so.

>>> from datetime import UTC, datetime
>>> now, then = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
>>> row = Row("datasheets_current", "credit-scoring", (Span(now, then, Status.PASS),))
>>> Timeline("Forecast", now, then, (row,)).rows[0].subject
'credit-scoring'
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from policy_reports.document import Status
from policy_reports.errors import ReportError


@dataclass(frozen=True, slots=True)
class Span:
    """A status from ``start`` until, and not including, ``end``; ``cause`` says why it begins, where it is a change."""

    start: datetime
    end: datetime
    status: Status
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """The statuses of one rule for one subject; a row that is ``strong`` sums others up, as the verdict does."""

    title: str
    subject: str
    spans: tuple[Span, ...]
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """An instant that concerns the whole picture, such as the day from which a law applies."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """A forecast from ``start`` until ``end``; ``left_out`` counts the rows that are not shown, and why is in words.

    Raises:
        ReportError: PE3704, an instant has no time zone, or a span is empty, overlaps another or lies outside.
    """

    title: str
    start: datetime
    end: datetime
    rows: tuple[Row, ...]
    marks: tuple[Mark, ...] = ()
    left_out: int = 0
    left_out_reason: str = "do not change"

    def __post_init__(self) -> None:
        spans = [span for row in self.rows for span in row.spans]
        instants = [self.start, self.end, *(m.at for m in self.marks), *(i for s in spans for i in (s.start, s.end))]
        if any(instant.utcoffset() is None for instant in instants):
            raise ReportError("PE3704", "an instant of a timeline has no time zone")
        if self.end <= self.start:
            raise ReportError("PE3704", "a timeline ends before it starts")
        for row in self.rows:
            self._check(row)

    def _check(self, row: Row) -> None:
        for span in row.spans:
            if not self.start <= span.start < span.end <= self.end:
                raise ReportError("PE3704", f"a span of `{row.title}` is empty or outside the timeline")
        if any(second.start < first.end for first, second in pairwise(row.spans)):
            raise ReportError("PE3704", f"spans of `{row.title}` overlap or are not in order")
