"""SPDX 3.0 documents are read as far as they are right, and leniently where tools write them."""

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.lineage.damage import damaged, survives
from tests.lineage.imported import codes, edges, facts, kinds, load, load_sample

EXPECTED: dict[str, tuple[dict[str, int], dict[str, int], list[str]]] = {
    "ai__example01__spdx3.0__simplehtr-example.json": (
        {"Component": 41, "Model": 4, "Dataset": 1, "Vendor": 17},
        {"depends_on": 9, "has_component": 33, "supplied_by": 55, "tested_on": 2, "trained_on": 2},
        ["PE3131"],  # a metric that is a history of hundreds of values
    ),
    "dataset__example01__spdx3.0__example01.spdx3.json": (
        {"Component": 2, "Dataset": 1, "Vendor": 1},
        {"has_component": 2, "supplied_by": 3},
        [],
    ),
    "goldenset_results__aibom-generator__spdx__Qwen_Qwen2.5-7B-Instruct_spdx_3_0_1.json": (
        {"Component": 1, "Model": 1, "Vendor": 1},
        {"supplied_by": 1},
        ["PE3121", "PE3121", "PE3130", "PE3130"],
    ),
    "goldenset_results__aibom-generator__spdx__meta-llama_Llama-3.1-8B-Instruct_spdx_3_0_1.json": (
        {"Component": 1, "Model": 1, "Vendor": 1, "Dataset": 2},
        {"supplied_by": 1, "trained_on": 2},
        ["PE3121", "PE3121", "PE3130", "PE3130", "PE3130", "PE3130"],
    ),
    "goldenset_results__aloha__spdx__Falconsai_nsfw_image_detection.json": (
        {"Component": 1, "Model": 1, "Vendor": 1},
        {"supplied_by": 1},
        ["PE3121", "PE3130"],
    ),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_sample_gives_its_things_edges_and_located_warnings(name: str) -> None:
    estate = load_sample(f"spdx3_ai/{name}")
    things, joined, problems = EXPECTED[name]
    assert Counter(kinds(estate).values()) == things
    assert Counter(edge.type for edge in estate.snapshot.edges) == joined
    assert codes(estate) == problems
    assert all(problem.line is not None and problem.pointer for problem in estate.problems)
    assert survives(estate)


def test_an_official_document_is_read_whole() -> None:
    estate = load_sample("spdx3_ai/ai__example01__spdx3.0__simplehtr-example.json")
    model = facts(estate, "https://my-first-aibom.com/word-model")
    # Its purpose is `application`, and everything else says that it is a model.
    assert kinds(estate)["https://my-first-aibom.com/word-model"] == "Model"
    assert (model["licence"], model["autonomous"], model["safety_risk"]) == ("MIT", False, "low")
    assert ("https://my-first-aibom.com/word-model", "trained_on", "https://my-first-aibom.com/IAMdataset") in edges(
        estate
    )
    by = {source.asserted_by for source in estate.snapshot.sources}
    assert {"Gopi Krishnan Rajbahadur", "Harald Scheidl", "Hiroyuki Tanaka"} <= by
    [origin, other] = estate.snapshot.nodes["https://pypi.org/project/editdistance/0.5.2/"].origins
    assert origin.source == estate.snapshot.sources[0].name
    assert other.source.endswith("#Hiroyuki Tanaka 2018-09-17T00:00:00Z")


def test_what_tools_get_wrong_is_kept_and_told() -> None:
    estate = load_sample(
        "spdx3_ai/goldenset_results__aibom-generator__spdx__meta-llama_Llama-3.1-8B-Instruct_spdx_3_0_1.json"
    )
    [model] = [node_id for node_id, kind in kinds(estate).items() if kind == "Model"]
    assert "description" not in facts(estate, model)  # "No description available"
    assert "safety_risk" not in facts(estate, model)  # prose of a licence in its place
    assert facts(estate, model)["task"] == "text-generation"
    learnt = {facts(estate, target)["name"] for source, name, target in edges(estate) if name == "trained_on"}
    assert learnt == {"for", "an"}


INFO = {"type": "CreationInfo", "@id": "_:info", "createdBy": ["urn:x:ada"], "created": "2026-01-02T03:04:05Z"}
GRAPH: list[dict[str, Any]] = [
    INFO,
    {"type": "Person", "spdxId": "urn:x:ada", "creationInfo": "_:info", "name": "Ada"},
    {"type": "Organization", "spdxId": "urn:x:acme", "creationInfo": "_:info", "name": "Acme"},
    {"type": "SpdxDocument", "spdxId": "urn:x:doc", "creationInfo": "_:info"},
    {
        "type": "ai_AIPackage",
        "spdxId": "urn:x:model",
        "creationInfo": "_:info",
        "name": "scorer",
        "suppliedBy": "urn:x:acme",
        "software_packageVersion": "2",
        "software_packageUrl": "pkg:generic/acme/scorer@2",
        "verifiedUsing": [
            {"type": "Hash", "algorithm": "md5", "hashValue": "00"},
            {"type": "Hash", "algorithm": "sha256", "hashValue": "AB" * 32},
        ],
        "ai_typeOfModel": ["boosted trees"],
        "ai_limitation": "Only retail",
        "ai_useSensitivePersonalInformation": "yes",
        "ai_autonomyType": "noAssertion",
        "ai_safetyRiskAssessment": "high",
        "ai_standardCompliance": ["ISO/IEC 42001"],
        "ai_metric": [
            {"type": "DictionaryEntry", "key": "accuracy", "value": "0.91"},
            {"type": "DictionaryEntry", "key": "auc", "value": "0.8"},
        ],
        "ai_energyConsumption": {
            "type": "ai_EnergyConsumption",
            "ai_trainingEnergyConsumption": [{"ai_energyQuantity": "7.2", "ai_energyUnit": "megajoule"}],
            "ai_finetuningEnergyConsumption": [{"ai_energyQuantity": 1, "ai_energyUnit": "kilowattHour"}],
            "ai_inferenceEnergyConsumption": [{"ai_energyQuantity": 5, "ai_energyUnit": "kilowattHour"}],
        },
    },
    {"type": "ai_AIPackage", "spdxId": "urn:x:base", "creationInfo": "_:info", "name": "base"},
    {
        "type": "ai_AIPackage",
        "spdxId": "urn:x:app",
        "creationInfo": "_:info",
        "name": "desk",
        "software_primaryPurpose": "application",
    },
    {
        "type": "dataset_DatasetPackage",
        "spdxId": "urn:x:loans",
        "creationInfo": "_:info",
        "name": "loans",
        "dataset_hasSensitivePersonalInformation": "yes",
        "dataset_knownBias": ["Few women", "Few young"],
        "dataset_anonymizationMethodUsed": ["k-anonymity"],
        "dataset_intendedUse": "[More Information Needed]",
    },
    {
        "type": "dataset_DatasetPackage",
        "spdxId": "urn:x:raw",
        "creationInfo": "_:info",
        "name": "raw",
        "dataset_hasSensitivePersonalInformation": "no",
    },
    {"type": "build_Build", "spdxId": "urn:x:build", "creationInfo": "_:info", "name": "build 7"},
    {"type": "software_File", "spdxId": "urn:x:file", "creationInfo": "_:info", "name": "rows.csv"},
    {"type": "simplelicensing_LicenseExpression", "spdxId": "urn:x:mit", "simplelicensing_licenseExpression": "MIT"},
]


def _related(kind: str, source: str, *targets: str, **more: object) -> dict[str, Any]:
    head = {"type": "Relationship", "spdxId": f"urn:x:{kind}/{source}", "creationInfo": "_:info"}
    return head | {"relationshipType": kind, "from": f"urn:x:{source}", "to": [f"urn:x:{t}" for t in targets]} | more


RELATIONS = [
    _related("trainedOn", "model", "loans", "raw"),
    _related("testedOn", "model", "raw", type="LifecycleScopedRelationship", scope="test"),
    _related("ancestorOf", "base", "model"),
    _related("descendantOf", "loans", "raw"),
    _related("dependsOn", "app", "model", "file"),
    _related("hasDataFile", "loans", "file"),
    _related("hasOutput", "build", "model"),
    _related("hasDeclaredLicense", "model", "mit"),
    _related("describes", "file", "loans"),
]


def document(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": list(elements)}


FULL = document(*GRAPH, *RELATIONS)
MODEL = "pkg:generic/acme/scorer@2"


def test_a_full_document_becomes_a_graph() -> None:
    estate = load(FULL)
    assert estate.problems == ()
    [source] = estate.snapshot.sources
    assert (source.format, source.asserted_by) == ("spdx3", "Ada")
    assert source.asserted_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert estate.snapshot.nodes[MODEL].aliases == ("urn:x:model",)
    assert facts(estate, MODEL) == {
        "name": "scorer",
        "version": "2",
        "digest": "sha256:" + "ab" * 32,
        "licence": "MIT",
        "architecture": "boosted trees",
        "limitations": "Only retail",
        "uses_personal_data": True,
        "safety_risk": "high",
        "standards": frozenset({"ISO/IEC 42001"}),
        "declared_metrics": frozenset({"accuracy = 0.91", "auc = 0.8"}),
        "declared_accuracy": Decimal("0.91"),
        "energy_kwh": Decimal(3),  # 7.2 MJ are 2 kWh; what its users take is not its own
    }
    assert facts(estate, "urn:x:loans") == {
        "name": "loans",
        "personal_data": True,
        "known_biases": "Few women\nFew young",
        "anonymisation": "k-anonymity",
    }
    # No sensitive data is not no personal data.
    assert facts(estate, "urn:x:raw") == {"name": "raw"}
    assert kinds(estate)["urn:x:app"] == "System"
    vendor = "urn:ai-policy-engine:vendor:Acme"
    assert edges(estate) == {
        (MODEL, "supplied_by", vendor),
        (MODEL, "trained_on", "urn:x:loans"),
        (MODEL, "trained_on", "urn:x:raw"),
        (MODEL, "tested_on", "urn:x:raw"),
        (MODEL, "finetuned_from", "urn:x:base"),
        (MODEL, "produced_by", "urn:x:build"),
        ("urn:x:loans", "derived_from", "urn:x:raw"),
        ("urn:x:app", "uses_model", MODEL),
        ("urn:x:app", "depends_on", "urn:x:file"),
        ("urn:x:loans", "has_component", "urn:x:file"),
    }
    assert estate.snapshot.nodes[vendor].aliases == ("urn:x:acme",)


def test_declared_and_concluded_licences_that_differ_are_a_contradiction() -> None:
    gpl = {"type": "simplelicensing_LicenseExpression", "spdxId": "urn:x:gpl", "licenseExpression": "GPL-3.0-only"}
    none = _related("hasConcludedLicense", "base", "x", to=["https://spdx.org/rdf/3.0.1/terms/Core/NoAssertionLicense"])
    estate = load(document(*GRAPH, *RELATIONS, gpl, none, _related("hasConcludedLicense", "model", "gpl")))
    assert codes(estate) == ["PE3143"]
    assert estate.snapshot.value(MODEL, "licence") is None
    assert estate.snapshot.value("urn:x:base", "licence") is None


def test_elements_that_claim_one_purl_are_not_made_one() -> None:
    twins = [
        {"type": kind, "spdxId": f"urn:x:{name}", "name": name, "software_packageUrl": "https://huggingface.co/a/b"}
        for kind, name in (("ai_AIPackage", "m"), ("software_Package", "p"))
    ]
    estate = load(document(*twins))
    assert codes(estate) == ["PE3170"]
    assert kinds(estate) == {"urn:x:m": "Model", "urn:x:p": "Component"}


def test_a_document_may_be_one_element_and_may_lack_ids() -> None:
    head = {"@context": ["https://spdx.org/rdf/3.0.1/spdx-context.jsonld"]}
    assert kinds(load(head | {"type": "ai_AIPackage", "spdxId": "urn:x:m"})) == {"urn:x:m": "Model"}
    assert codes(load(head | {"type": "ai_AIPackage", "name": "m"})) == ["PE3120"]
    assert kinds(load(head | {"type": "ai_AIPackage", "spdxId": "_:m"})) == {"a.json#_:m": "Model"}


def test_other_versions_of_spdx_are_not_taken_for_it() -> None:
    assert codes(load({"spdxVersion": "SPDX-2.3", "packages": []})) == ["PE3111"]


def test_a_wrong_value_anywhere_is_at_worst_a_located_warning() -> None:
    for changed in damaged(FULL, "@context", every=5):
        assert survives(load(changed))
