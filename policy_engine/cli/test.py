"""``policy-engine test``: runs the tests that policies declare, and says what they leave untested."""

import os
from pathlib import Path

import click

from policy_dsl.typed.tree import Program
from policy_engine.app.evaluate import compile_policies
from policy_engine.app.inputs import read_file
from policy_engine.app.policy_tests import Outcome, run_tests
from policy_engine.app.testing.coverage import Coverage, coverage_of
from policy_engine.app.testing.documents import coverage_json, junit
from policy_engine.app.testing.mutation import Fate, Laboratory, Mutant, Verdict, judge
from policy_engine.cli.options import write_file
from policy_engine.cli.progress import progress_bar
from policy_engine.model.errors import fault
from policy_engine.model.progress import counted
from policy_engine.packs.library import PackFiles, is_policy_file, select

_OUTPUTS = ("junit", "coverage")


@click.command("test")
@click.argument("packs", nargs=-1, required=True, metavar="PACK|FILE|FOLDER...")
@click.option("--filter", "wanted", metavar="TEXT", default="", help="Run only tests whose name holds this text.")
@click.option("--verbose", "-v", is_flag=True, help="Name the tests that pass, too.")
@click.option("--coverage", is_flag=True, help="Show the clauses that no test has seen true, false or unknown.")
@click.option("--mutate", is_flag=True, help="Show the changes to rules that no test notices.")
@click.option(
    "--jobs", metavar="N", type=click.IntRange(1), help="Processes for --mutate. [default: one per processor]"
)
@click.option("--output", "outputs", multiple=True, metavar="FORMAT=FILE", help="Also write junit or coverage.")
def command(
    packs: tuple[str, ...],
    wanted: str,
    verbose: bool,
    coverage: bool,
    mutate: bool,
    jobs: int | None,
    outputs: tuple[str, ...],
) -> int:
    """Run the tests of library packs, policy files or folders of them.

    With --filter, --coverage and --mutate count the tests that it leaves. Exit codes: 0 all passed; 1 a test failed, or
    --mutate found an example that no test has; 2 bad usage or invalid policies.
    """
    written = _outputs(outputs)
    chosen = _files(packs)
    program, _ = compile_policies(chosen.files, {})
    outcomes = [o for o in run_tests(program) if o.test.pack in chosen.selected and wanted in o.test.name]
    if not outcomes:
        raise fault("PE0008", "there is no test to run")
    failed = _show_outcomes(outcomes, program, verbose=verbose)
    covered = _coverage(program, chosen, outcomes) if coverage or "coverage" in written else ()
    if coverage:
        _show_coverage(covered, program)
    _write(written, outcomes, covered, program)
    missed = _mutate(chosen, wanted, jobs or os.cpu_count() or 1) if mutate else 0
    return 1 if failed or missed else 0


def _show_outcomes(outcomes: list[Outcome], program: Program, *, verbose: bool) -> int:
    """Print the tests that failed, and return how many did."""
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
    return failed


# --- coverage ------------------------------------------------------------------------------------------------


def _coverage(program: Program, chosen: PackFiles, outcomes: list[Outcome]) -> tuple[Coverage, ...]:
    return coverage_of(program, chosen.selected, (case for o in outcomes for case in o.cases))


def _show_coverage(covered: tuple[Coverage, ...], program: Program) -> None:
    for item in covered:
        click.echo(f"{item.name}: {item.seen} of {item.possible} states seen")
        for clause in item.clauses:
            if clause.missing:
                file = program.files[clause.span.file]
                place = file.position(clause.span.start)
                text = " ".join(file.text[clause.span.start : clause.span.end].split())
                short = text if len(text) <= 70 else f"{text[:69]}…"
                never = " or ".join(clause.missing)
                click.echo(f"  {clause.span.file}:{place.line}: {clause.part} `{short}` was never {never}")
    seen, possible = sum(c.seen for c in covered), sum(c.possible for c in covered)
    click.echo(f"coverage: {seen} of {possible} states of clauses seen")


# --- mutation ------------------------------------------------------------------------------------------------


def _mutate(chosen: PackFiles, wanted: str, jobs: int) -> int:
    """Print the changes that no test notices, and return how many of them an example can tell apart."""
    request = (chosen.files, chosen.selected, wanted)
    with progress_bar() as progress:
        progress.stage("running the tests")
        laboratory = Laboratory(*request)
        count = len(laboratory.mutants)
        verdicts = judge(laboratory, min(jobs, max(1, count // 20)), request)
        running = counted(verdicts, "changing rules", count, progress)
        found = list(zip(laboratory.mutants, running, strict=True))
    survivors: list[tuple[Mutant, Verdict]] = [(m, v) for m, v in found if v.fate is Fate.SURVIVED]
    shown_tests: set[str] = set()
    for mutant, verdict in survivors:
        _show_survivor(laboratory.program, mutant, verdict, laboratory.diff(mutant), shown_tests)
    missed = sum(bool(v.example) for _, v in survivors)
    killed = sum(v.fate is Fate.KILLED for _, v in found)
    if survivors:
        click.echo()
    click.echo(
        f"{killed + len(survivors)} changes to rules: {killed} noticed by a test, {missed} not noticed, "
        f"{len(survivors) - missed} without an example that tells them apart"
    )
    return missed


def _show_survivor(program: Program, mutant: Mutant, verdict: Verdict, diff: list[str], shown: set[str]) -> None:
    place = mutant.place
    file = program.files[place.declaration.span.file]
    line = file.position(min(e.start for e in mutant.change.edits)).line
    click.echo(f"\n{click.style('not noticed', fg='yellow')}  {place.full_name}: {mutant.change.what}")
    click.echo(f"      {file.name}:{line}")
    colours = {"-": "red", "+": "green"}
    for text in diff:
        click.echo(f"      {click.style(text, fg=colours.get(text[0]))}")
    if not verdict.example:
        click.echo("      no example found")
        return
    # Two changes may call for the same test but for its name.
    facts = verdict.example.partition("\n")[2]
    if facts in shown:
        click.echo("      a test shown above notices it")
        return
    shown.add(facts)
    pack = program.rules[verdict.rule].pack
    click.echo(f"      a test for {pack} that notices it:\n\n{verdict.example}\n")


# --- files ---------------------------------------------------------------------------------------------------


def _outputs(values: tuple[str, ...]) -> dict[str, Path]:
    outputs: dict[str, Path] = {}
    for value in values:
        name, _, path = value.partition("=")
        if not path or name not in _OUTPUTS or name in outputs:
            hint = f"formats are {', '.join(_OUTPUTS)}, each once"
            raise fault("PE0007", f"`--output {value}` is not FORMAT=FILE", help=hint)
        outputs[name] = Path(path)
    return outputs


def _write(written: dict[str, Path], outcomes: list[Outcome], covered: tuple[Coverage, ...], program: Program) -> None:
    if not written:
        return
    for name, path in written.items():
        write_file(path, junit(outcomes, program) if name == "junit" else coverage_json(covered, program))


def _files(packs: tuple[str, ...]) -> PackFiles:
    names: list[str] = []
    own: dict[str, bytes] = {}
    for pack in packs:
        path = Path(pack)
        if path.is_dir():
            own.update({str(p): read_file(p) for p in sorted(f for f in path.rglob("*") if is_policy_file(f.name))})
        elif is_policy_file(pack):
            own[pack] = read_file(path)
        else:
            names.append(pack)
    return select(names, own)
