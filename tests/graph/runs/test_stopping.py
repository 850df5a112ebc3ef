"""Whoever is asked to stop does, wherever the run waits or works, and what is left goes on to the same film."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from graph.errors import RequestError, Stopped
from graph.runs.cancellation import StoppableLender
from graph.runs.observer import Event, Observer, ToolProgress, unobserved
from graph.runs.requests.resolve import Uploads
from graph.runs.runner import resume, start
from graph.runs.services import Services
from memory.archive import Archive
from memory.records import Request, Run
from support.processes import until
from support.tiny_agents import TWO_SHOTS, TinyLender, rooms_with

LONG = 240.0
WISH = Request(prompt=TWO_SHOTS, seed=3)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    home = tmp_path / "home"
    home.mkdir()
    with Archive.open(f"sqlite:///{home / 'mora.db'}", home) as known:
        yield known


class Waited(threading.Event):
    """Knows whether somebody waited for it."""

    def __init__(self) -> None:
        super().__init__()
        self.times = 0

    def wait(self, timeout: float | None = None) -> bool:
        self.times += bool(timeout)
        return super().wait(timeout)


def begun(services: Services, observer: Observer = unobserved) -> str:
    """The id of a run that was stopped."""
    heard: list[Any] = []

    def both(event: Event) -> None:
        heard.append(event)
        observer(event)

    with pytest.raises(Stopped):
        start(services, WISH, {}, both)
    return str(heard[0].run)


def film_of(archive: Archive, run: Run) -> bytes:
    assert run.status == "done"
    return archive.read(archive.artifact(str(run.film)))


def test_who_waits_for_what_another_makes_stops(archive: Archive) -> None:
    gate, stop, films = threading.Event(), Waited(), []
    first = TinyLender(on_step=lambda *_: gate.wait(LONG) or None)
    maker = threading.Thread(target=lambda: films.append(start(rooms_with(archive, first), WISH, {}, lambda _: None)))
    maker.start()
    until(lambda: first.called)
    stopper = threading.Thread(target=lambda: (until(lambda: stop.times), stop.set()))
    stopper.start()
    idle = TinyLender()
    run = begun(rooms_with(archive, idle, stop=stop))
    stopper.join()
    assert (archive.run(run).status, archive.ledger(run)) == ("interrupted", [])
    gate.set()
    maker.join()
    ended = resume(rooms_with(archive, idle), run, lambda _told: None)
    assert film_of(archive, ended) == film_of(archive, films[0])
    assert not idle.called


def test_a_film_that_is_being_encoded_is_left(archive: Archive) -> None:
    stop = threading.Event()

    def observe(event: Event) -> None:
        if isinstance(event, ToolProgress) and event.tool == "assemble_film":
            stop.set()

    run = begun(rooms_with(archive, TinyLender(), stop=stop), observe)
    assert archive.run(run).film is None
    again = TinyLender()
    ended = resume(rooms_with(archive, again), run, lambda _told: None)
    assert film_of(archive, ended) == film_of(archive, start(rooms_with(archive, again), WISH, {}, lambda _told: None))
    assert not again.called


def test_who_waits_for_an_agent_gets_none() -> None:
    stop, lent = threading.Event(), []

    class Slow(TinyLender):
        @contextmanager
        def lend(self, role: Any) -> Iterator[Any]:
            stop.set()  # while one waits for others to give it back
            with super().lend(role) as agent:
                yield agent

    def stop_if_asked() -> None:
        if stop.is_set():
            raise Stopped

    lender = StoppableLender(Slow(), stop_if_asked)
    with pytest.raises(Stopped), lender.lend("text_to_image"):
        lent.append("agent")
    assert not lent
    assert lender.identity("text_to_image") == TinyLender().identity("text_to_image")


def test_a_run_that_is_stopped_before_it_began_is_none(archive: Archive) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        start(rooms_with(archive, TinyLender(), stop=stop), WISH, {}, lambda _told: None)
    assert archive.runs() == []


def test_a_run_that_is_stopped_before_its_files_are_stored_is_none(archive: Archive) -> None:
    class Stops(Uploads):
        def __bool__(self) -> bool:
            return True

        def store(self, tool_context: Any) -> None:
            seen.append(tool_context.lease.run)
            raise Stopped

    seen: list[str] = []
    with pytest.raises(Stopped):
        start(rooms_with(archive, TinyLender()), WISH, {}, lambda _told: None, uploads=Stops())
    assert archive.runs() == []
    with pytest.raises(RequestError, match="before the files it works on were stored; generate it again"):
        resume(rooms_with(archive, TinyLender()), seen[0], lambda _told: None)
