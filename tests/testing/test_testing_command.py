"""``policy-engine test`` as its user meets it: exit codes, what it prints, the files that it writes."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

from policy_engine.cli.main import main
from tests.testing.small_world import FILE, pack, rule

PASSES = """\
test "legacy passes"
    at 2028-01-01
    given
        System a { legacy: true }
        System b { legacy: false, risk: 9 }
    expect pass of r on a
    expect fail of r on b
    at 2027-01-01
    expect pass of r on a
    at 2026-12-31
    expect not_applicable of r on a
"""
FAILS = """\
test "legacy fails \\"somehow\\""
    at 2028-01-01
    given
        System a { legacy: true }
    expect fail of r on a
    expect unknown of r on a
"""
TABLE = """\
test "risk decides"
    at 2028-01-01
    given
        System a { risk: <risk>, legacy: false }
    expect <result> of r on a
    cases
        risk     result
        2        pass
        3        fail
        unknown  unknown
"""


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.delenv("POLICY_ENGINE_DEBUG", raising=False)

    def ran(*arguments: object) -> Ran:
        with pytest.raises(SystemExit) as stop:
            main(["test", *(str(a) for a in arguments)])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return Ran(int(stop.value.code or 0), captured.out, captured.err)

    return ran


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    def write(*parts: str, name: str = "world.policy") -> Path:
        path = tmp_path / name
        path.write_bytes(pack(*parts)[FILE])
        return path

    return write


def test_all_pass(run: Run, written: Callable[..., Path]) -> None:
    ran = run(written(rule("system.legacy"), PASSES), "--verbose")
    assert ran.code == 0
    assert ran.out == "pass  world: legacy passes\n1 passed, 0 failed\n"


def test_a_failure_says_where_and_what(run: Run, written: Callable[..., Path]) -> None:
    path = written(rule("system.legacy"), PASSES, FAILS)
    ran = run(path)
    assert ran.code == 1
    assert 'FAIL  world: legacy fails "somehow"' in ran.out
    lines = path.read_text().splitlines()
    found = re.findall(r"world\.policy:(\d+):\d+: (.*)", ran.out)
    assert [lines[int(number) - 1].strip() for number, _ in found] == [
        "expect fail of r on a",
        "expect unknown of r on a",
    ]
    assert found[0][1] == "expected fail, found pass"


def test_a_filter_picks_tests(run: Run, written: Callable[..., Path]) -> None:
    path = written(rule("system.legacy"), PASSES, FAILS)
    assert run(path, "--filter", "passes").code == 0
    ran = run(path, "--filter", "nowhere")
    assert (ran.code, "PE0008" in ran.err) == (2, True)


def test_each_row_of_a_table_is_a_test(run: Run, written: Callable[..., Path]) -> None:
    ran = run(written(rule("system.risk < 3"), TABLE), "-v")
    assert ran.code == 0
    assert "3 passed, 0 failed" in ran.out
    assert "risk decides (risk 2, result pass)" in ran.out
    broken = run(written(rule("system.risk < 3"), TABLE.replace("3        fail", "3        pass")))
    assert broken.code == 1
    assert "risk decides (risk 3, result pass)" in broken.out


def test_the_rows_of_a_table_cover_and_kill(run: Run, written: Callable[..., Path]) -> None:
    ran = run(
        written(rule("system.risk < 3", clauses="    applies from 2020-01-01\n"), TABLE), "--coverage", "--mutate"
    )
    assert "world.r: 3 of 3 states seen" in ran.out
    assert "`<` became `<=`" not in ran.out
    # No row is about the day from which the rule applies.
    assert "applies from a day later" in ran.out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--output", "junit"), "PE0007"),
        (("--output", "sarif=x"), "PE0007"),
        (("--output", "junit=x", "--output", "junit=y"), "PE0007"),
        (("--jobs", "0"), "--jobs"),
        (("--mutants",), "--mutants"),
    ],
)
def test_bad_usage(run: Run, written: Callable[..., Path], arguments: tuple[str, ...], code: str) -> None:
    ran = run(written(rule("system.legacy"), PASSES), *arguments)
    assert ran.code == 2
    assert code in ran.err


def test_invalid_policies_are_not_tested(run: Run, written: Callable[..., Path]) -> None:
    ran = run(written(rule("system.lagacy"), PASSES), "--mutate", "--coverage")
    assert ran.code == 2
    assert "did you mean `legacy`?" in ran.err
    assert not ran.out


def test_junit_is_what_build_servers_read(run: Run, written: Callable[..., Path], tmp_path: Path) -> None:
    file = tmp_path / "out" / "junit.xml"
    nasty = PASSES.replace("legacy passes", "a\tb & <c> \u0001 \u202e ]]>")
    ran = run(written(rule("system.legacy"), nasty, FAILS), "--output", f"junit={file}")
    assert ran.code == 1
    root = ElementTree.fromstring(file.read_bytes())
    assert root.tag == "testsuites"
    assert root.attrib == {"tests": "2", "failures": "1", "errors": "0"}
    (suite,) = root
    assert suite.tag == "testsuite"
    assert suite.attrib == {"name": "world", "tests": "2", "failures": "1", "errors": "0"}
    cases = suite.findall("testcase")
    assert len(cases) == len(list(suite)) == int(suite.attrib["tests"])
    for case in cases:
        assert set(case.attrib) == {"classname", "name", "file", "line"}
        assert case.attrib["line"].isdigit()
        assert {child.tag for child in case} <= {"failure"}
    assert "\u0001" not in cases[0].attrib["name"]
    (failure,) = suite.iter("failure")
    assert failure.attrib["message"] == "expected fail, found pass"
    assert len((failure.text or "").splitlines()) == 2


def test_documents_are_the_same_every_time(run: Run, written: Callable[..., Path], tmp_path: Path) -> None:
    path = written(rule("system.legacy"), PASSES)
    for name in ("one", "two"):
        run(path, "--output", f"junit={tmp_path / name}.xml", "--output", f"coverage={tmp_path / name}.json")
    assert (tmp_path / "one.xml").read_bytes() == (tmp_path / "two.xml").read_bytes()
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    assert json.loads((tmp_path / "one.json").read_bytes())["rules"][0]["name"] == "world.r"


def test_coverage_names_the_line_of_what_no_test_has_seen(run: Run, written: Callable[..., Path]) -> None:
    path = written(rule("system.legacy or system.risk < 3"), PASSES)
    ran = run(path, "--coverage")
    assert ran.code == 0
    number = path.read_text().splitlines().index("        system.legacy or system.risk < 3") + 1
    assert f"  {path}:{number}: operand `system.risk < 3` was never true\n" in ran.out
    assert "`system.legacy` was never" not in ran.out
    assert re.search(r"^coverage: \d+ of \d+ states of clauses seen$", ran.out, re.MULTILINE)


def test_mutation_shows_the_change_and_a_test_that_notices_it(run: Run, written: Callable[..., Path]) -> None:
    ran = run(written(rule("system.legacy or system.risk < 3"), PASSES), "--mutate", "--jobs", "1")
    assert ran.code == 1
    assert "-        system.legacy or system.risk < 3\n      +        system.legacy or system.risk <= 3" in ran.out
    assert "a test for world that notices it" in ran.out
    assert not ran.err, "no progress is shown where nobody watches"

    examples = re.findall(r"^test \".*?(?=\n\n|\Z)", ran.out, re.MULTILINE | re.DOTALL)
    assert examples
    again = run(written(rule("system.legacy or system.risk < 3"), PASSES, *examples), "--mutate", "--jobs", "2")
    assert again.code == 0, again.out
    assert ", 0 not noticed" in again.out


def test_a_change_that_cannot_be_told_apart_breaks_no_build(run: Run, written: Callable[..., Path]) -> None:
    doubled = rule("system.legacy or system.legacy")
    ran = run(written(doubled, PASSES), "--mutate", "--jobs", "1")
    assert ran.code == 0
    assert "no example found" in ran.out


def test_failing_tests_fail_with_mutation_too(run: Run, written: Callable[..., Path]) -> None:
    ran = run(written(rule("system.legacy"), PASSES, FAILS), "--mutate", "--jobs", "1")
    assert ran.code == 1


def test_literate_packs_are_tested_like_others(run: Run, tmp_path: Path) -> None:
    body = pack(rule("system.legacy or system.risk < 3"), PASSES)[FILE].decode()
    path = tmp_path / "law.policy.md"
    path.write_text(f"# The law\n\nIn force: and or not.\n\n```policy\n{body}```\n", encoding="utf-8")
    ran = run(tmp_path, "--mutate", "--coverage", "--jobs", "1")
    assert ran.code == 1
    assert "+        system.legacy or system.risk <= 3" in ran.out
    number = path.read_text().splitlines().index("        system.legacy or system.risk < 3") + 1
    assert f"law.policy.md:{number}\n" in ran.out
