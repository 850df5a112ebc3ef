"""How long a process takes to end after a SIGTERM, at moments spread over a run.

`python -m evals.bench.crashes.drain [MOMENTS]` prints a line for each.
"""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[3]
WISH = "a red ball rolls over the snow, then it morphs into a blue star, then a green box moves left in the sea"
MOMENTS = 20
COMMAND = (sys.executable, "main.py", "generate", WISH, "--transitions", "--planner", "embedded", "--seed", "4")


@dataclass(frozen=True)
class Drained:
    """One SIGTERM. after: seconds since the command began; took: seconds until it had ended; code: its exit code, 0
    when it was done before, negative when it had not begun."""

    after: float
    took: float
    code: int


def drain(moments: int) -> list[Drained]:
    """A run of the embedded agents, ended at so many moments spread over the time that it takes."""
    with TemporaryDirectory() as folder:
        for name in ("first", "second"):  # which is like the others: what is imported is in the disk's cache
            began = time.monotonic()
            with _started(Path(folder) / name) as process:
                process.wait()
            seconds = time.monotonic() - began
        return [_drained(Path(folder) / f"{number}", seconds * (number + 0.5) / moments) for number in range(moments)]


def _drained(home: Path, after: float) -> Drained:
    with _started(home) as process:
        time.sleep(after)
        asked = time.monotonic()
        process.send_signal(signal.SIGTERM)
        code = process.wait()
        return Drained(after, time.monotonic() - asked, code)


def _started(home: Path) -> "subprocess.Popen[bytes]":
    home.mkdir(exist_ok=True)
    environment = {**os.environ, "MORA_HOME": str(home), "MORA_DEVICE": "cpu"}
    return subprocess.Popen(COMMAND, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    every = drain(int(sys.argv[1]) if len(sys.argv) > 1 else MOMENTS)
    for one in every:
        print(f"SIGTERM after {one.after:5.2f} s: ended in {one.took:5.2f} s with {one.code}")  # noqa: T201
    print(f"the longest: {max(one.took for one in every):.2f} s")  # noqa: T201
