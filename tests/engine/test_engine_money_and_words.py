"""Money in sets and below zero, and words of an enumeration as arguments of definitions."""

from policy_dsl import compile_bytes
from policy_engine.app.policy_tests import run_tests
from policy_engine.packs.library import select

PACK = b"""policy m
use std.ai
extend node System { price: Money }
define at_stage(s: System, w: Stage) as s.stage is w
rule a
    for each System
    must system.price > -5 EUR and at_stage(system, production)
rule b
    for each System
    must system.price in {10 USD, 11 EUR}
test "prices"
    at 2027-01-01
    given
        System s { price: <p>, stage: production }
    expect <a> of a on s
    expect <b> of b on s
    cases
        p       a        b
        10 EUR  pass     unknown
        11 EUR  pass     pass
        -6 EUR  fail     unknown
        10 USD  unknown  pass
"""


def test_what_they_mean():
    program, found = compile_bytes({**select(["std.ai"], {}).files, "m.policy": PACK})
    assert found == ()
    assert [(o.test.name, o.failures) for o in run_tests(program) if not o.passed] == []


def test_a_word_of_another_enumeration_is_reported_once():
    text = PACK.replace(b"at_stage(system, production)", b"at_stage(system, deployer)")
    _, found = compile_bytes({**select(["std.ai"], {}).files, "m.policy": text})
    assert [d.code for d in found] == ["PE2011"]
