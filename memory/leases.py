"""One writer per run: a row with a fencing number, alive while its holder renews it. Transactions are lent."""

import logging
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
from sqlalchemy import Connection, Dialect, Float, bindparam, select, update
from sqlalchemy.orm import Session

from memory.database.engine import EpochNow, insert_of
from memory.database.tables import LeaseRow
from memory.errors import ArchiveError, LostLease, RunIsHeld

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Lease:
    """The right to write to a run. Each taking has a greater `fence` than all before, and its own `owner` token.

    pause: how its holder waits so many seconds for others; it may raise instead, and ends the waiting.
    """

    run: str
    owner: str
    fence: int
    pause: Callable[[float], None] = field(default=time.sleep, compare=False, repr=False)


def take(connection: Connection, run: str, life_seconds: float, pause: Callable[[float], None] = time.sleep) -> Lease:
    """Take the lease of a run that is free, expired, or whose holder died on this host; RunIsHeld otherwise."""
    owner = uuid4().hex
    mine: dict[str, Any] = {**_this_process(), "owner": owner, "since": datetime.now(UTC)}
    fence = connection.scalar(_taking(insert_of(connection)), {"run": run, "life": life_seconds, **mine})
    if fence is None:
        with Session(connection) as session:
            fence = _take_from_the_dead(session, run, {**mine, "expires": EpochNow() + life_seconds})
    return Lease(run=run, owner=owner, fence=fence, pause=pause)


@cache
def _taking(insert: Callable[..., Any]) -> Any:
    mine = ("owner", "host", "pid_space", "pid", "started", "since")
    until = EpochNow() + bindparam("life", type_=Float(53))
    new = insert(LeaseRow).values(
        {"run": bindparam("run"), "fence": 1, "expires": until, **{name: bindparam(name) for name in mine}}
    )
    again = {name: new.excluded[name] for name in (*mine, "expires")}
    return new.on_conflict_do_update(
        index_elements=[LeaseRow.run],
        set_={**again, "fence": LeaseRow.fence + 1},
        where=LeaseRow.expires < EpochNow(),
    ).returning(LeaseRow.fence)


_IS = tuple(getattr(LeaseRow, name) == bindparam(f"of_{name}") for name in ("run", "owner", "fence"))
_HELD = select(LeaseRow.fence).where(*_IS).with_for_update(read=True)
_RELEASED = update(LeaseRow).where(*_IS).values(owner="", expires=0.0)


def _named(lease: Lease) -> dict[str, object]:
    return {"of_run": lease.run, "of_owner": lease.owner, "of_fence": lease.fence}


@lru_cache(8)
def _held_words(dialect: Dialect) -> tuple[str, tuple[str, ...] | None]:
    """Return the SQL and the order of its parameters: asked with every checkpoint, and so compiled once."""
    made = _HELD.compile(dialect=dialect)
    return str(made), None if made.positiontup is None else tuple(made.positiontup)


def renew(connection: Connection, lease: Lease, life_seconds: float) -> bool:
    """Prolong the lease from now; False if somebody else has it."""
    statement = update(LeaseRow).where(*_IS).values(expires=EpochNow() + life_seconds).returning(LeaseRow.fence)
    return connection.scalar(statement, _named(lease)) is not None


def release(connection: Connection, lease: Lease) -> None:
    """End the lease, if it is still held; the fence stays where it is."""
    connection.execute(_RELEASED, _named(lease))


def require(connection: Connection, lease: Lease) -> None:
    """Raise LostLease unless the lease is the newest one; nobody can take it until the transaction ends."""
    named = _named(lease)
    words, order = _held_words(connection.dialect)
    held = connection.exec_driver_sql(words, named if order is None else tuple(named[name] for name in order))
    if held.first() is None:
        raise LostLease(
            "lease-lost",
            f"Run {lease.run} is not held by this process any more (given back, or taken over).",
            run=lease.run,
        )


@contextmanager
def best_effort(what: str) -> Iterator[None]:
    """Log an ArchiveError instead of raising it: what is left undone expires, and must not hide the error before it."""
    try:
        yield
    except ArchiveError as error:
        logger.warning("Could not %s: %s", what, error)


def refuse_held(session: Session, run: str) -> None:
    """Raise RunIsHeld while somebody alive has the run; else nobody takes its lease until the transaction ends."""
    row = session.scalar(
        select(LeaseRow).where(LeaseRow.run == run).with_for_update().execution_options(populate_existing=True)
    )
    if row is not None and is_alive(session, run, row.owner):
        raise _held(row)


def is_alive(session: Session, run: str, owner: str) -> bool:
    """Return whether the lease of that owner has neither ended nor expired, and its process is not known to be dead."""
    row = session.scalar(
        select(LeaseRow)
        .where(LeaseRow.run == run, LeaseRow.owner == owner, LeaseRow.expires >= EpochNow())
        .execution_options(populate_existing=True)
    )
    return row is not None and not _died_here(row)


def _take_from_the_dead(session: Session, run: str, mine: dict[str, Any]) -> int:
    row = session.scalars(select(LeaseRow).where(LeaseRow.run == run).execution_options(populate_existing=True)).one()
    if not _died_here(row):
        raise _held(row)
    statement = update(LeaseRow).where(LeaseRow.run == run, LeaseRow.fence == row.fence, LeaseRow.owner == row.owner)
    fence: int | None = session.scalar(statement.values(**mine, fence=row.fence + 1).returning(LeaseRow.fence))
    if fence is None:
        raise RunIsHeld("run-held", f"Run {run} was just taken by another process; wait for it, or stop it.", run=run)
    return fence


def _held(row: LeaseRow) -> RunIsHeld:
    since = row.since.strftime("%Y-%m-%d %H:%M:%S UTC")
    return RunIsHeld(
        "run-held",
        f"Run {row.run} is held by process {row.pid} on {row.host} since {since}; wait for it to end, or stop it.",
        run=row.run,
        process=row.pid,
        host=row.host,
    )


def _this_process() -> dict[str, object]:
    return {"host": socket.gethostname(), **_process(os.getpid())}


@cache
def _process(pid: int) -> dict[str, object]:
    return {"pid_space": _pid_space(), "pid": pid, "started": _started(pid)}


@cache
def _pid_space() -> str:
    # Two containers may share a host name and not their process numbers.
    namespace = Path("/proc/self/ns/pid")
    return str(namespace.stat().st_ino) if namespace.exists() else "0"


def _started(pid: int) -> float:
    # From boot and not from 1970, because a correction of the clock moves the latter while the process runs.
    return psutil.Process(pid).create_time() - psutil.boot_time()


def _died_here(row: LeaseRow) -> bool:
    """Return whether the holder ran on this host and is certainly gone."""
    if (row.host, row.pid_space) != (socket.gethostname(), _pid_space()):
        return False
    try:
        is_zombie = psutil.Process(row.pid).status() == psutil.STATUS_ZOMBIE
        return is_zombie or abs(_started(row.pid) - row.started) > 1.0
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False
