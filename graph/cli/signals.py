"""What a command does when it is asked to end: Ctrl-C, SIGTERM, and on Windows Ctrl-Break, which is all it has."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from graph.runs.cancellation import LOOK

INTERRUPTED = 130
"""The exit code of a command that can be gone on with."""


AT_ONCE = 2.0
"""Seconds that a process which is asked a second time still takes."""


ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name))
"""The signals by which people and service managers ask a process to end, as far as this system has them."""


LEFT = "mora: left in the middle of a step; `python main.py runs` lists what can be resumed\n"


@contextmanager
def signals(stop: threading.Event, seconds: float) -> Iterator[None]:
    """Ctrl-C and SIGTERM set `stop`. The process ends within `seconds` of a SIGTERM, and soon after a second signal.

    Who goes on after a stop, as a conversation does, clears `stop`: then the process does not end.
    """
    ended = threading.Event()

    def asked(number: int, _frame: object) -> None:
        again = stop.is_set()
        stop.set()
        if again or number != signal.SIGINT:
            left_after(AT_ONCE if again else seconds)
        if again:
            raise KeyboardInterrupt

    def left_after(seconds: float) -> None:
        threading.Thread(target=_leave, args=(seconds, stop, ended), name="drain", daemon=True).start()

    before = {number: signal.signal(number, asked) for number in ENDING}
    try:
        yield
    finally:
        ended.set()
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(seconds: float, stop: threading.Event, ended: threading.Event) -> None:
    """Ends the process, unless the block has ended or somebody goes on."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if ended.wait(LOOK) or not stop.is_set():
            return
    # Not by an exception: whoever holds the process up, in a library or on a socket, would not hear it.
    show_cursor = "\x1b[?25h" if sys.stderr.isatty() else ""
    os.write(sys.stderr.fileno(), (show_cursor + LEFT).encode())
    os._exit(INTERRUPTED)
