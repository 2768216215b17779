"""A kind that a document does not say gives way to one that is stated, and edges follow what things turn out to be."""

import json
import random
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_dsl import compile_bytes
from policy_engine.evaluation.point.evaluate import PointEvaluator
from policy_engine.evaluation.world import World
from policy_engine.lineage.claims import AttributeClaim, Claims, EdgeClaim, NodeClaim
from policy_engine.lineage.estate import Estate
from policy_engine.lineage.graph import Origin, Snapshot, Source
from policy_engine.lineage.importers.flows import COMES_FROM
from policy_engine.lineage.join import join
from policy_engine.lineage.load import load_estate
from policy_engine.model.evidence import EvidenceSet
from policy_engine.model.problems import Problem, Severity
from policy_engine.packs.library import select
from tests.lineage.estate_schema import SCHEMA
from tests.lineage.imported import codes, edges, kinds, std_schema

MODEL = "openlineage:dataset:s3://bucket#model"
PATIENTS = "openlineage:dataset:s3://lake#patients"
DEPLOYMENT = "kserve:InferenceService:clinic/triage"
SERVING = b"""\
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: triage, namespace: clinic, labels: {stage: production}}
spec: {predictor: {model: {modelFormat: {name: sklearn}, storageUri: "s3://bucket/model"}}}
"""
REGISTER = b"""\
inventory: 1
asserted_by: the office
nodes:
  - {id: triage, kind: System, name: Triage, uses_model: triage-model}
  - {id: triage-model, kind: Model, aliases: ["s3://bucket/model"]}
  - {id: patients, kind: Dataset, aliases: ["s3://lake/patients"], special_category: true}
"""


CONFLICT = ["PE3141", "PE3144", "PE3146"]  # the library that a model has, the kinds, and what is deployed


def run(number: str, inputs: list[dict[str, Any]], outputs: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "eventType": "COMPLETE",
        "eventTime": f"2026-05-01T10:0{number}:00Z",
        "run": {"runId": number},
        "job": {"namespace": "airflow", "name": f"job{number}"},
        "inputs": inputs,
        "outputs": outputs,
    }


def at(namespace: str, name: str, **facets: object) -> dict[str, Any]:
    return {"namespace": namespace, "name": name, "facets": facets}


TRAINING = run("1", [at("s3://lake", "patients"), at("s3://bucket", "base")], [at("s3://bucket", "model")])


def load(events: object = TRAINING, **others: bytes) -> Estate:
    files = {f"{name}.yaml": data for name, data in others.items()}
    return load_estate({"runs.json": json.dumps(events).encode(), **files}, std_schema())


def of_model(estate: Estate, model: str) -> set[tuple[str, str, str]]:
    return {edge for edge in edges(estate) if edge[0] == model and edge[1] != "produced_by"}


def test_what_a_service_loads_is_a_model_however_its_making_was_recorded() -> None:
    estate = load(serving=SERVING)
    assert estate.problems == ()
    assert kinds(estate)[MODEL] == "Model"
    assert (DEPLOYMENT, "deploys", MODEL) in edges(estate)
    base = "openlineage:dataset:s3://bucket#base"
    assert of_model(estate, MODEL) == {(MODEL, "trained_on", PATIENTS), (MODEL, "trained_on", base)}
    [edge] = [each for each in estate.snapshot.edges if each.key == ("trained_on", MODEL, PATIENTS)]
    assert edge.origins == (Origin("runs.json", "/outputs/0"),)
    assert {origin.source for origin in estate.snapshot.nodes[MODEL].origins} == {"runs.json", "serving.yaml"}


def test_without_anybody_saying_so_it_stays_a_dataset() -> None:
    estate = load()
    assert estate.problems == ()
    assert of_model(estate, MODEL) == {
        (MODEL, "derived_from", PATIENTS),
        (MODEL, "derived_from", "openlineage:dataset:s3://bucket#base"),
    }


def test_a_model_made_from_a_model_is_fine_tuned_from_it_and_scores_depend_on_it() -> None:
    base = SERVING.replace(b"name: triage", b"name: base").replace(b"bucket/model", b"bucket/base")
    scoring = run("2", [at("s3://bucket", "model"), at("s3://lake", "patients")], [at("s3://lake", "scores")])
    estate = load([TRAINING, scoring], serving=SERVING, base=base)
    assert estate.problems == ()
    base_id, scores = "openlineage:dataset:s3://bucket#base", "openlineage:dataset:s3://lake#scores"
    assert of_model(estate, MODEL) == {(MODEL, "trained_on", PATIENTS), (MODEL, "finetuned_from", base_id)}
    assert of_model(estate, scores) == {(scores, "depends_on", MODEL), (scores, "derived_from", PATIENTS)}


@pytest.mark.parametrize(("kind", "told"), [("TABLE", CONFLICT), ("view", CONFLICT), ("FILE", []), ("OTHER", [])])
def test_a_table_is_stated_and_a_file_may_be_anything(kind: str, told: list[str]) -> None:
    events = run("1", [at("s3://lake", "patients")], [at("s3://bucket", "model", datasetType={"datasetType": kind})])
    estate = load(events, serving=SERVING)
    assert codes(estate) == told
    assert (kinds(estate)[MODEL] == "Model") is (not told)


def test_what_only_data_have_is_told_when_the_thing_turns_out_to_be_a_model() -> None:
    checks = {"dataQualityAssertions": {"assertions": [{"assertion": "not_null", "success": True}]}}
    taken = at("s3://bucket", "model") | {"inputFacets": checks}
    estate = load(run("1", [taken], []), serving=SERVING)
    assert codes(estate) == ["PE3141", "PE3141"]
    assert {problem.file for problem in estate.problems} == {"runs.json"}


def test_an_address_that_a_graph_calls_is_the_endpoint_that_answers_there() -> None:
    url = "http://triage.clinic.example.org"
    graph = f"""\
apiVersion: serving.kserve.io/v1alpha1
kind: InferenceGraph
metadata: {{name: flow, namespace: clinic}}
spec: {{nodes: {{root: {{routerType: Sequence, steps: [{{serviceUrl: "{url}"}}]}}}}}}
"""
    served = SERVING + f'status: {{url: "{url}"}}\n'.encode()
    estate = load(graph=graph.encode(), serving=served)
    assert estate.problems == ()
    [called] = estate.snapshot.targets("kserve:InferenceGraph:clinic/flow", "depends_on")
    assert kinds(estate)[called] == "Endpoint"


RULES = b"""policy own.rules
    version "1.0.0"
    basis firm_policy
use std.ai
rule special
    "No special-category data reaches a deployment"
    for each Deployment where deployment.stage is production
    must not some Dataset upstream of deployment where dataset.special_category
    otherwise "{dataset.name} reaches {deployment.name}"
"""


def test_a_rule_finds_the_data_behind_a_deployment_over_three_documents() -> None:
    estate = load(serving=SERVING, register=REGISTER)
    assert estate.problems == ()
    assert [name for name, kind in kinds(estate).items() if kind == "Model"] == ["triage-model"]
    assert {("triage-model", "trained_on", "patients"), (DEPLOYMENT, "deploys", "triage-model")} <= edges(estate)
    program, found = compile_bytes({**select(["std.ai"], {}).files, "own.policy": RULES})
    assert program is not None, found
    evaluator = PointEvaluator(World(program, estate.snapshot, EvidenceSet.of(())))
    [result] = evaluator.evaluate_all(datetime(2027, 1, 1, tzinfo=UTC))
    assert (result.subject, result.status.value) == (DEPLOYMENT, "fail")
    [witness] = result.witnesses
    assert [hop.node for hop in witness.hops] == [DEPLOYMENT, "triage-model", "patients"]


# Joining claims


def claims(*nodes: NodeClaim, name: str = "a", edge: EdgeClaim | None = None, own: bool = False) -> Claims:
    source = Source(name, "sha256:00", "tool", name)
    return Claims((source,), own, nodes, (), () if edge is None else (edge,))


def thing(kind: str, *, presumed: bool = False, name: str = "x") -> NodeClaim:
    return NodeClaim(name, kind, (), (Origin("a", f"/{kind}"),), presumed)


def kind_of(*nodes: NodeClaim) -> tuple[str, list[tuple[str, Severity]]]:
    snapshot, problems = join([claims(*nodes)], SCHEMA)
    return snapshot.nodes["x"].kind, [(problem.code, problem.severity) for problem in problems]


def test_of_stated_and_presumed_kinds() -> None:
    warned = [("PE3144", Severity.WARNING)]
    assert kind_of(thing("Dataset", presumed=True), thing("Model")) == ("Model", [])
    assert kind_of(thing("System", presumed=True), thing("HighRiskSystem", presumed=True)) == ("HighRiskSystem", [])
    assert kind_of(thing("System"), thing("HighRiskSystem", presumed=True)) == ("HighRiskSystem", [])
    assert kind_of(thing("Thing"), thing("Model", presumed=True), thing("Dataset", presumed=True)) == ("Thing", [])
    assert kind_of(thing("Dataset", presumed=True), thing("Dataset"), thing("Model")) == ("Dataset", warned)
    assert kind_of(thing("Model", presumed=True), thing("Dataset", presumed=True)) == ("Dataset", warned)
    both = [claims(thing("Model"), own=True), claims(thing("Dataset", presumed=True), name="b")]
    snapshot, problems = join(both, SCHEMA)
    assert (snapshot.nodes["x"].kind, problems) == ("Model", ())


def test_one_content_joins_by_what_is_stated() -> None:
    digest = "sha256:" + "ab" * 32
    said = Claims(
        (Source("a", digest, "tool", "a"),),
        False,
        (thing("Dataset", presumed=True), thing("Model"), thing("Model", name="y"), thing("Dataset", name="z")),
        tuple(AttributeClaim(name, "digest", digest, (Origin("a", f"/{name}"),)) for name in ("x", "y", "z")),
    )
    snapshot, problems = join([said], SCHEMA)
    assert problems == ()
    assert {node.id: node.aliases for node in snapshot.nodes.values()} == {"x": ("y",), "z": ()}


_NAMES = st.sampled_from(["a", "b", "c"])
_KINDS = st.sampled_from(["System", "HighRiskSystem", "Model", "Dataset", "Thing"])
_NODES = st.lists(st.tuples(_NAMES, _KINDS, st.booleans(), st.lists(_NAMES, max_size=1)), max_size=8)
_EDGES = st.lists(
    st.tuples(_NAMES, _NAMES | st.just("d"), st.lists(st.sampled_from([*COMES_FROM, "trains", "no_edge"]), max_size=4)),
    max_size=5,
)


@given(_NODES, _EDGES, st.randoms(use_true_random=False), st.booleans())
def test_the_order_of_documents_changes_nothing(nodes: Any, links: Any, rng: random.Random, own: bool) -> None:
    told = [
        claims(NodeClaim(name, kind, tuple(aliases), (Origin(f"n{n}", ""),), presumed), name=f"n{n}")
        for n, (name, kind, presumed, aliases) in enumerate(nodes)
    ]
    told += [
        claims(name=f"e{n}", edge=EdgeClaim(names[0], one, other, (Origin(f"e{n}", ""),), tuple(names[1:])))
        for n, (one, other, names) in enumerate(links)
        if names
    ]
    told += [claims(NodeClaim("a", "Model", (), (Origin("own", ""),)), name="own", own=True)] if own else []

    def outcome(every: list[Claims]) -> tuple[Snapshot, tuple[Problem, ...]]:
        return join(every, SCHEMA)

    first = outcome(told)
    rng.shuffle(told)
    again = outcome(told)
    assert again == first
    assert again[0].digest == first[0].digest
    # Every edge fits the kinds that its ends have in the end, and only what is stated can make a kind certain.
    for edge in first[0].edges:
        ends = (first[0].kind(edge.source), first[0].kind(edge.target))
        assert SCHEMA.connects(SCHEMA.edges[edge.type], *ends)
