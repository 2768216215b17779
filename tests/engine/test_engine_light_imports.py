"""What a cold start loads: each part of the project brings only the libraries that it needs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COLD = {**os.environ, "POLICY_ENGINE_CACHE": "off"}
INVENTORY = "inventory: 1\nasserted_by: the office\nnodes:\n  - id: scorer\n    kind: Model\n    name: Scorer\n"
POLICY = "policy own\nuse std.ai\nrule owned for each Model must model.owner is known\n"


def loaded(program: str, *arguments: str, code: int = 0) -> set[str]:
    """Run a program in a new process, and return the top-level modules that it has loaded at its end."""
    end = "import atexit, json, sys; atexit.register(lambda: print('\\n' + json.dumps(sorted(sys.modules))))\n"
    command = [sys.executable, "-c", end + program, *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=ROOT, env=COLD)
    assert ran.returncode == code, ran.stdout + ran.stderr
    return {name.partition(".")[0] for name in json.loads(ran.stdout.splitlines()[-1])}


@pytest.mark.parametrize(
    ("module", "needless"),
    [
        ("policy_dsl", {"pydantic", "networkx", "yaml", "cryptography", "policy_engine", "policy_evidence", "click"}),
        ("policy_evidence", {"networkx", "lark", "policy_dsl", "policy_engine", "reportlab", "click"}),
        ("policy_engine", {"networkx", "reportlab", "pikepdf", "pyhanko", "lark", "pydantic", "cryptography"}),
        ("policy_engine.evaluation.point.evaluate", {"networkx", "reportlab", "pikepdf", "pyhanko", "click"}),
        (
            "policy_engine.cli.gating",
            {"lark", "pydantic", "networkx", "numpy", "duckdb", "click", "cryptography", "yaml"},
        ),
    ],
)
def test_importing_brings_only_what_is_needed(module, needless):
    assert not loaded(f"import {module}") & needless


def test_the_gate_loads_neither_graphs_nor_documents(tmp_path):
    inventory, policy = tmp_path / "inventory.yaml", tmp_path / "own.policy"
    inventory.write_text(INVENTORY, encoding="utf-8")
    policy.write_text(POLICY, encoding="utf-8")
    program = "import sys\nfrom policy_engine.cli.main import main\nmain(sys.argv[1:])"
    modules = loaded(program, "check", str(inventory), "--pack", str(policy), "--at", "2026-06-15", code=1)
    assert "policy_engine" in modules
    assert not modules & {"networkx", "reportlab", "pikepdf", "pyhanko", "PIL", "fontTools", "duckdb", "numpy", "pygls"}
