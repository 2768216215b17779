"""``policy-engine watch``: a check that goes on. Here are the clock, the signal and the terminal; nothing is decided.

The end of the events, an interruption, or a time in which nothing came ends it; each between two changes, never in one.
"""

import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO

import click

from policy_dsl.values import format_instant
from policy_dsl.words import SEVERITIES
from policy_engine.app.impact import Difference
from policy_engine.app.inputs import read_inputs
from policy_engine.app.watch import Standing, Update, Watch, standing_to_json, update_to_json
from policy_engine.app.watch_events import MAX_EVENT_BYTES
from policy_engine.app.watch_files import Follower, look
from policy_engine.cli import options
from policy_engine.cli.check import exit_code
from policy_engine.cli.options import cache_folder, instant_option, run_options
from policy_engine.cli.progress import progress_bar
from policy_engine.model.errors import InputError, fault
from policy_engine.model.plain import shown_json
from policy_engine.model.results import Status, Verdict

_COLOURS = {Status.FAIL: "red", Status.UNKNOWN: "yellow", Status.WAIVED: "cyan", Status.PASS: "green"}
_VERDICTS = {Verdict.COMPLIANT: "green", Verdict.NOT_COMPLIANT: "red", Verdict.UNDECIDED: "yellow"}
_SHOWN_REASONS = 6
_PATIENCE = 0.1
"""So many seconds pass at most before a signal is heard."""

_Line = bytes | OSError | None
"""A line of events, why there are no more of them, or nothing at their end."""


@click.command("watch")
@run_options
@click.option(
    "--events", metavar="FILE|-", help="Take changes from lines of JSON, and follow no files; `-` is standard input."
)
@click.option("--format", "form", type=click.Choice(["text", "ndjson"]), default="text", show_default=True)
@click.option(
    "--interval", type=click.FloatRange(0.05, 3600), default=1.0, show_default=True, help="Seconds between looks."
)
@click.option("--until-idle", type=click.FloatRange(0), metavar="SECONDS", help="End when so long nothing came.")
@click.option(
    "--fail-on", type=click.Choice(SEVERITIES), default="low", show_default=True, help="The least severity that counts."
)
def command(
    target: Path,
    at: str | None,
    packs: tuple[str, ...],
    strict: bool,
    events: str | None,
    form: str,
    interval: float,
    until_idle: float | None,
    fail_on: str,
) -> int:
    """Check, and print every result that becomes another, and why.

    Results change with files that change, with events, and with time alone; only what reads a changed fact is decided
    again. With --at the clock stands still, and an event may move it. Ctrl-C ends. Exit codes are those of `check` for
    how things stand in the end; 2 if files could not be used when they were read last, or an event could not.
    """
    start = instant_option(at)
    sight = look(target, packs)
    with ExitStack() as stack:
        lines = stack.enter_context(_lines(events)) if events is not None else None
        with progress_bar() as bar:
            watch = Watch(read_inputs(target, packs, cache=cache_folder()), start, strict=strict, progress=bar)
        stopped = stack.enter_context(_interruption())
        session = _Session(watch, _printer(form), moves_time=at is not None)
        session.begin()
        if lines is not None:
            session.take(lines, stopped, until_idle=until_idle)
        else:
            session.follow(target, packs, Follower(sight), stopped, interval=interval, until_idle=until_idle)
        return session.end(fail_on)


class _Session:
    """What was watched from beginning to end."""

    def __init__(self, watch: Watch, say: "_Printer", *, moves_time: bool) -> None:
        self._watch, self._say, self._moves_time = watch, say, moves_time
        self._unusable = False
        self._refused = False
        self._said: tuple[str, ...] = ()
        self._quiet_since = time.monotonic()

    def begin(self) -> None:
        """Say how things stand."""
        self._say.standing(self._watch.standing())

    def end(self, fail_on: str) -> int:
        """Return the exit code."""
        unusable = self._unusable or self._refused or self._watch.trust_is_over
        return 2 if unusable else exit_code(self._watch.evaluation(), fail_on)

    def follow(
        self,
        target: Path,
        packs: tuple[str, ...],
        follower: Follower,
        stopped: threading.Event,
        *,
        interval: float,
        until_idle: float | None,
    ) -> None:
        """Look at the files until somebody stops it, or nothing comes any more."""
        before = follower.read
        while not stopped.wait(interval) and not self._is_idle(until_idle):
            self._go_on()
            before, last = look(target, packs), before
            if before != last:
                self._quiet_since = time.monotonic()
            if follower.is_due(before):
                self._unusable = not self._tried(partial(self._reloaded, target, packs), again=False)

    def take(self, lines: "queue.Queue[_Line]", stopped: threading.Event, *, until_idle: float | None) -> None:
        """Take events to their end, or until somebody stops it, or none come any more."""
        number = 0
        while not stopped.is_set() and not self._is_idle(until_idle):
            self._go_on()
            try:
                line = lines.get(timeout=_PATIENCE)
            except queue.Empty:
                continue
            if line is None:
                return
            if isinstance(line, OSError):
                reason = (line.strerror or "unknown reason").lower()
                raise fault("PE0002", f"the events cannot be read on: {reason}") from line
            number += 1
            if not line.isspace():
                made = partial(self._watch.receive, line, f"events:{number}", moves_time=self._moves_time)
                self._refused |= not self._tried(made)

    def _reloaded(self, target: Path, packs: tuple[str, ...]) -> list[Update]:
        return [self._watch.reload(read_inputs(target, packs, cache=cache_folder()))]

    def _go_on(self) -> None:
        """Let the clock reach now, unless somebody set it."""
        if self._moves_time:
            return
        now = options.clock()
        if now > self._watch.at:
            for update in self._watch.advance(now):
                self._say.update(update)

    def _tried(self, work: Callable[[], Iterable[Update]], *, again: bool = True) -> bool:
        """Do something and print what follows; what cannot be used is said, and all stays as it was.

        Unless it shall be said again, what was said last is not.
        """
        self._quiet_since = time.monotonic()
        try:
            for update in work():
                self._say.update(update)
        except InputError as error:
            for report in error.reports:
                if again or report not in self._said:
                    click.echo(report, err=True)
            self._said = error.reports
            return False
        self._said = ()
        return True

    def _is_idle(self, until_idle: float | None) -> bool:
        return until_idle is not None and time.monotonic() - self._quiet_since >= until_idle


class _Printer:
    """Prints as text."""

    def standing(self, standing: Standing) -> None:
        """Print how things stand."""
        self._print(_standing(standing, f" at {_day(standing.at)}"))

    def update(self, update: Update) -> None:
        """Print what changed, and how things stand since."""
        for note in update.notes:
            click.echo(note, err=True)
        if not update.changes:
            return
        self._print(f"\n{click.style(_day(update.standing.at), bold=True)}")
        for found in update.changes:
            for line in _difference(found):
                self._print(line)
        self._print(f"  {_standing(update.standing)}")

    def _print(self, line: str) -> None:
        click.echo(line)
        sys.stdout.flush()


class _JsonPrinter(_Printer):
    """Prints as lines of JSON."""

    def standing(self, standing: Standing) -> None:
        self._print(standing_to_json(standing).decode())

    def update(self, update: Update) -> None:
        for note in update.notes:
            click.echo(note, err=True)
        if update.changes or update.other_grounds:
            for line in update_to_json(update):
                self._print(shown_json(line.decode()))


def _printer(form: str) -> _Printer:
    return _JsonPrinter() if form == "ndjson" else _Printer()


def _difference(found: Difference) -> Iterator[str]:
    before = _status(found.before.status) if found.before else "new"
    after = _status(found.after.status) if found.after else "no longer there"
    yield f"  {found.rule} on {found.subject}: {before} → {after}"
    yield from (f"    because {reason.text}" for reason in found.reasons[:_SHOWN_REASONS])
    if len(found.reasons) > _SHOWN_REASONS:
        yield f"    and {len(found.reasons) - _SHOWN_REASONS} more reasons (see --format ndjson)"
    if found.is_worse and found.after is not None and found.after.remedy:
        yield f"    do:     {found.after.remedy}"


def _standing(standing: Standing, when: str = "") -> str:
    verdict = standing.verdict.value.replace("_", " ").upper()
    counts = ", ".join(f"{number} {status.value.replace('_', ' ')}" for status, number in standing.counts)
    return f"{click.style(verdict, fg=_VERDICTS[standing.verdict], bold=True)}{when}: {counts}"


def _status(status: Status) -> str:
    return click.style(status.value.replace("_", " "), fg=_COLOURS.get(status), bold=status is Status.FAIL)


def _day(at: datetime) -> str:
    return format_instant(at).removesuffix("T00:00:00Z")


@contextmanager
def _interruption() -> Iterator[threading.Event]:
    """Give what is set when somebody interrupts; nothing is broken off half-way."""
    stopped = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return
    before = signal.signal(signal.SIGINT, lambda *_: stopped.set())
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _lines(events: str) -> Iterator["queue.Queue[_Line]"]:
    """Give the lines of events as they come, and nothing as the last."""
    if events == "-":
        if sys.stdin is None:
            raise fault("PE0001", "`-` cannot be read: standard input is closed")
        # A reader of its own: the interpreter cannot end while a thread waits in its standard input.
        yield _read_by_thread(os.fdopen(os.dup(sys.stdin.fileno()), "rb"))
        return
    try:
        stream = Path(events).open("rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise fault("PE0001", f"`{events}` cannot be read: {(error.strerror or 'unknown reason').lower()}") from error
    with stream:
        yield _read_by_thread(stream)


def _read_by_thread(stream: BinaryIO) -> "queue.Queue[_Line]":
    # A few lines wait at most, so that whoever writes faster than we read must wait, and no memory fills.
    lines: queue.Queue[_Line] = queue.Queue(maxsize=16)

    def read() -> None:
        try:
            while line := stream.readline(MAX_EVENT_BYTES + 1):
                whole = line.endswith(b"\n") or len(line) <= MAX_EVENT_BYTES
                lines.put(line)
                while not whole and (rest := stream.readline(MAX_EVENT_BYTES)):
                    whole = rest.endswith(b"\n")
        except OSError as error:
            lines.put(error)
        else:
            lines.put(None)

    threading.Thread(target=read, name="events", daemon=True).start()
    return lines
