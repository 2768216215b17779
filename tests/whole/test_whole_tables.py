"""Tables, a store and documents give the same columns, and what is wrong in tables is told with its line."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from policy_dsl import compile_packs
from policy_dsl.source import SourceFile
from policy_dsl.typed.schema import Schema
from policy_engine.lineage.columns.arrays import Numpy
from policy_engine.lineage.columns.reader import EstateFile
from policy_engine.lineage.columns.stored import read_snapshot
from policy_engine.lineage.columns.subjects import Ranks, Subjects
from policy_engine.lineage.columns.table import EstateTable
from policy_engine.lineage.columns.tables import read_tables
from policy_engine.lineage.columns.writer import estate_bytes, table_of
from policy_engine.lineage.graph import Snapshot, subject_digests
from policy_engine.lineage.load import load_estate
from policy_engine.lineage.snapshot import to_bytes
from policy_engine.lineage.store.findings import Findings
from policy_engine.lineage.store.importing import Moment, import_tables
from policy_engine.lineage.store.store import Store
from policy_engine.model.evidence import EvidenceSet

AT = datetime(2026, 3, 1, tzinfo=UTC)
SCHEMA = """policy schema
enum Stage { development, production }
node Thing { name: Text  version: Text  digest: Text }
node System is Thing { stage: Stage  users: Integer  share: Number  live: Boolean  since: Date  seen: Instant
    fee: Money  kept: Duration  regions: set of Text  levels: set of Integer }
node Model is Thing { users: Text }
node Dataset is Thing
edge uses_model from System to Model reverse used_by part
edge trained_on from Model to Dataset reverse trains lineage
"""
THINGS = [
    {"id": "s", "kind": "System", "name": 'Say "hé"\\', "stage": "production", "users": 7, "share": "0.80"},
    {"id": "t", "kind": "System", "name": "tab\there", "live": True, "since": "2026-01-31", "uses_model": "m"},
    {"id": "u", "kind": "System", "seen": "2026-01-31T10:00:00Z", "fee": "2.50 EUR", "kept": "1 year 6 months"},
    {"id": "v", "kind": "System", "regions": ["eu", "uk"], "levels": [3, 1], "uses_model": ["m", "n"]},
    {"id": "m", "kind": "Model", "users": "few", "version": "1.10", "trained_on": ["https://example.org/d/"]},
    {"id": "n", "kind": "Model", "aliases": ["scorer", "hf://org/n"], "users": "7"},
    {"id": "https://example.org:443/d", "kind": "Dataset", "digest": "sha256:" + "ab" * 32, "name": "D"},
    {"id": "é", "kind": "Dataset", "trains": "scorer"},
    {"id": "\U0001f600", "kind": "Dataset", "name": "D"},
]
EDGES = [
    ("trained_on", "https://huggingface.co/org/n", "\U0001f600"),
    ("used_by", "scorer", "s"),
    ("uses_model", "s", "n"),
    ("uses_model", "s", "m"),
]


@pytest.fixture(scope="module")
def schema() -> Schema:
    program, found = compile_packs([SourceFile("s.policy", SCHEMA)])
    assert found == ()
    return program.schema


def cell(value: object) -> str:
    if isinstance(value, list):
        text = json.dumps(value, ensure_ascii=False)
    else:
        text = str(value).lower() if isinstance(value, bool) else str(value)
    return '"' + text.replace('"', '""') + '"'


def csv(folder: Path, things: list[dict[str, object]], edges: list[tuple[str, str, str]]) -> tuple[Path, Path]:
    keys = list(dict.fromkeys(key for thing in things for key in thing))
    rows = [",".join(keys), *(",".join(cell(t[k]) if k in t else "" for k in keys) for t in things)]
    (folder / "nodes.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    lines = ["type,source,target", *(",".join(map(cell, edge)) for edge in edges)]
    (folder / "edges.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "nodes.csv", folder / "edges.csv"


def parquet(folder: Path, things: list[dict[str, object]]) -> Path:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    keys = list(dict.fromkeys(key for thing in things for key in thing))
    columns: dict[str, list[object]] = {key: [thing.get(key) for thing in things] for key in keys}
    for key in ("uses_model", "trained_on", "trains", "aliases", "regions"):
        columns[key] = [[v] if isinstance(v, str) else v for v in columns[key]]
    for key in ("users", "share"):
        columns[key] = [None] * len(things)
    pq.write_table(pa.table(columns), folder / "nodes.parquet")
    return folder / "nodes.parquet"


def read(nodes: Path, edges: Path | None, schema: Schema) -> tuple[EstateTable, list[str]]:
    findings = Findings("nodes"), Findings("edges")
    table = read_tables(nodes, edges, schema, findings)
    return table, [str(problem) for one in findings for problem in one.problems]


def in_store(folder: Path, nodes: Path, edges: Path | None, schema: Schema) -> tuple[Store, Snapshot]:
    store = Store(str(folder / "estate.db"), create=True)
    done = import_tables(store, nodes, edges, "nodes", schema, Moment(AT))
    assert [str(p) for p in done.problems] == []
    return store, store.get("latest", schema)


def same(one: EstateTable, other: EstateTable) -> None:
    files = EstateFile(estate_bytes(one, Numpy())), EstateFile(estate_bytes(other))
    assert files[0].names == files[1].names
    for name in files[0].names:
        assert bytes(files[0].section(name)) == bytes(files[1].section(name)), name


def test_tables_a_store_and_a_snapshot_give_the_same_columns(tmp_path: Path, schema: Schema) -> None:
    nodes, edges = csv(tmp_path, THINGS, EDGES)
    table, problems = read(nodes, edges, schema)
    assert problems == []
    store, snapshot = in_store(tmp_path, nodes, edges, schema)
    assert len(table.edges.type) == len(snapshot.edges) == 8
    same(table, table_of(snapshot, EvidenceSet()))
    same(read_snapshot(store.document("latest"), schema), table_of(snapshot, EvidenceSet()))


def test_typed_tables_too(tmp_path: Path, schema: Schema) -> None:
    nodes = parquet(tmp_path, THINGS)
    table, problems = read(nodes, None, schema)
    assert problems == []
    same(table, table_of(in_store(tmp_path, nodes, None, schema)[1], EvidenceSet()))


def test_subjects_are_those_of_the_snapshot(tmp_path: Path, schema: Schema) -> None:
    nodes, edges = csv(tmp_path, THINGS, EDGES)
    table, _ = read(nodes, edges, schema)
    _, snapshot = in_store(tmp_path, nodes, edges, schema)
    assert dict(Subjects(table)) == {node.id: subject_digests(node) for node in snapshot.nodes.values()}
    ranks = Ranks(table.ids)
    assert [ranks[one] for one in snapshot.nodes] == list(range(len(snapshot.nodes)))
    assert "\ud800" not in ranks
    assert "nobody" not in ranks


def test_contradictions_are_kept(schema: Schema) -> None:
    sources = {
        "a.yaml": b"inventory: 1\nasserted_by: a\nnodes: [{id: m, kind: Model, version: '1'}]",
        "b.yaml": b"inventory: 1\nasserted_by: b\nnodes: [{id: m, kind: Model, version: '2'}]",
    }
    snapshot = load_estate(sources, schema).snapshot
    assert snapshot.is_contradicted("m", "version")
    data = to_bytes(snapshot)
    # Pieces may end anywhere, within a character too.
    same(read_snapshot((data[at : at + 1] for at in range(len(data))), schema), table_of(snapshot, EvidenceSet()))


@pytest.mark.parametrize(
    ("things", "edges", "said"),
    [
        ([{"id": "s", "kind": "Sistem"}], [], "nodes:1: error[PE3140]: `s` is of kind `Sistem`"),
        ([{"id": "s", "kind": "System"}, {"id": "s", "kind": "Model"}], [], "nodes:2: error[PE3311]: `s` stands here"),
        ([{"id": "s", "kind": "System"}, {"kind": "System"}], [], "nodes:2: error[PE3120]: a node needs `id`"),
        ([{"id": " s", "kind": "System"}], [], "nodes:1: error[PE3124]"),
        ([{"id": "s", "kind": "System", "stage": "prod"}], [], "nodes:1: error[PE3142]: `stage` is the text `prod`"),
        ([{"id": "s", "kind": "System", "share": "nan"}], [], "nodes:1: error[PE3142]"),
        ([{"id": "s", "kind": "System", "colour": "red"}], [], "nodes:1: warning[PE3141]: `colour` is no attribute"),
        ([{"id": "s", "kind": "System", "uses_model": "m"}], [], "nodes:1: error[PE3145]: `uses_model` names `m`"),
        ([{"id": "s", "kind": "System", "uses_model": "[1]"}], [], "nodes:1: error[PE3121]: a list of names"),
        ([{"id": "s", "kind": "System"}], [("uses", "s", "s")], "edges:1: error[PE3148]: there is no edge `uses`"),
        (
            [{"id": "s", "kind": "System"}],
            [("uses_model", "s", "s")],
            "edges:1: error[PE3146]: `uses_model` leads from",
        ),
        ([{"id": "s", "kind": "System"}], [("uses_model", "s", "m")], "edges:1: error[PE3145]: `uses_model` names `m`"),
        ([{"id": "s", "kind": "System"}], [("uses_model", "", "s")], "edges:1: error[PE3120]"),
        (
            [{"id": "a", "kind": "Model", "aliases": "x"}, {"id": "b", "kind": "Model", "aliases": "x"}],
            [],
            "nodes:2: error[PE3312]: `x` is an alias of `a` and of `b`",
        ),
        (
            [{"id": "a", "kind": "Model", "aliases": "b"}, {"id": "b", "kind": "Model"}],
            [],
            "error[PE3312]: `b` is an alias of `a`, and the id of another thing",
        ),
    ],
)
def test_what_is_wrong_is_told(
    tmp_path: Path,
    schema: Schema,
    things: list[dict[str, object]],
    edges: list[tuple[str, str, str]],
    said: str,
) -> None:
    nodes, links = csv(tmp_path, things, edges)
    _, problems = read(nodes, links, schema)
    assert any(said in problem for problem in problems), problems


def test_many_lines_with_one_fault_are_one_problem(tmp_path: Path, schema: Schema) -> None:
    things = [{"id": f"s{n}", "kind": "System", "stage": "prod"} for n in range(1000)]
    nodes, _ = csv(tmp_path, things, [])
    findings = Findings("nodes"), Findings("edges")
    read_tables(nodes, None, schema, findings)
    assert findings[0].errors == 1000
    (problem,) = findings[0].problems
    expected = "`stage` is the text `prod`, and one of `development`, `production` is expected"
    assert str(problem) == f"nodes:1: error[PE3142]: {expected}, and so on 999 more lines (at stage)"
