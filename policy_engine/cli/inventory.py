"""``policy-engine inventory``: what there is, who says so, and what somebody should look at."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from policy_engine.app.inventory import Entry, Section, Stock, stock_of
from policy_engine.app.inventory_formats import kinds_of, stock_csv, stock_json
from policy_engine.app.targets import read_targets
from policy_engine.cli.options import cache_folder
from policy_engine.cli.progress import progress_bar
from policy_engine.model.errors import fault
from policy_engine.model.plain import counted, one_line

_TITLES = {
    Section.SHADOW: "SHADOW AI: seen by a tool or supplier, absent from the register",
    Section.CONTRADICTIONS: "CONTRADICTIONS: each counts as unknown until the sources agree",
    Section.DUPLICATES: "DUPLICATES: probably one thing under several names",
    Section.OWNERS: "UNKNOWN OWNERS: nobody answers for it",
    Section.ORPHANS: "ORPHANS: nothing is said of how they hang together with anything",
    Section.STALE: "STALE: in the register, seen by no tool",
}
_WIDEST = 44


@click.command("inventory")
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Only things of this kind, and of those below it.")
@click.option("--format", "form", type=click.Choice(("text", "json", "csv")), default="text", show_default=True)
@click.option("--fail-on", metavar="SECTION,…", default="", help=f"Exit with 1 on: {', '.join(Section)}.")
@click.option("--limit", type=click.IntRange(0), default=20, show_default=True, help="Lines of each list; 0 for all.")
@click.option("--pack", "packs", multiple=True, metavar="PACK", help="Take kinds from these packs instead.")
@click.option("--problems", is_flag=True, help="Show every warning about what was read.")
def command(
    targets: tuple[str, ...],
    kinds: tuple[str, ...],
    form: str,
    fail_on: str,
    limit: int,
    packs: tuple[str, ...],
    problems: bool,
) -> int:
    """List what there is, and what somebody should look at.

    TARGETs are a profile or a folder with one, and any files and folders of inventories, BOMs and exports of tools.
    What cannot be read is told, and the rest is listed. Exit codes: 0 listed; 1 a section of --fail-on is not empty;
    2 bad usage, or something that was asserted could not be used.
    """
    failing = _sections(fail_on)
    if "" in targets:
        # An unset variable must not mean the working folder.
        raise fault("PE0001", "the name of what to list is empty")
    read = read_targets(tuple(map(Path, targets or (".",))), packs, cache=cache_folder())
    with progress_bar() as progress:
        stock = stock_of(read.inputs, lying=read.lying, kinds=kinds, progress=progress)
    _show_problems(stock, every=problems)
    if Section.STALE in failing and not stock.has_tools:
        raise fault("PE0007", "`--fail-on stale` has no answer: every source is the register itself")
    if form == "text":
        for line in _lines(stock, limit or None):
            click.echo(line)
    else:
        click.echo(stock_json(stock) if form == "json" else stock_csv(stock), nl=False)
    if stock.has_errors:
        return 2
    return 1 if any(finding.section in failing for finding in stock.findings) else 0


def _sections(written: str) -> frozenset[Section]:
    names = [name.strip() for name in written.split(",") if name.strip()]
    for name in names:
        if name not in set(Section):
            raise fault("PE0007", f"`--fail-on {name}` is no section", help=f"sections are {', '.join(Section)}")
    return frozenset(Section(name) for name in names)


def _show_problems(stock: Stock, *, every: bool) -> None:
    shown = [problem for problem in stock.problems if every or problem.is_error]
    for problem in shown:
        click.echo(str(problem), err=True)
        if problem.help:
            click.echo(f"  help: {problem.help}", err=True)
    left = len(stock.problems) - len(shown)
    if left:
        click.echo(f"{counted(left, 'warning')} about what was read; --problems shows them", err=True)


def _lines(stock: Stock, limit: int | None) -> Iterator[str]:
    read = counted(len(stock.sources), "source")
    yield click.style(
        f"{counted(len(stock.entries), 'thing')} and {counted(stock.relations, 'relation')} from {read}", bold=True
    )
    if stock.entries:
        yield f"  {', '.join(f'{count} {kind}' for kind, count in kinds_of(stock).items())}"
    yield f"  {', '.join(f'{section} {len(stock.of(section))}' for section in Section)}"
    if not stock.has_register:
        yield "  no source is an inventory of your own, so everything counts as absent from the register"
    if not stock.has_tools:
        yield "  every source is the register itself, so nobody can say what is stale or what is missing from it"
    by_id = {entry.id: entry for entry in stock.entries}
    for section in Section:
        yield from _section(stock, section, by_id, limit)
    yield from _vendors(stock, limit)
    yield from _sources(stock, limit)
    yield from _things(stock, limit)


def _section(stock: Stock, section: Section, by_id: dict[str, Entry], limit: int | None) -> Iterator[str]:
    findings = stock.of(section)
    if not findings:
        return
    yield from _heading(_TITLES[section], len(findings))
    shown = findings[:limit]
    entries = [by_id.get(finding.things[0]) for finding in shown]
    width = _width(entry.kind for entry in entries if entry)
    for finding, entry in zip(shown, entries, strict=True):
        # With --kind, the first of several duplicates may be of a kind that was not asked for.
        kind, name = (entry.kind, entry.name) if entry else ("", "")
        told = "" if finding.ordinary else f": {_plain(finding.message)}"
        yield f"  {kind:{width}}  {_plain(finding.things[0])}{f' ({_plain(name)})' if name else ''}{told}"
        if section is Section.DUPLICATES:
            yield f"  {'':{width}}    {_plain(finding.advice)}"
    yield from _more(len(findings), limit)


def _vendors(stock: Stock, limit: int | None) -> Iterator[str]:
    if not stock.vendors:
        return
    yield from _heading("VENDORS: and how many things each supplies", len(stock.vendors))
    for vendor in stock.vendors[:limit]:
        listed = "" if vendor.entry.registered else "  (absent from the register)"
        yield f"  {vendor.supplies:>4}  {_plain(vendor.entry.name or '-')}  {_plain(vendor.entry.id)}{listed}"
    yield from _more(len(stock.vendors), limit)


def _sources(stock: Stock, limit: int | None) -> Iterator[str]:
    yield from _heading("SOURCES: and how many things each asserts", len(stock.sources))
    for source in stock.sources[:limit]:
        by = "" if source.asserted_by == source.name else f", by {_plain(source.asserted_by)}"
        yield f"  {source.things:>6}  {_plain(source.name)}  ({source.format}{by})"
    yield from _more(len(stock.sources), limit)


def _things(stock: Stock, limit: int | None) -> Iterator[str]:
    yield from _heading("THINGS: kind, id, name, owner, stage, number of sources", len(stock.entries))
    shown = stock.entries[:limit]
    rows = [[_plain(cell or "-") for cell in (e.kind, e.id, e.name, e.owner, e.stage)] for e in shown]
    widths = [_width(column) for column in zip(*rows, strict=True)]
    for row, entry in zip(rows, shown, strict=True):
        cells = "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True))
        listed = "" if entry.registered or not stock.has_register else " (unregistered)"
        yield f"  {cells}  {len(entry.sources)}{listed}"
    yield from _more(len(stock.entries), limit)


def _heading(title: str, count: int) -> Iterator[str]:
    word, _, rest = title.partition(":")
    yield f"\n{click.style(word, bold=True)} ({count}):{rest}"


def _more(count: int, limit: int | None) -> Iterator[str]:
    if limit is not None and count > limit:
        yield f"  … and {count - limit} more (--limit 0 shows all)"


def _width(cells: Iterable[str]) -> int:
    """Return a width for a column that one long cell does not push out of sight."""
    return max((len(cell) for cell in cells if len(cell) <= _WIDEST), default=0)


def _plain(text: str) -> str:
    """Return a text of a document as one line that is short enough for a list."""
    return one_line(text if len(text) <= 400 else f"{text[:400]}…")
