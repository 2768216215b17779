"""The progress bar: on standard error, only on a terminal, only for what takes longer than two seconds.

Nothing of it stays: it is erased before a command prints. On a terminal that cannot move its cursor (`TERM=dumb`) each
stage that is reached after two seconds is a plain line instead. `NO_COLOR` takes the colour away.
"""

import os
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TextIO

import click

from policy_engine.evaluation.profile import Profile, RuleTime, StageTime
from policy_engine.model.progress import Progress, silent
from policy_engine.model.results import Result, Status

PATIENCE = 2.0
"""How many seconds pass before anything is shown."""
_REDRAWN = 0.1
_BAR = 24
_ERASE = "\r\x1b[K"


@contextmanager
def progress_bar(stream: TextIO | None = None) -> Iterator[Progress]:
    """Give what work reports to; a bar is shown while the context lasts, if there is a terminal to show it on."""
    stream = stream or sys.stderr
    if not stream.isatty():
        yield silent
        return
    bar = _Bar(stream, moving=os.environ.get("TERM", "dumb") != "dumb", coloured=not os.environ.get("NO_COLOR"))
    with bar.shown():
        yield bar


class _Bar:
    """A bar that a thread of its own redraws, so that it lives while a stage is silent."""

    def __init__(self, stream: TextIO, *, moving: bool, coloured: bool) -> None:
        self._stream, self._moving, self._coloured = stream, moving, coloured
        self._fancy = (stream.encoding or "").lower().replace("-", "") == "utf8"
        self._start = time.monotonic()
        self._name, self._total, self._done = "", None, 0
        self._said = ""
        self._over = threading.Event()

    _total: int | None

    def stage(self, name: str, total: int | None = None) -> None:
        """Begin a stage."""
        self._name, self._total, self._done = name, total, 0

    def step(self, part: str = "", count: int = 1) -> None:  # noqa: ARG002 - which rule it was is not shown
        """Count what is done."""
        self._done += count

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Redraw from time to time, and erase at the end whatever happens."""
        thread = threading.Thread(target=self._redraw, name="progress", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()
            if self._said and self._moving:
                self._write(_ERASE)

    def _redraw(self) -> None:
        wait = PATIENCE
        while not self._over.wait(wait):
            wait = _REDRAWN
            if not self._name:
                continue
            if self._moving:
                self._said = self._line()
                self._write(f"\r{self._said}\x1b[K")
            elif self._said != self._name:
                self._said = self._name
                self._write(f"{self._name} …\n" if self._fancy else f"{self._name} ...\n")

    def _line(self) -> str:
        # Read once: the work goes on while this is written.
        name, total, done = self._name, self._total, self._done
        seconds = f"{time.monotonic() - self._start:.0f} s"
        width = self._width()
        if not total:
            return f"{name}  {f'{done:,}  ' if done else ''}{seconds}"[:width]
        share = min(done / total, 1.0)
        bar, counts = self._drawn(share), f"{share:4.0%}  {min(done, total):,} of {total:,}  {seconds}"
        if len(name) + _BAR + len(counts) + 4 > width:
            return f"{name} {counts}"[:width]
        return f"{name}  {bar}  {counts}"

    def _width(self) -> int:
        try:
            columns = os.get_terminal_size(self._stream.fileno()).columns
        except (OSError, ValueError):
            columns = 0
        return (columns or 80) - 1

    def _drawn(self, share: float) -> str:
        full, empty = ("━", "─") if self._fancy else ("#", "-")
        filled = round(share * _BAR)
        done = full * filled
        return (click.style(done, fg="cyan") if self._coloured else done) + empty * (_BAR - filled)

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            # The terminal went away; the work does not depend on it.
            self._over.set()


class Stopwatch:
    """Measures stages and the parts of them, and tells another listener too."""

    def __init__(self, other: Progress = silent) -> None:
        self._other = other
        self._stages: dict[str, float] = defaultdict(float)
        self._parts: dict[str, tuple[float, int]] = {}
        self._name, self._since = "", time.perf_counter()
        self._last = self._since

    def stage(self, name: str, total: int | None = None) -> None:
        """End the stage before, and begin one."""
        now = time.perf_counter()
        if self._name:
            self._stages[self._name] += now - self._since
        self._name, self._since, self._last = name, now, now
        self._other.stage(name, total)

    def step(self, part: str = "", count: int = 1) -> None:
        """Give the time since the step before to a part."""
        now = time.perf_counter()
        if part:
            seconds, done = self._parts.get(part, (0.0, 0))
            self._parts[part] = (seconds + now - self._last, done + count)
        self._last = now
        self._other.step(part, count)

    def profile(self, results: Iterable[Result]) -> Profile:
        """Return where the time went; what the results say is counted by rule."""
        self.stage("")
        findings: dict[str, int] = defaultdict(int)
        for result in results:
            findings[result.rule] += result.status in {Status.FAIL, Status.UNKNOWN}
        rules = [RuleTime(rule, seconds, done, findings[rule]) for rule, (seconds, done) in self._parts.items()]
        return Profile(tuple(StageTime(name, seconds) for name, seconds in self._stages.items()), tuple(rules))


def profile_lines(profile: Profile) -> Iterator[str]:
    """Yield a profile as text: stages in their order, then rules, the slowest first."""
    whole = sum(stage.seconds for stage in profile.stages)
    yield f"{'stage':<34}{'time':>12}{'share':>8}"
    for stage in profile.stages:
        share = stage.seconds / whole if whole else 0.0
        yield f"{stage.stage:<34}{_milliseconds(stage.seconds)}{share:>8.0%}"
    yield f"{'all':<34}{_milliseconds(whole)}"
    yield ""
    longest = max((len(row.rule) for row in profile.rules), default=4)
    yield f"{'rule':<{longest}}{'time':>12}{'subjects':>10}{'findings':>10}  evaluator"
    for row in profile.slowest():
        how = f"{row.evaluator} ({row.note})" if row.note else row.evaluator
        yield f"{row.rule:<{longest}}{_milliseconds(row.seconds)}{row.subjects:>10,}{row.findings:>10,}  {how}"


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:>9,.1f} ms"
