"""Write the files that the tools of Harbourlight Software and its suppliers would write, into `sources/`.

    python make_sources.py

Everything is invented. Each run writes the same bytes.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

MLFLOW = "https://mlflow.harbourlight.example"
DOMAIN = "harbourlight.example"
DATA = "s3://harbourlight-data"
MODELS = "s3://harbourlight-models"


def digest(name: str) -> str:
    """Return the SHA-256 of what stands in for the bytes of a thing."""
    return hashlib.sha256(f"the bytes of {name}".encode()).hexdigest()


def polar_bom() -> Mapping[str, Any]:
    """Return what the supplier of the language model says of it, as CycloneDX."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": "urn:uuid:5f0c2d1e-9a44-4c0b-8f31-2d7a60c1b4e8",
        "version": 1,
        "metadata": {"timestamp": "2026-06-10T08:00:00Z", "manufacturer": {"name": "Polar Models"}},
        "components": [
            {
                "type": "machine-learning-model",
                "bom-ref": "polar-chat",
                "group": "polar-models",
                "name": "Polar Chat",
                "version": "2.4",
                "purl": "pkg:generic/polar-models/polar-chat@2.4",
                "description": "A language model for conversations in twelve languages",
                "supplier": {"name": "Polar Models"},
                "licenses": [{"license": {"name": "Polar Models terms of service 2026"}}],
                "modelCard": {
                    "modelParameters": {
                        "task": "text generation",
                        "architectureFamily": "transformer",
                        "datasets": [
                            {
                                "type": "dataset",
                                "bom-ref": "polar-corpus",
                                "name": "Polar corpus",
                                "description": "Text of the web and of licensed publishers until March 2026",
                            }
                        ],
                    },
                    "quantitativeAnalysis": {"performanceMetrics": [{"type": "accuracy", "value": "0.91"}]},
                    "considerations": {
                        "useCases": ["Conversation", "Summaries"],
                        "technicalLimitations": ["Makes up facts when the context holds no answer"],
                        "environmentalConsiderations": {
                            "energyConsumptions": [
                                {
                                    "activity": "training",
                                    "energyProviders": [
                                        {
                                            "organization": {"name": "Northern Grid"},
                                            "energySource": "hydropower",
                                            "energyProvided": {"value": 2100000, "unit": "kWh"},
                                        }
                                    ],
                                    "activityEnergyCost": {"value": 2100000, "unit": "kWh"},
                                }
                            ]
                        },
                    },
                },
            }
        ],
    }


def answers_bom() -> Mapping[str, Any]:
    """Return what a scanner found in the images of our systems, as CycloneDX."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": "urn:uuid:a3c9e1f0-61d2-4b7e-9d55-0c2f8be7a913",
        "version": 7,
        "metadata": {
            "timestamp": "2026-11-09T02:00:00Z",
            "tools": {"components": [{"type": "application", "name": "image-scan", "version": "4.1.0"}]},
        },
        "components": [
            library("langline", "2.3.1", "MIT"),
            library("pagecutter", "1.0.4", "Apache-2.0"),
            library("ticketflow", "0.4.0", "MIT"),
        ],
        "dependencies": [{"ref": "langline", "dependsOn": ["pagecutter"]}, {"ref": "ticketflow"}],
    }


def library(name: str, version: str, licence: str) -> Mapping[str, Any]:
    """Return a Python library as a component of a BOM."""
    return {
        "type": "library",
        "bom-ref": name,
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name}@{version}",
        "licenses": [{"license": {"id": licence}}],
        "hashes": [{"alg": "SHA-256", "content": digest(name)}],
    }


def serving() -> Sequence[Mapping[str, Any]]:
    """Return what the cluster serves, as `kubectl get -o yaml` would print it."""
    return [
        inference_service("assistants", "triage", f"{MODELS}/triage/7", "sklearn"),
        inference_service("trust", "abuse-guard", f"{MODELS}/abuse/3", "sklearn"),
        # Nobody of the AI office knows these two.
        inference_service("growth", "lead-score", f"{MODELS}/lead-score/1", "xgboost"),
        {
            "apiVersion": "serving.kserve.io/v1alpha2",
            "kind": "LLMInferenceService",
            "metadata": meta("growth", "slogan-writer", "2026-10-02T14:11:00Z"),
            "spec": {"model": {"uri": "hf://tiny-writer/slogans-3b", "name": "slogans-3b"}, "replicas": 1},
            "status": {"url": f"https://slogan-writer.growth.{DOMAIN}"},
        },
        {
            "apiVersion": "serving.kserve.io/v1alpha2",
            "kind": "LLMInferenceService",
            "metadata": meta("developers", "code-mate", "2026-05-20T09:30:00Z"),
            "spec": {"model": {"uri": f"{MODELS}/harbour-coder/1.4", "name": "harbour-coder"}, "replicas": 2},
            "status": {"url": f"https://code-mate.developers.{DOMAIN}"},
        },
    ]


def meta(namespace: str, name: str, created: str) -> Mapping[str, str]:
    """Return the metadata of a manifest."""
    return {"name": name, "namespace": namespace, "creationTimestamp": created}


def inference_service(namespace: str, name: str, address: str, model_format: str) -> Mapping[str, Any]:
    """Return a manifest that serves a model from an address."""
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": meta(namespace, name, "2026-09-01T07:00:00Z"),
        "spec": {"predictor": {"model": {"modelFormat": {"name": model_format}, "storageUri": address}}},
        "status": {"url": f"https://{name}.{namespace}.{DOMAIN}"},
    }


def mlflow() -> Mapping[str, Any]:
    """Return what `policy-engine import mlflow` would write of the tracking server."""
    return {
        "mlflow_export": 1,
        "tracking_uri": MLFLOW,
        "exported_at": "2026-11-15T05:00:00Z",
        "experiments": [{"experiment_id": "12", "name": "triage", "lifecycle_stage": "active", "tags": {}}],
        "registered_models": [
            registered("triage-classifier", "Which team a ticket belongs to", {"champion": "7"}),
            registered("abuse-classifier", "Whether a message is spam or fraud", {}),
        ],
        "model_versions": [
            version("abuse-classifier", "3", "", f"{MODELS}/abuse/3"),
            prompt("answers", "14", "Answer only from the pages below. Quote the page. If none answers, hand over."),
            prompt("answers-checker", "3", "Say whether each sentence stands in the pages below."),
            prompt("coder", "5", "Write a test for the function below. Use no network."),
            version("triage-classifier", "7", "7d0c5a41e2b84f39a1c6", f"{MODELS}/triage/7"),
        ],
        "logged_models": [],
        "runs": [
            {
                "info": {
                    "run_id": "7d0c5a41e2b84f39a1c6",
                    "run_name": "weekly-2026-35",
                    "experiment_id": "12",
                    "status": "FINISHED",
                    "start_time": 1788069600000,
                    "end_time": 1788072060000,
                },
                "data": {
                    "metrics": {"f1": 0.912, "macro_recall": 0.884},
                    "params": {"c": "0.5"},
                    "tags": {"mlflow.source.git.commit": "77d0be4f2a90"},
                },
                "inputs": {
                    "dataset_inputs": [
                        dataset("tickets-clean", f"{DATA}/tickets-clean", "training"),
                        dataset("tickets-test", f"{DATA}/tickets-test", "testing"),
                    ]
                },
            }
        ],
    }


def registered(name: str, description: str, aliases: Mapping[str, str]) -> Mapping[str, Any]:
    """Return a registered model."""
    return {
        "name": name,
        "description": description,
        "creation_timestamp": 1735689600000,
        "tags": {},
        "aliases": aliases,
    }


def version(name: str, number: str, run: str, source: str) -> Mapping[str, Any]:
    """Return a version of a registered model, in production."""
    return {
        "name": name,
        "version": number,
        "creation_timestamp": 1788072060000,
        "current_stage": "Production",
        "source": source,
        "run_id": run,
        "status": "READY",
        "tags": {},
        "aliases": [],
    }


def prompt(name: str, number: str, template: str) -> Mapping[str, Any]:
    """Return a version of a prompt."""
    return {
        "name": name,
        "version": number,
        "creation_timestamp": 1790000000000,
        "aliases": [],
        "template": template,
        "tags": {"mlflow.prompt.is_prompt": "true"},
    }


def dataset(name: str, uri: str, context: str) -> Mapping[str, Any]:
    """Return a dataset that a run was given."""
    return {
        "dataset": {
            "name": name,
            "digest": "2026-08",
            "source_type": "s3",
            "source": json.dumps({"uri": uri}),
        },
        "tags": [{"key": "mlflow.data.context", "value": context}],
    }


def coder_card() -> str:
    """Return the model card of the coding model that we tuned, as its repository holds it."""
    front = {
        "license": "apache-2.0",
        "language": ["en"],
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "base_model": "open-coder/open-coder-7b",
        "base_model_relation": "adapter",
        "datasets": ["open-coder/exercises"],
        "model-index": [
            {
                "name": "harbour-coder",
                "results": [
                    {
                        "task": {"type": "text-generation"},
                        "dataset": {"name": "Exercises", "type": "open-coder/exercises"},
                        "metrics": [{"type": "accuracy", "value": 0.74}],
                    }
                ],
            }
        ],
    }
    body = """# Model card for Harbour Coder

## Intended uses

Propose unit tests for our own code. Its proposals run in a sandbox.

## Limitations

Tests of concurrent code are often wrong.
"""
    return f"---\n{yaml.safe_dump(front, sort_keys=False)}---\n\n{body}"


def lineage() -> Sequence[Mapping[str, Any]]:
    """Return the log of the scheduler, as OpenLineage events."""
    return [
        *job("2026-08-15T01:00:00Z", "0190f1", "tickets.clean", ["tickets-raw"], ["tickets-clean", "tickets-test"]),
        *job("2026-10-30T02:00:00Z", "0192c7", "abuse.collect", ["account-events"], ["abuse-reports"]),
        *job("2026-11-01T03:00:00Z", "0192f4", "help.crawl", ["help-raw"], ["help-pages"]),
    ]


def job(when: str, run: str, name: str, inputs: Sequence[str], outputs: Sequence[str]) -> Sequence[Mapping[str, Any]]:
    """Return the events of one run of a job."""
    base = {
        "producer": f"https://airflow.{DOMAIN}",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": f"{run}a2-6c0e-7b51-9f00-3d1f0e5b7a11"},
        "job": {"namespace": "airflow", "name": name},
    }
    return [
        {"eventType": "START", "eventTime": when, **base, "inputs": [located(name) for name in inputs]},
        {
            "eventType": "COMPLETE",
            "eventTime": when.replace(":00:00Z", ":24:00Z"),
            **base,
            "outputs": [located(name) for name in outputs],
        },
    ]


def located(name: str) -> Mapping[str, str]:
    """Return a dataset of the lake as OpenLineage names it."""
    return {"namespace": DATA, "name": name}


def croissant() -> Mapping[str, Any]:
    """Return the description of the public exercises, as their publisher has it."""
    return {
        "@context": {
            "@vocab": "https://schema.org/",
            "sc": "https://schema.org/",
            "cr": "http://mlcommons.org/croissant/",
            "rai": "http://mlcommons.org/croissant/RAI/",
            "conformsTo": "dct:conformsTo",
            "dct": "http://purl.org/dc/terms/",
        },
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": "open-coder/exercises",
        "description": "Small programming tasks with tests",
        "url": "https://huggingface.co/datasets/open-coder/exercises",
        "license": "https://spdx.org/licenses/CC-BY-4.0.html",
        "version": "1.3.0",
        "inLanguage": "en",
        "creator": {"@type": "sc:Organization", "name": "Open Coder"},
        "rai:dataCollection": "Written by volunteers in 2025",
        "rai:dataBiases": "Most tasks are about lists and texts",
    }


def as_json(content: object) -> str:
    """Return a document as its tool would write it."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def files() -> Mapping[str, str]:
    """Return every file by its path below `sources/`."""
    return {
        "bom/polar-chat.cdx.json": as_json(polar_bom()),
        "bom/images.cdx.json": as_json(answers_bom()),
        "serving.yaml": yaml.safe_dump_all(serving(), sort_keys=False),
        "mlflow.json": as_json(mlflow()),
        "cards/harbour-coder/README.md": coder_card(),
        "lineage.ndjson": "".join(json.dumps(event) + "\n" for event in lineage()),
        "exercises.croissant.json": as_json(croissant()),
    }


def main() -> None:
    """Write all files."""
    folder = Path(__file__).parent / "sources"
    for name, text in files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
