"""The example bank, and the command run in this process."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from policy_engine.cli.main import main

EXAMPLE = Path(__file__).parents[2] / "examples" / "credit-scoring"


@dataclass(frozen=True)
class Ran:
    """What a command printed and answered."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys) -> Callable[..., Ran]:
    """Run ``policy-engine`` with arguments; a traceback fails the test."""

    def ran(*arguments: object) -> Ran:
        with pytest.raises(SystemExit) as stop:
            main([str(a) for a in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        assert "PE0012" not in captured.err, captured.err
        return Ran(int(stop.value.code or 0), captured.out, captured.err)

    return ran


@pytest.fixture(scope="session")
def made_bank(tmp_path_factory) -> Path:
    """The example bank with fresh keys and evidence."""
    folder = tmp_path_factory.mktemp("watched") / "bank"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("generated"))
    sys.path.insert(0, str(folder))
    try:
        import make_evidence
    finally:
        sys.path.pop(0)
    make_evidence.make(folder / "generated", b"test passphrase")
    return folder


@pytest.fixture
def bank(made_bank, tmp_path) -> Path:
    """A copy of it that a test may change."""
    return Path(shutil.copytree(made_bank, tmp_path / "bank"))
