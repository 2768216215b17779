"""Whatever stands in a document of others: a located, coded problem, bounded work, and never an exception."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from policy_engine.lineage.codes import CODES
from policy_engine.lineage.documents import Limits, read_documents
from policy_engine.lineage.estate import Estate
from policy_engine.lineage.importers.flows import MAX_PAIRS, MAX_PAIRS_OF_DOCUMENT
from policy_engine.lineage.snapshot import from_bytes, to_bytes
from tests.attacks.mutations import mutated, plain
from tests.lineage.imported import codes, load, std_schema

SAMPLES = Path(__file__).parents[2] / ".." / "shared" / "samples"
FORMATS = ("openlineage", "cyclonedx", "spdx3_ai", "mlflow", "croissant", "kserve", "dbt", "datahub")
# A sweep of thousands is for a night: ATTACKS=5000 makes so many documents of each format.
COUNT = int(os.environ.get("ATTACKS", "150"))
# What makes a file unreadable, whatever its format, is an error even where it is not ours.
UNREADABLE = {
    "PE3102", "PE3103", "PE3104", "PE3105", "PE3106", "PE3107", "PE3108", "PE3109", "PE3110", "PE3111", "PE3112",
    "PE3161", "PE3162",
}  # fmt: skip


def samples(of: str) -> list[Any]:
    if not SAMPLES.is_dir():
        pytest.skip("the shared samples are not beside this checkout")
    files = [path for path in sorted((SAMPLES / of).iterdir()) if path.suffix != ".md"]
    found = (read_documents(path.name, path.read_bytes(), Limits(), repeated=[]) for path in files)
    return [plain(document.content) for documents in found for document in documents]


def endure(estate: Estate) -> None:
    """Check what must be so of every estate, however bad its documents."""
    for problem in estate.problems:
        assert problem.code in CODES
        assert str(problem).isprintable()
        assert len(str(problem)) < 5_000
        assert not problem.is_error or problem.code in UNREADABLE, problem
        assert problem.line is not None or problem.code == "PE3111" or not problem.pointer, problem
    assert from_bytes(to_bytes(estate.snapshot), std_schema()) == estate.snapshot


@pytest.mark.parametrize("of", FORMATS)
def test_damaged_documents_never_raise(of: str) -> None:
    for data in mutated(samples(of), COUNT, seed=len(of)):
        endure(load(data))


def test_damaged_cards_never_raise() -> None:
    head = {
        "license": "mit", "language": ["en"], "base_model": ["a/b"], "base_model_relation": "finetune",
        "datasets": ["c/d"], "pipeline_tag": "x", "co2_eq_emissions": {"emissions": 5}, "model_name": "o/n",
        "model-index": [{"name": "n", "results": [{"dataset": {"name": "d", "type": "e/f"},
                         "metrics": [{"type": "accuracy", "value": 0.5, "name": "a"}]}]}],
        "source_datasets": ["extended|x/y"], "size_categories": ["1K"], "tags": ["a"],
    }  # fmt: skip
    for data in mutated([head], 2 * COUNT, seed=1):
        endure(load(b"---\n" + data + b"\n---\n# A model\n## Limitations\nNone\n```\n# code\n", "README.md"))


# Values of a type that cannot be looked up


@pytest.mark.parametrize("odd", [[], {}, [[]], 7, None, True])
def test_words_that_are_no_words(odd: object) -> None:
    owner = {"owner": "urn:li:corpuser:ada", "type": odd}
    aspect = {"entityType": "dataset", "entityUrn": "urn:li:dataset:(urn:li:dataPlatform:hive,loans,PROD)"}
    endure(
        load([aspect | {"aspectName": "ownership", "changeType": "UPSERT", "aspect": {"json": {"owners": [owner]}}}])
    )
    spent = {"activity": odd, "activityEnergyCost": {"value": 5, "unit": "kWh"}}
    card = {"considerations": {"environmentalConsiderations": {"energyConsumptions": [spent]}}}
    endure(load(_bom(components=[{"type": "machine-learning-model", "name": "m", "modelCard": card}])))


def test_json_within_a_text_is_bounded_as_a_file_is() -> None:
    run = {"info": {"run_id": "r"}, "inputs": {"dataset_inputs": [{"dataset": {"name": "d", "source": "[" * 5_000}}]}}
    estate = load({"runs": [run]})
    endure(estate)
    assert "PE3103" in codes(estate)


# What is missing


def test_what_is_missing_at_the_top_has_a_place_all_the_same() -> None:
    estate = load(b'{\n  "bomFormat": "CycloneDX",\n  "components": []\n}')
    assert [(p.code, p.line) for p in estate.problems] == [("PE3123", 2)]


def test_what_is_missing_in_the_second_document_of_a_file_is_told_there() -> None:
    service = "apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {name: a}\n"
    estate = load(f"{service}---\n{service}".encode(), "a.yaml")
    assert {p.line for p in estate.problems} <= {1, 5}


# Keys that stand twice


@pytest.mark.parametrize(
    ("file", "data"),
    [
        ("a.json", b'{"bomFormat": "CycloneDX", "specVersion": "1.5", "specVersion": "1.6"}'),
        ("a.md", b"---\nlicense: mit\nlicense: apache-2.0\n---\n# A\n"),
        ("a.yaml", b"apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {name: a, name: b}\n"),
        ("a.jsonl", b'{"eventTime": "x", "job": {"namespace": "a", "name": "b", "name": "c"}}\n' * 2),
    ],
)
def test_a_key_that_stands_twice_does_not_refuse_a_document_of_others(file: str, data: bytes) -> None:
    estate = load(data, file)
    endure(estate)
    assert estate.snapshot.nodes or file == "a.json"
    assert "PE3105" in codes(estate)
    assert not estate.has_errors


@pytest.mark.parametrize("file", ["a.yaml", "a.json"])
def test_a_key_that_stands_twice_refuses_our_own_inventory(file: str) -> None:
    data = (
        b"inventory: 1\nnodes: []\nnodes: []\n" if file == "a.yaml" else b'{"inventory": 1, "nodes": [], "nodes": []}'
    )
    estate = load(data, file)
    assert [(p.code, p.is_error) for p in estate.problems] == [("PE3105", True)]


# Few bytes that ask for much


def test_pairs_of_outputs_and_inputs_are_bounded_within_a_run_and_within_a_document() -> None:
    many = [{"type": "data", "name": f"d{n}", "bom-ref": f"d{n}"} for n in range(2_000)]
    refs = [{"resource": {"ref": each["bom-ref"]}} for each in many]
    workflow = {"uid": "w", "inputs": refs[:1_000], "outputs": refs[1_000:]}
    estate = load(_bom(components=many, formulation=[{"workflows": [workflow]}]))
    assert "PE3164" in codes(estate)
    assert len(estate.snapshot.edges) == 2_000  # through the workflow, and no pair of them
    assert MAX_PAIRS < 1_000 * 1_000


def test_data_of_a_run_are_not_multiplied_by_the_versions_that_came_out_of_it() -> None:
    used = [{"dataset": {"name": f"d{n}"}} for n in range(1_000)]
    versions = [{"name": "m", "version": str(n), "run_id": "r"} for n in range(1_000)]
    estate = load({"runs": [{"info": {"run_id": "r"}, "inputs": {"dataset_inputs": used}}], "model_versions": versions})
    assert "PE3164" in codes(estate)
    assert len(estate.snapshot.edges) <= MAX_PAIRS_OF_DOCUMENT + 3_000
    through = {(edge.source, edge.type) for edge in estate.snapshot.edges if edge.target.startswith("mlflow:datasets/")}
    assert ("mlflow:runs/r", "depends_on") in through


def test_citations_of_one_part_are_bounded() -> None:
    cited = [{"bom-ref": f"c{n}", "attributedTo": f"x{n}", "pointers": [""]} for n in range(2_000)]
    estate = load(_bom(components=[{"type": "data", "name": f"d{n}"} for n in range(500)], citations=cited))
    assert codes(estate) == ["PE3178"]
    assert all(len(node.origins) <= 17 for node in estate.snapshot.nodes.values())


@pytest.mark.parametrize("file", ["a.json", "a.yaml", "a.md", "a.jsonl"])
def test_a_key_that_every_pointer_below_it_would_repeat_is_refused(file: str) -> None:
    inner = json.dumps({"metadata": {}, "k" * 1_025: {}})
    texts = {
        "a.yaml": f"? {'k' * 1_025}\n: {{}}",
        "a.md": f"---\n? {'k' * 1_025}\n: {{}}\n---\n",
        "a.jsonl": f"{inner}\n{{}}",
    }
    estate = load(texts.get(file, inner).encode(), file)
    assert [(p.code, p.line is None) for p in estate.problems] == [("PE3112", False)]


def _bom(**parts: object) -> dict[str, object]:
    return {"bomFormat": "CycloneDX", "specVersion": "1.7", **parts}
