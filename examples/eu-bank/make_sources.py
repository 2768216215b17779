"""Write `sources/`: what the tools and suppliers of Lindenau Bank say of their part, in their own formats.

    python make_sources.py

- `mlflow.json`: the model registry and the training runs, as `policy-engine import mlflow` writes them;
- `kserve.yaml`: what the cluster serves, one service of which is in no register;
- `dbt_manifest.json`: the tables of the warehouse that samples are drawn into;
- `airflow.ndjson`: OpenLineage events of two nightly jobs;
- `parlance_chat.cdx.json`: the supplier's CycloneDX bill of materials of its language model;
- `finance_texts.json`: the Croissant description of the laboratory's training texts.

Everything is invented. The same files come out each time.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

MODELS = "s3://lindenau-models"
LAKE = "s3://lindenau-lake"
WAREHOUSE = "postgres://warehouse.lindenau.example"


def mlflow() -> dict[str, Any]:
    """Registered models with the runs that made them."""
    made = [
        (
            "scorecard",
            "5",
            {"training": "loan_sample", "validation": "loan_sample_validation", "testing": "loan_sample_holdout"},
        ),
        ("page-classifier", "3", {}),
        ("fraud-model", "12", {}),
    ]
    return {
        "mlflow_export": 1,
        "tracking_uri": "https://mlflow.lindenau.example",
        "exported_at": "2026-11-20T22:00:00Z",
        "experiments": [{"experiment_id": "1", "name": "lending-models"}],
        "registered_models": [{"name": name, "creation_timestamp": 1779000000000} for name, *_ in made],
        "model_versions": [
            {
                "name": name,
                "version": version,
                "creation_timestamp": 1779000000000,
                "current_stage": "Production",
                "source": f"{MODELS}/{name}/{version}",
                "run_id": f"run-{name}-{version}",
            }
            for name, version, _ in made
        ],
        "runs": [
            {
                "info": {
                    "run_id": f"run-{name}-{version}",
                    "experiment_id": "1",
                    "status": "FINISHED",
                    "start_time": 1779000000000,
                    "end_time": 1779003600000,
                },
                "data": {"metrics": {}, "params": {}, "tags": {}},
                "inputs": {"dataset_inputs": [_input(table, use) for use, table in data.items()]},
            }
            for name, version, data in made
        ],
    }


def _input(table: str, use: str) -> dict[str, Any]:
    source = json.dumps({"uri": f"{LAKE}/{table}"})
    return {
        "dataset": {"name": table, "digest": table.encode().hex()[-8:], "source_type": "s3", "source": source},
        "tags": [{"key": "mlflow.data.context", "value": use}],
    }


def kserve() -> Iterable[dict[str, Any]]:
    """Three inference services; nobody entered the last one in the register."""
    served = [
        ("scorecard", "xgboost", f"{MODELS}/scorecard/5", "2026-09-14T05:00:00Z"),
        ("fraud-model", "onnx", f"{MODELS}/fraud-model/12", "2026-03-03T05:00:00Z"),
        ("churn-guess", "sklearn", f"{MODELS}/scratch/churn-guess", "2026-11-02T19:47:00Z"),
    ]
    for name, framework, uri, created in served:
        yield {
            "apiVersion": "serving.kserve.io/v1beta1",
            "kind": "InferenceService",
            "metadata": {
                "name": name,
                "namespace": "lending",
                "labels": {"stage": "production"},
                "creationTimestamp": created,
            },
            "spec": {"predictor": {"model": {"modelFormat": {"name": framework}, "storageUri": uri}}},
            "status": {"url": f"https://{name}.lending.lindenau.example"},
        }


def dbt() -> dict[str, Any]:
    """The tables of the warehouse, with what their owners say of them."""
    source = "source.lindenau.core.loans"
    tables = {
        "loan_sample": ([source], {"personal_data": True}),
        "loan_sample_validation": ([source], {"personal_data": True}),
        "loan_sample_holdout": ([source], {"personal_data": True}),
        "help_pages": ([], {"personal_data": False}),
    }
    return {
        "metadata": {
            "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
            "dbt_version": "1.10.2",
            "generated_at": "2026-11-20T04:10:00Z",
            "project_name": "lindenau",
            "adapter_type": "postgres",
        },
        "nodes": {
            f"model.lindenau.{name}": {
                "resource_type": "model",
                "unique_id": f"model.lindenau.{name}",
                "name": name,
                "database": "warehouse",
                "schema": "marts",
                "relation_name": f'"warehouse"."marts"."{name}"',
                "description": "",
                "depends_on": {"nodes": parents},
                "config": {"meta": meta},
                "columns": {},
            }
            for name, (parents, meta) in tables.items()
        },
        "sources": {
            source: {
                "resource_type": "source",
                "unique_id": source,
                "name": "loans",
                "source_name": "core",
                "database": "warehouse",
                "schema": "raw",
                "relation_name": '"warehouse"."raw"."loans"',
                "description": "Loans as the core banking system books them",
                "meta": {"personal_data": True},
                "columns": {},
            }
        },
        "exposures": {},
        "groups": {},
        "metrics": {},
        "parent_map": {},
        "child_map": {},
    }


def airflow() -> Iterable[dict[str, Any]]:
    """Two nightly jobs: movements of accounts, and letters for the help index."""
    jobs = [
        ("copy_movements", "2026-11-20T02:00:00Z", (WAREHOUSE, "core.ledger"), (LAKE, "account_movements")),
        ("scan_letters", "2026-11-20T02:30:00Z", ("s3://lindenau-mail", "letters"), (LAKE, "complaint_letters")),
    ]
    for number, (job, when, source, target) in enumerate(jobs, 1):
        yield {
            "eventType": "COMPLETE",
            "eventTime": when,
            "producer": "https://airflow.lindenau.example",
            "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
            "run": {"runId": f"01939f10-0000-7000-8000-00000000000{number}"},
            "job": {"namespace": "lake", "name": job},
            "inputs": [{"namespace": source[0], "name": source[1]}],
            "outputs": [{"namespace": target[0], "name": target[1]}],
        }


def parlance_chat() -> dict[str, Any]:
    """What the supplier of the language model says it is made of."""
    supplier = {"name": "Parlance AI", "url": ["https://parlance.example"]}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": "urn:uuid:7c1e2a54-3b0d-4a6f-8a3e-91f0c2d4b6a8",
        "version": 4,
        "metadata": {"timestamp": "2026-10-01T12:00:00Z", "supplier": supplier},
        "components": [
            {
                "type": "machine-learning-model",
                "bom-ref": "parlance-chat",
                "purl": "pkg:generic/parlance/parlance-chat@4.1",
                "name": "Parlance Chat",
                "version": "4.1",
                "description": "A language model for service desks",
                "supplier": supplier,
                "licenses": [{"license": {"name": "Parlance Service Terms"}}],
                "pedigree": {
                    "ancestors": [
                        {
                            "type": "machine-learning-model",
                            "bom-ref": "open-base",
                            "purl": "pkg:huggingface/open-models/base-70b@2",
                            "name": "Open base 70B",
                            "version": "2",
                            "licenses": [{"license": {"id": "Apache-2.0"}}],
                        }
                    ]
                },
                "modelCard": {
                    "modelParameters": {
                        "task": "text-generation",
                        "approach": {"type": "supervised"},
                        "architectureFamily": "transformer",
                        "datasets": [{"ref": "service-dialogues"}],
                    },
                    "considerations": {
                        "useCases": ["Answers that a service desk gives"],
                        "technicalLimitations": ["Figures in long tables are at times mixed up"],
                    },
                },
            },
            {
                "type": "data",
                "bom-ref": "service-dialogues",
                "purl": "pkg:generic/parlance/service-dialogues@2026.1",
                "name": "Service dialogues",
                "version": "2026.1",
                "description": "Dialogues written by staff of the supplier",
                "supplier": supplier,
            },
            {
                "type": "library",
                "bom-ref": "gateway",
                "purl": "pkg:pypi/parlance-gateway@2.4.1",
                "name": "parlance-gateway",
                "version": "2.4.1",
                "licenses": [{"license": {"id": "MIT"}}],
            },
        ],
        "dependencies": [{"ref": "parlance-chat", "dependsOn": ["gateway"]}],
    }


def finance_texts() -> dict[str, Any]:
    """The training texts of the laboratory, as it describes them to those who build on its models."""
    return {
        "@context": {
            "@vocab": "https://schema.org/",
            "sc": "https://schema.org/",
            "cr": "http://mlcommons.org/croissant/",
            "rai": "http://mlcommons.org/croissant/RAI/",
            "dct": "http://purl.org/dc/terms/",
            "conformsTo": "dct:conformsTo",
        },
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": "finance-texts",
        "url": "https://data.lindenau.example/finance-texts",
        "description": "Reports, rule books and textbooks on finance",
        "license": "https://spdx.org/licenses/CC-BY-4.0.html",
        "version": "3.0.0",
        "datePublished": "2026-01-15",
        "inLanguage": ["de", "en", "fr"],
        "rai:dataCollection": "Bought from publishers, or published by authorities",
        "rai:dataBiases": ["Written by people in offices, for people in offices"],
        "rai:dataLimitations": ["Little on insurance"],
    }


def main() -> None:
    """Write everything beside this file."""
    folder = Path(__file__).parent / "sources"
    folder.mkdir(exist_ok=True)
    for name, document in (
        ("mlflow.json", mlflow()),
        ("dbt_manifest.json", dbt()),
        ("parlance_chat.cdx.json", parlance_chat()),
        ("finance_texts.json", finance_texts()),
    ):
        (folder / name).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    (folder / "airflow.ndjson").write_text("".join(f"{json.dumps(e)}\n" for e in airflow()), encoding="utf-8")
    manifests = yaml.safe_dump_all(kserve(), sort_keys=False, explicit_start=True)
    (folder / "kserve.yaml").write_text(manifests, encoding="utf-8")


if __name__ == "__main__":
    main()
