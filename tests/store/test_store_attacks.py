"""Stores that are damaged, altered, foreign, in use or out of reach: a code and plain words, never a wrong answer."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, update

import policy_engine.lineage.store.codes
from policy_engine.app.codes import all_codes
from policy_engine.lineage.errors import LineageError
from policy_engine.lineage.store.codes import CODES
from policy_engine.lineage.store.store import Store
from policy_engine.lineage.store.tables import ABOUT, EDGES, METADATA, MOMENTS, NODES, SNAPSHOTS, SOURCE_NAMES, SOURCES
from tests.lineage.estate_schema import SCHEMA
from tests.store.store_estates import day, estate

ROOT = Path(__file__).parents[2]


def _refused(call: Callable[[], object]) -> str:
    with pytest.raises(LineageError) as caught:
        call()
    problem = caught.value.problem
    assert problem.message[:1].islower() or problem.message.startswith("`")
    assert "Error" not in problem.message
    return problem.code


def _alter(document: str) -> str:
    return document.replace("production", "retired")


TAMPERINGS: dict[str, Callable[[Connection], object]] = {
    "a fact": lambda c: [
        c.execute(update(NODES).where(NODES.c.id == row.id).values(document=_alter(row.document)))
        for row in c.execute(NODES.select()).all()
    ],
    "no document": lambda c: c.execute(update(NODES).values(document="")),
    "no JSON": lambda c: c.execute(update(NODES).values(document="{")),
    "another document": lambda c: c.execute(update(NODES).values(document="[]")),
    "a node removed": lambda c: c.execute(delete(NODES).where(NODES.c.id == "scorer")),
    "a node too late": lambda c: c.execute(update(NODES).where(NODES.c.id == "scorer").values(first=2)),
    "a node too early": lambda c: c.execute(update(NODES).where(NODES.c.id == "scorer").values(last=1)),
    "a node added": lambda c: c.execute(
        NODES.insert().values(id="x", first=1, last=9, kind="Model", document='{"id":"x"}')
    ),
    "an edge turned": lambda c: c.execute(update(EDGES).values(source="scorer", target="credit")),
    "an edge removed": lambda c: c.execute(delete(EDGES)),
    "an edge's origins": lambda c: c.execute(update(EDGES).values(document="[]")),
    "who asserts it": lambda c: c.execute(update(SOURCES).values(document="{}")),
    "a source removed": lambda c: c.execute(delete(SOURCES)),
    "a source unknown": lambda c: c.execute(delete(SOURCE_NAMES)),
    "a source renumbered": lambda c: c.execute(update(SOURCE_NAMES).values(number=7)),
    "the digest": lambda c: c.execute(update(SNAPSHOTS).values(digest="sha256:" + "0" * 64)),
    "an instant": lambda c: c.execute(update(MOMENTS).values(valid_at="2026-03-01")),
    "an instant that is none": lambda c: c.execute(update(MOMENTS).values(taken_at="yesterday")),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_what_somebody_else_changed_is_never_believed(place: str, name: str) -> None:
    store = Store(place, create=True)
    store.put(estate(), day(1))
    with store.database.writing() as connection:
        TAMPERINGS[name](connection)
    assert _refused(lambda: store.get("latest", SCHEMA)) == "PE3303"


def test_checking_a_store_names_the_snapshots_that_were_changed(place: str) -> None:
    store = Store(place, create=True)
    first = store.put(estate("staging"), day(1))
    second = store.put(estate("production"), day(2))
    with store.database.writing() as connection:
        connection.execute(update(NODES).where(NODES.c.first == 2).values(document="{}"))
    assert {digest: error is None for digest, error in store.verify()} == {first.digest: True, second.digest: False}


def test_comparing_stumbles_over_a_row_that_is_none(place: str) -> None:
    store = Store(place, create=True)
    store.put(estate("staging"), day(1))
    store.put(estate("production"), day(2))
    with store.database.writing() as connection:
        connection.execute(update(NODES).where(NODES.c.first == 2).values(document="{}"))
    assert _refused(lambda: list(store.diff(day(1), day(2)))) == "PE3303"


@pytest.mark.parametrize("table", [t for t in METADATA.tables.values() if t is not ABOUT], ids=lambda t: t.name)
def test_a_missing_table_is_damage(place: str, table: object) -> None:
    store = Store(place, create=True)
    store.put(estate(), day(1))
    with store.database.writing() as connection:
        connection.exec_driver_sql(f"DROP TABLE {table}")
    assert _refused(lambda: store.get("latest", SCHEMA)) == "PE3303"


def test_another_version_is_left_alone(place: str) -> None:
    store = Store(place, create=True)
    with store.database.writing() as connection:
        connection.execute(update(ABOUT).values(value="urn:ai-policy-engine:store:v2"))
    assert _refused(lambda: Store(place, create=True)) == "PE3305"


def test_a_database_without_snapshots_is_no_store_until_one_is_put(place: str) -> None:
    if "://" in place:
        assert _refused(lambda: Store(place)) == "PE3301"
    else:
        assert _refused(lambda: Store(place)) == "PE3302"
        assert not Path(place).exists()
    Store(place, create=True)
    assert Store(place).history() == ()


def test_who_waits_too_long_is_told(place: str) -> None:
    store = Store(place, create=True, wait=0.2)
    kept = store.put(estate(), day(1))
    with Store(place).database.writing():
        assert _refused(lambda: store.put(estate("staging"), day(2))) == "PE3304"
        # Reading goes on meanwhile.
        assert store.find().digest == kept.digest
    store.put(estate("staging"), day(2))


def test_who_waits_long_enough_is_served(place: str) -> None:
    import threading

    store = Store(place, create=True, wait=20)
    store.put(estate(users=0), day(1))
    failed: list[BaseException] = []

    def put(number: int) -> None:
        try:
            Store(place, wait=20).put(estate(users=number), day(number))
        except BaseException as error:  # noqa: BLE001 - reported below
            failed.append(error)

    threads = [threading.Thread(target=put, args=(number,)) for number in range(2, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(store.history()) == 6
    assert all(error is None for _, error in store.verify())


# Files


def _store_file(tmp_path: Path) -> Path:
    path = tmp_path / "estate.db"
    Store(str(path), create=True).put(estate(), day(1))
    return path


def test_a_file_that_is_no_store_is_left_as_it_is(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    text = tmp_path / "notes.txt"
    text.write_text("not a database, and long enough to be read as the head of one: " + "x" * 1000)
    for path in (other, text):
        before = path.read_bytes()
        for create in (True, False):
            assert _refused(lambda p=path, c=create: Store(str(p), create=c)) == "PE3301"
        assert path.read_bytes() == before
    assert _refused(lambda: Store(str(tmp_path), create=True)) == "PE3301"


def test_a_store_that_is_not_there_is_not_made_by_asking(tmp_path: Path) -> None:
    assert _refused(lambda: Store(str(tmp_path / "no.db"))) == "PE3302"
    assert _refused(lambda: Store(str(tmp_path / "no" / "no.db"), create=True)) == "PE3302"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_a_file_cut_short_is_damaged(tmp_path: Path, kept: float) -> None:
    path = _store_file(tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    assert _refused(lambda: Store(str(path)).get("latest", SCHEMA)) == "PE3303"


def test_no_changed_byte_gives_a_wrong_answer(tmp_path: Path) -> None:
    path = _store_file(tmp_path)
    data = path.read_bytes()
    for at in range(0, len(data), 257):
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x41]) + data[at + 1 :])
        try:
            found = Store(str(path), wait=0.1).get("latest", SCHEMA)
        except LineageError as error:
            assert error.problem.code in {"PE3301", "PE3302", "PE3303", "PE3305", "PE3306"}
        else:
            assert found == estate()


_CONFINED = """
import _strptime, os, resource, sys
from policy_engine.lineage.errors import LineageError
from policy_engine.lineage.store.store import Store
from tests.lineage.estate_schema import SCHEMA
from tests.store.store_estates import day, estate
what, place = sys.argv[1:]
if what == "protected":
    if os.geteuid() == 0:
        os.setgid(65534); os.setuid(65534)  # root may write anywhere
elif what == "full":
    size = os.stat(place).st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
store = Store(place)
assert store.get("latest", SCHEMA) == estate()
try:
    for number in range(200):
        store.put(estate(users=number, extra="m" * 900 + str(number)), day(2))
except LineageError as error:
    print(error.problem.code)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.getrlimit(resource.RLIMIT_FSIZE)[1],) * 2)
assert store.get(day(1), SCHEMA) == estate()
"""


@pytest.mark.parametrize("what", ["protected", "full"])
def test_a_file_that_cannot_be_written_is_still_read(tmp_path_factory: pytest.TempPathFactory, what: str) -> None:
    import shutil
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="pe-store-"))
    try:
        path = _store_file(folder)
        if what == "protected":
            folder.chmod(0o555)
            path.chmod(0o444)
        ran = subprocess.run(
            [sys.executable, "-c", _CONFINED, what, str(path)],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            timeout=60,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )
        if "Permission" in ran.stderr and "import" in ran.stderr:
            pytest.skip("the other user may not read the project")
        assert (ran.returncode, ran.stdout.strip()) == (0, "PE3302"), ran.stderr
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


def test_an_import_killed_before_it_was_done_is_undone_by_whoever_comes_next(tmp_path: Path) -> None:
    path = _store_file(tmp_path)
    program = (
        "import os, sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('PRAGMA cache_size = 1'); c.execute('BEGIN IMMEDIATE')\n"
        "c.execute('UPDATE policy_nodes SET document = hex(randomblob(20000))')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert (tmp_path / "estate.db-journal").exists()
    assert Store(str(path)).get("latest", SCHEMA) == estate()
    assert [each.name for each in tmp_path.iterdir()] == ["estate.db"]


# Servers


def test_a_server_out_of_reach_is_named_without_its_password(tmp_path: Path) -> None:
    for url in (
        f"postgresql://user:secret@/db?host={tmp_path}",
        "postgresql://user:secret@127.0.0.1:1/db",
        "postgres://user:secret@127.0.0.1:1/db",
    ):
        with pytest.raises(LineageError) as caught:
            Store(url, wait=2)
        assert caught.value.problem.code == "PE3302"
        assert "secret" not in str(caught.value)
    for url in (
        "mysql://user:secret@host/db",
        "https://user:secret@host",
        "sqlite:///x.db",
        "postgresql://host:port/x",
    ):
        with pytest.raises(LineageError) as caught:
            Store(url)
        assert caught.value.problem.code == "PE3302"
        assert "secret" not in str(caught.value)


def test_a_server_that_refuses_says_why(postgres: str) -> None:
    import psycopg

    base = f"host={postgres} user=postgres dbname=postgres"
    assert _refused(lambda: Store(f"postgresql://postgres@/nothing?host={postgres}")) == "PE3302"
    assert _refused(lambda: Store(f"postgresql://nobody@/postgres?host={postgres}")) == "PE3302"
    with psycopg.connect(base, autocommit=True) as connection:
        connection.execute("CREATE DATABASE sealed")
        Store(f"postgresql://postgres@/sealed?host={postgres}", create=True).put(estate(), day(1))
        connection.execute("ALTER DATABASE sealed SET default_transaction_read_only = on")
        connection.execute("CREATE ROLE guest LOGIN")
    sealed = Store(f"postgresql://postgres@/sealed?host={postgres}")
    assert sealed.get("latest", SCHEMA) == estate()
    assert _refused(lambda: sealed.put(estate("staging"), day(2))) == "PE3302"
    guest = Store.__new__(Store)
    assert _refused(lambda: guest.__init__(f"postgresql://guest@/sealed?host={postgres}")) == "PE3302"  # type: ignore[misc]


def test_two_kinds_of_tables_share_a_database(place: str) -> None:
    store = Store(place, create=True)
    store.put(estate(), day(1))
    with store.database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE theirs (x integer)")
    assert Store(place, create=True).get("latest", SCHEMA) == estate()


# Codes


def test_every_code_has_its_meaning_and_is_used() -> None:
    folder = Path(policy_engine.lineage.store.codes.__file__).parent
    sources = [path.read_text() for path in folder.rglob("*.py") if path.name != "codes.py"]
    used = {code for text in sources for code in re.findall(r'"(PE33\d\d)"', text)}
    assert used == set(CODES)
    assert list(CODES) == sorted(CODES)
    assert all(all_codes()[code] == meaning for code, meaning in CODES.items())


def test_the_gate_loads_nothing_of_a_database(tmp_path: Path) -> None:
    inventory = tmp_path / "inventory.yaml"
    inventory.write_text("inventory: 1\nnodes: []\n", encoding="utf-8")
    program = (
        "import atexit, sys\n"
        "atexit.register(lambda: print(sorted({'sqlalchemy', 'sqlite3', 'psycopg', 'duckdb'} & set(sys.modules))))\n"
        "from policy_engine.cli.main import main\nmain(sys.argv[1:])"
    )
    command = [sys.executable, "-c", program, "check", str(inventory)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=60)
    assert ran.stdout.splitlines()[-1] == "[]"
