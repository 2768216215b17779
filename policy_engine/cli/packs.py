"""``policy-engine packs``: what the library and other places hold, what changed, and who signed it."""

from pathlib import Path

import click

from policy_dsl.typed.tree import Rule
from policy_dsl.values import format_instant, text
from policy_engine.app.evaluate import read_trust
from policy_engine.app.inputs import read_file
from policy_engine.app.pack_diff import PackDifference, compare_packs, difference_to_json
from policy_engine.app.packs import Packs, PackState, day, packs_of, packs_to_json, sign_packs, verify_packs
from policy_engine.app.packs_codes import CODES
from policy_engine.app.rule_page import asked_of, why
from policy_engine.cli.keys import PASSPHRASE
from policy_engine.cli.options import cache_folder, clock, instant_option, passphrase_option, write_file
from policy_engine.model.errors import fault
from policy_engine.model.plain import counted, one_line, shown_json
from policy_evidence.canonical import digest
from policy_evidence.signing.files import read_private_key

_PLACES = click.argument("places", nargs=-1, metavar="[PACK|FILE|FOLDER]...")
_FORM = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
_FAULTS = {PackState.CHANGED: "PE3901", PackState.NOT_SIGNED: "PE3902", PackState.MISSING: "PE3903"}


@click.group("packs")
def command() -> None:
    """List, show, compare, sign and verify packs: those of the library, or files of yours."""


@command.command("list")
@_PLACES
@_FORM
def list_(places: tuple[str, ...], form: str) -> None:
    """List packs with their version, number of rules, the day from which they are in force, and title."""
    packs = packs_of(places, cache_folder())
    if form == "json":
        click.echo(shown_json(packs_to_json(packs).decode()))
        return
    wide = max(len(info.name) for info in packs.infos)
    for info in packs.infos:
        first, number = packs.first_day(info.name), len(packs.rules_of(info.name))
        since = f"from {first}" if first else "at all times" if number else ""
        rules = counted(number, "rule") if number else "vocabulary or definitions"
        click.echo(f"{info.name:<{wide}}  {info.version:<8} {rules:<26} {since:<16} {one_line(info.title)}")


@command.command("show")
@click.argument("place", metavar="PACK|FILE|FOLDER")
def show(place: str) -> None:
    """Show packs: source, parameters, and each rule with why it is asked and the evidence that it asks for."""
    packs = packs_of([place], cache_folder())
    for info in packs.infos:
        click.secho(f"{info.name} {one_line(info.version)}: {one_line(info.title)}", bold=True)
        framework, source = one_line(info.framework) or "not stated", one_line(info.source) or "not stated"
        click.echo(f"  framework: {framework}; text: {source}")
        for name, value in packs.program.parameters.items():
            if name.rpartition(".")[0] == info.name:
                click.echo(f"  parameter {name} = {one_line(text(value))}")
        for rule in packs.rules_of(info.name):
            _show_rule(packs, rule)
        click.echo()


def _show_rule(packs: Packs, rule: Rule) -> None:
    start = f"from {day(rule.start)}" if rule.start else "at all times"
    end = f" until {day(rule.end)}" if rule.end else ""
    cited = ", ".join(map(one_line, rule.citations))
    click.echo(f"\n  {one_line(rule.title)}\n    {rule.name}: {rule.severity}, {rule.basis}, {start}{end}; {cited}")
    if reason := why(packs.program, rule):
        click.echo(f"    why: {one_line(reason)}")
    for asked in asked_of(packs.program, rule):
        number = f" by {asked.signers}" if asked.signers > 1 else ""
        signed = f", signed{number} as {asked.role}" if asked.role else ""
        age = f", not older than {asked.age}" if asked.age else ""
        stating = f", stating {', '.join(asked.fields)}" if asked.fields else ""
        click.echo(f"    evidence: {asked.type} on {asked.kind}{signed}{age}{stating}")


@command.command("diff")
@click.argument("before", metavar="BEFORE")
@click.argument("after", metavar="AFTER")
@_FORM
def diff(before: str, after: str, form: str) -> int:
    """Compare two states of packs rule by rule: each a library pack, a file or a folder.

    Exit codes: 0 nothing that is said differs; 1 something does; 2 bad usage or invalid policies.
    """
    found = compare_packs(packs_of([before], cache_folder()), packs_of([after], cache_folder()))
    if form == "json":
        click.echo(shown_json(difference_to_json(found).decode()))
    else:
        _show_difference(found)
    return 1 if found.changes else 0


def _show_difference(found: PackDifference) -> None:
    if not found.changes:
        click.echo("no rule, definition, parameter or word of the vocabulary differs")
    for change in found.changes:
        if change.before is None:
            click.secho(f"+ {change.part} {change.name}: {one_line(change.after or '')}", fg="green")
        elif change.after is None:
            click.secho(f"- {change.part} {change.name}: {one_line(change.before)}", fg="red")
        else:
            click.echo(f"~ {change.name}, {change.part}")
            click.secho(f"    was: {one_line(change.before) or 'nothing'}", fg="red")
            click.secho(f"    is:  {one_line(change.after) or 'nothing'}", fg="green")
    for name in found.same_version:
        click.echo(f"warning[PE3905]: `{name}` is another, and its version is the same", err=True)


@command.command("sign")
@_PLACES
@click.option(
    "--key",
    "keys",
    type=click.Path(path_type=Path),
    required=True,
    multiple=True,
    help="A private key to sign with; repeat it for several signers.",
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The signature file to write.")
@click.option("--issued", metavar="INSTANT", help="[default: now]")
def sign(places: tuple[str, ...], keys: tuple[Path, ...], out: Path, issued: str | None) -> None:
    """Sign packs as they are now: name, version and digest of each go into one signature file."""
    if out.exists():
        raise fault("PE0007", f"`{out}` exists already, and a signature is never written over")
    packs = packs_of(places, cache_folder())
    passphrase = passphrase_option(PASSPHRASE)
    data = sign_packs(packs, instant_option(issued), [read_private_key(key, passphrase) for key in keys])
    write_file(out, data)
    click.echo(f"written: {out}, for {counted(len(packs.files), 'pack')} ({digest(data)})")


@command.command("verify")
@_PLACES
@click.option("--signature", type=click.Path(path_type=Path), required=True, help="The signature file.")
@click.option(
    "--trust", type=click.Path(path_type=Path), required=True, help="Your own trust file: who may sign `packs`."
)
@click.option("--at", metavar="INSTANT", help="The instant at which the signature must count. [default: now]")
def verify(places: tuple[str, ...], signature: Path, trust: Path, at: str | None) -> int:
    """Check that packs are what a publisher signed, with no network.

    Exit codes: 0 they are; 1 one was changed, added or taken away; 2 bad usage, or the signature does not count.
    """
    instant = instant_option(at) if at else clock()
    known = read_trust(read_file(trust), instant, str(trust))
    check = verify_packs(packs_of(places, cache_folder()), read_file(signature), known, instant)
    for pack in check.packs:
        if pack.state in _FAULTS:
            code = _FAULTS[pack.state]
            click.echo(f"error[{code}]: `{one_line(pack.name)}`: {CODES[code]}", err=True)
    signers = ", ".join(map(one_line, check.signers))
    good = sum(pack.state is PackState.SIGNED for pack in check.packs)
    click.echo(f"signed by {signers} at {format_instant(check.issued)}: {good} of {counted(len(check.packs), 'pack')}")
    return 0 if check.holds else 1
