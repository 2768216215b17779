"""``policy-engine check``: the gate."""

from datetime import datetime
from pathlib import Path

import click

from policy_dsl.words import SEVERITIES
from policy_engine.app.evaluate import Evaluation, evaluate
from policy_engine.app.inputs import Inputs, read_inputs
from policy_engine.cli.options import (
    FORMATS,
    cache_folder,
    folder_in_repository,
    instant_option,
    outputs_option,
    refuse_inputs,
    run_options,
    store_option,
    which_option,
    write_file,
)
from policy_engine.cli.progress import Stopwatch, profile_lines, progress_bar
from policy_engine.cli.text import lines
from policy_engine.lineage.columns.layout import MAGIC
from policy_engine.model.errors import fault
from policy_engine.model.progress import Progress
from policy_engine.model.results import Result, Status
from policy_engine.packs.profile import Enforcement

WHOLE_FORMATS = ("json", "ndjson")
"""What is written of the check of an estate file."""
_SHOWN = 50


@click.command("check")
@run_options
@click.option(
    "--fail-on", type=click.Choice(SEVERITIES), default="low", show_default=True, help="The least severity that counts."
)
@click.option(
    "--output",
    "outputs",
    multiple=True,
    metavar="FORMAT=FILE",
    help="Also write json, sarif, junit or markdown; of an estate file json or ndjson.",
)
@click.option("--store", metavar="FILE|URL", help="Check a snapshot of this store, not the profile's sources.")
@click.option("--as-of", metavar="WHICH", help="Which snapshot: an instant, then also that of evaluation, or a digest.")
@click.option("--quiet", is_flag=True, help="Print the verdict alone.")
@click.option("--profile", is_flag=True, help="Also print where the time went, on standard error.")
@click.option(
    "--format", "form", type=click.Choice(("text", *WHOLE_FORMATS)), help="Of an estate file: what is printed."
)
@click.option(
    "--limit", type=click.IntRange(min=0), help="Of an estate file: how many findings are shown. [default: 50]"
)
@click.option("--explain", type=click.Choice(("shown", "all")), help="Of an estate file: which findings are explained.")
@click.option("--require-fresh", is_flag=True, help="Of an estate file: stop when an input has changed since.")
def command(
    target: Path,
    at: str | None,
    packs: tuple[str, ...],
    strict: bool,
    fail_on: str,
    outputs: tuple[str, ...],
    store: str | None,
    as_of: str | None,
    quiet: bool,
    profile: bool,
    form: str | None,
    limit: int | None,
    explain: str | None,
    require_fresh: bool,
) -> int:
    """Evaluate and answer with an exit code.

    TARGET is a profile, a folder with one, a single inventory or CycloneDX file (checked by eu_ai_act unless --pack
    says otherwise), or an estate file that `prepare` has written, which is decided as a whole. Exit codes: 0 passes;
    1 violations at or above --fail-on; 2 bad usage or invalid input; 3 undecided, or evidence that cannot be verified.
    """
    own: dict[str, object] = {"--pack": packs, "--strict": strict, "--store": store, "--as-of": as_of}
    of_whole: dict[str, object] = {
        "--format": form,
        "--limit": limit,
        "--explain": explain,
        "--require-fresh": require_fresh,
    }
    if _is_estate_file(target):
        _refuse_options(own, "is decided when an estate file is prepared")
        from policy_engine.cli.whole_check import WholeRequest, answer

        files = outputs_option(outputs, (*WHOLE_FORMATS, *FORMATS[1:]))
        shown = _SHOWN if limit is None else limit
        return answer(
            WholeRequest(
                target, at, fail_on, files, form or "text", shown, explain == "all", quiet, require_fresh, profile
            )
        )
    _refuse_options(of_whole, "is for estate files")
    files = outputs_option(outputs)
    with progress_bar() as bar:
        watch = Stopwatch(bar)
        watch.stage("reading")
        stored = store is not None or as_of is not None
        inputs = read_inputs(target, packs, cache=cache_folder(), with_sources=not stored)
        refuse_inputs(files.values(), inputs)
        if stored:
            run = _check_stored(inputs, store, as_of, at, watch)
        else:
            run = evaluate(inputs, instant_option(at), strict=strict, progress=watch)
        if files:
            watch.stage("writing")
            write_outputs(run, files)
    times = watch.profile(run.results)
    for line in lines(run):
        click.echo(line)
        if quiet:
            break
    code = exit_code(run, fail_on)
    if quiet and code == 3 and run.results:
        judged = run.evidence
        not_judged = len({file for file, _ in judged.unverifiable}) + judged.unjudged
        click.echo(f"  {run.count(Status.UNKNOWN)} results unknown, {not_judged} files of evidence not verified")
    if profile:
        for line in profile_lines(times):
            click.echo(line, err=True)
    return code


def _is_estate_file(target: Path) -> bool:
    """Tell an estate file by its name, or by how it begins."""
    if target.suffix == ".aipe":
        return True
    if not target.is_file():
        return False  # opening a pipe would wait for its writer
    try:
        with target.open("rb") as stream:
            return stream.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def _refuse_options(options: dict[str, object], why: str) -> None:
    for name, value in options.items():
        if value not in (None, (), False):
            raise fault("PE0007", f"`{name}` {why}")


def _check_stored(
    inputs: Inputs, store: str | None, as_of: str | None, at: str | None, progress: Progress
) -> Evaluation:
    """Evaluate a snapshot as of an instant, at that instant unless another is given."""
    from policy_engine.app.store import evaluate_stored

    which = which_option(as_of or "latest")
    instant = which if isinstance(which, datetime) and at is None else instant_option(at)
    return evaluate_stored(inputs, store_option(store), which, instant, progress=progress)


def exit_code(run: Evaluation, fail_on: str) -> int:
    """Return the gate's answer."""
    statuses = {r.status for r in run.results if _counts(run, r, fail_on)}
    if Status.FAIL in statuses:
        return 1
    return (
        3 if not run.results or Status.UNKNOWN in statuses or run.evidence.unverifiable or run.evidence.unjudged else 0
    )


def _counts(run: Evaluation, result: Result, fail_on: str) -> bool:
    """Tell whether a result decides: its rule is grave enough, and the profile does not make it mere advice."""
    rule = run.program.rules[result.rule]
    advisory = run.inputs.profile.enforcement_of(rule.name, rule.severity) is Enforcement.ADVISORY
    return not advisory and rule.severity in SEVERITIES[: SEVERITIES.index(fail_on) + 1]


def write_outputs(run: Evaluation, files: dict[str, Path]) -> None:
    """Write the formats asked for, all from one document."""
    from policy_engine.app.assessment import assessment_of
    from policy_engine.app.decision import decision_of
    from policy_engine.app.formats import render
    from policy_evidence.canonical import document_digest

    document = assessment_of(run, document_digest(decision_of(run)))
    for name, path in files.items():
        write_file(path, render(document, name, folder_in_repository(run.inputs.folder)))
