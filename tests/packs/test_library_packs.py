"""The library's packs: they compile, their tests pass and are complete, and their dates are those of the law."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from policy_dsl import compile_bytes
from policy_dsl.diagnostics import render_text
from policy_dsl.typed import tree
from policy_engine.app.policy_tests import run_tests

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "policies" / "library"
BANK = ROOT / "examples" / "credit-scoring" / "policies" / "bank.policy"
FILES = {str(path.relative_to(ROOT)): path.read_bytes() for path in [*sorted(LIBRARY.rglob("*.policy")), BANK]}
PROGRAM, FOUND = compile_bytes(FILES)
RULES = PROGRAM.rules
PACKS = sorted({test.pack for test in PROGRAM.tests} | {rule.pack for rule in RULES.values()})
RULES_OF = {pack: [rule for rule in RULES.values() if rule.pack == pack] for pack in PACKS}
ACT_RULES = {name: rule for name, rule in RULES.items() if name.startswith("eu_ai_act.")}

# Written by hand from the calendar of the Act, so that a slip in a pack does not confirm itself.
ANNEX_III = date(2027, 12, 2)
DATES_BY_PACK = {
    "ai_literacy": date(2025, 2, 2),
    "prohibited_practices": date(2025, 2, 2),
    "risk_management": ANNEX_III,
    "data_governance": ANNEX_III,
    "technical_documentation": ANNEX_III,
    "record_keeping": ANNEX_III,
    "transparency_to_deployers": ANNEX_III,
    "human_oversight": ANNEX_III,
    "accuracy_and_security": ANNEX_III,
    "deployer_duties": ANNEX_III,
    "affected_persons": ANNEX_III,
    "transparency_obligations": date(2026, 8, 2),
    "bias_correction": date(2026, 7, 27),
    "classification": ANNEX_III,
    "conformity_and_registration": ANNEX_III,
    "declared_lineage": ANNEX_III,
    "monitoring_and_incidents": ANNEX_III,
    "provider_duties": ANNEX_III,
    "value_chain": ANNEX_III,
    "general_purpose_models": date(2025, 8, 2),
    "systemic_risk": date(2025, 8, 2),
}
ANNEX_I = date(2028, 8, 2)
OTHER_DATES = {
    # Without a role nobody knows which of the earlier duties are theirs.
    "classification.role_determined": date(2025, 2, 2),
    "classification.provider_named": date(2025, 2, 2),
    "classification.products_classified": ANNEX_I,
    "conformity_and_registration.products_assessed_with_their_law": ANNEX_I,
    "prohibited_practices.intimate_imagery_prevented": date(2026, 12, 2),
    # The rule is about the GDPR.
    "data_governance.no_special_categories": date(2018, 5, 25),
}
ARTICLES_BY_PACK = {
    "ai_literacy": {"Art. 4"},
    "prohibited_practices": {"Art. 5"},
    "risk_management": {"Art. 9"},
    "data_governance": {"Art. 10", "Annex IV", "GDPR Art. 9", "GDPR Art. 35"},
    "technical_documentation": {"Art. 11", "Art. 18", "Annex IV"},
    "record_keeping": {"Art. 12", "Art. 19", "Art. 26"},
    "transparency_to_deployers": {"Art. 13"},
    "human_oversight": {"Art. 14"},
    "accuracy_and_security": {"Art. 15"},
    "deployer_duties": {"Art. 26"},
    "affected_persons": {"Art. 26", "Art. 27", "Art. 86"},
    "transparency_obligations": {"Art. 50", "Art. 111"},
    "bias_correction": {"Art. 4a"},
    "classification": {"Art. 3", "Art. 6", "Art. 25", "Art. 111"},
    "conformity_and_registration": {
        "Art. 18",
        "Art. 40",
        "Art. 41",
        "Art. 43",
        "Art. 47",
        "Art. 48",
        "Art. 49",
        "Annex V",
    },
    "declared_lineage": {"Art. 10", "Art. 11", "Annex IV"},
    "monitoring_and_incidents": {"Art. 72", "Art. 73"},
    "provider_duties": {"Art. 16", "Art. 17", "Art. 20"},
    "value_chain": {"Art. 22", "Art. 23", "Art. 24", "Art. 25"},
    "general_purpose_models": {"Art. 53", "Art. 54", "Annex XI", "Annex XII"},
    "systemic_risk": {"Art. 51", "Art. 52", "Art. 55"},
}


def test_the_packs_compile_without_a_word() -> None:
    assert not [render_text(diagnostic, PROGRAM.files) for diagnostic in FOUND]


@pytest.mark.parametrize("pack", PACKS)
def test_the_packs_own_tests_pass(pack: str) -> None:
    own = tuple(test for test in PROGRAM.tests if test.pack == pack)
    failed = {o.test.name: [f.message for f in o.failures] for o in run_tests(replace(PROGRAM, tests=own))}
    assert not {name: messages for name, messages in failed.items() if messages}


def _expectations() -> dict[str, list[tuple[datetime, tree.Expectation]]]:
    found: dict[str, list[tuple[datetime, tree.Expectation]]] = defaultdict(list)
    for test in PROGRAM.tests:
        at: datetime | None = None
        for step in test.steps:
            if isinstance(step, tree.AtStep):
                at = step.instant
            elif isinstance(step, tree.Expectation):
                assert at is not None
                found[step.rule].append((at, step))
    return found


EXPECTATIONS = _expectations()
DAY = timedelta(days=1)


def _can_be_unknown(node: Any, program: tree.Program) -> bool:
    """Whether facts that nobody states can make an expression unknown, or a condition below it."""
    match node:
        case tree.Known() | tree.Constant() | tree.Variable():
            return False
        case tree.Read(_, attribute) | tree.Field(attribute):
            return attribute.default is None
        case tree.LatestField():
            return True
        case tree.IfUnknown(_, otherwise):
            return _can_be_unknown(otherwise, program)
        case tree.Aggregate() if node.of_nothing is None:
            return True
        case tree.Invoke(name, arguments):
            return any(_can_be_unknown(part, program) for part in (program.definitions[name].body, *arguments))
        case tuple():
            return any(_can_be_unknown(part, program) for part in node)
    return is_dataclass(node) and any(_can_be_unknown(getattr(node, f.name), program) for f in fields(node))


def _results(rule: tree.Rule, program: tree.Program = PROGRAM) -> set[str]:
    """Every result that a rule can have while it is in force."""
    asked = (rule.where, rule.requirement, *(e.condition for e in rule.exemptions))
    possible = {
        "pass": True,
        "fail": True,
        "not_applicable": rule.where is not None or bool(rule.exemptions),
        "unknown": _can_be_unknown(asked, program),
    }
    return {result for result, is_possible in possible.items() if is_possible}


SMALL = """\
policy small
node N { open: Boolean sure: Boolean = false size: Integer }
edge e from N to N reverse of_e
evidence paper on N { held: Boolean }
define stated(n: N) as n.open is known
define opened(n: N) as n.open
rule r
    for each N
    must CONDITION
"""


@pytest.mark.parametrize(
    ("condition", "can_be_unknown"),
    [
        ("n.sure", False),
        ("n.open", True),
        ("stated(n)", False),
        ("opened(n)", True),
        ("n.open if unknown then n.sure", False),
        ("n.sure and (n.open if unknown then n.open)", True),
        ("n has evidence paper", False),
        ("n has evidence paper where held", True),
        ("held of latest evidence paper on n", True),
        ("some N as m in n.e where m.sure", False),
        ("some N as m in n.e where m.open", True),
        ("count of N as m in n.e < 3", False),
        ("sum of m.size over N as m in n.e < 3", True),
        ("max of (m.size if unknown then 0) over N as m in n.e < 3", True),
        ("sum of (m.size if unknown then 0) over N as m in n.e < 3", False),
    ],
)
def test_what_a_rule_can_result_in(condition: str, can_be_unknown: bool) -> None:
    """The measure of the test below: a result that a rule cannot have needs no example."""
    for clauses, can_be_outside in (("", False), ("    except small when n.sure\n", True)):
        text = SMALL.replace("CONDITION", condition) + clauses
        program, found = compile_bytes({"small.policy": text.encode()})
        assert not found
        expected = {"pass", "fail"} | ({"unknown"} if can_be_unknown else set())
        expected |= {"not_applicable"} if can_be_outside else set()
        assert _results(program.rules["small.r"], program) == expected


def _untested(rule: tree.Rule) -> Iterator[str]:
    """Say what no test shows of a rule."""
    assert rule.start is not None
    end = rule.end or datetime.max.replace(tzinfo=UTC)
    found = EXPECTATIONS[rule.name]
    in_force = {step.status for at, step in found if rule.start <= at < end}
    if in_force != _results(rule):
        yield f"in force it is tested for {sorted(in_force)}, and can give {sorted(_results(rule))}"
    if {step.status for at, step in found if not rule.start <= at < end} != {"not_applicable"}:
        yield "out of force it is applicable"
    # The last day before shows that the date is the one meant, not merely some later one.
    if not any(rule.start - at == DAY for at, _ in found):
        yield "no test of the last day before it is in force"
    bites = {at for at, step in found if step.status in {"fail", "pass"}}
    if rule.start not in bites:
        yield "no test of its first day"
    if rule.end is not None and not any(rule.end - DAY <= at < rule.end for at in bites):
        yield "no test of its last day"
    if rule.end is not None and rule.end not in {at for at, _ in found}:
        yield "no test of the day after its last"


@pytest.mark.parametrize("pack", PACKS)
def test_every_rule_is_tested_for_every_result_and_for_its_first_and_last_day(pack: str) -> None:
    untested = {rule.name: list(_untested(rule)) for rule in RULES_OF[pack]}
    assert not {name: what for name, what in untested.items() if what}


@pytest.mark.parametrize("pack", PACKS)
def test_a_failure_caused_by_another_thing_names_it(pack: str) -> None:
    counts = [rule for rule in RULES_OF[pack] if isinstance(rule.requirement, tree.Count)]
    about_others = [rule.name for rule in counts if rule.requirement.word is tree.CountWord.AT_MOST]
    named = {name for name in about_others for _, s in EXPECTATIONS[name] if s.status == "fail" and s.because_of}
    assert not set(about_others) - named


@pytest.mark.parametrize("pack", PACKS)
def test_every_rule_can_be_read_aloud_cited_and_acted_on(pack: str) -> None:
    for rule in RULES_OF[pack]:
        syntax = rule.syntax
        assert syntax.title is not None, rule.name
        assert syntax.severity is not None, rule.name
        assert rule.citations, rule.name
        assert rule.basis in {"law", "standard", "inference", "firm_policy"}, rule.name
        assert re.fullmatch(r"[A-Z][^{}]*[^.{}]", rule.title), rule.name
        assert len(rule.title.split()) >= 5, rule.name
        for template in (syntax.otherwise, syntax.remedy):
            assert template is not None, rule.name
            assert "{" in template.text, f"a message of {rule.name} names the thing it is about"
            assert re.fullmatch(r"[A-Z{].*[^.]", template.text), rule.name


def test_the_act_is_covered_as_the_manual_says() -> None:
    assert {name.split(".")[1] for name in ACT_RULES} == set(DATES_BY_PACK)
    assert {path.stem for path in (LIBRARY / "eu_ai_act").glob("*.policy")} == {*DATES_BY_PACK, "common"}
    for name in FILES:
        if "eu_ai_act" in name:
            assert f"policy eu_ai_act.{Path(name).stem}\n" in FILES[name].decode()


@pytest.mark.parametrize("rule", ACT_RULES.values(), ids=lambda rule: rule.name)
def test_every_date_is_that_of_the_calendar(rule: tree.Rule) -> None:
    name = rule.name.removeprefix("eu_ai_act.")
    expected = OTHER_DATES.get(name, DATES_BY_PACK[name.split(".")[0]])
    assert rule.start == datetime(expected.year, expected.month, expected.day, tzinfo=UTC)
    assert rule.end is None


@pytest.mark.parametrize("rule", ACT_RULES.values(), ids=lambda rule: rule.name)
def test_every_citation_belongs_to_its_pack(rule: tree.Rule) -> None:
    articles = {citation.split("(")[0] for citation in rule.citations}
    assert articles <= ARTICLES_BY_PACK[rule.name.split(".")[1]]


def test_dates_inside_rules_are_those_of_the_calendar() -> None:
    """Transitions that are conditions of a rule, not its own dates."""
    text = b"\n".join(data.partition(b'\ntest "')[0] for name, data in FILES.items() if "eu_ai_act" in name).decode()
    conditions = [line for line in text.splitlines() if not line.lstrip().startswith(("#", "applies"))]
    used = set(re.findall(r"\d{4}-\d{2}-\d{2}", "\n".join(conditions)))
    assert used == {
        "2026-08-02",  # Art. 111(4): systems on the market before this day …
        "2026-12-02",  # … mark their output from this one
        "2025-08-02",  # Art. 111(3): general-purpose models on the market before this day …
        "2027-08-02",  # … comply from this one
        "2027-12-02",  # Art. 111(2): high-risk systems on the market before this day …
        "2028-08-02",  # … or products before this one, from which Annex I counts …
        "2030-08-02",  # … comply from this one if meant for public authorities
    }


def test_nothing_that_the_law_does_not_ask_for_is_called_law() -> None:
    """Ages, tests and screenings are our reading; a rule that asks for one is no rule of law."""
    for rule in ACT_RULES.values():
        text = PROGRAM.files[rule.span.file].text[rule.syntax.span.start : rule.syntax.span.end]
        if re.search(r"not older than|_test\b|screening|_interval|dpia", text):
            assert rule.basis == "inference", rule.name
