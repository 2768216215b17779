"""Manifests of dbt give what data is made of what, and which AI systems feed on it."""

import json
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_engine.lineage.load import load_estate
from policy_engine.lineage.snapshot import from_bytes, to_bytes
from policy_engine.model.problems import Severity
from tests.lineage.estate_schema import SCHEMA
from tests.lineage.imported import codes, edges, facts, kinds, load, load_sample, std_schema

RAW, LOANS, SCORES = "dbt:source.bank.crm.raw", "dbt:model.bank.loans", "dbt:model.bank.scores.v2"


def manifest(version: int = 12, **parts: object) -> dict[str, Any]:
    metadata = {
        "dbt_schema_version": f"https://schemas.getdbt.com/dbt/manifest/v{version}.json",
        "dbt_version": "1.8.2",
        "project_name": "bank",
        "adapter_type": "snowflake",
        "generated_at": "2026-05-01T10:00:00.123456Z",
    }
    return {"metadata": metadata, "nodes": {}, "sources": {}} | parts


def node(name: str, *depends: str, kind: str = "model", **parts: object) -> dict[str, Any]:
    return {"name": name, "resource_type": kind, "depends_on": {"nodes": list(depends)}} | parts


BANK = manifest(
    sources={
        "source.bank.crm.raw": {"name": "raw", "resource_type": "source", "relation_name": '"CRM"."public"."raw"'},
    },
    nodes={
        "model.bank.loans": node(
            "loans", "source.bank.crm.raw", relation_name="DWH.MART.loans", description="All loans", group="risk",
            package_name="bank", config={"meta": {"personal_data": True, "tier": 1}}, tags=["nightly"],
        ),
        "model.bank.scores.v2": node("scores", "model.bank.loans", "seed.bank.codes", version=2),
        "seed.bank.codes": node("codes", kind="seed"),
        "test.bank.unique_loans": node("unique_loans", "model.bank.loans", kind="test"),
        "test.bank.unique_codes": node("unique_codes", "seed.bank.codes", kind="test"),
    },
    groups={"group.bank.risk": {"owner": {"name": "Risk data", "email": "risk@example.com"}}},
    exposures={
        "exposure.bank.scoring": {
            "name": "scoring", "label": "Credit scoring", "type": "ml", "url": "https://ai.example.com/scoring",
            "owner": {"email": ["ada@example.com", "bob@example.com"]}, "description": "Scores applicants",
            "meta": {"annex_iii": "5(b)", "stage": "production"}, "depends_on": {"nodes": ["model.bank.scores.v2"]},
        },
        "exposure.bank.board": {"name": "board", "type": "dashboard", "depends_on": {"nodes": ["model.bank.loans"]}},
    },
)  # fmt: skip


def test_data_is_derived_from_data_and_ai_feeds_on_it() -> None:
    estate = load(BANK)
    system = "dbt:exposure.bank.scoring"
    assert kinds(estate) == {
        RAW: "Dataset", LOANS: "Dataset", SCORES: "Dataset", "dbt:seed.bank.codes": "Dataset", system: "System",
    }  # fmt: skip
    assert edges(estate) == {
        (LOANS, "derived_from", RAW),
        (SCORES, "derived_from", LOANS),
        (SCORES, "derived_from", "dbt:seed.bank.codes"),
        (system, "feeds_on", SCORES),
    }
    assert facts(estate, LOANS) == {
        "name": "loans", "description": "All loans", "owner": "Risk data", "personal_data": True,
    }  # fmt: skip
    assert facts(estate, SCORES) == {"name": "scores", "version": "2"}
    assert facts(estate, system) == {
        "name": "Credit scoring",
        "description": "Scores applicants",
        "owner": "ada@example.com, bob@example.com",
        "annex_iii": "5(b)",
        "stage": "production",
    }
    assert estate.snapshot.nodes[RAW].aliases == ("snowflake:CRM.public.raw",)
    assert estate.snapshot.nodes[system].aliases == ("https://ai.example.com/scoring",)
    [source] = estate.snapshot.sources
    assert (source.format, source.asserted_by) == ("dbt", "bank (dbt 1.8.2)")
    assert source.asserted_at == datetime(2026, 5, 1, 10, tzinfo=UTC)


def test_what_is_not_kept_is_told_once_for_each_kind() -> None:
    assert sorted(problem.message for problem in load(BANK).problems) == [
        "exposures of the type dashboard are not kept",
        "labels that are no attribute of Dataset are not kept (2 times)",
        "things of dbt of the type test are not kept (2 times)",
    ]


@pytest.mark.parametrize(
    ("written", "adapter", "alias"),
    [
        ('"a"."b"."c"', "postgres", "postgres:a.b.c"),
        ("`a-b`.`c`.`d.e`", "bigquery", "bigquery:a-b.c.d.e"),
        ("[a].[b].[c d]", "sqlserver", "sqlserver:a.b.c d"),
        ('A.B."x""y"', "snowflake", 'snowflake:A.B.x"y'),
        ("default.orders", "spark", None),  # of which there is one in every cluster
        (None, "spark", None),
        ('"a"."b"."c"', None, None),
    ],
)
def test_the_name_in_the_warehouse_is_an_alias(written: object, adapter: object, alias: str | None) -> None:
    content = manifest(nodes={"model.bank.loans": node("loans", relation_name=written)})
    content["metadata"]["adapter_type"] = adapter
    assert load(content).snapshot.nodes[LOANS].aliases == ((alias,) if alias else ())


def test_meta_and_tags_that_name_attributes_become_them_from_wherever_dbt_lets_them_stand() -> None:
    columns = {
        "iban": {"meta": {"special-category": "false"}, "tags": ["Personal Data"]},
        "faith": {"config": {"meta": {"special_category": True}}},
    }
    entry = node("loans", config={"meta": {"owner": "@ada"}, "tags": "anonymised"}, columns=columns)
    entry |= {"meta": {"owner": "@bob", "intended_use": "retail customers"}, "group": "x"}
    estate = load(manifest(nodes={"model.bank.loans": entry}))
    assert facts(estate, LOANS) == {
        "name": "loans", "owner": "@ada", "anonymised": True, "personal_data": True, "special_category": True,
        "intended_use": "retail customers",
    }  # fmt: skip
    assert estate.problems == ()


def test_an_owner_may_be_written_as_a_mapping() -> None:
    entry = node("loans", meta={"owner": {"name": "Ada", "email": "ada@example.com"}})
    assert facts(load(manifest(nodes={"model.bank.loans": entry})), LOANS)["owner"] == "Ada"


def test_a_reference_to_nothing_is_kept_as_an_unknown_dataset() -> None:
    estate = load(
        manifest(nodes={key: node("x", "model.bank.gone", "macro.bank.m") for key in ("model.bank.a", "model.bank.b")})
    )
    assert codes(estate) == ["PE3130"]
    assert edges(estate) == {
        (f"dbt:model.bank.{name}", "derived_from", "dbt:model.bank.gone") for name in ("a", "b")
    }  # fmt: skip
    assert codes(load(manifest(nodes={"model.bank.loans": node("loans", group="gone")}))) == ["PE3130"]


def test_metrics_and_semantic_models_lead_from_ai_to_data() -> None:
    content = manifest(
        nodes={"model.bank.loans": node("loans")},
        semantic_models={"semantic_model.bank.loans": node("loans", "model.bank.loans", kind="semantic_model")},
        metrics={"metric.bank.volume": node("volume", "semantic_model.bank.loans", kind="metric")},
        exposures={"exposure.bank.x": {"name": "x", "type": "ml", "depends_on": {"nodes": ["metric.bank.volume"]}}},
    )
    assert edges(load(content)) == {
        ("dbt:exposure.bank.x", "feeds_on", "dbt:metric.bank.volume"),
        ("dbt:metric.bank.volume", "derived_from", "dbt:semantic_model.bank.loans"),
        ("dbt:semantic_model.bank.loans", "derived_from", LOANS),
    }


def test_an_older_manifest_lacks_parts_and_says_its_parents_elsewhere() -> None:
    content = manifest(2, nodes={"model.bank.a": {"name": "a"}, "model.bank.b": {"name": "b"}})
    del content["sources"]
    content["parent_map"] = {"model.bank.b": ["model.bank.a"], "test.bank.t": ["model.bank.b"]}
    estate = load(content)
    assert edges(estate) == {("dbt:model.bank.b", "derived_from", "dbt:model.bank.a")}
    assert estate.problems == ()


@pytest.mark.parametrize("version", [1, 13, 99])
def test_an_unknown_version_is_told_and_read(version: int) -> None:
    estate = load(manifest(version, nodes={"model.bank.loans": node("loans")}))
    assert codes(estate) == ["PE3123"]
    assert LOANS in kinds(estate)


@pytest.mark.parametrize("artefact", ["run-results/v6", "catalog/v1", "sources/v3"])
def test_another_artefact_of_dbt_is_no_manifest(artefact: str) -> None:
    metadata = {"dbt_schema_version": f"https://schemas.getdbt.com/dbt/{artefact}.json"}
    assert codes(load({"metadata": metadata, "nodes": {}})) == ["PE3111"]


def test_a_template_is_a_missing_value() -> None:
    estate = load(manifest(nodes={"model.bank.loans": node("loans", description="{{ doc('loans') }}")}))
    assert facts(estate, LOANS) == {"name": "loans"}
    assert codes(estate) == ["PE3163"]


def test_a_large_project_takes_seconds() -> None:
    nodes = {
        f"model.bank.m{n}": node(f"m{n}", *(f"model.bank.m{n // k}" for k in (2, 3) if n), config={"meta": {"x": 1}})
        for n in range(6_000)
    }
    started = time.perf_counter()
    estate = load(manifest(nodes=nodes))
    assert time.perf_counter() - started < 20
    assert len(kinds(estate)) == 6_000


def test_a_schema_without_places_keeps_what_it_can() -> None:
    estate = load(BANK, schema=SCHEMA)
    assert Counter(kinds(estate).values()) == {"Dataset": 4, "System": 1}
    assert "`feeds_on` is not kept: the schema has no such edge from System to Dataset" in {
        problem.message for problem in estate.problems
    }


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_KEYS = ["name", "resource_type", "depends_on", "nodes", "meta", "tags", "config", "columns", "owner", "group", "email",
         "description", "relation_name", "version", "type", "url", "label"]  # fmt: skip
_entry = st.dictionaries(st.sampled_from(_KEYS), _json | st.dictionaries(st.sampled_from(_KEYS), _json), max_size=6)


@given(_entry | _json, _entry | _json, _json)
def test_no_manifest_makes_importing_fail(entry: object, exposure: object, other: object) -> None:
    exposures = {"exposure.a.b": exposure | {"type": "ml"} if isinstance(exposure, dict) else exposure}
    whole = manifest(
        nodes={"model.a.b": entry, "model.a.c": other}, exposures=exposures, groups=other, parent_map=other
    )
    for each in (whole, whole | {"nodes": other}, whole | {"metadata": whole["metadata"] | {"adapter_type": other}}):
        estate = load_estate({"a.json": json.dumps(each).encode()}, std_schema())
        assert all(problem.severity is Severity.WARNING for problem in estate.problems)
        assert from_bytes(to_bytes(estate.snapshot), std_schema()) == estate.snapshot


SAMPLES = {
    "integration__common__tests__dbt__build__target__manifest.json": (3, 1, ["PE3131"]),
    "integration__common__tests__dbt__postgres__target__manifest.json": (8, 8, ["PE3131", "PE3131"]),
    "integration__common__tests__dbt__spark__thrift__target__manifest.json": (8, 8, ["PE3131"]),
    "integration__common__tests__dbt__structured_logs__snowflake__run__target__manifest.json": (8, 8, ["PE3131"]),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_gives_its_datasets_and_how_they_are_derived(name: str) -> None:
    datasets, derived, found = SAMPLES[name]
    estate = load_sample(f"dbt/{name}")
    assert Counter(kinds(estate).values()) == {"Dataset": datasets}
    assert Counter(edge.type for edge in estate.snapshot.edges) == {"derived_from": derived}
    assert codes(estate) == found
