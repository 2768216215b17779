"""One piece of evidence, which controls it serves: read from the rules, so it agrees with them."""

import csv
import io
import json

from policy_dsl.typed.tree import HasEvidence
from policy_engine.app.evaluate import compile_policies
from policy_engine.evaluation.parts import parts_of
from policy_engine.packs.library import library, select

PROGRAM = compile_policies(select(library(), {}).files, {})[0]


def document(run, *arguments: str) -> dict:
    found = run("crosswalk", *arguments, "--format", "json")
    assert found.code == 0, found.err
    return json.loads(found.out)


def test_every_rule_that_asks_for_evidence_is_in_it_and_no_other(run) -> None:
    shown = {(e["type"], s["rule"]) for e in document(run)["evidence"] for s in e["serves"]}
    asked = {
        (part.type, rule.name)
        for rule in PROGRAM.rules.values()
        for part in parts_of(PROGRAM, rule)
        if isinstance(part, HasEvidence)
    }
    latest = {
        (part.pattern.type, rule.name)
        for rule in PROGRAM.rules.values()
        for part in parts_of(PROGRAM, rule)
        if hasattr(part, "pattern")
    }
    assert shown == asked | latest


def test_an_impact_assessment_serves_several_frameworks(run) -> None:
    (entry,) = document(run, "impact_assessment")["evidence"]
    frameworks = {served["framework"] for served in entry["serves"]}
    assert len(frameworks) >= 2, frameworks


def test_the_first_rows_serve_the_most_frameworks(run) -> None:
    numbers = [len({s["framework"] for s in e["serves"]}) for e in document(run)["evidence"]]
    assert numbers == sorted(numbers, reverse=True)
    assert numbers[0] >= 4


def test_a_control_finds_the_evidence_for_it(run) -> None:
    found = document(run, "--control", "A.6.2.8")["evidence"]
    assert found
    assert all(any("A.6.2.8" in s["citation"] for s in entry["serves"]) for entry in found)


def test_a_control_is_not_part_of_a_larger_number_and_has_no_case(run) -> None:
    found = document(run, "--pack", "eu_ai_act", "--control", "art. 5")["evidence"]
    cited = [[s["citation"] for s in entry["serves"]] for entry in found]
    assert cited
    assert all(any(c.partition("(")[0] == "Art. 5" for c in each) for each in cited)


def test_where_nothing_serves_a_control_it_is_said(run) -> None:
    found = run("crosswalk", "--control", "no such control")
    assert (found.code, found.out) == (0, "No rule of these packs asks for such evidence.\n")
    assert document(run, "--control", "no such control")["evidence"] == []


def test_packs_of_a_profile_or_by_name(run, bank) -> None:
    own = document(run, "--in", str(bank))
    assert "Model risk policy" in own["frameworks"]
    assert document(run, "--pack", "gdpr")["frameworks"] == ["GDPR"]


def test_markdown_has_a_column_for_each_framework_and_csv_a_line_for_each_rule(run) -> None:
    shown = document(run, "--pack", "eu_ai_act", "--pack", "iso_42001")
    table = run("crosswalk", "--pack", "eu_ai_act", "--pack", "iso_42001").out.splitlines()
    assert all(line.count(" | ") == table[0].count(" | ") for line in table)
    assert len(table) == 2 + len(shown["evidence"])
    rows = list(csv.reader(io.StringIO(run("crosswalk", "--pack", "gdpr", "--format", "csv").out)))
    assert len(rows) == 1 + sum(len(e["serves"]) for e in document(run, "--pack", "gdpr")["evidence"])


def test_what_does_not_exist_is_an_error(run, bank) -> None:
    assert "error[PE3201]" in run("crosswalk", "datashet").err
    assert "error[PE0004]" in run("crosswalk", "--pack", "moon").err
    assert run("crosswalk", "--in", str(bank), "--pack", "gdpr").code == 2
    assert "`nowhere` does not exist" in run("crosswalk", "--in", "nowhere").err


def test_no_citation_is_cut_off_however_many_there_are(run) -> None:
    (entry,) = document(run, "statement_of_applicability")["evidence"]
    shown = run("crosswalk", "statement_of_applicability").out
    assert len(entry["serves"]) > 38
    assert not [served["citation"] for served in entry["serves"] if served["citation"] not in shown]
    assert "…" not in shown
