"""A run leaves for another machine, or comes from one: between the archive and a parcel."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session
from ulid import ULID

from memory.archive import Archive
from memory.checkpoints import threads
from memory.checkpoints.plain import put_steps, steps_of
from memory.database import engine as database
from memory.database.tables import AgentCallRow, ArtifactRow, LlmCallRow, RunArtifactRow, RunRow
from memory.errors import BadParcel, DiskTrouble, UnknownRun
from memory.products import files
from memory.products.files import Produced
from memory.records import AgentCall, Record, Run
from memory.retention.needs import needs_of
from memory.transfer import parcel
from memory.transfer.parcel import Bounds, Contents, Packed, Parcel, Story
from memory.turns import add_turns, turns_of

Check = Callable[[Story], str | None]
"""Looks at a run that comes in; the fault that this program could not go on with it for, or None."""


class Sent(Record):
    """What was exported: the run, how many runs with its forebears, products, and the size of the file in bytes."""

    run: str
    runs: int
    artifacts: int
    size: int


class Arrived(Record):
    """What came of an import. runs: ids of those that were not here yet. mended: products that were here with a lost or
    damaged file, and are whole now."""

    run: str
    runs: list[str]
    artifacts: int
    mended: int


def export_run(archive: Archive, run_id: str, path: Path) -> Sent:
    """Pack the run, its forebears, and every product they need. UnknownRun, RunIsHeld, DamagedArtifact, DiskTrouble.

    The leases are held meanwhile, so that what is packed is of one moment.
    """
    with ExitStack() as stack:
        runs = _lineage(archive, archive.run(run_id))
        for run in runs:
            stack.enter_context(archive.hold(run.id))
        stories = [_story(archive, run.id) for run in runs]
        with archive.reading() as session:
            needed = set().union(*(needs_of(session, session.get_one(RunRow, run.id)) for run in runs))
            packed = [
                Packed(artifact=row.record(), suffix=row.suffix)
                for row in session.scalars(
                    select(ArtifactRow)
                    .where(ArtifactRow.id.in_(needed))
                    .order_by(ArtifactRow.created_at, ArtifactRow.id)
                )
            ]
        size = parcel.write(path, Contents(runs=stories, artifacts=packed), archive.read)
    return Sent(run=runs[-1].id, runs=len(runs), artifacts=len(packed), size=size)


def _lineage(archive: Archive, run: Run) -> list[Run]:
    """The run, and before it those that it was forked from, the first one first."""
    lineage = [run]
    while (parent := lineage[0].parent) is not None:
        lineage.insert(0, archive.run(parent))
    return lineage


def _story(archive: Archive, run_id: str) -> Story:
    with archive.saver() as saver:
        steps = steps_of(saver, run_id)
    return Story(
        run=archive.run(run_id),
        artifacts=[artifact.id for artifact in archive.artifacts(run_id)],
        ledger=_renumbered(archive.ledger(run_id)),
        llm_calls=archive.llm_calls(run_id),
        steps=steps,
        turns=turns_of(archive, run_id),
    )


def _renumbered(ledger: list[AgentCall]) -> list[AgentCall]:
    """The numbers of its lines are the database's; in a parcel they count from 1."""
    return [line.model_copy(update={"id": number}) for number, line in enumerate(ledger, 1)]


def import_run(archive: Archive, path: Path, check: Check, *, bounds: Bounds | None = None) -> Arrived:
    """Take in the run of a parcel, all of it or nothing; what is here already is left as it is.

    BadParcel if the file is none, if `check` finds a fault, or if what is here under one of its ids is something else;
    DiskTrouble. Until the last transaction nothing of it can be seen, and what a death leaves behind is for `gc`.
    """
    with parcel.opened(path, bounds) as opened:
        stories = opened.contents.runs
        for story in stories:
            if (fault := check(story)) is not None:
                raise BadParcel(
                    "parcel-unusable", f"{path} cannot be imported: run {story.run.id} {fault}.", path=str(path)
                )
        new = _unknown(archive, stories)
        with archive.reading() as session:
            _refuse_other_artifacts(session, opened.contents.artifacts)
        unpacked = _unpack(archive, opened)
        with _staged(archive, new) as staged:
            added = _publish(archive, opened.contents, staged)
    return Arrived(
        run=stories[-1].run.id,
        runs=[story.run.id for story, _ in staged],
        artifacts=len(added),
        mended=len(unpacked - added),
    )


def _unknown(archive: Archive, stories: list[Story]) -> list[Story]:
    """Those that are not here; BadParcel if the last one is here and is another."""
    new = []
    for story in stories:
        try:
            archive.run(story.run.id)
        except UnknownRun:
            new.append(story)
    if stories[-1] not in new:
        _refuse_another(archive, stories[-1])
    return new


def _refuse_another(archive: Archive, story: Story) -> None:
    here = Story(
        run=archive.run(story.run.id),
        artifacts=[artifact.id for artifact in archive.artifacts(story.run.id)],
        ledger=_renumbered(archive.ledger(story.run.id)),
        llm_calls=archive.llm_calls(story.run.id),
        steps=[],
        turns=turns_of(archive, story.run.id),
    )
    # Checkpoints may have been pruned on either side.
    if here != story.model_copy(update={"steps": []}):
        raise BadParcel(
            "run-differs-here",
            f"Run {story.run.id} is here already and stands otherwise (here {here.run.status}, changed "
            f"{_told(here.run.updated_at)}; in the file {story.run.status}, {_told(story.run.updated_at)}); to have "
            f"the one in the file, drop the one here first.",
            run=story.run.id,
        )


def _told(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _refuse_other_artifacts(session: Session, packed: list[Packed]) -> None:
    for one in packed:
        row = session.get(ArtifactRow, one.artifact.id)
        if row is not None and (row.sha256, row.key) != (one.artifact.sha256, one.artifact.recipe.key):
            raise BadParcel(
                "parcel-product-differs",
                f"The file has other bytes for {one.artifact.id} than are here, though both name the same recipe; one "
                "of them is not what it says; replay the run that made it and compare.",
                artifact=one.artifact.id,
            )


def _unpack(archive: Archive, opened: Parcel) -> set[str]:
    """Put the bytes of every product that is not here, or not whole, in its place; the ids, of which some may share a
    file."""
    missing, unpacked = dict[Path, Packed](), set[str]()
    for packed in opened.contents.artifacts:
        place = files.place(archive.home, packed.artifact.sha256, packed.suffix)
        if place in missing or not files.is_sound(place, packed.artifact.sha256):
            missing[place] = packed
            unpacked.add(packed.artifact.id)
    needed = sum(packed.artifact.size for packed in missing.values())
    free = shutil.disk_usage(archive.home).free
    if needed > free:
        raise DiskTrouble(
            "disk-full",
            f"The run needs {needed} bytes in {archive.home} and {free} are free; make room, then import.",
            place=str(archive.home),
            needed=needed,
            free=free,
        )
    for packed in missing.values():
        data = opened.bytes_of(packed.artifact)
        files.keep(archive.home, Produced(data, packed.artifact.media, packed.suffix))
    return unpacked


@contextmanager
def _staged(archive: Archive, stories: list[Story]) -> Iterator[list[tuple[Story, str]]]:
    """The checkpoints of the runs under names that no run has, and the name of each; gone again after a failure."""
    staged = [(story, f"{threads.ARRIVING}{str(ULID()).lower()}") for story in stories]
    with ExitStack() as undo, archive.saver() as saver:
        for story, thread in staged:
            undo.callback(_forget, archive, thread)
            put_steps(saver, thread, story.steps)
        yield staged
        undo.pop_all()


def _forget(archive: Archive, thread: str) -> None:
    with archive.writing() as session:
        threads.drop(session, thread)


def _publish(archive: Archive, contents: Contents, staged: list[tuple[Story, str]]) -> set[str]:
    """All rows at once; the ids of artifacts that are new. What was not here before is believed by its own run only."""
    with archive.writing() as session:
        database.lock_products(session.connection())
        added = {one.artifact.id for one in contents.artifacts if _add_artifact(archive.home, session, one)}
        for story, thread in staged:
            _add_run(session, story)
            threads.rename(session, thread, story.run.id)
        return added


def _add_artifact(home: Path, session: Session, packed: Packed) -> bool:
    artifact = packed.artifact
    _refuse_other_artifacts(session, [packed])
    if not files.place(home, artifact.sha256, packed.suffix).exists():
        raise DiskTrouble(
            "import-disturbed",
            f"The file of {artifact.id} was removed while it was imported; import it again.",
            artifact=artifact.id,
        )
    if session.get(ArtifactRow, artifact.id) is not None:
        return False
    kept = artifact.model_dump(mode="json", exclude={"created_at"})
    session.add(ArtifactRow(**kept, created_at=artifact.created_at, key=artifact.recipe.key, suffix=packed.suffix))
    return True


def _add_run(session: Session, story: Story) -> None:
    run = story.run
    if session.get(RunRow, run.id) is not None:
        raise BadParcel(
            "run-imported-already", f"Run {run.id} was imported by another process at the same time.", run=run.id
        )
    row = {**dict(run), "request": run.request.model_dump(mode="json")}
    session.add(RunRow(**row))
    session.flush()
    session.add_all(RunArtifactRow(run=run.id, artifact=artifact) for artifact in story.artifacts)
    session.add_all(AgentCallRow(**dict(line.model_copy(update={"id": None}))) for line in story.ledger)
    session.add_all(LlmCallRow(**dict(call)) for call in story.llm_calls)
    add_turns(session, story.turns)
    session.flush()
