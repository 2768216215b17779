"""Stores in both databases: a file, and a PostgreSQL server of our own that runs while the tests do."""

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from policy_engine.cli.main import main

_counter = itertools.count(1)


def _binaries() -> Path | None:
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((place for place in places if (place / "initdb").exists() and (place / "pg_ctl").exists()), None)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The directory of the socket of a running server."""
    binaries = _binaries()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed")
    # The server refuses to run as root.
    become = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if become and shutil.which("runuser") is None:
        pytest.skip("PostgreSQL does not run as root, and nobody else can be become")
    # Not in pytest's own folder: another user may not enter that, and paths of sockets are short.
    folder = Path(tempfile.mkdtemp(prefix="pe-pg-"))
    if become:
        shutil.chown(folder, "postgres")
    data = folder / "data"
    create = [*become, binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"]
    control = [*become, binaries / "pg_ctl", "-D", data, "-w", "-l", folder / "log"]
    try:
        subprocess.run([*create, "--locale=C", "--no-sync"], check=True, capture_output=True, cwd="/")
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        subprocess.run([*control, "-o", options, "start"], check=True, stdout=subprocess.DEVNULL, cwd="/")
        yield str(folder)
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=False, stdout=subprocess.DEVNULL, cwd="/")
        shutil.rmtree(folder, ignore_errors=True)


def new_schema(socket: str) -> str:
    """Make an empty schema, and return a URL by which it is the one that is used."""
    import psycopg

    name = f"store{next(_counter)}"
    with psycopg.connect(f"host={socket} user=postgres dbname=postgres", autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
    return f"postgresql://postgres@/postgres?host={socket}&options=-csearch_path%3D{name}"


NewPlace = Callable[[], str]


@pytest.fixture(params=["sqlite", "postgresql"])
def new_place(request: pytest.FixtureRequest, tmp_path: Path) -> NewPlace:
    """Return where a new store can be made, each time another."""
    if request.param == "sqlite":
        return lambda: str(tmp_path / f"store{next(_counter)}.db")
    socket = request.getfixturevalue("postgres")
    return lambda: new_schema(socket)


@pytest.fixture
def place(new_place: NewPlace) -> str:
    """Where a new store can be made."""
    return new_place()


@dataclass(frozen=True)
class Ran:
    """What a command printed and answered."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Run ``policy-engine`` with arguments; a traceback fails the test."""
    monkeypatch.delenv("POLICY_ENGINE_DEBUG", raising=False)
    monkeypatch.delenv("POLICY_ENGINE_STORE", raising=False)

    def ran(*arguments: object) -> Ran:
        with pytest.raises(SystemExit) as stop:
            main([str(a) for a in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        assert "PE0012" not in captured.err, captured.err
        return Ran(int(stop.value.code or 0), captured.out, captured.err)

    return ran
