"""``policy-engine lint``: finds what policies say that is probably not meant."""

from collections.abc import Mapping
from pathlib import Path

import click

from policy_dsl.diagnostics import Diagnostic, Diagnostics, Severity, did_you_mean, render_text
from policy_dsl.lint import RULES, LintError, LintRule, Report, apply_edits, lint_sources
from policy_dsl.source import SourceFile
from policy_dsl.syntax.parser import decode
from policy_engine.app.inputs import read_file
from policy_engine.cli.fmt import policy_files
from policy_engine.cli.options import write_file
from policy_engine.model.errors import InputError, fault
from policy_engine.packs.library import select

_MOST_ROUNDS = 10
"""Edits that overlap wait for the next round; no file needs more rounds than conditions nest."""


@click.command("lint")
@click.argument("targets", nargs=-1, metavar="[FILE|FOLDER|PACK...]")
@click.option("--fix", is_flag=True, help="Make the changes that keep the meaning.")
@click.option("--select", "selected", multiple=True, metavar="NAME", help="Use these rules alone.")
@click.option("--ignore", "ignored", multiple=True, metavar="NAME", help="Leave these rules out.")
@click.option("--rules", "listing", is_flag=True, help="List the rules and do nothing else.")
def command(
    targets: tuple[str, ...], fix: bool, selected: tuple[str, ...], ignored: tuple[str, ...], listing: bool
) -> int:
    """Find what is valid in policies and probably not meant.

    A comment `# lint: allow NAME because REASON` on or above a line, a declaration or the `policy` line allows what a
    rule objects to there. Exit codes: 0 nothing found; 1 something found; 2 bad usage or invalid policies.
    """
    if listing:
        for rule in RULES:
            click.echo(f"{rule.code}  {rule.name:<26}{rule.summary}")
        return 0
    if not targets:
        raise fault("PE0007", "there is nothing to lint", help="name files, folders or packs of the library")
    rules = chosen_rules(selected, ignored)
    names = [t for t in targets if not Path(t).exists() and not t.endswith((".policy", ".policy.md"))]
    paths = tuple(t for t in targets if t not in names)
    own = {name: read_file(Path(name)) for name in (policy_files(paths) if paths else ())}
    files = select(names, own).files
    linted = set(own) | {f for f in files if f not in own and _is_named(files[f], f, names)}
    sources = _decoded(files)
    if fix:
        sources = _fixed(sources, set(own), rules)
    report = _linted(sources, linted, rules)
    for found in report.found:
        diagnostic = found.diagnostic
        shown = Diagnostic(
            diagnostic.code,
            f"{diagnostic.message} [{found.rule}]",
            diagnostic.span,
            diagnostic.severity,
            diagnostic.help,
        )
        click.echo(render_text(shown, sources) + "\n")
    count = len(report.found)
    click.echo(f"{count or 'no'} finding{'' if count == 1 else 's'} in {len(linted)} file{'s'[: len(linted) != 1]}")
    return 1 if report.found else 0


def chosen_rules(selected: tuple[str, ...], ignored: tuple[str, ...]) -> tuple[LintRule, ...]:
    """Return the rules that options choose.

    Raises:
        InputError: PE0009, a rule does not exist.
    """
    known = {r.name: r for r in RULES}
    for name in (*selected, *ignored):
        if name not in known:
            help_text = did_you_mean(name, known) or "`policy-engine lint --rules` lists them"
            raise fault("PE0009", f"there is no lint rule `{name}`", help=help_text)
    return tuple(r for r in RULES if (not selected or r.name in selected) and r.name not in ignored)


def _is_named(data: bytes, file: str, names: list[str]) -> bool:
    """Tell whether a library file is one of the packs named, and not only used by them."""
    from policy_engine.packs.library import pack_name

    pack = pack_name(file, data)
    return pack is not None and any(pack == name or pack.startswith(f"{name}.") for name in names)


def _decoded(files: Mapping[str, bytes]) -> dict[str, SourceFile]:
    diagnostics = Diagnostics()
    sources = {name: decode(name, data, diagnostics) for name, data in files.items()}
    if diagnostics.has_errors:
        raise InputError([render_text(d, sources) for d in diagnostics.sorted()])
    return sources


def _linted(sources: dict[str, SourceFile], files: set[str], rules: tuple[LintRule, ...]) -> Report:
    try:
        return lint_sources(sources.values(), files, rules)
    except LintError as error:
        errors = [d for d in error.diagnostics if d.severity is Severity.ERROR]
        raise InputError([render_text(d, sources) for d in errors]) from error


def _fixed(sources: dict[str, SourceFile], own: set[str], rules: tuple[LintRule, ...]) -> dict[str, SourceFile]:
    """Make the edits in the files named, and return the sources as they are then."""
    fixed = dict(sources)
    for _ in range(_MOST_ROUNDS):
        report = _linted(fixed, own, rules)
        changed = {name: apply_edits(fixed[name].text, edits) for name in own if (edits := report.edits(name))}
        if not changed:
            break
        fixed.update({name: SourceFile(name, text) for name, text in changed.items()})
    _linted(fixed, own, rules)  # what is written has no error
    for name in sorted(own):
        if fixed[name].text != sources[name].text:
            write_file(Path(name), fixed[name].text.encode())
            click.echo(f"fixed {name}")
    return fixed
