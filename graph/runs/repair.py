"""Regenerates products whose files are lost or damaged, from the records of the runs that made them."""

from datetime import UTC, datetime

from graph.errors import PlannerError, RequestError
from graph.runs.observer import Event, Noted, Observer, ProductReady, StageBegan, ToolProgress
from graph.runs.rerun import rerun
from graph.runs.services import Services
from memory.errors import DamagedArtifact, OtherBytes
from memory.leases import Lease
from memory.records import Artifact, Run


def repair_product(services: Services, artifact_id: str, lease: Lease, observer: Observer) -> None:
    """Regenerate a product whose file is lost or damaged, to the same bytes, as the run that made it did.

    The agent calls are recorded under the run of `lease`. Raises DamagedArtifact if it cannot be made (a person
    uploaded it, or what made it is no longer here), OtherBytes, AgentError, Stopped.
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
    """Return an artifact of a run, after regenerating it and noting that if it was lost or damaged.

    Raises as `repair_product`.
    """
    with services.archive.hold(run.id, pause=services.pause) as lease:
        artifact, begun = services.archive.artifact(artifact_id), datetime.now(UTC)
        if services.archive.find(artifact.recipe) is None:
            repair_product(services, artifact.id, lease, observer)
            note_repairs(services, lease, begun, observer)
        return artifact


def repair_run(services: Services, run: Run, lease: Lease, observer: Observer) -> None:
    """Regenerate every lost or damaged product of a run that is done or waits, and note which.

    What cannot be regenerated is noted too, or raised as by `repair_product` if it is the film.
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
    """Note each lost product that the run of `lease` has regenerated since `since`; and the sentences of `more`."""
    notes = [
        f"{artifact.id} was missing or damaged in the store; it was made again, to the same bytes."
        for artifact in services.archive.made_again(lease.run, since)
    ]
    if notes or more:
        observer(Noted((*notes, *more)))


def _progress_only(observer: Observer) -> Observer:
    """Drop the notes, which were reported when the run was made, and the products that were in the store."""

    def observe(event: Event) -> None:
        if isinstance(event, StageBegan | ToolProgress) or (isinstance(event, ProductReady) and event.called):
            observer(event)

    return observe
