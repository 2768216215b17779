"""How work tells what it is doing, without knowing who listens: no clock, no terminal.

Work announces each stage as it begins, and within a stage each piece that is done. A listener may draw a bar from
that, or measure: the stage before ends where the next begins.

>>> class Listener:
...     def stage(self, name, total=None): print("stage", name, total)
...     def step(self, part="", count=1): print("step", part, count)
>>> list(counted("ab", "reading", 2, Listener()))
stage reading 2
step  1
step  1
['a', 'b']
"""

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

Item = TypeVar("Item")


class Progress(Protocol):
    """Who is told."""

    def stage(self, name: str, total: int | None = None) -> None:
        """Hear that a stage begins, named by what is done, and of how many pieces if that is known."""

    def step(self, part: str = "", count: int = 1) -> None:
        """Hear that pieces are done; ``part`` is what they belong to, such as a rule."""


class _Silent:
    def stage(self, name: str, total: int | None = None) -> None:
        """Tell nobody."""

    def step(self, part: str = "", count: int = 1) -> None:
        """Tell nobody."""


silent: Progress = _Silent()
"""Told everything, and keeps it to itself."""


def counted(items: Iterable[Item], stage: str, total: int, progress: Progress) -> Iterator[Item]:
    """Yield items as they come, one step for each; a step is told when the next item is asked for."""
    progress.stage(stage, total)
    for item in items:
        yield item
        progress.step()
