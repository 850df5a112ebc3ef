"""A run from its first step to its last: who is plugged in, who holds the lease, and how it ended."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.types import Command
from pydantic import JsonValue

from graph.errors import TOLD, RequestError, Stopped
from graph.machine.build import Map, build
from graph.machine.context import Context
from graph.planners.planner import Planner
from graph.planning.prompts import prompts_digest
from graph.planning.turn import Answer
from graph.runs.cancellation import StoppableLender, stoppable
from graph.runs.history import begin, take_over
from graph.runs.repair import mend, tell_made_again, whole
from graph.runs.requests import Uploads
from graph.runs.services import Hear, Services
from graph.state.channels import GRAPH_VERSION, Limits, RunState
from memory.errors import ArchiveError, DamagedArtifact
from memory.records import Request, Run, RunStatus
from tools.context import ToolContext

if TYPE_CHECKING:
    from memory.archive import Archive
    from memory.leases import Lease


log = logging.getLogger(__name__)


NOTHING_UPLOADED = Uploads()


@dataclass(frozen=True)
class Question:
    """What a run waits for: the id by which it is answered, and `conversation.question_of`."""

    id: str
    asked: dict[str, Any]


def start(
    services: Services,
    request: Request,
    settings: dict[str, JsonValue],
    hear: Hear,
    *,
    uploads: Uploads = NOTHING_UPLOADED,
) -> Run:
    """A new run of `request`, to its end. `uploads` are the files whose ids the request names."""
    planner = services.planner(request)  # what is wrong with the planner's settings is told before there is a run
    services.stop_if_asked()
    run = new_run(services, request, planner, settings, status="arriving" if uploads else "running")
    begin = {"stage": "begin", "run": run.id}
    if not uploads:
        hear(begin)
    with services.archive.hold(run.id, pause=services.pause) as lease, told_to_archive(services.archive, lease):
        context = replace(context_of(services, run, planner, lease), begun=True)
        if uploads:
            uploads.store(context.tool_context)
            run = services.archive.set_status(lease, "running")
            hear(begin)
        hear({"kind": "updates", "told": {"upload": {"notes": uploads.notes}}})
        first = RunState(request=run.request.model_dump(mode="json"), notes=list(uploads.notes))
        return _drive(services, run, context, hear, first)


def new_run(
    services: Services,
    request: Request,
    planner: Planner,
    settings: dict[str, JsonValue],
    *,
    parent: str | None = None,
    status: RunStatus = "running",
) -> Run:
    """The row of a run that begins now, as a branch of `parent` if it is one."""
    stored = {**settings, "prompts": prompts_digest(), "planner": planner.name}
    return services.archive.create_run(
        request, settings=stored, graph_version=GRAPH_VERSION, parent=parent, status=status
    )


def resume(services: Services, run_id: str, hear: Hear) -> Run:
    """The run goes on where it stopped, whatever stopped it; a finished one is answered as it is."""
    run = services.archive.run(run_id)
    refuse_other_graph(run, "resume")
    with services.archive.hold(run.id, pause=services.pause) as lease:
        # Looked at under the lease: a moment ago another process may have brought it to its end.
        run = services.archive.run(run.id)
        if run.status == "arriving":
            raise RequestError(f"Run {run.id} was stopped before the files it works on were stored; generate it again.")
        if run.status in ("done", "waiting"):
            whole(services, run, lease, hear)
            return run
        planner = services.planner(run.request)
        with told_to_archive(services.archive, lease):
            run = services.archive.set_status(lease, "running")
            return _drive(services, run, context_of(services, run, planner, lease), hear)


def refuse_other_graph(run: Run, do: str) -> None:
    """Raises RequestError for a run that was begun with another version of the graph; `do`: what was to be done."""
    if run.graph_version != GRAPH_VERSION:
        raise RequestError(
            f"Run {run.id} was begun with version {run.graph_version} of the graph, this is {GRAPH_VERSION}; "
            f"{do} it with the code it was begun with, or generate it again."
        )


def answer(services: Services, run_id: str, question: Question, given: Answer, hear: Hear) -> Run:
    """A waiting run goes on with the answer to its question, up to the next one or its end.

    Raises RequestError if that question is no longer what it waits for: somebody else has answered it.
    """
    with services.archive.hold(run_id, pause=services.pause) as lease:
        run = services.archive.run(run_id)
        if question_of_run(services, run) != question:
            raise RequestError(f"Run {run.id} no longer waits for this answer; look at it again with `show {run.id}`.")
        planner = services.planner(run.request)
        with told_to_archive(services.archive, lease):
            run = services.archive.set_status(lease, "running")
            command: Command[Any] = Command(resume={question.id: given.model_dump(mode="json")})
            return _drive(services, run, context_of(services, run, planner, lease), hear, command)


def question_of_run(services: Services, run: Run) -> Question | None:
    """What a run waits for; None if for nothing."""
    with services.archive.saver() as saver:
        waiting = build(saver, limits=services.limits).get_state(config_of(run, services.limits)).interrupts
    return Question(waiting[0].id, waiting[0].value) if waiting else None


def context_of(services: Services, run: Run, planner: Planner, lease: "Lease") -> Context:
    """What the nodes of a run work with while `lease` is held; who asks `rooms` to stop is heard wherever they wait."""
    tool_context = ToolContext(
        lender=StoppableLender(services.lender(run.settings), services.stop_if_asked),
        archive=services.archive,
        lease=lease,
        size=services.size,
        fps=services.fps,
        num_frames=services.num_frames,
        bookmarks=services.bookmarks,
    )
    if not planner.instant:
        planner = replace(planner, patience=stoppable(planner.patience, services.stop))
    return Context(planner, services.archive, lease, tool_context, services.limits, services.stop)


def _drive(
    services: Services, run: Run, context: Context, hear: Hear, given: "RunState | Command[Any] | None" = None
) -> Run:
    """To the end, or to a question. given: the request, or an answer; None goes on from the last checkpoint."""
    with services.archive.saver(context.lease) as saver:
        graph = build(saver, limits=services.limits)
        config = config_of(run, services.limits)
        first = given or _next_input(services, graph, config, context.lease)
        for part in _parts(services, graph, config, context, hear, first):
            if "__interrupt__" in part["data"]:
                services.archive.set_status(context.lease, "waiting")
                continue
            hear({"kind": part["type"], "told": part["data"]})
            if "finish" not in part["data"]:  # a film that is done is not given up for a late Ctrl-C
                context.stop_if_asked()
    return services.archive.run(run.id)


def _parts(
    services: Services, graph: Map, config: RunnableConfig, context: Context, hear: Hear, given: Any
) -> Iterator[Mapping[str, Any]]:
    """What the graph tells; a product that turns out lost or damaged on the way is made again, and it goes on."""
    begun, seen = datetime.now(UTC), set[str]()
    while True:
        try:
            yield from graph.stream(
                given, config, context=context, stream_mode=["custom", "updates"], durability="sync", version="v2"
            )
            break
        except DamagedArtifact as damage:
            if damage.artifact in seen:
                raise
            seen.add(damage.artifact)
            mend(services, damage.artifact, context.lease, hear)
            given = None
    tell_made_again(services, context.lease, begun, hear)


def config_of(run: Run, limits: Limits) -> RunnableConfig:
    """The LangGraph configuration of a run: its id is the thread id, and both are in every trace."""
    return RunnableConfig(
        run_name="mora",
        configurable={"thread_id": run.id},
        recursion_limit=limits.supersteps,
        metadata={"thread_id": run.id, "mora_run": run.id, "profile": run.request.profile},
    )


def _next_input(services: Services, graph: Map, config: RunnableConfig, lease: "Lease") -> RunState | None:
    """What a run without a checkpoint begins with; None (go on) for any other."""
    if graph.get_state(config).created_at is not None:
        return None
    run = services.archive.run(lease.run)
    take_over(services.archive, run, lease)
    return begin(graph, config, run)


@contextmanager
def told_to_archive(archive: "Archive", lease: "Lease") -> Iterator[None]:
    """Whatever ends the run early is written to its row before it goes on to the door; a run that is done stays so."""

    def mark(status: str, error: str) -> None:
        try:
            # One whose files have not arrived is none yet.
            if archive.run(lease.run).status not in ("done", "arriving"):
                archive.set_status(lease, cast(Any, status), error=error)
        except ArchiveError as trouble:
            # The error that ended the run is the one to tell; `resume` goes by the checkpoint, not by this mark.
            log.warning("run %s could not be marked %s: %s", lease.run, status, trouble)

    try:
        yield
    except (KeyboardInterrupt, Stopped):
        mark("interrupted", "interrupted by the person")
        raise
    except TOLD as error:
        mark("failed", str(error))
        raise
    except Exception as error:
        mark("failed", f"{type(error).__name__}: {error}")
        raise
