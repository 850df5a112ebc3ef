"""The command line with tiny agents: in this process, or as `python -m support.cli PAUSE generate ...`, without torch.

PAUSE: seconds that a denoising step takes.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import main  # before anything imports langgraph
from support.processes import bare_environment

WISH = "a red ball moves right in the snow"


def plug_tiny_agents(put: Callable[[object, str, Any], None] = setattr, **given: Any) -> None:
    """Replace the lender by a `TinyLender(**given)`; everything else between command line and lender stays."""
    from graph import configure as wiring
    from support.tiny_agents import TinyLender

    put(wiring, "lender", lambda _settings, _stored: TinyLender(**given))


@dataclass
class Result:
    """The exit code and both streams of a command."""

    code: int
    stdout: str
    stderr: str

    def __iter__(self) -> Iterator[Any]:
        return iter((self.code, self.stdout, self.stderr))


@dataclass
class Cli:
    """The command line in this process, with a home of its own and tiny agents."""

    home: Path
    monkeypatch: pytest.MonkeyPatch

    def run(self, *words: str, **environment: str) -> Result:
        """The result of `main.py WORDS`; a bug goes through to the test."""
        from typer.testing import CliRunner

        with self.monkeypatch.context() as patch:
            for name, value in {"MORA_HOME": str(self.home), **environment}.items():
                patch.setenv(name, value)
            result = CliRunner().invoke(main.app, list(words))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Result(result.exit_code, result.stdout, result.stderr)

    def stored(self) -> list[str]:
        """The files of the home but the database's."""
        return sorted(str(file) for file in self.home.rglob("*") if file.is_file() and "mora.db" not in file.name)

    def statuses(self) -> list[str]:
        """The status of each run."""
        from graph.settings import Settings

        with Settings(home=self.home).open_archive() as archive:
            return [run.status for run in archive.runs()]


def free_bytes(folder: Path) -> int:
    """Bytes that the disk of a folder still takes."""
    return shutil.disk_usage(folder).free


def cli_at(home: Path, monkeypatch: pytest.MonkeyPatch, *, tiny: bool = True) -> Cli:
    """A command line that knows nothing of this machine's settings; with the real agents if not `tiny`."""
    for name in list(os.environ):
        if name.startswith(("MORA_", "OPENAI_", "LANGSMITH_", "LANGCHAIN_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(home.parent)  # away from any .env
    if tiny:
        plug_tiny_agents(monkeypatch.setattr)
    return Cli(home, monkeypatch)


def command(*words: str, pause: float = 0.0) -> list[str]:
    """The program and its arguments for another process; its environment is to hold `bare_environment`."""
    return [sys.executable, "-m", "support.cli", str(pause), *words]


def start_process(pause: float, *words: str, **environment: str) -> "subprocess.Popen[str]":
    """A command that runs in MORA_HOME with nothing of this process's environment but what finds Python."""
    return subprocess.Popen(
        command(*words, pause=pause), env=bare_environment(**environment), text=True, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=environment["MORA_HOME"],
    )  # fmt: skip


def run_process(*words: str, wait: float = 240.0, **environment: str) -> "subprocess.CompletedProcess[str]":
    """The same to its end, or at most `wait` seconds."""
    return subprocess.run(
        command(*words), env=bare_environment(**environment), text=True, capture_output=True, timeout=wait,
        cwd=environment["MORA_HOME"], check=False,
    )  # fmt: skip


if __name__ == "__main__":
    sys.argv[0] = "main.py"
    plug_tiny_agents(pause=float(sys.argv.pop(1)))
    main.app()
