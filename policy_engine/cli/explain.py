"""``policy-engine explain``: a rule, a result, or a code."""

from pathlib import Path

import click

from policy_dsl import english
from policy_dsl.typed.tree import Program, Rule
from policy_dsl.values import format_instant
from policy_engine.app.codes import all_codes
from policy_engine.app.evaluate import compile_policies, evaluate
from policy_engine.app.inputs import PROFILE_NAME, read_inputs
from policy_engine.app.remedy import advice_to_json, advise, result_of
from policy_engine.app.rule_page import definitions_of, why
from policy_engine.cli.foresight_text import advice_lines
from policy_engine.cli.gating import path
from policy_engine.cli.options import instant_option
from policy_engine.lineage.names import nearest
from policy_engine.model.errors import fault
from policy_engine.model.plain import one_line, shown_json
from policy_engine.model.results import Result
from policy_engine.packs.library import library, select


@click.command("explain")
@click.argument("what", metavar="RULE|CODE")
@click.argument("subject", required=False)
@click.option(
    "--in",
    "target",
    type=click.Path(path_type=Path),
    default=Path(),
    show_default=True,
    help="The profile or its folder.",
)
@click.option("--at", metavar="INSTANT", help="The instant of evaluation. [default: now]")
@click.option("--fix", is_flag=True, help="Also say what would put the result right, the cheapest remedy first.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="json goes with --fix.")
def command(what: str, subject: str | None, target: Path, at: str | None, fix: bool, form: str) -> None:
    """Explain a code such as PE2006, a rule, or with SUBJECT the result of a rule for it.

    A rule may be named without its pack where that is clear. Without a profile, the rules of the library are known.
    With --fix, the cheapest steps after which the rule passes: each remedy is tried on a copy of the facts first.
    """
    if (fix and subject is None) or (form == "json" and not fix):
        raise fault("PE0007", "`--fix` needs RULE and SUBJECT" if fix else "`--format json` goes with `--fix`")
    if what.upper() in all_codes():
        click.echo(f"{what.upper()}: {all_codes()[what.upper()]}")
        return
    if subject is None:
        program = _program(target)
        for line in _rule_lines(program, rule_named(program, what)):
            click.echo(line)
        return
    run = evaluate(read_inputs(target), instant_option(at))
    rule = rule_named(run.program, what)
    found = result_of(run, rule, subject)
    if form == "json":
        click.echo(shown_json(advice_to_json(advise(run, rule, found)).decode()))
        return
    for line in _result_lines(rule, found):
        click.echo(line)
    for line in advice_lines(advise(run, rule, found)) if fix else ():
        click.echo(line)


def _program(target: Path) -> Program:
    has_profile = target.suffix == ".toml" or (target / PROFILE_NAME).is_file()
    packs = read_inputs(target).packs if has_profile else select(library(), {})
    return compile_policies(packs.files, {})[0]


def rule_named(program: Program, name: str) -> Rule:
    """Return the rule of a name, full or without its pack where that is clear.

    Raises:
        InputError: PE0009, there is none, or there are several.
    """
    found = [r for full, r in program.rules.items() if full == name or full.endswith(f".{name}")]
    if len(found) == 1:
        return found[0]
    if found:
        raise fault("PE0009", f"several rules are named `{name}`", help=", ".join(r.name for r in found))
    short = {full.rpartition(".")[2] for full in program.rules}
    raise fault("PE0009", f"there is no rule or code `{name}`", help=nearest(name, [*program.rules, *short]))


def _rule_lines(program: Program, rule: Rule) -> list[str]:
    source = program.files[rule.span.file]
    start = f"from {format_instant(rule.start)}" if rule.start else "at all times"
    end = f" until {format_instant(rule.end)}" if rule.end else ""
    return [
        click.style(rule.title, bold=True),
        f"  rule:     {rule.name}",
        *([f"  why:      {one_line(reason)}"] if (reason := why(program, rule)) else []),
        f"  severity: {rule.severity}",
        f"  basis:    {rule.basis.replace('_', ' ')}" + (f", {', '.join(rule.citations)}" if rule.citations else ""),
        f"  in force: {start}{end}",
        f"  source:   {source.name}:{source.position(rule.span.start).line}",
        "",
        *(f"  {sentence}" for sentence in english.rule(rule.syntax)),
        *(f"  {english.definition(d)}" for each in definitions_of(program, rule) for d in each),
        "",
        source.text[rule.syntax.span.start : rule.syntax.span.end],
    ]


def _result_lines(rule: Rule, result: Result) -> list[str]:
    found = [
        f"{result.status.value.upper().replace('_', ' ')}: {rule.title}",
        f"  rule:    {rule.name}",
        f"  subject: {result.subject}",
    ]
    found += [f"  {one_line(text)}" for text in (result.reason, result.message) if text]
    found += [f"  path:    {path(w)}" for w in result.witnesses]
    found += [f"  missing: {m.attribute} of {m.node} ({m.reason})" for m in result.missing]
    found += [f"  fact:    {f.attribute} of {f.node} is {one_line(str(f.value))}" for f in result.facts]
    found += [f"  evidence: {digest}" for digest in result.evidence]
    found += [f"  do:      {result.remedy}"] if result.remedy else []
    if result.valid_until is None:
        return [*found, "  stays so for as long as no fact changes"]
    return [*found, f"  stays so until {format_instant(result.valid_until)}, if no fact changes"]
