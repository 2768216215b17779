"""``policy-engine forecast``: what changes with no one touching anything."""

from datetime import timedelta
from pathlib import Path

import click

from policy_dsl.values import LAST_INSTANT
from policy_engine.app.evaluate import evaluate
from policy_engine.app.forecast import Outlook, forecast_to_json, look_ahead, timeline_of
from policy_engine.app.inputs import read_inputs
from policy_engine.cli.foresight_text import forecast_lines
from policy_engine.cli.options import cache_folder, instant_option, refuse_inputs, run_options, write_file
from policy_engine.model.errors import fault
from policy_engine.model.plain import shown_json

_YEAR = timedelta(days=365)


@click.command("forecast")
@run_options
@click.option("--until", metavar="INSTANT", help="The end of the forecast. [default: 365 days after --at]")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--picture", type=click.Path(path_type=Path), metavar="FILE", help="Also draw it: a file .svg, .png or .html."
)
@click.option("--fail-on-worse", is_flag=True, help="Exit with 1 when any result gets worse.")
def command(
    target: Path,
    at: str | None,
    packs: tuple[str, ...],
    strict: bool,
    until: str | None,
    form: str,
    picture: Path | None,
    fail_on_worse: bool,
) -> int:
    """List what will change, when and why, if no fact changes.

    Evidence ages, contracts and waivers end, rules enter into force: each change with its cause, what to do and who
    must sign. TARGET is a profile, a folder with one, or an inventory. Exit codes: 0; 1 with --fail-on-worse when
    something gets worse; 2 bad usage or invalid input.
    """
    if picture is not None and picture.suffix not in {".svg", ".png", ".html"}:
        raise fault("PE3614", f"`{picture}` ends in none of .svg, .png and .html", help="the ending says what is drawn")
    inputs = read_inputs(target, packs, cache=cache_folder())
    refuse_inputs([picture] if picture else [], inputs)
    begin = instant_option(at)
    end = instant_option(until) if until else min(begin, LAST_INSTANT - _YEAR) + _YEAR
    outlook = look_ahead(evaluate(inputs, begin, strict=strict), end)
    if picture is not None:
        write_file(picture, _drawn(outlook, picture.suffix.removeprefix(".")))
    if form == "json":
        click.echo(shown_json(forecast_to_json(outlook).decode()))
    else:
        for line in forecast_lines(outlook):
            click.echo(line)
    return 1 if fail_on_worse and outlook.gets_worse else 0


def _drawn(outlook: Outlook, form: str) -> bytes:
    try:
        from policy_reports.pictures.render import render
    except ImportError as error:
        hint = "pip install 'ai-policy-engine[reports]'"
        raise fault("PE0010", "drawing a picture needs the extra `reports`", help=hint) from error
    return render(timeline_of(outlook), form)
