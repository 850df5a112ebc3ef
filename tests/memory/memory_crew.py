"""What other processes do in the tests of memory; each gets a line to its parent first."""

import os
import resource
import signal
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from memory import database, upgrade
from memory.archive import Archive, Product
from memory.errors import ArchiveError
from memory.records import Media, Recipe, Request

PICTURE = Media(kind="image", media_type="image/png", width=2, height=1)


def picture(data: bytes = b"not much of a picture") -> Product:
    return Product(data, PICTURE, ".png")


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

        def produce() -> Product:
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

    def produce() -> Product:
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
    import sqlite3

    import psycopg

    import memory.checkpoints  # before anything is counted

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
        memory.checkpoints.sqlite3.connect = heard  # type: ignore[attr-defined]
        psycopg.Cursor.execute = executed  # type: ignore[method-assign]
        memory.checkpoints.set_up(archive._address, 30.0)
    line.send(told)
