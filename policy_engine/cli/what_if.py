"""``policy-engine what-if``: what would follow from changes that nobody has made."""

from pathlib import Path

import click

from policy_engine.app.impact import comparison_to_json
from policy_engine.app.inputs import read_inputs
from policy_engine.app.simulation import Wanted, simulate
from policy_engine.cli.foresight_text import simulation_lines
from policy_engine.cli.options import cache_folder, instant_option, run_options
from policy_engine.model.plain import shown_json


@click.command("what-if")
@run_options
@click.option("--remove", multiple=True, metavar="NODE", help="The thing is gone, with its edges.")
@click.option(
    "--set", "facts", multiple=True, metavar="NODE.ATTRIBUTE=VALUE", help="The fact is so; null takes it away."
)
@click.option("--add-edge", "added", multiple=True, metavar="'A EDGE B'", help="The edge is there.")
@click.option("--remove-edge", "ended", multiple=True, metavar="'A EDGE B'", help="The edge is no longer there.")
@click.option("--withdraw-evidence", "withdrawn", multiple=True, metavar="DIGEST|FILE", help="It does not count.")
@click.option("--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="The parameter has this value.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--fail-on-worse", is_flag=True, help="Exit with 1 when any result gets worse.")
def command(
    target: Path,
    at: str | None,
    packs: tuple[str, ...],
    strict: bool,
    remove: tuple[str, ...],
    facts: tuple[str, ...],
    added: tuple[str, ...],
    ended: tuple[str, ...],
    withdrawn: tuple[str, ...],
    parameters: tuple[str, ...],
    form: str,
    fail_on_worse: bool,
) -> int:
    """List the results that would change, and why, without touching a file.

    Options may be repeated and combined; all changes are made at once. TARGET is a profile, a folder with one, or an
    inventory. Exit codes: 0; 1 with --fail-on-worse when something gets worse; 2 bad usage or invalid input.
    """
    wanted = Wanted(remove, facts, added, ended, withdrawn, parameters)
    found = simulate(read_inputs(target, packs, cache=cache_folder()), instant_option(at), wanted, strict=strict)
    if form == "json":
        click.echo(shown_json(comparison_to_json(found.comparison, found.changes, found.effects).decode()))
    else:
        for line in simulation_lines(found):
            click.echo(line)
    return 1 if fail_on_worse and found.comparison.gets_worse else 0
