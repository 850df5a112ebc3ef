"""Cancellation of a planner's call and of borrowed agents while a run is being stopped.

A call that does not end in time is abandoned. That costs its time only: a run resumes from wherever its process died.
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


POLL_SECONDS = 0.05
"""Seconds between two checks of whether a stop was requested."""


def stoppable(patience: "Patience", stop: threading.Event) -> "Patience":
    """Wrap `patience` so that it raises Stopped once `stop` is set, abandoning the call and whatever it answers."""

    def patient(call: "Callable[[], AIMessage]") -> "AIMessage":
        answer: Future[AIMessage] = Future()
        abandoned = threading.Event()

        def call_unless_abandoned() -> "AIMessage":
            if abandoned.is_set():
                raise Stopped
            return call()

        def work() -> None:
            try:
                answer.set_result(patience(call_unless_abandoned))
            except BaseException as error:
                answer.set_exception(error)

        _run_in_daemon(work)
        while not wait([answer], timeout=POLL_SECONDS).done:
            if stop.is_set():
                abandoned.set()
                raise Stopped
        return answer.result()

    return patient


@dataclass(frozen=True)
class StoppableLender:
    """A lender that lends nothing once a stop was requested, also if that happens while it waits for an agent.

    stop_if_asked: raises Stopped.
    """

    lender: Lender
    stop_if_asked: Callable[[], None]

    def identity(self, role: "AnyRole") -> "Identity":
        """Return the identity that the wrapped lender gives."""
        return self.lender.identity(role)

    @contextmanager
    def lend(self, role: Any) -> Iterator[Any]:
        """Lend the agent of the wrapped lender. Raises Stopped too."""
        self.stop_if_asked()
        with self.lender.lend(role) as agent:
            self.stop_if_asked()
            yield agent


def _run_in_daemon(work: Callable[[], Any]) -> None:
    """Run `work` on a daemon thread, in a copy of this thread's context, which carries the traces."""
    threading.Thread(target=copy_context().run, args=(work,), name="planner", daemon=True).start()
