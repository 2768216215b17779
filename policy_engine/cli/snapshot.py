"""``policy-engine snapshot``: the states that the estate was in, kept, asked for and compared."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from policy_dsl.values import format_instant
from policy_engine.app.inputs import DEFAULT_PACK, Inputs, read_inputs
from policy_engine.app.store import (
    DIFFERENCES_FORMAT,
    HISTORY_FORMAT,
    change_to_json,
    contents_to_json,
    import_estate,
    import_stream,
    imported_to_json,
    is_streamed,
    kept_to_json,
    open_store,
)
from policy_engine.cli.options import (
    STORE,
    Command,
    cache_folder,
    clock,
    instant_option,
    store_option,
    which_option,
    write_pieces,
)
from policy_engine.cli.progress import progress_bar
from policy_engine.model.errors import fault
from policy_engine.model.plain import counted, one_line, shown_json

if TYPE_CHECKING:
    from policy_engine.lineage.store.differences import Change, FactChange, Told
    from policy_engine.lineage.store.importing import Imported
    from policy_engine.lineage.store.store import Kept

_SIGNS: Final = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow")}


def place_option(command: Command) -> Command:
    """Add ``--store``."""
    text = f"A SQLite file or a postgresql:// URL. [or {STORE}]"
    return click.option("--store", "place", metavar="FILE|URL", help=text)(command)


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
@click.option(
    "--edges", type=click.Path(path_type=Path), metavar="FILE", help="The table of edges of a table of things."
)
@click.option(
    "--packs-of",
    "profile",
    type=click.Path(path_type=Path),
    metavar="PROFILE",
    help="For lines and tables: use its packs.",
)
@click.option("--pack", "packs", multiple=True, metavar="PACK", help="Use these packs or .policy files instead.")
@click.option("--as-of", metavar="INSTANT", help="From when on the estate is like this. [default: now]")
@click.option("--comment", default="", metavar="TEXT", help="A remark to keep with it.")
@click.option("--strict", is_flag=True, help="Treat every warning as an error.")
@place_option
@format_option
def import_(
    target: Path,
    edges: Path | None,
    profile: Path | None,
    packs: tuple[str, ...],
    as_of: str | None,
    comment: str,
    strict: bool,
    place: str | None,
    form: str,
) -> int:
    """Put the estate as it is into a store.

    TARGET is a profile, a folder with one, or a single document, such as an inventory or a BOM; or, of any size, an
    inventory in lines (.ndjson) or a table (.parquet, .csv). What has errors is not put in, and the exit code is 2.
    """
    inputs = _import_inputs(target, edges, profile, packs)
    store = open_store(store_option(place), create=True)

    from policy_engine.lineage.store.importing import Moment

    moment = Moment(clock(), instant_option(as_of) if as_of else None, comment)
    with progress_bar() as progress:
        if inputs.sources:
            done = import_estate(store, inputs, moment, strict=strict, progress=progress)
        else:
            done = import_stream(store, target, edges, inputs, moment, strict=strict, progress=progress)
    return _imported(done, store.name, form)


def _import_inputs(target: Path, edges: Path | None, profile: Path | None, packs: tuple[str, ...]) -> Inputs:
    """Read what an import needs; for lines and tables that is packs alone, and no sources."""
    if not is_streamed(target, edges):
        if profile is not None:
            raise fault("PE0007", "`--packs-of` is for lines and tables", help="name the profile itself")
        return read_inputs(target, packs, cache=cache_folder())
    return read_inputs(
        profile or Path(), packs or (() if profile else (DEFAULT_PACK,)), cache=cache_folder(), with_sources=False
    )


def _imported(done: "Imported", store: str, form: str) -> int:
    if form == "json":
        _print_json(imported_to_json(done))
    else:
        for problem in done.problems:
            click.echo(str(problem), err=True)
            if problem.help:
                click.echo(f"  help: {problem.help}", err=True)
        more = done.errors + done.warnings - len(done.problems)
        if more:
            click.echo(f"and {more} more like these", err=True)
        if done.kept is None:
            click.echo(f"nothing was put into {store}: {counted(done.errors, 'error')}")
        else:
            click.echo(f"{_line(done.kept)}\nput into {store}")
    return 2 if done.kept is None else 0


@command.command("list")
@place_option
@format_option
def list_(place: str | None, form: str) -> None:
    """List what is in a store, the earliest first."""
    store = open_store(store_option(place))
    history = store.history()
    if form == "json":
        _print_json({"format": HISTORY_FORMAT, "moments": [kept_to_json(kept) for kept in history]})
        return
    for kept in history:
        click.echo(_line(kept))
    if not history:
        click.echo(f"{store.name} holds no snapshots")


@command.command("show")
@click.argument("which", default="latest")
@place_option
@format_option
def show(which: str, place: str | None, form: str) -> None:
    """Say what a snapshot holds.

    That is how many things and relations of each kind, and from which sources.
    """
    contents = open_store(store_option(place)).contents(which_option(which))
    if form == "json":
        _print_json(contents_to_json(contents))
        return
    first = contents.moments[0]
    click.echo(f"snapshot {first.digest}\nfacts    {first.facts_digest}")
    for kept in contents.moments:
        remark = f": {one_line(kept.comment)}" if kept.comment else ""
        click.echo(f"as of    {format_instant(kept.valid_at)}, written down {format_instant(kept.taken_at)}{remark}")
    for title, counts in (("things", contents.kinds), ("relations", contents.edge_types)):
        click.echo(f"{sum(counts.values())} {title}")
        for name, count in counts.items():
            click.echo(f"  {count:>9}  {name}")
    click.echo(counted(len(contents.sources), "source"))
    for source in contents.sources:
        said = f", {format_instant(source.asserted_at)}" if source.asserted_at else ""
        told = f"{source.name} ({source.format}, {source.sha256}), asserted by {source.asserted_by}{said}"
        click.echo(f"  {one_line(told)}")


@command.command("diff")
@click.argument("before")
@click.argument("after", default="latest")
@click.option("--limit", type=click.IntRange(0), default=200, show_default=True, help="Show so many lines at most.")
@place_option
@format_option
def diff(before: str, after: str, limit: int, place: str | None, form: str) -> None:
    """Say what differs between two snapshots.

    That is things, facts and relations, one by one.
    Where facts come from is not compared. What it means for the results, `policy-engine diff` says.
    """
    store = open_store(store_option(place))
    old, new = store.find(which_option(before)), store.find(which_option(after))
    changes = store.diff(old.digest, new.digest)
    if form == "json":
        _diff_json(old, new, changes)
    else:
        click.echo(f"- {_line(old)}\n+ {_line(new)}")
        _diff_text(changes, limit)


def _diff_json(old: "Kept", new: "Kept", changes: Iterable["Change"]) -> None:
    """Print one document, a change on each line, as they come."""
    head = {"format": DIFFERENCES_FORMAT, "before": kept_to_json(old), "after": kept_to_json(new)}
    click.echo(f'{shown_json(json.dumps(head, ensure_ascii=False))[:-1]}, "changes": [', nl=False)
    comma = ""
    for change in changes:
        click.echo(f"{comma}\n{shown_json(json.dumps(change_to_json(change), ensure_ascii=False))}", nl=False)
        comma = ","
    click.echo("\n]}")


def _diff_text(changes: Iterable["Change"], limit: int) -> None:
    shown = 0
    counts: dict[tuple[str, str], int] = {}
    for change in changes:
        what = ("relation" if hasattr(change, "target") else "thing", change.how.value)
        counts[what] = counts.get(what, 0) + 1
        for line in _change_lines(change):
            if shown < limit:
                click.echo(line)
            shown += 1
    if shown > limit:
        click.echo(f"… and {counted(shown - limit, 'more line')} (--limit shows more)")
    told = ", ".join(f"{counted(count, noun)} {how}" for (noun, how), count in sorted(counts.items()))
    click.echo(told or "no fact differs")


def _change_lines(change: "Change") -> Iterator[str]:
    from policy_engine.lineage.store.differences import NodeChange

    sign, colour = _SIGNS[change.how]
    if isinstance(change, NodeChange):
        yield click.style(f"{sign} {change.kind} {change.id}", fg=colour)
        for fact in change.facts:
            yield f"    {fact.name}: {_change(fact)}"
    else:
        yield click.style(f"{sign} {change.source} {change.type} {change.target}", fg=colour)


def _change(fact: "FactChange") -> str:
    note = " (contradicted)" if fact.contradicted else ""
    return f"{_told(fact.before)} → {_told(fact.after)}{note}"


def _told(value: "Told | None") -> str:
    if value is None:
        return "nothing"
    if isinstance(value, tuple):
        return ", ".join(_told(item) for item in value) or "an empty set"
    text = str(value).lower() if isinstance(value, bool) else f"`{value}`"
    return one_line(text)


@command.command("export")
@click.argument("which", default="latest")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FILE", help="Where to write it.")
@place_option
def export(which: str, out: Path, place: str | None) -> None:
    """Write a snapshot in its canonical form.

    The SHA-256 of the file is the digest of the snapshot.
    """
    store = open_store(store_option(place))
    kept = store.find(which_option(which))
    write_pieces(out, store.document(kept.digest))
    click.echo(f"{kept.digest}\nwritten: {out}")


@command.command("verify")
@place_option
def verify(place: str | None) -> int:
    """Compare every snapshot with its digest.

    The exit code is 1 if one was changed.
    """
    wrong = 0
    for digest, error in open_store(store_option(place)).verify():
        click.echo(f"{'ok' if error is None else 'CHANGED':>7}  {digest}")
        wrong += error is not None
    return 1 if wrong else 0


@command.command("forget")
@click.argument("digests", nargs=-1, required=True, metavar="DIGEST…")
@place_option
def forget(digests: tuple[str, ...], place: str | None) -> None:
    """Delete snapshots, named by digest.

    The others stay as they are.
    """
    store = open_store(store_option(place))
    for digest in digests:
        click.echo(f"forgotten: {store.forget(digest).digest}")


def _line(kept: "Kept") -> str:
    counts = f"{counted(kept.nodes, 'thing')}, {counted(kept.edges, 'relation')}, {counted(kept.sources, 'source')}"
    remark = f"  {one_line(kept.comment)}" if kept.comment else ""
    return f"{format_instant(kept.valid_at)}  {kept.digest[:19]}  {counts}{remark}"


def _print_json(document: dict[str, Any]) -> None:
    click.echo(shown_json(json.dumps(document, indent=2, ensure_ascii=False)))
