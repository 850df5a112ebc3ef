"""Starts, resumes and answers runs."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from langgraph.types import Command
from pydantic import JsonValue

from graph.errors import RequestError
from graph.machine.build import Map, build
from graph.machine.context import Context
from graph.planners.planner import Planner
from graph.planning.prompts import prompts_digest
from graph.planning.turn import Answer
from graph.runs.driver import config_of, drive, working
from graph.runs.history import RULES, begin, take_over
from graph.runs.observer import Noted, Observer, Question, RunBegan
from graph.runs.repair import note_repairs, repair_product, repair_run
from graph.runs.requests.resolve import NOTHING_UPLOADED, Uploads
from graph.runs.services import Services
from graph.runs.turns import turn_stored, turns_carried
from graph.state.channels import GRAPH_VERSION, MOVE_RULES, RunState
from memory.records import Request, Run, RunStatus

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from memory.leases import Lease


def start(
    services: Services,
    request: Request,
    settings: dict[str, JsonValue],
    observer: Observer,
    *,
    uploads: Uploads = NOTHING_UPLOADED,
) -> Run:
    """Start a run of `request` and drive it to its end, or to a question. uploads: the files that it names by id."""
    planner = services.planner(request)  # raises for wrong planner settings before the run exists
    services.stop_if_asked()
    run = new_run(services, request, planner, settings, status="arriving" if uploads else "running")
    if not uploads:
        observer(RunBegan(run.id))
    with (
        services.archive.hold(run.id, pause=services.pause) as lease,
        working(services, run, planner, lease, prepare=_storing(uploads)) as context,
    ):
        if uploads:
            observer(RunBegan(run.id))
        if uploads.notes:
            observer(Noted(tuple(uploads.notes)))
        first = RunState(request=run.request.model_dump(mode="json"), notes=list(uploads.notes))
        return _until_it_stops(services, run, replace(context, begun=True), observer, first)


def _storing(uploads: Uploads) -> Callable[[Context], None]:
    return lambda context: uploads.store(context.tool_context)


def new_run(
    services: Services,
    request: Request,
    planner: Planner,
    settings: dict[str, JsonValue],
    *,
    parent: str | None = None,
    status: RunStatus = "running",
) -> Run:
    """Create the row of a run that begins now, as a branch of `parent` if given."""
    stored = {**settings, "prompts": prompts_digest(), "planner": planner.name, RULES: MOVE_RULES}
    return services.archive.create_run(
        request, settings=stored, graph_version=GRAPH_VERSION, parent=parent, status=status
    )


def resume(services: Services, run_id: str, observer: Observer) -> Run:
    """Continue a run where it stopped, whatever stopped it; one that is done or waits is only repaired and returned.

    Raises RequestError for a run of another version of the graph, or one whose files never arrived.
    """
    run = services.archive.run(run_id)
    refuse_other_graph(run, "resume")
    with services.archive.hold(run.id, pause=services.pause) as lease:
        # Read again under the lease: another process may just have finished it.
        run = services.archive.run(run.id)
        if run.status == "arriving":
            raise RequestError(
                "run-without-inputs",
                f"Run {run.id} was stopped before the files it works on were stored; generate it again.",
                run=run.id,
            )
        if run.status in ("done", "waiting"):
            repair_run(services, run, lease, observer)
            return run
        planner = services.planner(run.request)
        with turn_stored(services, lease, observer) as storing, working(services, run, planner, lease) as context:
            return _until_it_stops(services, run, context, storing)


def refuse_other_graph(run: Run, do: str) -> None:
    """Raise RequestError for a run that was begun with another version of the graph. do: the refused action."""
    if run.graph_version != GRAPH_VERSION:
        raise RequestError(
            "run-of-other-version",
            f"Run {run.id} was begun with version {run.graph_version} of the graph, this is {GRAPH_VERSION}; "
            f"{do} it with the code it was begun with, or generate it again.",
            run=run.id,
            version=run.graph_version,
        )


def answer(
    services: Services,
    run_id: str,
    question: Question,
    given: Answer,
    observer: Observer,
    *,
    uploads: Uploads = NOTHING_UPLOADED,
) -> Run:
    """Answer the question of a waiting run, and drive it to the next question or its end.

    uploads: the files that the answer's moves name by id; they are stored before it is given.
    Raises RequestError if it no longer waits for that question, because somebody else has answered it.
    """
    with services.archive.hold(run_id, pause=services.pause) as lease:
        run = services.archive.run(run_id)
        if question_of_run(services, run) != question:
            raise RequestError(
                "run-asks-otherwise", f"Run {run.id} no longer waits for this answer; look at it again.", run=run.id
            )
        planner = services.planner(run.request)
        turn = turn_stored(services, lease, observer, question=question.id, given=given)
        with turn as storing, working(services, run, planner, lease, prepare=_storing(uploads)) as context:
            command: Command[Any] = Command(resume={question.id: given.model_dump(mode="json")})
            return _until_it_stops(services, run, context, storing, command)


def question_of_run(services: Services, run: Run) -> Question | None:
    """Return the question that a run waits for, or None."""
    with services.archive.saver() as saver:
        waiting = build(saver, limits=services.limits).get_state(config_of(run, services.limits)).interrupts
    return Question(waiting[0].id, waiting[0].value) if waiting else None


def _until_it_stops(
    services: Services,
    run: Run,
    context: Context,
    observer: Observer,
    given: "RunState | Command[Any] | None" = None,
) -> Run:
    """Drive the run to its end or to a question, which makes its row `waiting`, and return it.

    given: the request, or an answer; None continues from the last checkpoint.
    """
    begun, lease, config = datetime.now(UTC), context.lease, config_of(run, services.limits)
    with services.archive.saver(lease) as saver:
        graph = build(saver, limits=services.limits)
        first = given or _next_input(services, graph, config, lease)

        def repair(artifact: str) -> None:
            repair_product(services, artifact, lease, observer)

        question = drive(graph, config, context, observer, first, repair=repair)
    if question is not None:
        services.archive.set_status(lease, "waiting")
    note_repairs(services, lease, begun, observer)
    if question is not None:
        observer(question)
    return services.archive.run(run.id)


def _next_input(services: Services, graph: Map, config: "RunnableConfig", lease: "Lease") -> RunState | None:
    """Return the input of a run without a checkpoint; None (continue) for any other."""
    if graph.get_state(config).created_at is not None:
        return None
    run = services.archive.run(lease.run)
    take_over(services.archive, run, lease)
    turns_carried(services.archive, lease, run)
    return begin(graph, config, run)
