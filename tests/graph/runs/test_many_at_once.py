"""Runs that wait for a word and runs that were stopped, gone on with by one process at once: each comes to its film."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from graph import configure as wiring
from graph.errors import Stopped
from graph.planning.turn import Answer
from graph.runs.observer import Event, ToolProgress
from graph.runs.runner import answer, question_of_run, resume, start
from graph.runs.services import Services
from graph.settings import Settings
from memory.archive import Archive
from memory.records import Request, Run
from support.tiny_agents import TinyLender, rooms_with

WISH = "a red ball moves right in the snow"
MANY = 12
MOST_CONNECTIONS = 15
"""That an archive opens: SQLAlchemy's pool of 5, and 10 beside it."""


class Counted:
    """How many connections an archive has open, and how many it had at most."""

    def __init__(self, archive: Archive) -> None:
        self.now, self.most, self._lock = 0, 0, threading.Lock()
        event.listen(archive._engine, "connect", lambda *_: self._count(1))
        event.listen(archive._engine, "close", lambda *_: self._count(-1))

    def _count(self, more: int) -> None:
        with self._lock:
            self.now += more
            self.most = max(self.most, self.now)


@pytest.fixture
def archive(database_url: str, tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(database_url, tmp_path / "home") as known:
        yield known


def paused(services: Services, seed: int) -> str:
    """The id of a run that waits for a word about its picture, or was stopped while its clip was made."""
    heard: list[Any] = []
    if seed % 2:
        return start(services, Request(prompt=WISH, seed=seed, review="ask"), {}, heard.append).id
    stop = threading.Event()

    def observe(event: Event) -> None:
        heard.append(event)
        if isinstance(event, ToolProgress) and event.tool == "image_to_video":
            stop.set()

    with pytest.raises(Stopped):
        start(replace(services, stop=stop), Request(prompt=WISH, seed=seed), {}, observe)
    return str(heard[0].run)


def gone_on_with(services: Services, run_id: str) -> Run:
    """The run at its end."""
    run = resume(services, run_id, lambda _told: None)
    while run.status == "waiting":
        question = question_of_run(services, run)
        assert question is not None
        run = answer(services, run.id, question, Answer(moves=[{"do": "go_on"}]), lambda _told: None)
    return run


@pytest.mark.slow
def test_all_come_to_their_films_with_few_connections(archive: Archive, tmp_path: Path) -> None:
    lender = TinyLender()
    services = rooms_with(archive, lender)
    runs = [paused(services, seed) for seed in range(MANY)]
    assert sorted(archive.run(run).status for run in runs) == ["interrupted"] * (MANY // 2) + ["waiting"] * (MANY // 2)
    calls, connections = sum(lender.called.values()), Counted(archive)
    with ThreadPoolExecutor(MANY) as people:
        ended = list(people.map(lambda run: gone_on_with(services, run), runs))
    assert connections.most <= MOST_CONNECTIONS
    # A picture each was there; the clips that were begun are begun again, but for those that ended in time.
    assert MANY // 2 <= sum(lender.called.values()) - calls <= MANY
    with Archive.open(f"sqlite:///{tmp_path / 'undisturbed.db'}", tmp_path / "undisturbed") as other:
        undisturbed = rooms_with(other, TinyLender())
        for seed, run in enumerate(ended):
            alone = start(undisturbed, Request(prompt=WISH, seed=seed), {}, lambda _told: None)
            films = [known.artifact(str(each.film)).sha256 for known, each in ((archive, run), (other, alone))]
            assert films[0] == films[1], f"seed {seed}"


def test_agents_are_loaded_once_for_all_runs_with_the_same_numerics(archive: Archive) -> None:
    services = wiring.services_for(Settings(profile="embedded", device="cpu"), archive)
    stored: dict[str, Any] = {"device": "cpu", "threads": 1, "dtype": None}
    lender = services.lender(stored)
    assert services.lender({**stored, "planner": "embedded"}) is lender
    assert services.lender({**stored, "threads": 2}) is not lender
