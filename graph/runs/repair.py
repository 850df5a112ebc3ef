"""Makes products whose files are lost or damaged again, from the records of the runs that made them."""

from datetime import UTC, datetime

from graph.errors import PlannerError, RequestError
from graph.runs.observer import Event, Noted, Observer, ProductReady, StageBegan, ToolProgress
from graph.runs.rerun import rerun
from graph.runs.services import Services
from memory.errors import DamagedArtifact, OtherBytes
from memory.leases import Lease
from memory.records import Artifact, Run


def repair_product(services: Services, artifact_id: str, lease: Lease, observer: Observer) -> None:
    """Makes a product whose file is lost or damaged again, to the same bytes, as the run that made it did.

    The work is on the account of the run of `lease`. Raises DamagedArtifact with one sentence if nobody can make it
    (a person gave it, or what made it is not here any more), OtherBytes, AgentError, Stopped.
    """
    archive, why = services.archive, "no run that is here has made it"
    artifact = archive.artifact(artifact_id)
    for run in archive.keepers(artifact.id):
        if archive.find(artifact.recipe) is not None:
            return
        try:
            rerun(
                services,
                run,
                _progress_only(observer),
                agents="missing",
                lease=lease,
                enough=lambda done: artifact.id in done,
            )
        except (DamagedArtifact, PlannerError, RequestError) as error:
            why = str(error)
    if archive.find(artifact.recipe) is None:
        if artifact.recipe.agent == "upload":
            archive.read(artifact)
        raise DamagedArtifact(
            "artifact-lost", f"{artifact.id} is lost or damaged and cannot be made again: {why}", artifact=artifact.id
        )


def repaired(services: Services, run: Run, artifact_id: str, observer: Observer) -> Artifact:
    """An artifact that a person wants to see of a run, made again first, and told, if it is lost or damaged.

    Raises as `repair_product`.
    """
    with services.archive.hold(run.id, pause=services.pause) as lease:
        artifact, begun = services.archive.artifact(artifact_id), datetime.now(UTC)
        if services.archive.find(artifact.recipe) is None:
            repair_product(services, artifact.id, lease, observer)
            note_repairs(services, lease, begun, observer)
        return artifact


def repair_run(services: Services, run: Run, lease: Lease, observer: Observer) -> None:
    """Makes every lost or damaged product of a run that stands still again, and tells which.

    What nobody can make again is told too, and raised as by `repair_product` if it is the film.
    """
    begun, lost = datetime.now(UTC), list[str]()
    for artifact in services.archive.artifacts(run.id):
        if services.archive.find(artifact.recipe) is None:
            try:
                repair_product(services, artifact.id, lease, observer)
            except (DamagedArtifact, OtherBytes) as error:
                if artifact.id == run.film:
                    raise
                lost.append(str(error))
    note_repairs(services, lease, begun, observer, *lost)


def note_repairs(services: Services, lease: Lease, since: datetime, observer: Observer, *more: str) -> None:
    """Tells of each product that the run of `lease` made again since then, though it was there once; and `more`."""
    notes = [
        f"{artifact.id} was missing or damaged in the store; it was made again, to the same bytes."
        for artifact in services.archive.made_again(lease.run, since)
    ]
    if notes or more:
        observer(Noted((*notes, *more)))


def _progress_only(observer: Observer) -> Observer:
    """Without the notes, which were told when the run was made, and without the products that were there."""

    def observe(event: Event) -> None:
        if isinstance(event, StageBegan | ToolProgress) or (isinstance(event, ProductReady) and event.called):
            observer(event)

    return observe
