"""Estates of any size put in from lines and tables: the same facts as from an inventory, or nothing at all."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy_engine.lineage.errors import LineageError
from policy_engine.lineage.estate import Estate
from policy_engine.lineage.load import load_estate
from policy_engine.lineage.store import lines
from policy_engine.lineage.store.importing import Imported, Moment, import_lines, import_tables
from policy_engine.lineage.store.store import Store
from policy_evidence.canonical import digest
from tests.lineage.estate_schema import SCHEMA
from tests.store.conftest import NewPlace
from tests.store.store_estates import day, estate

HEAD = {"inventory": 1, "asserted_by": "office", "asserted_at": "2026-11-01"}
NODES: list[dict[str, Any]] = [
    {"id": "credit", "kind": "HighRiskSystem", "stage": "production", "users": 120, "uses_model": "the scorer"},
    {"id": "scorer", "kind": "Model", "aliases": ["the scorer"], "trained_on": ["loans", "loans"], "owned_by": []},
    {"id": "loans", "kind": "Dataset", "sensitive_data": ["b", "a"], "description": None, "trains": "scorer"},
    {"id": "other", "kind": "System", "error_rate": 0.5, "thresholds": [0.25, 1], "retention": "1 year 6 months"},
    {"id": "naïve \U0001f600", "kind": "System", "reviewed_at": "2026-01-01T10:00:00+02:00", "name": '\x00\u2028"'},
]


@pytest.fixture
def store(place: str) -> Store:
    return Store(place, create=True)


def _text(entries: list[Any], head: Any = HEAD) -> bytes:
    return "".join(json.dumps(each) + "\n" for each in (head, *entries)).encode()


def _lines(store: Store, data: bytes, number: int = 1, *, strict: bool = False) -> Imported:
    return import_lines(store, io.BytesIO(data), "estate.ndjson", SCHEMA, Moment(day(number)), strict=strict)


def _inventory(entries: list[Any], head: Any = HEAD) -> Estate:
    return load_estate({"estate.json": json.dumps({**head, "nodes": entries}).encode()}, SCHEMA)


def test_lines_mean_what_an_inventory_means(store: Store) -> None:
    done = _lines(store, _text(NODES))
    assert done.problems == ()
    assert done.kept is not None
    snapshot = store.get("latest", SCHEMA)
    assert (snapshot.digest, snapshot.facts_digest) == (done.kept.digest, done.kept.facts_digest)
    assert done.kept.facts_digest == _inventory(NODES).snapshot.facts_digest
    assert (done.kept.nodes, done.kept.edges) == (len(snapshot.nodes), len(snapshot.edges)) == (5, 2)


def test_the_source_is_known_by_its_digest_and_its_head(store: Store) -> None:
    data = _text(NODES)
    _lines(store, data)
    (source,) = store.get("latest", SCHEMA).sources
    assert (source.name, source.sha256, source.asserted_by) == ("estate.ndjson", digest(data), "office")
    assert source.asserted_at is not None


def test_a_fact_is_found_again_by_the_id_of_its_thing(store: Store) -> None:
    _lines(store, _text(NODES))
    fact = store.get("latest", SCHEMA).nodes["credit"].attributes["users"]
    assert [(origin.source, origin.pointer) for origin in fact.origins] == [("estate.ndjson", "/nodes/credit/users")]


def test_the_order_of_lines_says_nothing(store: Store) -> None:
    _lines(store, _text(NODES))
    _lines(store, _text(NODES[::-1]), 2)
    assert list(store.diff(day(1), day(2))) == []
    first, second = store.history()
    assert first.facts_digest == second.facts_digest


def test_importing_again_changes_nothing(store: Store) -> None:
    assert _lines(store, _text(NODES)) == _lines(store, _text(NODES))
    assert len(store.history()) == 1


def test_lines_and_snapshots_share_a_store(store: Store) -> None:
    store.put(estate(), day(1))
    done = _lines(store, _text(NODES), 2)
    assert done.kept is not None
    assert store.get(day(2), SCHEMA).digest == done.kept.digest
    assert store.get(day(1), SCHEMA) == estate()
    assert all(error is None for _, error in store.verify())


_ids = st.sampled_from(["a", "b", "c", "d", "/x~y", "pkg:pypi/Some_Name@1", "hf://org/model", "é"])
_entries = st.lists(
    st.fixed_dictionaries(
        {"id": _ids, "kind": st.sampled_from(["Model", "System", "Dataset", "Nothing"])},
        optional={
            "name": st.text(st.characters(exclude_categories=["Cs"]), max_size=5) | st.integers(0, 3) | st.none(),
            "users": st.integers(-5, 5) | st.just("5"),
            "error_rate": st.decimals(0, 1, places=3).map(float),
            "stage": st.sampled_from(["production", "staging", "x"]),
            "thresholds": st.lists(st.integers(0, 9), max_size=3),
            "uses_model": _ids | st.lists(_ids, max_size=3),
            "trained_on": _ids,
            "depends_on": st.lists(_ids, max_size=3),
            "needed_by": _ids,
            "nonsense": st.just(1),
        },
    ),
    max_size=5,
    unique_by=lambda entry: entry["id"],
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entries=_entries)
def test_lines_mean_what_an_inventory_means_whatever_they_say(new_place: NewPlace, entries: list[Any]) -> None:
    store = Store(new_place(), create=True)
    done, other = _lines(store, _text(entries)), _inventory(entries)
    assert (done.kept is None) == other.has_errors == (done.errors > 0)
    if done.kept is None:
        # A refused entry may leave edges without an end, which the inventory reports too.
        assert {p.code for p in done.problems} <= {p.code for p in other.problems} | {"PE3145"}
        assert store.history() == ()
    else:
        assert done.kept.facts_digest == other.snapshot.facts_digest
        assert store.get("latest", SCHEMA).digest == done.kept.digest
        assert {p.code for p in done.problems} == {p.code for p in other.problems}


_SYSTEM = {"id": "a", "kind": "System"}
BAD: dict[str, tuple[str, int, bytes]] = {
    "nothing at all": ("PE3314", 1, b""),
    "no head": ("PE3314", 1, _text([], _SYSTEM)),
    "the head of a whole inventory": ("PE3314", 1, _text([], {"inventory": 1, "nodes": []})),
    "a head that is no mapping": ("PE3314", 1, _text([], [1])),
    "another version": ("PE3123", 1, _text([], {"inventory": 2})),
    "a key that a head has not": ("PE3122", 1, _text([], {**HEAD, "x": 1})),
    "a head of another shape": ("PE3121", 1, _text([], {**HEAD, "asserted_by": 1})),
    "no JSON": ("PE3104", 3, _text([_SYSTEM]) + b"{]\n"),
    "a key twice": ("PE3105", 2, _text([]) + b'{"id": "a", "id": "a", "kind": "System"}\n'),
    "no number": ("PE3106", 2, _text([]) + b'{"id": "a", "kind": "System", "users": NaN}\n'),
    "a vast number": ("PE3106", 2, _text([]) + b'{"id": "a", "kind": "System", "error_rate": 1e400}\n'),
    "half a character": ("PE3109", 2, _text([]) + b'{"id": "\\ud800", "kind": "System"}\n'),
    "another encoding": ("PE3102", 2, _text([]) + '{"id": "é"}\n'.encode("latin-1")),
    "too deep": ("PE3103", 2, _text([]) + b"[" * 100 + b"]" * 100 + b"\n"),
    "a list": ("PE3121", 2, _text([[1]])),
    "no id": ("PE3120", 2, _text([{"kind": "System"}])),
    "an id that is no text": ("PE3121", 2, _text([{"id": 1, "kind": "System"}])),
    "an id that nobody can read": ("PE3124", 2, _text([{"id": "a\x00", "kind": "System"}])),
    "an id without end": ("PE3124", 2, _text([{"id": "x" * 1025, "kind": "System"}])),
    "no such kind": ("PE3140", 2, _text([{"id": "a", "kind": "Sytem"}])),
    "a value of another type": ("PE3142", 3, _text([_SYSTEM, {"id": "b", "kind": "System", "users": "x"}])),
    "an edge to nowhere": ("PE3145", 2, _text([{**_SYSTEM, "uses_model": "b"}])),
    "an edge that does not fit": ("PE3146", 2, _text([{**_SYSTEM, "uses_model": "a"}])),
    "an edge to no name": ("PE3121", 2, _text([{**_SYSTEM, "uses_model": [1]}])),
    "an id twice": ("PE3311", 4, _text([_SYSTEM, {"id": "b", "kind": "System"}, _SYSTEM])),
    "an id in two spellings": (
        "PE3312",
        3,
        _text([{"id": "hf://o/m", "kind": "Model"}, {"id": "https://huggingface.co/o/m", "kind": "Model"}]),
    ),
    "an alias of two things": (
        "PE3312",
        3,
        _text([{**_SYSTEM, "aliases": "x"}, {"id": "b", "kind": "System", "aliases": ["x"]}]),
    ),
    "an alias that is another's id": ("PE3312", 2, _text([{**_SYSTEM, "aliases": "b"}, {"id": "b", "kind": "System"}])),
    "a line without end": ("PE3313", 2, _text([{**_SYSTEM, "name": "x" * 3000}])),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_named_with_its_line_and_nothing_is_put_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(lines, "MAX_LINE", 2048)
    store = Store(str(tmp_path / "s.db"), create=True)
    store.put(estate(), day(1))
    code, line, data = BAD[name]
    done = _lines(store, data, 2)
    assert done.kept is None
    assert (code, line) in {(problem.code, problem.line) for problem in done.problems}
    assert {problem.file for problem in done.problems} == {"estate.ndjson"}
    assert [kept.digest for kept in store.history()] == [estate().digest]


def test_what_is_left_out_is_a_warning_and_strict_refuses_it(store: Store) -> None:
    data = _text([{**_SYSTEM, "colour": "red"}])
    assert _lines(store, data, strict=True).kept is None
    done = _lines(store, data)
    assert done.kept is not None
    assert [(p.code, p.line, p.is_error) for p in done.problems] == [("PE3141", 2, False)]


def test_of_many_problems_the_first_are_kept_and_all_are_counted(store: Store) -> None:
    warned = [{"id": f"w{n}", "kind": "System", "colour": 1} for n in range(150)]
    wrong = [{"id": f"e{n}", "kind": "Nothing"} for n in range(1000)]
    done = _lines(store, _text([*warned, *wrong]))
    assert (done.kept, done.errors, done.warnings, len(done.problems)) == (None, 1000, 150, 100)
    assert done.problems[0].is_error


# Tables

ROWS = [
    {"id": "credit", "kind": "System", "stage": "production", "users": 120, "placed_on_market": "2026-01-31"},
    {"id": "scorer", "kind": "Model", "version": "1.10"},
    {"id": "shop", "kind": "System", "profiles_persons": True, "error_rate": 0.125, "regions": ["EU", "UK"]},
]
LINKS = [
    {"type": "uses_model", "source": "credit", "target": "scorer"},
    {"type": "used_by", "source": "scorer", "target": "shop"},
]
JOINED = [{**ROWS[0], "uses_model": "scorer"}, ROWS[1], {**ROWS[2], "uses_model": "scorer"}]


def _write(path: Path, rows: list[dict[str, Any]]) -> Path:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    if path.suffix == ".parquet":
        import pyarrow
        import pyarrow.parquet

        pyarrow.parquet.write_table(pyarrow.table({c: [row.get(c) for row in rows] for c in columns}), path)
    elif path.suffix == ".csv":
        import csv

        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(columns)
            for row in rows:
                cells = [row.get(c) for c in columns]
                writer.writerow(json.dumps(c) if isinstance(c, list | bool) else "" if c is None else c for c in cells)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def _tables(store: Store, nodes: Path, edges: Path | None) -> Imported:
    return import_tables(store, nodes, edges, "tables", SCHEMA, Moment(day(1)))


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".ndjson"])
def test_tables_mean_what_an_inventory_means(store: Store, tmp_path: Path, suffix: str) -> None:
    pytest.importorskip("duckdb")
    nodes, edges = _write(tmp_path / f"nodes{suffix}", ROWS), _write(tmp_path / f"edges{suffix}", LINKS)
    done = _tables(store, nodes, edges)
    assert done.problems == ()
    assert done.kept is not None
    assert done.kept.facts_digest == _inventory(JOINED).snapshot.facts_digest
    found = store.get("latest", SCHEMA)
    assert found.digest == done.kept.digest
    assert found.value("shop", "error_rate") == Decimal("0.125")


def test_typed_columns_are_read_as_what_they_are(store: Store, tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    import datetime as dt

    typed = {
        "placed_on_market": dt.date(2026, 1, 31),
        "reviewed_at": dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC),
        "error_rate": Decimal("0.250"),
        "uses_model": ["m"],
    }
    rows = [{"id": "a", "kind": "System", **typed}, {"id": "m", "kind": "Model"}]
    done = _tables(store, _write(tmp_path / "n.parquet", rows), None)
    assert done.problems == ()
    written = {"placed_on_market": "2026-01-31", "reviewed_at": "2026-01-31T12:00:00Z", "uses_model": "m"}
    same = _inventory([{"id": "a", "kind": "System", **written}, {"id": "m", "kind": "Model"}]).snapshot
    found = store.get("latest", SCHEMA)
    assert found.nodes["a"].attributes["error_rate"].value == Decimal("0.250")
    for name in ("placed_on_market", "reviewed_at"):
        assert found.value("a", name) == same.value("a", name)
    assert found.targets("a", "uses_model") == ("m",)


def test_a_table_that_is_none_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    store = Store(str(tmp_path / "s.db"), create=True)
    good = _write(tmp_path / "good.csv", ROWS)
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 and then nothing")
    bare = _write(tmp_path / "bare.csv", [{"id": "a"}])
    cases = {
        "PE3316": [(tmp_path / "bad.parquet", None), (tmp_path / "no.xlsx", None), (good, tmp_path / "bad.parquet")],
        "PE3315": [(bare, None), (good, good)],
    }
    for code, pairs in cases.items():
        for nodes, edges in pairs:
            with pytest.raises(LineageError) as caught:
                _tables(store, nodes, edges)
            assert caught.value.problem.code == code
    assert store.history() == ()


def test_what_is_wrong_in_a_table_is_named_with_its_row(tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    store = Store(str(tmp_path / "s.db"), create=True)
    nodes = _write(tmp_path / "nodes.csv", [*ROWS, {"id": "x", "kind": "System", "users": "many"}])
    edges = _write(tmp_path / "edges.csv", [*LINKS, {"type": "likes", "source": "a", "target": "b"}, {"type": "x"}])
    done = _tables(store, nodes, edges)
    assert done.kept is None
    assert {(p.code, p.line) for p in done.problems} == {("PE3142", 4), ("PE3148", 3), ("PE3120", 4)}


# Size, and death in the middle

_PROGRAM = """
import re, sys
from pathlib import Path
from policy_engine.lineage.store.importing import Moment, import_lines
from policy_engine.lineage.store import database
from policy_engine.lineage.store.store import Store
from tests.lineage.estate_schema import SCHEMA
from tests.store.store_estates import day

database.CACHE_KIB = 2_048  # so that what is seen to grow is not the cache, which has a bound of its own

class Told:
    def stage(self, name, total=None):
        print(name, flush=True)
    def step(self, part="", count=1):
        pass

with Path(sys.argv[1]).open("rb") as stream:
    store = Store(sys.argv[2], create=True)
    done = import_lines(store, stream, "estate.ndjson", SCHEMA, Moment(day(9)), progress=Told())
assert done.kept, done.problems
status = Path("/proc/self/status")
# Not ru_maxrss: that of a child begins with what its parent had.
print(int(re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1]) // 1024 if status.exists() else 0)
"""
ROOT = Path(__file__).parents[2]


def _many(path: Path, count: int) -> Path:
    with path.open("w", encoding="utf-8") as stream:
        stream.write(json.dumps(HEAD) + "\n")
        for n in range(count):
            number = n * 7919 % count
            entry: dict[str, Any] = {"id": f"thing-{number:07}", "kind": "Dataset", "name": f"Thing {number}"}
            entry["derived_from"] = [f"thing-{(number * 31 + k) % count:07}" for k in range(3)]
            stream.write(json.dumps(entry) + "\n")
    return path


def _started(data: Path, place: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _PROGRAM, str(data), place]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT)


@pytest.mark.parametrize("stage", ["reading", "sorting edges", "comparing with the last snapshot"])
def test_a_killed_import_leaves_the_last_snapshot(place: str, tmp_path: Path, stage: str) -> None:
    Store(place, create=True).put(estate(), day(1))
    data = _many(tmp_path / "many.ndjson", 10_000)
    process = _started(data, place)
    assert process.stdout is not None
    with process.stdout as told:
        assert any(line.strip() == stage for line in told)
        process.send_signal(signal.SIGKILL)
        process.wait()
    if process.returncode == 0:
        pytest.skip("it was done too soon to be killed")
    store = Store(place)
    assert [kept.digest for kept in store.history()] == [estate().digest]
    assert store.get("latest", SCHEMA) == estate()
    assert all(error is None for _, error in store.verify())
    # And what was killed is simply done again.
    assert _lines(store, _text(NODES), 2).kept is not None
    assert all(error is None for _, error in store.verify())


def test_memory_does_not_grow_with_the_estate(tmp_path: Path) -> None:
    used = {}
    for count in (5_000, 25_000):
        process = _started(_many(tmp_path / f"{count}.ndjson", count), str(tmp_path / f"{count}.db"))
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 0, out
        used[count] = int(out.split()[-1])
    # As objects of Python, twenty thousand things with their relations would take some fifty more.
    assert used[25_000] - used[5_000] < 12
