"""Write `sources/`: what the tools and suppliers of Lakeside Health say of their part, in their own formats.

    python make_sources.py

- `mlflow.json`: the model registry and the training runs, as `policy-engine import mlflow` writes them;
- `kserve.yaml`: what the cluster serves, one service of which is in no register;
- `airflow.ndjson`: OpenLineage events of the extracts;
- `dbt_manifest.json`: the tables of the warehouse and the system that feeds on them;
- `scribe_cloud.cdx.json`: the supplier's CycloneDX bill of materials of its language model;
- `sentence_embedder.md`: the card of an open model.

Everything is invented. The same files come out each time.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

MODELS = "s3://lakeside-models"
LAKE = "s3://lakeside-lake"
PRODUCER = "https://airflow.lakeside.example"


def mlflow() -> dict[str, Any]:
    """Two registered models with the runs that made them."""
    made = [
        ("chest-triage", "8", "run-chest-8", "1", "chest/train/2025-11", "chest/test/2025-11", {"auroc": 0.962}),
        ("readmission", "5", "run-readmission-5", "2", "readmission/2026-03", "readmission/holdout", {"auc": 0.741}),
    ]
    return {
        "mlflow_export": 1,
        "tracking_uri": "https://mlflow.lakeside.example",
        "exported_at": "2026-11-20T22:00:00Z",
        "experiments": [
            {"experiment_id": "1", "name": "chest-triage-training"},
            {"experiment_id": "2", "name": "population-health-models"},
        ],
        "registered_models": [{"name": name, "creation_timestamp": 1764000000000} for name, *_ in made],
        "model_versions": [
            {
                "name": name,
                "version": version,
                "creation_timestamp": 1764000000000,
                "current_stage": "Production",
                "source": f"{MODELS}/{name}/{version}",
                "run_id": run,
            }
            for name, version, run, *_ in made
        ],
        "runs": [
            {
                "info": {
                    "run_id": run,
                    "experiment_id": experiment,
                    "status": "FINISHED",
                    "start_time": 1764000000000,
                    "end_time": 1764003600000,
                },
                "data": {"metrics": metrics, "params": {}, "tags": {}},
                "inputs": {"dataset_inputs": list(_inputs(train, test))},
            }
            for _, _, run, experiment, train, test, metrics in made
        ],
    }


def _inputs(train: str, test: str | None) -> Iterable[dict[str, Any]]:
    for path, context in ((train, "training"), (test, "testing")):
        if path:
            name, digest = path.replace("/", "_"), path.encode().hex()[:8]
            source = json.dumps({"uri": f"{LAKE}/{path}"})
            yield {
                "dataset": {"name": name, "digest": digest, "source_type": "s3", "source": source},
                "tags": [{"key": "mlflow.data.context", "value": context}],
            }


def kserve() -> Iterable[dict[str, Any]]:
    """Four inference services; nobody entered the last one in the register."""
    served = [
        ("chest-triage-main", "onnx", f"{MODELS}/chest-triage/8", "2026-02-02T06:00:00Z"),
        ("chest-triage-north", "onnx", f"{MODELS}/chest-triage/8", "2026-07-13T06:00:00Z"),
        ("readmission", "sklearn", f"{MODELS}/readmission/5", "2026-04-07T06:00:00Z"),
        ("ward-transcriber", "pytorch", "hf://open-speech/ward-transcriber:7c1d9e2", "2026-10-29T21:14:00Z"),
    ]
    for name, framework, uri, created in served:
        yield {
            "apiVersion": "serving.kserve.io/v1beta1",
            "kind": "InferenceService",
            "metadata": {
                "name": name,
                "namespace": "clinical-ai",
                "labels": {"stage": "production"},
                "creationTimestamp": created,
            },
            "spec": {"predictor": {"model": {"modelFormat": {"name": framework}, "storageUri": uri}}},
            "status": {"url": f"https://{name}.clinical-ai.lakeside.example"},
        }


def airflow() -> Iterable[dict[str, Any]]:
    """The extracts: images drawn for training, notes and messages for the indexes."""
    warehouse, portal = "postgres://warehouse.lakeside.example", "postgres://portal.lakeside.example"
    images = "s3://lakeside-imaging"
    jobs = [
        ("draw_chest_cohort", "2025-11-08T03:00:00Z", (images, "archive"), (images, "cohorts/chest-2025")),
        ("extract_notes", "2026-11-20T02:00:00Z", (warehouse, "clinical.raw.encounters"), (LAKE, "notes/visits")),
        ("extract_messages", "2026-11-20T02:30:00Z", (portal, "portal.public.messages"), (LAKE, "portal/messages")),
    ]
    for number, (job, when, source, target) in enumerate(jobs, 1):
        yield {
            "eventType": "COMPLETE",
            "eventTime": when,
            "producer": PRODUCER,
            "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
            "run": {"runId": f"01939f00-0000-7000-8000-00000000000{number}"},
            "job": {"namespace": "clinical-lake", "name": job},
            "inputs": [{"namespace": source[0], "name": source[1]}],
            "outputs": [{"namespace": target[0], "name": target[1]}],
        }


def dbt() -> dict[str, Any]:
    """The tables of the warehouse, with what their owners say of them, and the system that feeds on one."""
    source = "source.lakeside.records.encounters"
    tables = {
        "discharges": [source],
        "readmission_features": ["model.lakeside.discharges"],
        "appointments": [source],
    }
    return {
        "metadata": {
            "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
            "dbt_version": "1.10.2",
            "generated_at": "2026-11-20T04:10:00Z",
            "project_name": "lakeside",
            "adapter_type": "postgres",
        },
        "nodes": {
            f"model.lakeside.{name}": {
                "resource_type": "model",
                "unique_id": f"model.lakeside.{name}",
                "name": name,
                "database": "clinical",
                "schema": "marts",
                "alias": name,
                "relation_name": f'"clinical"."marts"."{name}"',
                "description": "",
                "depends_on": {"nodes": parents},
                "config": {"meta": {"ephi": True, "personal_data": True}},
                "columns": {},
            }
            for name, parents in tables.items()
        },
        "sources": {
            source: {
                "resource_type": "source",
                "unique_id": source,
                "name": "encounters",
                "source_name": "records",
                "database": "clinical",
                "schema": "raw",
                "relation_name": '"clinical"."raw"."encounters"',
                "description": "Encounters as the record system exports them",
                "meta": {"ephi": True, "personal_data": True, "owner": "Data office"},
                "columns": {},
            }
        },
        "exposures": {
            "exposure.lakeside.readmission_risk": {
                "resource_type": "exposure",
                "unique_id": "exposure.lakeside.readmission_risk",
                "name": "readmission_risk",
                "type": "ml",
                "owner": {"name": "Population health"},
                "depends_on": {"nodes": ["model.lakeside.readmission_features"]},
            }
        },
        "groups": {},
        "metrics": {},
        "parent_map": {},
        "child_map": {},
    }


def scribe_cloud() -> dict[str, Any]:
    """What the supplier of the language model says it is made of."""
    supplier = {"name": "Scribe Cloud", "url": ["https://scribe-cloud.example"]}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": "urn:uuid:0d9d5b1a-7f0e-4b7e-9d0c-5a6f1c2b3d4e",
        "version": 3,
        "metadata": {"timestamp": "2026-09-30T12:00:00Z", "supplier": supplier},
        "components": [
            {
                "type": "machine-learning-model",
                "bom-ref": "scribe-lm",
                "purl": "pkg:generic/scribe-cloud/scribe-lm@4.1",
                "name": "Scribe language model",
                "version": "4.1",
                "description": "Turns recordings of visits into draft notes",
                "supplier": supplier,
                "licenses": [{"license": {"name": "Scribe Cloud Service Terms"}}],
                "pedigree": {
                    "ancestors": [
                        {
                            "type": "machine-learning-model",
                            "bom-ref": "open-base",
                            "purl": "pkg:huggingface/open-models/base-8b@3",
                            "name": "Open base 8B",
                            "version": "3",
                            "licenses": [{"license": {"id": "Apache-2.0"}}],
                        }
                    ]
                },
                "modelCard": {
                    "modelParameters": {
                        "task": "text-generation",
                        "approach": {"type": "supervised"},
                        "architectureFamily": "transformer",
                        "datasets": [{"ref": "acted-visits"}],
                    },
                    "quantitativeAnalysis": {"performanceMetrics": [{"type": "rouge-l", "value": "0.71"}]},
                    "considerations": {
                        "useCases": ["Draft notes that a clinician corrects and signs"],
                        "technicalLimitations": ["Accents are underrepresented", "Doses are at times misheard"],
                    },
                },
            },
            {
                "type": "data",
                "bom-ref": "acted-visits",
                "purl": "pkg:generic/scribe-cloud/acted-visits@2026.2",
                "name": "Acted visits",
                "version": "2026.2",
                "description": "Visits played by actors, with notes written by nurses",
                "supplier": supplier,
            },
            {
                "type": "library",
                "bom-ref": "decoder",
                "purl": "pkg:pypi/scribe-decoder@1.9.0",
                "name": "scribe-decoder",
                "version": "1.9.0",
                "licenses": [{"license": {"id": "MIT"}}],
            },
            {
                "type": "library",
                "bom-ref": "audio-front-end",
                "purl": "pkg:pypi/audio-front-end@0.4.2",
                "name": "audio-front-end",
                "version": "0.4.2",
            },
        ],
        "dependencies": [{"ref": "scribe-lm", "dependsOn": ["decoder", "audio-front-end"]}],
    }


EMBEDDER_CARD = """\
---
model_id: open-clinical-nlp/sentence-embedder
license: apache-2.0
language: en
library_name: sentence-transformers
pipeline_tag: sentence-similarity
datasets:
- open-clinical-nlp/abstract-pairs
---

# Model card for sentence-embedder

Sentence vectors for clinical English.

## Uses

Search and clustering of clinical texts.

## Bias, Risks, and Limitations

Trained on abstracts of journals. How patients write was not looked at.
"""


def main() -> None:
    """Write everything beside this file."""
    folder = Path(__file__).parent / "sources"
    folder.mkdir(exist_ok=True)
    for name, document in (
        ("mlflow.json", mlflow()),
        ("dbt_manifest.json", dbt()),
        ("scribe_cloud.cdx.json", scribe_cloud()),
    ):
        (folder / name).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    (folder / "airflow.ndjson").write_text("".join(f"{json.dumps(e)}\n" for e in airflow()), encoding="utf-8")
    manifests = yaml.safe_dump_all(kserve(), sort_keys=False, explicit_start=True)
    (folder / "kserve.yaml").write_text(manifests, encoding="utf-8")
    (folder / "sentence_embedder.md").write_text(EMBEDDER_CARD, encoding="utf-8")


if __name__ == "__main__":
    main()
