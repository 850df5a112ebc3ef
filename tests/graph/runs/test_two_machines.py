"""Two machines on one database: a run is taken over once its owner was silent, and the owner that wakes is told."""

import signal
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import select

from graph.runs.history import checkpoints_of
from graph.runs.runner import resume, start
from memory.archive import Archive
from memory.database.tables import LeaseRow
from memory.errors import DatabaseTrouble, RunIsHeld
from memory.records import Request
from support.graph_workers import ForkServer, Worker
from support.processes import until
from support.tiny_agents import TinyLender, rooms_with

pytestmark = pytest.mark.slow

WISH = "a red ball moves right in the snow"
SILENT = 3.0
"""Seconds after which an owner that says nothing loses its run."""

MOMENTS: dict[str, dict[str, Any]] = {
    "in an agent call": {"role": "image_to_video", "words": "ball"},
    "before its checkpoint": {"event": 2},
    "before its large file is in place": {"rename": 2, "beside": 0},
    "while its rows are written": {"rename": 2},
}


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of the film of a run that nobody disturbs."""
    home = tmp_path_factory.mktemp("undisturbed")
    with Archive.open(f"sqlite:///{home / 'mora.db'}", home) as archive:
        run = start(rooms_with(archive, TinyLender()), Request(prompt=WISH, seed=3), {}, lambda _told: None)
        return archive.artifact(str(run.film)).sha256


def frozen(workers: ForkServer, home: Path, url: str, moment: dict[str, Any]) -> Worker:
    """A run on another machine, which stands still at the moment."""
    beside = {name: moment[name] for name in ("beside",) if name in moment}
    worker = workers.start(
        home=str(home), url=url, prompt=WISH, seed=3, host="elsewhere", lease_seconds=SILENT,
        die={**moment, "by": "SIGSTOP"}, **beside,
    )  # fmt: skip
    until(lambda: psutil.Process(worker.pid).status() in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE))
    return worker


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
def test_an_owner_that_wakes_too_late_changes_nothing(
    workers: ForkServer, film: str, moment: dict[str, Any], database_url: str, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    worker = frozen(workers, home, database_url, moment)
    run = (home / "run").read_text()
    with Archive.open(database_url, home, lease_seconds=SILENT, busy_seconds=5.0) as archive:
        services = rooms_with(archive, TinyLender())
        refused = 0
        while archive.run(run).status != "done":
            try:
                resume(services, run, lambda _told: None)
            except DatabaseTrouble as trouble:
                # Another of its threads was writing when it was stopped: SQLite has one lock, and gives it to nobody.
                assert "is locked" in str(trouble) and database_url.startswith("sqlite")
                worker.kill()
                pytest.skip("it stood still with SQLite's only lock in its hand")
            except RunIsHeld as held:
                assert "on elsewhere since" in str(held)
                refused += 1
                time.sleep(0.1)
        before = stood(archive, run)
        worker.kill(signal.SIGCONT)
        told = worker.result()
        # In the middle of a transaction it is the server that hangs up first.
        assert told["kind"] == ("LostLease" if "beside" in moment or "rename" not in moment else "DatabaseTrouble")
        assert stood(archive, run) == before
        assert before["film"] == film
        made = [line.key for line in archive.ledger(run) if line.outcome == "made"]
        assert len(made) == len(set(made)), "a recipe was made twice"


def stood(archive: Archive, run: str) -> dict[str, Any]:
    """All that a stale owner could spoil."""
    known = archive.run(run)
    return {
        "run": known,
        "film": archive.artifact(str(known.film)).sha256,
        "checkpoints": checkpoints_of(archive, known),
        "artifacts": archive.artifacts(run),
        "answers": archive.llm_calls(run),
    }


def test_while_its_owner_elsewhere_is_alive_a_run_is_not_taken(
    workers: ForkServer, database_url: str, tmp_path: Path
) -> None:
    home, gate = tmp_path / "home", tmp_path / "gate"
    home.mkdir()
    worker = workers.start(
        home=str(home), url=database_url, prompt=WISH, seed=3, host="elsewhere", lease_seconds=3 * SILENT,
        gate=str(gate),
    )  # fmt: skip
    until(lambda: (home / "run").exists() and (home / "run").read_text())
    run, lender = (home / "run").read_text(), TinyLender()
    with Archive.open(database_url, home) as archive:
        until(lambda: archive.ledger(run))
        first = expires(archive)
        for _ in range(2):
            with pytest.raises(RunIsHeld):
                resume(rooms_with(archive, lender), run, lambda _told: None)
            until(lambda: expires(archive) > first)
        assert not lender.called
        gate.touch()
        assert worker.result()["status"] == "done"


def expires(archive: Archive) -> float:
    with archive.reading() as session:
        return session.execute(select(LeaseRow.expires)).scalar_one()
