"""Taking a document apart by the shape its format says it has; what has another shape is reported and left out.

A part that is absent or ``null`` is simply not there. Nothing here raises.
"""

from collections.abc import Iterator

from policy_engine.lineage.binding import describe
from policy_engine.lineage.located import step
from policy_engine.model.problems import Problem, Severity


class Shapes:
    """Takes parts of one document and collects problems about them."""

    def __init__(self, source: str, *, own: bool) -> None:
        self._source = source
        self._severity = Severity.ERROR if own else Severity.WARNING
        self.problems: list[Problem] = []

    def report(self, code: str, message: str, pointer: str, *, advice: str | None = None) -> None:
        """Add a problem: an error in our own inventory, a warning elsewhere."""
        self.problems.append(Problem(code, self._severity, message, self._source, pointer, help=advice))

    def wrong(self, raw: object, expected: str, pointer: str) -> None:
        """Report a part of another shape."""
        self.report("PE3121", f"{expected} is expected here, not {describe(raw)}", pointer)

    def mapping(self, raw: object, pointer: str) -> dict[str, object] | None:
        """Return a mapping."""
        if isinstance(raw, dict):
            return raw
        self.wrong(raw, "a mapping", pointer)
        return None

    def part(self, of: dict[str, object], key: str, pointer: str) -> tuple[dict[str, object], str]:
        """Return the mapping under a key, empty when there is none, and its pointer."""
        raw, here = of.get(key), pointer + step(key)
        return ({} if raw is None else self.mapping(raw, here) or {}), here

    def parts(self, of: dict[str, object], key: str, pointer: str) -> Iterator[tuple[dict[str, object], str]]:
        """Yield each mapping of the list under a key, with its pointer."""
        for raw, here in self.items(of, key, pointer):
            made = self.mapping(raw, here)
            if made is not None:
                yield made, here

    def items(self, of: dict[str, object], key: str, pointer: str) -> Iterator[tuple[object, str]]:
        """Yield each item of the list under a key, with its pointer."""
        raw, here = of.get(key), pointer + step(key)
        if isinstance(raw, list):
            for number, item in enumerate(raw):
                yield item, f"{here}/{number}"
        elif raw is not None:
            self.wrong(raw, "a list", here)

    def texts(self, of: dict[str, object], key: str, pointer: str) -> Iterator[tuple[str, str]]:
        """Yield each text of the list under a key, with its pointer."""
        for item, here in self.items(of, key, pointer):
            if isinstance(item, str):
                yield item, here
            else:
                self.wrong(item, "a text", here)

    def text(self, of: dict[str, object], key: str, pointer: str) -> str | None:
        """Return the text under a key."""
        raw = of.get(key)
        if raw is None or isinstance(raw, str):
            return raw
        self.wrong(raw, "a text", pointer + step(key))
        return None
