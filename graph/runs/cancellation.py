"""How work ends that is asked to end: the running step ends or is kept, and what does not end in time is left.

To leave a step costs its time and nothing else: a run goes on from wherever its process died.
"""

import threading
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

    from graph.planners.ports import Patience
    from models.agent import AnyRole
    from tools.context import Identity


LOOK = 0.05
"""Seconds between two looks at whether somebody was asked to stop."""


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
