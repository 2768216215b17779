"""A verdict that nobody could read is no pass, and a waiver counts in each of its times as a check counts it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from policy_dsl import compile_bytes
from policy_dsl.pieces import to_pieces
from policy_engine.app.gate import GATE_FORMAT, ask
from policy_engine.lineage.columns.reader import EstateFile
from policy_engine.lineage.columns.table import Texts
from policy_engine.lineage.columns.writer import write_estate
from policy_engine.lineage.errors import LineageError
from policy_engine.lineage.graph import Node, Snapshot
from policy_engine.model.results import Status
from tests.gate.gate_runs import AT, AT_TEXT

GATE = [sys.executable, "-m", "policy_engine.cli.entry", "gate"]
POLICY = b"""
policy pack
node Model { owner: Text }
rule owned
    for each Model
    must model.owner is known
    otherwise "{model} has no owner"
"""


def test_a_reader_that_goes_away_does_not_let_a_failure_pass(prepared):
    reading, writing = os.pipe()
    os.close(reading)
    command = [*GATE, str(prepared), "customer-assistant", "--at", AT_TEXT]
    ran = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False, timeout=60)
    os.close(writing)
    assert (ran.returncode, ran.stderr) == (1, b"")


@pytest.mark.skipif(os.name == "nt", reason="a POSIX shell closes the output")
@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-"])
@pytest.mark.parametrize(("subject", "code"), [("customer-assistant", 1), ("consumer-scorecard", None), ("x", 2)])
def test_an_output_that_is_closed_changes_no_answer(prepared, closed, subject, code):
    command = [*GATE, str(prepared), subject, "--at", AT_TEXT]
    spoken = subprocess.run(command, capture_output=True, check=False, timeout=60)
    silent = subprocess.run(
        ["sh", "-c", f'"$@" {closed}', "sh", *command], stderr=subprocess.PIPE, check=False, timeout=60
    )
    assert silent.returncode == spoken.returncode == (spoken.returncode if code is None else code)
    assert b"Traceback" not in silent.stderr
    assert b"PE0012" not in silent.stderr


def an_estate(place: Path, **said) -> EstateFile:
    """Make an estate file of one model without an owner, and say something of one's own to its gate."""
    program, _ = compile_bytes({"pack.policy": POLICY})
    index, pieces = to_pieces(program)
    gate = {"format": GATE_FORMAT, "enforcement": {}, "waivers": [], "rejected": [], "unjudged": 0, **said}
    documents = {"program": index, "gate": json.dumps(gate).encode()}
    estate = Snapshot.build([Node("scorer", "Model")])
    write_estate(place / "e.aipe", estate, None, documents, {"program.piece": Texts.of(pieces)})
    return EstateFile.open(str(place / "e.aipe"))


def a_waiver(start: str, end: str, roles: list[str], refusal: str | None) -> dict[str, object]:
    """A waiver as it stands in an estate file; all are of one signed file."""
    return {
        "digest": "sha256:" + "0" * 64,
        "rule": "pack.owned",
        "subject": "scorer",
        "reason": "a pilot",
        "approver": "Ada",
        "ticket": None,
        "issued": "2026-01-01T00:00:00Z",
        "from": start,
        "until": end,
        "roles": roles,
        "refusal": refusal,
    }


def test_a_waiver_that_is_refused_after_a_revocation_counts_before_it(tmp_path):
    turn = "2027-01-01T00:00:00Z"
    accepted = a_waiver("2026-01-01T00:00:00Z", turn, ["owner", "officer"], None)
    refused = a_waiver(turn, "2028-01-01T00:00:00Z", ["owner"], "the profile accepts waivers signed as officer only")
    with an_estate(tmp_path, waivers=[accepted, refused]) as file:
        (result,) = ask(file, ["scorer"], AT).results
        assert result.status is Status.WAIVED
        (result,) = ask(file, ["scorer"], AT.replace(year=2027)).results
        assert result.status is Status.FAIL


def test_an_instant_without_a_time_zone_is_damage(tmp_path):
    with (
        an_estate(tmp_path, relied_until="2030-01-01T00:00:00") as file,
        pytest.raises(LineageError, match="no time zone"),
    ):
        ask(file, ["scorer"], AT)
