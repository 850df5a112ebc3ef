"""A stale owner that wakes writes nothing beside the one that has the run: no checkpoint, no answer of a planner."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from memory import leases
from memory.archive import Archive
from memory.database.tables import LeaseRow
from memory.errors import DatabaseTrouble, LostLease
from memory.leases import Lease
from memory.records import LlmCall, Request, Run
from support.archive_workers import story


@contextmanager
def taken_over(archive: Archive, run: Run) -> Iterator[Lease]:
    """Another owner has the run, as after the lease had expired."""
    engine = create_engine(archive.url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE leases SET expires = 1"))
    engine.dispose()
    with archive.hold(run.id) as lease:
        yield lease


def heads(archive: Archive, run: Run) -> list[str]:
    """Ids of the run's checkpoints, and of the tasks with pending writes."""
    with archive.saver() as saver:
        found = list(saver.list({"configurable": {"thread_id": run.id, "checkpoint_ns": ""}}))
    return [
        name
        for each in found
        for name in (each.checkpoint["id"], *sorted({task for task, *_ in each.pending_writes or []}))
    ]


def test_a_stale_owner_leaves_no_checkpoint(archive: Archive, run: Run) -> None:
    """Its checkpoint would be the newest of the thread, and the run would go on from there."""
    thread: Any = {"configurable": {"thread_id": run.id}}
    with archive.hold(run.id) as stale, archive.saver(stale) as saver:
        steps = story()(saver).stream({"told": []}, thread, durability="sync")
        next(steps)
        with taken_over(archive, run) as lease:
            with archive.saver(lease) as ours:
                told = story()(ours).invoke(None, thread, durability="sync")["told"]
            before = heads(archive, run)
            with pytest.raises(LostLease, match="not held by this process any more"):
                list(steps)
            assert heads(archive, run) == before
            with archive.saver() as reader:
                assert story()(reader).get_state(thread).values["told"] == told


def test_a_stale_owner_leaves_no_pending_write(archive: Archive, run: Run) -> None:
    thread: Any = {"configurable": {"thread_id": run.id}}
    with archive.hold(run.id) as stale, archive.saver(stale) as saver:
        story()(saver).invoke({"told": []}, thread, durability="sync")
        with taken_over(archive, run):
            before = heads(archive, run)
            config: Any = story()(saver).get_state(thread).config
            with pytest.raises(LostLease):
                saver.put_writes(config, [("__interrupt__", ["stale"])], "a task")
            assert heads(archive, run) == before


def test_a_stale_owner_cannot_say_what_a_planner_answered(archive: Archive, run: Run) -> None:
    """Its answer would be the last one to the question, and a replay would tell another story than the run did."""
    now = datetime.now(UTC)
    said = LlmCall(run=run.id, digest="a" * 64, model="m", purpose="plan", request={}, response="x", created_at=now)
    with archive.hold(run.id) as stale, taken_over(archive, run) as lease:
        archive.remember_llm(lease, said)
        with pytest.raises(LostLease):
            archive.remember_llm(stale, said.model_copy(update={"response": "stale"}))
    assert archive.llm_calls(run.id) == [said]


def test_an_owner_that_stands_still_in_the_middle_of_a_write_blocks_nobody_for_long(
    postgres_url: str, home: Path
) -> None:
    """As a machine does that sleeps, or lost its network: its lock on the run's lease would outlive the lease."""
    with Archive.open(postgres_url, home, lease_seconds=1.0) as silent, Archive.open(postgres_url, home) as other:
        run = silent.create_run(Request(prompt="x"), settings={}, graph_version=1)
        stale = Lease(run.id, "elsewhere", 7)
        with other.writing() as session:
            now = {"run": run.id, "host": "elsewhere", "pid": 1, "pid_space": "1", "started": 1.0, "expires": 1.0}
            session.add(LeaseRow(**now, owner="elsewhere", fence=7, since=datetime.now(UTC)))
        # The server hangs up, and that is what it finds when it wakes.
        with pytest.raises(DatabaseTrouble), silent.connected(writes=True) as connection:
            leases.require(connection, stale)
            with other.hold(run.id) as lease:
                assert lease.fence == 8
                connection.scalar(text("SELECT 1"))
