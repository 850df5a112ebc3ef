"""What `gc` removes: checkpoints between review points, products that no run needs, files without rows, dropped runs.

Rows go before files, because a file without a row is nothing and a row without its file is a lie. Files go under the
lock that products are published under, so that what is being made meanwhile is safe. Nothing goes that is younger than
the grace, but what a person named. Knows no graph: the nodes that a person may go on from are given by name.
"""

import json
import re
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from memory import leases
from memory.archive import Archive
from memory.checkpoints import threads
from memory.checkpoints.plain import next_nodes, waits
from memory.database import engine as database
from memory.database.tables import (
    AgentCallRow,
    ArtifactRow,
    LeaseRow,
    LlmCallRow,
    RecipeRow,
    RunArtifactRow,
    RunRow,
    TurnRow,
)
from memory.errors import DatabaseTrouble, DiskTrouble, RunIsHeld, RunIsNeeded
from memory.products import files
from memory.products.files import disk_words
from memory.records import Record
from memory.retention.needs import needs_of

if TYPE_CHECKING:
    from langgraph.checkpoint.base import CheckpointTuple

WORKING = timedelta(hours=1)
"""A draft that was written to since then may still be somebody's, whatever the grace."""
AT_ONCE = 64
"""Files that are removed while publishing waits."""
STORED = re.compile(r"([0-9a-f]{62})\.[a-z0-9]{1,15}")
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Swept(Record):
    """What went, or would go. checkpoint_bytes: of their rows; file_bytes: of products, drafts and step checkpoints.

    database: its bytes before and after, the second None if nothing was done. notes: what was left, and why.
    """

    dry: bool
    runs: list[str]
    checkpoints: int
    checkpoint_bytes: int
    artifacts: int
    files: int
    file_bytes: int
    database: tuple[int, int | None]
    notes: list[str]


@dataclass
class _Sweep:
    """What has been found so far."""

    runs: list[str] = field(default_factory=list)
    steps: int = 0
    step_bytes: int = 0
    artifacts: int = 0
    files: dict[Path, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def collect(
    archive: Archive,
    *,
    review_points: Collection[str],
    grace: timedelta,
    drop: Collection[str] = (),
    failed: bool = False,
    dry_run: bool = False,
) -> Swept:
    """Remove what nobody needs, the runs `drop`, and with `failed` all that failed; what is kept stays whole.

    drop: ids, or beginnings of ids. review_points: nodes; a checkpoint with one of them ahead stays. UnknownRun;
    RunIsHeld; RunIsNeeded if a fork of a dropped run is kept; DatabaseTrouble, DiskTrouble.
    """
    sweep, before = _Sweep(), archive.size()
    for file, size in _strays(archive, grace):
        sweep.files[file] = size
    if not dry_run:
        # First, because it needs no room in the database, and a full disk is why a person is here.
        _remove(archive, sweep.files, grace)
    orphans = _drop(archive, sweep, [_named(archive, one) for one in drop], failed=failed, grace=grace, dry_run=dry_run)
    sweep.files |= orphans
    if not dry_run:
        _remove(archive, orphans, timedelta(0))
    with archive.saver() as saver:
        for run in (one for one in _ids(archive) if one not in sweep.runs):
            try:
                found = list(saver.list({"configurable": {"thread_id": run, "checkpoint_ns": ""}}))[::-1]
                _prune(archive, sweep, run, found, _kept(archive, run, found, review_points, grace), dry_run=dry_run)
            except (DatabaseTrouble, RunIsHeld) as trouble:
                sweep.notes.append(f"The checkpoints of run {run} were kept: {trouble}")
    after = None if dry_run else _compacted(archive, sweep)
    return Swept(
        dry=dry_run,
        runs=sweep.runs,
        checkpoints=sweep.steps,
        checkpoint_bytes=sweep.step_bytes,
        artifacts=sweep.artifacts,
        files=len(sweep.files),
        file_bytes=sum(sweep.files.values()),
        database=(before, after),
        notes=sweep.notes,
    )


def _named(archive: Archive, run_id: str) -> str:
    """The whole id; a run whose row is no record, because somebody else wrote it, can be dropped by it as well."""
    return run_id if run_id in _ids(archive) else archive.run(run_id).id


def _ids(archive: Archive) -> list[str]:
    with archive.reading() as session:
        return list(session.scalars(select(RunRow.id).order_by(RunRow.id)))


# Files


def _strays(archive: Archive, grace: timedelta) -> Iterator[tuple[Path, int]]:
    """Files that no row knows, drafts, and step checkpoints that nobody goes on from, older than the grace."""
    with archive.reading() as session:
        known = set(session.scalars(select(ArtifactRow.sha256)))
    shelves, unfinished = archive.home / "artifacts", archive.home / "unfinished"
    with disk_words(archive.home):
        for file in (*shelves.glob("[0-9a-f][0-9a-f]/*"), *unfinished.rglob("*")):
            if file.is_symlink() or not file.is_file():
                continue
            is_product = shelves in file.parents and STORED.fullmatch(file.name) is not None
            is_ours = is_product or file.suffix == ".part" or unfinished in file.parents
            if is_ours and _sha256(file) not in known and _is_old(file, grace if is_product else max(grace, WORKING)):
                yield file, file.stat().st_size


def _sha256(file: Path) -> str:
    return file.parent.name + file.name.split(".")[0]


def _is_old(file: Path, grace: timedelta) -> bool:
    try:
        # A time ahead of ours, after the clock went back, is young.
        return time.time() - file.stat().st_mtime >= grace.total_seconds()
    except FileNotFoundError:
        return False


def _remove(archive: Archive, files: Iterable[Path], grace: timedelta) -> None:
    """Unlink those that still nobody knows; whoever publishes one of them just now finds it gone and keeps it."""
    ahead = list(files)
    while ahead:
        with archive.writing() as session, disk_words(archive.home):
            database.lock_products(session.connection(), alone=True)
            for file in ahead[:AT_ONCE]:
                is_known = session.scalar(select(ArtifactRow.id).where(ArtifactRow.sha256 == _sha256(file)).limit(1))
                if is_known is None and _is_old(file, grace):
                    file.unlink(missing_ok=True)
                    _leave(file.parent)
        ahead = ahead[AT_ONCE:]


def _leave(folder: Path) -> None:
    """Remove the folder of a bookmark with its last file; those of products stay, since one may be on its way there."""
    if folder.parent.name == "unfinished" and not any(folder.iterdir()):
        folder.rmdir()


# Rows


@contextmanager
def _transaction(archive: Archive, *, dry_run: bool) -> Iterator[Session]:
    """Lend a transaction that a dry run rolls back: it is the same work, and not an estimate."""
    with archive.writing() as session:
        yield session
        if dry_run:
            session.rollback()


def _drop(
    archive: Archive, sweep: _Sweep, named: list[str], *, failed: bool, grace: timedelta, dry_run: bool
) -> dict[Path, int]:
    """Delete runs and all rows of artifacts that no run needs then; the files that belong to none any more."""
    with _transaction(archive, dry_run=dry_run) as session:
        database.lock_products(session.connection(), alone=True)
        runs = _dropped(session, sweep, named, failed=failed)
        ours = set[str]().union(*(needs_of(session, session.get_one(RunRow, run)) for run in runs))
        for run in runs:
            _delete_run(session, run)
        sweep.runs += runs
        for thread in _cut_off(session):
            threads.drop(session, thread)
        gone = _delete_artifacts(session, ours | _old_and_unattached(session, grace))
        sweep.artifacts += len(gone)
        left = set(
            session.scalars(select(ArtifactRow.sha256).where(ArtifactRow.sha256.in_([row.sha256 for row in gone])))
        )
        return {
            files.place(archive.home, row.sha256, row.suffix): row.size
            for row in gone
            if row.sha256 not in left and files.SHA256.fullmatch(row.sha256) and files.SUFFIX.fullmatch(row.suffix)
        }


def _dropped(session: Session, sweep: _Sweep, named: list[str], *, failed: bool) -> list[str]:
    """The runs to drop, forks before what they were forked from; those that failed and cannot go are told."""
    for run in named:
        leases.refuse_held(session, run)
    runs = set(named)
    if failed:
        for run in session.scalars(select(RunRow.id).where(RunRow.status == "failed").order_by(RunRow.id)):
            try:
                leases.refuse_held(session, run)
                runs.add(run)
            except RunIsHeld as held:
                sweep.notes.append(str(held))
    forks = session.execute(select(RunRow.id, RunRow.parent)).all()
    parents: dict[str, str | None] = {run: parent for run, parent in forks if parent is not None}
    while needed := {parent for fork, parent in parents.items() if parent in runs and fork not in runs}:
        told = [f"Run {run} has forks that are kept ({_forks(parents, run, runs)})" for run in sorted(needed)]
        if needed & set(named):
            raise RunIsNeeded("run-needed", f"{told[0]}; drop them too, or keep it.")
        sweep.notes += [f"{one}, so it was kept." for one in told]
        runs -= needed
    return sorted(runs, key=lambda run: (-_depth(parents, run), run))


def _forks(parents: dict[str, str | None], run: str, dropped: set[str]) -> str:
    return ", ".join(sorted(fork for fork, parent in parents.items() if parent == run and fork not in dropped))


def _depth(parents: dict[str, str | None], run: str) -> int:
    parent = parents.get(run)
    return 0 if parent is None else 1 + _depth(parents, parent)


def remove_if_empty(archive: Archive, run: str) -> bool:
    """Remove a run in which nothing was said and nothing made; return whether it was removed."""
    with archive.writing() as session:
        for table in (TurnRow, RunArtifactRow, AgentCallRow, LlmCallRow):
            if session.scalar(select(table.run).where(table.run == run).limit(1)) is not None:
                return False
        _delete_run(session, run)
    return True


def _delete_run(session: Session, run: str) -> None:
    session.scalars(select(RunRow).where(RunRow.id == run).with_for_update()).one()
    threads.drop(session, run)
    for table in (RunArtifactRow, AgentCallRow, LlmCallRow, TurnRow, LeaseRow):
        session.execute(delete(table).where(table.run == run))
    # What the run gave others stays known: its recipes go on under one that has the product.
    session.execute(delete(RecipeRow).where(RecipeRow.run == run, RecipeRow.artifact.is_(None)))
    for key, artifact in session.execute(select(RecipeRow.key, RecipeRow.artifact).where(RecipeRow.run == run)).all():
        heir = session.scalar(select(RunArtifactRow.run).where(RunArtifactRow.artifact == artifact).limit(1))
        if heir is None:
            session.execute(delete(RecipeRow).where(RecipeRow.key == key))
        else:
            session.execute(update(RecipeRow).where(RecipeRow.key == key).values(run=heir))
    session.execute(delete(RunRow).where(RunRow.id == run))


def _cut_off(session: Session) -> list[str]:
    """Threads of imports that ended long ago without their runs: the name of a thread tells when it began."""
    now = datetime.now(UTC)
    return [thread for thread in threads.arriving(session) if now - threads.began(thread) > WORKING]


def _old_and_unattached(session: Session, grace: timedelta) -> set[str]:
    attached = select(RunArtifactRow.artifact)
    old = ArtifactRow.created_at <= datetime.now(UTC) - grace
    return set(session.scalars(select(ArtifactRow.id).where(old, ArtifactRow.id.not_in(attached))))


def _delete_artifacts(session: Session, candidates: set[str]) -> list[ArtifactRow]:
    """Delete the rows of those that no run needs."""
    if not candidates:
        return []
    needed = set[str]().union(*(needs_of(session, run) for run in session.scalars(select(RunRow))))
    gone = candidates - needed
    rows = list(session.scalars(select(ArtifactRow).where(ArtifactRow.id.in_(gone)).order_by(ArtifactRow.id)))
    for row in rows:
        session.expunge(row)
    session.execute(delete(RecipeRow).where(RecipeRow.artifact.in_(gone)))
    session.execute(delete(ArtifactRow).where(ArtifactRow.id.in_(gone)))
    return rows


# Checkpoints


def _kept(
    archive: Archive, run: str, found: "list[CheckpointTuple]", review_points: Collection[str], grace: timedelta
) -> set[str]:
    """Ids of the checkpoints that stay: review points, young ones, those that forks begin at, and the last."""
    with archive.reading() as session:
        origins = session.scalars(select(RunRow.settings).where(RunRow.parent == run))
        forked_at = {id for settings in origins for id in UUID.findall(json.dumps(settings))}
    stay = {_id(one) for one in found if _stays(one, review_points, grace)}
    return stay | forked_at | {_id(one) for one in found[-1:]}


def _prune(
    archive: Archive, sweep: _Sweep, run: str, found: "list[CheckpointTuple]", kept: set[str], *, dry_run: bool
) -> None:
    """Delete the other checkpoints of the run; RunIsHeld while somebody works on it."""
    gone = [_id(one) for one in found if _id(one) not in kept]
    if not gone:
        return
    with _transaction(archive, dry_run=dry_run) as session:
        leases.refuse_held(session, run)
        if session.get(RunRow, run, with_for_update=True) is None:
            return
        sweep.steps += len(gone)
        sweep.step_bytes += threads.weight(session, run, gone)
        threads.prune(session, run, gone, _parents(found, kept))


def _stays(found: "CheckpointTuple", review_points: Collection[str], grace: timedelta) -> bool:
    age = datetime.now(UTC) - datetime.fromisoformat(found.checkpoint["ts"])
    ahead = next_nodes(found)
    is_an_end = not ahead and found.metadata.get("source") != "input"
    return age < grace or is_an_end or waits(found) or not ahead.isdisjoint(review_points)


def _parents(found: "list[CheckpointTuple]", kept: set[str]) -> dict[str, str | None]:
    """Of those that stay and whose parent goes, the nearest forebear that stays."""
    parents = {_id(one): _parent(one) for one in found}
    new: dict[str, str | None] = {}
    for step, parent in parents.items():
        nearest = parent
        while nearest is not None and nearest not in kept:
            nearest = parents.get(nearest)
        if step in kept and nearest != parent:
            new[step] = nearest
    return new


def _id(found: "CheckpointTuple") -> str:
    return str(found.config["configurable"]["checkpoint_id"])


def _parent(found: "CheckpointTuple") -> str | None:
    return found.parent_config["configurable"]["checkpoint_id"] if found.parent_config else None


# The database


def _compacted(archive: Archive, sweep: _Sweep) -> int:
    """Bytes of the database after it gave back what it does not need; while others use it, it keeps it."""
    try:
        archive.compact()
    except (DatabaseTrouble, DiskTrouble) as trouble:
        sweep.notes.append(f"The database was not made smaller: {trouble}")
    return archive.size()
