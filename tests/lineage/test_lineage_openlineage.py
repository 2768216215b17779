"""Events of OpenLineage give what went in, what came out and who says so, whatever order and shape they come in."""

import json
import random
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_engine.lineage.importers.flows import MAX_PAIRS
from policy_engine.lineage.importers.openlineage import node_id
from policy_engine.lineage.snapshot import from_bytes, to_bytes
from policy_engine.model.problems import Severity
from tests.lineage.estate_schema import SCHEMA
from tests.lineage.imported import codes, edges, facts, kinds, load, load_sample, std_schema

RAW = "openlineage:dataset:s3://lake#raw"
CLEAN = "openlineage:dataset:s3://lake#clean"
MODEL = "openlineage:dataset:s3://models#scorer"
JOB = "openlineage:job:airflow#prepare"
RUN = "openlineage:run:r1"


def dataset(name: str, namespace: str = "s3://lake", **facets: object) -> dict[str, Any]:
    return {"namespace": namespace, "name": name, "facets": facets}


def event(kind: str | None = "COMPLETE", at: str = "2026-05-01T10:00:00Z", **parts: Any) -> dict[str, Any]:
    head = {
        "eventTime": at,
        "eventType": kind,
        "producer": "https://example.com/airflow",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json",
        "run": {"runId": "r1"},
        "job": {"namespace": "airflow", "name": "prepare"},
    }
    return {key: value for key, value in (head | parts).items() if value is not None}


def test_a_run_says_what_comes_from_what() -> None:
    estate = load(event(inputs=[dataset("raw")], outputs=[dataset("clean")]))
    assert estate.problems == ()
    assert kinds(estate) == {RAW: "Dataset", CLEAN: "Dataset", JOB: "Pipeline", RUN: "Run"}
    assert edges(estate) == {
        (CLEAN, "derived_from", RAW),
        (CLEAN, "produced_by", JOB),
        (CLEAN, "produced_by", RUN),
        (RUN, "depends_on", RAW),
        (RUN, "run_of", JOB),
    }
    assert estate.snapshot.nodes[RAW].aliases == ("s3://lake/raw",)
    [source] = estate.snapshot.sources
    assert (source.format, source.asserted_by) == ("openlineage", "https://example.com/airflow")
    assert source.asserted_at == datetime(2026, 5, 1, 10, tzinfo=UTC)


def test_inputs_and_outputs_are_put_together_over_all_events_of_a_run() -> None:
    events = [
        event("START", inputs=[dataset("raw")], outputs=None),
        event("RUNNING", "2026-05-01T10:01:00Z", inputs=[dataset("more")]),
        event("COMPLETE", "2026-05-01T10:02:00Z", outputs=[dataset("clean")]),
        event("START", "2026-05-01T10:03:00Z", run={"runId": "r2"}, inputs=[dataset("other")]),
    ]
    more, other = (f"openlineage:dataset:s3://lake#{name}" for name in ("more", "other"))
    expected = {(CLEAN, "derived_from", RAW), (CLEAN, "derived_from", more)}
    random.Random(1).shuffle(events)
    text = "\n".join(json.dumps(each) for each in events)
    for file, data in (("a.json", json.dumps(events)), ("a.ndjson", text), ("events.json", text)):
        estate = load(data.encode(), file)
        assert estate.problems == ()
        assert {edge for edge in edges(estate) if edge[1] == "derived_from"} == expected
        assert kinds(estate)[other] == "Dataset"
        assert facts(estate, RUN)["outcome"] == "complete"
        assert facts(estate, RUN)["started_at"] == datetime(2026, 5, 1, 10, tzinfo=UTC)
        assert facts(estate, RUN)["ended_at"] == datetime(2026, 5, 1, 10, 2, tzinfo=UTC)


def test_a_model_is_trained_on_data_and_fine_tuned_from_models() -> None:
    model = dataset("scorer", "s3://models", datasetType={"datasetType": "MODEL"})
    base = dataset("base", "s3://models", datasetType={"datasetType": "model"})
    training = event(inputs=[dataset("raw"), base], outputs=[model])
    scoring = event(run={"runId": "r2"}, inputs=[model, dataset("raw")], outputs=[dataset("scores")])
    estate = load([training, scoring])
    assert kinds(estate)[MODEL] == "Model"
    base_id, scores = "openlineage:dataset:s3://models#base", "openlineage:dataset:s3://lake#scores"
    assert {
        edge for edge in edges(estate) if edge[1] not in ("produced_by", "run_of") and edge[0][:15] != RUN[:15]
    } == {
        (MODEL, "trained_on", RAW),
        (MODEL, "finetuned_from", base_id),
        (scores, "depends_on", MODEL),
        (scores, "derived_from", RAW),
    }


def test_a_later_facet_takes_the_place_of_an_earlier_one_and_can_be_taken_away() -> None:
    facets = [
        {"version": {"datasetVersion": "1"}, "documentation": {"description": "old"}},
        {"version": {"datasetVersion": "2"}, "ownership": {"owners": [{"name": "team:b"}, {"name": "team:a"}]}},
        {"documentation": {"_deleted": True}},
    ]
    events = [
        {"eventTime": f"2026-05-01T10:00:00.{fraction}Z", "producer": "p", "dataset": dataset("raw", **each)}
        for each, fraction in zip(facets, ("5", "55", "6"), strict=True)
    ]
    estate = load(events[::-1])  # the times decide, not the order in the file
    assert facts(estate, RAW) == {"name": "raw", "version": "2", "owner": "team:a, team:b"}


def test_what_was_dropped_is_retired_and_what_was_made_again_is_not() -> None:
    def change(word: str, at: str) -> dict[str, Any]:
        facet = {"lifecycleStateChange": {"lifecycleStateChange": word}}
        return {"eventTime": at, "producer": "p", "dataset": dataset("raw", **facet)}

    drop, create = change("DROP", "2026-05-01T10:00:00Z"), change("CREATE", "2026-05-02T10:00:00Z")
    assert facts(load(drop), RAW)["stage"] == "retired"
    assert "stage" not in facts(load([create, drop]), RAW)


def test_what_was_renamed_comes_from_what_it_was() -> None:
    facet = {"lifecycleStateChange": "RENAME", "previousIdentifier": {"namespace": "s3://lake", "name": "clean"}}
    changed = {"eventTime": "2026-05-01T10:00:00Z", "dataset": dataset("raw", lifecycleStateChange=facet)}
    assert edges(load(changed)) == {(RAW, "derived_from", CLEAN)}


def test_symlinks_are_other_names_of_one_dataset() -> None:
    link = {"identifiers": [{"namespace": "hive://meta", "name": "db.raw", "type": "TABLE"}]}
    table = dataset("db.raw", "hive://meta", version={"datasetVersion": "7"})
    estate = load([event(inputs=[dataset("raw", symlinks=link)]), event(inputs=[table], outputs=[dataset("clean")])])
    assert estate.problems == ()
    [merged] = [node for node in estate.snapshot.nodes.values() if node.kind == "Dataset" and node.id != CLEAN]
    assert {merged.id, *merged.aliases} == {
        RAW, "openlineage:dataset:hive://meta#db.raw", "s3://lake/raw", "hive://meta/db.raw",
    }  # fmt: skip
    assert (CLEAN, "derived_from", merged.id) in edges(estate)
    assert estate.snapshot.value(merged.id, "version") == "7"


def test_one_address_is_one_dataset_with_and_without_a_slash() -> None:
    estate = load([event(inputs=[dataset("/raw")]), event(run={"runId": "r2"}, inputs=[dataset("raw")])])
    assert estate.problems == ()
    [node] = [node for node in estate.snapshot.nodes.values() if node.kind == "Dataset"]
    assert {node.id, *node.aliases} == {"openlineage:dataset:s3://lake#/raw", RAW, "s3://lake/raw"}
    local = load(event(inputs=[dataset("/raw", "file"), dataset("raw", "file")]))
    assert Counter(kinds(local).values())["Dataset"] == 2


def test_a_chain_of_symlinks_is_one_dataset_in_time_that_grows_with_it() -> None:
    inputs = [
        dataset(f"d{n}", symlinks={"identifiers": [{"namespace": "s3://lake", "name": f"d{n + 1}", "type": "TABLE"}]})
        for n in range(5_000)
    ]
    started = time.process_time()
    estate = load(event(inputs=inputs))
    assert Counter(kinds(estate).values()) == {"Dataset": 1, "Pipeline": 1, "Run": 1}
    assert time.process_time() - started < 10


def test_the_parent_of_a_run_is_what_it_and_its_job_are_steps_of() -> None:
    parent = {"run": {"runId": "dag-run"}, "job": {"namespace": "airflow", "name": "dag"}}
    estate = load(event(run={"runId": "r1", "facets": {"parent": parent}}))
    dag, dag_run = "openlineage:job:airflow#dag", "openlineage:run:dag-run"
    assert edges(estate) == {
        (RUN, "run_of", JOB),
        (RUN, "step_of", dag_run),
        (JOB, "step_of", dag),
        (dag_run, "run_of", dag),
    }


def test_column_lineage_counts_for_the_datasets() -> None:
    fields = {"id": {"inputFields": [{"namespace": "s3://lake", "name": "raw", "field": "id"}]}}
    whole = [{"namespace": "s3://lake", "name": "filter", "field": "x"}]
    out = dataset("clean", columnLineage={"fields": fields, "dataset": whole})
    estate = load({"eventTime": "2026-05-01T10:00:00Z", "dataset": out})
    assert edges(estate) == {
        (CLEAN, "derived_from", RAW),
        (CLEAN, "derived_from", "openlineage:dataset:s3://lake#filter"),
    }


def test_the_lineage_facet_is_read_on_jobs_and_datasets() -> None:
    raw, clean = (
        {"namespace": "s3://lake", "name": "raw", "type": "DATASET"},
        {"namespace": "s3://lake", "name": "clean"},
    )
    other = {"namespace": "airflow", "name": "extract", "type": "JOB"}
    entries = [
        {**clean, "type": "DATASET", "inputs": [raw, other], "fields": {"a": {"inputs": [{"type": "JOB"}]}}},
        {"type": "JOB", "namespace": "airflow", "name": "prepare", "inputs": [other]},
        {"type": "DATASET", "inputs": [raw]},  # names nothing
    ]
    job = {"namespace": "airflow", "name": "prepare", "facets": {"lineage": {"entries": entries}}}
    extract = "openlineage:job:airflow#extract"
    expected = {
        (CLEAN, "derived_from", RAW),
        (CLEAN, "produced_by", extract),
        (CLEAN, "produced_by", JOB),
        (JOB, "depends_on", extract),
    }
    assert edges(load(event(None, run=None, job=job))) == expected
    on_dataset = dataset("clean", lineage={"inputs": [raw], "fields": {"a": {"inputs": [raw]}}})
    assert edges(load({"eventTime": "2026-05-01T10:00:00Z", "dataset": on_dataset})) == {(CLEAN, "derived_from", RAW)}


def test_tags_that_name_attributes_become_them() -> None:
    tags = [
        {"key": "personal_data", "value": "true"},
        {"key": "Special-Category", "value": "true", "field": "religion"},
        {"key": "anonymised", "value": "false", "field": "id"},  # of one column: it says nothing of the whole
        {"key": "name", "value": "another"},
        {"key": "cost-centre", "value": "12"},
    ]
    estate = load({"eventTime": "2026-05-01T10:00:00Z", "dataset": dataset("raw", tags={"tags": tags})})
    assert facts(estate, RAW) == {"name": "raw", "personal_data": True, "special_category": True}
    [problem] = estate.problems
    assert (problem.code, problem.message) == (
        "PE3131",
        "labels that are no attribute of Dataset are not kept (2 times)",
    )


def test_checks_of_quality_are_counted() -> None:
    checks = {"assertions": [{"assertion": "not_null", "success": True}, {"assertion": "unique", "success": False}]}
    entry = dataset("raw") | {"inputFacets": {"dataQualityAssertions": checks}}
    estate = load(event(inputs=[entry]))
    assert facts(estate, RAW) == {"name": "raw", "checks_run": 2, "checks_failed": 1}


def test_the_code_of_a_job_is_kept() -> None:
    location = {"type": "git", "url": "https://example.com/repo/prepare.py", "version": "abc"}
    job = {"namespace": "airflow", "name": "prepare", "facets": {"sourceCodeLocation": location}}
    assert facts(load(event(job=job)), JOB) == {
        "name": "prepare",
        "code": "https://example.com/repo/prepare.py",
        "version": "abc",
    }


@pytest.mark.parametrize(
    ("at", "known"),
    [
        ("2020-12-28T19:51:01.641123456Z", datetime(2020, 12, 28, 19, 51, 1, tzinfo=UTC)),
        ("2020-12-28T19:52:00.001+10:00", datetime(2020, 12, 28, 9, 52, tzinfo=UTC)),
        ("2020-12-28T19:51:01", None),
        ("soon", None),
        (1609185061, None),
        (None, None),
    ],
)
def test_an_event_time_is_an_instant_or_missing(at: object, known: datetime | None) -> None:
    estate = load([event(at=at, outputs=[dataset("raw")])])  # type: ignore[arg-type]
    assert estate.snapshot.sources[0].asserted_at == known
    assert codes(estate) == ([] if known else ["PE3121"])
    assert (RAW, "produced_by", JOB) in edges(estate)
    assert facts(estate, RUN).get("ended_at") == known


def test_a_template_that_was_not_filled_in_is_a_missing_value() -> None:
    run = {"runId": "{{ any(result) }}", "facets": {"parent": {"job": {"namespace": "airflow", "name": "dag"}}}}
    estate = load(
        event(
            run=run,
            producer="${json-unit.any-string}",
            inputs=[dataset("raw"), dataset("${TABLE}"), dataset("x", "{{ namespace }}")],
            outputs=[dataset("clean", documentation={"description": "of {{ date }}"})],
        )
    )
    assert kinds(estate) == {
        RAW: "Dataset",
        CLEAN: "Dataset",
        JOB: "Pipeline",
        "openlineage:job:airflow#dag": "Pipeline",
    }
    assert edges(estate) == {
        (CLEAN, "derived_from", RAW),
        (CLEAN, "produced_by", JOB),
        (JOB, "depends_on", RAW),
        (JOB, "step_of", "openlineage:job:airflow#dag"),
    }
    assert estate.snapshot.sources[0].asserted_by == "a.json"
    assert codes(estate) == ["PE3120", "PE3163"]
    assert "(2 times)" in str(estate.problems)


def test_a_run_with_very_many_pairs_is_a_way_through_the_run() -> None:
    inputs, outputs = ([dataset(f"{side}{n}") for n in range(2_000)] for side in "io")
    estate = load(event(inputs=inputs, outputs=outputs))
    assert codes(estate) == ["PE3164"]
    assert MAX_PAIRS < 2_000 * 2_000
    assert Counter(edge.type for edge in estate.snapshot.edges) == {
        "depends_on": 2_000, "produced_by": 4_000, "run_of": 1,
    }  # fmt: skip


def test_twenty_thousand_events_take_seconds() -> None:
    lines = [
        json.dumps(
            event(
                "COMPLETE" if n % 2 else "START",
                run={"runId": f"r{n // 2}"},
                job={"namespace": "airflow", "name": f"j{n // 2 % 100}"},
                inputs=[dataset(f"i{n % 700}")],
                outputs=[dataset(f"o{n // 2 % 100}")],
            )
        )
        for n in range(20_000)
    ]
    started = time.process_time()
    estate = load("\n".join(lines).encode(), "events.jsonl")
    assert time.process_time() - started < 20
    assert estate.problems == ()
    assert Counter(kinds(estate).values())["Run"] == 10_000


@pytest.mark.parametrize("value", [None, 1, "x", [], {}, [None], [1], [{}], {"x": 1}, [[]], True])
@pytest.mark.parametrize("key", ["run", "job", "inputs", "outputs", "eventType", "eventTime", "producer", "dataset"])
def test_a_part_of_another_shape_is_a_warning(key: str, value: object) -> None:
    estate = load([event(inputs=[dataset("raw")]), {**event(inputs=[dataset("clean")]), key: value}])
    assert RAW in estate.snapshot.nodes
    assert all(problem.severity is Severity.WARNING for problem in estate.problems)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_FACETS = ["documentation", "ownership", "tags", "version", "columnLineage", "lineage", "symlinks", "datasetType",
           "lifecycleStateChange", "dataQualityAssertions", "parent", "sourceCodeLocation"]  # fmt: skip
_INNER = ["fields", "entries", "inputs", "dataset", "identifiers", "owners", "tags", "job", "run", "assertions",
          "previousIdentifier", "lifecycleStateChange", "description", "namespace", "name", "type"]  # fmt: skip


@given(st.sampled_from(_FACETS), st.dictionaries(st.sampled_from(_INNER), _json, max_size=4) | _json)
def test_no_facet_makes_importing_fail(name: str, facet: object) -> None:
    whole = event(
        run={"runId": "r1", "facets": {name: facet}},
        job={"namespace": "a", "name": "b", "facets": {name: facet}},
        outputs=[dataset("raw", **{name: facet})],
    )
    estate = load(whole)
    assert all(problem.severity is Severity.WARNING for problem in estate.problems)
    assert from_bytes(to_bytes(estate.snapshot), std_schema()) == estate.snapshot


def test_no_two_datasets_share_an_id() -> None:
    keys = [("a#b", "c"), ("a", "b#c"), ("a%23b", "c"), ("a", "b%23c"), ("a/b", "c"), ("a", "b/c")]
    assert len({node_id("dataset", key) for key in keys}) == len(keys)
    assert node_id("dataset", ("a", "b")) != node_id("job", ("a", "b"))


def test_what_the_schema_has_no_place_for_is_told_once_for_each_kind() -> None:
    events = [event(run={"runId": f"r{n}"}, outputs=[dataset(f"o{n}")]) for n in range(50)]
    estate = load(events, schema=SCHEMA)
    assert set(kinds(estate).values()) == {"Dataset"}
    assert sorted(problem.message for problem in estate.problems) == [
        "things that would be of kind Pipeline are not kept: the schema has no such kind",
        "things that would be of kind Run are not kept: the schema has no such kind (50 times)",
    ]


@pytest.mark.parametrize(
    "content",
    [{"datasetType": {"datasetType": "VIEW"}}, {"lineage": {"inputs": []}}, [], [1], {"eventTime": "x", "job": "y"}],
)
def test_a_facet_alone_is_no_event(content: object) -> None:
    assert codes(load(content)) == ["PE3111"]


# Kinds, edges and codes of the problems of the samples that are events.
SAMPLES: dict[str, tuple[dict[str, int], dict[str, int], list[str]]] = {
    "api__src__test__resources__open_lineage__event_additional_facet.json": (
        {"Dataset": 1, "Pipeline": 1, "Run": 2},
        {"depends_on": 1, "produced_by": 2, "run_of": 2, "step_of": 1},
        [],
    ),
    "api__src__test__resources__open_lineage__event_full.json": (
        {"Dataset": 1, "Pipeline": 1, "Run": 2},
        {"depends_on": 1, "produced_by": 2, "run_of": 2, "step_of": 1},
        [],
    ),
    "api__src__test__resources__open_lineage__event_large.json": (
        {"Dataset": 1, "Pipeline": 1, "Run": 2},
        {"depends_on": 1, "produced_by": 2, "run_of": 2, "step_of": 1},
        [],
    ),
    "api__src__test__resources__open_lineage__event_required_nanoseconds.json": (
        {"Pipeline": 1, "Run": 1},
        {"run_of": 1},
        [],
    ),
    "api__src__test__resources__open_lineage__event_required_only.json": ({"Pipeline": 1, "Run": 1}, {"run_of": 1}, []),
    "api__src__test__resources__open_lineage__event_unicode.json": (
        {"Dataset": 3, "Pipeline": 1, "Run": 1},
        {"depends_on": 2, "derived_from": 2, "produced_by": 2, "run_of": 1},
        [],
    ),
    "api__src__test__resources__open_lineage__null_nominal_end_time.json": (
        {"Dataset": 2, "Pipeline": 1, "Run": 1},
        {"depends_on": 1, "derived_from": 1, "produced_by": 2, "run_of": 1},
        [],
    ),
    "client__python__tests__serde_example_dataset_event.json": ({"Dataset": 1}, {}, ["PE3121"]),
    "client__python__tests__serde_example_run_event.json": ({"Pipeline": 1, "Run": 1}, {"run_of": 1}, ["PE3121"]),
    "integration__common__tests__dbt__structured_logs__postgres__run__results__failed_run_ol_events.json": (
        {"Dataset": 3, "Pipeline": 4},
        {"depends_on": 2, "derived_from": 2, "produced_by": 1, "step_of": 3},
        ["PE3163"],
    ),
    "integration__spark__app__integrations__container__pysparkCTASEnd.json": (
        {"Dataset": 2},
        {"derived_from": 1},
        ["PE3120", "PE3121"],
    ),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_gives_its_things(name: str) -> None:
    estate = load_sample(f"openlineage/{name}")
    found_kinds = Counter(kinds(estate).values())
    found_edges = Counter(edge.type for edge in estate.snapshot.edges)
    assert (found_kinds, found_edges, codes(estate)) == SAMPLES[name]
    assert all(problem.severity is Severity.WARNING for problem in estate.problems)
    assert from_bytes(to_bytes(estate.snapshot), std_schema()) == estate.snapshot


def test_the_fragments_among_the_samples_are_no_events() -> None:
    assert codes(load_sample("openlineage/spec__tests__ParentRunFacet__2.json")) == ["PE3111"]
    assert codes(load_sample("openlineage/spec__tests__LineageFacet__mixed-sources.json")) == ["PE3111"]
