"""Other processes and threads: how they find the program, and how a test waits for what they do."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PYTHONPATH = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
"""Where another process finds the program and these modules."""


def bare_environment(**environment: str) -> dict[str, str]:
    """What finds Python and the program, and nothing else of this process's environment."""
    return {"PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1", "PYTHONPATH": PYTHONPATH, **environment}


def until(happens: Callable[[], Any], every: float = 0.02) -> None:
    """Return as soon as `happens` gives something true; ask it every so many seconds.

    Without a bound of its own: pytest-timeout ends a test that hangs.
    """
    while not happens():
        time.sleep(every)


def until_exists(path: str | Path | None) -> None:
    """Return as soon as the file is there; at once for None."""
    if path is not None:
        until(Path(path).exists, every=0.005)
