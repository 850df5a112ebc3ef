"""Runs of all six tasks, killed with SIGKILL at random moments and resumed: what is lost, different, or done twice.

Each life is forked from a process that has the embedded agents in memory, works in a home of its own, and is killed
from outside; a second life resumes the run. The film of a run that nobody disturbed is what it must come to.
"""

import gc
import multiprocessing
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

from pydantic import BaseModel
from rich.table import Table

from graph.configure import services_for
from graph.runs.requests.options import GivenFiles, RequestOptions
from graph.runs.requests.resolve import request_with_files
from graph.runs.runner import resume, start
from graph.runs.services import Services
from graph.settings import Settings
from memory.archive import Archive
from memory.records import AgentCall, Run, Task
from models.agent import Role
from models.lenders.local import LocalLender
from tools.errors import BadInput

Report = Callable[[str, int, int, float | None, str], None]
SEED = 11
LATEST = 1.05
"""Kills come up to this share of the time that an undisturbed run takes: some come too late."""


@dataclass(frozen=True)
class TaskCase:
    """One task as it is asked for; pictures and videos by their names in the folder of givens."""

    task: Task
    prompt: str
    images: tuple[str, ...] = ()
    videos: tuple[str, ...] = ()
    more: dict[str, Any] = field(default_factory=dict)


CASES = (
    TaskCase(
        "text-to-video",
        "a red ball rolls over the snow, then a blue star rises in the night",
        more={"transitions": True},
    ),
    TaskCase("image-to-video", "make it green and let it fly to the left", images=("one.png",)),
    TaskCase("extend", "it keeps moving right", videos=("one.mp4",)),
    TaskCase("edit", "make it purple", videos=("one.mp4",)),
    TaskCase("connect", "connect these", videos=("one.mp4", "two.mp4")),
    TaskCase("simulate", "a red ball rolls over the snow"),
)
GIVENS = ("a red ball moves right in the snow", "a blue star moves up over the sea")


class Row(BaseModel):
    """What became of the kills of one task: `early` and `late` ones found no run, or one that was done."""

    task: str
    kills: int = 0
    early: int = 0
    late: int = 0
    lost: int = 0
    different: int = 0
    repeated: int = 0

    @property
    def holds(self) -> bool:
        """True if nothing was lost, different, or done twice."""
        return not (self.lost or self.different or self.repeated)


def measure_crashes(*, kills: int, report: Report, server: str | None = None) -> list[Row]:
    """`kills` of runs, spread over the tasks. server: a PostgreSQL URL, in which every run gets a database of its own;
    else SQLite. About three seconds a kill. Raises BadInput where processes cannot be forked."""
    if "fork" not in multiprocessing.get_all_start_methods():
        raise BadInput(
            "crash-platform-unsupported",
            "`evaluate crash` forks processes, which this system cannot; run it on Linux or macOS.",
        )
    lender = LocalLender("embedded", device="cpu")
    for role in get_args(Role):  # before the first fork, so that no life has to
        with lender.lend(role):
            pass
    with TemporaryDirectory() as folder:
        bench = _Bench(Path(folder), lender, server)
        bench.make_givens()
        rows = [Row(task=case.task) for case in CASES]
        undisturbed = [bench.undisturbed(case) for case in CASES]
        for number in range(kills):
            which = number % len(CASES)
            film, seconds = undisturbed[which]
            delay = random.Random(f"kill {number}").uniform(0, LATEST) * seconds
            bench.kill_and_resume(number, CASES[which], delay, film, rows[which])
            report("killing", number + 1, kills, None, CASES[which].task)
    return rows


def table_of(rows: Sequence[Row]) -> Table:
    """The rows as a person reads them."""
    table = Table("task", "kills", "before the run", "after its end", "runs lost", "films different", "calls repeated")
    for row in rows:
        numbers = (row.kills, row.early, row.late, row.lost, row.different, row.repeated)
        table.add_row(row.task, *map(str, numbers))
    table.add_section()
    names = ("kills", "early", "late", "lost", "different", "repeated")
    table.add_row("all", *(str(sum(getattr(row, name) for row in rows)) for name in names))
    return table


@dataclass(frozen=True)
class _Bench:
    folder: Path
    lender: LocalLender
    server: str | None

    def make_givens(self) -> None:
        """Two films and a first frame, for the tasks that work on files."""
        from tools.media.codecs import decode_clip, encode_image

        for name, words in zip(("one", "two"), GIVENS, strict=False):
            home = self.folder / f"given {name}"
            film = self._lived(home, TaskCase("text-to-video", words))
            (self.folder / f"{name}.mp4").write_bytes(film)
            (self.folder / f"{name}.png").write_bytes(encode_image(decode_clip(film).frames[0]))

    def undisturbed(self, case: TaskCase) -> tuple[str, float]:
        """The digest of the film that nobody disturbs, and the seconds it takes."""
        home = self.folder / f"undisturbed {case.task}"
        began = time.monotonic()
        self._lived(home, case)
        seconds = time.monotonic() - began
        with self._archive(home) as archive:
            run = archive.runs()[0]
            assert run.film is not None, f"an undisturbed run of {case.task} is {run.status}: {run.error}"
            return archive.artifact(run.film).sha256, seconds

    def kill_and_resume(self, number: int, case: TaskCase, delay: float, film: str, row: Row) -> None:
        """One kill, and what became of it."""
        home = self.folder / f"kill {number}"
        row.kills += 1
        life = self._born(home, case)
        time.sleep(delay)
        life.kill()
        life.join()
        before = self._ledger(home)
        if before is None:
            row.early += 1
            self._lived(home, case)
        else:
            row.late += self._run(home).status == "done"
            self._born(home, None).join()
        run, after = self._run(home), self._ledger(home) or []
        row.lost += run.film is None
        if run.film is not None:
            with self._archive(home) as archive:
                row.different += archive.artifact(run.film).sha256 != film
        finished = {line.key for line in before or () if line.outcome == "made"}
        row.repeated += sum(line.key in finished for line in after[len(before or ()) :])

    def _ledger(self, home: Path) -> list[AgentCall] | None:
        with self._archive(home) as archive:
            runs = archive.runs()
            return archive.ledger(runs[0].id) if runs else None

    def _run(self, home: Path) -> Run:
        with self._archive(home) as archive:
            return archive.runs()[0]

    def _lived(self, home: Path, case: TaskCase) -> bytes:
        self._born(home, case).join()
        with self._archive(home) as archive:
            run = archive.runs()[0]
            assert run.film is not None, f"a run of {case.task} is {run.status}: {run.error}"
            return archive.read(archive.artifact(run.film))

    def _born(self, home: Path, case: TaskCase | None) -> multiprocessing.process.BaseProcess:
        """A life that does the task, or resumes what is there."""
        process = multiprocessing.get_context("fork").Process(target=self._live, args=(home, case))
        # A decoder that nobody holds any more waits, where it is freed, for its threads, which a fork does not have.
        gc.freeze()
        process.start()
        gc.unfreeze()
        return process

    def _live(self, home: Path, case: TaskCase | None) -> None:
        settings = Settings(home=home, planner="embedded", profile="embedded", device="cpu")
        with self._archive(home) as archive:
            services = self._services(settings, archive)
            if case is None:
                resume(services, archive.runs()[0].id, lambda _heard: None)
                return
            options = RequestOptions(prompt=case.prompt, task=case.task, seed=SEED, **case.more)
            images = tuple(self.folder / name for name in case.images)
            videos = tuple(self.folder / name for name in case.videos)
            usual = RequestOptions(profile=settings.profile, planner=settings.planner)
            request, uploads = request_with_files(options, GivenFiles(images, videos), usual, size=services.size)
            start(services, request, {}, lambda _heard: None, uploads=uploads)

    def _services(self, settings: Settings, archive: Archive) -> Services:
        from dataclasses import replace

        return replace(services_for(settings, archive), lender=lambda _stored: self.lender)

    @contextmanager
    def _archive(self, home: Path) -> Iterator[Archive]:
        with Archive.open(self._url(home), home) as archive:
            yield archive

    def _url(self, home: Path) -> str:
        if self.server is None:
            home.mkdir(exist_ok=True)
            return f"sqlite:///{home / 'mora.db'}"
        return _database(self.server, "crash_" + "".join(c if c.isalnum() else "_" for c in home.name))


def _database(server: str, name: str) -> str:
    """The URL of a database of that name on the server, made if it is not there."""
    import psycopg
    from psycopg import sql

    base, _, _ = server.rpartition("/")
    with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
        if known is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return f"{base}/{name}"
