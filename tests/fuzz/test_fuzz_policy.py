"""The fuzz target runs: on damaged packs of the library, and for a while under atheris where it is installed."""

import importlib.util
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.fuzz_policy import LIBRARY, one_input

PACKS = sorted(LIBRARY.rglob("*.policy"))
WORDS = b'rule must not every some via { } ( ) " # - 1 . , : < > * upstream of is known \xff \xe2\x80\xae\n'.split(b" ")


@pytest.mark.parametrize("pack", PACKS, ids=lambda p: f"{p.parent.name}.{p.stem}")
def test_damaged_packs_never_raise(pack):
    chance = random.Random(f"{pack.parent.name}.{pack.stem}")
    data = bytearray(pack.read_bytes())
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(data))
        match chance.randrange(3):
            case 0:
                del data[at : at + chance.randint(1, 200)]
            case 1:
                data[at:at] = chance.choice(WORDS)
            case _:
                data[at : at + 1] = bytes([chance.randrange(256)])
    one_input(bytes(data))


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed (extra `fuzz`)")
def test_atheris_finds_nothing(tmp_path):
    for pack in PACKS:
        (tmp_path / pack.name).write_bytes(pack.read_bytes())
    target = Path(__file__).with_name("fuzz_policy.py")
    command = [sys.executable, str(target), str(tmp_path), "-max_total_time=20", "-timeout=10", "-max_len=4096"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-4000:]
