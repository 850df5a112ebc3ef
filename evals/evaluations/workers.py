"""Score videos with metrics, in this process or in worker processes. Each score is stored as soon as it is known.

A worker process opens the database itself and receives one video at a time, so that a crash costs only the scores of
that video that were not stored yet. A video whose scoring was killed twice is reported as unreadable.
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

from evals.evaluations.videos import VideoInput
from evals.metrics import base as contract
from memory.records import Judged, Score, Scorer
from memory.scores import keep_score
from tools.errors import BadInput

if TYPE_CHECKING:
    from evals.metrics.frames import Conditioning
    from evals.networks.weights.catalogue import Where
    from evals.networks.weights.loader import NetworkLoader
    from memory.archive import Archive
    from models.agent import UInt8Array

NEIGHBOUR_FRAMES: Final = 8
"""As many frames as ViCLIP reads of a clip."""
TRIES: Final = 2
PRELOADED: Final = ("evals.metrics.frames", "evals.metrics.registry")
"""Modules that a forkserver imports once, before it starts workers; it ignores names that do not exist."""


@dataclass(frozen=True)
class ScoringContext:
    """What scoring needs: the archive for the scores, the locations of the weight files, the device of the networks.

    threads: PyTorch's CPU threads in each process. jobs: number of worker processes; 1 scores in this process.
    """

    archive: "Archive"
    weights: "Where"
    device: str
    threads: int = 1
    jobs: int = 1


@dataclass(frozen=True)
class LeftOut:
    """A video without a score for a metric, or (metric "") a video that cannot be scored at all, and the reason."""

    name: str
    metric: str
    why: str


@dataclass(frozen=True)
class Task:
    """A video and the scorers to run on it."""

    made_from: VideoInput
    video: Judged
    scorers: tuple[Scorer, ...]


@dataclass
class TaskResult:
    """The outcome of a task. bad: the reason, if the file is damaged or not a video."""

    scores: list[Score] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    bad: str | None = None


OnResult = Callable[[Task, TaskResult], None]


def judge_all(context: ScoringContext, tasks: Sequence[Task], on_result: OnResult) -> None:
    """Call `on_result` with the outcome of each task: in order with one process, in any order with several."""
    if context.jobs == 1 or len(tasks) < 2:
        loader = _loader(context) if tasks else None
        for task in tasks:
            assert loader is not None
            on_result(task, judge_one(context, task, loader))
        return
    _WorkerPool(context, min(context.jobs, len(tasks))).judge(tasks, on_result)


def judge_one(context: ScoringContext, task: Task, loader: "NetworkLoader") -> TaskResult:
    """Run the scorers of a task on its video and store each score as soon as it is known."""
    from evals.evaluations.scorer_identity import rows
    from evals.metrics.frames import Skipped, judge

    by_name, result = {scorer.metric: scorer for scorer in task.scorers}, TaskResult()

    def store(metric: str, found: contract.Score) -> None:
        score = _score(task.video, by_name[metric], found)
        keep_score(context.archive, score)
        result.scores.append(score)

    try:
        found = judge(task.made_from.path, rows(task.scorers), loader, _conditioning(task.made_from), store)
    except BadInput as error:
        return TaskResult(bad=str(error))
    name = task.video.name
    result.left_out = [LeftOut(name, metric, why.why) for metric, why in found.items() if isinstance(why, Skipped)]
    return result


@dataclass
class _Worker:
    process: Any
    connection: "Connection[Any, Any]"
    task: int | None = None


@dataclass
class _WorkerPool:
    """Worker processes; one that dies is replaced while there is still work."""

    context: ScoringContext
    size: int
    workers: list[_Worker] = field(default_factory=list)

    def judge(self, tasks: Sequence[Task], on_result: OnResult) -> None:
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
                    result, worker.task = self._receive(worker), None
                    tries[at] += 1
                    if result is None and tries[at] < TRIES:
                        waiting.append(at)
                        continue
                    on_result(tasks[at], TaskResult(bad=_killed(tasks[at])) if result is None else result)
                    left -= 1
        finally:
            self._stop()

    def _idle(self) -> _Worker | None:
        """Return an idle worker, started if the pool is not full; None if all are busy."""
        idle = next((worker for worker in self.workers if worker.task is None), None)
        if idle is None and len(self.workers) < self.size:
            idle = self._start_worker()
            self.workers.append(idle)
        return idle

    def _ready(self) -> list[_Worker]:
        busy = {worker.connection: worker for worker in self.workers if worker.task is not None}
        return [busy[connection] for connection in wait(list(busy)) if isinstance(connection, Connection)]

    def _send(self, worker: _Worker, task: Task) -> None:
        with contextlib.suppress(
            BrokenPipeError, ConnectionResetError
        ):  # a dead worker is noticed when it is read from
            worker.connection.send(task)

    def _receive(self, worker: _Worker) -> TaskResult | None:
        """Return a worker's result, or None if it died; then it is removed from the pool. Raises what it raised."""
        try:
            result = worker.connection.recv()
        except (EOFError, ConnectionResetError):
            worker.connection.close()
            worker.process.join()
            self.workers.remove(worker)
            return None
        if isinstance(result, BaseException):
            raise result
        assert isinstance(result, TaskResult)
        return result

    def _start_worker(self) -> _Worker:
        processes: Any = _process_context()
        ours, theirs = processes.Pipe()
        archive = self.context.archive
        context = replace(self.context, archive=None, jobs=1)  # type: ignore[arg-type] # the worker opens its own
        process = processes.Process(target=_work, args=(theirs, archive.url, archive.home, context), daemon=True)
        process.start()
        theirs.close()
        return _Worker(process, ours)

    def _stop(self) -> None:
        for worker in self.workers:
            worker.connection.close()
            if worker.task is not None:
                worker.process.terminate()
            worker.process.join()


def _process_context() -> Any:
    """Return a "forkserver" context that imports the networks once for all workers; "spawn" where it is missing."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, *PRELOADED])
    return context


def _work(connection: "Connection[Any, Any]", url: str, home: Path, given: ScoringContext) -> None:
    """Score the tasks that arrive until the connection is closed. The main function of a worker process."""
    from memory.archive import Archive

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is handled by the parent process
    with Archive.open(url, home) as archive:
        context = replace(given, archive=archive)
        loader = _loader(context)
        while True:
            try:
                task = connection.recv()
            except EOFError:
                return
            connection.send(_result_or_error(context, task, loader))


def _result_or_error(context: ScoringContext, task: Task, loader: "NetworkLoader") -> TaskResult | BaseException:
    try:
        return judge_one(context, task, loader)
    except BaseException as error:  # the parent process raises it again
        error.add_note(traceback.format_exc())
        return error


def _killed(task: Task) -> str:
    return (
        f"{task.video.name} could not be scored: its worker process was killed {TRIES} times, "
        "perhaps because memory ran out; try it with one job."
    )


def _score(video: Judged, scorer: Scorer, found: contract.Score) -> Score:
    return Score(
        video=video.video,
        told=video.told(scorer.needs),
        scorer=scorer.digest,
        value=_number(found.value),
        values=tuple(_number(value) for value in found.values),
        note=found.note,
        details=found.details,
        created_at=datetime.now(UTC),
    )


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _loader(context: ScoringContext) -> "NetworkLoader":
    import torch

    from evals.networks.weights.loader import NetworkLoader

    # The last digits depend on the number of threads, and every worker must give the same ones.
    torch.set_num_threads(context.threads)
    return NetworkLoader(context.weights, context.device)


def _conditioning(made_from: VideoInput) -> "Conditioning":
    from evals.metrics.frames import Conditioning

    return Conditioning(
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
    """Return the middle frames of a neighbouring clip, uint8 (NEIGHBOUR_FRAMES, H, W, 3). Raises BadInput."""
    from evals.metrics.frames import WrongFrameCount, read_header

    video = read_header(path)
    try:
        return _middle(path, video)
    except WrongFrameCount as counted:
        return _middle(path, replace(video, num_frames=counted.num_frames))


def _middle(path: Path, video: contract.Video) -> "UInt8Array":
    import numpy as np

    from evals.metrics.frames import decode
    from evals.metrics.vbench.clip_vectors import middle_frames

    wanted = middle_frames(video.num_frames, NEIGHBOUR_FRAMES)
    frames = {
        chunk.first + at: frame
        for chunk in decode(path, video)
        for at, frame in enumerate(chunk.frames)
        if chunk.first + at in wanted
    }
    return np.stack([frames[index] for index in wanted])
