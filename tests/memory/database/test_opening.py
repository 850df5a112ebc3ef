import sqlite3
import stat
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text

from memory.archive import Archive
from memory.database.engine import HEAD
from memory.database.tables import Base
from memory.database.upgrade import MIGRATIONS
from memory.errors import BadAddress, DatabaseTrouble, DiskTrouble
from memory.records import Request
from support import archive_workers

OURS = {
    "runs", "artifacts", "run_artifacts", "recipes", "agent_calls", "llm_calls", "leases",
    "scorers", "scores", "evaluations", "known_files", "turns",
}  # fmt: skip


def test_the_migrations_make_exactly_the_mapped_tables(database_url: str, home: Path) -> None:
    Archive.open(database_url, home).close()
    engine = create_engine(database_url)
    with engine.connect() as connection:
        assert set(inspect(connection).get_table_names()) == OURS | {"alembic_version"}
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    engine.dispose()
    assert differences == []


def test_what_was_stored_is_there_when_opened_again(database_url: str, home: Path) -> None:
    with Archive.open(database_url, home) as archive:
        run = archive.create_run(Request(prompt="x"), settings={}, graph_version=1)
        with archive.saver():
            pass
    with Archive.open(database_url, home) as archive:
        assert archive.runs() == [run]


def test_processes_that_open_a_new_database_at_once_all_succeed(database_url: str, home: Path, start) -> None:
    lines = [start(archive_workers.opens, database_url, home)[1] for _ in range(3)]
    assert [line.recv() for line in lines] == ["ready"] * 3
    for line in lines:
        line.send("go")
    assert [line.recv() for line in lines] == ["opened"] * 3
    with Archive.open(database_url, home) as archive:
        assert len(archive.runs()) == 3


def test_a_newer_database_is_refused(database_url: str, home: Path) -> None:
    Archive.open(database_url, home).close()
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(DatabaseTrouble, match=r"version '9999'.*newer; update the program"):
        Archive.open(database_url, home)


def test_a_file_of_another_kind_is_refused_and_kept(tmp_path: Path, home: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear reader, " * 100)
    with pytest.raises(DatabaseTrouble, match=r"letter.txt is not a database"):
        Archive.open(f"sqlite:///{file}", home)
    assert file.read_text().startswith("Dear reader")


def test_a_locked_database_is_waited_for_and_then_refused(tmp_path: Path, home: Path) -> None:
    url = f"sqlite:///{tmp_path / 'mora.db'}"
    with Archive.open(url, home, busy_seconds=0.2) as archive:
        other = sqlite3.connect(tmp_path / "mora.db", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DatabaseTrouble, match="locked by another process"):
            archive.create_run(Request(prompt="x"), settings={}, graph_version=1)
        other.execute("ROLLBACK")
        other.close()
        assert archive.create_run(Request(prompt="x"), settings={}, graph_version=1) in archive.runs()


def test_a_locked_table_is_refused_on_postgresql(postgres_url: str, home: Path) -> None:
    engine = create_engine(postgres_url)
    with Archive.open(postgres_url, home, busy_seconds=0.2) as archive, engine.begin() as connection:
        connection.execute(text("LOCK TABLE runs"))
        with pytest.raises(DatabaseTrouble, match="locked by another process"):
            archive.runs()
    engine.dispose()


@pytest.mark.parametrize(
    "url",
    ["mysql://x/y", "postgresql://x/y", "sqlite://", "sqlite:///:memory:", "mora.db", "postgresql+psycopg://x:y/"],
)
def test_other_addresses_are_refused(url: str, home: Path) -> None:
    with pytest.raises(BadAddress, match=r"use sqlite:///PATH or postgresql\+psycopg://"):
        Archive.open(url, home)


def test_a_server_that_is_not_there_is_named_without_its_password(home: Path) -> None:
    with pytest.raises(DatabaseTrouble, match=r"cannot be reached.*check the server") as caught:
        Archive.open("postgresql+psycopg://mora:secret@127.0.0.1:1/mora", home, busy_seconds=2)
    assert "secret" not in str(caught.value)


def test_a_database_that_is_not_on_the_server_is_named(postgres_url: str, home: Path) -> None:
    with pytest.raises(DatabaseTrouble, match=r"cannot be reached.*does not exist"):
        Archive.open(postgres_url + "_missing", home)


def test_a_home_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DiskTrouble, match=r"The disk refused .*file/home \(Not a directory\)"):
        Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", tmp_path / "file" / "home")


def test_a_folder_in_the_place_of_the_database_is_refused(tmp_path: Path, home: Path) -> None:
    with pytest.raises(DatabaseTrouble, match=r"cannot be opened \(Is a directory\)"):
        Archive.open(f"sqlite:///{tmp_path}", home)


def test_a_full_disk_is_named(tmp_path: Path, home: Path, start) -> None:
    _, line = start(archive_workers.opens_on_a_full_disk, f"sqlite:///{tmp_path / 'mora.db'}", home)
    name, sentence = line.recv()
    assert name == "DiskTrouble"
    assert "make room" in sentence


def test_nobody_else_may_read_the_database_and_readers_do_not_wait(tmp_path: Path, home: Path) -> None:
    file = tmp_path / "mora.db"
    with Archive.open(f"sqlite:///{file}", home) as archive:
        archive.create_run(Request(prompt="x"), settings={}, graph_version=1)
        assert [stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("mora.db*")] == [0o600] * 3
        reader = sqlite3.connect(file)
        assert reader.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        reader.close()


def test_the_newest_version_is_the_one_that_opening_expects() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == HEAD
