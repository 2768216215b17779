"""Where ``policy-engine`` starts: a well-formed call of the gate is answered at once; all else is for ``cli.main``."""

import os
import sys
from typing import NoReturn


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run a command."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["gate"]:
        from policy_engine.cli.gating import answer, parse

        request = parse(given[1:])
        if request is not None:
            try:
                code = answer(request)
            except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - `stop` is the last line of defence
                from policy_engine.cli.main import stop

                code = stop(error)
            sys.stdout.flush()
            sys.stderr.flush()
            # Taking every module apart first takes longer than most of the work did.
            os._exit(code)
    from policy_engine.cli.main import main as run

    run(arguments)


if __name__ == "__main__":
    main()
