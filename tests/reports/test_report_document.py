"""The neutral document: its JSON form, its consistency, its words for what is wrong."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import sample_assessments as samples
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import policy_reports
from policy_reports import CODES, AssessmentDocument, ReportError, document_schema
from policy_reports.document import (
    Evidence,
    Fact,
    Hop,
    Node,
    Result,
    Severity,
    Status,
    Subject,
    Verdict,
    Waiver,
    Witness,
)
from policy_reports.queries import by_framework, by_rule, findings, opinion, prove_complete, summary

PACKAGE = Path(policy_reports.__file__).parent


def changed(change: Callable[[dict[str, Any]], None]) -> bytes:
    value = json.loads(samples.rich().to_json())
    change(value)
    return json.dumps(value).encode()


def refusal(data: bytes) -> ReportError:
    with pytest.raises(ReportError) as caught:
        AssessmentDocument.from_json(data)
    assert caught.value.code in CODES
    assert "\n" not in caught.value.message
    assert not caught.value.message.endswith(".")
    return caught.value


@pytest.mark.parametrize("build", [samples.rich, samples.empty, samples.single, samples.hostile])
def test_json_round_trip(build: Callable[[], AssessmentDocument]) -> None:
    document = build()
    written = document.to_json()
    assert AssessmentDocument.from_json(written) == document
    assert AssessmentDocument.from_json(written).to_json() == written
    jsonschema.Draft202012Validator(document_schema()).validate(json.loads(written))


def test_json_form() -> None:
    written = samples.rich().to_json()
    assert written.endswith(b"}\n")
    assert written == (json.dumps(json.loads(written), ensure_ascii=False, sort_keys=True, indent=2) + "\n").encode()
    assert b'"instant": "2028-01-15T09:00:00Z"' in written


def test_schema_is_published_and_closed() -> None:
    schema = document_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"] == "urn:ai-policy-engine:schema:assessment:v1"
    assert all(part.get("additionalProperties") is False for part in schema["$defs"].values() if "properties" in part)


TEXT = st.text(max_size=12)
NAME = st.text(min_size=1, max_size=12)
DIGEST = st.integers(0, 2**64).map(lambda number: samples.digest(str(number)))
INSTANT = st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(microsecond=0))
NODE = st.builds(Node, id=NAME, kind=NAME, name=TEXT)


@st.composite
def documents(draw: st.DrawFn) -> AssessmentDocument:
    names = draw(st.lists(NAME, max_size=4, unique=True))
    rules = [
        samples.rule(name, draw(NAME), draw(st.sampled_from(Severity)), draw(NAME), applies_from=draw(st.dates()))
        for name in names
    ]
    evidence = [
        Evidence(digest=digest, type=draw(TEXT), subject=draw(TEXT), issued=draw(INSTANT), status="verified")
        for digest in draw(st.lists(DIGEST, max_size=3, unique=True))
    ]
    results, waivers = [], []
    for rule in rules:
        for subject in draw(st.lists(NAME, max_size=3, unique=True)):
            status = draw(st.sampled_from(Status))
            waiver = samples.digest(f"waiver {rule.id} {subject}") if status is Status.WAIVED else None
            if waiver is not None:
                waivers.append(Waiver(digest=waiver, rule=rule.id, subject=subject, status="applied"))
            hops = [
                Hop(node=draw(NODE)),
                *(Hop(edge=draw(TEXT), node=draw(NODE)) for _ in range(draw(st.integers(0, 2)))),
            ]
            results.append(
                Result(
                    rule=rule.id,
                    subject=Subject(id=subject, kind=draw(NAME), name=draw(TEXT)),
                    status=status,
                    message=draw(st.none() | TEXT),
                    witnesses=(Witness(hops=tuple(hops)),),
                    facts=(Fact(node=draw(NAME), attribute=draw(NAME), value=draw(TEXT)),),
                    evidence=tuple(item.digest for item in evidence if draw(st.booleans())),
                    valid_until=draw(st.none() | INSTANT),
                    waiver=waiver,
                )
            )
    return samples.assemble(rules, results, evidence, waivers, title=draw(NAME), limits=(draw(TEXT),))


@given(documents())
@settings(max_examples=60, deadline=None)
def test_any_document_survives_json_and_is_counted_completely(document: AssessmentDocument) -> None:
    written = document.to_json()
    assert AssessmentDocument.from_json(written) == document
    total = len(document.results)
    assert len(findings(document)) == total
    assert sum(row.total for row in summary(document)) == total
    assert sum(len(results) for _, results in by_rule(document)) == total
    assert sum(len(found) for _, found in by_framework(document)) == total
    assert opinion(document)


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_give_a_document_or_a_coded_error(data: bytes) -> None:
    refusal(data)


@given(st.data())
@settings(max_examples=120, deadline=None)
def test_any_changed_byte_gives_a_document_or_a_coded_error(data: st.DataObject) -> None:
    written = bytearray(samples.single().to_json())
    written[data.draw(st.integers(0, len(written) - 1))] = data.draw(st.integers(0, 255))
    try:
        AssessmentDocument.from_json(bytes(written))
    except ReportError as error:
        assert error.code in CODES


@pytest.mark.parametrize(
    ("data", "code", "said"),
    [
        (b"", "PE6001", "not JSON: line 1 column 1"),
        (b"{}x", "PE6001", "not JSON"),
        (b"\xff", "PE6001", "not UTF-8: byte 0"),
        (b'{"a": 1, "a": 1}', "PE6001", "two members called `a`"),
        (b'{"a": NaN}', "PE6001", "`NaN` is no JSON number"),
        (b'{"a": -Infinity}', "PE6001", "`-Infinity`"),
        (b"[" * 100_000, "PE6001", "nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", "PE6001", "number that is too long"),
        (b"{}", "PE6002", "`/title` is missing"),
        (b"[]", "PE6002", "must be an object"),
    ],
)
def test_what_is_no_document(data: bytes, code: str, said: str) -> None:
    error = refusal(data)
    assert error.code == code
    assert said in error.message


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.update(extra=1), "`/extra` is not a member that is known here"),
        (lambda d: d["results"][0].update(status="passed"), "`/results/0/status` is not one of the words"),
        (lambda d: d.update(instant="2028-01-15T09:00:00+01:00"), "`/instant` must be an instant such as"),
        (lambda d: d.update(instant="2028-02-30T09:00:00Z"), "`/instant` must be an instant such as"),
        (lambda d: d.update(instant="2028-01-15T09:00:00.5Z"), "`/instant` must be an instant such as"),
        (lambda d: d.update(instant=1), "`/instant`"),
        (lambda d: d["inputs"].update(trust="sha256:ABC"), "`/inputs/trust` must be a digest"),
        (lambda d: d["scope"].update(node_count="64"), "`/scope/node_count` must be a whole number"),
        (lambda d: d["scope"].update(node_count=-1), "`/scope/node_count` must not be so small"),
        (lambda d: d["rules"][0].update(id=""), "`/rules/0/id` must not be empty"),
        (lambda d: d.update(limits="none"), "`/limits` must be a list"),
        (lambda d: d["rules"][0].update(title=None), "`/rules/0/title` must be text"),
    ],
)
def test_wrong_shapes_are_located(change: Callable[[dict[str, Any]], None], said: str) -> None:
    error = refusal(changed(change))
    assert error.code == "PE6002"
    assert said in error.message


def lose_a_result(document: dict[str, Any]) -> None:
    document["results"] = [result for result in document["results"] if result["status"] != "pass"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lose_a_result, "the counts differ from the results"),
        (lambda d: d["counts"].update({"pass": 5}), "the counts differ"),
        (lambda d: d["counts"].pop("unknown"), "the counts differ"),
        (lambda d: d.update(verdict="compliant"), "verdict is `compliant` but the results say `not_compliant`"),
        (lambda d: d["rules"].pop(), "of a rule that is not listed"),
        (lambda d: d["rules"].append(d["rules"][0]), "is listed twice"),
        (lambda d: d["results"].append(d["results"][0]), "has two results for"),
        (lambda d: d["evidence"].pop(0), "which is not listed as verified"),
        (lambda d: d["evidence"][0].update(status="rejected"), "which is not listed as verified"),
        (lambda d: d["evidence"][0].update(used_by=1), "is said to be used by 1 results but 2 cite it"),
        (lambda d: d["evidence"].append(d["evidence"][0]), "is listed twice"),
        (lambda d: d["waivers"].append(d["waivers"][0]), "is listed twice"),
        (lambda d: d["waivers"][2].update(status="applied"), "is said to be applied but no result cites it"),
        (lambda d: d["waivers"][0].update(status="expired"), "names a waiver that is not listed as applied to it"),
        (lambda d: d["waivers"][0].update(subject="model/other"), "not listed as applied to it"),
        (lambda d: d["results"][7].update(waiver=None), "must name a waiver exactly when it is waived"),
        (lambda d: d["results"][0].update(waiver=d["waivers"][0]["digest"]), "exactly when it is waived"),
        (lambda d: d["scope"].update(node_count=65), "number of nodes differs"),
        (lambda d: d["results"][0]["witnesses"][0]["hops"][0].update(edge="x"), "a path starts without an edge"),
        (lambda d: d["results"][0]["witnesses"][0]["hops"][1].update(edge=None), "a path starts without an edge"),
    ],
)
def test_contradictions(change: Callable[[dict[str, Any]], None], said: str) -> None:
    error = refusal(changed(change))
    assert error.code == "PE6003"
    assert said in error.message


def test_a_document_is_frozen_and_its_instants_are_utc() -> None:
    document = samples.single()
    with pytest.raises(ValidationError):
        document.title = "other"  # type: ignore[misc]
    for instant in (
        datetime(2028, 1, 1),  # noqa: DTZ001 - the naive instant is the point
        datetime(2028, 1, 1, tzinfo=timezone(timedelta(hours=1))),
        datetime(2028, 1, 1, microsecond=1, tzinfo=UTC),
    ):
        with pytest.raises(ValidationError, match="instant"):
            Evidence(digest=samples.digest("x"), type="a", subject="b", issued=instant, status="verified")


def test_order_and_verdicts() -> None:
    document = samples.rich()
    gravity = list(Severity)
    keys = [(gravity.index(item.rule.severity), item.rule.id, item.result.subject.id) for item in findings(document)]
    assert keys == sorted(keys)
    assert {item.result.status for item in findings(document, Status.FAIL)} == {Status.FAIL}
    assert document.verdict is Verdict.NOT_COMPLIANT
    without_failures = [
        result for result in document.results if result.status in (Status.UNKNOWN, Status.NOT_APPLICABLE)
    ]
    assert samples.assemble(document.rules, without_failures).verdict is Verdict.UNDECIDED
    assert samples.single().verdict is Verdict.COMPLIANT
    assert samples.empty().verdict is Verdict.UNDECIDED
    assert "nothing was shown" in opinion(samples.empty())


def test_a_renderer_that_loses_a_result_is_refused() -> None:
    document = samples.rich()
    statuses = [result.status for result in document.results]
    prove_complete(document, statuses)
    for wrong in (statuses[1:], [*statuses, Status.PASS]):
        with pytest.raises(ReportError) as caught:
            prove_complete(document, wrong)
        assert caught.value.code == "PE6004"


def test_codes_are_exactly_those_in_use() -> None:
    used: set[str] = set()
    for file in PACKAGE.rglob("*.py"):
        if file.name != "errors.py":
            used |= set(re.findall(r'"(PE(?:6\d|37)\d{2})"', file.read_text(encoding="utf-8")))
    assert used == set(CODES)
    assert all(meaning[0].isupper() and meaning.endswith(".") for meaning in CODES.values())


def test_the_light_part_loads_no_pdf_library() -> None:
    program = (
        "import sys, policy_reports, policy_reports.sarif, policy_reports.junit, policy_reports.markdown\n"
        "heavy = {'reportlab', 'pikepdf', 'pyhanko', 'PIL', 'cryptography', 'asn1crypto'}\n"
        "assert not heavy & {name.split('.')[0] for name in sys.modules}\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_dates_are_dates() -> None:
    document = samples.rich()
    assert document.rules[0].applies_from == date(2027, 12, 2)
    assert json.loads(document.to_json())["rules"][0]["applies_from"] == "2027-12-02"
