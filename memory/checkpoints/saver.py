"""The LangGraph saver on the archive's own connections: plain data only, and written by whoever holds the run only."""

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.base import WRITES_IDX_MAP, BaseCheckpointSaver, CheckpointTuple
from langgraph.checkpoint.serde import _msgpack
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from sqlalchemy import URL

from memory import leases
from memory.checkpoints.compression import opened, squeezed
from memory.database.engine import MIGRATION_LOCK, SYNC_RARELY, Connects
from memory.errors import DatabaseTrouble
from memory.leases import Lease

if TYPE_CHECKING:
    import psycopg
    from langchain_core.runnables import RunnableConfig


SETUP_LOCK = MIGRATION_LOCK + 1


class _Fenced:
    """Connections for a saver of LangGraph's: each call of it is one transaction, and with a lease a write of another
    owner is refused in the transaction that would have made it, so that one who was taken for dead leaves nothing."""

    def __init__(self, archive: Connects, lease: Lease | None, *, in_turn: bool) -> None:
        self.lease, self._archive = lease, archive
        self._open = threading.local()
        self._turn = threading.Lock() if in_turn else nullcontext()

    @contextmanager
    def connection(self, *, writes: bool) -> Iterator[Any]:
        """Lend the driver's connection while the transaction lasts; LostLease. In `together`, the same."""
        if (known := getattr(self._open, "connection", None)) is not None:
            yield known
            return
        with self._turn, self._archive.connected(writes=writes) as connection:
            if writes and self.lease is not None:
                leases.require(connection, self.lease)
            yield connection.connection.driver_connection

    @contextmanager
    def together(self) -> Iterator[None]:
        """Make one transaction of what this thread writes in the block."""
        outer = getattr(self._open, "connection", None)
        with self.connection(writes=True) as connection:
            self._open.connection = connection
            try:
                yield
            finally:
                self._open.connection = outer


Writes = tuple["RunnableConfig", Sequence[tuple[str, Any]], str, str]


class _Plain(BaseCheckpointSaver[str]):
    """Before a saver of LangGraph's: DatabaseTrouble for a row that is no checkpoint: somebody else wrote it.

    What a task gave is kept back for the transaction of the checkpoint that follows, which says the same: a step whose
    process dies in between is taken again, and finds in the archive what its agents made and its planner heard.
    """

    def __init__(self, fenced: _Fenced) -> None:
        super().__init__(None, serde=plain_serializer())  # type: ignore[misc]
        self._fenced = fenced
        self._kept: SimpleQueue[Writes] = SimpleQueue()

    def get_tuple(self, config: "RunnableConfig") -> CheckpointTuple | None:
        self.flush()
        with _as_written():
            found = super().get_tuple(config)
            return None if found is None else _looked_at(found)

    def list(self, config: "RunnableConfig | None", **narrowed: Any) -> Iterator[CheckpointTuple]:
        with _as_written():
            for found in super().list(config, **narrowed):
                yield _looked_at(found)

    def put(self, *checkpoint: Any, **named: Any) -> "RunnableConfig":
        with self._fenced.together():
            self.flush()
            return super().put(*checkpoint, **named)

    def put_writes(
        self, config: "RunnableConfig", writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        self._kept.put((config, writes, task_id, task_path))
        # After a question, an answer or an error no step follows; who holds no run, as an import, takes none.
        if self._fenced.lease is None or any(channel in WRITES_IDX_MAP for channel, _ in writes):
            self.flush()

    def flush(self) -> None:
        """Write what was kept back."""
        if self._kept.empty():
            return
        with self._fenced.together(), suppress(Empty):
            while True:
                super().put_writes(*self._kept.get_nowait())


class _SqliteSaver(_Plain, SqliteSaver):
    @contextmanager
    def cursor(self, transaction: bool = True) -> Iterator[sqlite3.Cursor]:
        with self._fenced.connection(writes=transaction) as self.conn, closing(self.conn.cursor()) as cursor:
            yield cursor


def _looked_at(found: CheckpointTuple) -> CheckpointTuple:
    """Return the checkpoint; TypeError if it lacks a part of one."""
    parts: dict[str, type] = {
        "v": int, "id": str, "ts": str, "channel_values": dict, "channel_versions": dict, "versions_seen": dict,
    }  # fmt: skip
    checkpoint: dict[str, Any] = {**found.checkpoint}
    if not isinstance(found.metadata, dict):
        raise TypeError("its metadata is no object")
    for name, kind in parts.items():
        if not isinstance(checkpoint.get(name), kind):
            raise TypeError(f"its {name} is no {kind.__name__}")
    return found


@contextmanager
def _as_written() -> Iterator[None]:
    try:
        yield
    except (AttributeError, KeyError, NotImplementedError, RecursionError, TypeError, ValueError) as error:
        raise DatabaseTrouble(
            "database-row-foreign",
            "A checkpoint in the database was not written by this program "
            f"({str(error)[:100]}); restore the database from a copy, or drop its run.",
        ) from error


def saver_on(archive: Connects, lease: Lease | None, url: URL) -> _Plain:
    """Return a saver on the archive's connections, for any number of threads; call `set_up` before."""
    is_sqlite = url.drivername == "sqlite"
    fenced = _Fenced(archive, lease, in_turn=is_sqlite)
    return _SqliteSaver(fenced) if is_sqlite else _postgres_saver(fenced)


def _postgres_saver(fenced: _Fenced) -> _Plain:
    import psycopg
    from langgraph.checkpoint.postgres import PostgresSaver
    from psycopg.rows import DictRow, dict_row

    class _PostgresSaver(_Plain, PostgresSaver):
        @contextmanager
        def _cursor(self, *, pipeline: bool = False) -> Iterator[psycopg.Cursor[DictRow]]:
            # It asks for a pipeline wherever it writes.
            with (
                fenced.connection(writes=pipeline) as connection,
                connection.cursor(binary=True, row_factory=dict_row) as cursor,
            ):
                yield cursor

    return _PostgresSaver(fenced)


def set_up(url: URL, busy_seconds: float) -> None:
    """Make LangGraph's tables, or bring them to the version of what is installed, by its own statements."""
    if url.drivername == "sqlite":
        with closing(sqlite3.connect(str(url.database), timeout=busy_seconds)) as connection:
            connection.execute(SYNC_RARELY)
            SqliteSaver(connection).setup()
        return
    import psycopg
    from langgraph.checkpoint.postgres import PostgresSaver
    from psycopg.rows import dict_row

    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with (
        # Not one of the archive's: some of the statements refuse to be in a transaction.
        psycopg.Connection.connect(
            address, autocommit=True, row_factory=dict_row, connect_timeout=max(2, round(busy_seconds))
        ) as pg,
        _alone(pg, busy_seconds),
    ):
        PostgresSaver(pg).setup()


class PlainSerializer(JsonPlusSerializer):
    """Restores plain data and LangGraph's and LangChain's own values, from the encodings that are written today.

    What is large is squeezed; its encoding is called what it is without that.
    """

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """Return the name of the encoding, and the bytes."""
        encoding, packed = super().dumps_typed(obj)
        return encoding, squeezed(packed)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """Return the value of the bytes; ValueError for another encoding and for bytes that have none."""
        encoding, packed = data
        # LangGraph would still read "json", with a table of classes to make, and "pickle" where somebody allows it.
        if encoding not in ("null", "msgpack"):
            raise ValueError(f"it is encoded as {encoding!r}")
        return super().loads_typed((encoding, opened(packed)))


def plain_serializer() -> PlainSerializer:
    """Return a serializer of plain data and LangChain's messages; RuntimeError if the process is not strict."""
    if not _msgpack.STRICT_MSGPACK_ENABLED:
        # With the variable unset, a row planted in the database runs code when it is read.
        raise RuntimeError("LANGGRAPH_STRICT_MSGPACK=true must be in the environment before langgraph is imported")
    return PlainSerializer(pickle_fallback=False, allowed_msgpack_modules=[])


@contextmanager
def _alone(connection: "psycopg.Connection[dict[str, object]]", busy_seconds: float) -> Iterator[None]:
    # Asked again and again instead of waited for: a waiting statement holds a snapshot, and the set-up's
    # CREATE INDEX CONCURRENTLY waits for all snapshots, so the two would wait for each other.
    deadline = time.monotonic() + busy_seconds
    while not (connection.execute("SELECT pg_try_advisory_lock(%s) AS got", (SETUP_LOCK,)).fetchone() or {})["got"]:
        if time.monotonic() > deadline:
            raise DatabaseTrouble(
                "database-being-set-up", "Another process is setting up the database and does not end; try again later."
            )
        time.sleep(0.1)
    try:
        yield
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s)", (SETUP_LOCK,))
