"""Running the command in this process, as its user would."""

import shutil
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


Run = Callable[..., Ran]


@pytest.fixture
def run(capsys, monkeypatch) -> Run:
    """Run ``policy-engine`` with arguments; a traceback fails the test."""
    monkeypatch.delenv("POLICY_ENGINE_DEBUG", raising=False)

    def ran(*arguments: object) -> Ran:
        with pytest.raises(SystemExit) as stop:
            main([str(a) for a in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        assert "PE0012" not in captured.err, captured.err
        return Ran(int(stop.value.code or 0), captured.out, captured.err)

    return ran


@pytest.fixture(scope="session")
def bank(tmp_path_factory) -> Path:
    """A copy of the example bank with fresh keys and evidence."""
    import sys

    folder = tmp_path_factory.mktemp("bank") / "credit-scoring"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("generated"))
    sys.path.insert(0, str(folder))
    try:
        import make_evidence
    finally:
        sys.path.pop(0)
    make_evidence.make(folder / "generated", b"test passphrase")
    return folder


@pytest.fixture
def passphrase(monkeypatch) -> None:
    """The passphrase of the bank's keys, where the command looks for it."""
    monkeypatch.setenv("POLICY_ENGINE_PASSPHRASE", "test passphrase")
