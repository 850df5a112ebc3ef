"""Which artifacts a run cannot do without: to be shown, resumed, replayed or forked. Sessions are lent, not opened."""

import json
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from memory.checkpoints import threads
from memory.database.tables import AgentCallRow, ArtifactRow, RunArtifactRow, RunRow, TurnRow


def needs_of(session: Session, run: RunRow) -> set[str]:
    """Return the ids of what the run made, reused, was given or names in its checkpoints, and of their parents."""
    products = session.scalars(select(TurnRow.products).where(TurnRow.run == run.id)).all()
    told = json.dumps([run.request, run.settings, run.film, *products]).encode()
    named = {one.decode() for one in threads.ARTIFACT.findall(told)} | threads.named(session, run.id)
    return with_parents(session, named | _attached(session, run.id))


def with_parents(session: Session, ids: Iterable[str]) -> set[str]:
    """Return the known ones of the ids, and all that they were made from, and so on."""
    found: set[str] = set()
    ahead = set(ids)
    while ahead:
        rows = session.execute(select(ArtifactRow.id, ArtifactRow.parents).where(ArtifactRow.id.in_(ahead))).all()
        found |= {id for id, _ in rows}
        ahead = {parent for _, parents in rows for parent in parents} - found
    return found


def _attached(session: Session, run: str) -> set[str]:
    kept = session.scalars(select(RunArtifactRow.artifact).where(RunArtifactRow.run == run))
    made = session.scalars(select(AgentCallRow.artifact).where(AgentCallRow.run == run))
    return {*kept, *(id for id in made if id is not None)}
