"""The example bank: its estate loads without a complaint, its evidence is what its manual says, its findings show."""

import importlib.util
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import pytest

from policy_dsl import compile_bytes
from policy_dsl.values import Value
from policy_engine.evaluation.point.evaluate import PointEvaluator
from policy_engine.evaluation.reference import ReferenceEvaluator
from policy_engine.evaluation.world import World
from policy_engine.lineage.binding import Misfit, read_value
from policy_engine.lineage.estate import Estate
from policy_engine.lineage.graph import subject_digests
from policy_engine.lineage.load import load_estate
from policy_engine.model.evidence import Evidence, EvidenceSet
from policy_engine.model.results import Result
from policy_engine.packs.library import is_policy_file, select
from policy_evidence.signing.files import read_private_key
from policy_evidence.trust.document import parse_trust
from policy_evidence.verify import Rejected, VerifiedEvidence, VerifiedWaiver, verify_evidence

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "credit-scoring"
TODAY = datetime(2026, 11, 21, 9, tzinfo=UTC)
HIGH_RISK = datetime(2028, 1, 15, tzinfo=UTC)
PASSPHRASE = b"a passphrase for this test"

PROFILE = tomllib.loads((EXAMPLE / "profile.toml").read_text(encoding="utf-8"))
PACKS = select(
    [name for name in PROFILE["packs"] if not is_policy_file(name)],
    {name: (EXAMPLE / name).read_bytes() for name in PROFILE["packs"] if is_policy_file(name)},
)
COMPILED, FOUND = compile_bytes(PACKS.files, PROFILE["parameters"])
PROGRAM = COMPILED.only(PACKS.selected)


@dataclass(frozen=True, slots=True)
class Bank:
    """The example with its evidence judged."""

    generated: Path
    estate: Estate
    judged: dict[str, VerifiedEvidence | VerifiedWaiver | Rejected]
    world: World

    def results(self, at: datetime) -> dict[tuple[str, str], Result]:
        return {(result.rule, result.subject): result for result in PointEvaluator(self.world).evaluate_all(at)}

    def waivers(self) -> Iterator[VerifiedWaiver]:
        return (record for record in self.judged.values() if isinstance(record, VerifiedWaiver))


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("example_make_evidence", EXAMPLE / "make_evidence.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _field(evidence_type: str, name: str, raw: object) -> Value:
    exact = Decimal(str(raw)) if isinstance(raw, float) else raw
    value = read_value(exact, PROGRAM.schema.evidence[evidence_type].fields[name].type)
    assert not isinstance(value, Misfit)
    return value


def _evidence(record: VerifiedEvidence) -> Evidence:
    fields = {name: _field(record.type, name, raw) for name, raw in record.fields.items()}
    signers = tuple(frozenset(signer.roles) for signer in record.signers)
    interval = (record.issued, record.counts_from, record.counts_until)
    return Evidence(record.digest, record.type, record.subject, *interval, fields, signers)


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    generated = tmp_path_factory.mktemp("bank") / "generated"
    count = _script().make(generated, PASSPHRASE)
    paths = [EXAMPLE / "inventory.yaml", *sorted((EXAMPLE / "bom").glob("*.json"))]
    estate = load_estate({str(p.relative_to(EXAMPLE)): p.read_bytes() for p in paths}, PROGRAM.schema, strict=True)
    trust = parse_trust((generated / "trust.yaml").read_bytes())
    trust.require_current(HIGH_RISK)
    subjects = {node.id: subject_digests(node) for node in estate.snapshot.nodes.values()}
    judged = {}
    for path in sorted((generated / "evidence").glob("*.json")):
        (judged[path.stem],) = verify_evidence(path.read_bytes(), trust, subjects)
    assert len(judged) == count
    evidence = EvidenceSet.of(_evidence(r) for r in judged.values() if isinstance(r, VerifiedEvidence))
    return Bank(generated, estate, judged, World(PROGRAM, estate.snapshot, evidence))


def test_the_estate_loads_without_a_complaint(bank: Bank) -> None:
    assert not FOUND
    assert not [str(problem) for problem in bank.estate.problems]
    snapshot = bank.estate.snapshot
    assert 55 <= len(snapshot.nodes) <= 80
    assert set(snapshot.ids_of({"System"})) == {"credit-scoring", "customer-assistant", "fraud-detection"}
    assert not [node.id for node in snapshot.nodes.values() if node.conflicts]


def test_the_vendors_bom_and_the_inventory_speak_of_one_model(bank: Bank) -> None:
    snapshot = bank.estate.snapshot
    model = snapshot.nodes["lumen-chat"]
    assert {"pkg:generic/lumen-ai/lumen-chat@3.2.0"} <= set(model.aliases)
    assert snapshot.value("lumen-chat", "general_purpose") is True  # the inventory says so
    assert snapshot.value("lumen-chat", "licence") == "Lumen Commercial Licence 3"  # the BOM says so
    assert snapshot.targets("lumen-chat", "supplied_by") == ("lumen-ai",)
    assert snapshot.targets("lumen-ai", "bound_by") == ("lumen-terms",)
    assert snapshot.targets("lumen-chat", "finetuned_from") == ("pkg:generic/lumen-ai/lumen-base@3.0.0",)


def test_the_manual_counts_the_signed_files(bank: Bank) -> None:
    assert f"{len(bank.judged)} signed files" in (EXAMPLE / "README.md").read_text(encoding="utf-8")


def test_what_must_not_count_is_rejected_for_the_right_reason(bank: Bank) -> None:
    rejected = {name: record.code for name, record in bank.judged.items() if isinstance(record, Rejected)}
    assert rejected == {
        "datasheet-loan-applications": "PE4403",  # the role of the signer may not sign datasheets
        "datasheet-marketing-panel-2024": "PE4405",  # not in this inventory
        "prohibited_practice_screening-customer-assistant": "PE4401",  # changed after it was signed
    }


def test_one_piece_of_evidence_has_expired_and_one_is_too_old(bank: Bank) -> None:
    expired, old = bank.judged["datasheet-account-movements"], bank.judged["datasheet-bureau-extract"]
    assert isinstance(expired, VerifiedEvidence)
    assert isinstance(old, VerifiedEvidence)
    assert expired.counts_until is not None
    assert expired.counts_until < TODAY
    assert old.counts_until is None
    assert old.issued < datetime(2025, 11, 21, tzinfo=UTC)


def test_of_three_waivers_one_is_valid_one_expired_and_one_unused(bank: Bank) -> None:
    results = bank.results(TODAY)
    found = {}
    for waiver in bank.waivers():
        assert waiver.counts_until is not None
        current = waiver.counts_from <= TODAY < waiver.counts_until
        found[waiver.rule.rpartition(".")[2]] = (current, results[waiver.rule, waiver.subject].status.value)
    assert found == {
        "deployments_approved": (True, "fail"),
        "suppliers_bound": (False, "fail"),
        "assistants_guarded": (True, "pass"),
    }


def test_today_shows_every_kind_of_result(bank: Bank) -> None:
    results = bank.results(TODAY)
    kinds = Counter(result.status.value for result in results.values())
    assert all(kinds[kind] for kind in ("pass", "fail", "unknown", "not_applicable"))
    # As the manual of the example says; one of the failures is waived.
    manual = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    counted = f"{kinds['pass']} pass, {kinds['fail'] - 1} fail, {kinds['unknown']} are unknown, 1 is waived"
    assert f"{counted}, {kinds['not_applicable']} do not apply" in manual
    failing = {f"{rule.rpartition('.')[2]} {subject}" for (rule, subject), r in results.items() if r.status == "fail"}
    assert failing == {
        "operators_trained tom-de-vos",
        "practices_screened customer-assistant",
        "datasheets_current credit-scoring",
        "deployments_approved assistant-app",  # waived
        "deployments_approved scoring-online",
        "suppliers_bound credit-scoring",
        "vendor_models_see_no_personal_data customer-assistant",
    }


def test_findings_show_the_way_through_the_lineage(bank: Bank) -> None:
    results = bank.results(TODAY)
    data = results["example_bank.model_risk.datasheets_current", "credit-scoring"]
    ways = {witness.hops[-1].node: [hop.node for hop in witness.hops] for witness in data.witnesses}
    assert set(ways) == {"account-movements", "bureau-extract", "loan-applications"}
    assert len(ways["loan-applications"]) - 1 >= 6
    chat = results["example_bank.model_risk.vendor_models_see_no_personal_data", "customer-assistant"]
    assert [[hop.node for hop in witness.hops] for witness in chat.witnesses] == [
        ["customer-assistant", "assistant-agent", "knowledge-index", "index-building", "chat-history"]
    ]  # and not the complaint letters, which are anonymised on their way


def test_open_questions_are_unknown_and_name_the_missing_fact(bank: Bank) -> None:
    missing = {
        (fact.node, fact.attribute)
        for result in bank.results(TODAY).values()
        if result.status == "unknown"
        for fact in result.missing
    }
    assert {("lumen-terms", "ends"), ("embedder", "stage"), ("account-movements", "special_category")} <= missing


def test_the_retired_system_is_judged_by_nothing_that_concerns_systems_in_use(bank: Bank) -> None:
    for at in (TODAY, HIGH_RISK):
        about = {r.status.value for (_, subject), r in bank.results(at).items() if subject == "fraud-detection"}
        assert about == {"not_applicable"}


def test_the_duties_of_high_risk_systems_bite_in_december_2027(bank: Bank) -> None:
    def high_risk_failures(at: datetime) -> set[str]:
        return {
            rule
            for (rule, subject), result in bank.results(at).items()
            if rule.startswith("eu_ai_act.") and subject.startswith(("credit", "scoring")) and result.status == "fail"
        }

    assert not high_risk_failures(TODAY)
    assert not high_risk_failures(datetime(2027, 12, 1, 23, 59, 59, tzinfo=UTC))
    assert len(high_risk_failures(datetime(2027, 12, 2, tzinfo=UTC))) >= 10
    assert len(high_risk_failures(HIGH_RISK)) >= 10
    failures = sum(result.status == "fail" for result in bank.results(HIGH_RISK).values())
    assert f"in force: {failures} failures" in (EXAMPLE / "README.md").read_text(encoding="utf-8")


def test_the_transition_for_marking_ends_in_december_2026(bank: Bank) -> None:
    rule = ("eu_ai_act.transparency_obligations.output_marked", "customer-assistant")
    today = bank.results(TODAY)[rule]
    assert today.status == "not_applicable"
    assert today.valid_until == datetime(2026, 12, 2, tzinfo=UTC)
    assert bank.results(datetime(2026, 12, 2, tzinfo=UTC))[rule].status == "fail"


def test_the_supplier_without_a_representative_is_asked_for_one_in_august_2027(bank: Bank) -> None:
    rule = ("eu_ai_act.general_purpose_models.model_supplier_represented", "lumen-ai")
    today = bank.results(TODAY)[rule]
    assert today.status == "unknown"
    assert ("lumen-chat", "placed_on_market") in {(fact.node, fact.attribute) for fact in today.missing}
    assert today.valid_until == datetime(2027, 8, 2, tzinfo=UTC)
    assert bank.results(datetime(2027, 8, 2, tzinfo=UTC))[rule].status == "fail"


@pytest.mark.parametrize("at", [TODAY, HIGH_RISK])
def test_the_reference_evaluator_agrees(bank: Bank, at: datetime) -> None:
    point, reference = PointEvaluator(bank.world), ReferenceEvaluator(bank.world)
    for rule in PROGRAM.rules.values():
        for subject in bank.world.subjects(rule):
            assert point.decide(rule, subject, at) == reference.evaluate(rule, subject, at)


def test_keys_are_encrypted_and_the_certificate_belongs_to_its_key(bank: Bank) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    keys = bank.generated / "keys"
    for path in keys.glob("*.pem"):
        if not path.name.endswith(".crt.pem"):
            assert b"BEGIN ENCRYPTED PRIVATE KEY" in path.read_bytes()
            assert path.stat().st_mode & 0o077 == 0
    certificate = x509.load_pem_x509_certificate((keys / "report.crt.pem").read_bytes())
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert read_private_key(keys / "report.pem", PASSPHRASE).public_key.spki == spki
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate((keys / "ca.crt.pem").read_bytes()))


def test_making_the_evidence_again_replaces_it(tmp_path: Path) -> None:
    script = _script()
    generated = tmp_path / "generated"
    script.make(generated, PASSPHRASE)
    first = (generated / "trust.yaml").read_bytes()
    (generated / "evidence" / "left-over.json").write_text("{}")
    script.make(generated, PASSPHRASE)
    assert not (generated / "evidence" / "left-over.json").exists()
    assert (generated / "trust.yaml").read_bytes() != first


def test_the_profile_names_what_there_is(bank: Bank) -> None:
    assert PROFILE["profile"] == 1
    assert set(PROFILE["parameters"]) <= set(PROGRAM.parameters)
    assert PROFILE["signing"]["decision_role"] in PROGRAM.schema.roles
    for pattern in PROFILE["sources"]:
        assert list(EXAMPLE.glob(pattern))
    made = [PROFILE["trust"], PROFILE["signing"]["decision_key"], PROFILE["signing"]["report_key"]]
    made += [PROFILE["signing"]["report_certificate"], *PROFILE["signing"]["report_chain"]]
    for name in made:
        assert (bank.generated / Path(name).relative_to("generated")).is_file()
