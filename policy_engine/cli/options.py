"""Options and small decisions that several commands share: the instant, the outputs, the passphrase."""

import logging
import os
import re
import sys
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from policy_engine.app.inputs import PROFILE_NAME, Inputs
from policy_engine.cli.instants import clock as clock
from policy_engine.cli.instants import instant_option as instant_option
from policy_engine.model.errors import fault

Command = TypeVar("Command", bound=Callable[..., Any])

STORE = "POLICY_ENGINE_STORE"
"""The variable that names a store where no option does."""

FORMATS = ("json", "sarif", "junit", "markdown")


class _Target(click.Path):
    """A path that is not empty: an unset variable must not mean the working directory."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            raise fault("PE0001", "the name of what to check is empty")
        return super().convert(value, param, ctx)


def run_options(command: Command) -> Command:
    """Add the options of everything that evaluates."""
    for option in (
        click.option("--strict", is_flag=True, help="Treat every warning about the inventory as an error."),
        click.option(
            "--pack", "packs", multiple=True, metavar="PACK", help="Use these packs or .policy files instead."
        ),
        click.option(
            "--at", "at", metavar="INSTANT", help="The instant of evaluation: a date or RFC 3339. [default: now]"
        ),
        click.argument("target", type=_Target(path_type=Path), default=Path(), metavar="[TARGET]"),
    ):
        command = option(command)
    return command


def cache_folder() -> Path | None:
    """Return where compiled policies are kept: in the user's cache, unless POLICY_ENGINE_CACHE says where, or `off`."""
    chosen = os.environ.get("POLICY_ENGINE_CACHE")
    if chosen is not None:
        return None if chosen in {"", "off"} else Path(chosen)
    home = os.environ.get("XDG_CACHE_HOME") or os.environ.get("HOME")
    if not home:
        return None
    base = Path(home) if os.environ.get("XDG_CACHE_HOME") else Path(home) / ".cache"
    return base / "policy-engine"


def which_option(text: str) -> str | datetime:
    """Return the name of a snapshot, or the instant that is written in its place.

    Raises:
        InputError: PE0005.
    """
    return instant_option(text) if re.match(r"\d{4}-", text, re.ASCII) else text


def store_option(place: str | None) -> str:
    """Return the path or URL of the store: of ``--store``, else from the environment.

    Raises:
        InputError: PE0007.
    """
    found = place or os.environ.get(STORE)
    if not found:
        raise fault("PE0007", "no store is named", help=f"write `--store FILE`, or set {STORE}")
    # When a run is interrupted, SQLAlchemy logs how its cursors fared, which is nothing for a terminal.
    logging.getLogger("sqlalchemy").addHandler(logging.NullHandler())
    return found


def refuse_inputs(outputs: Iterable[Path], inputs: Inputs) -> None:
    """Refuse to write over what the run reads.

    Raises:
        InputError: PE0007.
    """
    signing = inputs.profile.signing
    keys = (signing.decision_key, signing.report_key, signing.report_certificate, *signing.report_chain)
    names = (*inputs.sources, *inputs.evidence, *inputs.packs.own, inputs.profile.trust, *keys, PROFILE_NAME)
    read = {(inputs.folder / name).resolve() for name in names if name} | {Path(n).resolve() for n in inputs.sources}
    for output in outputs:
        if output.resolve() in read:
            raise fault("PE0007", f"`{output}` is read by this run, so it is not written over")


def folder_in_repository(folder: Path) -> str:
    """Return a folder as seen from the working directory, or nothing when it is that directory or outside it."""
    try:
        inside = folder.resolve().relative_to(Path.cwd())
    except ValueError:
        return ""
    return "" if inside == Path() else inside.as_posix()


def outputs_option(values: tuple[str, ...], formats: tuple[str, ...] = FORMATS) -> dict[str, Path]:
    """Return the files of ``--output FORMAT=FILE``.

    Raises:
        InputError: PE0007.
    """
    outputs: dict[str, Path] = {}
    for value in values:
        name, equals, path = value.partition("=")
        if not equals or not path or name not in formats:
            raise fault("PE0007", f"`--output {value}` is not FORMAT=FILE", help=f"formats are {', '.join(formats)}")
        if name in outputs:
            raise fault("PE0007", f"`--output {name}=…` stands twice")
        if Path(path) in outputs.values():
            raise fault("PE0007", f"`{path}` is asked for twice")
        outputs[name] = Path(path)
    return outputs


def make_folder(folder: Path) -> None:
    """Make a folder and those above it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise fault("PE0002", f"`{folder}` cannot be made: {(error.strerror or 'unknown reason').lower()}") from error


def write_file(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    write_pieces(path, [data])


def write_pieces(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file of any size, piece by piece, whole or not at all; a pipe or a device is written to as it is."""
    make_folder(path.parent)
    try:
        if path.is_dir():
            raise fault("PE0002", f"`{path}` is a folder, and a file is to be written")
        if (path.is_absolute() and path.parts[1:2] in _DEVICES) or (path.exists() and not path.is_file()):
            with path.open("wb") as stream:
                stream.writelines(pieces)
            return
        target = path.resolve()  # what a link leads to is replaced, not the link
        beside = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            with beside.open("wb") as stream:
                stream.writelines(pieces)
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise fault("PE0002", f"`{path}` cannot be written: {(error.strerror or 'unknown reason').lower()}") from error


_DEVICES = (("dev",), ("proc",))


def passphrase_option(variable: str) -> bytes:
    """Return the passphrase of an encrypted key: from the environment, else asked for without showing it.

    Raises:
        InputError: PE0013, it is not in the environment and nobody can be asked.
    """
    value = os.environ.get(variable)
    if value is None:
        if not sys.stdin.isatty():
            raise fault("PE0013", "the passphrase of the key is not known", help=f"set {variable}")
        value = click.prompt(f"Passphrase (or set {variable})", hide_input=True, err=True, type=str)
    return value.encode()
