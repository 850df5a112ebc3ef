"""Archives to test, and other processes to meet in them."""

import multiprocessing
import shutil
from collections.abc import Callable, Iterator
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from memory.archive import Archive
from memory.records import Request, Run
from support import archive_workers
from support.archive_workers import sent, travelled
from support.processes import PYTHONPATH

Start = Callable[..., tuple[BaseProcess, Connection]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture(scope="session")
def newest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite database of the newest version without rows: a copy of it needs no migration."""
    folder = tmp_path_factory.mktemp("newest")
    Archive.open(f"sqlite:///{folder / 'mora.db'}", folder).close()
    return folder / "mora.db"


@pytest.fixture
def archive(database_url: str, home: Path, newest: Path) -> Iterator[Archive]:
    if database_url.startswith("sqlite"):
        shutil.copy(newest, str(make_url(database_url).database))
    with Archive.open(database_url, home) as opened:
        yield opened


@pytest.fixture
def other(tmp_path: Path, newest: Path) -> Iterator[Archive]:
    """The archive of another machine."""
    shutil.copy(newest, tmp_path / "other.db")
    with Archive.open(f"sqlite:///{tmp_path / 'other.db'}", tmp_path / "other") as opened:
        yield opened


@pytest.fixture(scope="session")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good parcel."""

    home = tmp_path_factory.mktemp("packed")
    with Archive.open(f"sqlite:///{home / 'mora.db'}", home) as archive:
        return sent(archive, travelled(archive), home)


@pytest.fixture
def run(archive: Archive) -> Run:
    return archive.create_run(Request(prompt="a fox at dawn"), settings={"steps": 3}, graph_version=1)


@pytest.fixture
def context(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A server that has imported the archive once, and forks from there: no lock of this process is inherited."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([archive_workers.__name__])
    monkeypatch.setenv("PYTHONPATH", PYTHONPATH)  # it does not know this process's path, and says nothing about it
    forkserver.ensure_running()
    return context


@pytest.fixture
def start(context: Any) -> Iterator[Start]:
    """Start a function of `archive_workers` in a new process; gives the process and the line to it."""
    processes: list[BaseProcess] = []

    def begin(work: Callable[..., None], *arguments: object) -> tuple[BaseProcess, Connection]:
        near, far = context.Pipe()
        process = context.Process(target=work, args=(far, *arguments))
        process.start()
        far.close()
        processes.append(process)
        return process, near

    yield begin
    for process in processes:
        process.kill()
        process.join()
