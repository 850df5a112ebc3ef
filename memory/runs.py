"""Rows of runs: added, found by an id or its beginning, and how a run stands. Transactions are lent, not opened."""

import re
from datetime import UTC, datetime

from pydantic import JsonValue
from sqlalchemy import Connection, bindparam, func, insert, select, update
from sqlalchemy.orm import Session
from ulid import ULID

from memory import leases, names
from memory.database.tables import RunRow
from memory.errors import UnknownRun
from memory.leases import Lease
from memory.records import Request, Run, RunStatus

WHOLE_ID = re.compile(r"[0-9a-z]{26}")

# Asked in every step, and so made once: to make a statement costs more than to run it.
_ADDED = insert(RunRow)
_LOCKED = select(RunRow.id).where(RunRow.id == bindparam("run_id")).with_for_update(read=True, key_share=True)
_RUN = select(*RunRow.__table__.columns).where(RunRow.id == bindparam("run_id"))
_STATUS = (
    update(RunRow)
    .where(RunRow.id == bindparam("run_id"))
    .values(status=bindparam("now"), error=bindparam("why"), updated_at=bindparam("at"))
    .values(film=func.coalesce(bindparam("made"), RunRow.film))
)


def new_run(
    request: Request,
    *,
    settings: dict[str, JsonValue],
    graph_version: int,
    parent: str | None,
    status: RunStatus,
) -> Run:
    """Return a run that is not stored yet. Its id is lower-case, fits an address, and sorts by time.

    parent: the whole id of the run it was forked from.
    """
    now = datetime.now(UTC)
    return Run(
        id=str(ULID()).lower(),
        status=status,
        request=request,
        graph_version=graph_version,
        settings=settings,
        parent=parent,
        created_at=now,
        updated_at=now,
    )


def add(connection: Connection, run: Run) -> None:
    """Add the run; UnknownRun if its parent is there no more."""
    if run.parent is not None:
        lock(connection, run.parent)
    times = {"created_at": run.created_at, "updated_at": run.updated_at}
    connection.execute(_ADDED, run.model_dump(mode="json") | times)


def lock(connection: Connection, run_id: str) -> None:
    """Keep the run from being dropped until the transaction ends; UnknownRun if it was dropped before."""
    if connection.scalar(_LOCKED, {"run_id": run_id}) is None:
        raise UnknownRun("run-unknown", f"There is no run {run_id!r} any more.", run=run_id)


def find(connection: Connection, run_id: str) -> Run:
    """Return the run of that id, or of that beginning of an id (at least 4 characters); UnknownRun."""
    asked = names.run_id(run_id)
    whole = connection.execute(_RUN, {"run_id": asked}).mappings().one_or_none()
    if whole is not None:
        return Run.model_validate(dict(whole))
    with Session(connection) as session:
        rows = session.scalars(select(RunRow).where(RunRow.id.startswith(asked)).limit(2)).all()
        if len(rows) == 1:
            return rows[0].record()
    if rows:
        raise UnknownRun(
            "run-id-ambiguous", f"More than one run begins with {run_id!r}; give more of the id.", run=run_id
        )
    raise names.unknown_run(run_id)


def newest_first(session: Session) -> list[Run]:
    """Return all runs but those that are just being imported."""
    here = select(RunRow).where(RunRow.status != "arriving")
    return [row.record() for row in session.scalars(here.order_by(RunRow.created_at.desc(), RunRow.id.desc()))]


def set_status(connection: Connection, lease: Lease, status: RunStatus, *, film: str | None, error: str | None) -> Run:
    """Change how the run stands; LostLease. `error` replaces what was there, a `film` of None leaves it."""
    leases.require(connection, lease)
    how = {"run_id": lease.run, "now": status, "why": error, "at": datetime.now(UTC), "made": film}
    connection.execute(_STATUS, how)
    return Run.model_validate(dict(connection.execute(_RUN, how).mappings().one()))
