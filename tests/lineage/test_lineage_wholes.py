"""What holds of a part, or under a local name, is not taken for more than it says."""

import json

from policy_engine.lineage.estate import Estate
from policy_engine.lineage.load import load_estate
from tests.lineage.imported import codes, edges, facts, kinds, load, std_schema

LOANS = "dbt:model.bank.loans"
DIGEST = "sha256:" + "0ab1" * 16


def _loans(columns: dict[str, object], **parts: object) -> Estate:
    metadata = {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json"}
    entry = {"name": "loans", "resource_type": "model", "columns": columns} | parts
    return load({"metadata": metadata, "nodes": {"model.bank.loans": entry}})


def test_one_anonymised_column_does_not_make_the_data_anonymised() -> None:
    estate = _loans({"iban": {"tags": ["anonymised"]}, "name": {"meta": {"anonymised": True}}})
    assert "anonymised" not in facts(estate, LOANS)
    assert codes(estate) == ["PE3131"]


def test_a_personal_column_contradicts_a_label_that_denies_it_of_the_whole() -> None:
    estate = _loans({"iban": {"meta": {"personal_data": True}}}, meta={"personal_data": False})
    assert {fact.value for fact in estate.snapshot.nodes[LOANS].conflicts["personal_data"]} == {True, False}
    assert codes(estate) == ["PE3143"]


def test_tags_of_columns_count_in_whatever_order_they_stand() -> None:
    whole = {"key": "personal_data", "value": "false"}
    column = {"key": "personal_data", "value": "true", "field": "iban"}
    for tags in ([whole, column], [column, whole]):
        dataset = {"namespace": "s3://lake", "name": "raw", "facets": {"tags": {"tags": tags}}}
        assert codes(load({"eventTime": "2026-05-01T10:00:00Z", "dataset": dataset})) == ["PE3143"]


def _spdx(ref: str, data: str, name: str, *, to: str | None = None) -> bytes:
    graph = [
        {"type": "ai_AIPackage", "spdxId": ref, "name": name},
        {"type": "dataset_DatasetPackage", "spdxId": data, "name": f"data of {name}"},
        {
            "type": "Relationship",
            "spdxId": f"{ref}-r",
            "relationshipType": "trainedOn",
            "from": ref,
            "to": [to or data],
        },
    ]
    return json.dumps({"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": graph}).encode()


def test_local_names_of_two_spdx_documents_are_two_things() -> None:
    for ref, data in (("SPDXRef-Model", "SPDXRef-Data"), ("_:model", "_:data")):
        files = {"a.json": _spdx(ref, data, "scorer"), "b.json": _spdx(ref, data, "router")}
        estate = load_estate(files, std_schema())
        assert edges(estate) == {(f"{file}#{ref}", "trained_on", f"{file}#{data}") for file in files}
        assert estate.problems == ()


def test_what_spdx_has_for_no_element_is_no_data() -> None:
    for nobody in ("https://spdx.org/rdf/3.0.1/terms/Core/NoAssertionElement", "NoneElement"):
        estate = load(_spdx("https://a.example/m", "https://a.example/d", "scorer", to=nobody))
        assert set(kinds(estate)) == {"https://a.example/m", "https://a.example/d"}
        assert edges(estate) == set()


def test_a_digest_that_the_inventory_gives_as_an_alias_is_the_content_of_the_thing() -> None:
    inventory = f"inventory: 1\nnodes:\n  - {{id: scorer, kind: Model, aliases: ['{DIGEST}']}}\n"
    hashes = [{"alg": "SHA-256", "content": DIGEST[7:]}]
    component = {"type": "machine-learning-model", "name": "s", "purl": "pkg:generic/s@1", "hashes": hashes}
    bom = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [component]}
    files = {"a.yaml": inventory.encode(), "b.json": json.dumps(bom).encode()}
    assert set(kinds(load_estate(files, std_schema()))) == {"scorer"}


def test_an_aggregate_that_is_not_specified_is_missing() -> None:
    bom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "components": [{"type": "data", "name": "d", "bom-ref": "d", "purl": "pkg:generic/d"}],
        "compositions": [{"aggregate": "not_specified", "assemblies": ["d"]}],
    }
    assert "aggregate" not in facts(load(bom), "pkg:generic/d")


def test_a_version_without_a_run_comes_from_the_run_of_its_logged_model() -> None:
    data = {
        "dataset": {"name": "loans", "digest": "1234abcd"},
        "tags": [{"key": "mlflow.data.context", "value": "training"}],
    }
    export = {
        "mlflow_export": 1,
        "tracking_uri": "https://mlflow.example.org",
        "model_versions": [{"name": "scorer", "version": "1", "creation_timestamp": 1, "source": "models:/m-1"}],
        "logged_models": [{"info": {"model_id": "m-1", "name": "scorer", "source_run_id": "r1"}}],
        "runs": [{"info": {"run_id": "r1", "experiment_id": "1"}, "inputs": {"dataset_inputs": [data]}}],
    }
    model = "pkg:mlflow/scorer@1?repository_url=https://mlflow.example.org"
    assert (model, "trained_on", "mlflow:datasets/loans@1234abcd") in edges(load(export))


def test_of_an_aspect_in_a_datahub_file_the_one_observed_later_counts() -> None:
    urn = "urn:li:dataset:(urn:li:dataPlatform:hive,loans,PROD)"

    def told(observed: int | None, tier: str) -> dict[str, object]:
        item: dict[str, object] = {
            "entityType": "dataset",
            "entityUrn": urn,
            "changeType": "UPSERT",
            "aspectName": "datasetProperties",
            "aspect": {"json": {"description": tier}},
        }
        return item if observed is None else item | {"systemMetadata": {"lastObserved": observed}}

    newer, older = told(1_700_000_000_000, "new"), told(1_600_000_000_000, "old")
    for items in ([newer, older], [older, newer]):
        assert facts(load(items), urn)["description"] == "new"
    assert facts(load([newer, told(None, "last")]), urn)["description"] == "last"
    assert facts(load([older, told(None, "last"), newer]), urn)["description"] == "new"
