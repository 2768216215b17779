"""Texts of others on a terminal, output that has nowhere to go, and interruptions at any time."""

import json
import os
import pty
import re
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from errno import ENOMEM
from pathlib import Path
from weakref import ref

import pytest

from policy_engine.cli.memory import letting_go
from policy_engine.model.errors import fault
from policy_engine.model.plain import one_line, shown_json

HOSTILE = "X\x1b[2J\x1b]0;title\x07\x9b31m\u202e\u2066\nFORGED\r\x08Y"
PROGRAM = [sys.executable, "-c", "from policy_engine.cli.entry import main; main()"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    names = {"name": HOSTILE, "description": HOSTILE}
    nodes = [
        {"id": "sys", "kind": "System", **names, "stage": "production", "owner": HOSTILE, "uses_model": ["m"]},
        {"id": "m", "kind": "Model", **names, "version": HOSTILE, "trained_on": ["d"], "supplied_by": ["v"]},
        {"id": "d", "kind": "Dataset", **names},
        {"id": "v", "kind": "Vendor", "name": HOSTILE},
    ]
    inventory = {"inventory": 1, "organisation": HOSTILE, "asserted_by": HOSTILE, "nodes": nodes}
    (tmp_path / "a.json").write_text(json.dumps(inventory))
    nodes[0]["owner"] = "somebody else"
    nodes[2]["name"] = f"{HOSTILE}2"
    (tmp_path / "b.json").write_text(json.dumps(inventory))
    parts = [{"type": "machine-learning-model", "name": "n", "version": HOSTILE, "supplier": {"name": HOSTILE}}]
    bom = {"bomFormat": "CycloneDX", "specVersion": HOSTILE, "metadata": {"authors": [{"name": HOSTILE}]}}
    (tmp_path / "bom.json").write_text(json.dumps(bom | {"components": [*parts, {"type": HOSTILE, "name": HOSTILE}]}))
    (tmp_path / f"{HOSTILE}.json").write_text('{"inventory": 1, "nodes": 7}')
    return tmp_path


@pytest.mark.parametrize(
    "call",
    [
        "inventory bom.json --problems", "inventory a.json bom.json --format csv", "inventory bom.json --format json",
        "check a.json", "check HOSTILE", "check HOSTILE.json", "inventory HOSTILE.json", "check a.json --at HOSTILE",
        "HOSTILE", "forecast a.json", "diff a.json b.json", "what-if a.json --set sys.owner=HOSTILE",
        "what-if a.json --set sys.owner=HOSTILE --format json", "graph HOSTILE a.json --out a.svg",
    ],
)  # fmt: skip
def test_no_text_of_others_moves_the_cursor(call: str, folder: Path) -> None:
    shown = on_terminal([word.replace("HOSTILE", HOSTILE) for word in call.split(" ")], folder)
    plain = re.sub(r"\x1b\[[0-9;?]*[mKlh]", "", shown).replace("\r", "")
    assert plain
    assert [hex(ord(c)) for c in plain if not c.isprintable() and c != "\n"] == []
    # Within quotes, a cell of CSV keeps its lines.
    assert "csv" in call or not any(line.strip().startswith("FORGED") for line in plain.split("\n"))
    assert "Traceback" not in plain
    assert "PE0012" not in plain


def test_the_comment_of_a_snapshot_is_shown_plainly(folder: Path) -> None:
    on_terminal(["snapshot", "import", "a.json", "--store", "s.db", "--comment", HOSTILE], folder)
    shown = on_terminal(["snapshot", "list", "--store", "s.db"], folder) + on_terminal(
        ["snapshot", "show", "--store", "s.db"], folder
    )
    assert "\x1b[2J" not in shown
    assert "\x07" not in shown
    assert shown.count("X·[2J·]0;title·") >= 2


def test_what_is_shown_is_one_line_and_json_says_the_same() -> None:
    assert one_line(HOSTILE).isprintable()
    assert len(one_line("x" * 10_000)) == 1_001
    written = json.dumps([HOSTILE, "\U000e0001"], ensure_ascii=False)
    assert shown_json(written).isprintable()
    assert json.loads(shown_json(written)) == [HOSTILE, "\U000e0001"]
    assert str(fault("PE0001", HOSTILE, HOSTILE, HOSTILE)).count("\n") == 1  # before the help


# Output that has nowhere to go


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("call", ["inventory a.json", "inventory a.json --format csv", "check a.json"])
def test_a_full_disk_is_an_error_and_not_a_short_answer(call: str, unbuffered: str, folder: Path) -> None:
    done = run(call.split(), folder, limited((resource.RLIMIT_FSIZE, 150)), PYTHONUNBUFFERED=unbuffered)
    assert done.returncode == 2
    assert b"error[PE0002]: the output cannot be written" in done.stderr
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr


@pytest.mark.parametrize(
    "call", ["graph sys a.json --out o.svg", "prepare a.json --out o.est", "check a.json --output sarif=o.sarif"]
)
def test_a_full_disk_leaves_nothing_half_written(call: str, folder: Path) -> None:
    done = run(call.split(), folder, limited((resource.RLIMIT_FSIZE, 500)))
    assert done.returncode == 2
    assert re.search(rb"error\[PE\d{4}\]: `o\.\w+` cannot be written", done.stderr)
    assert not [path.name for path in folder.iterdir() if "o.s" in path.name or "o.est" in path.name]


@pytest.mark.parametrize("megabytes", [25, 50, 200, 285, 300, 315])
def test_too_little_memory_is_told(megabytes: int, folder: Path) -> None:
    # Only an inventory that is far too large fills what there is to the last byte.
    nodes = [{"id": f"m{n}", "kind": "Model", "trained_on": ["d"]} for n in range(150_000)]
    (folder / "many.json").write_text(json.dumps({"inventory": 1, "nodes": [*nodes, {"id": "d", "kind": "Dataset"}]}))
    done = run(["inventory", "many.json"], folder, limited((resource.RLIMIT_AS, megabytes * 1_000_000)))
    assert done.returncode == 2
    assert b"error[PE0014]" in done.stderr
    assert b"Traceback" not in done.stderr


def test_what_holds_the_memory_is_let_go_before_it_is_told() -> None:
    class Large:
        pass

    def fill() -> None:
        large = Large()
        held.append(ref(large))
        raise OSError(ENOMEM, "cannot allocate memory") from MemoryError(large)

    held: list[ref[Large]] = []
    with pytest.raises(MemoryError) as told:
        letting_go(fill)()
    assert held[0]() is None
    assert told.value.__context__ is None


# Interruptions


@pytest.mark.parametrize("after", [0.15, 0.5, 1.0])
def test_an_interruption_ends_a_run_without_a_trace(after: float, folder: Path) -> None:
    nodes = [{"id": f"m{n}", "kind": "Model", "trained_on": ["d"]} for n in range(30_000)]
    (folder / "many.json").write_text(json.dumps({"inventory": 1, "nodes": [*nodes, {"id": "d", "kind": "Dataset"}]}))
    started = subprocess.Popen(
        [*PROGRAM, "snapshot", "import", "many.json", "--store", "s.db"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    time.sleep(after)
    started.send_signal(signal.SIGINT)
    _, told = started.communicate(timeout=30)
    assert started.returncode in {0, 130, -signal.SIGINT}
    # Before the first line of ours has run, an interruption is Python's own affair.
    assert b"PE0012" not in told
    assert b"Traceback" not in told or b"policy_engine/cli/main.py" not in told
    kept = run(["snapshot", "verify", "--store", "s.db"], folder)
    assert kept.returncode in {0, 2}
    assert b"CHANGED" not in kept.stdout


# Files that are none


@pytest.mark.parametrize("command", ["inventory", "check", "prepare --out o.aipe", "snapshot import --store s.db"])
def test_pipes_devices_and_links_to_nowhere_are_refused_at_once(command: str, folder: Path) -> None:
    os.mkfifo(folder / "fifo.json")
    (folder / "zero.json").symlink_to("/dev/zero")
    (folder / "gone.json").symlink_to("nowhere")
    (folder / "loop.json").symlink_to("loop.json")
    for name in ("fifo.json", "zero.json", "gone.json", "loop.json"):
        done = run([*command.split(), name], folder, timeout=15)
        assert (done.returncode, done.stderr[:14]) == (2, b"error[PE0001]:"), name


def run(
    arguments: list[str], folder: Path, before: Callable[[], None] | None = None, timeout: int = 60, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    with (folder / "output.txt").open("wb") as output:
        done = subprocess.run(
            [*PROGRAM, *arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.PIPE,
            preexec_fn=before, timeout=timeout, check=False, env=os.environ | environment,
        )  # fmt: skip
    done.stdout = (folder / "output.txt").read_bytes()
    return done


def limited(*limits: tuple[int, int]) -> Callable[[], None]:
    def limit() -> None:
        for which, most in limits:
            resource.setrlimit(which, (most, most))

    return limit


def on_terminal(arguments: list[str], folder: Path) -> str:
    """Return what a person at a terminal would be sent."""
    ours, theirs = pty.openpty()
    started = subprocess.Popen(
        [*PROGRAM, *arguments],
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=os.environ | {"TERM": "xterm"},
    )
    os.close(theirs)
    sent = b""
    while True:
        if not select.select([ours], [], [], 30)[0]:
            started.kill()
            break
        try:
            got = os.read(ours, 65_536)
        except OSError:  # so Linux says that the other end is closed
            break
        if not got:
            break
        sent += got
    os.close(ours)
    started.wait()
    return sent.decode()
