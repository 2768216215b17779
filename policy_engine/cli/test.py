"""``policy-engine test``: runs the tests that policies declare."""

from pathlib import Path

import click

from policy_engine.app.evaluate import compile_policies
from policy_engine.app.inputs import read_file
from policy_engine.app.policy_tests import run_tests
from policy_engine.model.errors import fault
from policy_engine.packs.library import PackFiles, select


@click.command("test")
@click.argument("packs", nargs=-1, required=True, metavar="PACK|FILE|FOLDER...")
@click.option("--filter", "wanted", metavar="TEXT", default="", help="Run only tests whose name holds this text.")
@click.option("--verbose", "-v", is_flag=True, help="Name the tests that pass, too.")
def command(packs: tuple[str, ...], wanted: str, verbose: bool) -> int:
    """Run the tests of library packs, policy files or folders of them.

    Exit codes: 0 all passed; 1 a test failed; 2 bad usage or invalid policies.
    """
    chosen = _files(packs)
    program, _ = compile_policies(chosen.files, {})
    outcomes = [o for o in run_tests(program) if o.test.pack in chosen.selected and wanted in o.test.name]
    if not outcomes:
        raise fault("PE0008", "there is no test to run")
    for outcome in outcomes:
        if outcome.passed:
            if verbose:
                click.echo(f"{click.style('pass', fg='green')}  {outcome.test.pack}: {outcome.test.name}")
            continue
        click.echo(f"{click.style('FAIL', fg='red', bold=True)}  {outcome.test.pack}: {outcome.test.name}")
        for failure in outcome.failures:
            place = program.files[failure.span.file].position(failure.span.start)
            click.echo(f"      {failure.span.file}:{place.line}:{place.column}: {failure.message}")
    failed = sum(not o.passed for o in outcomes)
    click.echo(f"{len(outcomes) - failed} passed, {failed} failed")
    return 1 if failed else 0


def _files(packs: tuple[str, ...]) -> PackFiles:
    names: list[str] = []
    own: dict[str, bytes] = {}
    for pack in packs:
        path = Path(pack)
        if path.is_dir():
            own.update({str(p): read_file(p) for p in sorted(path.rglob("*.policy"))})
        elif pack.endswith(".policy"):
            own[pack] = read_file(path)
        else:
            names.append(pack)
    return select(names, own)
