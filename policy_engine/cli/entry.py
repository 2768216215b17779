"""Where ``policy-engine`` starts: a well-formed call of the gate is answered at once; all else is for ``cli.main``."""

import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from policy_engine.cli.memory import TOLD, letting_go


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run a command."""
    try:
        _run(sys.argv[1:] if arguments is None else arguments, arguments)
    except MemoryError:
        # There is not even enough for those who would tell it.
        os.write(2, "".join(f"{line}\n" for line in TOLD).encode())
        os._exit(2)


@letting_go
def _run(given: list[str], arguments: list[str] | None) -> NoReturn:
    _write_whole()
    if given[:1] == ["gate"]:
        _gate(given[1:])
    with _ending_quietly():
        from policy_engine.cli.main import main as run

    run(arguments)


def _gate(given: list[str]) -> None:
    """Answer a well-formed call and end the process; leave any other."""
    with _ending_quietly():
        from policy_engine.cli.gating import answer, parse

    request = parse(given)
    if request is None:
        return
    try:
        code = letting_go(answer)(request)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - `stop` is the last line of defence
        from policy_engine.cli.main import stop

        code = stop(error)
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.flush()
    # Taking every module apart first takes longer than most of the work did.
    os._exit(code)


def _write_whole() -> None:
    """See to it that all output is written, or an error raised.

    With PYTHONUNBUFFERED, as many containers set it, Python hands each text to the system once: what a full disk did
    not take of it is lost, and nobody is told.
    """
    raw = getattr(sys.stdout, "buffer", None)
    if isinstance(raw, io.RawIOBase):
        written = io.BufferedWriter(raw)
        sys.stdout = io.TextIOWrapper(written, encoding=sys.stdout.encoding, errors=sys.stdout.errors)


@contextmanager
def _ending_quietly() -> Iterator[None]:
    """Let an interruption just end the process: as long as modules are loaded, nobody is there to tell it plainly."""
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:
        yield  # somebody ignores interruptions, or has a plan of their own
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


if __name__ == "__main__":
    main()
