"""Disks that are full or may not be written to, servers that go and come back, clocks that jump: told, nothing lost."""

import random
import sqlite3
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, event, select, text

from memory.archive import Archive
from memory.database.engine import EpochNow
from memory.database.tables import LeaseRow
from memory.errors import DatabaseTrouble, DiskTrouble, LostLease, RunIsHeld
from memory.records import Request, Run
from memory.retention.collect import collect
from support import archive_workers
from support.archive_workers import picture, recipe, story
from support.processes import until


def execute(url: str, statement: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_a_database_without_room_loses_nothing_at_any_page(tmp_path: Path, home: Path) -> None:
    """Every write fails once for want of a page; each is told, and what was written before is there."""
    with Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", home) as archive:
        pages = [10**6]

        @event.listens_for(archive._engine, "checkout")
        def _(connection: sqlite3.Connection, *_: object) -> None:
            connection.execute(f"PRAGMA max_page_count = {pages[0]}")

        refused = 0
        pages[0] = archive.size() // 4096
        for number in range(40):
            try:
                run = archive.create_run(Request(prompt="x" * 3000), settings={}, graph_version=1)
                with archive.hold(run.id) as lease:
                    archive.make(lease, recipe(number), lambda number=number: picture(b"%d" % number))
                    archive.set_status(lease, "done")
            except DiskTrouble as trouble:
                refused += 1
                pages[0] += 1
                assert "make room" in str(trouble)
        assert refused > 10
        pages[0] = 10**6
        done = [run for run in archive.runs() if run.status == "done"]
        assert len(done) > 5
        assert all(archive.read(artifact) for run in done for artifact in archive.artifacts(run.id))
        # What was half done can be done now, and is done once.
        for run in archive.runs():
            with archive.hold(run.id) as lease:
                archive.make(lease, recipe(99), picture)
        ledger = [line for run in archive.runs() for line in archive.ledger(run.id)]
        assert sum(line.outcome == "made" and line.key == recipe(99).key for line in ledger) == 1


def test_checkpoints_without_room_are_told_and_the_run_goes_on_from_the_last(tmp_path: Path, home: Path) -> None:
    with Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", home) as archive:
        run = archive.create_run(Request(prompt="told"), settings={}, graph_version=1)
        thread: Any = {"configurable": {"thread_id": run.id}}
        pages = archive.size() // 4096 + 4

        @event.listens_for(archive._engine, "checkout")
        def _(connection: sqlite3.Connection, *_: object) -> None:
            connection.execute(f"PRAGMA max_page_count = {pages}")

        with pytest.raises(DiskTrouble, match="make room, then resume"), archive.saver() as saver:
            story(says=random.Random(0).randbytes(4000).hex())(saver).invoke({"told": []}, thread, durability="sync")
        pages = 10**6
        with archive.saver() as saver:
            assert story()(saver).invoke(None, thread)["told"][-1] == "assemble"


def test_a_home_that_may_only_be_read_is_told_at_once(start) -> None:
    with tempfile.TemporaryDirectory() as made:  # not below a folder of pytest's, which nobody else may enter
        folder = Path(made)
        home = folder / "home"
        Archive.open(f"sqlite:///{folder / 'mora.db'}", home).close()
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        _, line = start(archive_workers.opens_as_nobody, f"sqlite:///{folder / 'mora.db'}", home)
        name, sentence = line.recv()
        folder.chmod(0o755)
    assert name == "DiskTrouble"
    assert "cannot be written to; check its rights or set another home" in sentence


def test_a_server_that_goes_and_comes_back_while_an_agent_works_costs_nothing(postgres_url: str, home: Path) -> None:
    with Archive.open(postgres_url, home) as archive:
        run = archive.create_run(Request(prompt="x"), settings={}, graph_version=1)

        def produce() -> Any:
            hang_up(postgres_url)
            return picture()

        with archive.hold(run.id) as lease:
            made = archive.make(lease, recipe(), produce)
            archive.set_status(lease, "done")
        assert archive.read(made.artifact) == picture().data
        assert [line.outcome for line in archive.ledger(run.id)] == ["made"]


def hang_up(url: str) -> None:
    """End all connections to the database but our own, as a server does that restarts."""
    execute(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                 "WHERE datname = current_database() AND pid <> pg_backend_pid()")  # fmt: skip


def test_a_server_that_goes_and_comes_back_again_and_again_costs_a_resume_at_most(
    postgres_url: str, home: Path
) -> None:
    """It goes after a step, while what the step left may still be on its way."""
    with Archive.open(postgres_url, home) as archive:
        run = archive.create_run(Request(prompt="told"), settings={}, graph_version=1)
        thread: Any = {"configurable": {"thread_id": run.id}}
        for attempt in range(10):
            try:
                with archive.saver() as saver:
                    begun = saver.get_tuple(thread) is not None
                    for _ in story()(saver).stream(None if begun else {"told": []}, thread, durability="sync"):
                        if attempt < 5:
                            hang_up(postgres_url)
                break
            except DatabaseTrouble as trouble:
                assert "cannot be reached" in str(trouble)
        with archive.saver() as saver:
            told = story()(saver).get_state(thread).values["told"]
        assert told == ["plan", "act", "act", "review", "assemble"]


def test_a_server_that_goes_within_a_step_is_told_and_the_run_goes_on(postgres_url: str, home: Path) -> None:
    with Archive.open(postgres_url, home) as archive:
        run = archive.create_run(Request(prompt="told"), settings={}, graph_version=1)
        thread: Any = {"configurable": {"thread_id": run.id}}
        gone: list[str] = []

        @event.listens_for(archive._engine, "checkout")
        def _(_connection: Any, *_: object) -> None:
            if gone == ["now"]:
                gone.append(hang_up(postgres_url) or "then")

        with pytest.raises(DatabaseTrouble, match="cannot be reached"), archive.saver() as saver:
            for _ in story()(saver).stream({"told": []}, thread, durability="sync"):
                gone = gone or ["now"]
        with archive.saver() as saver:
            assert story()(saver).invoke(None, thread)["told"][-1] == "assemble"


def expires_in(archive: Archive) -> float:
    """Seconds until the only lease expires, by the database's clock."""
    with archive.reading() as session:
        return float(session.execute(select(LeaseRow.expires - EpochNow())).scalar_one())


def test_after_the_clock_went_back_a_beat_puts_the_lease_right(database_url: str, home: Path) -> None:
    """Else a holder that dies later, elsewhere, would keep its run for as long as the clock went back."""
    with Archive.open(database_url, home, lease_seconds=0.9) as archive:
        run = archive.create_run(Request(prompt="x"), settings={}, graph_version=1)
        with archive.hold(run.id) as lease:
            execute(database_url, "UPDATE leases SET expires = expires + 3600")
            until(lambda: expires_in(archive) < 10)
            archive.set_status(lease, "done")


def test_after_the_clock_went_forward_one_may_take_over_and_the_stale_owner_publishes_nothing(archive: Archive) -> None:
    slow = archive.create_run(Request(prompt="slow"), settings={}, graph_version=1)

    def produce() -> Any:
        execute(archive.url, "UPDATE leases SET expires = expires - 7200")
        with archive.hold(slow.id) as newer:  # as another machine would
            archive.set_status(newer, "waiting")
        return picture()

    with archive.hold(slow.id) as lease, pytest.raises(LostLease):
        archive.make(lease, recipe(), produce)
    assert archive.run(slow.id).status == "waiting"
    assert archive.artifacts(slow.id) == []


def test_a_stale_owner_that_wakes_takes_nothing_from_a_run_that_was_dropped(archive: Archive, run: Run) -> None:
    """It wakes when the run, its lease and all its rows are gone: it is told, and no row or file comes back."""

    def produce() -> Any:
        execute(archive.url, "UPDATE leases SET expires = 1")
        collect(archive, review_points=(), grace=timedelta(0), drop=[run.id])
        return picture()

    with archive.hold(run.id) as lease, pytest.raises(LostLease):
        archive.make(lease, recipe(), produce)
    assert archive.runs() == []
    assert archive.find(recipe()) is None


def test_a_lease_that_is_far_ahead_of_the_clock_holds_for_a_living_process_only(
    archive: Archive, run: Run, start
) -> None:
    process, line = start(archive_workers.hold, archive.url, archive.home, run.id)
    assert line.recv() == 1
    execute(archive.url, "UPDATE leases SET expires = expires + 86400")
    with pytest.raises(RunIsHeld), archive.hold(run.id):
        pass
    process.kill()
    process.join()
    with archive.hold(run.id) as lease:
        assert lease.fence == 2
