"""Where ``policy-engine`` starts: a well-formed call of the gate is answered at once; all else is for ``cli.main``."""

import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run a command."""
    _write_whole()
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["gate"]:
        with _ending_quietly():
            from policy_engine.cli.gating import answer, parse

        request = parse(given[1:])
        if request is not None:
            try:
                code = answer(request)
            except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - `stop` is the last line of defence
                from policy_engine.cli.main import stop

                code = stop(error)
            for stream in filter(None, (sys.stdout, sys.stderr)):
                stream.flush()
            # Taking every module apart first takes longer than most of the work did.
            os._exit(code)
    with _ending_quietly():
        from policy_engine.cli.main import main as run

    run(arguments)


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
