"""Runs in other processes: each is forked from a server that has imported the program once.

Importing LangGraph takes seconds, a tiny run a third of one. Run as a program this is the server: it reads one order a
line, and answers with one line each.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, cast

from sqlalchemy import event

from graph.errors import TOLD
from graph.runs.observer import Event, NodeEnded, RunBegan, ToolProgress
from graph.runs.runner import resume, start
from memory.archive import Archive
from memory.checkpoints import saver as checkpoints  # noqa: F401 - before the first fork, so that no child has to
from memory.products import making
from memory.records import Request
from support.processes import PYTHONPATH, until_exists
from support.tiny_agents import TinyLender, rooms_with

FILES_AT_MOST = 1000


@dataclass
class ForkServer:
    """The near end of a server that forks workers."""

    process: "subprocess.Popen[str]"
    reports: Path
    numbers: "count[int]"

    def start(self, **order: Any) -> "Worker":
        """A new process that does `order` (see `work`)."""
        report = self.reports / f"{next(self.numbers)}.json"
        return Worker(self, int(self._ask({**order, "report": str(report)})), report)

    def _ask(self, order: dict[str, Any]) -> str:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, "the fork server is gone"
        return answer.strip()

    def wait(self, pid: int) -> int:
        """How the process ended: exit code, or the negative signal number."""
        return int(self._ask({"wait": pid}))


@dataclass
class Worker:
    """A process that a fork server started."""

    server: ForkServer
    pid: int
    report: Path

    def wait(self) -> int:
        """Waits; exit code, or the negative number of the signal that ended it."""
        return self.server.wait(self.pid)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        os.kill(self.pid, number)

    def result(self) -> dict[str, Any]:
        """What it reported before it ended by itself: `run`, `status`, `film`, `events`, `error`."""
        assert self.wait() == 0
        return cast(dict[str, Any], json.loads(self.report.read_text()))


@contextmanager
def fork_server(reports: Path) -> Iterator[ForkServer]:
    """A server whose workers report into that folder, while the block lasts."""
    environment = {**os.environ, "LANGGRAPH_STRICT_MSGPACK": "true", "LANGSMITH_TRACING": "false"}
    environment["PYTHONPATH"] = PYTHONPATH
    words = [sys.executable, "-m", "support.graph_workers"]
    with subprocess.Popen(
        words, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        try:
            yield ForkServer(process, reports, count())
        finally:
            # The server's session holds its children too: none outlives the tests.
            os.killpg(process.pid, signal.SIGKILL)


def serve() -> None:
    """Reads orders until there are no more."""
    assert "torch" not in sys.modules
    for line in sys.stdin:
        order = json.loads(line)
        print(_waited(order["wait"]) if "wait" in order else _fork(order), flush=True)


def _waited(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _fork(order: dict[str, Any]) -> int:
    assert threading.active_count() == 1, "a fork would copy locks that nobody releases"
    if pid := os.fork():
        return pid
    code = 1
    try:
        work(order)
        code = 0
    finally:
        # Not the way out of the server, whose streams this process shares.
        os._exit(code)


def work(order: dict[str, Any]) -> None:
    """Start the run of `prompt` and `seed` in `home`, or resume `run`; die as `die` says; report how it went.

    pause: seconds of a denoising step. gate: a file that denoising waits for. go: a file that the work waits for.
    url: the database, if it is not in the home. host: the name of the machine that it is to be. lease_seconds: how long
    it may be silent. beside: size in bytes from which a product's file is written before its rows.
    """
    # A shell that starts the tests in the background hands down signals that are ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    home, death, events = Path(order["home"]), Death(order.get("die", {})), 0

    def on_step(role: str, prompt: str, step: int) -> None:
        death.at_step(role, prompt, step)
        until_exists(order.get("gate"))

    lender = TinyLender(pause=order.get("pause", 0.0), on_step=on_step)

    def observe(seen: Event) -> None:
        nonlocal events
        if isinstance(seen, RunBegan):
            (home / "run").write_text(seen.run)
        events += isinstance(seen, NodeEnded)
        death.at_event(events, seen)

    report: dict[str, Any] = {}
    making.BESIDE = order.get("beside", making.BESIDE)
    if "host" in order:
        socket.gethostname = lambda: order["host"]
    url, lease_seconds = order.get("url", f"sqlite:///{home / 'mora.db'}"), order.get("lease_seconds", 30.0)
    with Archive.open(url, home, lease_seconds=lease_seconds) as archive:
        death.watch_the_statements(archive)
        services = rooms_with(archive, lender)
        death.watch_the_disk()
        until_exists(order.get("go"))
        try:
            if "run" in order:
                run = resume(services, order["run"], observe)
            else:
                run = start(services, Request(prompt=order["prompt"], seed=order.get("seed", 0)), {}, observe)
            report |= {"run": run.id, "status": run.status}
            report["film"] = None if run.film is None else archive.artifact(run.film).sha256
        except (*TOLD, KeyboardInterrupt) as error:
            report |= {"error": str(error), "kind": type(error).__name__}
    Path(order["report"]).write_text(json.dumps({**report, "events": events, "calls": sum(lender.called.values())}))


@dataclass
class Death:
    """SIGKILL from inside at a moment, or another signal by its name in `by`.

    event: after the end of so many nodes, 0 at the birth of the run. role and words: in the second step of that agent
    on a prompt with the words. told: while this tool tells of its steps. rename and renamed: before and after
    the file of so many artifacts is put in its place. sql and nth: at that statement of the saver, of those that begin
    with `sql`.
    """

    at: dict[str, Any]

    def at_event(self, events: int, seen: Event) -> None:
        is_one = isinstance(seen, NodeEnded | RunBegan) and self.at.get("event") == events
        if is_one or (isinstance(seen, ToolProgress) and self.at.get("told") == seen.tool):
            self.die()

    def at_step(self, role: str, prompt: str, step: int) -> None:
        if step == 2 and self.at.get("role") == role and self.at["words"] in prompt:
            self.die()

    def watch_the_disk(self) -> None:
        files = count(1)
        last = 0

        def on(name: str, arguments: tuple[object, ...]) -> None:
            nonlocal last
            if name == "os.rename" and "/artifacts/" in str(arguments[1]):
                last = next(files)
                if last == self.at.get("rename"):
                    self.die()
            # The folder of a file is flushed after its rename.
            is_flush = name == "open" and Path(str(arguments[0])).parent.name == "artifacts"
            if is_flush and last >= self.at.get("renamed", FILES_AT_MOST):
                self.die()

        if {"rename", "renamed"} & set(self.at):
            sys.addaudithook(on)

    def watch_the_statements(self, archive: Any) -> None:
        """Of SQLite only."""
        heard = count(1)

        def on(connection: Any, *_: object) -> None:
            connection.set_trace_callback(lambda statement: self.at_statement(statement, heard))

        if "sql" in self.at:
            event.listen(archive._engine, "checkout", on)

    def at_statement(self, statement: str, heard: "count[int]") -> None:
        if statement.lstrip().startswith(self.at.get("sql", "?")) and next(heard) == self.at["nth"]:
            self.die()

    def die(self) -> None:
        os.kill(os.getpid(), signal.Signals[self.at.get("by", "SIGKILL")])


if __name__ == "__main__":
    serve()
