"""Rows of cells → lines with aligned columns.

Columns are aligned over a run of rows: rows that no blank line, comment line or other kind of row parts. A
row with a comment between its words keeps its own spacing, and a cell that would pass the width falls back
to a single gap.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from policy_dsl.format.writer import INDENT, WIDTH, Group, Writer


@dataclass(frozen=True, slots=True)
class Cell:
    """Lexemes of one column; ``cut`` is where a cell too wide for its column goes on in the next line."""

    first: int
    last: int
    gap: int = 1
    column: int | None = None
    groups: tuple[Group, ...] = ()
    cut: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one line."""

    cells: tuple[Cell, ...]
    aligned: bool = True

    @property
    def first(self) -> int:
        """The first lexeme."""
        return self.cells[0].first

    @property
    def last(self) -> int:
        """The last lexeme."""
        return self.cells[-1].last

    def columns(self) -> list[tuple[int, Cell]]:
        """Return the cells with their columns."""
        return [(i if c.column is None else c.column, c) for i, c in enumerate(self.cells)]


def write_rows(out: Writer, rows: Sequence[Row], indent: int, *, begun: bool = False) -> None:
    """Write rows, each on a line; with ``begun`` the line of the first is begun already."""
    for run in _runs(out, rows):
        starts = _starts(out, run, indent)
        for row in run:
            if not begun:
                out.start_line(row.first, indent)
            begun = False
            _write(out, row, starts, indent)


def _runs(out: Writer, rows: Sequence[Row]) -> Iterator[list[Row]]:
    run: list[Row] = []
    for row in rows:
        lexeme = out.lexemes[row.first]
        if run and (lexeme.leading or lexeme.blank_before or not row.aligned or not run[-1].aligned):
            yield run
            run = []
        run.append(row)
    if run:
        yield run


def _starts(out: Writer, run: Sequence[Row], indent: int) -> dict[int, int]:
    """Return where each column begins."""
    straight = [r for r in run if not out.has_comment(r.first, r.last)]
    columns = sorted({c for r in straight for c, _ in r.columns()})
    starts: dict[int, int] = {columns[0]: indent} if columns else {}
    for column in columns[1:]:
        # A column begins after every cell to its left.
        gap = max(cell.gap for row in straight for c, cell in row.columns() if c == column)
        ends = [starts[c] + _width(out, cell, starts[c]) for r in straight for c, cell in r.columns() if c < column]
        starts[column] = max(ends) + gap
    return starts


def _width(out: Writer, cell: Cell, start: int) -> int:
    if cell.cut is not None and start + out.width(cell.first, cell.last) > _ROOM:
        return max(out.width(cell.first, cell.cut - 1), out.width(cell.cut, cell.last))
    return out.width(cell.first, cell.last)


_ROOM = 80
"""A cell that ends beyond this column leaves too little room for the columns after it, and is cut."""


def _write(out: Writer, row: Row, starts: dict[int, int], indent: int) -> None:
    if out.has_comment(row.first, row.last):
        out.write(row.first, row.last, [g for c in row.cells for g in c.groups])
        return
    for number, (column, cell) in enumerate(row.columns()):
        start = starts[column]
        if number and cell.first == row.last and start + out.width(cell.first, cell.last) > WIDTH:
            _write_text(out, row, cell, indent)
            continue
        if cell.cut is not None and starts[column] + out.width(cell.first, cell.last) > _ROOM:
            _put(out, cell.first, cell.cut - 1, start, ())
            out.newline(starts[column])
            _put(out, cell.cut, cell.last, starts[column], ())
            continue
        _put(out, cell.first, cell.last, start, cell.groups)


def _write_text(out: Writer, row: Row, cell: Cell, indent: int) -> None:
    """Write a text too long for its column: right behind the other cells, or else on a line of its own."""
    if indent + out.width(row.first, cell.last) + cell.gap > WIDTH:
        out.newline(indent + INDENT)
    _put(out, cell.first, cell.last, out.column + cell.gap if out.column > indent + INDENT else 0, ())


def _put(out: Writer, first: int, last: int, column: int, groups: Sequence[Group]) -> None:
    out.pad(column)
    out.write(first, last, groups)
