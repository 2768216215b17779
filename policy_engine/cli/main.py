"""The command ``policy-engine``. Commands are imported when they are called, so that a gate starts fast."""

import os
import sys
from functools import cache
from importlib import import_module
from keyword import iskeyword
from typing import Any, NoReturn

import click

from policy_engine import __version__
from policy_engine.cli import memory
from policy_engine.model.plain import one_line

_COMMANDS = {
    "init": "Begin: write a profile, an inventory to fill in, a trust file and a check for CI.",
    "check": "The gate: evaluate and exit with 0, 1, 2 or 3.",
    "prepare": "Make the one file that `gate` answers from: policies compiled, evidence verified.",
    "gate": "Answer for one subject, such as a deployment, at once.",
    "watch": "Check, and go on checking: files that change, events that say what changed, and time.",
    "assess": "Evaluate, sign the decision, and write report, bundle and files for CI.",
    "verify": "Check a bundle or a report, with no network.",
    "inventory": "List what there is: duplicates, shadow AI, unknown owners, orphans, contradictions.",
    "snapshot": "Keep the states that the estate was in, ask for them and compare them.",
    "graph": "Draw the lineage around a subject, what decides its findings first.",
    "explain": "Say what a rule asks, why a result is what it is, how to put it right, or what a code means.",
    "forecast": "List what will change, when and why, if no fact changes.",
    "diff": "Compare two targets, packs or instants, result by result.",
    "what-if": "Try changes on a copy of the facts.",
    "test": "Run the tests of policies.",
    "fmt": "Lay policies out in the one canonical way.",
    "lint": "Find what policies say that is probably not meant.",
    "evidence": "Sign, add, verify and list evidence and waivers, and say which is needed.",
    "import": "Read a live system, such as an MLflow server, into a file.",
    "packs": "List, show, compare, sign and verify packs.",
    "crosswalk": "Show which controls of which frameworks a piece of evidence serves.",
    "lsp": "Serve an editor that writes policies.",
    "keys": "Make keys, and certificates for signing reports.",
}


class _Commands(click.Group):
    """A group that imports a command's module only to run it or to show its help."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        if cmd_name not in _COMMANDS:
            return None
        # A module cannot be called by a word of Python itself, such as `import`.
        module = cmd_name.replace("-", "_") + ("_" if iskeyword(cmd_name) else "")
        return _loaded(f"policy_engine.cli.{module}")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = click.utils.make_str(args[0])
        if name not in _COMMANDS and not name.startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(name, _COMMANDS, n=1)
            hint = f"; did you mean `{near[0]}`?" if near else ""
            raise click.UsageError(f"there is no command `{one_line(name)}`{hint}", ctx)
        return super().resolve_command(ctx, args)


@cache
def _loaded(module: str) -> click.Command:
    command: click.Command = import_module(module).command
    _let_go_in(command)
    return command


def _let_go_in(command: click.Command) -> None:
    """See to it that a shortage of memory in a command is over before it gets to the functions of click."""
    for member in command.commands.values() if isinstance(command, click.Group) else ():
        _let_go_in(member)
    if command.callback is not None:
        command.callback = memory.letting_go(command.callback)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="policy-engine", message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """Policy-as-code compliance for AI: rules over lineage, signed evidence, reports a stranger can verify."""
    if os.environ.get("NO_COLOR"):
        context.color = False


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run a command. No traceback reaches a user: what cannot go on says why, with a code, and exits with 2."""
    try:
        code = cli.main(args=arguments, prog_name="policy-engine", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last line of defence, see `_report`
        code = stop(error)
    sys.exit(code if isinstance(code, int) else 0)


def stop(error: Exception | KeyboardInterrupt) -> int:
    """Say why a run ends before its end, and return its exit code."""
    match error:
        case click.exceptions.Exit():
            return error.exit_code
        case click.Abort() | KeyboardInterrupt() | Exception(__cause__=KeyboardInterrupt()):
            _say("interrupted")
            return 130
        case click.ClickException():
            error.show()
            return 2
        case BrokenPipeError():
            # The reader of our output went away. What it did not hear of must not pass, and click too ends with 1.
            _drop_output()
            return 1
        case OSError(filename=None):
            _drop_output()
            return _report(error)
        case _:
            return _report(error)


def _drop_output() -> None:
    """Let what is still to be written go nowhere: trying again, at the end, would fail again."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _report(error: Exception) -> int:
    """Print what stopped the run; the known kinds of errors carry their codes."""
    if os.environ.get("POLICY_ENGINE_DEBUG"):
        raise error
    for line in _reports(error):
        _say(line)
    return 2


def _reports(error: Any) -> tuple[str, ...]:
    if memory.is_shortage(error):
        return memory.TOLD
    reports = getattr(error, "reports", None)
    if reports is not None:
        return tuple(reports)
    problem = getattr(error, "problem", None)
    if problem is not None:
        return (str(problem), *((f"  help: {problem.help}",) if problem.help else ()))
    code, message, advice = (getattr(error, name, None) for name in ("code", "message", "help"))
    if code and message:
        return (f"error[{code}]: {message}", *((f"  help: {advice}",) if advice else ()))
    if isinstance(error, OSError):
        reason = (error.strerror or "unknown reason").lower()
        if error.filename is None:
            return (f"error[PE0002]: the output cannot be written: {reason}",)
        return (f"error[PE0002]: `{one_line(str(error.filename))}` cannot be used: {reason}",)
    kind = type(error).__name__
    return (
        f"error[PE0012]: an internal error ({kind}) stopped the run; nothing was decided",
        "  help: set POLICY_ENGINE_DEBUG=1 to see where, and report it with the input that causes it",
    )


def _say(line: str) -> None:
    click.echo(line, err=True)


if __name__ == "__main__":
    main()
