"""The example estates: each is what its manual says, and together they show every rule of the library both ways.

What is said is signed with fresh keys and verified, as in real use, in a copy of each example. Every rule has to fail
once and to pass once on some estate at some of the instants; nothing is excused.
"""

import importlib.util
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from policy_dsl.typed.tree import Program
from policy_engine.app.evaluate import Ready, compile_policies, evaluate, make_ready
from policy_engine.app.inputs import Inputs, read_inputs
from policy_engine.app.prepare import prepare
from policy_engine.evaluation.point.evaluate import PointEvaluator
from policy_engine.evaluation.reference import ReferenceEvaluator
from policy_engine.evaluation.sets.evaluator import SetEvaluator
from policy_engine.lineage.columns.reader import EstateFile
from policy_engine.lineage.estate import Estate
from policy_engine.lineage.load import load_estate
from policy_engine.model.results import Status
from policy_engine.packs.library import library, library_folder, select
from policy_engine.packs.profile import parse_profile

ROOT = Path(__file__).parents[2]
STARTERS = {
    "eu-bank": "eu_bank",
    "us-health": "us_health_provider",
    "us-employer": "us_employer",
    "llm-team": "llm_application_team",
    "small-company": "small_company",
}
"""Each example with the starter that its profile was begun with."""

TODAY = datetime(2026, 11, 21, tzinfo=UTC)
"""The day of which the manuals speak."""

INSTANTS = (
    TODAY,
    datetime(2026, 3, 1, tzinfo=UTC),  # SR 11-7 is still in force
    datetime(2027, 2, 1, tzinfo=UTC),  # SB 26-189 of Colorado is in force
    datetime(2028, 9, 1, tzinfo=UTC),  # all of the AI Act is in force
)

PACKS = sorted({name.partition(".")[0] for name in library()} - {"std"})
WORDS = {
    Status.PASS: "pass",
    Status.FAIL: "fail",
    Status.UNKNOWN: "unknown",
    Status.NOT_APPLICABLE: "not applicable|do not apply",
    Status.WAIVED: "waived",
}
"""How a manual calls the statuses."""

PASSPHRASE = b"a passphrase for this test"
SAMPLE = 300


@dataclass(frozen=True, slots=True)
class Example:
    """An example whose evidence is signed, before the whole library."""

    folder: Path
    inputs: Inputs
    estate: Estate
    ready: Ready


@pytest.fixture(scope="session")
def program() -> Program:
    program, found = compile_policies(select(library(), {}).files, {})
    assert not found
    return program


@pytest.fixture(scope="session")
def signer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sign_evidence", ROOT / "examples" / "sign_evidence.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def examples(program: Program, signer: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Example]:
    made = {}
    for name in STARTERS:
        folder = tmp_path_factory.mktemp("examples") / name
        shutil.copytree(ROOT / "examples" / name, folder, ignore=shutil.ignore_patterns("generated"))
        signed = signer.sign(folder, PASSPHRASE)
        inputs = read_inputs(folder, PACKS)
        said = yaml.safe_load((folder / "evidence.yaml").read_bytes())
        assert len(said["evidence"]) + len(said.get("waivers", ())) == signed == len(inputs.evidence)
        estate = load_estate(inputs.sources, program.schema)
        made[name] = Example(folder, inputs, estate, make_ready(inputs, TODAY, program, estate.snapshot))
    return made


@pytest.fixture(scope="session")
def seen(program: Program, examples: Mapping[str, Example]) -> Mapping[str, set[Status]]:
    """Which results each rule has had; of a rule that has failed and passed nothing more is asked."""
    statuses: dict[str, set[Status]] = {rule: set() for rule in program.rules}
    evaluators = [PointEvaluator(example.ready.world) for example in examples.values()]
    for at, evaluator in product(INSTANTS, evaluators):
        for name, rule in program.rules.items():
            for subject in evaluator.world.subjects(rule):
                if {Status.FAIL, Status.PASS} <= statuses[name]:
                    break
                statuses[name].add(evaluator.status(rule, subject, at))
    return statuses


@pytest.mark.parametrize("name", STARTERS)
def test_the_sources_are_what_their_script_writes(name: str, tmp_path: Path) -> None:
    committed = ROOT / "examples" / name
    script = shutil.copy(committed / "make_sources.py", tmp_path)
    subprocess.run([sys.executable, str(script)], check=True, timeout=30)
    assert _files(tmp_path / "sources") == _files(committed / "sources")


def _files(folder: Path) -> Mapping[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize(("name", "starter"), STARTERS.items())
def test_the_profile_is_that_of_its_starter(name: str, starter: str) -> None:
    own = parse_profile((ROOT / "examples" / name / "profile.toml").read_bytes(), "profile.toml")
    begun = parse_profile((library_folder() / "starter" / starter / "profile.toml").read_bytes(), "profile.toml")
    assert own.packs == begun.packs
    assert own.parameters == begun.parameters
    assert own.enforcement == begun.enforcement
    assert own.waivers.max_days == begun.waivers.max_days


@pytest.mark.parametrize("name", STARTERS)
def test_the_estate_loads_and_comes_from_several_tools(name: str, examples: Mapping[str, Example]) -> None:
    estate = examples[name].estate
    assert not [str(problem) for problem in estate.problems if problem.is_error]
    assert 50 <= len(estate.snapshot.nodes) <= 300
    formats = {source.format for source in estate.snapshot.sources}
    assert "inventory" in formats
    assert len(formats) >= 4


@pytest.mark.parametrize("name", STARTERS)
def test_what_does_not_count_was_signed_by_somebody_who_may_not(name: str, examples: Mapping[str, Example]) -> None:
    evidence = examples[name].ready.evidence
    assert evidence.verified
    assert not [str(problem) for problem in evidence.problems]
    assert not evidence.unjudged
    assert {rejected.code for _, rejected in evidence.rejected} <= {"PE4403"}


@pytest.mark.parametrize("name", STARTERS)
def test_its_manual_says_what_a_check_answers(name: str, examples: Mapping[str, Example]) -> None:
    found = evaluate(read_inputs(examples[name].folder), TODAY)
    counts = {status: found.count(status) for status in Status}
    assert _said((ROOT / "examples" / name / "README.md").read_text(encoding="utf-8")) == (found.verdict, counts)


def _said(manual: str) -> tuple[str, Mapping[Status, int]]:
    """Return the verdict and the counts that a manual gives, as `check` prints them or in a sentence."""
    said = re.search(r"\b(not compliant|undecided|compliant)\b(\W|at [\dTZ:-]+)*: (\d[^.`]*)", _one_line(manual), re.I)
    assert said is not None, "the manual does not say the verdict with its counts"
    counts = {}
    for status, words in WORDS.items():
        count = re.search(rf"(\d+) (?:is |are )?(?:{words})\b", said[3])
        counts[status] = int(count[1]) if count else 0
    return said[1].lower().replace(" ", "_"), counts


def _one_line(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("pack", PACKS)
def test_every_rule_fails_somewhere_and_passes_somewhere(
    pack: str, program: Program, seen: Mapping[str, set[Status]]
) -> None:
    rules = [rule for rule in program.rules if rule.partition(".")[0] == pack]
    assert rules
    assert not sorted(rule for rule in rules if Status.FAIL not in seen[rule]), "these never fail"
    assert not sorted(rule for rule in rules if Status.PASS not in seen[rule]), "these never pass"


@pytest.mark.parametrize("name", STARTERS)
def test_the_reference_evaluator_agrees(name: str, examples: Mapping[str, Example]) -> None:
    world = examples[name].ready.world
    point, reference = PointEvaluator(world), ReferenceEvaluator(world)
    asked = [(rule, subject) for rule in world.program.rules.values() for subject in world.subjects(rule)]
    for rule, subject in random.Random(name).sample(asked, SAMPLE):
        assert point.decide(rule, subject, TODAY) == reference.evaluate(rule, subject, TODAY)


@pytest.mark.parametrize("name", STARTERS)
def test_the_columns_decide_as_the_points_do(
    name: str, program: Program, examples: Mapping[str, Example], tmp_path: Path
) -> None:
    """The whole library again, decided for all things at once from an estate file."""
    example = examples[name]
    prepare(example.inputs, example.folder, tmp_path / "estate.aipe", TODAY)
    point = PointEvaluator(example.ready.world)
    with EstateFile.open(tmp_path / "estate.aipe") as file:
        columns = SetEvaluator(program, file)
        for at in (TODAY, INSTANTS[-1]):
            results = columns.evaluate(at)
            for rule in program.rules.values():
                for subject in point.world.subjects(rule):
                    assert results.status(rule.name, subject) is point.status(rule, subject, at), (rule.name, subject)
