"""SQLite and PostgreSQL: addresses, engines, clocks, locks, and errors in plain words. Knows no table by name."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import URL, Connection, Engine, Float, create_engine, event, exc, make_url, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from memory.database.tables import Base
from memory.errors import ArchiveError, BadAddress, DatabaseTrouble, DiskTrouble

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql


HEAD = "0003"
"""The newest version in `migrations/`."""


VERSION_TABLE = "alembic_version"


MIGRATION_LOCK = 0x6D6F7261  # "mora": any number will do, as long as every process locks the same one


PRODUCTS_LOCK = MIGRATION_LOCK + 2


SYNC_RARELY = "PRAGMA synchronous = NORMAL"
"""In WAL mode a killed process loses nothing so; a power cut may cost the last steps, which are then taken again."""


class EpochNow(FunctionElement[float]):
    """Seconds since 1970 by the database's clock, so that hosts with different clocks agree on what has expired."""

    type = Float(53)
    inherit_cache = True


@compiles(EpochNow, "sqlite")
def _epoch_sqlite(_element: EpochNow, _compiler: object, **_: object) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(EpochNow, "postgresql")
def _epoch_postgresql(_element: EpochNow, _compiler: object, **_: object) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) AS double precision)"


class Connects(Protocol):
    """Whoever has the connections of the database."""

    def connected(self, *, writes: bool) -> AbstractContextManager[Connection]:
        """Lend a connection for one transaction."""


def parsed(url: str) -> URL:
    """Return the address in parts; BadAddress if it is not one of a SQLite file or a PostgreSQL server."""
    try:
        parts = make_url(url)
    except (exc.ArgumentError, ValueError):
        parts = URL.create("unreadable")
    of_a_file = parts.drivername == "sqlite" and parts.database not in {None, "", ":memory:"} and not parts.query
    if of_a_file or parts.drivername == "postgresql+psycopg":
        return parts
    raise BadAddress(
        "database-address-unsupported",
        f"The database address starts with {parts.drivername!r}, which is not supported; "
        "use sqlite:///PATH or postgresql+psycopg://USER@HOST/NAME.",
        scheme=parts.drivername,
    )


def insert_new(connection: Connection, table: type[Base], *returning: str) -> "sqlite.Insert | postgresql.Insert":
    """Return an INSERT of a row given as parameters that does nothing if there is one; cached, as making it is slow."""
    statement: sqlite.Insert | postgresql.Insert = _insert_new(insert_of(connection), table, returning)
    return statement


@cache
def _insert_new(insert: Callable[..., Any], table: type[Base], returning: tuple[str, ...]) -> Any:
    statement = insert(table).on_conflict_do_nothing()
    return statement.returning(*(getattr(table, name) for name in returning)) if returning else statement


def insert_of(connection: Connection) -> "Callable[..., sqlite.Insert | postgresql.Insert]":
    """Return the maker of INSERT statements with ON CONFLICT, in the dialect of the connection's database."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert
    from sqlalchemy.dialects import postgresql  # as long to import as the rest of memory/

    return postgresql.insert


def lock_products(connection: Connection, *, alone: bool = False) -> None:
    """Keep files and artifacts from being removed while others are added, until the transaction ends. Call it first.

    alone: for whoever removes. A SQLite transaction that writes is alone anyway.
    """
    if connection.dialect.name == "postgresql":
        lock = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
        connection.execute(text(f"SELECT {lock}(:lock)"), {"lock": PRODUCTS_LOCK})


def engine_for(url: URL, busy_seconds: float, silent_seconds: float) -> Engine:
    """Return an engine that waits up to `busy_seconds` for other writers; it opens nothing yet but a new SQLite file.

    silent_seconds: how long a server waits for a process that stands still, or is cut off, in the middle of a write.
    """
    if url.drivername == "sqlite":
        return _sqlite_engine(url, busy_seconds)
    engine = create_engine(
        url,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": max(2, round(busy_seconds)),
            "options": f"-c lock_timeout={_milliseconds(busy_seconds)}",
        },
    )

    @event.listens_for(engine, "begin")
    def _(connection: Connection) -> None:
        # Else its locks outlive its lease: a machine that lost its network keeps them for hours.
        if connection.get_execution_options().get("writes", False):
            silent = _milliseconds(silent_seconds)
            connection.exec_driver_sql(f"SET LOCAL idle_in_transaction_session_timeout = {silent}")

    return engine


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _sqlite_engine(url: URL, busy_seconds: float) -> Engine:
    _make_private(Path(str(url.database)))
    engine = create_engine(url, connect_args={"timeout": busy_seconds}, pool_use_lifo=True)  # the warmest first

    @event.listens_for(engine, "connect")
    def _(connection: DBAPIConnection, _record: object) -> None:
        # Python's sqlite3 would otherwise begin late and deferred: two writers then fail instead of waiting in turn.
        connection.isolation_level = None
        connection.cursor().execute("PRAGMA foreign_keys = ON")
        connection.cursor().execute(SYNC_RARELY)

    @event.listens_for(engine, "begin")
    def _(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _make_private(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise DatabaseTrouble(
            "database-unusable",
            f"The database {path} cannot be opened ({error.strerror}); check its folder and rights.",
            database=str(path),
        ) from error


def compact(engine: Engine) -> None:
    """Free the room that deleted rows took; waits for other writers, and leaves readers alone."""
    raw = engine.raw_connection()
    try:
        if engine.dialect.name == "sqlite":
            raw.cursor().execute("VACUUM")
            raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return
        connection: Any = raw.driver_connection
        connection.autocommit = True
        connection.execute("VACUUM (ANALYZE)")
        connection.autocommit = False
    finally:
        raw.close()


def switch_to_wal(engine: Engine, busy_seconds: float) -> None:
    """Let readers and one writer of a SQLite file work at once, waiting up to `busy_seconds` for others."""
    # SQLite does not always wait its busy timeout here when several processes make the same new file.
    deadline = time.monotonic() + busy_seconds
    while True:
        try:
            raw = engine.raw_connection()
            try:
                raw.cursor().execute("PRAGMA journal_mode = WAL")
            finally:
                raw.close()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


@contextmanager
def plain_words(url: URL) -> Iterator[None]:
    """Raise errors of the database and its driver as DatabaseTrouble or DiskTrouble; broken constraints stay bugs."""
    integrity, failure = _driver_errors(url)
    try:
        yield
    except (exc.IntegrityError, integrity):
        raise
    except (exc.DBAPIError, exc.TimeoutError, failure) as error:
        raise _explained(error, url.render_as_string(hide_password=True)) from error


def _driver_errors(url: URL) -> tuple[type[Exception], type[Exception]]:
    """Return the driver's IntegrityError and Error; the one that is not used is not imported."""
    if url.drivername == "sqlite":
        return sqlite3.IntegrityError, sqlite3.Error
    import psycopg

    return psycopg.IntegrityError, psycopg.Error


def _explained(error: Exception, where: str) -> ArchiveError:
    cause: Any = getattr(error, "orig", None) or error
    said = " ".join(str(cause).split())
    if isinstance(cause, sqlite3.Error):
        return _explained_sqlite(getattr(cause, "sqlite_errorcode", 0) & 0xFF, said, where)
    if hasattr(cause, "sqlstate"):
        return _explained_postgresql(cause.sqlstate or "", said, where)
    return DatabaseTrouble(
        "database-busy", f"The database {where} is too busy ({said}); try again with less at once.", database=where
    )


def _explained_sqlite(code: int, said: str, where: str) -> ArchiveError:
    if code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}:
        return DiskTrouble(
            "disk-full",
            f"The disk does not take more of the database {where} ({said}); make room, then resume.",
            place=where,
        )
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return DatabaseTrouble(
            "database-locked",
            f"The database {where} is locked by another process; end that process or try later.",
            database=where,
        )
    if code in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}:
        return DatabaseTrouble(
            "database-damaged",
            f"{where} is not a database, or is damaged ({said}); restore it or name another file.",
            database=where,
        )
    return DatabaseTrouble(
        "database-unusable",
        f"The database {where} cannot be used ({said}); check the file, its folder and its rights.",
        database=where,
    )


def _explained_postgresql(state: str, said: str, where: str) -> ArchiveError:
    if state == "53100":
        return DiskTrouble(
            "disk-full", f"The disk of the database {where} is full ({said}); make room, then resume.", place=where
        )
    if state == "55P03":
        return DatabaseTrouble(
            "database-locked",
            f"The database {where} is locked by another process; end that process or try later.",
            database=where,
        )
    if state == "25P03":
        return DatabaseTrouble(
            "database-connection-lost",
            f"The database {where} did not wait for this process, which stood still; resume the run.",
            database=where,
        )
    if state == "" or state.startswith(("08", "28", "57P", "3D")):
        return DatabaseTrouble(
            "database-unreachable",
            f"The database {where} cannot be reached ({said}); check the server and the address.",
            database=where,
        )
    return DatabaseTrouble(
        "database-refused", f"The database {where} refused ({said}); check its rights and its tables.", database=where
    )
