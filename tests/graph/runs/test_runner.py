"""A run from its first step to its last: alone at its work, told how it ended, and the same whatever came between."""

import re
import signal
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langgraph.types import Send

from graph.errors import PlannerError, RequestError, Stopped
from graph.planners.planner import Planner
from graph.planning.profiles import EMBEDDED
from graph.runs.driver import config_of
from graph.runs.observer import Event, NodeEnded, RunBegan, ToolProgress
from graph.runs.runner import resume, start
from graph.runs.services import Services
from graph.state.channels import GRAPH_VERSION
from memory.archive import Archive
from memory.errors import RunIsHeld
from memory.leases import Lease
from memory.records import Request, Run
from models.errors import OutOfMemory, WeightsMissing
from support.graph_workers import ForkServer
from support.processes import until
from support.tiny_agents import TWO_SHOTS, Identity, TinyLender, rooms_with

KILLED = -9
STEP_BYTES = 30_000
"""The most that a super-step may add to the database."""


@dataclass
class Ear:
    """Hears a run, and does `then` at the moments that `when` picks."""

    when: Callable[[Event], bool] = lambda event: False
    then: Callable[[], None] = lambda: None
    heard: list[Any] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        self.heard.append(event)
        if self.when(event):
            self.then()

    @property
    def run(self) -> str:
        return str(self.heard[0].run)


def ends(node: str) -> Callable[[Event], bool]:
    """True at the end of the node."""
    return lambda event: event == NodeEnded(node)


def comes_to(step: int) -> Callable[[Event], bool]:
    """True when a tool is at that step."""
    return lambda event: isinstance(event, ToolProgress) and event.step == step


def opened(home: Path) -> Archive:
    home.mkdir(exist_ok=True)
    return Archive.open(f"sqlite:///{home / 'mora.db'}", home)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with opened(tmp_path / "home") as known:
        yield known


def wish(seed: int = 1) -> Request:
    return Request(prompt=TWO_SHOTS, seed=seed)


def film_of(archive: Archive, run: Run) -> bytes:
    assert (run.status, run.error) == ("done", None)
    return archive.read(archive.artifact(str(run.film)))


def film_made_in(home: Path, request: Request) -> bytes:
    with opened(home) as archive:
        return film_of(archive, start(rooms_with(archive, TinyLender()), request, {}, Ear()))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return film_made_in(tmp_path_factory.mktemp("undisturbed"), wish())


# The same bytes


def test_the_same_request_gives_the_same_film_in_a_new_home_and_another_seed_another(
    undisturbed: bytes, tmp_path: Path
) -> None:
    assert film_made_in(tmp_path / "a", wish()) == undisturbed
    assert film_made_in(tmp_path / "b", wish(seed=2)) != undisturbed


# Alone


@pytest.mark.slow
def test_of_two_that_resume_at_once_one_works_and_the_other_is_told_who(
    workers: ForkServer, undisturbed: bytes, tmp_path: Path
) -> None:
    home, gate, go = tmp_path / "home", tmp_path / "gate", tmp_path / "go"
    home.mkdir()
    assert workers.start(home=str(home), prompt=TWO_SHOTS, seed=1, die={"event": 2}).wait() == KILLED
    run = (home / "run").read_text()
    both = [workers.start(home=str(home), run=run, gate=str(gate), go=str(go)) for _ in range(2)]
    go.touch()
    until(lambda: any(worker.report.exists() for worker in both))
    loser, winner = sorted(both, key=lambda worker: not worker.report.exists())
    refused = loser.result()
    assert (refused["kind"], refused["calls"]) == ("RunIsHeld", 0)
    assert f"process {winner.pid} on {socket.gethostname()}" in refused["error"]
    gate.touch()
    assert winner.result()["status"] == "done"
    with opened(home) as archive:
        assert film_of(archive, archive.run(run)) == undisturbed
        assert len(archive.ledger(run)) == 5


@pytest.mark.slow
def test_the_lease_of_a_dead_process_is_free_at_once(workers: ForkServer, undisturbed: bytes, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    worker = workers.start(home=str(home), prompt=TWO_SHOTS, seed=1, gate=str(tmp_path / "never"))
    with opened(home) as archive:
        run = working_run(archive, home)
        with pytest.raises(RunIsHeld, match=f"process {worker.pid} "):
            resume(rooms_with(archive, TinyLender()), run, Ear())
        worker.kill()  # and nobody waits for it: what is left of it is a zombie
        until(lambda: psutil.Process(worker.pid).status() == psutil.STATUS_ZOMBIE)
        with archive.hold(run):
            """It is not refused, though nearly all of the 30 seconds of the lease are left."""
        assert film_of(archive, resume(rooms_with(archive, TinyLender()), run, Ear())) == undisturbed
    assert worker.wait() == KILLED


def test_a_run_that_another_ends_meanwhile_is_answered_as_done(archive: Archive, undisturbed: bytes) -> None:
    class Late(Archive):
        """Comes to the lease only after somebody else has had it."""

        def hold(self, run_id: str, **how: Any) -> AbstractContextManager[Lease]:
            resume(rooms_with(archive, TinyLender()), run_id, Ear())
            return super().hold(run_id, **how)

    run = interrupted(archive)
    with Late.open(archive.url, archive.home) as late:
        assert film_of(archive, resume(rooms_with(late, TinyLender()), run, Ear())) == undisturbed


def working_run(archive: Archive, home: Path) -> str:
    """The id of the run in `home`, once an agent works for it."""
    until((home / "run").exists)
    until(lambda: bool((home / "run").read_text()))
    run = (home / "run").read_text()
    until(lambda: bool(archive.ledger(run)))
    return run


# How it ended


def test_out_of_memory_marks_the_run_failed_and_it_goes_on_once_there_is_room(
    archive: Archive, undisturbed: bytes
) -> None:
    lender, ear = TinyLender(trouble=OutOfMemory("out-of-memory", "6 frames at 64x64 need 3 GiB, 1 free")), Ear()
    services = rooms_with(archive, lender)
    with pytest.raises(OutOfMemory, match="3 GiB"):
        start(services, wish(), {}, ear)
    failed = archive.run(ear.run)
    assert (failed.status, failed.error) == ("failed", "6 frames at 64x64 need 3 GiB, 1 free")
    assert {line.outcome for line in archive.ledger(ear.run)} == {"failed"}
    lender.trouble = None
    assert film_of(archive, resume(services, ear.run, Ear())) == undisturbed


def test_what_finished_beside_a_failure_is_not_made_again(archive: Archive, undisturbed: bytes) -> None:
    lender, ear = TinyLender(), Ear()

    def trouble(role: str, prompt: str, _step: int) -> None:
        if "star" in prompt:
            # The other shot is to be ready: `act` runs once for each.
            until(lambda: any(line.outcome == "made" for line in archive.ledger(ear.run)))
            raise OutOfMemory("out-of-memory", "the star is too big")

    lender.on_step = trouble
    with pytest.raises(OutOfMemory):
        start(rooms_with(archive, lender), wish(), {}, ear)
    again = TinyLender()
    assert film_of(archive, resume(rooms_with(archive, again), ear.run, Ear())) == undisturbed
    assert sum(again.called.values()) == 3


def test_a_bug_marks_the_run_failed_by_its_name(archive: Archive, undisturbed: bytes) -> None:
    lender, ear = TinyLender(trouble=ZeroDivisionError("float division by zero")), Ear()
    with pytest.raises(ZeroDivisionError):
        start(rooms_with(archive, lender), wish(), {}, ear)
    failed = archive.run(ear.run)
    assert (failed.status, failed.error) == ("failed", "ZeroDivisionError: float division by zero")
    assert film_of(archive, resume(rooms_with(archive, TinyLender()), ear.run, Ear())) == undisturbed


def test_a_planner_that_babbles_marks_the_run_failed_and_another_goes_on(archive: Archive, undisturbed: bytes) -> None:
    babbler = Planner("babbler", FakeListChatModel(responses=["a film? what film?"]), EMBEDDED)
    ear = Ear()
    with pytest.raises(PlannerError):
        start(rooms_with(archive, TinyLender(), planner=lambda request: babbler), wish(), {}, ear)
    failed = archive.run(ear.run)
    assert failed.status == "failed"
    assert failed.error is not None and "no usable answer" in failed.error
    assert film_of(archive, resume(rooms_with(archive, TinyLender()), ear.run, Ear())) == undisturbed


def test_trouble_before_the_first_step_is_told_too(archive: Archive, undisturbed: bytes) -> None:
    def nobody(_settings: dict[str, Any]) -> TinyLender:
        raise WeightsMissing("weights-damaged", "There are no weights in /nowhere; download them.")

    ear = Ear()
    with pytest.raises(WeightsMissing):
        start(rooms_with(archive, TinyLender(), lender=nobody), wish(), {}, ear)
    failed = archive.run(ear.run)
    assert (failed.status, failed.error) == ("failed", "There are no weights in /nowhere; download them.")
    assert film_of(archive, resume(rooms_with(archive, TinyLender()), ear.run, Ear())) == undisturbed


def test_a_planner_that_cannot_be_used_is_told_before_there_is_a_run(archive: Archive) -> None:
    def nobody(_request: Request) -> Planner:
        raise PlannerError("planner-failed", "There is no key; set one.")

    with pytest.raises(PlannerError):
        start(rooms_with(archive, TinyLender(), planner=nobody), wish(), {}, Ear())
    assert archive.runs() == []


STOPS: dict[str, Callable[[Event], bool]] = {
    "at its birth": lambda event: isinstance(event, RunBegan),
    "after the plan": ends("plan"),
    "while a picture is drawn": comes_to(2),
    "while the film is put together": comes_to(8),
    "after the film": ends("assemble"),
}


@pytest.mark.parametrize("when", STOPS.values(), ids=STOPS)
def test_a_run_that_was_stopped_goes_on_to_the_same_film(
    archive: Archive, undisturbed: bytes, when: Callable[[Event], bool]
) -> None:
    run = interrupted(archive, when)
    stopped = archive.run(run)
    assert (stopped.status, stopped.film) == ("interrupted", None)
    lender = TinyLender()
    made = sum(line.outcome == "made" and line.agent != "assemble_film" for line in archive.ledger(run))
    assert film_of(archive, resume(rooms_with(archive, lender), run, Ear())) == undisturbed
    assert sum(lender.called.values()) == 4 - made


def interrupted(archive: Archive, when: Callable[[Event], bool] = STOPS["after the plan"]) -> str:
    """The id of a run that was asked to stop at a moment."""
    services = rooms_with(archive, TinyLender(pause=0.01))
    ear = Ear(when, services.stop.set)
    with pytest.raises(Stopped):
        start(services, wish(), {}, ear)
    return ear.run


def test_a_stop_that_comes_after_the_end_undoes_nothing(archive: Archive, undisturbed: bytes) -> None:
    services = rooms_with(archive, TinyLender())
    ear = Ear(ends("finish"), services.stop.set)
    assert film_of(archive, start(services, wish(), {}, ear)) == undisturbed


def test_a_listener_that_fails_after_the_end_undoes_nothing(archive: Archive, undisturbed: bytes) -> None:
    def observe(event: Event) -> None:
        if event == NodeEnded("finish"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        start(rooms_with(archive, TinyLender()), wish(), {}, observe)
    [run] = archive.runs()
    assert film_of(archive, run) == undisturbed
    assert resume(rooms_with(archive, TinyLender()), run.id, Ear()) == run


@pytest.mark.slow
def test_ctrl_c_in_another_process_is_an_interruption(workers: ForkServer, undisturbed: bytes, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    worker = workers.start(home=str(home), prompt=TWO_SHOTS, seed=1, pause=0.2)
    with opened(home) as archive:
        run = working_run(archive, home)
        worker.kill(signal.SIGINT)
        assert worker.result()["kind"] == "KeyboardInterrupt"
        assert archive.run(run).status == "interrupted"
        with archive.hold(run):
            pass  # the lease was given back
        assert film_of(archive, resume(rooms_with(archive, TinyLender()), run, Ear())) == undisturbed


def test_a_run_of_another_version_of_the_graph_is_refused(archive: Archive) -> None:
    run = archive.create_run(wish(), settings={}, graph_version=GRAPH_VERSION + 1)
    with pytest.raises(RequestError, match=f"version {GRAPH_VERSION + 1}"):
        resume(rooms_with(archive, TinyLender()), run.id, Ear())
    assert archive.run(run.id) == run


def test_a_resumed_run_asks_for_the_numerics_it_began_with(archive: Archive) -> None:
    asked: list[dict[str, Any]] = []

    def lender(settings: dict[str, Any]) -> TinyLender:
        asked.append(settings)
        return TinyLender(known_as=Identity(numerics=f"tiny, {settings['threads']} threads"))

    services = rooms_with(archive, TinyLender(), lender=lender)
    ear = Ear(ends("enhance"), services.stop.set)
    with pytest.raises(Stopped):
        start(services, wish(), {"threads": 3}, ear)
    resume(rooms_with(archive, TinyLender(), lender=lender), ear.run, Ear())
    assert [settings["threads"] for settings in asked] == [3, 3]


# What is kept


def test_a_step_adds_little_to_the_database(tmp_path: Path) -> None:
    sizes = []
    for wishes in ([], [wish(), wish(seed=2)]):
        with opened(tmp_path / "home") as archive:
            for each in wishes:
                start(rooms_with(archive, TinyLender(blanks=2)), each, {}, Ear())
        with opened(tmp_path / "home") as archive:  # opened anew: what waited in the log is in the file now
            sizes.append(archive.size())
            steps = sum(len(checkpoints(archive, run)) for run in archive.runs())
    assert steps >= 2 * 13
    assert (sizes[1] - sizes[0]) / steps <= STEP_BYTES


def checkpoints(archive: Archive, run: Run) -> list[Any]:
    with archive.saver() as saver:
        return list(saver.list(config_of(run, rooms_with(archive, TinyLender()).limits)))


def test_the_state_is_plain_json(archive: Archive) -> None:
    run = start(rooms_with(archive, TinyLender(blanks=1)), wish(), {}, Ear())
    kept = checkpoints(archive, run)
    assert len(kept) >= 9
    for each in kept:
        for channel, value in each.checkpoint["channel_values"].items():
            assert_plain(value, channel)
        for _, channel, value in each.pending_writes:
            assert_plain(value, channel)


def assert_plain(value: Any, where: str) -> None:
    if isinstance(value, Send):  # LangGraph's own, for a call that waits
        assert_plain(value.arg, where)
    elif isinstance(value, dict):
        for key, inner in value.items():
            assert type(key) is str, where
            assert_plain(inner, f"{where}.{key}")
    elif isinstance(value, list | tuple):
        for inner in value:
            assert_plain(inner, where)
    else:
        assert value is None or type(value) in {str, int, float, bool}, f"{where} holds a {type(value).__name__}"


OUR_ROOMS = re.compile(rb"(?<![\w-])(graph|tools|models|memory|evals|main|tiny)\.[a-z_]+")


def test_nothing_kept_names_a_module_of_ours(archive: Archive) -> None:
    services: Services = rooms_with(archive, TinyLender(blanks=1))
    start(services, wish(), {}, Ear())
    with closing(sqlite3.connect(archive.home / "mora.db")) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        assert {"checkpoints", "writes", "runs"} <= set(tables)
        cells = [
            (table, cell)
            for table in tables
            for row in database.execute(f'SELECT * FROM "{table}"')
            for cell in row
            if isinstance(cell, str | bytes)
        ]
        kinds = {kind for (kind,) in database.execute("SELECT type FROM checkpoints UNION SELECT type FROM writes")}
    assert len(cells) > 100
    for table, cell in cells:
        found = OUR_ROOMS.search(cell if isinstance(cell, bytes) else cell.encode())
        assert found is None, f"{table} holds {found}"
    assert kinds <= {"msgpack", "null"}, "a pickle?"
