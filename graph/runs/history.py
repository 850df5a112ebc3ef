"""The history of a run: its checkpoints, the person's answers, and the step that each product belongs to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from langgraph.checkpoint.serde.types import RESUME
from langgraph.constants import END, START

from graph.errors import RequestError
from graph.state import read
from memory.records import Artifact, Run

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import CheckpointTuple
    from langgraph.types import StateSnapshot

    from graph.machine.build import Map
    from graph.state.channels import Limits, RunState
    from memory.archive import Archive
    from memory.leases import Lease
    from memory.recorded import Place


ORIGIN = "origin"
"""Key in a fork's settings of what it began with: the checkpoint, the node after which it continues, the state."""


RULES = "rules"
"""Key in a run's settings of the version of the rules by which moves change its board."""


@dataclass(frozen=True)
class Checkpoint:
    """A moment of a run. number: from 1, oldest first. after: the step that had just ended, None at the beginning.

    made: ids of all takes, and of the film, that existed; new: those that the step had added.
    """

    number: int
    id: str
    at: str
    after: str | None
    made: tuple[str, ...]
    new: tuple[str, ...]
    state: "RunState"


def thread_of(run: Run) -> "RunnableConfig":
    """Return the LangGraph configuration that names the run's thread."""
    return {"configurable": {"thread_id": run.id, "checkpoint_ns": ""}}


def answers_of(archive: "Archive", run: Run) -> list[Any]:
    """Return the person's answers to the questions of the run, in order."""
    with archive.saver() as saver:
        known: list[CheckpointTuple] = list(saver.list(thread_of(run)))
    return [
        answer
        for found in reversed(known)
        for _task, channel, answers in found.pending_writes or ()
        if channel == RESUME
        for answer in answers
    ]


def checkpoints(archive: "Archive", run: Run) -> list[Checkpoint]:
    """Return all checkpoints of the run, oldest first."""
    from graph.machine.build import build

    graph = build()
    with archive.saver() as saver:
        graph.checkpointer = saver
        known = list(graph.get_state_history(thread_of(run)))[::-1]
    found: list[Checkpoint] = []
    for number, snapshot in enumerate(known, 1):
        after = _left(graph, known[number - 2] if number > 1 else None, snapshot, origin_of(run).get("after"))
        state: RunState = snapshot.values  # type: ignore[assignment]
        made, before = made_by(state), found[-1].made if found else ()
        new = tuple(one for one in made if one not in before)
        id, at = str(snapshot.config["configurable"]["checkpoint_id"]), str(snapshot.created_at)
        found.append(Checkpoint(number, id, at, after, made, new, state))
    return found


def _left(graph: "Map", before: "StateSnapshot | None", now: "StateSnapshot", begun: str | None) -> str | None:
    """Return the node that had just ended: the next node of the step before or, if `gc` removed that, one leading here.

    begun: the node for a fork's first checkpoint. All nodes that lead to the same one decide alike, so that a branch
    may continue after any of them.
    """
    source, step = (now.metadata or {}).get("source"), (now.metadata or {}).get("step", 0)
    if before is not None and step == (before.metadata or {}).get("step", 0) + 1:
        node = next(iter(before.next), None)
    elif source in ("input", "update"):
        node = begun
    else:
        ahead = next(iter(now.next), END)
        leading = [edge.source for edge in graph.get_graph().edges if edge.target == ahead and edge.source != START]
        node = "review" if "review" in leading and now.values.get("takes") else next(iter(leading), None)
    return None if node == START else node


def changeable(checkpoint: Checkpoint, limits: "Limits") -> tuple[str, ...]:
    """Return what can still be changed at a checkpoint: all until the wish is read, the seed until all is made."""
    state = checkpoint.state
    if not read.enhancement(state) and not read.calls(state):
        return ("prompt", "seed", "profile", "planner")
    open_ = not read.calls(state) or any(not _settled(state, call["id"], limits) for call in read.calls(state))
    return ("seed",) if open_ else ()


def choosable(checkpoint: Checkpoint, artifact: str) -> list[tuple[str, int]]:
    """Return (call, attempt) of the takes with this id prefix that can be chosen at a checkpoint.

    Those are the inspected takes of calls from whose products nothing was made yet.
    """
    state = checkpoint.state
    if checkpoint.after not in ("review", "ask", "think"):
        return []
    used = {need for call in read.calls(state) if read.takes(state).get(call["id"]) for need in call["needs"]}
    return [
        (call, take["attempt"])
        for call, takes in read.takes(state).items()
        for take in takes
        if call not in used and take["artifact"] in read.verdicts(state) and take["artifact"].startswith(artifact)
    ]


def _settled(state: "RunState", call_id: str, limits: "Limits") -> bool:
    """Return whether a take of the call stands, or waits to be inspected."""
    from graph.state.takes import chosen

    takes = read.takes(state).get(call_id, [])
    unseen = any(take["artifact"] not in read.verdicts(state) for take in takes)
    return unseen or chosen(state, call_id, limits) is not None


def made_by(state: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the ids of all takes in a state, and of the film."""
    takes = [take["artifact"] for each in read.takes(state).values() for take in each]
    return tuple(dict.fromkeys([*takes, *([film] if (film := read.film(state)) is not None else [])]))


def rules_of(run: Run) -> int:
    """Return the version of the rules by which moves change the run's board; older runs stored none."""
    rules = run.settings.get(RULES, 1)
    return rules if isinstance(rules, int) else 1


def origin_of(run: Run) -> dict[str, Any]:
    """Return what a fork began with: `run`, `checkpoint`, `after`, `state`; {} for a run that is no fork."""
    origin = run.settings.get(ORIGIN)
    return origin if isinstance(origin, dict) else {}


def begin(graph: "Map", config: "RunnableConfig", run: Run) -> "RunState | None":
    """Return the input of a run without a checkpoint: its request, or None for a fork, whose thread it sets up.

    Raises RequestError for a fork that continues after a node this graph does not have.
    """
    request, origin = run.request.model_dump(mode="json"), origin_of(run)
    state: dict[str, Any] = {"notes": [], **origin.get("state", {}), "request": request}
    if origin.get("after") is None:
        return cast("RunState", state)
    if origin["after"] not in graph.nodes:
        raise RequestError(
            "step-missing",
            f"Run {run.id} goes on after {origin['after']!r}, a step that is not here; make it anew.",
            run=run.id,
        )
    graph.update_state(config, state, as_node=origin["after"])
    return None


def take_over(archive: "Archive", run: Run, lease: "Lease") -> None:
    """Make what a fork begins with its own: the products with their ancestors and, until there is a complete plan, the
    planner's answers to the same words."""
    origin = origin_of(run)
    if not origin:
        return
    archive.adopt(lease, families_of(archive, (*run.request.images, *run.request.clips, *made_by(origin["state"]))))
    if "calls" not in origin["state"] or origin["state"].get("open_plan"):
        for call in archive.llm_calls(origin["run"]):
            archive.remember_llm(lease, call.model_copy(update={"run": run.id}))


def families_of(archive: "Archive", ids: Iterable[str]) -> list[str]:
    """Return the ids of the artifacts and of all their ancestors, parents first."""
    found: dict[str, None] = {}
    for id in ids:
        if id not in found:
            found |= dict.fromkeys([*families_of(archive, archive.artifact(id).parents), id])
    return list(found)


def places_of(state: Mapping[str, Any], artifacts: Iterable[Artifact]) -> dict[str, "Place"]:
    """Return the place of each product by id: the call whose take it is, or whose take was made from it."""
    from memory.recorded import Place

    shots = {call["id"]: call["shot"] for call in read.calls(state)}
    found = {
        take["artifact"]: Place(call, shots.get(call, int(call.split(".")[0])), take["attempt"])
        for call, takes in read.takes(state).items()
        for take in takes
    }
    if (film := read.film(state)) is not None:
        found.setdefault(film, Place("assemble_film"))
    for artifact in reversed(list(artifacts)):  # children come after what they were made from
        if artifact.id in found:
            for parent in artifact.parents:
                found.setdefault(parent, found[artifact.id])
    return found


def state_of(archive: "Archive", run: Run) -> dict[str, Any]:
    """Return the channel values of the run's newest checkpoint; {} if there is none."""
    with archive.saver() as saver:
        found = saver.get_tuple(thread_of(run))
    return dict(found.checkpoint["channel_values"]) if found else {}


def checkpoints_of(archive: "Archive", run: Run) -> list[dict[str, Any]]:
    """Return id, time and step of every checkpoint of the run, oldest first."""
    with archive.saver() as saver:
        known = list(saver.list(thread_of(run)))
    return [
        {"id": c.checkpoint["id"], "at": c.checkpoint["ts"], "step": c.metadata.get("step")} for c in reversed(known)
    ]
