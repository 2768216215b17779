"""The example bank, assessed once for all end-to-end tests."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def assessed(tmp_path_factory) -> Path:
    """The bank's folder, and in it ``out/`` with everything that `assess` writes, made by the commands."""
    folder = tmp_path_factory.mktemp("e2e") / "bank"
    shutil.copytree(ROOT / "examples" / "credit-scoring", folder, ignore=shutil.ignore_patterns("generated"))
    environment = {"POLICY_ENGINE_PASSPHRASE": "test passphrase", "PATH": "", "LANG": "C.UTF-8"}
    commands = [
        [sys.executable, str(folder / "make_evidence.py")],
        [
            sys.executable,
            "-m",
            "policy_engine.cli.main",
            "assess",
            ".",
            "--at",
            "2026-11-21",
            "--out",
            "out",
            "--allow-violations",
        ],
    ]
    for command in commands:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return folder
