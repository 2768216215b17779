"""``policy-engine prepare``: everything a gate needs, in one file."""

from pathlib import Path

import click

from policy_dsl.values import format_instant
from policy_engine.app.inputs import read_inputs
from policy_engine.app.prepare import prepare
from policy_engine.cli.options import cache_folder, instant_option, make_folder, refuse_inputs, run_options
from policy_engine.cli.progress import progress_bar
from policy_engine.model.plain import one_line


@click.command("prepare")
@run_options
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write.")
def command(target: Path, at: str | None, packs: tuple[str, ...], strict: bool, out: Path) -> int:
    """Compile policies, load the estate and verify evidence, as `check` does, into one file that `gate` answers from.

    The file is relied on until the trust file expires, and `gate` says when an input has changed since. Exit codes: 0
    the file is written; 2 bad usage or invalid input.
    """
    with progress_bar() as bar:
        inputs = read_inputs(target, packs, cache=cache_folder())
        refuse_inputs([out], inputs)
        make_folder(out.parent)
        done = prepare(inputs, target, out, instant_option(at), strict=strict, progress=bar)
    for problem in done.problems:
        click.echo(str(problem), err=True)
    rules, things = len(done.ready.world.program.rules), len(done.snapshot.nodes)
    click.echo(f"wrote {one_line(str(out))}: {things} things, {len(done.snapshot.edges)} relations and {rules} rules")
    counted = len(done.ready.evidence.verified) + len(done.ready.evidence.waivers)
    click.echo(f"  evidence and waivers that count: {counted}; rejected: {len(done.ready.evidence.rejected)}")
    if done.ready.trust is not None:
        click.echo(f"  relied on until {format_instant(done.ready.trust.expires)}, when the trust file expires")
    return 0
