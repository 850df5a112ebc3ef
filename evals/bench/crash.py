"""Runs of all six tasks, killed with SIGKILL at random moments and resumed: what is lost, different, or done twice.

Each life is forked from a process that has the embedded agents in memory, works in a home of its own, and is killed
from outside; a second life resumes the run. The film of a run that nobody disturbed is what it must come to.
"""

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
from graph.runs.requests import request_of
from graph.runs.runner import resume, start
from graph.runs.services import Services
from graph.settings import Settings
from memory.archive import Archive
from memory.records import AgentCall, Run
from models.agent import Role
from models.lenders.local import LocalLender

Report = Callable[[str, int, int, float | None, str], None]
SEED = 11
LATEST = 1.05
"""Kills come up to this share of the time that an undisturbed run takes: some come too late."""


@dataclass(frozen=True)
class ToolTask:
    """One task as it is asked for; pictures and videos by their names in the folder of givens."""

    task: str
    prompt: str
    images: tuple[str, ...] = ()
    videos: tuple[str, ...] = ()
    more: dict[str, Any] = field(default_factory=dict)


ERRANDS = (
    ToolTask(
        "text-to-video",
        "a red ball rolls over the snow, then a blue star rises in the night",
        more={"transitions": True},
    ),
    ToolTask("image-to-video", "make it green and let it fly to the left", images=("one.png",)),
    ToolTask("extend", "it keeps moving right", videos=("one.mp4",)),
    ToolTask("edit", "make it purple", videos=("one.mp4",)),
    ToolTask("connect", "connect these", videos=("one.mp4", "two.mp4")),
    ToolTask("simulate", "a red ball rolls over the snow"),
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
    else SQLite. About three seconds a kill."""
    lender = LocalLender("embedded", device="cpu")
    for role in get_args(Role):  # before the first fork, so that no life has to
        with lender.lend(role):
            pass
    with TemporaryDirectory() as folder:
        bench = _Bench(Path(folder), lender, server)
        bench.make_givens()
        rows = [Row(task=tool_task.task) for tool_task in ERRANDS]
        undisturbed = [bench.undisturbed(tool_task) for tool_task in ERRANDS]
        for number in range(kills):
            which = number % len(ERRANDS)
            film, seconds = undisturbed[which]
            delay = random.Random(f"kill {number}").uniform(0, LATEST) * seconds
            bench.kill_and_resume(number, ERRANDS[which], delay, film, rows[which])
            report("killing", number + 1, kills, None, ERRANDS[which].task)
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
            film = self._lived(home, ToolTask("text-to-video", words))
            (self.folder / f"{name}.mp4").write_bytes(film)
            (self.folder / f"{name}.png").write_bytes(encode_image(decode_clip(film).frames[0]))

    def undisturbed(self, tool_task: ToolTask) -> tuple[str, float]:
        """The digest of the film that nobody disturbs, and the seconds it takes."""
        home = self.folder / f"undisturbed {tool_task.task}"
        began = time.monotonic()
        self._lived(home, tool_task)
        seconds = time.monotonic() - began
        with self._archive(home) as archive:
            run = archive.runs()[0]
            assert run.film is not None, f"an undisturbed run of {tool_task.task} is {run.status}: {run.error}"
            return archive.artifact(run.film).sha256, seconds

    def kill_and_resume(self, number: int, tool_task: ToolTask, delay: float, film: str, row: Row) -> None:
        """One kill, and what became of it."""
        home = self.folder / f"kill {number}"
        row.kills += 1
        life = self._born(home, tool_task)
        time.sleep(delay)
        life.kill()
        life.join()
        before = self._ledger(home)
        if before is None:
            row.early += 1
            self._lived(home, tool_task)
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

    def _lived(self, home: Path, tool_task: ToolTask) -> bytes:
        self._born(home, tool_task).join()
        with self._archive(home) as archive:
            run = archive.runs()[0]
            assert run.film is not None, f"a run of {tool_task.task} is {run.status}: {run.error}"
            return archive.read(archive.artifact(run.film))

    def _born(self, home: Path, tool_task: ToolTask | None) -> multiprocessing.process.BaseProcess:
        """A life that does the errand, or resumes what is there."""
        process = multiprocessing.get_context("fork").Process(target=self._live, args=(home, tool_task))
        process.start()
        return process

    def _live(self, home: Path, tool_task: ToolTask | None) -> None:
        settings = Settings(home=home, planner="embedded", profile="embedded", device="cpu")
        with self._archive(home) as archive:
            services = self._services(settings, archive)
            if tool_task is None:
                resume(services, archive.runs()[0].id, lambda _heard: None)
                return
            asked = {"prompt": tool_task.prompt, "task": tool_task.task, "seed": SEED, **tool_task.more}
            request, uploads = request_of(
                asked,
                [self.folder / name for name in tool_task.images],
                [self.folder / name for name in tool_task.videos],
                size=services.size,
            )
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
