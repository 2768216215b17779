"""SARIF 2.1.0 (OASIS), for code scanning and for viewers of analysis results.

What becomes of a status, and why:
- `fail` is a result of kind `fail`; its level follows the severity of the rule.
- `waived` is the same result with an accepted external suppression, so a viewer hides it and can still show it.
- `unknown` is written as kind `fail` with level `warning` and says so in its message. SARIF has a kind `open` for it,
  but demands level `none` with it (3.27.9, 3.27.10), which code scanning does not raise: a missing fact would pass
  silently. The status is kept in `properties.status`.
- `pass` and `not_applicable` are no findings. Code scanning ignores kinds and would raise them as alerts, so they are
  not emitted; the run's `properties.counts` states how many there are.

The lineage path of a result is its code flow. Paths of files become relative references, whatever they contain.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import quote

from policy_reports.document import (
    AssessmentDocument,
    Caution,
    Location,
    Result,
    Rule,
    Severity,
    Status,
    Waiver,
    instant_text,
)
from policy_reports.plaintext import visible
from policy_reports.queries import BASIS_WORDS, STATUS_WORDS, Finding, findings, opinion, prove_complete

_LEVELS = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "note"}
# The scale code scanning sorts by: over 9.0 critical, 7.0 high, 4.0 medium, below low.
_SCORES = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "2.0"}
_EMITTED = (Status.FAIL, Status.UNKNOWN, Status.WAIVED)


def render_sarif(document: AssessmentDocument) -> bytes:
    """Render the document as a SARIF log with one run."""
    rules = sorted(document.rules, key=lambda rule: rule.id)
    positions = {rule.id: position for position, rule in enumerate(rules)}
    waivers = {waiver.digest: waiver for waiver in document.waivers}
    emitted = findings(document, *_EMITTED)
    omitted = findings(document, Status.PASS, Status.NOT_APPLICABLE)
    prove_complete(document, [finding.result.status for finding in (*emitted, *omitted)])
    run = {
        "tool": {
            "driver": {
                "name": document.engine.name,
                "version": document.engine.version,
                "rules": [_rule(rule) for rule in rules],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [_notification(item) for item in document.warnings],
            }
        ],
        "results": [_result(finding, positions[finding.rule.id], waivers) for finding in emitted],
        "properties": {
            "verdict": document.verdict.value,
            "opinion": opinion(document),
            "instant": instant_text(document.instant),
            "decision": document.inputs.decision,
            "counts": {status.value: count for status, count in document.counts.items()},
        },
    }
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return (json.dumps(log, ensure_ascii=False, sort_keys=True, indent=2) + "\n").encode()


def _rule(rule: Rule) -> dict[str, Any]:
    basis = BASIS_WORDS[rule.basis]
    cited = "; ".join(rule.citations)
    explained = [f"{rule.title}.", f"{rule.framework}{f', {cited}' if cited else ''} ({basis})."]
    if rule.remedy:
        explained.append(f"Remedy: {rule.remedy}")
    return {
        "id": rule.id,
        "name": rule.id.rsplit(".", 1)[-1],
        "shortDescription": _message(rule.title),
        "fullDescription": _message(explained[1]),
        "help": _message("\n".join(explained)),
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {
            "tags": ["security", visible(rule.framework), basis, rule.severity.value],
            "security-severity": _SCORES[rule.severity],
            "precision": "very-high",
            "pack": rule.pack,
            "citations": list(rule.citations),
        },
    }


def _result(finding: Finding, position: int, waivers: dict[str, Waiver]) -> dict[str, Any]:
    rule, result = finding.rule, finding.result
    written: dict[str, Any] = {
        "ruleId": rule.id,
        "ruleIndex": position,
        "kind": "fail",
        "level": "warning" if result.status is Status.UNKNOWN else _LEVELS[rule.severity],
        "message": _message(_said(finding)),
        "locations": [_location(result, rule)],
        "partialFingerprints": {"ruleAndSubject/v1": _fingerprint(rule, result)},
        "properties": {
            "status": result.status.value,
            "subject": result.subject.id,
            "owner": result.subject.owner,
            "evidence": list(result.evidence),
        },
    }
    if result.witnesses:
        written["codeFlows"] = [_flow(result, index) for index in range(len(result.witnesses))]
    if result.waiver is not None:
        written["suppressions"] = [_suppression(waivers[result.waiver])]
    return written


def _said(finding: Finding) -> str:
    result = finding.result
    who = f"{result.subject.kind} {result.subject.name or result.subject.id}"
    lines = [result.message or f"{who}: {finding.rule.title}"]
    if result.status is not Status.FAIL:
        lines[0] = f"{STATUS_WORDS[result.status].capitalize()}: {lines[0]}"
    if result.reason:
        lines.append(f"Reason: {result.reason}")
    lines += [f"Missing: {item.node}: {item.attribute} ({item.explanation})" for item in result.missing]
    if remedy := result.remedy or finding.rule.remedy:
        lines.append(f"Remedy: {remedy}")
    if result.subject.owner:
        lines.append(f"Owner: {result.subject.owner}")
    return "\n".join(lines)


def _message(text: str) -> dict[str, str]:
    # Brackets would start an embedded link (3.11.6), so they are escaped as the standard says.
    plain = "\n".join(visible(line) for line in text.split("\n"))
    return {"text": plain.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")}


def _location(result: Result, rule: Rule) -> dict[str, Any]:
    subject = result.subject
    location: dict[str, Any] = {"logicalLocations": [_logical(subject.id, subject.name, subject.kind)]}
    # A subject from a source without files is shown at its rule, for code scanning refuses a result without a place.
    place = subject.location or rule.location
    if place is not None:
        location["physicalLocation"] = _physical(place)
    return location


def _physical(place: Location) -> dict[str, Any]:
    reference = quote(place.file.replace("\\", "/").lstrip("/"), safe="/-._~") or "."
    physical: dict[str, Any] = {"artifactLocation": {"uri": reference, "uriBaseId": "%SRCROOT%"}}
    physical["region"] = {"startLine": place.line or 1}
    return physical


def _logical(identifier: str, name: str, kind: str) -> dict[str, str]:
    return {"fullyQualifiedName": visible(identifier), "name": visible(name), "kind": visible(kind)}


def _flow(result: Result, index: int) -> dict[str, Any]:
    steps = []
    for order, hop in enumerate(result.witnesses[index].hops, start=1):
        reached = f"{hop.node.kind} {hop.node.name or hop.node.id}"
        said = reached if hop.edge is None else f"{hop.edge} → {reached}"
        location: dict[str, Any] = {
            "message": _message(said),
            "logicalLocations": [_logical(hop.node.id, hop.node.name, hop.node.kind)],
        }
        if order == 1 and result.subject.location is not None:
            location["physicalLocation"] = _physical(result.subject.location)
        steps.append({"location": location, "executionOrder": order})
    return {"threadFlows": [{"locations": steps}]}


def _suppression(waiver: Waiver) -> dict[str, str]:
    parts = [waiver.reason or "no reason given"]
    parts += [f"ticket {waiver.ticket}"] if waiver.ticket else []
    parts += [f"approved by {waiver.approver}"] if waiver.approver else []
    parts += [f"until {instant_text(waiver.expires)}"] if waiver.expires else []
    return {"kind": "external", "status": "accepted", "justification": visible("; ".join(parts))}


def _notification(item: Caution) -> dict[str, Any]:
    written: dict[str, Any] = {
        "level": "warning",
        "message": _message(item.message),
        "descriptor": {"id": item.code},
    }
    if item.file is not None:
        written["locations"] = [{"physicalLocation": _physical(Location(file=item.file or ".", line=item.line))}]
    return written


def _fingerprint(rule: Rule, result: Result) -> str:
    """The same finding keeps its fingerprint when files change: it is the rule and the subject, nothing else."""
    return hashlib.sha256(json.dumps([rule.id, result.subject.id]).encode()).hexdigest()
