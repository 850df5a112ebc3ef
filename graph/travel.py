"""Back in time: a finished run replayed or made anew and compared, and another branch from one of its checkpoints."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langsmith import tracing_context
from pydantic import JsonValue

from graph.errors import RequestError
from graph.history import ORIGIN, Checkpoint, changeable, checkpoints
from graph.house import Hear, Rooms, new_run, refuse_other_graph, resume
from graph.intake import request_of
from graph.rerun import Agents, Remade, rerun
from memory.recorded import changed
from memory.records import Artifact, Request, Run

if TYPE_CHECKING:
    from graph.state import Limits

SHORTEST_ID = 4
"""Characters of a checkpoint's id; less is a number."""


@dataclass(frozen=True)
class Replayed:
    """What a replay gave. film: what it ended with; recorded: the run's film; remade: what agents made for comparison.

    stopped: why it did not get to its film.
    """

    run: Run
    film: Artifact | None
    recorded: Artifact
    remade: tuple[Remade, ...]
    stopped: str | None

    @property
    def differences(self) -> list[Remade]:
        """The products that came out with other bytes, in the order they were made."""
        return [remade for remade in self.remade if not remade.same]

    @property
    def same(self) -> bool:
        """True if it is the same film, and every product made for comparison the same product."""
        return self.film is not None and self.film.sha256 == self.recorded.sha256 and not self.differences


@dataclass(frozen=True)
class Changes:
    """What is to be otherwise in a branch; None: as it was."""

    prompt: str | None = None
    seed: int | None = None
    profile: str | None = None
    planner: str | None = None

    def said(self) -> dict[str, JsonValue]:
        """The fields of the request that change."""
        return {name: value for name, value in vars(self).items() if value is not None}


def replay(rooms: Rooms, run_id: str, hear: Hear, *, agents: Agents = "none") -> Replayed:
    """The run again from its records; with `fresh` agents everything is made anew and compared. Nothing is written.

    Raises RequestError for a run without a film, and what `graph.rerun` raises.
    """
    run = rooms.archive.run(run_id)
    if run.film is None:
        raise RequestError(
            f"Run {run.id} is {run.status} and has no film to replay; `resume {run.id}` goes on with it."
        )
    # No network: what is traced is the run itself, once.
    with tracing_context(enabled=False):
        came = rerun(rooms, run, hear, agents=agents)
    recorded = rooms.archive.artifact(run.film)
    return Replayed(run, came.film, recorded, came.remade, came.stopped)


def difference_told(remade: Remade) -> str:
    """One sentence about a product that came out different, and whether something else is installed than made it."""
    kept = remade.kept
    told = (
        f"{remade.place}: {kept.recipe.agent} made {kept.id} with other bytes, {remade.sha256[:16]} now and "
        f"{kept.sha256[:16]} in the records."
    )
    why = changed(kept.recipe, remade.recipe) or "Weights and numerics are those it was made with."
    return f"{told} {why}"


def fork(rooms: Rooms, run_id: str, at: str, changes: Changes, settings: dict[str, JsonValue], hear: Hear) -> Run:
    """A new run that goes on from a checkpoint of another, with `changes`; both are kept, equal work is not done again.

    at: what `checkpoint_of` takes. settings: the dials of a run; those that the other began with stand. Raises
    RequestError for a change that comes too late there.
    """
    parent = rooms.archive.run(run_id)
    refuse_other_graph(parent, "fork")
    known = checkpoints(rooms.archive, parent)
    checkpoint = checkpoint_of(parent, known, at)
    if checkpoint.after == "finish":
        raise RequestError(f"Checkpoint {checkpoint.number} is the end of run {parent.id}; choose an earlier one.")
    request = branched(parent, known, checkpoint, changes, rooms.limits)
    origin: dict[str, Any] = {
        "run": parent.id, "checkpoint": checkpoint.id, "after": checkpoint.after, "state": dict(checkpoint.state),
    }  # fmt: skip
    stored = {**settings, **{name: parent.settings[name] for name in settings if name in parent.settings}}
    run = new_run(rooms, request, rooms.planner(request), {**stored, ORIGIN: origin}, parent=parent.id)
    hear({"stage": "begin", "run": run.id})
    return resume(rooms, run.id, hear)


def checkpoint_of(run: Run, known: list[Checkpoint], at: str) -> Checkpoint:
    """The checkpoint of that number, or of that beginning of an id. Raises RequestError."""
    if at.isdigit() and len(at) < SHORTEST_ID:
        found = [each for each in known if each.number == int(at)]
    else:
        found = [each for each in known if len(at) >= SHORTEST_ID and each.id.startswith(at.lower())]
    if len(found) == 1:
        return found[0]
    what = "more than one checkpoint of that beginning" if found else f"no checkpoint {at!r}"
    raise RequestError(f"Run {run.id} has {what}; `show {run.id} --checkpoints` lists its {len(known)}.")


def branched(
    parent: Run, known: list[Checkpoint], checkpoint: Checkpoint, changes: Changes, limits: "Limits"
) -> Request:
    """The request of a branch. Raises RequestError with the checkpoints where the changes are still possible."""
    said = changes.said()
    for name in said:
        fits = [each for each in known if name in changeable(each, limits)]
        if checkpoint in fits:
            continue
        raise RequestError(_too_late(name, checkpoint, fits))
    asked = parent.request.model_dump()
    request, _ = request_of({**asked, "motion": None if asked["motion"] == "kept" else asked["motion"], **said})
    return request


def _too_late(name: str, checkpoint: Checkpoint, fits: list[Checkpoint]) -> str:
    why = {
        "seed": "everything is made by then",
        "prompt": "the prompt has been read by then",
    }.get(name, f"the planner has written for its {name} by then")
    where = ", ".join(str(each.number) for each in fits)
    then = f"choose checkpoint {where}" if where else "generate it anew"
    return f"A new {name} changes nothing at checkpoint {checkpoint.number}, because {why}; {then}."


def replayed_as_json(came: Replayed) -> dict[str, Any]:
    """What `replay --json` tells beside the film's object."""
    return {
        "same": came.same,
        "stopped": came.stopped,
        "compared": len(came.remade),
        "differences": [
            {
                "call": remade.place.call,
                "shot": remade.place.shot,
                "attempt": remade.place.attempt,
                "agent": remade.kept.recipe.agent,
                "artifact": remade.kept.id,
                "recorded": remade.kept.sha256,
                "sha256": remade.sha256,
                "changed": changed(remade.kept.recipe, remade.recipe),
            }
            for remade in came.differences
        ],
    }


def replayed_told(came: Replayed) -> list[str]:
    """The same for a person, a sentence each; the last one is the verdict."""
    told = [difference_told(remade) for remade in came.differences]
    if came.stopped is not None:
        return [*told, f"It could not be made to its end: {came.stopped}"]
    if came.film is None or came.film.sha256 != came.recorded.sha256:
        return [*told, f"It ends with another film than the recorded one, {came.recorded.id}."]
    if told:
        return [*told, f"{len(told)} of {len(came.remade)} products came out different."]
    made = f"{len(came.remade)} products were made anew with the same bytes; " if came.remade else ""
    return [f"{made}it is the same film, sha256 {came.film.sha256}."]
