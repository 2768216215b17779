"""Compiled policies kept between runs: the same program, no parser, and nothing believed that is damaged."""

import json
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings

from policy_dsl import compile_bytes
from policy_dsl.storage import FORMAT, StoredProgramError, program_from_bytes, program_to_bytes
from policy_engine.packs import cache
from policy_engine.packs.library import library, select
from tests.property.strategies import programs

FILES = select(["eu_ai_act"], {}).files


def test_the_whole_library_comes_back_as_it_was():
    program, found = compile_bytes(select(library(), {}).files)
    assert program_from_bytes(program_to_bytes(program, found)) == (program, found)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(program=programs())
def test_any_program_comes_back_as_it_was(program):
    assert program_from_bytes(program_to_bytes(program, ()))[0] == program


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[1,2,3]",
        b"[]",
        json.dumps([FORMAT, None, []]).encode(),
        json.dumps([FORMAT, {"#": "os:system", "=": ["true"]}, []]).encode(),
        json.dumps([FORMAT, {"#": "s:re", "=": []}, []]).encode(),
        json.dumps([FORMAT, {"#": "s:dataclass", "=": []}, []]).encode(),
        json.dumps(["policy-program/0", None, []]).encode(),
        b"[" * 100_000,
    ],
)
def test_what_is_no_stored_program_is_refused(data):
    with pytest.raises(StoredProgramError):
        program_from_bytes(data)


def test_a_second_run_loads_and_a_changed_input_compiles(tmp_path):
    first = cache.compile_cached(FILES, {}, tmp_path)
    (stored,) = tmp_path.glob("*.json")
    assert cache.compile_cached(FILES, {}, tmp_path) == first
    name = next(iter(FILES))
    cache.compile_cached({**FILES, name: FILES[name] + b"\n# changed\n"}, {}, tmp_path)
    cache.compile_cached(FILES, {"eu_ai_act.data_governance.datasheet_age": "10 days"}, tmp_path)
    assert len(list(tmp_path.glob("*.json"))) == 3
    assert stored.exists()


def test_a_damaged_store_is_made_again(tmp_path):
    first = cache.compile_cached(FILES, {}, tmp_path)
    (stored,) = tmp_path.glob("*.json")
    stored.write_bytes(stored.read_bytes()[:-10])
    assert cache.compile_cached(FILES, {}, tmp_path) == first
    assert program_from_bytes(stored.read_bytes()) == first


def test_mistakes_are_not_kept_and_no_folder_is_no_harm(tmp_path):
    cache.compile_cached({"a.policy": b"policy a\nuse nothing\n"}, {}, tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    assert cache.compile_cached(FILES, {}, tmp_path / "file")[1] == ()


def test_only_so_many_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "KEPT", 2)
    for number in range(4):
        cache.compile_cached({"a.policy": f"policy a{number}\n".encode()}, {}, tmp_path)
    assert len(list(tmp_path.glob("*.json"))) == 2


def test_a_second_gate_runs_without_the_parser(tmp_path):
    (tmp_path / "inventory.yaml").write_text("inventory: 1\nnodes:\n  - {id: s, kind: System}\n")
    script = (
        "import sys\nfrom policy_engine.cli.main import main\n"
        "try:\n    main(['check', sys.argv[1], '--at', '2027-01-01', '--quiet'])\n"
        "finally:\n    print(sorted({'lark', 'networkx', 'reportlab', 'pikepdf', 'pyhanko'} & set(sys.modules)))\n"
    )
    shown = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / "inventory.yaml")],
            env={"PATH": "", "XDG_CACHE_HOME": str(tmp_path / "cache")},
            capture_output=True,
            text=True,
            check=False,
        )
        shown.append(done.stdout.splitlines()[-1])
        assert done.returncode in {1, 3}, done.stderr
    assert shown == ["['lark']", "[]"]
