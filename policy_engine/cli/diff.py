"""``policy-engine diff``: which results are different, and why."""

from datetime import datetime
from pathlib import Path

import click

from policy_engine.app.impact import compare, comparison_to_json
from policy_engine.app.sides import Side, read_side, with_packs
from policy_engine.cli.foresight_text import comparison_lines
from policy_engine.cli.options import cache_folder, clock, instant_option
from policy_engine.model.errors import fault


@click.command("diff")
@click.argument("old", type=click.Path(path_type=Path), default=Path())
@click.argument("new", type=click.Path(path_type=Path), required=False)
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
    old: Path,
    new: Path | None,
    instants: tuple[str, ...],
    packs: tuple[str, ...],
    tried: tuple[Path, ...],
    form: str,
    fail_on_worse: bool,
) -> int:
    """List the results that differ between OLD and NEW, and why.

    Each is a profile, a folder with one, an inventory, or the bundle (.zip) of an earlier assessment, which is taken at
    its own instant. Without NEW the same target is compared with itself: at another instant (--at twice), or under
    another version of a pack (--with-pack). Exit codes: 0; 1 with --fail-on-worse when something is worse; 2 bad usage
    or invalid input.
    """
    if len(instants) > 2:
        raise fault("PE0007", "`--at` is given more than twice", help="once for both sides, or once for each")
    if new is None and not tried and len(set(instants)) < 2:
        hint = "name a second target, give --at twice, or try a pack with --with-pack"
        raise fault("PE3612", "both sides are the same, so nothing can differ", help=hint)
    before = read_side(old, packs, cache=cache_folder())
    after = with_packs(read_side(new, packs, cache=cache_folder()) if new is not None else before, tried)
    given = [instant_option(text) for text in instants]
    now = clock()
    found = compare(before.evaluate(_instant(before, given[:1], now)), after.evaluate(_instant(after, given[-1:], now)))
    if form == "json":
        click.echo(comparison_to_json(found).decode())
    else:
        for line in comparison_lines(found):
            click.echo(line)
    return 1 if fail_on_worse and found.gets_worse else 0


def _instant(side: Side, given: list[datetime], now: datetime) -> datetime:
    return given[0] if given else side.at or now
