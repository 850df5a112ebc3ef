"""SIGTERM, wherever it comes: the process ends by itself with 130, and the run goes on to the same film."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from graph.cli import signals as signals_module
from graph.cli.signals import signals
from graph.errors import PlannerError, Stopped
from graph.runs.cancellation import stoppable
from graph.runs.runner import resume, start
from graph.settings import Settings
from memory.archive import Archive
from memory.records import Request
from support.cli import start_process
from support.processes import bare_environment, until
from support.tiny_agents import TinyLender, rooms_with

WISH = "a red ball moves right in the snow"
NEVER = "3600"
"""Seconds: what ends before has ended by itself."""
LONG = 240.0


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home


def opened(home: Path) -> Archive:
    return Settings(home=home).open_archive()


def draws(home: Path) -> bool:
    """Whether an agent works in that home."""
    if not (home / "mora.db").exists():
        return False
    with opened(home) as archive:
        return any(archive.ledger(run.id) for run in archive.runs())


def ended(process: Any) -> tuple[int, str]:
    """The exit code after a SIGTERM, and what was said on standard error."""
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=LONG)
    return process.returncode, stderr


def goes_on(home: Path) -> str:
    """The run in that home is resumed; the digest of its film."""
    with opened(home) as archive:
        [run] = archive.runs()
        ended = resume(rooms_with(archive, TinyLender()), run.id, lambda _told: None)
        assert ended.status == "done"
        return archive.artifact(str(ended.film)).sha256


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of the film that nobody disturbs."""
    with opened(tmp_path_factory.mktemp("undisturbed")) as archive:
        run = start(rooms_with(archive, TinyLender()), Request(prompt=WISH, seed=3), {}, lambda _told: None)
        return archive.artifact(str(run.film)).sha256


@pytest.mark.slow
def test_a_step_ends_and_the_run_goes_on_from_there(home: Path, film: str) -> None:
    process = start_process(0.3, "generate", WISH, "--seed", "3", MORA_HOME=str(home), MORA_DRAIN_SECONDS=NEVER)
    until(lambda: draws(home))
    code, said = ended(process)
    assert code == 130, said
    assert "resume" in said
    with opened(home) as archive:
        [run] = archive.runs()
        assert run.status == "interrupted"
    assert goes_on(home) == film


@pytest.mark.slow
def test_a_step_that_does_not_end_is_left_within_the_bound(home: Path, film: str) -> None:
    process = start_process(3600, "generate", WISH, "--seed", "3", MORA_HOME=str(home), MORA_DRAIN_SECONDS="0.5")
    until(lambda: draws(home))
    code, said = ended(process)
    assert code == 130, said
    assert "left in the middle of a step" in said
    assert goes_on(home) == film


STUBBORN = """
import threading, time
from graph.cli import signals as signals_module
from graph.cli.signals import signals
stop = threading.Event()
with signals(stop, 3600):
    print("ready", flush=True)
    stop.wait()
    said = "asked"
    while True:
        try:
            print(said, flush=True)  # in here: the second signal may come as soon as it is said
            time.sleep(3600)
        except KeyboardInterrupt:
            said = "heard"
"""


def test_a_second_signal_does_not_wait_for_the_step() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STUBBORN], env=bare_environment(), text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "asked\n"  # two signals at once are one
        code, said = ended(process)
    assert code == 130, said
    assert "left in the middle of a step" in said


@pytest.fixture
def silent_server() -> Iterator[tuple[str, threading.Event]]:
    """The base URL of a server that takes every question and answers none, and whether it was asked."""
    asked, over = threading.Event(), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            line, _ = server.accept()
            with line:
                line.recv(1)
                asked.set()
                over.wait(LONG)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v1", asked
        over.set()


@pytest.mark.slow
def test_a_planner_that_never_answers_is_left(home: Path, silent_server: Any) -> None:
    url, asked = silent_server
    patient = {"MORA_PLANNER_TIMEOUT": NEVER, "MORA_DRAIN_SECONDS": NEVER, "MORA_HOME": str(home)}
    process = start_process(0, "generate", WISH, "--seed", "3", OPENAI_BASE_URL=url, OPENAI_API_KEY="none", **patient)
    assert asked.wait(LONG)
    code, said = ended(process)
    assert code == 130, said
    with opened(home) as archive:
        [run] = archive.runs()
        assert (run.status, archive.llm_calls(run.id)) == ("interrupted", [])


@pytest.mark.parametrize("says", ["", f"{WISH}\n"], ids=["while it waits for a word", "in a step"])
@pytest.mark.slow
def test_a_conversation_ends_and_goes_on(home: Path, says: str) -> None:
    process = start_process(
        0.5, "chat", "--seed", "3", "--planner", "embedded", MORA_HOME=str(home), MORA_DRAIN_SECONDS=NEVER
    )
    assert process.stdin is not None
    process.stdin.write(says)
    process.stdin.flush()
    until(lambda: (home / "mora.db").exists() and waits(home) if not says else draws(home))
    code, said = ended(process)
    assert code == 130, said
    with opened(home) as archive:
        [run] = archive.runs()
        assert run.status == ("interrupted" if says else "waiting")
        ended_at = resume(rooms_with(archive, TinyLender()), run.id, lambda _told: None)
        assert ended_at.status == "waiting"
        assert bool(archive.artifacts(run.id)) == bool(says)


def waits(home: Path) -> bool:
    with opened(home) as archive:
        return [run.status for run in archive.runs()] == ["waiting"]


# In this process.


def test_a_call_is_answered_while_nobody_stops() -> None:
    stop, heard = threading.Event(), []
    patient = stoppable(lambda call: heard.append(threading.current_thread().daemon) or call(), stop)
    assert patient(lambda: "answer") == "answer"  # type: ignore[arg-type,return-value]
    assert heard == [True]
    with pytest.raises(PlannerError, match="no"):
        patient(lambda: (_ for _ in ()).throw(PlannerError("planner-failed", "no")))


def test_a_call_that_was_left_is_not_made_again() -> None:
    stop, over, calls = threading.Event(), threading.Event(), []

    def call() -> Any:
        calls.append("x")
        stop.set()
        assert over.wait(LONG)
        raise TimeoutError

    ended = threading.Event()

    def tries_twice(call: Callable[[], Any]) -> Any:
        try:
            with pytest.raises(TimeoutError):
                call()
            return call()
        finally:
            ended.set()

    with pytest.raises(Stopped):
        stoppable(tries_twice, stop)(call)
    over.set()
    assert ended.wait(LONG)
    assert calls == ["x"]


def test_who_goes_on_after_a_stop_is_not_ended() -> None:
    """A conversation, of which Ctrl-C stops a step."""
    stop = threading.Event()
    before = signal.getsignal(signal.SIGTERM)
    with signals(stop, 0.2):
        os.kill(os.getpid(), signal.SIGTERM)
        until(stop.is_set)
        stop.clear()
        until(lambda: all(thread.name != "drain" for thread in threading.enumerate()))
        os.kill(os.getpid(), signal.SIGTERM)
        until(stop.is_set)
    assert signal.getsignal(signal.SIGTERM) is before
    until(lambda: all(thread.name != "drain" for thread in threading.enumerate()))


def test_every_signal_to_end_that_the_system_has_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGUSR1 stands for Ctrl-Break, which only Windows has."""
    assert signals_module.ENDING == (signal.SIGINT, signal.SIGTERM)
    monkeypatch.setattr(signals_module, "ENDING", (signal.SIGINT, signal.SIGUSR1))
    stop, before = threading.Event(), signal.getsignal(signal.SIGUSR1)
    with signals(stop, 60.0):
        os.kill(os.getpid(), signal.SIGUSR1)
        until(stop.is_set)
    assert signal.getsignal(signal.SIGUSR1) is before
