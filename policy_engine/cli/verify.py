"""``policy-engine verify``: checks a bundle or a report, and lists each check."""

from pathlib import Path

import click

from policy_engine.app.inputs import read_file
from policy_engine.app.verify import verify_bundle, verify_report
from policy_engine.cli.options import clock, instant_option
from policy_engine.cli.progress import progress_bar
from policy_engine.model.errors import fault
from policy_engine.model.plain import one_line
from policy_evidence.bundle.checks import Check, CheckStatus

_WORDS = {
    CheckStatus.OK: ("ok", "green"),
    CheckStatus.FAILED: ("FAILED", "red"),
    CheckStatus.MISSING: ("MISSING", "yellow"),
    CheckStatus.UNREADABLE: ("UNREADABLE", "red"),
}
_VERDICTS = {
    0: ("VERIFIED", "green"),
    1: ("NOT VERIFIED", "red"),
    2: ("UNREADABLE", "red"),
    3: ("INCOMPLETE", "yellow"),
}


@click.command("verify")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--trust", type=click.Path(path_type=Path), help="Your own trust file. A report alone needs one.")
@click.option("--at", metavar="INSTANT", help="The instant at which certificates are judged. [default: now]")
def command(file: Path, trust: Path | None, at: str | None) -> int:
    """Check FILE, a bundle or a signed report, with no network and no account.

    Without --trust a bundle is checked against the trust file inside it: that shows that nothing was changed since it
    was signed, not who signed it. Exit codes: 0 verified; 1 not verified; 2 unreadable; 3 something needed is missing.
    """
    data = read_file(file)
    own = read_file(trust) if trust is not None else None
    when = clock() if at is None else instant_option(at)
    if data.startswith(b"%PDF"):
        if own is None:
            raise fault("PE0007", "a report alone is checked against your trust file", help="add --trust FILE")
        found = verify_report(data, when, own)
    else:
        with progress_bar() as progress:
            found = verify_bundle(data, when, own, progress=progress)
    for check in found.checks:
        click.echo(_line(check))
    word, colour = _VERDICTS[found.exit_code]
    broken = ", ".join(dict.fromkeys(c.name for c in found.checks if c.status is not CheckStatus.OK))
    click.echo(click.style(word, fg=colour, bold=True) + f": {one_line(str(file))}" + (f": {broken}" if broken else ""))
    return found.exit_code


def _line(check: Check) -> str:
    word, colour = _WORDS[check.status]
    code = f" [{check.code}]" if check.code else ""
    return f"{click.style(f'{word:>10}', fg=colour)}  {check.name}: {one_line(check.detail)}{code}"
