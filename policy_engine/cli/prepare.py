"""``policy-engine prepare``: everything a gate and a check of a whole estate need, in one file."""

from datetime import datetime
from pathlib import Path

import click

from policy_dsl.values import format_instant
from policy_engine.app.inputs import Inputs, read_inputs
from policy_engine.app.prepare import Prepared, prepare, prepare_stored, prepare_tables
from policy_engine.cli.options import (
    cache_folder,
    instant_option,
    make_folder,
    refuse_inputs,
    run_options,
    store_option,
    which_option,
)
from policy_engine.cli.progress import progress_bar
from policy_engine.model.errors import fault
from policy_engine.model.plain import counted, one_line
from policy_engine.model.progress import Progress


@click.command("prepare")
@run_options
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write.")
@click.option("--store", metavar="FILE|URL", help="Take the facts from a snapshot of this store.")
@click.option("--as-of", metavar="WHICH", help="Which snapshot: an instant or a digest. [default: latest]")
@click.option(
    "--tables",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Take the facts from `nodes` and `edges` in this folder, as .parquet, .csv or .ndjson.",
)
def command(
    target: Path,
    at: str | None,
    packs: tuple[str, ...],
    strict: bool,
    out: Path,
    store: str | None,
    as_of: str | None,
    tables: Path | None,
) -> int:
    """Compile policies, load the estate and verify evidence, as `check` does, into one file.

    `gate` answers from it for one subject, `check` for the whole estate. The facts are those of the profile's sources,
    of a store or of tables. The file is relied on until the trust file expires. Exit codes: 0 the file is written; 2
    bad usage or invalid input.
    """
    is_stored = store is not None or as_of is not None
    if is_stored and tables is not None:
        raise fault("PE0007", "`--tables` and `--store` both say where the facts come from")
    if is_stored and strict:
        raise fault("PE0007", "`--strict` is decided when a snapshot is put into its store")
    with progress_bar() as bar:
        inputs = read_inputs(target, packs, cache=cache_folder(), with_sources=not is_stored and tables is None)
        refuse_inputs([out], inputs)
        if tables is not None and out.resolve().parent == tables.resolve() and out.stem in ("nodes", "edges"):
            raise fault("PE0007", f"`{out}` has the name of a table, so it is not written there")
        if out.exists() and not out.is_file():
            raise fault("PE0002", f"`{out}` is no regular file, and an estate file is one")
        file = out.resolve() if out.is_symlink() else out  # what a link leads to is replaced, not the link
        make_folder(file.parent)
        instant = instant_option(at)
        if is_stored:
            done = _from_store(inputs, target, file, instant, store_option(store), as_of or "latest", bar)
        elif tables is not None:
            done = prepare_tables(inputs, target, file, instant, tables, strict=strict, progress=bar)
        else:
            done = prepare(inputs, target, file, instant, strict=strict, progress=bar)
    for problem in done.problems:
        click.echo(str(problem), err=True)
    rules = counted(len(done.verified.program.rules), "rule")
    facts = f"{counted(done.things, 'thing')}, {counted(done.relations, 'relation')}"
    click.echo(f"wrote {one_line(str(out))}: {facts} and {rules}")
    if done.source:
        click.echo(f"  from {one_line(done.source)}")
    judged = done.verified.evidence
    click.echo(f"  evidence and waivers that count: {len(judged.counted)}; rejected: {len(judged.rejected)}")
    if done.verified.trust is not None:
        click.echo(f"  relied on until {format_instant(done.verified.trust.expires)}, when the trust file expires")
    return 0


def _from_store(
    inputs: Inputs, target: Path, out: Path, at: datetime, place: str, which: str, progress: Progress
) -> Prepared:
    from policy_engine.app.store import open_store

    return prepare_stored(inputs, target, out, at, open_store(place), which_option(which), progress=progress)
