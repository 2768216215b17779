"""``policy-engine crosswalk``: one piece of evidence, which controls it serves."""

from pathlib import Path

import click

from policy_engine.app.crosswalk import crosswalk, crosswalk_to_csv, crosswalk_to_json, crosswalk_to_markdown
from policy_engine.app.evaluate import compile_policies
from policy_engine.app.inputs import read_inputs
from policy_engine.cli.options import cache_folder
from policy_engine.lineage.names import nearest
from policy_engine.model.errors import fault
from policy_engine.model.plain import one_line, shown_json
from policy_engine.packs.library import library, select


@click.command("crosswalk")
@click.argument("evidence", nargs=-1, metavar="[EVIDENCE]...")
@click.option("--pack", "packs", multiple=True, help="A library pack; repeat it for several. [default: all]")
@click.option(
    "--control", default="", metavar="TEXT", help="Only evidence for citations that hold this text, such as `Art. 10`."
)
@click.option("--in", "target", type=click.Path(path_type=Path), help="Take the packs of this profile.")
@click.option("--format", "form", type=click.Choice(["markdown", "csv", "json"]), default="markdown", show_default=True)
def command(evidence: tuple[str, ...], packs: tuple[str, ...], control: str, target: Path | None, form: str) -> None:
    """Show which controls of which frameworks each type of EVIDENCE serves.

    It is read from the rules: evidence serves a paragraph when a rule that cites the paragraph asks for it.
    """
    if target is not None and packs:
        raise fault("PE0007", "`--in` and `--pack` both say which packs; leave one out")
    if target is not None:
        if not target.exists():
            raise fault("PE0001", f"`{one_line(str(target))}` does not exist")
        # The facts are not looked at.
        files = read_inputs(target, with_sources=False)
        chosen, parameters = files.packs, files.profile.parameters
    else:
        chosen, parameters = select(packs or library(), {}), {}
    program = compile_policies(chosen.files, parameters, cache_folder())[0].only(chosen.selected)
    for name in evidence:
        if name not in program.schema.evidence:
            message = f"no pack declares evidence of type `{name}`"
            raise fault("PE3201", message, help=nearest(name, program.schema.evidence))
    found = crosswalk(program, evidence=evidence, control=control)
    match form:
        case "csv":
            click.echo(crosswalk_to_csv(found), nl=False)
        case "json":
            click.echo(shown_json(crosswalk_to_json(found).decode()))
        case _:
            click.echo(crosswalk_to_markdown(found), nl=False)
