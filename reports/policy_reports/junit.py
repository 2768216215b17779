"""JUnit XML, for build servers: one suite for each framework, one case for each result.

A violation is a failure and an unknown is an error, so both break a build; a waived result is skipped with its reason,
and so is one that does not apply. Nothing was executed, so no case states a duration.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from policy_reports.document import AssessmentDocument, Result, Status, Witness, instant_text
from policy_reports.plaintext import visible
from policy_reports.queries import Finding, by_framework, opinion, prove_complete

_TAGS = {Status.FAIL: "failure", Status.UNKNOWN: "error", Status.WAIVED: "skipped", Status.NOT_APPLICABLE: "skipped"}
_TOTALS = {"failures": (Status.FAIL,), "errors": (Status.UNKNOWN,), "skipped": (Status.WAIVED, Status.NOT_APPLICABLE)}


def render_junit(document: AssessmentDocument) -> bytes:
    """Render the document as a JUnit XML report."""
    statuses = (item.status for item in document.results)
    root = Element("testsuites", {"name": visible(document.title), **_totals(statuses)})
    rendered: list[Status] = []
    for framework, found in by_framework(document):
        statuses = (item.result.status for item in found)
        suite = SubElement(root, "testsuite", {"name": visible(framework), **_totals(statuses)})
        suite.set("timestamp", instant_text(document.instant).removesuffix("Z"))
        properties = SubElement(suite, "properties")
        SubElement(properties, "property", name="verdict", value=document.verdict.value)
        SubElement(properties, "property", name="opinion", value=opinion(document))
        SubElement(properties, "property", name="decision", value=document.inputs.decision)
        for finding in found:
            _case(suite, finding)
            rendered.append(finding.result.status)
    prove_complete(document, rendered)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _totals(statuses: Iterable[Status]) -> dict[str, str]:
    listed = list(statuses)
    totals = {name: str(sum(item in counted for item in listed)) for name, counted in _TOTALS.items()}
    return {"tests": str(len(listed)), **totals}


def _case(suite: Element, finding: Finding) -> None:
    rule, result = finding.rule, finding.result
    subject = f"{result.subject.kind} {result.subject.id}"
    case = SubElement(suite, "testcase", classname=visible(rule.id), name=visible(subject))
    if result.subject.location is not None:
        case.set("file", visible(result.subject.location.file))
        if result.subject.location.line is not None:
            case.set("line", str(result.subject.location.line))
    if result.status is Status.PASS:
        return
    said = result.message or rule.title
    if result.status in (Status.WAIVED, Status.NOT_APPLICABLE):
        said = f"{result.status.value.replace('_', ' ')}: {result.reason or said}"
        SubElement(case, _TAGS[result.status], message=visible(said))
        return
    outcome = SubElement(case, _TAGS[result.status], message=visible(said), type=result.status.value)
    outcome.text = "\n".join(visible(line) for line in _details(finding))


def _details(finding: Finding) -> list[str]:
    rule, result = finding.rule, finding.result
    details = [f"Rule: {rule.title}", f"Severity: {rule.severity.value}"]
    details += [f"Citation: {'; '.join(rule.citations)}"] if rule.citations else []
    details += [f"Owner: {result.subject.owner}"] if result.subject.owner else []
    details += [f"Reason: {result.reason}"] if result.reason else []
    details += _missing(result)
    details += [f"Path: {_path(witness)}" for witness in result.witnesses]
    remedy = result.remedy or rule.remedy
    return details + ([f"Remedy: {remedy}"] if remedy else [])


def _missing(result: Result) -> list[str]:
    return [f"Missing: {item.node}: {item.attribute} ({item.explanation})" for item in result.missing]


def _path(witness: Witness) -> str:
    steps = [f"{hop.edge} → {hop.node.kind} {hop.node.name}" for hop in witness.hops[1:]]
    first = witness.hops[0].node
    return " · ".join([f"{first.kind} {first.name}", *steps])
