"""A large estate is read in a time that grows with its size, and nothing heavy is imported on the way."""

import json
import subprocess
import sys
import time

import pytest

from policy_engine.lineage.load import load_estate
from policy_engine.lineage.snapshot import from_bytes, to_bytes
from tests.lineage.estate_schema import SCHEMA


def _inventory(size: int) -> bytes:
    entry = (
        '{{"id": "m{n}", "kind": "Model", "aliases": ["pkg:x/m{n}"], "name": "Model {n}", "version": "1.{n}",'
        ' "stage": "production", "finetuned_from": ["m{half}", "pkg:x/m{third}"], "trained_on": "d{part}"}}'
    )
    models = ",".join(entry.format(n=n, half=n // 2, third=n // 3, part=n % 1000) for n in range(size - 1000))
    datasets = ",".join(f'{{"id": "d{n}", "kind": "Dataset"}}' for n in range(1000))
    return f'{{"inventory": 1, "nodes": [{models},{datasets}]}}'.encode()


@pytest.mark.slow
def test_a_hundred_thousand_nodes(record_property: object, capsys: object) -> None:
    data = _inventory(100_000)
    start = time.process_time()
    estate = load_estate({"estate.json": data}, SCHEMA)
    loaded = time.process_time()
    written = estate.snapshot.digest
    digested = time.process_time()
    assert estate.problems == ()
    assert len(estate.snapshot.nodes) == 100_000
    assert len(estate.snapshot.targets("m4", "finetuned_from")) == 2
    assert written.startswith("sha256:")
    figures = f"load {loaded - start:.1f} s, digest {digested - loaded:.1f} s"
    with capsys.disabled():  # type: ignore[attr-defined]
        sys.stdout.write(f"\n100,000 nodes, {len(estate.snapshot.edges)} edges, {len(data) / 1e6:.0f} MB: {figures}\n")
    # Far above what it takes, so that only a change of its growth fails here.
    assert loaded - start < 40


def test_many_problems_do_not_make_reading_slow() -> None:
    nodes = [{"id": f"m{n}", "kind": "Model", "finetuned_from": f"x{n}", "colour": n} for n in range(3_000)]
    start = time.process_time()
    estate = load_estate({"a.json": json.dumps({"inventory": 1, "nodes": nodes}).encode()}, SCHEMA)
    assert len(estate.problems) == 6_000
    assert time.process_time() - start < 20


def test_reading_json_loads_nothing_heavy() -> None:
    program = (
        "import sys; import policy_engine.lineage.load, policy_engine.lineage.snapshot;"
        "from policy_dsl.typed.schema import Schema;"
        "policy_engine.lineage.load.load_estate({'a.json': b'{\"inventory\": 1, \"nodes\": []}'}, Schema());"
        "print(sorted({'networkx', 'pydantic', 'yaml', 'cryptography', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_snapshot_of_ten_thousand_nodes_is_read_back() -> None:
    snapshot = load_estate({"estate.json": _inventory(10_000)}, SCHEMA).snapshot
    assert from_bytes(to_bytes(snapshot), SCHEMA) == snapshot
