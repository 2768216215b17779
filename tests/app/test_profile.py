"""Profiles: what they set, what they refuse, and how enforcement and waiver rules act on a run."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from policy_engine.app.evaluate import evaluate
from policy_engine.app.inputs import read_inputs
from policy_engine.evaluation.waivers import WaiverState
from policy_engine.model.errors import InputError
from policy_engine.model.results import Status
from policy_engine.packs.profile import Enforcement, Profile, parse_profile

ROOT = Path(__file__).parents[2]
AT = datetime(2026, 11, 21, 9, tzinfo=UTC)
MINIMAL = 'profile = 1\npacks = ["eu_ai_act"]\nsources = ["inventory.yaml"]\n'


def test_what_is_not_written_has_its_default():
    profile = parse_profile(MINIMAL.encode(), "p")
    assert profile == Profile(packs=("eu_ai_act",), sources=("inventory.yaml",))


def test_every_mistake_is_reported_at_once():
    text = 'pakcs = ["x"]\nsources = "i.yaml"\nwaivers = 3\n[enforcement]\nhigh = "sometimes"\n[signing]\nkey = "k"\n'
    with pytest.raises(InputError) as refused:
        parse_profile(text.encode(), "p.toml")
    found = "\n".join(refused.value.reports)
    for words in (
        "`profile = 1` is missing",
        "no setting `pakcs`",
        "did you mean `packs`?",
        "`sources` must be a list",
        "`waivers` must be a table",
        "`enforcement.high` must be mandatory, overridable, advisory",
        "no setting `signing.key`",
    ):
        assert words in found
    assert all(r.startswith("p.toml: error[PE0003]") for r in refused.value.reports)


@pytest.mark.parametrize("data", [b"\xff", b"profile = ", b"profile = [" * 5000])
def test_what_is_no_toml_is_refused(data):
    with pytest.raises(InputError, match="PE0003"):
        parse_profile(data, "p")


def test_enforcement_goes_by_rule_then_pack_then_severity():
    profile = Profile(
        enforcement={
            "high": Enforcement.MANDATORY,
            "eu_ai_act": Enforcement.ADVISORY,
            "eu_ai_act.common.r": Enforcement.OVERRIDABLE,
        }
    )
    assert profile.enforcement_of("eu_ai_act.common.r", "high") is Enforcement.OVERRIDABLE
    assert profile.enforcement_of("eu_ai_act.common.other", "high") is Enforcement.ADVISORY
    assert profile.enforcement_of("bank.r", "high") is Enforcement.MANDATORY
    assert profile.enforcement_of("bank.r", "low") is Enforcement.OVERRIDABLE


@pytest.fixture(scope="module")
def bank(tmp_path_factory) -> Path:
    import importlib.util

    folder = tmp_path_factory.mktemp("profiles") / "bank"
    shutil.copytree(ROOT / "examples" / "credit-scoring", folder, ignore=shutil.ignore_patterns("generated"))
    spec = importlib.util.spec_from_file_location("bank_evidence", folder / "make_evidence.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.make(folder / "generated", b"test passphrase")
    return folder


def _run(bank: Path, added: str):
    profile = (bank / "profile.toml").read_text()
    (bank / "other.toml").write_text(f"{profile}\n{added}\n")
    return evaluate(read_inputs(bank / "other.toml"), AT)


def _waived(run) -> list[str]:
    return [r.rule for r in run.results if r.status is Status.WAIVED]


def test_a_mandatory_rule_cannot_be_waived(bank):
    (rule,) = _waived(_run(bank, ""))
    run = _run(bank, f'[enforcement]\n"{rule}" = "mandatory"')
    assert _waived(run) == []
    (use,) = [u for u in run.waivers if u.waiver.rule == rule and u.state is WaiverState.REJECTED]
    assert use.detail == "the profile makes the rule mandatory"


@pytest.mark.parametrize(
    ("rules", "detail"),
    [
        ('roles = ["compliance_officer"]', "signed as compliance_officer only"),
        ("max_days = 1", "longer than the 1 days"),
    ],
)
def test_a_waiver_must_keep_to_the_rules_for_waivers(bank, rules, detail):
    run = _run(bank, f"[waivers]\n{rules}")
    assert _waived(run) == []
    assert any(detail in u.detail for u in run.waivers if u.state is WaiverState.REJECTED)


def test_enforcement_of_nothing_is_refused(bank):
    with pytest.raises(InputError, match=r"did you mean `eu_ai_act\.ai_literacy`"):
        _run(bank, '[enforcement]\n"eu_ai_act.ai_litteracy" = "advisory"')


def test_advice_does_not_stop_a_deployment(bank):
    from policy_engine.cli.check import exit_code

    assert exit_code(_run(bank, ""), "low") == 1
    relaxed = "".join(f'{level} = "advisory"\n' for level in ("critical", "high", "medium", "low"))
    run = _run(bank, f"[enforcement]\n{relaxed}")
    assert run.count(Status.FAIL) > 0
    assert exit_code(run, "low") == 3  # the bank's evidence holds files that cannot be verified


def test_parameters_change_results_and_must_fit(bank):
    text = (bank / "profile.toml").read_text()
    (bank / "strict.toml").write_text(text.replace('"365 days"', '"365 dais"'))
    with pytest.raises(InputError, match="PE2109"):
        evaluate(read_inputs(bank / "strict.toml"), AT)


@pytest.mark.parametrize("version", ["1", "1.0", "1.0.0"])
def test_a_pack_of_the_version_asked_for_is_taken(bank, version):
    text = (bank / "profile.toml").read_text().replace('"eu_ai_act",', f'"eu_ai_act@{version}",')
    (bank / "versioned.toml").write_text(text)
    assert evaluate(read_inputs(bank / "versioned.toml"), AT).results


@pytest.mark.parametrize(
    ("version", "code"), [("2", "PE2016"), ("1.9", "PE2016"), ("0.9", "PE2016"), ("newest", "PE0003")]
)
def test_a_pack_of_another_version_is_refused(bank, version, code):
    text = (bank / "profile.toml").read_text().replace('"eu_ai_act",', f'"eu_ai_act@{version}",')
    (bank / "versioned.toml").write_text(text)
    with pytest.raises(InputError, match=code):
        evaluate(read_inputs(bank / "versioned.toml"), AT)


def test_a_version_may_be_asked_of_a_pattern(bank):
    text = (bank / "profile.toml").read_text().replace('"policies/bank.policy"', '"policies/*.policy@9.0"')
    (bank / "versioned.toml").write_text(text)
    with pytest.raises(InputError, match="PE2016"):
        evaluate(read_inputs(bank / "versioned.toml"), AT)


def test_other_packs_do_not_lift_what_is_mandatory(bank):
    (rule,) = _waived(_run(bank, ""))
    pack = rule.rpartition(".")[0]
    profile = (bank / "profile.toml").read_text()
    (bank / "strict.toml").write_text(f'{profile}\n[enforcement]\n"{rule}" = "mandatory"\n"eu_ai_act" = "advisory"\n')
    specification = "policies/bank.policy" if pack.startswith("example_bank") else pack
    run = evaluate(read_inputs(bank / "strict.toml", [specification]), AT)
    assert _waived(run) == []


def test_an_empty_trust_is_a_mistake():
    with pytest.raises(InputError, match="`trust` is empty"):
        parse_profile(f'{MINIMAL}trust = ""\n'.encode(), "p")
