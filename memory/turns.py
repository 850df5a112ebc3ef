"""Turns of conversations, written under the lease of their run. Knows no move, no board and no planner."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from pydantic import JsonValue
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from memory import leases
from memory.archive import Archive
from memory.database import engine as database
from memory.database.tables import TurnRow
from memory.leases import Lease
from memory.records import TurnRecord

FIRST_TURNS = 8
"""How many turns are looked at for the first words: commands have none."""


def turns_of(archive: Archive, run_id: str) -> list[TurnRecord]:
    """All turns of a run, named by its whole id, in order; [] for a run that is no conversation."""
    with archive.reading() as session:
        rows = session.scalars(select(TurnRow).where(TurnRow.run == run_id).order_by(TurnRow.number))
        return [row.record() for row in rows]


def last_turn(archive: Archive, run_id: str) -> TurnRecord | None:
    """The newest turn of a run, named by its whole id."""
    with archive.reading() as session:
        newest = select(TurnRow).where(TurnRow.run == run_id).order_by(TurnRow.number.desc()).limit(1)
        row = session.scalar(newest)
        return None if row is None else row.record()


def first_words(archive: Archive) -> dict[str, str]:
    """The first words of every conversation in whose first turns something was said, by the id of its run."""
    early = select(TurnRow.run, TurnRow.words).where(TurnRow.number <= FIRST_TURNS).order_by(TurnRow.number)
    found: dict[str, str] = {}
    with archive.reading() as session:
        for run, words in session.execute(early).all():
            if words:
                found.setdefault(run, words)
    return found


def begin_turn(
    archive: Archive, lease: Lease, *, question: str | None, words: str | None, moves: Iterable[dict[str, JsonValue]]
) -> TurnRecord:
    """The next turn of the run; LostLease. It takes the place of one that answered the same question: the run asked it
    again, so that nothing came of the first."""
    with archive.writing() as session:
        leases.require(session.connection(), lease)
        known = None if question is None else _answering(session, lease.run, question)
        number = known.number if known is not None else 1 + _last_number(session, lease.run)
        turn = TurnRecord(
            run=lease.run, number=number, at=datetime.now(UTC), question=question, words=words, moves=tuple(moves)
        )
        if known is None:
            session.add(TurnRow(**_columns(turn)))
        else:
            _write(session, turn)
    return turn


def end_turn(archive: Archive, lease: Lease, turn: TurnRecord, *, undoes: int = 0) -> None:
    """Write what came of the turn, over what is there of it; LostLease. To do it twice is as to do it once.

    undoes: how many of the latest earlier turns, of those that changed the board and stand, it took back.
    """
    with archive.writing() as session:
        leases.require(session.connection(), lease)
        _write(session, turn)
        of_run = TurnRow.run == lease.run
        session.execute(update(TurnRow).where(of_run, TurnRow.undone_by == turn.number).values(undone_by=None))
        standing = (
            select(TurnRow.id)
            .where(of_run, TurnRow.number < turn.number, TurnRow.changed, TurnRow.undone_by.is_(None))
            .order_by(TurnRow.number.desc())
            .limit(undoes)
        )
        undone = session.scalars(standing).all()
        session.execute(update(TurnRow).where(TurnRow.id.in_(undone)).values(undone_by=turn.number))


def carry_turns(archive: Archive, lease: Lease, turns: Iterable[TurnRecord]) -> None:
    """Turns of another run are the run's too, as those before its first; what it has already stays. LostLease."""
    with archive.writing() as session:
        connection = session.connection()
        leases.require(connection, lease)
        for turn in turns:
            columns = _columns(turn.model_copy(update={"run": lease.run}))
            session.execute(database.insert_new(connection, TurnRow), columns)


def add_turns(session: Session, turns: Iterable[TurnRecord]) -> None:
    """The turns of a run that arrives, in a transaction that is lent."""
    session.add_all(TurnRow(**_columns(turn)) for turn in turns)


def _write(session: Session, turn: TurnRecord) -> None:
    columns = _columns(turn)
    session.execute(update(TurnRow).where(TurnRow.run == turn.run, TurnRow.number == turn.number).values(**columns))


def _columns(turn: TurnRecord) -> dict[str, Any]:
    return turn.model_dump(mode="python") | {
        "products": [product.model_dump(mode="json") for product in turn.products],
        "moves": list(turn.moves),
        "notes": list(turn.notes),
    }


def _answering(session: Session, run: str, question: str) -> TurnRow | None:
    return session.scalar(select(TurnRow).where(TurnRow.run == run, TurnRow.question == question))


def _last_number(session: Session, run: str) -> int:
    return session.scalar(select(func.max(TurnRow.number)).where(TurnRow.run == run)) or 0
