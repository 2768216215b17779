"""The progress bar on a real terminal: after two seconds, erased at the end, and nowhere else. And ``--profile``."""

import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from policy_engine.cli.progress import Stopwatch, profile_lines
from policy_engine.model.progress import counted, silent
from policy_engine.model.results import Result, Status

WORK = """
import sys, time
from policy_engine.cli.progress import progress_bar
with progress_bar() as progress:
    progress.stage("evaluating", 1000)
    end = time.monotonic() + float(sys.argv[1])
    while time.monotonic() < end:
        time.sleep(0.02)
        progress.step("rule", 5)
    if len(sys.argv) > 2:
        raise SystemExit("stopped: " + sys.argv[2])
sys.stderr.write("after")
"""


def _on_terminal(arguments: list[str], **environment: str) -> str:
    """Run a program whose standard error is a terminal, and return what it wrote there."""
    ours, theirs = pty.openpty()
    variables = {"PATH": "", "LANG": "C.UTF-8", "TERM": "xterm", "PYTHONUTF8": "1", **environment}
    with subprocess.Popen(arguments, stderr=theirs, stdout=subprocess.PIPE, env=variables) as program:
        os.close(theirs)
        written = b""
        while True:
            try:
                some = os.read(ours, 4096)
            except OSError:  # a terminal without a program on its other side
                break
            if not some:
                break
            written += some
        program.wait(timeout=30)
    os.close(ours)
    return written.decode()


def _work(seconds: float, *more: str, **environment: str) -> str:
    return _on_terminal([sys.executable, "-c", WORK, str(seconds), *more], **environment)


def test_short_work_shows_nothing() -> None:
    assert _work(0.3) == "after"


def test_long_work_shows_a_bar_and_leaves_nothing() -> None:
    written = _work(2.6)
    assert re.search(r"\revaluating  .*━.*─.*  ?\d+%  \d+ of 1,000  2 s\x1b\[K", written)
    assert "\x1b[36m" in written
    assert written.endswith("\r\x1b[Kafter")


def test_a_bar_is_erased_when_work_stops_half_way() -> None:
    written = _work(2.4, "full disk")
    assert re.search(r"\r\x1b\[Kstopped: full disk", written)


def test_no_colour_where_none_is_wanted() -> None:
    written = _work(2.4, NO_COLOR="1")
    assert "━" in written
    assert "\x1b[36m" not in written


def test_a_terminal_that_cannot_move_its_cursor_gets_plain_lines() -> None:
    assert _work(2.6, TERM="dumb").replace("\r\n", "\n") == "evaluating …\nafter"


def test_a_narrow_terminal_is_not_overrun() -> None:
    for line in re.findall(r"\r([^\r]*)\x1b\[K", _work(2.4)):
        assert len(re.sub(r"\x1b\[[0-9;]*m", "", line)) < 80


def test_nothing_is_drawn_where_there_is_no_terminal() -> None:
    done = subprocess.run([sys.executable, "-c", WORK, "2.3"], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "after")


def test_work_ends_at_once() -> None:
    # The thread that draws is woken, not waited for.
    start = time.monotonic()
    assert _work(0.0) == "after"
    assert time.monotonic() - start < 2.0


def test_a_profile_gives_time_to_stages_and_rules() -> None:
    watch = Stopwatch()
    watch.stage("loading")
    time.sleep(0.02)
    watch.stage("evaluating", 3)
    for rule in ("a", "a", "b"):
        time.sleep(0.01)
        watch.step(rule)
    results = [Result("a", "x", Status.FAIL), Result("a", "y", Status.PASS), Result("b", "x", Status.UNKNOWN)]
    profile = watch.profile(results)
    assert [stage.stage for stage in profile.stages] == ["loading", "evaluating"]
    assert {row.rule: (row.subjects, row.findings) for row in profile.rules} == {"a": (2, 1), "b": (1, 1)}
    by_rule = sum(row.seconds for row in profile.rules)
    assert 0.03 <= by_rule <= profile.stages[1].seconds
    assert [row.rule for row in profile.slowest()] == ["a", "b"]
    lines = [*profile_lines(profile)]
    assert lines[1].startswith("loading")
    assert lines[-1].startswith("b ")


def test_what_is_counted_is_passed_on_to_other_listeners() -> None:
    heard: list[tuple[object, ...]] = []

    class Listener:
        def stage(self, name: str, total: int | None = None) -> None:
            heard.append((name, total))

        def step(self, part: str = "", count: int = 1) -> None:
            heard.append((part, count))

    assert list(counted("ab", "reading", 2, Stopwatch(Listener()))) == ["a", "b"]
    assert heard == [("reading", 2), ("", 1), ("", 1)]
    assert list(counted("ab", "reading", 2, silent)) == ["a", "b"]


def test_check_prints_a_profile_on_standard_error_and_nothing_else_changes(run, bank: Path) -> None:
    arguments = ("check", bank, "--at", "2026-11-21")
    plain, measured = run(*arguments), run(*arguments, "--profile")
    assert (measured.code, measured.out) == (plain.code, plain.out)
    assert plain.err == ""
    words = [line.split()[0] for line in measured.err.splitlines() if line]
    assert words[:7] == ["stage", "reading", "compiling", "loading", "verifying", "evaluating", "all"]
    rules = words[8:]
    assert len(rules) == len(set(rules)) > 20
    assert "example_bank.model_risk.models_owned" in rules


@pytest.mark.parametrize("command", ["check", "assess"])
def test_commands_on_a_terminal_say_what_they_say_elsewhere(bank: Path, tmp_path: Path, command: str) -> None:
    arguments = [sys.executable, "-m", "policy_engine.cli.main", command, str(bank), "--at", "2026-11-21"]
    out = ["--out", str(tmp_path)] if command == "assess" else []
    written = _on_terminal([*arguments, *out], POLICY_ENGINE_PASSPHRASE="test passphrase", POLICY_ENGINE_CACHE="off")
    shown = re.sub(r"\r[^\r]*\x1b\[K", "", written)
    assert shown == ""
