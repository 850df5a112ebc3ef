"""LangGraph's tables beside its saver: what a thread names and weighs, and how it is pruned, moved and dropped.

The saver has no such calls for SQLite. Sessions are lent, not opened; nothing is deserialised here.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import TextClause, bindparam, inspect, text
from sqlalchemy.orm import Session
from ulid import ULID

from memory.checkpoints.compression import opened

ARTIFACT = re.compile(rb"\b(?:image|clip|film)-[0-9a-f]{16}\b")
ARRIVING = "import-"
"""How the thread of a run is called until the run is there."""


@dataclass(frozen=True)
class Table:
    """A table of the saver's, and those of its columns that hold bytes or JSON."""

    name: str
    heavy: tuple[str, ...]


CHECKPOINTS = Table("checkpoints", ("checkpoint", "metadata"))
SQLITE = (CHECKPOINTS, Table("writes", ("value",)))
POSTGRESQL = (CHECKPOINTS, Table("checkpoint_blobs", ("blob",)), Table("checkpoint_writes", ("blob",)))


def tables(session: Session) -> tuple[Table, ...]:
    """Return the saver's tables in this database; none before the first checkpoint."""
    connection = session.connection()
    if not inspect(connection).has_table(CHECKPOINTS.name):
        return ()
    return SQLITE if connection.dialect.name == "sqlite" else POSTGRESQL


def named(session: Session, thread: str) -> set[str]:
    """Return ids of artifacts that the thread names anywhere: msgpack holds strings as they are, so none is parsed."""
    found: set[bytes] = set()
    for table in tables(session):
        for column in table.heavy:
            rows = session.execute(
                text(f"SELECT {_as_bytes(session, column)} FROM {table.name} WHERE thread_id = :thread"),
                {"thread": thread},
            )
            for (value,) in rows:
                found.update(ARTIFACT.findall(_opened(bytes(value or b""))))
    return {one.decode() for one in found}


def _opened(value: bytes) -> bytes:
    try:
        return opened(value)
    except ValueError:
        return value  # damaged: whoever reads it is told; what it names is no longer to be known


def weight(session: Session, thread: str, steps: Collection[str] | None = None) -> int:
    """Count the bytes of the thread's rows, or of some of its checkpoints; PostgreSQL's shared values are left out."""
    total = 0
    for table in tables(session):
        if steps is not None and table.name == "checkpoint_blobs":
            continue
        columns = " + ".join(f"coalesce(length({_as_bytes(session, column)}), 0)" for column in table.heavy)
        total += session.execute(
            *_of(f"SELECT coalesce(sum({columns}), 0) FROM {table.name}", thread, steps)
        ).scalar_one()
    return int(total)


def drop(session: Session, thread: str) -> None:
    """Delete all of the thread."""
    for table in tables(session):
        session.execute(*_of(f"DELETE FROM {table.name}", thread))


def rename(session: Session, thread: str, to: str) -> None:
    """Give the thread to another run."""
    for table in tables(session):
        session.execute(
            text(f"UPDATE {table.name} SET thread_id = :to WHERE thread_id = :thread"), {"to": to, "thread": thread}
        )


def prune(session: Session, thread: str, steps: Collection[str], parents: Mapping[str, str | None]) -> None:
    """Delete the checkpoints `steps` of the thread with their writes, and give others the new `parents`."""
    known = {table.name for table in tables(session)}
    for table in sorted(known - {"checkpoint_blobs"}):
        session.execute(*_of(f"DELETE FROM {table}", thread, steps))
    for step, parent in parents.items():
        session.execute(text(_NEW_PARENT), {"parent": parent, "thread": thread, "step": step})
    if "checkpoint_blobs" in known:
        session.execute(text(_UNUSED_BLOBS), {"thread": thread})


_NEW_PARENT = """
UPDATE checkpoints SET parent_checkpoint_id = :parent WHERE thread_id = :thread AND checkpoint_id = :step
"""
_UNUSED_BLOBS = """
DELETE FROM checkpoint_blobs AS b WHERE b.thread_id = :thread AND NOT EXISTS (
    SELECT 1 FROM checkpoints AS c WHERE c.thread_id = b.thread_id AND c.checkpoint_ns = b.checkpoint_ns
    AND c.checkpoint -> 'channel_versions' ->> b.channel = b.version
)
"""


def began(thread: str) -> datetime:
    """Return when the import began that the thread belongs to."""
    try:
        return ULID.from_str(thread.removeprefix(ARRIVING).upper()).datetime
    except ValueError:
        return datetime.fromtimestamp(0, UTC)


def arriving(session: Session) -> list[str]:
    """Return the threads of runs that are being imported, or whose import was cut off."""
    if not tables(session):
        return []
    rows = session.execute(
        text("SELECT DISTINCT thread_id FROM checkpoints WHERE thread_id LIKE :begin ORDER BY thread_id"),
        {"begin": f"{ARRIVING}%"},
    )
    return [thread for (thread,) in rows]


def _of(statement: str, thread: str, steps: Iterable[str] | None = None) -> tuple[TextClause, dict[str, object]]:
    """The statement for one thread, or for some of its checkpoints, with its parameters."""
    if steps is None:
        return text(f"{statement} WHERE thread_id = :thread"), {"thread": thread}
    narrowed = text(f"{statement} WHERE thread_id = :thread AND checkpoint_id IN :steps")
    return narrowed.bindparams(bindparam("steps", expanding=True)), {"thread": thread, "steps": list(steps)}


def _as_bytes(session: Session, column: str) -> str:
    if session.get_bind().dialect.name == "sqlite":
        return f"CAST({column} AS BLOB)"
    return column if column == "blob" else f"convert_to({column}::text, 'UTF8')"
