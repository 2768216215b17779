"""``policy-engine lsp`` where the language server is not installed."""

import subprocess
import sys


def test_a_missing_part_is_named_with_what_to_install() -> None:
    program = (
        "import sys; sys.modules['pygls'] = None\n"
        "from policy_engine.cli.lsp import command\n"
        "from policy_engine.model.errors import InputError\n"
        "try:\n    command.main([], standalone_mode=False)\n"
        "except InputError as error:\n    sys.exit('\\n'.join(error.reports))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error[PE0010]: the language server is not installed\n  help: install it with")
    assert done.stdout == ""
