"""The tests that packs declare: what passes, and what is said of what does not."""

import pytest

from policy_dsl import compile_packs
from policy_dsl.source import SourceFile
from policy_engine.app.policy_tests import run_tests

PACK = """policy p
node Item { flag: Boolean }
node Model { flag: Boolean }
edge uses from Item, Model to Model reverse used_by lineage
evidence audit on Item { score: Integer }
role auditor
rule sound
    applies from 2026-01-01
    for each Item where item.flag is not false
    must every Model upstream of item satisfies model.flag
rule audited for each Item must item has evidence audit signed by auditor not older than 1 month where score > 3
test "a test"
"""
FIVE = (
    "    at 2026-06-15\n    given\n        Item x { flag: true }\n        Model m { flag: false }\n        x uses m\n"
)


def messages(steps: str) -> list[str]:
    program, found = compile_packs([SourceFile("p.policy", PACK + steps)])
    assert [d.message for d in found] == []
    (outcome,) = run_tests(program)
    assert outcome.passed is (not outcome.failures)
    return [failure.message for failure in outcome.failures]


@pytest.mark.parametrize(
    ("expectation", "said"),
    [
        ("fail of sound on x", []),
        ("fail of sound on x because of m", []),
        ("fail of p.sound on x because of m", []),
        ("pass of sound on x", ["expected pass, found fail"]),
        ("unknown of sound on x", ["expected unknown, found fail"]),
        ("fail of sound on x because of x", ["`x` is not among the reasons: m"]),
        ("fail of sound on m", ["`m` is not of a kind that `p.sound` is about"]),
        ("waived of sound on x", ["expected waived, found fail"]),
        ("fail of audited on x because of m", ["`m` is not among the reasons: none"]),
    ],
)
def test_an_expectation_is_met_or_says_what_was_found(expectation, said):
    assert messages(f"{FIVE}    expect {expectation}\n") == said


def test_what_was_found_comes_with_its_reason():
    before = FIVE.replace("2026-06-15", "2025-12-31")
    said = "expected fail, found not_applicable (not in force until 2026-01-01)"
    assert messages(f"{before}    expect fail of sound on x\n") == [said]
    unknown = FIVE.replace("Model m { flag: false }", "Model m")
    said = "expected pass, found unknown (flag of m not stated)"
    assert messages(f"{unknown}    expect pass of sound on x\n") == [said]


def test_every_expectation_is_looked_at():
    steps = f"{FIVE}    expect pass of sound on x\n    expect fail of sound on x\n    expect pass of audited on x\n"
    assert messages(steps) == ["expected pass, found fail", "expected pass, found fail"]


def test_facts_add_up_and_the_instant_moves_on():
    steps = f"""{FIVE}
    given also
        evidence audit on x issued 2026-06-01 expires 2026-06-20 signed by auditor {{ score: 4 }}
    expect pass of audited on x
    at 2026-06-19T23:59:59Z
    expect pass of audited on x
    at 2026-06-20
    expect fail of audited on x
    given also
        evidence audit on x signed by auditor {{ score: 4 }}
    expect pass of audited on x
    at 2026-07-20
    expect fail of audited on x
"""
    assert messages(steps) == []


def test_evidence_counts_only_as_it_is_written():
    for words, status in (
        ("signed by auditor { score: 4 }", "pass"),
        ("signed by auditor { score: 3 }", "fail"),
        ("signed by auditor", "unknown"),
        ("{ score: 4 }", "fail"),
        ("issued 2026-06-16 signed by auditor { score: 4 }", "fail"),
    ):
        steps = f"{FIVE}        evidence audit on x {words}\n    expect {status} of audited on x\n"
        assert messages(steps) == [], words


def test_an_instant_that_comes_too_late_is_said():
    steps = (
        "    given\n        Item x\n        evidence audit on x\n    expect fail of audited on x\n    at 2026-01-01\n"
    )
    assert set(messages(steps)) == {"the first `at` stands after the first fact or expectation"}


def test_an_edge_may_be_written_from_either_end():
    turned = FIVE.replace("x uses m", "m used_by x")
    assert messages(f"{turned}    expect fail of sound on x because of m\n") == []
