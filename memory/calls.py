"""Rows of what runs asked: calls of agents (the ledger) and of language models. Transactions are lent, not opened."""

from datetime import UTC, datetime

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.orm import Session

from memory import leases
from memory.database.tables import AgentCallRow, LlmCallRow
from memory.leases import Lease
from memory.records import AgentCall, LlmCall, Recipe

# Asked in every step, and so made once: to make a statement costs more than to run it.
_BEGUN = insert(AgentCallRow).returning(AgentCallRow.id)
_MADE = (
    update(AgentCallRow)
    .where(AgentCallRow.id == bindparam("call"))
    .values(ended_at=bindparam("ended"), outcome="made", artifact=bindparam("gave"))
)
_FAILED = (
    update(AgentCallRow)
    .where(AgentCallRow.id == bindparam("call"))
    .values(ended_at=bindparam("ended"), outcome="failed")
)
_ANSWERED = insert(LlmCallRow)
_LAST_ANSWER = (
    select(LlmCallRow.id)
    .where(LlmCallRow.run == bindparam("asking"), LlmCallRow.digest == bindparam("asked"))
    .order_by(LlmCallRow.id.desc())
    .limit(1)
)


def begin(connection: Connection, run: str, recipe: Recipe) -> int:
    """Enter in the ledger that an agent begins to work on the recipe now; the number of the line."""
    line = {"run": run, "key": recipe.key, "agent": recipe.agent, "started_at": datetime.now(UTC)}
    return connection.execute(_BEGUN, line).scalar_one()


def end_made(connection: Connection, call: int, artifact: str) -> None:
    """Enter that the call ended now and gave the artifact."""
    connection.execute(_MADE, {"call": call, "ended": datetime.now(UTC), "gave": artifact})


def end_failed(connection: Connection, call: int) -> None:
    """Enter that the call ended now and gave nothing; no line is changed if the run was dropped meanwhile."""
    connection.execute(_FAILED, {"call": call, "ended": datetime.now(UTC)})


def ledger(session: Session, run: str) -> list[AgentCall]:
    """Return all calls of agents of the run, in the order they began."""
    rows = session.scalars(select(AgentCallRow).where(AgentCallRow.run == run).order_by(AgentCallRow.id))
    return [row.record() for row in rows]


def remember_llm(connection: Connection, lease: Lease, call: LlmCall) -> None:
    """Add a call of a language model to its run; LostLease."""
    assert call.run == lease.run, "an answer goes to the run that asked"
    leases.require(connection, lease)
    connection.execute(_ANSWERED, dict(call))


def recalled_llm(connection: Connection, run: str, digest: str) -> LlmCall | None:
    """Return the last answer that the run got to the question of this digest, if it asked it."""
    last = connection.scalar(_LAST_ANSWER, {"asking": run, "asked": digest})
    if last is None:
        return None
    with Session(connection) as session:
        return session.get_one(LlmCallRow, last).record()


def llm_calls(session: Session, run: str) -> list[LlmCall]:
    """Return all calls of language models of the run, in order."""
    rows = session.scalars(select(LlmCallRow).where(LlmCallRow.run == run).order_by(LlmCallRow.id))
    return [row.record() for row in rows]
