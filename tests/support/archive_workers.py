"""Archives for tests: products, runs with checkpoints, and what other processes do in them.

A function whose first argument is a `Connection` runs in another process, and tells its parent over that line.
"""

import operator
import os
import resource
import shutil
import signal
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypedDict

from sqlalchemy import Engine, event

from memory.archive import Archive
from memory.database import engine as database
from memory.database import upgrade
from memory.errors import ArchiveError
from memory.leases import Lease
from memory.products.files import Produced
from memory.records import Artifact, LlmCall, Media, Recipe, Request, Run, RunStatus, TurnProduct
from memory.turns import begin_turn, end_turn, turns_of

Work = Callable[[Archive], None]
POINTS = frozenset({"act", "ask", "assemble"})
PICTURE = Media(kind="image", media_type="image/png", width=2, height=1)


def picture(data: bytes = b"not much of a picture") -> Produced:
    return Produced(data, PICTURE, ".png")


def recipe(seed: int = 0) -> Recipe:
    return Recipe(agent="text_to_image", weights="ab" * 32, spec={"words": "a fox", "seed": seed}, numerics="cpu")


def note(path: Path) -> None:
    with path.open("a") as file:
        file.write("called\n")


def notes(path: Path) -> int:
    return len(path.read_text().splitlines())


def hold(line: Connection, url: str, home: Path, run: str) -> None:
    """Say the fence or the refusal; hold until told otherwise."""
    with Archive.open(url, home) as archive:
        try:
            with archive.hold(run) as lease:
                line.send(lease.fence)
                line.recv()
        except ArchiveError as error:
            line.send(str(error))


def opens(line: Connection, url: str, home: Path) -> None:
    """Open when told."""
    line.send("ready")
    line.recv()
    try:
        with Archive.open(url, home) as archive:
            archive.create_run(Request(prompt="x"), settings={}, graph_version=1)
            line.send("opened")
    except ArchiveError as error:
        line.send(str(error))


def makes(line: Connection, url: str, home: Path, run: str, calls: Path) -> None:
    """Make a picture when told; go on with the making when told again. Says whether it was called."""
    with Archive.open(url, home) as archive, archive.hold(run) as lease:
        line.send("ready")
        line.recv()

        def produce() -> Produced:
            note(calls)
            line.send("producing")
            line.recv()
            return picture()

        line.send(archive.make(lease, recipe(), produce).called)


def dies(_line: Connection, url: str, home: Path, run: str, calls: Path, when: str) -> None:
    """Make a picture and die by SIGKILL at the moment `when`."""

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def on_open(name: str, arguments: tuple[object, ...]) -> None:
        # The folder of the file is flushed after the rename.
        if name == "open" and Path(str(arguments[0])).parent.name == "artifacts" and list(home.rglob("*.png")):
            die()

    def on_statement(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("INSERT INTO artifacts"):
            die()

    def produce() -> Produced:
        note(calls)
        if when == "producing":
            die()
        return picture()

    with Archive.open(url, home) as archive, archive.hold(run) as lease:
        if when == "renamed":
            sys.addaudithook(on_open)
        if when == "committing":
            event.listen(Engine, "before_cursor_execute", on_statement)
        archive.make(lease, recipe(), produce)


def fills_the_disk(line: Connection, url: str, home: Path, run: str) -> None:
    """Make what the disk does not take, say why it failed; then find room and say whether it was called."""
    limit, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    big = picture(b"\xff" * 2**22)
    with Archive.open(url, home) as archive, archive.hold(run) as lease:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2**21, hard))
        try:
            archive.make(lease, recipe(), lambda: big)
        except ArchiveError as error:
            line.send((type(error).__name__, str(error)))
        line.send(sorted(str(path) for path in home.rglob("*") if path.is_file()))
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        line.send(archive.make(lease, recipe(), lambda: big).called)


def opens_on_a_full_disk(line: Connection, url: str, home: Path) -> None:
    """Make a database that the disk does not take, and say why it failed."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**14, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    try:
        Archive.open(url, home)
    except ArchiveError as error:
        line.send((type(error).__name__, str(error)))


def opens_as_nobody(line: Connection, url: str, home: Path) -> None:
    """Open without the rights of root, to whom every folder is open, and say why it failed."""
    if os.geteuid() == 0:
        os.setuid(65534)
    try:
        Archive.open(url, home)
    except ArchiveError as error:
        line.send((type(error).__name__, str(error)))


def opens_with(line: Connection, url: str, home: Path, migrations: Path, head: str, dies_at: int) -> None:
    """Open, when told, as a program that knows the migrations up to `head`; die at that statement of it, from 1.

    Says how many statements it took.
    """
    told = 0

    def on_statement(_connection: object, _cursor: object, _statement: str, *_: object) -> None:
        nonlocal told
        told += 1
        if told == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    upgrade.MIGRATIONS, database.HEAD = migrations, head
    event.listen(Engine, "before_cursor_execute", on_statement)
    line.send("ready")
    line.recv()
    try:
        with Archive.open(url, home):
            line.send(told)
    except ArchiveError as error:
        line.send(str(error))


def sets_up(line: Connection, url: str, home: Path, dies_at: int) -> None:
    """Make the tables of the checkpoints, and die at that statement of it, from 1; say how many it took."""
    import psycopg

    from memory.checkpoints import saver as checkpoints  # before anything is counted

    told = 0

    def counted(*_: object) -> None:
        nonlocal told
        told += 1
        if told == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    connect, execute = sqlite3.connect, psycopg.Cursor.execute

    def heard(*asked: Any, **how: Any) -> sqlite3.Connection:
        connection = connect(*asked, **how)
        connection.set_trace_callback(counted)
        return connection

    def executed(cursor: Any, *asked: Any, **how: Any) -> Any:
        counted()
        return execute(cursor, *asked, **how)

    with Archive.open(url, home) as archive:
        checkpoints.sqlite3.connect = heard  # type: ignore[attr-defined]
        psycopg.Cursor.execute = executed  # type: ignore[method-assign]
        checkpoints.set_up(archive._address, 30.0)
    line.send(told)


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
            says_a_turn(archive, lease, number, archive.artifacts(run.id)[number])
    return run


def says_a_turn(archive: Archive, lease: Lease, number: int, product: Artifact) -> None:
    """A turn that made the product; the second one takes the first back."""
    turn = begin_turn(archive, lease, question=f"{number}" * 32, words=f"a fox \x00 \ud800 {number}", moves=())
    made = TurnProduct(number=number + 1, artifact=product.id, mark="waits")
    came: dict[str, Any] = {
        "state": "done", "reply": "so", "moves": ({"do": "wish", "words": "a fox"},), "notes": ("a note",),
        "products": (made,), "asked": {"waiting": [], "stale": []}, "changed": True, "ended_at": turn.at,
    }  # fmt: skip
    end_turn(archive, lease, turn.model_copy(update=came), undoes=number)


def sent(archive: Archive, run: Run, folder: Path, name: str = "run.zip") -> Path:
    """The parcel of the run."""
    from memory.transfer.export_import import export_run

    export_run(archive, run.id, folder / name)
    return folder / name


def everything(archive: Archive, run: Run) -> list[Any]:
    """All that is known of a run."""
    from memory.checkpoints.plain import steps_of

    with archive.saver() as saver:
        steps = steps_of(saver, run.id)
    ledger = [line.model_copy(update={"id": 0}) for line in archive.ledger(run.id)]
    products = [(one, archive.read(one)) for one in archive.artifacts(run.id)]
    return [archive.run(run.id), products, ledger, archive.llm_calls(run.id), steps, turns_of(archive, run.id)]


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
    from memory.retention.collect import collect

    gone = [run.id for run in archive.runs() if run.request.prompt == "gone"]
    collect(archive, review_points=POINTS, grace=timedelta(0), drop=gone)


def dies_again_and_again(line: Connection, furnish: Work, work: Work, folder: Path) -> None:
    """Furnish an archive, and in a copy of it for each moment of the work die by SIGKILL; say how many there were.

    The copies lie in `folder` by their numbers. Forked, because importing LangGraph takes longer than all the rest.
    """
    from memory.checkpoints import saver as checkpoints  # noqa: F401

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
    from memory.transfer.export_import import import_run

    import_run(archive, archive.home / "run.zip", fine)
