"""Every code is raised by something, and nothing else is raised."""

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest

import policy_dsl.codes
import policy_engine.lineage.codes
import policy_evidence.errors
from policy_engine.lineage.codes import CODES
from policy_engine.lineage.documents import Limits
from policy_engine.lineage.errors import LineageError
from policy_engine.lineage.graph import Edge, Node, Snapshot
from policy_engine.lineage.load import load_estate
from policy_engine.lineage.networkx_graph import from_networkx, to_networkx
from policy_engine.lineage.snapshot import from_bytes, to_bytes
from policy_engine.model.errors import InputError
from tests.lineage.answering import answering
from tests.lineage.estate_schema import SCHEMA
from tests.lineage.imported import codes, load

_SERIAL = "3e671687-395b-41f5-a30f-a58921a69b79"


def _files(*texts: str) -> set[str]:
    files = {f"{number}.yaml": text.encode() for number, text in enumerate(texts)}
    return {problem.code for problem in load_estate(files, SCHEMA).problems}


def _nodes(text: str) -> set[str]:
    return _files("inventory: 1\nnodes:\n" + text)


def _bom(**parts: object) -> str:
    head = {"bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": f"urn:uuid:{_SERIAL}"}
    return json.dumps(head | parts)


def _event(names: list[str]) -> object:
    sides = [{"namespace": "s3://lake", "name": name} for name in names]
    others = [{"namespace": "s3://other", "name": name} for name in names]
    return {"eventTime": "2026-05-01T10:00:00Z", "run": {"runId": "1"}, "job": {"namespace": "a", "name": "b"},
            "inputs": sides, "outputs": others}  # fmt: skip


def _service(**predictor: object) -> object:
    head = {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "metadata": {"name": "a"}}
    return head | {"spec": {"predictor": predictor}}


def _apart() -> set[str]:
    model = {"type": "machine-learning-model", "name": "m", "bom-ref": "r"}
    ids = f"- {{id: 'urn:uuid:{_SERIAL}#m', kind: Model}}\n- {{id: 'urn:cdx:{_SERIAL}/1#r', kind: Model}}\n"
    return _files("inventory: 1\nnodes:\n" + ids, _bom(components=[model]))


def _raises(call: object) -> set[str]:
    with pytest.raises(LineageError) as caught:
        call()  # type: ignore[operator]
    return {caught.value.problem.code}


def _altered(**parts: object) -> set[str]:
    document = json.loads(to_bytes(Snapshot.build([Node("a", "System")]))) | parts
    return _raises(lambda: from_bytes(json.dumps(document).encode(), SCHEMA))


def _unnamed_edge() -> set[str]:
    graph = to_networkx(Snapshot.build([Node("a", "System")]))
    graph.add_edge("a", "a", key="likes")
    return {problem.code for problem in from_networkx(graph, SCHEMA).problems}


def _bare_node() -> set[str]:
    graph = to_networkx(Snapshot())
    graph.add_node("a")
    return {problem.code for problem in from_networkx(graph, SCHEMA).problems}


def _foreign(own: str, *components: dict[str, object], **parts: object) -> set[str]:
    return _files(f"inventory: 1\nnodes: {own}", _bom(components=list(components), **parts))


def _model(name: str, digest: str = "", **parts: object) -> dict[str, object]:
    hashes = {"hashes": [{"alg": "SHA-256", "content": digest}]} if digest else {}
    return {"type": "machine-learning-model", "name": name} | hashes | parts


def _two_versions() -> set[str]:
    return _foreign("[]", _model("a", "01" * 32, purl="pkg:x/m@1"), _model("b", "01" * 32, purl="pkg:x/m@2"))


def _to_itself() -> set[str]:
    own = "[{id: m, kind: Model, aliases: [pkg:x/a, pkg:x/b]}]"
    ancestor = _model("b", purl="pkg:x/b")
    return _foreign(own, _model("a", purl="pkg:x/a", pedigree={"ancestors": [ancestor]}))


def _whose_digest() -> set[str]:
    digest = "01" * 32
    own = f"[{{id: a, kind: Model, digest: 'sha256:{digest}'}}, {{id: b, kind: Model, digest: 'sha256:{digest}'}}]"
    return _foreign(own, _model("c", digest))


_DATA = {"name": "d", "digest": "1"}


def _card(head: str) -> set[str]:
    return {p.code for p in load_estate({"a.md": f"---\n{head}\n---\n".encode()}, SCHEMA).problems}


def _server_says(answer: tuple[int, str] | None, experiments: Iterable[str] = ()) -> set[str]:
    pytest.importorskip("mlflow", reason="the client of MLflow is not installed")
    from policy_engine.lineage.importers.mlflow import export_server

    with answering(answer) as address, pytest.raises(InputError) as caught:
        export_server(address, datetime(2026, 11, 21, tzinfo=UTC), experiments)
    return set(re.findall(r"PE\d{4}", str(caught.value)))


TRIGGERS = {
    "PE3101": lambda: {p.code for p in load_estate({"a": b"12"}, SCHEMA, limits=Limits(max_bytes=1)).problems},
    "PE3102": lambda: {p.code for p in load_estate({"a": b"\xff"}, SCHEMA).problems},
    "PE3103": lambda: _files("[" * 100),
    "PE3104": lambda: _files("a: ]"),
    "PE3105": lambda: _files("a: 1\na: 1"),
    "PE3106": lambda: _files("a: .inf"),
    "PE3107": lambda: _files("a: &x 1\nb: *x"),
    "PE3108": lambda: _files("a: !!set {}"),
    "PE3109": lambda: {p.code for p in load_estate({"a.json": b'["\\udfff"]'}, SCHEMA).problems},
    "PE3110": lambda: _files("{}: 1"),
    "PE3111": lambda: _files("a: 1"),
    "PE3120": lambda: _nodes("- {id: a}"),
    "PE3121": lambda: _nodes("- a"),
    "PE3122": lambda: _files("inventory: 1\nnodes: []\nx: 1"),
    "PE3123": lambda: _files("inventory: 2"),
    "PE3124": lambda: _nodes("- {id: '', kind: System}"),
    "PE3130": lambda: _files(_bom(dependencies=[{"ref": "x"}])),
    "PE3131": lambda: _files(
        _bom(
            compositions=[], components=[{"type": "file", "name": "x", "modelCard": {"modelParameters": {"task": "t"}}}]
        )
    ),
    "PE3140": lambda: _nodes("- {id: a, kind: Nothing}"),
    "PE3141": lambda: _nodes("- {id: a, kind: System, x: 1}"),
    "PE3112": lambda: _files('{"' + "k" * 1025 + '": 1}'),
    "PE3142": lambda: _nodes("- {id: a, kind: System, users: x}"),
    "PE3143": lambda: _nodes("- {id: a, kind: System, users: 1}\n- {id: a, kind: System, users: 2}"),
    "PE3144": lambda: _nodes("- {id: a, kind: System}\n- {id: a, kind: Model}"),
    "PE3145": lambda: _nodes("- {id: a, kind: System, uses_model: b}"),
    "PE3146": lambda: _nodes("- {id: a, kind: System, uses_model: a}"),
    "PE3147": _apart,
    "PE3148": _unnamed_edge,
    "PE3149": lambda: _nodes("- {id: a, kind: System, aliases: [b]}\n- {id: b, kind: System}"),
    "PE3150": lambda: _raises(lambda: Snapshot.build([Node("a", "System"), Node("a", "System")])),
    "PE3151": lambda: _raises(lambda: Snapshot.build([], [Edge("uses_model", "a", "b")])),
    "PE3152": lambda: _raises(lambda: Snapshot().value("a", "name")),
    "PE3153": lambda: _raises(lambda: to_bytes(Snapshot.build([Node("\udfff", "System")]))),
    "PE3154": lambda: _altered(format="x"),
    "PE3155": lambda: _altered(),
    "PE3156": lambda: _altered(nodes=[{"attributes": {}, "id": "a", "kind": "X", "origins": []}]),
    "PE3160": _bare_node,
    "PE3170": lambda: _foreign("[]", _model("a", **{"bom-ref": "r"}), _model("b", **{"bom-ref": "r"})),
    "PE3171": lambda: _card("model-index: [{results: [{metrics: [{type: accuracy, value: 93.2}]}]}]"),
    "PE3172": lambda: {p.code for p in load_estate({"a.md": b"# Model card"}, SCHEMA).problems},
    "PE3173": lambda: _card("datasets: [The Pile]"),
    "PE3174": lambda: _server_says(None),
    "PE3175": lambda: _server_says((401, "Unauthorized")),
    "PE3176": lambda: _server_says((404, "<html>")),
    "PE3177": lambda: _files(json.dumps({"info": {"run_id": "r"}, "inputs": {"dataset_inputs": [{"dataset": _DATA}]}})),
    "PE3178": lambda: _files(_bom(citations=[{"attributedTo": "a", "expressions": ["$"]}])),
    "PE3179": lambda: _server_says((200, "{}"), experiments=["x"]),
    "PE3180": _two_versions,
    "PE3181": _to_itself,
    "PE3182": _whose_digest,
    "PE3161": lambda: {p.code for p in load_estate({"a.md": b"---\nlicense: mit\n"}, SCHEMA).problems},
    "PE3162": lambda: {p.code for p in load_estate({"a.md": b"\0"}, SCHEMA).problems},
    "PE3163": lambda: set(codes(load(_event(["{{ x }}"])))),
    "PE3164": lambda: set(codes(load(_event([str(n) for n in range(101)])))),
    "PE3165": lambda: set(codes(load(_service(canaryTrafficPercent=10)))),
    "PE3166": lambda: set(codes(load(_service(sklearn={})))),
}


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_raised(code: str) -> None:
    assert code in TRIGGERS[code]()


def test_every_code_that_is_raised_has_its_meaning() -> None:
    folder = Path(policy_engine.lineage.codes.__file__).parent
    # Folders with codes of their own, such as the store, have tests of their own.
    apart = {path.parent for path in folder.glob("*/codes.py")}
    files = [path for path in folder.rglob("*.py") if path.name != "codes.py" and path.parent not in apart]
    sources = [path.read_text() for path in files]
    used = {code for source in sources for code in re.findall(r'"(PE\d{4})"', source)}
    assert used == set(CODES) == set(TRIGGERS)
    assert list(CODES) == sorted(CODES)


def test_no_code_has_another_meaning_elsewhere() -> None:
    assert not set(CODES) & set(policy_dsl.codes.CODES)
    assert not set(CODES) & set(policy_evidence.errors.CODES)
