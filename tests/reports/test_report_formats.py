"""SARIF, JUnit and Markdown: golden files, the rules of each format, hostile text, and nothing lost."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest
import sample_assessments as samples
import write_golden
from markdown_it import MarkdownIt

from policy_reports.document import AssessmentDocument, Status
from policy_reports.junit import render_junit
from policy_reports.markdown import DETAILED, escaped, render_markdown
from policy_reports.sarif import render_sarif

BUILDS: list[Callable[[], AssessmentDocument]] = [
    samples.rich,
    samples.empty,
    samples.single,
    samples.hostile,
    lambda: samples.long(300),
]


@pytest.mark.parametrize("name", ["assessment.json", "assessment.sarif", "junit.xml", "summary.md", "report.txt"])
def test_golden(name: str, golden_renderings: dict[str, bytes]) -> None:
    expected = (write_golden.GOLDEN / name).read_bytes()
    assert golden_renderings[name] == expected, "if the change is meant, run tests/reports/write_golden.py and review"


@pytest.fixture(scope="module")
def golden_renderings() -> dict[str, bytes]:
    return write_golden.renderings()


OUR_TAGS = {
    *("!--", "h2", "h3", "p", "table", "thead", "tbody", "tr", "th", "td"),
    *("strong", "em", "code", "br", "ul", "li", "details", "summary"),
}


def sarif_run(document: AssessmentDocument) -> dict[str, Any]:
    log = json.loads(render_sarif(document))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


def check_message(message: dict[str, str]) -> None:
    assert set(message) == {"text"}
    assert message["text"]
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e]", message["text"])
    # 3.11.6: an unescaped bracket would start an embedded link.
    assert not re.search(r"(?<!\\)(?:\\\\)*[\[\]]", message["text"])


def check_physical(physical: dict[str, Any]) -> None:
    reference = physical["artifactLocation"]["uri"]
    # 3.4.3 and RFC 3986: a relative reference without a scheme, never an address of its own.
    assert re.fullmatch(r"(?:[A-Za-z0-9/._~-]|%[0-9A-F]{2})+", reference)
    assert not reference.startswith("/")
    assert physical["region"]["startLine"] >= 1


@pytest.mark.parametrize("build", BUILDS)
def test_sarif_follows_the_standard(build: Callable[[], AssessmentDocument]) -> None:
    document = build()
    run = sarif_run(document)
    driver = run["tool"]["driver"]
    assert driver["name"]
    identifiers = [rule["id"] for rule in driver["rules"]]
    assert len(set(identifiers)) == len(identifiers) == len(document.rules)
    for rule in driver["rules"]:
        for part in ("shortDescription", "fullDescription", "help"):
            check_message(rule[part])
        assert rule["defaultConfiguration"]["level"] in {"error", "warning", "note"}
        assert 0 < float(rule["properties"]["security-severity"]) <= 10
    for result in run["results"]:
        assert identifiers[result["ruleIndex"]] == result["ruleId"]
        assert result["kind"] == "fail"  # 3.27.10: any other kind demands the level none
        assert result["level"] in {"error", "warning", "note"}
        check_message(result["message"])
        assert result["locations"]
        for location in result["locations"]:
            check_physical(location["physicalLocation"])
        assert all(re.fullmatch("[0-9a-f]{64}", value) for value in result["partialFingerprints"].values())
        for flow in result.get("codeFlows", []):
            (thread,) = flow["threadFlows"]
            assert [step["executionOrder"] for step in thread["locations"]] == list(
                range(1, len(thread["locations"]) + 1)
            )
            for step in thread["locations"]:
                check_message(step["location"]["message"])
                assert step["location"]["logicalLocations"]
        for suppression in result.get("suppressions", []):
            assert suppression["kind"] in {"external", "inSource"}
            assert suppression["status"] in {"accepted", "underReview", "rejected"}
    prints = [result["partialFingerprints"]["ruleAndSubject/v1"] for result in run["results"]]
    assert len(set(prints)) == len(prints)


@pytest.mark.parametrize("build", BUILDS)
def test_sarif_counts_everything(build: Callable[[], AssessmentDocument]) -> None:
    document = build()
    run = sarif_run(document)
    assert run["properties"]["counts"] == {status.value: count for status, count in document.counts.items()}
    emitted = Counter(result["properties"]["status"] for result in run["results"])
    for status in (Status.FAIL, Status.UNKNOWN, Status.WAIVED):
        assert emitted[status.value] == document.counts[status]
    assert emitted.total() == sum(emitted[status] for status in ("fail", "unknown", "waived"))


def test_sarif_shows_waivers_unknowns_and_paths() -> None:
    run = sarif_run(samples.rich())
    by_status: dict[str, list[dict[str, Any]]] = {}
    for result in run["results"]:
        by_status.setdefault(result["properties"]["status"], []).append(result)
    (waived,) = by_status["waived"]
    (suppression,) = waived["suppressions"]
    assert suppression["kind"] == "external"
    assert suppression["status"] == "accepted"
    assert "approved by Jonas Lindqvist; until 2028-04-01T00:00:00Z" in suppression["justification"]
    (unknown,) = by_status["unknown"]
    assert unknown["level"] == "warning"
    assert unknown["message"]["text"].startswith("Unknown: ")
    assert "log_retention" in unknown["message"]["text"]
    assert "suppressions" not in unknown
    gravest = by_status["fail"][0]
    assert gravest["level"] == "error"
    steps = [step["location"]["message"]["text"] for step in gravest["codeFlows"][0]["threadFlows"][0]["locations"]]
    assert steps[0] == "Deployment claims-triage"
    assert steps[-1] == "reads → Dataset hospital_feed"
    place = gravest["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "inventory/deployments.yaml"
    assert place["region"]["startLine"] == 41


def test_sarif_fingerprints_do_not_move_with_lines() -> None:
    document = samples.single()
    result = document.results[0].model_copy(update={"status": Status.FAIL})
    moved = result.model_copy(update={"subject": samples.subject("Model", "scorer", line=99)})
    prints = [
        sarif_run(samples.assemble(document.rules, [item]))["results"][0]["partialFingerprints"]
        for item in (result, moved)
    ]
    assert prints[0] == prints[1]


@pytest.mark.parametrize("build", BUILDS)
def test_junit_is_xml_and_counts_everything(build: Callable[[], AssessmentDocument]) -> None:
    document = build()
    data = render_junit(document)
    root = ElementTree.fromstring(data)
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\u202a-\u202e]", data.decode())
    counts = document.counts
    for element in (root, *root.findall("testsuite")):
        assert int(element.get("tests", "")) == len(element.findall(".//testcase"))
        assert int(element.get("failures", "")) == len(element.findall(".//failure"))
        assert int(element.get("errors", "")) == len(element.findall(".//error"))
        assert int(element.get("skipped", "")) == len(element.findall(".//skipped"))
    assert root.get("tests") == str(len(document.results))
    assert root.get("failures") == str(counts[Status.FAIL])
    assert root.get("errors") == str(counts[Status.UNKNOWN])
    assert root.get("skipped") == str(counts[Status.WAIVED] + counts[Status.NOT_APPLICABLE])
    assert [suite.get("name") is not None for suite in root] == [True] * len(
        {rule.framework for rule in document.rules}
    )


def test_junit_says_why() -> None:
    root = ElementTree.fromstring(render_junit(samples.rich()))
    skipped = [element.get("message", "") for element in root.iter("skipped")]
    assert "waived: waived until 2028-04-01" in skipped
    assert "not applicable: not in force until 2028-08-02" in skipped
    (error,) = root.iter("error")
    assert "Missing: system/credit: log_retention" in (error.text or "")
    failure = next(root.iter("failure"))
    assert "Path: Deployment claims-triage · runs → Model triage-classifier@v12" in (failure.text or "")


def test_markdown_starts_with_the_verdict() -> None:
    text = render_markdown(samples.rich())
    assert text.startswith("## Not compliant: AI compliance assessment, first quarter 2028\n")
    order = [
        "| **all** |",
        "### 3 violations",
        "### 1 result unknown",
        "### 4 waivers",
        "<details>",
        "Decision `sha256:",
    ]
    positions = [text.index(part) for part in order]
    assert positions == sorted(positions)
    assert text.count("<details>") == text.count("</details>") == 1


@pytest.mark.parametrize("build", BUILDS)
def test_markdown_lets_no_text_act(build: Callable[[], AssessmentDocument]) -> None:
    text = render_markdown(build())
    html = MarkdownIt("gfm-like", {"linkify": False}).render(text)
    tags = set(re.findall(r"<([a-zA-Z!/][^\s>/]*)", html))
    assert {tag.removeprefix("/") for tag in tags} <= OUR_TAGS
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202a-\u202e]", text)
    # Every row of a table has the cells of its head: no text can break out of a cell.
    for table in re.findall(r"<table>.*?</table>", html, re.DOTALL):
        head = len(re.findall("<th[ >]", table))
        body = table.partition("</thead>")[2]
        rows = re.findall(r"<tr>.*?</tr>", body, re.DOTALL)
        assert rows
        assert all(len(re.findall("<td[ >]", row)) == head for row in rows)


@pytest.mark.parametrize("text", samples.HOSTILE[:6])
def test_markdown_shows_text_as_it_is(text: str) -> None:
    html = MarkdownIt("gfm-like", {"linkify": False}).renderInline(escaped(text))
    shown = re.sub("<!-- -->", "", html).replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"')
    shown = shown.replace("&amp;", "&")
    expected = re.sub(r"[\t\r\n]", " ", text)
    expected = re.sub(
        "[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e]", lambda found: f"[U+{ord(found.group()):04X}]", expected
    )
    assert shown == expected


def test_markdown_stays_below_the_limit_of_a_step_summary() -> None:
    document = samples.long(12_000)
    text = render_markdown(document)
    assert len(text.encode()) < 1_048_576
    failed = document.counts[Status.FAIL]
    assert f"### {failed:,} violations" in text
    assert f"*{failed - DETAILED:,} further violations: see the assessment.*" in text
    assert re.search(r"\| \*\*all\*\* \|  \| \*\*" + str(failed), text)
