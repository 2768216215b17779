"""The structure tree of a tagged PDF, recorded while reportlab draws.

An archivable, accessible PDF (ISO 19005-3 level A, ISO 14289-1) says of every mark on a page whether it is content,
and of which element, or decoration. reportlab does not, so three things are added to it:
- `TaggedCanvas` brackets what is drawn as marked content and records the tree (`Branch`, `Mark`, `Link`);
- flowables of ours name the `Element` they draw: `Paragraph`, `Heading`, `Figure`, `DataTable`, `ContentsLine`;
- `finish` turns the recorded tree into the objects of the file.

INVARIANT: nothing is drawn outside an element's content or an artifact.

An `Element` has an identity: drawn again after a page break it continues the same branch.

>>> Element("P") == Element("P")
False
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Table
from reportlab.platypus import Paragraph as PlainParagraph
from reportlab.platypus.tables import TableRenderCB


@dataclass(frozen=True, slots=True, eq=False)
class Element:
    """One structure element: its standard role (ISO 32000-1, 14.8.4) and attributes."""

    role: str
    alternative: str | None = None
    scope: str | None = None
    summary: str | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A piece of marked content on a page (pages count from 0)."""

    page: int
    number: int


@dataclass(frozen=True, slots=True)
class Link:
    """An annotation of a page, by its position in the page's list."""

    page: int
    index: int


@dataclass(slots=True, eq=False)
class Branch:
    """An element as drawn, with what belongs to it in reading order."""

    element: Element
    kids: list[Branch | Mark | Link] = field(default_factory=list)
    box: tuple[float, float, float, float] | None = None


@dataclass(slots=True)
class Pages:
    """On which page every heading stands and how many pages there are, learnt while drawing."""

    of_heading: dict[str, int] = field(default_factory=dict)
    total: int = 0


class TaggedCanvas(Canvas):  # type: ignore[misc]  # reportlab publishes no types
    """A canvas that knows which element it draws."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.tree = Branch(Element("Document"))
        self.marks_on_page: list[int] = []
        self.field: tuple[Branch, int] | None = None
        self.drawn = Pages()
        self._open = [self.tree]
        self._branches: dict[Element, Branch] = {}
        self._marks = 0
        self._artifacts = 0

    @property
    def page(self) -> int:
        """The page being drawn, from 0."""
        return len(self.marks_on_page)

    def known(self, element: Element) -> bool:
        """Whether the element was drawn before, on this page or an earlier one."""
        return element in self._branches

    def begin(self, element: Element) -> Branch:
        """Enter an element; content that follows belongs to it until `end`."""
        branch = self._branches.get(element)
        if branch is None:
            branch = self._branches[element] = Branch(element)
            self._open[-1].kids.append(branch)
        self._open.append(branch)
        return branch

    def end(self) -> None:
        """Leave the element entered last."""
        self._open.pop()

    def begin_content(self) -> None:
        """Start marked content of the current element."""
        branch = self._open[-1]
        self._code.append(f"/{branch.element.role} <</MCID {self._marks}>> BDC")
        branch.kids.append(Mark(self.page, self._marks))
        self._marks += 1

    def end_content(self) -> None:
        """End marked content."""
        self._code.append("EMC")

    def begin_artifact(self, kind: str = "") -> None:
        """Start decoration, which a reader with a screen reader is spared."""
        self._artifacts += 1
        self._code.append(f"/Artifact <<{kind}>> BDC" if kind else "/Artifact BMC")

    def end_artifact(self) -> None:
        """End decoration."""
        self._artifacts -= 1
        self._code.append("EMC")

    @property
    def in_artifact(self) -> bool:
        """Whether decoration is being drawn."""
        return self._artifacts > 0

    @contextmanager
    def inside(self, elements: Sequence[Element]) -> Iterator[Branch]:
        """Enter elements from the outermost to the innermost, and leave them again."""
        branches = [self.begin(element) for element in elements]
        yield branches[-1]
        for _ in elements:
            self.end()

    @contextmanager
    def content(self) -> Iterator[None]:
        """Draw content of the current element."""
        self.begin_content()
        yield
        self.end_content()

    @contextmanager
    def artifact(self, kind: str = "") -> Iterator[None]:
        """Draw decoration."""
        self.begin_artifact(kind)
        yield
        self.end_artifact()

    def place_field(self) -> None:
        """Say that the signature field belongs on this page, after what was drawn so far."""
        with self.inside((Element("Form"),)) as branch:
            self.field = (branch, self.page)

    def _addAnnotation(self, annotation: Any, name: str | None = None, addtopage: int = 1) -> None:  # noqa: N802
        super()._addAnnotation(annotation, name, addtopage)
        self._open[-1].kids.append(Link(self.page, len(self._annotationrefs) - 1))

    def showPage(self) -> None:  # noqa: N802 - the name reportlab calls
        """Finish the page."""
        super().showPage()
        self.marks_on_page.append(self._marks)
        self._marks = 0
        self.drawn.total = self.page


class Paragraph(PlainParagraph):  # type: ignore[misc]  # reportlab publishes no types
    """A paragraph inside elements, outermost first; a paragraph split over pages stays one element."""

    def __init__(self, text: str, style: Any, elements: Sequence[Element] = (), **options: Any) -> None:
        super().__init__(text, style, **options)
        self.elements = tuple(elements) or (Element("P"),)

    def split(self, available_width: float, available_height: float) -> list[Paragraph]:
        """Split as reportlab does; the parts continue the same elements."""
        parts: list[Paragraph] = super().split(available_width, available_height)
        for part in parts:
            part.elements = self.elements
        return parts

    def draw(self) -> None:
        """Draw the text as content of the innermost element."""
        with self.canv.inside(self.elements), self.canv.content():
            super().draw()


class Heading(Paragraph):
    """A heading of a level from 1; it is a bookmark and can be jumped to by its key."""

    def __init__(self, text: str, style: Any, *, key: str, level: int, bookmark: str) -> None:
        super().__init__(text, style, (Element(f"H{level}"),))
        self.key = key
        self.level = level
        self.bookmark = bookmark

    def split(self, available_width: float, available_height: float) -> list[Paragraph]:
        """A heading moves to the next page whole."""
        del available_width, available_height
        return []

    def draw(self) -> None:
        """Draw the heading and remember its page."""
        self.canv.bookmarkHorizontal(self.key, 0, self.height + 4)
        self.canv.addOutlineEntry(self.bookmark, self.key, self.level - 1, closed=self.level > 1)
        self.canv.drawn.of_heading[self.key] = self.canv.page + 1
        super().draw()


class Figure(Flowable):  # type: ignore[misc]  # reportlab publishes no types
    """A drawing with the words for those who cannot see it."""

    def __init__(self, size: tuple[float, float], paint: Callable[[Canvas], None], alternative: str) -> None:
        super().__init__()
        self.width, self.height = size
        self.paint = paint
        self.element = Element("Figure", alternative=alternative)

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        """The size of the drawing, whatever there is room for."""
        del available_width, available_height
        return self.width, self.height

    def draw(self) -> None:
        """Draw the figure and record where it stands."""
        with self.canv.inside((self.element,)) as branch, self.canv.content():
            left, bottom = self.canv.absolutePosition(0, 0)
            branch.box = (left, bottom, left + self.width, bottom + self.height)
            self.canv.saveState()
            self.paint(self.canv)
            self.canv.restoreState()


class Cell(PlainParagraph):  # type: ignore[misc]  # reportlab publishes no types
    """A paragraph of a table cell: the table tags it, and reportlab asks for its size again and again."""

    _wrapped: tuple[float, tuple[float, float]] | None = None

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        """The size at a width, computed once."""
        if self._wrapped is None or self._wrapped[0] != available_width:
            size: tuple[float, float] = super().wrap(available_width, available_height)
            self._wrapped = (available_width, size)
        return self._wrapped[1]


class DataTable(Table):  # type: ignore[misc]  # reportlab publishes no types
    """A table with a header row (repeated on every page) or, without one, a header column."""

    def __init__(self, rows: Sequence[Sequence[Any]], *, summary: str = "", **options: Any) -> None:
        super().__init__(rows, **options)  # reportlab makes the part overleaf by the same call, without a summary
        self._renderCB = _TABLE_TAGS
        self.element = Element("Table", summary=summary)
        # One element per row of the data, found again by the row's own cells when the table goes on overleaf.
        self.row_elements: dict[int, Element] = {}

    def onSplit(self, table: DataTable, byRow: int = 1) -> None:  # noqa: N802, N803 - the name reportlab calls
        """The part that goes on overleaf continues the same elements."""
        del byRow
        table.element, table.row_elements = self.element, self.row_elements


class _TableTags(TableRenderCB):  # type: ignore[misc]  # reportlab publishes no types
    """Brackets the rows and cells of a `DataTable` while it is drawn."""

    def startTable(self, table: DataTable) -> None:  # noqa: N802
        table.canv.begin(table.element)

    def endTable(self, table: DataTable) -> None:  # noqa: N802
        table.canv.end()

    def startBG(self, table: DataTable) -> None:  # noqa: N802
        table.canv.begin_artifact()

    def endBG(self, table: DataTable) -> None:  # noqa: N802
        table.canv.end_artifact()

    def startLines(self, table: DataTable) -> None:  # noqa: N802
        table.canv.begin_artifact()

    def endLines(self, table: DataTable) -> None:  # noqa: N802
        table.canv.end_artifact()

    def startRow(self, table: DataTable, row: int) -> None:  # noqa: N802
        table.in_header = row < table.repeatRows
        # The first cell lives as long as the story, so its identity names the row over splits and passes.
        element = table.row_elements.setdefault(id(table._cellvalues[row][0]), Element("TR"))
        table.repeated = table.in_header and table.canv.known(element)
        if table.repeated:
            table.canv.begin_artifact("/Type /Pagination")
        else:
            table.canv.begin(element)

    def endRow(self, table: DataTable) -> None:  # noqa: N802
        if table.repeated:
            table.canv.end_artifact()
        else:
            table.canv.end()

    def startCell(  # noqa: N802
        self, table: DataTable, row: int, column: int, value: Any, style: Any, position: Any, size: Any
    ) -> None:
        del row, value, style, position, size
        if table.repeated:
            return
        if table.in_header:
            element = Element("TH", scope="Column")
        elif column == 0 and not table.repeatRows:
            element = Element("TH", scope="Row")
        else:
            element = Element("TD")
        table.canv.begin(element)
        table.canv.begin_content()

    def endCell(self, table: DataTable) -> None:  # noqa: N802
        if not table.repeated:
            table.canv.end_content()
            table.canv.end()


_TABLE_TAGS = _TableTags()
