"""``policy-engine fmt``: lays policies out in the one canonical way."""

import sys
from difflib import unified_diff
from pathlib import Path

import click

from policy_dsl.diagnostics import Diagnostic, Diagnostics, render_text
from policy_dsl.format import FormatError, format_source
from policy_dsl.source import SourceFile
from policy_dsl.syntax.parser import decode
from policy_engine.app.inputs import read_file
from policy_engine.cli.options import write_file
from policy_engine.model.errors import fault

_SUFFIXES = (".policy", ".policy.md")


@click.command("fmt")
@click.argument("paths", nargs=-1, required=True, metavar="FILE|FOLDER|-...")
@click.option("--check", is_flag=True, help="Change nothing; name the files that would change and exit with 1.")
@click.option("--diff", is_flag=True, help="Change nothing; show what would change and exit with 1.")
def command(paths: tuple[str, ...], check: bool, diff: bool) -> int:
    """Format policy files, those in folders, or the standard input (-) to the standard output.

    Only spaces, line ends and blank lines change. A file that does not parse is left as it is. Exit codes: 0 all is
    formatted; 1 --check or --diff found something to change; 2 bad usage or invalid policies.
    """
    changed = invalid = total = 0
    for name in policy_files(paths):
        total += 1
        data = sys.stdin.buffer.read() if name == "-" else read_file(Path(name))
        diagnostics = Diagnostics()
        source = decode("stdin" if name == "-" else name, data, diagnostics)
        try:
            if diagnostics.has_errors:
                raise FormatError(diagnostics.sorted())
            formatted = format_source(source)
        except FormatError as error:
            invalid += 1
            _report(error.diagnostics, source)
            continue
        new = formatted.encode()
        changed += new != data
        if check or diff:
            _show(source, formatted, differs=new != data, diff=diff)
        elif name == "-":
            sys.stdout.buffer.write(new)
        elif new != data:
            write_file(Path(name), new)
            click.echo(f"formatted {name}")
    if paths != ("-",):
        click.echo(_summary(total, changed, invalid, changes=not (check or diff)), err=invalid > 0)
    return 2 if invalid else 1 if changed and (check or diff) else 0


def policy_files(paths: tuple[str, ...]) -> list[str]:
    """Return the files named, and those in the folders named, each once.

    Raises:
        InputError: PE0001 a file does not exist; PE0008 there is no policy file.
    """
    found: dict[str, None] = {}
    for path in paths:
        if Path(path).is_dir():
            inside = sorted(p for p in Path(path).rglob("*") if p.name.endswith(_SUFFIXES) and p.is_file())
            found.update((str(p), None) for p in inside)
        elif path == "-" or Path(path).exists():
            found[path] = None
        else:
            raise fault("PE0001", f"`{path}` does not exist")
    if not found:
        raise fault("PE0008", "there is no policy file here", help="policy files end in .policy or .policy.md")
    return list(found)


def _report(diagnostics: tuple[Diagnostic, ...], source: SourceFile) -> None:
    for diagnostic in diagnostics:
        click.echo(render_text(diagnostic, {source.name: source}), err=True)


def _show(source: SourceFile, formatted: str, *, differs: bool, diff: bool) -> None:
    if not differs:
        return
    if not diff:
        click.echo(f"would format {source.name}")
        return
    before, after = (text.splitlines(keepends=True) for text in (source.text, formatted))
    for line in unified_diff(before, after, source.name, f"{source.name} (formatted)"):
        click.echo(line if line.endswith("\n") else f"{line}\n\\ no newline at the end of the file\n", nl=False)


def _summary(total: int, changed: int, invalid: int, *, changes: bool) -> str:
    files = "1 file" if total == 1 else f"{total} files"
    parts = [f"{changed} {'formatted' if changes else 'would change'}", f"{total - changed - invalid} unchanged"]
    return f"{files}: {', '.join(parts)}" + (f", {invalid} invalid" if invalid else "")
