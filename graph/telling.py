"""What a person is told: progress while a run goes on, and tables, stories and JSON afterwards."""

import gc
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

from graph.procedures import STEPS
from memory.records import Artifact, Run
from models.presets import SYSTEMS
from tools.context import sheet_frames
from tools.delivery.export import export
from tools.media.contact_sheet import frame_sheet

if TYPE_CHECKING:
    from memory.archive import Archive

WORK = {
    "enhance": "reading the wish",
    "plan": "planning",
    "text_to_image": "drawing",
    "edit_image": "changing",
    "image_to_video": "animating",
    "text_to_video": "making the clip",
    "edit_video": "changing",
    "connect_videos": "leading over",
    "assemble_film": "joining",
}
A_CONVERSATION = "(a conversation)"
LINE_EVERY_SECONDS = 60.0
SHORTER = 8
"""Digits left out of an id where it is only compared with one that stands whole beside it."""
ENOUGH = 18
"""Digits of a checkpoint's id that tell it from the others of its run: they are its time."""
MADE_BY_MODELS = (
    *("text_to_image", "edit_image", "image_to_video", "edit_video", "connect_videos"),
    *(row.profile for row in SYSTEMS),
)


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
        """Moves the bar `name` to step of steps."""
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(escape(name), total=steps, remark="")
        left = "" if seconds_left is None else f"  {_duration(seconds_left)} left"
        self._progress.update(self._tasks[name], completed=step, total=steps, remark=f"{remark}{left}")


class Lines:
    """Progress where there is no terminal: a line when a stage or tool call begins, and of a long one each minute."""

    def __init__(self, console: Console, *, every_seconds: float = LINE_EVERY_SECONDS) -> None:
        self._console, self._every_seconds = console, every_seconds
        self._told: dict[str, float] = {}

    def report(self, name: str, step: int, steps: int, seconds_left: float | None = None, remark: str = "") -> None:
        """Tells `name` the first time that it is heard, and how far it is when it was not told for a while."""
        now = time.monotonic()
        if name not in self._told:
            said = name
        elif now - self._told[name] >= self._every_seconds:
            left = "" if seconds_left is None else f"{_duration(seconds_left)} left"
            said = ", ".join(filter(None, [f"{name}: {step} of {steps}", remark, left]))
        else:
            return
        self._told[name] = now
        self._console.print(said, markup=False, soft_wrap=True)


def _collect_again() -> None:
    """An agent works: from here on it is work that leaves garbage, and no longer modules that come in."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


class Listener:
    """Hears a run and keeps what the door tells at the end: notes, agent calls, cache hits, wall seconds.

    run: the id of the run, once it has begun; known before for one that goes on. begun: called with that id. quiet: no
    progress is shown. Without a terminal it is shown as lines.
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
        self._stops = False
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
        """Since this listener began to listen."""
        return time.monotonic() - self._begun

    def __call__(self, heard: dict[str, Any]) -> None:
        """One event of `graph.house`."""
        if heard.get("stage") == "begin":
            self.run = str(heard["run"])
            if self._begins is not None:
                self._begins(self.run)
        elif heard.get("kind") == "updates":
            for update in heard["told"].values():
                self.notes += (update or {}).get("notes", [])
        elif heard.get("kind") == "custom":
            self._step(heard["told"])

    def stopping(self) -> None:
        """Says at once, and once, that the run stops, and how it goes on."""
        if self._stops:
            return
        self._stops = True
        on = "" if self.run is None else f"; `python main.py resume {self.run}` goes on with it"
        said = f"stopping after this step, press Ctrl-C again to stop at once{on}"
        try:
            self._console.print(said, soft_wrap=True)
        except RuntimeError:
            # The signal came while this thread was writing to the same stream, which lets no second call in.
            Thread(target=lambda: self._console.print(said, soft_wrap=True)).start()

    def _step(self, told: dict[str, Any]) -> None:
        if "called" in told:
            self.calls[told["called"]] += 1
        if told["stage"] in ("enhance", "plan"):
            # No line: of a wish that is refused, a script is told one sentence.
            self._bars.report(WORK[told["stage"]], 1, 1, None, "")
        elif "step" in told:
            _collect_again()
            shot = f" shot {told['shot']}" if "shot" in told else ""
            again = f", take {told['attempt'] + 1}" if told.get("attempt") else ""
            speed = f"{told['frames_per_second']:.1f} frames/s"
            name = f"{WORK[told['stage']]}{shot}{again}"
            self._report(name, told["step"], told["of"], told["seconds_left"], speed)


def result_of(archive: "Archive", run: Run, listener: Listener) -> dict[str, Any]:
    """The JSON object of `--json`: see the README. agent_calls are those that really ran in this process."""
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
        "notes": listener.notes,
        "agent_calls": listener.calls[True],
        "cache_hits": listener.calls[False],
        "wall_seconds": round(listener.wall_seconds, 3),
    }


def runs_as_json(archive: "Archive") -> list[dict[str, Any]]:
    """All runs, newest first."""
    return [
        {
            "run": run.id,
            "status": run.status,
            "task": run.request.task,
            "prompt": run.request.prompt,
            "film": run.film,
            "parent": run.parent,
        }
        for run in archive.runs()
    ]


def runs_table(archive: "Archive", *, tree: bool = False, refused: bool = False) -> RenderableType:
    """The runs as a table, newest first; as a tree, branches follow the run that they begin in, each with its seed.

    refused: with the wishes that the planner refused, too; else they are counted.
    """
    every = archive.runs()
    if not every:
        return "There are no runs yet; `python main.py generate 'a red ball rolls over the snow'` makes one."
    known = [run for run in every if refused or not _is_refused(archive, run)]
    table = _plain_table("", "run", "begun", "status", "what was asked")
    for run, depth in _branches(known) if tree else ((run, 0) for run in known):
        begun = run.created_at.astimezone().strftime("%m-%d %H:%M")
        why = f" ({escape(run.error)})" if run.error else ""
        seed = f"  seed {run.request.seed}" if tree else ""
        branch = f"{'  ' * (depth - 1)}└ " if depth else ""
        table.add_row(branch + run.id, begun, run.status, escape(_asked(run)) + seed + why)
    if not (hidden := len(every) - len(known)):
        return table
    told = "1 wish that was refused is" if hidden == 1 else f"{hidden} wishes that were refused are"
    return Group(*([table] if known else []), f"{told} not shown; `runs --all` shows all.")


def _is_refused(archive: "Archive", run: Run) -> bool:
    """True for a wish that the planner refused: nothing was made of it, and it would be refused again."""
    answers = archive.llm_calls(run.id) if run.status == "failed" else []
    try:
        last = json.loads(answers[-1].response) if answers else None
    except ValueError:
        return False
    return isinstance(last, dict) and bool(last.get("impossible"))


def _branches(known: Sequence[Run]) -> Iterator[tuple[Run, int]]:
    """Each run and how deep it branches, right after the one that it branches from."""
    ids, branches = {run.id for run in known}, defaultdict[str | None, list[Run]](list)
    for run in known:
        branches[run.parent if run.parent in ids else None].append(run)

    def grown(run: Run, depth: int) -> Iterator[tuple[Run, int]]:
        yield run, depth
        for branch in branches[run.id]:
            yield from grown(branch, depth + 1)

    for root in branches[None]:
        yield from grown(root, 0)


def run_as_json(archive: "Archive", run: Run, *, checkpoints: bool = False) -> dict[str, Any]:
    """Everything about a run: request, plan, lineage, ledger, LLM calls, checkpoints, in detail if asked."""
    state = state_of(archive, run)
    return {
        **run.model_dump(mode="json"),
        "task": _task(run, state),
        "plan": state.get("calls", []),
        "notes": state.get("notes", []),
        "takes": state.get("takes", {}),
        "verdicts": state.get("verdicts", {}),
        "artifacts": [artifact.model_dump(mode="json") for artifact in archive.artifacts(run.id)],
        "agent_calls": [call.model_dump(mode="json") for call in archive.ledger(run.id)],
        "llm_calls": [call.model_dump(mode="json") for call in archive.llm_calls(run.id)],
        "checkpoints": checkpoints_as_json(archive, run) if checkpoints else checkpoints_of(archive, run),
    }


def state_of(archive: "Archive", run: Run) -> dict[str, Any]:
    """The channel values of the run's newest checkpoint; {} if there is none."""
    with archive.saver() as saver:
        found = saver.get_tuple({"configurable": {"thread_id": run.id, "checkpoint_ns": ""}})
    return dict(found.checkpoint["channel_values"]) if found else {}


def _task(run: Run, state: dict[str, Any]) -> str:
    """What the wish turned out to be, or what was asked for while nobody has read it yet."""
    return str(state.get("enhancement", {}).get("task", run.request.task))


def checkpoints_of(archive: "Archive", run: Run) -> list[dict[str, Any]]:
    """Id, time and step of every checkpoint of the run, oldest first."""
    with archive.saver() as saver:
        known = list(saver.list({"configurable": {"thread_id": run.id, "checkpoint_ns": ""}}))
    return [
        {"id": c.checkpoint["id"], "at": c.checkpoint["ts"], "step": c.metadata.get("step")} for c in reversed(known)
    ]


def checkpoints_as_json(archive: "Archive", run: Run) -> list[dict[str, Any]]:
    """Every checkpoint of the run, oldest first: after which step, what was made by then, what a fork can change."""
    from graph.history import changeable, checkpoints
    from graph.state import DEFAULT_LIMITS

    return [
        {
            "number": one.number,
            "id": one.id,
            "at": one.at,
            "after": one.after,
            "made": list(one.made),
            "new": list(one.new),
            "changeable": list(changeable(one, DEFAULT_LIMITS)),
        }
        for one in checkpoints(archive, run)
    ]


def checkpoints_table(archive: "Archive", run: Run) -> RenderableType:
    """The same as a table."""
    table = _plain_table("checkpoints", "", "id", "at", "after", "can change", "made since")
    for one in checkpoints_as_json(archive, run):
        at = datetime.fromisoformat(one["at"]).astimezone().strftime("%H:%M:%S")
        can = ", ".join(one["changeable"]) if len(one["changeable"]) < 3 else "everything"
        table.add_row(str(one["number"]), one["id"][:ENOUGH], at, one["after"] or "", can, " ".join(one["new"]))
    return table


def run_story(archive: "Archive", run: Run) -> RenderableType:
    """The run as a person reads it: what was asked, the plan, the lineage with timings, the checkpoints."""
    state = state_of(archive, run)
    return Group(*_head(run, state), _plan_table(state), _lineage_table(archive, run), _tail(archive, run))


def _head(run: Run, state: dict[str, Any]) -> list[RenderableType]:
    lines = [
        f"[bold]run {run.id}[/bold]  {run.status}" + (f": {escape(run.error)}" if run.error else ""),
        f"asked    {escape(run.request.prompt or A_CONVERSATION)}",
        f"task     {_task(run, state)}",
        f"seed     {run.request.seed}    profile {run.request.profile}    planner {run.request.planner}",
    ]
    return [*lines, *(f"note     {escape(note)}" for note in state.get("notes", []))]


def _plan_table(state: dict[str, Any]) -> RenderableType:
    table = _plain_table("plan", "call", "takes", "from", "told")
    for call in state.get("calls", []):
        told, takes = dict(call["arguments"]), state.get("takes", {}).get(call["id"], [])
        given = [told.pop(name, None) for name in STEPS[call["tool"]].takes]
        starts = [*filter(None, given), *call["needs"]]
        words = [str(told.pop(name)) for name in ("instruction", "prompt") if told.get(name)]
        dials = [f"{name} {value}" for name, value in told.items() if value not in (None, False)]
        table.add_row(call["id"], str(len(takes)), " ".join(starts), escape(", ".join([*words, *dials])))
    return table


def _lineage_table(archive: "Archive", run: Run) -> RenderableType:
    table = _plain_table("lineage", "artifact", "made by", "seconds", "size", "from")
    for artifact in archive.artifacts(run.id):
        row = artifact.id, artifact.recipe.agent, f"{artifact.seconds:.2f}", _size(artifact)
        table.add_row(*row, " ".join(parent[:-SHORTER] for parent in artifact.parents))
    return table


def _plain_table(title: str, *columns: str) -> Table:
    """Without a frame, so that ids fit whole into eighty columns."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    for column in columns[:-1]:
        table.add_column(column, no_wrap=True, header_style="dim", style=None)
    table.add_column(columns[-1], header_style="dim", overflow="fold")
    return table


def _tail(archive: "Archive", run: Run) -> RenderableType:
    calls = [call for call in archive.ledger(run.id) if call.agent in MADE_BY_MODELS]
    made = sum(call.outcome == "made" for call in calls)
    checkpoints = len(checkpoints_of(archive, run))
    film = f"\nfilm     {archive.path(archive.artifact(run.film))}" if run.film else ""
    told = f"{made} agent calls made, {len(calls) - made} not finished; {checkpoints} checkpoints{film}"
    return Text(told, no_wrap=True, overflow="ignore")  # a path that is broken over two lines cannot be copied


def write_sheet(archive: "Archive", run: Run, path: Path) -> None:
    """The frames of the run's film, or of its newest product, as one PNG. Raises BadInput for a bad path."""
    from graph.errors import RequestError

    known = [archive.artifact(run.film)] if run.film else archive.artifacts(run.id)
    if not known:
        then = f"it failed: {run.error}" if run.status == "failed" else "resume it first."
        raise RequestError(f"Run {run.id} has made nothing yet; {then}")
    newest = known[-1]
    frames, indices = sheet_frames(archive, newest)
    export(frame_sheet(frames, newest.media.fps, indices=indices), path, suffix=".png")


def _size(artifact: Artifact) -> str:
    media = artifact.media
    frames = f" x{media.num_frames}" if media.fps else ""
    return f"{media.width}x{media.height}{frames}"


def _asked(run: Run) -> str:
    """What a run was asked, in a line's room; a conversation begins with nothing."""
    return _short(run.request.prompt) or A_CONVERSATION


def _short(text: str, longest: int = 60) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
