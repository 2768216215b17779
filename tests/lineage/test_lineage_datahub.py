"""Metadata of DataHub gives things and lineage from both of its forms, mixed in one file as they come."""

import json
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_engine.lineage.load import load_estate
from policy_engine.lineage.snapshot import from_bytes, to_bytes
from policy_engine.model.problems import Severity
from tests.lineage.estate_schema import SCHEMA
from tests.lineage.imported import codes, edges, facts, kinds, load, load_sample, std_schema


def hive(name: str) -> str:
    return f"urn:li:dataset:(urn:li:dataPlatform:hive,{name},PROD)"


RAW, CLEAN = hive("db.raw"), hive("db.clean")
MODEL = "urn:li:mlModel:(urn:li:dataPlatform:science,scorer,PROD)"
FEATURE = "urn:li:mlFeature:(loans,income)"
FLOW = "urn:li:dataFlow:(airflow,nightly,PROD)"
JOB = f"urn:li:dataJob:({FLOW},train)"
ADA, TEAM = "urn:li:corpuser:ada", "urn:li:corpGroup:risk"
PEGASUS = "com.linkedin.pegasus2avro"


def mcp(urn: str, name: str, value: object, **parts: object) -> dict[str, Any]:
    wrapped = {"value": json.dumps(value), "contentType": "application/json"}
    head = {"entityType": urn.split(":")[2], "entityUrn": urn, "changeType": "UPSERT", "aspectName": name}
    return head | {"aspect": wrapped} | parts


def mce(snapshot: str, urn: str, *aspects: tuple[str, object]) -> dict[str, Any]:
    inner = {"urn": urn, "aspects": [{f"{PEGASUS}.{name}": value} for name, value in aspects]}
    return {"proposedSnapshot": {f"{PEGASUS}.metadata.snapshot.{snapshot}": inner}, "proposedDelta": None}


UPSTREAM = {"upstreams": [{"dataset": RAW, "type": "TRANSFORMED"}]}


@pytest.mark.parametrize(
    "item",
    [
        mce("DatasetSnapshot", CLEAN, ("dataset.UpstreamLineage", UPSTREAM)),
        mcp(CLEAN, "upstreamLineage", UPSTREAM),
        mcp(CLEAN, "upstreamLineage", None, aspect={"value": UPSTREAM, "contentType": "application/json"}),
        mcp(CLEAN, "upstreamLineage", None, aspect={"json": UPSTREAM}),
        {
            "proposedSnapshot": [
                f"{PEGASUS}.metadata.snapshot.DatasetSnapshot",
                {"urn": CLEAN, "aspects": [[f"{PEGASUS}.dataset.UpstreamLineage", UPSTREAM]]},
            ]
        },
    ],
)
def test_every_wrapping_says_the_same(item: dict[str, Any]) -> None:
    for content in ([item], item):
        estate = load(content)
        assert estate.problems == ()
        assert kinds(estate) == {RAW: "Dataset", CLEAN: "Dataset"}
        assert edges(estate) == {(CLEAN, "derived_from", RAW)}
        assert facts(estate, RAW) == {"name": "db.raw"}
    assert load(json.dumps(item).encode(), "a.jsonl").problems == ()


def test_a_model_is_read_with_its_data_jobs_features_and_deployments() -> None:
    deployment = "urn:li:mlModelDeployment:(urn:li:dataPlatform:sagemaker,scorer-live,PROD)"
    properties = {
        "name": "Scorer", "description": "Scores", "type": "gradient boosting", "version": {"versionTag": "3"},
        "trainingJobs": [JOB], "mlFeatures": [FEATURE], "deployments": [deployment],
        "trainingMetrics": [{"name": "accuracy", "value": "0.91"}, {"name": "auc", "value": "0.95"}],
        "customProperties": {"general_purpose": "false", "colour": "red"},
    }  # fmt: skip
    estate = load(
        [
            mcp(MODEL, "mlModelProperties", properties),
            mcp(MODEL, "mlModelTrainingData", {"trainingData": [{"dataset": CLEAN}]}),
            mcp(MODEL, "mlModelEvaluationData", {"evaluationData": [{"dataset": RAW}]}),
            mcp(MODEL, "intendedUse", {"primaryUses": ["loans"], "outOfScopeUses": ["hiring"]}),
            mcp(MODEL, "mlModelCaveatsAndRecommendations", {"caveats": {"caveatDescription": "drifts"}}),
            mcp(FEATURE, "mlFeatureProperties", {"sources": [CLEAN]}),
            mcp(
                deployment, "mlModelDeploymentProperties", {"createdAt": 1767225600000, "version": {"versionTag": "b"}}
            ),
        ]
    )
    assert kinds(estate)[deployment] == "Deployment"
    assert edges(estate) == {
        (MODEL, "trained_on", CLEAN),
        (MODEL, "tested_on", RAW),
        (MODEL, "trained_on", FEATURE),
        (MODEL, "produced_by", JOB),
        (deployment, "deploys", MODEL),
        (FEATURE, "derived_from", CLEAN),
    }
    assert facts(estate, MODEL) == {
        "name": "Scorer",
        "description": "Scores",
        "architecture": "gradient boosting",
        "version": "3",
        "declared_accuracy": Decimal("0.91"),
        "general_purpose": False,
        "intended_use": "loans",
        "limitations": "out of scope: hiring\ndrifts",
    }
    assert facts(estate, deployment) == {"name": "scorer-live", "started_on": date(2026, 1, 1), "version": "b"}
    assert codes(estate) == ["PE3131"]  # the colour


def test_what_comes_out_of_a_job_is_made_of_what_goes_in() -> None:
    inputs = {"inputDatasets": [RAW], "outputDatasetEdges": [{"destinationUrn": CLEAN}], "inputDatajobs": [JOB + "x"]}
    estate = load([mcp(JOB, "dataJobInfo", {"name": "Train"}), mcp(JOB, "dataJobInputOutput", inputs)])
    assert edges(estate) == {
        (CLEAN, "derived_from", RAW),
        (CLEAN, "produced_by", JOB),
        (JOB, "depends_on", RAW),
        (JOB, "depends_on", JOB + "x"),
        (JOB, "step_of", FLOW),
    }
    assert facts(estate, JOB) == {"name": "Train"}


def test_a_run_is_of_its_job() -> None:
    run = "urn:li:dataProcessInstance:abc"
    estate = load(
        [
            mcp(run, "dataProcessInstanceRelationships", {"parentTemplate": JOB, "upstreamInstances": []}),
            mcp(run, "dataProcessInstanceInput", {"inputs": [RAW]}),
            mcp(run, "dataProcessInstanceOutput", {"outputs": [MODEL]}),
        ]
    )
    assert kinds(estate)[run] == "Run"
    assert edges(estate) == {
        (run, "run_of", JOB), (run, "depends_on", RAW), (MODEL, "produced_by", run), (MODEL, "trained_on", RAW),
    }  # fmt: skip


def test_columns_count_for_their_datasets() -> None:
    column = f"urn:li:schemaField:({RAW},id)"
    fine = {
        "fineGrainedLineages": [{"upstreams": [column, column], "downstreams": [f"urn:li:schemaField:({CLEAN},id)"]}]
    }
    labels = {"globalTags": {"tags": [{"tag": "urn:li:tag:Personal-Data"}, {"tag": "urn:li:tag:indexed"}]}}
    terms = {"glossaryTerms": {"terms": [{"urn": "urn:li:glossaryTerm:Classification.special_category"}]}}
    estate = load(
        [
            mcp(CLEAN, "upstreamLineage", fine),
            mcp(CLEAN, "schemaMetadata", {"fields": [{"fieldPath": "id"} | labels]}),
            mcp(CLEAN, "editableSchemaMetadata", {"editableSchemaFieldInfo": [{"fieldPath": "id"} | terms]}),
        ]
    )
    assert edges(estate) == {(CLEAN, "derived_from", RAW)}
    assert facts(estate, CLEAN) == {"name": "db.clean", "personal_data": True, "special_category": True}
    assert codes(estate) == ["PE3131"]


def test_whoever_owns_is_a_person_or_a_unit_and_whoever_only_reads_is_not() -> None:
    owners = [
        {"owner": ADA, "type": "DATAOWNER"},
        {"owner": TEAM, "type": "TECHNICAL_OWNER"},
        {"owner": "urn:li:corpuser:eve", "type": "CONSUMER"},
    ]
    person = mce(
        "CorpUserSnapshot", ADA, ("identity.CorpUserInfo", {"active": False, "displayName": {"string": "Ada"}})
    )
    idle = mce("CorpUserSnapshot", "urn:li:corpuser:eve", ("identity.CorpUserInfo", {"active": True}))
    for order in (1, -1):
        estate = load([person, mcp(RAW, "ownership", {"owners": owners}), idle][::order])
        assert kinds(estate) == {RAW: "Dataset", ADA: "Person", TEAM: "OrgUnit"}
        assert edges(estate) == {(RAW, "owned_by", ADA), (RAW, "owned_by", TEAM)}
        assert facts(estate, ADA) == {"name": "Ada", "active": False}
        assert [problem.message for problem in estate.problems] == [
            "things of DataHub of the type corpuser are not kept"
        ]


def test_of_an_aspect_told_twice_the_later_counts_and_what_was_deleted_is_gone() -> None:
    described = mcp(RAW, "datasetProperties", {"description": "old"})
    again = mcp(RAW, "datasetProperties", {"description": "new", "name": "Raw"})
    assert facts(load([described, again]), RAW) == {"name": "Raw", "description": "new"}
    gone = mcp(RAW, "datasetProperties", None, changeType="DELETE", aspect=None)
    whole = mcp(RAW, "datasetKey", None, changeType="DELETE", aspect=None)
    kept = mcp(CLEAN, "status", {"removed": True})
    assert kinds(load([described, gone, kept])) == {CLEAN: "Dataset"}
    assert kinds(load([described, whole, kept])) == {CLEAN: "Dataset"}
    assert kinds(load([whole, described])) == {RAW: "Dataset"}
    assert facts(load([kept]), CLEAN)["stage"] == "retired"


def test_the_latest_observation_is_when_it_is_said() -> None:
    def at(milliseconds: object) -> dict[str, Any]:
        return mcp(RAW, "status", {}, systemMetadata={"lastObserved": milliseconds})

    known = load([at(1586847600000), at(0), at(1767225600999), at("x"), at(10**30)]).snapshot.sources[0]
    assert known.asserted_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert load([at(None)]).snapshot.sources[0].asserted_at is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"upstreams": [', "PE3104"),
        ('{"a": NaN}', "PE3106"),
        ('{"a": 1, "a": 2}', "PE3105"),
        ("[" * 500, "PE3103"),
        ("[]", "PE3121"),
    ],
)
def test_json_in_a_text_is_read_as_strictly_as_a_file(text: str, code: str) -> None:
    item = mcp(CLEAN, "upstreamLineage", None, aspect={"value": text, "contentType": "application/json"})
    estate = load([item, mcp(RAW, "status", {})])
    [problem] = estate.problems
    assert (problem.code, problem.severity, problem.pointer) == (code, Severity.WARNING, "/0/aspect/value")
    assert problem.line == 1
    assert RAW in kinds(estate)


def test_templates_and_other_things_are_told() -> None:
    items = [mcp("urn:li:chart:(looker,1)", "chartInfo", {}), mcp("urn:li:chart:(looker,2)", "chartInfo", {}), {"x": 1}]
    items.append(mcp(CLEAN, "upstreamLineage", {"upstreams": [{"dataset": "{{ upstream }}"}]}))
    estate = load(items)
    assert kinds(estate) == {CLEAN: "Dataset"}
    assert codes(estate) == ["PE3121", "PE3131", "PE3163"]
    assert "chart are not kept (2 times)" in str(estate.problems)


def test_a_job_with_very_many_pairs_is_a_way_through_the_job() -> None:
    told = {"inputDatasets": [hive(f"i{n}") for n in range(500)], "outputDatasets": [hive(f"o{n}") for n in range(500)]}
    estate = load([mcp(JOB, "dataJobInputOutput", told)])
    assert codes(estate) == ["PE3164"]
    assert Counter(edge.type for edge in estate.snapshot.edges) == {"depends_on": 500, "produced_by": 500}


def test_a_schema_without_places_keeps_what_it_can() -> None:
    estate = load([mcp(CLEAN, "upstreamLineage", UPSTREAM), mcp(FEATURE, "mlFeatureProperties", {})], schema=SCHEMA)
    assert edges(estate) == {(CLEAN, "derived_from", RAW)}
    assert codes(estate) == ["PE3131"]


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from([RAW, MODEL, JOB, ADA, FEATURE]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_ASPECTS = ["upstreamLineage", "mlModelProperties", "mlModelTrainingData", "ownership", "status", "globalTags",
            "schemaMetadata", "dataJobInputOutput", "dataJobInfo", "intendedUse", "corpUserInfo",
            "mlFeatureProperties", "dataProcessInstanceRelationships", "mlModelDeploymentProperties"]  # fmt: skip
_KEYS = ["upstreams", "dataset", "owners", "owner", "tags", "tag", "fields", "inputDatasets", "outputDatasets",
         "version", "trainingData", "customProperties", "mlFeatures", "sources", "string", "array", "createdAt",
         "removed", "primaryUses", "fineGrainedLineages", "parentTemplate", "flowUrn"]  # fmt: skip
_value = (
    st.dictionaries(st.sampled_from(_KEYS), _json | st.dictionaries(st.sampled_from(_KEYS), _json), max_size=4) | _json
)
_urns = st.sampled_from([RAW, MODEL, JOB, ADA, FEATURE, FLOW, "urn:li", "x", "urn:li:mlModelDeployment:d", ""])


@given(st.lists(st.tuples(_urns, st.sampled_from(_ASPECTS), _value), max_size=3), _json)
def test_no_file_makes_importing_fail(told: list[tuple[str, str, object]], other: object) -> None:
    items: list[object] = [
        {"entityType": "x", "entityUrn": urn, "aspectName": name, "aspect": {"value": value}}
        for urn, name, value in told
    ]
    items += [
        {"proposedSnapshot": other},
        {"proposedSnapshot": {"a.b.C": {"urn": RAW, "aspects": [other, {"a.b": other}]}}},
    ]
    estate = load_estate({"a.json": json.dumps(items).encode()}, std_schema())
    assert all(problem.severity is Severity.WARNING for problem in estate.problems)
    assert from_bytes(to_bytes(estate.snapshot), std_schema()) == estate.snapshot


SAMPLES: dict[str, tuple[dict[str, int], dict[str, int], set[str]]] = {
    "metadata-ingestion__examples__mce_files__bootstrap_mce.json": (
        {"Person": 2, "Pipeline": 3, "Dataset": 14, "Feature": 27, "Model": 1},
        {
            "depends_on": 3, "derived_from": 61, "owned_by": 19, "produced_by": 2, "step_of": 2, "tested_on": 1,
            "trained_on": 1,
        },
        {"PE3105", "PE3131"},
    ),
    "metadata-ingestion__examples__mce_files__mce_list.json": ({}, {}, {"PE3131"}),
    "metadata-ingestion__examples__mce_files__test_containers.json": ({"Dataset": 3}, {}, {"PE3131"}),
    "metadata-ingestion__tests__integration__feast__feast_repository_mces_golden.json": (
        {"Dataset": 4, "Feature": 7},
        {"derived_from": 16},
        set(),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_gives_its_things(name: str) -> None:
    estate = load_sample(f"datahub/{name}")
    found_edges = Counter(edge.type for edge in estate.snapshot.edges)
    assert (Counter(kinds(estate).values()), found_edges, set(codes(estate))) == SAMPLES[name]
    assert all(problem.severity is Severity.WARNING and problem.line for problem in estate.problems)


def test_the_sample_model_trains_and_is_tested_on_one_dataset() -> None:
    estate = load_sample("datahub/metadata-ingestion__examples__mce_files__bootstrap_mce.json")
    model = "urn:li:mlModel:(urn:li:dataPlatform:science,scienceModel,PROD)"
    assert estate.snapshot.targets(model, "trained_on") == estate.snapshot.targets(model, "tested_on")
    assert estate.snapshot.value(model, "limitations") == "out of scope: Production Deployment"
    assert estate.snapshot.value("urn:li:corpuser:jdoe", "name") == "John Doe"


def test_another_file_of_datahub_is_not_known() -> None:
    assert codes(load_sample("datahub/metadata-ingestion__examples__bootstrap_data__business_glossary.yml")) == [
        "PE3111"
    ]
