"""The entry point of LangGraph's own server: `langgraph dev` and Studio open `graph`.

The server owns threads and checkpoints, Mora owns the archive: a thread's first step begins a run, and every step holds
the run's lease while it works.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from langgraph.graph import START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from pydantic import ValidationError
from typing_extensions import TypedDict

from graph.configure import numerics_of, planner_settings, services_for
from graph.errors import RequestError
from graph.machine.build import AnyGraph, Node, draw
from graph.machine.context import Context
from graph.planners.factory import default_planner
from graph.runs.driver import working
from graph.runs.requests.options import RequestOptions
from graph.runs.requests.resolve import request_of
from graph.runs.runner import new_run
from graph.runs.services import Services
from graph.settings import Settings
from graph.state.channels import DEFAULT_LIMITS, Limits, RunState
from memory.records import Request, Run

THREAD = "thread"
"""Key of the server's thread id in a run's settings."""


class Wish(TypedDict, total=False):
    """What a thread begins with: words, or fields of a request by name; pictures and clips are artifact ids."""

    prompt: str
    request: dict[str, Any]


class Desk:
    """The runs of the server's threads, and the services of each profile, opened when they are first needed.

    The nodes of a run work one at a time: a lease has one holder, and the device serves one call at a time anyway.
    """

    def __init__(
        self, settings: Callable[[], Settings] = Settings, services: Callable[[Settings], Services] | None = None
    ):
        self._settings, self._open = settings, services or _services
        self._lock = threading.RLock()
        self._services: dict[str, Services] = {}
        self._runs: dict[str, str] = {}
        self._turns: dict[str, threading.Lock] = {}

    def receive(self, state: Wish, runtime: Runtime[None]) -> RunState:
        """Return the thread's request; a new thread begins a run. Raises RequestError for a second wish in a thread."""
        asked = {**state.get("request", {}), **({"prompt": state["prompt"]} if "prompt" in state else {})}
        thread = _thread(runtime)
        with self._lock:
            run = self._run_of(thread) or self._begin(thread, asked)
        request = run.request.model_dump(mode="json")
        given = {**asked, "prompt": " ".join(str(asked.get("prompt", "")).split())}
        if any(request.get(name) != value for name, value in given.items()):
            raise RequestError(
                "thread-of-other-wish",
                f"Thread {thread} has run {run.id} of another wish; begin a new thread for this one.",
                run=run.id,
            )
        return {"request": request}

    def with_context(self, node: Node) -> Node:
        """Wrap a node so that it receives the context that the driver would give it."""

        @wraps(node)
        def step(state: Any, runtime: Runtime[Any]) -> RunState:
            with self._context(_thread(runtime)) as context:
                return node(state, runtime.override(context=context))

        return step

    @contextmanager
    def _context(self, thread: str) -> Iterator[Context]:
        with self._lock:
            run = self._run_of(thread)
            turn = self._turns.setdefault(thread, threading.Lock())
        assert run is not None, f"thread {thread} was not received"
        services = self._services_of(run.request)
        with (
            turn,
            services.archive.hold(run.id) as lease,
            working(services, run, services.planner(run.request), lease) as context,
        ):
            yield context

    def _begin(self, thread: str, asked: dict[str, Any]) -> Run:
        settings = self._settings()
        request = _request(asked, settings)
        services = self._services_of(request)
        stored = {**numerics_of(settings), THREAD: thread}
        run = new_run(services, request, services.planner(request), stored)
        self._runs[thread] = run.id
        return run

    def _run_of(self, thread: str) -> Run | None:
        archive = self._services_of(None).archive
        if thread in self._runs:
            return archive.run(self._runs[thread])
        run = next((run for run in archive.runs() if run.settings.get(THREAD) == thread), None)
        if run is not None:
            self._runs[thread] = run.id
        return run

    def _services_of(self, request: Request | None) -> Services:
        settings = self._settings()
        if request is not None:
            settings = settings.model_copy(update={"profile": request.profile})
        with self._lock:
            if settings.profile not in self._services:
                self._services[settings.profile] = self._open(settings)
            return self._services[settings.profile]


def _services(settings: Settings) -> Services:
    return services_for(settings, settings.open_archive())


def _thread(runtime: Runtime[Any]) -> str:
    info = runtime.execution_info
    if info is None or info.thread_id is None:
        raise RequestError("thread-unset", "There is no thread id; give one as configurable.thread_id.")
    return info.thread_id


def _request(asked: dict[str, Any], settings: Settings) -> Request:
    """Return the checked request; profile and planner default to the server's. Raises RequestError."""
    try:
        wish = Request.model_validate({"prompt": "", **asked})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise RequestError("request-malformed", f"The request's {where} cannot be used: {first['msg']}.") from error
    options = RequestOptions(**{name: getattr(wish, name) for name in {"prompt"} | wish.model_fields_set})
    usual = RequestOptions(profile=settings.profile, planner=default_planner(planner_settings(settings)))
    return request_of(options, usual)


def served(desk: Desk, *, limits: Limits = DEFAULT_LIMITS) -> "CompiledStateGraph[RunState, None, Wish, RunState]":
    """Compile the graph with the context of `desk` in every node, and no checkpointer: the server brings its own."""
    graph: AnyGraph = StateGraph(RunState, input_schema=Wish)
    graph.add_node("receive", desk.receive)
    draw(graph, limits, desk.with_context)
    graph.add_edge(START, "receive")
    graph.add_edge("receive", "enhance")
    return graph.compile(name="mora")


graph = served(Desk())
