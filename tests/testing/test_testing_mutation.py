"""Every kind of change is made, survives tests that say nothing, and is killed by the test that is suggested."""

import pytest

from policy_dsl import compile_bytes
from policy_dsl.diagnostics import Severity, render_text
from policy_engine.app.policy_tests import run_tests
from policy_engine.app.testing.mutation import Fate, Laboratory, judge
from tests.testing.small_world import FILE, IDLE, IDLE_RULE, pack, rule

PACKS = frozenset({"world"})

# Declarations, and changes to them that must be found. Together they show every kind of change.
CASES = {
    "operands": (
        rule("system.risk < 3 or system.legacy or system.stage is planning"),
        {
            "`system.risk < 3` left out",
            "`system.legacy` left out",
            "`system.stage is planning` left out",
            "`or` became `and`",
            "`<` became `<=`",
            "`<` became `>=`",
            "`is` became `is not`",
            "`planning` became `testing`",
            "`3` raised",
            "`3` lowered",
            "condition turned round",
        },
    ),
    "groups": (
        rule("(system.risk < 3 or (system.legacy)) and not (system.score > 0.5 and system.risk is known)"),
        {"`and` became `or`", "`or` became `and`", "`not` left out", "`0.5` raised", "became `is unknown`"},
    ),
    "scope": (
        rule("system.legacy", scope="system.stage in {testing, production} and system.risk >= 2"),
        {
            "the scope left out",
            "`in` became `not in`",
            "`testing` left out of the set",
            "`production` left out of the set",
            "`testing` became `planning`",
            "`>=` became `>`",
        },
    ),
    "exception": (
        rule(
            "system.legacy",
            clauses='    except small when system.risk <= 1\n    except new when system.label is "new"\n',
        ),
        {"exception `small` left out", "exception `new` left out", "`<=` became `<`"},
    ),
    "if then": (rule("if system.legacy then system.risk is unknown"), {"`if … then` left out", "became `is known`"}),
    "if unknown": (
        rule("(system.stage if unknown then planning) is planning"),
        {"`if unknown then` left out", "`planning` became `testing`"},
    ),
    "between": (rule("system.risk between 2 and 4"), {"no upper bound", "no lower bound", "`2` raised", "`4` lowered"}),
    "text": (rule('system.label starts with "a" or system.label like "*-b"'), {"condition turned round"}),
    "booleans": (rule("system.legacy is true"), {"`true` turned round"}),
    "every": (
        rule("every Model in system.uses where model.open satisfies model.accuracy > 90%"),
        {"`every` became `some`", "`every` became `no`", "`where` of Model left out", "`90%` raised"},
    ),
    "some": (
        rule("some Model in system.uses where model.open"),
        {"`some` became `every`", "`some` became `no`", "`some` became `at least 2`", "`where` of Model left out"},
    ),
    "some with a body": (
        rule("some Model in system.uses has evidence audit signed by steward"),
        {"`some` became `every`", "`some` became `no`", "`signed by steward` left out"},
    ),
    "at most": (
        rule("at most 1 Model in system.uses where model.open"),
        {"`at most 1` became 2", "`at most 1` became 0", "condition turned round"},
    ),
    "downstream": (
        rule("X").replace(
            "for each System\n    must\n        X",
            "for each Dataset\n    must\n        no System downstream of dataset via trained_on where system.legacy",
        ),
        {"`via trained_on` left out", "`no` became `some`"},
    ),
    "must not": (
        rule("X").replace("must\n        X", "must not\n        some Model in system.uses where model.open"),
        {"`must not` became `must`"},
    ),
    "may only if": (
        rule("X").replace("must\n        X", "may system.stage is production\n    only if system.risk < 3"),
        {"`may … only if` became `must`", "`is` became `is not`"},
    ),
    "no": (rule("no Model in system.uses where model.open"), {"`no` became `some`", "`no` became `at most 1`"}),
    "numbers": (
        rule("at least 2 Model in system.uses and exactly 1 Model as m in system.uses satisfies m.open"),
        {"`at least 2` became 3", "`at least 2` became 1", "`exactly 1` became 2", "`exactly 1` became 0"},
    ),
    "lineage": (
        rule(
            "every Dataset upstream of system via trained_on, tested_on, derived_from within 3 hops\n"
            "            satisfies dataset.rows > 0"
        ),
        {
            "`via trained_on` left out",
            "`via tested_on` left out",
            "`via derived_from` left out",
            "`within` left out",
            "`within 3` became 4",
            "`within 3` became 2",
        },
    ),
    "one edge": (
        rule("no Dataset upstream of system via trained_on where dataset.personal"),
        {"`via trained_on` left out"},
    ),
    "barrier": (
        rule("no Dataset upstream of system not through (Filter where filter.masks) where dataset.personal"),
        {"`not through (Filter …)` left out", "`where` of Filter left out"},
    ),
    "evidence": (
        rule("system has evidence audit signed by auditor not older than 30 days where passed and grade >= 2"),
        {
            "`signed by auditor` left out",
            "`not older than` left out",
            "`where` of evidence audit left out",
            "`30 days` raised",
            "`30 days` lowered",
            "`passed` left out",
        },
    ),
    "signers": (
        rule("every Model in system.uses has evidence audit signed by at least 2 distinct auditor"),
        {"`signed by auditor` left out", "`signed by 2` became 3", "`signed by 2` became 1"},
    ),
    "path": (
        rule("no Dataset in system.uses/trained_on/derived_from* where dataset.personal"),
        {"`*` after derived_from left out", "step `derived_from` left out"},
    ),
    "aggregates": (
        rule("(sum of dataset.rows over Dataset in system.uses/trained_on where dataset.personal) <= 100"),
        {"`sum` became `max`", "`where` of Dataset left out", "`100` raised"},
    ),
    "latest": (
        rule("grade of latest evidence audit on system signed by auditor not older than 1 year >= 3"),
        {"`signed by auditor` left out", "`not older than` left out", "`1 year` raised", "`3` lowered"},
    ),
    "money": (rule("system.cost <= 1500 EUR"), {"`1500 EUR` raised", "`1500 EUR` lowered", "`<=` became `>`"}),
    "period of the pack": (rule("system.legacy"), {"applies from a day later", "applies from a day earlier"}),
    "period of the rule": (
        rule("system.legacy", clauses="    applies from 2027-03-01 until 2028-03-01\n"),
        {
            "applies from a day later",
            "applies from a day earlier",
            "applies until a day later",
            "applies until a day earlier",
            "`until` left out",
        },
    ),
    "dates": (
        rule("system.since < 2027-06-01 or today > 2029-01-01"),
        {"`2027-06-01` a day later", "`2029-01-01` a day earlier", "`>` became `>=`"},
    ),
    "the ends of time": (
        rule("system.since < 9999-12-31 and system.since > 0001-01-01 and today < 9999-12-31"),
        {"`9999-12-31` a day earlier", "`0001-01-01` a day later"},
    ),
    "large numbers": (
        rule("system.risk < 1000000000 and system.score < 0.0000000001"),
        {"`0.0000000001` raised", "`1000000000` lowered"},
    ),
    "definition": (
        'define risky(system: System)\n    "x"\n    as system.risk > 3 and not system.legacy\n\n'
        + rule("not risky(system)"),
        {"`system.risk > 3` left out", "`not` left out", "`>` became `>=`", "`3` raised"},
    ),
    "parameter": (
        'parameter age: Duration = 2 months\n    "x"\n\n' + rule("system.since + age > today"),
        {"`2 months` raised", "`2 months` lowered", "`>` became `>=`"},
    ),
}


def survivors(files: dict[str, bytes]) -> list[tuple[str, str, str, str]]:
    """Return name, change, changed text and example of the mutants that survive."""
    laboratory = Laboratory(files, PACKS)
    verdicts = [(m, laboratory.verdict(m)) for m in laboratory.mutants]
    alive = [(m, v) for m, v in verdicts if v.fate is Fate.SURVIVED]
    return [(m.place.name, m.change.what, m.text, v.example) for m, v in alive if m.place.name != "idle"]


@pytest.mark.parametrize("name", CASES)
def test_a_change_survives_silence_and_dies_of_the_suggested_test(name: str) -> None:
    declarations, expected = CASES[name]
    files = pack(declarations, IDLE_RULE, IDLE)
    alive = survivors(files)
    assert expected <= {what for _, what, _, _ in alive}

    laboratory = Laboratory(files, PACKS)
    places = list(laboratory.workshop.places(PACKS))
    for place, what, changed, example in alive:
        if not example:
            continue
        with_test = pack(declarations, IDLE_RULE, IDLE, example)
        right, found = compile_bytes(with_test)
        assert not [render_text(d, right.files) for d in found if d.severity is Severity.ERROR], example
        assert all(o.passed for o in run_tests(right)), example
        text = with_test[FILE].decode()
        original = laboratory.workshop.text(next(p for p in places if p.name == place))
        assert original in text
        wrong, _ = compile_bytes({FILE: text.replace(original, changed).encode()})
        assert not all(o.passed for o in run_tests(wrong)), (what, example)


@pytest.mark.parametrize("name", CASES)
def test_with_the_suggested_tests_every_change_that_matters_is_killed(name: str) -> None:
    declarations, expected = CASES[name]
    tests = [IDLE]
    # A test that is added is a better place to search from, so that a second look may find more.
    for _ in range(4):
        alive = survivors(pack(declarations, IDLE_RULE, *tests))
        examples = list(dict.fromkeys(example for *_, example in alive if example))
        if not examples:
            break
        tests += [example.replace('test "', f'test "{len(tests) + i} ', 1) for i, example in enumerate(examples)]
    # What still lives has no example: it cannot be told from the rule as it is written.
    assert not examples
    assert not expected & {what for _, what, _, _ in alive}


def test_a_change_that_is_no_policy_is_left_out() -> None:
    laboratory = Laboratory(pack(CASES["path"][0]), PACKS)
    fates = {m.change.what: laboratory.verdict(m).fate for m in laboratory.mutants}
    assert fates["step `uses` left out"] is Fate.INVALID
    assert [what for what, fate in fates.items() if fate is Fate.INVALID] == [
        "step `uses` left out",
        "step `trained_on` left out",
    ]


def test_a_change_that_changes_nothing_has_no_example() -> None:
    declarations = rule("system.legacy or system.legacy")
    left = {what: example for _, what, _, example in survivors(pack(declarations, IDLE_RULE, IDLE))}
    assert left["`system.legacy` left out"] == left["`or` became `and`"] == ""
    assert left["condition turned round"]


def test_a_definition_is_judged_by_the_rules_that_use_it() -> None:
    declarations = 'define risky(system: System)\n    "x"\n    as system.risk > 3\n\n' + rule("not risky(system)")
    test = """\
test "risk"
    at 2028-01-01
    given
        System a { risk: 3 }
        System b { risk: 4 }
    expect pass of r on a
    expect fail of r on b
"""
    left = survivors(pack(declarations, test))
    assert not [what for name, what, _, _ in left if name == "risky"]


def test_a_because_that_is_no_longer_met_kills() -> None:
    declarations = rule("every Model in system.uses satisfies model.open")
    test = """\
test "all closed models are named"
    at 2028-01-01
    given
        System a
        Model m { open: false }
        a uses m
    expect fail of r on a because of m
"""
    laboratory = Laboratory(pack(declarations, test), PACKS)
    fates = {m.change.what: laboratory.verdict(m).fate for m in laboratory.mutants}
    # Still a failure, but no longer one because of the model.
    assert fates["`every` became `some`"] is Fate.SURVIVED
    assert fates["condition turned round"] is Fate.KILLED


def test_an_expectation_that_fails_already_kills_nothing() -> None:
    test = 'test "wrong"\n    at 2028-01-01\n    given\n        System a { legacy: true }\n    expect fail of r on a\n'
    assert len(survivors(pack(rule("system.legacy"), test))) == len(
        survivors(pack(rule("system.legacy"), IDLE_RULE, IDLE))
    )


def test_a_filter_limits_tests_and_mutants() -> None:
    files = pack(rule("system.legacy"), IDLE_RULE, IDLE)
    assert {m.place.name for m in Laboratory(files, PACKS, "weak").mutants} == {"idle"}
    assert not Laboratory(files, PACKS, "no such test").mutants


def test_several_processes_find_what_one_finds() -> None:
    files = pack(rule("system.risk < 3 or system.legacy"), IDLE_RULE, IDLE)
    laboratory = Laboratory(files, PACKS)
    request = (files, PACKS, "")
    assert list(judge(laboratory, 2, request)) == list(judge(laboratory, 1, request))


def test_a_change_is_shown_as_the_lines_that_differ() -> None:
    laboratory = Laboratory(pack(rule("system.risk < 3\n        and system.legacy")), PACKS)
    mutant = next(m for m in laboratory.mutants if m.change.what == "`and` became `or`")
    assert laboratory.diff(mutant) == [
        "         system.risk < 3",
        "-        and system.legacy",
        "+        or system.legacy",
    ]
