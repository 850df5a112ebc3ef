"""Runs with checkpoints for the tests of gc and of parcels, and processes that die while they sweep or import."""

import operator
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypedDict

from memory_crew import picture, recipe
from sqlalchemy import Engine, event

from memory.archive import Archive
from memory.records import LlmCall, Request, Run, RunStatus

Work = Callable[[Archive], None]
POINTS = frozenset({"act", "ask", "assemble"})


class Told(TypedDict, total=False):
    told: Annotated[list[str], operator.add]


def story(asks: bool = False, says: str | None = None) -> Callable[[Any], Any]:
    """plan -> two acts at once -> review (-> ask) -> assemble; each leaves its name, the last also what it `says`."""
    from langgraph.graph import END, START, StateGraph
    from langgraph.types import Send, interrupt

    builder = StateGraph(Told)
    for name in ("plan", "act", "review", "assemble"):
        builder.add_node(name, lambda _state, name=name: {"told": [*([says] if says else []), name]})
    builder.add_node("ask", lambda _state: {"told": [f"ask {interrupt('well?')}"]})
    builder.add_edge(START, "plan")
    builder.add_conditional_edges(
        "plan", lambda _state: [Send("act", {"number": number}) for number in range(2)], ["act"]
    )
    builder.add_edge("act", "review")
    builder.add_edge("review", "ask" if asks else "assemble")
    builder.add_edge("ask", "assemble")
    builder.add_edge("assemble", END)
    return lambda saver: builder.compile(checkpointer=saver)


def tells_a_story(
    archive: Archive, run: Run | None = None, *, asks: bool = False, answer: bool = True, says: str | None = None
) -> tuple[Run, Callable[[Any], Any]]:
    """A run with the checkpoints of a story, and the graph it was told by."""
    from langgraph.types import Command

    run = run or archive.create_run(Request(prompt="told"), settings={}, graph_version=1)
    thread, graph = {"configurable": {"thread_id": run.id}}, story(asks, says)
    with archive.saver() as saver:
        told = graph(saver)
        told.invoke({"told": []}, thread, durability="sync")
        if asks and answer:
            [question] = told.get_state(thread).interrupts
            told.invoke(Command(resume={question.id: "yes"}), thread, durability="sync")
    return run, graph


def stand_in_run(archive: Archive, prompt: str = "x", seeds: tuple[int, ...] = (0,), status: RunStatus = "done") -> Run:
    """A run that made, or reused, a picture for each seed."""
    run = archive.create_run(Request(prompt=prompt), settings={}, graph_version=1)
    with archive.hold(run.id) as lease:
        for seed in seeds:
            archive.make(lease, recipe(seed), lambda seed=seed: picture(str(seed).encode()))
        return archive.set_status(lease, status)


def fine(_story: object) -> None:
    """What a graph says that can go on with every run."""


def travelled(archive: Archive) -> Run:
    """A run with everything that a run can have."""
    run = stand_in_run(archive, "told", seeds=(1, 2))
    tells_a_story(archive, run, asks=True)
    with archive.hold(run.id) as lease:
        for number in range(2):
            archive.remember_llm(
                lease,
                LlmCall(
                    run=run.id, digest=f"{number}" * 64, model="m", purpose="plan", request={"x": [1e22, 0.1, None]},
                    response=f'a "fox" \x00 \ud800 {number}', created_at=run.created_at,
                ),
            )  # fmt: skip
    return run


def sent(archive: Archive, run: Run, folder: Path, name: str = "run.zip") -> Path:
    """The parcel of the run."""
    from memory.moving import export_run

    export_run(archive, run.id, folder / name)
    return folder / name


def everything(archive: Archive, run: Run) -> list[Any]:
    """All that is known of a run."""
    from memory.steps import steps_of

    with archive.saver() as saver:
        steps = steps_of(saver, run.id)
    ledger = [line.model_copy(update={"id": 0}) for line in archive.ledger(run.id)]
    products = [(one, archive.read(one)) for one in archive.artifacts(run.id)]
    return [archive.run(run.id), products, ledger, archive.llm_calls(run.id), steps]


def shelf(archive: Archive) -> list[Path]:
    """The files of products."""
    return sorted(path for path in (archive.home / "artifacts").rglob("*") if path.is_file())


def furnishes(archive: Archive) -> None:
    """A run that is kept, one whose checkpoints can be pruned, one to be dropped, and a stray file."""
    stand_in_run(archive, "kept", seeds=(1, 2))
    tells_a_story(archive)
    stand_in_run(archive, "gone", seeds=(2, 3))
    stray = archive.home / "artifacts" / "ab" / f"{'c' * 62}.png"
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"x")


def watched(happens: Callable[[], None]) -> None:
    """Call `happens` before each statement that changes the database, each commit and each removal of a file."""

    def on_statement(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.split(maxsplit=1)[0] in ("INSERT", "UPDATE", "DELETE", "VACUUM"):
            happens()

    def on_call(name: str, arguments: tuple[object, ...]) -> None:
        if name in ("os.remove", "os.rename") and "artifacts" in str(arguments[0]):
            happens()

    event.listen(Engine, "before_cursor_execute", on_statement)
    event.listen(Engine, "commit", lambda _connection: happens())
    sys.addaudithook(on_call)


def sweeps(archive: Archive) -> None:
    from memory.retention import collect

    gone = [run.id for run in archive.runs() if run.request.prompt == "gone"]
    collect(archive, review_points=POINTS, grace=timedelta(0), drop=gone)


def dies_again_and_again(line: Connection, furnish: Work, work: Work, folder: Path) -> None:
    """Furnish an archive, and in a copy of it for each moment of the work die by SIGKILL; say how many there were.

    The copies lie in `folder` by their numbers. Forked, because importing LangGraph takes longer than all the rest.
    """
    import memory.checkpoints  # noqa: F401

    template = folder / "template"
    with Archive.open(f"sqlite:///{template / 'mora.db'}", template) as archive:
        furnish(archive)
    for moment in count():
        home = folder / str(moment)
        shutil.copytree(template, home)
        pid = os.fork()
        if pid == 0:
            _works_until(moment, home, work)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if code != -signal.SIGKILL:
            line.send((moment, code))
            return


def _works_until(moment: int, home: Path, work: Work) -> NoReturn:
    seen, code = count(), 1

    def die() -> None:
        if next(seen) == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        with Archive.open(f"sqlite:///{home / 'mora.db'}", home) as archive:
            watched(die)
            work(archive)
            code = 0
    finally:
        os._exit(code)


def packs_beside(archive: Archive) -> None:
    """A parcel in the home of an empty archive, from another one that is gone."""
    with (
        tempfile.TemporaryDirectory() as elsewhere,
        Archive.open(f"sqlite:///{elsewhere}/mora.db", Path(elsewhere)) as other,
    ):
        sent(other, travelled(other), archive.home)


def imports(archive: Archive) -> None:
    from memory.moving import import_run

    import_run(archive, archive.home / "run.zip", fine)
