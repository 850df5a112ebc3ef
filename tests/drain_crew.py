"""The door with tiny agents that take their time: `python tests/drain_crew.py SECONDS generate ...`.

SECONDS: what a denoising step takes.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from door_crew import bare, main, plug_tiny_agents  # noqa: E402 - found by the path above


def knocking(seconds: float, *words: str, **environment: str) -> "subprocess.Popen[str]":
    """A command that runs, with nothing of this process's environment but what finds Python."""
    return subprocess.Popen(
        [sys.executable, __file__, str(seconds), *words], env=bare(**environment), text=True, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=environment["MORA_HOME"],
    )  # fmt: skip


if __name__ == "__main__":
    plug_tiny_agents(pause=float(sys.argv.pop(1)))
    main.app()
