"""Write `sources/`: what the suppliers and tools of Brightway Stores say of their part, in their own formats.

    python make_sources.py

- `talentgrid.spdx3.json`: the supplier's SPDX 3.0 document of the model that ranks applications;
- `datahub.json`: what the data catalogue knows of tables, features and the promotion model;
- `parley_chat.cdx.json`: the supplier's CycloneDX bill of materials of the chat model;
- `shift_planner.ndjson`: OpenLineage events of the training of the demand model;
- `answer_panel.croissant.json`: the description of a panel that was bought for tests.

Everything is invented. The same files come out each time.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

GRID = "https://talentgrid.example/spdx"
OBSERVED = 1795120000000


def talentgrid() -> dict[str, Any]:
    """The ranking model, what it learned from, the software that runs it, and their licences."""
    commercial, apache = f"{GRID}/licence", "https://spdx.org/licenses/Apache-2.0"
    packages: list[dict[str, Any]] = [
        {
            "type": "ai_AIPackage",
            "spdxId": f"{GRID}/rank-model",
            "name": "rank-model",
            "software_packageUrl": "pkg:generic/talentgrid/rank-model@7.2",
            "software_packageVersion": "7.2",
            "software_primaryPurpose": "model",
            "suppliedBy": f"{GRID}/talentgrid",
            "ai_domain": ["recruiting"],
            "ai_typeOfModel": ["gradient-boosted trees"],
            "ai_informationAboutTraining": "Trained on decisions of recruiters of 40 customers, by agreement",
            "ai_informationAboutApplication": "Ranking of applications for a job, to be read by recruiters",
            "ai_limitation": "English only; not for executive jobs",
            "ai_modelExplainability": ["contribution of each field to the rank"],
            "ai_metric": [{"type": "DictionaryEntry", "key": "ndcg", "value": "0.81"}],
            "ai_energyConsumption": {
                "type": "ai_EnergyConsumption",
                "ai_trainingEnergyConsumption": [
                    {
                        "type": "ai_EnergyConsumptionDescription",
                        "ai_energyQuantity": "96",
                        "ai_energyUnit": "kilowattHour",
                    }
                ],
            },
        },
        {
            "type": "dataset_DatasetPackage",
            "spdxId": f"{GRID}/recruiter-decisions",
            "name": "recruiter-decisions",
            "software_packageVersion": "2025.4",
            "originatedBy": [f"{GRID}/talentgrid"],
            "dataset_datasetType": ["structured"],
            "dataset_dataCollectionProcess": "Exported from recruiting systems of customers",
            "dataset_knownBias": ["Customers are large firms"],
            "dataset_hasSensitivePersonalInformation": "yes",
        },
        {
            "type": "dataset_DatasetPackage",
            "spdxId": f"{GRID}/rank-test",
            "name": "rank-test",
            "software_packageVersion": "2025.4",
            "originatedBy": [f"{GRID}/talentgrid"],
            "dataset_datasetType": ["structured"],
        },
        {
            "type": "software_Package",
            "spdxId": f"{GRID}/rank-server",
            "name": "rank-server",
            "software_packageUrl": "pkg:pypi/rank-server@7.2.1",
            "software_packageVersion": "7.2.1",
            "software_primaryPurpose": "library",
            "suppliedBy": f"{GRID}/talentgrid",
        },
    ]
    relations = [
        ("rank-model", "trainedOn", [f"{GRID}/recruiter-decisions"]),
        ("rank-model", "testedOn", [f"{GRID}/rank-test"]),
        ("rank-model", "dependsOn", [f"{GRID}/rank-server"]),
        ("rank-model", "hasDeclaredLicense", [commercial]),
        ("recruiter-decisions", "hasDeclaredLicense", [commercial]),
        ("rank-test", "hasDeclaredLicense", [commercial]),
        ("rank-server", "hasDeclaredLicense", [apache]),
    ]
    made = {"creationInfo": "_:made"}
    graph: list[dict[str, Any]] = [
        {
            "type": "CreationInfo",
            "@id": "_:made",
            "specVersion": "3.0.1",
            "createdBy": [f"{GRID}/talentgrid"],
            "created": "2026-02-20T10:00:00Z",
        },
        {"type": "Organization", "spdxId": f"{GRID}/talentgrid", "name": "TalentGrid", **made},
        {
            "type": "SpdxDocument",
            "spdxId": f"{GRID}/document",
            "name": "Application ranker 7.2",
            "profileConformance": ["core", "software", "ai", "dataset", "simpleLicensing"],
            "rootElement": [f"{GRID}/rank-model"],
            **made,
        },
        *({**package, **made} for package in packages),
        _licence(commercial, "LicenseRef-TalentGrid-Commercial"),
        _licence(apache, "Apache-2.0"),
        *(
            {
                "type": "Relationship",
                "spdxId": f"{GRID}/relation-{number}",
                "relationshipType": kind,
                "from": f"{GRID}/{name}",
                "to": targets,
                **made,
            }
            for number, (name, kind, targets) in enumerate(relations, 1)
        ),
    ]
    return {"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": graph}


def _licence(identity: str, expression: str) -> dict[str, Any]:
    return {
        "type": "simplelicensing_LicenseExpression",
        "spdxId": identity,
        "creationInfo": "_:made",
        "simplelicensing_licenseExpression": expression,
    }


def _table(name: str) -> str:
    return f"urn:li:dataset:(urn:li:dataPlatform:postgres,hr.public.{name},PROD)"


def datahub() -> list[dict[str, Any]]:
    """The catalogue: three tables, two features, the promotion model, and a model that nobody declared."""
    columns = [f"urn:li:mlFeature:(promotion,{name})" for name in ("years_in_role", "manager_rating")]
    promotion = "urn:li:mlModel:(urn:li:dataPlatform:mlflow,promotion_score,PROD)"
    trial = "urn:li:mlModel:(urn:li:dataPlatform:mlflow,attrition_trial,PROD)"
    owners = {"owners": [{"owner": "urn:li:corpGroup:people-analytics", "type": "TECHNICAL_OWNER"}]}
    told: list[tuple[str, str, str, dict[str, Any]]] = [
        ("dataset", _table("employees"), "datasetProperties", _labels("Employees of the group")),
        ("dataset", _table("careers"), "datasetProperties", _labels("Positions of employees over time")),
        ("dataset", _table("careers"), "ownership", owners),
        ("dataset", _table("careers"), "upstreamLineage", _upstream(_table("employees"))),
        ("dataset", _table("applications"), "datasetProperties", _labels("Applications since 2022")),
        ("dataset", _table("applications"), "ownership", owners),
        *(("mlFeature", urn, "mlFeatureProperties", {"sources": [_table("careers")]}) for urn in columns),
        ("mlModel", promotion, "mlModelProperties", {"description": "Success as team lead", "mlFeatures": columns}),
        ("mlModel", promotion, "mlModelTrainingData", {"trainingData": [{"dataset": _table("careers")}]}),
        ("mlModel", promotion, "intendedUse", {"primaryUses": ["Point managers to people they might overlook"]}),
        ("mlModel", trial, "mlModelProperties", {"description": "Who may leave; a trial"}),
        ("mlModel", trial, "mlModelTrainingData", {"trainingData": [{"dataset": _table("employees")}]}),
    ]
    return [
        {
            "entityType": entity,
            "entityUrn": urn,
            "changeType": "UPSERT",
            "aspectName": aspect,
            "aspect": {"json": content},
            "systemMetadata": {"lastObserved": OBSERVED},
        }
        for entity, urn, aspect, content in told
    ]


def _labels(description: str) -> dict[str, Any]:
    return {"description": description, "customProperties": {"personal_data": "true", "region": "US"}}


def _upstream(table: str) -> dict[str, Any]:
    return {"upstreams": [{"dataset": table, "type": "TRANSFORMED"}]}


def parley_chat() -> dict[str, Any]:
    """What the supplier of the chat model says it is made of."""
    supplier = {"name": "Parley"}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": "urn:uuid:51c7a8de-5d8f-4a86-a3cb-9f3e0f7e9b10",
        "version": 1,
        "metadata": {"timestamp": "2026-05-30T09:00:00Z", "supplier": supplier},
        "components": [
            {
                "type": "machine-learning-model",
                "bom-ref": "parley-chat",
                "purl": "pkg:generic/parley/parley-chat@5",
                "name": "Parley Chat",
                "version": "5",
                "supplier": supplier,
                "licenses": [{"license": {"name": "Parley Service Terms"}}],
                "modelCard": {
                    "modelParameters": {
                        "task": "text-generation",
                        "architectureFamily": "transformer",
                        "datasets": [{"ref": "web-pages"}],
                    },
                    "considerations": {"technicalLimitations": ["May state what is not so"]},
                },
            },
            {
                "type": "data",
                "bom-ref": "web-pages",
                "purl": "pkg:generic/parley/web-pages@2025.2",
                "name": "Web pages",
                "version": "2025.2",
            },
            {
                "type": "library",
                "bom-ref": "runtime",
                "purl": "pkg:npm/parley-runtime@5.0.3",
                "name": "parley-runtime",
                "version": "5.0.3",
            },
        ],
        "dependencies": [{"ref": "parley-chat", "dependsOn": ["runtime"]}],
    }


def shift_planner() -> Iterable[dict[str, Any]]:
    """Two runs: tickets become the training set, and the training set a model."""
    lake, models = "s3://brightway-lake", "s3://brightway-models"
    is_model = {"datasetType": {"datasetType": "MODEL"}}
    steps: list[tuple[str, str, str, tuple[str, str], dict[str, Any]]] = [
        ("make_training_set", "2026-09-20T01:00:00Z", "tickets/2026", (lake, "demand/training"), {}),
        ("train_demand", "2026-09-20T02:00:00Z", "demand/training", (models, "demand/12"), is_model),
    ]
    for number, (job, when, source, output, facets) in enumerate(steps, 1):
        code = {"sourceCodeLocation": {"type": "git", "url": f"https://git.brightway.example/shifts/{job}.py"}}
        event = {
            "producer": "https://scheduler.brightway.example",
            "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
            "run": {"runId": f"01938b00-0000-7000-8000-00000000000{number}"},
            "job": {"namespace": "shift-planner", "name": job, "facets": code},
        }
        inputs = [{"namespace": lake, "name": source}]
        outputs = [{"namespace": output[0], "name": output[1], "facets": facets}]
        yield {"eventType": "START", "eventTime": when.replace(":00:00Z", ":00:04Z"), **event, "inputs": inputs}
        yield {"eventType": "COMPLETE", "eventTime": when.replace(":00:00Z", ":41:30Z"), **event, "outputs": outputs}


def answer_panel() -> dict[str, Any]:
    """Answers of a panel, which the interviews on video were tested with."""
    return {
        "@context": {
            "@vocab": "https://schema.org/",
            "cr": "http://mlcommons.org/croissant/",
            "rai": "http://mlcommons.org/croissant/RAI/",
            "sc": "https://schema.org/",
        },
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": "Interview answers",
        "description": "Recorded answers of 900 paid volunteers",
        "url": "https://data.interview-panel.example/answers",
        "version": "1.2.0",
        "license": "CC-BY-NC-4.0",
        "creator": {"@type": "sc:Organization", "name": "Interview Panel"},
        "rai:dataCollection": "Paid volunteers answered twelve questions by video",
        "rai:dataBiases": ["Two of three volunteers are under 30"],
        "distribution": [],
    }


def main() -> None:
    """Write everything beside this file."""
    folder = Path(__file__).parent / "sources"
    folder.mkdir(exist_ok=True)
    for name, document in (
        ("talentgrid.spdx3.json", talentgrid()),
        ("datahub.json", datahub()),
        ("parley_chat.cdx.json", parley_chat()),
        ("answer_panel.croissant.json", answer_panel()),
    ):
        (folder / name).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    events = "".join(f"{json.dumps(event)}\n" for event in shift_planner())
    (folder / "shift_planner.ndjson").write_text(events, encoding="utf-8")


if __name__ == "__main__":
    main()
