"""The examples in the modules of the language and the engine do what they say."""

import doctest
from importlib import import_module
from pkgutil import walk_packages

import policy_dsl
import policy_engine


def test_examples_of_all_modules():
    tried = 0
    for package in (policy_dsl, policy_engine):
        for found in walk_packages(package.__path__, f"{package.__name__}."):
            if found.name.rpartition(".")[2] == "__main__":
                continue
            outcome = doctest.testmod(import_module(found.name))
            assert outcome.failed == 0, found.name
            tried += outcome.attempted
    assert tried > 20
