"""What a run has behind it: its checkpoints, the person's answers, and which step each of its products is of."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from langgraph.checkpoint.serde.types import RESUME
from langgraph.constants import END, START

from graph.errors import RequestError
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
"""Where the settings of a fork keep what it began with: the checkpoint, the node after which it goes on, the state."""


@dataclass(frozen=True)
class Checkpoint:
    """A moment of a run. number: from 1, the oldest first. after: the step that had just ended, None at the beginning.

    made: ids of all takes, and of the film, that there were; new: those that the step had added.
    """

    number: int
    id: str
    at: str
    after: str | None
    made: tuple[str, ...]
    new: tuple[str, ...]
    state: "RunState"


def thread_of(run: Run) -> "RunnableConfig":
    """The run's thread as a saver and a graph know it."""
    return {"configurable": {"thread_id": run.id, "checkpoint_ns": ""}}


def answers_of(archive: "Archive", run: Run) -> list[Any]:
    """What the person answered to each question of the run, in order."""
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
    """All checkpoints of the run, oldest first."""
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
    """The node that had just ended: what was ahead one step before, or, if `gc` took that away, what leads here.

    begun: that of a fork's first checkpoint. All nodes that lead on to the same one decide alike, so that a branch may
    go on after any of them.
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
    """What can still be changed at a checkpoint: everything before the wish is read, the seed until all is made."""
    state = checkpoint.state
    if "enhancement" not in state and not state.get("calls"):
        return ("prompt", "seed", "profile", "planner")
    open_ = "calls" not in state or any(not _settled(state, call["id"], limits) for call in state["calls"])
    return ("seed",) if open_ else ()


def choosable(checkpoint: Checkpoint, artifact: str) -> list[tuple[str, int]]:
    """Call and attempt of the takes of that beginning of an id that can be made to stand at a checkpoint: those that
    were looked at, and of whose calls nothing was made yet."""
    state = checkpoint.state
    if checkpoint.after not in ("review", "ask", "think"):
        return []
    used = {need for call in state.get("calls", []) if state.get("takes", {}).get(call["id"]) for need in call["needs"]}
    return [
        (call, take["attempt"])
        for call, takes in state.get("takes", {}).items()
        for take in takes
        if call not in used and take["artifact"] in state.get("verdicts", {}) and take["artifact"].startswith(artifact)
    ]


def _settled(state: "RunState", call_id: str, limits: "Limits") -> bool:
    """True if a take of the call stands, or waits to be looked at."""
    from graph.state.takes import chosen

    takes = state.get("takes", {}).get(call_id, [])
    unseen = any(take["artifact"] not in state.get("verdicts", {}) for take in takes)
    return unseen or chosen(state, call_id, limits) is not None


def made_by(state: Mapping[str, Any]) -> tuple[str, ...]:
    """The ids of all takes in a state, and of the film."""
    takes = [take["artifact"] for each in state.get("takes", {}).values() for take in each]
    return tuple(dict.fromkeys([*takes, *([state["film"]] if "film" in state else [])]))


def origin_of(run: Run) -> dict[str, Any]:
    """What a fork began with: `run`, `checkpoint`, `after`, `state`; {} for a run that began with its request."""
    origin = run.settings.get(ORIGIN)
    return origin if isinstance(origin, dict) else {}


def begin(graph: "Map", config: "RunnableConfig", run: Run) -> "RunState | None":
    """The input of a run without a checkpoint: its request; None for a fork, whose thread is put where it goes on.

    Raises RequestError for a fork of a graph that had other steps.
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
    """What a fork begins with counts as its own: products with all they were made of, and, before there is a whole
    plan, what the planner has answered to the same words."""
    origin = origin_of(run)
    if not origin:
        return
    archive.adopt(lease, families_of(archive, (*run.request.images, *run.request.clips, *made_by(origin["state"]))))
    if "calls" not in origin["state"] or origin["state"].get("open_plan"):
        for call in archive.llm_calls(origin["run"]):
            archive.remember_llm(lease, call.model_copy(update={"run": run.id}))


def families_of(archive: "Archive", ids: Iterable[str]) -> list[str]:
    """The artifacts with all that they were made of, those first that others were made of."""
    found: dict[str, None] = {}
    for id in ids:
        if id not in found:
            found |= dict.fromkeys([*families_of(archive, archive.artifact(id).parents), id])
    return list(found)


def places_of(state: Mapping[str, Any], artifacts: Iterable[Artifact]) -> dict[str, "Place"]:
    """By id, of which step each product is: of the call whose take it is, or whose take was made from it."""
    from memory.recorded import Place

    shots = {call["id"]: call["shot"] for call in state.get("calls", [])}
    found = {
        take["artifact"]: Place(call, shots.get(call, int(call.split(".")[0])), take["attempt"])
        for call, takes in state.get("takes", {}).items()
        for take in takes
    }
    if "film" in state:
        found.setdefault(state["film"], Place("assemble_film"))
    for artifact in reversed(list(artifacts)):  # children come after what they were made from
        if artifact.id in found:
            for parent in artifact.parents:
                found.setdefault(parent, found[artifact.id])
    return found


def state_of(archive: "Archive", run: Run) -> dict[str, Any]:
    """The channel values of the run's newest checkpoint; {} if there is none."""
    with archive.saver() as saver:
        found = saver.get_tuple(thread_of(run))
    return dict(found.checkpoint["channel_values"]) if found else {}


def checkpoints_of(archive: "Archive", run: Run) -> list[dict[str, Any]]:
    """Id, time and step of every checkpoint of the run, oldest first."""
    with archive.saver() as saver:
        known = list(saver.list(thread_of(run)))
    return [
        {"id": c.checkpoint["id"], "at": c.checkpoint["ts"], "step": c.metadata.get("step")} for c in reversed(known)
    ]
