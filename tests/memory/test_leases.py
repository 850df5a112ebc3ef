import os
import signal
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from memory.archive import Archive
from memory.errors import LostLease, RunIsHeld
from memory.records import Run
from support import archive_workers
from support.processes import until


def change(url: str, assignment: str) -> None:
    """Change all leases behind the archive's back."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE leases SET {assignment}"))
    engine.dispose()


def expires(url: str) -> float:
    engine = create_engine(url)
    with engine.connect() as connection:
        value = connection.execute(text("SELECT expires FROM leases")).scalar_one()
    engine.dispose()
    return float(value)


def test_a_held_run_is_refused_with_who_holds_it(archive: Archive, run: Run) -> None:
    with archive.hold(run.id), pytest.raises(RunIsHeld) as caught, archive.hold(run.id):
        pass
    assert f"held by process {os.getpid()} on {os.uname().nodename} since 20" in str(caught.value)


def test_a_released_run_can_be_held_again_with_a_greater_fence(archive: Archive, run: Run) -> None:
    fences = []
    for _ in range(3):
        with archive.hold(run.id) as lease:
            fences.append(lease.fence)
    assert fences == [1, 2, 3]


def test_of_two_processes_one_gets_the_run(archive: Archive, run: Run, start) -> None:
    lines = [start(archive_workers.hold, archive.url, archive.home, run.id)[1] for _ in range(2)]
    answers = [line.recv() for line in lines]
    assert sorted(map(type, answers), key=str) == [int, str]
    winner, loser = sorted(answers, key=lambda answer: isinstance(answer, str))
    assert winner == 1
    assert "is held by process" in loser
    lines[answers.index(winner)].send("end")


def test_a_run_of_a_process_that_died_here_is_taken_over_at_once(archive: Archive, run: Run, start) -> None:
    process, line = start(archive_workers.hold, archive.url, archive.home, run.id)
    assert line.recv() == 1
    with pytest.raises(RunIsHeld), archive.hold(run.id):
        pass
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    left = expires(archive.url)
    with archive.hold(run.id) as lease:
        assert lease.fence == 2
    assert left > 0


def test_another_process_with_the_same_number_is_not_the_holder(archive: Archive, run: Run) -> None:
    with archive.hold(run.id):
        change(archive.url, "started = started - 100")
        with archive.hold(run.id) as lease:
            assert lease.fence == 2


@pytest.mark.parametrize("elsewhere", ["host = 'elsewhere'", "pid_space = 'other container'"])
def test_a_run_held_elsewhere_is_free_only_after_it_expired(archive: Archive, run: Run, elsewhere: str) -> None:
    with archive.hold(run.id):
        change(archive.url, f"{elsewhere}, pid = 999999999")
        with pytest.raises(RunIsHeld, match="held by process 999999999"), archive.hold(run.id):
            pass
        change(archive.url, "expires = 1")
        with archive.hold(run.id) as lease:
            assert lease.fence == 2


def test_a_stale_holder_may_not_write(archive: Archive, run: Run) -> None:
    calls: list[str] = []
    with archive.hold(run.id) as stale:
        change(archive.url, "expires = 1")
        with archive.hold(run.id) as lease:
            with pytest.raises(LostLease, match="not held by this process any more"):
                archive.set_status(stale, "done")
            with pytest.raises(LostLease):
                archive.make(stale, archive_workers.recipe(), lambda: calls.append("x") or archive_workers.picture())
            archive.set_status(lease, "waiting")
    assert archive.run(run.id).status == "waiting"
    assert calls == []


def test_a_lease_that_was_given_back_gives_no_right(archive: Archive, run: Run) -> None:
    with archive.hold(run.id) as lease:
        pass
    with pytest.raises(LostLease):
        archive.set_status(lease, "done")


def test_a_product_of_a_stale_holder_is_not_published(archive: Archive, run: Run) -> None:
    def produce():
        change(archive.url, "owner = 'thief', fence = fence + 1")
        return archive_workers.picture()

    with archive.hold(run.id) as lease, pytest.raises(LostLease):
        archive.make(lease, archive_workers.recipe(), produce)
    assert archive.find(archive_workers.recipe()) is None
    assert archive.artifacts(run.id) == []
    assert [line.outcome for line in archive.ledger(run.id)] == ["failed"]


def test_a_stale_holder_cannot_reuse_either(archive: Archive, run: Run) -> None:
    with archive.hold(run.id) as lease:
        archive.make(lease, archive_workers.recipe(), archive_workers.picture)
    with pytest.raises(LostLease):
        archive.make(lease, archive_workers.recipe(), archive_workers.picture)


def test_the_heart_of_a_lease_beats(database_url: str, home: Path) -> None:
    with Archive.open(database_url, home, lease_seconds=0.9) as archive:
        run = archive.create_run(archive_workers.Request(prompt="x"), settings={}, graph_version=1)
        with archive.hold(run.id):
            first = expires(database_url)
            until(lambda: expires(database_url) > first + 0.9)
