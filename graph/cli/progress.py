"""Shows the progress of a run or a training on a console: bars in a terminal, lines elsewhere."""

import gc
import time
from collections import Counter
from collections.abc import Callable
from threading import Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from graph.runs.history import state_of
from graph.runs.observer import Event, Noted, ProductReady, RunBegan, StageBegan, ToolProgress
from graph.views import _task
from memory.records import Run
from tools.registry import TOOLS

if TYPE_CHECKING:
    from memory.archive import Archive


WORK = {"enhance": "reading the wish", "plan": "planning", "text_to_video": "making the clip"}
"""Description of each stage that is not a tool."""


LINE_EVERY_SECONDS = 60.0


class Bars:
    """Progress bars on a console, one per stage or tool call."""

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[remark]}")
        self._progress = Progress(*columns, console=console, disable=quiet)
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def report(self, name: str, step: int, steps: int, seconds_left: float | None = None, remark: str = "") -> None:
        """Move the bar `name` to `step` of `steps`."""
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(escape(name), total=steps, remark="")
        left = "" if seconds_left is None else f"  {_duration(seconds_left)} left"
        self._progress.update(self._tasks[name], completed=step, total=steps, remark=f"{remark}{left}")


class Lines:
    """Progress without a terminal: a line when a stage or tool call begins, then one a minute while it lasts."""

    def __init__(self, console: Console, *, every_seconds: float = LINE_EVERY_SECONDS) -> None:
        self._console, self._every_seconds = console, every_seconds
        self._printed_at: dict[str, float] = {}

    def report(self, name: str, step: int, steps: int, seconds_left: float | None = None, remark: str = "") -> None:
        """Print `name` the first time, and its progress once its last line is `every_seconds` old."""
        now = time.monotonic()
        if name not in self._printed_at:
            line = name
        elif now - self._printed_at[name] >= self._every_seconds:
            left = "" if seconds_left is None else f"{_duration(seconds_left)} left"
            line = ", ".join(filter(None, [f"{name}: {step} of {steps}", remark, left]))
        else:
            return
        self._printed_at[name] = now
        self._console.print(line, markup=False, soft_wrap=True)


def _enable_garbage_collection() -> None:
    """Enable garbage collection, which `main` disabled during imports, and exempt the imported modules from it."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


class ProgressObserver:
    """Shows the progress of a run, and keeps what is reported at its end: notes, agent calls, cache hits, wall seconds.

    run: the id of the run, None until a new one has begun. begun: called with the id of a new run. quiet: shows no
    progress. Without a terminal progress is shown as lines.
    """

    def __init__(
        self,
        console: Console,
        *,
        quiet: bool = False,
        run: str | None = None,
        begun: Callable[[str], None] | None = None,
    ) -> None:
        self._console, self._begins = console, begun
        self._bars = Bars(console, quiet=quiet or not console.is_terminal)
        self._report = self._bars.report if quiet or console.is_terminal else Lines(console).report
        self._begun = time.monotonic()
        self._stopping = False
        self.run = run
        self.notes: list[str] = []
        self.calls: Counter[bool] = Counter()

    def __enter__(self) -> Self:
        self._bars.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.__exit__(kind, error, trace)

    @property
    def wall_seconds(self) -> float:
        """Seconds since this observer was created."""
        return time.monotonic() - self._begun

    def __call__(self, event: Event, /) -> None:
        """Show or keep one event of the run."""
        match event:
            case RunBegan(run=run):
                self.run = run
                if self._begins is not None:
                    self._begins(run)
            case Noted(notes=notes):
                self.notes += notes
            case ProductReady(called=called):
                self.calls[called] += 1
            case StageBegan(stage=stage) if stage in WORK:
                # No line: a script whose wish is refused gets nothing but one sentence.
                self._bars.report(WORK[stage], 1, 1, None, "")
            case ToolProgress():
                self._show(event)

    def stopping(self) -> None:
        """Print, at once and only once, that the run is stopping, and how to resume it."""
        if self._stopping:
            return
        self._stopping = True
        on = "" if self.run is None else f"; `python main.py resume {self.run}` resumes it"
        sentence = f"stopping after this step, press Ctrl-C again to stop at once{on}"
        try:
            self._console.print(sentence, soft_wrap=True)
        except RuntimeError:
            # The signal came while this thread was writing to the same stream, which is not reentrant.
            Thread(target=lambda: self._console.print(sentence, soft_wrap=True)).start()

    def _show(self, progress: ToolProgress) -> None:
        _enable_garbage_collection()
        shot = "" if progress.shot is None else f" shot {progress.shot}"
        again = f", take {progress.attempt + 1}" if progress.attempt else ""
        tool = TOOLS.get(progress.tool)
        name = f"{WORK[progress.tool] if tool is None else tool.doing}{shot}{again}"
        speed = f"{progress.frames_per_second:.1f} frames/s"
        self._report(name, progress.step, progress.steps, progress.seconds_left, speed)


def result_of(archive: "Archive", run: Run, observed: ProgressObserver) -> dict[str, Any]:
    """Return the object of `--json`, see the README. agent_calls are those that really ran in this process."""
    assert run.film is not None, f"run {run.id} is {run.status} and has no film"
    film = archive.artifact(run.film)
    return {
        "run": run.id,
        "status": run.status,
        "task": _task(run, state_of(archive, run)),
        "film": str(archive.path(film)),
        "artifact": film.id,
        "sha256": film.sha256,
        "fps": film.media.fps,
        "num_frames": film.media.num_frames,
        "width": film.media.width,
        "height": film.media.height,
        "seed": run.request.seed,
        "notes": observed.notes,
        "agent_calls": observed.calls[True],
        "cache_hits": observed.calls[False],
        "wall_seconds": round(observed.wall_seconds, 3),
    }


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
