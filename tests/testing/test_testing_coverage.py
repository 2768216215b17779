"""Coverage by clause: what was seen, what was not, and what nobody asks for."""

import json
from pathlib import Path

from policy_dsl import compile_bytes
from policy_engine.app.policy_tests import run_tests
from policy_engine.app.testing.coverage import Coverage, coverage_of
from policy_engine.app.testing.documents import coverage_json
from tests.testing.small_world import FILE, pack, rule

GOLDEN = Path(__file__).with_name("coverage_golden.json")


def covered(*parts: str) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Return possible and seen states of the clauses of ``r`` by their text."""
    program, found = compile_bytes(pack(*parts))
    assert not found
    outcomes = run_tests(program)
    assert all(o.passed for o in outcomes)
    result = coverage_of(program, frozenset({"world"}), (c for o in outcomes for c in o.cases))
    text = program.files[FILE].text
    return {
        text[c.span.start : c.span.end]: (c.possible, c.seen)
        for item in result
        for c in item.clauses
        if item.name == "world.r"
    }


def given(facts: str, expect: str, at: str = "2028-01-01") -> str:
    """Return a test."""
    lines = "\n".join(f"        {line.strip()}" for line in facts.strip().splitlines())
    return f'test "t"\n    at {at}\n    given\n{lines}\n    expect {expect}\n'


ALL = ("true", "false", "unknown")


def test_short_circuits_hide_no_operand() -> None:
    seen = covered(
        rule("system.legacy and system.risk < 3"),
        given("System s { legacy: false, risk: 1 }", "fail of r on s"),
    )
    assert seen["system.legacy"] == (("true", "false"), ("false",))
    assert seen["system.risk < 3"] == (ALL, ("true",))
    assert seen["system.legacy and system.risk < 3"] == (ALL, ("false",))


def test_a_clause_out_of_reach_is_not_seen() -> None:
    """An exception of a thing out of scope, a requirement of an excepted thing, a rule not yet in force."""
    text = rule("system.risk < 3", scope="system.legacy", clauses="    except x when system.score > 0.5\n")
    seen = covered(
        text,
        given("System s { legacy: false, risk: 1, score: 0.9 }", "not_applicable of r on s"),
        given("System s { legacy: true, risk: 1, score: 0.9 }", "not_applicable of r on s").replace('"t"', '"u"'),
        given("System s { legacy: true, risk: 9 }", "not_applicable of r on s", "2026-12-31").replace('"t"', '"v"'),
    )
    assert seen["system.legacy"][1] == ("true", "false")
    assert seen["system.score > 0.5"][1] == ("true",)
    assert seen["system.risk < 3"][1] == ()


def test_only_possible_states_are_asked_for() -> None:
    seen = covered(
        rule(
            "system.risk is known and system.risk > 1 and system.legacy and system has evidence audit\n"
            "        and system has evidence audit where passed and today < 2030-01-01\n"
            "        and (system.score if unknown then 0.5) > 0.1 and system.cost <= 5 EUR\n"
            "        and (count of Model in system.uses) > 1\n"
            "        and (max of m.accuracy over Model as m in system.uses) > 0.5\n"
            "        and grade of latest evidence audit on system > 1"
        ),
        given("System s", "fail of r on s"),
    )
    two = {text for text, (possible, _) in seen.items() if possible == ("true", "false")}
    assert two == {
        "system.risk is known",
        "system.legacy",
        "system has evidence audit",
        "today < 2030-01-01",
        "(system.score if unknown then 0.5) > 0.1",
        "(count of Model in system.uses) > 1",
    }


def test_an_attribute_that_is_asked_for_first_is_not_unknown_there() -> None:
    guarded = "system.risk is known and system.risk > 1"
    seen = covered(rule(guarded), given("System s", "fail of r on s"))
    assert seen[guarded][0] == ("true", "false")
    assert seen["system.risk > 1"] == (ALL, ("unknown",))


def test_quantifiers_show_their_conditions_for_each_thing() -> None:
    seen = covered(
        rule(
            "every Dataset upstream of system not through (Filter where filter.masks) where dataset.personal\n"
            "            has evidence audit where passed"
        ),
        given(
            """System s
            Model m
            Dataset a { personal: true }
            Dataset b { personal: false }
            Filter f { masks: true }
            Dataset c
            s uses m
            m trained_on a
            m trained_on b
            b derived_from f
            f derived_from c
            evidence audit on a { passed: true }""",
            "pass of r on s",
        ),
    )
    assert seen["filter.masks"] == (ALL, ("true",))
    assert seen["dataset.personal"] == (ALL, ("true", "false"))
    assert seen["has evidence audit where passed"] == (ALL, ("true", "false"))
    assert seen["passed"] == (ALL, ("true",))


def test_aggregates_implications_and_must_not_have_clauses_too() -> None:
    seen = covered(
        rule("if system.legacy then (count of Model in system.uses where model.open) > 0"),
        given("System s { legacy: true }\nModel m { open: true }\ns uses m", "pass of r on s"),
    )
    assert seen["system.legacy"][1] == ("true",)
    assert seen["model.open"] == (ALL, ("true",))
    text = rule("X").replace("must\n        X", "must not\n        system.legacy or system.risk > 1")
    assert covered(text, given("System s { risk: 1 }", "pass of r on s"))["system.risk > 1"][1] == ("false",)


def test_definitions_are_covered_wherever_they_are_used() -> None:
    parts = (
        'define risky(system: System)\n    "x"\n    as system.risk > 3\n',
        rule("every System as other in system.calls satisfies not risky(other)"),
        given("System s\nSystem t { risk: 4 }\ns calls t", "fail of r on s because of t"),
    )
    program, _ = compile_bytes(pack(*parts))
    result = coverage_of(program, frozenset({"world"}), (c for o in run_tests(program) for c in o.cases))
    found = {c.name: c for c in result}
    assert found["world.risky"].clauses[0].seen == ("true",)
    assert found["world.risky"].clauses[0].missing == ("false", "unknown")


def test_the_document_is_as_agreed() -> None:
    parts = (
        rule("system.risk < 3 or system has evidence audit", scope="system.stage is production"),
        given("System s { stage: production, risk: 9 }", "fail of r on s"),
    )
    program, _ = compile_bytes(pack(*parts))
    result: tuple[Coverage, ...] = coverage_of(
        program, frozenset({"world"}), (c for o in run_tests(program) for c in o.cases)
    )
    data = coverage_json(result, program)
    assert data.decode() == GOLDEN.read_text(encoding="utf-8")
    document = json.loads(data)
    assert document["rules"][0]["seen"] == sum(
        len(set(c["possible"]) & set(c["seen"])) for c in document["rules"][0]["clauses"]
    )


def test_packs_that_are_not_asked_about_are_left_out() -> None:
    program, _ = compile_bytes(pack(rule("system.legacy"), given("System s { legacy: true }", "pass of r on s")))
    assert coverage_of(program, frozenset(), ()) == ()
