"""What tests of several rooms share: a strict process, and databases of both kinds."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import make_url

from support.cli import Cli, cli_at

# Before anything imports langgraph: afterwards it has no effect.
os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"

# A busy machine is no fault of the code: nothing here is bounded by seconds.
settings.register_profile("mora", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("mora")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a server as `postgres`."""
    for item in items:
        if "postgres_url" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.postgres)


def _postgres_program(name: str) -> str:
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = shutil.which(name) or (str(installed[-1]) if installed else None)
    if found is None:
        pytest.skip(f"PostgreSQL is not here: install it ({name} is missing) or set MORA_TEST_POSTGRES_URL")
    return found


def _quietly(folder: Path, *words: str) -> None:
    subprocess.run(words, check=True, cwd=folder, stdout=subprocess.DEVNULL)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a PostgreSQL server where databases may be made: a given one, or one started here."""
    if given := os.environ.get("MORA_TEST_POSTGRES_URL"):
        yield given
        return
    initdb, pg_ctl = _postgres_program("initdb"), _postgres_program("pg_ctl")
    # PostgreSQL refuses to run as root.
    as_user = ["runuser", "-u", "nobody", "--"] if os.geteuid() == 0 else []
    folder, port = Path(tempfile.mkdtemp(prefix="mora-pg-")), _free_port()
    if as_user:
        shutil.chown(folder, "nobody")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    control = [*as_user, pg_ctl, "-D", str(folder / "data"), "-l", str(folder / "log"), "-w", "-t", "300"]
    _quietly(folder, *as_user, initdb, "-D", str(folder / "data"), "-U", "mora", "-A", "trust", "-N")
    _quietly(folder, *control, "-o", options, "start")
    try:
        yield f"postgresql+psycopg://mora@127.0.0.1:{port}/postgres"
    finally:
        _quietly(folder, *control, "-m", "immediate", "stop")
        shutil.rmtree(folder)


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The address of an empty PostgreSQL database."""
    server, name = make_url(postgres_server), f"mora_{uuid4().hex}"
    address = server.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        yield server.set(database=name).render_as_string(hide_password=False)
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'mora.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line with tiny agents, and a home that is not there yet."""
    return cli_at(tmp_path / "home", monkeypatch)
