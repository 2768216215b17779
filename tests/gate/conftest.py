"""The example bank, prepared."""

from pathlib import Path

import pytest

from policy_engine.app.inputs import read_inputs
from policy_engine.app.prepare import prepare
from tests.cli.conftest import bank, run  # noqa: F401 - fixtures
from tests.gate.gate_runs import AT


@pytest.fixture(scope="session")
def prepared(bank) -> Path:  # noqa: F811 - the fixture above
    """The estate file of the bank, beside its profile."""
    out = bank / "estate.aipe"
    prepare(read_inputs(bank), bank, out, AT)
    return out
