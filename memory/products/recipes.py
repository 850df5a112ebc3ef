"""Recipe -> artifact, and the claim that makes work happen once. Transactions are lent.

A claim lives as long as the lease it was made under: the heartbeat of the lease is its heartbeat.
"""

from uuid import uuid4

from sqlalchemy import BindParameter, Connection, bindparam, delete, exists, or_, select, update
from sqlalchemy.orm import Session

from memory import leases
from memory.database.engine import insert_new
from memory.database.tables import ArtifactRow, RecipeRow, RunArtifactRow
from memory.leases import Lease
from memory.records import Kind, Recipe


def artifact_id(kind: Kind, recipe: Recipe) -> str:
    """Return the id that the product of the recipe has, also before it is made."""
    return f"{kind}-{recipe.key[:16]}"


def known(session: Session, key: str) -> ArtifactRow | None:
    """Return what the recipe gave, if it was ever made."""
    return session.scalar(select(ArtifactRow).where(ArtifactRow.key == key))


_KEY: BindParameter[str] = bindparam("key")
_RUN: BindParameter[str] = bindparam("run")
_MADE_HERE = exists().where(RecipeRow.key == _KEY, RecipeRow.artifact == ArtifactRow.id)
_OF_THE_RUN = exists().where(RunArtifactRow.run == _RUN, RunArtifactRow.artifact == ArtifactRow.id)
_KNOWN_TO = select(ArtifactRow.id, or_(_MADE_HERE, _OF_THE_RUN)).where(ArtifactRow.key == _KEY)


def known_to(connection: Connection, key: str, run: str) -> tuple[ArtifactRow | None, bool]:
    """Return what the recipe gave, and whether the run may use it: an imported product is only for its own runs."""
    found = connection.execute(_KNOWN_TO, {"key": key, "run": run}).one_or_none()
    if found is None:
        return None, False
    with Session(connection) as session:
        return session.get_one(ArtifactRow, found[0]), bool(found[1])


def claim(connection: Connection, key: str, lease: Lease) -> str | None:
    """Claim the sole right to work on the recipe; its token, or None while somebody alive has it. LostLease."""
    leases.require(connection, lease)
    token = uuid4().hex
    mine = {"token": token, "run": lease.run, "owner": lease.owner}
    if connection.scalar(insert_new(connection, RecipeRow, "key"), {"key": key, **mine}) is not None:
        return token
    with Session(connection) as session:
        return token if _taken(session, key, mine) else None


def _taken(session: Session, key: str, mine: dict[str, str]) -> bool:
    """Take over a claim whose owner is dead, or that nobody has; whether it is ours now."""
    row = session.scalar(select(RecipeRow).where(RecipeRow.key == key).execution_options(populate_existing=True))
    if row is None or (row.token is not None and leases.is_alive(session, row.run, row.owner)):
        return False
    unchanged = (RecipeRow.key == key, RecipeRow.token.is_not_distinct_from(row.token))
    return session.scalar(update(RecipeRow).where(*unchanged).values(**mine).returning(RecipeRow.key)) is not None


_FULFILLED = (
    update(RecipeRow).where(RecipeRow.key == bindparam("recipe")).values(artifact=bindparam("gave"), token=None)
)


def fulfil(connection: Connection, key: str, artifact: str) -> None:
    """Record that the recipe gave that artifact, and end the claim on it."""
    connection.execute(_FULFILLED, {"recipe": key, "gave": artifact})


def release(connection: Connection, key: str, token: str) -> None:
    """Give the claim back, if it is still ours."""
    ours = (RecipeRow.key == key, RecipeRow.token == token)
    connection.execute(delete(RecipeRow).where(*ours, RecipeRow.artifact.is_(None)))
    connection.execute(update(RecipeRow).where(*ours).values(token=None))
