"""The archive: the only one that opens sessions; speaks in records. Knows no graph and no tensor.

What is done in a transaction stands with its idea (`runs`, `calls`, `leases`, `products/`); it is lent there.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from pydantic import JsonValue, ValidationError
from sqlalchemy import URL, Connection, Engine, text
from sqlalchemy.orm import Session

from memory import calls, leases, runs
from memory.database import engine as database
from memory.database import upgrade
from memory.errors import ArchiveError, DatabaseTrouble, DiskTrouble
from memory.leases import Lease
from memory.products import artifacts, files, recipes
from memory.products.files import Made, Produced
from memory.products.making import Maker
from memory.records import AgentCall, Artifact, LlmCall, Recipe, Request, Run, RunStatus

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver

__all__ = ["Archive", "Lease", "Made", "Produced"]

logger = logging.getLogger(__name__)


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
        self._maker = Maker(self, home)

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
        self._maker.close()
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
        """Add a new run. Its id is lower-case, fits an address, and sorts by time; UnknownRun for no such parent."""
        whole = None if parent is None else self.run(parent).id
        run = runs.new_run(request, settings=settings, graph_version=graph_version, parent=whole, status=status)
        with self.connected(writes=True) as connection:
            runs.add(connection, run)
        return run

    def run(self, run_id: str) -> Run:
        """Return the run of that id, or of that beginning of an id (at least 4 characters); UnknownRun."""
        with self.connected(writes=False) as connection:
            return runs.find(connection, run_id)

    def runs(self) -> list[Run]:
        """Return all runs whose files have arrived, newest first."""
        with self.reading() as session:
            return runs.newest_first(session)

    def set_status(self, lease: Lease, status: RunStatus, *, film: str | None = None, error: str | None = None) -> Run:
        """Change how the run stands; LostLease. `error` replaces what was there, a `film` of None leaves it."""
        with self.connected(writes=True) as connection:
            return runs.set_status(connection, lease, status, film=film, error=error)

    @contextmanager
    def hold(self, run_id: str, *, pause: Callable[[float], None] = time.sleep) -> Iterator[Lease]:
        """Hold the sole right to write to the run while the block lasts; UnknownRun, RunIsHeld. pause: see `Lease`.

        A process that is silent for `lease_seconds` may lose it; one that died on this host loses it at once.
        """
        run = run_id if runs.WHOLE_ID.fullmatch(run_id) else self.run(run_id).id
        with self.connected(writes=True) as connection:
            runs.lock(connection, run)
            lease = leases.take(connection, run, self._lease_seconds, pause)
        stop = threading.Event()
        heart = threading.Thread(target=self._beat, args=(lease, stop), name=f"lease {run}", daemon=True)
        heart.start()
        try:
            yield lease
        finally:
            self._maker.held.clear()  # more than is ours, but that costs a look each and no more
            stop.set()
            heart.join()
            with leases.best_effort("give back the lease"), self.connected(writes=True) as connection:
                leases.release(connection, lease)

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
        """Return the artifact of that id; UnknownArtifact."""
        if (held := self._maker.held.get(artifact_id)) is not None:
            return held[0]
        with self.reading() as session:
            return artifacts.row_of(session, artifact_id).record()

    def artifacts(self, run_id: str) -> list[Artifact]:
        """Return what the run made or reused, in that order; UnknownRun."""
        run = self.run(run_id)
        with self.reading() as session:
            return artifacts.of_run(session, run.id)

    def adopt(self, lease: Lease, artifact_ids: Iterable[str]) -> None:
        """Count these artifacts among the run's too, in that order; UnknownArtifact, LostLease."""
        with self.writing() as session:
            connection = session.connection()
            database.lock_products(connection)
            leases.require(connection, lease)
            for artifact_id in artifact_ids:
                artifacts.attach(connection, lease.run, artifacts.row_of(session, artifact_id).id)

    def keepers(self, artifact_id: str) -> list[Run]:
        """Return the runs that made or reused the artifact, the first one first."""
        with self.reading() as session:
            return artifacts.keepers(session, artifact_id)

    def made_again(self, run_id: str, since: datetime) -> list[Artifact]:
        """Return products that were there before, and that agent calls of the run have made again since then."""
        with self.connected(writes=False) as connection:
            return artifacts.made_again(connection, run_id, since)

    def last_made(self, run_id: str, agent: str, *, beside: Collection[str] = ()) -> Artifact | None:
        """Return what the agent made last for the run, apart from the products of the ids in `beside`."""
        with self.reading() as session:
            return artifacts.last_made(session, run_id, agent, beside=beside)

    def path(self, artifact: Artifact) -> Path:
        """Return where the file of the artifact lies; UnknownArtifact."""
        if (held := self._maker.held.get(artifact.id)) is not None:
            suffix = held[1]
        else:
            with self.reading() as session:
                suffix = artifacts.row_of(session, artifact.id).suffix
        return files.place(self.home, artifact.sha256, suffix)

    def read(self, artifact: Artifact) -> bytes:
        """Return the bytes of the artifact, checked; DamagedArtifact."""
        return files.fetch(self.path(artifact), artifact)

    def find(self, recipe: Recipe) -> Artifact | None:
        """Return what the recipe gave, if its file is there with the right bytes."""
        with self.reading() as session:
            row = recipes.known(session, recipe.key)
        return row.record() if row is not None and self._maker.is_sound(row) else None

    def make(
        self, lease: Lease, recipe: Recipe, produce: Callable[[], Produced], *, parents: tuple[str, ...] = ()
    ) -> Made:
        """Return the stored product of the recipe, or store what `produce` returns, called once among all processes.

        While another process makes it, this one waits, as `lease.pause` does. LostLease; what `produce` raises;
        OtherBytes if a product whose file was lost is made again and differs. parents: ids of the artifacts it starts
        from.
        """
        return self._maker.make(lease, recipe, produce, parents=parents)

    # Calls

    def ledger(self, run_id: str) -> list[AgentCall]:
        """Return all agent calls of the run, in the order they began; UnknownRun."""
        run = self.run(run_id)
        with self.reading() as session:
            return calls.ledger(session, run.id)

    def remember_llm(self, lease: Lease, call: LlmCall) -> None:
        """Add a call of a language model to its run; LostLease."""
        with self.connected(writes=True) as connection:
            calls.remember_llm(connection, lease, call)

    def recalled_llm(self, run_id: str, digest: str) -> LlmCall | None:
        """Return the last answer that the run, named by its whole id, got to the question of this digest."""
        with self.connected(writes=False) as connection:
            return calls.recalled_llm(connection, run_id, digest)

    def llm_calls(self, run_id: str) -> list[LlmCall]:
        """Return all calls of language models of the run, in order; UnknownRun."""
        run = self.run(run_id)
        with self.reading() as session:
            return calls.llm_calls(session, run.id)

    # The database

    @contextmanager
    def saver(self, lease: Lease | None = None) -> Iterator["BaseCheckpointSaver[str]"]:
        """Lend LangGraph's own saver on the same connections, for any number of threads; it restores plain data only.

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
            with leases.best_effort("write what the last step gave"):
                saver.flush()

    @property
    def shown(self) -> str:
        """The database's address without its password."""
        return self._address.render_as_string(hide_password=True)

    def size(self) -> int:
        """Return the bytes of the database, with checkpoints and without artifacts and SQLite's recycled log."""
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
        """Lend a session to the modules of memory: it sees one moment of the database, and writes nothing."""
        with database.plain_words(self._address), _our_rows(), Session(self._engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Lend a session to the modules of memory: one transaction, all of it or nothing."""
        with database.plain_words(self._address), _our_rows(), Session(self._writer) as session, session.begin():
            yield session

    @contextmanager
    def connected(self, *, writes: bool) -> Iterator[Connection]:
        """Lend a connection, as `reading` or `writing`, for statements that need no mapping: that costs half."""
        engine = self._writer if writes else self._engine
        with database.plain_words(self._address), _our_rows(), engine.begin() as connection:
            yield connection


def _make_home(home: Path) -> None:
    with files.disk_words(home):
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        (home / "artifacts").mkdir(exist_ok=True)
    if not os.access(home / "artifacts", os.W_OK | os.X_OK):
        raise DiskTrouble(
            "home-unwritable",
            f"The folder {home} cannot be written to; check its rights or set another home.",
            path=str(home),
        )


@contextmanager
def _our_rows() -> Iterator[None]:
    """Raise DatabaseTrouble for a row that is no record, because somebody else wrote it."""
    try:
        yield
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, (error.title, *first["loc"])))
        raise DatabaseTrouble(
            "database-row-foreign",
            f"A row of the database was not written by this program ({where}: {first['msg']}); restore the database "
            "from a copy, or drop the run that it is of.",
        ) from error
