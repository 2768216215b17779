"""Opening a store, and saying in plain words why that or anything else in it failed.

Rules:

- a store is one SQLite file, named by its path, or a PostgreSQL database, named by its URL;
- a file is made by the first import, never by a question; a file that holds anything else is left alone;
- who writes holds the store alone; whoever else wants to write waits, and is told when that takes too long;
- who reads sees one state, whatever is written meanwhile;
- no password is ever shown.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import Connection, Engine, Table, create_engine, event, inspect, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from policy_engine.lineage.errors import LineageError, lineage_error
from policy_engine.lineage.store.tables import ABOUT, FORMAT, METADATA

WAIT_SECONDS: Final = 30
"""How long a writer waits for another."""

CACHE_KIB: Final = 65_536
"""How much of a file SQLite keeps in memory, and as much again of an import's temporary tables."""

_LOCK: Final = 0x41495045  # any number that all writers of a database agree on
_WRITING: Final = "policy_writing"

# What SQLite (its extended result codes) and PostgreSQL (SQLSTATE, by class or whole) call the things that happen.
_SQLITE: Final = (
    ("SQLITE_NOTADB", "PE3301", "it is not a SQLite file"),
    ("SQLITE_CORRUPT", "PE3303", "its file is damaged"),
    ("SQLITE_BUSY", "PE3304", "somebody else is writing to it"),
    ("SQLITE_LOCKED", "PE3304", "somebody else is writing to it"),
    ("SQLITE_READONLY", "PE3302", "it is write-protected"),
    ("SQLITE_FULL", "PE3302", "there is no space left"),
    ("SQLITE_CANTOPEN", "PE3302", "its file cannot be opened"),
    ("SQLITE_PERM", "PE3302", "the access is not allowed"),
    ("SQLITE_IOERR", "PE3302", "reading or writing its file failed"),
    ("SQLITE_TOOBIG", "PE3309", "a text is too long"),
    ("SQLITE_CONSTRAINT", "PE3303", "its content contradicts itself"),
)
_POSTGRESQL: Final = (
    ("55P03", "PE3304", "somebody else is writing to it"),
    ("40", "PE3304", "somebody else is writing to it"),
    ("53100", "PE3302", "there is no space left"),
    ("25006", "PE3302", "it is write-protected"),
    ("42501", "PE3302", "the access is not allowed"),
    ("28", "PE3302", "the server refuses the user or the password"),
    ("3D000", "PE3302", "the server has no such database"),
    ("42P01", "PE3303", "a table is missing"),
    ("42703", "PE3303", "a column is missing"),
    ("54000", "PE3309", "a name is too long for an index"),
    ("22", "PE3309", "a text cannot be written in its encoding"),
    ("23", "PE3303", "its content contradicts itself"),
)
_ADVICE: Final = {
    "PE3301": "name a store that `snapshot import` made, or a file that does not exist yet",
    "PE3303": "restore it from a backup, or import the estate again into a new store",
    "PE3304": "try again when the other import is done",
}


class Database:
    """An open store: transactions on it, and the name by which messages call it."""

    def __init__(self, place: str, *, create: bool = False, wait: float = WAIT_SECONDS) -> None:
        """Open the store at a path or URL; ``create`` makes the tables where there are none.

        Raises:
            LineageError: it cannot be opened, or is something else.
        """
        self._wait = wait
        self._create = create
        if "://" in place:
            url = _postgresql_url(place)
            self.name = url.render_as_string(hide_password=True)
            self._engine = create_engine(url, poolclass=NullPool, connect_args={"connect_timeout": max(1, int(wait))})
        else:
            self.name = place
            self._engine = _sqlite_engine(Path(place), create=create, wait=wait)
        self._check_or_make()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Look at one state of the store."""
        with self._said(), self._engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Change the store, alone; at the end everything is kept, or after an exception nothing."""
        with self._said(), self._engine.connect() as connection:
            connection.execution_options(**{_WRITING: True})
            with connection.begin():
                if connection.dialect.name == "postgresql":
                    # INVARIANT: the isolation is READ COMMITTED, so that what is read after the wait is current.
                    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {max(1, int(self._wait * 1000))}")
                    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
                yield connection

    def damaged(self, what: str) -> LineageError:
        """Return the error of a store whose content is not what was put into it."""
        return self._error("PE3303", what)

    def _check_or_make(self) -> None:
        with self.reading() as connection:
            tables = set(inspect(connection).get_table_names())
            if ABOUT.name in tables:
                version = connection.execute(select(ABOUT.c.value).where(ABOUT.c.key == "format")).scalar()
                if version != FORMAT:
                    raise self._error("PE3305", f"its format is `{version}`, and only `{FORMAT}` is known")
                return
        if not self._create or (tables and connection.dialect.name == "sqlite"):
            raise self._error("PE3301", "it holds something else" if tables else "it holds no snapshots")
        with self.writing() as connection:
            if not inspect(connection).has_table(ABOUT.name):
                METADATA.create_all(connection)
                connection.execute(ABOUT.insert().values(key="format", value=FORMAT))

    @contextmanager
    def _said(self) -> Iterator[None]:
        """Turn the errors of the libraries into ours."""
        try:
            yield
        except DBAPIError as error:
            raise self._error(*_cause(error.orig)) from error
        except SQLAlchemyError as error:
            raise self._error("PE3302", "the database does not understand the engine") from error
        except self._engine.dialect.loaded_dbapi.Error as error:
            raise self._error(*_cause(error)) from error

    def _error(self, code: str, why: str) -> LineageError:
        words = {
            "PE3301": "this is no store of snapshots",
            "PE3303": "the store is damaged or was changed",
            "PE3304": "the store is in use",
            "PE3305": "the store is of another version",
            "PE3309": "the store cannot hold the snapshot",
        }
        return lineage_error(
            code, f"{words.get(code, 'the store cannot be used')}: {why}", file=self.name, advice=_ADVICE.get(code)
        )


def insert_rows(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert many rows the quickest way that the database has."""
    names = ", ".join(f'"{column}"' for column in columns)
    if connection.dialect.name == "postgresql":
        driver: Any = connection.connection.driver_connection
        with driver.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
            for row in rows:
                copy.write_row(row)
        return
    marks = ", ".join("?" * len(columns))
    connection.exec_driver_sql(f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})', list(rows))  # noqa: S608 - names of our own tables


def _postgresql_url(place: str) -> URL:
    try:
        url = make_url(place)
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.drivername not in {"postgresql", "postgres", "postgresql+psycopg"}:
        scheme = place.partition("://")[0]
        message = f"`{scheme}://` is no kind of store that is known"
        raise lineage_error("PE3302", message, file="store", advice="name a file, or a `postgresql://` URL")
    return url.set(drivername="postgresql+psycopg")


def _sqlite_engine(path: Path, *, create: bool, wait: float) -> Engine:
    # A directory, or a file in none, would be reported by SQLite in words that help nobody.
    if path.is_dir():
        raise lineage_error("PE3301", "this is no store of snapshots: it is a folder", file=str(path))
    if not path.exists() and not (create and path.absolute().parent.is_dir()):
        what = "the folder of the store" if create else "the store"
        raise lineage_error(
            "PE3302", f"{what} does not exist", file=str(path), advice="`snapshot import` makes a store"
        )
    # Reading opens for writing too: only so can SQLite undo what a killed import has left.
    location = f"file:{quote(os.fsencode(path.absolute()))}?mode={'rwc' if create else 'rw'}"

    def connect() -> sqlite3.Connection:
        # With no isolation level of its own, the driver leaves transactions to the event below.
        connection = sqlite3.connect(location, uri=True, timeout=wait, isolation_level=None, check_same_thread=False)
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.execute(f"PRAGMA temp.cache_size = -{CACHE_KIB}")
        connection.execute("PRAGMA secure_delete = ON")  # what is forgotten is overwritten
        return connection

    engine = create_engine("sqlite+pysqlite://", creator=connect, poolclass=NullPool)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get(_WRITING)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _cause(error: BaseException | None) -> tuple[str, str]:
    """Return the code and the reason of an error of a driver."""
    name = getattr(error, "sqlite_errorname", None) or ""
    for known, code, why in _SQLITE:
        if name.startswith(known):
            return code, why
    state = getattr(error, "sqlstate", None) or ""
    for known, code, why in _POSTGRESQL:
        if state.startswith(known):
            return code, why
    if isinstance(error, sqlite3.DatabaseError) and name in {"", "SQLITE_ERROR"}:
        return "PE3303", "a table or a column is not as it was made"
    return "PE3302", "the server cannot be reached" if not state else f"the server says {state}"
