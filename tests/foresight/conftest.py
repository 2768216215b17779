"""The example bank and the command, as in the tests of the command line."""

from tests.cli.conftest import bank, passphrase, run

__all__ = ["bank", "passphrase", "run"]
