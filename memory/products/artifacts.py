"""Rows of artifacts, and which run made or reused which of them. Transactions are lent, not opened."""

import re
from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.orm import Session

from memory.database import engine as database
from memory.database.tables import AgentCallRow, ArtifactRow, RunArtifactRow, RunRow
from memory.errors import OtherBytes, UnknownArtifact
from memory.products import recipes
from memory.products.files import Produced
from memory.records import Artifact, Recipe, Run

ID = re.compile(r"(image|clip|film)-[0-9a-f]{16}")

# Asked in every step, and so made once: to make a statement costs more than to run it.
_STAYS = select(ArtifactRow.id).where(ArtifactRow.id == bindparam("artifact"))
_MADE_AGAIN = (
    select(ArtifactRow.id)
    .join(AgentCallRow, AgentCallRow.artifact == ArtifactRow.id)
    .where(AgentCallRow.run == bindparam("of_run"), AgentCallRow.outcome == "made")
    .where(AgentCallRow.started_at >= bindparam("since"), ArtifactRow.created_at < AgentCallRow.started_at)
    .order_by(AgentCallRow.id)
)


def row_of(session: Session, artifact_id: str) -> ArtifactRow:
    """Return the row of the artifact; UnknownArtifact, also for what is no id."""
    row = session.get(ArtifactRow, artifact_id) if ID.fullmatch(artifact_id) else None
    if row is None:
        raise UnknownArtifact("artifact-unknown", f"There is no artifact {artifact_id!r}.", artifact=artifact_id)
    return row


def stays(connection: Connection, artifact_id: str) -> bool:
    """Return whether the artifact has a row still."""
    return connection.scalar(_STAYS, {"artifact": artifact_id}) is not None


def of_run(session: Session, run: str) -> list[Artifact]:
    """Return what the run made or reused, in that order."""
    rows = session.scalars(
        select(ArtifactRow)
        .join(RunArtifactRow, RunArtifactRow.artifact == ArtifactRow.id)
        .where(RunArtifactRow.run == run)
        .order_by(RunArtifactRow.id)
    )
    return [row.record() for row in rows]


def keepers(session: Session, artifact_id: str) -> list[Run]:
    """Return the runs that made or reused the artifact, the first one first."""
    rows = session.scalars(
        select(RunRow)
        .join(RunArtifactRow, RunArtifactRow.run == RunRow.id)
        .where(RunArtifactRow.artifact == artifact_id)
        .order_by(RunArtifactRow.id)
    )
    return [row.record() for row in rows]


def made_again(connection: Connection, run: str, since: datetime) -> list[Artifact]:
    """Return products that were there before, and that agent calls of the run have made again since then."""
    again = connection.scalars(_MADE_AGAIN, {"of_run": run, "since": since}).all()
    with Session(connection) as session:
        return [session.get_one(ArtifactRow, id).record() for id in again]


def last_made(session: Session, run: str, agent: str, *, beside: Collection[str]) -> Artifact | None:
    """Return what the agent made last for the run, apart from the products of the ids in `beside`."""
    made = select(AgentCallRow.artifact).where(AgentCallRow.run == run, AgentCallRow.agent == agent)
    made = made.where(AgentCallRow.outcome == "made", AgentCallRow.artifact.not_in(beside))
    id = session.scalar(made.order_by(AgentCallRow.id.desc()).limit(1))
    return None if id is None else row_of(session, id).record()


def attach(connection: Connection, run: str, artifact: str) -> None:
    """Count the artifact among the run's, if it is not counted yet."""
    connection.execute(database.insert_new(connection, RunArtifactRow), {"run": run, "artifact": artifact})


def insert(
    connection: Connection, recipe: Recipe, product: Produced, *, parents: tuple[str, ...], seconds: float
) -> Artifact:
    """Add the artifact of the recipe, or return the one that is there; OtherBytes.

    parents: ids of the artifacts it was made from. seconds: how long the agent worked.
    """
    artifact = Artifact(
        id=recipes.artifact_id(product.media.kind, recipe),
        sha256=product.sha256,
        size=len(product.data),
        media=product.media,
        recipe=recipe,
        parents=parents,
        seconds=seconds,
        created_at=datetime.now(UTC),
    )
    columns = artifact.model_dump(mode="json") | {"created_at": artifact.created_at}
    statement = database.insert_new(connection, ArtifactRow, "id")
    if connection.scalar(statement, {**columns, "key": recipe.key, "suffix": product.suffix}) is not None:
        return artifact
    # A process that was taken for dead published the same meanwhile.
    with Session(connection) as session:
        row = recipes.known(session, recipe.key)
    assert row is not None, "an artifact that was just stored is not there"
    artifact = row.record()
    refuse_other_bytes(artifact, product)
    return artifact


def refuse_other_bytes(known: Artifact | None, product: Produced) -> None:
    """Raise OtherBytes unless the product has the bytes that its recipe gave before, if it gave any."""
    if known is not None and known.sha256 != product.sha256:
        raise OtherBytes(
            "product-differs",
            f"{known.id} was made again from the same recipe and came out different; "
            "put its file back from a copy, or ask with another seed.",
            artifact=known.id,
        )
