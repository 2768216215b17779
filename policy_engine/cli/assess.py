"""``policy-engine assess``: the main job."""

from pathlib import Path

import click

from policy_dsl.words import SEVERITIES
from policy_engine.app.assess import ASSESSMENT_NAME, DECISION_NAME, REPORT_NAME, ReportSigner, assess
from policy_engine.app.evaluate import evaluate
from policy_engine.app.formats import render
from policy_engine.app.inputs import Inputs, read_file, read_inputs
from policy_engine.cli.check import exit_code
from policy_engine.cli.options import (
    clock,
    folder_in_repository,
    instant_option,
    passphrase_option,
    refuse_inputs,
    run_options,
    write_file,
)
from policy_engine.cli.progress import progress_bar
from policy_engine.cli.text import lines
from policy_engine.model.errors import fault
from policy_evidence.signing.files import read_private_key
from policy_evidence.signing.keys import PrivateKey

BUNDLE_NAME = "bundle.zip"


@click.command("assess")
@run_options
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("out"),
    show_default=True,
    help="Where files go.",
)
@click.option(
    "--fail-on", type=click.Choice(SEVERITIES), default="low", show_default=True, help="The least severity that counts."
)
@click.option("--allow-violations", is_flag=True, help="Exit with 0 when the files were written, whatever the verdict.")
def command(
    target: Path, at: str | None, packs: tuple[str, ...], strict: bool, out: Path, fail_on: str, allow_violations: bool
) -> int:
    """Evaluate, sign and report.

    Writes to the folder of --out: report.pdf (signed), assessment.json, results.sarif, junit.xml, summary.md and
    bundle.zip, which holds everything a stranger needs to verify the outcome. Exit codes are those of `check`.
    """
    if packs:
        raise fault("PE0007", "`--pack` cannot change what is signed", help="name the packs in the profile")
    when = instant_option(at)
    inputs = read_inputs(target)
    key, report_signer = _signers(inputs)
    with progress_bar() as progress:
        run = evaluate(inputs, when, strict=strict, progress=progress)
        assessment = assess(run, key, report_signer, clock(), progress=progress)
    files = {
        REPORT_NAME: assessment.report,
        ASSESSMENT_NAME: assessment.document.to_json(),
        "results.sarif": render(assessment.document, "sarif", folder_in_repository(inputs.folder)),
        "junit.xml": render(assessment.document, "junit"),
        "summary.md": render(assessment.document, "markdown"),
        BUNDLE_NAME: assessment.bundle,
    }
    refuse_inputs([out / name for name in files], inputs)
    for name, data in files.items():
        write_file(out / name, data)
    for line in lines(run):
        click.echo(line)
    click.echo(f"\nWritten to {out}/: {', '.join(files)} (the bundle holds {DECISION_NAME}, signed)")
    return 0 if allow_violations else exit_code(run, fail_on)


def _signers(inputs: Inputs) -> tuple[PrivateKey, ReportSigner]:
    signing = inputs.profile.signing
    for name in ("decision_key", "report_key", "report_certificate"):
        if not getattr(signing, name):
            raise fault("PE0007", f"the profile has no `signing.{name}`", help="see docs/profile.md")
    folder = inputs.folder
    passphrase = passphrase_option(signing.passphrase_env)
    key = read_private_key(folder / signing.decision_key, passphrase)
    signer = ReportSigner(
        key_pem=read_file(folder / signing.report_key),
        passphrase=passphrase,
        certificate_pem=read_file(folder / signing.report_certificate).decode("ascii", errors="replace"),
        chain_pems=tuple(read_file(folder / c).decode("ascii", errors="replace") for c in signing.report_chain),
    )
    return key, signer
