"""Handles requests to end a command: Ctrl-C, SIGTERM, and on Windows Ctrl-Break, since it has no SIGTERM."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from graph.runs.cancellation import POLL_SECONDS

INTERRUPTED = 130
"""The exit code of a command whose run can be resumed."""


SECOND_SIGNAL_SECONDS = 2.0
"""Seconds until the process ends after a second signal."""


ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name))
"""The signals by which people and service managers ask a process to end, if the system has them."""


LEFT = "mora: left in the middle of a step; `python main.py runs` lists what can be resumed\n"


@contextmanager
def signals(stop: threading.Event, seconds: float) -> Iterator[None]:
    """Let the signals set `stop`, and end the process `seconds` after a SIGTERM, or soon after a second signal.

    Code that continues after a stop, as a conversation does, clears `stop`; then the process does not end.
    """
    ended = threading.Event()

    def asked(number: int, _frame: object) -> None:
        again = stop.is_set()
        stop.set()
        if again or number != signal.SIGINT:
            exit_after(SECOND_SIGNAL_SECONDS if again else seconds)
        if again:
            raise KeyboardInterrupt

    def exit_after(seconds: float) -> None:
        threading.Thread(target=_exit_unless_ended, args=(seconds, stop, ended), name="drain", daemon=True).start()

    before = {number: signal.signal(number, asked) for number in ENDING}
    try:
        yield
    finally:
        ended.set()
        for number, handler in before.items():
            signal.signal(number, handler)


def _exit_unless_ended(seconds: float, stop: threading.Event, ended: threading.Event) -> None:
    """End the process after `seconds`, unless the block has ended or `stop` was cleared by then."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if ended.wait(POLL_SECONDS) or not stop.is_set():
            return
    # Not by an exception: code that blocks in a library or on a socket would never see it.
    show_cursor = "\x1b[?25h" if sys.stderr.isatty() else ""
    os.write(sys.stderr.fileno(), (show_cursor + LEFT).encode())
    os._exit(INTERRUPTED)
