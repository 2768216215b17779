"""``policy-engine evidence``: sign, add, verify and list evidence and waivers."""

import json
from collections.abc import Mapping
from datetime import datetime
from glob import has_magic
from itertools import takewhile
from pathlib import Path
from typing import Any

import click

from policy_dsl.typed.schema import EvidenceType, Schema
from policy_dsl.typed.types import Simple
from policy_dsl.values import format_instant
from policy_engine.app.evaluate import JudgedEvidence, compile_policies, exact, judge_evidence, read_trust
from policy_engine.app.inputs import Inputs, read_file, read_inputs
from policy_engine.cli.evidence_needed import command as needed
from policy_engine.cli.explain import rule_named
from policy_engine.cli.keys import PASSPHRASE
from policy_engine.cli.options import clock, instant_option, passphrase_option, write_file
from policy_engine.lineage.binding import Misfit, read_value
from policy_engine.lineage.estate import Estate
from policy_engine.lineage.graph import subject_digests
from policy_engine.lineage.load import load_estate
from policy_engine.lineage.names import nearest
from policy_engine.model.errors import InputError, fault
from policy_evidence.attest import sign_statement
from policy_evidence.canonical import digest
from policy_evidence.predicates import WAIVER_TYPE, predicate_type_of
from policy_evidence.signing.files import read_private_key
from policy_evidence.verify import VerifiedEvidence, VerifiedWaiver

IN = click.option(
    "--in",
    "target",
    type=click.Path(path_type=Path),
    default=Path(),
    show_default=True,
    help="The profile or its folder.",
)
KEY = click.option(
    "--key",
    "keys",
    type=click.Path(path_type=Path),
    required=True,
    multiple=True,
    help="A private key to sign with; repeat it for several signers.",
)
ISSUED = click.option("--issued", metavar="INSTANT", help="[default: now]")
OUT = click.option("--out", type=click.Path(path_type=Path), required=True, help="The file to write.")


@click.group("evidence")
def command() -> None:
    """Sign, add, verify and list evidence and waivers, and say which is needed."""


command.add_command(needed)


@command.command("sign")
@click.argument("type_name", metavar="TYPE")
@click.argument("subject")
@click.option(
    "--field", "fields", multiple=True, metavar="NAME=VALUE", help="A field; numbers, true and false as in JSON."
)
@click.option("--expires", metavar="INSTANT")
@ISSUED
@KEY
@IN
@OUT
def sign(
    type_name: str,
    subject: str,
    fields: tuple[str, ...],
    expires: str | None,
    issued: str | None,
    keys: tuple[Path, ...],
    target: Path,
    out: Path,
) -> None:
    """Sign evidence of TYPE about SUBJECT, an id of the inventory, bound to the subject as it is now."""
    inputs = read_inputs(target)
    schema, estate = _estate(inputs)
    declared = schema.evidence.get(type_name)
    if declared is None:
        raise fault(
            "PE3201", f"no pack declares evidence of type `{type_name}`", help=nearest(type_name, schema.evidence)
        )
    predicate: dict[str, Any] = {**_interval(issued, expires), "fields": _fields(fields, declared)}
    _sign(estate, subject, predicate_type_of(type_name), predicate, keys, out)


@command.command("waive")
@click.argument("rule")
@click.argument("subject")
@click.option("--reason", required=True)
@click.option("--approver", required=True)
@click.option("--ticket")
@click.option("--expires", metavar="INSTANT", required=True)
@ISSUED
@KEY
@IN
@OUT
def waive(
    rule: str,
    subject: str,
    reason: str,
    approver: str,
    ticket: str | None,
    expires: str,
    issued: str | None,
    keys: tuple[Path, ...],
    target: Path,
    out: Path,
) -> None:
    """Sign a waiver of RULE for SUBJECT. It always ends. A rule may be named without its pack where that is clear."""
    inputs = read_inputs(target)
    program, _ = compile_policies(inputs.packs.files, inputs.profile.parameters)
    predicate = {
        "rule": rule_named(program, rule).name,
        "reason": reason,
        "approver": approver,
        **_interval(issued, expires),
    }
    if ticket:
        predicate["ticket"] = ticket
    _sign(_estate(inputs)[1], subject, WAIVER_TYPE, predicate, keys, out)


@command.command("add")
@click.argument("file", type=click.Path(path_type=Path))
@IN
def add(file: Path, target: Path) -> int:
    """Verify FILE and put it where the profile looks for evidence."""
    inputs = read_inputs(target)
    data = read_file(file)
    judged = _judge(inputs, {str(file): data})
    for line in _lines(judged, clock()):
        click.echo(line)
    if judged.rejected:
        return 1
    if not inputs.profile.evidence:
        raise fault("PE0007", "the profile has no `evidence`", help="see docs/profile.md")
    pattern = Path(inputs.profile.evidence[0])
    plain = takewhile(lambda part: not has_magic(part), pattern.parts[:-1])
    name = f"{digest(data).removeprefix('sha256:')[:16]}{pattern.suffix or '.json'}"
    place = inputs.folder.joinpath(*plain, name)
    write_file(place, data)
    click.echo(f"added: {place}")
    return 0


@command.command("verify")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@IN
def verify(files: tuple[Path, ...], target: Path) -> int:
    """Verify FILES against the trust file and inventory of a profile. Exits with 1 when one does not count."""
    judged = _judge(read_inputs(target), {str(f): read_file(f) for f in files})
    for line in _lines(judged, clock()):
        click.echo(line)
    return 1 if judged.rejected else 0


@command.command("list")
@IN
def list_(target: Path) -> int:
    """List all evidence of a profile: what counts, until when, and what does not and why."""
    inputs = read_inputs(target)
    judged = _judge(inputs, inputs.evidence)
    for line in _lines(judged, clock()):
        click.echo(line)
    states = [_state(record, clock()) for record in judged.counted]
    over, later = states.count("over"), states.count("not yet")
    click.echo(f"{states.count('counts')} count, {over} over, {later} not yet, {len(judged.rejected)} rejected")
    return 0


def _lines(judged: JudgedEvidence, now: datetime) -> list[str]:
    found = [_counting(record, record.type, now) for record in judged.verified]
    found += [_counting(record, f"waiver of {record.rule}", now) for record in judged.waivers]
    for file, rejected in judged.rejected:
        about = f" about {', '.join(rejected.claimed_subjects)}" if rejected.claimed_subjects else ""
        what = rejected.claimed_type or "statement"
        found.append(f"REJECTED  {file}: {what}{about}: {rejected.message} [{rejected.code}]")
    return [*found, *map(str, judged.problems)]


def _counting(record: VerifiedEvidence | VerifiedWaiver, what: str, now: datetime) -> str:
    until = format_instant(record.counts_until) if record.counts_until else "further notice"
    names = ", ".join(f"{s.key_name} ({', '.join(s.roles)})" for s in record.signers)
    start = format_instant(record.counts_from)
    word = _state(record, now)
    return f"{word:<9} {what} about {record.subject}, from {start} until {until}, signed by {names}"


def _state(record: VerifiedEvidence | VerifiedWaiver, now: datetime) -> str:
    """Say whether verified evidence counts now, is over, or has not begun."""
    if now < record.counts_from:
        return "not yet"
    return "over" if record.counts_until is not None and record.counts_until <= now else "counts"


def _judge(inputs: Inputs, files: Mapping[str, bytes]) -> JudgedEvidence:
    if inputs.trust is None:
        raise fault("PE0007", "the profile has no `trust`", help="see docs/profile.md")
    schema, estate = _estate(inputs)
    return judge_evidence(files, read_trust(inputs.trust, clock(), inputs.profile.trust), estate.snapshot, schema)


def _estate(inputs: Inputs) -> tuple[Schema, Estate]:
    program, _ = compile_policies(inputs.packs.files, inputs.profile.parameters)
    estate = load_estate(inputs.sources, program.schema)
    if estate.has_errors:
        raise InputError([str(p) for p in estate.problems])
    return program.schema, estate


def _sign(
    estate: Estate, subject: str, predicate_type: str, predicate: dict[str, Any], keys: tuple[Path, ...], out: Path
) -> None:
    node = estate.snapshot.nodes.get(subject)
    if node is None:
        raise fault("PE0009", f"there is no `{subject}` in the inventory", help=nearest(subject, estate.snapshot.nodes))
    if out.exists():
        raise fault("PE0007", f"`{out}` exists already, and evidence is never written over")
    passphrase = passphrase_option(PASSPHRASE)
    private = [read_private_key(key, passphrase) for key in keys]
    data = sign_statement({subject: subject_digests(node)}, predicate_type, predicate, private)
    write_file(out, data)
    click.echo(f"written: {out} ({digest(data)})")


def _interval(issued: str | None, expires: str | None) -> dict[str, str]:
    start = instant_option(issued)
    if expires is None:
        return {"issued": format_instant(start)}
    end = instant_option(expires)
    if end <= start:
        raise fault("PE0007", f"it would expire at {format_instant(end)}, not later than its issue")
    return {"issued": format_instant(start), "expires": format_instant(end)}


def _fields(written: tuple[str, ...], declared: EvidenceType) -> dict[str, Any]:
    """Read fields as JSON writes them, a text also without quotes, and require that the type declares them."""
    fields: dict[str, Any] = {}
    for item in written:
        name, equals, value = item.partition("=")
        attribute = declared.fields.get(name)
        if not equals:
            raise fault("PE0007", f"`--field {item}` is not NAME=VALUE")
        if name in fields:
            raise fault("PE0007", f"field `{name}` is given twice")
        if attribute is None:
            message = f"evidence `{declared.name}` has no field `{name}`"
            raise fault("PE3202", message, help=nearest(name, declared.fields))
        fields[name] = value if attribute.type is Simple.TEXT else _json(value)
        found = read_value(exact(fields[name]), attribute.type)
        if isinstance(found, Misfit):
            raise fault("PE3202", f"field `{name}` must be {found.expected}", help=found.help)
    return fields


def _json(value: str) -> Any:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
