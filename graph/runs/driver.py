"""Drives the graph of one run: the context of its nodes, the stream of events, and the status recorded in its row.

Everything that runs the graph passes through here: new and resumed runs, answers and reruns use `drive`; a server that
steps through the graph itself uses `working`.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphInterrupt
from langgraph.types import Command

from graph.errors import TOLD, Stopped
from graph.machine.build import Map
from graph.machine.context import Context
from graph.planners.planner import Planner
from graph.runs.cancellation import StoppableLender, stoppable
from graph.runs.history import rules_of
from graph.runs.observer import Event, Observer, Question, event_of_report, events_of_node
from graph.runs.services import Services, tool_context_of
from graph.state.channels import Limits, RunState
from memory.errors import ArchiveError, DamagedArtifact
from memory.records import Run, RunStatus

if TYPE_CHECKING:
    from memory.archive import Archive
    from memory.leases import Lease


log = logging.getLogger(__name__)


def drive(
    graph: Map,
    config: RunnableConfig,
    context: Context,
    observer: Observer,
    given: "RunState | Command[Any] | None",
    *,
    answers: Sequence[Any] = (),
    repair: Callable[[str], None] | None = None,
    enough: Callable[[], bool] = lambda: False,
) -> Question | None:
    """Run the graph to its end or to a question, and return the question; None at the end.

    given: the input of a new run, or an answer; None continues from the last checkpoint. answers: to the questions on
    the way, in order; the first question without an answer is returned. repair: makes a lost or damaged product again,
    by its id, or raises; None: the damage ends the run. enough: called after each event, True ends the drive. Raises
    Stopped once a stop is requested, DamagedArtifact for a product that is damaged again after its repair, and whatever
    nodes and observer raise.
    """
    ahead, repaired = list(answers), set[str]()
    while True:
        try:
            question = _pass(graph, config, context, observer, given, enough=enough)
        except DamagedArtifact as damage:
            if repair is None or damage.artifact in repaired:
                raise
            repaired.add(damage.artifact)
            repair(damage.artifact)
            given = None
            continue
        if question is None or not ahead:
            return question
        given = Command(resume={question.id: ahead.pop(0)})


def _pass(
    graph: Map,
    config: RunnableConfig,
    context: Context,
    observer: Observer,
    given: Any,
    *,
    enough: Callable[[], bool],
) -> Question | None:
    """Invoke the graph once; return the question that it ends with, None at the end of the run or once `enough`."""
    question = None
    for part in graph.stream(
        given, config, context=context, stream_mode=["custom", "updates"], durability="sync", version="v2"
    ):
        data = cast(Mapping[str, Any], part["data"])  # both modes stream mappings
        if "__interrupt__" in data:
            asked = data["__interrupt__"][0]
            question = Question(asked.id, asked.value)
            continue
        for event in _events(part["type"], data):
            observer(event)
        if "finish" not in data:  # a late Ctrl-C does not discard a finished film
            context.stop_if_asked()
        if enough():
            return None
    return question


def _events(kind: str, data: Mapping[str, Any]) -> Iterator[Event]:
    """Yield the events in one part of LangGraph's stream: of nodes that have ended, or reports from a running node."""
    if kind == "updates":
        for node, update in data.items():
            yield from events_of_node(node, update)
    elif (event := event_of_report(data)) is not None:
        yield event


@contextmanager
def working(
    services: Services, run: Run, planner: Planner, lease: "Lease", *, prepare: Callable[[Context], None] | None = None
) -> Iterator[Context]:
    """Give the context of a run while this process works on it under `lease`, and record in its row how that ended.

    prepare: called before the row's status becomes `running`.
    """
    with outcome_recorded(services.archive, lease):
        context = context_of(services, run, planner, lease)
        if prepare is not None:
            prepare(context)
        if services.archive.run(run.id).status != "running":
            services.archive.set_status(lease, "running")
        yield context


def context_of(services: Services, run: Run, planner: Planner, lease: "Lease") -> Context:
    """Build what the nodes of a run work with under `lease`; a set `services.stop` ends any wait in it."""
    lender = StoppableLender(services.lender(run.settings), services.stop_if_asked)
    tool_context = tool_context_of(services, lender, services.archive, lease, bookmarks=services.bookmarks)
    if not planner.instant:
        planner = replace(planner, patience=stoppable(planner.patience, services.stop))
    return Context(planner, services.archive, lease, tool_context, services.limits, services.stop, rules_of(run))


def config_of(run: Run, limits: Limits) -> RunnableConfig:
    """Return the LangGraph configuration of a run: its id is the thread id, and every trace carries both."""
    return RunnableConfig(
        run_name="mora",
        configurable={"thread_id": run.id},
        recursion_limit=limits.supersteps,
        metadata={"thread_id": run.id, "mora_run": run.id, "profile": run.request.profile},
    )


@contextmanager
def outcome_recorded(archive: "Archive", lease: "Lease") -> Iterator[None]:
    """Record in the run's row whatever exception ends the block, and re-raise it; a run that is done stays done.

    A question, which LangGraph raises from a node, leaves the run `waiting`.
    """

    def mark(status: RunStatus, error: str | None = None) -> None:
        try:
            # A run whose files have not arrived cannot be resumed, and must not look as if it could.
            if archive.run(lease.run).status not in ("done", "arriving"):
                archive.set_status(lease, status, error=error)
        except ArchiveError as trouble:
            # Report the error that ended the run, not this one; `resume` relies on the checkpoint, not on the status.
            log.warning("run %s could not be marked %s: %s", lease.run, status, trouble)

    try:
        yield
    except GraphInterrupt:
        mark("waiting")
        raise
    except (KeyboardInterrupt, Stopped):
        mark("interrupted", "interrupted by the person")
        raise
    except TOLD as error:
        mark("failed", str(error))
        raise
    except Exception as error:
        mark("failed", f"{type(error).__name__}: {error}")
        raise
