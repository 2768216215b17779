"""``policy-engine gate``: one subject of an estate file, at once."""

import click

from policy_dsl.words import SEVERITIES
from policy_engine.cli.gating import FORMATS, Request, answer


@click.command("gate")
@click.argument("file", metavar="FILE")
@click.argument("subjects", nargs=-1, required=True, metavar="SUBJECT...")
@click.option("--at", "at", metavar="INSTANT", help="The instant of evaluation: a date or RFC 3339. [default: now]")
@click.option(
    "--fail-on", type=click.Choice(SEVERITIES), default="low", show_default=True, help="The least severity that counts."
)
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="What to print.")
@click.option("--require-fresh", is_flag=True, help="Stop with 2 unless the inputs are here and unchanged.")
@click.option("--verify", is_flag=True, help="Check every byte of the file for damage first.")
@click.option("--quiet", is_flag=True, help="Print the verdict alone.")
def command(
    file: str,
    subjects: tuple[str, ...],
    at: str | None,
    fail_on: str,
    form: str,
    require_fresh: bool,
    verify: bool,
    quiet: bool,
) -> int:
    """Answer for one subject, such as a deployment, from an estate file that `prepare` made.

    Every rule about a SUBJECT and about everything that is part of it is evaluated: of a deployment, the systems and
    models that it deploys, and their agents, prompts and components. Exit codes are those of `check`: 0 passes;
    1 violations at or above --fail-on; 2 bad usage, an unknown subject or a damaged file; 3 undecided, or evidence
    about these things that cannot be verified.
    """
    return answer(Request(file, subjects, at, fail_on, form, require_fresh, verify, quiet))
