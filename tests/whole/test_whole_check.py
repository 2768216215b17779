"""The check of a whole estate says what the check of the profile says, and refuses what it cannot answer."""

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from policy_engine.app.evaluate import evaluate
from policy_engine.app.inputs import read_inputs
from policy_engine.app.prepare import prepare_stored
from policy_engine.app.store import open_store
from policy_engine.app.whole_estate import check_estate
from policy_engine.cli.check import exit_code
from policy_engine.evaluation.sets import evaluator as sets
from policy_engine.evaluation.sets.codes import SetEvaluationError
from policy_engine.lineage.columns.layout import Container, write_file
from policy_engine.lineage.columns.reader import EstateFile
from policy_engine.lineage.errors import LineageError
from policy_engine.model.results import Status, result_to_json
from tests.gate.gate_runs import AT, AT_TEXT, entry


def findings_of(path: Path, explained: int | None) -> list[dict[str, object]]:
    with EstateFile.open(path) as file:
        return list(check_estate(file, AT, explained=explained).findings())


def test_the_answer_is_that_of_a_check_of_the_profile(bank: Path, prepared: Path) -> None:
    run = evaluate(read_inputs(bank), AT)
    with EstateFile.open(prepared) as file:
        check = check_estate(file, AT, explained=None)
        assert dict(check.counts) == {status: run.count(status) for status in Status}
        assert check.verdict is run.verdict
        for fail_on in ("critical", "high", "medium", "low"):
            assert check.exit_code(fail_on) == exit_code(run, fail_on)
        assert [(u.waiver, u.state, u.detail) for u in check.answer.waivers] == [
            (u.waiver, u.state, u.detail) for u in run.waivers
        ]
        open_results = [r for r in run.results if r.status in (Status.FAIL, Status.UNKNOWN)]
        told = {(r.rule, r.subject): result_to_json(r) for r in check.answer.results}
        assert told == {(r.rule, r.subject): result_to_json(r) for r in open_results}
        by_rule = {rule: Counter(r.status for r in run.results if r.rule == rule) for rule in run.program.rules}
        for tally in check.tallies:
            assert {s: n for s, n in tally.counts.items() if n} == dict(by_rule[tally.rule.name])


def test_what_is_not_explained_is_still_there(prepared: Path) -> None:
    every, some = findings_of(prepared, None), findings_of(prepared, 3)
    keys = ("rule", "subject", "status", "severity")
    assert [[one[key] for key in keys] for one in every] == [[one[key] for key in keys] for one in some]
    assert [one["explained"] for one in some] == [True] * 3 + [False] * (len(every) - 3)
    assert some[:3] == every[:3]
    assert [one["message"] for one in some[3:]] == [""] * (len(every) - 3)


def test_text_and_files(prepared: Path, tmp_path: Path) -> None:
    outputs = [f"--output={name}={tmp_path / name}" for name in ("json", "ndjson")]
    ran = entry("check", prepared, "--at", AT_TEXT, "--limit", "2", *outputs)
    assert ran.returncode == 1
    assert ran.stderr == ""
    assert ran.stdout.count("\nFAIL ") == 2
    assert "11 more findings not shown" in ran.stdout
    document = json.loads((tmp_path / "json").read_text())
    lines = [json.loads(line) for line in (tmp_path / "ndjson").read_text().splitlines()]
    assert document["findings"] == lines
    assert document["exit_code"] == 1
    assert sum(rule["counts"]["fail"] for rule in document["rules"]) == document["counts"]["fail"]
    printed = entry("check", prepared, "--at", AT_TEXT, "--limit", "2", "--format", "json")
    assert json.loads(printed.stdout) == document
    quiet = entry("check", prepared, "--at", AT_TEXT, "--quiet")
    assert quiet.stdout.splitlines() == ran.stdout.splitlines()[:1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--output", "sarif=x"], "error[PE0007]: `sarif` is written of a check of a profile"),
        (["--pack", "eu_ai_act"], "error[PE0007]: `--pack` is decided when an estate file is prepared"),
        (["--as-of", "latest"], "error[PE0007]: `--as-of` is decided"),
        (["--at", "2031-01-01"], "error[PE3412]"),
    ],
)
def test_what_an_estate_file_does_not_have(prepared: Path, arguments: list[str], said: str) -> None:
    ran = entry("check", prepared, *arguments)
    assert ran.returncode == 2
    assert said in ran.stderr


def test_a_profile_has_no_limit(bank: Path) -> None:
    ran = entry("check", bank, "--limit", "3")
    assert (ran.returncode, ran.stderr) == (2, "error[PE0007]: `--limit` is for estate files\n")


def test_no_estate_file_by_that_name(tmp_path: Path) -> None:
    (tmp_path / "a.aipe").write_text("nothing of the kind")
    ran = entry("check", tmp_path / "a.aipe")
    assert ran.returncode == 2
    assert "error[PE3401]" in ran.stderr


def test_policies_of_another_version_are_not_used(prepared: Path, tmp_path: Path) -> None:
    with Container.open(prepared) as file:
        sections = {name: (file.typecode(name), bytes(file.section(name))) for name in file.names}
        program = sections["program"][1].replace(b'"policy-pieces/', b'"policy-pieces/9')
        header = {key: value for key, value in file.header.items() if key not in ("sections", "format")}
        write_file(tmp_path / "old.aipe", header, {**sections, "program": ("B", program)})  # type: ignore[dict-item]
    with EstateFile.open(tmp_path / "old.aipe") as file, pytest.raises(LineageError, match="PE3413"):
        check_estate(file, AT, explained=0)


def test_evaluators_that_disagree_stop_the_run(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrong(sets.PointEvaluator):
        def evaluate(self, rule, subject, at):  # type: ignore[no-untyped-def]
            return replace(super().evaluate(rule, subject, at), status=Status.NOT_APPLICABLE)

    monkeypatch.setattr(sets, "PointEvaluator", Wrong)
    with EstateFile.open(prepared) as file, pytest.raises(SetEvaluationError, match="PE3502"):
        check_estate(file, AT, explained=1)


def test_a_stored_snapshot_is_prepared_as_the_sources_are(bank: Path, prepared: Path, tmp_path: Path) -> None:
    imported = entry("snapshot", "import", bank, "--store", tmp_path / "e.db", "--as-of", AT_TEXT)
    assert imported.returncode == 0, imported.stderr
    inputs = read_inputs(bank, with_sources=False)
    store = open_store(str(tmp_path / "e.db"))
    prepare_stored(inputs, bank, tmp_path / "e.aipe", datetime(2026, 11, 21, tzinfo=UTC), store, "latest")
    with EstateFile.open(prepared) as one, EstateFile.open(tmp_path / "e.aipe") as other:
        assert one.names == other.names
        for name in one.names:
            if name != "inputs":
                assert bytes(one.section(name)) == bytes(other.section(name)), name
        assert one.header["facts_digest"] == other.header["facts_digest"]
