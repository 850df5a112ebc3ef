"""One video shown to the metrics that have not seen it, in this process or in several; each score is kept at once.

A process that judges opens the database for itself and is given one video at a time, so that whatever kills it costs
the scores of that video which were not known yet. A video whose judging was killed twice is set apart.
"""

import contextlib
import math
import multiprocessing
import signal
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from evals.evaluations.videos import Given
from evals.metrics import base as contract
from memory.records import Judged, Score, Scorer
from memory.scores import keep_score
from tools.errors import BadInput

if TYPE_CHECKING:
    from evals.metrics.frames import Told
    from evals.networks.weights.catalogue import Where
    from evals.networks.weights.loader import NetworkLoader
    from memory.archive import Archive
    from models.agent import UInt8Array

NEIGHBOUR_FRAMES: Final = 8
"""As many as ViCLIP sees of a clip."""
TRIES: Final = 2


@dataclass(frozen=True)
class Bench:
    """What scores are made with: where they are kept, where weight files are, on which device networks run.

    threads: of PyTorch, on the CPU, in each process; jobs: processes that judge, 1 for this one alone.
    """

    archive: "Archive"
    weights: "Where"
    device: str
    threads: int = 1
    jobs: int = 1


@dataclass(frozen=True)
class LeftOut:
    """A video that a metric has no score for, or (metric "") one that cannot be judged at all, and why."""

    name: str
    metric: str
    why: str


@dataclass(frozen=True)
class Task:
    """A video, and the scorers that are to see it."""

    made_from: Given
    video: Judged
    asked: tuple[Scorer, ...]


@dataclass
class Heard:
    """What became of a task. bad: the sentence, if the file is no whole video."""

    scores: list[Score] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    bad: str | None = None


Hear = Callable[[Task, Heard], None]


def judge_all(bench: Bench, tasks: Sequence[Task], hear: Hear) -> None:
    """Tells `hear` what became of each task: in their order in one process, in whatever order in several."""
    if bench.jobs == 1 or len(tasks) < 2:
        loader = _loader(bench) if tasks else None
        for task in tasks:
            assert loader is not None
            hear(task, judge_one(bench, task, loader))
        return
    _Crew(bench, min(bench.jobs, len(tasks))).judge(tasks, hear)


def judge_one(bench: Bench, task: Task, loader: "NetworkLoader") -> Heard:
    """Shows the video to the scorers, and keeps what they say at once."""
    from evals.evaluations.scorer_identity import rows
    from evals.metrics.frames import LeftOut as Why
    from evals.metrics.frames import judge

    by_name, heard = {scorer.metric: scorer for scorer in task.asked}, Heard()

    def hear(metric: str, said: contract.Score) -> None:
        score = _score(task.video, by_name[metric], said)
        keep_score(bench.archive, score)
        heard.scores.append(score)

    try:
        said = judge(task.made_from.path, rows(task.asked), loader, _told(task.made_from), hear)
    except BadInput as error:
        return Heard(bad=str(error))
    name = task.video.name
    heard.left_out = [LeftOut(name, metric, why.why) for metric, why in said.items() if isinstance(why, Why)]
    return heard


@dataclass
class _Worker:
    process: Any
    line: "Connection[Any, Any]"
    task: int | None = None


@dataclass
class _Crew:
    """Processes that judge; one that dies is replaced if there is still something to judge."""

    bench: Bench
    size: int
    workers: list[_Worker] = field(default_factory=list)

    def judge(self, tasks: Sequence[Task], hear: Hear) -> None:
        waiting, tries = list(range(len(tasks)))[::-1], [0] * len(tasks)
        try:
            left = len(tasks)
            while left:
                while waiting and (worker := self._idle()) is not None:
                    worker.task = waiting.pop()
                    self._send(worker, tasks[worker.task])
                for worker in self._ready():
                    at = worker.task
                    assert at is not None
                    heard, worker.task = self._heard(worker), None
                    tries[at] += 1
                    if heard is None and tries[at] < TRIES:
                        waiting.append(at)
                        continue
                    hear(tasks[at], Heard(bad=_killed(tasks[at])) if heard is None else heard)
                    left -= 1
        finally:
            self._dismiss()

    def _idle(self) -> _Worker | None:
        """One that has nothing to do, hired if there may be one more."""
        idle = next((worker for worker in self.workers if worker.task is None), None)
        if idle is None and len(self.workers) < self.size:
            idle = self._hired()
            self.workers.append(idle)
        return idle

    def _ready(self) -> list[_Worker]:
        busy = {worker.line: worker for worker in self.workers if worker.task is not None}
        return [busy[line] for line in wait(list(busy)) if isinstance(line, Connection)]

    def _send(self, worker: _Worker, task: Task) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it died; reading from it says so
            worker.line.send(task)

    def _heard(self, worker: _Worker) -> Heard | None:
        """What a worker says of its task; None if it died, and then it is no longer one of the crew."""
        try:
            said = worker.line.recv()
        except (EOFError, ConnectionResetError):
            worker.line.close()
            worker.process.join()
            self.workers.remove(worker)
            return None
        if isinstance(said, BaseException):
            raise said
        assert isinstance(said, Heard)
        return said

    def _hired(self) -> _Worker:
        context: Any = _context()
        ours, theirs = context.Pipe()
        archive = self.bench.archive
        bench = replace(self.bench, archive=None, jobs=1)  # type: ignore[arg-type] # opened over there
        process = context.Process(target=_work, args=(theirs, archive.url, archive.home, bench), daemon=True)
        process.start()
        theirs.close()
        return _Worker(process, ours)

    def _dismiss(self) -> None:
        for worker in self.workers:
            worker.line.close()
            if worker.task is not None:
                worker.process.terminate()
            worker.process.join()


def _context() -> Any:
    """Where the system can, one process imports the networks, and those that judge are its copies."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "evals.metrics.frames", "evals.metrics.registry"])
    return context


def _work(line: "Connection[Any, Any]", url: str, home: Path, given: Bench) -> None:
    """A process that judges what comes over the line, until that is closed."""
    from memory.archive import Archive

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the first process's
    with Archive.open(url, home) as archive:
        bench = replace(given, archive=archive)
        loader = _loader(bench)
        while True:
            try:
                task = line.recv()
            except EOFError:
                return
            line.send(_said(bench, task, loader))


def _said(bench: Bench, task: Task, loader: "NetworkLoader") -> Heard | BaseException:
    try:
        return judge_one(bench, task, loader)
    except BaseException as error:  # whatever it is, it is the first process's to tell
        error.add_note(traceback.format_exc())
        return error


def _killed(task: Task) -> str:
    return (
        f"{task.video.name} could not be judged: the process that judged it was killed {TRIES} times, "
        "perhaps for want of memory; try it with --jobs 1."
    )


def _score(video: Judged, scorer: Scorer, said: contract.Score) -> Score:
    return Score(
        video=video.video,
        told=video.told(scorer.needs),
        scorer=scorer.digest,
        value=_number(said.value),
        values=tuple(_number(value) for value in said.values),
        note=said.note,
        details=said.details,
        created_at=datetime.now(UTC),
    )


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _loader(bench: Bench) -> "NetworkLoader":
    import torch

    from evals.networks.weights.loader import NetworkLoader

    torch.set_num_threads(bench.threads)  # the last digits depend on it, and more processes should be as many
    return NetworkLoader(bench.weights, bench.device)


def _told(made_from: Given) -> "Told":
    from evals.metrics.frames import Told

    return Told(
        prompt=made_from.prompt,
        style=made_from.style,
        image=None if made_from.image is None else _picture(made_from.image),
        before=None if made_from.before is None else _clip(made_from.before),
        after=None if made_from.after is None else _clip(made_from.after),
    )


def _picture(path: Path) -> "UInt8Array":
    from tools.uploads.pictures import take_picture

    return take_picture(path).pixels


def _clip(path: Path) -> "UInt8Array":
    """The middle frames of a clip that another goes on from, or leads to. Raises BadInput."""
    from evals.metrics.frames import Miscounted, introduce

    video = introduce(path)
    try:
        return _middle(path, video)
    except Miscounted as counted:
        return _middle(path, replace(video, num_frames=counted.num_frames))


def _middle(path: Path, video: contract.Video) -> "UInt8Array":
    import numpy as np

    from evals.metrics.frames import show
    from evals.metrics.vbench.clip_vectors import middle_frames

    wanted = middle_frames(video.num_frames, NEIGHBOUR_FRAMES)
    frames = {
        chunk.first + at: frame
        for chunk in show(path, video)
        for at, frame in enumerate(chunk.frames)
        if chunk.first + at in wanted
    }
    return np.stack([frames[index] for index in wanted])
