"""The example bank, and estate files of it."""

from tests.cli.conftest import bank, run  # noqa: F401 - fixtures
from tests.gate.conftest import prepared  # noqa: F401 - as above
