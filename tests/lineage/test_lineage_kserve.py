"""Manifests of KServe give what is deployed, the models it runs and where it logs."""

import json
from collections import Counter
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_engine.lineage.load import load_estate
from policy_engine.lineage.snapshot import from_bytes, to_bytes
from policy_engine.model.problems import Severity
from tests.lineage.estate_schema import SCHEMA
from tests.lineage.imported import codes, edges, facts, kinds, load, load_sample, std_schema

SERVICE = "kserve:InferenceService:bank/scorer"
ENDPOINT = f"{SERVICE}#endpoint"
MODEL = "s3://models/scorer/1"


def manifest(kind: str, spec: object, version: str = "v1beta1", **parts: object) -> dict[str, Any]:
    metadata = {"name": "scorer", "namespace": "bank"} | parts.pop("metadata", {})  # type: ignore[operator]
    head = {"apiVersion": f"serving.kserve.io/{version}", "kind": kind, "metadata": metadata}
    return head | {"spec": spec} | parts


def service(predictor: object, **parts: object) -> dict[str, Any]:
    return manifest("InferenceService", {"predictor": predictor} | parts)


@pytest.mark.parametrize(
    "predictor",
    [
        {"model": {"modelFormat": {"name": "sklearn"}, "storageUri": MODEL}},
        {"model": {"modelFormat": {"name": "sklearn"}, "storageUri": f"{MODEL}/"}},
        {"sklearn": {"storageUri": MODEL, "resources": {"limits": {"cpu": "1"}}}, "minReplicas": 1},
        {"model": {"modelFormat": {"name": "sklearn"}, "storageUris": [{"uri": MODEL, "mountPath": "/mnt"}]}},
        {"sklearn": {"storage": {"key": "k", "path": "scorer/1", "parameters": {"type": "s3", "bucket": "models"}}}},
    ],
)
def test_a_service_deploys_its_model_however_it_is_written(predictor: object) -> None:
    estate = load(service(predictor))
    assert estate.problems == ()
    assert kinds(estate) == {SERVICE: "Deployment", ENDPOINT: "Endpoint", MODEL: "Model"}
    assert edges(estate) == {(SERVICE, "deploys", MODEL), (ENDPOINT, "serves", SERVICE)}
    assert facts(estate, MODEL) == {"library": "sklearn"}
    assert facts(estate, SERVICE) == {"name": "scorer"}
    assert estate.snapshot.sources[0].format == "kserve"


@pytest.mark.parametrize(
    ("uri", "node_id", "alias", "told"),
    [
        ("hf://org/m", "pkg:huggingface/org/m", "hf://org/m", {"name": "org/m"}),
        ("hf://org/m:abc", "pkg:huggingface/org/m@abc", "hf://org/m:abc", {"name": "org/m", "version": "abc"}),
        ("hf://org/m:main", "pkg:huggingface/org/m", "hf://org/m:main", {"name": "org/m"}),
        ("gs://b/m", "gs://b/m", None, {}),
        ("https://example.com/m.tar.gz", "https://example.com/m.tar.gz", None, {}),
        ("pvc://claim/m", "kserve:pvc:bank/claim/m", None, {}),
        ("oci+native://ghcr.io/o/m:1", "oci://ghcr.io/o/m:1", "oci+native://ghcr.io/o/m:1", {}),
        (f"oci://ghcr.io/o/m@sha256:{'ab' * 32}", f"oci://ghcr.io/o/m@sha256:{'ab' * 32}", None,
         {"digest": f"sha256:{'ab' * 32}"}),
    ],
)  # fmt: skip
def test_a_model_is_the_place_it_is_loaded_from(uri: str, node_id: str, alias: str | None, told: object) -> None:
    estate = load(service({"model": {"storageUri": uri}}))
    assert (SERVICE, "deploys", node_id) in edges(estate)
    assert (alias is None) or alias in estate.snapshot.nodes[node_id].aliases
    assert facts(estate, node_id) == told


def test_what_is_named_within_a_namespace_is_not_mixed_up_with_others() -> None:
    predictor = {"model": {"storageUri": "pvc://claim/m"}}
    other = service(predictor) | {"metadata": {"name": "scorer", "namespace": "shop"}}
    estate = load({"apiVersion": "v1", "kind": "List", "items": [service(predictor), other]})
    assert Counter(kinds(estate).values()) == {"Deployment": 2, "Endpoint": 2, "Model": 2}


def test_a_list_as_a_cluster_hands_it_out_is_read_with_its_state() -> None:
    item = service({"sklearn": {"storageUri": MODEL}}) | {"status": {"url": "https://scorer.example.com"}}
    item["metadata"] |= {
        "creationTimestamp": "2026-03-04T05:06:07Z",
        "annotations": {"example.com/owner": "team-credit", "kubectl.kubernetes.io/last-applied-configuration": "{}"},
        "labels": {"stage": "production", "version": "7", "app": "x"},
    }
    estate = load({"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceServiceList", "items": [item]})
    assert estate.problems == ()
    assert facts(estate, SERVICE) == {
        "name": "scorer", "started_on": date(2026, 3, 4), "owner": "team-credit", "stage": "production",
    }  # fmt: skip
    assert estate.snapshot.nodes[ENDPOINT].aliases == ("https://scorer.example.com",)


def test_a_logger_records_without_a_persons_doing() -> None:
    url = "http://collector.logs/"
    logged = {"sklearn": {"storageUri": MODEL}, "logger": {"mode": "all", "url": url}}
    estate = load(service(logged, transformer={"logger": {"mode": "request"}}))
    assert {(SERVICE, "logs_to", url), (SERVICE, "logs_to", f"{SERVICE}#logger")} <= edges(estate)
    assert facts(estate, url) == {"automatic": True, "name": url}


def test_a_container_of_ones_own_is_a_component_that_may_hide_a_model() -> None:
    image = f"example/scorer@sha256:{'0a' * 32}"
    told = load(service({"containers": [{"image": image, "env": [{"name": "STORAGE_URI", "value": MODEL}]}]}))
    assert told.problems == ()
    assert (SERVICE, "deploys", MODEL) in edges(told)
    assert (SERVICE, "has_component", f"oci://{image}") in edges(told)
    assert facts(told, f"oci://{image}")["digest"] == f"sha256:{'0a' * 32}"
    hidden = load(service({"containers": [{"image": image}]}, explainer={"containers": [{"image": "example/x"}]}))
    assert codes(hidden) == ["PE3166"]
    assert (SERVICE, "has_component", "oci://example/x") in edges(hidden)


@pytest.mark.parametrize(
    ("share", "code"), [(10, "PE3165"), (0, "PE3165"), (100, None), (None, None), (101, "PE3121"), ("10", "PE3121")]
)
def test_a_canary_leaves_a_revision_unnamed(share: object, code: str | None) -> None:
    estate = load(service({"sklearn": {"storageUri": MODEL}, "canaryTrafficPercent": share}))
    assert codes(estate) == ([code] if code else [])
    assert (SERVICE, "deploys", MODEL) in edges(estate)


def test_a_graph_depends_on_the_services_of_its_steps() -> None:
    nodes = {
        "root": {"routerType": "Sequence", "steps": [{"serviceName": "scorer"}, {"nodeName": "next"}]},
        "next": {"routerType": "Switch", "steps": [{"serviceUrl": "http://rules.bank/"}, {"serviceName": "other"}]},
    }
    estate = load(manifest("InferenceGraph", {"nodes": nodes}, "v1alpha1", metadata={"name": "decide"}))
    graph = "kserve:InferenceGraph:bank/decide"
    assert {target for source, name, target in edges(estate) if (source, name) == (graph, "depends_on")} == {
        SERVICE, "http://rules.bank/", "kserve:InferenceService:bank/other",
    }  # fmt: skip
    assert kinds(estate)["http://rules.bank/"] == "Service"


def test_a_trained_model_is_one_more_model_of_its_service() -> None:
    spec = {"inferenceService": "scorer", "model": {"framework": "xgboost", "storageUri": "s3://models/second"}}
    estate = load(manifest("TrainedModel", spec, "v1alpha1", metadata={"name": "second"}))
    assert edges(estate) == {(SERVICE, "deploys", "s3://models/second")}
    assert facts(estate, "s3://models/second") == {"library": "xgboost"}
    assert codes(load(manifest("TrainedModel", {"model": {"storageUri": "s3://m"}}, "v1alpha1"))) == ["PE3120"]


def test_a_language_model_is_deployed_with_its_adapters() -> None:
    adapters = [{"name": "a", "uri": "hf://org/adapter"}, {"name": "b"}]
    model = {"uri": "hf://org/base", "name": "org/base", "lora": {"adapters": adapters}}
    estate = load(manifest("LLMInferenceService", {"model": model, "router": {}}, "v1alpha2"))
    llm, base, adapter = (
        "kserve:LLMInferenceService:bank/scorer",
        "pkg:huggingface/org/base",
        "pkg:huggingface/org/adapter",
    )
    assert edges(estate) == {
        (llm, "deploys", base),
        (llm, "deploys", adapter),
        (adapter, "finetuned_from", base),
        (f"{llm}#endpoint", "serves", llm),
    }
    assert codes(load(manifest("LLMInferenceService", {"baseRefs": []}, "v1alpha2"))) == ["PE3166"]


def test_the_documents_of_a_file_are_read_each_and_other_objects_told_by_kind() -> None:
    parts = [
        service({"sklearn": {"storageUri": MODEL}}),
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}},
        {"apiVersion": "apps/v1", "kind": "InferenceService", "metadata": {"name": "not-of-kserve"}, "spec": {}},
    ]
    text = "\n---\n".join(json.dumps(part) for part in parts)
    estate = load(text.encode(), "all.yaml")
    assert set(kinds(estate)) == {SERVICE, ENDPOINT, MODEL}
    assert [(problem.code, problem.file) for problem in estate.problems] == [("PE3131", "all.yaml")] * 2


def test_a_chart_that_was_not_rendered_is_a_missing_value_or_no_yaml() -> None:
    quoted = (
        b"apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata:\n  name: scorer\n  namespace: bank\n"
    )
    estate = load(quoted + b"spec:\n  predictor:\n    sklearn:\n      storageUri: '{{ .Values.uri }}'\n", "a.yaml")
    assert codes(estate) == ["PE3163", "PE3166"]
    assert estate.problems[0].line is not None
    bare = load(quoted + b"spec: {{ .Values.spec }}\n", "a.yaml")
    assert codes(bare) == ["PE3110"]


def test_a_manifest_without_a_name_is_told() -> None:
    assert codes(load(manifest("InferenceService", {}, metadata={"name": None}))) == ["PE3120"]


def test_a_schema_without_deployments_keeps_nothing_and_says_so() -> None:
    estate = load(service({"sklearn": {"storageUri": MODEL}}), schema=SCHEMA)
    assert kinds(estate) == {}
    assert codes(estate) == ["PE3131"]


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_KEYS = ["predictor", "model", "sklearn", "logger", "containers", "storage", "storageUri", "env", "image", "nodes",
         "url", "steps", "root", "inferenceService", "uri", "lora", "adapters", "template",
         "canaryTrafficPercent"]  # fmt: skip
_spec = st.recursive(
    _json,
    lambda inner: st.dictionaries(st.sampled_from(_KEYS), inner, max_size=4) | st.lists(inner, max_size=2),
    max_leaves=12,
)


@given(
    st.sampled_from(["InferenceService", "LLMInferenceService", "InferenceGraph", "TrainedModel", "List"]), _spec, _json
)
def test_no_manifest_makes_importing_fail(kind: str, spec: object, other: object) -> None:
    whole = manifest(kind, spec, status=other, items=[other, {"kind": other}])
    for each in (whole, whole | {"metadata": other}, whole | {"metadata": {"name": "a", "labels": other}}):
        estate = load_estate({"a.json": json.dumps(each).encode()}, std_schema())
        assert all(problem.severity is Severity.WARNING for problem in estate.problems if problem.code != "PE3144")
        assert from_bytes(to_bytes(estate.snapshot), std_schema()) == estate.snapshot


SAMPLES: dict[str, tuple[dict[str, int], dict[str, int], list[str]]] = {
    "docs__samples__explanation__aif__germancredit__bias.yaml": (
        {"LogStore": 1, "Deployment": 1, "Endpoint": 1, "Component": 2},
        {"has_component": 2, "logs_to": 1, "serves": 1},
        ["PE3166"],
    ),
    "docs__samples__graph__ensemble.yaml": (
        {"Model": 2, "Deployment": 3, "Endpoint": 3},
        {"depends_on": 2, "deploys": 2, "serves": 3},
        [],
    ),
    "docs__samples__llmisvc__agentic-tool-calling__llmisvc-single-gpu.yaml": (
        {"Deployment": 1, "Endpoint": 1, "Component": 1, "Model": 1},
        {"deploys": 1, "has_component": 1, "serves": 1},
        [],
    ),
    "docs__samples__llmisvc__opt-125m-cpu__llm-inference-service-facebook-opt-125m-cpu.yaml": (
        {"Deployment": 1, "Endpoint": 1, "Component": 1, "Model": 1},
        {"deploys": 1, "has_component": 1, "serves": 1},
        [],
    ),
    "docs__samples__multimodelserving__sklearn__inferenceservice.yaml": (
        {"Deployment": 1, "Endpoint": 1},
        {"serves": 1},
        ["PE3166"],
    ),
    "docs__samples__outlier-detection__alibi-detect__cifar10__cifar10od.yaml": ({}, {}, ["PE3131"]),
    "docs__samples__storage__oci-image-volume__inference_service.yaml": (
        {"Deployment": 1, "Endpoint": 1, "Model": 1},
        {"deploys": 1, "serves": 1},
        [],
    ),
    "docs__samples__v1beta1__custom__simple.yaml": (
        {"Deployment": 1, "Endpoint": 1, "Component": 1},
        {"has_component": 1, "serves": 1},
        ["PE3166"],
    ),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_gives_its_things(name: str) -> None:
    estate = load_sample(f"kserve/{name}")
    found_edges = Counter(edge.type for edge in estate.snapshot.edges)
    assert (Counter(kinds(estate).values()), found_edges, codes(estate)) == SAMPLES[name]
    assert all(problem.severity is Severity.WARNING for problem in estate.problems)
