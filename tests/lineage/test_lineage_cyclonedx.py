"""CycloneDX BOMs are read as far as they are right, and as claims of somebody else."""

import copy
import json
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from policy_dsl.typed.schema import EdgeType, Flow, Schema
from policy_engine.lineage.estate import Estate
from policy_engine.lineage.load import load_estate
from policy_engine.lineage.snapshot import from_bytes, to_bytes
from policy_engine.model.problems import Severity
from tests.lineage.damage import damaged, survives
from tests.lineage.estate_schema import SCHEMA, make_schema
from tests.lineage.imported import codes, edges, facts, kinds, std_schema
from tests.lineage.imported import load as load_std

SAMPLES = Path(__file__).parents[2] / ".." / "shared" / "samples" / "cyclonedx"
SERIAL = "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79"
LINK = "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#"

# Kinds found, and codes of the problems, in each sample.
EXPECTED: dict[str, tuple[dict[str, int], list[str]]] = {
    "goldenset_results__aibom-generator__cyclonedx-1.6__Falconsai_nsfw_image_detection_ai_sbom_1_6.json": (
        {"Model": 1, "Dataset": 2, "Component": 1, "Vendor": 2},
        ["PE3130"],
    ),
    "goldenset_results__aibom-generator__cyclonedx-1.6__amazon_chronos-2_ai_sbom_1_6.json": (
        {"Model": 1, "Dataset": 2, "Component": 1, "Vendor": 2},
        ["PE3130"],
    ),
    "goldenset_results__aibom-generator__cyclonedx-1.6__meta-llama_Llama-3.1-8B-Instruct_ai_sbom_1_6.json": (
        {"Model": 1, "Dataset": 2, "Component": 1, "Vendor": 2},
        ["PE3130"],
    ),
    "goldenset_results__aibom-generator__cyclonedx-1.6__pyannote_segmentation-3.0_ai_sbom_1_6.json": (
        {"Model": 1, "Component": 1, "Vendor": 2},
        ["PE3130"],
    ),
    "goldenset_results__aloha__cyclonedx-1.6__Falconsai_nsfw_image_detection.json": ({"Model": 1}, []),
    # One dataset is `null` among the components, yet the model card refers to it.
    "goldenset_results__aloha__cyclonedx-1.6__sentence-transformers_all-MiniLM-L6-v2.json": (
        {"Model": 1, "Dataset": 21},
        ["PE3121", "PE3130"],
    ),
    "tools__src__test__resources__1.6__valid-attestation-1.6.json": ({}, ["PE3131"]),
    "tools__src__test__resources__1.6__valid-machine-learning-1.6.json": ({"Model": 1, "Dataset": 1}, []),
    "tools__src__test__resources__1.6__valid-standard-1.6.json": ({}, []),
    "tools__src__test__resources__1.7__valid-citations-1.7.json": ({"Component": 2}, ["PE3178"]),
    "tools__src__test__resources__1.7__valid-machine-learning-1.7.json": ({"Model": 1, "Dataset": 1}, []),
    "tools__src__test__resources__1.7__valid-service-1.7.json": ({"Component": 1, "Service": 1, "Vendor": 1}, []),
}


@pytest.fixture(scope="module")
def samples() -> Path:
    if not SAMPLES.is_dir():
        pytest.skip("the shared samples are not beside this checkout")
    return SAMPLES


def test_every_sample_is_expected(samples: Path) -> None:
    assert {path.name for path in samples.glob("*.json")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_sample_gives_its_things_and_located_warnings(name: str, samples: Path) -> None:
    kinds, codes = EXPECTED[name]
    estate = load_estate({name: (samples / name).read_bytes()}, std_schema())
    assert Counter(node.kind for node in estate.snapshot.nodes.values()) == kinds
    assert sorted(problem.code for problem in estate.problems) == codes
    for problem in estate.problems:
        assert problem.severity is Severity.WARNING
        assert problem.line is not None
        assert problem.pointer
    assert from_bytes(to_bytes(estate.snapshot), std_schema()) == estate.snapshot


def test_a_generated_bom_says_who_generated_it(samples: Path) -> None:
    name = next(iter(EXPECTED))
    snapshot = load_estate({name: (samples / name).read_bytes()}, SCHEMA).snapshot
    [source] = snapshot.sources
    assert (source.format, source.asserted_by) == ("cyclonedx", "owasp-aibom-generator")
    model = snapshot.nodes["pkg:huggingface/Falconsai/nsfw_image_detection@04367978"]
    assert {key: fact.value for key, fact in model.attributes.items()} == {
        "name": "nsfw_image_detection",
        "version": "04367978",
        "licence": "Apache-2.0",
        "task": "image-classification",
        "architecture": "vit",
    }  # "No description available" is none
    assert snapshot.targets(model.id, "supplied_by") == ("urn:ai-policy-engine:vendor:Falconsai",)
    assert [snapshot.value(node, "name") for node in snapshot.targets(model.id, "trained_on")] == ["a", "are"]


BOM: dict[str, Any] = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "serialNumber": SERIAL,
    "version": 1,
    "metadata": {
        "timestamp": "2026-04-30T21:04:30.5+02:00",
        "authors": [{"name": "N/A"}, {"name": "Ada"}],
        "component": {"type": "application", "bom-ref": "app", "name": "app", "version": "2"},
    },
    "components": [
        {
            "type": "machine-learning-model",
            "bom-ref": "model",
            "group": "acme",
            "name": "scorer",
            "version": "1",
            "description": "Scores",
            "licenses": [{"expression": "MIT OR Apache-2.0"}],
            "hashes": [{"alg": "MD5", "content": "00"}, {"alg": "SHA-256", "content": "AB" * 32}],
            "manufacturer": {"name": "Acme & Co"},
            "supplier": {"name": "[More Information Needed]"},
            "pedigree": {
                "ancestors": [
                    {"type": "machine-learning-model", "name": "base", "purl": "pkg:huggingface/acme/base@1"},
                ],
                "descendants": [{"type": "machine-learning-model", "name": "tuned"}],
            },
            "modelCard": {
                "modelParameters": {
                    "task": "TBD",
                    "approach": {"type": "reinforcement-learning"},
                    "architectureFamily": "transformer",
                    "datasets": [
                        {"ref": "data"},
                        {
                            "type": "dataset",
                            "name": "inline",
                            "classification": "public",
                            "sensitiveData": ["health", "unknown"],
                            "governance": {"owners": [{"organization": {"name": "Data office"}}]},
                        },
                    ],
                }
            },
            "components": [{"type": "file", "name": "weights", "bom-ref": "weights"}],
        },
        {
            "type": "data",
            "bom-ref": "data",
            "name": "loans",
            "data": [{"type": "dataset", "bom-ref": "loans-data", "description": "Loans", "classification": "secret"}],
        },
        {"type": "data", "bom-ref": "raw", "name": "raw"},
    ],
    "services": [{"bom-ref": "api", "name": "api", "provider": {"name": "Cloud"}}],
    "dependencies": [
        {"ref": "app", "dependsOn": ["model", "api"]},
        {"ref": "loans-data", "dependsOn": ["raw"]},
        {"ref": "model", "dependsOn": ["raw"]},
    ],
    "formulation": [
        {
            "components": [{"type": "data", "name": "extra", "bom-ref": "extra"}],
            "workflows": [
                {
                    "bom-ref": "w",
                    "tasks": [
                        {
                            "bom-ref": "t",
                            "inputs": [{"resource": {"ref": "extra"}}, {"resource": {"ref": "w"}}],
                            "outputs": [{"type": "artifact", "resource": {"ref": "model"}}],
                        }
                    ],
                }
            ],
        }
    ],
}
MODEL = f"{SERIAL}#acme/scorer@1"


def load(bom: object, **others: bytes) -> Estate:
    return load_estate({"bom.json": json.dumps(bom).encode(), **others}, SCHEMA)


def test_a_full_bom_becomes_a_graph() -> None:
    estate = load(BOM)
    assert estate.problems == ()
    snapshot = estate.snapshot
    assert snapshot.sources[0].asserted_by == "Ada"
    assert snapshot.sources[0].asserted_at == datetime(2026, 4, 30, 19, 4, 30, tzinfo=UTC)
    model = snapshot.nodes[MODEL]
    assert model.aliases == (f"{LINK}model",)
    assert {name: fact.value for name, fact in model.attributes.items()} == {
        "name": "scorer",
        "version": "1",
        "description": "Scores",
        "licence": "MIT OR Apache-2.0",
        "digest": "sha256:" + "ab" * 32,
        "approach": "reinforcement_learning",
        "architecture": "transformer",
    }
    [origin] = model.attributes["approach"].origins
    assert origin.pointer == "/components/0/modelCard/modelParameters/approach/type"
    inline = snapshot.nodes[f"{SERIAL}#inline"]
    assert snapshot.value(inline.id, "sensitive_data") == frozenset({"health"})
    assert snapshot.value(inline.id, "owner") == "Data office"
    assert snapshot.value(f"{SERIAL}#loans", "description") == "Loans"
    local = {
        (edge.type, edge.source.removeprefix(SERIAL + "#"), edge.target.removeprefix(SERIAL + "#"))
        for edge in snapshot.edges
    }
    assert local == {
        ("trained_on", "acme/scorer@1", "loans"),
        ("trained_on", "acme/scorer@1", "inline"),
        ("trained_on", "acme/scorer@1", "raw"),
        ("trained_on", "acme/scorer@1", "extra"),
        ("derived_from", "loans", "raw"),
        ("finetuned_from", "acme/scorer@1", "pkg:huggingface/acme/base@1"),
        ("finetuned_from", "tuned", "acme/scorer@1"),
        ("supplied_by", "acme/scorer@1", "urn:ai-policy-engine:vendor:Acme%20%26%20Co"),
        ("supplied_by", "api", "urn:ai-policy-engine:vendor:Cloud"),
        ("part_of", "weights", "acme/scorer@1"),
        ("depends_on", "app@2", "acme/scorer@1"),
        ("depends_on", "app@2", "api"),
    }


def test_where_the_schema_has_no_edge_for_parts_the_whole_depends_on_them() -> None:
    schema = make_schema(without=frozenset({"part_of"}))
    snapshot = load_estate({"bom.json": json.dumps(BOM).encode()}, schema).snapshot
    assert f"{SERIAL}#weights" in snapshot.targets(MODEL, "depends_on")


def test_what_the_schema_has_no_place_for_is_told_once_for_each_kind() -> None:
    schema = make_schema(without=frozenset({"Component", "Vendor", "supplied_by", "derived_from"}))
    bom = copy.deepcopy(BOM)
    bom["components"] += [{"type": "library", "name": f"lib{number}"} for number in range(300)]
    bom["compositions"] = [{"aggregate": "incomplete", "assemblies": ["model", "data"]}]
    estate = load_estate({"bom.json": json.dumps(bom).encode()}, schema)
    assert {problem.code for problem in estate.problems} == {"PE3131"}
    assert [problem.message for problem in estate.problems] == [
        "things that would be of kind Component are not kept: the schema has no such kind (302 times)",
        "suppliers are not kept: the schema has no kind Vendor (2 times)",
        "`derived_from` is not kept: the schema has no such edge from Dataset to Dataset",
        "`aggregate` is not kept: Dataset has no such attribute",
        "`aggregate` is not kept: Model has no such attribute",
    ]


def test_the_inventory_names_what_a_bom_describes() -> None:
    inventory = f"""\
inventory: 1
nodes:
- {{id: scorer, kind: Model, aliases: ['{LINK}model'], version: '2'}}
- {{id: base, kind: Model, aliases: ['pkg:huggingface/acme/base@1']}}
- {{id: credit, kind: System, uses_model: scorer, supplied_by: 'urn:ai-policy-engine:vendor:Cloud'}}
""".encode()
    estate = load(BOM, **{"a.yaml": inventory})
    snapshot = estate.snapshot
    assert snapshot.nodes["scorer"].aliases == (f"{LINK}model", MODEL)
    assert snapshot.targets("scorer", "finetuned_from") == ("base",)
    assert snapshot.value("scorer", "task") is None
    # The inventory's version and the BOM's are a contradiction, and neither wins.
    assert snapshot.value("scorer", "version") is None
    assert [problem.code for problem in estate.problems] == ["PE3143"]


def test_a_bom_cannot_make_one_of_two_things_that_the_inventory_keeps_apart() -> None:
    inventory = (
        f"inventory: 1\nnodes:\n- {{id: {MODEL!r}, kind: Model}}\n- {{id: '{LINK}model', kind: Model}}\n".encode()
    )
    estate = load(BOM, **{"a.yaml": inventory})
    assert [problem.code for problem in estate.problems] == ["PE3147"]
    assert estate.snapshot.nodes[MODEL].aliases == ()
    assert f"{LINK}model" in estate.snapshot.nodes


def test_one_bom_can_refer_to_a_thing_of_another() -> None:
    other = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.7",
        "components": [
            {
                "type": "machine-learning-model",
                "name": "child",
                "modelCard": {"modelParameters": {"datasets": [{"ref": f"{LINK}data"}]}},
            }
        ],
    }
    estate = load(BOM, **{"other.json": json.dumps(other).encode()})
    assert estate.problems == ()
    assert estate.snapshot.targets("other.json#child", "trained_on") == (f"{SERIAL}#loans",)


def _referring(ref: str) -> dict[str, Any]:
    model = {"type": "machine-learning-model", "name": "m", "bom-ref": "m"}
    card = {"modelParameters": {"datasets": [{"ref": ref}]}}
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [model | {"modelCard": card}]}


def test_a_dataset_that_is_only_referred_to_is_kept_as_unknown() -> None:
    for ref, code, node in ((f"{LINK}gone", "PE3145", f"{LINK}gone"), ("gone", "PE3130", "bom.json#bom-ref:gone")):
        estate = load(_referring(ref))
        assert [problem.code for problem in estate.problems] == [code]
        assert estate.problems[0].severity is Severity.WARNING
        assert estate.snapshot.targets("bom.json#m", "trained_on") == (node,)
        assert estate.snapshot.nodes[node].kind == "Dataset"


def test_an_edge_to_what_nobody_declares_is_dropped_aloud_where_its_kind_is_not_clear() -> None:
    edges = dict(SCHEMA.edges)
    edges["trained_on"] = EdgeType("trained_on", ("Model",), ("Dataset", "Component"), "trains", Flow.LINEAGE)
    schema = Schema(SCHEMA.kinds, edges, {}, SCHEMA.enums)
    estate = load_estate({"bom.json": json.dumps(_referring(f"{LINK}gone")).encode()}, schema)
    assert [(problem.code, problem.severity) for problem in estate.problems] == [("PE3145", Severity.WARNING)]
    assert "dropped" in estate.problems[0].message
    assert list(estate.snapshot.nodes) == ["bom.json#m"]


def test_a_version_that_is_not_known_is_told_and_read_all_the_same() -> None:
    estate = load(BOM | {"specVersion": "1.4"})
    assert [problem.code for problem in estate.problems] == ["PE3123"]
    assert MODEL in estate.snapshot.nodes


def test_several_licences_are_no_single_one() -> None:
    bom = copy.deepcopy(BOM)
    bom["components"][0]["licenses"] = [{"license": {"id": "MIT"}}, {"license": {"name": "Own"}}]
    estate = load(bom)
    assert [problem.code for problem in estate.problems] == ["PE3131"]
    assert estate.snapshot.value(MODEL, "licence") is None


def test_a_wrong_value_anywhere_is_at_worst_a_located_warning() -> None:
    for changed in damaged(BOM, "bomFormat", every=3):
        assert survives(load_std(changed))


def _card(**parts: object) -> dict[str, Any]:
    model = {"type": "machine-learning-model", "name": "m", "bom-ref": "m", "modelCard": parts}
    return {"bomFormat": "CycloneDX", "specVersion": "1.7", "serialNumber": SERIAL, "components": [model]}


CARD_MODEL = f"{SERIAL}#m"


def test_a_model_card_is_what_its_maker_declares() -> None:
    metrics = [
        {"type": "accuracy", "value": "0.93"},
        {"type": "Accuracy", "value": "0.7", "slice": "under 25"},
        {"type": "f1", "value": "[More Information Needed]"},
        {"type": "auc", "value": 0.8},
    ]
    energy = [
        {
            "activity": "training",
            "activityEnergyCost": {"value": 12.5, "unit": "kWh"},
            "co2CostEquivalent": {"value": 0.004, "unit": "tCO2eq"},
        },
        {"activity": "fine-tuning", "activityEnergyCost": {"value": 1, "unit": "kWh"}},
        {"activity": "inference", "activityEnergyCost": {"value": 900, "unit": "kWh"}},
    ]
    considerations = {
        "useCases": ["Scoring", "N/A"],
        "technicalLimitations": ["Retail only"],
        "ethicalConsiderations": [{"name": "Bias", "mitigationStrategy": "Reweighing"}],
        "fairnessAssessments": [{"groupAtRisk": "Young", "harms": "Refusals"}],
        "environmentalConsiderations": {"energyConsumptions": energy},
    }
    estate = load_std(_card(quantitativeAnalysis={"performanceMetrics": metrics}, considerations=considerations))
    assert estate.problems == ()
    assert facts(estate, CARD_MODEL) == {
        "name": "m",
        "declared_accuracy": Decimal("0.93"),
        "declared_metrics": frozenset({"accuracy = 0.93", "Accuracy = 0.7 on under 25", "auc = 0.8"}),
        "energy_kwh": Decimal("13.5"),
        "co2_kg": Decimal(4),
        "intended_use": "Scoring",
        "limitations": "Retail only",
        "ethics": "Bias: Reweighing\nYoung: Refusals",
    }


def test_a_sum_of_energy_with_a_part_that_is_no_amount_is_none() -> None:
    energy = [
        {"activity": "training", "activityEnergyCost": {"value": 12, "unit": "kWh"}},
        {"activity": "training", "activityEnergyCost": {"value": 12, "unit": "MJ"}},
    ]
    considerations = {"environmentalConsiderations": {"energyConsumptions": energy}}
    estate = load_std(_card(considerations=considerations))
    assert codes(estate) == ["PE3121"]
    assert "energy_kwh" not in facts(estate, CARD_MODEL)


def _formulation(**task: object) -> dict[str, Any]:
    names = ("base", "tuned")
    models: list[object] = [{"type": "machine-learning-model", "name": n, "bom-ref": n} for n in names]
    data = {"type": "data", "name": "loans", "bom-ref": "loans"}
    workflow = {"bom-ref": "w", "uid": "nightly", "name": "Nightly", "tasks": [{"bom-ref": "t", "uid": "t7"} | task]}
    head = {"bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": SERIAL}
    return head | {"components": [*models, data], "formulation": [{"workflows": [workflow]}]}


def _resources(*refs: str) -> list[dict[str, Any]]:
    return [{"resource": {"ref": ref}} for ref in refs]


def test_a_task_that_gives_a_model_is_the_run_that_it_is_from() -> None:
    bom = _formulation(inputs=_resources("base", "loans", "w"), outputs=_resources("tuned"))
    estate = load_std(bom)
    assert estate.problems == ()
    assert edges(estate) == {
        (f"{SERIAL}#tuned", "trained_on", f"{SERIAL}#loans"),
        (f"{SERIAL}#tuned", "finetuned_from", f"{SERIAL}#base"),
        (f"{SERIAL}#tuned", "produced_by", f"{SERIAL}#run/t7"),
    }
    assert "Pipeline" not in kinds(estate).values()  # nothing comes out of the workflow itself
    bom["formulation"][0]["workflows"][0]["outputs"] = _resources("tuned")
    assert {
        (f"{SERIAL}#tuned", "produced_by", f"{SERIAL}#pipeline/nightly"),
        (f"{SERIAL}#run/t7", "run_of", f"{SERIAL}#pipeline/nightly"),
    } <= edges(load_std(bom))


def test_a_template_that_was_not_filled_in_is_a_missing_value() -> None:
    bom = _card() | {"components": [{"type": "library", "name": "x", "version": "${project.version}"}]}
    estate = load_std(bom)
    assert codes(estate) == ["PE3163"]
    assert [set(facts(estate, node)) for node in kinds(estate)] == [{"name"}]


def test_a_task_that_tests_trains_nothing() -> None:
    estate = load_std(_formulation(taskTypes=["test"], inputs=_resources("base", "loans")))
    assert edges(estate) == {(f"{SERIAL}#base", "tested_on", f"{SERIAL}#loans")}


def test_declarations_are_no_evidence() -> None:
    target = {"type": "machine-learning-model", "name": "m", "bom-ref": "m"}
    declarations = {
        "targets": {"components": [target]},
        "claims": [{"target": "m", "predicate": "It is fair", "evidence": ["e"]}],
        "evidence": [{"bom-ref": "e", "propertyName": "datasheet"}],
    }
    estate = load_std(
        {"bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": SERIAL, "declarations": declarations}
    )
    [problem] = estate.problems
    assert problem.message.endswith("no evidence: they are not kept (2 times)")
    assert facts(estate, CARD_MODEL) == {"name": "m"}


def test_what_is_cited_is_asserted_by_whom_the_citation_names_too() -> None:
    bom = _card(modelParameters={"task": "scoring"})
    bom["metadata"] = {"authors": [{"name": "Ada", "bom-ref": "ada"}]}
    bom["citations"] = [
        {
            "bom-ref": "c1",
            "pointers": ["/components/0/modelCard"],
            "attributedTo": "grace",
            "timestamp": "2026-01-02T03:04:05Z",
        },
        {"pointers": ["/components/0/name"], "process": "scan"},
        {"pointers": ["/components/0"]},
    ]
    bom["components"].append({"type": "application", "name": "Grace's scanner", "bom-ref": "grace"})
    estate = load_std(bom)
    assert codes(estate) == ["PE3120"]
    node = estate.snapshot.nodes[CARD_MODEL]
    assert [origin.source for origin in node.attributes["task"].origins] == ["a.json", "a.json#c1"]
    assert [origin.source for origin in node.attributes["name"].origins] == ["a.json", "a.json#citations/1"]
    told = {source.name: (source.asserted_by, source.asserted_at) for source in estate.snapshot.sources}
    assert told["a.json#c1"] == ("Grace's scanner", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert told["a.json#citations/1"] == ("scan", None)


def test_aggregates_say_how_complete_a_bom_claims_to_be() -> None:
    bom = _card() | {"compositions": [{"aggregate": "incomplete_first_party_only", "assemblies": ["m"]}]}
    assert facts(load_std(bom), CARD_MODEL)["aggregate"] == "incomplete_first_party_only"
