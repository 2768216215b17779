"""``policy-engine snapshot``: the states that the estate was in, kept, asked for and compared."""

import json
import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from policy_dsl.values import format_instant
from policy_engine.app.evaluate import compile_policies
from policy_engine.app.inputs import read_inputs
from policy_engine.app.store import (
    DIFFERENCES_FORMAT,
    HISTORY_FORMAT,
    LINES,
    TABLES,
    change_to_json,
    contents_to_json,
    default_packs,
    import_estate,
    import_stream,
    kept_to_json,
    open_store,
)
from policy_engine.cli.options import Command, cache_folder, clock, instant_option, make_folder, write_file
from policy_engine.cli.progress import progress_bar
from policy_engine.model.errors import fault
from policy_engine.packs.library import select

if TYPE_CHECKING:
    from policy_engine.lineage.store.differences import Change, FactChange, Told
    from policy_engine.lineage.store.importing import Imported
    from policy_engine.lineage.store.store import Kept

STORE = "POLICY_ENGINE_STORE"
_SIGNS = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow")}


def store_option(command: Command) -> Command:
    """Add ``--store``."""
    return click.option(
        "--store",
        "place",
        envvar=STORE,
        required=True,
        metavar="FILE|URL",
        help=f"A SQLite file or a postgresql:// URL. [or {STORE}]",
    )(command)


def format_option(command: Command) -> Command:
    """Add ``--format``."""
    choice = click.Choice(["text", "json"])
    return click.option("--format", "form", type=choice, default="text", show_default=True)(command)


@click.group("snapshot")
def command() -> None:
    """Keep the states that the estate was in, ask for them and compare them.

    A snapshot is named by `latest`, by its digest, by four or more of the digits that this begins with, or by an
    instant: the estate as it was then.
    """


@command.command("import")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--edges", type=click.Path(path_type=Path), metavar="FILE", help="The table of edges; TARGET is of things.")
@click.option("--pack", "packs", multiple=True, metavar="PACK", help="Packs or .policy files that say what there can be.")
@click.option("--as-of", metavar="INSTANT", help="From when on the estate is like this. [default: now]")
@click.option("--comment", default="", metavar="TEXT", help="A remark to keep with it.")
@click.option("--strict", is_flag=True, help="Treat every warning as an error.")
@store_option
@format_option
def import_(
    target: Path,
    edges: Path | None,
    packs: tuple[str, ...],
    as_of: str | None,
    comment: str,
    strict: bool,
    place: str,
    form: str,
) -> int:
    """Put the estate as it is into a store.

    TARGET is a profile, a folder with one, or a single document, such as an inventory or a BOM; or, of any size, an
    inventory in lines (.ndjson) or a table (.parquet, .csv). What has errors is not put in, and the exit code is 2.
    """
    from policy_engine.lineage.store.importing import Moment

    if not target.exists():
        raise fault("PE0001", f"`{target}` does not exist")
    streamed = edges is not None or target.suffix.casefold() in (*LINES, *TABLES)
    inputs = read_inputs(target, packs, cache=cache_folder()) if not streamed else None
    moment = Moment(clock(), instant_option(as_of) if as_of else None, comment)
    store = open_store(place, create=True)
    with progress_bar() as progress:
        if inputs is not None:
            done = import_estate(store, inputs, moment, strict=strict, progress=progress)
        else:
            program, _ = compile_policies(_pack_files(packs), {}, cache_folder())
            done = import_stream(store, target, edges, program.schema, moment, strict=strict, progress=progress)
    return _imported(done, store.name, form)
