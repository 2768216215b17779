"""Test results and coverage as documents: JUnit XML for build servers, JSON for everything else."""

import json
from collections.abc import Iterable
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from policy_dsl.typed.tree import Program
from policy_engine.app.policy_tests import Outcome
from policy_engine.app.testing.coverage import Coverage
from policy_reports.plaintext import visible


def junit(outcomes: Iterable[Outcome], program: Program) -> bytes:
    """Return JUnit XML: a suite for each pack, a case for each test. Cases state no duration: results are the same
    for every run, and so is the document."""
    by_pack: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_pack.setdefault(outcome.test.pack, []).append(outcome)
    root = Element("testsuites", _totals([o for found in by_pack.values() for o in found]))
    for pack, found in sorted(by_pack.items()):
        suite = SubElement(root, "testsuite", {"name": pack, **_totals(found)})
        for outcome in found:
            _case(suite, outcome, program)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def coverage_json(covered: Iterable[Coverage], program: Program) -> bytes:
    """Return the coverage of each rule and definition, clause by clause."""
    rules = []
    for item in covered:
        clauses = []
        for clause in item.clauses:
            file = program.files[clause.span.file]
            clauses.append(
                {
                    "file": clause.span.file,
                    "line": file.position(clause.span.start).line,
                    "part": clause.part,
                    "text": " ".join(file.text[clause.span.start : clause.span.end].split()),
                    "possible": list(clause.possible),
                    "seen": list(clause.seen),
                }
            )
        rules.append({"name": item.name, "possible": item.possible, "seen": item.seen, "clauses": clauses})
    return (json.dumps({"coverage": 1, "rules": rules}, indent=2, ensure_ascii=False) + "\n").encode()


def _totals(outcomes: list[Outcome]) -> dict[str, str]:
    return {"tests": str(len(outcomes)), "failures": str(sum(not o.passed for o in outcomes)), "errors": "0"}


def _case(suite: Element, outcome: Outcome, program: Program) -> None:
    test = outcome.test
    line = program.files[test.span.file].position(test.span.start).line
    case = SubElement(suite, "testcase", classname=test.pack, name=visible(test.name), file=test.span.file)
    case.set("line", str(line))
    if outcome.failures:
        first = outcome.failures[0]
        failure = SubElement(case, "failure", message=visible(first.message), type="expectation")
        failure.text = "\n".join(
            f"{f.span.file}:{program.files[f.span.file].position(f.span.start).line}: {visible(f.message)}"
            for f in outcome.failures
        )
