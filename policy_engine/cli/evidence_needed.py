"""``policy-engine evidence needed``: what to collect about a subject, from whom, by when."""

from pathlib import Path

import click

from policy_engine.app.evaluate import evaluate
from policy_engine.app.evidence_needed import evidence_needed
from policy_engine.app.evidence_needed_formats import checklist_to_csv, checklist_to_json, checklist_to_markdown
from policy_engine.app.inputs import read_inputs
from policy_engine.cli.options import cache_folder, instant_option
from policy_engine.model.plain import shown_json


@click.command("needed")
@click.argument("subject")
@click.option("--at", metavar="INSTANT", help="The day from which on it is needed. [default: now]")
@click.option("--alone", is_flag=True, help="Leave out what belongs to the subject: its models, data, uses, people.")
@click.option("--format", "form", type=click.Choice(["markdown", "csv", "json"]), default="markdown", show_default=True)
@click.option(
    "--in",
    "target",
    type=click.Path(path_type=Path),
    default=Path(),
    show_default=True,
    help="The profile or its folder.",
)
def command(subject: str, at: str | None, alone: bool, form: str, target: Path) -> None:
    """List what to collect about SUBJECT: which evidence and facts, from whom, by when.

    Rules that enter into force later count with their first day. What is held is listed with the day on which it ends
    or grows too old.
    """
    run = evaluate(read_inputs(target, cache=cache_folder()), instant_option(at))
    checklist = evidence_needed(run, subject, alone=alone)
    match form:
        case "csv":
            click.echo(checklist_to_csv(checklist), nl=False)
        case "json":
            click.echo(shown_json(checklist_to_json(checklist).decode()))
        case _:
            click.echo(checklist_to_markdown(checklist), nl=False)
