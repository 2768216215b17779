"""``policy-engine check ESTATE.aipe``: all of a prepared estate at once."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from policy_engine.app.whole_estate import WholeCheck, check_estate
from policy_engine.cli.gating import staleness
from policy_engine.cli.instants import instant_option
from policy_engine.cli.options import make_folder, write_pieces
from policy_engine.cli.progress import Stopwatch, profile_lines, progress_bar
from policy_engine.cli.whole_text import headline, lines
from policy_engine.evaluation.profile import Profile
from policy_engine.lineage.columns.reader import EstateFile
from policy_engine.model.errors import fault
from policy_engine.model.plain import shown_json


@dataclass(frozen=True, slots=True)
class WholeRequest:
    """What is asked of an estate file."""

    target: Path
    at: str | None
    fail_on: str
    outputs: dict[str, Path]
    format: str
    limit: int
    explains_all: bool
    is_quiet: bool
    must_be_fresh: bool
    shows_profile: bool


def answer(request: WholeRequest) -> int:
    """Print the answer and write what is asked for; return the exit code.

    Raises:
        InputError: PE0007, a format that estate files do not have; PE0010.
        LineageError: the file cannot be used.
    """
    _refuse(request)
    at = instant_option(request.at)
    with EstateFile.open(request.target) as file:
        warnings = staleness(file, str(request.target), is_required=request.must_be_fresh)
        with progress_bar() as bar:
            watch = Stopwatch(bar)
            explained = None if request.explains_all else 0 if request.is_quiet else request.limit
            check = check_estate(file, at, explained=explained, clock=time.perf_counter, progress=watch)
            if request.outputs:
                watch.stage("writing")
            for name, path in request.outputs.items():
                make_folder(path.parent)
                write_pieces(path, (f"{line}\n".encode() for line in _written(check, name, request, warnings)))
        stages = watch.profile(()).stages
        if request.is_quiet:
            click.echo(headline(check))
        else:
            for line in _written(check, request.format, request, warnings):
                click.echo(line if request.format == "text" else shown_json(line))
        code = check.exit_code(request.fail_on)
        if request.shows_profile:
            for line in profile_lines(Profile(stages, check.profile())):
                click.echo(line, err=True)
    return code


def _written(check: WholeCheck, name: str, request: WholeRequest, warnings: Iterable[str]) -> Iterator[str]:
    match name:
        case "json":
            yield from check.lines(request.fail_on, warnings)
        case "ndjson":
            yield from check.finding_lines()
        case _:
            yield from lines(check, str(request.target), request.limit, warnings)


def _refuse(request: WholeRequest) -> None:
    others = [name for name in request.outputs if name not in ("json", "ndjson")]
    if others:
        message = f"`{others[0]}` is written of a check of a profile, not of an estate file"
        raise fault("PE0007", message, help="write json or ndjson, or check the profile")
    if any(path.resolve() == request.target.resolve() for path in request.outputs.values()):
        raise fault("PE0007", f"`{request.target}` is read by this run, so it is not written over")
