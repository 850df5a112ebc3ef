"""The archive: the only one that opens sessions; speaks in records. Knows no graph and no tensor."""

import logging
import os
import re
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from pydantic import JsonValue, ValidationError
from sqlalchemy import URL, Connection, Engine, bindparam, func, insert, select, text, update
from sqlalchemy.orm import Session
from ulid import ULID

from memory import leases
from memory.database import engine as database
from memory.database import upgrade
from memory.database.tables import AgentCallRow, ArtifactRow, LlmCallRow, RunArtifactRow, RunRow
from memory.errors import ArchiveError, DatabaseTrouble, DiskTrouble, OtherBytes, UnknownArtifact, UnknownRun
from memory.leases import Lease
from memory.products import files as artifacts
from memory.products import recipes
from memory.products.files import Made, Produced
from memory.records import AgentCall, Artifact, LlmCall, Recipe, Request, Run, RunStatus

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver

__all__ = ["Archive", "Lease", "Made", "Produced"]

logger = logging.getLogger(__name__)

BESIDE = 2**22
"""Bytes; to write more of them takes so long that others, who want to write to the database, should not wait for it."""
WHOLE_ID = re.compile(r"[0-9a-z]{26}")


# Asked in every step, and so made once: to make a statement costs more than to run it.
_LEDGER_LINE = insert(AgentCallRow).returning(AgentCallRow.id)
_LEDGER_MADE = (
    update(AgentCallRow)
    .where(AgentCallRow.id == bindparam("call"))
    .values(ended_at=bindparam("ended"), outcome="made", artifact=bindparam("gave"))
)
_LEDGER_FAILED = (
    update(AgentCallRow)
    .where(AgentCallRow.id == bindparam("call"))
    .values(ended_at=bindparam("ended"), outcome="failed")
)
_STAYS = select(ArtifactRow.id).where(ArtifactRow.id == bindparam("artifact"))
_LLM_CALL = insert(LlmCallRow)
_NEW_RUN = insert(RunRow)
_RUN_STAYS = select(RunRow.id).where(RunRow.id == bindparam("run_id")).with_for_update(read=True, key_share=True)
_RUN = select(*RunRow.__table__.columns).where(RunRow.id == bindparam("run_id"))
_STATUS = (
    update(RunRow)
    .where(RunRow.id == bindparam("run_id"))
    .values(status=bindparam("now"), error=bindparam("why"), updated_at=bindparam("at"))
    .values(film=func.coalesce(bindparam("made"), RunRow.film))
)
_MADE_AGAIN = (
    select(ArtifactRow.id)
    .join(AgentCallRow, AgentCallRow.artifact == ArtifactRow.id)
    .where(AgentCallRow.run == bindparam("of_run"), AgentCallRow.outcome == "made")
    .where(AgentCallRow.started_at >= bindparam("since"), ArtifactRow.created_at < AgentCallRow.started_at)
    .order_by(AgentCallRow.id)
)
_LAST_ANSWER = (
    select(LlmCallRow.id)
    .where(LlmCallRow.run == bindparam("asking"), LlmCallRow.digest == bindparam("asked"))
    .order_by(LlmCallRow.id.desc())
    .limit(1)
)


@dataclass(frozen=True)
class _Work:
    """A recipe that this process is making: its claim, its line in the ledger, and what it once gave."""

    recipe: Recipe
    lease: Lease
    token: str
    call: int
    known: Artifact | None


class Archive:
    """All that survives the process, in one database and one folder; for any number of threads and processes.

    Every method raises DatabaseTrouble or DiskTrouble when the database or the disk fails.
    """

    def __init__(self, url: str, home: Path, engine: Engine, *, busy_seconds: float, lease_seconds: float):
        self.url = url
        self.home = home
        self._address: URL = engine.url
        self._engine = engine
        self._writer = engine.execution_options(writes=True)
        self._busy_seconds = busy_seconds
        self._lease_seconds = lease_seconds
        self._set_up, self._has_checkpoints = threading.Lock(), False
        self._beside = ThreadPoolExecutor(thread_name_prefix="keep")
        self._held: dict[str, tuple[Artifact, str]] = {}
        """What the runs that are held here made or reused, each with its suffix: nobody takes that away."""

    @classmethod
    def open(cls, url: str, home: Path, *, busy_seconds: float = 30.0, lease_seconds: float = 30.0) -> "Archive":
        """Open, and bring to the newest version, the database at `url` and the folder `home`; ArchiveError.

        busy_seconds: how long to wait for other writers. lease_seconds: how long a silent process keeps its runs.
        """
        address = database.parsed(url)
        _make_home(home)
        with database.plain_words(address):
            engine = database.engine_for(address, busy_seconds, lease_seconds)
            with ExitStack() as undo:
                undo.callback(engine.dispose)
                upgrade.migrate(engine, busy_seconds)
                undo.pop_all()
        return cls(url, home, engine, busy_seconds=busy_seconds, lease_seconds=lease_seconds)

    def close(self) -> None:
        """Close all connections."""
        self._beside.shutdown()
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Runs

    def create_run(
        self,
        request: Request,
        *,
        settings: dict[str, JsonValue],
        graph_version: int,
        parent: str | None = None,
        status: RunStatus = "running",
    ) -> Run:
        """A new run. Its id is lower-case, fit for an address, and sorts by time."""
        now = datetime.now(UTC)
        run = Run(
            id=str(ULID()).lower(),
            status=status,
            request=request,
            graph_version=graph_version,
            settings=settings,
            parent=None if parent is None else self.run(parent).id,
            created_at=now,
            updated_at=now,
        )
        columns = run.model_dump(mode="json") | {"created_at": now, "updated_at": now}
        with self.connected(writes=True) as connection:
            if run.parent is not None:
                _require_run(connection, run.parent)
            connection.execute(_NEW_RUN, columns)
        return run

    def run(self, run_id: str) -> Run:
        """The run of that id, or of that beginning of an id (at least 4 characters); UnknownRun."""
        asked = run_id.lower()
        if re.fullmatch(r"[0-9a-z]{4,26}", asked) is None:
            raise UnknownRun(f"{run_id!r} is no run id (4 to 26 letters and digits); `runs` lists them.")
        with self.connected(writes=False) as connection:
            whole = connection.execute(_RUN, {"run_id": asked}).mappings().one_or_none()
        if whole is not None:
            return Run.model_validate(dict(whole))
        with self.reading() as session:
            rows = session.scalars(select(RunRow).where(RunRow.id.startswith(asked)).limit(2)).all()
            if len(rows) == 1:
                return rows[0].record()
        if rows:
            raise UnknownRun(f"More than one run begins with {run_id!r}; give more of the id, `runs` lists them.")
        raise UnknownRun(f"There is no run {run_id!r}; `runs` lists them.")

    def runs(self) -> list[Run]:
        """All runs whose files have arrived, newest first."""
        with self.reading() as session:
            here = select(RunRow).where(RunRow.status != "arriving")
            rows = session.scalars(here.order_by(RunRow.created_at.desc(), RunRow.id.desc()))
            return [row.record() for row in rows]

    def set_status(self, lease: Lease, status: RunStatus, *, film: str | None = None, error: str | None = None) -> Run:
        """Change how the run stands; LostLease. `error` replaces what was there, a `film` of None leaves it."""
        with self.connected(writes=True) as connection:
            leases.require(connection, lease)
            how = {"run_id": lease.run, "now": status, "why": error, "at": datetime.now(UTC), "made": film}
            connection.execute(_STATUS, how)
            return Run.model_validate(dict(connection.execute(_RUN, how).mappings().one()))

    @contextmanager
    def hold(self, run_id: str, *, pause: Callable[[float], None] = time.sleep) -> Iterator[Lease]:
        """The sole right to write to the run while the block lasts; UnknownRun, RunIsHeld. pause: see `Lease`.

        A process that is silent for `lease_seconds` may lose it; one that died on this host loses it at once.
        """
        run = run_id if WHOLE_ID.fullmatch(run_id) else self.run(run_id).id
        with self.connected(writes=True) as connection:
            _require_run(connection, run)
            lease = leases.take(connection, run, self._lease_seconds, pause)
        stop = threading.Event()
        heart = threading.Thread(target=self._beat, args=(lease, stop), name=f"lease {run}", daemon=True)
        heart.start()
        try:
            yield lease
        finally:
            self._held.clear()  # more than is ours, but that costs a look each and no more
            stop.set()
            heart.join()
            self._tidy("the lease", lambda connection: leases.release(connection, lease))

    def _beat(self, lease: Lease, stop: threading.Event) -> None:
        while not stop.wait(self._lease_seconds / 3):
            try:
                with self.connected(writes=True) as connection:
                    is_ours = leases.renew(connection, lease, self._lease_seconds)
            except ArchiveError as error:
                logger.warning("The lease of run %s could not be renewed: %s", lease.run, error)
                continue
            if not is_ours:
                logger.warning("Run %s was taken over by another process", lease.run)
                return

    # Artifacts

    def artifact(self, artifact_id: str) -> Artifact:
        """The artifact of that id; UnknownArtifact."""
        if (held := self._held.get(artifact_id)) is not None:
            return held[0]
        with self.reading() as session:
            return _artifact_row(session, artifact_id).record()

    def artifacts(self, run_id: str) -> list[Artifact]:
        """What the run made or reused, in that order; UnknownRun."""
        run = self.run(run_id)
        with self.reading() as session:
            rows = session.scalars(
                select(ArtifactRow)
                .join(RunArtifactRow, RunArtifactRow.artifact == ArtifactRow.id)
                .where(RunArtifactRow.run == run.id)
                .order_by(RunArtifactRow.id)
            )
            return [row.record() for row in rows]

    def adopt(self, lease: Lease, artifact_ids: Iterable[str]) -> None:
        """These artifacts count among the run's too, in that order; UnknownArtifact, LostLease."""
        with self.writing() as session:
            connection = session.connection()
            database.lock_shelf(connection)
            leases.require(connection, lease)
            for artifact_id in artifact_ids:
                _attach(connection, lease.run, _artifact_row(session, artifact_id).id)

    def keepers(self, artifact_id: str) -> list[Run]:
        """The runs that made or reused the artifact, the first one first."""
        with self.reading() as session:
            rows = session.scalars(
                select(RunRow)
                .join(RunArtifactRow, RunArtifactRow.run == RunRow.id)
                .where(RunArtifactRow.artifact == artifact_id)
                .order_by(RunArtifactRow.id)
            )
            return [row.record() for row in rows]

    def made_again(self, run_id: str, since: datetime) -> list[Artifact]:
        """Products that were there once, and that agent calls of the run have made again since then."""
        with self.connected(writes=False) as connection:
            again = connection.scalars(_MADE_AGAIN, {"of_run": run_id, "since": since}).all()
            with Session(connection) as session:
                return [session.get_one(ArtifactRow, id).record() for id in again]

    def last_made(self, run_id: str, agent: str, *, beside: Collection[str] = ()) -> Artifact | None:
        """What the agent made last for the run, apart from the products of those ids."""
        with self.reading() as session:
            made = select(AgentCallRow.artifact).where(AgentCallRow.run == run_id, AgentCallRow.agent == agent)
            made = made.where(AgentCallRow.outcome == "made", AgentCallRow.artifact.not_in(beside))
            id = session.scalar(made.order_by(AgentCallRow.id.desc()).limit(1))
            return None if id is None else _artifact_row(session, id).record()

    def path(self, artifact: Artifact) -> Path:
        """The file of the artifact; UnknownArtifact."""
        if (held := self._held.get(artifact.id)) is not None:
            suffix = held[1]
        else:
            with self.reading() as session:
                suffix = _artifact_row(session, artifact.id).suffix
        return artifacts.place(self.home, artifact.sha256, suffix)

    def read(self, artifact: Artifact) -> bytes:
        """The bytes of the artifact, checked; DamagedArtifact."""
        return artifacts.fetch(self.path(artifact), artifact)

    def find(self, recipe: Recipe) -> Artifact | None:
        """What the recipe gave, if its file is there with the right bytes."""
        with self.reading() as session:
            row = recipes.known(session, recipe.key)
        return row.record() if row is not None and self._is_sound(row) else None

    def make(
        self, lease: Lease, recipe: Recipe, produce: Callable[[], Produced], *, parents: tuple[str, ...] = ()
    ) -> Made:
        """The product of the recipe: the stored one, or else what `produce` gives, called once among all processes.

        While another process makes it, this one waits, as `lease.pause` does. LostLease; what `produce` raises;
        ArchiveError if a product whose file was lost is made again with other bytes. parents: ids of the artifacts it
        starts from.
        """
        work = self._found_or_claimed(lease, recipe)
        if isinstance(work, Artifact):
            return Made(work, called=False)
        with ExitStack() as undo:
            undo.callback(self._give_up, work)
            start = time.monotonic()
            product = produce()
            seconds = time.monotonic() - start
            # Before the file is written, so that bytes nobody will know of do not stay behind.
            _refuse_other_bytes(work.known, product)
            if len(product.data) > BESIDE:
                artifacts.keep(self.home, product)
            artifact = self._publish(work, product, parents, seconds)
            undo.pop_all()
        return Made(artifact, called=True)

    def _found_or_claimed(self, lease: Lease, recipe: Recipe) -> Artifact | _Work:
        pause = 0.1
        work = self._begin(lease, recipe, believing=True)
        while work is None:
            if (found := self._adopted(lease, recipe)) is not None:
                return found
            work = self._begin(lease, recipe)
            if work is None:
                lease.pause(pause)
                pause = min(1.0, pause * 1.5)
        return work

    def _begin(self, lease: Lease, recipe: Recipe, *, believing: bool = False) -> _Work | None:
        """The work on the recipe; None while somebody else has it, or if what it gave is there.

        believing: whatever is known of the recipe is taken to be there, and not looked at.
        """
        with self.connected(writes=True) as connection:
            token = recipes.claim(connection, recipe.key, lease)
            if token is None:
                return None
            # After the claim: another process may have published, and given its own back, just before.
            row, believed = recipes.known_to(connection, recipe.key, lease.run)
            if row is not None and believed and (believing or self._is_sound(row)):
                recipes.release(connection, recipe.key, token)
                return None
            line = {"run": lease.run, "key": recipe.key, "agent": recipe.agent, "started_at": datetime.now(UTC)}
            call = connection.execute(_LEDGER_LINE, line).scalar_one()
            return _Work(recipe, lease, token, call, None if row is None else row.record())

    def _adopted(self, lease: Lease, recipe: Recipe) -> Artifact | None:
        with self.connected(writes=False) as connection:
            row, believed = recipes.known_to(connection, recipe.key, lease.run)
        if row is None or not believed or not self._is_sound(row):
            return None
        with self.connected(writes=True) as connection:
            database.lock_shelf(connection)
            leases.require(connection, lease)
            if connection.scalar(_STAYS, {"artifact": row.id}) is None:  # given away since we looked
                return None
            _attach(connection, lease.run, row.id)
        return self._at_hand(row.record(), row.suffix)

    def _publish(self, work: _Work, product: Produced, parents: tuple[str, ...], seconds: float) -> Artifact:
        target = artifacts.place(self.home, product.sha256, product.suffix)
        # A small file is flushed to the disk meanwhile, and before the commit: both take their time.
        with self.connected(writes=True) as connection:
            database.lock_shelf(connection)
            leases.require(connection, work.lease)
            is_kept = len(product.data) > BESIDE and target.exists()  # or else it looked like nobody's
            keeping = None if is_kept else self._beside.submit(artifacts.keep, self.home, product)
            artifact = _insert_artifact(connection, work.recipe, product, parents, seconds)
            recipes.fulfil(connection, work.recipe.key, artifact.id)
            ended = {"call": work.call, "ended": datetime.now(UTC), "gave": artifact.id}
            connection.execute(_LEDGER_MADE, ended)
            _attach(connection, work.lease.run, artifact.id)
            if keeping is not None:
                keeping.result()
        return self._at_hand(artifact, product.suffix)

    def _at_hand(self, artifact: Artifact, suffix: str) -> Artifact:
        self._held[artifact.id] = (artifact, suffix)
        return artifact

    def _give_up(self, work: _Work) -> None:
        def end(connection: Connection) -> None:
            # No line, if the run was dropped after its lease had expired.
            connection.execute(_LEDGER_FAILED, {"call": work.call, "ended": datetime.now(UTC)})
            recipes.release(connection, work.recipe.key, work.token)

        self._tidy("the claim", end)

    def _is_sound(self, row: ArtifactRow) -> bool:
        return artifacts.is_sound(artifacts.place(self.home, row.sha256, row.suffix), row.sha256)

    # Calls

    def ledger(self, run_id: str) -> list[AgentCall]:
        """All agent calls of the run, in the order they began; UnknownRun."""
        run = self.run(run_id)
        with self.reading() as session:
            rows = session.scalars(select(AgentCallRow).where(AgentCallRow.run == run.id).order_by(AgentCallRow.id))
            return [row.record() for row in rows]

    def remember_llm(self, lease: Lease, call: LlmCall) -> None:
        """Add a call of a language model to its run; LostLease."""
        assert call.run == lease.run, "an answer goes to the run that asked"
        with self.connected(writes=True) as connection:
            leases.require(connection, lease)
            connection.execute(_LLM_CALL, dict(call))

    def recalled_llm(self, run_id: str, digest: str) -> LlmCall | None:
        """The last answer that the run, named by its whole id, got to what has this digest."""
        with self.connected(writes=False) as connection:
            last = connection.scalar(_LAST_ANSWER, {"asking": run_id, "asked": digest})
            if last is None:
                return None
            with Session(connection) as session:
                return session.get_one(LlmCallRow, last).record()

    def llm_calls(self, run_id: str) -> list[LlmCall]:
        """All calls of language models of the run, in order; UnknownRun."""
        run = self.run(run_id)
        with self.reading() as session:
            rows = session.scalars(select(LlmCallRow).where(LlmCallRow.run == run.id).order_by(LlmCallRow.id))
            return [row.record() for row in rows]

    # The database

    @contextmanager
    def saver(self, lease: Lease | None = None) -> Iterator["BaseCheckpointSaver[str]"]:
        """LangGraph's own saver on the same connections, for any number of threads; it restores plain data only.

        lease: nothing is written but while it is the newest one (LostLease); None: for who reads.
        """
        from memory.checkpoints.saver import saver_on, set_up

        saver = saver_on(self, lease, self._address)
        with self._set_up, database.plain_words(self._address):
            if not self._has_checkpoints:
                set_up(self._address, self._busy_seconds)
                self._has_checkpoints = True
        try:
            yield saver
        finally:
            with _left_over("what the last step gave"):
                saver.flush()

    @property
    def shown(self) -> str:
        """The database's address without its password."""
        return self._address.render_as_string(hide_password=True)

    def size(self) -> int:
        """Bytes of the database, checkpoints included and artifacts not; SQLite's recycled log is not counted."""
        pages = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        is_sqlite = self._address.drivername == "sqlite"
        with self.reading() as session:
            asked = text(pages if is_sqlite else "SELECT pg_database_size(current_database())")
            return int(session.execute(asked).scalar_one())

    def compact(self) -> None:
        """Make the database as small as it can be; DatabaseTrouble while others do not let go of it."""
        with database.plain_words(self._address):
            database.compact(self._engine)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for the modules of memory: it sees one moment of the database, and writes nothing."""
        with database.plain_words(self._address), _our_rows(), Session(self._engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session for the modules of memory: one transaction, all of it or nothing."""
        with database.plain_words(self._address), _our_rows(), Session(self._writer) as session, session.begin():
            yield session

    @contextmanager
    def connected(self, *, writes: bool) -> Iterator[Connection]:
        """As `reading` or `writing`, for statements that are nobody's mapping: that costs half."""
        engine = self._writer if writes else self._engine
        with database.plain_words(self._address), _our_rows(), engine.begin() as connection:
            yield connection

    def _tidy(self, what: str, write: Callable[[Connection], None]) -> None:
        with _left_over(what), self.connected(writes=True) as connection:
            write(connection)


@contextmanager
def _left_over(what: str) -> Iterator[None]:
    """Writing what can also be left: it expires by itself, and must not hide the error that led here."""
    try:
        yield
    except ArchiveError as error:
        logger.warning("Could not give back %s: %s", what, error)


def _make_home(home: Path) -> None:
    with artifacts.disk_words(home):
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        (home / "artifacts").mkdir(exist_ok=True)
    if not os.access(home / "artifacts", os.W_OK | os.X_OK):
        raise DiskTrouble(f"The folder {home} cannot be written to; check its rights or set another home.")


@contextmanager
def _our_rows() -> Iterator[None]:
    """A row that is no record, because somebody else wrote it, as DatabaseTrouble."""
    try:
        yield
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, (error.title, *first["loc"])))
        raise DatabaseTrouble(
            f"A row of the database was not written by this program ({where}: {first['msg']}); restore the database "
            "from a copy, or drop the run that it is of with `gc --run`."
        ) from error


def _require_run(connection: Connection, run_id: str) -> None:
    """UnknownRun if the run was dropped since somebody looked; it cannot be until the transaction ends."""
    if connection.scalar(_RUN_STAYS, {"run_id": run_id}) is None:
        raise UnknownRun(f"There is no run {run_id!r} any more; `runs` lists them.")


def _artifact_row(session: Session, artifact_id: str) -> ArtifactRow:
    is_one = re.fullmatch(r"(image|clip|film)-[0-9a-f]{16}", artifact_id) is not None
    row = session.get(ArtifactRow, artifact_id) if is_one else None
    if row is None:
        raise UnknownArtifact(f"There is no artifact {artifact_id!r}; `show` lists those of a run.")
    return row


def _refuse_other_bytes(known: Artifact | None, product: Produced) -> None:
    if known is not None and known.sha256 != product.sha256:
        raise OtherBytes(
            f"{known.id} was made again from the same recipe and came out different; "
            "put its file back from a copy, or ask with another seed."
        )


def _insert_artifact(
    connection: Connection, recipe: Recipe, product: Produced, parents: tuple[str, ...], seconds: float
) -> Artifact:
    """The artifact of the recipe: a new row, or the one that is there."""
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
    insert = database.insert_new(connection, ArtifactRow, "id")
    if connection.scalar(insert, {**columns, "key": recipe.key, "suffix": product.suffix}) is not None:
        return artifact
    # A process that was taken for dead published the same meanwhile.
    with Session(connection) as session:
        row = recipes.known(session, recipe.key)
    assert row is not None, "an artifact that was just stored is not there"
    artifact = row.record()
    _refuse_other_bytes(artifact, product)
    return artifact


def _attach(connection: Connection, run: str, artifact: str) -> None:
    connection.execute(database.insert_new(connection, RunArtifactRow), {"run": run, "artifact": artifact})
