"""The command: what it prints, when it ends, and with which exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from policy_engine.app.watch_events import MAX_EVENT_BYTES
from policy_engine.app.watch_files import look

STATED = '{"change": "attribute_set", "id": "embedder", "attribute": "stage", "value": "production"}\n'
UNSTATED = '{"change": "attribute_set", "id": "embedder", "attribute": "stage", "value": null}\n'


def _events(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "events.ndjson"
    path.write_text("".join(lines))
    return path


def test_events_of_a_file(run, bank, tmp_path):
    ran = run("watch", bank, "--at", "2026-11-21", "--events", _events(tmp_path, STATED, "\n", UNSTATED))
    assert ran.code == 1
    assert ran.err == ""
    assert ran.out.count("models_owned on embedder") == 2
    assert "unknown → fail" in ran.out and "fail → unknown" in ran.out
    assert "because `stage` of embedder is production, was not stated" in ran.out


def test_lines_of_json_are_the_same_every_time(run, bank, tmp_path):
    events = _events(tmp_path, STATED)
    first, again = (
        run("watch", bank, "--at", "2026-11-21", "--events", events, "--format", "ndjson") for _ in range(2)
    )
    assert first.out == again.out
    lines = [json.loads(line) for line in first.out.splitlines()]
    assert [line["line"] for line in lines] == ["standing", "result", "standing"]
    assert {line["format"] for line in lines} == {"urn:ai-policy-engine:watch:v1"}
    assert (lines[1]["from"], lines[1]["to"], lines[1]["worse"]) == ("unknown", "fail", True)
    assert lines[2]["counts"]["fail"] == lines[0]["counts"]["fail"] + 1


def test_a_bad_event_is_said_and_the_rest_goes_on(run, bank, tmp_path):
    events = _events(tmp_path, "{\n", STATED, '{"change": "node_removed", "id": "nobody"}\n')
    ran = run("watch", bank, "--at", "2026-11-21", "--events", events)
    assert ran.code == 2
    assert "events:1" in ran.err and "error[PE3820]" in ran.err
    assert "events:3: error[PE3801]: there is no `nobody`" in ran.err
    assert "unknown → fail" in ran.out


def test_an_event_without_end_is_refused_and_the_next_is_read(run, bank, tmp_path):
    endless = '{"change": "' + "x" * 2 * MAX_EVENT_BYTES + '"}\n'
    ran = run("watch", bank, "--at", "2026-11-21", "--events", _events(tmp_path, endless, STATED, "{}"))
    assert ran.err.splitlines()[0] == f"events:1: error[PE3822]: the event is longer than {MAX_EVENT_BYTES} bytes"
    assert "events:3: error[PE3821]" in ran.err
    assert "unknown → fail" in ran.out


def test_the_exit_code_is_that_of_a_check(run, bank, tmp_path):
    events = _events(tmp_path)
    for options in (("--fail-on", "critical"), ("--fail-on", "low")):
        checked = run("check", bank, "--at", "2026-11-21", *options).code
        assert run("watch", bank, "--at", "2026-11-21", "--events", events, *options).code == checked


def test_bad_use(run, bank, tmp_path):
    for arguments, code in (
        ((bank, "--events", tmp_path / "none"), "PE0001"),
        ((tmp_path / "none",), "PE0001"),
        ((bank, "--at", "soon"), "PE0005"),
    ):
        ran = run("watch", *arguments)
        assert (ran.code, code in ran.err) == (2, True), ran


def test_files_are_followed_and_what_is_half_written_is_not_fatal(run, bank):
    inventory = bank / "inventory.yaml"
    whole = inventory.read_text()
    better = whole.replace("ends: 2026-09-30", "ends: 2027-09-30")

    def write() -> None:
        for text in (whole[:5000], better, better, whole):
            time.sleep(0.7)
            inventory.write_text(text)

    writer = threading.Thread(target=write)
    writer.start()
    ran = run("watch", bank, "--at", "2026-11-21", "--interval", "0.1", "--until-idle", "2")
    writer.join()
    assert ran.code == 1
    assert ran.out.count("because `ends` of hosting-contract is") == 2
    assert ran.out.index("fail → pass") < ran.out.index("pass → fail")
    assert ran.err.count("inventory.yaml") == 1


def test_files_that_stay_broken_are_an_exit_code(run, bank):
    def write() -> None:
        time.sleep(0.5)
        (bank / "policies" / "bank.policy").write_text("policy")

    writer = threading.Thread(target=write)
    writer.start()
    ran = run("watch", bank, "--at", "2026-11-21", "--interval", "0.1", "--until-idle", "1.5")
    writer.join()
    assert ran.code == 2
    assert "error[PE1" in ran.err


def test_new_files_are_seen(bank):
    before = look(bank)
    assert {Path(name).name for name, *_ in before} >= {"profile.toml", "inventory.yaml", "trust.yaml", "bank.policy"}
    (bank / "bom" / "new.json").write_text("{}")
    assert {Path(name).name for name, *_ in look(bank) - before} == {"new.json"}
    (bank / "profile.toml").write_text("profile = ")
    assert {Path(name).name for name, *_ in look(bank)} == {"profile.toml"}
    assert look(bank / "none") == frozenset()


@pytest.mark.skipif(os.name == "nt", reason="there is no such signal")
@pytest.mark.parametrize("events", [(), ("--events", "-")])
def test_an_interruption_ends_it_cleanly(bank, events):
    command = [sys.executable, "-m", "policy_engine.cli.main", "watch", str(bank), "--interval", "0.1", *events]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline().startswith("NOT COMPLIANT at ")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 1
        assert process.stderr.read() == ""


def test_events_come_through_a_pipe_as_they_happen(bank):
    command = [
        sys.executable,
        "-m",
        "policy_engine.cli.main",
        "watch",
        str(bank),
        "--at",
        "2026-11-21",
        "--events",
        "-",
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline().startswith("NOT COMPLIANT")
        process.stdin.write(STATED)
        process.stdin.flush()
        # The answer comes before the input ends.
        answer = [process.stdout.readline() for _ in range(3)]
        assert "models_owned on embedder" in answer[2]
        process.stdin.close()
        process.stdout.read()
        assert process.wait(timeout=20) == 1


@pytest.mark.skipif(os.name == "nt", reason="a POSIX shell closes the input")
def test_an_input_that_is_closed_is_said(bank):
    command = [sys.executable, "-m", "policy_engine.cli.main", "watch", str(bank), "--events", "-"]
    ran = subprocess.run(["sh", "-c", '"$@" <&-', "sh", *command], capture_output=True, text=True, timeout=60)
    assert (ran.returncode, "error[PE0001]: `-` cannot be read" in ran.stderr) == (2, True)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="no file here opens and cannot be read")
def test_events_that_cannot_be_read_on_do_not_end_well(run, bank):
    ran = run("watch", bank, "--at", "2026-11-21", "--events", "/proc/self/mem", "--until-idle", "10")
    assert (ran.code, "error[PE0002]" in ran.err) == (2, True)


@pytest.mark.parametrize("name", ["a\x1b[2Jb", "a\u202eb", " a", "a" * 2000])
def test_a_thing_cannot_have_a_name_that_a_terminal_obeys(run, bank, tmp_path, name):
    events = _events(tmp_path, json.dumps({"change": "node_added", "id": name, "kind": "Model"}) + "\n")
    ran = run("watch", bank, "--at", "2026-11-21", "--events", events)
    assert (ran.code, "events:1: error[PE3124]" in ran.err) == (2, True)
    assert name not in ran.out + ran.err or name == " a"


def test_a_trust_file_whose_name_looks_like_a_pattern_is_looked_at(bank):
    profile = bank / "profile.toml"
    trust = bank / "generated" / "trust[1].yaml"
    trust.write_bytes((bank / "generated" / "trust.yaml").read_bytes())
    profile.write_text(profile.read_text().replace("generated/trust.yaml", "generated/trust[1].yaml"))
    assert str(trust) in {name for name, *_ in look(bank)}
