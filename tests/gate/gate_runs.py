"""What the tests of the gate share: the instant, and a run in a process of its own."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

AT = datetime(2026, 11, 21, tzinfo=UTC)
AT_TEXT = "2026-11-21"

_START = """
import json, os, sys
leave = os._exit
def say(code):
    sys.stderr.write("\\n" + json.dumps(sorted(sys.modules)))
    sys.stderr.flush()
    leave(code)
os._exit = say
from policy_engine.cli.entry import main
main()
"""


def modules_of_a_gate(*arguments: object) -> tuple[int, str, set[str]]:
    """Run the gate as its user does, and return its exit code, its output and the modules that it has loaded."""
    command = [sys.executable, "-c", _START, "gate", *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env={**os.environ})
    return ran.returncode, ran.stdout, set(json.loads(ran.stderr.splitlines()[-1]))


def entry(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run ``policy-engine`` in a process of its own."""
    command = [sys.executable, "-m", "policy_engine.cli.entry", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=cwd)
