"""What the linter takes for constant is constant, and what only looks like it is left alone."""

import pytest

from policy_dsl.diagnostics import Diagnostics
from policy_dsl.lint import RULES, lint_sources
from policy_dsl.lint.sample import condition
from policy_dsl.lint.truth import never_false, never_true
from policy_dsl.source import SourceFile
from policy_dsl.syntax.parser import parse

NEVER_TRUE = [
    "false",
    "not true",
    "1 > 2",
    '"a" is "b"',
    "x.a in {}",
    "x.a < x.a",
    "x.a is not x.a",
    "x.a > 3 and x.a < 2",
    "x.a > 3 and x.a <= 3",
    "x.day >= 2027-01-02 and x.day < 2027-01-01",
    "x.stage is retired and x.stage is production",
    "x.stage is retired and x.stage in {staging, production}",
    "x.stage in {staging} and x.stage is not staging",
    "x.stage is unknown and x.stage is retired",
    "x.flag and not x.flag",
    "x.flag and x.flag is false",
    "x.a is known and x.a is unknown",
    "x.a between 5 and 3",
    "x.b and (x.c and false)",
    "not (x.flag or not x.flag)",
    "(x.a > 3 and x.a < 2) or false",
]
NEVER_FALSE = [
    "true",
    "1 < 2",
    "x.a is x.a",
    "x.a not in {}",
    "x.a is known or x.a is unknown",
    "x.flag or not x.flag",
    "x.a < 3 or x.a >= 3",
    "x.stage is not retired or x.stage is not production",
    "at least 0 Thing",
    "if x.a > 3 and x.a < 2 then x.b",
    "if x.b then true",
]
OPEN = [
    "x.a > 2 and x.a < 3",
    "x.a >= 3 and x.a <= 3",
    "x.stage is retired and y.stage is production",
    "x.stage is retired or x.stage is production",
    "x.stage in {staging, production} and x.stage is not staging",
    "x.tags contains red and x.tags contains blue",
    "x.flag and y.flag",
    "x.a is known and x.a > 3",
    "x.a > 3 or x.a < 2",
    "x.keep is 1 month or x.keep is 30 days",
    "some Thing in x.made_of where thing.flag and not x.flag",
    "not (x.a > 2 and x.a < 3)",
    "no Thing satisfies thing.flag",
]


@pytest.mark.parametrize("text", NEVER_TRUE)
def test_never_true(text):
    assert never_true(condition(text))
    assert not never_false(condition(text))


@pytest.mark.parametrize("text", NEVER_FALSE)
def test_never_false(text):
    assert never_false(condition(text))
    assert not never_true(condition(text))


@pytest.mark.parametrize("text", OPEN)
def test_open(text):
    assert not never_true(condition(text))
    assert not never_false(condition(text))


def test_two_parameters_may_be_equal():
    schema = 'policy s\n    version "1.0.0"\nnode Thing { level: Integer }\n'
    text = """policy own
    version "1.0.0"
use s
parameter low: Integer = 1
parameter high: Integer = 2
define odd(thing: Thing) as thing.level is low and thing.level is high
"""
    sources = [SourceFile("s.policy", schema), SourceFile("own.policy", text)]
    constant = [r for r in RULES if r.name == "constant-condition"]
    assert not lint_sources(sources, {"own.policy"}, constant).found
    literal = SourceFile("own.policy", text.replace("is low", "is 1").replace("is high", "is 2"))
    assert len(lint_sources([sources[0], literal], {"own.policy"}, constant).found) == 1


def test_samples_parse():
    for text in [*NEVER_TRUE, *NEVER_FALSE, *OPEN]:
        found = Diagnostics()
        parse(SourceFile("a", f"define d() as {text}"), found)
        assert not found.has_errors, text
