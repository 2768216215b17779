"""A log that is spread over files says what it says in one file, whatever the files are called and how it is cut."""

import json
import random
from itertools import permutations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from policy_engine.lineage.estate import Estate
from policy_engine.lineage.graph import Origin
from policy_engine.lineage.load import load_estate
from tests.lineage.imported import codes, edges, facts, std_schema

RAW, CLEAN = (f"openlineage:dataset:s3://lake#{name}" for name in ("raw", "clean"))
RUN = "openlineage:run:r1"


def dataset(name: str, **facets: object) -> dict[str, Any]:
    return {"namespace": "s3://lake", "name": name, "facets": facets}


def about(day: int, entry: dict[str, Any], by: str = "https://example.com/airflow") -> dict[str, Any]:
    return {"eventTime": f"2026-05-{day:02}T10:00:00Z", "producer": by, "dataset": entry}


def load(**files: object) -> Estate:
    return load_estate({f"{name}.json": json.dumps(data).encode() for name, data in files.items()}, std_schema())


def version(text: str) -> dict[str, Any]:
    return dataset("raw", version={"datasetVersion": text})


def test_a_later_facet_takes_the_place_of_an_earlier_one_in_another_file() -> None:
    estate = load(a=about(2, version("2")), b=[about(1, version("1"))])
    assert estate.problems == ()
    fact = estate.snapshot.nodes[RAW].attributes["version"]
    assert (fact.value, fact.origins) == ("2", (Origin("a.json", "/dataset/facets/version/datasetVersion"),))
    # Of one time the last document counts, by its name, and in it the last event.
    assert facts(load(a=about(1, version("1")), b=about(1, version("2"))), RAW)["version"] == "2"
    assert facts(load(b=about(1, version("1")), a=about(1, version("2"))), RAW)["version"] == "1"
    assert facts(load(a=[about(1, version("1")), about(1, version("2"))]), RAW)["version"] == "2"


def test_what_is_deleted_in_one_file_is_gone_from_all() -> None:
    gone = about(3, dataset("raw", documentation={"_deleted": True}))
    told = about(2, dataset("raw", documentation={"description": "Loans"}))
    assert "description" not in facts(load(a=gone, b=told), RAW)
    assert facts(load(a=gone, b=told, c=about(4, dataset("raw", documentation={"description": "New"}))), RAW)[
        "description"
    ] == ("New")


def test_what_was_dropped_is_retired_until_it_is_made_again() -> None:
    def change(day: int, word: str) -> dict[str, Any]:
        return about(day, dataset("raw", lifecycleStateChange={"lifecycleStateChange": word}))

    assert facts(load(a=change(2, "DROP"), b=change(1, "CREATE")), RAW)["stage"] == "retired"
    assert "stage" not in facts(load(a=change(2, "CREATE"), b=change(1, "DROP")), RAW)


def test_a_run_over_several_files_is_one_run() -> None:
    head = {"run": {"runId": "r1"}, "job": {"namespace": "airflow", "name": "prepare"}}
    start = {"eventTime": "2026-05-01T10:00:00Z", "eventType": "START", "inputs": [dataset("raw")], **head}
    done = {"eventTime": "2026-05-01T11:00:00Z", "eventType": "COMPLETE", "outputs": [dataset("clean")], **head}
    for files in ({"a": start, "b": done}, {"a": done, "b": start}):
        estate = load(**files)
        assert estate.problems == ()
        assert (CLEAN, "derived_from", RAW) in edges(estate)
        assert facts(estate, RUN)["outcome"] == "complete"


def test_every_file_stays_a_source_of_its_own() -> None:
    estate = load(
        a=about(1, dataset("raw"), "urn:x"), b=[about(2, dataset("clean"), "urn:y"), about(1, dataset("raw"))]
    )
    sources = {source.name: source for source in estate.snapshot.sources}
    assert {name: source.asserted_by for name, source in sources.items()} == {
        "a.json": "urn:x",
        "b.json": "https://example.com/airflow, urn:y",
    }
    assert {name: source.asserted_at.day for name, source in sources.items() if source.asserted_at} == {
        "a.json": 1,
        "b.json": 2,
    }
    assert len({source.sha256 for source in sources.values()}) == 2
    assert estate.snapshot.nodes[CLEAN].origins == (Origin("b.json", "/0/dataset"),)


def test_a_problem_is_told_once_at_its_file_and_line() -> None:
    lines = [json.dumps(about(1, dataset("raw"))), json.dumps(about(1, dataset("raw")) | {"eventTime": "soon"})]
    files = {"a.ndjson": lines[0].encode(), "b.ndjson": "\n".join(lines).encode(), "c.ndjson": lines[1].encode()}
    [problem] = load_estate(files, std_schema()).problems
    assert (problem.code, problem.file, problem.line) == ("PE3121", "b.ndjson", 2)
    assert "(2 times)" in problem.message


def test_a_run_named_none_is_a_run_like_any_other() -> None:
    head = {"eventTime": "2026-05-01T10:00:00Z", "eventType": "START", "job": {"namespace": "a", "name": "b"}}
    estate = load(a={**head, "run": {"runId": "None"}}, b={**head, "run": {"runId": "r1"}})
    assert codes(estate) == []
    assert not [edge for edge in edges(estate) if edge[1] == "step_of"]


_FACETS = st.sampled_from(
    [
        {"version": {"datasetVersion": "1"}},
        {"version": {"_deleted": True}},
        {"documentation": {"description": "x"}},
        {"lifecycleStateChange": {"lifecycleStateChange": "DROP"}},
        {"lifecycleStateChange": {"lifecycleStateChange": "CREATE"}},
        {"datasetType": {"datasetType": "MODEL"}},
        {"symlinks": {"identifiers": [{"namespace": "s3://lake", "name": "clean"}]}},
    ]
)
_ENTRIES = st.builds(lambda name, facets: dataset(name, **facets), st.sampled_from(["raw", "clean", "more"]), _FACETS)
_EVENTS = st.builds(
    lambda run, inputs, outputs: {
        "run": {"runId": run}, "job": {"namespace": "a", "name": "b"}, "inputs": inputs, "outputs": outputs
    },
    st.sampled_from(["r1", "r2"]), st.lists(_ENTRIES, max_size=2), st.lists(_ENTRIES, max_size=2),
)  # fmt: skip


@given(st.lists(_EVENTS, min_size=1, max_size=6), st.integers(1, 4), st.randoms(use_true_random=False))
def test_how_a_log_is_cut_into_files_changes_no_fact(events: list[Any], parts: int, rng: random.Random) -> None:
    timed = [{**each, "eventTime": f"2026-05-01T10:00:{n:02}Z"} for n, each in enumerate(events)]
    whole = load(log=timed)
    cut: dict[str, list[Any]] = {f"f{part}": [] for part in range(parts)}
    for each in rng.sample(timed, len(timed)):
        cut[rng.choice(list(cut))].append(each)
    files = {name: some for name, some in cut.items() if some}
    spread = load(**files)
    assert spread.snapshot.facts_digest == whole.snapshot.facts_digest
    assert codes(spread) == codes(whole)
    for order in list(permutations(files))[:6]:
        assert load(**{name: files[name] for name in order}).snapshot.digest == spread.snapshot.digest
