"""MLflow: exports and answers kept in files, and a real tracking server read through its client."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from policy_engine.model.errors import InputError
from tests.lineage.answering import answering
from tests.lineage.damage import damaged, survives
from tests.lineage.imported import _SAMPLES, codes, edges, facts, kinds, load, load_sample

AT = datetime(2026, 11, 21, 9, tzinfo=UTC)
RUN = "6ec52b8bcdac4ef48dea68e176515810"
SAMPLES = {
    "experiment_get.json": {"Pipeline": 1},
    "model_version_get.json": {"Model": 1, "Run": 1},
    "registered_model_get.json": {"Model": 1, "Run": 1},
    "run_get.json": {"Run": 1, "Dataset": 2, "Pipeline": 1},
    "run_to_dictionary.json": {"Run": 1, "Dataset": 2, "Pipeline": 1},
}
LABELS = ["PE3131"]  # tags that are no attributes


@pytest.mark.parametrize("name", SAMPLES)
def test_an_answer_kept_in_a_file_is_read(name: str) -> None:
    estate = load_sample(f"mlflow/{name}")
    assert Counter(kinds(estate).values()) == SAMPLES[name]
    assert codes(estate) == LABELS
    assert survives(estate)


def test_rest_and_the_python_client_say_the_same() -> None:
    rest, client = (load_sample(f"mlflow/{name}").snapshot for name in ("run_get.json", "run_to_dictionary.json"))
    assert rest.facts_digest == client.facts_digest


def test_answers_in_one_file_are_read_together() -> None:
    if not _SAMPLES.is_dir():
        pytest.skip("the shared samples are not beside this checkout")
    answers = [json.loads((_SAMPLES / "mlflow" / name).read_bytes()) for name in SAMPLES]
    estate = load(answers)
    model = "pkg:mlflow/credit-scorer@1"
    assert facts(estate, model) == {
        "name": "credit-scorer",
        "version": "1",
        "description": "Retail credit scoring",
        "owner": "risk-ml@bank.example",
        "release_names": frozenset({"champion"}),
        "declared_metrics": frozenset({"auc = 0.83", "demographic_parity_difference = 0.07"}),
    }
    assert edges(estate) == {
        (model, "trained_on", "mlflow:datasets/credit_train@3f3c159a"),
        (model, "tested_on", "mlflow:datasets/credit_eval@3f3c159a"),
        (model, "produced_by", f"mlflow:runs/{RUN}"),
        (model, "produced_by", "mlflow:experiments/1"),
        (f"mlflow:runs/{RUN}", "run_of", "mlflow:experiments/1"),
    }
    train = estate.snapshot.nodes["mlflow:datasets/credit_train@3f3c159a"]
    assert train.aliases == ("s3://bank-lake/credit/train/v7.parquet",)


def _dataset(name: str, context: str | None, digest: str = "d1", **more: object) -> dict[str, Any]:
    tags = [{"key": "mlflow.data.context", "value": context}] if context else []
    source = json.dumps({"uri": "s3://lake/shared"})
    return {"tags": tags, "dataset": {"name": name, "digest": digest, "source_type": "s3", "source": source} | more}


EXPORT: dict[str, Any] = {
    "mlflow_export": 1,
    "tracking_uri": "https://mlflow.example",
    "exported_at": "2026-11-21T09:00:00Z",
    "experiments": [{"experiment_id": "7", "name": "scoring", "tags": {"owner": "risk"}}],
    "registered_models": [
        {"name": "scorer", "description": "All", "tags": {"owner": "risk", "licence": "own"}, "aliases": {"best": "2"}},
        {"name": "hello", "tags": {"mlflow.prompt.is_prompt": "true"}},
    ],
    "model_versions": [
        {
            "name": "scorer",
            "version": "1",
            "run_id": "r1",
            "current_stage": "Archived",
            "source": "s3://models/1",
            "tags": {"licence": "MIT", "general_purpose": "false"},
        },
        {"name": "scorer", "version": "2", "run_id": "r1", "current_stage": "Production", "source": "models:/m-2"},
        {"name": "scorer", "version": "3", "run_id": "gone", "current_stage": "None", "source": "file:///tmp/3"},
        {"name": "hello", "version": 1, "template": "Hello", "description": "first"},
    ],
    "logged_models": [
        {"info": {"model_id": "m-2", "name": "two", "source_run_id": "r1"}},
        {"info": {"model_id": "m-9", "name": "loose", "source_run_id": "r1"}},
    ],
    "runs": [
        {
            "info": {"run_id": "r1", "experiment_id": "7", "run_name": "fit"},
            "data": {
                "metrics": {"accuracy": 0.9, "loss": "nan", "system/cpu": 4},
                "tags": {"mlflow.source.git.commit": "abc"},
            },
            "inputs": {
                "dataset_inputs": [
                    _dataset("a", "training"),
                    _dataset("b", "validation", "d2"),
                    _dataset("c", "testing", source_type="hugging_face", source='{"path": "acme/c"}'),
                    _dataset("d", None, source='{"uri": "file:///home/d"}'),
                ]
            },
        },
        {
            "info": {"run_id": "r2", "experiment_id": "7"},
            "inputs": {"model_inputs": [{"model_id": "m-2"}], "dataset_inputs": [_dataset("e", "eval", source=None)]},
            "outputs": {"model_outputs": [{"model_id": "m-10", "step": 0}]},
        },
    ],
}
ONE, TWO, THREE = (f"pkg:mlflow/scorer@{n}?repository_url=https://mlflow.example" for n in (1, 2, 3))
EXPERIMENT = "https://mlflow.example/#/experiments/7"


def test_an_export_becomes_a_graph() -> None:
    estate = load(EXPORT)
    # Data without a purpose; a place that two datasets share identifies neither.
    assert codes(estate) == ["PE3170", "PE3177"]
    [source] = estate.snapshot.sources
    assert (source.asserted_by, source.asserted_at) == ("https://mlflow.example", AT)
    assert facts(estate, ONE) == {
        "name": "scorer",
        "version": "1",
        "description": "All",
        "licence": "MIT",  # what a version says goes before what its model says
        "owner": "risk",
        "general_purpose": False,
        "stage": "retired",
        "declared_accuracy": Decimal("0.9"),
        "declared_metrics": frozenset({"accuracy = 0.9", "loss = nan"}),
    }
    assert facts(estate, TWO)["release_names"] == frozenset({"best"})
    assert facts(estate, TWO)["stage"] == "production"
    assert estate.snapshot.nodes[ONE].aliases == ("s3://models/1",)
    assert estate.snapshot.nodes[THREE].aliases == ()
    learnt = {("trained_on", "a@d1"), ("trained_on", "d@d1"), ("validated_on", "b@d2"), ("tested_on", "c@d1")}
    for model in (ONE, TWO, "mlflow:models/m-9"):
        assert {(name, end.rpartition("/")[2]) for start, name, end in edges(estate) if start == model} >= learnt
    assert (TWO, "tested_on", "mlflow:datasets/e@d1") in edges(estate)
    assert ("mlflow:models/m-10", "produced_by", "mlflow:runs/r2") in edges(estate)
    assert {(THREE, "produced_by", "mlflow:runs/gone"), (ONE, "produced_by", EXPERIMENT)} <= edges(estate)
    prompt = "https://mlflow.example/#/prompts/hello/1"
    assert kinds(estate)[prompt] == "Prompt"
    assert facts(estate, prompt)["digest"] == "sha256:185f8db32271fe25f561a6fc938b2e264306ec304eda518007d1764826381969"
    hub = "https://huggingface.co/datasets/acme/c"
    assert estate.snapshot.nodes["mlflow:datasets/c@d1"].aliases == (hub,)


def test_versions_made_of_one_logged_model_are_two_things() -> None:
    version = {"name": "scorer", "run_id": "r", "source": "models:/m-1"}
    versions = [version | {"version": number} for number in ("1", "2")]
    estate = load({"mlflow_export": 1, "model_versions": versions, "logged_models": [{"info": {"model_id": "m-1"}}]})
    assert estate.problems == ()
    assert {"pkg:mlflow/scorer@1", "pkg:mlflow/scorer@2", "mlflow:models/m-1"} <= kinds(estate).keys()


def test_an_export_of_another_version_is_told() -> None:
    assert "PE3123" in codes(load(EXPORT | {"mlflow_export": 2}))


@pytest.mark.parametrize("other", [{"run": 1}, {"runs": []}, {"experiment": {"name": "x"}}, {"info": {}}, [[]]])
def test_other_json_is_not_taken_for_it(other: object) -> None:
    assert codes(load(other)) == ["PE3111"]


def test_a_wrong_value_anywhere_is_at_worst_a_located_warning() -> None:
    for changed in damaged(EXPORT, "mlflow_export", every=3):
        assert survives(load(changed))


# A live server

ANSWERS = {
    "a page": ((200, "<html>"), "PE3176"),
    "other JSON": ((200, '{"registered_models": 7}'), "PE3176"),
    "nothing there": ((404, "no"), "PE3176"),
    "an error": ((500, "oops"), "PE3174"),
    "who are you": ((401, "Unauthorized"), "PE3175"),
    "not you": ((403, '{"error_code": "PERMISSION_DENIED", "message": "no\\nway"}'), "PE3175"),
    "silence": (None, "PE3174"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_a_server_that_does_not_answer_as_it_should_is_a_coded_error(case: str) -> None:
    pytest.importorskip("mlflow", reason="the client of MLflow is not installed")
    from policy_engine.lineage.importers.mlflow import export_server

    answer, code = ANSWERS[case]
    with answering(answer) as address, pytest.raises(InputError) as caught:
        export_server(address.replace("//", "//ada:secret@"), AT)
    [report] = caught.value.reports
    assert report.startswith(f"error[{code}]")
    assert address in report
    assert "secret" not in report
    assert "Traceback" not in report


@pytest.mark.parametrize("uri", ["", "sqlite:///mlflow.db", "file:///tmp", "http://", "http://[::1", "databricks"])
def test_only_addresses_of_servers_are_read(uri: str) -> None:
    pytest.importorskip("mlflow", reason="the client of MLflow is not installed")
    from policy_engine.lineage.importers.mlflow import export_server

    with pytest.raises(InputError, match="PE3174"):
        export_server(uri, AT)


def test_a_server_that_never_comes_to_its_last_page_is_not_read_for_ever() -> None:
    pytest.importorskip("mlflow", reason="the client of MLflow is not installed")
    from policy_engine.lineage.importers.mlflow import export_server

    with answering((200, '{"registered_models": [], "next_page_token": "again"}')) as address:
        export = export_server(address, AT)
    assert (export.versions, export.runs) == (0, 0)


def test_without_the_client_the_command_says_what_to_install(tmp_path: Path) -> None:
    arguments = ["import", "mlflow", "--uri", "http://127.0.0.1", "--out", str(tmp_path / "x.json")]
    program = f"import sys; sys.modules['mlflow'] = None; from policy_engine.cli.main import main; main({arguments!r})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error[PE0010]: the client of MLflow is not installed\n  help: ")
    assert not (tmp_path / "x.json").exists()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real tracking server with a database of its own."""
    pytest.importorskip("mlflow.server", reason="the server of MLflow is not installed")
    folder = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += [
        "--backend-store-uri",
        f"sqlite:///{folder}/mlflow.db",
        "--artifacts-destination",
        str(folder / "files"),
    ]
    quiet = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (folder / "log").open("wb") as log:
        # A group of its own: the server starts workers, which must end with it.
        process = subprocess.Popen(command, cwd=folder, env=quiet, stdout=log, stderr=log, start_new_session=True)
    try:
        _wait_for(f"http://127.0.0.1:{port}/health", process, folder / "log")
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, 15)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()


def _wait_for(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(600):
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"the server did not start: {log.read_text()}")


@pytest.fixture(scope="module")
def filled(server: str) -> str:
    """The server with a run and its data, two versions of a model, a prompt, and a run that nobody registered."""
    from mlflow import MlflowClient
    from mlflow.entities import Dataset, DatasetInput, InputTag

    client = MlflowClient(tracking_uri=server, registry_uri=server)

    def used(name: str, context: str) -> DatasetInput:
        data = Dataset(name=name, digest="d1", source_type="s3", source=json.dumps({"uri": f"s3://lake/{name}"}))
        return DatasetInput(data, [InputTag("mlflow.data.context", context)])

    experiment = client.create_experiment("scoring", tags={"owner": "risk"})
    run = client.create_run(experiment, run_name="fit").info.run_id
    client.log_metric(run, "accuracy", 0.9)
    client.log_metric(run, "loss", float("nan"))
    client.log_inputs(run, [used("train", "training"), used("valid", "validation"), used("test", "evaluation")])
    client.set_terminated(run)
    client.create_registered_model("scorer", tags={"owner": "risk"}, description="Scores")
    client.create_model_version("scorer", "s3://models/1", run_id=run, tags={"licence": "MIT"})
    logged = client.create_logged_model(experiment, "two", source_run_id=run)
    client.finalize_logged_model(logged.model_id, "READY")
    client.create_model_version("scorer", f"models:/{logged.model_id}", run_id=run, model_id=logged.model_id)
    lost = client.create_run(experiment).info.run_id
    client.set_registered_model_alias("scorer", "champion", "1")
    client.register_prompt("hello", "Hello {{name}}", commit_message="first")
    client.create_run(client.create_experiment("notebook"), run_name="unregistered")
    client.delete_run(lost)
    return server


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_real_server_is_read_into_an_export_that_becomes_a_graph(filled: str, tmp_path: Path) -> None:
    from policy_engine.lineage.importers.mlflow import export_server

    export = export_server(filled + "/", AT)
    assert (export.versions, export.runs, export.gone) == (3, 1, 0)
    # The same server gives the same bytes, whoever asks.
    assert export_server(filled.replace("//", "//ada:secret@"), AT).document == export.document
    assert b"secret" not in export.document
    estate = load(export.document)
    assert estate.problems == ()
    assert Counter(kinds(estate).values()) == {"Model": 2, "Dataset": 3, "Run": 1, "Pipeline": 1, "Prompt": 1}
    for number in ("1", "2"):
        model = f"pkg:mlflow/scorer@{number}?repository_url={filled}"
        data = {(name, end) for start, name, end in edges(estate) if start == model and "datasets" in end}
        assert data == {
            ("trained_on", "mlflow:datasets/train@d1"),
            ("validated_on", "mlflow:datasets/valid@d1"),
            ("tested_on", "mlflow:datasets/test@d1"),
        }
        assert facts(estate, model)["declared_accuracy"] == Decimal("0.9")
        assert facts(estate, model)["owner"] == "risk"
    first = facts(estate, f"pkg:mlflow/scorer@1?repository_url={filled}")
    assert (first["licence"], first["release_names"]) == ("MIT", frozenset({"champion"}))
    more = export_server(filled, AT, ["notebook"])
    assert more.runs == 2
    with pytest.raises(InputError, match="PE3179"):
        export_server(filled, AT, ["absent"])


@pytest.mark.slow
def test_the_command_writes_what_a_check_can_read(filled: str, tmp_path: Path) -> None:
    out = tmp_path / "estate" / "mlflow.json"
    command = [sys.executable, "-m", "policy_engine.cli.main", "import", "mlflow", "--uri", filled, "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{out}: 3 versions of models and prompts, 1 runs\n"
    assert load(out.read_bytes()).problems == ()
