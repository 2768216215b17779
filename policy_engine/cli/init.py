"""``policy-engine init``: the first profile, inventory, trust file and pipeline check of an organisation."""

import shlex
import sys
from pathlib import Path

import click

from policy_engine.app.start import (
    Beginning,
    Pipeline,
    Region,
    Sector,
    beginning_files,
    identifiers,
    packs_for,
    starter_for,
    starter_profile,
    starters,
)
from policy_engine.cli.instants import clock
from policy_engine.cli.options import make_folder, write_file
from policy_engine.model.errors import InputError, fault
from policy_engine.model.plain import one_line
from policy_engine.packs.profile import parse_profile

_ROLES = ("provider", "deployer", "importer", "distributor")


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
@click.option("--organisation", help="The name of the organisation.")
@click.option("--system", help="The name of the first AI system.")
@click.option("--starter", type=click.Choice([*starters()]), help="A starter of the library, instead of the next two.")
@click.option("--region", type=click.Choice([r.value for r in Region]), help="Where AI is used, or whom it reaches.")
@click.option("--sector", type=click.Choice([s.value for s in Sector]), help="What the organisation does.")
@click.option(
    "--role",
    "roles",
    type=click.Choice(_ROLES),
    multiple=True,
    help="The role under the AI Act for the first system; repeat it where you are not sure.",
)
@click.option("--ci", "pipeline", type=click.Choice([p.value for p in Pipeline]), help="Whose pipeline file to write.")
def command(
    folder: Path,
    organisation: str | None,
    system: str | None,
    starter: str | None,
    region: str | None,
    sector: str | None,
    roles: tuple[str, ...],
    pipeline: str | None,
) -> None:
    """Write the first files into FOLDER: profile, inventory, trust file, and a check for CI.

    What is not said by an option is asked for at a terminal. Nothing that exists is written over.
    """
    if starter is not None and (region or sector):
        raise fault("PE0007", "`--starter` says which packs; leave `--region` and `--sector` out")
    named = organisation or _ask("organisation", "Name of the organisation")
    if starter is None:
        where = Region(region or _ask("region", "Region", [r.value for r in Region]))
        what = Sector(sector or _ask("sector", "Sector", [s.value for s in Sector]))
        starter, packs = starter_for(where, what), packs_for(where, what)
    if starter is not None:
        packs = parse_profile(starter_profile(starter).encode(), "profile.toml").packs
    begin = Beginning(
        organisation=_plain("organisation", named),
        system=_plain("system", system or _ask("system", "Name of the first AI system", default="First system")),
        roles=tuple(dict.fromkeys(roles)) or _asked_roles(),
        starter=starter,
        packs=packs,
        pipeline=Pipeline(pipeline or _ask("ci", "Pipeline", [p.value for p in Pipeline], default="none")),
        today=clock().date(),
    )
    _write(folder, beginning_files(begin))
    for line in _next_steps(folder, begin):
        click.echo(line)


def _ask(option: str, question: str, choices: list[str] | None = None, default: str | None = None) -> str:
    """Ask a person; where nobody can answer, take what is usual, or say which option is missing."""
    if not sys.stdin.isatty():
        if default is not None:
            return default
        raise fault("PE0007", f"`--{option}` is missing, and there is nobody to ask")
    answer: str = click.prompt(question, type=click.Choice(choices) if choices else str, default=default)
    return answer


def _asked_roles() -> tuple[str, ...]:
    role = _ask("role", "Role for the first system under the AI Act", [*_ROLES, "unsure"], default="unsure")
    return _ROLES if role == "unsure" else (role,)


def _plain(option: str, text: str) -> str:
    """Return a name that can stand in every file.

    Raises:
        InputError: PE0007, it is empty or has characters that cannot be seen.
    """
    if not text.strip() or one_line(text) != text:
        raise fault("PE0007", f"`--{option}` is empty, too long, or has characters that cannot be seen")
    return text.strip()


def _write(folder: Path, files: dict[str, str]) -> None:
    """Write all the files, or none where one of them exists or a folder cannot be made.

    Raises:
        InputError: PE3911, for each file that exists; PE0002, a folder or file cannot be made.
    """
    # A link that leads nowhere exists, too: writing would make a file elsewhere.
    taken = [folder / name for name in files if (folder / name).exists() or (folder / name).is_symlink()]
    if taken:
        raise InputError([str(fault("PE3911", f"`{one_line(str(path))}` exists already")) for path in taken])
    for name in files:
        make_folder((folder / name).parent)
    for name, text in files.items():
        write_file(folder / name, text.encode())
        click.echo(f"written: {one_line(str(folder / name))}")


def _next_steps(folder: Path, begin: Beginning) -> list[str]:
    inside, system = one_line(shlex.quote(str(folder))), identifiers(begin)[1]
    source = f"starter `{begin.starter}`" if begin.starter else "no starter fits exactly"
    steps = [
        "",
        f"packs: {', '.join(begin.packs)} ({source})",
        "next:",
        f"  1. write down what there is in {one_line(str(folder / 'inventory.yaml'))}",
        f"  2. policy-engine check {inside}",
        f"  3. what to collect, from whom, by when: policy-engine evidence needed {system} --in {inside}",
        f"  4. enter who signs what in {one_line(str(folder / 'trust.yaml'))}: policy-engine keys generate",
    ]
    if begin.pipeline is Pipeline.GITLAB:
        steps.append("  5. in .gitlab-ci.yml: include: [{ local: ai-policy.gitlab-ci.yml }]")
    return steps
