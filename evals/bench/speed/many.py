"""Many paused runs gone on with by one process at once, with agents that cost nothing: time, memory, connections.

`python -m evals.bench.speed.many [URL]` prints them, URL being an empty database; `main.py evaluate speed` has them
among the others.
"""

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from sqlalchemy import event

from evals.idle_agents import idle_services
from graph.planning.turn import Answer
from graph.runs.runner import answer, question_of_run, start
from graph.runs.services import Services
from memory.archive import Archive
from memory.records import Request, Run

MANY = 50
WISH = "a red ball moves right in the snow"


@dataclass(frozen=True)
class Resumed:
    """What it cost to bring paused runs to their films. seconds: of one of them, all at once and one after the other;
    connections: most that were open at once; megabytes: by how much the process grew while all went on at once."""

    at_once: float
    in_turn: float
    connections: int
    megabytes: float


def resume_many(folder: Path, url: str | None = None, count: int = MANY) -> Resumed:
    """`count` runs that wait for a word, all at once, and as many one after the other."""
    with Archive.open(url or f"sqlite:///{folder / 'mora.db'}", folder) as archive:
        services, connections = idle_services(archive), _Connections(archive)
        first, second = ([_paused(services, seed) for seed in range(begin, begin + count)] for begin in (0, count))
        in_turn = _seconds(services, first, 1)
        before, connections.most = _peak(), 0
        at_once = _seconds(services, second, count)
        return Resumed(at_once / count, in_turn / count, connections.most, _peak() - before)


class _Connections:
    def __init__(self, archive: Archive) -> None:
        self.most, self._now, self._lock = 0, 0, threading.Lock()
        event.listen(archive._engine, "checkout", lambda *_: self._count(1))
        event.listen(archive._engine, "checkin", lambda *_: self._count(-1))

    def _count(self, more: int) -> None:
        with self._lock:
            self._now += more
            self.most = max(self.most, self._now)


def _paused(services: Services, seed: int) -> Run:
    return start(services, Request(prompt=WISH, seed=seed, review="ask"), {}, lambda _heard: None)


def _seconds(services: Services, runs: list[Run], at_once: int) -> float:
    begun = time.perf_counter()
    with ThreadPoolExecutor(at_once) as people:
        ended = list(people.map(lambda run: _ended(services, run), runs))
    assert {run.status for run in ended} == {"done"}
    return time.perf_counter() - begun


def _ended(services: Services, run: Run) -> Run:
    while (question := question_of_run(services, run)) is not None:
        run = answer(services, run.id, question, Answer(moves=[{"do": "go_on"}]), lambda _heard: None)
    return run


def _peak() -> float:
    """The most memory that this process has ever had, in megabytes."""
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset / 1e6
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


if __name__ == "__main__":
    with TemporaryDirectory() as home:
        found = resume_many(Path(home), sys.argv[1] if len(sys.argv) > 1 else None)
    times = f"{found.at_once * 1000:.0f} ms a run at once, {found.in_turn * 1000:.0f} ms in turn"
    print(f"{MANY} runs: {times}; {found.connections} connections, {found.megabytes:.0f} MB more")  # noqa: T201
