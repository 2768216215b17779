"""``policy-engine graph``: a picture of the lineage around a subject."""

from pathlib import Path

import click

from policy_engine.app.evaluate import evaluate
from policy_engine.app.graph import Direction, View, graph_of
from policy_engine.app.inputs import read_inputs
from policy_engine.cli.explain import rule_named
from policy_engine.cli.options import cache_folder, instant_option, refuse_inputs, run_options, write_file
from policy_engine.cli.progress import progress_bar
from policy_engine.model.errors import fault
from policy_engine.model.plain import counted


@click.command("graph")
@click.argument("subject")
@run_options
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FILE", help="FILE.svg, .png or .html.")
@click.option("--rule", metavar="RULE", help="Show why this rule gives its result, instead of all open findings.")
@click.option("--upstream", "direction", flag_value="upstream", help="Show only what the subject depends on.")
@click.option("--downstream", "direction", flag_value="downstream", help="Show only what depends on the subject.")
@click.option("--both", "direction", flag_value="both", default=True, help="Show both. [default]")
@click.option("--depth", type=click.IntRange(0), metavar="N", help="Show what is up to so many steps away.")
@click.option(
    "--limit", type=click.IntRange(1), metavar="N", default=60, show_default=True, help="Show about so many things."
)
@click.option("--all-edges", is_flag=True, help="Follow every relation, such as owned_by, not lineage alone.")
def command(
    subject: str,
    target: Path,
    at: str | None,
    packs: tuple[str, ...],
    strict: bool,
    out: Path,
    rule: str | None,
    direction: str,
    depth: int | None,
    limit: int,
    all_edges: bool,
) -> None:
    """Draw the lineage around SUBJECT, an id of the inventory.

    The paths that decide its findings are drawn first and in full; other things follow by distance until --limit. What
    is not shown is counted. The format follows from the name of the file.
    """
    from policy_reports.pictures.render import FORMATS, render

    kind = out.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        hint = f"end it in {' or '.join(f'.{name}' for name in FORMATS)}"
        raise fault("PE3703", f"the name `{out}` does not say which kind of picture it is", help=hint)
    inputs = read_inputs(target, packs, cache=cache_folder())
    refuse_inputs([out], inputs)
    with progress_bar() as progress:
        run = evaluate(inputs, instant_option(at), strict=strict, progress=progress)
        full = rule_named(run.program, rule).name if rule is not None else None
        graph = graph_of(run, subject, full, View(Direction(direction), depth, limit, all_edges))
        progress.stage("drawing")
        data = render(graph, kind)
    write_file(out, data)
    hidden = sum(graph.hidden.values())
    more = f", {hidden:,} more not shown" if hidden else ""
    click.echo(f"{out}: {counted(len(graph.nodes), 'thing')} and {counted(len(graph.edges), 'relation')}{more}")
