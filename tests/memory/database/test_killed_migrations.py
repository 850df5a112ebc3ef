"""kill -9 at every statement of an upgrade, and of the making of the checkpoints' tables: nothing is lost."""

import shutil
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from alembic import command
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.orm import Session

from memory.archive import Archive
from memory.database import engine as database
from memory.database import upgrade
from memory.database.tables import LlmCallRow, RunRow
from memory.errors import DatabaseTrouble
from memory.records import Request
from support import archive_workers
from support.archive_workers import story

pytestmark = pytest.mark.slow

OLDEST, NEWER = "0001", "9998"
MOVES_DATA = f'''
"""Moves what is there: a table filled from another, and one that is copied, dropped and renamed."""

import sqlalchemy as sa
from alembic import op

revision = "{NEWER}"
down_revision = "{database.HEAD}"


def upgrade():
    op.create_table("moods", sa.Column("run", sa.String(26), primary_key=True))
    op.execute("INSERT INTO moods SELECT id FROM runs")
    always = "always" if op.get_bind().dialect.name == "sqlite" else "auto"
    with op.batch_alter_table("llm_calls", recreate=always) as batch:
        batch.add_column(sa.Column("mood", sa.String(8)))
    op.execute("UPDATE llm_calls SET mood = 'calm'")
'''
RUNS = 3

Copied = Callable[[], str]


@pytest.fixture(scope="module")
def migrations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Those of a program that is a version ahead."""
    folder = tmp_path_factory.mktemp("program") / "migrations"
    shutil.copytree(upgrade.MIGRATIONS, folder)
    (folder / "versions" / f"v{NEWER}_moods.py").write_text(MOVES_DATA)
    return folder


def fill(url: str) -> None:
    """A database of the oldest version, with rows."""
    engine = create_engine(url)
    with engine.begin() as connection:
        command.upgrade(upgrade._config(connection), OLDEST)
    now = datetime.now(UTC)
    with Session(engine) as session, session.begin():
        for number in range(RUNS):
            request = Request(prompt=f"number {number}").model_dump(mode="json")
            run = RunRow(
                id=f"{number}" * 26, status="done", request=request, graph_version=1, settings={}, created_at=now,
                updated_at=now,
            )  # fmt: skip
            session.add(run)
            session.flush()
            session.add(
                LlmCallRow(
                    run=run.id, digest="a" * 64, model="m", purpose="plan", request={}, response="x", created_at=now
                )
            )
    engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Copied]:
    """Gives the address of a new copy of a database of the oldest version, with rows, as often as it is called."""
    if request.param == "sqlite":
        first = tmp_path / "old.db"
        fill(f"sqlite:///{first}")
        yield lambda: f"sqlite:///{shutil.copy(first, tmp_path / f'{uuid4().hex}.db')}"
        return
    server, names = make_url(request.getfixturevalue("postgres_server")), [f"old_{uuid4().hex}"]
    address = server.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {names[0]}")
        fill(server.set(database=names[0]).render_as_string(hide_password=False))

        def copied() -> str:
            names.append(f"copy_{uuid4().hex}")
            admin.execute(f"CREATE DATABASE {names[-1]} TEMPLATE {names[0]}")
            return server.set(database=names[-1]).render_as_string(hide_password=False)

        yield copied
        for name in names:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def a_version_ahead(migrations: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upgrade, "MIGRATIONS", migrations)
    monkeypatch.setattr(database, "HEAD", NEWER)


def opened(start: Any, url: str, home: Path, migrations: Path, dies_at: int) -> Any:
    """What a program that is a version ahead says when it opens the database; -9 if it was killed."""
    process, line = start(archive_workers.opens_with, url, home, migrations, NEWER, dies_at)
    line.recv()
    line.send("go")
    try:
        return line.recv()
    except EOFError:
        process.join()
        return process.exitcode


def is_whole(url: str, home: Path) -> None:
    """All rows are there, each once, and can be worked with."""
    with Archive.open(url, home) as archive:
        assert [run.request.prompt for run in archive.runs()] == [f"number {n}" for n in reversed(range(RUNS))]
        for run in archive.runs():
            assert len(archive.llm_calls(run.id)) == 1
            with archive.hold(run.id) as lease:
                archive.set_status(lease, "done")
        with archive.reading() as session:
            assert session.scalar(text("SELECT count(*) FROM moods")) == RUNS
            assert session.scalar(text("SELECT count(*) FROM llm_calls WHERE mood = 'calm'")) == RUNS


@pytest.mark.usefixtures("a_version_ahead")
def test_an_upgrade_that_is_killed_at_any_statement_is_made_again(
    old: Copied, migrations: Path, home: Path, start: Any
) -> None:
    statements = opened(start, old(), home, migrations, 0)
    assert statements > 10
    for number in sorted({*range(1, statements, 1 + statements // 4), statements - 1, statements}):
        url = old()
        assert opened(start, url, home, migrations, number) == -signal.SIGKILL
        is_whole(url, home)


def test_after_a_killed_upgrade_the_older_program_finds_what_it_had(
    old: Copied, migrations: Path, home: Path, start: Any
) -> None:
    """It was one transaction: there is no half of it that an older program could stumble over."""
    statements = opened(start, old(), home, migrations, 0)
    url = old()
    assert opened(start, url, home, migrations, statements - 1) == -signal.SIGKILL
    with Archive.open(url, home) as archive:
        assert len(archive.runs()) == RUNS


def test_an_upgraded_database_is_refused_by_the_older_program(
    old: Copied, migrations: Path, home: Path, start: Any
) -> None:
    url = old()
    assert opened(start, url, home, migrations, 0) > 10
    with pytest.raises(DatabaseTrouble, match=rf"version '{NEWER}'.*newer; update the program"):
        Archive.open(url, home)


@pytest.mark.usefixtures("a_version_ahead")
def test_processes_that_open_an_old_database_at_once_all_succeed(
    old: Copied, migrations: Path, home: Path, start: Any
) -> None:
    url = old()
    lines = [start(archive_workers.opens_with, url, home, migrations, NEWER, 0)[1] for _ in range(3)]
    assert [line.recv() for line in lines] == ["ready"] * 3
    for line in lines:
        line.send("go")
    assert all(isinstance(line.recv(), int) for line in lines)
    is_whole(url, home)


def test_checkpoint_tables_whose_making_is_killed_at_any_statement_are_made(
    old: Copied, home: Path, start: Any
) -> None:
    process, line = start(archive_workers.sets_up, old(), home, 0)
    statements = line.recv()
    assert statements > 3
    for number in range(1, statements + 1, 1 + statements // 3):
        url = old()
        process, line = start(archive_workers.sets_up, url, home, number)
        process.join()
        assert process.exitcode == -signal.SIGKILL
        with Archive.open(url, home) as archive:
            run = archive.runs()[0]
            thread: Any = {"configurable": {"thread_id": run.id}}
            with archive.hold(run.id) as lease, archive.saver(lease) as saver:
                assert story()(saver).invoke({"told": []}, thread, durability="sync")["told"][-1] == "assemble"
