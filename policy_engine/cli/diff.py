"""``policy-engine diff``: which results are different, and why."""

import re
from datetime import datetime
from pathlib import Path

import click

from policy_engine.app.impact import compare, comparison_to_json
from policy_engine.app.sides import Side, read_side, stored_side, with_packs
from policy_engine.cli.foresight_text import comparison_lines
from policy_engine.cli.options import cache_folder, clock, instant_option
from policy_engine.model.errors import fault
from policy_engine.model.plain import shown_json

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@click.command("diff")
@click.argument("old", default=".")
@click.argument("new", required=False)
@click.option(
    "--at", "instants", multiple=True, metavar="INSTANT", help="The instant of both sides; given twice, of old and new."
)
@click.option("--pack", "packs", multiple=True, metavar="PACK", help="Use these packs on both sides instead.")
@click.option(
    "--with-pack",
    "tried",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="On the new side, use this file in the place of the pack of its name, or besides the others.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--fail-on-worse", is_flag=True, help="Exit with 1 when anything is worse on the new side.")
def command(
    old: str,
    new: str | None,
    instants: tuple[str, ...],
    packs: tuple[str, ...],
    tried: tuple[Path, ...],
    form: str,
    fail_on_worse: bool,
) -> int:
    """List the results that differ between OLD and NEW, and why.

    Each is a profile, a folder with one, an inventory, the bundle (.zip) of an earlier assessment, which is taken at
    its own instant, or a stored snapshot: STORE@DIGEST, STORE@latest or STORE@2026-11-14, under the policies and
    evidence of the other side. Without NEW the same target is compared with itself: at another instant (--at twice), or
    under another version of a pack (--with-pack). Exit codes: 0; 1 with --fail-on-worse when something is worse; 2 bad
    usage or invalid input.
    """
    if len(instants) > 2:
        raise fault("PE0007", "`--at` is given more than twice", help="once for both sides, or once for each")
    if new is None and not tried and len(set(instants)) < 2:
        hint = "name a second target, give --at twice, or try a pack with --with-pack"
        raise fault("PE3612", "both sides are the same, so nothing can differ", help=hint)
    before, after = _sides(old, new if new is not None else old, packs)
    after = with_packs(after, tried)
    given = [instant_option(text) for text in instants]
    now = clock()
    found = compare(before.evaluate(_instant(before, given[:1], now)), after.evaluate(_instant(after, given[-1:], now)))
    if form == "json":
        click.echo(shown_json(comparison_to_json(found).decode()))
    else:
        for line in comparison_lines(found):
            click.echo(line)
    return 1 if fail_on_worse and found.gets_worse else 0


def _sides(old: str, new: str, packs: tuple[str, ...]) -> tuple[Side, Side]:
    """Read both sides, the same target once; a stored snapshot needs a profile, if only that of the working folder."""
    names = (old, new)
    read = {name: read_side(Path(name), packs, cache=cache_folder()) for name in names if _stored(name) is None}
    other = next(iter(read.values()), None) or read_side(Path(), packs, cache=cache_folder())
    found = [read[name] if name in read else stored_side(*(_stored(name) or ("", "")), other) for name in names]
    return found[0], found[1]


def _stored(name: str) -> "tuple[str, str | datetime] | None":
    """Return a store and which of its snapshots is meant, when a name speaks of one; a file of that name goes first."""
    place, at, which = name.rpartition("@")
    if not at or Path(name).exists() or not ("://" in place or Path(place).is_file()):
        return None
    return place, instant_option(which) if _DAY.match(which) else which


def _instant(side: Side, given: list[datetime], now: datetime) -> datetime:
    return given[0] if given else side.at or now
