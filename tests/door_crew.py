"""The door with tiny agents behind it: `python tests/door_crew.py generate ...` is main.py without torch."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT)]

import main  # noqa: E402 - before anything imports langgraph

WISH = "a red ball moves right in the snow"


def plug_tiny_agents(put: Callable[[object, str, Any], None] = setattr, **given: Any) -> None:
    """Only who lends is another; all that stands between the door and the lender is what it always is."""
    import graph.wiring
    from tests.graph.tiny import TinyLender

    put(graph.wiring, "lender", lambda _settings, _stored: TinyLender(**given))


@dataclass
class Answer:
    """What a command said and how it ended."""

    code: int
    stdout: str
    stderr: str

    def __iter__(self) -> Any:
        return iter((self.code, self.stdout, self.stderr))


@dataclass
class Door:
    """The door in this process, with a home of its own and tiny agents."""

    home: Path
    monkeypatch: pytest.MonkeyPatch

    def knock(self, *words: str, **environment: str) -> Answer:
        """The exit code and both streams of `main.py WORDS`; a bug goes through to the test."""
        from typer.testing import CliRunner

        with self.monkeypatch.context() as patch:
            for name, value in {"MORA_HOME": str(self.home), **environment}.items():
                patch.setenv(name, value)
            result = CliRunner().invoke(main.app, list(words))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Answer(result.exit_code, result.stdout, result.stderr)

    def stored(self) -> list[str]:
        """The files of the home but the database's."""
        return sorted(str(file) for file in self.home.rglob("*") if file.is_file() and "mora.db" not in file.name)

    def runs(self) -> list[str]:
        """How each run stands."""
        from graph.settings import Settings

        with Settings(home=self.home).open_archive() as archive:
            return [run.status for run in archive.runs()]


def free_bytes(folder: Path) -> int:
    """Bytes that the disk of a folder still takes."""
    import shutil

    return shutil.disk_usage(folder).free


def door_at(home: Path, monkeypatch: pytest.MonkeyPatch) -> Door:
    """A door that hears nothing of this machine's settings."""
    import os

    for name in list(os.environ):
        if name.startswith(("MORA_", "OPENAI_", "LANGSMITH_", "LANGCHAIN_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(home.parent)  # away from any .env
    plug_tiny_agents(monkeypatch.setattr)
    return Door(home, monkeypatch)


def knock(*words: str, wait: float = 240.0, **environment: str) -> "subprocess.CompletedProcess[str]":
    """This file as a process of its own, with nothing of this process's environment but what finds Python."""
    return subprocess.run(
        [sys.executable, __file__, *words], env=bare(**environment), text=True, capture_output=True, timeout=wait,
        cwd=environment["MORA_HOME"], check=False,
    )  # fmt: skip


def bare(**environment: str) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1", **environment}


if __name__ == "__main__":
    plug_tiny_agents()
    main.app()
