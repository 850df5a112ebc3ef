"""The nodes of a run. Each reads the state, does one thing through the context, and returns only what changed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from langgraph.runtime import Runtime

from graph.machine.context import Context
from graph.machine.retry import Demand, demands_of, run_with_less
from graph.machine.tracing import traced
from graph.planners.plan_by_tools import Drafted
from graph.planners.recorder import ArchiveRecorder
from graph.planning.brief import Brief, brief_of
from graph.planning.plan import Enhancement, calls_of, plan_schema
from graph.planning.results import known_takes, result_of
from graph.state import read
from graph.state.channels import Call, Judged, RunState, Take, ToolTask
from graph.state.film import film_of
from graph.state.takes import chosen, takes_of, user_decides
from memory.products.files import Made
from tools.assemble_film import AssembleFilm, assemble_film
from tools.context import Report, Told
from tools.cutting.sources import shows_edge
from tools.products.inspection import inspect
from tools.registry import TOOLS

if TYPE_CHECKING:
    from memory.archive import Archive


MOST_ROUNDS = 8
"""After more planner answers than this the plan is completed before more is made, because a run has a step bound."""


def model_change_note(archive: "Archive", run_id: str, made: Iterable[Made]) -> str | None:
    """Return a sentence if the new products come from a different model than the run's earlier ones; else None.

    This happens to a run that was begun before an upgrade and continued after it.
    """
    new = {one.artifact.id: one.artifact.recipe for one in made if one.called}
    now = next(iter(new.values()), None)
    if now is None:
        return None
    last = archive.last_made(run_id, now.agent, beside=new)
    if last is not None and (last.recipe.weights, last.recipe.numerics) == (now.weights, now.numerics):
        return None  # the usual case, without loading every product of a long conversation
    before = [one.recipe for one in archive.artifacts(run_id) if one.recipe.agent == now.agent and one.id not in new]
    if not before or any((one.weights, one.numerics) == (now.weights, now.numerics) for one in before):
        return None
    from memory.recorded import changed

    why = (changed(before[-1], now) or "").removeprefix("It was")
    return f"This run continues with a different {now.agent} than it began with: it was{why}"


def enhance(state: RunState, runtime: Runtime[Context]) -> RunState:
    """Have A1 turn the user's words into prompts suited to the models."""
    context = runtime.context
    runtime.stream_writer({"stage": "enhance"})
    enhancement = context.planner.enhance(_brief(state, context), _recorder(context))
    return {"enhancement": enhancement.model_dump(mode="json"), "notes": list(enhancement.notes)}


def plan(state: RunState, runtime: Runtime[Context]) -> RunState:
    """Have the planner turn the shots into tool calls."""
    context = runtime.context
    runtime.stream_writer({"stage": "plan"})
    enhancement, brief = Enhancement.model_validate(read.enhancement(state)), _brief(state, context)
    drafted = _drafted(state, context)
    while True:
        drafted = context.planner.plan_on(brief, enhancement, _recorder(context), drafted)
        # If the user selects takes, or after many rounds, the plan is completed before more is made.
        if drafted.complete or not (user_decides(state) or len(drafted.rounds) > MOST_ROUNDS):
            break
    assert drafted.plan is not None, "an answer that was taken has calls"
    changed = RunState(calls=calls_of(drafted.plan))
    if drafted.choices:
        changed["choices"] = {**read.choices(state), **drafted.choices}
    if read.open_plan(state) or not drafted.complete:
        changed["open_plan"] = [] if drafted.complete else [list(calls) for calls in drafted.rounds]
    return changed


def _drafted(state: RunState, context: Context) -> Drafted:
    """Return the incomplete plan of a planner that calls tools, with the results of its calls."""
    if not read.open_plan(state):
        return Drafted()
    planned = [{name: call[name] for name in ("tool", "shot", "arguments")} for call in read.calls(state)]
    return Drafted(
        plan_schema().model_validate({"calls": planned}),
        tuple(tuple(calls) for calls in read.open_plan(state)),
        result=lambda call: result_of(state, call, context.limits, context.archive),
        takes=known_takes(state),
    )


def _recorder(context: Context) -> ArchiveRecorder:
    return ArchiveRecorder(context.archive, context.lease, blank=context.begun)


def _brief(state: RunState, context: Context) -> Brief:
    return brief_of(read.request(state), context.archive)


def act(task: ToolTask, runtime: Runtime[Context]) -> RunState:
    """Run one tool call. The recipe table ensures that it happens once, however often this node runs."""
    context, call = runtime.context, task["call"]
    notes: list[str] = []

    def report(told: Told) -> None:
        context.stop_if_asked()
        if "note" in told:
            notes.append(f"Shot {call['shot']}: {told['note']}")
        runtime.stream_writer({"call": call["id"], "shot": call["shot"], "attempt": task["attempt"], **told})

    seeds = [task["seed"], *task.get("also", [])]
    asked = {**call["arguments"], "seed": seeds[0], "inputs": task["inputs"]}
    every = traced(
        call["tool"], asked, context.lease.run, lambda: _made(context, task, seeds, report),
        call=call["id"], agents=TOOLS[call["tool"]].roles,
    )  # fmt: skip
    takes = []
    for attempt, (seed, made) in enumerate(zip(seeds, every, strict=True), task["attempt"]):
        report({"stage": call["tool"], "artifact": made.artifact.id, "called": made.called})
        take = Take(artifact=made.artifact.id, seed=seed, attempt=attempt)
        takes.append(Take(**take, inputs=task["inputs"], asked=call["arguments"]))
    if not context.begun and (change := model_change_note(context.archive, context.lease.run, every)):
        report({"stage": call["tool"], "note": change})
    return {"takes": {call["id"]: takes}, "notes": notes}


def _made(context: Context, tool_task: ToolTask, seeds: list[int], report: Report) -> list[Made]:
    call = tool_task["call"]
    if call["tool"] == "assemble_film":
        film = film_request(context, call["arguments"]["pieces"], tool_task["inputs"])
        return [assemble_film(context.tool_context, film, report=report)]
    tool = TOOLS[call["tool"]]
    implementation = tool.implementation()
    starts = dict(zip(tool.takes, tool_task["inputs"], strict=True))
    asked = implementation.arguments.model_validate({**call["arguments"], **starts})

    def make(demand: Demand) -> list[Made]:
        groups = [seeds[first : first + demand.together] for first in range(0, len(seeds), demand.together)]
        every = [implementation.run(demand.tool_context, asked, seeds=group, report=report) for group in groups]
        return [made for group in every for made in group]

    return run_with_less(demands_of(tool_task, context.tool_context), make, report)


def film_request(context: Context, pieces: Sequence[Mapping[str, Any]], clips: list[str]) -> AssembleFilm:
    """Return the request to join clips, at the highest of their frame rates so that no frame is lost."""
    rates = [context.archive.artifact(clip).media.fps for clip in clips]

    # A frame that was cut off is not shown twice.
    def first(place: int) -> bool:
        return shows_edge(context.archive, context.archive.artifact(clips[place]), "first")

    def last(place: int) -> bool:
        return shows_edge(context.archive, context.archive.artifact(clips[place]), "last")

    return AssembleFilm(
        clips=clips,
        fps=max(rate for rate in rates if rate is not None),
        drop_first=frozenset(place for place, piece in enumerate(pieces) if piece["drop_first"] and first(place)),
        drop_last=frozenset(place for place, piece in enumerate(pieces) if piece["drop_last"] and last(place)),
    )


def review(state: RunState, runtime: Runtime[Context]) -> RunState:
    """Inspect every take without a verdict; a degenerate one is rejected with the reason."""
    context = runtime.context
    verdicts: dict[str, Judged] = {}
    notes: list[str] = []
    for call in read.calls(state):
        for take in takes_of(state, call["id"]):
            if take["artifact"] in read.verdicts(state):
                continue
            artifact = context.archive.artifact(take["artifact"])
            verdict = inspect(context.tool_context, artifact, motion_expected=_moves(call))
            verdicts[take["artifact"]] = Judged(ok=verdict.ok, reason=verdict.reason)
            if not verdict.ok:
                notes.append(_rejection_note(call, take, verdict.reason, context.limits.repeats))
    return {"verdicts": verdicts, "notes": notes}


def _moves(call: Call) -> bool:
    """Return whether motion is expected; transitions and edits without a motion prompt may be still."""
    prompt = call["arguments"].get("prompt")
    return TOOLS[call["tool"]].makes == "clip" and prompt is not None and "stays still" not in prompt


def _rejection_note(call: Call, take: Take, reason: str, repeats: int) -> str:
    tool = TOOLS[call["tool"]]
    then = "made again with a new seed" if take["attempt"] < repeats else f"kept after {repeats} repeats"
    if not tool.roles:
        then = "kept, since it would be the same again"
    return f"The {tool.noun} shot {call['shot']} is not usable: {reason}. It was {then}."


def assemble(state: RunState, runtime: Runtime[Context]) -> RunState:
    """Join the selected takes and the given clips into the film, in the order of the procedure."""
    context = runtime.context
    film = _film(state, context)
    notes: list[str] = []

    def report(told: Told) -> None:
        context.stop_if_asked()
        if "note" in told:
            notes.append(str(told["note"]))
        runtime.stream_writer(dict(told))

    def work() -> list[Made]:
        return [assemble_film(context.tool_context, film, report=report)]

    made = traced("assemble_film", film.model_dump(mode="json"), context.lease.run, work)[-1]
    return {"film": made.artifact.id, "notes": notes}


def _film(state: RunState, context: Context) -> AssembleFilm:
    pieces = film_of(read.calls(state))
    takes = [chosen(state, piece.call, context.limits) if piece.call else None for piece in pieces]
    clips = [take["artifact"] if take else str(piece.artifact) for piece, take in zip(pieces, takes, strict=True)]
    return film_request(context, [asdict(piece) for piece in pieces], clips)


def finish(state: RunState, runtime: Runtime[Context]) -> RunState:
    """Mark the run as done in the archive, under the lease."""
    context = runtime.context
    context.archive.set_status(context.lease, "done", film=read.film(state))
    return {}
