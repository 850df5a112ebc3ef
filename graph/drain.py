"""How work ends that is asked to end: the running step ends or is kept, and what does not end in time is left.

To leave a step costs its time and nothing else: a run goes on from wherever its process died.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graph.errors import Stopped
from tools.context import Lender

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage

    from graph.planners import Patience
    from models.agent import AnyRole
    from tools.context import Identity

INTERRUPTED = 130
"""The exit code of a command that can be gone on with."""

AT_ONCE = 2.0
"""Seconds that a process which is asked a second time still takes."""

LOOK = 0.05
"""Seconds between two looks at whether somebody was asked to stop."""

LEFT = "mora: left in the middle of a step; `python main.py runs` lists what can be resumed\n"


@contextmanager
def signals(stop: threading.Event, seconds: float) -> Iterator[None]:
    """Ctrl-C and SIGTERM set `stop`. The process ends within `seconds` of a SIGTERM, and soon after a second of either.

    Who goes on after a stop, as a conversation does, clears `stop`: then the process does not end.
    """
    ended = threading.Event()

    def asked(number: int, _frame: object) -> None:
        again = stop.is_set()
        stop.set()
        if again or number == signal.SIGTERM:
            left_after(AT_ONCE if again else seconds)
        if again:
            raise KeyboardInterrupt

    def left_after(seconds: float) -> None:
        threading.Thread(target=_leave, args=(seconds, stop, ended), name="drain", daemon=True).start()

    before = {number: signal.signal(number, asked) for number in (signal.SIGINT, signal.SIGTERM)}
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


def stoppable(patience: "Patience", stop: threading.Event) -> "Patience":
    """The same patience; but whoever is asked to stop leaves the call to itself: Stopped, whatever it answers."""

    def patient(call: "Callable[[], AIMessage]") -> "AIMessage":
        answer: Future[AIMessage] = Future()
        left = threading.Event()

        def call_still_wanted() -> "AIMessage":
            if left.is_set():
                raise Stopped
            return call()

        def work() -> None:
            try:
                answer.set_result(patience(call_still_wanted))
            except BaseException as error:
                answer.set_exception(error)

        _daemon(work)
        while not wait([answer], timeout=LOOK).done:
            if stop.is_set():
                left.set()
                raise Stopped
        return answer.result()

    return patient


@dataclass(frozen=True)
class StoppableLender:
    """The same agents; but whoever is asked to stop borrows none, also after having waited for others to give it back.

    stop_if_asked: raises Stopped.
    """

    lender: Lender
    stop_if_asked: Callable[[], None]

    def identity(self, role: "AnyRole") -> "Identity":
        """As the lender says."""
        return self.lender.identity(role)

    @contextmanager
    def lend(self, role: Any) -> Iterator[Any]:
        """As the lender does. Raises Stopped too."""
        self.stop_if_asked()
        with self.lender.lend(role) as agent:
            self.stop_if_asked()
            yield agent


def _daemon(work: Callable[[], Any]) -> None:
    """Runs `work` on a thread that no process waits for, in the context (of traces) of this one."""
    threading.Thread(target=copy_context().run, args=(work,), name="planner", daemon=True).start()
