"""``policy-engine check``: the gate."""

from pathlib import Path

import click

from policy_dsl.words import SEVERITIES
from policy_engine.app.evaluate import Evaluation, evaluate
from policy_engine.app.inputs import read_inputs
from policy_engine.cli.options import (
    cache_folder,
    folder_in_repository,
    instant_option,
    outputs_option,
    refuse_inputs,
    run_options,
    write_file,
)
from policy_engine.cli.text import lines
from policy_engine.model.results import Result, Status
from policy_engine.packs.profile import Enforcement


@click.command("check")
@run_options
@click.option(
    "--fail-on", type=click.Choice(SEVERITIES), default="low", show_default=True, help="The least severity that counts."
)
@click.option(
    "--output", "outputs", multiple=True, metavar="FORMAT=FILE", help="Also write json, sarif, junit or markdown."
)
@click.option("--quiet", is_flag=True, help="Print the verdict alone.")
def command(
    target: Path,
    at: str | None,
    packs: tuple[str, ...],
    strict: bool,
    fail_on: str,
    outputs: tuple[str, ...],
    quiet: bool,
) -> int:
    """Evaluate and answer with an exit code.

    TARGET is a profile, a folder with one, or a single inventory or CycloneDX file (checked by eu_ai_act unless --pack
    says otherwise). Exit codes: 0 passes; 1 violations at or above --fail-on; 2 bad usage or invalid input;
    3 undecided, or evidence that cannot be verified.
    """
    files = outputs_option(outputs)
    inputs = read_inputs(target, packs, cache=cache_folder())
    refuse_inputs(files.values(), inputs)
    run = evaluate(inputs, instant_option(at), strict=strict)
    write_outputs(run, files)
    for line in lines(run):
        click.echo(line)
        if quiet:
            break
    code = exit_code(run, fail_on)
    if quiet and code == 3 and run.results:
        judged = run.evidence
        not_judged = len({file for file, _ in judged.unverifiable}) + judged.unjudged
        click.echo(f"  {run.count(Status.UNKNOWN)} results unknown, {not_judged} files of evidence not verified")
    return code


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
    if not files:
        return
    from policy_engine.app.assessment import assessment_of
    from policy_engine.app.decision import decision_of
    from policy_engine.app.formats import render
    from policy_evidence.canonical import document_digest

    document = assessment_of(run, document_digest(decision_of(run)))
    for name, path in files.items():
        write_file(path, render(document, name, folder_in_repository(run.inputs.folder)))
